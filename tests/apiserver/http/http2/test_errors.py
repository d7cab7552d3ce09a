"""What breaks RFC 9113, frame by frame: which stream ends, which connection, with which code."""

from typing import Any

import pytest
from tests.support.http2 import GREETING, Client

from kajitori.apiserver.http import Limits, Request, Response
from kajitori.apiserver.http.limits import CONTINUATIONS_MAX, CONTROLS_BURST, RESETS_BURST
from kajitori.wire.http2.frames import INT31_MAX, PREFACE, Code, Kind, frame, reset, settings, window_update

Speak = Any


def answer(request: Request) -> Any:
    """At once, except for what is to be open for a while."""
    if request.path == "/open":
        return _never()
    return Response(200, b"ok")


async def _never() -> Response:
    import asyncio

    await asyncio.sleep(10_000)
    return Response(200)


ASKED = Client()
OPEN = ASKED.request(1, "/open")
"""A stream whose request is whole; HEADERS that use a table of their own would only fit one connection."""
POST = [*ASKED.common.items(), (":method", "POST"), (":path", "/")]


def fresh() -> Client:
    return Client()


def posting(stream: int = 1, *more: tuple[str, str]) -> bytes:
    """Headers of a request whose body is to come."""
    return fresh().headers(stream, [*POST, *more], ends=False)


def get(stream: int = 1, path: str = "/") -> bytes:
    return fresh().request(stream, path)


def data(stream: int, size: int, flags: int = 0) -> bytes:
    return frame(Kind.DATA, flags, stream, bytes(size))


