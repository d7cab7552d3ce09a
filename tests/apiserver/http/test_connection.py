"""What a client sees on the wire, promise by promise of `connection` and `reader`."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kajitori.apimachinery.errors import TooManyRequests, not_found
from kajitori.apiserver.http import BodyWriter, Limits, Request, Response, Stream

HEAD = b" HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /" + HEAD + b"\r\n"
Talk = Callable[..., None]
Split = Callable[[bytes], list[tuple[int, dict[str, str], bytes]]]


def get(path: str, headers: bytes = b"") -> bytes:
    return b"GET " + path.encode() + HEAD + headers + b"\r\n"


def echo(request: Request) -> Response:
    return Response(200, f"{request.method} {request.target} ".encode() + request.body)


def test_answers_carry_kubernetes_standing_headers(talk: Talk, split: Split) -> None:  # H1
    async def conversation(wire: Any) -> None:
        [(status, headers, body)] = split(await wire.send(get("/a?b=c")))
        assert (status, body) == (200, b"GET /a?b=c ")
        assert headers["cache-control"] == "no-cache, private"
        assert headers["content-type"] == "application/json"
        assert headers["content-length"] == "11"
        assert headers["date"].endswith(" GMT")
        assert len(headers["audit-id"]) == 36

    talk(echo, conversation)


def test_an_audit_id_of_the_client_is_echoed(talk: Talk, split: Split) -> None:  # H3
    async def conversation(wire: Any) -> None:
        [(_, headers, _)] = split(await wire.send(get("/", b"Audit-Id: mine\r\n")))
        assert headers["audit-id"] == "mine"
        answers = split(await wire.send(GET * 3))
        assert len({headers["audit-id"] for _, headers, _ in answers}) == 3

    talk(echo, conversation)


def test_the_handler_may_replace_standing_headers(talk: Talk, split: Split) -> None:
    def handler(request: Request) -> Response:
        headers = [
            ("Cache-Control", "public"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Bad", "a\r\nSet: b"),
        ]
        return Response(200, b"ok", "text/plain; charset=utf-8", headers)

    async def conversation(wire: Any) -> None:
        data = await wire.send(GET)
        assert data.count(b"Cache-Control:") == 1
        [(_, headers, _)] = split(data)
        assert headers["cache-control"] == "public"
        assert headers["x-bad"] == "a  Set: b"  # H2
        assert "set" not in headers

    talk(handler, conversation)


def test_pipelined_requests_are_answered_in_order(talk: Talk, split: Split) -> None:  # C1
    async def slowly(request: Request) -> Response:
        for _ in range(5):
            await asyncio.sleep(0)
        return echo(request)

    def handler(request: Request) -> Any:
        return slowly(request) if request.path.startswith("/slow") else echo(request)

    async def conversation(wire: Any) -> None:
        paths = ["/1", "/slow2", "/3", "/slow4", "/slow5", "/6"]
        answers = split(await wire.send(b"".join(map(get, paths))))
        assert [body.split()[1].decode() for _, _, body in answers] == paths

    talk(handler, conversation)


def test_many_pipelined_requests_do_not_overflow_the_stack(talk: Talk, split: Split) -> None:
    async def slowly(request: Request) -> Response:
        return echo(request)

    def handler(request: Request) -> Any:
        return slowly(request) if request.path == "/slow" else echo(request)

    async def conversation(wire: Any) -> None:
        answers = split(await wire.send(get("/slow") + GET * 3000))
        assert len(answers) == 3001

    talk(handler, conversation)


def test_api_errors_become_their_status(talk: Talk, split: Split) -> None:
    async def later(request: Request) -> Response:
        raise TooManyRequests("slow down", details={"retryAfterSeconds": 7})

    def handler(request: Request) -> Any:
        if request.path == "/later":
            return later(request)
        raise not_found("pods", "", "a")

    async def conversation(wire: Any) -> None:
        first, second = split(await wire.send(get("/now") + get("/later")))
        assert (first[0], json.loads(first[2])["message"]) == (404, 'pods "a" not found')
        assert first[2].endswith(b"\n")
        assert (second[0], second[1]["retry-after"]) == (429, "7")

    talk(handler, conversation)


@pytest.mark.parametrize("path", ["/now", "/later", "/wrong"])
def test_a_failing_handler_is_logged_once_and_answered(
    talk: Talk, split: Split, caplog: pytest.LogCaptureFixture, path: str
) -> None:  # C1
    async def later() -> Any:
        if path == "/wrong":
            return "no response"
        raise ValueError("broken")

    def handler(request: Request) -> Any:
        if request.path != "/now":
            return later()
        raise ValueError("broken")

    async def conversation(wire: Any) -> None:
        with caplog.at_level(logging.ERROR):
            [(status, _, body)] = split(await wire.send(get(path)))
        answer = json.loads(body)
        assert (status, answer["reason"], answer["code"]) == (500, "InternalError", 500)
        assert answer["message"].startswith("Internal error occurred: ")
        assert answer["details"]["causes"][0]["message"]
        assert len(caplog.records) == 1

    talk(handler, conversation)


def test_a_waiting_handler_is_cancelled_when_the_peer_goes(talk: Talk) -> None:  # C2
    async def conversation(wire: Any) -> None:
        _, writer = await wire.open()
        writer.write(GET)
        await began.wait()
        writer.transport.abort()
        await wire.read(asyncio.StreamReader())
        wire.loop.jump(10)  # without TLS the client may have closed its own side only
        await ended.wait()

    began, ended = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Response(200)

    talk(handler, conversation)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\x16\x03\x01", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request: missing required Host header"),
        (b"GET /" + HEAD + b"Host: b\r\n\r\n", b"400 Bad Request: too many Host headers"),
        (b"GET /" + HEAD + b"A b: c\r\n\r\n", b"400 Bad Request"),
        (b"POST /" + HEAD + b"Content-Length: x\r\n\r\n", b"400 Bad Request"),
        (b"POST /" + HEAD + b"Transfer-Encoding: gzip\r\n\r\n", b"Unsupported transfer encoding"),
        (b"POST /" + HEAD + b"Expect: more\r\nContent-Length: 1\r\n\r\n", b"417 Expectation Failed"),
        (b"GET /" + b"a" * 5000 + HEAD, b"431 Request Header Fields Too Large"),
    ],
)
def test_what_is_not_http_is_refused_in_gos_words(talk: Talk, sent: bytes, answer: bytes) -> None:  # C3, R3
    async def conversation(wire: Any) -> None:
        data = await wire.send(sent)
        assert data.endswith(b"\r\n\r\n" + answer + b"<closed>")
        assert b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n" in data

    talk(echo, conversation, Limits(head_bytes_max=4096, linger_seconds=0.01))


def test_answers_that_are_due_come_before_the_refusal(talk: Talk) -> None:  # C3
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(200, b"fine")

    async def conversation(wire: Any) -> None:
        data = await wire.send(GET + b"not http\r\n\r\n" + GET)
        assert data.index(b"fine") < data.index(b"400 Bad Request")
        assert data.count(b"HTTP/1.1") == 2

    talk(handler, conversation)


def test_bodies_arrive_whole_however_they_are_sent(talk: Talk, split: Split) -> None:  # R1
    async def conversation(wire: Any) -> None:
        chunked = b"POST /" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        sized = b"PUT /" + HEAD + b"Content-Length: 5\r\n\r\nabcde"
        answers = split(await wire.send(chunked + sized))
        assert [body for _, _, body in answers] == [b"POST / abcde", b"PUT / abcde"]
        reader, writer = await wire.open()
        for byte in sized:
            writer.write(bytes([byte]))
            await writer.drain()
        assert split(await wire.read(reader))[0][2] == b"PUT / abcde"
        writer.close()

    talk(echo, conversation)


def test_a_client_that_waits_for_100_is_told_to_go_on(talk: Talk, split: Split) -> None:
    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        writer.write(b"POST /" + HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert await wire.read(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert split(await wire.read(reader))[0][2] == b"POST / abc"
        writer.close()

    talk(echo, conversation)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_kubernetes_413_and_the_connection_lives(
    talk: Talk, split: Split, chunked: bool
) -> None:  # R2
    async def conversation(wire: Any) -> None:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (150, b"x" * 150) if chunked else b"x" * 150
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 150"
        answers = split(await wire.send(b"POST /" + HEAD + framing + b"\r\n\r\n" + body + GET))
        assert [status for status, _, _ in answers] == [413, 200]
        answer = json.loads(answers[0][2])
        assert answer["reason"] == "RequestEntityTooLarge"
        assert answer["message"] == "Request entity too large: limit is 100"

    talk(echo, conversation, Limits(body_bytes_max=100, body_discard_bytes_max=100, linger_seconds=0.01))


def test_a_body_far_over_the_limit_is_answered_before_it_ends(talk: Talk, split: Split) -> None:  # R2
    async def conversation(wire: Any) -> None:
        data = await wire.send(b"POST /" + HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 50000)
        [(status, headers, _)] = split(data)
        assert (status, headers["connection"]) == (413, "close")
        waits = b"POST /" + HEAD + b"Content-Length: 150\r\nExpect: 100-continue\r\n\r\n"
        assert (await wire.send(waits)).startswith(b"HTTP/1.1 413 ")

    talk(echo, conversation, Limits(body_bytes_max=100, body_discard_bytes_max=100, linger_seconds=0.2))


def test_whoever_may_not_ask_is_not_told_about_the_size(talk: Talk, split: Split) -> None:  # R2
    def handler(request: Request) -> Response:
        raise not_found("pods", "", "a")

    async def conversation(wire: Any) -> None:
        [(status, _, _)] = split(
            await wire.send(b"POST /" + HEAD + b"Content-Length: 150\r\n\r\n" + b"x" * 150)
        )
        assert status == 404

    talk(handler, conversation, Limits(body_bytes_max=100, linger_seconds=0.01))


def test_head_is_answered_without_a_body(talk: Talk) -> None:
    async def conversation(wire: Any) -> None:
        data = await wire.send(b"HEAD /" + HEAD + b"\r\n")
        assert b"Content-Length: 7\r\n" in data
        assert data.endswith(b"\r\n\r\n")

    talk(echo, conversation)


def test_http_1_0_closes_unless_asked_not_to(talk: Talk, split: Split) -> None:
    async def conversation(wire: Any) -> None:
        data = await wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert data.endswith(b"GET / <closed>")
        [(_, headers, _)] = split(await wire.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
        assert headers["connection"] == "keep-alive"

    talk(echo, conversation)


def test_connection_close_is_honoured_and_what_follows_ignored(talk: Talk, split: Split) -> None:
    async def conversation(wire: Any) -> None:
        data = await wire.send(get("/a", b"Connection: close\r\n") + get("/b"))
        [(_, headers, body)] = split(data)
        assert (headers["connection"], body) == ("close", b"GET /a ")
        assert data.endswith(b"<closed>")

    talk(echo, conversation)


def test_a_client_that_closed_its_side_still_gets_its_answers(talk: Talk, split: Split) -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0)
        return echo(request)

    async def conversation(wire: Any) -> None:
        data = await wire.send(get("/a") + get("/b"), end=True)
        assert [body for _, _, body in split(data)] == [b"GET /a ", b"GET /b "]
        assert data.endswith(b"<closed>")

    talk(handler, conversation)


def test_repeated_headers_are_joined_and_also_told_apart(talk: Talk) -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(200)

    async def conversation(wire: Any) -> None:
        await wire.send(get("/", b"Impersonate-Group: a, b\r\nimpersonate-group: c\r\nX-One: d\r\n"))
        [request] = seen
        assert request.headers["impersonate-group"] == "a, b, c"
        assert request.header_values("impersonate-group") == ["a, b", "c"]
        assert request.header_values("x-one") == ["d"]
        assert request.header_values("x-none") == []
        assert request.remote.startswith("127.0.0.1:")
        assert request.peer_certificate is None

    talk(handler, conversation)


def test_an_absolute_target_is_taken_by_its_path(talk: Talk) -> None:
    def handler(request: Request) -> Response:
        return Response(200, f"{request.path}|{request.query}".encode())

    async def conversation(wire: Any) -> None:
        assert (await wire.send(get("http://h/p%2F?q"))).endswith(b"/p%2F|q")
        assert (await wire.send(b"OPTIONS *" + HEAD + b"\r\n")).endswith(b"*|")

    talk(handler, conversation)


@pytest.mark.parametrize(
    ("sent", "seconds", "answer"),
    [
        (b"", 40, b"<closed>"),
        (b"GET / HT", 40, b"<closed>"),
        (b"POST /" + HEAD + b"Content-Length: 9\r\n\r\nabc", 70, b"408 Request Timeout<closed>"),
        (GET, 100, b"<closed>"),
    ],
)
def test_connections_without_progress_end(
    talk: Talk, sent: bytes, seconds: float, answer: bytes
) -> None:  # C5
    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        writer.write(sent)
        await wire.read(reader)
        wire.loop.jump(seconds)
        assert (await wire.read(reader)).endswith(answer)
        assert wire.server.connections == 0 or answer.startswith(b"408")
        writer.close()

    talk(echo, conversation)


def test_a_drip_does_not_put_off_the_deadline(talk: Talk) -> None:  # C5
    async def conversation(wire: Any) -> None:
        reader, writer = await wire.open()
        for part in (b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"A: b\r\n"):
            writer.write(part)
            assert await wire.read(reader) == b""
            wire.loop.jump(12)
        assert await wire.read(reader) == b"<closed>"
        writer.close()

    talk(echo, conversation)


def test_a_client_that_takes_nothing_is_cut_off(talk: Talk) -> None:  # C4, C5
    begun: list[str] = []

    def handler(request: Request) -> Response:
        begun.append(request.path)
        return Response(200, b"x" * (1 << 25))

    async def conversation(wire: Any) -> None:
        _, writer = await wire.open()
        writer.transport.pause_reading()
        writer.write(get("/first") + get("/second"))
        nothing = asyncio.StreamReader()
        for seconds in (0, 2, 100):
            await wire.read(nothing)
            wire.loop.jump(seconds)
        await wire.read(nothing)
        assert begun == ["/first"]
        assert wire.server.connections == 0
        writer.close()

    talk(handler, conversation)


def test_large_answers_in_pieces_arrive_whole(talk: Talk, split: Split) -> None:  # P1
    pieces = [bytes([index % 251]) * (index % 977) for index in range(4000)]

    async def conversation(wire: Any) -> None:
        first, second = split(await wire.send(get("/large") + get("/small")))
        assert first[2] == b"".join(pieces)
        assert second[2] == b"GET /small "

    talk(lambda r: Response(200, pieces) if r.path == "/large" else echo(r), conversation)


def test_a_stream_for_http_1_0_ends_with_the_connection(talk: Talk) -> None:
    def start(writer: BodyWriter) -> None:
        writer.write(b"one\n")
        writer.write(b"two\n")
        writer.close()

    async def conversation(wire: Any) -> None:
        data = await wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert data.endswith(b"\r\n\r\none\ntwo\n<closed>")
        assert b"chunked" not in data

    talk(lambda request: Stream(start), conversation)
