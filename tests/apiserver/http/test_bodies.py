"""Large bodies: cut, compressed, negotiated."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apiserver.http import Limits, Request, Response
from kajitori.apiserver.http.bodies import Compressor, accepts_gzip, batches, size_of

Talk = Callable[..., None]
CLOSE = "Connection: close"
bodies = st.one_of(st.binary(max_size=300), st.lists(st.binary(max_size=60), max_size=30))


@given(bodies, st.integers(1, 100))
def test_batches_are_the_body(body: bytes | list[bytes], size: int) -> None:
    whole = body if isinstance(body, bytes) else b"".join(body)
    cut = list(batches(body, size))
    assert b"".join(cut) == whole
    assert size_of(body) == len(whole)
    assert all(0 < len(each) < 2 * size for each in cut)


@given(bodies)
def test_compressed_batches_are_one_gzip_stream(body: bytes | list[bytes]) -> None:
    compressor = Compressor()
    packed = b"".join(compressor.feed(each) for each in batches(body, 50)) + compressor.finish()
    assert gzip.decompress(packed) == (body if isinstance(body, bytes) else b"".join(body))


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
        ("", False),
        ("identity", False),
        ("br, xgzip", False),
    ],
)
def test_gzip_is_used_only_where_accepted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def ask(*headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET / HTTP/{version}", "Host: a", *headers, "", ""]).encode()


def unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        body, data = body + rest[:length], rest[length + 2 :]
        if not length:
            break
    return body


def test_large_answers_are_compressed_and_small_ones_are_not(talk: Talk) -> None:
    pieces = [b'{"kind":"Pod","metadata":{}}'] * 5000

    async def conversation(wire: Any) -> None:
        head, _, body = (await wire.send(ask("Accept-Encoding: gzip", CLOSE), closes=True)).partition(
            b"\r\n\r\n"
        )
        assert b"Content-Encoding: gzip\r\n" in head
        assert b"Vary: Accept-Encoding\r\n" in head
        assert gzip.decompress(unchunked(body)) == b"".join(pieces)
        for request in (ask(CLOSE), ask("Accept-Encoding: gzip", version="1.0")):
            head, _, body = (await wire.send(request, closes=True)).partition(b"\r\n\r\n")
            assert b"Content-Encoding" not in head
            assert body.removesuffix(b"<closed>") == b"".join(pieces)

    talk(lambda request: Response(200, pieces), conversation, Limits(compress_bytes_min=100_000))


def test_what_is_compressed_already_stays_as_it_is(talk: Talk) -> None:
    body = gzip.compress(b"x" * 1000) * 10_000

    def handler(request: Request) -> Response:
        return Response(200, body, headers=[("Content-Encoding", "gzip")])

    async def conversation(wire: Any) -> None:
        data = await wire.send(ask("Accept-Encoding: gzip", CLOSE), closes=True)
        assert data.endswith(body + b"<closed>")
        assert data.count(b"Content-Encoding") == 1

    talk(handler, conversation)
