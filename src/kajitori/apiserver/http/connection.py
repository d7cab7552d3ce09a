"""One client connection: requests to the handler one at a time and in order, answers out.

A bare asyncio protocol. An answer that is ready when the handler returns is written in the same turn of the
event loop by a single write; everything else takes slower roads.

Promises
    C1  answers are in the order of the requests, and each request has exactly one, whatever its handler does
    C2  a handler that waits is a task of this connection: cancelled when the peer goes away
    C3  input that is not HTTP is answered as Go's net/http answers it, after the answers still due, and ends
        the connection
    C4  nothing is read while a pipelined request waits; none is begun while the client does not read
    C5  a connection that makes no progress ends: head, body, idle and write deadlines

Source: RFC 9112; Go's net/http server for what happens at each limit.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, cast

import httptools

from kajitori.apiserver.http.answering import Answering
from kajitori.apiserver.http.bodies import GZIP_HEADERS, JOINED_BYTES_MAX, is_compressed, size_of
from kajitori.apiserver.http.heads import refusal
from kajitori.apiserver.http.messages import Request, Response, Stream, Upgrade
from kajitori.apiserver.http.peer import address
from kajitori.apiserver.http.pump import pump, pump_compressed
from kajitori.apiserver.http.reader import RequestReader
from kajitori.apiserver.http.shared import Shared
from kajitori.apiserver.http.stream import LAST_CHUNK, StreamWriter, framed

__all__ = ["Connection"]

_log = logging.getLogger(__name__)

_NEVER = float("inf")
_BODYLESS = frozenset((204, 304))


class Connection(Answering, RequestReader, asyncio.Protocol):
    """The server's side of one connection that speaks HTTP/1.1."""

    def __init__(
        self,
        shared: Shared,
        register: "Callable[[Connection], bool]",
        unregister: "Callable[[Connection], None]",
    ) -> None:
        self._reset_reader(shared.limits)
        self._shared = shared
        self._register = register
        self._unregister = unregister
        self._transport = cast(asyncio.Transport, None)  # from connection_made on
        self._queue: deque[Request] = deque()
        self._request: Request | None = None
        """The one being answered."""
        self._task: asyncio.Future[Any] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._writer: StreamWriter | None = None
        self._on_close: Callable[[], object] | None = None
        self._relay: asyncio.Protocol | None = None
        self._certificate: bytes | None = None
        self._refusal = b""
        self._held = b""
        self._head_bytes = 0
        self._deadline = _NEVER
        self._stalled: tuple[float, int] | None = None
        self._write_paused = self._closing = False
        self.remote = ""

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.remote = address(transport)
        self._deadline = self._shared.loop.time() + self._limits.head_seconds_max
        if not self._register(self):
            self._refuse(503)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            if self._relay is not None:
                self._relay.data_received(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._parser = httptools.HttpRequestParser(self)
            self._hold(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            if not self._deaf:
                self._refuse(400)
        if self._target is not None:
            self._partial(len(data))

    def eof_received(self) -> bool:
        if self._relay is not None:
            return bool(self._relay.eof_received())
        # A client may close its side once it has asked. TLS has no such half: there the connection is over.
        if self._request is not None and self._writer is None and not self._shared.tls:
            self._closing = self._deaf = True
            self._deadline = self._shared.loop.time() + self._limits.half_closed_seconds_max
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._parser = None  # it refers back to us
        self._deaf = self._closing = True
        self._deadline = _NEVER
        self._queue.clear()
        self._target = None
        if self._relay is not None:
            self._relay.connection_lost(exc)
        if self._task is not None:
            self._task.cancel()
        self._end_stream()
        self._unregister(self)

    def pause_writing(self) -> None:
        self._write_paused = True
        if self._relay is not None:
            self._relay.pause_writing()

    def resume_writing(self) -> None:
        self._write_paused = False
        self._stalled = None
        if self._relay is not None:
            self._relay.resume_writing()
        elif self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None
        else:
            self._advance()

    # From request to answer.

    def _received(self, request: Request, keep_alive: bool, upgrade: bool) -> None:
        headers = request.headers
        if not keep_alive or "connection" in headers:
            if self._parser is not None:
                request.version = self._parser.get_http_version()
            # The parser says no for an upgrade, which is the handler's to take or to leave.
            request.keep_alive = keep_alive or (upgrade and "close" not in headers["connection"].lower())
            if not request.keep_alive:
                self._deaf = True
        request.audit_id = headers.get("audit-id") or self._shared.audit_ids.next()
        request.received = monotonic()
        self._head_bytes = 0
        if self._request is not None or self._queue or self._write_paused:
            self._queue.append(request)
            self._transport.pause_reading()
        else:
            self._begin(request)

    def _begin(self, request: Request) -> None:
        self._request = request
        if not self._closing:
            self._deadline = _NEVER
        self._ask(request)

    def _wanted(self) -> Request | None:
        return None if self._transport.is_closing() else self._request

    def _respond(self, request: Request, response: Response) -> None:
        body = response.body
        if type(body) is not bytes or len(body) > JOINED_BYTES_MAX:
            self._respond_large(request, response)
        elif (
            response.headers
            or not request.keep_alive
            or self._closing
            or request.method == "HEAD"
            or request.version != "1.1"
            or response.status in _BODYLESS
        ):
            self._respond_specially(request, response, body)
        else:
            self._transport.write(
                self._shared.heads.sized(response.status, response.content_type, request.audit_id, body=body)
            )
            self._done(request)

    def _respond_specially(self, request: Request, response: Response, body: bytes) -> None:
        """A small answer with a head of its own."""
        bodyless = response.status in _BODYLESS
        head = self._head(request, response, "" if bodyless else f"Content-Length: {len(body)}\r\n")
        self._transport.write(head if bodyless or request.method == "HEAD" else head + body)
        self._done(request)

    def _respond_large(self, request: Request, response: Response) -> None:
        size = size_of(response.body)
        sized = f"Content-Length: {size}\r\n"
        if size <= JOINED_BYTES_MAX or request.method == "HEAD" or response.status in _BODYLESS:
            body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
            self._respond_specially(request, response, body)
            return
        transport = self._transport
        if is_compressed(request, response, size, self._limits):
            packed = Response(response.status, b"", response.content_type, (*response.headers, *GZIP_HEADERS))
            transport.write(self._head(request, packed, "Transfer-Encoding: chunked\r\n"))
            writing = self._compressed(response.body)
        else:
            transport.write(self._head(request, response, sized))
            writing = pump(transport.write, response.body, self._congestion)
        self._task = asyncio.ensure_future(writing)
        self._task.add_done_callback(self._pumped)

    async def _compressed(self, body: bytes | Sequence[bytes]) -> None:
        write = self._transport.write
        await pump_compressed(
            lambda data: write(framed(data)), body, self._congestion, executor=self._shared.executor()
        )
        write(LAST_CHUNK)

    def _congestion(self) -> "asyncio.Future[None] | None":
        if not self._write_paused:
            return None
        if self._drained is None:
            self._drained = self._shared.loop.create_future()
        return self._drained

    def _pumped(self, task: "asyncio.Future[None]") -> None:
        self._task = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("answer could not be written", exc_info=error, extra={"remote": self.remote})
        if task.cancelled() or error is not None or self._request is None:
            self._transport.abort()  # the head promised more
            return
        self._done(self._request)
        self._advance()

    def _start_stream(self, request: Request, stream: Stream) -> None:
        chunked = request.version == "1.1"
        if not chunked:
            request.keep_alive = False  # only its end tells where the body ends
        self._transport.write(
            self._head(request, stream, "Transfer-Encoding: chunked\r\n" if chunked else "")
        )
        if request.method == "HEAD":
            self._done(request)
            if stream.on_close is not None:
                stream.on_close()
            return
        writer = self._writer = StreamWriter(self._transport, self._stream_finished, chunked=chunked)
        self._on_close = stream.on_close
        try:
            stream.on_start(writer)
        except Exception:
            _log.exception("stream could not be started", extra={"path": request.path})
            self._transport.abort()

    def _stream_finished(self) -> None:
        """The producer ended the body."""
        self._writer = self._on_close = None
        if self._request is not None and not self._transport.is_closing():
            self._done(self._request)
            self._shared.loop.call_soon(self._advance)

    def _end_stream(self) -> None:
        """The peer went away: nothing written counts any more, and the producer learns of it."""
        writer, on_close = self._writer, self._on_close
        self._writer = self._on_close = None
        if writer is None:
            return
        writer.closed = True
        if on_close is not None:
            try:
                on_close()
            except Exception:
                _log.exception("stream could not be ended", extra={"remote": self.remote})

    def _upgrade(self, request: Request, upgrade: Upgrade) -> None:
        head = self._shared.heads.full(upgrade.status, "", request.audit_id, headers=upgrade.headers)
        self._transport.write(head)
        self._deaf = True
        held, self._held = self._held, b""
        try:
            self._relay = upgrade.on_start(self._transport)
        except Exception:
            _log.exception("connection could not be handed over", extra={"path": request.path})
            self._transport.abort()
            return
        if held:
            self._relay.data_received(held)
        self._resume_reading()

    def _done(self, request: Request) -> None:
        """The answer is written, as far as this connection is concerned."""
        self._request = None
        if self._queue:
            return
        if not request.keep_alive or self._closing:
            self._close()
        else:
            self._deadline = self._shared.loop.time() + self._limits.idle_seconds_max

    def _advance(self) -> None:
        """Answers what waits, and reads on when nothing does."""
        queue = self._queue
        while self._request is None and not self._write_paused and not self._transport.is_closing():
            if queue:
                self._begin(queue.popleft())
            elif self._held:
                held, self._held = self._held, b""
                self.data_received(held)
            else:
                if self._refusal:
                    self._send_refusal()
                self._resume_reading()
                return

    # Reading, seen from here.

    def _continue(self) -> None:
        # While earlier answers are due it must not overtake them; such a client sends its body after a while.
        if self._request is None and not self._queue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hold(self, rest: bytes) -> None:
        """Bytes behind a request to upgrade: whose they are is known once it has been answered."""
        if self._relay is not None or (self._request is None and not self._queue):
            if rest:
                self.data_received(rest)
            return
        self._held += rest
        self._transport.pause_reading()

    def _partial(self, count: int) -> None:
        """A request has begun and is not complete: it now has a deadline, its head a size."""
        now = self._shared.loop.time()
        if self._in_body:
            if self._head_bytes >= 0:
                self._head_bytes = -1  # from here on the body's deadline, set once
                self._deadline = now + self._limits.body_seconds_max
            return
        if self._head_bytes == 0:
            self._deadline = now + self._limits.head_seconds_max
        self._head_bytes += count
        if self._head_bytes > self._limits.head_bytes_max:
            self._refuse(431)

    def _resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _head(self, request: Request, answer: Response | Stream, length: str) -> bytes:
        ends = not request.keep_alive or (self._closing and not self._queue)
        if ends:
            length += "Connection: close\r\n"
        elif request.version == "1.0":
            length += "Connection: keep-alive\r\n"
        content_type = "" if answer.status in _BODYLESS else answer.content_type
        return self._shared.heads.full(
            answer.status, content_type, request.audit_id, headers=answer.headers, end=length
        )

    # The end.

    @property
    def is_done(self) -> bool:
        """Whether everything asked for has been answered and taken."""
        busy = self._request is not None or bool(self._queue) or self._relay is not None
        return not busy and self._transport.get_write_buffer_size() == 0

    def drain(self) -> None:
        """Ends the connection once what it is doing is done; streams end at once."""
        self._closing = True
        if self._writer is not None:
            on_close = self._on_close
            self._writer.close()
            if on_close is not None:
                on_close()
        elif self._request is None and not self._queue:
            self._transport.close()

    def abort(self) -> "asyncio.Future[Any] | None":
        """Ends the connection now; gives the task of its request, if there is one, cancelled."""
        task = self._task
        if task is not None:
            task.cancel()
        self._transport.abort()
        return task

    def check(self, now: float) -> None:
        """Ends the connection when a deadline has passed."""
        if now >= self._deadline:
            if self._target is not None and self._in_body:
                self._refuse(408)
            else:
                self._deadline = _NEVER
                self._transport.close()
        elif self._write_paused:
            waiting = self._transport.get_write_buffer_size()
            if self._stalled is None or self._stalled[1] != waiting:
                self._stalled = (now, waiting)
            elif now - self._stalled[0] >= self._limits.write_stall_seconds_max:
                self._transport.abort()

    def _refuse(self, status: int, detail: str = "") -> None:
        self._deaf = self._unread = True
        self._target = None
        self._refusal = refusal(status, detail)
        if self._request is None and not self._queue:
            self._send_refusal()

    def _send_refusal(self) -> None:
        self._transport.write(self._refusal)
        self._refusal = b""
        self._close()

    def _close(self) -> None:
        """Closes; where the client may still be sending, only once it has had time to read the answer.

        Closing a socket with unread bytes resets the connection, and the answer with it.
        """
        self._deaf = self._closing = True
        transport = self._transport
        if not self._unread:
            transport.close()
            return
        if transport.can_write_eof():
            transport.write_eof()
        self._resume_reading()
        self._deadline = self._shared.loop.time() + self._limits.linger_seconds
        self._shared.loop.call_later(self._limits.linger_seconds, transport.close)
