"""Amounts of resources: since Kubernetes 1.28.

Whether an amount is an integer to Kubernetes is a matter of how it keeps it, not only of its value: `1000m` and
`0.5Gi` are none. So these values know how Kubernetes would keep them.

Source: apiserver's pkg/cel/library/quantity.go and pkg/cel/quantity.go; apimachinery's pkg/api/resource.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue, no_overload
from kajitori.apimachinery.cel.prices import by_size, priced
from kajitori.apimachinery.cel.types import BOOL, DOUBLE, INT, STRING, Kind, Type
from kajitori.apimachinery.cel.values import INT_MAX, INT_MIN
from kajitori.apimachinery.quantity import Quantity, QuantityError, QuantityFormat, parse_quantity

__all__ = ["QUANTITY", "QuantityValue", "quantity"]

QUANTITY = Type(Kind.OBJECT, "kubernetes.Quantity")

_NANO = -9
_POWER_MAX = 308
_POWER_MIN = -323


class QuantityValue(OpaqueValue):
    """An amount: `unscaled` times ten to the `scale`, in 64 bits unless `wide`."""

    __slots__ = ("amount", "is_result")

    cel_type: ClassVar[Type] = QUANTITY

    def __init__(self, amount: Quantity, *, is_result: bool = False) -> None:
        self.amount = amount
        self.is_result = is_result
        """It comes from an addition or a subtraction. Kubernetes finds nothing equal to such a value."""

    def _identity(self) -> Quantity:
        return self.amount

    def equals(self, other: object) -> bool:
        if isinstance(other, QuantityValue) and other.is_result:
            raise no_overload()
        return super().equals(other)

    def __str__(self) -> str:
        return str(self.amount)

    def as_integer(self) -> int | None:
        """The amount when Kubernetes would call it an integer."""
        amount = self.amount
        if amount.wide or amount.scale < 0:
            return None
        whole = amount.unscaled * 10**amount.scale
        return whole if INT_MIN <= whole <= INT_MAX else None

    def as_float(self) -> float:
        """The amount, or nearly so: the error of a product of two floats."""
        unscaled, scale = self._kept()
        try:
            base = float(unscaled)
        except OverflowError:
            base = float("inf") if unscaled > 0 else float("-inf")
        return base * _power_of_ten(scale) if scale else base

    def _kept(self) -> tuple[int, int]:
        """Unscaled value and scale as Kubernetes has them: what it reads beyond 64 bits it keeps in billionths."""
        amount = self.amount
        if self.is_result or not amount.wide or not amount.unscaled or amount.scale < _NANO:
            return amount.unscaled, amount.scale
        if amount.format is QuantityFormat.BINARY_SI and abs(amount.unscaled) == INT_MAX and not amount.scale:
            return amount.unscaled, 0  # the cap of binary amounts
        return amount.unscaled * 10 ** (amount.scale - _NANO), _NANO

    def plus(self, other: "QuantityValue", sign: int = 1) -> "QuantityValue":
        """The sum, or with -1 the difference, shown like this amount, or like the other when this is zero."""
        mine, theirs = self._kept(), other._kept()
        format = self.amount.format if self.amount else other.amount.format
        if not self.amount.wide and not other.amount.wide:
            added = _wrapped(sign * theirs[0]), theirs[1]
            small = _sum(mine, added)
            if small is not None:
                return QuantityValue(Quantity(*small, format=format), is_result=True)
        scale = min(mine[1], theirs[1])
        unscaled = mine[0] * 10 ** (mine[1] - scale) + sign * theirs[0] * 10 ** (theirs[1] - scale)
        return QuantityValue(Quantity(unscaled, scale, format=format, wide=True), is_result=True)


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int] | None:
    """The sum of two amounts of 64 bits; `None` when it leaves them on the way."""
    if not other[0]:
        return one
    if not one[0]:
        return other
    scale = min(one[1], other[1])
    parts = one[0] * 10 ** (one[1] - scale), other[0] * 10 ** (other[1] - scale)
    total = sum(parts)
    if any(not INT_MIN <= part <= INT_MAX for part in (*parts, total)):
        return None
    return total, scale


def _wrapped(number: int) -> int:
    """Taking away the least integer adds it, as negating it gives it again."""
    return INT_MIN if number == INT_MAX + 1 else number


def _power_of_ten(exponent: int) -> float:
    """Go's math.Pow10: for small powers a quotient or product of two floats."""
    if exponent > _POWER_MAX:
        return float("inf")
    if exponent < _POWER_MIN:
        return 0.0
    if exponent >= 0:
        return float(10 ** (exponent // 32 * 32)) * float(10 ** (exponent % 32))
    return float(f"1e-{-exponent // 32 * 32}") / float(10 ** (-exponent % 32))


def _parsed(text: str) -> QuantityValue:
    try:
        return QuantityValue(parse_quantity(text))
    except QuantityError as problem:
        raise EvaluationError(str(problem)) from None


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except QuantityError:
        return False
    return True


def _as_integer(value: QuantityValue) -> int:
    found = value.as_integer()
    if found is None:
        raise EvaluationError("cannot convert value to integer")
    return found


def _compare(value: QuantityValue, other: QuantityValue) -> int:
    return (value.amount > other.amount) - (value.amount < other.amount)


def _whole(number: int) -> QuantityValue:
    return QuantityValue(Quantity(number, format=QuantityFormat.DECIMAL_EXPONENT))


def _member(
    name: str, overload: str, others: tuple[Type, ...], result: Type, call: Callable[..., Any]
) -> Function:
    return function(name, Overload(overload, (QUANTITY, *others), result, call=call, member=True))


def _arithmetic(name: str, overload: str, sign: int) -> Function:
    return function(
        name,
        Overload(
            overload,
            (QUANTITY, QUANTITY),
            QUANTITY,
            call=lambda value, other: value.plus(other, sign),
            member=True,
        ),
        Overload(
            f"{overload}_int",
            (QUANTITY, INT),
            QUANTITY,
            call=lambda value, number: value.plus(_whole(number), sign),
            member=True,
        ),
    )


_OTHER = (QUANTITY,)

quantity = Library(
    "kubernetes.quantity",
    functions=(
        priced("quantity", by_size(), Overload("string_to_quantity", (STRING,), QUANTITY, call=_parsed)),
        priced("isQuantity", by_size(), Overload("is_quantity_string", (STRING,), BOOL, call=_is_quantity)),
        function(
            "sign",
            Overload("quantity_sign", (QUANTITY,), INT, call=lambda value: _compare(value, _whole(0))),
        ),
        _member("isGreaterThan", "quantity_is_greater_than", _OTHER, BOOL, lambda *both: _compare(*both) > 0),
        _member("isLessThan", "quantity_is_less_than", _OTHER, BOOL, lambda *both: _compare(*both) < 0),
        _member("compareTo", "quantity_compare_to", _OTHER, INT, _compare),
        _member("asApproximateFloat", "quantity_get_float", (), DOUBLE, QuantityValue.as_float),
        _member("asInteger", "quantity_get_int", (), INT, _as_integer),
        _member("isInteger", "quantity_is_integer", (), BOOL, lambda value: value.as_integer() is not None),
        _arithmetic("add", "quantity_add", 1),
        _arithmetic("sub", "quantity_sub", -1),
    ),
)
