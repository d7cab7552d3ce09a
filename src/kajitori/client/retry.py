"""Whether and when a request is sent again.

Promises
    R1  what a server refused with 429 and a delay is sent again: it was not acted on
    R2  what a server failed with 500 to 599 is sent again only when it was a read and the server names a
        delay
    R3  after a broken connection only reads are sent again, and not when nobody listens
    R4  at most RETRIES_MAX times, each wait at most RETRY_AFTER_SECONDS_MAX

Source: client-go's rest.withRetry, which repeats any verb on a 5xx with Retry-After; proxies send those too,
after the server may have acted, so here writes are not repeated.
"""

from collections.abc import Mapping

from kajitori.client.transport import TransportError

__all__ = ["RETRIES_MAX", "RETRY_AFTER_SECONDS_MAX", "Attempts"]

RETRIES_MAX = 10
"""As client-go."""

RETRY_AFTER_SECONDS_MAX = 60
"""A server that asks for more gets its error passed on: the caller decides."""

BREAKS_MAX = 2
"""Broken connections in a row before a read gives up."""


class Attempts:
    """The tries of one request."""

    __slots__ = ("_breaks", "_is_read", "_retries")

    def __init__(self, method: str) -> None:
        self._is_read = method in ("GET", "HEAD")
        self._retries = 0
        self._breaks = 0

    def seconds_after_answer(self, status: int, headers: Mapping[str, str]) -> float | None:
        """How long to wait before sending again; None: do not."""
        if status != 429 and not (self._is_read and status >= 500):
            return None
        text = headers.get("retry-after", "")
        if not text.isdecimal() or int(text) > RETRY_AFTER_SECONDS_MAX or self._retries >= RETRIES_MAX:
            return None
        self._retries += 1
        return float(text)

    def seconds_after_break(self, error: TransportError) -> float | None:
        """The same, when no answer came."""
        if not self._is_read or error.refused or self._breaks >= BREAKS_MAX:
            return None
        self._breaks += 1
        return 0.0
