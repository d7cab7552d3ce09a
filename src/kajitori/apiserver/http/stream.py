"""The body of an answer that is written over time, in chunks.

Promises
    W1  what is written is sent in order, each write as one chunk
    W2  a write never waits; it says how many bytes the client has yet to take
    W3  after close, by either side, writes do nothing
"""

import asyncio
from collections.abc import Callable

__all__ = ["LAST_CHUNK", "StreamWriter", "framed"]

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body."""


def framed(data: bytes) -> bytes:
    """`data` as one chunk of a chunked body; empty data gives nothing, since an empty chunk ends a body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class StreamWriter:
    """Writes one streamed body."""

    __slots__ = ("_chunked", "_finished", "_transport", "closed")

    def __init__(self, transport: asyncio.Transport, finished: Callable[[], None], *, chunked: bool) -> None:
        self._transport = transport
        self._finished = finished
        self._chunked = chunked
        self.closed = False
        """Nothing written from now on reaches the client."""

    def write(self, data: bytes) -> int:
        """Sends `data` without waiting; gives the bytes that wait to be taken by the client."""
        if self.closed or not data:
            return self.buffered
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        return self._transport.get_write_buffer_size()

    @property
    def buffered(self) -> int:
        """Bytes written that the client has not taken."""
        return 0 if self.closed else self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Ends the body; the connection may then carry the next request."""
        if self.closed:
            return
        self.closed = True
        if self._chunked:
            self._transport.write(LAST_CHUNK)
        self._finished()

    def abort(self) -> None:
        """Cuts the connection without ending the body, so that a slow client learns what it missed."""
        if not self.closed:
            self._transport.abort()
