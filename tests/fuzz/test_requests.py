"""Requests that nobody would think of, as bytes on a connection, through the whole server.

Whatever comes, the connection writes an answer or ends, nothing fails inside, and no answer is a 500 but those that
Kubernetes gives itself.
"""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from tests.apiserver.support import Api, config_map, define, definition, pod, served
from tests.fuzz.inputs import LONG, Inputs, guarded
from tests.support.http2 import GREETING, Client

from kajitori.apis.facts.protobuf import protobuf_codec
from kajitori.apiserver.http import Limits, status_response
from kajitori.apiserver.http.connection import Connection
from kajitori.apiserver.http.heads import AuditIds, HeadWriter
from kajitori.apiserver.http.http2 import Blocks, Http2Connection
from kajitori.apiserver.http.shared import Shared
from kajitori.wire.http2 import hpack
from kajitori.wire.http2.frames import frame, headers

REQUESTS = 60_000 if LONG else 400
FRAMINGS = 30_000 if LONG else 300

COLLECTIONS = (
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/events",
    "/api/v1/watch/namespaces/default/configmaps",
    "/api/v1/configmaps",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/apis/example.com/v1/namespaces/default/widgets",
    "/apis/example.com/v1/widgets",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/coordination.k8s.io/v1/namespaces/x/leases",
    "/apis/coordination.k8s.io/v9/leases",
    "/apis/none.example.com/v1/x",
)
SEGMENTS = (
    "a",
    "b",
    "A_",
    "..",
    "%2e",
    "%00",
    "a%2Fb",
    "status",
    "log",
    "exec",
    "token",
    "binding",
    "proxy",
    "é",
    "",
)
OTHERS = (
    "/",
    "/api",
    "/apis",
    "/version",
    "/healthz",
    "/readyz/ping",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3/api/v1",
)
VALUES = (
    "",
    "0",
    "1",
    "-1",
    "true",
    "false",
    "x",
    "Exact",
    "NotOlderThan",
    "All",
    "Strict",
    "99999999999999999999",
)
QUERY = {
    "labelSelector": ("a=b", "a in (b", "!a", "a>1", "=", "a=b,c"),
    "fieldSelector": ("metadata.name=a", "spec.nodeName!=x", "x", "metadata.name=a,metadata.name=b"),
    "shardSelector": (
        "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')",
        "x(",
        "a||b",
    ),
    "continue": ("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYSJ9", "W10", "!"),
    "watch": (*VALUES,),
    "resourceVersion": (*VALUES,),
    "resourceVersionMatch": (*VALUES,),
    "limit": (*VALUES,),
    "timeoutSeconds": ("1", "-1", "x"),
    "sendInitialEvents": (*VALUES,),
    "allowWatchBookmarks": (*VALUES,),
    "dryRun": ("All", "x"),
    "fieldManager": ("me", "x" * 200, "\n"),
    "fieldValidation": ("Strict", "Warn", "Ignore", "x"),
    "force": (*VALUES,),
    "pretty": (*VALUES,),
    "includeObject": ("None", "Metadata", "Object", "x"),
    "timeout": ("1s", "1h", "x", "-1s", "0"),
    "propagationPolicy": ("Orphan", "Foreground", "Background", "x"),
    "gracePeriodSeconds": (*VALUES,),
    "command": ("sh", ""),
    "container": ("c", "x"),
    "tailLines": (*VALUES,),
}
MEDIA = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/cbor",
    "text/plain",
    "",
)
ACCEPTS = (
    "",
    "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "application/yaml",
    "application/json;stream=watch",
    "text/html",
)
METHODS = ("GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO")

