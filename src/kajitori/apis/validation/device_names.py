"""Names and small parts that claims on devices and lists of devices share.

Promises
    D1  a list that is too long is not looked into

Source: pkg/apis/resource/validation.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_label_value, regex_error
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_enum,
    check_label,
    check_label_key,
    check_subdomain,
)
from kajitori.apis.validation.volume_sources import check_csi_driver_name

__all__ = [
    "TAINT_EFFECTS",
    "check_binding_conditions",
    "check_device_name",
    "check_driver_name",
    "check_fully_qualified_name",
    "check_object",
    "check_pool_name",
    "check_resource_name",
    "check_short",
    "check_tolerations",
    "check_uid",
]

check_driver_name = check_csi_driver_name
check_device_name = check_label

TAINT_EFFECTS = ("NoExecute", "NoSchedule", "None")
_POOL_BYTES_MAX = 253
_IDENTIFIER_BYTES_MAX = 32
_CONDITIONS_MAX = 4
_OPERATORS = ("Equal", "Exists")
_IDENTIFIER_FORMAT = "[A-Za-z_][A-Za-z0-9_]*"
_identifier_matches = re.compile(_IDENTIFIER_FORMAT).fullmatch
_NO_IDENTIFIER = regex_error(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    _IDENTIFIER_FORMAT,
    "my_name",
    "MY_NAME",
    "MyName",
)
_uid_matches = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch

ItemCheck = Callable[[Any, str, Errors], None]


def check_short(
    listed: Sequence[Any],
    most: int,
    path: str,
    check: ItemCheck,
    errors: Errors,
    *,
    key: Callable[[Any], Any] | None = None,
) -> None:
    """Every item of a list of at most so many, which have different keys if there is a key."""
    if len(listed) > most:
        errors.append(FieldError.too_many(path, len(listed), most))
        return
    for index, item in enumerate(listed):
        check(item, f"{path}[{index}]", errors)
    if key is None:
        return
    seen: set[Any] = set()
    for index, item in enumerate(listed):
        found = key(item)
        if found in seen:
            errors.append(FieldError.duplicate(f"{path}[{index}]", found))
        seen.add(found)


def check_pool_name(name: str, path: str, errors: Errors) -> None:
    """Subdomains with slashes between them."""
    if not name:
        errors.append(FieldError.required(path))
        return
    if len(name.encode()) > _POOL_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _POOL_BYTES_MAX))
    for part in name.split("/"):
        check_subdomain(part, path, errors)


def _check_identifier(text: str, path: str, errors: Errors) -> None:
    if len(text.encode()) > _IDENTIFIER_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _IDENTIFIER_BYTES_MAX))
    if not _identifier_matches(text):
        errors.append(FieldError.invalid(path, text, _NO_IDENTIFIER))


def check_resource_name(name: str, path: str, errors: Errors) -> None:
    """The name of an attribute or a capacity, maybe with the domain of who defined it."""
    parts = name.split("/")
    if len(parts) == 1:
        _check_identifier(name, path, errors)
    elif len(parts) == 2:
        if parts[0]:
            check_driver_name(parts[0], path, errors)
        else:
            errors.append(FieldError.invalid(path, "", "the domain must not be empty"))
        if parts[1]:
            _check_identifier(parts[1], path, errors)
        else:
            errors.append(FieldError.invalid(path, "", "the name must not be empty"))


def check_fully_qualified_name(name: str, path: str, errors: Errors) -> None:
    check_resource_name(name, path, errors)
    if "/" not in name:
        told = "a fully qualified name must be a domain and a name separated by a slash"
        errors.append(FieldError.invalid(path, name, told))


def check_uid(uid: str, path: str, errors: Errors) -> None:
    if not _uid_matches(uid):
        problem = "invalid UUID format" if len(uid) == 36 else f"invalid UUID length: {len(uid.encode())}"
        errors.append(FieldError.invalid(path, uid, f"error validating uid: {problem}"))
    elif uid != uid.lower():
        told = (
            "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` "
            "with lowercase hexadecimal characters"
        )
        errors.append(FieldError.invalid(path, uid, told))


def check_object(value: Any, path: str, errors: Errors, bytes_max: int) -> None:
    """What only a driver understands: any JSON object of limited size."""
    if value is None:
        errors.append(FieldError.required(path))
    elif len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) > bytes_max:
        errors.append(FieldError.too_long(path, "", bytes_max))
    elif not isinstance(value, dict):
        errors.append(FieldError.invalid(path, "<value omitted>", "must be a valid JSON object"))


def check_tolerations(tolerations: Sequence[JsonObject], path: str, errors: Errors) -> None:
    for index, toleration in enumerate(tolerations):
        here = f"{path}[{index}]"
        operator, value = toleration.get("operator", ""), toleration.get("value", "")
        if key := toleration.get("key"):
            check_label_key(key, f"{here}.key", errors)
        if operator == "Exists":
            if value:
                told = "must be empty for operator `Exists`"
                errors.append(FieldError.invalid(f"{here}.value", value, told))
        elif operator == "Equal":
            check_each(value, f"{here}.value", is_label_value, errors)
        elif operator:
            errors.append(FieldError.not_supported(f"{here}.operator", operator, _OPERATORS))
        else:
            errors.append(FieldError.required(f"{here}.operator"))
        if effect := toleration.get("effect"):
            check_enum(effect, TAINT_EFFECTS, f"{here}.effect", errors)


def check_binding_conditions(device: JsonObject, path: str, errors: Errors) -> None:
    """What a device waits for before Pods are bound to its node, and what ends the wait."""
    good: Collection[str] = device.get("bindingConditions") or ()
    bad: Collection[str] = device.get("bindingFailureConditions") or ()
    for member, listed in (("bindingConditions", good), ("bindingFailureConditions", bad)):
        here = f"{path}.{member}"
        names = list(listed)
        check_short(names, _CONDITIONS_MAX, here, check_label_key, errors)
        for index, name in enumerate(names):
            if name in names[:index]:
                errors.append(FieldError.duplicate(f"{here}[{index}]", name))
            if listed is bad and name in good:
                told = "bindingFailureConditions must not overlap with bindingConditions"
                errors.append(FieldError.invalid(f"{here}[{index}]", name, told))
    if bad and not good:
        told = "bindingConditions are required to use bindingFailureConditions"
        errors.append(FieldError.invalid(f"{path}.bindingConditions", device.get("bindingConditions"), told))
    if good and not bad:
        told = "bindingFailureConditions are required to use bindingConditions"
        shown = device.get("bindingFailureConditions")
        errors.append(FieldError.invalid(f"{path}.bindingFailureConditions", shown, told))
