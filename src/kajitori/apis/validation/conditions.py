"""Conditions in the status of an object, in the shape that newer kinds share.

Source: ValidateConditions in apimachinery's pkg/apis/meta/v1/validation.
"""

import re
from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import regex_error
from kajitori.apis.validation.checks import Errors, check_enum, check_label_key

__all__ = ["CONDITION_STATUSES", "check_conditions"]

CONDITION_STATUSES = ("False", "True", "Unknown")
_REASON_BYTES_MAX = 1024
_MESSAGE_BYTES_MAX = 32 * 1024
_REASON_FORMAT = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_reason_matches = re.compile(_REASON_FORMAT).fullmatch
_NO_REASON = regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON_FORMAT,
    "my_name",
    "MY_NAME",
    "MyName",
    "ReasonA,ReasonB",
    "ReasonA:ReasonB",
)


def check_conditions(conditions: Sequence[JsonObject], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        here, kind = f"{path}[{index}]", condition.get("type", "")
        if kind in seen:
            errors.append(FieldError.duplicate(f"{here}.type", kind))
        seen.add(kind)
        check_label_key(kind, f"{here}.type", errors)
        check_enum(condition.get("status", ""), CONDITION_STATUSES, f"{here}.status", errors)
        generation = condition.get("observedGeneration", 0)
        if generation < 0:
            told = "must be greater than or equal to zero"
            errors.append(FieldError.invalid(f"{here}.observedGeneration", generation, told))
        if not condition.get("lastTransitionTime"):
            errors.append(FieldError.required(f"{here}.lastTransitionTime"))
        _check_texts(condition.get("reason", ""), condition.get("message", ""), here, errors)


def _check_texts(reason: str, message: str, path: str, errors: Errors) -> None:
    if not reason:
        errors.append(FieldError.required(f"{path}.reason"))
    else:
        if not _reason_matches(reason):
            errors.append(FieldError.invalid(f"{path}.reason", reason, _NO_REASON))
        if len(reason.encode()) > _REASON_BYTES_MAX:
            errors.append(FieldError.too_long(f"{path}.reason", "", _REASON_BYTES_MAX))
    if len(message.encode()) > _MESSAGE_BYTES_MAX:
        errors.append(FieldError.too_long(f"{path}.message", "", _MESSAGE_BYTES_MAX))
