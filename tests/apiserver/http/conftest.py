"""A server on loopback and a client that speaks bytes, for tests of what is on the wire."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kajitori.apiserver.http import Handler, Limits, Server, serve

QUIET_SECONDS = 0.05
"""After this long without bytes an answer is taken to be all there is."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be set forward, so that deadlines pass without waiting."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def jump(self, seconds: float) -> None:
        self.ahead += seconds


class Wire:
    """One server, and raw conversations with it."""

    def __init__(self, server: Server, loop: JumpingLoop) -> None:
        self.server = server
        self.loop = loop
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, limit=1 << 26)
        self._writers.append(writer)
        return reader, writer

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send(self, data: bytes, *, end: bool = False, closes: bool = False) -> bytes:
        """Everything answered to `data`; ends in `<closed>` when the server closed the connection.

        `closes` says that it will, so that there is no need to listen for silence.
        """
        reader, writer = await self.open()
        writer.write(data)
        if end:
            writer.write_eof()
        answer = await (reader.read() if closes else self.read(reader))
        writer.close()
        return answer + b"<closed>" if closes else answer

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """What comes until it is quiet, or the server closes."""
        parts: list[bytes] = []
        while True:
            reading = asyncio.ensure_future(reader.read(1 << 20))
            await asyncio.wait([reading], timeout=QUIET_SECONDS)
            for _ in range(10):  # a busy machine is not silence: what is under way has its turns first
                await asyncio.sleep(0)
            if not reading.done():
                reading.cancel()
                break
            part = reading.result()
            if not part:
                parts.append(b"<closed>")
                break
            parts.append(part)
        return b"".join(parts)


@pytest.fixture
def talk() -> Callable[..., None]:
    """Runs a conversation against a server with a handler: `talk(handler, conversation, limits)`."""

    def run(
        handler: Handler, conversation: Callable[[Wire], Awaitable[None]], limits: Limits | None = None
    ) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, JumpingLoop)
            server = await serve(handler, limits=limits or Limits(linger_seconds=0.01))
            wire = Wire(server, loop)
            try:
                await conversation(wire)
            finally:
                await wire.hang_up()
                await server.close(grace_seconds=0.1)
            assert server.connections == 0, "a connection outlived its server"

        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(main())

    return run


@pytest.fixture
def split() -> Callable[[bytes], list[tuple[int, dict[str, str], bytes]]]:
    """Takes answers with a Content-Length apart: status, headers by lower-case name, body."""

    def take(data: bytes) -> list[tuple[int, dict[str, str], bytes]]:
        found: list[tuple[int, dict[str, str], bytes]] = []
        rest = data
        while rest.startswith(b"HTTP/"):
            head, _, rest = rest.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers: dict[str, Any] = {}
            for line in lines:
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            length = int(headers.get("content-length", 0))
            found.append((int(first.split()[1]), headers, rest[:length]))
            rest = rest[length:]
        assert re.fullmatch(rb"(<closed>)?", rest), rest
        return found

    return take
