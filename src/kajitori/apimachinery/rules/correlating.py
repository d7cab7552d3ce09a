"""What an update left as it was, part by part, by the schema: the same values, or the same items under their keys.

Sits under the evaluation of rules: what breaks a rule but was there before, and did not change, is only warned of
(KEP-4008).

Promises
    U1  members of objects are matched by name, items of a list of `x-kubernetes-list-type: map` by their keys,
        other items not at all: such a list is the same only as a whole
    U2  what the schema does not know of counts as changed

Source: apiserver's pkg/cel/common (CorrelatedObject, MapList); apiextensions' pkg/apiserver/schema/cel.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.structural.constraints import same_json

__all__ = ["Correlated", "Step", "is_unchanged", "old_items"]

Step = str | int
"""A member's name, or an item's index."""

_SCALARS = (str, bool, int, float)


class Correlated:
    """A value of an updated object beside what it was, with the schema of both."""

    __slots__ = ("_is_same", "_items", "_schema", "new", "old")

    def __init__(self, new: Any, old: Any, schema: Mapping[str, Any]) -> None:
        self.new = new
        self.old = old
        self._schema = schema
        self._is_same: bool | None = None
        self._items: list[Any] | None = None

    def below(self, step: Step) -> "Correlated | None":
        """A member or an item beside what it was; `None` when nobody can say what it was."""
        return self._member(step) if isinstance(step, str) else self._item(step)

    def _member(self, name: str) -> "Correlated | None":
        new, old = self.new, self.old
        if type(new) is not dict or type(old) is not dict or name not in new or name not in old:
            return None
        schema = (self._schema.get("properties") or {}).get(name)
        if schema is None:
            schema = self._schema.get("additionalProperties")
        return Correlated(new[name], old[name], schema) if isinstance(schema, Mapping) else None

    def _item(self, index: int) -> "Correlated | None":
        if type(self.new) is not list or type(self.old) is not list:
            return None
        if self._items is None:
            self._items = old_items(self.new, self.old, self._schema)
        old = self._items[index]
        return None if old is None else Correlated(self.new[index], old, self._schema["items"])

    def is_same(self) -> bool:
        """Whether the value is what it was."""
        if self._is_same is None:
            self._is_same = self._compare()
        return self._is_same

    def _compare(self) -> bool:
        new, old = self.new, self.old
        if type(new) is not type(old):
            return False
        if type(new) is dict:
            return len(new) == len(old) and all(map(self._is_same_below, new))
        if type(new) is list:
            if len(new) != len(old):
                return False
            if _is_map_list(self._schema):
                return all(map(self._is_same_below, range(len(new))))
        return same_json(new, old)

    def _is_same_below(self, step: Step) -> bool:
        below = self.below(step)
        return below is not None and below.is_same()


def is_unchanged(root: Correlated, steps: Sequence[Step]) -> bool:
    """Whether what the steps lead to is what it was; or else, when nobody knows what it was, what it stands in."""
    if steps and steps[0] in ("apiVersion", "kind"):
        return False  # both objects have been converted to the same version
    current = root
    for step in steps:
        below = current.below(step)
        if below is None:
            break
        current = below
    return current.is_same()


def old_items(new: Sequence[Any], old: Any, schema: Mapping[str, Any]) -> list[Any]:
    """For each item of a list the old item that has the same keys; `None` where there is none."""
    if type(old) is not list or not old or not _is_map_list(schema):
        return [None] * len(new)
    names: Sequence[str] = schema["x-kubernetes-list-map-keys"]
    by_key: dict[tuple[Any, ...], Any] = {}
    for item in old:
        key = _key(item, names)
        if key is not None:
            by_key.setdefault(key, item)
    return [None if (key := _key(item, names)) is None else by_key.get(key) for item in new]


def _is_map_list(schema: Mapping[str, Any]) -> bool:
    return (
        schema.get("type") == "array"
        and schema.get("x-kubernetes-list-type") == "map"
        and bool(schema.get("x-kubernetes-list-map-keys"))
    )


def _key(item: Any, names: Sequence[str]) -> tuple[Any, ...] | None:
    """The item's keys, told apart by type; `None` when one is missing or no scalar."""
    if type(item) is not dict:
        return None
    found: list[Any] = []
    for name in names:
        value = item.get(name)
        if not isinstance(value, _SCALARS):
            return None
        found += (type(value), value)
    return tuple(found)
