"""Header fields that make a request, and those that make none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apiserver.http.http2 import heads
from kajitori.apiserver.http.http2.heads import Head, Malformed, check_trailers

GOOD = [(":method", "GET"), (":scheme", "https"), (":path", "/a"), (":authority", "h")]


def head(fields: list[tuple[str, str]]) -> Head:
    return Head([(name, value, 0) for name, value in fields])


@pytest.mark.parametrize(
    "fields",
    [
        [],
        GOOD[1:],
        [*GOOD[:1], *GOOD[2:]],
        [*GOOD[:2], GOOD[3]],
        [*GOOD, (":path", "/b")],
        [*GOOD, (":method", "GET")],
        [*GOOD, (":status", "200")],
        [*GOOD, (":protocol", "websocket")],
        [*GOOD, ("a", "b"), (":authority", "h")],
        [*GOOD[:3], ("a", "b"), (":authority", "h")],
        [*GOOD[:2], (":path", ""), *GOOD[2:]],
        [(":method", "GET"), (":scheme", "ftp"), (":path", "/")],
        [(":method", ""), (":scheme", "https"), (":path", "/")],
        [(":method", "G T"), (":scheme", "https"), (":path", "/")],
        [(":method", "GET"), (":scheme", "https"), (":path", "")],
        [(":method", "GET"), (":scheme", "https"), (":path", "a")],
        [(":method", "GET"), (":scheme", "https"), (":path", "*")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/%zz")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/%4")],
        [(":method", "CONNECT"), (":scheme", "https"), (":authority", "h")],
        [(":method", "CONNECT")],
        [*GOOD, ("Upper", "x")],
        [*GOOD, ("", "x")],
        [*GOOD, ("a b", "x")],
        [*GOOD, ("a:", "x")],
        [*GOOD, ("é", "x")],
        [*GOOD, ("a", "x\0")],
        [*GOOD, ("a", "x\r\nb: c")],
        [*GOOD, ("a", "\x7f")],
        [*GOOD, ("content-length", "-1")],
        [*GOOD, ("content-length", "")],
        [*GOOD, ("content-length", "²")],
        [*GOOD, ("content-length", "1" * 30)],
        [*GOOD, ("content-length", "1"), ("content-length", "2")],
    ],
    ids=lambda fields: str(fields[-1:]),
)
def test_what_is_malformed(fields: list[tuple[str, str]]) -> None:  # M1
    with pytest.raises(Malformed):
        head(fields)


@pytest.mark.parametrize(
    ("extra", "wrong"),
    [
        (("connection", "close"), 'request header "Connection" is not valid in HTTP/2'),
        (("proxy-connection", "x"), 'request header "Proxy-Connection" is not valid in HTTP/2'),
        (("transfer-encoding", "chunked"), 'request header "Transfer-Encoding" is not valid in HTTP/2'),
        (("upgrade", "websocket"), 'request header "Upgrade" is not valid in HTTP/2'),
        (("keep-alive", "1"), 'request header "Keep-Alive" is not valid in HTTP/2'),
        (("te", "gzip"), 'request header "TE" may only be "trailers" in HTTP/2'),
        (("te", "trailers"), ""),
        (("x", "a\tb"), ""),
        (("x", " a "), ""),
    ],
)
def test_what_is_of_another_version(extra: tuple[str, str], wrong: str) -> None:  # M1
    assert head([*GOOD, extra]).wrong == wrong


def test_what_is_unusual_but_well_formed() -> None:  # M1
    assert head([*GOOD, ("host", "x")]).headers["host"] == "h"
    assert head([*GOOD[:3], ("host", "x")]).headers["host"] == "x"
    assert "host" not in head(GOOD[:3]).headers
    assert head([(":method", "OPTIONS"), (":scheme", "http"), (":path", "*")]).path == "*"
    assert head([(":method", "M-SEARCH"), (":scheme", "http"), (":path", "/?%zz")]).method == "M-SEARCH"
    assert head([*GOOD, ("content-length", "7"), ("content-length", "7")]).length == 7


FIELDS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([name for name, _ in GOOD]), st.text(st.characters(max_codepoint=255), max_size=6)
        ),
        st.text(st.characters(max_codepoint=255), max_size=12),
    ),
    max_size=8,
)


@given(FIELDS)
def test_any_fields_are_a_request_or_malformed(fields: list[tuple[str, str]]) -> None:  # M1
    try:
        made = head(fields)
    except Malformed:
        return
    assert made.method and not any(":" in name or name != name.lower() for name in made.headers)
    assert not any(each in value for value in made.headers.values() for each in "\r\n\0")


def test_trailers() -> None:
    check_trailers([("x-checksum", "1", 0)])
    for name, value in ((":path", "/"), ("A", "1"), ("a", "\n")):
        with pytest.raises(Malformed):
            check_trailers([(name, value, 0)])


def test_names_that_clients_invent_are_forgotten() -> None:  # M4
    for number in range(3000):
        head([*GOOD, (f"x-{number}", "1")])
    assert len(heads._names) <= 1000  # pyright: ignore[reportPrivateUsage]
