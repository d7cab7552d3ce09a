"""Kinds alone in their group, and autoscalers."""

from typing import Any

import pytest
from tests.apis.validation.cases import KEY, LABEL, SUBDOMAIN, VALUE, Case, Checked, below, invalid

from kajitori.apis import validation

NEGATIVE = "must be greater than or equal to 0"
BUDGET = Checked("policy", "poddisruptionbudgets", {"spec": {"minAvailable": 1}})
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            ({".minAvailable": "50%"}, []),
            (
                {".maxUnavailable": "1%"},
                [
                    ': Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"1%",'
                    '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'
                ],
            ),
            ({".minAvailable": -1}, [f".minAvailable: Invalid value: -1: {NEGATIVE}"]),
            ({".minAvailable": "x"}, invalid(".minAvailable", "x", PERCENT)),
            ({".minAvailable": "101%"}, invalid(".minAvailable", "101%", "must not be greater than 100%")),
            ({".selector.matchLabels": {"a": "-"}}, invalid(".selector.matchLabels", "-", VALUE)),
            (
                {".unhealthyPodEvictionPolicy": "X"},
                [
                    '.unhealthyPodEvictionPolicy: Unsupported value: "X": '
                    'supported values: "AlwaysAllow", "IfHealthyBudget"'
                ],
            ),
        ],
    ),
)
def test_budgets(changes: dict[str, Any], told: list[str]) -> None:
    assert BUDGET.new(changes) == told


CONDITION = {
    "type": "Ready",
    "status": "True",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "reason": "R",
    "message": "",
}
REASON = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
    "'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
    "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, []),
        ({"type": "-"}, invalid(".type", "-", KEY)),
        ({"status": "X"}, ['.status: Unsupported value: "X": supported values: "False", "True", "Unknown"']),
        (
            {"observedGeneration": -1},
            [".observedGeneration: Invalid value: -1: must be greater than or equal to zero"],
        ),
        ({"lastTransitionTime": None}, [".lastTransitionTime: Required value"]),
        ({"reason": ""}, [".reason: Required value"]),
        ({"reason": "-"}, invalid(".reason", "-", REASON)),
        ({"reason": "R" * 1025}, [".reason: Too long: may not be more than 1024 bytes"]),
        ({"message": "m" * 32769}, [".message: Too long: may not be more than 32768 bytes"]),
    ],
)
def test_conditions(said: dict[str, Any], told: list[str]) -> None:
    path = "status.conditions"
    assert BUDGET.status({path: [{**CONDITION, **said}]}) == [f"{path}[0]{each}" for each in told]


def test_status_of_budgets() -> None:
    assert BUDGET.status({"status.conditions": [CONDITION, CONDITION]}) == [
        'status.conditions[1].type: Duplicate value: "Ready"'
    ]
    assert BUDGET.status({"status.expectedPods": -1}) == [
        f"status.expectedPods: Invalid value: -1: {NEGATIVE}"
    ]


LEASE = Checked("coordination.k8s.io", "leases", {"spec": {}})


def test_leases() -> None:
    assert LEASE.new({"spec.leaseDurationSeconds": 1, "spec.leaseTransitions": 0}) == []
    path = "spec.leaseDurationSeconds"
    assert LEASE.new({path: 0}) == [f"{path}: Invalid value: 0: must be greater than 0"]
    path = "spec.leaseTransitions"
    assert LEASE.new({path: -1}) == [f"{path}: Invalid value: -1: {NEGATIVE}"]


PRIORITY = Checked("scheduling.k8s.io", "priorityclasses", {"value": 1})
RESERVED = (
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
    "error: "
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"value": 1_000_000_000}, []),
        ({"metadata.name": "system-node-critical", "value": 2_000_001_000}, []),
        (
            {"value": 1_000_000_001},
            ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
        ),
        ({"metadata.name": "system-x"}, [f"{RESERVED}system-x is not a known system priority class"]),
        (
            {"metadata.name": "system-node-critical"},
            [f"{RESERVED}value of system-node-critical PriorityClass must be 2000001000"],
        ),
        (
            {"metadata.name": "system-cluster-critical", "value": 2_000_000_000, "globalDefault": True},
            [f"{RESERVED}globalDefault of system-cluster-critical PriorityClass must be false"],
        ),
        ({"preemptionPolicy": ""}, ["preemptionPolicy: Required value"]),
        (
            {"preemptionPolicy": "X"},
            ['preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"'],
        ),
    ],
)
def test_priorities(changes: dict[str, Any], told: list[str]) -> None:
    assert PRIORITY.new(changes) == told


RUNTIME = Checked("node.k8s.io", "runtimeclasses", {"handler": "h"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"overhead.podFixed.cpu": "1"}, []),
        ({"handler": "H"}, invalid("handler", "H", LABEL)),
        ({"overhead.podFixed.cpu": "-1"}, [f'overhead.limits[cpu]: Invalid value: "-1": {NEGATIVE}']),
        ({"scheduling.nodeSelector": {"a": "-"}}, invalid("scheduling.nodeSelector", "-", VALUE)),
        (
            {"scheduling.tolerations": [{"key": "-", "operator": "Exists"}]},
            invalid("scheduling.tolerations[0].key", "-", KEY),
        ),
        (
            {"scheduling.tolerations": [{"key": "a"}, {"key": "a"}]},
            [
                'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"","Value":"",'
                '"Effect":"","TolerationSeconds":null}'
            ],
        ),
    ],
)
def test_runtimes(changes: dict[str, Any], told: list[str]) -> None:
    assert RUNTIME.new(changes) == told


