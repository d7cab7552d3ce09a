"""Timestamps and durations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.times import (
    SECOND,
    add_duration,
    between,
    duration_part,
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
    timestamp_of_seconds,
    timestamp_part,
)
from kajitori.apimachinery.cel.values import INT_MAX, INT_MIN, Duration, Timestamp

FIRST, LAST = -62135596800, 253402300799
moments = st.integers(FIRST * SECOND, LAST * SECOND + SECOND - 1).map(Timestamp)


def moment(text: str) -> Timestamp:
    found = parse_timestamp(text)
    assert found is not None
    return found


def test_leaving_the_calendar_or_64_bits_is_an_error() -> None:  # D1
    calls: tuple[Callable[[], object], ...] = (
        lambda: timestamp_of_seconds(LAST + 1),
        lambda: timestamp_of_seconds(FIRST - 1),
        lambda: parse_timestamp("0000-01-01T00:00:00Z"),
        lambda: add_duration(moment("9999-12-31T23:59:59Z"), SECOND),
        lambda: add_duration(moment("0001-01-01T00:00:00Z"), -1),
    )
    for call in calls:
        with pytest.raises(EvaluationError, match="timestamp overflow"):
            call()
    with pytest.raises(EvaluationError, match="integer overflow"):
        between(moment("9999-12-31T23:59:59Z"), moment("0001-01-01T00:00:00Z"))
    assert parse_duration("9223372037s") is None


@given(moments)
def test_a_timestamp_reads_back_the_same(one: Timestamp) -> None:  # D2
    assert parse_timestamp(format_timestamp(one)) == one


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05.000000001Z",
        "2020-01-02T03:04:05.5+01:30",
        "2020-01-02T03:04:05-08:00",
    ],
)
def test_an_offset_is_kept(text: str) -> None:  # D2
    assert format_timestamp(moment(text)) == text


def test_what_is_no_time_is_none() -> None:  # D2
    assert parse_timestamp("2020-13-01T00:00:00Z") is None
    assert parse_timestamp("today") is None
    assert parse_duration("1 hour") is None


@given(st.integers(INT_MIN, INT_MAX))
def test_durations_are_written_in_seconds(nanoseconds: int) -> None:  # D2
    text = format_duration(Duration(nanoseconds))
    assert text.endswith("s") and "e" not in text
    found = parse_duration(text)
    if abs(nanoseconds) < 1 << 50:
        # Seconds are written as a double, as Go does, and what Go reads it cuts off: 1.5745917409999999s.
        assert found is not None and abs(found.nanoseconds - nanoseconds) <= 1


def test_durations_are_read_as_go_reads_them() -> None:  # D2
    assert parse_duration("-1h2m3.5s") == Duration(-3723_500_000_000)
    assert format_duration(Duration(5400_500_000_000)) == "5400.5s"


@given(st.integers(FIRST, LAST))
def test_parts_are_those_of_the_calendar(seconds: int) -> None:
    one = timestamp_of_seconds(seconds)
    known = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert timestamp_part("getFullYear", one) == known.year
    assert timestamp_part("getMonth", one) == known.month - 1
    assert timestamp_part("getDate", one) == known.day == timestamp_part("getDayOfMonth", one) + 1
    assert timestamp_part("getDayOfYear", one) == known.timetuple().tm_yday - 1
    assert timestamp_part("getDayOfWeek", one) == known.isoweekday() % 7
    assert timestamp_part("getHours", one) == known.hour
    assert timestamp_part("getMinutes", one) == known.minute
    assert timestamp_part("getSeconds", one) == known.second


def test_zones_are_names_or_offsets() -> None:  # D3
    one = moment("2023-07-14T10:30:45.123Z")
    assert timestamp_part("getHours", one, "America/Los_Angeles") == 3
    assert timestamp_part("getHours", one, "-08:30") == 2
    assert timestamp_part("getMinutes", one, "05:45") == 15
    assert [timestamp_part("getHours", one, zone) for zone in ("", "UTC", "Local")] == [10] * 3
    assert timestamp_part("getFullYear", moment("0001-01-01T00:00:00Z"), "-01:00") == 0
    assert timestamp_part("getFullYear", moment("9999-12-31T23:00:00Z"), "Asia/Tokyo") == 10000
    assert timestamp_part("getMilliseconds", one) == 123


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("Mars/Olympus", "unknown time zone Mars/Olympus"),
        ("../etc/passwd", "time: invalid location name"),
        ("a:00", 'strconv.Atoi: parsing "a": invalid syntax'),
    ],
)
def test_what_is_no_zone_is_an_error(zone: str, message: str) -> None:  # D3
    with pytest.raises(EvaluationError) as error:
        timestamp_part("getHours", Timestamp(0), zone)
    assert str(error.value) == message


def test_durations_in_whole_units() -> None:
    assert duration_part("getHours", Duration(-5400 * SECOND)) == -1
    assert duration_part("getMinutes", Duration(3723 * SECOND)) == 62
    assert duration_part("getSeconds", Duration(3723 * SECOND)) == 3723
    assert duration_part("getMilliseconds", Duration(1_500_000)) == 1
