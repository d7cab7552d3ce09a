"""A watch that can be cut, held, delayed or ended with an error, between its server and its reader.

Promises
    W1  what is handed on is what came, in order, up to where it is cut
    W2  an error is told only between two events: where half of one was handed on, the watch breaks instead
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.client.transport import TransportError
from kajitori.client.watchlines import WatchLines
from kajitori.testing.calls import Call
from kajitori.testing.faultkinds import Cut, Fault, Late, NoBookmarks, WatchError, error_for

if TYPE_CHECKING:
    from kajitori.testing.faults import Faults

__all__ = ["OpenWatch"]

INITIAL_EVENTS_END = b'"k8s.io/initial-events-end"'


class _Typed(msgspec.Struct):
    type: str = ""


_typed = msgspec.json.Decoder(_Typed)


class OpenWatch:
    """One watch, from its head to its end."""

    def __init__(self, call: Call, fault: Fault | None, faults: "Faults") -> None:
        self.call = call
        self._faults = faults
        self._gate: asyncio.Timeout | None = None
        self._bytes_left: int | None = None
        self._events_left: int | None = None
        self._late_seconds = 0.0
        self._lines = WatchLines() if isinstance(fault, NoBookmarks) else None
        self._is_whole = True
        self._is_ending = False
        self._clean = False
        self._error: ApiError | None = None
        match fault:
            case Cut(after_bytes=bytes_left, after_events=events_left, clean=clean):
                self._bytes_left, self._events_left, self._clean = bytes_left, events_left, clean
            case WatchError(error=error, after_events=events_left):
                self._events_left, self._error = events_left, error_for(error, call)
            case Late(seconds=seconds):
                self._late_seconds = seconds
            case _:
                pass

    def cut(self, *, clean: bool) -> None:
        """Ends it now, whatever has not been read."""
        self._clean, self._error = clean, None
        self._end()

    def fail(self, error: ApiError) -> None:
        """Tells the error now, instead of whatever has not been read."""
        self._error = error
        self._end()

    def _end(self) -> None:
        self._is_ending = True
        if self._gate is not None and not self._gate.expired():
            self._gate.reschedule(asyncio.get_running_loop().time())

    async def read(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What comes of `chunks`. Raises: TransportError, where it is cut, and what `chunks` raises."""
        while not self._is_over:
            try:
                async with asyncio.timeout(None) as self._gate:
                    chunk = await anext(chunks)
                    late = self._late_seconds + self._faults.latency_seconds(self.call)
                    if late:
                        await asyncio.sleep(late)
                    while (released := self._faults.holding(self.call)) is not None:
                        await released.wait()
            except StopAsyncIteration:
                return
            except TimeoutError:
                if not self._is_ending:
                    raise
                break
            finally:
                self._gate = None
            chunk = self._allowed(chunk)
            if chunk:
                self._is_whole = chunk.endswith(b"\n")
                yield chunk
        if self._error is not None and self._is_whole:
            yield msgspec.json.encode({"type": "ERROR", "object": self._error.to_status()}) + b"\n"
        elif not self._clean:
            raise TransportError(f"{self.call}: the connection broke, by a fault of the test")

    @property
    def _is_over(self) -> bool:
        return self._is_ending or self._bytes_left == 0 or self._events_left == 0

    def _allowed(self, chunk: bytes) -> bytes:
        """The part of a chunk that may be handed on."""
        if self._lines is not None:
            lines = self._lines.feed(chunk)
            return b"".join(line + b"\n" for line in lines if not _is_bookmark(line))
        if self._events_left is not None:
            lines = chunk.split(b"\n", self._events_left)
            if len(lines) > self._events_left:
                chunk = b"".join(line + b"\n" for line in lines[:-1])
            self._events_left -= chunk.count(b"\n")
        if self._bytes_left is not None:
            chunk = chunk[: self._bytes_left]
            self._bytes_left -= len(chunk)
        return chunk


def _is_bookmark(line: bytes) -> bool:
    return _typed.decode(line).type == "BOOKMARK" and INITIAL_EVENTS_END not in line
