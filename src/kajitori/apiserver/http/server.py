"""Listening: connections accepted, counted, watched for deadlines, and drained at the end.

Promises
    S1  at most `connections_max` connections are open; further ones are answered 503, and that is logged
    S2  a client that chose HTTP/2 in its TLS handshake gets it; any other speaks HTTP/1.1
    S3  close lets requests in flight finish for the grace time, then ends what is left; nothing outlives it
"""

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.http.connection import Connection
from kajitori.apiserver.http.heads import AuditIds, HeadWriter
from kajitori.apiserver.http.limits import Limits
from kajitori.apiserver.http.messages import Handler, Request, Response, status_response
from kajitori.apiserver.http.shared import ErrorEncoder, Shared

if TYPE_CHECKING:
    from kajitori.apiserver.http.http2 import Blocks, Http2Connection

__all__ = ["Server", "serve"]

_log = logging.getLogger(__name__)

_SWEEP_SECONDS = 1.0
"""How late a deadline may be noticed."""
_BACKLOG = 1024
_FULL_LOG_SECONDS = 60.0
"""How often a server that is full says so."""


_FAREWELL_SECONDS = 0.5
"""What clients get to answer TLS' goodbye when the server ends; those that do not read never would."""


class ServerConnection(Protocol):
    """What the server asks of a connection, whatever it speaks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    @property
    def is_done(self) -> bool:
        """Whether everything asked for has been answered and taken."""
        ...

    def drain(self) -> None:
        """Ends the connection once what it is doing is done; streams end at once."""
        ...

    def abort(self) -> "asyncio.Future[Any] | None":
        """Ends the connection now; gives what ends when the tasks of its requests, cancelled, have ended."""
        ...

    def check(self, now: float) -> None:
        """Ends the connection when a deadline has passed."""
        ...


class Choosing(asyncio.Protocol):
    """Stands for a connection until the TLS handshake has told what it speaks."""

    def __init__(self, server: "Server") -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        protocol = self._server.chosen(transport)
        cast(asyncio.Transport, transport).set_protocol(protocol)
        protocol.connection_made(transport)


class Server:
    """A listening server and its connections."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._listener: asyncio.Server | None = None
        self._connections: set[ServerConnection] = set()
        self._blocks: Blocks | None = None
        """Of HTTP/2, from its first client on."""
        self._sweep: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None
        self._full_logged = float("-inf")
        self._host = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients on this machine find the server."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self._host, self._host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._shared.tls else 'http'}://{shown}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def listen(self, host: str, port: int, ssl_context: ssl.SSLContext | None) -> None:
        """Starts to accept connections; port 0 takes a free one."""
        self._shared.tls = ssl_context is not None
        options: dict[str, Any] = {}
        if ssl_context is not None:
            options["ssl_handshake_timeout"] = self._shared.limits.handshake_seconds_max
        self._listener = await self._shared.loop.create_server(
            self._http1 if ssl_context is None else self._choosing,
            host or None,
            port,
            ssl=ssl_context,
            backlog=_BACKLOG,
            **options,
        )
        self._host = host
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Ends listening, idle connections and streams, waits `grace_seconds` for the rest, ends them."""
        shared = self._shared
        shared.draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._connections):
            connection.drain()
        if self._connections:
            self._empty = shared.loop.create_future()
            farewell = min(_FAREWELL_SECONDS, grace_seconds)
            await asyncio.wait([self._empty], timeout=farewell)
            for connection in list(self._connections):
                if connection.is_done:
                    connection.abort()
            await asyncio.wait([self._empty], timeout=grace_seconds - farewell)
        left = list(self._connections)
        tasks = [task for connection in left if (task := connection.abort()) is not None]
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._connections and self._empty is not None:
            await self._empty
        if self._sweep is not None:
            self._sweep.cancel()
        if self._listener is not None:
            await self._listener.wait_closed()
        shared.close()

    def chosen(self, transport: asyncio.BaseTransport) -> "Connection | Http2Connection":
        """What speaks the version of HTTP that the handshake of `transport` agreed on."""
        tls = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            return self._http1()
        from kajitori.apiserver.http.http2 import Blocks, Http2Connection

        if self._blocks is None:
            self._blocks = Blocks(self._shared.heads)
        return Http2Connection(self._shared, self._blocks, self._register, self._unregister)

    def _http1(self) -> Connection:
        return Connection(self._shared, self._register, self._unregister)

    def _choosing(self) -> Choosing:
        return Choosing(self)

    def _register(self, connection: ServerConnection) -> bool:
        """Counts a connection in; False when there are too many, and it is to be refused."""
        self._connections.add(connection)
        if self._sweep is None:
            self._sweep = self._shared.loop.call_later(_SWEEP_SECONDS, self._check)
        if self._shared.draining:
            return False
        if len(self._connections) <= self._shared.limits.connections_max:
            return True
        now = self._shared.loop.time()
        if now - self._full_logged >= _FULL_LOG_SECONDS:
            self._full_logged = now
            _log.warning("too many connections", extra={"connections": len(self._connections)})
        return False

    def _unregister(self, connection: ServerConnection) -> None:
        self._connections.discard(connection)
        if not self._connections and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def _check(self) -> None:
        """Once a second, while there are connections: an idle server has no timer."""
        now = self._shared.loop.time()
        for connection in list(self._connections):
            connection.check(now)
        self._sweep = self._shared.loop.call_later(_SWEEP_SECONDS, self._check) if self._connections else None


def _plain_error(request: Request, error: ApiError) -> Response:
    return status_response(error)


async def serve(
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    encode_error: ErrorEncoder = _plain_error,
    wall_clock: Callable[[], float] = time.time,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Server:
    """A server that answers with `handler`, listening when this returns.

    Raises: OSError when the address cannot be had.
    """
    heads = HeadWriter(wall_clock, time.monotonic)
    shared = Shared(
        handler,
        limits or Limits(),
        heads=heads,
        audit_ids=AuditIds(random_bytes(16)),
        encode_error=encode_error,
    )
    server = Server(shared)
    await server.listen(host, port, ssl_context)
    return server
