"""The head of every answer: status line, Kubernetes' standing headers, the date.

Promises
    H1  every answer has Audit-Id, Cache-Control, Date and, where it has a body, Content-Type and a length
    H2  no header value can end its line: CR and LF become spaces
    H3  Audit-Ids are the client's own where it sent one, otherwise unique

Source: kube-apiserver's WithAuditInit and WithCacheControl filters; Go's net/http for the replaced newlines.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from time import gmtime

__all__ = ["AuditIds", "HeadWriter", "refusal"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n" for each in HTTPStatus}
# Go's words, where Python's differ.
_STATUS_LINES[413] = "HTTP/1.1 413 Request Entity Too Large\r\n"
_STATUS_LINES[422] = "HTTP/1.1 422 Unprocessable Entity\r\n"
_PREFIXES_MAX = 1024
"""Distinct (status, content type) pairs whose head is remembered."""
_STANDING = "Cache-Control: no-cache, private\r\n"
_REPLACEABLE = frozenset(("cache-control", "audit-id", "content-type", "date", "content-length"))


class AuditIds:
    """UUIDs: random for the process, counted within it. `seed` is 16 random bytes."""

    __slots__ = ("_count", "_prefix")

    def __init__(self, seed: bytes) -> None:
        text = seed.hex()
        self._prefix = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[seed[8] & 3]}{text[17:20]}-"
        self._count = int(text[20:], 16)

    def next(self) -> str:
        self._count = (self._count + 1) & 0xFFFFFFFFFFFF
        return f"{self._prefix}{self._count:012x}"


class HeadWriter:
    """Heads of answers as bytes; the date is made once a second, the rest once per kind of answer."""

    __slots__ = ("_clock", "_date", "_date_end", "_monotonic", "_prefixes")

    def __init__(self, wall_clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._clock = wall_clock
        self._monotonic = monotonic
        self._date = ""
        self._date_end = float("-inf")
        self._prefixes: dict[tuple[int, str], bytes] = {}

    def date(self) -> str:
        """`Date: …` for now."""
        if self._monotonic() >= self._date_end:
            self._next_second()
        return self._date

    def sized(self, status: int, content_type: str, audit_id: str, *, body: bytes) -> bytes:
        """A whole answer without further headers: what nearly every request gets."""
        if self._monotonic() >= self._date_end:
            self._next_second()
        prefix = self._prefixes.get((status, content_type)) or self._prefix(status, content_type)
        return b"%b%b\r\nContent-Length: %d\r\n\r\n%b" % (prefix, audit_id.encode(), len(body), body)

    def full(
        self,
        status: int,
        content_type: str,
        audit_id: str,
        *,
        headers: Sequence[tuple[str, str]],
        end: str = "",
    ) -> bytes:
        """A head with `headers`; `end` is what the connection adds: length, chunking, closing."""
        named = {name.lower() for name, _ in headers} & _REPLACEABLE if headers else ()
        parts = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} status code {status}\r\n"]
        if "cache-control" not in named:
            parts.append(_STANDING)
        if content_type and "content-type" not in named:
            parts.append(f"Content-Type: {_line(content_type)}\r\n")
        if "date" not in named:
            parts.append(self.date())
        if "audit-id" not in named:
            parts.append(f"Audit-Id: {audit_id}\r\n")
        for name, value in headers:
            if name.lower() != "content-length":  # ours to say
                parts.append(f"{_line(name)}: {_line(value)}\r\n")
        parts.append(end)
        parts.append("\r\n")
        return "".join(parts).encode("utf-8", "replace")

    def _prefix(self, status: int, content_type: str) -> bytes:
        """The part of a head that stays the same for a second."""
        if len(self._prefixes) >= _PREFIXES_MAX:
            self._prefixes.clear()
        line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} status code {status}\r\n"
        text = f"{line}{_STANDING}Content-Type: {_line(content_type)}\r\n{self._date}Audit-Id: "
        prefix = self._prefixes[status, content_type] = text.encode()
        return prefix

    def _next_second(self) -> None:
        wall = self._clock()
        self._date_end = self._monotonic() + 1 - wall % 1
        moment = gmtime(wall)
        self._date = (
            f"Date: {_DAYS[moment.tm_wday]}, {moment.tm_mday:02d} {_MONTHS[moment.tm_mon]} {moment.tm_year} "
            f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d} GMT\r\n"
        )
        self._prefixes.clear()


def refusal(status: int, detail: str = "") -> bytes:
    """The whole answer to what is not HTTP as we speak it, after which the connection closes.

    Worded as Go's net/http words it: plain text, the status, then what is wrong where it says so.
    """
    line = _STATUS_LINES[status]
    text = line[len("HTTP/1.1 ") : -2] + (f": {detail}" if detail else "")
    if status == 501:
        text = detail
    return f"{line}Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}".encode()


def _line(text: str) -> str:
    if "\r" in text or "\n" in text:
        return text.replace("\r", " ").replace("\n", " ").strip()
    return text
