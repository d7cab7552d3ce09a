"""A small load generator for any Kubernetes API server: HTTP/1.1 over TLS, keep-alive, one request at a time each.

Lean on purpose: it shares two cores with the server that it measures.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

__all__ = ["Figures", "Load", "Watcher", "pod"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one step measured."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


KEPT_BYTES_MAX = 64 * 1024
"""Of an answer no more is kept than is needed to tell what went wrong."""


class _Connection(asyncio.Protocol):
    """One keep-alive connection; `exchange` sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._in_body = False
        self._left = 0
        """Bytes of the answer that are still to come."""
        self._chunked = False
        self._tail = b""
        """The last bytes, by which the end of an answer in chunks is known (JSON has no CR of its own)."""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.received_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, though not by class

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        if not self._in_body:
            self._buffer += data
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            self._in_body = True
            lower = bytes(self._buffer[:head]).lower() + b"\r\n"
            place = lower.find(b"content-length:")
            length = int(lower[place + 15 : lower.index(b"\r\n", place)]) if place > 0 else 0
            self._left = head + 4 + length - len(self._buffer)
            self._chunked = place < 0 and b"transfer-encoding: chunked" in lower
        else:
            self._left -= len(data)
            if len(self._buffer) < KEPT_BYTES_MAX:
                self._buffer += data
        self._tail = (self._tail + data[-7:])[-7:]
        if self._tail.endswith(b"\r\n0\r\n\r\n") if self._chunked else self._left <= 0:
            self._answered()

    def _answered(self) -> None:
        whole = bytes(self._buffer)
        self._buffer.clear()
        self._in_body = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(whole[9:12]), whole))
        self._answer = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def exchange(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Watcher(asyncio.Protocol):
    """One watch, over HTTP/1.1 in chunks: how long after the time in its `"sent"` each event arrived.

    Chunks are not taken apart: the mark is shorter than what is kept of the chunk before.
    """

    MARK = b'"sent":"'

    def __init__(self, request: bytes, expected: int) -> None:
        self._request = request
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.delays: list[float] = []
        self.complete = asyncio.Event()
        """Set once `expected` events have come."""
        self._expected = expected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._rest + data
        start = 0
        while (place := data.find(self.MARK, start)) >= 0:
            end = data.find(b'"', place + len(self.MARK))
            if end < 0:
                break
            self.delays.append(now - float(data[place + len(self.MARK) : end]))
            start = end
        self._rest = data[start:][-64:] if place < 0 else data[place:]
        if len(self.delays) >= self._expected:
            self.complete.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Load:
    """Requests to one server."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> bytes:
        """A request as bytes."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._token}\r\n"
        if body:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body

    async def connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._context)
        return connection

    async def watch(self, path: str, expected: int) -> Watcher:
        """A watch of its own connection, begun; complete with so many events."""
        loop = asyncio.get_running_loop()
        request = self.request("GET", path)
        _, watcher = await loop.create_connection(
            lambda: Watcher(request, expected), self._host, self._port, ssl=self._context
        )
        return watcher

    async def once(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status, and head and body."""
        connection = await self.connect()
        try:
            return await connection.exchange(self.request(method, path, body, content_type))
        finally:
            connection.close()

    async def run(self, clients: int, count: int, make: Callable[[int], bytes], good: int) -> Figures:
        """`count` requests from so many clients; every answer must have the status `good`.

        Raises: RuntimeError for any other answer.
        """
        connections = [await self.connect() for _ in range(clients)]
        numbers = iter(range(count))
        taken: list[float] = []

        async def client(connection: _Connection) -> None:
            for number in numbers:
                begin = time.perf_counter()
                status, answer = await connection.exchange(make(number))
                taken.append(time.perf_counter() - begin)
                if status != good:
                    raise RuntimeError(f"answer {status}: {answer[-400:].decode(errors='replace')}")

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for connection in connections:
                tasks.create_task(client(connection))
        seconds = time.perf_counter() - begin
        for connection in connections:
            connection.close()
        taken.sort()
        return Figures(
            count, seconds, taken[count // 2] * 1000, taken[min(count - 1, count * 99 // 100)] * 1000
        )


def pod(name: str) -> bytes:
    """A Pod that is about 3 KB when stored, as a Deployment's Pods are."""
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10}
    container = {
        "name": "app",
        "image": "registry.example.com/team/app:1.2.3",
        "env": [{"name": f"SETTING_{number}", "value": "x" * 30} for number in range(8)],
        "ports": [{"containerPort": 8080, "name": "http"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "livenessProbe": probe,
        "readinessProbe": probe,
    }
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "bench", "pod-template-hash": "5d4f8c7b9"}},
        "spec": {"containers": [container]},
    }
    return json.dumps(body).encode()
