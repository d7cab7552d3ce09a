"""The network transport against peers on loopback that speak HTTP byte by byte."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kajitori.client import TransportError, connection, pool
from kajitori.client.config import ClusterConfig, ConfigError, ConnectionConfig, UserConfig
from kajitori.client.network import NetworkTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
Scene = Callable[[NetworkTransport], Coroutine[Any, Any, Any]]


def talk(
    scene: Scene,
    *answers: Any,
    user: UserConfig | None = None,
    tls: ssl.SSLContext | None = None,
    **cluster: Any,
) -> tuple[Any, list[str]]:
    """What the scene returns, and the requests that the peer read. An answer is bytes, or "hang up" or
    "silence".
    """
    left, heads, handlers = list(answers), list[str](), list[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (line[16:] for line in head.lower().split("\r\n") if line.startswith("content-length: ")),
                    "0",
                )
                body = (await reader.readexactly(int(length))).decode()
                heads.append(head + body)
                said = left.pop(0)
                if said == "silence":
                    await reader.read()
                    return
                for part in said if isinstance(said, list) else [said]:
                    if part == "hang up":
                        return
                    writer.write(part)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scheme = "http" if tls is None else "https"
        try:
            config = ConnectionConfig(
                ClusterConfig(f"{scheme}://127.0.0.1:{port}", **cluster), user or UserConfig()
            )
            transport = NetworkTransport(config)
            try:
                return await scene(transport)
            finally:
                await transport.close()
        finally:
            server.close()
            await asyncio.gather(*handlers)

    return asyncio.run(run()), heads


async def get(transport: NetworkTransport) -> Any:
    return await transport.request("GET", "/api/v1/pods?x=%2F", {"accept": "application/json"}, None, 5)


def test_requests_arrive_as_they_were_given() -> None:
    async def both(transport: NetworkTransport) -> Any:
        await get(transport)
        return await transport.request("POST", "/a", {"content-type": "application/json"}, b'{"a":1}', 5)

    warned = (
        b'HTTP/1.1 201 Created\r\nWarning: 299 - "a"\r\nWarning: 299 - "b"\r\nContent-Length: 4\r\n\r\nnull'
    )
    response, heads = talk(both, OK, warned, user=UserConfig(token="secret"))
    assert heads[0].startswith("GET /api/v1/pods?x=%2F HTTP/1.1\r\n")
    assert "authorization: bearer secret\r\n" in heads[0].lower()
    assert heads[1].endswith('\r\n\r\n{"a":1}')
    assert (response.status, response.body) == (201, b"null")
    assert response.headers["warning"] == '299 - "a", 299 - "b"'


def test_impersonation_is_asked_for() -> None:
    user = UserConfig(
        impersonate="jane",
        impersonate_groups=["g", "h"],
        impersonate_uid="7",
        impersonate_extra={"a/b": ["v"]},
    )
    _, heads = talk(get, OK, user=user)
    lines = heads[0].split("\r\n")
    for line in (
        "Impersonate-User: jane",
        "Impersonate-Uid: 7",
        "Impersonate-Group: g",
        "Impersonate-Group: h",
        "Impersonate-Extra-a%2Fb: v",
    ):
        assert line in lines
    with pytest.raises(ConfigError, match="needs a user"):
        talk(get, user=UserConfig(impersonate_groups=["g"]))


def test_a_refused_credential_is_replaced_and_the_request_repeated(tmp_path: Path) -> None:  # N2
    path = tmp_path / "token"
    path.write_text("old")

    async def rotate(transport: NetworkTransport) -> int:
        await get(transport)
        path.write_text("new")
        status: int = (await get(transport)).status
        return status

    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    status, heads = talk(rotate, OK, refused, OK, user=UserConfig(token_file=str(path)))
    assert status == 200
    assert ["Bearer old" in head for head in heads] == [True, True, False]
    status, heads = talk(get, refused, user=UserConfig(token="only"))
    assert status.status == 401 and len(heads) == 1


def test_a_stream_that_is_refused_is_asked_for_with_a_fresher_credential(tmp_path: Path) -> None:  # N2
    path = tmp_path / "token"
    path.write_text("old")

    async def rotate(transport: NetworkTransport) -> list[int]:
        await get(transport)
        path.write_text("new")
        statuses: list[int] = []
        for _ in range(2):
            async with transport.stream("GET", "/watch", {}, None, 5) as stream:
                statuses.append(stream.status)
        return statuses

    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    statuses, heads = talk(rotate, OK, refused, OK, refused, user=UserConfig(token_file=str(path)))
    assert statuses == [200, 401], "once more, and not when the credential is still the same"
    assert ["Bearer old" in head for head in heads] == [True, True, False, False]


def test_streams_come_in_pieces_and_leaving_hangs_up() -> None:
    async def read_two(transport: NetworkTransport) -> list[bytes]:
        got = list[bytes]()
        async with transport.stream("GET", "/watch", {}, None, 5) as stream:
            assert stream.status == 200
            async for chunk in stream.chunks:
                got.append(chunk)
                if b"".join(got).endswith(b"two\n"):
                    break
        return got

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    got, _ = talk(read_two, [head + b"4\r\none\n\r\n", b"4\r\ntwo\n\r\n"])
    assert b"".join(got) == b"one\ntwo\n"


def test_a_stream_that_breaks_is_told() -> None:  # N1
    async def read_all(transport: NetworkTransport) -> None:
        async with transport.stream("GET", "/watch", {}, None, 5) as stream:
            async for _ in stream.chunks:
                pass

    with pytest.raises(TransportError, match="broke"):
        talk(read_all, [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n", "hang up"])


def test_what_goes_wrong_is_told_with_what_it_means() -> None:  # N1
    async def patch(transport: NetworkTransport) -> None:
        await transport.request("PATCH", "/a", {}, b"{}", 5)

    async def impatient(transport: NetworkTransport) -> None:
        await transport.request("GET", "/a", {}, None, 0.05)

    with pytest.raises(TransportError) as caught:
        talk(patch, "hang up")
    assert caught.value.sent and not caught.value.refused
    with pytest.raises(TransportError, match="in time"):
        talk(impatient, "silence")

    async def nobody() -> None:
        transport = NetworkTransport(ConnectionConfig(ClusterConfig("http://127.0.0.1:1")))
        try:
            await get(transport)
        finally:
            await transport.close()

    with pytest.raises(TransportError, match="cannot connect") as caught:
        asyncio.run(nobody())
    assert caught.value.refused and not caught.value.sent


def test_an_http_proxy_is_used() -> None:
    async def through(transport: NetworkTransport) -> Any:
        config = ConnectionConfig(
            ClusterConfig("http://one.invalid", proxy_url=transport.config.cluster.server)
        )
        proxied = NetworkTransport(config)
        try:
            return await get(proxied)
        finally:
            await proxied.close()

    _, heads = talk(through, OK)
    assert heads[0].startswith("GET http://one.invalid/api/v1/pods?x=%2F HTTP/1.1\r\n")


def test_connections_are_kept_and_shared() -> None:  # N3
    async def several(transport: NetworkTransport) -> int:
        for _ in range(3):
            await get(transport)
        return len(transport._pool._open)

    opened, heads = talk(several, OK, OK, OK)
    assert (opened, len(heads)) == (1, 3)


def test_a_connection_that_the_server_ends_is_not_used_again() -> None:  # N3
    async def twice(transport: NetworkTransport) -> list[int]:
        first = await get(transport)
        second = await get(transport)
        return [first.status, second.status]

    ends = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert talk(twice, [ends, "hang up"], OK)[0] == [200, 200]


def test_unused_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:  # L2
    monkeypatch.setattr(pool, "KEPT_SECONDS", 0.01)

    async def wait(transport: NetworkTransport) -> int:
        await get(transport)
        (connection,) = transport._pool._open
        await connection.lost
        return len(transport._pool._open)

    assert talk(wait, OK)[0] == 0


def test_more_than_the_limit_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:  # L1
    monkeypatch.setattr(pool, "CONNECTIONS_MAX", 2)

    async def many(transport: NetworkTransport) -> int:
        responses = await asyncio.gather(*(get(transport) for _ in range(6)))
        assert {each.status for each in responses} == {200}
        return len(transport._pool._open)

    ends = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert talk(many, *[[ends, "hang up"]] * 6)[0] <= 2


def test_a_cancelled_request_leaves_no_answer_to_the_next() -> None:  # X1
    async def cancel_one(transport: NetworkTransport) -> bytes:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await get(transport)
        body: bytes = (await get(transport)).body
        return body

    assert talk(cancel_one, "silence", OK)[0] == b"{}"


def test_a_body_without_length_ends_with_the_connection() -> None:
    response, _ = talk(get, [b"HTTP/1.0 200 OK\r\n\r\nall of it", "hang up"])
    assert response.body == b"all of it"
    with pytest.raises(TransportError, match="broke"):
        talk(get, [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "hang up"])


def test_a_stream_that_nobody_reads_is_not_received(monkeypatch: pytest.MonkeyPatch) -> None:  # X2
    monkeypatch.setattr(connection, "STREAM_BYTES_MAX", 1000)
    size = 4_000_000

    async def read_late(transport: NetworkTransport) -> tuple[int, int]:
        async with transport.stream("GET", "/watch", {}, None, 5) as stream:
            (used,) = transport._pool._open
            while not used._is_paused:  # noqa: ASYNC110 - the peer is a real socket
                await asyncio.sleep(0.001)
            waiting, total = used._bytes, 0
            async for chunk in stream.chunks:
                total += len(chunk)
        return waiting, total

    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    (waiting, total), _ = talk(read_late, [head, b"x" * size])
    assert waiting < size / 4 and total == size


# TLS.


@cache
def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    return _signed(name, name, key, key, x509.BasicConstraints(ca=True, path_length=None)), key


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(signing, hashes.SHA256())


@cache
def leaf(name: str) -> tuple[bytes, bytes]:
    """Certificate and key, PEM."""
    issuer, signing = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "127.0.0.1":
        names = [x509.IPAddress(ip_address(name))]
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = _signed(subject, issuer.subject, key, signing, x509.SubjectAlternativeName(names))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def authority_pem() -> bytes:
    return authority()[0].public_bytes(serialization.Encoding.PEM)


def server_tls(tmp_path: Path, name: str, *, ask_client: bool = False) -> ssl.SSLContext:
    certificate, key = leaf(name)
    (tmp_path / "tls.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    if ask_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority_pem().decode())
    return context


def test_the_server_must_be_who_the_authority_says(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    response, _ = talk(get, OK, tls=tls, ca_data=authority_pem())
    assert response.status == 200
    with pytest.raises(TransportError, match="cannot connect") as caught:
        talk(get, OK, tls=tls)
    assert not caught.value.sent
    assert talk(get, OK, tls=tls, insecure=True)[0].status == 200


def test_a_certificate_that_is_named_is_believed_without_its_authority(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    certificate, _ = leaf("127.0.0.1")
    assert talk(get, OK, tls=tls, ca_data=certificate)[0].status == 200
    another, _ = leaf("kubernetes")
    with pytest.raises(TransportError):
        talk(get, OK, tls=tls, ca_data=another)


def test_the_server_may_have_another_name(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "kubernetes")
    with pytest.raises(TransportError):
        talk(get, OK, tls=tls, ca_data=authority_pem())
    assert talk(get, OK, tls=tls, ca_data=authority_pem(), tls_server_name="kubernetes")[0].status == 200


def test_we_show_a_certificate_from_data_or_files(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1", ask_client=True)
    certificate, key = leaf("jane")
    by_data = UserConfig(certificate_data=certificate, key_data=key)
    assert talk(get, OK, tls=tls, ca_data=authority_pem(), user=by_data)[0].status == 200
    paths = [tmp_path / "c", tmp_path / "k", tmp_path / "ca"]
    for path, content in zip(paths, (certificate, key, authority_pem()), strict=True):
        path.write_bytes(content)
    by_file = UserConfig(certificate_file=str(paths[0]), key_file=str(paths[1]))
    assert talk(get, OK, tls=tls, ca_file=str(paths[2]), user=by_file)[0].status == 200


def test_tls_goes_through_a_tunnel(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    asked = list[str]()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        _, port = head.split()[1].split(":")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(1 << 16):
                    sink.write(data)
            sink.close()
            with suppress(OSError):
                await sink.wait_closed()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def through(transport: NetworkTransport) -> int:
        tasks = list[asyncio.Task[Any]]()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            await proxy(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        target = transport.config.cluster.server
        cluster = ClusterConfig(
            target, ca_data=authority_pem(), proxy_url=f"http://me:secret@127.0.0.1:{port}"
        )
        proxied = NetworkTransport(ConnectionConfig(cluster))
        try:
            status: int = (await get(proxied)).status
            return status
        finally:
            await proxied.close()
            server.close()
            await asyncio.gather(*tasks)

    status, heads = talk(through, OK, tls=tls, ca_data=authority_pem())
    assert status == 200 and heads[0].startswith("GET /api/v1/pods")
    assert asked[0].startswith("CONNECT 127.0.0.1:") and "proxy-authorization: Basic bWU6c2VjcmV0" in asked[0]


def test_unusable_certificates_are_told(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    with pytest.raises(ConfigError, match="certificate authority"):
        talk(get, OK, tls=tls, ca_data=b"nonsense")
    with pytest.raises(ConfigError, match="client certificate"):
        talk(get, OK, tls=tls, user=UserConfig(certificate_data=b"x", key_data=b"y"))
    with pytest.raises(ConfigError, match="/nowhere"):
        talk(get, OK, tls=tls, user=UserConfig(certificate_file="/nowhere/c", key_file="/nowhere/k"))
