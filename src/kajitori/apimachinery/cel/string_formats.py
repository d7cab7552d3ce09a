"""Strings that stand for something else by their `format`: durations, dates, moments and bytes.

More is readable here than in expressions: `duration('3 days')` is an error, a field of format duration may say so.

Source: kube-openapi's pkg/validation/strfmt; apiserver's pkg/cel/common/valuesunstructured.go for the messages.
"""

import base64
import re
from collections.abc import Mapping, Sequence

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.times import parse_timestamp
from kajitori.apimachinery.cel.values import INT_MAX, Duration, Timestamp
from kajitori.wire import go_time

__all__ = ["read_bytes", "read_date", "read_date_time", "read_duration"]

_SECOND = 1_000_000_000
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86_400 * _SECOND,
    "w": 7 * 86_400 * _SECOND,
}
_UNITS: Mapping[str, Sequence[str]] = {
    "ns": ("ns", "nano"),
    "us": ("us", "µs", "micro"),
    "ms": ("ms", "milli"),
    "s": ("s", "sec"),
    "m": ("m", "min"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
    "w": ("w", "wk", "week"),
}
"""How a unit may be written: one of these, or anything that begins with the last."""
_AMOUNT = re.compile(r"([0-9]+)[\t\n\f\r ]*([A-Za-zµ]+)")
_BASE64 = re.compile(r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?")


def read_duration(text: str) -> Duration:
    """A Go duration, or amounts with units written out: `3 days`, `1 week 2 hours`."""
    try:
        return Duration(go_time.parse_duration(text))
    except ValueError:
        pass
    total, known = 0, False
    for amount, unit in _AMOUNT.findall(text):
        if int(amount) > INT_MAX:
            problem = f'strconv.Atoi: parsing "{amount}": value out of range'
            raise EvaluationError(f"Invalid duration {text}: {problem}")
        written = unit.lower()
        for short, variants in _UNITS.items():
            if written in variants or written.startswith(variants[-1]):
                known = True
                total += int(amount) * _NANOSECONDS[short]
    if not known:
        raise EvaluationError(f"Invalid duration {text}: unable to parse {text} as duration")
    # Sums that do not fit wrap around, as Go's do.
    return Duration((total + (1 << 63)) % (1 << 64) - (1 << 63))


def read_date(text: str) -> Timestamp:
    """The beginning of a day, in UTC."""
    try:
        return Timestamp(go_time.parse_date(text) * _SECOND)
    except ValueError as error:
        raise EvaluationError(f"Invalid date formatted string {text}: {error}") from None


def read_date_time(text: str) -> Timestamp:
    """A moment with its offset from UTC, or without one; nothing at all is the beginning of 1970."""
    if not text:
        return Timestamp(0)
    moment = parse_timestamp(text)
    if moment is not None:
        return moment
    try:
        seconds, nanoseconds = go_time.parse_local_time(text)
    except ValueError as error:
        raise EvaluationError(f"Invalid date-time formatted string {text}: {error}") from None
    return Timestamp(seconds * _SECOND + nanoseconds)


def read_bytes(text: str) -> bytes:
    """The bytes that base64 stands for, in its alphabet for URLs."""
    plain = text.replace("\r", "").replace("\n", "")
    if _BASE64.fullmatch(plain):
        return base64.urlsafe_b64decode(plain)
    problem = f"illegal base64 data at input byte {_first_wrong(text)}"
    raise EvaluationError(f"Invalid byte formatted string {text}: {problem}")


def _first_wrong(text: str) -> int:
    """Where Go says that a text ceases to be base64; groups that end too early are wrong where they begin."""
    data = text.encode()
    in_group, at = 0, 0
    while at < len(data):
        char = data[at : at + 1]
        at += 1
        if char in (b"\n", b"\r"):
            continue
        if char.isalnum() or char in b"-_":
            in_group = (in_group + 1) % 4
            continue
        if char != b"=" or in_group < 2:
            return at - 1
        at = _after_breaks(data, at)
        if in_group == 2:
            if at == len(data):
                return at
            if data[at : at + 1] != b"=":
                return at - 1
            at = _after_breaks(data, at + 1)
        return at
    return at - in_group


def _after_breaks(data: bytes, at: int) -> int:
    while data[at : at + 1] in (b"\n", b"\r"):
        at += 1
    return at
