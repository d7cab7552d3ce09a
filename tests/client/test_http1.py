"""Bytes of HTTP: heads that cannot be split, responses that come out the same however they are cut."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.client import http1
from kajitori.client.http1 import ProtocolError, ResponseReader, header_lines, request_head

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
SQUEEZED = gzip.compress(b"squeezed")
GZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
    len(SQUEEZED),
    SQUEEZED,
)
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def read(pieces: list[bytes]) -> list[tuple[int, bytes, bool]]:
    found, body = list[tuple[int, bytes, bool]](), list[bytes]()

    def end() -> None:
        found.append((reader.status, b"".join(body), reader.keep_alive))
        body.clear()

    reader = ResponseReader(lambda: None, body.append, end)
    for piece in pieces:
        reader.feed(piece)
    return found


@given(st.data())
def test_responses_come_out_the_same_however_they_are_cut(data: st.DataObject) -> None:  # H2
    whole = PLAIN + CHUNKED + GO_ON + GZIPPED + LAST
    pieces, at = list[bytes](), 0
    while at < len(whole):
        size = data.draw(st.integers(1, 120))
        pieces.append(whole[at : at + size])
        at += size
    assert read(pieces) == [
        (200, b"hello", True),
        (201, b"abcde", True),
        (200, b"squeezed", True),
        (404, b"", False),
    ]


def test_headers_of_one_name_are_joined() -> None:
    reader = ResponseReader(lambda: None, lambda part: None, lambda: None)
    reader.feed(PLAIN)
    assert reader.headers == {"content-length": "5", "x-a": "1, 2"}


@pytest.mark.parametrize(
    "bad", [("a", "b\r\nc: d"), ("a\r\nb", "c"), ("a b", "c"), ("a:b", "c"), ("a", "b\0"), ("ä", "b")]
)
def test_a_header_is_one_line(bad: tuple[str, str]) -> None:  # H1
    with pytest.raises(ValueError, match="cannot be sent"):
        header_lines([bad])


@pytest.mark.parametrize("target", ["/a b", "/a\r\nhost: x", "/\u00e4", "/\x00"])
def test_a_target_is_one_word(target: str) -> None:  # H1
    with pytest.raises(ValueError, match="quote it"):
        request_head("GET", target, b"", None)


def test_requests_say_how_long_their_body_is() -> None:
    assert (
        request_head("GET", "/", header_lines([("host", "a")]), None) == b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    )
    assert request_head("PUT", "/x?y=z", b"", 7) == b"PUT /x?y=z HTTP/1.1\r\ncontent-length: 7\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_http_is_told(answer: bytes) -> None:  # H3
    with pytest.raises(ProtocolError):
        read([answer])


def test_heads_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:  # H3
    monkeypatch.setattr(http1, "HEAD_BYTES_MAX", 100)
    with pytest.raises(ProtocolError, match="100 bytes"):
        read([b"HTTP/1.1 200 OK\r\n" + b"x-filler: 1234567890\r\n" * 10])
