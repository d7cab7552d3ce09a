"""One connection to a server: one exchange at a time, read whole or as a stream.

Promises
    X1  an exchange that is cancelled, times out or breaks closes the connection: no answer is taken for
        another's
    X2  a stream that is not read stops being received: at most STREAM_BYTES_MAX wait
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

from kajitori.client.http1 import BODY_BYTES_MAX, ProtocolError, ResponseReader
from kajitori.client.transport import RawResponse

__all__ = ["Connection"]

STREAM_BYTES_MAX = 1 << 20
"""Of a stream, received and not yet read."""


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`."""

    def __init__(self, on_lost: Callable[["Connection"], None]) -> None:
        self.is_open = False
        self.idle_since = 0.0
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is no more."""
        self._transport: asyncio.Transport | None = None
        self._reader = ResponseReader(self._head_came, self._part_came, self._end_came)
        self._waiting: asyncio.Future[None] | None = None
        self._parts: list[bytes] = []
        self._bytes = 0
        self._has_head = False
        self._has_end = False
        self._is_stream = False
        self._is_paused = False
        self._error: Exception | None = None

    @property
    def is_reusable(self) -> bool:
        """Whether another exchange may follow the one that has ended."""
        return self.is_open and self._has_end and self._reader.keep_alive and self._error is None

    async def exchange(self, request: bytes, timeout: float | None) -> RawResponse:
        """Raises: OSError, TimeoutError."""
        self._begin(request, is_stream=False)
        await self._wait_for(lambda: self._has_end, timeout)
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return RawResponse(self._reader.status, self._reader.headers, body)

    async def open_stream(self, request: bytes, timeout: float | None) -> tuple[int, dict[str, str]]:
        """Status and headers; then comes `chunks`. Raises: OSError, TimeoutError."""
        self._begin(request, is_stream=True)
        await self._wait_for(lambda: self._has_head, timeout)
        return self._reader.status, self._reader.headers

    async def open_tunnel(self, request: bytes) -> int:
        """The status of the answer to CONNECT. After 200 the connection belongs to whom the tunnel leads.

        Raises: OSError.
        """
        self._begin(request, is_stream=True)
        await self._wait_for(lambda: self._has_head, None)
        return self._reader.status

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises: OSError."""
        while True:
            if self._parts:
                parts, self._parts, self._bytes = self._parts, [], 0
                if self._is_paused and self._transport is not None:
                    self._is_paused = False
                    self._transport.resume_reading()
                yield parts[0] if len(parts) == 1 else b"".join(parts)
            elif self._has_end:
                return
            else:
                await self._wait_for(lambda: bool(self._parts) or self._has_end, None)

    def close(self) -> None:
        """Hangs up at once. Safe to repeat."""
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, request: bytes, *, is_stream: bool) -> None:
        self._parts, self._bytes = [], 0
        self._has_head = self._has_end = False
        self._is_stream = is_stream
        if self._transport is None or not self.is_open:
            raise ConnectionResetError("the connection was closed")
        self._transport.write(request)

    async def _wait_for(self, holds: Callable[[], bool], timeout: float | None) -> None:
        timer = None if timeout is None else self._loop.call_later(timeout, self._time_out)
        try:
            while not holds():
                if self._error is not None:
                    raise self._error
                self._waiting = self._loop.create_future()
                await self._waiting
        except BaseException:
            self.close()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
        self._wake()

    def _time_out(self) -> None:
        self._fail(TimeoutError())

    # What the reader finds.

    def _head_came(self) -> None:
        self._has_head = True
        if self._is_stream:
            self._wake()

    def _part_came(self, part: bytes) -> None:
        self._parts.append(part)
        self._bytes += len(part)
        if self._is_stream:
            if self._bytes > STREAM_BYTES_MAX and not self._is_paused and self._transport is not None:
                self._is_paused = True
                self._transport.pause_reading()
            self._wake()
        elif self._bytes > BODY_BYTES_MAX:
            raise ProtocolError(f"the answer is longer than {BODY_BYTES_MAX} bytes")

    def _end_came(self) -> None:
        self._has_end = True
        self._wake()

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except Exception as error:
            self._fail(error if isinstance(error, OSError) else ProtocolError(str(error)))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if exc is None and self._has_head and not self._has_end and self._reader.ends_with_connection():
            self._end_came()
        elif not self._has_end:
            self._fail(
                exc if isinstance(exc, OSError) else ConnectionResetError("the server closed the connection")
            )
        if not self.lost.done():
            self.lost.set_result(None)
        self._on_lost(self)
