"""What calls of library functions cost, in the shapes that several of them share.

Sits beside `cost`, whose units these are, and under the libraries, which price their functions with these.

Promises
    R1  what a call did cost and what it may cost are counted alike: with all sizes known they are the same, but
        where Kubernetes counts otherwise

Source: apiserver's pkg/cel/library/cost.go; cel-go's checker/cost.go and interpreter/runtimecost.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from kajitori.apimachinery.cel.cost import (
    REGEX_STRING_LENGTH_FACTOR,
    STRING_TRAVERSAL_FACTOR,
    Cost,
    Estimate,
    Node,
    Size,
)
from kajitori.apimachinery.cel.errors import CostLimitExceeded
from kajitori.apimachinery.cel.functions import Function, Overload, function
from kajitori.apimachinery.cel.values import MapValue

__all__ = [
    "BY_SEARCH",
    "UNIT",
    "Price",
    "by_size",
    "check_text",
    "check_work",
    "fixed",
    "priced",
    "size_of",
    "traversal",
    "traversed",
]

WORK_MAX = 1_000_000
"""Units that no call may cost: what Kubernetes lets an expression cost."""
TEXT_SIZE_MAX = 10_000_000
"""Characters that no call may make: some times what a request can have."""

UNIT = Cost(1, 1)
_ONE = Size(1, 1)


@dataclass(frozen=True, slots=True)
class Price:
    """How the cost of a call is found: afterwards by values, beforehand by what is known. The receiver comes first."""

    cost: Callable[[Sequence[Any], Any], int] | None
    """From the arguments and the result; `None`: one unit."""
    estimate: Callable[[Sequence[Node]], Estimate | None] | None
    """From what is known of the arguments; `None`: one unit, the result's size unknown."""


def priced(name: str, price: Price, *overloads: Overload) -> Function:
    """A function that costs the same whichever overload is meant, even when only the values choose it."""
    alike = [replace(each, cost=price.cost, estimate=price.estimate) for each in overloads]
    return function(name, *alike, cost=price.cost)


def fixed(units: int) -> Price:
    """The same for every call."""
    return Price(lambda _arguments, _result: units, lambda _arguments: Estimate(Cost(units, units)))


def by_size(position: int = 0, factor: float = STRING_TRAVERSAL_FACTOR, *, keeps_size: bool = False) -> Price:
    """Going over an argument; when `keeps_size` the result may be as large as that."""

    def cost(arguments: Sequence[Any], _result: Any) -> int:
        return traversal(size_of(arguments[position]), factor)

    def estimate(arguments: Sequence[Node]) -> Estimate:
        size = arguments[position].size()
        return Estimate(size.cost(factor), size if keeps_size else None)

    return Price(cost, estimate)


def _cost_of_search(arguments: Sequence[Any], _result: Any) -> int:
    pattern = traversal(size_of(arguments[1]), REGEX_STRING_LENGTH_FACTOR)
    return traversal(1 + size_of(arguments[0])) * pattern


def _estimate_of_search(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size()
    text = (size + _ONE).cost(STRING_TRAVERSAL_FACTOR)
    pattern = arguments[1].size().cost(REGEX_STRING_LENGTH_FACTOR)
    # At worst each character is found by itself.
    return Estimate(text * pattern, Size(0, size.max))


BY_SEARCH = Price(_cost_of_search, _estimate_of_search)
"""Matching the first argument with the pattern in the second; an empty text does not make a large pattern free."""


def check_text(size: int) -> None:
    """Stops a call before it makes a text larger than anything that Kubernetes could send or store.

    Raises: CostLimitExceeded.
    """
    if size > TEXT_SIZE_MAX:
        raise CostLimitExceeded(size)


def check_work(units: int) -> None:
    """Stops a call before it does more work, or makes a longer list, than any budget would allow for afterwards.

    Raises: CostLimitExceeded.
    """
    if units > WORK_MAX:
        raise CostLimitExceeded(units)


def size_of(value: Any) -> int:
    """What `size()` says of it, or the bytes of an address; 1 of what has no size."""
    if isinstance(value, str | bytes | list | tuple | dict | MapValue):
        return len(value)
    return int(getattr(value, "cel_size", 1))


def traversal(size: int, factor: float = STRING_TRAVERSAL_FACTOR) -> int:
    """What it costs to go over this much."""
    return ceil(size * factor)


def traversed(value: Any) -> int:
    """What it costs to go over all that a value holds: texts by their bytes, anything else at one unit each.

    Raises: CostLimitExceeded when it holds more than any budget would pay for, as `[[a, a], [a, a]]` can in few steps.
    """
    cost = seen = 0
    level = [value]
    while level:
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                size = len(one) if one.isascii() else len(one.encode("utf-8", "replace"))
                cost += int(size * STRING_TRAVERSAL_FACTOR)
            elif isinstance(one, bytes):
                cost += int(len(one) * STRING_TRAVERSAL_FACTOR)
            elif isinstance(one, list | tuple | dict | MapValue):
                seen += len(one)
                check_work(seen)
                below.extend(one)
                if isinstance(one, dict | MapValue):
                    below.extend(member for _, member in one.items())
            else:
                cost += 1
        level = below
    return cost
