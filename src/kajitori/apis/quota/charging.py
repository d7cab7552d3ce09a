"""Whether there is room for an object, and what each quota is charged for it.

Promises
    C1  a write that would make the use of any quota exceed what it allows is refused, and no quota is charged
    C2  a change is charged the difference, and never a negative amount: what is given back is counted anew
    C3  what configuration limits can be used only where a quota covers it

Source: apiserver's pkg/admission/plugin/resourcequota/controller.go (CheckRequest).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.quantities import ZERO, Amounts, add, less, masked, told
from kajitori.apis.quota.quotas import Quota, Selector

__all__ = ["Charge", "Limited", "QuotaError", "Request", "charges"]


class QuotaError(Exception):
    """Why a write is refused, in Kubernetes' words."""

    def __init__(self, message: str, *, forbidden: bool = True) -> None:
        super().__init__(message)
        self.forbidden = forbidden
        """False where Kubernetes tells it as an error of its own."""


class Limited(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What can be used only where a quota covers it."""

    resource: str = ""
    api_group: str = msgspec.field(default="", name="apiGroup")
    match_contains: tuple[str, ...] = ()
    match_scopes: tuple[dict[str, Any], ...] = ()


class Request(NamedTuple):
    """One write."""

    operation: str
    bucket: str
    subresource: str
    obj: JsonObject
    old: JsonObject | None


class Charge(NamedTuple):
    """What one quota is charged."""

    quota: str
    amounts: dict[str, Quantity]


def charges(
    quotas: Sequence[Quota],
    request: Request,
    evaluator: Evaluator,
    around: Surroundings,
    limited: Sequence[Limited] = (),
) -> list[Charge]:
    """What each quota is charged for a write that its evaluator handles.

    Raises: QuotaError.
    """
    obj = request.obj
    scopes = [Selector.of(each) for limit in limited for each in limit.match_scopes]
    limited_scopes = [each for each in scopes if evaluator.matches(each, obj)]
    matching, covered_names, covered_scopes = _matching(quotas, obj, evaluator, around)
    used = evaluator.usage(obj, around)
    negative = sorted(name for name, amount in used.items() if amount < ZERO)
    if negative:
        raise QuotaError(f"quota usage is negative for resource(s): {','.join(negative)}")
    deltas = _deltas(matching, request, used, evaluator, around)
    if not any(deltas.values()):
        return []
    uncovered = sorted(_limited_names(request.bucket, used, limited) - covered_names)
    if uncovered:
        raise QuotaError(f"insufficient quota to consume: {','.join(uncovered)}")
    open_scopes = [each for each in limited_scopes if each.scope not in covered_scopes]
    if open_scopes:
        shown = " ".join(str(each) for each in open_scopes)
        raise QuotaError(f"insufficient quota to match these scopes: [{shown}]", forbidden=False)
    return [
        _charge(quota, deltas[quota.name], checked=request.subresource != "status")
        for quota in matching
        if deltas[quota.name]
    ]


def _matching(
    quotas: Sequence[Quota], obj: JsonObject, evaluator: Evaluator, around: Surroundings
) -> tuple[list[Quota], set[str], set[str]]:
    """The quotas that count the object, and which names and scopes they cover."""
    matching: list[Quota] = []
    names: set[str] = set()
    scopes: set[str] = set()
    for quota in quotas:
        selected = [each for each in quota.selectors if evaluator.matches(each, obj)]
        scopes.update(each.scope for each in selected)
        restricted = evaluator.resources(quota.hard, around)
        if not restricted or len(selected) < len(quota.selectors):
            continue
        missing = evaluator.missing(restricted, obj)
        if missing:
            raise QuotaError(f"failed quota: {quota.name}: {missing}")
        if any(name not in quota.used for name in restricted):
            listed = ",".join(sorted(restricted))
            raise QuotaError(f"status unknown for quota: {quota.name}, resources: {listed}")
        matching.append(quota)
        names |= restricted
    return matching, names, scopes


def _deltas(
    matching: Sequence[Quota], request: Request, used: Amounts, evaluator: Evaluator, around: Surroundings
) -> dict[str, dict[str, Quantity]]:
    """What the use of each quota grows by; under an empty name what it is where no quota counts the object."""
    delta = used
    old = request.old if request.operation == "UPDATE" else None
    if old is not None:
        delta = less(used, evaluator.usage(old, around))
    if not matching:
        return {"": _without_zeros(delta)}
    return {
        quota.name: _without_zeros(
            delta if old is None or all(evaluator.matches(each, old) for each in quota.selectors) else used
        )
        for quota in matching
    }


def _without_zeros(amounts: Amounts) -> dict[str, Quantity]:
    return {name: amount for name, amount in amounts.items() if amount}


def _limited_names(bucket: str, used: Amounts, limited: Sequence[Limited]) -> set[str]:
    """What of the use must be covered by a quota."""
    texts = [
        text
        for each in limited
        if f"{each.api_group}/{each.resource}" == bucket
        for text in each.match_contains
    ]
    return {name for name, amount in used.items() if amount > ZERO and any(text in name for text in texts)}


def _charge(quota: Quota, delta: Amounts, *, checked: bool) -> Charge:
    """Raises: QuotaError."""
    requested = masked(delta, quota.hard)
    if checked:
        grown = masked(add(quota.used, requested), requested)
        exceeded = {name for name, amount in grown.items() if amount > quota.hard[name]}
        if exceeded:
            parts = (masked(each, exceeded) for each in (requested, quota.used, quota.hard))
            asked, used, hard = (told(each) for each in parts)
            raise QuotaError(
                f"exceeded quota: {quota.name}, requested: {asked}, used: {used}, limited: {hard}"
            )
    return Charge(quota.name, requested)
