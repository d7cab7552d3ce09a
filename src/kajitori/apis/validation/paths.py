"""Paths of files that an object names: inside a volume, never out of it.

Source: validateLocalDescendingPath and its relatives in pkg/apis/core/validation.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors

__all__ = [
    "FILE_MODE_TOLD",
    "check_descending_path",
    "check_file_mode",
    "check_key_path",
    "check_local_path",
    "check_no_backsteps",
]

FILE_MODE_TOLD = "must be a number between 0 and 0777 (octal), both inclusive"


def check_no_backsteps(text: str, path: str, errors: Errors) -> None:
    if ".." in text and ".." in text.split("/"):
        errors.append(FieldError.invalid(path, text, "must not contain '..'"))


def check_descending_path(text: str, path: str, errors: Errors) -> None:
    """A relative path that stays below where it starts."""
    if text.startswith("/"):
        errors.append(FieldError.invalid(path, text, "must be a relative path"))
    check_no_backsteps(text, path, errors)


def check_local_path(text: str, path: str, errors: Errors) -> None:
    """A descending path whose first name is not one of those that the kubelet keeps for itself."""
    check_descending_path(text, path, errors)
    if text.startswith("..") and not text.startswith("../"):
        errors.append(FieldError.invalid(path, text, "must not start with '..'"))


def check_file_mode(mode: int | None, path: str, errors: Errors) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(FieldError.invalid(path, mode, FILE_MODE_TOLD))


def check_key_path(item: JsonObject, path: str, errors: Errors) -> None:
    """Which key becomes which file."""
    file = item.get("path", "")
    if not item.get("key"):
        errors.append(FieldError.required(f"{path}.key"))
    if not file:
        errors.append(FieldError.required(f"{path}.path"))
    check_local_path(file, f"{path}.path", errors)
    check_file_mode(item.get("mode"), f"{path}.mode", errors)
