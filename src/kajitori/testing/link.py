"""A way to an API server that can break: for kubectl, operators in Go, and whatever else runs in another process.

    async with TestEnv(serve=True) as env, Link(env.url) as link:
        env.kubeconfig(path, server=link.url)
        ...
        link.cut()

It passes bytes on, encrypted as they are, so that it can do to connections what networks do, and nothing to requests.

Promises
    L1  what is passed on is what came, in order, up to where a connection is cut; a cut is a reset, not an end
    L2  when it ends no connection is left
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Link"]

CHUNK_BYTES = 64 * 1024


class Link:
    """A port on the loopback address, from `async with` to its end."""

    def __init__(self, url: str) -> None:
        """`url` is the API server's."""
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or "127.0.0.1"
        self._target_port = parts.port or (443 if parts.scheme == "https" else 80)
        self.delay_seconds = 0.0
        """How much later everything comes, each way."""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._flows = asyncio.Event()
        self._flows.set()
        self._answer_bytes_max: int | None = None

    @property
    def url(self) -> str:
        """Where clients are to go."""
        return f"{self._scheme}://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def cut(self) -> int:
        """Resets the connections that are open now; gives how many."""
        for writers in self._open.values():
            for writer in writers:
                writer.transport.abort()
        return len(self._open)

    def cut_after(self, answer_bytes: int | None) -> None:
        """Connections that begin from now on are reset after so many bytes from the server; None: no longer."""
        self._answer_bytes_max = answer_bytes

    @asynccontextmanager
    async def down(self) -> AsyncGenerator[None, None]:
        """Connections are reset, and refused until the end of the block."""
        await self._close()
        try:
            yield
        finally:
            await self._listen()

    @asynccontextmanager
    async def silent(self) -> AsyncGenerator[None, None]:
        """Nothing is passed on until the end of the block; connections stay."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None, "begun"
        self._server.close()
        self.cut()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._open[task] = [writer]
        try:
            there, onward = await asyncio.open_connection(self._host, self._target_port)
            writers.append(onward)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, onward, None))
                group.create_task(self._pass(there, writer, self._answer_bytes_max))
        except* (OSError, _Cut):
            for each in writers:
                each.transport.abort()
        finally:
            del self._open[task]
            for each in writers:
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_left: int | None
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await self._flows.wait()
            if bytes_left is not None:
                data, bytes_left = data[:bytes_left], bytes_left - len(data)
            writer.write(data)
            await writer.drain()
            if bytes_left is not None and bytes_left <= 0:
                raise _Cut
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


class _Cut(Exception):
    pass
