"""Lists that Kubernetes' schemas say more of: sets, and lists whose elements are known by their keys.

They are lists to everybody; equality and addition ask them by `equals` and `merge`.

Promises
    L1  order does not count for equality
    L2  `a + b` keeps the places of what `a` has: a set adds what is new, a keyed list takes over what `b` says

Source: apiserver's pkg/cel/common/valuesunstructured.go.
"""

from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.cel.values import equal

__all__ = ["KeyedList", "SetList"]


class SetList(list[Any]):
    """A list of list type `set`: the order does not count, and joining adds what is not there."""

    __slots__ = ()

    def equals(self, other: Any) -> bool:
        """Whether another list has the same elements."""
        if not isinstance(other, list | tuple) or len(self) != len(other):
            return False
        known = {(type(each), each) for each in self}
        return all(_is_scalar(each) and (type(each), each) in known for each in other)

    def merge(self, other: Sequence[Any]) -> "SetList":
        """This list, and after it what only the other has."""
        merged = SetList(self)
        known = {(type(each), each) for each in self}
        for each in other:
            if not _is_scalar(each):
                merged.append(each)
            elif (type(each), each) not in known:
                known.add((type(each), each))
                merged.append(each)
        return merged


class KeyedList(list[Any]):
    """A list of list type `map`: elements are known by their keys, and the order does not count."""

    __slots__ = ("keys",)

    def __init__(self, elements: Sequence[Any], keys: tuple[str, ...]) -> None:
        super().__init__(elements)
        self.keys = keys

    def _key(self, element: Any) -> Any:
        # Kubernetes looks for the escaped name in the raw object, so keys with special characters are never found.
        if not isinstance(element, dict):
            return None
        return tuple([(type(each), each) for each in map(element.get, self.keys) if _is_scalar(each)])

    def equals(self, other: Any) -> bool:
        """Whether another list has equal elements under the same keys."""
        if not isinstance(other, list | tuple) or len(self) != len(other):
            return False
        mine = {self._key(each): each for each in self}
        for each in other:
            key = self._key(each)
            if key is None or key not in mine or not equal(mine[key], each):
                return False
        return True

    def merge(self, other: Sequence[Any]) -> "KeyedList":
        """This list with the other's elements in the places of those with the same keys, the rest after it."""
        places = {self._key(each): place for place, each in enumerate(self)}
        merged = KeyedList(self, self.keys)
        for each in other:
            place = places.get(self._key(each))
            if place is None:
                merged.append(each)
            else:
                merged[place] = each
        return merged


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)
