"""Mathematics: an extension of cel-go that no environment of Kubernetes has.

Source: cel-go's ext/math.go.
"""

import math as floats
from collections.abc import Callable, Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.macros import Builder, Macro, MacroError
from kajitori.apimachinery.cel.standard.comparison import compare
from kajitori.apimachinery.cel.tree import (
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    StructLiteral,
)
from kajitori.apimachinery.cel.types import BOOL, DOUBLE, DYN, INT, UINT, Type, list_of
from kajitori.apimachinery.cel.values import INT_MIN, UINT_MAX, UInt

__all__ = ["math"]

_NUMBERS = (DOUBLE, INT, UINT)
_BITS = 64


def _extreme_macro(name: str, call: str) -> Macro:
    """`math.least(a, b, …)`: arguments become a list when there are more than two."""

    def expand(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression | None:
        if not isinstance(target, Ident) or target.name != "math":
            return None
        if not args:
            raise MacroError(f"math.{name}() requires at least one argument", target)
        if len(args) == 1:
            if not _may_be_number(args[0]) and not _is_list_of_numbers(args[0]):
                raise MacroError(f"math.{name}() invalid single argument value", args[0])
            return build.call(call, args[0])
        for one in args:
            if not _may_be_number(one):
                raise MacroError(f"math.{name}() simple literal arguments must be numeric", one)
        return build.call(call, *args) if len(args) == 2 else build.call(call, build.list(*args))

    return Macro(name, None, True, expand)


def _may_be_number(node: Expression) -> bool:
    if isinstance(node, Literal):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return not isinstance(node, ListLiteral | MapLiteral | StructLiteral)


def _is_list_of_numbers(node: Expression) -> bool:
    return isinstance(node, ListLiteral) and bool(node.elements) and all(map(_may_be_number, node.elements))


def _extreme(name: str, sign: int) -> Function:
    """The overloads of `math.@min` or `math.@max`."""
    full = f"math.@{name}"

    def of_pair(one: Any, other: Any) -> Any:
        try:
            order = compare("", one, other)
        except EvaluationError as problem:
            raise EvaluationError(f"{problem}: {full}") from None
        return other if order == sign else one

    def of_list(values: Sequence[Any]) -> Any:
        if not values:
            raise EvaluationError(f"{full}(list) argument must not be empty")
        found = values[0]
        try:
            for value in values[1:]:
                found = of_pair(found, value)
        except EvaluationError:
            raise EvaluationError(f"no such overload: {full}") from None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise EvaluationError(f"no such overload: {full}")
        return found

    stem = f"math_@{name}"
    pairs = [(one, one) for one in _NUMBERS]
    pairs += [(INT, UINT), (INT, DOUBLE), (DOUBLE, INT), (DOUBLE, UINT), (UINT, INT), (UINT, DOUBLE)]
    return function(
        full,
        *(Overload(f"{stem}_{one.name}", (one,), one, _same) for one in _NUMBERS),
        *(
            Overload(f"{stem}_{one.name}_{other.name}", (one, other), one if one == other else DYN, of_pair)
            for one, other in pairs
        ),
        *(Overload(f"{stem}_list_{one.name}", (list_of(one),), one, of_list) for one in _NUMBERS),
    )


def _same(value: Any) -> Any:
    return value


def _rounded(rounding: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding that leaves alone what has no fraction, and keeps the sign of zero."""

    def call(number: float) -> float:
        if not floats.isfinite(number) or abs(number) >= 2.0**52:
            return number
        return floats.copysign(float(rounding(number)), number)

    return call


def _half_away(number: float) -> int:
    whole = int(number)
    return whole + (1 if number > 0 else -1) if abs(number - whole) >= 0.5 else whole


def _abs_int(number: int) -> int:
    if number == INT_MIN:
        raise EvaluationError("integer overflow")
    return abs(number)


def _sign(number: Any) -> Any:
    if number != number:
        return number
    return type(number)((number > 0) - (number < 0))


def _sqrt(number: float) -> float:
    # The root is taken of a double: a large integer is rounded first.
    return floats.sqrt(float(number)) if number >= 0 else floats.nan


def _as_int(bits: int) -> int:
    bits &= UINT_MAX
    return bits - (1 << _BITS) if bits >> (_BITS - 1) else bits


def _as_uint(bits: int) -> UInt:
    return UInt(bits & UINT_MAX)


def _shifted_left(number: int, offset: int) -> int:
    if offset < 0:
        raise EvaluationError(f"math.bitShiftLeft() negative offset: {offset}")
    return number << offset if offset < _BITS else 0


def _shifted_right(number: int, offset: int) -> int:
    if offset < 0:
        raise EvaluationError(f"math.bitShiftRight() negative offset: {offset}")
    return (number & UINT_MAX) >> min(offset, _BITS)


def _of_double(name: str, result: Type, call: Callable[[float], Any]) -> Function:
    return function(f"math.{name}", Overload(f"math_{name}_double", (DOUBLE,), result, call))


def _bitwise(name: str, operation: Callable[[int, int], int]) -> Function:
    return function(
        f"math.{name}",
        Overload(f"math_{name}_int_int", (INT, INT), INT, lambda one, other: _as_int(operation(one, other))),
        Overload(
            f"math_{name}_uint_uint", (UINT, UINT), UINT, lambda one, other: _as_uint(operation(one, other))
        ),
    )


def _shift(name: str, operation: Callable[[int, int], int]) -> Function:
    return function(
        f"math.{name}",
        Overload(f"math_{name}_int_int", (INT, INT), INT, lambda one, other: _as_int(operation(one, other))),
        Overload(
            f"math_{name}_uint_int", (UINT, INT), UINT, lambda one, other: _as_uint(operation(one, other))
        ),
    )


_OF_VERSION_1: tuple[Function, ...] = (
    _of_double("ceil", DOUBLE, _rounded(floats.ceil)),
    _of_double("floor", DOUBLE, _rounded(floats.floor)),
    _of_double("round", DOUBLE, _rounded(_half_away)),
    _of_double("trunc", DOUBLE, _rounded(floats.trunc)),
    _of_double("isInf", BOOL, floats.isinf),
    _of_double("isNaN", BOOL, floats.isnan),
    _of_double("isFinite", BOOL, floats.isfinite),
    function(
        "math.abs",
        Overload("math_abs_double", (DOUBLE,), DOUBLE, abs),
        Overload("math_abs_int", (INT,), INT, _abs_int),
        Overload("math_abs_uint", (UINT,), UINT, _same),
    ),
    function("math.sign", *(Overload(f"math_sign_{one.name}", (one,), one, _sign) for one in _NUMBERS)),
    _bitwise("bitAnd", lambda one, other: one & other),
    _bitwise("bitOr", lambda one, other: one | other),
    _bitwise("bitXor", lambda one, other: one ^ other),
    function(
        "math.bitNot",
        Overload("math_bitNot_int_int", (INT,), INT, lambda number: ~number),
        Overload("math_bitNot_uint_uint", (UINT,), UINT, lambda number: _as_uint(~number)),
    ),
    _shift("bitShiftLeft", _shifted_left),
    _shift("bitShiftRight", _shifted_right),
)
_OF_VERSION_2 = function(
    "math.sqrt", *(Overload(f"math_sqrt_{one.name}", (one,), DOUBLE, _sqrt) for one in _NUMBERS)
)


def math(version: int) -> Library:
    """Version 1 rounds, takes signs and works on bits; version 2 takes roots."""
    functions: tuple[Function, ...] = (_extreme("min", 1), _extreme("max", -1))
    if version >= 1:
        functions += _OF_VERSION_1
    if version >= 2:
        functions += (_OF_VERSION_2,)
    return Library(
        "cel.lib.ext.math",
        functions=functions,
        macros=(_extreme_macro("least", "math.@min"), _extreme_macro("greatest", "math.@max")),
    )
