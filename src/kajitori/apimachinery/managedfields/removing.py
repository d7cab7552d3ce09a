"""Fields taken out of an object, and an object made of some fields only.

Promises
    R1  remove_items takes out exactly the members of the set, with all that is below them
    R2  the value given is never changed; parts that lose nothing are shared
    R3  a map or list that loses everything in it stays, empty, as it does in Kubernetes 1.36

Source: structured-merge-diff's RemoveItems and ExtractItems, in version 6.3; in others such a map becomes null.
"""

from typing import Any

from kajitori.apimachinery.managedfields.sets import FieldSet, is_member
from kajitori.apimachinery.managedfields.types import ListType, MapType, Type

__all__ = ["extract_items", "remove_items"]


def remove_items(value: Any, fields: FieldSet, of: Type) -> Any:
    """The value without the members of the set."""
    if not fields:
        return value
    if type(value) is dict and of.map is not None:
        return _without_members(value, fields, of.map)
    if type(value) is list and of.list is not None:
        return _without_items(value, fields, of.list)
    return value


def _without_members(value: dict[str, Any], fields: FieldSet, of: MapType) -> Any:
    if of.atomic:
        return {}
    result: dict[str, Any] = {}
    for name, member in value.items():
        node = fields.get("f:" + name)
        if node is None:
            result[name] = member
        elif not is_member(node):
            result[name] = remove_items(member, node, of.member(name))
    return result


def _without_items(value: list[Any], fields: FieldSet, of: ListType) -> Any:
    if of.atomic:
        return []
    result: list[Any] = []
    for item in value:
        node = fields.get(of.element(item))
        if node is None:
            result.append(item)
        elif not is_member(node):
            result.append(remove_items(item, node, of.items))
    return result


def extract_items(value: Any, fields: FieldSet, of: Type) -> Any:
    """Only the members of the set; None when none of them is there."""
    if type(value) is dict and of.map is not None:
        if of.map.atomic:
            return value
        members = {
            name: _extract(member, fields["f:" + name], of.map.member(name))
            for name, member in value.items()
            if "f:" + name in fields
        }
        return members or None
    if type(value) is list and of.list is not None:
        if of.list.atomic:
            return value
        kind = of.list
        items = ((item, fields.get(kind.element(item))) for item in value)
        return [_extract(item, node, kind.items) for item, node in items if node is not None] or None
    return value


def _extract(value: Any, node: FieldSet, of: Type) -> Any:
    # A member with nothing named below it stands for its own value, without what is in it.
    return extract_items(value, node, of)
