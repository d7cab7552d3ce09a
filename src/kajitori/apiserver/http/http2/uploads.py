"""What clients may send of request bodies: the receiving side of flow control.

Under the connection, which tells of data and writes what is given here.

Promises
    L1  each body may be a window ahead, and goes on being sent while there is room for all of them
    L2  when there is not, the oldest goes on and the others wait within their windows: none waits for ever
    L3  what the connection used is given back whatever became of it: only the windows of streams limit

Source: RFC 9113 sections 5.2 and 6.9; kube-apiserver, whose window for a connection is that of all its streams.
"""

from collections.abc import Callable

from kajitori.apiserver.http.http2.exchange import Exchange
from kajitori.apiserver.http.limits import Limits
from kajitori.wire.http2.frames import Code, FrameError, window_update

__all__ = ["Uploads"]


class Uploads:
    """The requests of a connection that are not whole."""

    __slots__ = ("_held_bytes", "_limits", "_open", "_unreturned_bytes", "_write", "window")

    def __init__(self, limits: Limits, write: Callable[[bytes], object]) -> None:
        self._limits = limits
        self._write = write
        self._open: dict[int, Exchange] = {}
        """By stream, oldest first."""
        self._held_bytes = 0
        self.window = limits.stream_window_bytes * limits.streams_max
        """Of the connection."""
        self._unreturned_bytes = 0

    def add(self, exchange: Exchange, deadline: float) -> None:
        """A request whose body is to come until `deadline`."""
        self._open[exchange.stream] = exchange
        exchange.upload_window = self._limits.stream_window_bytes
        exchange.deadline = deadline

    def received(self, size: int) -> None:
        """Data came, for whatever stream.

        Raises: FrameError when it is more than was allowed.
        """
        self._unreturned_bytes += size
        if self._unreturned_bytes > self.window:
            raise FrameError(Code.FLOW_CONTROL_ERROR, "more data than allowed")
        if self._unreturned_bytes * 2 >= self.window:
            self._write(window_update(0, self._unreturned_bytes))
            self._unreturned_bytes = 0

    def extend(self, exchange: Exchange, data: bytes, size: int) -> Code | None:
        """Adds to a body; the error where the client may not do so. `size` is what counts for the window."""
        exchange.upload_window -= size
        if exchange.upload_window < 0:
            return Code.FLOW_CONTROL_ERROR
        self._held_bytes += len(data)
        exchange.unreturned_bytes += size
        return None if exchange.add(data) else Code.PROTOCOL_ERROR

    def go_on(self, exchange: Exchange) -> None:
        """Lets the client send on, where there is room, or where it has waited longest."""
        size = exchange.unreturned_bytes
        if size * 2 < self._limits.stream_window_bytes:
            return
        if (
            self._held_bytes > self._limits.uploads_bytes_max
            and next(iter(self._open.values())) is not exchange
        ):
            return
        exchange.unreturned_bytes = 0
        exchange.upload_window += size
        self._write(window_update(exchange.stream, size))

    def over(self, exchange: Exchange) -> None:
        """Nothing more is expected of a body; safe to repeat."""
        if self._open.pop(exchange.stream, None) is None:
            return
        was_full = self._held_bytes > self._limits.uploads_bytes_max
        self._held_bytes -= exchange.body_bytes
        if was_full:
            for each in self._open.values():
                self.go_on(each)

    def overdue(self, now: float) -> list[Exchange]:
        """Those whose deadline has passed."""
        return [each for each in self._open.values() if now >= each.deadline]
