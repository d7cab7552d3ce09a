"""Arithmetic of 64 bits, and numbers as texts."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.numbers import (
    divide,
    double_to_int,
    double_to_uint,
    format_double,
    format_double_plain,
    in_int_range,
    in_uint_range,
    modulo,
    parse_double,
    parse_int,
    parse_uint,
)
from kajitori.apimachinery.cel.values import INT_MAX, INT_MIN, UINT_MAX

integers = st.one_of(st.integers(INT_MIN, INT_MAX), st.integers(-20, 20))


def test_leaving_the_range_is_an_error() -> None:  # N1
    outside: tuple[tuple[Any, float], ...] = (
        (in_int_range, INT_MAX + 1),
        (in_int_range, INT_MIN - 1),
        (in_uint_range, -1),
        (in_uint_range, UINT_MAX + 1),
        (double_to_int, 2.0**63),
        (double_to_int, -(2.0**63)),
        (double_to_int, math.nan),
        (double_to_uint, -0.5),
        (double_to_uint, 2.0**64),
    )
    for call, number in outside:
        with pytest.raises(EvaluationError, match="integer overflow"):
            call(number)
    with pytest.raises(EvaluationError, match="division by zero"):
        divide(1, 0)
    with pytest.raises(EvaluationError, match="modulus by zero"):
        modulo(1, 0)
    with pytest.raises(EvaluationError, match="integer overflow"):
        modulo(INT_MIN, -1)


@given(integers, integers.filter(bool))
def test_integers_are_divided_towards_zero(dividend: int, divisor: int) -> None:  # N2
    quotient = divide(dividend, divisor)
    rest = dividend - quotient * divisor
    assert abs(rest) < abs(divisor) and (rest == 0 or (rest < 0) == (dividend < 0))
    if (dividend, divisor) != (INT_MIN, -1):
        assert modulo(dividend, divisor) == rest


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (1e6, "1e+06"),
        (123456.0, "123456"),
        (1234567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.0, "-0"),
        (5e-324, "5e-324"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_doubles_are_written_as_go_writes_them(number: float, text: str) -> None:  # N3
    assert format_double(number) == text


@given(st.floats(allow_nan=False))
def test_what_is_written_reads_back_the_same(number: float) -> None:  # N3
    assert parse_double(format_double(number)) == number
    assert parse_double(format_double_plain(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        (".5e1", 5.0),
        ("5.", 5.0),
        ("+Infinity", math.inf),
        ("-inf", -math.inf),
        ("0x1p-2", 0.25),
        ("0x_1.8p1", 3.0),
        ("1e400", None),
        ("1_0", 10.0),
        ("1_000.2_5e1_0", 1000.25e10),
        ("1__0", None),
        ("_1", None),
        ("1_.5", None),
        ("", None),
        ("0x1", None),
        ("0xp1", None),
        (" 1", None),
        ("１", None),
    ],
)
def test_doubles_are_read_as_go_reads_them(text: str, number: float | None) -> None:  # N3
    assert parse_double(text) == number


def test_integers_in_texts() -> None:
    assert [parse_int(text) for text in ("-12", "+3", "9223372036854775807")] == [-12, 3, INT_MAX]
    assert [parse_int(text) for text in ("", "1_0", "0x1", "9223372036854775808", " 1", "9" * 5000)] == [
        None
    ] * 6
    assert [parse_uint(text) for text in ("12", "18446744073709551615")] == [12, UINT_MAX]
    assert [parse_uint(text) for text in ("+1", "-1", "18446744073709551616")] == [None] * 3
