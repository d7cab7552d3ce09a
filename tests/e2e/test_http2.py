"""HTTP/2 as real clients speak it, over TLS: kubectl, curl, h2, and bytes that no library would send."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
from tests.support.http2 import GREETING, Client
from tests.support.https import SECONDS_MAX, Access, Api, RawConnection
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess, kajitori

from kajitori.wire.http2.frames import INT31_MAX, Code, Kind, Setting, frame, reset, settings, window_update

pytestmark = pytest.mark.e2e

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def connect(access: Access, *protocols: str, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """A TLS connection that offers these protocols."""
    context = context or ssl.create_default_context(cadata=access.ca)
    context.set_alpn_protocols(list(protocols) or ["h2"])
    plain = socket.create_connection((access.host, access.port), SECONDS_MAX)
    return context.wrap_socket(plain, server_hostname=access.host, suppress_ragged_eofs=True)


class Spoken:
    """A connection that speaks HTTP/2 by hand."""

    def __init__(self, access: Access) -> None:
        self.tls = connect(access)
        self.client = Client(access.host, access.token)
        self.closed = False
        self.send(GREETING)

    def send(self, *data: bytes) -> None:
        for each in data:
            try:
                self.tls.sendall(each)
            except ConnectionError:
                return

    def until(self, met: Any) -> Client:
        """Listens until `met(client)`, or the server ends the connection."""
        while not self.closed and not met(self.client):
            try:
                data = self.tls.recv(65536)
            except ConnectionError:
                data = b""
            self.closed = not data
            self.client.hear(data)
        return self.client

    def answered(self, *streams: int) -> Client:
        """Listens until these streams have ended."""

        def met(client: Client) -> bool:
            return all(client[stream].ended or client[stream].code is not None for stream in streams)

        return self.until(met)


@pytest.fixture
def spoken(access: Access) -> Iterator[Spoken]:
    spoken = Spoken(access)
    yield spoken
    spoken.tls.close()


def test_kubectl_speaks_it(kubectl: Kubectl, server: UpProcess) -> None:
    traced = {**os.environ, "GODEBUG": "http2debug=1"}
    told = subprocess.run(
        [str(kubectl.path), "--kubeconfig", str(server.kubeconfig), "get", "--raw", "/version"],
        env=traced,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    assert "http2: Transport received HEADERS flags=END_HEADERS" in told.stderr, told.stderr[:3000]
    assert json.loads(told.stdout)["minor"] == "36"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl_speaks_it_and_http1(access: Access, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(access.ca)
    url = f"https://{access.host}:{access.port}{CONFIGMAPS}"
    common = [
        "curl",
        "-sS",
        "--cacert",
        str(tmp_path / "ca.crt"),
        "-H",
        f"Authorization: Bearer {access.token}",
    ]
    body = ["-H", "Content-Type: application/json", "-d", '{"metadata":{"generateName":"curled-"}}']
    for version, told in (("--http2", "2"), ("--http1.1", "1.1")):
        for more in ([], ["-I"], body):
            said = subprocess.run(
                [*common, version, "-o", os.devnull, "-w", "%{http_version} %{http_code}", *more, url],
                capture_output=True,
                text=True,
                timeout=SECONDS_MAX,
                check=True,
            ).stdout
            status = "201" if more is body else "405" if more else "200"
            assert said == f"{told} {status}", (version, more, said)


def test_a_strict_library_speaks_it(access: Access) -> None:
    with connect(access) as tls:
        connection = H2Connection(H2Configuration(header_encoding="utf-8"))
        connection.initiate_connection()
        common = [
            (":scheme", "https"),
            (":authority", access.host),
            ("authorization", f"Bearer {access.token}"),
        ]
        body = json.dumps({"metadata": {"generateName": "strict-"}, "data": {"a": "x" * 300_000}}).encode()
        posting = [(":method", "POST"), (":path", CONFIGMAPS), *common, ("content-type", "application/json")]
        for stream in range(1, 41, 2):
            connection.send_headers(
                stream, [(":method", "GET"), (":path", CONFIGMAPS), *common], end_stream=True
            )
        connection.send_headers(41, posting)
        statuses: dict[int, str] = {}
        sizes: dict[int, int] = {}
        ended: set[int] = set()
        at = 0
        while len(ended) < 21:
            while at < len(body) and (room := connection.local_flow_control_window(41)):
                size = min(room, connection.max_outbound_frame_size, len(body) - at)
                connection.send_data(41, body[at : at + size], end_stream=at + size == len(body))
                at += size
            tls.sendall(connection.data_to_send())
            for event in connection.receive_data(tls.recv(65536)):
                if isinstance(event, ResponseReceived):
                    statuses[event.stream_id] = next(
                        str(value) for name, value in event.headers or () if str(name) == ":status"
                    )
                elif isinstance(event, DataReceived):
                    sizes[event.stream_id] = sizes.get(event.stream_id, 0) + len(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    ended.add(event.stream_id)
        assert statuses.pop(41) == "201" and set(statuses.values()) == {"200"}
        assert sizes[41] > 300_000


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(("h2", "http/1.1"), "h2"), (("http/1.1", "h2"), "h2"), (("http/1.1",), "http/1.1"), (("h3",), None)],
)
def test_what_the_handshake_agrees_on(access: Access, offered: tuple[str, ...], chosen: str | None) -> None:
    with connect(access, *offered) as tls:
        assert tls.selected_alpn_protocol() == chosen
        if chosen != "h2":
            tls.sendall(
                b"GET /readyz HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: close, Upgrade\r\n\r\n"
            )
            assert tls.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_http2_without_saying_so_is_refused(access: Access) -> None:
    with RawConnection(access) as raw:
        raw.send(GREETING)
        assert raw.rest().startswith(b"HTTP/1.1 ")


def test_many_watches_on_one_connection(spoken: Spoken, api: Api) -> None:
    """One of them is not read: the others do not notice."""
    spoken.send(settings([(Setting.INITIAL_WINDOW_SIZE, 0)]))
    client = spoken.client
    streams = list(range(1, 101, 2))
    for stream in streams:
        path = f"{CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dmany-watches"
        spoken.send(client.request(stream, path))
        if stream != 51:
            spoken.send(window_update(stream, 1_000_000))
    spoken.until(lambda client: all(client[stream].headers for stream in streams))
    created = api.request("POST", CONFIGMAPS, {"metadata": {"name": "many-watches"}})
    assert created.status == 201
    others = [stream for stream in streams if stream != 51]
    spoken.until(lambda client: all(client[stream].body.endswith(b"}\n") for stream in others))
    assert all(json.loads(client[stream].body)["type"] == "ADDED" for stream in others)
    assert client[51].body == b""
    spoken.send(window_update(51, 1_000_000))
    spoken.until(lambda client: client[51].body.endswith(b"}\n"))
    assert client[51].body == client[1].body
    for stream in streams:
        spoken.send(reset(stream, Code.CANCEL))
    spoken.send(client.request(101, "/readyz"), window_update(101, 100))
    assert spoken.answered(101)[101].body == b"ok"
    assert api.request("DELETE", f"{CONFIGMAPS}/many-watches").status == 200


def test_a_watch_that_is_not_read_is_broken_off_and_no_other(spoken: Spoken, api: Api) -> None:
    client = spoken.client
    watch = f"{CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dlarge-watched"
    spoken.send(client.request(1, watch), client.request(3, watch), window_update(0, 1_000_000_000))
    spoken.send(window_update(3, 1_000_000_000))
    spoken.until(lambda client: bool(client[1].headers and client[3].headers))
    for number in range(22):
        body = {"metadata": {"name": "large-watched"}, "data": {"a": str(number % 10) * 900_000}}
        if number == 0:
            assert api.request("POST", CONFIGMAPS, body).status == 201
        else:
            assert api.request("PUT", f"{CONFIGMAPS}/large-watched", body).status == 200
    spoken.until(lambda client: client[1].code is not None and len(client[3].received) > 22 * 900_000)
    assert client[1].code is Code.INTERNAL_ERROR and len(client[1].body) == 65_535
    assert client[3].code is None and not client.goaways
    assert api.request("DELETE", f"{CONFIGMAPS}/large-watched").status == 200


def test_requests_that_are_wrong_end_alone(spoken: Spoken) -> None:
    client = spoken.client
    spoken.send(client.request(1, "/readyz", transfer_encoding="chunked"))
    spoken.send(client.headers(3, [(":method", "GET"), (":path", "/readyz")]))
    spoken.send(
        client.request(5, CONFIGMAPS, "POST", b"{}", content_length="3", content_type="application/json")
    )
    spoken.send(client.request(7, CONFIGMAPS, "POST", b"x" * 3_200_000, content_type="application/json"))
    spoken.send(client.request(9, "/api/%zz"), client.request(11, "/readyz"))
    spoken.answered(1, 3, 5, 7, 9, 11)
    assert client[1].status == 400
    assert client[3].code is client[5].code is client[9].code is Code.PROTOCOL_ERROR
    assert client[7].status == 413 and json.loads(client[7].body)["reason"] == "RequestEntityTooLarge"
    assert client[11].body == b"ok" and not client.goaways


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", Code.FRAME_SIZE_ERROR),
        (frame(Kind.DATA, 0, 1, b"x"), Code.PROTOCOL_ERROR),
        (frame(Kind.HEADERS, 4, 2, b"\x82"), Code.PROTOCOL_ERROR),
        (frame(Kind.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"), Code.COMPRESSION_ERROR),
        (frame(Kind.HEADERS, 0, 1, b"\x82") + frame(Kind.CONTINUATION, 0, 1) * 1000, Code.ENHANCE_YOUR_CALM),
        (frame(Kind.PING, 0, 0, bytes(8)) * 20_000, Code.ENHANCE_YOUR_CALM),
        (settings([]) * 20_000, Code.ENHANCE_YOUR_CALM),
        (window_update(0, INT31_MAX), Code.FLOW_CONTROL_ERROR),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else value.name,
)
def test_what_ends_a_connection(spoken: Spoken, api: Api, sent: bytes, code: Code) -> None:
    spoken.send(sent)
    client = spoken.until(lambda client: bool(client.goaways))
    assert [told for _, told, _ in client.goaways] == [code]
    spoken.until(lambda client: False)
    assert spoken.closed
    assert api.request("GET", "/readyz").status == 200


def test_rapid_reset(spoken: Spoken, api: Api) -> None:
    """CVE-2023-44487: who asks and takes it back, over and over, does not get far."""
    client = spoken.client
    watch = f"{CONFIGMAPS}?watch=1"
    many = b"".join(
        client.request(stream, watch) + reset(stream, Code.CANCEL) for stream in range(1, 20_001, 2)
    )
    spoken.send(many)
    spoken.until(lambda client: bool(client.goaways))
    assert client.goaways[0][1] is Code.ENHANCE_YOUR_CALM and client.goaways[0][0] < 5000
    assert api.request("GET", "/readyz").status == 200


def test_clients_that_go_in_the_middle(access: Access, api: Api) -> None:
    for way in ("close", "reset", "half"):
        spoken = Spoken(access)
        client = spoken.client
        spoken.send(client.request(1, f"{CONFIGMAPS}?watch=1"))
        spoken.until(lambda client: bool(client[1].headers))
        half = client.request(3, CONFIGMAPS, "POST", b"x" * 50_000)
        spoken.send(half[:20_000])
        if way == "reset":
            spoken.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        elif way == "half":
            socket.socket.shutdown(spoken.tls, socket.SHUT_WR)
            spoken.until(lambda client: False)
            assert spoken.closed and not client[3].headers
        spoken.tls.close()
        assert api.request("GET", "/readyz").status == 200


def test_tls_is_not_negotiated_again(access: Access) -> None:
    """Neither by the request for it (TLS 1.2), nor by its renewal of keys (TLS 1.3), does a connection break."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    told = subprocess.run(
        [openssl, "s_client", "-connect", f"{access.host}:{access.port}", "-tls1_2", "-alpn", "http/1.1"],
        input="R\n",
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert "RENEGOTIATING" in told.stdout + told.stderr
    assert "no renegotiation" in told.stdout + told.stderr


