"""Flow control both ways: large answers to slow readers, many bodies at once, watches beside one another."""

import asyncio
from typing import Any

from tests.support.http2 import Client

from kajitori.apiserver.http import BodyWriter, Joined, Limits, Request, Response, Stream
from kajitori.wire.http2.frames import Code, Kind, frame, settings, window_update

Speak = Any
WINDOW = 65_535


def large(request: Request) -> Response:
    return Response(200, b"x" * int(request.query or 0))


def test_an_answer_goes_as_far_as_the_windows_allow(speak: Speak) -> None:  # O2
    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1, "/?200000"), line.client.request(3, "/?10"))
        assert len(client[1].body) == WINDOW and not client[3].body
        await line.send(window_update(0, 1000))
        # The stream's own window is used up; the other's is not.
        assert len(client[1].body) == WINDOW and client[3].ended
        await line.send(window_update(1, 500))
        assert len(client[1].body) == WINDOW + 500
        await line.send(settings([(4, WINDOW + 100)]))
        assert len(client[1].body) == WINDOW + 600
        await line.send(settings([(4, 0)]), window_update(1, 50_000), window_update(0, 500_000))
        assert len(client[1].body) == WINDOW + 600
        await line.send(settings([(4, WINDOW), (5, 20_000)]), window_update(1, 150_000))
        assert client[1].ended and len(client[1].body) == 200_000
        assert max(len(payload) for kind, *_, payload in client.frames if kind == Kind.DATA) == 20_000

    speak(large, conversation)


def test_a_body_in_parts_holds_little_while_its_client_does_not_read(speak: Speak) -> None:  # B3
    made: list[int] = []

    class Parts(list[bytes]):
        def __getitem__(self, index: Any) -> Any:
            made.append(1)
            return super().__getitem__(index)

    parts = Parts([b"p" * 1000] * 4000)

    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1))
        assert len(client[1].body) == WINDOW
        assert len(made) < 20  # Runs of 80 parts each.
        assert line.connection._streams[1].waiting_bytes < 1_000_000
        for _ in range(200):
            if client[1].ended:
                break
            await line.send(window_update(0, 500_000) + window_update(1, 500_000))
        assert len(client[1].body) == 4_000_000 + 3999 + 2 and client[1].code is None

    speak(lambda request: Response(200, Joined(b"[", parts, b"]", separator=b",")), conversation)


def test_nothing_is_written_to_a_client_that_does_not_read(speak: Speak) -> None:  # O4
    writers: list[BodyWriter] = []

    def handler(request: Request) -> Any:
        return Stream(writers.append) if request.path == "/watch" else large(request)

    async def conversation(line: Any) -> None:
        client: Client = await line.send(line.client.request(1, "/watch"))
        line.stop_reading()
        await line.send(frame(Kind.PING, 0, 0, bytes(8)))
        before = line.pipe.unread
        assert [writers[0].write(b"e" * 100) for _ in range(3)] == [100, 200, 300]
        await line.send(line.client.request(3, "/?10"))
        assert line.pipe.unread < before + 200 and not client[1].body and not client[3].ended
        writers[0].close()
        await line.read_on()
        assert (client[1].body, client[1].ended) == (b"e" * 300, True)
        assert client[3].ended

    speak(handler, conversation)


def test_a_client_that_leaves_too_much_unread_is_cut_off(speak: Speak) -> None:  # B3, V2
    async def conversation(line: Any) -> None:
        line.stop_reading()
        stream = 1
        while not line.pipe.ended:
            await line.send(line.client.request(stream, method="HEAD"))
            stream += 2
        assert line.pipe.ended == "aborted" and stream > 100

    speak(large, conversation, Limits(unread_bytes_max=20_000))


def test_a_watch_whose_client_allows_nothing_holds_up_no_other(speak: Speak) -> None:  # O3
    writers: dict[str, BodyWriter] = {}

    def handler(request: Request) -> Stream:
        return Stream(lambda writer: writers.__setitem__(request.path, writer))

    async def conversation(line: Any) -> None:
        client: Client = await line.send(
            settings([(4, 10)]),
            line.client.request(1, "/a"),
            line.client.request(3, "/b"),
            window_update(3, 1000),
        )
        assert writers["/a"].write(b"a" * 30) == 20
        assert writers["/b"].write(b"b" * 30) == 0
        await line.hear()
        assert (client[1].body, client[3].body) == (b"a" * 10, b"b" * 30)
        writers["/a"].abort()
        await line.hear()
        assert client[1].code is Code.INTERNAL_ERROR
        await line.send(window_update(1, 100))
        assert client[1].body == b"a" * 10

    speak(handler, conversation)


def test_windows_for_bodies_grow_as_they_are_used(speak: Speak) -> None:  # L1, L3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        body = b"x" * 2_900_000
        sent = client.request(1, "/", "POST", body)
        allowed, at = 256 * 1024, 0
        head = 9 + int.from_bytes(sent[:3], "big")
        await line.send(sent[:head])
        first = client.windows[0]
        while at < len(body):
            size = min(16_384, len(body) - at)
            assert at + size <= allowed + client.windows.get(1, 0)
            await line.send(client.data(1, body[at : at + size], ends=at + size == len(body)))
            at += size
        assert client[1].body == b"2900000" and client.windows[0] == first
        # And of the connection, when half of it is used.
        for number in range(6):
            await line.send(client.request(3 + 2 * number, "/", "POST", body))
        assert client.windows[0] > first

    speak(lambda request: Response(200, str(len(request.body)).encode()), conversation)


def test_many_bodies_at_once_take_turns_where_there_is_no_room_for_all(speak: Speak) -> None:  # L2
    size = 700_000

    async def conversation(line: Any) -> None:
        client: Client = line.client
        streams = [1 + 2 * number for number in range(10)]
        left = {}
        for stream in streams:
            named = [*client.common.items(), (":method", "POST"), (":path", "/")]
            await line.send(client.headers(stream, named, ends=False))
            left[stream] = size
        sent = dict.fromkeys(streams, 0)
        peak = 0
        for _ in range(2000):
            moved = False
            for stream in streams:
                room = 256 * 1024 + client.windows.get(stream, 0) - sent[stream]
                count = min(16_384, room, left[stream])
                if count > 0:
                    moved = True
                    sent[stream] += count
                    left[stream] -= count
                    await line.send(client.data(stream, bytes(count), ends=not left[stream]))
                    peak = max(peak, line.connection._uploads._held_bytes)
            if not moved:
                break
        assert all(client[stream].body == str(size).encode() for stream in streams), left
        assert peak <= 1_000_000 + 10 * 256 * 1024 + size

    limits = Limits(uploads_bytes_max=1_000_000)
    speak(lambda request: Response(200, str(len(request.body)).encode()), conversation, limits)


def test_a_client_that_goes_in_the_middle_of_a_body(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client: Client = line.client
        named = [*client.common.items(), (":method", "POST"), (":path", "/")]
        await line.send(client.headers(1, named, ends=False) + client.data(1, b"half", ends=False))
        await line.send(client.headers(3, named, ends=False) + client.data(3, b"half", ends=False)[:-2])
        line.pipe.abort()
        await asyncio.sleep(0)
        assert not line.connections

    speak(large, conversation)
