"""Talking to an API server over the network: HTTP/1.1, TLS, connections that are kept, proxies, credentials.

Promises
    N1  what T1 and T2 of the Transport promise
    N2  a request that was refused with 401, a watch too, is sent once more when there may be a fresher credential
    N3  connections are kept and shared; at most CONNECTIONS_MAX are open, watches included
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from kajitori.client.client import Client
from kajitori.client.config import ConfigError, ConnectionConfig, UserConfig, load_config
from kajitori.client.connection import Connection
from kajitori.client.credentials import Credential, credentials_of
from kajitori.client.http1 import header_lines, request_head
from kajitori.client.pool import Pool
from kajitori.client.tls import TlsSettings
from kajitori.client.transport import RawResponse, RawStream, TransportError
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["NetworkTransport", "connect"]

HEADS_REMEMBERED_MAX = 64
"""Sets of header lines that were made already: a handful per client and credential."""


def connect(
    path: str | Path | None = None,
    context: str | None = None,
    *,
    field_manager: str = "kajitori",
    as_user: str = "",
    as_groups: Sequence[str] = (),
) -> Client:
    """A client of the cluster that a kubeconfig names (see `load_config`); `as_user` and `as_groups` are who to act as,
    as with kubectl's `--as` and `--as-group`.

    Raises: ConfigError.
    """
    config = load_config(path, context)
    if as_user or as_groups:
        user = replace(config.user, impersonate=as_user, impersonate_groups=tuple(as_groups))
        config = replace(config, user=user)
    return Client(NetworkTransport(config), field_manager=field_manager)


class NetworkTransport:
    """A `Transport` to the server of a ConnectionConfig."""

    def __init__(self, config: ConnectionConfig, *, clock: Clock = SYSTEM_CLOCK) -> None:
        cluster = config.cluster
        self.config = config
        self._credentials = credentials_of(config.user, cluster, clock)
        self._tls = TlsSettings(cluster, config.user, clock) if cluster.server.startswith("https:") else None
        self._impersonation = _impersonation_headers(config.user)
        self._pool = Pool(cluster)
        self._encoding = "identity" if self._pool.is_local or cluster.disable_compression else "gzip"
        self._lines: dict[tuple[object, ...], bytes] = {}

    @property
    def host(self) -> str:
        """`host:port` of the server."""
        return self._pool.authority

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        credential = await self._credentials.get()
        response = await self._request_as(credential, method, path_and_query, headers, body, timeout)
        if response.status == 401 and self._credentials.refused(credential):
            credential = await self._credentials.get()
            response = await self._request_as(credential, method, path_and_query, headers, body, timeout)
        return response

    async def _request_as(
        self,
        credential: Credential,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        written = self._written(credential, method, path_and_query, headers, body)
        context = None if self._tls is None else self._tls.context(credential)
        connection = await self._pool.acquire(context)
        try:
            response = await connection.exchange(written, timeout)
        except OSError as error:
            raise self._broken(error, method, path_and_query) from error
        finally:
            self._pool.release(connection, context)
        return response

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AsyncGenerator[RawStream]:
        credential = await self._credentials.get()
        opened = await self._open(credential, method, path_and_query, headers, body, timeout)
        if opened.status == 401 and self._credentials.refused(credential):
            self._pool.release(opened.connection, opened.context)
            credential = await self._credentials.get()
            opened = await self._open(credential, method, path_and_query, headers, body, timeout)
        connection = opened.connection
        try:
            yield RawStream(opened.status, opened.headers, self._chunks(connection, method, path_and_query))
        finally:
            # A stream that was left before its end is hung up; one that has ended leaves a connection to
            # keep.
            self._pool.release(connection, opened.context)

    async def _open(
        self,
        credential: Credential,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> "_Opened":
        written = self._written(credential, method, path_and_query, headers, body)
        context = None if self._tls is None else self._tls.context(credential)
        connection = await self._pool.acquire(context)
        try:
            status, received = await connection.open_stream(written, timeout)
        except BaseException as error:
            self._pool.release(connection, context)
            if isinstance(error, OSError):
                raise self._broken(error, method, path_and_query) from error
            raise
        return _Opened(connection, context, status, received)

    async def _chunks(self, connection: Connection, method: str, path_and_query: str) -> AsyncIterator[bytes]:
        try:
            async for chunk in connection.chunks():
                yield chunk
        except OSError as error:
            raise self._broken(error, method, path_and_query) from error

    async def close(self) -> None:
        await self._pool.close()

    def _broken(self, error: OSError, method: str, path_and_query: str) -> TransportError:
        what = f"{method} {path_and_query.partition('?')[0]}"
        if isinstance(error, TimeoutError):
            return TransportError(f"{what} was not answered by {self.config.cluster.server} in time")
        return TransportError(f"{what}: the connection to {self.config.cluster.server} broke: {error}")

    def _written(
        self,
        credential: Credential,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> bytes:
        key = (credential.token, *headers.items())
        lines = self._lines.get(key)
        if lines is None:
            lines = self._new_lines(credential, headers)
            if len(self._lines) >= HEADS_REMEMBERED_MAX:
                self._lines.clear()
            self._lines[key] = lines
        target = self._pool.target(path_and_query)
        if body is None:
            return request_head(method, target, lines, 0 if method in ("POST", "PUT", "PATCH") else None)
        return request_head(method, target, lines, len(body)) + body

    def _new_lines(self, credential: Credential, headers: Mapping[str, str]) -> bytes:
        pairs = [("host", self._pool.authority), ("accept-encoding", self._encoding), *headers.items()]
        if credential.token:
            pairs.append(("authorization", f"Bearer {credential.token}"))
        return header_lines([*pairs, *self._impersonation, *self._pool.proxy_lines()])


@dataclass(frozen=True, slots=True)
class _Opened:
    """A stream whose head has come."""

    connection: Connection
    context: ssl.SSLContext | None
    status: int
    headers: dict[str, str]


def _impersonation_headers(user: UserConfig) -> list[tuple[str, str]]:
    if not user.impersonate:
        if user.impersonate_groups or user.impersonate_uid or user.impersonate_extra:
            raise ConfigError("impersonating groups, a uid or extra needs a user to impersonate (`as`)")
        return []
    headers = [("Impersonate-User", user.impersonate)]
    if user.impersonate_uid:
        headers.append(("Impersonate-Uid", user.impersonate_uid))
    headers += [("Impersonate-Group", group) for group in user.impersonate_groups]
    for name, values in user.impersonate_extra.items():
        headers += [(f"Impersonate-Extra-{quote(name, safe='')}", value) for value in values]
    return headers
