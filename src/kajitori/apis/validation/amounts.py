"""Amounts of resources: which names are resources where, which amounts they may have, what may be asked for.

Sits under Pods, quotas, limits, nodes and claims.

Promises
    R1  what a container asks for is at most what it is limited to; what cannot be shared is asked for in full
    R2  amounts are judged by name once; the common names cost one look-up

Source: pkg/apis/core/helper and ValidateResourceRequirements in pkg/apis/core/validation.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

from kajitori.apimachinery.errors import FieldError, FieldErrorType
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, QuantityError, parse_quantity
from kajitori.apimachinery.validation import is_qualified_name
from kajitori.apis.validation.checks import Errors, check_label

__all__ = [
    "STANDARD_QUOTA_RESOURCES",
    "amounts",
    "check_basic_amount",
    "check_container_resource_name",
    "check_pod_resource_name",
    "check_positive_amount",
    "check_quota_resource_name",
    "check_requirements",
    "check_resource_amount",
    "check_resource_name",
    "is_extended_resource",
    "is_huge_page",
    "is_integer_resource",
    "is_native_resource",
    "is_overcommit_allowed",
    "is_standard_quota_resource",
]

_HUGE_PAGES = "hugepages-"
_REQUESTS = "requests."
_ZERO = Quantity(0)
_COMPUTE = frozenset({"cpu", "memory"})
_COMMON = frozenset({"cpu", "memory", "ephemeral-storage"})
"""What containers of nearly all Pods ask for."""
_PAIRS_MAX = 1024
"""Pairs of amounts that are remembered: Pods of a cluster ask for the same few."""
_POD_LEVEL = ("cpu", "hugepages-", "memory")

_COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
STANDARD_QUOTA_RESOURCES = _COUNTED | {
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
}
_STANDARD = STANDARD_QUOTA_RESOURCES | {"storage"}

NameCheck = Callable[[str, str, Errors], None]


def is_huge_page(name: str) -> bool:
    return name.startswith(_HUGE_PAGES)


def _is_quota_huge_page(name: str) -> bool:
    return name.startswith((_HUGE_PAGES, _REQUESTS + _HUGE_PAGES))


def is_native_resource(name: str) -> bool:
    """Whether Kubernetes itself gives the name its meaning."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended_resource(name: str) -> bool:
    """Whether the name is that of a resource that only some nodes have, such as `example.com/gpu`."""
    if is_native_resource(name) or name.startswith(_REQUESTS):
        return False
    return not is_qualified_name(_REQUESTS + name)


def is_integer_resource(name: str) -> bool:
    """Whether only whole units make sense."""
    return name in _COUNTED or (name not in _COMMON and is_extended_resource(name))


def is_overcommit_allowed(name: str) -> bool:
    return name in _COMMON or (is_native_resource(name) and not is_huge_page(name))


def is_standard_quota_resource(name: str) -> bool:
    return name in STANDARD_QUOTA_RESOURCES or _is_quota_huge_page(name)


def check_resource_name(name: str, path: str, errors: Errors) -> None:
    """The name of any resource."""
    if name in _COMMON:
        return
    problems = is_qualified_name(name)
    errors += [FieldError.invalid(path, name, told) for told in problems]
    if not problems and "/" not in name and name not in _STANDARD and not _is_quota_huge_page(name):
        told = "must be a standard resource type or fully qualified"
        errors.append(FieldError.invalid(path, name, told))


def check_container_resource_name(name: str, path: str, errors: Errors) -> None:
    """The name of what a container can ask for."""
    if name in _COMMON:
        return
    check_resource_name(name, path, errors)
    if "/" not in name:
        if not is_huge_page(name):
            errors.append(FieldError.invalid(path, name, "must be a standard resource for containers"))
    elif not is_native_resource(name) and not is_extended_resource(name):
        errors.append(FieldError.invalid(path, name, "doesn't follow extended resource name standard"))


def check_pod_resource_name(name: str, path: str, errors: Errors) -> None:
    """The name of what a whole Pod can ask for."""
    if name in _COMPUTE:
        return
    before = len(errors)
    check_resource_name(name, path, errors)
    if len(errors) == before and not is_huge_page(name):
        errors.append(FieldError.not_supported(path, name, _POD_LEVEL))


def check_quota_resource_name(name: str, path: str, errors: Errors) -> None:
    """The name of what a quota can limit."""
    check_resource_name(name, path, errors)
    if "/" not in name and not is_standard_quota_resource(name):
        errors.append(FieldError.invalid(path, name, "must be a standard resource for quota"))


def check_basic_amount(text: str, path: str, errors: Errors) -> None:
    """An amount that is shown in whole units when it is wrong."""
    amount = parse_quantity(text)
    if amount.value() < 0:
        errors.append(FieldError.invalid(path, amount.value(), "must be a valid resource quantity"))


