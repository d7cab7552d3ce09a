"""The streams of one connection: what its frames mean for requests, and who may have how many of them.

Between the reader, which tells what frames say, and the exchanges, one for each stream. The connection above it has
the transport, the deadlines and the end.

Promises
    B1  requests of one connection are worked on at once, `streams_max` of them; none waits for the answer to another
    B2  what RFC 9113 calls an error of a stream ends the stream, and nothing else
    B3  a client never has more memory of ours than its windows, its streams and the named limits allow
    B4  what costs us more than the client (resets, pings, settings) has an allowance; who goes beyond is told
        ENHANCE_YOUR_CALM

Source: RFC 9113 sections 5, 6 and 8; Go's net/http for what they leave open.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from kajitori.apiserver.http.http2.allowance import Allowance
from kajitori.apiserver.http.http2.exchange import Exchange
from kajitori.apiserver.http.http2.heads import Blocks, Head, Malformed, check_trailers
from kajitori.apiserver.http.http2.outflow import Outflow
from kajitori.apiserver.http.http2.outlet import Outlet
from kajitori.apiserver.http.http2.reader import SELF_DEPENDENT, Http2Reader
from kajitori.apiserver.http.http2.uploads import Uploads
from kajitori.apiserver.http.limits import (
    CONTROLS_BURST,
    CONTROLS_PER_SECOND,
    RESETS_BURST,
    RESETS_PER_SECOND,
)
from kajitori.apiserver.http.peer import ConnectionPeer
from kajitori.apiserver.http.shared import Shared
from kajitori.wire.http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    INT31_MAX,
    Code,
    FrameError,
    Kind,
    Setting,
    frame,
    headers,
    reset,
)
from kajitori.wire.http2.hpack import NO_TABLE, TABLE_BYTES, Field

__all__ = ["Http2Streams"]

_RESETS_REMEMBERED = 256
"""Streams that we reset, and whose client may not know yet."""
_CONTINUE = b"\x08\x03100"
_SETTINGS_ACK = frame(Kind.SETTINGS, ACK, 0)
_TOO_LONG: list[Field] = [(":method", "GET", 0), (":scheme", "https", 0), (":path", "/", 0)]
"""Stands for a head that was too long to be kept."""


class Http2Streams(Http2Reader, ConnectionPeer):
    """The half of a connection that works on requests."""

    def __init__(self, shared: Shared, blocks: Blocks) -> None:
        limits = shared.limits
        self._reset_reader(limits)
        self.shared = shared
        self.blocks = blocks
        self._outlet = Outlet(shared.loop, limits.unread_bytes_max)
        self._write = self._outlet.write
        self.outflow = Outflow(self._write)
        self.remote = ""
        self._certificate: bytes | None = None
        self._owed = b""
        """Begins the next header block."""
        self._streams: dict[int, Exchange] = {}
        self._uploads = Uploads(limits, self._write)
        self._lingering: dict[Exchange, asyncio.Future[Any]] = {}
        """The tasks of those that are gone."""
        self._reset: dict[int, None] = {}
        self._last = 0
        """The highest stream that the client has begun."""
        self._accepts_until = INT31_MAX
        """Streams beyond it are no longer worked on; less once the connection ends."""
        self._bad_ends = Allowance(RESETS_BURST, RESETS_PER_SECOND)
        self._controls = Allowance(CONTROLS_BURST, CONTROLS_PER_SECOND)

    # For the connection to do.

    def drain(self, *, streams: bool = True) -> None:
        """Ends the connection once what it is doing is done; unless told not to, ends streams at once."""
        raise NotImplementedError

    def _busy(self) -> None:
        """A stream has begun."""
        raise NotImplementedError

    def _rest(self) -> None:
        """After anything that may have been the last of what there is to do."""
        raise NotImplementedError

    # What frames mean.

    def _on_fields(self, flags: int, stream: int, fields: list[Field]) -> None:
        """The headers of a request, or its trailers."""
        exchange = self._streams.get(stream)
        if exchange is not None:
            self._on_trailers(exchange, flags, fields)
            return
        if stream <= self._last:
            if stream not in self._reset:
                raise FrameError(Code.PROTOCOL_ERROR, "HEADERS of a stream that is over")
            self._on_other()
            return
        if stream > self._accepts_until:
            return
        self._last = stream
        if len(self._streams) + len(self._lingering) >= self._limits.streams_max:
            self._refuse_stream(stream, Code.REFUSED_STREAM)
            return
        if flags & SELF_DEPENDENT:
            self._refuse_stream(stream, Code.PROTOCOL_ERROR)
            return
        truncated = self._decoder.truncated
        ended = bool(flags & END_STREAM)
        try:
            head = Head(_TOO_LONG if truncated else fields)
        except Malformed:
            self._refuse_stream(stream, Code.PROTOCOL_ERROR)
            return
        if ended and head.length:
            self._refuse_stream(stream, Code.PROTOCOL_ERROR)
            return
        exchange = self._streams[stream] = Exchange(self, stream, head, ended=ended)
        self._busy()
        if truncated:
            exchange.refuse(431, "431 Request Header Fields Too Large")
        elif ended:
            exchange.begin()
        elif exchange.declares_too_much:
            exchange.begin(oversized=True)
        else:
            self._uploads.add(exchange, self.shared.loop.time() + self._limits.body_seconds_max)
            if exchange.expects:
                self._write(frame(Kind.HEADERS, END_HEADERS, stream, self._owing() + _CONTINUE))

    def _on_trailers(self, exchange: Exchange, flags: int, fields: list[Field]) -> None:
        if exchange.ended:
            self.reset(exchange, Code.STREAM_CLOSED)
            return
        try:
            check_trailers(fields)
        except Malformed:
            self.reset(exchange, Code.PROTOCOL_ERROR)
            return
        if not flags & END_STREAM:
            self.reset(exchange, Code.PROTOCOL_ERROR)
        else:
            self._ended(exchange)

    def _on_data(self, stream: int, payload: bytes, size: int, ends: bool) -> None:
        exchange = self._streams.get(stream)
        has_begun = exchange is not None or self._has_begun(stream)
        self._uploads.received(size)
        if not has_begun:
            return
        if exchange is None or exchange.ended:
            if exchange is not None:
                self.reset(exchange, Code.STREAM_CLOSED)
            elif stream not in self._reset:
                self._refuse_stream(stream, Code.STREAM_CLOSED)
            elif not size:
                self._on_other()
            return
        if not payload and not ends:
            self._on_other()
        if (
            exchange.request is not None
        ):  # it is being answered: the rest is not wanted, but may be on its way
            exchange.ended = ends
            return
        code = self._uploads.extend(exchange, payload, size)
        if code is not None:
            self.reset(exchange, code)
        elif exchange.is_too_large:
            exchange.ended = ends
            self._complete(exchange, oversized=True)
        elif ends:
            self._ended(exchange)
        else:
            self._uploads.go_on(exchange)

    def _on_window_update(self, stream: int, increment: int) -> None:
        outflow = self.outflow
        if not stream:
            if not increment:
                raise FrameError(Code.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
            outflow.window += increment
            if outflow.window > INT31_MAX:
                raise FrameError(Code.FLOW_CONTROL_ERROR, "the window is larger than it may be")
        else:
            exchange = self._streams.get(stream)
            if exchange is None:
                self._has_begun(stream)
                return
            if not increment:
                self.reset(exchange, Code.PROTOCOL_ERROR)
                return
            if not outflow.widen(exchange, increment):
                self.reset(exchange, Code.FLOW_CONTROL_ERROR)
                return
        if outflow.waiting and not outflow.paused:
            outflow.flush()

    def _on_settings(self, values: Sequence[tuple[int, int]]) -> None:
        outflow = self.outflow
        for name, value in values:
            if name == Setting.INITIAL_WINDOW_SIZE:
                change = value - outflow.initial_window
                outflow.initial_window = value
                for exchange in self._streams.values():
                    if not outflow.widen(exchange, change):
                        raise FrameError(Code.FLOW_CONTROL_ERROR, "a window is larger than it may be")
            elif name == Setting.MAX_FRAME_SIZE:
                outflow.frame_bytes_max = value
            elif name == Setting.HEADER_TABLE_SIZE and value < TABLE_BYTES:
                self._owed = NO_TABLE
        self._write(_SETTINGS_ACK)
        if self._settled:
            self._on_other()
            outflow.flush()
        else:
            self._rest()

    def _on_reset(self, stream: int) -> None:
        exchange = self._streams.get(stream)
        if exchange is None:
            self._has_begun(stream)
            self._on_other()
            return
        self._bad_end()
        self._drop(exchange)
        self._rest()

    def _has_begun(self, stream: int) -> bool:
        """Whether there is or was such a stream; False for one that we said that we would not work on.

        Raises: FrameError for any other.
        """
        if stream & 1:
            if stream <= self._last:
                return True
            if stream > self._accepts_until:
                return False
        raise FrameError(Code.PROTOCOL_ERROR, "a frame of a stream that has not begun")

    # Requests.

    def _ended(self, exchange: Exchange) -> None:
        """The client has sent all of a request."""
        exchange.ended = True
        if exchange.request is not None:
            return
        if exchange.is_complete:
            self._complete(exchange)
        else:
            self.reset(exchange, Code.PROTOCOL_ERROR)

    def _complete(self, exchange: Exchange, *, oversized: bool = False) -> None:
        self._uploads.over(exchange)
        exchange.begin(oversized=oversized)

    # Answers.

    def answer(self, exchange: Exchange, block: bytes, body: bytes, *, ends: bool) -> None:
        """Writes the head of an answer, and what of the body there is."""
        if self._owed:
            block = self._owing() + block
        only = ends and not body
        head = headers(block, exchange.stream, self.outflow.frame_bytes_max, ends=only)
        if only:
            self._write(head)
            exchange.sent()
        else:
            self.outflow.send(exchange, body, ends=ends, head=head)

    def answered(self, exchange: Exchange) -> None:
        """The answer is on its way, whole."""
        if not exchange.ended:
            self._write(reset(exchange.stream, Code.NO_ERROR))
            self._remember(exchange.stream)
        self._drop(exchange)
        if exchange.request is not None and not exchange.request.keep_alive:
            self.drain(streams=False)
        self._rest()

    def reset(self, exchange: Exchange, code: Code) -> None:
        """Ends a stream before its time."""
        if code not in (Code.INTERNAL_ERROR, Code.HTTP_1_1_REQUIRED):
            self._bad_end()
        if not exchange.gone:
            self._write(reset(exchange.stream, code))
            self._remember(exchange.stream)
            self._drop(exchange)
            self._rest()

    def let_go(self, exchange: Exchange) -> None:
        """The task of a stream that is gone has ended."""
        self._lingering.pop(exchange, None)

    def _owing(self) -> bytes:
        owed, self._owed = self._owed, b""
        return owed

    def _refuse_stream(self, stream: int, code: Code) -> None:
        self._bad_end()
        self._write(reset(stream, code))
        self._remember(stream)
        self._rest()

    def _drop(self, exchange: Exchange) -> None:
        self._streams.pop(exchange.stream, None)
        self.outflow.forget(exchange)
        self._uploads.over(exchange)
        task = exchange.cancel()
        if task is not None:
            self._lingering[exchange] = task

    def _remember(self, stream: int) -> None:
        if len(self._reset) >= _RESETS_REMEMBERED:
            del self._reset[next(iter(self._reset))]
        self._reset[stream] = None

    def _bad_end(self) -> None:
        if not self._bad_ends.take(self.shared.loop.time()):
            raise FrameError(Code.ENHANCE_YOUR_CALM, "too many streams that end badly")

    def _on_other(self) -> None:
        if not self._controls.take(self.shared.loop.time()):
            raise FrameError(Code.ENHANCE_YOUR_CALM, "too many frames that ask for nothing")
