"""A change that was made to what a class knows of an object, made to the object itself.

A class that declares a kind may know less than the object holds: a newer version of the kind has more members, and of
`metadata` few classes know all. `before` and `after` are what the class makes of an object and of its changed form;
what differs between them is done to the object, and nothing else.

Promises
    K1  what the class does not know stays, also in items of lists that moved
    K2  what was changed is as the change says: read by the class, the result is the changed object
    K3  without a change nothing is touched
"""

from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["carried"]

_NAMES = ("name", "key", "type", "uid", "id")
"""Members that tell items of lists apart, in Kubernetes' kinds."""


def carried(actual: Any, before: Any, after: Any) -> Any:
    """`actual` with the change from `before` to `after`; shares what did not change."""
    if _same(before, after):
        return actual
    if isinstance(actual, dict) and isinstance(before, dict) and isinstance(after, dict):
        return _carried_object(actual, before, after)
    if isinstance(actual, list) and isinstance(before, list) and isinstance(after, list):
        return _carried_list(actual, before, after)
    return after


def _carried_object(actual: JsonObject, before: JsonObject, after: JsonObject) -> JsonObject:
    result = {name: value for name, value in actual.items() if name in after or name not in before}
    for name, value in after.items():
        if name not in before:
            result[name] = value
        elif name in actual:
            result[name] = carried(actual[name], before[name], value)
        elif not _same(before[name], value):
            result[name] = value  # a default of the class's that was changed
    return result


def _carried_list(actual: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    if len(actual) != len(before):
        return after  # the class reads another list than there is: then it is the class's alone
    left = list(range(len(before)))
    sources = [_take(left, before, lambda old, new=new: _same(old, new)) for new in after]
    for at, new in enumerate(after):
        if sources[at] is None:
            sources[at] = _take(left, before, lambda old, new=new: _is_named_alike(old, new))
    for at, new in enumerate(after):
        if sources[at] is None and at in left and not _name_of(new):
            left.remove(at)
            sources[at] = at
    return [_item(actual, before, source, new) for source, new in zip(sources, after, strict=True)]


def _take(left: list[int], before: Sequence[Any], fits: Any) -> int | None:
    for at in left:
        if fits(before[at]):
            left.remove(at)
            return at
    return None


def _item(actual: list[Any], before: list[Any], source: int | None, new: Any) -> Any:
    return new if source is None else carried(actual[source], before[source], new)


def _name_of(value: Any) -> tuple[str, Any] | None:
    if isinstance(value, dict):
        for name in _NAMES:
            if isinstance(value.get(name), str):
                return name, value[name]
    return None


def _is_named_alike(old: Any, new: Any) -> bool:
    name = _name_of(new)
    return name is not None and _name_of(old) == name


def _same(one: Any, other: Any) -> bool:
    """JSON tells true from 1; it does not tell 1 from 1.0."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(_same(value, other[name]) for name, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
