"""One stream: a request is put together from its frames, then answered.

Between the connection, which reads frames and owns the streams, and the handler. The answer goes out through the
connection's `Outflow`.

Promises
    E1  the handler gets a request once it is whole; a body over the limit is not kept, and raises when it is read
    E2  a client that resets the stream, or goes, ends the task of the request and the stream that answers it
    E3  an answer before the end of the request is followed by a reset without error: the rest is not wanted
    E4  what is written after the end, by either side, goes nowhere

Source: RFC 9113 sections 5.1 and 8.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from kajitori.apiserver.http.answering import Answering
from kajitori.apiserver.http.bodies import GZIP_HEADERS, JOINED_BYTES_MAX, is_compressed, size_of
from kajitori.apiserver.http.http2.outflow import Outbox
from kajitori.apiserver.http.messages import OversizedRequest, Request, Response, Stream, Upgrade
from kajitori.apiserver.http.pump import pump, pump_compressed
from kajitori.wire.http2.frames import Code

if TYPE_CHECKING:
    from kajitori.apiserver.http.http2.heads import Head
    from kajitori.apiserver.http.http2.streams import Http2Streams

__all__ = ["Exchange"]

_log = logging.getLogger(__name__)

_BODYLESS = frozenset((204, 304))


class Exchange(Answering, Outbox):
    """A request and its answer. For the handler's streams it is the `BodyWriter`."""

    def __init__(self, connection: "Http2Streams", stream: int, head: "Head", *, ended: bool) -> None:
        super().__init__(stream, connection.outflow.initial_window)
        self._connection = connection
        self._shared = connection.shared
        self._head = head
        self._chunks: list[bytes] = []
        self._task: asyncio.Future[Any] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._on_close: Callable[[], object] | None = None
        self._streaming = False
        self.request: Request | None = None
        """None until it is whole."""
        self.body_bytes = 0
        self.upload_window = 0
        """What the client may still send of the body."""
        self.unreturned_bytes = 0
        """What it has sent and has not been allowed anew."""
        self.deadline = float("inf")
        """When the body has to be complete."""
        self.ended = ended
        """The client has sent everything."""
        self.closed = False
        """Nothing written from now on reaches the client."""
        self.gone = False
        """The stream is no more."""

    # The request.

    @property
    def declares_too_much(self) -> bool:
        """Whether the length that the client gave is over the limit."""
        length = self._head.length
        return length is not None and length > self._shared.limits.body_bytes_max

    @property
    def expects(self) -> bool:
        """Whether the client waits to be told that its body is wanted."""
        return self._head.headers.get("expect", "").lower() == "100-continue"

    def add(self, data: bytes) -> bool:
        """Adds to the body; False when it is longer than the client said."""
        self.body_bytes += len(data)
        length = self._head.length
        if length is not None and self.body_bytes > length:
            return False
        self._chunks.append(data)
        return True

    @property
    def is_too_large(self) -> bool:
        """Whether more of the body came than is kept."""
        return self.body_bytes > self._shared.limits.body_bytes_max

    @property
    def is_complete(self) -> bool:
        """Whether the body is as long as the client said."""
        return self._head.length is None or self._head.length == self.body_bytes

    def begin(self, *, oversized: bool = False) -> None:
        """Hands the request to the handler."""
        head, connection = self._head, self._connection
        if oversized:
            limit = self._shared.limits.body_bytes_max
            request: Request = OversizedRequest(
                connection, head.method, head.path, headers=head.headers, limit=limit
            )
        else:
            chunks = self._chunks
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            request = Request(connection, head.method, head.path, headers=head.headers, body=body)
        self._chunks = []
        request.repeated = head.repeated
        request.version = "2.0"
        request.audit_id = head.headers.get("audit-id") or self._shared.audit_ids.next()
        request.received = monotonic()
        self.request = request
        if head.wrong:
            self.refuse(400, f"{head.wrong}\n")
        elif head.method == "CONNECT":
            self.refuse(404, "404 page not found\n")
        else:
            self._ask(request)

    # The answer.

    def refuse(self, status: int, text: str) -> None:
        """Answers what is not for the handler."""
        request = self.request
        if request is None:
            request = Request(self._connection, self._head.method, self._head.path, headers={}, body=b"")
            request.audit_id = self._shared.audit_ids.next()
            self.request = request
        self._respond(request, Response(status, text.encode(), "text/plain; charset=utf-8"))

    def _wanted(self) -> Request | None:
        if self.gone:
            self._connection.let_go(self)
            return None
        return self.request

    def _respond(self, request: Request, response: Response) -> None:
        body = response.body
        connection = self._connection
        if (
            response.headers
            or type(body) is not bytes
            or len(body) > JOINED_BYTES_MAX
            or response.status in _BODYLESS
        ):
            self._respond_specially(request, response)
            return
        block = connection.blocks.plain(response.status, response.content_type, request.audit_id, len(body))
        if request.method == "HEAD":
            body = b""
        connection.answer(self, block, body, ends=True)

    def _respond_specially(self, request: Request, response: Response) -> None:
        status, body = response.status, response.body
        size = size_of(body)
        bodyless = status in _BODYLESS
        connection = self._connection
        has_body = not bodyless and request.method != "HEAD"
        compressed = has_body and is_compressed(request, response, size, self._shared.limits)
        block = connection.blocks.full(
            status,
            "" if bodyless else response.content_type,
            request.audit_id,
            headers=(*response.headers, *GZIP_HEADERS) if compressed else response.headers,
            size=None if compressed or bodyless else size,
        )
        if not has_body:
            connection.answer(self, block, b"", ends=True)
        elif compressed:
            connection.answer(self, block, b"", ends=False)
            self._write_late(
                pump_compressed(self.write, body, self._congestion, executor=self._shared.executor())
            )
        elif isinstance(body, bytes):
            connection.answer(self, block, body, ends=True)
        elif size <= JOINED_BYTES_MAX:
            connection.answer(self, block, b"".join(body), ends=True)
        else:
            connection.answer(self, block, b"", ends=False)
            self._write_late(pump(self.write, body, self._congestion))

    def _write_late(self, writing: Any) -> None:
        task: asyncio.Future[None] = asyncio.ensure_future(writing)
        self._task = task
        task.add_done_callback(self._pumped)

    def _pumped(self, task: "asyncio.Future[None]") -> None:
        self._task = None
        if self.gone:
            self._connection.let_go(self)
            return
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("answer could not be written", exc_info=error)
        if task.cancelled() or error is not None:
            self._connection.reset(self, Code.INTERNAL_ERROR)
        else:
            self._end()

    def _congestion(self) -> "asyncio.Future[None] | None":
        if not self.waiting_bytes:
            return None
        if self._drained is None:
            self._drained = self._shared.loop.create_future()
        return self._drained

    def _start_stream(self, request: Request, stream: Stream) -> None:
        connection = self._connection
        only_head = request.method == "HEAD"
        block = connection.blocks.full(
            stream.status, stream.content_type, request.audit_id, headers=stream.headers, size=None
        )
        connection.answer(self, block, b"", ends=only_head)
        if only_head:
            if stream.on_close is not None:
                stream.on_close()
            return
        self._streaming = True
        self._on_close = stream.on_close
        try:
            stream.on_start(self)
        except Exception:
            _log.exception("stream could not be started", extra={"path": request.path})
            connection.reset(self, Code.INTERNAL_ERROR)

    def _upgrade(self, request: Request, upgrade: Upgrade) -> None:
        """HTTP/2 has no upgrades; clients that need one know to come back with HTTP/1.1."""
        self._connection.reset(self, Code.HTTP_1_1_REQUIRED)

    # The body of the answer, for those who write it over time.

    def write(self, data: bytes) -> int:
        """Sends `data` without waiting; gives the bytes that wait to be taken by the client."""
        if not self.closed and data:
            self._connection.outflow.send(self, data, ends=False)
        return self.waiting_bytes

    @property
    def buffered(self) -> int:
        """Bytes written that wait for the client to allow them."""
        return self.waiting_bytes

    def close(self) -> None:
        """Ends the body."""
        if not self.closed:
            self._on_close = None
            self._end()

    def abort(self) -> None:
        """Breaks the body off."""
        if not self.gone:
            self._on_close = None
            self._connection.reset(self, Code.INTERNAL_ERROR)

    def _end(self) -> None:
        self.closed = True
        self._connection.outflow.send(self, b"", ends=True)

    def sent(self) -> None:
        self.closed = True
        if not self.gone:
            self._connection.answered(self)

    def relieved(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    # The end.

    @property
    def is_streaming(self) -> bool:
        """Whether a producer is writing the body over time."""
        return self._streaming and not self.closed

    def finish_streaming(self) -> None:
        """The server stops: the body ends as it is, and its producer learns of it."""
        told, self._on_close = self._on_close, None
        self._end()
        self._tell(told)

    def cancel(self) -> "asyncio.Future[Any] | None":
        """The stream is gone: stops what was being done for it, and gives the task that has yet to end."""
        self.gone = self.closed = True
        self._chunks = []
        told, self._on_close = self._on_close, None
        task = self._task
        if task is not None:
            task.cancel()
        self._tell(told)
        return task

    def _tell(self, told: Callable[[], object] | None) -> None:
        if told is not None:
            try:
                told()
            except Exception:
                _log.exception("stream could not be ended", extra={"remote": self._connection.remote})
