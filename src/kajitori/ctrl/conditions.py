"""`status.conditions` as Kubernetes means them: one entry a type, and a transition time that moves with the
status.

Promises
    K1  `lastTransitionTime` changes exactly when `status` does
    K2  other conditions, and unknown members of this one, stay as they are, in place
    K3  the input is never changed; when nothing is new the result equals it

Source: apimachinery's api/meta SetStatusCondition and the API conventions on typical status properties.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, overload

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time

__all__ = [
    "ConditionStatus",
    "find_condition",
    "is_condition_true",
    "set_condition",
    "with_condition",
    "without_condition",
]

ConditionStatus = Literal["True", "False", "Unknown"]

C = TypeVar("C", bound=msgspec.Struct)


def set_condition(
    conditions: Sequence[Mapping[str, Any]] | None,
    type: str,
    *,
    status: ConditionStatus,
    reason: str,
    message: str = "",
    observed_generation: int | None = None,
    now: datetime,
) -> list[JsonObject]:
    """The conditions with this one set. `observed_generation` is the `metadata.generation` that it speaks
    about.
    """
    wanted: JsonObject = {"type": type, "status": status, "reason": reason, "message": message}
    if observed_generation is not None:
        wanted["observedGeneration"] = observed_generation
    result: list[JsonObject] = []
    found = False
    for each in conditions or ():
        if each.get("type") != type or found:
            result.append(dict(each))
            continue
        found = True
        merged: JsonObject = {**each, **wanted}
        if each.get("status") != status or not each.get("lastTransitionTime"):
            merged["lastTransitionTime"] = format_time(now.timestamp())
        result.append(merged)
    if not found:
        result.append({**wanted, "lastTransitionTime": format_time(now.timestamp())})
    return result


def with_condition(conditions: Sequence[C] | None, condition: C, *, now: datetime) -> tuple[C, ...]:
    """The same for conditions of a class (`meta_v1.Condition`, `core_v1.PodCondition`, one of yours): with this one in
    the place of the one of its type. When it changed last is found out here.

        with_condition(status.conditions, Condition(type="Ready", status="True", reason="Done"), now=clock.now())
    """
    old = find_condition(conditions, _member(condition, "type"))
    moment: Any = format_time(now.timestamp())
    if old is not None and _member(old, "status") == _member(condition, "status"):
        moment = getattr(old, "last_transition_time", None) or moment
    wanted = msgspec.structs.replace(condition, last_transition_time=moment)
    if old is None:
        return (*(conditions or ()), wanted)
    return tuple(wanted if each is old else each for each in conditions or ())


@overload
def without_condition(conditions: Sequence[Mapping[str, Any]] | None, type: str) -> list[JsonObject]: ...
@overload
def without_condition(conditions: Sequence[C], type: str) -> tuple[C, ...]: ...
def without_condition(conditions: Sequence[Any] | None, type: str) -> Sequence[Any]:
    """The conditions without this one."""
    kept = [each for each in conditions or () if _member(each, "type") != type]
    if kept and not isinstance(kept[0], Mapping):
        return tuple(kept)
    return [dict(each) for each in kept]


@overload
def find_condition(conditions: Sequence[Mapping[str, Any]] | None, type: str) -> Mapping[str, Any] | None: ...
@overload
def find_condition(conditions: Sequence[C], type: str) -> C | None: ...
def find_condition(conditions: Sequence[Any] | None, type: str) -> Any:
    """The condition of a type; None means Unknown."""
    return next((each for each in conditions or () if _member(each, "type") == type), None)


def is_condition_true(conditions: Sequence[Mapping[str, Any] | msgspec.Struct] | None, type: str) -> bool:
    return any(
        _member(each, "type") == type and _member(each, "status") == "True" for each in conditions or ()
    )


def _member(condition: Any, name: str) -> Any:
    return condition.get(name) if isinstance(condition, Mapping) else getattr(condition, name)
