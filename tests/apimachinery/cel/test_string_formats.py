"""Strings that are more than strings by their format."""

from collections.abc import Callable
from typing import Any

import pytest

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.string_formats import read_bytes, read_date, read_date_time, read_duration
from kajitori.apimachinery.cel.values import Duration, Timestamp

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (read_duration, "1h30m", Duration(5400 * SECOND)),
        (read_duration, "3 days", Duration(3 * 86_400 * SECOND)),
        (read_duration, "1 week 2 hours", Duration((7 * 86_400 + 7200) * SECOND)),
        (read_duration, "2 Weeks", Duration(14 * 86_400 * SECOND)),
        (read_duration, "5 microseconds", Duration(5000)),
        (read_date, "1970-01-02", Timestamp(86_400 * SECOND)),
        (read_date_time, "1970-01-01T01:00:00.5+01:00", Timestamp(SECOND // 2)),
        (read_date_time, "1970-01-01T00:00:01", Timestamp(SECOND)),
        (read_date_time, "", Timestamp(0)),
        (read_bytes, "YQ==", b"a"),
        (read_bytes, "-_==", b"\xfb"),
        (read_bytes, "YQ\n==", b"a"),
    ],
)
def test_what_is_read(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_duration, "soon", "Invalid duration soon: unable to parse soon as duration"),
        (
            read_duration,
            "99999999999999999999 s",
            'Invalid duration 99999999999999999999 s: strconv.Atoi: parsing "99999999999999999999": value out of range',
        ),
        (
            read_date,
            "x",
            'Invalid date formatted string x: parsing time "x" as "2006-01-02": cannot parse "x" as "2006"',
        ),
        (
            read_date_time,
            "1970-01-01",
            'Invalid date-time formatted string 1970-01-01: parsing time "1970-01-01" as "2006-01-02T15:04:05": '
            'cannot parse "" as "T"',
        ),
        (read_bytes, "YQ", "Invalid byte formatted string YQ: illegal base64 data at input byte 0"),
        (read_bytes, "YQ=", "Invalid byte formatted string YQ=: illegal base64 data at input byte 3"),
        (read_bytes, "YWJj=", "Invalid byte formatted string YWJj=: illegal base64 data at input byte 4"),
        (read_bytes, "YQ=x", "Invalid byte formatted string YQ=x: illegal base64 data at input byte 2"),
        (read_bytes, "YQ==x", "Invalid byte formatted string YQ==x: illegal base64 data at input byte 4"),
        (
            read_bytes,
            "YWJjYQ=\n",
            "Invalid byte formatted string YWJjYQ=\n: illegal base64 data at input byte 8",
        ),
        (read_bytes, "+/==", "Invalid byte formatted string +/==: illegal base64 data at input byte 0"),
    ],
)
def test_what_is_refused(read: Callable[[str], Any], text: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        read(text)
    assert str(caught.value) == message
