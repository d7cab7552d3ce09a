"""Versions of built-in kinds: there and back again."""

import copy
import json
from typing import Any

import pytest
from tests.apis.support import Road

from kajitori.apimachinery.errors import BadRequest
from kajitori.apis.conversion import convert
from kajitori.apis.typed import decode

V1, V2 = "autoscaling/v1", "autoscaling/v2"
TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
EVENT = {
    "kind": "Event",
    "apiVersion": "events.k8s.io/v1",
    "metadata": {"name": "e"},
    "eventTime": "2025-01-02T03:04:05.000000Z",
    "reportingController": "c",
    "reportingInstance": "i",
    "action": "A",
    "reason": "R",
    "regarding": {"kind": "Pod", "name": "p"},
    "note": "text",
    "type": "Normal",
}


def autoscaler(**spec: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": "HorizontalPodAutoscaler", "apiVersion": V2, "metadata": {"name": "a"}}
    body["spec"] = {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}
    return Road("autoscaling", "horizontalpodautoscalers").sent(body)


def resource(name: str, **target: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


METRICS = [
    resource("cpu", type="Utilization", averageUtilization=50),
    resource("memory", type="AverageValue", averageValue="1Gi"),
    {
        "type": "Pods",
        "pods": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "3"}},
    },
    {
        "type": "Object",
        "object": {
            "describedObject": TARGET,
            "target": {"type": "Value", "value": "7"},
            "metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}},
        },
    },
    {
        "type": "External",
        "external": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "2"}},
    },
    {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 9},
            "container": "c",
        },
    },
]


def test_one_cpu_metric_fits_into_v1() -> None:
    old = convert(autoscaler(metrics=METRICS[:1]), V1)
    assert old["spec"] == {
        "scaleTargetRef": TARGET,
        "minReplicas": 1,
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 50,
    }
    assert "annotations" not in old["metadata"]


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each["type"])
def test_every_metric_returns_from_v1(metric: dict[str, Any]) -> None:  # C1
    new = autoscaler(metrics=[metric])
    before = copy.deepcopy(new)
    assert convert(convert(new, V1), V2)["spec"] == new["spec"]
    assert new == before  # C2


def test_metrics_behaviour_and_status_return_from_v1() -> None:  # C1
    new = autoscaler(
        metrics=[*METRICS[1:], METRICS[0]], behavior={"scaleDown": {"stabilizationWindowSeconds": 60}}
    )
    new["status"] = {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "currentMetrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "current": {"averageValue": "1", "averageUtilization": 5}},
            }
        ],
        "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": None}],
    }
    old = convert(new, V1)
    assert old["status"]["currentCPUUtilizationPercentage"] == 5
    assert set(old["metadata"]["annotations"]) == {
        f"autoscaling.alpha.kubernetes.io/{each}"
        for each in ("metrics", "current-metrics", "conditions", "behavior")
    }
    behavior = json.loads(old["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/behavior"])
    assert behavior["ScaleDown"]["StabilizationWindowSeconds"] == 60
    again = convert(old, V2)
    assert again["spec"] == new["spec"] and again["status"] == new["status"]
    assert again["metadata"] == new["metadata"]


def test_v1_without_a_target_means_the_usual_one() -> None:
    old = decode(
        "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
        {
            "kind": "HorizontalPodAutoscaler",
            "apiVersion": V1,
            "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5},
        },
    )[0]
    metrics = convert(old, V2)["spec"]["metrics"]
    assert metrics == [resource("cpu", type="Utilization", averageUtilization=80)]


def test_events_of_both_groups_are_the_same() -> None:  # C1
    event = decode("io.k8s.api.events.v1.Event", EVENT)[0]
    stored = convert(event, "v1")
    assert stored["involvedObject"] == {"kind": "Pod", "name": "p"} and stored["message"] == "text"
    assert stored["reportingComponent"] == "c" and stored["source"] == {}
    assert decode("io.k8s.api.core.v1.Event", stored)[0] == stored
    assert convert(stored, "events.k8s.io/v1") == event


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequest):
        convert({"kind": "Pod", "apiVersion": "v1"}, "v2")
    pod = {"kind": "Pod", "apiVersion": "v1"}
    assert convert(pod, "v1") is pod
