"""One connection without a socket: what the client says goes in, what the server writes is understood."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.support.http2 import GREETING, Client

from kajitori.apiserver.http import Handler, Limits, status_response
from kajitori.apiserver.http.heads import AuditIds, HeadWriter
from kajitori.apiserver.http.http2 import Blocks, Http2Connection
from kajitori.apiserver.http.shared import Shared
from kajitori.testing.virtual_time import run_virtual


class Pipe(asyncio.Transport):
    """A transport whose other end is a list; `full` is when the client does not read."""

    def __init__(self, owner: "Line") -> None:
        super().__init__({"peername": ("192.0.2.1", 40000)})
        self._owner = owner
        self.written: list[bytes] = []
        self.unread = 0
        self.full = False
        self.reading = True
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended
        self.written.append(bytes(data))
        if self.full:
            self.unread += len(data)
            if not self._owner.connection.outflow.paused:
                self._owner.connection.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self.unread

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def _end(self, how: str) -> None:
        if not self.ended:
            self.ended = how
            asyncio.get_running_loop().call_soon(self._owner.connection.connection_lost, None)


class Line:
    """One connection, both its ends."""

    def __init__(self, shared: Shared) -> None:
        self.connections: set[Http2Connection] = set()
        self.client = Client()
        self.pipe = Pipe(self)
        self.loop = shared.loop
        self.shared = shared
        self.connection = Http2Connection(
            shared, Blocks(shared.heads), self._register, self.connections.discard
        )
        self.connection.connection_made(self.pipe)

    def _register(self, connection: Http2Connection) -> bool:
        self.connections.add(connection)
        return True

    async def send(self, *data: bytes) -> Client:
        """Says it, and hears what comes of it at once."""
        for each in data:
            while not self.pipe.reading:  # noqa: ASYNC110 - it takes a few turns of the loop
                await asyncio.sleep(0)
            if not self.pipe.ended:
                self.connection.data_received(each)
        return await self.hear()

    async def hear(self) -> Client:
        """What has been written by now, after a few turns of the loop."""
        for _ in range(10):
            await asyncio.sleep(0)
        written, self.pipe.written = self.pipe.written, []
        self.client.hear(b"".join(written))
        return self.client

    def stop_reading(self) -> None:
        self.pipe.full = True

    async def read_on(self) -> Client:
        self.pipe.full = False
        self.pipe.unread = 0
        self.connection.resume_writing()
        return await self.hear()

    async def wait(self, seconds: float) -> Client:
        """Time passes, which the server looks at once a second."""
        for _ in range(int(seconds)):
            await asyncio.sleep(1)
            self.connection.check(self.loop.time())
        return await self.hear()


Conversation = Callable[[Line], Awaitable[None]]
Speak = Callable[..., None]


@pytest.fixture
def speak() -> Speak:
    """Runs a conversation with a handler: `speak(handler, conversation, limits)`; it begins after the greeting."""

    def run(
        handler: Handler, conversation: Conversation, limits: Limits | None = None, *, greets: bool = True
    ) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            shared = Shared(
                handler,
                limits or Limits(),
                heads=HeadWriter(lambda: 1.8e9 + loop.time(), loop.time),
                audit_ids=AuditIds(os.urandom(16)),
                encode_error=lambda request, error: status_response(error),
            )
            line = Line(shared)
            if greets:
                assert (await line.send(GREETING)).acknowledged == 1
            await conversation(line)
            left: Any = line.connection.abort()
            if left is not None:
                await left
            await line.hear()
            ended: Any = line.connection
            assert not line.connections and not ended._streams, "something outlived its connection"
            assert not ended._lingering and not ended.outflow.waiting and ended._uploads._held_bytes == 0
            shared.close()

        run_virtual(main())

    return run
