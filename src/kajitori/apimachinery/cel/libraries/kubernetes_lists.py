"""Sums, extremes and positions in lists: Kubernetes' own, in every version.

Source: apiserver's pkg/cel/library/lists.go.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kajitori.apimachinery.cel.cost import STRING_TRAVERSAL_FACTOR, Estimate, Node
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload
from kajitori.apimachinery.cel.libraries.opaque import no_overload
from kajitori.apimachinery.cel.prices import UNIT, Price, priced, traversed
from kajitori.apimachinery.cel.standard.arithmetic import add
from kajitori.apimachinery.cel.standard.comparison import compare
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Kind,
    Type,
    list_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import Duration, Timestamp, UInt, surely_equal

__all__ = ["ELEMENTWISE", "kubernetes_lists"]

_SUMMABLE: tuple[tuple[str, Type, Any], ...] = (
    ("int", INT, 0),
    ("uint", UINT, UInt(0)),
    ("double", DOUBLE, 0.0),
    ("duration", DURATION, Duration(0)),
)
_COMPARABLE: tuple[tuple[str, Type], ...] = (
    ("int", INT),
    ("uint", UINT),
    ("double", DOUBLE),
    ("bool", BOOL),
    ("duration", DURATION),
    ("timestamp", TIMESTAMP),
    ("string", STRING),
    ("bytes", BYTES),
)
_ORDERED = (bool, int, float, str, bytes, Duration, Timestamp)
_ELEMENT = type_parameter("A")


def _order(left: Any, right: Any) -> int:
    """-1, 0 or 1; 0 too when they cannot be compared."""
    try:
        return compare("", left, right)
    except EvaluationError:
        return 0


def _is_sorted(values: Sequence[Any]) -> bool:
    for at, value in enumerate(values):
        _check_ordered((value,))
        if at and _order(values[at - 1], value) > 0:
            return False
    return True


def _check_ordered(values: Iterable[Any]) -> None:
    if not all(isinstance(value, _ORDERED) for value in values):
        raise no_overload()


def _sum(start: Any, values: Iterable[Any]) -> Any:
    total = start
    for value in values:
        total = add(total, value)
    return total


def _extreme(name: str, sign: int) -> Callable[[Sequence[Any]], Any]:
    def call(values: Sequence[Any]) -> Any:
        _check_ordered(values)
        if not values:
            raise EvaluationError(f"{name} called on empty list")
        found = values[0]
        for value in values[1:]:
            if _order(found, value) == sign:
                found = value
        return found

    return call


def _index_of(values: Sequence[Any], item: Any) -> int:
    return next((at for at, value in enumerate(values) if surely_equal(value, item)), -1)


def _last_index_of(values: Sequence[Any], item: Any) -> int:
    return next((at for at in range(len(values) - 1, -1, -1) if surely_equal(values[at], item)), -1)


def _cost(arguments: Sequence[Any], _result: Any) -> int:
    return traversed(arguments[0])


def _estimate(arguments: Sequence[Node]) -> Estimate:
    receiver = arguments[0]
    if not receiver.type.parameters:  # A text: these functions share their names with those of texts.
        return Estimate(receiver.size().cost(STRING_TRAVERSAL_FACTOR))
    each = UNIT
    if receiver.type.parameters[0].kind in (Kind.STRING, Kind.BYTES):
        each = UNIT + receiver.element_size().cost(STRING_TRAVERSAL_FACTOR)
    return Estimate(each * receiver.size())


ELEMENTWISE = Price(_cost, _estimate)
"""Looking at each element once, or at a whole text."""


def _member(id: str, parameters: tuple[Type, ...], result: Type, call: Callable[..., Any]) -> Overload:
    return Overload(id, parameters, result, call, member=True)


kubernetes_lists = Library(
    "kubernetes.lists",
    functions=(
        priced(
            "isSorted",
            ELEMENTWISE,
            *(
                _member(f"list_{name}_is_sorted_bool", (list_of(one),), BOOL, _is_sorted)
                for name, one in _COMPARABLE
            ),
        ),
        priced(
            "sum",
            ELEMENTWISE,
            *(
                _member(
                    f"list_{name}_sum_{name}",
                    (list_of(one),),
                    one,
                    lambda values, zero=zero: _sum(zero, values),
                )
                for name, one, zero in _SUMMABLE
            ),
        ),
        priced(
            "max",
            ELEMENTWISE,
            *(
                _member(f"list_{name}_max_{name}", (list_of(one),), one, _extreme("max", -1))
                for name, one in _COMPARABLE
            ),
        ),
        priced(
            "min",
            ELEMENTWISE,
            *(
                _member(f"list_{name}_min_{name}", (list_of(one),), one, _extreme("min", 1))
                for name, one in _COMPARABLE
            ),
        ),
        priced(
            "indexOf",
            ELEMENTWISE,
            _member("list_a_index_of_int", (list_of(_ELEMENT), _ELEMENT), INT, _index_of),
        ),
        priced(
            "lastIndexOf",
            ELEMENTWISE,
            _member("list_a_last_index_of_int", (list_of(_ELEMENT), _ELEMENT), INT, _last_index_of),
        ),
    ),
)
