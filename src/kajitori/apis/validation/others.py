"""Kinds alone in their group: budgets, leases, priorities, runtimes, other API servers.

Source: pkg/apis/{policy,coordination,scheduling,node}/validation and kube-aggregator's
pkg/apis/apiregistration/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1035_label, is_port_number
from kajitori.apis.validation.amounts import check_requirements
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_enum,
    check_label,
    check_label_selector,
    check_labels,
    check_not_negative,
    check_subdomain,
)
from kajitori.apis.validation.conditions import check_conditions
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.node_selection import check_tolerations
from kajitori.apis.validation.shares import check_at_most_all, check_share
from kajitori.apis.validation.validator import Validator, only_new, same_rules

__all__ = ["VALIDATORS"]

# Budgets.

_EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
_BUDGET_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def _check_budget(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        shown = go_struct("policy.v1.PodDisruptionBudgetSpec", spec)
        told = "minAvailable and maxUnavailable cannot be both set"
        errors.append(FieldError.invalid("spec", shown, told))
    for member in ("minAvailable", "maxUnavailable"):
        if member in spec:
            check_share(spec[member], f"spec.{member}", errors)
            check_at_most_all(spec[member], f"spec.{member}", errors)
    check_label_selector(spec.get("selector"), "spec.selector", errors)
    if "unhealthyPodEvictionPolicy" in spec:
        path = "spec.unhealthyPodEvictionPolicy"
        check_enum(spec["unhealthyPodEvictionPolicy"], _EVICTION_POLICIES, path, errors)


def _update_budget(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_budget(obj, errors)
        return
    status: JsonObject = obj["status"]
    check_conditions(status.get("conditions") or (), "status.conditions", errors)
    for member in _BUDGET_COUNTS:
        check_not_negative(status.get(member, 0), f"status.{member}", errors)


# Leases.


def _check_lease(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        errors.append(FieldError.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if transitions is not None:
        check_not_negative(transitions, "spec.leaseTransitions", errors)


# Priorities.

_SYSTEM_PREFIX = "system-"
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_OWN_PRIORITY_MAX = 1_000_000_000
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")


def _check_priority_class(obj: JsonObject, errors: Errors) -> None:
    name: str = obj["metadata"].get("name", "")
    value: int = obj.get("value", 0)
    if name.startswith(_SYSTEM_PREFIX):
        if problem := _system_problem(name, value, obj):
            told = f"priority class names with '{_SYSTEM_PREFIX}' prefix are reserved for system use only. error: "
            errors.append(FieldError.forbidden("metadata.name", told + problem))
    elif value > _OWN_PRIORITY_MAX:
        told = f"maximum allowed value of a user defined priority is {_OWN_PRIORITY_MAX}"
        errors.append(FieldError.forbidden("value", told))
    policy = obj.get("preemptionPolicy")
    if policy is None:
        return
    if policy:
        check_enum(policy, _PREEMPTION_POLICIES, "preemptionPolicy", errors)
    else:
        errors.append(FieldError.required("preemptionPolicy"))


def _system_problem(name: str, value: int, obj: JsonObject) -> str:
    wanted = _SYSTEM_PRIORITIES.get(name)
    if wanted is None:
        return f"{name} is not a known system priority class"
    if value != wanted:
        return f"value of {name} PriorityClass must be {wanted}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


# Runtimes.


def _check_runtime_class(obj: JsonObject, errors: Errors) -> None:
    if handler := obj.get("handler"):
        check_label(handler, "handler", errors)
    else:
        errors.append(FieldError.required("handler"))
    overhead = obj.get("overhead")
    if overhead is not None:
        check_requirements({"limits": overhead.get("podFixed")}, (), "overhead", errors)
    scheduling: JsonObject = obj.get("scheduling") or {}
    check_labels(scheduling.get("nodeSelector") or {}, "scheduling.nodeSelector", errors)
    tolerations: Sequence[JsonObject] = scheduling.get("tolerations") or ()
    check_tolerations(tolerations, "scheduling.tolerations", errors)
    seen: set[tuple[str, ...]] = set()
    for index, toleration in enumerate(tolerations):
        key = tuple(toleration.get(member, "") for member in ("key", "operator", "value", "effect"))
        if key in seen:
            shown = go_struct("core.v1.Toleration", toleration)
            errors.append(FieldError.duplicate(f"scheduling.tolerations[{index}]", shown))
        seen.add(key)


# Other API servers.

_GROUP_PRIORITY_MAX = 20000
_VERSION_PRIORITY_MAX = 1000
_STATUSES = ("True", "False", "Unknown")


def _check_api_service(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj.get("spec") or {}
    group, version, name = spec.get("group", ""), spec.get("version", ""), obj["metadata"].get("name", "")
    if name and name != f"{version}.{group}":
        told = f'must be `spec.version+"."+spec.group`: "{version}.{group}"'
        errors.append(FieldError.invalid("metadata.name", name, told))
    if group:
        check_subdomain(group, "spec.group", errors)
    elif version != "v1":
        told = "only v1 may have an empty group and it better be legacy kube"
        errors.append(FieldError.required("spec.group", told))
    check_each(version, "spec.version", is_dns1035_label, errors)
    for member, most in (
        ("groupPriorityMinimum", _GROUP_PRIORITY_MAX),
        ("versionPriority", _VERSION_PRIORITY_MAX),
    ):
        number = spec.get(member, 0)
        if not 0 < number <= most:
            told = f"must be positive and less than {most}"
            errors.append(FieldError.invalid(f"spec.{member}", number, told))
    _check_server(spec, errors)


def _check_server(spec: JsonObject, errors: Errors) -> None:
    service, bundle = spec.get("service"), spec.get("caBundle") or ""
    unverified = bool(spec.get("insecureSkipTLSVerify"))
    path = "spec.insecureSkipTLSVerify"
    if service is None:
        if bundle:
            size = len(bundle) // 4 * 3 - bundle[-2:].count("=")
            told = "local APIServices may not have a caBundle"
            errors.append(FieldError.invalid("spec.caBundle", f"{size} bytes", told))
        if unverified:
            told = "local APIServices may not have insecureSkipTLSVerify"
            errors.append(FieldError.invalid(path, True, told))
        return
    for member in ("namespace", "name"):
        if not service.get(member):
            errors.append(FieldError.required(f"spec.service.{member}"))
    port = service.get("port", 0)
    if problems := is_port_number(port):
        told = f"port is not valid: {', '.join(problems)}"
        errors.append(FieldError.invalid("spec.service.port", port, told))
    if unverified and bundle:
        errors.append(FieldError.invalid(path, True, "may not be true if caBundle is present"))


def _update_api_service(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_api_service(obj, errors)
        return
    for index, condition in enumerate(obj["status"].get("conditions") or ()):
        path = f"status.conditions[{index}].status"
        check_enum(condition.get("status", ""), _STATUSES, path, errors)


VALIDATORS = {
    "apiservices": Validator(_check_api_service, _update_api_service),
    "leases": same_rules(_check_lease),
    "poddisruptionbudgets": Validator(_check_budget, _update_budget),
    "priorityclasses": only_new(_check_priority_class),
    "runtimeclasses": same_rules(_check_runtime_class),
}
