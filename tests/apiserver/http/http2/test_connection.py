"""What an honest client sees, promise by promise of `streams`, `exchange` and `heads`."""

import asyncio
from typing import Any

import pytest
from tests.support.http2 import Client

from kajitori.apimachinery.errors import TooManyRequests
from kajitori.apiserver.http import BodyWriter, Joined, Limits, Request, Response, Stream, Upgrade
from kajitori.wire.http2.frames import (
    INT31_MAX,
    PREFACE,
    Code,
    Kind,
    Setting,
    frame,
    reset,
    settings,
    window_update,
)

Speak = Any


def echo(request: Request) -> Response:
    return Response(200, f"{request.method} {request.target} ".encode() + request.body)


def test_an_answer_has_what_answers_have(speak: Speak) -> None:  # M3
    async def conversation(line: Any) -> None:
        told = (await line.send(line.client.request(1, "/a?b=c")))[1]
        assert (told.status, told.body, told.ended, told.code) == (200, b"GET /a?b=c ", True, None)
        assert told.headers["cache-control"] == "no-cache, private"
        assert told.headers["content-type"] == "application/json"
        assert told.headers["content-length"] == "11"
        assert told.headers["date"].endswith(" GMT")
        assert len(told.headers["audit-id"]) == 36
        client = await line.send(
            line.client.request(3, audit_id="mine"), line.client.request(5, audit_id="ö" * 200)
        )
        assert client[3].headers["audit-id"] == "mine"
        assert client[5].headers["audit-id"] == "ö" * 200

    speak(echo, conversation)


def test_the_handler_sees_what_http1_would_show_it(speak: Speak) -> None:  # M2
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(200)

    async def conversation(line: Any) -> None:
        client: Client = line.client
        fields = [*client.common.items(), (":method", "GET"), (":path", "/ä?x=1")]
        many = [("x-a", "1"), ("x-a", "ß"), ("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")]
        await line.send(client.headers(1, [*fields, *many]))
        request = seen[0]
        assert (request.method, request.path, request.query, request.version) == ("GET", "/ä", "x=1", "2.0")
        assert request.headers["host"] == "a" and request.remote == "192.0.2.1:40000"
        assert request.headers["x-a"] == "1, ß" and request.header_values("x-a") == ["1", "ß"]
        assert request.headers["cookie"] == "a=1; b=2"
        assert request.peer_certificate is None and request.body == b""

    speak(handler, conversation)


def test_the_handler_may_replace_standing_headers_but_not_speak_of_connections(speak: Speak) -> None:  # M3
    def handler(request: Request) -> Response:
        headers = [
            ("Cache-Control", "public"),
            ("X-Bad", "a\r\nSet: b"),
            ("Connection", "close"),
            ("Warning", "1 ä"),
        ]
        return Response(203, b"ok", "text/plain", headers)

    async def conversation(line: Any) -> None:
        told = (await line.send(line.client.request(1)))[1]
        assert told.headers["cache-control"] == "public"
        assert told.headers["x-bad"] == "a  Set: b"
        assert told.headers["warning"] == "1 ä"
        assert "connection" not in told.headers and "set" not in told.headers

    speak(handler, conversation)


def test_requests_do_not_wait_for_one_another(speak: Speak) -> None:  # B1
    doors: dict[str, asyncio.Event] = {}

    async def wait(request: Request) -> Response:
        await doors.setdefault(request.path, asyncio.Event()).wait()
        return echo(request)

    async def conversation(line: Any) -> None:
        client = await line.send(*[line.client.request(stream, f"/{stream}") for stream in (1, 3, 5)])
        for stream in (5, 1, 3):
            assert not client[stream].headers
            doors[f"/{stream}"].set()
            await line.hear()
            assert client[stream].body == f"GET /{stream} ".encode()

    speak(wait, conversation)


def test_answers_to_one_piece_of_input_are_one_write(speak: Speak) -> None:  # V1
    async def conversation(line: Any) -> None:
        requests = b"".join(line.client.request(1 + 2 * number) for number in range(20))
        line.connection.data_received(requests)
        assert len(line.pipe.written) == 1
        client = await line.hear()
        assert all(client[1 + 2 * number].ended for number in range(20))

    speak(echo, conversation)


def test_a_body_comes_in_any_pieces(speak: Speak) -> None:  # E1
    async def conversation(line: Any) -> None:
        client: Client = line.client
        body = bytes(range(256)) * 100
        sent = client.request(1, "/a", "POST", body, content_length=str(len(body)))
        sent += client.request(3, "/b", "POST", body)
        # With padding, and with its end in an empty frame, and in trailers.
        sent += client.headers(5, [*client.common.items(), (":method", "PUT"), (":path", "/c")], ends=False)
        sent += frame(Kind.DATA, 8, 5, b"\x03abc\0\0\0") + client.data(5, b"")
        sent += client.headers(7, [*client.common.items(), (":method", "PUT"), (":path", "/d")], ends=False)
        sent += client.data(7, b"xyz", ends=False) + client.headers(7, [("x-checksum", "1")])
        for at in range(0, len(sent), 1000):
            await line.send(sent[at : at + 1000])
        assert client[1].body == b"POST /a " + body and client[3].body == b"POST /b " + body
        assert client[5].body == b"PUT /c abc" and client[7].body == b"PUT /d xyz"

    speak(echo, conversation)