def test_a_cipher_that_http2_forbids(access: Access) -> None:
    context = ssl.create_default_context(cadata=access.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    with connect(access, context=context) as tls:
        tls.sendall(GREETING)
        client = Client()
        client.hear(tls.recv(65536))
        forbidden = "GCM" not in tls.cipher()[0]  # type: ignore[index]
        assert [code for _, code, _ in client.goaways] == [Code.INADEQUATE_SECURITY] * forbidden


def test_strangers_get_one_answer(access: Access, spoken: Spoken) -> None:
    stranger = Spoken(Access(access.host, access.port, access.ca, ""))
    stranger.send(stranger.client.request(1, "/readyz"))
    stranger.until(lambda client: bool(client.pings))
    stranger.send(frame(Kind.PING, 1, 0, stranger.client.pings[0]))
    client = stranger.until(lambda client: False)
    assert client[1].body == b"ok" and stranger.closed
    assert client.goaways == [(INT31_MAX, Code.NO_ERROR, ""), (1, Code.NO_ERROR, "")]
    stranger.tls.close()
    spoken.send(
        spoken.client.request(1, "/readyz"), spoken.client.request(3, "/readyz", authorization="Bearer wrong")
    )
    assert spoken.answered(1, 3)[3].status == 401 and spoken.client[1].status == 200
    assert spoken.until(lambda client: bool(client.goaways)).goaways


def test_a_server_that_stops_says_so_first(tmp_path: Path) -> None:
    with UpProcess(tmp_path, "--api-only", "--memory") as up:
        spoken = Spoken(Access.of(up.kubeconfig))
        client = spoken.client
        spoken.send(client.request(1, f"{CONFIGMAPS}?watch=1"))
        spoken.until(lambda client: bool(client[1].headers))
        os.kill(up.pid, signal.SIGTERM)
        spoken.until(lambda client: bool(client.goaways and client[1].ended))
        assert client.goaways[0] == (INT31_MAX, Code.NO_ERROR, "")
        spoken.send(client.request(3, "/readyz"), frame(Kind.PING, 1, 0, client.pings[0]))
        spoken.until(lambda client: False)
        assert client.goaways[1] == (3, Code.NO_ERROR, "") and client[3].headers
        spoken.tls.close()
        assert up.end().code == 0


@pytest.mark.parametrize(
    ("flag", "streams"), [("--http2-max-streams-per-connection=7", 7), ("--api-only", 100)]
)
def test_the_number_of_streams_is_a_flag(tmp_path: Path, flag: str, streams: int) -> None:
    with UpProcess(tmp_path, "--api-only", "--memory", flag) as up:
        spoken = Spoken(Access.of(up.kubeconfig))
        client = spoken.until(lambda client: bool(client.settings))
        assert client.settings[Setting.MAX_CONCURRENT_STREAMS] == streams
        spoken.tls.close()


def test_http2_can_be_turned_off(tmp_path: Path) -> None:
    with UpProcess(tmp_path, "--api-only", "--memory", "--disable-http2-serving") as up:
        access = Access.of(up.kubeconfig)
        with connect(access, "h2", "http/1.1") as tls:
            assert tls.selected_alpn_protocol() == "http/1.1"
        with Api(access) as api:
            assert api.request("GET", "/readyz").status == 200


def test_a_number_of_streams_that_is_none_is_refused() -> None:
    ended = subprocess.run(
        kajitori("up", "--http2-max-streams-per-connection", "-1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2 and "-1: use 0 or more" in ended.stderr
