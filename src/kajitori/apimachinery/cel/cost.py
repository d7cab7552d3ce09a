"""The units in which CEL counts work: sizes and costs, as ranges for estimates and as plain integers when counted.

Kubernetes refuses rules that could cost too much, and stops those that do. Both need every function to say what
it costs: by its arguments' values (`Overload.cost`) and by what is known of their sizes (`Overload.estimate`).

Promises
    K1  sums and products stop at UINT64_MAX, they never wrap

Source: cel-go's checker/cost.go, interpreter/runtimecost.go, common/cost.go; apiserver's pkg/cel/library/cost.go.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.tree import Expression
    from kajitori.apimachinery.cel.types import Type

__all__ = [
    "LIST_CREATE_COST",
    "MAP_CREATE_COST",
    "REGEX_STRING_LENGTH_FACTOR",
    "SELECT_COST",
    "STRING_TRAVERSAL_FACTOR",
    "STRUCT_CREATE_COST",
    "UINT64_MAX",
    "Cost",
    "Estimate",
    "Node",
    "Size",
]

UINT64_MAX = (1 << 64) - 1
SELECT_COST = 1
"""An identifier, or one step of a selection."""
LIST_CREATE_COST = 10
MAP_CREATE_COST = 30
STRUCT_CREATE_COST = 40
STRING_TRAVERSAL_FACTOR = 0.1
REGEX_STRING_LENGTH_FACTOR = 0.25


@dataclass(frozen=True, slots=True)
class Size:
    """At least `min`, at most `max` elements, code points or bytes."""

    min: int
    max: int

    def __add__(self, other: "Size") -> "Size":
        return Size(_capped(self.min + other.min), _capped(self.max + other.max))

    def __mul__(self, other: "Size") -> "Size":
        return Size(_capped(self.min * other.min), _capped(self.max * other.max))

    def __or__(self, other: "Size") -> "Size":
        """The range that holds both."""
        return Size(min(self.min, other.min), max(self.max, other.max))

    def cost(self, factor: float) -> "Cost":
        """What it costs to go over this much at `factor` a unit, rounded up."""
        return Cost(_scaled(self.min, factor), _scaled(self.max, factor))

    def scaled(self, factor: float) -> "Size":
        """This size times `factor`, rounded up."""
        return Size(_scaled(self.min, factor), _scaled(self.max, factor))


@dataclass(frozen=True, slots=True)
class Cost:
    """At least `min`, at most `max` units."""

    min: int
    max: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(_capped(self.min + other.min), _capped(self.max + other.max))

    def __mul__(self, other: "Cost | Size") -> "Cost":
        return Cost(_capped(self.min * other.min), _capped(self.max * other.max))

    def __or__(self, other: "Cost") -> "Cost":
        """The range that holds both."""
        return Cost(min(self.min, other.min), max(self.max, other.max))

    def scaled(self, factor: float) -> "Cost":
        """This cost times `factor`, rounded up."""
        return Cost(_scaled(self.min, factor), _scaled(self.max, factor))


class Node(Protocol):
    """What an estimate may know of an argument without its value."""

    @property
    def type(self) -> "Type":
        """Its checked type."""
        ...

    @property
    def expression(self) -> "Expression":
        """What was written, to look at literals."""
        ...

    def size(self) -> Size:
        """Its size as far as known: from a literal, from what made it, from the schema; else 0 … UINT64_MAX."""
        ...

    def known_size(self) -> Size | None:
        """The same, or `None` when nothing is known."""
        ...

    def element_size(self) -> Size:
        """How large each element of this list may be by the schema; else 0 … UINT64_MAX, whatever made the list."""
        ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call would cost, and how large its result would be when that can be said."""

    cost: Cost
    result_size: Size | None = None


def _capped(number: int) -> int:
    return number if number < UINT64_MAX else UINT64_MAX


def _scaled(number: int, factor: float) -> int:
    return _capped(ceil(number * factor))