API_SERVICE = Checked(
    "apiregistration.k8s.io",
    "apiservices",
    {
        "metadata": {"name": "v1.example.com"},
        "spec": {"group": "example.com", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1},
    },
)
SERVED = {"spec.service": {"namespace": "n", "name": "s"}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (SERVED, []),
        (
            {"metadata.name": "x"},
            ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.example.com"'],
        ),
        (
            {"metadata.name": "v2.", "spec.group": "", "spec.version": "v2"},
            ["spec.group: Required value: only v1 may have an empty group and it better be legacy kube"],
        ),
        ({"metadata.name": "v1.A", "spec.group": "A"}, invalid("spec.group", "A", SUBDOMAIN)),
        (
            {"spec.groupPriorityMinimum": 0},
            ["spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"],
        ),
        (
            {"spec.versionPriority": 1001},
            ["spec.versionPriority: Invalid value: 1001: must be positive and less than 1000"],
        ),
        (
            {"spec.caBundle": "AAAA"},
            invalid("spec.caBundle", "3 bytes", "local APIServices may not have a caBundle"),
        ),
        (
            {"spec.insecureSkipTLSVerify": True},
            [
                "spec.insecureSkipTLSVerify: Invalid value: true: "
                "local APIServices may not have insecureSkipTLSVerify"
            ],
        ),
        ({"spec.service": {"name": "s"}}, ["spec.service.namespace: Required value"]),
        ({"spec.service": {"namespace": "n"}}, ["spec.service.name: Required value"]),
        (
            {"spec.service": {"namespace": "n", "name": "s", "port": 70000}},
            [
                "spec.service.port: Invalid value: 70000: "
                "port is not valid: must be between 1 and 65535, inclusive"
            ],
        ),
        (
            {**SERVED, "spec.insecureSkipTLSVerify": True, "spec.caBundle": "AAAA"},
            ["spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"],
        ),
    ],
)
def test_api_services(changes: dict[str, Any], told: list[str]) -> None:
    assert API_SERVICE.new(changes) == told


def test_status_of_api_services() -> None:
    path = "status.conditions"
    assert API_SERVICE.status({path: [{"type": "Available", "status": "X"}]}) == [
        f'{path}[0].status: Unsupported value: "X": supported values: "True", "False", "Unknown"'
    ]


# Autoscalers.

SCALER = Checked(
    "autoscaling",
    "horizontalpodautoscalers",
    {
        "spec": {
            "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
        }
    },
)
METRIC = ".metrics[0]"
TARGET = {"type": "AverageValue", "averageValue": "1"}
RULES = ".behavior.scaleUp"
POLICY = f"{RULES}.policies[0]"
SOURCES = '"ContainerResource", "External", "Object", "Pods", "Resource"'


def metric(kind: str, **sources: Any) -> dict[str, Any]:
    return {".metrics": [{"type": kind, **sources}]}


def resource(**target: Any) -> dict[str, Any]:
    return metric("Resource", resource={"name": "cpu", "target": target})


def external(**target: Any) -> dict[str, Any]:
    return metric("External", external={"metric": {"name": "m"}, "target": target})


def policy(**said: Any) -> dict[str, Any]:
    return {RULES: {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1, **said}]}}


