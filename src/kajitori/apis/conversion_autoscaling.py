"""autoscaling/v1 and v2: v1 has room for one metric, the others travel in annotations.

What v2 says and v1 cannot stands as JSON under `autoscaling.alpha.kubernetes.io/`, and returns from there. The
behaviour is written there with Go's own names, as Kubernetes does.

Source: pkg/apis/autoscaling/v1/conversion.go and pkg/apis/autoscaling/annotations.go.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULT_UTILIZATION", "METRICS_ANNOTATION", "autoscaler_from_v1", "autoscaler_to_v1"]

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS_ANNOTATION = _PREFIX + "metrics"
_CURRENT_METRICS = _PREFIX + "current-metrics"
_CONDITIONS = _PREFIX + "conditions"
_BEHAVIOR = _PREFIX + "behavior"
_ALL = (
    METRICS_ANNOTATION,
    _CURRENT_METRICS,
    _CONDITIONS,
    _BEHAVIOR,
    _PREFIX + "scale-down-tolerance",
    _PREFIX + "scale-up-tolerance",
)
DEFAULT_UTILIZATION = 80
_MEMBERS = {
    # Type of a metric to the member that has its source.
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
_encode = msgspec.json.Encoder().encode


def autoscaler_to_v1(obj: JsonObject) -> JsonObject:
    """An autoscaling/v2 object as v1 says it."""
    spec, status = obj["spec"], obj["status"]
    metrics: list[JsonObject] = spec.get("metrics") or []
    current: list[JsonObject] = status.get("currentMetrics") or []
    new_spec = {name: spec[name] for name in ("scaleTargetRef", "minReplicas", "maxReplicas") if name in spec}
    for metric in metrics:
        if _is_cpu_utilization(metric):
            new_spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
            break
    new_status = {
        name: status[name]
        for name in ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        if name in status
    }
    new_status.setdefault("currentReplicas", 0)
    for metric in current:
        told = (metric.get("resource") or {}) if metric.get("type") == "Resource" else {}
        if told.get("name") == "cpu" and "averageUtilization" in (told.get("current") or {}):
            new_status["currentCPUUtilizationPercentage"] = told["current"]["averageUtilization"]
    others = [_old_metric(each, _OLD_SOURCES) for each in metrics if not _is_cpu_utilization(each)]
    annotations = _without_own(obj["metadata"].get("annotations"))
    for name, value in (
        (METRICS_ANNOTATION, others),
        (_CURRENT_METRICS, [_old_metric(each, _OLD_STATUSES) for each in current]),
        (_CONDITIONS, status.get("conditions")),
        (_BEHAVIOR, _go_behavior(spec.get("behavior"))),
    ):
        if value:
            annotations[name] = _encode(value).decode()
    return {
        **obj,
        "metadata": _annotated(obj["metadata"], annotations),
        "spec": new_spec,
        "status": new_status,
    }


def autoscaler_from_v1(obj: JsonObject) -> JsonObject:
    """An autoscaling/v1 object as v2 says it."""
    spec, status = obj["spec"], obj["status"]
    annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
    new_spec = {name: spec[name] for name in ("scaleTargetRef", "minReplicas", "maxReplicas") if name in spec}
    metrics: list[JsonObject] = []
    listed = _read(annotations, METRICS_ANNOTATION)
    if isinstance(listed, list):
        metrics += [_new_metric(each, _NEW_SOURCES) for each in listed]
    if "targetCPUUtilizationPercentage" in spec:
        metrics.append(_cpu(spec["targetCPUUtilizationPercentage"]))
    new_spec["metrics"] = metrics or [_cpu(DEFAULT_UTILIZATION)]
    behavior = _from_go_behavior(_read(annotations, _BEHAVIOR))
    if behavior:
        new_spec["behavior"] = behavior
    new_status = {
        name: status[name]
        for name in ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        if name in status
    }
    if not new_status.get("currentReplicas"):
        new_status.pop("currentReplicas", None)
    new_status.setdefault("desiredReplicas", 0)
    current = _read(annotations, _CURRENT_METRICS)
    percentage = status.get("currentCPUUtilizationPercentage")
    if isinstance(current, list):
        new_status["currentMetrics"] = [_new_metric(each, _NEW_STATUSES) for each in current]
    elif percentage is not None:
        usage = {"name": "cpu", "current": {"averageUtilization": percentage}}
        new_status["currentMetrics"] = [{"type": "Resource", "resource": usage}]
    else:
        new_status["currentMetrics"] = None
    conditions = _read(annotations, _CONDITIONS)
    if isinstance(conditions, list):
        new_status["conditions"] = conditions
    metadata = _annotated(obj["metadata"], _without_own(annotations))
    return {**obj, "metadata": metadata, "spec": new_spec, "status": new_status}


def _is_cpu_utilization(metric: JsonObject) -> bool:
    source = metric.get("resource") or {}
    is_cpu = metric.get("type") == "Resource" and source.get("name") == "cpu"
    return is_cpu and "averageUtilization" in (source.get("target") or {})


def _cpu(percentage: int) -> JsonObject:
    target = {"type": "Utilization", "averageUtilization": percentage}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _without_own(annotations: Mapping[str, str] | None) -> dict[str, str]:
    return {name: text for name, text in (annotations or {}).items() if name not in _ALL}


def _annotated(metadata: JsonObject, annotations: dict[str, str]) -> JsonObject:
    changed = dict(metadata)
    if annotations:
        changed["annotations"] = dict(sorted(annotations.items()))
    else:
        changed.pop("annotations", None)
    return changed


def _read(annotations: Mapping[str, str], name: str) -> Any:
    """What an annotation says; None when it is not there or no JSON."""
    try:
        return msgspec.json.decode(annotations[name].encode()) if name in annotations else None
    except msgspec.DecodeError:
        return None


_Change = Callable[[JsonObject], JsonObject]


def _old_metric(metric: JsonObject, sources: Mapping[str, _Change]) -> JsonObject:
    member = _MEMBERS.get(metric.get("type", ""), "")
    if member not in metric:
        return {"type": metric.get("type", "")}
    return {"type": metric["type"], member: sources[member](metric[member])}


_new_metric = _old_metric


def _some(**members: Any) -> JsonObject:
    """An object of the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


