"""Timestamps and durations: reading and writing them, calculating with them, and their parts in a time zone.

Sits under the conversions and getters of the standard library.

Promises
    D1  a timestamp is from year 1 to year 9999, a duration has 64 bits of nanoseconds: leaving these is an error
    D2  texts are read and written as Go's time package does: RFC 3339 with up to nine digits, `1h2m3.5s`
    D3  a time zone is a name of the IANA database or an offset such as `-08:00`; none is UTC

Source: cel-go's common/types (timestamp.go, duration.go, overflow.go) and common/stdlib.
"""

import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.numbers import format_double_plain, in_int_range
from kajitori.apimachinery.cel.values import Duration, Timestamp
from kajitori.wire import go_time

__all__ = [
    "SECOND",
    "add_duration",
    "between",
    "duration_part",
    "format_duration",
    "format_timestamp",
    "parse_duration",
    "parse_timestamp",
    "timestamp_of_seconds",
    "timestamp_part",
]

SECOND = 1_000_000_000
_SECONDS_MIN = -62135596800
_SECONDS_MAX = 253402300799
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_BEFORE_EPOCH = 719_468
"""From 1 March of year 0 to 1970: counting from March puts the leap day last, which makes months regular."""
_ZONES_MAX = 256
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)\Z")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def parse_timestamp(text: str) -> Timestamp | None:
    """The moment that an RFC 3339 text names; `None` when it is no such text.

    Raises:
        EvaluationError: it is outside of the years that there are.
    """
    try:
        seconds, nanoseconds = go_time.parse_rfc3339(text)
    except ValueError:
        return None
    found = _OFFSET.search(text)
    offset = 0
    if found is not None:
        offset = int(found[2]) * 3600 + int(found[3]) * 60
        offset = -offset if found[1] == "-" else offset
    return _in_range(seconds, nanoseconds, offset)


def timestamp_of_seconds(seconds: int) -> Timestamp:
    """The moment so many seconds after 1970."""
    return _in_range(seconds, 0, 0)


def _in_range(seconds: int, nanoseconds: int, offset: int) -> Timestamp:
    if not _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        raise EvaluationError("timestamp overflow")
    return Timestamp(seconds * SECOND + nanoseconds, offset)


def format_timestamp(moment: Timestamp) -> str:
    """`2006-01-02T15:04:05.999999999Z`, with the offset it was written with, without zeros at the end."""
    seconds, nanoseconds = divmod(moment.nanoseconds, SECOND)
    text = go_time.format_rfc3339(seconds + moment.offset_seconds)[:-1]
    if nanoseconds:
        text += "." + f"{nanoseconds:09d}".rstrip("0")
    if not moment.offset_seconds:
        return text + "Z"
    sign = "-" if moment.offset_seconds < 0 else "+"
    hours, minutes = divmod(abs(moment.offset_seconds) // 60, 60)
    return f"{text}{sign}{hours:02d}:{minutes:02d}"


def parse_duration(text: str) -> Duration | None:
    """The duration that a text such as `-1h2.5s` names; `None` when it names none."""
    try:
        return Duration(go_time.parse_duration(text))
    except ValueError:
        return None


def format_duration(stretch: Duration) -> str:
    """Its seconds, such as `5400.5s`."""
    return format_double_plain(_seconds(stretch.nanoseconds)) + "s"


def add_duration(moment: Timestamp, nanoseconds: int) -> Timestamp:
    """The moment so much later."""
    later = moment.nanoseconds + nanoseconds
    if not _SECONDS_MIN <= later // SECOND <= _SECONDS_MAX:
        raise EvaluationError("timestamp overflow")
    return Timestamp(later, moment.offset_seconds)


def between(later: Timestamp, earlier: Timestamp) -> Duration:
    """How much later one moment is than another."""
    in_int_range((later.nanoseconds // SECOND - earlier.nanoseconds // SECOND) * SECOND)
    return Duration(in_int_range(later.nanoseconds - earlier.nanoseconds))


def timestamp_part(part: str, moment: Timestamp, zone: str = "UTC") -> int:
    """A part of a moment by the name of its getter, such as `getFullYear`, as clocks in a zone show it."""
    return _PARTS[part](moment.nanoseconds + _offset_in(zone, moment.nanoseconds) * SECOND)


def duration_part(part: str, stretch: Duration) -> int:
    """A duration in whole hours, minutes, seconds or milliseconds, by the name of the getter."""
    size, unit = abs(stretch.nanoseconds), _UNITS[part]
    return size // unit if stretch.nanoseconds >= 0 else -(size // unit)


_UNITS = {
    "getHours": 3600 * SECOND,
    "getMinutes": 60 * SECOND,
    "getSeconds": SECOND,
    "getMilliseconds": SECOND // 1000,
}


def _seconds(nanoseconds: int) -> float:
    """As Go's Duration.Seconds: whole seconds and their fraction converted apart."""
    whole, rest = divmod(abs(nanoseconds), SECOND)
    size = float(whole) + float(rest) / 1e9
    return -size if nanoseconds < 0 else size


def _civil(local: int) -> tuple[int, int, int]:
    """Year, month and day of local nanoseconds, in any year; Python's datetime knows no year 0."""
    days = local // (_DAY * SECOND) + _DAYS_BEFORE_EPOCH
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def _day_of_year(local: int) -> int:
    year, month, day = _civil(local)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[month - 1] + day - 1 + (leap and month > 2)


_PARTS: dict[str, Callable[[int], int]] = {
    "getFullYear": lambda local: _civil(local)[0],
    "getMonth": lambda local: _civil(local)[1] - 1,
    "getDayOfYear": _day_of_year,
    "getDayOfMonth": lambda local: _civil(local)[2] - 1,
    "getDate": lambda local: _civil(local)[2],
    "getDayOfWeek": lambda local: (local // (_DAY * SECOND) + 4) % 7,
    "getHours": lambda local: local // (3600 * SECOND) % 24,
    "getMinutes": lambda local: local // (60 * SECOND) % 60,
    "getSeconds": lambda local: local // SECOND % 60,
    "getMilliseconds": lambda local: local // (SECOND // 1000) % 1000,
}


def _offset_in(zone: str, nanoseconds: int) -> int:
    """Seconds east of UTC at that moment. The server's own zone is UTC, whatever the machine's is."""
    if zone in ("UTC", "", "Local"):
        return 0
    hours, colon, minutes = zone.partition(":")
    if colon:
        east, more = _whole(hours) * 60, _whole(minutes)
        return (east - more if zone[0] == "-" else east + more) * 60
    # The first and last days of the calendar are looked up a little inside of it, where datetime can go.
    seconds = min(max(nanoseconds // SECOND, _SECONDS_MIN + 2 * _DAY), _SECONDS_MAX - 2 * _DAY)
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(_zone(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise EvaluationError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


@lru_cache(maxsize=_ZONES_MAX)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    if ".." in name or name[0] in "/\\":
        raise EvaluationError("time: invalid location name")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}") from None
