"""Timestamps, durations and ages as Kubernetes writes them. Nothing here reads a clock: "now" is passed in.

Sits under defaulting, validation and tables. `Time` has seconds on the wire, `MicroTime` microseconds.

Promises
    M1  normal_time(text) is what the API server shows for a time that a client sent: UTC, whole seconds
    M2  an age is the text that `kubectl get` shows for it

Source: apimachinery's meta/v1 Time, MicroTime, Duration and util/duration.
"""

from functools import lru_cache

from kajitori.wire.go_time import (
    ZERO_SECONDS,
    format_duration,
    format_rfc3339,
    format_rfc3339_micro,
    parse_duration,
    parse_rfc3339,
    parse_rfc3339_micro,
)

__all__ = [
    "age",
    "format_duration",
    "format_micro_time",
    "format_time",
    "human_duration",
    "normal_micro_time",
    "normal_time",
    "parse_duration",
    "parse_micro_time",
    "parse_time",
]

TEXTS_MAX = 2048
"""How many sent times are remembered: an object says few, over and over."""


def parse_time(text: str) -> float:
    """Unix time of an RFC 3339 text, with its fraction if it has one.

    Raises: ValueError in Go's words.
    """
    seconds, nanos = parse_rfc3339(text)
    return seconds + nanos / 1e9 if nanos else seconds


def parse_micro_time(text: str) -> int:
    """Microseconds since 1970 of a MicroTime.

    Raises: ValueError in Go's words.
    """
    seconds, nanos = parse_rfc3339_micro(text)
    return seconds * 1_000_000 + nanos // 1000


def format_time(unix_seconds: float) -> str:
    """`2006-01-02T15:04:05Z`; a fraction is cut off, not rounded."""
    return _formatted(int(unix_seconds // 1))


_formatted = lru_cache(maxsize=64)(format_rfc3339)
"""Most times that are written down are of this second."""


def format_micro_time(unix_micros: int) -> str:
    """`2006-01-02T15:04:05.000000Z` of microseconds since 1970."""
    seconds, micros = divmod(unix_micros, 1_000_000)
    return format_rfc3339_micro(seconds, micros * 1000)


@lru_cache(maxsize=TEXTS_MAX)
def normal_time(text: str) -> str | None:
    """What a sent Time becomes when it is shown again; None for Go's zero time, which means "not set".

    Raises: ValueError in Go's words.
    """
    seconds, nanos = parse_rfc3339(text)
    if seconds == ZERO_SECONDS and not nanos:
        return None
    return format_rfc3339(seconds)


def normal_micro_time(text: str) -> str | None:
    """What a sent MicroTime becomes when it is shown again; None for Go's zero time.

    Raises: ValueError in Go's words.
    """
    seconds, nanos = parse_rfc3339_micro(text)
    if seconds == ZERO_SECONDS and not nanos:
        return None
    return format_rfc3339_micro(seconds, nanos)


def human_duration(seconds: float) -> str:
    """Two or three significant figures: `59s`, `9m59s`, `7h30m`, `3d4h`, `4y120d`; `<invalid>` before now.

    A second into the future counts as now, because clocks of machines differ.
    """
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = whole // 3600
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(hours // 24, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{hours // 24}d"
    if hours < 24 * 365 * 8:
        return _two(hours // 24 // 365, "y", hours // 24 % 365, "d")
    return f"{hours // 24 // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def age(timestamp: str | None, now: float) -> str:
    """How long before `now` (Unix time) a timestamp of an object lies; `<unknown>` when there is none."""
    if not timestamp:
        return "<unknown>"
    try:
        seconds, nanos = parse_rfc3339(timestamp)
    except ValueError:
        return "<invalid>"
    if seconds == ZERO_SECONDS and not nanos:
        return "<unknown>"
    return human_duration(now - seconds - nanos / 1e9)
