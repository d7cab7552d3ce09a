"""Kinds that keep Pods running, and the templates that they make them from."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, LABEL, VALUE, Case, Checked, below, invalid

SELECTOR = {"matchLabels": {"app": "a"}}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "img"}]}}
NEGATIVE = "must be greater than or equal to 0"
NOT_ALL = "must not be greater than 100%"
UNMATCHED = "`selector` does not match template `labels`"
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
DEPLOYMENT = Checked("apps", "deployments", {"spec": {"selector": SELECTOR, "template": TEMPLATE}})
REPLICA_SET = Checked("apps", "replicasets", {"spec": {"selector": SELECTOR, "template": TEMPLATE}})
DAEMON_SET = Checked("apps", "daemonsets", {"spec": {"selector": SELECTOR, "template": TEMPLATE}})
STATEFUL_SET = Checked(
    "apps", "statefulsets", {"spec": {"selector": SELECTOR, "template": TEMPLATE, "serviceName": "s"}}
)
CONTROLLER = Checked("", "replicationcontrollers", {"spec": {"selector": {"app": "a"}, "template": TEMPLATE}})


def negative(*members: str) -> list[Case]:
    return [({f".{member}": -1}, [f".{member}: Invalid value: -1: {NEGATIVE}"]) for member in members]


def kept_running(kind: str) -> list[Case]:
    """What is said of all templates whose Pods are replaced."""
    return [
        (
            {".template.spec.restartPolicy": "Never"},
            ['.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ),
        (
            {".template.spec.activeDeadlineSeconds": 5},
            [
                ".template.spec.activeDeadlineSeconds: Forbidden: "
                f"activeDeadlineSeconds in {kind} is not Supported"
            ],
        ),
        ({".template.spec.containers": []}, [".template.spec.containers: Required value"]),
        (
            {".template.metadata.labels": {"app": "b"}},
            [f'.template.metadata.labels: Invalid value: {{"app":"b"}}: {UNMATCHED}'],
        ),
        (
            {".template.metadata": {}},
            [f".template.metadata.labels: Invalid value: null: {UNMATCHED}"],
        ),
        ({".template.metadata.labels.x": "-"}, invalid(".template.labels", "-", VALUE)),
        (
            {".template.metadata.annotations": {"-": ""}},
            invalid(".template.annotations", "-", KEY),
        ),
        (
            {".template.spec.ephemeralContainers": [{"name": "e", "image": "i"}]},
            [
                ".template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"
            ],
        ),
    ]


def unselective(kind: str) -> list[Case]:
    return [
        ({".selector": {}}, [f".selector: Invalid value: {{}}: empty selector is invalid for {kind}"]),
        (
            {".selector.matchLabels": {"-": "a"}},
            [
                *invalid(".selector.matchLabels", "-", KEY),
                '.selector: Invalid value: {"matchLabels":{"-":"a"}}: invalid label selector',
            ],
        ),
    ]


ABSENT_SELECTOR = [
    ".selector: Required value",
    f'.template.metadata.labels: Invalid value: {{"app":"a"}}: {UNMATCHED}',
]
DEPLOYMENTS: list[Case] = [
    *negative("replicas", "minReadySeconds", "revisionHistoryLimit"),
    *kept_running("ReplicaSet"),
    *unselective("deployment"),
    ({".selector": ABSENT}, ABSENT_SELECTOR),
    (
        {".strategy.type": "X"},
        [
            '.strategy: Unsupported value: {"Type":"X","RollingUpdate":null}: '
            'supported values: "Recreate", "RollingUpdate"'
        ],
    ),
    (
        {".strategy": {"type": "Recreate", "rollingUpdate": {}}},
        [".strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    (
        {".strategy.rollingUpdate": {"maxUnavailable": 0, "maxSurge": "0%"}},
        [".strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    (
        {".strategy.rollingUpdate.maxUnavailable": "x"},
        invalid(".strategy.rollingUpdate.maxUnavailable", "x", PERCENT),
    ),
    (
        {".strategy.rollingUpdate.maxSurge": -1},
        [f".strategy.rollingUpdate.maxSurge: Invalid value: -1: {NEGATIVE}"],
    ),
    (
        {".strategy.rollingUpdate.maxUnavailable": "101%"},
        invalid(".strategy.rollingUpdate.maxUnavailable", "101%", NOT_ALL),
    ),
    (
        {".strategy.rollingUpdate.maxUnavailable": "9" * 5000 + "%"},
        invalid(".strategy.rollingUpdate.maxUnavailable", "9" * 5000 + "%", NOT_ALL),
    ),
    ({".strategy.rollingUpdate.maxSurge": "200%"}, []),
    (
        {".progressDeadlineSeconds": 5, ".minReadySeconds": 5},
        [".progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    ),
    (
        {".progressDeadlineSeconds": -1},
        [
            f".progressDeadlineSeconds: Invalid value: -1: {NEGATIVE}",
            ".progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", DEPLOYMENTS))
def test_deployments(changes: dict[str, Any], told: list[str]) -> None:
    assert DEPLOYMENT.new(changes) == told


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            *negative("replicas", "minReadySeconds"),
            *kept_running("ReplicaSet"),
            *unselective("deployment"),
            ({".selector": ABSENT}, ABSENT_SELECTOR),
        ],
    ),
)
def test_replica_sets(changes: dict[str, Any], told: list[str]) -> None:
    assert REPLICA_SET.new(changes) == told


ROLLING = ".updateStrategy.rollingUpdate"
DAEMON_SETS: list[Case] = [
    *negative("minReadySeconds", "revisionHistoryLimit"),
    *kept_running("DaemonSet"),
    ({".selector": {}}, [".selector: Invalid value: {}: empty selector is invalid for daemonset"]),
    ({".updateStrategy": {"type": "OnDelete"}}, []),
    (
        {".updateStrategy.type": "X"},
        [
            '.updateStrategy: Unsupported value: {"Type":"X","RollingUpdate":null}: '
            'supported values: "RollingUpdate", "OnDelete"'
        ],
    ),
    (
        {ROLLING: {"maxUnavailable": 1, "maxSurge": 1}},
        [f"{ROLLING}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"],
    ),
    (
        {ROLLING: {"maxUnavailable": 0}},
        [f"{ROLLING}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
    ),
    (
        {ROLLING: {"maxUnavailable": "101%"}},
        invalid(f"{ROLLING}.maxUnavailable", "101%", NOT_ALL),
    ),
    (
        {ROLLING: {"maxUnavailable": 0, "maxSurge": "101%"}},
        invalid(f"{ROLLING}.maxSurge", "101%", NOT_ALL),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", DAEMON_SETS))
def test_daemon_sets(changes: dict[str, Any], told: list[str]) -> None:
    assert DAEMON_SET.new(changes) == told


def stateful(case: Case) -> Case:
    changes, told = case
    return changes, [each.removesuffix(": invalid label selector") for each in told]


CLAIM_TEMPLATE: dict[str, Any] = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
MOUNT = ".template.spec.containers[0].volumeMounts"
STATEFUL_SETS: list[Case] = [
    *negative("replicas", "minReadySeconds"),
    *kept_running("StatefulSet"),
    *map(stateful, unselective("statefulset")),
    ({".serviceName": "A"}, invalid(".serviceName", "A", LABEL)),
    (
        {".podManagementPolicy": "X"},
        invalid(".podManagementPolicy", "X", "must be 'OrderedReady' or 'Parallel'"),
    ),
    (
        {".updateStrategy.type": "X"},
        [
            '.updateStrategy: Invalid value: {"Type":"X","RollingUpdate":null}: '
            "must be 'RollingUpdate' or 'OnDelete'"
        ],
    ),
    (
        {".updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
        [
            f'{ROLLING}: Invalid value: {{"Partition":1,"MaxUnavailable":null}}: '
            "only allowed for updateStrategy 'RollingUpdate'"
        ],
    ),
    ({f"{ROLLING}.partition": -1}, [f"{ROLLING}.partition: Invalid value: -1: {NEGATIVE}"]),
    ({".ordinals.start": -1}, [f".ordinals.start: Invalid value: -1: {NEGATIVE}"]),
    (
        {".persistentVolumeClaimRetentionPolicy.whenDeleted": "X"},
        [
            '.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "X": '
            'supported values: "Retain", "Delete"'
        ],
    ),
    ({".volumeClaimTemplates": [CLAIM_TEMPLATE], MOUNT: [{"name": "data", "mountPath": "/d"}]}, []),
    ({MOUNT: [{"name": "data", "mountPath": "/d"}]}, [f'{MOUNT}[0].name: Not found: "data"']),
    (
        {
            ".volumeClaimTemplates": [
                {**CLAIM_TEMPLATE, "spec": {**CLAIM_TEMPLATE["spec"], "accessModes": []}}
            ]
        },
        [".volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required"],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", STATEFUL_SETS))
def test_stateful_sets(changes: dict[str, Any], told: list[str]) -> None:
    assert STATEFUL_SET.new(changes) == told


def test_stored_stateful_sets_keep_the_names_of_their_services() -> None:
    assert STATEFUL_SET.update({"spec.serviceName": "A"}) == []


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (1, []),
        (0, ["Invalid value: 0: cannot be 0"]),
        ("101%", ['Invalid value: "101%": must not be greater than 100%']),
    ],
)
def test_how_many_of_a_stateful_set_may_be_missing(share: int | str, told: list[str]) -> None:
    path = "spec.updateStrategy.rollingUpdate"
    changes = {path: {"partition": 0, "maxUnavailable": share}}
    assert STATEFUL_SET.update(changes) == [f"{path}.maxUnavailable: {each}" for each in told]


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            *negative("replicas", "minReadySeconds"),
            *kept_running("ReplicationController"),
            (
                {".selector": {"-": "a"}},
                [f'.template.metadata.labels: Invalid value: {{"app":"a"}}: {UNMATCHED}'],
            ),
            ({".template": ABSENT}, [".template: Required value"]),
        ],
    ),
)
def test_controllers(changes: dict[str, Any], told: list[str]) -> None:
    assert CONTROLLER.new(changes) == told


def test_controllers_select_something() -> None:
    # A new one selects what its template makes; a stored one is changed to select nothing.
    assert CONTROLLER.update({"spec.selector": ABSENT, "spec.template.metadata": {}}) == [
        "spec.selector: Required value"
    ]


def test_pod_templates() -> None:
    template = Checked("", "podtemplates", {"template": TEMPLATE})
    assert template.new({}) == []
    assert template.new({"template.spec.containers": []}) == ["template.spec.containers: Required value"]
    assert template.new({"template.spec.restartPolicy": "Never"}) == []


def test_revisions() -> None:
    revision = Checked("apps", "controllerrevisions", {"data": {"a": 1}, "revision": 1})
    assert revision.new({}) == []
    assert revision.new({"data": ABSENT}) == ["data: Required value: data is mandatory"]
    assert revision.new({"revision": -1}) == [f"revision: Invalid value: -1: {NEGATIVE}"]


BEYOND = "cannot be greater than status.replicas"


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        (DEPLOYMENT, {"collisionCount": -1}, [f"collisionCount: Invalid value: -1: {NEGATIVE}"]),
        (DEPLOYMENT, {"updatedReplicas": 1}, [f"updatedReplicas: Invalid value: 1: {BEYOND}"]),
        (
            DEPLOYMENT,
            {"availableReplicas": 1, "replicas": 1},
            ["availableReplicas: Invalid value: 1: cannot be greater than readyReplicas"],
        ),
        (REPLICA_SET, {"fullyLabeledReplicas": 1}, [f"fullyLabeledReplicas: Invalid value: 1: {BEYOND}"]),
        (CONTROLLER, {"readyReplicas": 1}, [f"readyReplicas: Invalid value: 1: {BEYOND}"]),
        (STATEFUL_SET, {"currentReplicas": 1}, [f"currentReplicas: Invalid value: 1: {BEYOND}"]),
        (
            STATEFUL_SET,
            {"availableReplicas": 1, "replicas": 1},
            ["availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"],
        ),
        (DAEMON_SET, {"numberReady": -1}, [f"numberReady: Invalid value: -1: {NEGATIVE}"]),
        (DAEMON_SET, {"numberReady": 5}, []),
    ],
)
def test_statuses(kind: Checked, changes: dict[str, Any], told: list[str]) -> None:
    changed = {f"status.{member}": value for member, value in changes.items()}
    assert kind.status(changed) == [f"status.{each}" for each in told]
