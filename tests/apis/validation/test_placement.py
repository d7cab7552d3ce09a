"""Where Pods may run: affinities, tolerations, taints and spreading."""

from typing import Any

import pytest
from tests.apis.validation.cases import KEY, LABEL, VALUE, Case, Checked, below, invalid

POD = Checked("", "pods", {"spec": {"containers": [{"name": "c", "image": "img"}]}})
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERMS = f".nodeAffinity.{REQUIRED}.nodeSelectorTerms"
EXPRESSION = f"{TERMS}[0].matchExpressions[0]"
FIELD = f"{TERMS}[0].matchFields[0]"
PODS = f".podAffinity.{REQUIRED}"


def expression(**said: Any) -> dict[str, Any]:
    return {TERMS: [{"matchExpressions": [{"key": "a", **said}]}]}


def field(**said: Any) -> dict[str, Any]:
    return {TERMS: [{"matchFields": [{"key": "metadata.name", **said}]}]}


def term(**said: Any) -> dict[str, Any]:
    return {PODS: [{"topologyKey": "zone", **said}]}


AFFINITIES: list[Case] = [
    (expression(operator="Gt", values=["1"]), []),
    ({TERMS: []}, [f"{TERMS}: Required value: must have at least one node selector term"]),
    (
        expression(operator="In"),
        [f"{EXPRESSION}.values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
    ),
    (
        expression(operator="Exists", values=["x"]),
        [
            f"{EXPRESSION}.values: Forbidden: "
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        ],
    ),
    (
        expression(operator="Lt", values=["1", "2"]),
        [
            f"{EXPRESSION}.values: Required value: "
            "must be specified single value when `operator` is 'Lt' or 'Gt'"
        ],
    ),
    (expression(operator="X"), invalid(f"{EXPRESSION}.operator", "X", "not a valid selector operator")),
    (expression(operator="Exists", key="-"), invalid(f"{EXPRESSION}.key", "-", KEY)),
    (expression(operator="In", values=["-"]), invalid(f"{EXPRESSION}.values[0]", "-", VALUE)),
    (
        field(operator="In", values=["a", "b"]),
        [
            f"{FIELD}.values: Required value: "
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        ],
    ),
    (field(operator="Exists"), invalid(f"{FIELD}.operator", "Exists", "not a valid selector operator")),
    (
        field(operator="In", values=["a"], key="spec.x"),
        invalid(f"{FIELD}.key", "spec.x", "not a valid field selector key"),
    ),
    (
        {f".nodeAffinity.{PREFERRED}": [{"weight": 0, "preference": {}}]},
        [f".nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the range 1-100"],
    ),
    (
        {f".podAntiAffinity.{PREFERRED}": [{"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}}]},
        [f".podAntiAffinity.{PREFERRED}[0].weight: Invalid value: 101: must be in the range 1-100"],
    ),
    (
        {PODS: [{}]},
        [
            f"{PODS}[0].topologyKey: Required value: can not be empty",
            *invalid(f"{PODS}[0].topologyKey", "", "name part must be non-empty", KEY),
        ],
    ),
    (term(topologyKey="-"), invalid(f"{PODS}[0].topologyKey", "-", KEY)),
    (term(namespaces=["A"]), invalid(f"{PODS}[0].namespace", "A", LABEL)),
    (
        term(labelSelector={"matchLabels": {"a": "-"}}),
        invalid(f"{PODS}[0].labelSelector.matchLabels", "-", VALUE),
    ),
    (
        term(namespaceSelector={"matchExpressions": [{"key": "a", "operator": "X"}]}),
        invalid(
            f"{PODS}[0].namespaceSelector.matchExpressions[0].operator", "X", "not a valid selector operator"
        ),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec.affinity", AFFINITIES))
def test_affinities(changes: dict[str, Any], told: list[str]) -> None:
    assert POD.new(changes) == told


def test_keys_of_the_pod_itself() -> None:
    # They are merged into the selector when a Pod is made; what is stored says both.
    def told(**said: Any) -> list[str]:
        path = f"spec.affinity.podAffinity.{REQUIRED}"
        return [
            each.removeprefix(f"{path}[0]") for each in POD.update({path: [{"topologyKey": "z", **said}]})
        ]

    said = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}
    assert told(matchLabelKeys=["a"], labelSelector=said) == []
    missing = "must not be specified when labelSelector is not set"
    assert told(matchLabelKeys=["a"]) == [f".matchLabelKeys: Forbidden: {missing}"]
    assert told(mismatchLabelKeys=["a"]) == [f".mismatchLabelKeys: Forbidden: {missing}"]
    assert told(matchLabelKeys=["-"], labelSelector=said) == invalid(".matchLabelKeys[0]", "-", KEY)
    assert told(matchLabelKeys=["a"], labelSelector={**said, "matchLabels": {"a": "x"}}) == invalid(
        "[0]", "a", "exists in both matchLabelKeys and labelSelector"
    )
    assert told(matchLabelKeys=["a"], mismatchLabelKeys=["a"], labelSelector=said) == invalid(
        ".matchLabelKeys[0]", "a", "exists in both matchLabelKeys and mismatchLabelKeys"
    )


EMPTY = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'


@pytest.mark.parametrize(
    ("toleration", "told"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 1}, []),
        ({"operator": "Equal"}, invalid(".operator", "Equal", EMPTY)),
        ({"key": "-", "operator": "Exists"}, invalid(".key", "-", KEY)),
        ({"key": "a", "value": "-"}, invalid(".operator", "-", VALUE)),
        (
            {"key": "a", "operator": "Exists", "value": "b"},
            invalid(".operator", "b", "value must be empty when `operator` is 'Exists'"),
        ),
        (
            {"key": "a", "operator": "X"},
            ['.operator: Unsupported value: "X": supported values: "Equal", "Exists"'],
        ),
        (
            {"key": "a", "operator": "Lt", "value": "1"},
            ['.operator: Unsupported value: "Lt": supported values: "Equal", "Exists", "Lt", "Gt"'],
        ),
        (
            {"key": "a", "effect": "X"},
            [
                '.effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
            ],
        ),
        (
            {"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1},
            invalid(".effect", "NoSchedule", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
        ),
    ],
)
def test_tolerations(toleration: dict[str, Any], told: list[str]) -> None:
    path = "spec.tolerations[0]"
    assert POD.new({"spec.tolerations": [toleration]}) == [path + each for each in told]


SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    ("constraint", "told"),
    [
        ({"minDomains": 1}, []),
        ({"maxSkew": 0}, [".maxSkew: Invalid value: 0: must be greater than zero"]),
        ({"topologyKey": ""}, [".topologyKey: Required value: can not be empty"]),
        (
            {"whenUnsatisfiable": "X"},
            [
                '.whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"'
            ],
        ),
        ({"minDomains": 0}, [".minDomains: Invalid value: 0: must be greater than zero"]),
        (
            {"minDomains": 1, "whenUnsatisfiable": "ScheduleAnyway"},
            [
                ".minDomains: Invalid value: 1: "
                "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
            ],
        ),
        (
            {"nodeAffinityPolicy": "X"},
            ['.nodeAffinityPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"'],
        ),
        (
            {"nodeTaintsPolicy": "X"},
            ['.nodeTaintsPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"'],
        ),
        (
            {"matchLabelKeys": ["a"]},
            [".matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"],
        ),
        (
            {"labelSelector": {"matchLabels": {"-": "a"}}},
            invalid(".labelSelector.matchLabels", "-", KEY),
        ),
    ],
)
def test_spreading(constraint: dict[str, Any], told: list[str]) -> None:
    path = "spec.topologySpreadConstraints[0]"
    changes = {"spec.topologySpreadConstraints": [{**SPREAD, **constraint}]}
    assert POD.new(changes) == [path + each for each in told]


def test_spreading_twice_over_the_same() -> None:
    (told,) = POD.new({"spec.topologySpreadConstraints": [SPREAD, SPREAD]})
    assert told == (
        "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: "
        'Duplicate value: "{zone, DoNotSchedule}"'
    )


NODE = Checked("", "nodes", {})


@pytest.mark.parametrize(
    ("taints", "told"),
    [
        ([{"key": "a", "value": "b", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}], []),
        ([{"key": "-", "effect": "NoSchedule"}], invalid("[0].key", "-", KEY)),
        ([{"key": "a", "value": "-", "effect": "NoSchedule"}], invalid("[0].value", "-", VALUE)),
        ([{"key": "a"}], ["[0].effect: Required value"]),
        (
            [{"key": "a", "effect": "X"}],
            [
                '[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
            ],
        ),
        (
            [{"key": "a", "effect": "NoSchedule"}] * 2,
            [
                '[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
                "taints must be unique by key and effect pair"
            ],
        ),
    ],
)
def test_taints(taints: list[dict[str, str]], told: list[str]) -> None:
    assert NODE.new({"spec.taints": taints}) == [f"metadata.taints{each}" for each in told]