CONNECTION: dict[str, tuple[bytes, Code]] = {
    "DATA of no stream": (data(0, 1), Code.PROTOCOL_ERROR),
    "DATA of an idle stream": (data(1, 1), Code.PROTOCOL_ERROR),
    "DATA of an even stream": (get(5) + data(2, 1), Code.PROTOCOL_ERROR),
    "DATA with too much padding": (posting() + frame(0, 8, 1, b"\x05abcd"), Code.PROTOCOL_ERROR),
    "DATA with no room for padding": (posting() + frame(0, 8, 1), Code.FRAME_SIZE_ERROR),
    "a frame that is too large": (posting() + data(1, 256 * 1024 + 1), Code.FRAME_SIZE_ERROR),
    "HEADERS of no stream": (frame(1, 5, 0, get()[9:]), Code.PROTOCOL_ERROR),
    "HEADERS of an even stream": (get(2), Code.PROTOCOL_ERROR),
    "HEADERS of an earlier stream": (get(5) + get(3), Code.PROTOCOL_ERROR),
    "HEADERS of a stream that is over": (get(1) + get(1), Code.PROTOCOL_ERROR),
    "HEADERS with too much padding": (frame(1, 0xD, 1, b"\xff" + get()[9:]), Code.PROTOCOL_ERROR),
    "HEADERS with half a priority": (frame(1, 0x25, 1, b"\0\0"), Code.FRAME_SIZE_ERROR),
    "HEADERS that cannot be decoded": (frame(1, 5, 1, b"\xbf"), Code.COMPRESSION_ERROR),
    "HEADERS with a table that is too large": (frame(1, 5, 1, b"\x3f\xff\xff\x7f"), Code.COMPRESSION_ERROR),
    "HEADERS that another frame interrupts": (
        frame(1, 1, 1, get()[9:]) + window_update(0, 1),
        Code.PROTOCOL_ERROR,
    ),
    "HEADERS that another stream's go on": (frame(1, 1, 1, get()[9:]) + frame(9, 4, 3), Code.PROTOCOL_ERROR),
    "CONTINUATION of nothing": (frame(9, 4, 1, get()[9:]), Code.PROTOCOL_ERROR),
    "CONTINUATION behind the end of headers": (get() + frame(9, 4, 1), Code.PROTOCOL_ERROR),
    "CONTINUATION without end": (
        frame(1, 1, 1, get()[9:]) + frame(9, 0, 1) * CONTINUATIONS_MAX,
        Code.ENHANCE_YOUR_CALM,
    ),
    "headers that grow without end": (
        frame(1, 0, 1, bytes(200_000)) + frame(9, 0, 1, bytes(200_000)) * 6,
        Code.ENHANCE_YOUR_CALM,
    ),
    "PRIORITY of no stream": (frame(2, 0, 0, bytes(5)), Code.PROTOCOL_ERROR),
    "PRIORITY of another size": (frame(2, 0, 1, bytes(4)), Code.FRAME_SIZE_ERROR),
    "RST_STREAM of no stream": (reset(0, 8), Code.PROTOCOL_ERROR),
    "RST_STREAM of an idle stream": (reset(1, 8), Code.PROTOCOL_ERROR),
    "RST_STREAM of another size": (OPEN + frame(3, 0, 1, bytes(3)), Code.FRAME_SIZE_ERROR),
    "SETTINGS of a stream": (frame(4, 0, 1), Code.PROTOCOL_ERROR),
    "SETTINGS of another size": (frame(4, 0, 0, bytes(5)), Code.FRAME_SIZE_ERROR),
    "SETTINGS acknowledged with values": (frame(4, 1, 0, bytes(6)), Code.FRAME_SIZE_ERROR),
    "ENABLE_PUSH of 2": (settings([(2, 2)]), Code.PROTOCOL_ERROR),
    "INITIAL_WINDOW_SIZE that is too large": (settings([(4, 1 << 31)]), Code.FLOW_CONTROL_ERROR),
    "MAX_FRAME_SIZE that is too small": (settings([(5, 16_383)]), Code.PROTOCOL_ERROR),
    "MAX_FRAME_SIZE that is too large": (settings([(5, 1 << 24)]), Code.PROTOCOL_ERROR),
    "a setting twice": (settings([(3, 1), (3, 2)]), Code.PROTOCOL_ERROR),
    "settings without end": (settings([(100 + n, 0) for n in range(101)]), Code.PROTOCOL_ERROR),
    "a window of a stream made too large by settings": (
        OPEN + window_update(1, INT31_MAX - 65_535) + settings([(4, 65_536)]),
        Code.FLOW_CONTROL_ERROR,
    ),
    "PUSH_PROMISE": (frame(5, 4, 1, bytes(4)), Code.PROTOCOL_ERROR),
    "PING of a stream": (frame(6, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
    "PING of another size": (frame(6, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
    "GOAWAY of a stream": (frame(7, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
    "GOAWAY that is too short": (frame(7, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
    "WINDOW_UPDATE by nothing": (window_update(0, 0), Code.PROTOCOL_ERROR),
    "WINDOW_UPDATE of another size": (frame(8, 0, 0, bytes(3)), Code.FRAME_SIZE_ERROR),
    "WINDOW_UPDATE of an idle stream": (window_update(1, 1), Code.PROTOCOL_ERROR),
    "WINDOW_UPDATE beyond what a window may be": (window_update(0, INT31_MAX), Code.FLOW_CONTROL_ERROR),
    "pings without end": (frame(6, 0, 0, bytes(8)) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
    "settings over and over": (settings([]) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
    "priorities over and over": (frame(2, 0, 1, bytes(5)) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
    "unknown frames over and over": (frame(99, 0, 1) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
    "empty data over and over": (posting() + data(1, 0) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
    "resets of what is over": (get() + reset(1, 8) * (CONTROLS_BURST + 1), Code.ENHANCE_YOUR_CALM),
}

STREAM: dict[str, tuple[bytes, Code]] = {
    "DATA behind the end": (OPEN + data(1, 1), Code.STREAM_CLOSED),
    "DATA of a stream that is over": (get() + data(1, 1), Code.STREAM_CLOSED),
    "HEADERS behind the end": (OPEN + frame(1, 5, 1, b"\x82"), Code.STREAM_CLOSED),
    "a stream that depends on itself": (frame(1, 0x25, 1, b"\0\0\0\x01\0" + get()[9:]), Code.PROTOCOL_ERROR),
    "trailers that do not end": (posting() + frame(1, 4, 1, b"\0\x01a\x01b"), Code.PROTOCOL_ERROR),
    "trailers with a path": (posting() + frame(1, 5, 1, b"\x84"), Code.PROTOCOL_ERROR),
    "WINDOW_UPDATE by nothing": (OPEN + window_update(1, 0), Code.PROTOCOL_ERROR),
    "WINDOW_UPDATE beyond what a window may be": (
        OPEN + window_update(1, INT31_MAX),
        Code.FLOW_CONTROL_ERROR,
    ),
    "more data than its length": (posting(1, ("content-length", "3")) + data(1, 4), Code.PROTOCOL_ERROR),
    "less data than its length": (posting(1, ("content-length", "3")) + data(1, 2, 1), Code.PROTOCOL_ERROR),
    "a length and no data": (
        fresh().headers(1, [*POST, ("content-length", "3")]),
        Code.PROTOCOL_ERROR,
    ),
    "no method": (fresh().headers(1, POST[:2]), Code.PROTOCOL_ERROR),
    "an upper-case name": (fresh().headers(1, [*POST, ("A", "b")]), Code.PROTOCOL_ERROR),
}


@pytest.mark.parametrize("case", CONNECTION)
def test_errors_of_the_connection(speak: Speak, case: str) -> None:  # D1, B4, X2-X4
    sent, code = CONNECTION[case]

    async def conversation(line: Any) -> None:
        client = await line.send(sent)
        while not client.goaways and line.connection._held_back:
            await line.hear()
        [(last, told, _)] = client.goaways
        assert told is code
        assert last == max((stream for stream in client.streams), default=0) or last >= 1
        assert not line.connection._streams
        await line.send(get(9))  # Nothing is heard any more.
        assert not client.streams.get(9)
        await line.wait(2)
        assert line.pipe.ended == "closed" and not line.connections

    speak(answer, conversation, Limits(linger_seconds=0.5))


@pytest.mark.parametrize("case", STREAM)
def test_errors_of_a_stream(speak: Speak, case: str) -> None:  # B2
    sent, code = STREAM[case]

    async def conversation(line: Any) -> None:
        client = await line.send(sent)
        assert client[1].code is code and not client.goaways
        await line.send(frame(Kind.HEADERS, 5, 3, get()[9:]))
        assert client[3].status == 200

    speak(answer, conversation)


def test_more_data_than_the_window(speak: Speak) -> None:  # B2, L2
    async def conversation(line: Any) -> None:
        client = await line.send(posting(1) + data(1, 200) + posting(3) + data(3, 200_000) + data(3, 200_000))
        assert (client[1].code, client[3].code) == (None, Code.FLOW_CONTROL_ERROR)
        assert not client.goaways

    speak(answer, conversation, Limits(uploads_bytes_max=100))


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX",
        b"\0",
        PREFACE + get(),
        PREFACE + frame(4, 1, 0),
    ],
    ids=repr,
)
def test_what_is_not_http2(speak: Speak, sent: bytes) -> None:  # X1
    async def conversation(line: Any) -> None:
        client = await line.send(sent)
        assert client.goaways[0][:2] == (0, Code.PROTOCOL_ERROR)
        assert not client.streams

    speak(answer, conversation, greets=False)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([("connection", "close")], b'request header "Connection" is not valid in HTTP/2\n'),
        ([("te", "gzip")], b'request header "TE" may only be "trailers" in HTTP/2\n'),
    ],
)
def test_requests_that_are_http1_inside(speak: Speak, fields: list[tuple[str, str]], told: bytes) -> None:
    async def conversation(line: Any) -> None:
        client = await line.send(fresh().headers(1, [*POST, *fields]))
        assert (client[1].status, client[1].body) == (400, told)

    speak(answer, conversation)


def test_connect_leads_nowhere(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client = await line.send(fresh().headers(1, [(":method", "CONNECT"), (":authority", "a:1")]))
        assert (client[1].status, client[1].body) == (404, b"404 page not found\n")

    speak(answer, conversation)


def test_headers_that_are_too_long_are_answered(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client: Client = line.client
        await line.send(client.request(1, x_big="b" * 3000))
        await line.send(frame(Kind.HEADERS, 5, 3, b"\xbe" * 30))
        assert (client[3].status, client[3].body) == (431, b"431 Request Header Fields Too Large")
        assert (await line.send(client.request(5)))[5].status == 200
        await line.send(frame(Kind.HEADERS, 5, 7, b"\xbf" * 16_000))
        assert client.goaways == [
            (5, Code.COMPRESSION_ERROR, "headers that are many times as long as allowed")
        ]

    speak(answer, conversation, Limits(head_bytes_max=50_000))


def test_more_streams_than_allowed_are_refused_and_may_be_tried_again(speak: Speak) -> None:  # B3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        await line.send(*[client.request(1 + 2 * number, "/open") for number in range(6)])
        assert [client[1 + 2 * number].code for number in range(6)] == [None] * 4 + [Code.REFUSED_STREAM] * 2
        await line.send(reset(3, Code.CANCEL))
        await line.send(client.request(13))
        assert client[13].status == 200

    speak(answer, conversation, Limits(streams_max=4))


def test_a_reset_request_counts_until_its_work_has_ended(speak: Speak) -> None:  # B3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        sent = b"".join(client.request(1 + 2 * n, "/open") + reset(1 + 2 * n, Code.CANCEL) for n in range(5))
        await line.send(sent)
        assert client[9].code is Code.REFUSED_STREAM and client[7].code is None

    speak(answer, conversation, Limits(streams_max=4))


def test_rapid_reset(speak: Speak) -> None:  # B4
    async def conversation(line: Any) -> None:
        client: Client = line.client
        for number in range(RESETS_BURST + 1):
            await line.send(client.request(1 + 2 * number, "/open") + reset(1 + 2 * number, Code.CANCEL))
            if number % 50 == 0:
                await line.wait(1)
        assert not client.goaways  # Spread over time they are nobody's harm.
        number = RESETS_BURST + 1
        while not client.goaways:
            await line.send(client.request(1 + 2 * number, "/open") + reset(1 + 2 * number, Code.CANCEL))
            number += 1
        assert client.goaways[0][1:] == (Code.ENHANCE_YOUR_CALM, "too many streams that end badly")
        assert number < 3 * RESETS_BURST

    speak(answer, conversation)


def test_making_the_server_reset_counts_as_much(speak: Speak) -> None:  # B4
    async def conversation(line: Any) -> None:
        client: Client = line.client
        number = 0
        while not client.goaways:
            stream = 1 + 2 * number
            await line.send(client.request(stream, "/open") + window_update(stream, 0))
            number += 1
        assert client.goaways[0][1] is Code.ENHANCE_YOUR_CALM and number == RESETS_BURST + 1

    speak(answer, conversation)


def test_a_greeting_may_come_in_single_bytes(speak: Speak) -> None:  # X1
    async def conversation(line: Any) -> None:
        sent = GREETING + get()
        client = await line.send(*[sent[at : at + 1] for at in range(len(sent))])
        assert client[1].status == 200

    speak(answer, conversation, greets=False)
