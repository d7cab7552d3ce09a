"""Times and durations in the texts that Go reads and writes.

Sits below everything that meets a timestamp: `apimachinery.time` gives it Kubernetes' meaning, the protobuf
codec converts with it.

Promises
    T1  a text is accepted exactly when Go's time.Parse accepts it, and means the same instant
    T2  a refusal carries Go's wording, because the API server passes it on to the user
    T3  a duration that was formatted parses back to itself

Source: Go's time package (Parse, ParseDuration, Duration.String) and RFC 3339, section 5.6.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = [
    "ZERO_SECONDS",
    "format_duration",
    "format_rfc3339",
    "format_rfc3339_micro",
    "parse_date",
    "parse_duration",
    "parse_local_time",
    "parse_rfc3339",
    "parse_rfc3339_micro",
]

ZERO_SECONDS = -62135596800
"""Go's zero time, 0001-01-01T00:00:00Z, in seconds since 1970: it stands for "no time"."""

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_LAYOUT_MICRO = "2006-01-02T15:04:05.000000Z07:00"
_LAYOUT_LOCAL = "2006-01-02T15:04:05"
_LAYOUT_DATE = "2006-01-02"
_DIGITS = frozenset("0123456789")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS_MAX = 2048
"""How many rendered times are remembered: an object repeats few, and lists repeat them across objects."""
_SECONDS_MIN = -62135596800
_SECONDS_MAX = 253402300799

_NANOS_MAX = 1 << 63
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def parse_rfc3339(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds of `2006-01-02T15:04:05.999+01:00`; a fraction may be absent.

    Raises: ValueError in Go's words.
    """
    if len(text) == 20 and text[4::3] == "--T::Z" and text[11:13] < "24" and text.isascii():
        # The shape the API server itself writes goes through the standard library's C code. That takes more
        # than Go does (weeks, 24:00, no separators): the marks just looked at leave only what both take.
        with suppress(ValueError):
            return int((datetime.fromisoformat(text) - _EPOCH).total_seconds()), 0
    return _Reader(text, _LAYOUT).read()


def parse_rfc3339_micro(text: str) -> tuple[int, int]:
    """The same with a fraction of exactly six digits, as MicroTime demands.

    Raises: ValueError in Go's words.
    """
    return _Reader(text, _LAYOUT_MICRO).read()


def parse_local_time(text: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds of `2006-01-02T15:04:05`, which is taken for UTC.

    Raises: ValueError in Go's words.
    """
    return _Reader(text, _LAYOUT_LOCAL).read()


def parse_date(text: str) -> int:
    """Seconds since 1970 of the beginning of the day `2006-01-02` in UTC.

    Raises: ValueError in Go's words.
    """
    return _Reader(text, _LAYOUT_DATE).read()[0]


@lru_cache(maxsize=_TEXTS_MAX)
def format_rfc3339(seconds: int) -> str:
    """`2006-01-02T15:04:05Z`."""
    if _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19] + "Z"
    return _far_away(seconds) + "Z"


def format_rfc3339_micro(seconds: int, nanos: int) -> str:
    """`2006-01-02T15:04:05.000000Z`; what is finer than a microsecond is cut off."""
    return f"{format_rfc3339(seconds)[:-1]}.{nanos // 1000:06d}Z"


def _far_away(seconds: int) -> str:
    """Years that datetime does not know: years come in cycles of 400 that have the same number of seconds."""
    cycle = 146_097 * 86_400
    cycles, rest = divmod(seconds - ZERO_SECONDS, cycle)
    near = (_EPOCH + timedelta(seconds=ZERO_SECONDS + rest)).isoformat()[:19]
    year = int(near[:4]) + cycles * 400
    shown = f"{year:04d}" if year >= 0 else f"-{-year:04d}"
    return shown + near[4:]


