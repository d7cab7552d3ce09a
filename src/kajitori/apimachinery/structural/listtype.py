"""Lists that are sets or maps have no item twice.

Sits beside schema validation, after defaulting, since keys of items may have defaults.

Promises
    L1  each value that occurs more than once is reported once, at its second place

Source: apiextensions' pkg/apiserver/schema/listtype.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.constraints import in_go_order

__all__ = ["ListChecker", "list_checker"]

ListChecker = Callable[[Any, str], list[FieldError]]
"""Checks a value whose path is given."""

_encode = msgspec.json.encode


def list_checker(raw: Mapping[str, Any]) -> ListChecker | None:
    """The check of all sets and maps in values of a schema node; None when there are none."""
    properties: Mapping[str, Any] = raw.get("properties") or {}
    members = {name: each for name in properties if (each := list_checker(properties[name])) is not None}
    additional = raw.get("additionalProperties")
    other = list_checker(additional) if isinstance(additional, Mapping) else None
    items = raw.get("items")
    on_item = list_checker(items) if isinstance(items, Mapping) else None
    kind = raw.get("x-kubernetes-list-type")
    keys = tuple(raw.get("x-kubernetes-list-map-keys") or ())
    if not members and other is None and on_item is None and kind not in ("set", "map"):
        return None

    def check(value: Any, path: str) -> list[FieldError]:
        errors: list[FieldError] = []
        if type(value) is dict:
            for name, member in value.items():
                if name in members:
                    errors += members[name](member, f"{path}.{name}" if path else name)
                elif other is not None and name not in properties:
                    errors += other(member, f"{path}[{name}]")
        elif type(value) is list:
            if kind == "set":
                errors += _check_set(value, path)
            elif kind == "map":
                errors += _check_map(value, path, keys)
            if on_item is not None:
                for index, item in enumerate(value):
                    errors += on_item(item, f"{path}[{index}]")
        return errors

    return check


def _repeated(values: list[Any]) -> list[int]:
    """Where a value occurs for the second time."""
    try:
        # Strings are the rule; true and 1 are told apart only in the slow way.
        if len(set(values)) == len(values):
            return []
    except TypeError:
        pass
    seen: dict[bytes, int] = {}
    places: list[int] = []
    for index, value in enumerate(values):
        key = _encode(value, order="sorted")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            places.append(index)
    return places


def _check_set(value: list[Any], path: str) -> list[FieldError]:
    if len(value) <= 1:
        return []
    places = _repeated(value)
    return [FieldError.duplicate(f"{path}[{index}]", in_go_order(value[index])) for index in places]


def _check_map(value: list[Any], path: str, keys: tuple[str, ...]) -> list[FieldError]:
    for index, item in enumerate(value):
        if item is not None and type(item) is not dict:
            detail = "must be an object for an array of list-type map"
            return [FieldError.invalid(f"{path}[{index}]", item, detail)]
    if len(value) <= 1:
        return []
    if len(keys) == 1:
        only = keys[0]
        simple = [item.get(only) if item is not None else None for item in value]
        if None not in simple and not _repeated(simple):
            return []
    chosen = [{name: item[name] for name in keys if name in item} if item else {} for item in value]
    places = _repeated(chosen)
    return [FieldError.duplicate(f"{path}[{index}]", in_go_order(chosen[index])) for index in places]
