"""HorizontalPodAutoscalers, in the version in which they are stored.

Source: pkg/apis/autoscaling/validation, and validationOptionsForHorizontalPodAutoscaler in its registry.
"""

from collections.abc import Callable, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.validation.amounts import check_container_resource_name
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_enum,
    check_label,
    check_not_negative,
    check_positive,
)
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_PERIOD_SECONDS_MAX = 1800
_WINDOW_SECONDS_MAX = 3600
_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_TARGETS = ("Utilization", "Value", "AverageValue")
_SELECT_POLICIES = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")


def _check_spec(obj: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        errors.append(FieldError.invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if not most:
        errors.append(FieldError.required("spec.maxReplicas", "must be set and greater than 0"))
    elif most < 0:
        errors.append(FieldError.invalid("spec.maxReplicas", most, "must be greater than or equal to 1"))
    if least is not None and most < least:
        told = "must be greater than or equal to `minReplicas`"
        errors.append(FieldError.invalid("spec.maxReplicas", most, told))
    target: JsonObject = spec.get("scaleTargetRef") or {}
    _check_reference(target, "spec.scaleTargetRef", errors)
    if old is None or not _is_same_kind(target, old["spec"].get("scaleTargetRef") or {}):
        # Of what the core group has, only this can be scaled.
        core = target.get("kind") == "ReplicationController"
        _check_version(target, "spec.scaleTargetRef.apiVersion", errors, any_group=core)
    metrics: Sequence[JsonObject] = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        _check_metric(metric, f"spec.metrics[{index}]", errors)
    if least == 0 and not any(each.get("type") in ("Object", "External") for each in metrics):
        told = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(FieldError.forbidden("spec.metrics", told))
    behavior: JsonObject = spec.get("behavior") or {}
    for member in ("scaleUp", "scaleDown"):
        if member in behavior:
            _check_rules(behavior[member], f"spec.behavior.{member}", errors)


# What is scaled, and looked at.


def _is_same_kind(one: JsonObject, other: JsonObject) -> bool:
    return all(one.get(member, "") == other.get(member, "") for member in ("apiVersion", "kind"))


def _check_reference(reference: JsonObject, path: str, errors: Errors) -> None:
    for member in ("kind", "name"):
        if text := reference.get(member):
            check_each(text, f"{path}.{member}", name_is_path_segment, errors)
        else:
            errors.append(FieldError.required(f"{path}.{member}"))


def _check_version(reference: JsonObject, path: str, errors: Errors, *, any_group: bool) -> None:
    text: str = reference.get("apiVersion", "")
    if text.count("/") > 1:
        errors.append(FieldError.invalid(path, text, f"unexpected GroupVersion string: {text}"))
    elif not any_group and not text.rpartition("/")[0]:
        errors.append(FieldError.invalid(path, text, "apiVersion must specify API group"))


# Metrics.


def _check_metric(metric: JsonObject, path: str, errors: Errors) -> None:
    kind: str = metric.get("type", "")
    if not kind:
        errors.append(FieldError.required(f"{path}.type", "must specify a metric source type"))
    if kind not in _METRICS:
        # Kubernetes looks twice, and tells it twice.
        errors += [FieldError.not_supported(f"{path}.type", kind, _METRICS) for _ in range(2)]
    given = [member for member in _SOURCES if member in metric]
    if given:
        _SOURCES[given[0]](metric[given[0]], f"{path}.{given[0]}", errors)
    expected = kind[:1].lower() + kind[1:] if kind in _METRICS else ""
    if expected and expected not in given:
        told = "must populate information for the given metric source"
        errors.append(FieldError.required(f"{path}.{expected}", told))
    if len(given) != 1:
        told = "must populate the given metric source only"
        errors += [FieldError.forbidden(f"{path}.{each}", told) for each in sorted(given) if each != expected]


def _check_object(source: JsonObject, path: str, errors: Errors) -> None:
    described: JsonObject = source.get("describedObject") or {}
    _check_reference(described, f"{path}.describedObject", errors)
    _check_version(described, f"{path}.describedObject.apiVersion", errors, any_group=True)
    target = _check_named(source, path, errors)
    if "value" not in target and "averageValue" not in target:
        told = "must set either a target value or averageValue"
        errors.append(FieldError.required(f"{path}.target.averageValue", told))


def _check_external(source: JsonObject, path: str, errors: Errors) -> None:
    target = _check_named(source, path, errors)
    if "value" not in target and "averageValue" not in target:
        told = "must set either a target value for metric or a per-pod target"
        errors.append(FieldError.required(f"{path}.target.averageValue", told))
    if "value" in target and "averageValue" in target:
        told = "may not set both a target value for metric and a per-pod target"
        errors.append(FieldError.forbidden(f"{path}.target.value", told))


def _check_pods(source: JsonObject, path: str, errors: Errors) -> None:
    target = _check_named(source, path, errors)
    if "averageValue" not in target:
        told = "must specify a positive target averageValue"
        errors.append(FieldError.required(f"{path}.target.averageValue", told))


def _check_resource(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("name"):
        errors.append(FieldError.required(f"{path}.name", "must specify a resource name"))
    _check_use(source, path, errors)


def _check_container_resource(source: JsonObject, path: str, errors: Errors) -> None:
    if name := source.get("name"):
        check_container_resource_name(name, f"{path}.name", errors)
    else:
        errors.append(FieldError.required(f"{path}.name", "must specify a resource name"))
    if container := source.get("container"):
        check_label(container, f"{path}.container", errors)
    else:
        errors.append(FieldError.required(f"{path}.container", "must specify a container"))
    _check_use(source, path, errors)


_SOURCES: dict[str, Callable[[JsonObject, str, Errors], None]] = {
    # In the order in which Kubernetes looks at them; only the first is looked into.
    "object": _check_object,
    "external": _check_external,
    "pods": _check_pods,
    "resource": _check_resource,
    "containerResource": _check_container_resource,
}


def _check_named(source: JsonObject, path: str, errors: Errors) -> JsonObject:
    """The metric and its target, which is given back."""
    if name := (source.get("metric") or {}).get("name"):
        check_each(name, f"{path}.metric.name", name_is_path_segment, errors)
    else:
        errors.append(FieldError.required(f"{path}.metric.name", "must specify a metric name"))
    return _check_target(source.get("target") or {}, f"{path}.target", errors)


def _check_use(source: JsonObject, path: str, errors: Errors) -> None:
    target = _check_target(source.get("target") or {}, f"{path}.target", errors)
    if "averageUtilization" not in target and "averageValue" not in target:
        told = "must set either a target raw value or a target utilization"
        errors.append(FieldError.required(f"{path}.target.averageUtilization", told))
    if "averageUtilization" in target and "averageValue" in target:
        told = "may not set both a target raw value and a target utilization"
        errors.append(FieldError.forbidden(f"{path}.target.averageValue", told))


def _check_target(target: JsonObject, path: str, errors: Errors) -> JsonObject:
    kind = target.get("type", "")
    if not kind:
        errors.append(FieldError.required(f"{path}.type", "must specify a metric target type"))
    if kind not in _TARGETS:
        told = "must be either Utilization, Value, or AverageValue"
        errors.append(FieldError.invalid(f"{path}.type", kind, told))
    for member in ("value", "averageValue"):
        amount = target.get(member)
        if amount is not None and parse_quantity(amount).unscaled <= 0:
            errors.append(FieldError.invalid(f"{path}.{member}", amount, "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        errors.append(FieldError.invalid(f"{path}.averageUtilization", share, "must be greater than 0"))
    return target


# How fast.


def _check_rules(rules: JsonObject, path: str, errors: Errors) -> None:
    window, here = rules.get("stabilizationWindowSeconds"), f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        errors.append(FieldError.invalid(here, window, "must be greater than or equal to zero"))
    if window is not None and window > _WINDOW_SECONDS_MAX:
        told = f"must be less than or equal to {_WINDOW_SECONDS_MAX}"
        errors.append(FieldError.invalid(here, window, told))
    if "selectPolicy" in rules:
        check_enum(rules["selectPolicy"], _SELECT_POLICIES, f"{path}.selectPolicy", errors)
    if not rules.get("policies"):
        errors.append(FieldError.required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or ()):
        here = f"{path}.policies[{index}]"
        seconds = policy.get("periodSeconds", 0)
        check_enum(policy.get("type", ""), _POLICIES, f"{here}.type", errors)
        check_positive(policy.get("value", 0), f"{here}.value", errors)
        check_positive(seconds, f"{here}.periodSeconds", errors)
        if seconds > _PERIOD_SECONDS_MAX:
            told = f"must be less than or equal to {_PERIOD_SECONDS_MAX}"
            errors.append(FieldError.invalid(f"{here}.periodSeconds", seconds, told))
    tolerance = rules.get("tolerance")
    if tolerance is not None and parse_quantity(tolerance).unscaled < 0:
        told = "must be greater or equal to zero"
        errors.append(FieldError.invalid(f"{path}.tolerance", tolerance, told))


def _create(obj: JsonObject, errors: Errors) -> None:
    _check_spec(obj, None, errors)


def _update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_spec(obj, old, errors)
        return
    for member in ("currentReplicas", "desiredReplicas"):
        check_not_negative(obj["status"].get(member, 0), f"status.{member}", errors)


VALIDATORS = {"horizontalpodautoscalers": Validator(_create, _update)}
