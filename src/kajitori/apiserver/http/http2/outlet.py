"""Where frames leave a connection: what is said in one turn of the loop is one write.

A write over TLS costs more than most requests do; on a connection with many streams several have something to say
in the same turn.

Promises
    V1  what was written leaves in order, at the latest at the end of the turn
    V2  a client that does not read has at most `unread_bytes_max` waiting for it, then the connection is cut
"""

import asyncio
import logging

__all__ = ["Outlet"]

_log = logging.getLogger(__name__)

_GATHERED_BYTES_MAX = 64 * 1024
"""Where a write is large enough; gathering more would not notice a client that does not read."""


class Outlet:
    """Writes of one connection, gathered."""

    __slots__ = (
        "_gathered",
        "_gathered_bytes",
        "_loop",
        "_transport",
        "_unread_bytes_max",
        "holds",
        "paused",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, unread_bytes_max: int) -> None:
        self._loop = loop
        self._unread_bytes_max = unread_bytes_max
        self._transport: asyncio.Transport | None = None
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self.holds = False
        """Whoever set it will flush before the turn ends."""
        self.paused = False
        """The client does not read."""

    def open(self, transport: asyncio.Transport) -> None:
        """From here on there is somewhere to write to."""
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Writes at the end of the turn, or at once what is much."""
        gathered = self._gathered
        if not gathered and not self.holds:
            self._loop.call_soon(self.flush)
        gathered.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes >= _GATHERED_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Writes what there is."""
        gathered, transport = self._gathered, self._transport
        if not gathered or transport is None:
            return
        self._gathered = []
        self._gathered_bytes = 0
        if transport.is_closing():
            return
        transport.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))
        if self.paused and transport.get_write_buffer_size() > self._unread_bytes_max:
            _log.info("a client left too much unread")
            transport.abort()

    @property
    def is_empty(self) -> bool:
        """Whether everything has been taken by the client's side of the network."""
        transport = self._transport
        return not self._gathered and (transport is None or transport.get_write_buffer_size() == 0)
