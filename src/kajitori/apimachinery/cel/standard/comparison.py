"""Order: `<`, `<=`, `>`, `>=`, of numbers also across their types."""

from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Overload, function
from kajitori.apimachinery.cel.numbers import compare_numbers
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
)
from kajitori.apimachinery.cel.values import Duration, Timestamp, UInt

__all__ = ["CROSS_TYPE", "FUNCTIONS", "compare"]

_NUMBERS = frozenset((int, UInt, float))
_ORDERED = frozenset((bool, bytes, str, Duration, Timestamp))


def compare(operator: str, left: Any, right: Any) -> int:
    """-1, 0 or 1."""
    kind, other = type(left), type(right)
    if kind in _NUMBERS:
        if other in _NUMBERS:
            return compare_numbers(left, right)
        raise EvaluationError("no such overload")
    if kind not in _ORDERED:
        raise EvaluationError(f"no such overload: {operator}")
    if kind is not other:
        raise EvaluationError("no such overload")
    return int(left > right) - int(left < right)


def _operator(name: str, stem: str, holds: Callable[[int], bool]) -> Function:
    def call(left: Any, right: Any) -> bool:
        return holds(compare(name, left, right))

    return function(
        name,
        *(Overload(f"{stem}_{end}", (left, right), BOOL, call) for end, left, right in _PAIRS),
        guarded=False,
    )


_PAIRS: tuple[tuple[str, Type, Type], ...] = (
    ("bool", BOOL, BOOL),
    ("int64", INT, INT),
    ("int64_double", INT, DOUBLE),
    ("int64_uint64", INT, UINT),
    ("uint64", UINT, UINT),
    ("uint64_double", UINT, DOUBLE),
    ("uint64_int64", UINT, INT),
    ("double", DOUBLE, DOUBLE),
    ("double_int64", DOUBLE, INT),
    ("double_uint64", DOUBLE, UINT),
    ("string", STRING, STRING),
    ("bytes", BYTES, BYTES),
    ("timestamp", TIMESTAMP, TIMESTAMP),
    ("duration", DURATION, DURATION),
)

FUNCTIONS = (
    _operator("_<_", "less", lambda order: order < 0),
    _operator("_<=_", "less_equals", lambda order: order <= 0),
    _operator("_>_", "greater", lambda order: order > 0),
    _operator("_>=_", "greater_equals", lambda order: order >= 0),
)
CROSS_TYPE = frozenset(
    overload.id
    for one in FUNCTIONS
    for overload in one.overloads
    if overload.parameters[0] != overload.parameters[1]
)
"""The ids of overloads that compare numbers of different types: an environment may be without them."""
