"""Go's times and durations: what is accepted, what it means, what is said otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.wire.go_time import (
    format_duration,
    format_rfc3339,
    format_rfc3339_micro,
    parse_date,
    parse_duration,
    parse_local_time,
    parse_rfc3339,
    parse_rfc3339_micro,
)

LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2024-02-29T12:30:45Z", 1709209845, 0),
        ("2024-02-29T12:30:45.5+01:00", 1709206245, 500_000_000),
        ("2024-02-29T12:30:45,25Z", 1709209845, 250_000_000),
        ("2024-02-29T12:30:45.1234567899Z", 1709209845, 123_456_789),
        ("2024-02-29T5:30:45Z", 1709184645, 0),  # an hour of one digit
        ("2024-02-29T12:30:45-24:60", 1709209845 + 90_000, 0),
        ("0001-01-01T00:00:00Z", -62135596800, 0),
        ("0000-03-01T00:00:00Z", -62162035200, 0),
        ("9999-12-31T23:59:59-05:00", 253402318799, 0),
    ],
)
def test_times_that_go_accepts(text: str, seconds: int, nanos: int) -> None:  # T1
    assert parse_rfc3339(text) == (seconds, nanos)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f'parsing time "" as {LAYOUT}: cannot parse "" as "2006"'),
        ("2024-2-29", f'parsing time "2024-2-29" as {LAYOUT}: cannot parse "2-29" as "01"'),
        ("2023-02-29T12:30:45Z", 'parsing time "2023-02-29T12:30:45Z": day out of range'),
        ("2024-13-01T00:00:00Z", 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2024-01-01T24:00:00Z", 'parsing time "2024-01-01T24:00:00Z": hour out of range'),
        (
            "2024-02-29 12:30:45Z",
            f'parsing time "2024-02-29 12:30:45Z" as {LAYOUT}: cannot parse " 12:30:45Z" as "T"',
        ),
        ("2024-01-01T00:00:00Zx", 'parsing time "2024-01-01T00:00:00Zx": extra text: "x"'),
        ("é", f'parsing time "\\xc3\\xa9" as {LAYOUT}: cannot parse "\\xc3\\xa9" as "2006"'),
        ("2024-W09-4T12:30:45Z", None),  # ISO 8601, and Python, know weeks; Go does not
        ("20240229T123045.123Z", None),
        (
            "2024-01-01T00:00:00+25:00",
            'parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range',
        ),
    ],
)
def test_times_that_go_refuses(text: str, message: str | None) -> None:  # T1, T2
    with pytest.raises(ValueError) as caught:
        parse_rfc3339(text)
    assert message is None or str(caught.value) == message


def test_micro_times_have_six_digits() -> None:
    assert parse_rfc3339_micro("2025-01-02T03:04:05.678901Z") == (1735787045, 678_901_000)
    for wrong in ("2025-01-02T03:04:05Z", "2025-01-02T03:04:05.6789Z", "2025-01-02T03:04:05.6789012Z"):
        with pytest.raises(ValueError):
            parse_rfc3339_micro(wrong)


@given(st.integers(-70_000_000_000, 300_000_000_000))
def test_what_is_formatted_is_read_again(seconds: int) -> None:
    text = format_rfc3339(seconds)
    if len(text) == 20:  # Years of five digits or below zero are shown, but nobody reads them.
        assert parse_rfc3339(text) == (seconds, 0)


def test_years_far_away() -> None:
    assert format_rfc3339(253402318799) == "10000-01-01T04:59:59Z"
    assert format_rfc3339(-62167219201) == "-0001-12-31T23:59:59Z"
    assert format_rfc3339_micro(0, 1_999) == "1970-01-01T00:00:00.000001Z"


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_durations_survive(nanos: int) -> None:  # T3
    assert parse_duration(format_duration(nanos)) == nanos


@pytest.mark.parametrize(
    ("text", "nanos", "shown"),
    [
        ("0", 0, "0s"),
        ("1h15m30.918s", 4_530_918_000_000, "1h15m30.918s"),
        ("-1.5h", -5_400_000_000_000, "-1h30m0s"),
        ("300ms", 300_000_000, "300ms"),
        ("1500us", 1_500_000, "1.5ms"),
        (".5s", 500_000_000, "500ms"),
    ],
)
def test_durations(text: str, nanos: int, shown: str) -> None:
    assert parse_duration(text) == nanos
    assert format_duration(nanos) == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        (".s", 'time: invalid duration ".s"'),
        ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
    ],
)
def test_durations_that_go_refuses(text: str, message: str) -> None:  # T2
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert str(caught.value) == message


def test_days_and_times_without_offset() -> None:  # T1
    assert parse_date("2020-01-02") == 1_577_923_200
    assert parse_date("0000-01-01") == -62_167_219_200
    assert parse_local_time("2020-01-02T3:04:05.5") == (1_577_934_245, 500_000_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2020-1-02", 'parsing time "2020-1-02" as "2006-01-02": cannot parse "1-02" as "01"'),
        ("2020-01-02T", 'parsing time "2020-01-02T": extra text: "T"'),
        ("2020-02-30", 'parsing time "2020-02-30": day out of range'),
    ],
)
def test_days_that_go_refuses(text: str, message: str) -> None:  # T2
    with pytest.raises(ValueError) as caught:
        parse_date(text)
    assert str(caught.value) == message


def test_times_without_offset_that_go_refuses() -> None:  # T2
    with pytest.raises(ValueError, match='extra text: "Z"'):
        parse_local_time("2020-01-02T03:04:05Z")
    with pytest.raises(ValueError, match='cannot parse "" as ":"'):
        parse_local_time("2020-01-02T03:04")
