"""The way from a client to the API server in the same process: no socket, no TLS, the same handler.

Requests go through authentication, authorization and admission like anybody's; only the connection is missing.

Promises
    P1  an answer is what the same request would get over HTTP
    P2  a stream's events arrive in order; leaving the block ends the watch in the server
    P3  a stream that the server breaks off raises TransportError in its reader, as a broken connection does
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager

from kajitori.apimachinery.errors import internal_error
from kajitori.apiserver.http import (
    BODY_BYTES_MAX,
    Handler,
    Request,
    Response,
    Stream,
    status_response,
)
from kajitori.apiserver.http.messages import OversizedRequest
from kajitori.client.transport import RawResponse, RawStream, TransportError

__all__ = ["InProcessTransport"]

_log = logging.getLogger(__name__)


class _Peer:
    """Who asks: this very process."""

    remote = "in-process"

    def certificate(self) -> bytes | None:
        return None


_PEER = _Peer()


class _Pipe:
    """A stream's body on its way from the server's writes to the client's reads."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._waiting: asyncio.Future[None] | None = None
        self._bytes = 0
        self._broken = False
        self.closed = False

    def write(self, data: bytes) -> int:
        """Takes bytes; gives how many have not been read."""
        if not self.closed and data:
            self._chunks.append(data)
            self._bytes += len(data)
            self._wake()
        return self._bytes

    def close(self) -> None:
        """Nothing more is written; what was can still be read."""
        self.closed = True
        self._wake()

    def abort(self) -> None:
        """What was written and not read is lost, and the reader learns of it."""
        if not self.closed:
            self._broken = True
            self._chunks.clear()
            self.close()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def read(self) -> AsyncIterator[bytes]:
        """Everything written, as it comes, until the server closes.

        Raises: TransportError when the server breaks off.
        """
        while True:
            if self._chunks:
                data = b"".join(self._chunks)
                self._chunks.clear()
                self._bytes = 0
                yield data
            elif self._broken:
                raise TransportError("the API server of this process has broken the stream off")
            elif self.closed:
                return
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                await self._waiting


class InProcessTransport:
    """Hands requests to a handler. `token` authenticates them."""

    def __init__(self, handler: Handler, token: str) -> None:
        self._handler = handler
        self._authorization = f"Bearer {token}"
        self._streams: dict[_Pipe, Stream] = {}
        self._closed = False

    async def _answer(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response | Stream:
        if self._closed:
            raise TransportError("the API server of this process has stopped", sent=False, refused=True)
        named = {name.lower(): value for name, value in headers.items()}
        named.setdefault("authorization", self._authorization)
        request = _request(method, path_and_query, named, body or b"")
        try:
            given = self._handler(request)
            answer = await given if isinstance(given, Awaitable) else given
        except Exception as error:
            # What a server that listens does; nobody else can know what went wrong here.
            _log.exception("request failed", extra={"method": method, "path": request.path})
            answer = status_response(internal_error(error))
        if not isinstance(answer, Response | Stream):
            raise TransportError("the connection cannot be upgraded within one process")
        return answer

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        try:
            async with asyncio.timeout(timeout):
                answer = await self._answer(method, path_and_query, headers, body)
        except TimeoutError:
            raise TransportError(f"{method} {path_and_query}: no answer within {timeout} s") from None
        if isinstance(answer, Stream):
            raise TransportError(f"{method} {path_and_query}: the answer is a stream")
        return RawResponse(answer.status, _headers(answer), b"" if method == "HEAD" else _body(answer))

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AsyncGenerator[RawStream, None]:
        try:
            async with asyncio.timeout(timeout):
                answer = await self._answer(method, path_and_query, headers, body)
        except TimeoutError:
            raise TransportError(f"{method} {path_and_query}: no answer within {timeout} s") from None
        pipe = _Pipe()
        if isinstance(answer, Response):
            pipe.write(_body(answer))
            pipe.close()
            yield RawStream(answer.status, _headers(answer), pipe.read())
            return
        self._streams[pipe] = answer
        try:
            answer.on_start(pipe)
            yield RawStream(answer.status, _headers(answer), pipe.read())
        finally:
            self._end(pipe)

    def _end(self, pipe: _Pipe) -> None:
        """Tells the server that nobody reads any more, unless it ended the stream itself."""
        stream = self._streams.pop(pipe, None)
        if stream is None or pipe.closed:
            return
        pipe.close()
        if stream.on_close is not None:
            stream.on_close()

    async def close(self) -> None:
        self._closed = True
        for pipe in tuple(self._streams):
            self._end(pipe)


def _request(method: str, path_and_query: str, headers: dict[str, str], body: bytes) -> Request:
    if len(body) > BODY_BYTES_MAX:
        return OversizedRequest(_PEER, method, path_and_query, headers=headers, limit=BODY_BYTES_MAX)
    return Request(_PEER, method, path_and_query, headers=headers, body=body)


def _body(answer: Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def _headers(answer: Response | Stream) -> dict[str, str]:
    headers = {"content-type": answer.content_type}
    for name, value in answer.headers:
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known}, {value}" if known else value
    return headers
