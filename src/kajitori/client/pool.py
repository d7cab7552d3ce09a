"""The connections to one server: kept for the next request, bounded in number, made directly or through a
proxy.

Promises
    L1  at most CONNECTIONS_MAX are open; who needs one more waits
    L2  one that is unused for KEPT_SECONDS is closed
    L3  a new TLS context (renewed certificates) means new connections
"""

import asyncio
import base64
import os
import ssl
from urllib.parse import SplitResult, unquote, urlsplit

from kajitori.client.config import ClusterConfig
from kajitori.client.connection import Connection
from kajitori.client.http1 import header_lines, request_head
from kajitori.client.proxies import proxy_of
from kajitori.client.transport import TransportError

__all__ = ["CONNECTIONS_MAX", "CONNECT_SECONDS", "KEPT_SECONDS", "Pool"]

CONNECTIONS_MAX = 1_000
"""More than a hundred watched kinds and a hundred workers need; a process has 1,024 files by default."""

CONNECT_SECONDS = 30.0
"""As client-go's dialer."""

KEPT_SECONDS = 15.0
"""Less than any server or proxy keeps an unused connection, so that we hardly ever write into one that
closes.
"""


class Pool:
    """Used on one event loop at a time; connections of an earlier loop are dropped."""

    def __init__(self, cluster: ClusterConfig) -> None:
        parts = urlsplit(cluster.server)
        assert parts.hostname, cluster.server
        self._server = cluster.server
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._server_name = cluster.tls_server_name or parts.hostname
        self._prefix = parts.path.rstrip("/")
        self.authority = parts.netloc.rpartition("@")[2]
        """What the `Host` header says."""
        self.is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        proxy = cluster.proxy_url or proxy_of(parts, os.environ)
        self._proxy = urlsplit(proxy) if proxy else None
        self._is_secure = parts.scheme == "https"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[tuple[Connection, ssl.SSLContext | None]] = []
        self._open: set[Connection] = set()
        self._places = asyncio.Semaphore(CONNECTIONS_MAX)
        self._timer: asyncio.TimerHandle | None = None

    def target(self, path_and_query: str) -> str:
        """What the request line says."""
        if self._proxy is not None and not self._is_secure:
            return self._server + path_and_query
        return self._prefix + path_and_query

    def proxy_lines(self) -> list[tuple[str, str]]:
        """Headers for a proxy that reads our requests."""
        return _proxy_headers(self._proxy) if self._proxy is not None and not self._is_secure else []

    async def acquire(self, context: ssl.SSLContext | None) -> Connection:
        """Raises: TransportError when no connection can be made."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._forget(loop)
        while self._idle:
            connection, made_with = self._idle.pop()
            if connection.is_open and made_with is context:
                return connection
            connection.close()
        await self._places.acquire()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._connect(loop, context)
        except BaseException as error:
            self._places.release()
            if isinstance(error, TimeoutError):
                raise TransportError(
                    f"cannot connect to {self._server} within {CONNECT_SECONDS:g} s", sent=False
                ) from error
            if isinstance(error, OSError):  # TLS errors are OSErrors too.
                refused = isinstance(error, ConnectionRefusedError)
                raise TransportError(
                    f"cannot connect to {self._server}: {error}", sent=False, refused=refused
                ) from error
            raise
        self._open.add(connection)
        if not connection.is_open:
            self._lost(connection)
            raise TransportError(f"{self._server} closed the connection at once", sent=False)
        return connection

    def release(self, connection: Connection, context: ssl.SSLContext | None) -> None:
        """Keeps a connection whose exchange has ended, or closes it."""
        if not connection.is_reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append((connection, context))
        if self._timer is None:
            self._timer = loop.call_later(KEPT_SECONDS, self._close_unused, loop)

    async def close(self) -> None:
        """Hangs up everything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._idle.clear()
        if asyncio.get_running_loop() is self._loop:
            lost = [connection.lost for connection in self._open]
            for connection in self._open:
                connection.close()
            if lost:
                await asyncio.wait(lost)

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle.clear()
        self._open.clear()
        self._places = asyncio.Semaphore(CONNECTIONS_MAX)
        self._timer = None

    def _close_unused(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # The oldest come first: what is needed is taken from the other end.
        bound = loop.time() - KEPT_SECONDS
        while self._idle and self._idle[0][0].idle_since <= bound:
            self._idle.pop(0)[0].close()
        if self._idle:
            self._timer = loop.call_at(self._idle[0][0].idle_since + KEPT_SECONDS, self._close_unused, loop)

    def _lost(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.discard(connection)
            self._places.release()

    async def _connect(self, loop: asyncio.AbstractEventLoop, context: ssl.SSLContext | None) -> Connection:
        if self._proxy is not None:
            return await self._connect_through(self._proxy, loop, context)
        server_name = None if context is None else self._server_name
        _, connection = await loop.create_connection(
            self._new, self._host, self._port, ssl=context, server_hostname=server_name
        )
        return connection

    async def _connect_through(
        self, proxy: SplitResult, loop: asyncio.AbstractEventLoop, context: ssl.SSLContext | None
    ) -> Connection:
        proxy_context = ssl.create_default_context() if proxy.scheme == "https" else None
        port, proxy_host = proxy.port or (443 if proxy_context else 80), proxy.hostname or ""
        if context is None:
            _, connection = await loop.create_connection(self._new, proxy_host, port, ssl=proxy_context)
            return connection
        # A tunnel: ask the proxy on a connection of its own protocol, then speak TLS through it.
        transport, tunnel = await loop.create_connection(
            lambda: Connection(_ignore), proxy_host, port, ssl=proxy_context
        )
        host = f"[{self._host}]" if ":" in self._host else self._host
        lines = header_lines([("host", f"{host}:{self._port}"), *_proxy_headers(proxy)])
        try:
            status = await tunnel.open_tunnel(request_head("CONNECT", f"{host}:{self._port}", lines, None))
            if status != 200:
                raise ConnectionError(f"the proxy {proxy_host} answered {status} when asked for a tunnel")
            connection = self._new()
            secured = await loop.start_tls(transport, connection, context, server_hostname=self._server_name)
            assert secured is not None
            connection.connection_made(secured)
        except BaseException:
            transport.abort()
            raise
        return connection

    def _new(self) -> Connection:
        return Connection(self._lost)


def _ignore(connection: Connection) -> None:
    pass


def _proxy_headers(proxy: SplitResult) -> list[tuple[str, str]]:
    if not proxy.username:
        return []
    user, password = unquote(proxy.username), unquote(proxy.password or "")
    return [("proxy-authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())]