def check_positive_amount(text: str, path: str, errors: Errors) -> None:
    if parse_quantity(text).unscaled <= 0:
        errors.append(FieldError.invalid(path, text, "must be greater than zero"))


def check_resource_amount(name: str, text: str, path: str, errors: Errors) -> Quantity:
    """The amount, which is not negative, and whole where only that makes sense."""
    amount = parse_quantity(text)
    if amount.unscaled < 0:
        errors.append(FieldError.invalid(path, text, "must be greater than or equal to 0"))
    if name not in _COMMON and is_integer_resource(name) and amount.milli_value() % 1000:
        errors.append(FieldError.invalid(path, text, "must be an integer"))
    return amount


@lru_cache(maxsize=_PAIRS_MAX)
def _is_at_most(text: str, limit: str) -> bool:
    return parse_quantity(text) <= parse_quantity(limit)


def check_requirements(
    requirements: JsonObject,
    claim_names: Collection[str],
    path: str,
    errors: Errors,
    check_name: NameCheck = check_container_resource_name,
) -> None:
    """What a container (or Pod) asks for and is limited to."""
    limits: Mapping[str, str] = requirements.get("limits") or {}
    requests: Mapping[str, str] = requirements.get("requests") or {}
    for name, text in limits.items():
        if name in _COMPUTE and text[0] != "-":
            continue
        here = f"{path}.limits[{name}]"
        check_name(name, here, errors)
        amount = check_resource_amount(name, text, here, errors)
        _check_huge_page(name, amount, text, here, errors)
    for name, text in requests.items():
        limit = limits.get(name)
        if name in _COMPUTE and text[0] != "-" and (limit is None or _is_at_most(text, limit)):
            continue
        _check_request(name, text, limit, path, errors, check_name)
    if (
        _COMPUTE.isdisjoint(limits)
        and _COMPUTE.isdisjoint(requests)
        and any(map(is_huge_page, (*limits, *requests)))
    ):
        errors.append(FieldError.forbidden(path, "HugePages require cpu or memory"))
    if "claims" in requirements:
        _check_claims(requirements["claims"] or (), claim_names, f"{path}.claims", errors)


def _check_request(
    name: str, text: str, limit: str | None, path: str, errors: Errors, check_name: NameCheck
) -> None:
    here = f"{path}.requests[{name}]"
    check_name(name, here, errors)
    amount = check_resource_amount(name, text, here, errors)
    if limit is not None:
        bound = parse_quantity(limit)
        if amount != bound and not is_overcommit_allowed(name):
            told = f"must be equal to {name} limit of {limit}"
            errors.append(FieldError.invalid(f"{path}.requests", text, told))
        elif amount > bound:
            told = f"must be less than or equal to {name} limit of {limit}"
            errors.append(FieldError.invalid(f"{path}.requests", text, told))
    elif not is_overcommit_allowed(name):
        told = "Limit must be set for non overcommitable resources"
        errors.append(FieldError.required(f"{path}.limits", told))
    _check_huge_page(name, amount, text, here, errors)


def _check_huge_page(name: str, amount: Quantity, text: str, path: str, errors: Errors) -> None:
    if not is_huge_page(name):
        return
    try:
        size = parse_quantity(name.removeprefix(_HUGE_PAGES))
    except QuantityError:
        size = _ZERO
    if size.value() <= 0 or size.milli_value() % 1000 or amount.value() % size.value():
        told = f"{text} is not positive integer multiple of {name}"
        errors.append(FieldError.invalid(path, text, told))


def _check_claims(
    claims: Collection[JsonObject], claim_names: Collection[str], path: str, errors: Errors
) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        here, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            errors.append(FieldError.required(here))
            continue
        request = claim.get("request", "")
        key = f"{name}/{request}" if request else name
        if name in seen:
            errors.append(FieldError.duplicate(here, name))
        else:
            if request:
                check_label(request, f"{here}.request", errors)
            if key in seen:
                errors.append(FieldError.duplicate(here, key))
            elif not request:
                overlaps = [each for each in seen if each.partition("/")[0] == name]
                errors += [FieldError.duplicate(here, name) for _ in overlaps]
            seen.add(key)
        if name not in claim_names:
            listed = ": " + ", ".join(sorted(claim_names)) if claim_names else " which is empty"
            errors.append(
                FieldError(
                    FieldErrorType.NOT_FOUND,
                    here,
                    name,
                    f"must be one of the names in pod.spec.resourceClaims{listed}",
                )
            )


def amounts(listed: Mapping[str, Any] | None) -> dict[str, Quantity]:
    """The amounts of a resource list."""
    return {name: parse_quantity(text) for name, text in (listed or {}).items()}
