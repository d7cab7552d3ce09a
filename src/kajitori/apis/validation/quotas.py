"""Bounds for whole namespaces: LimitRanges and ResourceQuotas.

Source: ValidateLimitRange and ValidateResourceQuota in pkg/apis/core/validation.
"""

from collections.abc import Collection, Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apimachinery.validation import is_qualified_name
from kajitori.apis.validation.amounts import (
    amounts,
    check_container_resource_name,
    check_quota_resource_name,
    check_resource_amount,
    check_resource_name,
    is_overcommit_allowed,
    is_standard_quota_resource,
)
from kajitori.apis.validation.checks import Errors
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator, same_rules

__all__ = ["VALIDATORS"]

# LimitRanges.

_LIMIT_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_ONE = Quantity(1)
_MILLI_MAX = ((1 << 63) - 1) // 1000


def _check_limit_range(obj: JsonObject, errors: Errors) -> None:
    seen: set[str] = set()
    for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", limit.get("type", "")
        problems = is_qualified_name(kind)
        errors += [FieldError.invalid(f"{path}.type", kind, told) for told in problems]
        if not problems and "/" not in kind and kind not in _LIMIT_TYPES:
            told = "must be a standard limit type or fully qualified"
            errors.append(FieldError.invalid(f"{path}.type", kind, told))
        if kind in seen:
            errors.append(FieldError.duplicate(f"{path}.type", kind))
        seen.add(kind)
        _check_limit(limit, kind, path, errors)


def _check_limit(limit: JsonObject, kind: str, path: str, errors: Errors) -> None:
    check_name = check_container_resource_name if kind in ("Pod", "Container") else check_resource_name
    members = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
    if kind == "Pod":
        for member in ("default", "defaultRequest"):
            members.remove(member)
            if limit.get(member):
                told = "may not be specified when `type` is 'Pod'"
                errors.append(FieldError.forbidden(f"{path}.{member}", told))
    given = {member: amounts(limit.get(member)) for member in members}
    for member, listed in given.items():
        for name in listed:
            check_name(name, f"{path}.{member}[{name}]", errors)
    if kind == "PersistentVolumeClaim" and not any("storage" in given[each] for each in ("min", "max")):
        told = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(FieldError.required(f"{path}.limits", told))
    for name in dict.fromkeys(name for listed in given.values() for name in listed):
        _check_bounds(name, {member: listed.get(name) for member, listed in given.items()}, path, errors)


def _check_bounds(name: str, given: Mapping[str, Quantity | None], path: str, errors: Errors) -> None:
    smallest, largest = given.get("min"), given.get("max")
    default, request = given.get("default"), given.get("defaultRequest")

    def refuse(member: str, value: Quantity, told: str) -> None:
        errors.append(FieldError.invalid(f"{path}.{member}[{name}]", str(value), told))

    if smallest is not None and largest is not None and smallest > largest:
        refuse("min", smallest, f"min value {smallest} is greater than max value {largest}")
    if request is not None:
        if smallest is not None and smallest > request:
            told = f"min value {smallest} is greater than default request value {request}"
            refuse("defaultRequest", request, told)
        if largest is not None and request > largest:
            told = f"default request value {request} is greater than max value {largest}"
            refuse("defaultRequest", request, told)
        if default is not None and request > default:
            told = f"default request value {request} is greater than default limit value {default}"
            refuse("defaultRequest", request, told)
    if default is not None:
        if smallest is not None and smallest > default:
            refuse("default", smallest, f"min value {smallest} is greater than default value {default}")
        if largest is not None and default > largest:
            refuse("default", largest, f"default value {default} is greater than max value {largest}")
    ratio = given.get("maxLimitRequestRatio")
    if ratio is not None:
        if ratio < _ONE:
            refuse("maxLimitRequestRatio", ratio, f"ratio {ratio} is less than 1")
        if smallest is not None and largest is not None and smallest.unscaled:
            wanted, possible = _ratios(ratio, smallest, largest)
            if wanted > possible:
                told = f"ratio {ratio} is greater than max/min = {possible:f}"
                refuse("maxLimitRequestRatio", ratio, told)
    same = default is None or request is None or default == request
    if not same and not is_overcommit_allowed(name):
        assert request is not None
        told = f"default value {default} must equal to defaultRequest value {request} in {name}"
        refuse("defaultRequest", request, told)


