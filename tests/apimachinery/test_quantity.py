"""Quantities: what is accepted, what is shown, and that arithmetic is exact."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.quantity import (
    Quantity,
    QuantityError,
    QuantityFormat,
    normal_quantity,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1000m", "1"),
        ("0.1", "100m"),
        ("100m", "100m"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("1.1Ki", "1126400m"),
        ("12e6", "12e6"),
        ("1200e4", "12e6"),
        ("1E", "1E"),
        ("1E3", "1E3"),
        ("0", "0"),
        ("0Gi", "0"),
        ("-1.5Gi", "-1536Mi"),
        ("1n", "1n"),
        ("0.0000000001", "1n"),  # too fine: rounded up
        ("1e-5000", "1e-9"),
        ("9Ei", "9223372036854775807"),  # capped
        ("12345678901234567890", "12345678901234567890"),
        # Texts that are short and canonical enough are kept as they were written.
        ("1.500", "1.500"),
        ("+5", "+5"),
        ("005", "005"),
        ("1.", "1."),
        # Kubernetes takes these for zero.
        ("-", "0"),
        (".", "0"),
        ("G", "0"),
    ],
)
def test_canonical_texts(text: str, shown: str) -> None:  # Q1, Q2
    assert str(parse_quantity(text)) == shown
    assert normal_quantity(f" {text} ") == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "quantities must match the regular expression"),
        ("1 ", "quantities must match the regular expression"),
        ("1.1.1", "quantities must match the regular expression"),
        ("five", "quantities must match the regular expression"),
        ("1K", "unable to parse quantity's suffix"),
        ("1mi", "unable to parse quantity's suffix"),
        ("1e", "unable to parse quantity's suffix"),
        ("1e1001", "unable to parse quantity's suffix"),
        ("9" * 5000, "quantities must match"),
    ],
)
def test_what_is_no_quantity(text: str, message: str) -> None:  # Q1
    with pytest.raises(QuantityError, match=message):
        parse_quantity(text)


def test_json_numbers_are_quantities_too() -> None:
    assert normal_quantity(2) == "2"
    assert normal_quantity(0.5) == "500m"
    for wrong in (True, None, ["1"]):
        with pytest.raises(QuantityError):
            normal_quantity(wrong)


def test_values_are_rounded_away_from_zero() -> None:
    assert parse_quantity("1500m").value() == 2
    assert parse_quantity(3) == parse_quantity("3")
    assert parse_quantity("-1500m").value() == -2
    assert parse_quantity("1Gi").value() == 1 << 30
    assert parse_quantity("100u").milli_value() == 1
    assert parse_quantity("1").milli_value() == 1000


def test_sums_are_shown_like_their_first_part() -> None:
    assert str(parse_quantity("1Gi") + parse_quantity("512M")) == "1548576Ki"
    assert str(parse_quantity("1Gi") + parse_quantity("1024Mi")) == "2Gi"
    assert str(parse_quantity("0") + parse_quantity("1Ki")) == "1Ki"
    assert str(parse_quantity("1") - parse_quantity("250m")) == "750m"
    assert str(parse_quantity("250m") * 3) == "750m"
    assert str(Quantity(2048, format=QuantityFormat.BINARY_SI)) == "2Ki"


def test_equal_amounts_are_equal_however_written() -> None:  # Q3
    assert parse_quantity("1") == parse_quantity("1000m") == parse_quantity("1e0")
    assert len({parse_quantity("1"), parse_quantity("1000m")}) == 1
    assert parse_quantity("1Ki") > parse_quantity("1k")
    assert sorted(map(parse_quantity, ("1G", "1M", "1Gi")))[0] == parse_quantity("1M")
    assert not parse_quantity("0m")
    assert parse_quantity("1") != "1"


# Beyond 10**21 Kubernetes shows no suffix, and so another amount.
numbers = st.decimals(
    min_value=-(10**11), max_value=10**11, places=3, allow_nan=False, allow_infinity=False
).map(lambda number: format(number, "f"))
quantities = st.builds(str.__add__, numbers, st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "e3"]))


@given(quantities)
def test_the_canonical_text_means_the_same_amount(text: str) -> None:  # Q1, Q2
    quantity = parse_quantity(text)
    again = parse_quantity(str(quantity))
    assert again == quantity
    assert str(again) == str(quantity)


@given(quantities, quantities)
def test_arithmetic_is_exact(left: str, right: str) -> None:  # Q2, Q3
    one, other = parse_quantity(left), parse_quantity(right)
    assert (one + other).as_fraction() == one.as_fraction() + other.as_fraction()
    assert (one - other).as_fraction() == one.as_fraction() - other.as_fraction()
    assert (one < other) == (one.as_fraction() < other.as_fraction())
    assert (one == other) == (one.as_fraction() == other.as_fraction())
    assert one.value() - one.as_fraction() < 1
    assert abs(Fraction(one.value())) >= abs(one.as_fraction())
