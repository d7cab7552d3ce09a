"""How connections end: drained, idle, too slow, or because the client says so."""

import asyncio
from typing import Any

from tests.support.http2 import GREETING, Client

from kajitori.apiserver.http import BodyWriter, Limits, Request, Response, Stream
from kajitori.wire.http2.frames import INT31_MAX, PREFACE, Code, Kind, frame, goaway, settings

Speak = Any


def ok(request: Request) -> Response:
    return Response(200, b"ok")


class Doors:
    """Requests that wait until they are let through, and watches."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.writers: list[BodyWriter] = []
        self.closed = 0

    def _close(self) -> None:
        self.closed += 1

    def __call__(self, request: Request) -> Any:
        if request.path == "/watch":
            return Stream(self.writers.append, self._close)
        return self._wait(request)

    async def _wait(self, request: Request) -> Response:
        await self.open.wait()
        return ok(request)


def pong(client: Client) -> bytes:
    return frame(Kind.PING, 1, 0, client.pings[-1])


def test_a_drain_loses_no_request_that_is_on_its_way(speak: Speak) -> None:  # D2
    doors = Doors()

    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1), line.client.request(3, "/watch"))
        doors.writers[0].write(b"last words")
        line.connection.drain()
        await line.hear()
        assert client.goaways == [(INT31_MAX, Code.NO_ERROR, "")]
        assert (client[3].body, client[3].ended, doors.closed) == (b"last words", True, 1)
        # Sent before the client heard of it.
        await line.send(line.client.request(5))
        await line.send(pong(client))
        assert client.goaways[1:] == [(5, Code.NO_ERROR, "")]
        await line.send(line.client.request(7), line.client.data(7, b"x"))
        assert not line.pipe.ended and not client[7].headers
        doors.open.set()
        await line.hear()
        assert (client[1].body, client[5].body, client[7].body) == (b"ok", b"ok", b"")
        assert line.pipe.ended == "closed" and line.connection.is_done

    speak(doors, conversation)


def test_a_drain_waits_a_second_for_a_client_that_does_not_answer(speak: Speak) -> None:  # D2
    async def conversation(line: Any) -> None:
        line.connection.drain()
        line.connection.drain()
        client = await line.wait(2)
        assert [last for last, *_ in client.goaways] == [INT31_MAX, 0]
        assert line.pipe.ended == "closed"

    speak(ok, conversation)


def test_a_client_that_says_goodbye_gets_what_it_asked_for(speak: Speak) -> None:
    doors = Doors()

    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1), line.client.request(3, "/watch"))
        await line.send(goaway(0, 0))
        await line.send(pong(client))
        assert doors.closed == 0 and not line.pipe.ended
        doors.open.set()
        doors.writers[0].close()
        await line.hear()
        assert client[1].body == b"ok" and client[3].ended and line.pipe.ended == "closed"

    speak(doors, conversation)


def test_an_idle_connection_ends_politely(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1))
        await line.wait(60)
        await line.send(line.client.request(3))
        await line.wait(60)
        # Pings keep nothing open.
        await line.send(frame(Kind.PING, 0, 0, bytes(8)))
        assert not client.goaways
        await line.wait(31)
        assert client.goaways == [(3, Code.NO_ERROR, "")] and line.pipe.ended == "closed"

    speak(ok, conversation)


def test_a_connection_with_a_watch_is_not_idle(speak: Speak) -> None:
    doors = Doors()

    async def conversation(line: Any) -> None:
        await line.send(line.client.request(1, "/watch"))
        await line.wait(500)
        assert not line.pipe.ended

    speak(doors, conversation)


def test_a_client_that_does_not_begin(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        await line.send(PREFACE + settings([])[:5])
        client = await line.wait(33)
        assert client.goaways[0][1:] == (Code.PROTOCOL_ERROR, "too slow")
        await line.wait(2)
        assert line.pipe.ended == "closed"

    speak(ok, conversation, greets=False)


def test_headers_that_do_not_come_to_an_end(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        await line.send(frame(Kind.HEADERS, 1, 1, b"\x82"))
        client = await line.wait(33)
        assert client.goaways[0][1:] == (Code.PROTOCOL_ERROR, "too slow")

    speak(ok, conversation)


def test_a_body_that_does_not_come_to_an_end(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        named = [*client.common.items(), (":method", "POST"), (":path", "/")]
        await line.send(client.headers(1, named, ends=False) + client.data(1, b"some", ends=False))
        await line.wait(30)
        await line.send(client.data(1, b"more", ends=False), client.request(3))
        assert client[3].status == 200 and not client[1].headers
        await line.wait(31)
        assert (client[1].status, client[1].code) == (408, Code.NO_ERROR)
        assert not client.goaways

    speak(ok, conversation)


def test_an_answer_that_nobody_takes(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        client: Client = await line.send(settings([(4, 1)]), line.client.request(1), line.client.request(3))
        await line.wait(59)
        assert client[1].body == b"o" and client[1].code is None
        await line.send(frame(Kind.WINDOW_UPDATE, 0, 3, b"\0\0\0\x01"))
        await line.wait(4)
        assert client[1].code is Code.CANCEL and client[3].ended and not client.goaways

    speak(ok, conversation)


def test_a_connection_that_nobody_reads(speak: Speak) -> None:  # D3
    async def conversation(line: Any) -> None:
        await line.send(line.client.request(1))
        line.stop_reading()
        await line.send(line.client.request(3), line.client.request(5))
        await line.wait(64)
        assert line.pipe.ended == "aborted"

    speak(ok, conversation)


def test_too_many_connections(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        refused = type(line)(line.shared)
        refused.pipe.written.clear()
        crowded = type(line.connection)(
            line.shared, line.connection.blocks, lambda connection: False, lambda connection: None
        )
        crowded.connection_made(refused.pipe)
        client = await refused.hear()
        assert client.goaways == [(0, Code.ENHANCE_YOUR_CALM, "no more connections")]
        refused.connection.connection_lost(None)

    speak(ok, conversation)


def test_a_handler_that_ends_after_its_client(speak: Speak) -> None:  # A3
    doors = Doors()

    async def stubborn(request: Request) -> Response:
        try:
            await doors.open.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(5)
        return ok(request)

    async def conversation(line: Any) -> None:
        await line.send(line.client.request(1))
        line.connection.eof_received()
        left = line.connection.abort()
        await line.hear()
        assert not line.connections
        await left

    speak(stubborn, conversation)


def test_a_second_greeting_is_no_frame(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client = await line.send(GREETING)
        assert client.goaways[0][1] is Code.FRAME_SIZE_ERROR

    speak(ok, conversation, Limits())
