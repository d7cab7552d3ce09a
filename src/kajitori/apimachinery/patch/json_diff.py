"""What has to be patched to make one JSON value of another: RFC 6902.

Promises
    D1  applied to the first value, the patch gives the second
    D2  values that are equal need no patch
"""

from typing import Any

__all__ = ["json_diff"]


def json_diff(before: Any, after: Any) -> list[dict[str, Any]]:
    """The operations, in order."""
    operations: list[dict[str, Any]] = []
    _diff(before, after, "", operations)
    return operations


def _diff(before: Any, after: Any, pointer: str, operations: list[dict[str, Any]]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        _diff_objects(before, after, pointer, operations)
    elif isinstance(before, list) and isinstance(after, list):
        _diff_lists(before, after, pointer, operations)
    elif not _same(before, after):
        operations.append({"op": "replace", "path": pointer, "value": after})


def _diff_objects(
    before: dict[str, Any], after: dict[str, Any], pointer: str, operations: list[dict[str, Any]]
) -> None:
    for key in before:
        path = f"{pointer}/{_escaped(key)}"
        if key in after:
            _diff(before[key], after[key], path, operations)
        else:
            operations.append({"op": "remove", "path": path})
    for key, value in after.items():
        if key not in before:
            operations.append({"op": "add", "path": f"{pointer}/{_escaped(key)}", "value": value})


def _diff_lists(before: list[Any], after: list[Any], pointer: str, operations: list[dict[str, Any]]) -> None:
    common = min(len(before), len(after))
    for index in range(common):
        _diff(before[index], after[index], f"{pointer}/{index}", operations)
    # From the end, so that the places of those before stay what they are.
    for index in reversed(range(common, len(before))):
        operations.append({"op": "remove", "path": f"{pointer}/{index}"})
    for index in range(common, len(after)):
        operations.append({"op": "add", "path": f"{pointer}/{index}", "value": after[index]})


def _same(one: Any, other: Any) -> bool:
    """JSON tells true from 1; it does not tell 1 from 1.0."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
