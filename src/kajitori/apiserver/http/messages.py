"""What the handler is given and what it gives back.

A `Request` is whole: its body has been read. A body over the limit is not kept; reading `body` then raises,
so that, as in kube-apiserver, authentication and authorization speak before the size does.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

from kajitori.apimachinery.errors import ApiError, RequestEntityTooLarge

if TYPE_CHECKING:
    import asyncio


__all__ = [
    "Answer",
    "BodyWriter",
    "Handler",
    "OversizedRequest",
    "Request",
    "Response",
    "Stream",
    "Upgrade",
    "status_response",
]

JSON = "application/json"

Headers = Sequence[tuple[str, str]]


class Peer(Protocol):
    """Who sent a request."""

    remote: str

    def certificate(self) -> bytes | None: ...


class TlsPeer(Peer, Protocol):
    """Who sent a request over TLS."""

    def subject(self) -> Sequence[tuple[str, str]]: ...

    def anchors(self) -> frozenset[bytes]: ...

    def expires(self) -> float: ...


class Request:
    """One request, read to its end."""

    __slots__ = (
        "_peer",
        "audit_id",
        "body",
        "headers",
        "keep_alive",
        "method",
        "path",
        "query",
        "received",
        "repeated",
        "scope",
        "target",
        "version",
    )

    def __init__(self, peer: Peer, method: str, target: str, *, headers: dict[str, str], body: bytes) -> None:
        self._peer = peer
        self.repeated: dict[str, list[str]] | None = None
        """The values of headers that were sent several times; ask `header_values`."""
        self.method = method
        self.target = target
        """As it stands in the request line."""
        path, _, self.query = target.partition("?")
        self.path = path if path[:1] == "/" else _path_of(path)
        """Before the `?`, still percent-encoded."""
        self.headers = headers
        """By lower-case name; values of a header sent several times are joined by `, `."""
        self.body = body
        self.version = "1.1"
        self.keep_alive = True
        """False: the connection ends with the answer, once what else was asked on it has been answered."""
        self.audit_id = ""
        self.received = 0.0
        """When the body was complete, on the monotonic clock."""
        self.scope: Any = None
        """For what the layers above find out about this request (who asks, for what)."""

    @property
    def remote(self) -> str:
        """The peer's `address:port`."""
        return self._peer.remote

    @property
    def peer_certificate(self) -> bytes | None:
        """The client certificate in DER that the TLS handshake verified, or None."""
        return self._peer.certificate()

    @property
    def peer_subject(self) -> Sequence[tuple[str, str]]:
        """The subject of that certificate: `commonName`, `organizationName`, … with their values, in order."""
        return cast(TlsPeer, self._peer).subject() if self._peer.certificate() is not None else ()

    @property
    def peer_anchors(self) -> frozenset[bytes]:
        """The certificates in DER that the handshake verified that one with, itself included."""
        return cast(TlsPeer, self._peer).anchors() if self._peer.certificate() is not None else frozenset()

    @property
    def peer_expires(self) -> float:
        """When that certificate ends, in seconds since the epoch; 0 without one."""
        return cast(TlsPeer, self._peer).expires() if self._peer.certificate() is not None else 0.0

    def header_values(self, name: str) -> list[str]:
        """Every value of a header (lower-case name), one for each time that it was sent."""
        if self.repeated is not None and name in self.repeated:
            return self.repeated[name]
        value = self.headers.get(name)
        return [] if value is None else [value]

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


class OversizedRequest(Request):
    """A request whose body was over the limit.

    Raises: RequestEntityTooLarge when its `body` is read.
    """

    __slots__ = ("_body_bytes_max",)

    def __init__(self, peer: Peer, method: str, target: str, *, headers: dict[str, str], limit: int) -> None:
        self._body_bytes_max = limit
        super().__init__(peer, method, target, headers=headers, body=b"")

    @property
    def body(self) -> bytes:
        raise RequestEntityTooLarge(f"Request entity too large: limit is {self._body_bytes_max}")

    @body.setter
    def body(self, value: bytes) -> None:
        """Nothing: there is no body to keep."""


class Response:
    """A whole answer. `body` in pieces is written piece by piece, never joined at once.

    `headers` come on top of what every answer has: `Audit-Id`, `Cache-Control`, `Content-Type`,
    `Content-Length`, `Date`; naming one of these replaces it.
    """

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes | Sequence[bytes] = b"",
        content_type: str = JSON,
        headers: Headers = (),
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers


class BodyWriter(Protocol):
    """Where a streamed body goes: a connection, or a reader in the same process."""

    def write(self, data: bytes) -> int:
        """Sends `data` without waiting; gives the bytes that wait to be taken."""
        ...

    def close(self) -> None:
        """Ends the body; what was written still arrives."""
        ...

    def abort(self) -> None:
        """Breaks the body off, so that the reader learns that it is not whole."""
        ...


class Stream:
    """An answer written over time, such as a watch.

    `on_start` is called with the writer once the head is on its way; `on_close` when the peer went away or
    the server ends the stream, never after the producer's own `writer.close()`.
    """

    __slots__ = ("content_type", "headers", "on_close", "on_start", "status")

    def __init__(
        self,
        on_start: Callable[[BodyWriter], object],
        on_close: Callable[[], object] | None = None,
        *,
        status: int = 200,
        content_type: str = JSON,
        headers: Headers = (),
    ) -> None:
        self.status = status
        self.content_type = content_type
        self.headers = headers
        self.on_start = on_start
        self.on_close = on_close


class Upgrade:
    """The connection goes over to another protocol (WebSocket, SPDY).

    `headers` say which (`Upgrade`, `Connection`, …). `on_start` gets the transport once the 101 head has been
    written and gives the asyncio protocol that takes over; that protocol is not told `connection_made`, it
    is told of everything later, first of bytes that came with the request.
    """

    __slots__ = ("headers", "on_start", "status")

    def __init__(
        self,
        headers: Headers,
        on_start: "Callable[[asyncio.Transport], asyncio.Protocol]",
        *,
        status: int = 101,
    ) -> None:
        self.status = status
        self.headers = headers
        self.on_start = on_start


Answer = Response | Stream | Upgrade

Handler = Callable[[Request], Answer | Awaitable[Answer]]
"""Gives the answer to a request, at once or later. An ApiError raised becomes its Status."""


def status_response(error: ApiError) -> Response:
    """The Status of an error as JSON, with `Retry-After` where the error says when to come back."""
    headers: Headers = ()
    if error.retry_after_seconds:
        headers = (("Retry-After", str(error.retry_after_seconds)),)
    return Response(error.code, msgspec.json.encode(error.to_status()) + b"\n", JSON, headers)


def _path_of(target: str) -> str:
    """The path of a request target in absolute form; `*` and the like stay."""
    _, separator, rest = target.partition("://")
    if not separator:
        return target
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"
