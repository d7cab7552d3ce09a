"""Kubernetes' times and ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.time import (
    age,
    format_micro_time,
    format_time,
    human_duration,
    normal_micro_time,
    normal_time,
    parse_micro_time,
    parse_time,
)


def test_a_sent_time_is_shown_in_utc_without_its_fraction() -> None:  # M1
    assert normal_time("2025-01-02T03:04:05.9+01:00") == "2025-01-02T02:04:05Z"
    assert normal_time("0001-01-01T00:00:00Z") is None
    assert normal_micro_time("2025-01-02T03:04:05.000001+01:00") == "2025-01-02T02:04:05.000001Z"
    assert normal_micro_time("0001-01-01T00:00:00.000000Z") is None
    with pytest.raises(ValueError, match="cannot parse"):
        normal_time("today")


def test_times_and_their_texts() -> None:
    assert parse_time("1970-01-01T00:00:01.5Z") == 1.5
    assert format_time(1.9) == "1970-01-01T00:00:01Z"
    assert format_time(-0.5) == "1969-12-31T23:59:59Z"
    assert parse_micro_time("1970-01-01T00:00:01.000002Z") == 1_000_002
    assert format_micro_time(1_000_002) == "1970-01-01T00:00:01.000002Z"


@given(st.integers(-60_000_000_000_000_000, 200_000_000_000_000_000))
def test_micro_times_survive(micros: int) -> None:
    assert parse_micro_time(format_micro_time(micros)) == micros


DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2.5, "<invalid>"),
        (-1.9, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (599, "9m59s"),
        (600, "10m"),
        (179 * 60 + 59, "179m"),
        (180 * 60, "3h"),
        (7 * 3600 + 30 * 60, "7h30m"),
        (8 * 3600 + 30 * 60, "8h"),
        (47 * 3600, "47h"),
        (2 * DAY, "2d"),
        (3 * DAY + 4 * 3600, "3d4h"),
        (8 * DAY + 4 * 3600, "8d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (800 * DAY, "2y70d"),
        (8 * 365 * DAY + DAY, "8y"),
    ],
)
def test_ages_have_two_figures(seconds: float, shown: str) -> None:  # M2
    assert human_duration(seconds) == shown


def test_an_age_needs_a_time() -> None:  # M2
    assert age("1970-01-01T00:00:10Z", 75) == "65s"
    assert age("1970-01-01T00:00:10.500000Z", 75) == "64s"
    assert age(None, 75) == age("0001-01-01T00:00:00Z", 75) == "<unknown>"
    assert age("soon", 75) == "<invalid>"
