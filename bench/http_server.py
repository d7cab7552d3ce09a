"""One trivial request: what the HTTP core costs, beside its floor and beside other servers.

    python bench/http_server.py [--only NAME ...] [--seconds 3] [--connections 32]

Every server runs in a process of its own on the first core and answers the same 1.1 KiB ConfigMap with and
without TLS; the load (raw keep-alive sockets) runs on the last core. Printed: requests per second, the server's
CPU per request in microseconds (which does not depend on how fast the load is), its resident memory, and the
load's own use of its core. Where that is near 1.0 the load was the limit; then believe the CPU figure.

`kajitori` is the server of this package; `floor` is the same parser and loop with nothing around them. aiohttp and
uvicorn are measured when they can be imported.

    python bench/http_server.py --list 29    # instead: a LIST of 29 MB over TLS, in 10,000 pieces and in one
"""

import argparse
import asyncio
import importlib.util
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BODY = json.dumps(
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"payload": "x" * 1024}}
).encode()
REQUEST = (
    b"GET /api/v1/namespaces/bench/configmaps/a HTTP/1.1\r\nHost: 127.0.0.1:6443\r\nAccept: application/json\r\n"
    b"User-Agent: bench/1 (linux/amd64)\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n"
)
FIRST_CORE = min(os.sched_getaffinity(0))
NEEDS = {"kajitori": "kajitori", "floor": "httptools", "aiohttp": "aiohttp", "uvicorn": "uvicorn"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=list(NEEDS))
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--list", type=int, metavar="MEGABYTES")
    parser.add_argument("--serve")
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls", default="")
    options = parser.parse_args()
    if options.serve:
        serve_forever(options.serve, options.port, options.tls)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(Path(folder))
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        if options.list:
            for way in ("pieces", "whole"):
                print(json.dumps(measure_list(way, options.list, Path(folder))), flush=True)
            return
        for name in options.only:
            if importlib.util.find_spec(NEEDS[name]) is None:
                print(json.dumps({"server": name, "skipped": "not installed"}))
                continue
            for tls in ("", folder):
                print(json.dumps(measure(name, options, tls)), flush=True)


# The servers.


def server_context(folder: str) -> ssl.SSLContext | None:
    if not folder:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/tls.crt", f"{folder}/tls.key")
    return context


def serve_forever(name: str, port: int, folder: str) -> None:
    import uvloop

    if name == "aiohttp":
        uvloop.run(aiohttp_server(port, server_context(folder)))
    elif name == "uvicorn":
        uvicorn_server(port, folder)
    elif name == "floor":
        uvloop.run(floor(port, server_context(folder)))
    else:
        uvloop.run(kajitori_server(name, port, server_context(folder)))


async def kajitori_server(name: str, port: int, context: ssl.SSLContext | None) -> None:
    from kajitori.apiserver.http import Request, Response, serve

    way, _, megabytes = name.partition("-")
    if megabytes:
        pieces = [b"x" * (int(megabytes) * 100)] * 10_000
        body: bytes | Sequence[bytes] = b"".join(pieces) if way == "whole" else pieces
    else:
        body = BODY

    def handler(request: Request) -> Response:
        return Response(200, body)

    await serve(handler, port=port, ssl_context=context)
    await asyncio.Event().wait()


async def floor(port: int, context: ssl.SSLContext | None) -> None:
    import httptools

    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    answer = head + BODY

    class Floor(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport, self.parser = transport, httptools.HttpRequestParser(self)

        def data_received(self, data: bytes) -> None:
            self.parser.feed_data(data)

        def on_header(self, name: bytes, value: bytes) -> None:
            self.last = name.lower()

        def on_message_complete(self) -> None:
            self.transport.write(answer)

    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


async def aiohttp_server(port: int, context: ssl.SSLContext | None) -> None:
    from aiohttp import web

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(body=BODY, content_type="application/json")

    runner = web.ServerRunner(web.Server(handler, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    await asyncio.Event().wait()


def uvicorn_server(port: int, folder: str) -> None:
    import uvicorn  # type: ignore[import-not-found]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    files = {"ssl_certfile": f"{folder}/tls.crt", "ssl_keyfile": f"{folder}/tls.key"} if folder else {}
    uvicorn.run(
        application,
        port=port,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="error",
        lifespan="off",
        **files,
    )


# The load.


def make_certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")],
        check=True,
        capture_output=True,
    )  # fmt: skip


class Running:
    """A server process, its CPU and its memory."""

    def __init__(self, name: str, tls: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, __file__, "--serve", name, "--port", str(self.port), "--tls", tls]
        self.process = subprocess.Popen(command)
        os.sched_setaffinity(self.process.pid, {FIRST_CORE})
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError(f"{name} does not listen")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self, which: str = "VmRSS") -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(which):
                return round(int(line.split()[1]) / 1024, 1)
        return 0.0

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def client_context(tls: str) -> ssl.SSLContext | None:
    if not tls:
        return None
    context = ssl.create_default_context(cafile=f"{tls}/tls.crt")
    context.check_hostname = False
    return context


class Client(asyncio.Protocol):
    """Asks again as soon as it has an answer."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.answers = 0
        self.length = 0
        self.have = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if not self.length:
            assert data.startswith(b"HTTP/1.1 200"), data[:100]
            at = data.lower().index(b"content-length: ") + 16
            self.length = data.index(b"\r\n\r\n") + 4 + int(data[at : data.index(b"\r", at)])
        self.have += len(data)
        if self.have < self.length:
            return
        assert self.have == self.length, "more than was asked for"
        self.have = self.length = 0
        self.answers += 1
        if time.perf_counter() < self.until:
            self.transport.write(REQUEST)
        else:
            self.transport.close()
            self.done.set_result(self.answers)


async def load(port: int, tls: str, seconds: float, connections: int) -> int:
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    context = client_context(tls)
    opened = [
        await loop.create_connection(lambda: Client(until), "127.0.0.1", port, ssl=context)
        for _ in range(connections)
    ]
    return sum(await asyncio.gather(*(client.done for _, client in opened)))


def own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(name: str, options: argparse.Namespace, tls: str) -> dict[str, Any]:
    import uvloop

    server = Running(name, tls)
    try:
        began, cpu, own = time.perf_counter(), server.cpu_seconds(), own_cpu_seconds()
        answers = uvloop.run(load(server.port, tls, options.seconds, options.connections))
        wall = time.perf_counter() - began
        return {
            "server": name,
            "tls": bool(tls),
            "per_second": round(answers / wall),
            "cpu_us": round((server.cpu_seconds() - cpu) / answers * 1e6, 1),
            "rss_mib": server.rss_mib(),
            "load_busy": round((own_cpu_seconds() - own) / wall, 2),
        }
    finally:
        server.stop()


def measure_list(way: str, megabytes: int, folder: Path) -> dict[str, Any]:
    import uvloop

    server = Running(f"{way}-{megabytes}", str(folder))
    try:
        rss, cpu = server.rss_mib(), server.cpu_seconds()
        began = time.perf_counter()
        times = 10
        for _ in range(times):
            uvloop.run(load(server.port, str(folder), 0, 1))
        wall = (time.perf_counter() - began) / times
        return {
            "list": way,
            "megabytes": megabytes,
            "wall_ms": round(wall * 1000, 1),
            "cpu_ms": round((server.cpu_seconds() - cpu) / times * 1000, 1),
            "rss_mib_before": rss,
            "rss_mib_peak": server.rss_mib("VmHWM"),
        }
    finally:
        server.stop()


if __name__ == "__main__":
    main()
