"""Talking to an API server over the network: HTTP/1.1 through aiohttp, which is imported when the first
request is sent.

Promises
    N1  what T1 and T2 of the Transport promise
    N2  a request that was refused with 401 is sent once more when there may be a fresher credential
    N3  connections are kept and shared; at most CONNECTIONS_MAX are open, watches included
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from kajitori.client.config import ConfigError, ConnectionConfig, UserConfig
from kajitori.client.credentials import Credential, credentials_of
from kajitori.client.tls import TlsSettings
from kajitori.client.transport import RawResponse, RawStream, TransportError
from kajitori.world.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    import aiohttp

__all__ = ["NetworkTransport"]

CONNECTIONS_MAX = 1_000
"""More than a hundred watched kinds and a hundred workers need; a process has 1,024 files by default."""

CONNECT_SECONDS = 30.0
"""As client-go's dialer."""

KEPT_SECONDS = 15.0
"""How long an unused connection is kept: less than any server or proxy keeps it, so that we never write into
one that is closing."""


class NetworkTransport:
    """A `Transport` to the server of a ConnectionConfig."""

    def __init__(self, config: ConnectionConfig, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.config = config
        self._credentials = credentials_of(config.user, config.cluster, clock)
        secure = config.cluster.server.startswith("https:")
        self._tls = TlsSettings(config.cluster, config.user, clock) if secure else None
        self._impersonation = _impersonation_headers(config.user)
        self._proxy = config.cluster.proxy_url or _proxy_of_environment(config.cluster.server)
        self._encoding = (
            "identity" if _is_local(config.cluster.server) or config.cluster.disable_compression else "gzip"
        )
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        for is_last in (False, True):
            credential = await self._credentials.get()
            try:
                async with asyncio.timeout(timeout):
                    async with self._send(method, path_and_query, headers, body, credential) as response:
                        content = await response.read()
            except TimeoutError as error:
                raise TransportError(f"{method} {path_and_query} took longer than {timeout:g} s") from error
            except Exception as error:
                raise _translated(error, self.config.cluster.server) from error
            if response.status == 401 and not is_last and self._credentials.refused(credential):
                continue
            return RawResponse(response.status, _joined(response.headers), content)
        raise AssertionError("unreachable")

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
        sending = self._send(method, path_and_query, headers, body, credential)
        try:
            async with asyncio.timeout(timeout):
                response = await sending.__aenter__()
        except TimeoutError as error:
            raise TransportError(f"{method} {path_and_query} took longer than {timeout:g} s") from error
        except Exception as error:
            raise _translated(error, self.config.cluster.server) from error
        try:
            if response.status == 401:
                self._credentials.refused(credential)
            yield RawStream(
                response.status, _joined(response.headers), _chunks(response, self.config.cluster.server)
            )
        finally:
            # Not released to the pool: the body has no end that we would wait for.
            response.close()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _send(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        credential: Credential,
    ) -> Any:
        from yarl import URL

        session = self._session or self._open()
        sent = {**headers, "accept-encoding": self._encoding}
        if credential.token:
            sent["authorization"] = f"Bearer {credential.token}"
        pairs: Any = sent if self._impersonation is None else [*sent.items(), *self._impersonation]
        options: dict[str, Any] = {}
        if self._tls is not None:
            options["ssl"] = self._tls.context(credential)
            if self.config.cluster.tls_server_name:
                options["server_hostname"] = self.config.cluster.tls_server_name
        if self._proxy:
            options["proxy"] = self._proxy
        url = URL(self.config.cluster.server + path_and_query, encoded=True)
        return session.request(method, url, headers=pairs, data=body, allow_redirects=False, **options)

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEPT_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=1 << 18,
            skip_auto_headers=("user-agent", "accept", "content-type"),
        )
        return self._session


async def _chunks(response: "aiohttp.ClientResponse", server: str) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except GeneratorExit:
        raise
    except Exception as error:
        raise _translated(error, server) from error


def _joined(headers: Any) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _translated(error: Exception, server: str) -> Exception:
    """A TransportError that says what happened; errors that are not about the network as they are."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return TransportError(f"cannot connect to {server}: {error}", sent=False, refused=refused)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TransportError(f"cannot connect to {server} within {CONNECT_SECONDS:g} s", sent=False)
    if isinstance(error, (aiohttp.ClientError, OSError, TimeoutError)):
        return TransportError(f"the connection to {server} broke: {error or type(error).__name__}")
    return error


def _impersonation_headers(user: UserConfig) -> list[tuple[str, str]] | None:
    if not user.impersonate:
        if user.impersonate_groups or user.impersonate_uid or user.impersonate_extra:
            raise ConfigError("impersonating groups, a uid or extra needs a user to impersonate (`as`)")
        return None
    headers = [("Impersonate-User", user.impersonate)]
    if user.impersonate_uid:
        headers.append(("Impersonate-Uid", user.impersonate_uid))
    headers += [("Impersonate-Group", group) for group in user.impersonate_groups]
    for name, values in user.impersonate_extra.items():
        headers += [(f"Impersonate-Extra-{quote(name, safe='')}", value) for value in values]
    return headers


def _is_local(server: str) -> bool:
    return urlsplit(server).hostname in ("localhost", "127.0.0.1", "::1")


def _proxy_of_environment(server: str) -> str:
    parts = urlsplit(server)
    if _is_local(server) or proxy_bypass(parts.hostname or ""):
        return ""
    return getproxies().get(parts.scheme, "")
