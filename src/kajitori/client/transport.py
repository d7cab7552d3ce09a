"""The door between the client and an API server: bytes out, bytes back.

Two transports exist: `network.NetworkTransport` speaks HTTP, and a cluster in the same process hands
requests to its API server directly. Everything above (`Client`, the runtime) knows only this Protocol, so it
names no HTTP library.

Promises
    T1  a transport that could not finish an exchange raises TransportError, never its library's own error
    T2  `TransportError.sent` is False only when the server cannot have seen the request
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["RawResponse", "RawStream", "Transport", "TransportError"]


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer read to its end."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; a header sent several times is one value joined with `, `."""
    body: bytes


@dataclass(frozen=True, slots=True)
class RawStream:
    """An answer whose body is still coming. Errors (`status` above 299) stream their Status body too."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes] = field(repr=False)
    """Ends when the server ends the answer; raises TransportError when the connection breaks."""


class TransportError(Exception):
    """The exchange did not finish: no connection, connection lost, time out, broken TLS."""

    def __init__(self, message: str, *, sent: bool = True, refused: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        """Whether the server may have acted on the request."""
        self.refused = refused
        """Nobody listens at the address: a server that is starting."""


class Transport(Protocol):
    """How requests reach one API server. One object serves concurrent requests."""

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        """The whole answer; `timeout` in seconds, None waits for ever.

        Raises: TransportError.
        """
        ...

    def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AbstractAsyncContextManager[RawStream]:
        """The answer while it comes. `timeout` bounds the wait for its head, not its body. Leaving the block
        hangs up.

        Raises: TransportError.
        """
        ...

    async def close(self) -> None:
        """Hangs up everything. Safe to repeat."""
        ...
