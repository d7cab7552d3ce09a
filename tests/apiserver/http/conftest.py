"""A server on loopback and a client that speaks bytes, for tests of what is on the wire."""

import asyncio
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

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port, limit=1 << 26)

    async def send(self, data: bytes, *, end: bool = False) -> bytes:
        """Everything answered to `data`; ends in `<closed>` when the server closed the connection."""
        reader, writer = await self.open()
        writer.write(data)
        if end:
            writer.write_eof()
        answer = await self.read(reader)
        writer.close()
        return answer

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        while True:
            try:
                part = await asyncio.wait_for(reader.read(1 << 20), QUIET_SECONDS)
            except TimeoutError:
                break
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
            try:
                await conversation(Wire(server, loop))
            finally:
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
