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
from typing import Any, Literal

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time

__all__ = ["ConditionStatus", "find_condition", "is_condition_true", "set_condition", "without_condition"]

ConditionStatus = Literal["True", "False", "Unknown"]


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


def without_condition(conditions: Sequence[Mapping[str, Any]] | None, type: str) -> list[JsonObject]:
    """The conditions without this one."""
    return [dict(each) for each in conditions or () if each.get("type") != type]


def find_condition(conditions: Sequence[Mapping[str, Any]] | None, type: str) -> Mapping[str, Any] | None:
    """The condition of a type; None means Unknown."""
    return next((each for each in conditions or () if each.get("type") == type), None)


def is_condition_true(conditions: Sequence[Mapping[str, Any]] | None, type: str) -> bool:
    found = find_condition(conditions, type)
    return found is not None and found.get("status") == "True"
