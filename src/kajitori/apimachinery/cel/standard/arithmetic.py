"""Addition, subtraction, multiplication, division, remainder and sign.

One function serves all overloads of an operator: it looks at the values, for where types are known only then.
"""

import math
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Overload, function
from kajitori.apimachinery.cel.numbers import divide, in_int_range, in_uint_range, modulo
from kajitori.apimachinery.cel.times import add_duration, between
from kajitori.apimachinery.cel.types import (
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import Duration, Timestamp, UInt

__all__ = ["FUNCTIONS", "add", "multiply", "negate", "quotient", "remainder", "subtract"]

_LIST = list_of(type_parameter("A"))


def add(left: Any, right: Any) -> Any:
    """`left + right`, whatever they are."""
    kind, other = type(left), type(right)
    if kind is other:
        if kind is int:
            return in_int_range(left + right)
        if kind is str or kind is float or kind is bytes:
            return left + right
        if kind is UInt:
            return in_uint_range(int(left) + right)
        if kind is Duration:
            return Duration(in_int_range(left.nanoseconds + right.nanoseconds))
    if isinstance(left, list | tuple):
        return _concatenated(left, right)
    if kind is Timestamp and other is Duration:
        return add_duration(left, right.nanoseconds)
    if kind is Duration and other is Timestamp:
        return add_duration(right, left.nanoseconds)
    raise _unsuitable("_+_", kind, _ADDED)


def _concatenated(left: Any, right: Any) -> Any:
    merge = getattr(left, "merge", None)
    if not isinstance(right, list | tuple):
        raise EvaluationError("no such overload")
    if merge is not None:
        return merge(right)
    return [*left, *right]


def subtract(left: Any, right: Any) -> Any:
    """`left - right`, whatever they are."""
    kind, other = type(left), type(right)
    if kind is other:
        if kind is int:
            return in_int_range(left - right)
        if kind is float:
            return left - right
        if kind is UInt:
            return in_uint_range(int(left) - right)
        if kind is Duration:
            return Duration(in_int_range(left.nanoseconds - right.nanoseconds))
        if kind is Timestamp:
            return between(left, right)
    if kind is Timestamp and other is Duration:
        return add_duration(left, in_int_range(-right.nanoseconds))
    raise _unsuitable("_-_", kind, _SUBTRACTED)


def multiply(left: Any, right: Any) -> Any:
    """`left * right`, whatever numbers they are."""
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return in_int_range(left * right)
        if kind is float:
            return left * right
        if kind is UInt:
            return in_uint_range(int(left) * right)
    raise _unsuitable("_*_", kind, _NUMBERS)


def quotient(left: Any, right: Any) -> Any:
    """`left / right`, whatever numbers they are."""
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return in_int_range(divide(left, right))
        if kind is UInt:
            return UInt(divide(left, right))
        if kind is float:
            return _divided(left, right)
    raise _unsuitable("_/_", kind, _NUMBERS)


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or left != left or right != right:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: Any, right: Any) -> Any:
    """`left % right`, whatever integers they are."""
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return modulo(left, right)
        if kind is UInt:
            return UInt(modulo(left, right))
    raise _unsuitable("_%_", kind, _INTEGERS)


def negate(value: Any) -> Any:
    """`-value`, whatever it is."""
    kind = type(value)
    if kind is int:
        return in_int_range(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return Duration(in_int_range(-value.nanoseconds))
    raise _unsuitable("-_", kind, _NEGATED)


_RECEIVERS = frozenset((str, Duration, Timestamp))
"""Types that are asked for what an operator does when they have none."""
_INTEGERS = frozenset((int, UInt, *_RECEIVERS))
_NUMBERS = frozenset((int, UInt, float, *_RECEIVERS))
_SUBTRACTED = _NUMBERS
_ADDED = frozenset((*_NUMBERS, bytes))
_NEGATED = frozenset((bool, *_RECEIVERS))


def _unsuitable(operator: str, kind: type, suitable: frozenset[type]) -> EvaluationError:
    """cel-go names the operator when the left side knows nothing of it, and does not when the right side is wrong."""
    return EvaluationError("no such overload" if kind in suitable else f"no such overload: {operator}")


def _same(stem: str, *types: tuple[str, Type]) -> list[tuple[str, Type, Type, Type]]:
    return [(f"{stem}_{name}", one, one, one) for name, one in types]


_INT64, _UINT64, _DOUBLE = ("int64", INT), ("uint64", UINT), ("double", DOUBLE)
_SIGNATURES: dict[str, tuple[Any, list[tuple[str, Type, Type, Type]]]] = {
    "_+_": (
        add,
        [
            ("add_bytes", BYTES, BYTES, BYTES),
            ("add_double", DOUBLE, DOUBLE, DOUBLE),
            ("add_duration_duration", DURATION, DURATION, DURATION),
            ("add_duration_timestamp", DURATION, TIMESTAMP, TIMESTAMP),
            ("add_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
            ("add_int64", INT, INT, INT),
            ("add_list", _LIST, _LIST, _LIST),
            ("add_string", STRING, STRING, STRING),
            ("add_uint64", UINT, UINT, UINT),
        ],
    ),
    "_/_": (quotient, _same("divide", _DOUBLE, _INT64, _UINT64)),
    "_%_": (remainder, _same("modulo", _INT64, _UINT64)),
    "_*_": (multiply, _same("multiply", _DOUBLE, _INT64, _UINT64)),
    "_-_": (
        subtract,
        [
            ("subtract_double", DOUBLE, DOUBLE, DOUBLE),
            ("subtract_duration_duration", DURATION, DURATION, DURATION),
            ("subtract_int64", INT, INT, INT),
            ("subtract_timestamp_duration", TIMESTAMP, DURATION, TIMESTAMP),
            ("subtract_timestamp_timestamp", TIMESTAMP, TIMESTAMP, DURATION),
            ("subtract_uint64", UINT, UINT, UINT),
        ],
    ),
}

FUNCTIONS = (
    *(
        function(
            name,
            *(Overload(id, (left, right), result, call) for id, left, right, result in rows),
            guarded=False,
        )
        for name, (call, rows) in _SIGNATURES.items()
    ),
    function(
        "-_",
        Overload("negate_double", (DOUBLE,), DOUBLE, negate),
        Overload("negate_int64", (INT,), INT, negate),
        guarded=False,
    ),
)