# From v2 to v1.


def _old_object(source: JsonObject) -> JsonObject:
    target, metric = source.get("target") or {}, source.get("metric") or {}
    return _some(
        target=source.get("describedObject"),
        metricName=metric.get("name", ""),
        targetValue=target.get("value", "0"),
        selector=metric.get("selector"),
        averageValue=target.get("averageValue"),
    )


def _old_pods(source: JsonObject) -> JsonObject:
    target, metric = source.get("target") or {}, source.get("metric") or {}
    return _some(
        metricName=metric.get("name", ""),
        targetAverageValue=target.get("averageValue", "0"),
        selector=metric.get("selector"),
    )


def _old_resource(source: JsonObject) -> JsonObject:
    target = source.get("target") or {}
    return _some(
        name=source.get("name", ""),
        targetAverageUtilization=target.get("averageUtilization"),
        targetAverageValue=target.get("averageValue"),
        container=source.get("container"),
    )


def _old_external(source: JsonObject) -> JsonObject:
    target, metric = source.get("target") or {}, source.get("metric") or {}
    return _some(
        metricName=metric.get("name", ""),
        metricSelector=metric.get("selector"),
        targetValue=target.get("value"),
        targetAverageValue=target.get("averageValue"),
    )


def _old_object_status(source: JsonObject) -> JsonObject:
    current, metric = source.get("current") or {}, source.get("metric") or {}
    return _some(
        target=source.get("describedObject"),
        metricName=metric.get("name", ""),
        currentValue=current.get("value", "0"),
        selector=metric.get("selector"),
        averageValue=current.get("averageValue"),
    )


def _old_pods_status(source: JsonObject) -> JsonObject:
    current, metric = source.get("current") or {}, source.get("metric") or {}
    return _some(
        metricName=metric.get("name", ""),
        currentAverageValue=current.get("averageValue", "0"),
        selector=metric.get("selector"),
    )


def _old_resource_status(source: JsonObject) -> JsonObject:
    current = source.get("current") or {}
    return _some(
        name=source.get("name", ""),
        currentAverageUtilization=current.get("averageUtilization"),
        currentAverageValue=current.get("averageValue", "0"),
        container=source.get("container"),
    )


def _old_external_status(source: JsonObject) -> JsonObject:
    current, metric = source.get("current") or {}, source.get("metric") or {}
    return _some(
        metricName=metric.get("name", ""),
        metricSelector=metric.get("selector"),
        currentValue=current.get("value", "0"),
        currentAverageValue=current.get("averageValue"),
    )


_OLD_SOURCES: Mapping[str, _Change] = {
    "object": _old_object,
    "pods": _old_pods,
    "resource": _old_resource,
    "containerResource": _old_resource,
    "external": _old_external,
}
_OLD_STATUSES: Mapping[str, _Change] = {
    "object": _old_object_status,
    "pods": _old_pods_status,
    "resource": _old_resource_status,
    "containerResource": _old_resource_status,
    "external": _old_external_status,
}


# From v1 to v2.


def _metric(name: str, selector: Any) -> JsonObject:
    return _some(name=name, selector=selector)