def test_headers_over_several_frames(speak: Speak) -> None:  # X3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        whole = client.request(1, "/long", x_long="v" * 40_000)
        block = whole[9:]
        parts = [block[at : at + 10_000] for at in range(0, len(block), 10_000)]
        sent = frame(Kind.HEADERS, 1, 1, parts[0])
        for number, part in enumerate(parts[1:], 2):
            sent += frame(Kind.CONTINUATION, 4 if number == len(parts) else 0, 1, part)
        await line.send(sent)
        assert client[1].body == b"GET /long "

    speak(echo, conversation)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_without_a_body(speak: Speak, method: str, status: int) -> None:
    async def conversation(line: Any) -> None:
        client = await line.send(line.client.request(1, method=method))
        told = client[1]
        assert (told.status, told.body, told.ended) == (status, b"", True)
        assert ("content-length" in told.headers) == (method == "HEAD")
        assert not [each for each in client.frames if each[0] == Kind.DATA]

    speak(lambda request: Response(status, b"hello"), conversation)


def test_a_client_that_waits_before_its_body(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client: Client = line.client
        fields = [*client.common.items(), (":method", "POST"), (":path", "/"), ("expect", "100-continue")]
        await line.send(client.headers(1, fields, ends=False))
        assert client[1].interim == 100 and not client[1].headers
        await line.send(client.data(1, b"now"))
        assert client[1].body == b"POST / now"
        await line.send(client.headers(3, [*fields, ("content-length", str(10**9))], ends=False))
        assert (client[3].interim, client[3].status) == (0, 413)

    speak(echo, conversation)


def test_too_large_a_body_is_refused_once_it_is_read_and_the_connection_goes_on(
    speak: Speak,
) -> None:  # E1, E3
    async def conversation(line: Any) -> None:
        client: Client = line.client
        sent = client.request(1, "/", "POST", b"x" * 150_000)
        await line.send(sent)
        assert (client[1].status, client[1].code) == (413, Code.NO_ERROR)
        declared = client.headers(
            3,
            [*client.common.items(), (":method", "POST"), (":path", "/"), ("content-length", "150000")],
            ends=False,
        )
        await line.send(declared)
        assert (client[3].status, client[3].code) == (413, Code.NO_ERROR)
        # What was on its way belongs to nobody.
        await line.send(client.data(3, b"x" * 150_000), client.request(5))
        assert client[5].status == 200 and not client.goaways

    speak(echo, conversation, Limits(body_bytes_max=100_000))


def test_a_handler_that_fails_fails_alone(speak: Speak, caplog: Any) -> None:  # A1
    async def late(request: Request) -> Response:
        await asyncio.sleep(1)
        raise TooManyRequests("later", details={"retryAfterSeconds": 3})

    def handler(request: Request) -> Any:
        if request.path == "/bad":
            raise ZeroDivisionError
        return late(request) if request.path == "/late" else echo(request)

    async def conversation(line: Any) -> None:
        client = line.client
        await line.send(client.request(1, "/late"), client.request(3, "/bad"), client.request(5))
        assert client[3].status == 500 and client[5].status == 200
        await line.wait(2)
        assert client[1].status == 429 and client[1].headers["retry-after"] == "3"

    speak(handler, conversation)
    assert "request failed" in caplog.text


class Watch:
    """A stream that a test writes."""

    def __init__(self) -> None:
        self.writers: dict[str, BodyWriter] = {}
        self.closed: list[str] = []

    def __call__(self, request: Request) -> Stream:
        path = request.path
        return Stream(
            lambda writer: self.writers.__setitem__(path, writer),
            lambda: self.closed.append(path),
            content_type="text/plain",
        )


def test_streams_are_written_side_by_side(speak: Speak) -> None:
    watch = Watch()

    async def conversation(line: Any) -> None:
        client = await line.send(line.client.request(1, "/a"), line.client.request(3, "/b"))
        assert client[1].status == 200 and "content-length" not in client[1].headers
        watch.writers["/a"].write(b"one ")
        watch.writers["/b"].write(b"two")
        await line.hear()
        watch.writers["/a"].write(b"three")
        watch.writers["/a"].close()
        watch.writers["/a"].close()
        assert watch.writers["/a"].write(b"never") == 0  # E4
        await line.hear()
        assert (client[1].body, client[1].ended, client[1].code) == (b"one three", True, None)
        assert (client[3].body, client[3].ended) == (b"two", False)
        watch.writers["/b"].abort()
        watch.writers["/b"].abort()
        await line.hear()
        assert client[3].code is Code.INTERNAL_ERROR
        assert watch.closed == []

    speak(watch, conversation)


def test_the_head_of_a_stream(speak: Speak) -> None:
    watch = Watch()

    async def conversation(line: Any) -> None:
        client = await line.send(line.client.request(1, "/a", "HEAD"))
        assert client[1].ended and not watch.writers and watch.closed == ["/a"]

    speak(watch, conversation)


def test_a_client_that_resets_ends_the_watch_and_the_request(speak: Speak) -> None:  # E2
    watch = Watch()
    cancelled: list[str] = []

    async def wait(request: Request) -> Response:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.append(request.path)
            raise
        return echo(request)

    def handler(request: Request) -> Any:
        return watch(request) if request.path == "/watch" else wait(request)

    async def conversation(line: Any) -> None:
        client = line.client
        await line.send(client.request(1, "/watch"), client.request(3, "/wait"), client.request(5, "/wait5"))
        await line.send(reset(1, Code.CANCEL), reset(3, Code.CANCEL))
        assert watch.closed == ["/watch"] and cancelled == ["/wait"]
        assert watch.writers["/watch"].write(b"x") == 0
        line.pipe.abort()
        await line.hear()
        assert cancelled == ["/wait", "/wait5"] and not line.connections

    speak(handler, conversation)


def test_an_upgrade_is_for_http1(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        assert (await line.send(line.client.request(1)))[1].code is Code.HTTP_1_1_REQUIRED

    speak(lambda request: Upgrade((), lambda transport: asyncio.Protocol()), conversation)


def test_large_answers_are_compressed_for_those_who_accept_it(speak: Speak) -> None:
    import gzip

    parts = [b"%07d " % number for number in range(60_000)]
    whole = b"[" + b",".join(parts) + b"]"

    async def conversation(line: Any) -> None:
        client = await line.send(window_update(0, INT31_MAX - 65_535), settings([(4, INT31_MAX)]))
        await line.send(client.request(1, accept_encoding="gzip"), client.request(3))
        for _ in range(500):
            if client[1].ended and client[3].ended:
                break
            await asyncio.sleep(0.01)
            await line.hear()
        assert client[1].headers["content-encoding"] == "gzip" and "content-length" not in client[1].headers
        assert gzip.decompress(client[1].body) == whole
        assert client[3].headers["content-length"] == str(len(whole)) and client[3].body == whole

    speak(lambda request: Response(200, Joined(b"[", parts, b"]", separator=b",")), conversation)


def test_what_the_server_says_of_itself(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        client = await line.hear()
        assert client.settings == {
            Setting.MAX_CONCURRENT_STREAMS: 100,
            Setting.INITIAL_WINDOW_SIZE: 256 * 1024,
            Setting.MAX_FRAME_SIZE: 256 * 1024,
            Setting.MAX_HEADER_LIST_SIZE: 1 << 20,
        }
        assert client.windows[0] + 65_535 == 100 * 256 * 1024
        await line.send(PREFACE[:5], PREFACE[5:] + settings([(1, 0), (99, 1)]) + client.request(1))
        assert client[1].status == 200  # The block began with what a client without a table is owed.

    speak(echo, conversation, greets=False)


def test_pings_are_answered_and_what_is_unknown_is_left_alone(speak: Speak) -> None:
    async def conversation(line: Any) -> None:
        priority = frame(Kind.PRIORITY, 0, 9, b"\0\0\0\x01\x10")
        await line.send(
            frame(Kind.PING, 0, 0, b"12345678") + priority + frame(0x10, 0, 0, b"u=1") + frame(77, 3, 5)
        )
        assert line.client.pongs == [b"12345678"]
        client = line.client
        head = client.request(11)
        with_priority = frame(Kind.HEADERS, 0x25, 11, b"\x80\0\0\x03\x10" + head[9:])
        assert (await line.send(with_priority))[11].status == 200

    speak(echo, conversation)


def test_other_connections_have_their_turn(speak: Speak) -> None:  # D4
    answered: list[int] = []

    def handler(request: Request) -> Response:
        answered.append(1)
        return Response(200)

    async def conversation(line: Any) -> None:
        line.connection.data_received(b"".join(line.client.request(1 + 2 * number) for number in range(1000)))
        assert 10 < len(answered) < 100 and not line.pipe.reading
        while not line.pipe.reading:  # noqa: ASYNC110 - it takes a few turns of the loop
            await asyncio.sleep(0)
        assert len(answered) == 1000
        assert (await line.hear())[1999].ended

    speak(handler, conversation)
