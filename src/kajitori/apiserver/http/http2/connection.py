"""One client connection that speaks HTTP/2: its turns, its deadlines, its end.

A bare asyncio protocol, like the HTTP/1.1 connection beside it. What its frames mean for streams is `streams`' to know.

Promises
    D1  what RFC 9113 calls an error of the connection ends it with a GOAWAY that says which requests were worked on
    D2  a drain announces itself first, so that no request that is on its way is lost; it ends when all are answered
    D3  a connection or a stream that makes no progress ends: head, body, idle and write deadlines
    D4  after TURN_WEIGHT of one connection others have their turn

Source: RFC 9113; Go's net/http for what it leaves open.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from kajitori.apiserver.http.http2.exchange import Exchange
from kajitori.apiserver.http.http2.heads import Blocks
from kajitori.apiserver.http.http2.streams import Http2Streams
from kajitori.apiserver.http.peer import address
from kajitori.apiserver.http.shared import Shared
from kajitori.wire.http2.frames import (
    ACK,
    INT31_MAX,
    WINDOW_BYTES,
    Code,
    FrameError,
    Kind,
    Setting,
    frame,
    goaway,
    settings,
    window_update,
)
from kajitori.wire.http2.hpack import HpackError

__all__ = ["Http2Connection"]

_NEVER = float("inf")
TURN_WEIGHT = 2000
"""How much of one connection's input is dealt with before others have their turn: a frame is 1."""
_REQUEST_WEIGHT = 40
_GOAWAY_SECONDS = 1.0
"""How long a draining connection waits for the client to have heard of it."""
_DRAIN_PING = b"draining"
_KEY_EXCHANGES = ("ECDHE-", "DHE-")
_CIPHERS = ("GCM", "CHACHA20", "CCM")
"""In the names of what HTTP/2 allows of TLS 1.2: forward secrecy, and encryption that authenticates (section 9.2.2)."""


class Http2Connection(Http2Streams, asyncio.Protocol):
    """The server's side of one connection that speaks HTTP/2."""

    def __init__(
        self,
        shared: Shared,
        blocks: Blocks,
        register: "Callable[[Http2Connection], bool]",
        unregister: "Callable[[Http2Connection], None]",
    ) -> None:
        super().__init__(shared, blocks)
        self._register = register
        self._unregister = unregister
        self._transport = cast(asyncio.Transport, None)  # from connection_made on
        self._held_back = False
        """Input waits for the next turn."""
        self._deaf = self._closing = False
        self._goaway_deadline = _NEVER
        self._deadline = _NEVER
        self._stalled: tuple[float, int] | None = None

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

    def _on_goaway(self) -> None:
        self._on_other()
        self.drain(streams=False)

    # The end.

    def _busy(self) -> None:
        self._deadline = _NEVER

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