WIDGET = {
    "apiVersion": "example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "a"},
    "spec": {"color": "red"},
}
BODIES = [
    msgspec.json.encode(config_map("a", labels={"a": "b"}, k="v")),
    msgspec.json.encode(pod("a")),
    msgspec.json.encode(WIDGET),
    b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  labels: {a: b}\ndata: {x: |\n  y\n",
    protobuf_codec().encode(config_map("a")),
    b'[{"op":"add","path":"/metadata/labels","value":{"a":"c"}},{"op":"test","path":"/data/k","value":"v"}]',
    b'{"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"],"preconditions":{"uid":"x"}}',
    b'{"metadata":{"labels":{"a":null},"finalizers":["a/b"],"$deleteFromPrimitiveList/finalizers":["a/b"]}}',
    b"",
]
BODY_TOKENS = [
    b'"',
    b"{",
    b"[",
    b"null",
    b"-1",
    b"1e400",
    b'"metadata":',
    b'"name":',
    b"\\ud800",
    b"a: ",
    b"&a ",
    b"$patch",
]


class Requests:
    """Requests as bytes of HTTP/1.1, or as what HTTP/2 has of them."""

    def __init__(self, seed: str) -> None:
        self._chance = Random(seed)
        self._bodies = Inputs(seed, BODIES, BODY_TOKENS)

    def next(self) -> tuple[str, str, dict[str, str], bytes]:
        chance = self._chance
        method = chance.choice(METHODS)
        sent = {
            "accept": chance.choice(ACCEPTS),
            "user-agent": chance.choice(("kubectl/v1.36", "curl/8", "")),
        }
        body = b""
        if method not in ("GET", "HEAD") or chance.random() < 0.05:
            body = self._bodies.next()
            sent["content-type"] = chance.choice(MEDIA)
        if chance.random() < 0.1:
            name = chance.choice(
                ("impersonate-user", "impersonate-group", "impersonate-extra-%", "if-match", "range")
            )
            sent[name] = chance.choice(("admin", "x", "system:masters", "é", "%zz"))
        return method, self._target(), sent, body

    def _target(self) -> str:
        chance = self._chance
        if chance.random() < 0.1:
            path = chance.choice(OTHERS)
        else:
            path = chance.choice(COLLECTIONS)
            for _ in range(chance.choice((0, 0, 0, 1, 1, 1, 2, 3))):
                path += "/" + chance.choice(SEGMENTS if chance.random() < 0.3 else "ab")
        if chance.random() < 0.05:
            at = chance.randrange(len(path) + 1)
            path = path[:at] + chance.choice(("/", "%", "%ff", ";", "x" * 2000)) + path[at:]
        pairs = [self._pair() for _ in range(chance.choice((0, 0, 1, 2, 3)))]
        path = quote(path, safe="/%;:.~!")
        return f"{path}?{'&'.join(pairs)}" if pairs else path

    def _pair(self) -> str:
        name = self._chance.choice(tuple(QUERY))
        value = self._chance.choice(QUERY[name] if self._chance.random() < 0.8 else VALUES)
        return f"{name}={quote(value) if self._chance.random() < 0.95 else value.encode('ascii', 'ignore').decode()}"


class Pipe(asyncio.Transport):
    """A transport whose other end is a list."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 40000)})
        self.protocol: Any = None
        self.written = bytearray()
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """What is fed at once has been read."""

    def resume_reading(self) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def is_closing(self) -> bool:
        return self.ended

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


class Lines:
    """Connections to the server of `api`, one for each conversation."""

    def __init__(self, api: Api) -> None:
        loop = asyncio.get_running_loop()
        self._shared = Shared(
            api.server.handle,
            Limits(),
            heads=HeadWriter(lambda: 1.8e9 + loop.time(), loop.time),
            audit_ids=AuditIds(os.urandom(16)),
            encode_error=lambda request, error: status_response(error),
        )
        self.blocks = Blocks(self._shared.heads)
        token: Any = api.transport
        self.authorization: str = token._authorization
        self.open: set[Any] = set()

    def _connect(self, kind: Callable[..., Any]) -> Pipe:
        pipe = Pipe()
        pipe.protocol = kind(self._register, self.open.discard)
        pipe.protocol.connection_made(pipe)
        return pipe

    def _register(self, connection: Any) -> bool:
        self.open.add(connection)
        return True

    async def say(self, data: bytes, *, answered: Callable[[bytes], bool]) -> bytes:
        """What HTTP/1.1 answers to `data`, until it has answered or ended."""
        pipe = self._connect(lambda *registers: Connection(self._shared, *registers))
        pipe.protocol.data_received(data)
        return await self._hear(pipe, answered)

    async def say2(self, data: bytes, *, answered: Callable[[bytes], bool]) -> bytes:
        """The same over HTTP/2, after the greeting."""
        pipe = self._connect(lambda *registers: Http2Connection(self._shared, self.blocks, *registers))
        pipe.protocol.data_received(GREETING)
        if not pipe.ended:
            pipe.protocol.data_received(data)
        return await self._hear(pipe, answered)

    async def _hear(self, pipe: Pipe, answered: Callable[[bytes], bool]) -> bytes:
        for _ in range(200):
            if pipe.ended or answered(bytes(pipe.written)):
                break
            await asyncio.sleep(0)
        left: Any = pipe.protocol.abort()
        if left is not None:
            await asyncio.wait([left])
        for _ in range(3):
            await asyncio.sleep(0)
        return bytes(pipe.written)

    def close(self) -> None:
        assert not self.open, "a connection outlived its peer"
        self._shared.close()


@contextmanager
def nothing_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    yield
    assert not problems, problems
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR], caplog.text


def has_head(written: bytes) -> bool:
    return b"\r\n\r\n" in written


def check(status: int, body: bytes, asked: object) -> None:
    """No answer is a 500, but for the one that Kubernetes gives: a watch from a revision that is none."""
    if status == 500:
        assert b"strconv.ParseUint: parsing" in body and b"resourceVersion" in body, (asked, body)


async def with_something_there(api: Api) -> None:
    await define(api, definition())
    await api.ok("POST", "/api/v1/namespaces/default/configmaps", config_map("b", labels={"a": "b"}))


Conversation = Callable[[Api, pytest.LogCaptureFixture], Awaitable[None]]


@served
async def test_any_request_has_an_answer(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    await with_something_there(api)
    requests, lines = Requests("http1"), Lines(api)
    seen: Counter[int] = Counter()
    with nothing_fails(caplog), guarded() as watched:
        for _ in range(REQUESTS):
            method, target, sent, body = requests.next()
            sent |= {"host": "x", "authorization": lines.authorization, "content-length": str(len(body))}
            head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
            data = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body
            watched.reads(data)
            answer = await lines.say(data, answered=has_head)
            assert answer.startswith(b"HTTP/1."), (data, answer)
            status = int(answer[9:12])
            check(status, answer, data)
            seen[status] += 1
    lines.close()
    # Not all is refused: the road is walked to its end.
    assert seen[200] > REQUESTS / 10 and len(seen) > 7, seen


@served
async def test_any_request_has_an_answer_over_http2(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    await with_something_there(api)
    requests, lines = Requests("http2"), Lines(api)
    seen: Counter[int] = Counter()
    with nothing_fails(caplog), guarded() as watched:
        for _ in range(REQUESTS // 2):
            method, target, sent, body = requests.next()
            fields = {":method": method, ":path": target, ":scheme": "https", ":authority": "x", **sent}
            fields["authorization"] = lines.authorization
            block = b"".join(hpack.field(name, value.encode()) for name, value in fields.items())
            data = headers(block, 1, 16_384, ends=not body) + (frame(0, 1, 1, body) if body else b"")
            watched.reads(data)
            client = Client()
            client.hear(await lines.say2(data, answered=lambda written: len(written) > 200))
            status = int(client.streams[1].headers.get(":status", 0)) if 1 in client.streams else 0
            check(status, client.streams[1].body if status else b"", fields)
            seen[status] += 1
    lines.close()
    assert seen[200] > REQUESTS / 20 and len(seen) > 7, seen


@served
async def test_any_bytes_are_answered_or_end_the_connection(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    lines = Lines(api)
    auth = f"Authorization: {lines.authorization}\r\n".encode()
    samples = [
        b"GET /api/v1/pods?limit=1 HTTP/1.1\r\nHost: x\r\n" + auth + b"Accept: */*\r\n\r\n",
        b"POST /api/v1/namespaces/default/configmaps?dryRun=All HTTP/1.1\r\nHost: x\r\n"
        + auth
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b'19\r\n{"metadata":{"name":"a"}}\r\n0\r\n\r\n',
        b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        + b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /api/v1/pods HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    ]
    tokens = [
        b"\r\n",
        b"\r\n\r\n",
        b": ",
        b"Host: y\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ]
    tokens += [
        b"HTTP/1.1",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
        b"0\r\n\r\n",
        b"ffffffffff\r\n",
        b"\t",
        b"GET ",
    ]
    with nothing_fails(caplog), guarded() as watched:
        for data in Inputs("framing", samples, tokens).take(FRAMINGS):
            watched.reads(data)
            answer = await lines.say(data, answered=has_head)
            assert not answer or answer.startswith(b"HTTP/1."), (data, answer)
            check(int(answer[9:12] or 0), answer, data)
    lines.close()
