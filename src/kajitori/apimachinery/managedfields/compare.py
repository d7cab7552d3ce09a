"""What changed between two values: the fields added, modified and removed.

Promises
    D1  no field is in more than one of the three sets, but for items that were or are repeated; all are empty
        when the values are equal
    D2  compare(a, b).added == compare(b, a).removed
    D3  equal parts cost one comparison of their dicts, nothing per field

Source: structured-merge-diff's TypedValue.Compare.
"""

from typing import Any, NamedTuple

from kajitori.apimachinery.managedfields.collect import added_fields
from kajitori.apimachinery.managedfields.elements import SELF
from kajitori.apimachinery.managedfields.sets import EMPTY, LEAF, FieldSet, union
from kajitori.apimachinery.managedfields.types import ListType, MapType, Type

__all__ = ["Comparison", "compare"]

_ABSENT: Any = object()


class Comparison(NamedTuple):
    """Three disjoint sets."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def changed(self) -> FieldSet:
        """What the new value brings: added or modified."""
        return union(self.added, self.modified)


_SAME = Comparison(EMPTY, EMPTY, EMPTY)


def compare(old: Any, new: Any, of: Type) -> Comparison:
    """The fields in which two values of a type differ.

    Raises: TypeProblem when an item of an associative list has no keys.
    """
    if old == new:
        return _SAME
    added, modified, removed = _differ(of, old, new)
    return Comparison(added or EMPTY, modified or EMPTY, removed or EMPTY)


_Found = tuple[FieldSet | None, FieldSet | None, FieldSet | None]
"""The nodes, below one element, of the added, modified and removed fields."""

_MODIFIED: _Found = (None, LEAF, None)


def _differ(of: Type, old: Any, new: Any) -> _Found:
    """Of two values that are both there and not equal."""
    was, now = type(old), type(new)
    if (was is dict or old is None) and (now is dict or new is None) and of.map is not None:
        return _maps(of.map, old or {}, new or {})
    if (was is list or old is None) and (now is list or new is None) and of.list is not None:
        return _lists(of.list, old or [], new or [])
    if (was is dict or was is list or now is dict or now is list) and not of.is_scalar_only:
        return _of_other_form(of, old, new)
    return _MODIFIED


def _of_other_form(of: Type, old: Any, new: Any) -> _Found:
    """A map became a scalar or the like: what was in it is gone, what is in the new one is added."""
    removed = _below(of, old)
    added = _below(of, new)
    return added, LEAF, removed


def _maps(of: MapType, old: dict[str, Any], new: dict[str, Any]) -> _Found:
    if of.atomic or not (old or new):
        return _MODIFIED
    found = _Collector()
    for name, value in new.items():
        before = old.get(name, _ABSENT)
        if before is _ABSENT:
            found.added["f:" + name] = added_fields(of.member(name))(value)
        elif before is not value and before != value:
            found.take("f:" + name, _differ(of.member(name), before, value))
    for name, value in old.items():
        if name not in new:
            found.removed["f:" + name] = added_fields(of.member(name))(value)
    return found.result()


def _lists(of: ListType, old: list[Any], new: list[Any]) -> _Found:
    if of.atomic or not (old or new):
        return _MODIFIED
    found = _Collector()
    before, after = _by_element(of, old), _by_element(of, new)
    fields = added_fields(of.items)
    for element, ours in after.items():
        theirs = before.get(element, [])
        if len(ours) > 1 and len(theirs) > 1:
            if ours != theirs:
                found.modified[element] = LEAF
        elif len(ours) > 1:
            if theirs:
                found.removed[element] = fields(theirs[0])
            found.added[element] = LEAF
        elif len(theirs) > 1:
            found.added[element] = fields(ours[0])
            found.removed[element] = LEAF
        elif not theirs:
            found.added[element] = fields(ours[0])
        elif ours[0] is not theirs[0] and ours[0] != theirs[0]:
            found.take(element, _differ(of.items, theirs[0], ours[0]))
    for element, theirs in before.items():
        if element not in after:
            found.removed[element] = LEAF if len(theirs) > 1 else fields(theirs[0])
    return found.result()


def _below(of: Type, value: Any) -> FieldSet | None:
    node = added_fields(of)(value)
    return {element: each for element, each in node.items() if element != SELF} or None


def _by_element(of: ListType, items: list[Any]) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(of.element(item), []).append(item)
    return result


class _Collector:
    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.added: FieldSet = {}
        self.modified: FieldSet = {}
        self.removed: FieldSet = {}

    def take(self, element: str, found: _Found) -> None:
        added, modified, removed = found
        if added is not None:
            self.added[element] = added
        if modified is not None:
            self.modified[element] = modified
        if removed is not None:
            self.removed[element] = removed

    def result(self) -> _Found:
        return self.added or None, self.modified or None, self.removed or None
