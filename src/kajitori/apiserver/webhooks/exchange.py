"""One request over TLS to somebody else, and the answer. Each has a connection of its own.

Sits under those who ask webhooks and issuers of tokens.

Promises
    E1  an exchange ends with an answer or with an ExchangeError in the words of Go's client
    E2  no more than `bytes_max` of an answer are read

Source: Go's net/http.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from kajitori.apiserver.webhooks.answers import AnswerReader, ProtocolError
from kajitori.apiserver.webhooks.words import told_of

__all__ = ["Answered", "ExchangeError", "exchange"]


class ExchangeError(Exception):
    """There is nobody to ask, or no answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, whatever its status."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]
    """By lower-case name."""


async def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    tls: ssl.SSLContext | None,
    address: tuple[str, int] | None = None,
    server_name: str = "",
    bytes_max: int,
) -> Answered:
    """The answer to one request. `address` is where to connect to, by default where the URL says; `tls` None: none.

    Raises: ExchangeError.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None, url
    default = 443 if parts.scheme == "https" else 80
    host, port = address or (parts.hostname, parts.port or default)
    reader, writer = await _connect(host, port, tls, server_name or parts.hostname)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        netloc = parts.netloc.rpartition("@")[2]
        lines = [f"{method} {target} HTTP/1.1", f"host: {netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        lines += ["connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + (body or b""))
        answer = AnswerReader(bytes_max)
        while not answer.complete:
            data = await reader.read(1 << 16)
            answer.receive(data)
        return Answered(answer.status, answer.content_type, answer.body, answer.headers)
    except ProtocolError as problem:
        raise ExchangeError(str(problem)) from None
    except OSError:
        raise ExchangeError("EOF") from None
    finally:
        writer.transport.abort()


async def _connect(
    host: str, port: int, tls: ssl.SSLContext | None, server_name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises: ExchangeError, in the words of Go's dialer and of its TLS."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise ExchangeError(f"dial tcp: lookup {host}: no such host") from None
    address = found[0][4][0]
    shown = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    try:
        if tls is None:
            return await asyncio.open_connection(host, port)
        return await asyncio.open_connection(host, port, ssl=tls, server_hostname=server_name)
    except (OSError, EOFError) as problem:  # what is wrong with TLS is an OSError too
        raise ExchangeError(told_of(problem, address=shown, server_name=server_name)) from None