def _ratios(ratio: Quantity, smallest: Quantity, largest: Quantity) -> tuple[float, float]:
    """The ratio asked for and the largest there can be; in thousandths where these fit 64 bits."""
    if max(ratio.value(), smallest.value(), largest.value()) < _MILLI_MAX:
        return ratio.milli_value() / 1000, largest.milli_value() / smallest.milli_value()
    return float(ratio.value()), largest.value() / smallest.value()


# ResourceQuotas.

_SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_EXISTING_SCOPES = (
    "BestEffort",
    "NotBestEffort",
    "Terminating",
    "NotTerminating",
    "CrossNamespacePodAffinity",
)
_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})


def _goes_with(scope: str, resource: str) -> bool:
    """Whether a quota for these Pods (or claims) can limit the resource."""
    if scope in (
        "Terminating",
        "NotTerminating",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
    ):
        return resource == "pods" or resource in _COMPUTE
    if scope == "BestEffort":
        return resource == "pods"
    return resource in _CLAIMS if scope == "VolumeAttributesClass" else True


def _check_quota_spec(spec: JsonObject, errors: Errors, kept: Mapping[str, str]) -> None:
    hard: Mapping[str, str] = spec.get("hard") or {}
    _check_amounts(hard, "spec.hard", errors, kept)
    scopes: list[str] = spec.get("scopes") or []
    if scopes:
        for scope in scopes:
            if scope not in _SCOPES:
                errors.append(FieldError.invalid("spec.scopes", scopes, "unsupported scope"))
            _check_scoped(scope, hard, "spec.scopes", scopes, errors)
        _check_conflicts(set(scopes), scopes, "spec.scopes", errors)
    selector = spec.get("scopeSelector")
    if selector is not None:
        _check_scope_selector(selector, spec, "spec.scopeSelector.matchExpressions", errors)


def _check_scoped(scope: str, hard: Collection[str], path: str, shown: object, errors: Errors) -> None:
    for name in sorted(hard):
        if is_standard_quota_resource(name) and not _goes_with(scope, name):
            told = "unsupported scope applied to resource"
            errors.append(FieldError.invalid(path, shown, told))


def _check_conflicts(scopes: set[str], shown: list[str] | None, path: str, errors: Errors) -> None:
    for pair in ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}):
        if pair <= scopes:
            errors.append(FieldError.invalid(path, shown, "conflicting scopes"))


def _check_scope_selector(selector: JsonObject, spec: JsonObject, path: str, errors: Errors) -> None:
    hard: Mapping[str, str] = spec.get("hard") or {}
    seen: set[str] = set()
    for requirement in selector.get("matchExpressions") or ():
        scope, operator = requirement.get("scopeName", ""), requirement.get("operator", "")
        values: Sequence[str] = requirement.get("values") or ()
        if scope not in _SCOPES:
            errors.append(FieldError.invalid(f"{path}.scopeName", scope, "unsupported scope"))
        shown = go_struct("core.v1.ScopeSelector", selector)
        _check_scoped(scope, hard, path, shown, errors)
        if scope in _EXISTING_SCOPES and operator != "Exists":
            told = (
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            errors.append(FieldError.invalid(f"{path}.operator", operator, told))
        if operator in ("In", "NotIn"):
            if not values:
                told = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                errors.append(FieldError.required(f"{path}.values", told))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                told = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                errors.append(FieldError.invalid(f"{path}.values", values, told))
        else:
            told = "not a valid selector operator"
            errors.append(FieldError.invalid(f"{path}.operator", operator, told))
        seen.add(scope)
    _check_conflicts(seen, spec.get("scopes"), path, errors)


def _check_amounts(
    listed: Mapping[str, str] | None, path: str, errors: Errors, kept: Mapping[str, str]
) -> None:
    for name, amount in (listed or {}).items():
        check_quota_resource_name(name, f"{path}[{name}]", errors)
        if name not in kept or parse_quantity(kept[name]) != parse_quantity(amount):
            check_resource_amount(name, amount, f"{path}[{name}]", errors)


def _create_quota(obj: JsonObject, errors: Errors) -> None:
    _check_quota_spec(obj["spec"], errors, {})


def _update_quota(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_quota_spec(obj["spec"], errors, old["spec"].get("hard") or {})
        return
    for member in ("hard", "used"):
        kept = (old.get("status") or {}).get(member) or {}
        _check_amounts((obj.get("status") or {}).get(member), f"status.{member}", errors, kept)


VALIDATORS = {
    "limitranges": same_rules(_check_limit_range),
    "resourcequotas": Validator(_create_quota, _update_quota),
}
