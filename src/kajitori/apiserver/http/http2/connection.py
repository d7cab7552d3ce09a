"""One client connection that speaks HTTP/2: its frames read, its streams owned, its end.

A bare asyncio protocol, like the HTTP/1.1 connection beside it. What is written in answer to one piece of input is
one write.

Promises
    D1  requests of one connection are worked on at once, `streams_max` of them; none waits for the answer to another
    D2  what RFC 9113 calls an error of a stream ends the stream, an error of the connection ends that with a GOAWAY
        that says which requests were worked on
    D3  a client never has more memory of ours than its windows, its streams and the named limits allow
    D4  what costs us more than the client (resets, pings, settings, headers without end) has an allowance; who
        goes beyond is told ENHANCE_YOUR_CALM
    D5  a drain announces itself first, so that no request that is on its way is lost; it ends when all are answered
    D6  a connection or a stream that makes no progress ends: head, body, idle and write deadlines
    D7  after TURN_WEIGHT of one connection others have their turn

Source: RFC 9113; Go's net/http for what it leaves open.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

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
from kajitori.apiserver.http.peer import ConnectionPeer, address
from kajitori.apiserver.http.shared import Shared
from kajitori.wire.http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    INT31_MAX,
    WINDOW_BYTES,
    Code,
    FrameError,
    Kind,
    Setting,
    frame,
    goaway,
    headers,
    reset,
    settings,
    window_update,
)
from kajitori.wire.http2.hpack import NO_TABLE, TABLE_BYTES, Field, HpackError

__all__ = ["Http2Connection"]

_NEVER = float("inf")
TURN_WEIGHT = 2000
"""How much of one connection's input is dealt with before others have their turn: a frame is 1."""
_REQUEST_WEIGHT = 40
_RESETS_REMEMBERED = 256
"""Streams that we reset, and whose client may not know yet."""
_GOAWAY_SECONDS = 1.0
"""How long a draining connection waits for the client to have heard of it."""
_DRAIN_PING = b"draining"
_KEY_EXCHANGES = ("ECDHE-", "DHE-")
_CIPHERS = ("GCM", "CHACHA20", "CCM")
"""In the names of what HTTP/2 allows of TLS 1.2: forward secrecy, and encryption that authenticates (section 9.2.2)."""


