"""Values that a schema makes more of than JSON does: sets, lists known by keys, objects that hide something, and
objects and lists of which a part does not fit.

They are lists and dicts to everybody; equality and addition ask them by `equals` and `merge`.

Promises
    L1  order does not count for the equality of sets and keyed lists
    L2  `a + b` keeps the places of what `a` has: a set adds what is new, a keyed list takes over what `b` says
    L3  what an object hides cannot be read, and makes it unequal only to an object with another value under its name
    L4  a part that does not fit its schema is an error where it is read, not before

Source: apiserver's pkg/cel/common/valuesunstructured.go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.values import MISSING, equal, find

__all__ = ["FaultyList", "FaultyMap", "KeyedList", "PartialObject", "SetList"]


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


class PartialObject(dict[str, Any]):
    """An object some of whose members expressions do not see: nulls, and what the schema does not know."""

    __slots__ = ("unknown",)

    def __init__(self, members: Mapping[str, Any], unknown: frozenset[str]) -> None:
        super().__init__(members)
        self.unknown = unknown

    def __getitem__(self, name: str) -> Any:
        if name in self.unknown:
            raise KeyError(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        return name not in self.unknown and super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return default if name in self.unknown else super().get(name, default)

    def equals(self, other: Any) -> bool:
        """Whether the other has the same members, as Kubernetes compares them: by their number, and then by these."""
        if not isinstance(other, dict):
            raise EvaluationError("no such overload")
        if len(self) != len(other):
            return False
        for name, value in super().items():
            if name in self.unknown:
                if dict.__contains__(other, name) and not equal(value, dict.get(other, name)):
                    return False
                continue
            theirs = find(other, name)
            if value is None or theirs is None or theirs is MISSING:
                if value is not None or theirs not in (None, MISSING):
                    return False
            elif not equal(value, theirs):
                return False
        return True


class FaultyMap(dict[str, Any]):
    """An object some of whose members cannot be had, or members of these."""

    __slots__ = ("faults",)

    def __init__(self, members: Mapping[str, Any], faults: Mapping[str, str]) -> None:
        super().__init__(members)
        self.faults = faults

    def __getitem__(self, name: str) -> Any:
        if name in self.faults:
            raise EvaluationError(self.faults[name])
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        if name in self.faults:
            raise EvaluationError(self.faults[name])
        return super().get(name, default)

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def equals(self, other: Any) -> bool:
        """Whether the other has the same members.

        Raises:
            EvaluationError: a member cannot be had, or cannot be compared.
        """
        if not isinstance(other, dict):
            raise EvaluationError("no such overload")
        if len(self) != len(other):
            return False
        hidden = getattr(other, "faults", {})
        return all(
            name not in hidden and equal(value, dict.get(other, name, MISSING))
            for name, value in self.items()
        )


class FaultyList(list[Any]):
    """A list some of whose elements cannot be had, or members of these."""

    __slots__ = ("faults",)

    def __init__(self, elements: Sequence[Any], faults: Mapping[int, str]) -> None:
        super().__init__(elements)
        self.faults = faults

    def __getitem__(self, place: Any) -> Any:
        if place in self.faults:
            raise EvaluationError(self.faults[place])
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def equals(self, other: Any) -> bool:
        """Whether the other has the same elements.

        Raises:
            EvaluationError: an element cannot be had, or cannot be compared.
        """
        if not isinstance(other, list | tuple):
            raise EvaluationError("no such overload")
        if len(self) != len(other):
            return False
        hidden = getattr(other, "faults", {})
        elements = list.__iter__(other) if isinstance(other, list) else iter(other)
        return all(
            place not in hidden and equal(self[place], theirs) for place, theirs in enumerate(elements)
        )


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)
