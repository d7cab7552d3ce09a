"""Streams and upgrades as clients see them."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kajitori.apiserver.http import BodyWriter, Request, Response, Stream, Upgrade

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Talk = Callable[..., None]


def test_events_are_chunks_in_order_and_the_connection_goes_on(talk: Talk) -> None:  # W1
    def start(writer: BodyWriter) -> None:
        writer.write(b"one\n")
        writer.write(b"")
        writer.write(b"two\n")
        writer.close()
        assert writer.write(b"late") == 0  # W3
        writer.close()

    def handler(request: Request) -> Any:
        return Stream(start) if request.method == "GET" else Response(200, b"next")

    async def conversation(wire: Any) -> None:
        data = await wire.send(GET + b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n")
        head, _, rest = data.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Length" not in head
        assert rest.startswith(b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")
        assert rest.endswith(b"next")

    talk(handler, conversation)


def test_the_producer_learns_that_the_peer_went_away(talk: Talk) -> None:
    writers: list[Any] = []
    gone = asyncio.Event()

    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        writer.write(GET)
        await wire.read(reader)
        writer.close()
        await gone.wait()
        assert writers[0].closed
        assert writers[0].write(b"more") == 0

    talk(lambda request: Stream(writers.append, gone.set), conversation)


def test_a_producer_sees_how_much_a_slow_reader_leaves_and_can_cut_it(talk: Talk) -> None:  # W2
    writers: asyncio.Queue[Any] = asyncio.Queue()
    ended = asyncio.Event()

    async def conversation(wire: Any) -> None:
        _, writer = await wire.open()
        writer.transport.pause_reading()
        writer.write(GET)
        stream = await writers.get()
        event = b"x" * 65536
        while (buffered := stream.write(event)) < 10_000_000:
            pass
        assert stream.buffered == buffered
        stream.abort()
        await ended.wait()
        assert stream.closed
        writer.close()

    talk(lambda request: Stream(writers.put_nowait, ended.set), conversation)


def test_closing_the_server_ends_streams_properly(talk: Talk) -> None:
    ended: list[bool] = []

    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        writer.write(GET)
        await wire.read(reader)
        await wire.server.close(grace_seconds=1)
        assert await wire.read(reader) == b"0\r\n\r\n<closed>"
        assert ended == [True]
        writer.close()

    talk(lambda request: Stream(lambda writer: None, lambda: ended.append(True)), conversation)


def test_a_producer_that_fails_to_start_leaves_no_half_answer(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    def start(writer: BodyWriter) -> None:
        raise ValueError("broken")

    async def conversation(wire: Any) -> None:
        with caplog.at_level(logging.ERROR):
            reader, writer = await wire.open()
            writer.write(GET)
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readuntil(b"0\r\n\r\n")
            writer.close()
        assert len(caplog.records) == 1

    talk(lambda request: Stream(start), conversation)


class Parrot(asyncio.Protocol):
    """Says everything again, louder."""

    def __init__(self, transport: asyncio.Transport, lost: asyncio.Event) -> None:
        self.transport = transport
        self.lost = lost

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@pytest.mark.parametrize("later", [False, True])
def test_an_upgraded_connection_belongs_to_its_protocol(talk: Talk, later: bool) -> None:
    lost = asyncio.Event()

    def upgrade() -> Upgrade:
        headers = [("Upgrade", "parrot"), ("Connection", "Upgrade")]
        return Upgrade(headers, lambda transport: Parrot(transport, lost))

    async def handler(request: Request) -> Upgrade:
        await asyncio.sleep(0)
        return upgrade()

    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: parrot\r\nConnection: Upgrade\r\n\r\nearly ")
        data = await wire.read(reader)
        assert data.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert data.endswith(b"\r\n\r\nEARLY ")
        assert b"Content-" not in data
        writer.write(b"late")
        assert await wire.read(reader) == b"LATE"
        writer.close()
        await lost.wait()

    talk(handler if later else lambda request: upgrade(), conversation)


@pytest.mark.parametrize("later", [False, True])
def test_an_upgrade_that_is_not_taken_is_an_ordinary_request(talk: Talk, later: bool) -> None:
    async def slowly(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(200, request.path.encode())

    def handler(request: Request) -> Any:
        return slowly(request) if later else Response(200, request.path.encode())

    async def conversation(wire: Any) -> None:
        ask = b"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
        data = await wire.send(ask + GET + ask)
        assert data.count(b"HTTP/1.1 200 OK") == 3

    talk(handler, conversation)
