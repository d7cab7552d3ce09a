"""Listening, TLS, limits and the end of a server."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apiserver.http import BodyWriter, Limits, Request, Response, Stream, serve
from kajitori.apiserver.http.heads import AuditIds, HeadWriter
from kajitori.apiserver.pki import Pki

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Talk = Callable[..., None]


def test_connections_over_the_limit_are_answered_503_and_logged(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:  # S1
    async def conversation(wire: Any) -> None:
        opened = [await wire.open() for _ in range(2)]
        await wire.read(opened[1][0])
        with caplog.at_level(logging.WARNING):
            assert (await wire.send(GET)).endswith(b"503 Service Unavailable<closed>")
            await wire.send(GET)
        assert [each.message for each in caplog.records] == ["too many connections"]
        opened[0][1].close()
        await wire.read(opened[0][0])
        assert (await wire.send(GET)).startswith(b"HTTP/1.1 200")
        opened[1][1].close()

    talk(lambda request: Response(200), conversation, Limits(connections_max=2, linger_seconds=0.01))


def test_requests_in_flight_are_finished_and_idle_connections_closed(talk: Talk) -> None:  # S3
    began, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: Request) -> Response:
        began.set()
        await go_on.wait()
        return Response(200, b"done")

    async def conversation(wire: Any) -> None:
        idle, _ = await wire.open()
        busy, writer = await wire.open()
        writer.write(GET)
        await began.wait()
        closing = asyncio.ensure_future(wire.server.close(grace_seconds=5))
        assert await wire.read(idle) == b"<closed>"
        with pytest.raises(OSError):
            await wire.open()
        go_on.set()
        data = await wire.read(busy)
        assert b"Connection: close" in data
        assert data.endswith(b"done<closed>")
        await closing

    talk(handler, conversation)


def test_what_does_not_end_within_the_grace_is_cancelled(talk: Talk) -> None:  # S3
    ended: list[bool] = []
    began = asyncio.Event()

    async def handler(request: Request) -> Response:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return Response(200)

    async def conversation(wire: Any) -> None:
        _, writer = await wire.open()
        writer.write(GET)
        await began.wait()
        await wire.server.close(grace_seconds=0)
        assert ended == [True]
        writer.close()

    talk(handler, conversation)


def test_uvloop_and_tls_serve_alike(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")
    pki = Pki.begin(tmp_path).wait()
    pieces = [b"x" * 3000] * 2000

    async def later(request: Request) -> Response:
        return Response(200, request.path.encode())

    def one_event(writer: BodyWriter) -> None:
        writer.write(b"event")
        writer.close()

    def handler(request: Request) -> Any:
        match request.path:
            case "/large":
                return Response(200, pieces)
            case "/later":
                return later(request)
            case "/stream":
                return Stream(one_event)
            case _:
                return Response(200, request.path.encode())

    async def main() -> None:
        server = await serve(handler, ssl_context=pki.ssl_context())
        context = ssl.create_default_context(cafile=str(pki.ca_file))
        reader, writer = await asyncio.open_connection("localhost", server.port, ssl=context, limit=1 << 24)
        paths = ["/now", "/later", "/large", "/stream", "/end"]
        for path in paths:
            end = "Connection: close\r\n" if path == "/end" else ""
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n{end}\r\n".encode())
        data = await reader.read()
        assert data.count(b"HTTP/1.1 200 OK") == len(paths)
        assert b"".join(pieces) in data
        assert b"5\r\nevent\r\n0\r\n\r\n" in data
        writer.close()
        await server.close(1)
        assert server.connections == 0

    uvloop.run(main())


def test_the_url_names_an_address_to_reach() -> None:
    async def main() -> None:
        for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")):
            server = await serve(lambda request: Response(200), host=host)
            assert server.url == f"http://{shown}:{server.port}"
            await server.close()

    asyncio.run(main())


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_the_date_is_rfc_9110s(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    heads = HeadWriter(moment.timestamp, lambda: 0.0)
    shown = heads.date().removeprefix("Date: ").strip()
    assert datetime.strptime(shown, "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=UTC) == moment.replace(
        microsecond=0
    )


def test_the_date_is_never_a_second_late() -> None:
    wall, monotonic = [100.25], [5.0]
    heads = HeadWriter(lambda: wall[0], lambda: monotonic[0])
    assert heads.date().endswith("00:01:40 GMT\r\n")
    wall[0], monotonic[0] = 101.0, 5.75
    assert heads.date().endswith("00:01:41 GMT\r\n")


@given(st.binary(min_size=16, max_size=16))
def test_audit_ids_are_uuids_of_version_4_and_differ(seed: bytes) -> None:  # H3
    import uuid

    ids = AuditIds(seed)
    made = [ids.next() for _ in range(50)]
    assert len(set(made)) == 50
    parsed = uuid.UUID(made[0])
    assert (str(parsed), parsed.version, parsed.variant) == (made[0], 4, uuid.RFC_4122)


def test_plain_http_to_a_tls_port_is_not_answered_with_a_hang(tmp_path: Path) -> None:
    pki = Pki.begin(tmp_path).wait()

    async def main() -> None:
        server = await serve(lambda request: Response(200), ssl_context=pki.ssl_context())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET)
        with contextlib.suppress(ConnectionError):
            assert b"200" not in await reader.read()
        writer.close()
        trusting = ssl.create_default_context(cafile=str(pki.ca_file))
        reader, writer = await asyncio.open_connection(
            "localhost", server.port, ssl=trusting, server_hostname="localhost"
        )
        writer.write(GET)
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
        await server.close(1)

    asyncio.run(main())