def _new_object(source: JsonObject) -> JsonObject:
    average, value = source.get("averageValue"), source.get("targetValue", "0")
    if average is None:
        target = {"type": "Value", "value": value}
    else:
        target = _some(type="AverageValue", value=None if value == "0" else value, averageValue=average)
    metric = _metric(source.get("metricName", ""), source.get("selector"))
    return {
        "describedObject": source.get("target") or {"kind": "", "name": ""},
        "target": target,
        "metric": metric,
    }


def _new_pods(source: JsonObject) -> JsonObject:
    target = {"type": "AverageValue", "averageValue": source.get("targetAverageValue", "0")}
    return {"metric": _metric(source.get("metricName", ""), source.get("selector")), "target": target}


def _new_resource(source: JsonObject) -> JsonObject:
    utilization = source.get("targetAverageUtilization")
    target = _some(
        type="AverageValue" if utilization is None else "Utilization",
        averageValue=source.get("targetAverageValue"),
        averageUtilization=utilization,
    )
    return _some(name=source.get("name", ""), target=target, container=source.get("container"))


def _new_external(source: JsonObject) -> JsonObject:
    value = source.get("targetValue")
    target = _some(
        type="AverageValue" if value is None else "Value",
        value=value,
        averageValue=source.get("targetAverageValue"),
    )
    return {"metric": _metric(source.get("metricName", ""), source.get("metricSelector")), "target": target}


def _new_object_status(source: JsonObject) -> JsonObject:
    return {
        "metric": _metric(source.get("metricName", ""), source.get("selector")),
        "current": _some(value=source.get("currentValue", "0"), averageValue=source.get("averageValue")),
        "describedObject": source.get("target") or {"kind": "", "name": ""},
    }


def _new_pods_status(source: JsonObject) -> JsonObject:
    return {
        "metric": _metric(source.get("metricName", ""), source.get("selector")),
        "current": {"averageValue": source.get("currentAverageValue", "0")},
    }


def _new_resource_status(source: JsonObject) -> JsonObject:
    current = _some(
        averageValue=source.get("currentAverageValue", "0"),
        averageUtilization=source.get("currentAverageUtilization"),
    )
    return _some(name=source.get("name", ""), current=current, container=source.get("container"))


def _new_external_status(source: JsonObject) -> JsonObject:
    return {
        "metric": _metric(source.get("metricName", ""), source.get("metricSelector")),
        "current": _some(
            value=source.get("currentValue", "0"), averageValue=source.get("currentAverageValue")
        ),
    }


_NEW_SOURCES: Mapping[str, _Change] = {
    "object": _new_object,
    "pods": _new_pods,
    "resource": _new_resource,
    "containerResource": _new_resource,
    "external": _new_external,
}
_NEW_STATUSES: Mapping[str, _Change] = {
    "object": _new_object_status,
    "pods": _new_pods_status,
    "resource": _new_resource_status,
    "containerResource": _new_resource_status,
    "external": _new_external_status,
}


# The behaviour, with Go's names.


def _go_behavior(behavior: JsonObject | None) -> JsonObject | None:
    if behavior is None:
        return None
    return {"ScaleUp": _go_rules(behavior.get("scaleUp")), "ScaleDown": _go_rules(behavior.get("scaleDown"))}


def _go_rules(rules: JsonObject | None) -> JsonObject | None:
    if rules is None:
        return None
    policies: Sequence[JsonObject] | None = rules.get("policies")
    return {
        "StabilizationWindowSeconds": rules.get("stabilizationWindowSeconds"),
        "SelectPolicy": rules.get("selectPolicy"),
        "Policies": policies
        and [
            {"Type": each["type"], "Value": each["value"], "PeriodSeconds": each["periodSeconds"]}
            for each in policies
        ],
        "Tolerance": rules.get("tolerance"),
    }


def _from_go_behavior(behavior: Any) -> JsonObject | None:
    """Go reads its names in any case, and so what a user wrote there by hand."""
    lowered = _lowered(behavior)
    if not isinstance(lowered, dict):
        return None
    names = {"scaleup": "scaleUp", "scaledown": "scaleDown"}
    return {new: _rules(lowered[old]) for old, new in names.items() if isinstance(lowered.get(old), dict)}


def _rules(rules: JsonObject) -> JsonObject:
    policies = [
        {
            "type": each.get("type", ""),
            "value": each.get("value", 0),
            "periodSeconds": each.get("periodseconds", 0),
        }
        for each in rules.get("policies") or ()
    ]
    return _some(
        stabilizationWindowSeconds=rules.get("stabilizationwindowseconds"),
        selectPolicy=rules.get("selectpolicy"),
        policies=policies or None,
        tolerance=rules.get("tolerance"),
    )


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.lower(): _lowered(each) for name, each in value.items()}
    return [_lowered(each) for each in value] if isinstance(value, list) else value
