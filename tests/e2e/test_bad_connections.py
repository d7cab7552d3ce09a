"""Clients that are slow, rude or gone: they get what they deserve, and the others do not notice."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from tests.support.https import Access, Api, RawConnection

pytestmark = pytest.mark.e2e

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def raw(access: Access) -> Iterator[RawConnection]:
    with RawConnection(access) as raw:
        yield raw


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\x16\x03\x01 what is this\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /readyz\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /readyz HTTP/1.1\r\n\r\n", b"400 Bad Request: missing required Host header"),
        (b"GET /readyz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400 Bad Request: too many Host headers"),
        (b"GET /readyz HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /readyz HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", b"HTTP/1.1 417 Expectation Failed"),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (
            b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"HTTP/1.1 400 Bad Request",
        ),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", b"HTTP/1.1 501 Not Implemented"),
        (
            b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 400 Bad Request",
        ),
        (b"GET /readyz HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"x" * 2_000_000), b"HTTP/1.1 431 "),
        (b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 2_000_000), b"HTTP/1.1 431 "),
        (
            b"GET /readyz HTTP/1.1\r\nHost: a\r\n%s\r\n" % (b"X-Header: some value\r\n" * 100_000),
            b"HTTP/1.1 431 ",
        ),
    ],
    ids=lambda value: repr(value[:60]),
)
def test_what_is_not_http_ends_the_connection(raw: RawConnection, sent: bytes, answer: bytes) -> None:
    with suppress(ConnectionError):  # Refused before it was sent to its end.
        raw.send(sent)
    told = raw.rest()
    assert answer in told and told.count(b"HTTP/1.") == 1, told[:300]


def test_plain_http_is_no_tls(access: Access) -> None:
    import socket

    with socket.create_connection((access.host, access.port), 20) as plain:
        plain.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            told = plain.recv(65536)
        except ConnectionResetError:
            told = b""
    assert not told or b"HTTPS server" in told or told[:1] == b"\x15", told


def test_old_http(raw: RawConnection) -> None:
    raw.send(b"GET /readyz HTTP/1.0\r\n\r\n")
    answer = raw.answer()
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"ok", "close")
    assert raw.rest() == b""


def test_old_http_kept_alive(raw: RawConnection) -> None:
    for _ in range(2):
        raw.send(raw.head("GET /readyz HTTP/1.0", "Connection: keep-alive"))
        answer = raw.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "keep-alive")


def test_pipelined_requests_are_answered_in_order(raw: RawConnection) -> None:
    paths = ["/version", f"{CONFIGMAPS}/nope", "/readyz", "/nope", CONFIGMAPS] * 40
    raw.send(b"".join(raw.head(f"GET {path} HTTP/1.1") for path in paths))
    answers = [raw.answer() for _ in paths]
    assert [answer.status for answer in answers] == [200, 404, 200, 404, 200] * 40
    assert answers[-3].body == b"ok"


@pytest.mark.parametrize(("line", "status"), [("OPTIONS *", 200), ("GET *", 404)])
def test_a_target_that_is_no_path(raw: RawConnection, line: str, status: int) -> None:
    raw.send(raw.head(f"{line} HTTP/1.1"))
    assert raw.answer().status == status


def test_a_request_in_single_bytes(raw: RawConnection) -> None:
    body = b'{"metadata":{"generateName":"slow-"}}'
    request = raw.head(f"POST {CONFIGMAPS} HTTP/1.1", f"Content-Length: {len(body)}") + body
    for at in range(len(request)):
        raw.send(request[at : at + 1])
    assert raw.answer().status == 201


def test_chunked_bodies(raw: RawConnection) -> None:
    head = raw.head(f"POST {CONFIGMAPS} HTTP/1.1", "Transfer-Encoding: chunked")
    raw.send(head + chunked(b'{"metadata":{"gener', b'ateName":"chu', b'nked-"}}'))
    assert raw.answer().status == 201
    raw.send(head + chunked(*[b"x" * 65536] * 49))
    too_large = raw.answer()
    assert (too_large.status, too_large.reason) == (413, "RequestEntityTooLarge")


def test_a_client_that_waits_before_its_body(raw: RawConnection) -> None:
    body = b'{"metadata":{"generateName":"expected-"}}'
    raw.send(raw.head(f"POST {CONFIGMAPS} HTTP/1.1", f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert raw.receive_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    raw.send(body)
    assert raw.answer().status == 201


def test_too_large_a_body_is_refused_before_it_is_sent(raw: RawConnection) -> None:
    raw.send(raw.head(f"POST {CONFIGMAPS} HTTP/1.1", f"Content-Length: {10**12}", "Expect: 100-continue"))
    assert raw.answer().status == 413
    assert raw.rest() == b""


def test_slow_clients_hold_nobody_up(access: Access, api: Api) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(RawConnection(access)) for _ in range(60)]
        for number, raw in enumerate(slow):
            head = raw.head(f"POST {CONFIGMAPS} HTTP/1.1", "Content-Length: 1000")
            raw.send(head[: 20 + number] if number % 2 else head + b'{"metadata"')
        took: list[float] = []
        for _ in range(50):
            begun = time.perf_counter()
            assert api.request("GET", "/readyz").status == 200
            took.append(time.perf_counter() - begun)
        assert sorted(took)[25] < 0.5, took
        # The rest of a head may come late, too.
        last = slow[-1]
        head = last.head(f"POST {CONFIGMAPS} HTTP/1.1", "Content-Length: 1000")
        body = b'{"metadata":{"generateName":"late-"}}'
        last.send(head[20 + 59 :] + body + b" " * (1000 - len(body)))
        assert last.answer().status == 201


def test_a_client_that_does_not_read_holds_nobody_up(access: Access, api: Api) -> None:
    big = {"metadata": {"generateName": "unread-", "labels": {"unread": "yes"}}, "data": {"a": "x" * 900_000}}
    for _ in range(4):
        assert api.request("POST", CONFIGMAPS, big).status == 201
    with RawConnection(access) as raw:
        raw.send(b"".join(raw.head(f"GET {CONFIGMAPS}?labelSelector=unread HTTP/1.1") for _ in range(30)))
        for _ in range(20):
            assert api.request("GET", "/readyz").status == 200
        sizes = {len(raw.answer().body) for _ in range(30)}
    assert len(sizes) == 1 and sizes.pop() > 3_600_000
    assert api.request("DELETE", f"{CONFIGMAPS}?labelSelector=unread").status == 200


def test_a_client_that_sends_no_more_is_still_answered(raw: RawConnection) -> None:
    raw.send(raw.head("GET /version HTTP/1.1"))
    raw.half_close()
    assert raw.answer().status == 200


def test_half_a_request_is_no_request(access: Access, api: Api) -> None:
    with RawConnection(access) as raw:
        body = b'{"metadata":{"name":"half"}}'
        raw.send(raw.head(f"POST {CONFIGMAPS} HTTP/1.1", f"Content-Length: {len(body) + 1}") + body)
    with RawConnection(access) as raw:
        raw.send(raw.head(f"DELETE {CONFIGMAPS}/kube-root-ca.crt HTTP/1.1", end=False))
    assert api.request("GET", f"{CONFIGMAPS}/half").status == 404
    assert api.request("GET", f"{CONFIGMAPS}/kube-root-ca.crt").status == 200


def test_watchers_that_vanish_are_forgotten(access: Access, api: Api) -> None:
    def watch() -> RawConnection:
        raw = RawConnection(access)
        raw.send(raw.head(f"GET {CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dwatched HTTP/1.1"))
        raw.receive_until(b"\r\n\r\n")
        return raw

    with watch() as stays:
        for number in range(30):
            gone = watch()
            if number % 2:
                gone.reset()
            else:
                gone.close()
        created = api.request("POST", CONFIGMAPS, {"metadata": {"name": "watched"}})
        assert created.status == 201
        assert b'"ADDED"' in stays.receive_until(b"}\n")
        for number in range(40):
            patch = b'{"data":{"n":"%d"}}' % number
            headers = {"Content-Type": "application/merge-patch+json"}
            assert api.request("PATCH", f"{CONFIGMAPS}/watched", patch, headers).status == 200
        for _ in range(40):
            assert b'"MODIFIED"' in stays.receive_until(b"}\n")


def test_connections_that_never_say_anything(access: Access, api: Api) -> None:
    import socket

    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection((access.host, access.port), 20))
        assert api.request("GET", "/readyz").status == 200
    with RawConnection(access) as raw:
        raw.reset()
    assert api.request("GET", "/readyz").status == 200
