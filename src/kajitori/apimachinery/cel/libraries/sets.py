"""Lists taken as sets: since Kubernetes 1.29.

Source: cel-go's ext/sets.go.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kajitori.apimachinery.cel.cost import Cost, Estimate, Node
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.prices import UNIT, check_work, size_of
from kajitori.apimachinery.cel.types import BOOL, list_of, type_parameter
from kajitori.apimachinery.cel.values import contains

__all__ = ["sets"]

_LIST = list_of(type_parameter("T"))


def _contains(values: Sequence[Any], others: Sequence[Any]) -> bool:
    check_work(len(values) * len(others))
    return all(contains(values, other) for other in others)


def _equivalent(values: Sequence[Any], others: Sequence[Any]) -> bool:
    return _contains(values, others) and _contains(others, values)


def _intersects(values: Sequence[Any], others: Sequence[Any]) -> bool:
    check_work(len(values) * len(others))
    return any(contains(others, value) for value in values)


def _comparison(name: str, factor: int, call: Callable[[Sequence[Any], Sequence[Any]], bool]) -> Function:
    """Each element of the one is compared with each of the other, so many times."""

    def cost(arguments: Sequence[Any], _result: Any) -> int:
        return 1 + size_of(arguments[0]) * size_of(arguments[1]) * factor

    def estimate(arguments: Sequence[Node]) -> Estimate:
        pairs: Cost = (arguments[0].size() * arguments[1].size()).cost(float(factor))
        return Estimate(pairs + UNIT)

    return function(
        f"sets.{name}",
        Overload(f"list_sets_{name}_list", (_LIST, _LIST), BOOL, call, cost=cost, estimate=estimate),
    )


sets = Library(
    "cel.lib.ext.sets",
    functions=(
        _comparison("contains", 1, _contains),
        # Equivalence takes both directions.
        _comparison("equivalent", 2, _equivalent),
        _comparison("intersects", 1, _intersects),
    ),
)