SCALERS: list[Case] = [
    (
        {".minReplicas": 0},
        [
            ".minReplicas: Invalid value: 0: must be greater than or equal to 1",
            ".metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero "
            "replicas",
        ],
    ),
    (
        {".maxReplicas": 0},
        [
            ".maxReplicas: Required value: must be set and greater than 0",
            ".maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        ],
    ),
    (
        {".minReplicas": 6},
        [".maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"],
    ),
    ({".scaleTargetRef.kind": ""}, [".scaleTargetRef.kind: Required value"]),
    ({".scaleTargetRef.name": "a/b"}, invalid(".scaleTargetRef.name", "a/b", "may not contain '/'")),
    (
        {".scaleTargetRef.apiVersion": "v1"},
        invalid(".scaleTargetRef.apiVersion", "v1", "apiVersion must specify API group"),
    ),
    ({".scaleTargetRef.apiVersion": "v1", ".scaleTargetRef.kind": "ReplicationController"}, []),
    (
        {".scaleTargetRef.apiVersion": "a/b/c"},
        invalid(".scaleTargetRef.apiVersion", "a/b/c", "unexpected GroupVersion string: a/b/c"),
    ),
    (metric("Pods", pods={"metric": {"name": "m"}, "target": TARGET}), []),
    (
        metric("X", pods={"metric": {"name": "m"}, "target": TARGET}),
        [f'{METRIC}.type: Unsupported value: "X": supported values: {SOURCES}'] * 2,
    ),
    (
        metric("Pods", resource={"name": "cpu", "target": TARGET}),
        [f"{METRIC}.pods: Required value: must populate information for the given metric source"],
    ),
    (
        metric(
            "Pods",
            pods={"metric": {"name": "m"}, "target": TARGET},
            resource={"name": "cpu", "target": TARGET},
        ),
        [f"{METRIC}.resource: Forbidden: must populate the given metric source only"],
    ),
    (
        metric("Pods", pods={"metric": {"name": "m"}, "target": {"type": "Value", "value": "1"}}),
        [f"{METRIC}.pods.target.averageValue: Required value: must specify a positive target averageValue"],
    ),
    (
        metric("Pods", pods={"metric": {}, "target": TARGET}),
        [f"{METRIC}.pods.metric.name: Required value: must specify a metric name"],
    ),
    (
        metric("Resource", resource={"target": TARGET}),
        [f"{METRIC}.resource.name: Required value: must specify a resource name"],
    ),
    (
        resource(type="Value", value="1"),
        [
            f"{METRIC}.resource.target.averageUtilization: Required value: "
            "must set either a target raw value or a target utilization"
        ],
    ),
    (
        resource(type="Utilization", averageUtilization=1, averageValue="1"),
        [
            f"{METRIC}.resource.target.averageValue: Forbidden: "
            "may not set both a target raw value and a target utilization"
        ],
    ),
    (
        resource(type="Utilization", averageUtilization=0),
        [f"{METRIC}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0"],
    ),
    (
        resource(type="X", averageUtilization=1),
        invalid(f"{METRIC}.resource.target.type", "X", "must be either Utilization, Value, or AverageValue"),
    ),
    (
        resource(type="AverageValue", averageValue="0"),
        invalid(f"{METRIC}.resource.target.averageValue", "0", "must be positive"),
    ),
    (
        metric("ContainerResource", containerResource={"name": "cpu", "target": TARGET}),
        [f"{METRIC}.containerResource.container: Required value: must specify a container"],
    ),
    (
        metric("ContainerResource", containerResource={"name": "cpu", "container": "A", "target": TARGET}),
        invalid(f"{METRIC}.containerResource.container", "A", LABEL),
    ),
    (
        external(type="Utilization", averageUtilization=1),
        [
            f"{METRIC}.external.target.averageValue: Required value: "
            "must set either a target value for metric or a per-pod target"
        ],
    ),
    (
        external(type="Value", value="1", averageValue="1"),
        [
            f"{METRIC}.external.target.value: Forbidden: "
            "may not set both a target value for metric and a per-pod target"
        ],
    ),
    (
        metric(
            "Object",
            object={
                "metric": {"name": "m"},
                "describedObject": {"kind": "K", "name": ""},
                "target": {"type": "Utilization"},
            },
        ),
        [
            f"{METRIC}.object.describedObject.name: Required value",
            f"{METRIC}.object.target.averageValue: Required value: "
            "must set either a target value or averageValue",
        ],
    ),
    (policy(), []),
    (
        policy(type="X"),
        [f'{POLICY}.type: Unsupported value: "X": supported values: "Percent", "Pods"'],
    ),
    (policy(value=0), [f"{POLICY}.value: Invalid value: 0: must be greater than zero"]),
    (policy(periodSeconds=0), [f"{POLICY}.periodSeconds: Invalid value: 0: must be greater than zero"]),
    (
        policy(periodSeconds=1801),
        [f"{POLICY}.periodSeconds: Invalid value: 1801: must be less than or equal to 1800"],
    ),
    (
        {RULES: {"selectPolicy": "X"}},
        [f'{RULES}.selectPolicy: Unsupported value: "X": supported values: "Disabled", "Max", "Min"'],
    ),
    (
        {RULES: {"stabilizationWindowSeconds": -1}},
        [f"{RULES}.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero"],
    ),
    (
        {RULES: {"stabilizationWindowSeconds": 3601}},
        [f"{RULES}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600"],
    ),
    (
        {RULES: {"tolerance": "-1m"}},
        invalid(f"{RULES}.tolerance", "-1m", "must be greater or equal to zero"),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", SCALERS))
def test_scalers(changes: dict[str, Any], told: list[str]) -> None:
    assert SCALER.new(changes) == told


def test_stored_scalers_keep_what_they_scale() -> None:
    old = {"spec.scaleTargetRef.apiVersion": "v1"}
    assert SCALER.update({"spec.maxReplicas": 6}, old=old) == []
    assert SCALER.update({"spec.scaleTargetRef.kind": "X"}, old=old) == invalid(
        "spec.scaleTargetRef.apiVersion", "v1", "apiVersion must specify API group"
    )
    path = "status.desiredReplicas"
    assert SCALER.status({path: -1}) == [f"{path}: Invalid value: -1: {NEGATIVE}"]


def test_scaling_has_policies() -> None:
    # Defaults bring some where a client says nothing.
    scaler = SCALER.made()
    scaler["spec"]["behavior"] = {"scaleUp": {}}
    told = [str(each) for each in validation.validate(SCALER.road.strategy.kind, scaler)]
    assert told == ["spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"]