class Http2Connection(Http2Reader, ConnectionPeer, asyncio.Protocol):
    """The server's side of one connection that speaks HTTP/2."""

    def __init__(
        self,
        shared: Shared,
        blocks: Blocks,
        register: "Callable[[Http2Connection], bool]",
        unregister: "Callable[[Http2Connection], None]",
    ) -> None:
        limits = shared.limits
        self._reset_reader(limits)
        self.shared = shared
        self.blocks = blocks
        self._outlet = Outlet(shared.loop, limits.unread_bytes_max)
        self._write = self._outlet.write
        self.outflow = Outflow(self._write)
        self.remote = ""
        self._register = register
        self._unregister = unregister
        self._transport = cast(asyncio.Transport, None)  # from connection_made on
        self._owed = b""
        """Begins the next header block."""
        self._streams: dict[int, Exchange] = {}
        self._uploads = Uploads(limits, self._write)
        self._lingering: dict[Exchange, asyncio.Future[Any]] = {}
        """The tasks of those that are gone."""
        self._reset: dict[int, None] = {}
        self._last = 0
        """The highest stream that the client has begun."""
        self._bad_ends = Allowance(RESETS_BURST, RESETS_PER_SECOND)
        self._controls = Allowance(CONTROLS_BURST, CONTROLS_PER_SECOND)
        self._held_back = False
        """Input waits for the next turn."""
        self._deaf = self._closing = False
        self._accepts_until = INT31_MAX
        """Streams beyond it are no longer worked on; less once the connection ends."""
        self._goaway_deadline = _NEVER
        self._deadline = _NEVER
        self._stalled: tuple[float, int] | None = None
        self._certificate: bytes | None = None

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._outlet.open(self._transport)
        self.remote = address(transport)
        limits = self._limits
        self._deadline = self.shared.loop.time() + limits.head_seconds_max
        greeting = settings(
            (
                (Setting.MAX_FRAME_SIZE, limits.stream_window_bytes),
                (Setting.MAX_CONCURRENT_STREAMS, limits.streams_max),
                (Setting.MAX_HEADER_LIST_SIZE, limits.head_bytes_max),
                (Setting.INITIAL_WINDOW_SIZE, limits.stream_window_bytes),
            )
        )
        wider = self._uploads.window - WINDOW_BYTES
        self._write(greeting + (window_update(0, wider) if wider > 0 else b""))
        if not self._register(self):
            code = Code.NO_ERROR if self.shared.draining else Code.ENHANCE_YOUR_CALM
            self._fail(code, "no more connections")
        elif not self._is_secure():
            self._fail(Code.INADEQUATE_SECURITY, "this cipher is not for HTTP/2")

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            self._feed(data)
        except FrameError as error:
            self._fail(error.code, str(error))
            return
        if not self._held_back:
            self._read()

    def eof_received(self) -> bool:
        return False  # a client that says no more cannot acknowledge, nor allow; over TLS it is gone

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = self._closing = True
        self._deadline = _NEVER
        self._block = None
        for exchange in list(self._streams.values()):
            self._drop(exchange)
        self._unregister(self)

    def pause_writing(self) -> None:
        self.outflow.paused = self._outlet.paused = True

    def resume_writing(self) -> None:
        self.outflow.paused = self._outlet.paused = False
        self._stalled = None
        self.outflow.flush()

    # Reading.

    def _read(self) -> None:
        """Deals with the frames that are there, as many as are allowed at a time."""
        self._outlet.holds = True
        weight = 0
        self._held_back = False
        frames, streams = self._frames, self._last
        try:
            while not self._deaf:
                found = frames.next()
                if found is None:
                    break
                self._frame(*found)
                weight += 1
                if self._last != streams:
                    streams = self._last
                    weight += _REQUEST_WEIGHT
                if weight >= TURN_WEIGHT:
                    self._held_back = True
                    break
        except FrameError as error:
            self._fail(error.code, str(error))
        except HpackError as error:
            self._fail(Code.COMPRESSION_ERROR, str(error))
        finally:
            self._outlet.holds = False
            self._outlet.flush()
        if self._held_back:
            self._transport.pause_reading()
            self.shared.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._deaf:
            self._held_back = False
        else:
            self._read()
        if not self._held_back and not self._transport.is_closing():
            self._transport.resume_reading()

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
        self._deadline = _NEVER
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
            self._deadline = _NEVER
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

    def _on_ping(self, payload: bytes, *, acknowledged: bool) -> None:
        self._on_other()
        if not acknowledged:
            self._write(frame(Kind.PING, ACK, 0, payload))
        elif payload == _DRAIN_PING and self._goaway_deadline < _NEVER:
            self._last_call()

    def _head_begun(self) -> None:
        self._deadline = self.shared.loop.time() + self._limits.head_seconds_max

    def _head_ended(self) -> None:
        self._deadline = _NEVER
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

    def _on_goaway(self) -> None:
        self._on_other()
        self.drain(streams=False)

    def _on_other(self) -> None:
        if not self._controls.take(self.shared.loop.time()):
            raise FrameError(Code.ENHANCE_YOUR_CALM, "too many frames that ask for nothing")

    # The end.

    def _rest(self) -> None:
        """After anything that may have been the last of what there is to do."""
        if self._streams or self._block is not None or self._deaf:
            return
        if self._closing and self._goaway_deadline == _NEVER:
            self._close()
        else:
            self._deadline = self.shared.loop.time() + self._limits.idle_seconds_max

    def _fail(self, code: Code, message: str) -> None:
        """Ends the connection because of what the client did."""
        self._deaf = True
        self._write(goaway(min(self._last, self._accepts_until), code, message))
        for exchange in list(self._streams.values()):
            self._drop(exchange)
        self._close(lingers=True)

    def _close(self, *, lingers: bool = False) -> None:
        """Closes; `lingers` where the client may be sending: closing at once could reset away what it was told."""
        self._deaf = self._closing = True
        self._outlet.flush()
        if not lingers:
            self._transport.close()
            return
        self._deadline = self.shared.loop.time() + self._limits.linger_seconds
        self.shared.loop.call_later(self._limits.linger_seconds, self._transport.close)

    def _is_secure(self) -> bool:
        cipher = self._transport.get_extra_info("cipher")
        if cipher is None or cipher[0].startswith("TLS_"):  # none, or TLS 1.3, whose ciphers are all good
            return True
        return cipher[0].startswith(_KEY_EXCHANGES) and any(each in cipher[0] for each in _CIPHERS)

    @property
    def is_done(self) -> bool:
        """Whether everything asked for has been answered and taken."""
        return not self._streams and self._outlet.is_empty

    def drain(self, *, streams: bool = True) -> None:
        """Ends the connection once what it is doing is done; unless told not to, ends streams at once."""
        if self._deaf:
            return
        if not self._closing:
            self._closing = True
            self._write(goaway(INT31_MAX, Code.NO_ERROR) + frame(Kind.PING, 0, 0, _DRAIN_PING))
            self._goaway_deadline = self.shared.loop.time() + _GOAWAY_SECONDS
        if streams:
            for exchange in list(self._streams.values()):
                if exchange.is_streaming:
                    exchange.finish_streaming()

    def _last_call(self) -> None:
        """What the client began before it heard of the end has come by now."""
        self._goaway_deadline = _NEVER
        self._accepts_until = self._last
        self._write(goaway(self._last, Code.NO_ERROR))
        self._rest()

    def abort(self) -> "asyncio.Future[Any] | None":
        """Ends the connection now; gives what ends with the tasks of its requests, cancelled."""
        for exchange in list(self._streams.values()):
            self._drop(exchange)
        tasks = list(self._lingering.values())
        self._transport.abort()
        return asyncio.gather(*tasks, return_exceptions=True) if tasks else None

    def check(self, now: float) -> None:
        """Ends what has missed its deadline."""
        if now >= self._deadline:
            self._overdue()
            return
        if now >= self._goaway_deadline:
            self._last_call()
        try:
            for exchange in self._uploads.overdue(now):
                self._uploads.over(exchange)
                exchange.refuse(408, "408 Request Timeout")
            self._check_stalled(now)
        except FrameError as error:
            self._fail(error.code, str(error))

    def _overdue(self) -> None:
        self._deadline = _NEVER
        if self._deaf:
            self._transport.close()
        elif self._block is not None or not self._settled:
            self._fail(Code.PROTOCOL_ERROR, "too slow")
        elif not self._streams:
            self._write(goaway(self._last, Code.NO_ERROR))
            self._close()

    def _check_stalled(self, now: float) -> None:
        patience = self._limits.write_stall_seconds_max
        if self.outflow.paused:
            waiting = self._transport.get_write_buffer_size()
            if self._stalled is None or self._stalled[1] != waiting:
                self._stalled = (now, waiting)
            elif now - self._stalled[0] >= patience:
                self._transport.abort()
            return
        for box in list(self.outflow.waiting.values()):
            if box.mark is None or box.mark[1] != box.sent_bytes:
                box.mark = (now, box.sent_bytes)
            elif now - box.mark[0] >= patience:
                self.reset(cast(Exchange, box), Code.CANCEL)


_CONTINUE = b"\x08\x03100"
_SETTINGS_ACK = frame(Kind.SETTINGS, ACK, 0)
_TOO_LONG: list[Field] = [(":method", "GET", 0), (":scheme", "https", 0), (":path", "/", 0)]
"""Stands for a head that was too long to be kept."""
