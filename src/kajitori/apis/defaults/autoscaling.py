"""Defaults of the autoscaling group.

Source: pkg/apis/autoscaling/v1/defaults.go and v2/defaults.go.
"""

from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.conversion_autoscaling import DEFAULT_UTILIZATION, METRICS_ANNOTATION

__all__ = ["DEFAULTS"]

_PERIOD_SECONDS = 15


def _percent() -> JsonObject:
    return {"type": "Percent", "value": 100, "periodSeconds": _PERIOD_SECONDS}


def _pods() -> JsonObject:
    return {"type": "Pods", "value": 4, "periodSeconds": _PERIOD_SECONDS}


def _autoscaler_v1(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("minReplicas", 1)
    if METRICS_ANNOTATION not in (obj["metadata"].get("annotations") or {}):
        spec.setdefault("targetCPUUtilizationPercentage", DEFAULT_UTILIZATION)


def _autoscaler(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": DEFAULT_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        down = _rules(behavior.get("scaleDown"), {"policies": [_percent()]})
        up = _rules(
            behavior.get("scaleUp"), {"stabilizationWindowSeconds": 0, "policies": [_pods(), _percent()]}
        )
        spec["behavior"] = {"scaleUp": up, "scaleDown": down}


def _rules(given: JsonObject | None, usual: dict[str, Any]) -> JsonObject:
    merged = {"selectPolicy": "Max", **usual, **(given or {})}
    order = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    return {name: merged[name] for name in order if name in merged}


DEFAULTS = {
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler": _autoscaler_v1,
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler": _autoscaler,
}
