"""What generated code refers to: the few things that are not written out in place.

Everything here either gives what the interpreter would find or raises; what exactly it raises does not matter.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

from kajitori.apimachinery.cel.errors import CostLimitExceeded
from kajitori.apimachinery.cel.lookup import probe, qualify
from kajitori.apimachinery.cel.standard.costs import cost_of_equality
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import (
    MISSING,
    NONE,
    MapValue,
    Optional,
    Struct,
    actual_size,
    equal,
    keys_of,
    map_of_entries,
    surely_equal,
)

__all__ = ["NAMES", "Odd"]


class Odd(Exception):
    """Something is not as the quick way expects it."""


def _odd() -> Any:
    raise Odd


def _pairs_of(over: Any) -> Iterable[tuple[Any, Any]]:
    """Positions or keys, with elements or values."""
    if isinstance(over, list | tuple):
        return enumerate(over)
    if isinstance(over, dict | MapValue):
        return over.items()
    raise Odd


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise Odd


def _probe(holder: Any, key: Any) -> Any:
    """What is at the key of a map or list; an optional would have to be looked into first."""
    if type(holder) is Optional:
        raise Odd
    return probe(holder, key, declared=False)


def _has(holder: Any, key: str) -> bool:
    return _probe(holder, key) is not MISSING


def _any_equal(value: Any, members: Sequence[Any]) -> bool:
    return any(surely_equal(value, member) for member in members)


def _make_list(elements: Iterable[tuple[Any, bool]]) -> list[Any]:
    """A list of elements, of which some are optional."""
    made: list[Any] = []
    for value, optional in elements:
        if not optional:
            made.append(value)
        elif value.present:
            made.append(value.value)
    return made


def _present(entries: Iterable[tuple[Any, Any, bool]]) -> dict[Any, tuple[Any, Any]]:
    """Entries whose values are there; an empty one takes away what was there before."""
    made: dict[Any, tuple[Any, Any]] = {}
    for key, value, optional in entries:
        if not optional:
            made[type(key), key] = (key, value)
        elif value.present:
            made[type(key), key] = (key, value.value)
        else:
            made.pop((type(key), key), None)
    return made


def _make_map(entries: Iterable[tuple[Any, Any, bool]]) -> Any:
    made = _present(entries)
    if any(isinstance(key, bytes | MapValue) for key, _ in made.values()):
        raise Odd
    return map_of_entries(made.values())


def _make_struct(cel_type: Type, fields: Iterable[tuple[str, Any, bool]]) -> Struct:
    return Struct(cel_type, _present(fields).values())


NAMES: dict[str, Any] = {
    "CostLimitExceeded": CostLimitExceeded,
    "MISSING": MISSING,
    "NONE": NONE,
    "Odd": Odd,
    "Optional": Optional,
    "any_equal": _any_equal,
    "ceil": ceil,
    "equal": equal,
    "equality_cost": cost_of_equality,
    "exceeded": CostLimitExceeded,
    "has": _has,
    "keys_of": keys_of,
    "make_list": _make_list,
    "make_map": _make_map,
    "make_struct": _make_struct,
    "odd": _odd,
    "pairs_of": _pairs_of,
    "probe": _probe,
    "qualify": qualify,
    "size": actual_size,
    "truth": _truth,
}
