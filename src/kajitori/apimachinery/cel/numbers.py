"""Arithmetic in 64 bits, and numbers to and from texts as Go writes them.

Sits under the operators and conversions of the standard library; the compiler writes the commonest cases in place.

Promises
    N1  no result is outside its type's range: leaving it is an error, as is dividing an integer by zero
    N2  integers are divided towards zero
    N3  a double is written as Go's `%g` writes it, and read as Go's strconv reads it

Source: cel-go's common/types (overflow.go, int.go, uint.go, double.go); Go's strconv.
"""

import math
import re
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt

__all__ = [
    "compare_numbers",
    "divide",
    "double_to_int",
    "double_to_uint",
    "format_double",
    "format_double_plain",
    "in_int_range",
    "in_uint_range",
    "modulo",
    "parse_double",
    "parse_int",
    "parse_uint",
]

_INT = re.compile(r"[+-]?[0-9]+")
_UINT = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:{0}\.?(?:{0})?|\.{0})(?:[eE][+-]?{0})?".replace("{0}", "[0-9](?:_?[0-9])*"))
_HEX = re.compile(r"([+-]?0[xX])([0-9a-fA-F_]*\.?[0-9a-fA-F_]*)([pP][+-]?[0-9]+)")
_NAMED = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE)
DIGITS_MAX = 4000
"""How many digits a number in a text may have; more than Python converts, and never in range."""


def in_int_range(number: int) -> int:
    """The number, if 64 bits can hold it."""
    if INT_MIN <= number <= INT_MAX:
        return number
    raise EvaluationError("integer overflow")


def in_uint_range(number: int) -> UInt:
    """The number as an unsigned one, if 64 bits can hold it."""
    if 0 <= number <= UINT_MAX:
        return UInt(number)
    raise EvaluationError("unsigned integer overflow")


def divide(dividend: int, divisor: int) -> int:
    """The quotient, cut towards zero."""
    if divisor == 0:
        raise EvaluationError("division by zero")
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def modulo(dividend: int, divisor: int) -> int:
    """What the division leaves, with the sign of the dividend."""
    if divisor == 0:
        raise EvaluationError("modulus by zero")
    if dividend == INT_MIN and divisor == -1:
        raise EvaluationError("integer overflow")
    rest = abs(dividend) % abs(divisor)
    return rest if dividend >= 0 else -rest


def compare_numbers(left: Any, right: Any) -> int:
    """-1, 0 or 1, by value across int and uint, and as doubles where one is a double."""
    if type(left) is float or type(right) is float:
        left, right = float(left), float(right)
        if left != left or right != right:
            raise EvaluationError("NaN values cannot be ordered")
    return int(left > right) - int(left < right)


def double_to_int(number: float) -> int:
    """The double without its fraction."""
    if not INT_MIN < number < INT_MAX + 1:
        raise EvaluationError("integer overflow")
    return int(number)


def double_to_uint(number: float) -> UInt:
    """The double without its fraction, as an unsigned integer."""
    if not 0 <= number < UINT_MAX + 1:
        raise EvaluationError("unsigned integer overflow")
    return UInt(int(number))


def parse_int(text: str) -> int | None:
    """The integer that the text is; `None` when it is none of 64 bits."""
    if len(text) > DIGITS_MAX or not _INT.fullmatch(text):
        return None
    number = int(text)
    return number if INT_MIN <= number <= INT_MAX else None


def parse_uint(text: str) -> UInt | None:
    """The unsigned integer that the text is; `None` when it is none of 64 bits."""
    if len(text) > DIGITS_MAX or not _UINT.fullmatch(text):
        return None
    number = int(text)
    return UInt(number) if number <= UINT_MAX else None


def parse_double(text: str) -> float | None:
    """The double that the text is; `None` when it is none, or too large."""
    if _NAMED.fullmatch(text):
        return float(text)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return None if math.isinf(number) else number
    found = _HEX.fullmatch(text)
    if found is None:
        return None
    prefix, digits, exponent = found.groups()
    if not re.fullmatch(r"(?:_?[0-9a-fA-F])*\.?(?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?", digits) or digits == ".":
        return None
    try:
        return float.fromhex(prefix + digits.replace("_", "") + exponent)
    except (ValueError, OverflowError):
        return None


def format_double(number: float) -> str:
    """The shortest text that reads back the same; with an exponent when that is below -4 or above 5, as Go decides."""
    if not math.isfinite(number):
        return "NaN" if number != number else "+Inf" if number > 0 else "-Inf"
    sign, digits, exponent = _decimal_digits(number)
    if exponent < -4 or exponent > 5:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + _plain(digits, exponent)


def format_double_plain(number: float) -> str:
    """The shortest text without an exponent that reads back the same."""
    if not math.isfinite(number):
        return "NaN" if number != number else "+Inf" if number > 0 else "-Inf"
    sign, digits, exponent = _decimal_digits(number)
    return sign + _plain(digits, exponent)


def _decimal_digits(number: float) -> tuple[str, str, int]:
    """Sign, significant digits without trailing zeros, and the exponent of the first."""
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if number == 0:
        return sign, "0", 0
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    written = whole + fraction
    digits = written.lstrip("0")
    first = len(whole) - 1 - (len(written) - len(digits)) + int(exponent or 0)
    return sign, digits.rstrip("0") or "0", first


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