class _Reader:
    """Reads one text by one layout, piece by piece, and words what it does not like as Go does."""

    def __init__(self, text: str, layout: str) -> None:
        self._text = text
        self._rest = text
        self._layout = layout
        self._nanos = 0

    def read(self) -> tuple[int, int]:
        year = self._year()
        self._skip("-")
        month = self._number("01", both=True)
        self._within(1 <= month <= 12, "month")
        self._skip("-")
        day = self._number("02", both=True)
        hour, minute, second = (0, 0, 0) if self._layout is _LAYOUT_DATE else self._clock()
        offset = self._offset() if self._layout in (_LAYOUT, _LAYOUT_MICRO) else 0
        if self._rest:
            self._refuse(f": extra text: {_quote(self._rest)}")
        if day < 1 or day > _days_in(year, month):
            self._refuse(": day out of range")
        # Year 0 exists in Go's calendar, not in Python's; 400 years later the calendar is the same.
        shift = 400 if year == 0 else 0
        local = datetime(year + shift, month, day, hour, minute, second, tzinfo=UTC)
        seconds = int((local - _EPOCH).total_seconds()) - (146_097 * 86_400 if shift else 0)
        return seconds - offset, self._nanos

    def _clock(self) -> tuple[int, int, int]:
        self._skip("T")
        hour = self._number("15", both=False)
        self._within(hour < 24, "hour")
        self._skip(":")
        minute = self._number("04", both=True)
        self._within(minute < 60, "minute")
        self._skip(":")
        second = self._number("05", both=True)
        self._within(second < 60, "second")
        if self._layout is _LAYOUT_MICRO:
            self._exact_fraction()
        else:
            self._fraction()
        return hour, minute, second

    def _year(self) -> int:
        held = self._rest
        digits, self._rest = held[:4], held[4:]
        if len(digits) < 4 or not _all_digits(digits):
            self._cannot("2006", held)
        return int(digits)

    def _number(self, element: str, *, both: bool) -> int:
        """One or two digits; with `both`, two."""
        held = self._rest
        if held[:1] not in _DIGITS:
            self._cannot(element, held)
        if held[1:2] not in _DIGITS:
            if both:
                self._cannot(element, held)
            self._rest = held[1:]
            return int(held[0])
        self._rest = held[2:]
        return int(held[:2])

    def _fraction(self) -> None:
        """Go takes a fraction after the seconds even when the layout shows none."""
        rest = self._rest
        if len(rest) < 2 or rest[0] not in ".," or rest[1] not in _DIGITS:
            return
        end = 2
        while end < len(rest) and rest[end] in _DIGITS:
            end += 1
        self._nanos = int(rest[1:end][:9].ljust(9, "0"))
        self._rest = rest[end:]

    def _exact_fraction(self) -> None:
        held = self._rest
        if len(held.encode()) < 7 or held[0] not in ".," or not _all_digits(held[1:7]):
            self._cannot(".000000", held)
        self._nanos = int(held[1:7]) * 1000
        self._rest = held[7:]

    def _offset(self) -> int:
        held = self._rest
        if held[:1] == "Z":
            self._rest = held[1:]
            return 0
        if len(held.encode()) < 6 or held[3:4] != ":":
            self._cannot("Z07:00", held)
        sign, hour, minute, self._rest = held[0], held[1:3], held[4:6], held[6:]
        readable = _all_digits(hour) and _all_digits(minute) and len(minute) == 2
        if readable:
            self._within(int(hour) <= 24, "time zone offset hour")
            self._within(int(minute) <= 60, "time zone offset minute")
        if not readable or sign not in "+-":
            self._cannot("Z07:00", held)
        offset = int(hour) * 3600 + int(minute) * 60
        return -offset if sign == "-" else offset

    def _skip(self, separator: str) -> None:
        if not self._rest.startswith(separator):
            self._cannot(separator, self._rest)
        self._rest = self._rest[1:]

    def _within(self, holds: bool, what: str) -> None:
        if not holds:
            self._refuse(f": {what} out of range")

    def _refuse(self, why: str) -> None:
        raise ValueError(f"parsing time {_quote(self._text)}{why}")

    def _cannot(self, element: str, held: str) -> None:
        self._refuse(f" as {_quote(self._layout)}: cannot parse {_quote(held)} as {_quote(element)}")


def _all_digits(text: str) -> bool:
    return bool(text) and text.isascii() and text.isdigit()


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _quote(text: str) -> str:
    """The time package's own quoting: bytes outside printable ASCII as \\xNN."""
    pieces: list[str] = []
    for character in text:
        if character in '"\\':
            pieces.append("\\" + character)
        elif " " <= character < "\x80":
            pieces.append(character)
        else:
            pieces.extend(f"\\x{byte:02x}" for byte in character.encode("utf-8", "replace"))
    return '"' + "".join(pieces) + '"'


def parse_duration(text: str) -> int:
    """Nanoseconds of `1h15m30.918s`, `-1.5h`, `300ms`, `0`.

    Raises: ValueError in Go's words.
    """
    rest = text
    negative = rest[:1] == "-"
    if rest[:1] in ("-", "+"):
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    total = 0
    while rest:
        nanos, rest = _one_unit(rest, text)
        total += nanos
        if total > _NANOS_MAX:
            raise ValueError(f"time: invalid duration {_quote(text)}")
    if negative:
        return -total
    if total >= _NANOS_MAX:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    return total


def _one_unit(rest: str, text: str) -> tuple[int, str]:
    """The nanoseconds of the first number with its unit, and what follows."""
    whole, rest = _leading(rest, lambda character: character in _DIGITS)
    fraction, dot = "", rest[:1] == "."
    if dot:
        fraction, rest = _leading(rest[1:], lambda character: character in _DIGITS)
    if not whole and not fraction:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    unit_text, rest = _leading(rest, lambda character: character != "." and character not in _DIGITS)
    if not unit_text:
        raise ValueError(f"time: missing unit in duration {_quote(text)}")
    unit = _UNITS.get(unit_text)
    if unit is None:
        raise ValueError(f"time: unknown unit {_quote(unit_text)} in duration {_quote(text)}")
    whole = whole.lstrip("0") or "0"
    if len(whole) > 19 or int(whole) > _NANOS_MAX // unit:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    # Go keeps as many digits of a fraction as fit 63 bits and ignores the rest.
    digits = fraction[:18]
    scale = float(10 ** len(digits))
    nanos = int(whole) * unit + (int(float(int(digits)) * (unit / scale)) if digits else 0)
    if nanos > _NANOS_MAX:
        raise ValueError(f"time: invalid duration {_quote(text)}")
    return nanos, rest


def _leading(text: str, belongs: Callable[[str], bool]) -> tuple[str, str]:
    end = 0
    while end < len(text) and belongs(text[end]):
        end += 1
    return text[:end], text[end:]


def format_duration(nanos: int) -> str:
    """`1h15m30.918s`; below a second the unit that leaves a whole number in front; `0s`."""
    if nanos == 0:
        return "0s"
    sign, size = ("-", -nanos) if nanos < 0 else ("", nanos)
    for unit, unit_text in ((1_000, "ns"), (1_000_000, "µs"), (1_000_000_000, "ms")):
        if size < unit:
            return f"{sign}{_with_fraction(size, unit // 1000)}{unit_text}"
    minutes, rest = divmod(size, 60_000_000_000)
    text = f"{_with_fraction(rest, 1_000_000_000)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return sign + text


def _with_fraction(size: int, unit: int) -> str:
    whole, rest = divmod(size, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}." + str(rest).rjust(digits, "0").rstrip("0")
