"""What a process of operators tells over HTTP: whether it is alive and ready, its figures, its status.

    health port     /healthz /livez /readyz, each with /CHECK, ?verbose and ?exclude=CHECK
    metrics port    /metrics, / and /status (a page, or JSON with ?format=json), /explain?controller=&name=&namespace=

Promises
    E1  an address that cannot be listened at ends the process before anything is changed in the cluster
    E2  the status, which names objects, is told to this machine only, and to no page of another site in a browser of
        it; `kubectl port-forward` is this machine
    E3  one port may be both
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from kajitori.apiserver.http import Request, Response, serve
from kajitori.cli.main import CommandError
from kajitori.ctrl import Manager
from kajitori.ctrl.health import Checks

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["OFF", "Address", "Endpoints", "is_of_this_machine", "parse_address"]

OFF = "0"
"""Said instead of an address: serve nothing."""

_PLAIN = "text/plain; charset=utf-8"
_NOT_FOUND = Response(404, b"404 page not found\n", _PLAIN)
_NO_SNIFFING = (("X-Content-Type-Options", "nosniff"),)


class Address(NamedTuple):
    """Where to listen; an empty host is every address of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(flag: str, text: str) -> Address | None:
    """`HOST:PORT` or `:PORT`; None for `0`. Raises: CommandError."""
    if text in ("", OFF):
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise CommandError(
            f"{flag} {text}: write it as HOST:PORT, e.g. 127.0.0.1:8080, or :8080; 0 is off", 2
        )
    return Address(host.strip("[]"), int(port))


@dataclass(frozen=True, slots=True)
class _Purpose:
    """What one flag asks to be served, and where."""

    flag: str
    address: Address
    health: bool = False
    figures: bool = False


class Endpoints:
    """The servers of one process; listening from `listen` to `close`."""

    def __init__(self, manager: Manager, *, metrics: Address | None, health: Address | None) -> None:
        self._manager = manager
        self._closing = contextlib.AsyncExitStack()
        self._purposes: list[_Purpose] = []
        if health is not None and health == metrics and health.port:
            self._purposes.append(_Purpose("--health-probe-bind-address", health, True, True))
            return
        if health is not None:
            self._purposes.append(_Purpose("--health-probe-bind-address", health, health=True))
        if metrics is not None:
            self._purposes.append(_Purpose("--metrics-bind-address", metrics, figures=True))

    async def listen(self) -> Sequence[tuple[str, str]]:
        """Gives what is served, and the URL of it. Raises: CommandError."""
        served: list[tuple[str, str]] = []
        for purpose in self._purposes:
            try:
                server = await serve(
                    _Answers(self._manager, purpose).answer,
                    host=purpose.address.host,
                    port=purpose.address.port,
                )
            except OSError as error:
                await self.close()
                why = error.strerror or str(error)
                raise CommandError(
                    f"{purpose.flag} {purpose.address}: cannot listen there: {why}; choose another, or 0 for none"
                ) from None
            self._closing.push_async_callback(server.close, 1.0)
            if purpose.figures:
                served += [("metrics", f"{server.url}/metrics"), ("status", f"{server.url}/")]
            if purpose.health:
                served.append(("health", f"{server.url}/healthz"))
        return served

    async def close(self) -> None:
        """Safe to repeat."""
        await self._closing.aclose()


class _Answers:
    """Of one server."""

    def __init__(self, manager: Manager, purpose: _Purpose) -> None:
        self._manager = manager
        self._purpose = purpose
        self._registry: CollectorRegistry | None = None

    async def answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"405 send a GET\n", _PLAIN, (("Allow", "GET, HEAD"),))
        path = request.path
        if self._purpose.health:
            for prefix, checks in (
                ("/healthz", self._manager.healthz),
                ("/livez", self._manager.healthz),
                ("/readyz", self._manager.readyz),
            ):
                if path == prefix or path.startswith(f"{prefix}/"):
                    return await _probed(checks, path.removeprefix(prefix), request.query)
        if self._purpose.figures:
            if path == "/metrics":
                return self._figures(request.headers.get("accept", ""))
            if path in ("/", "/status", "/explain"):
                return await self._status(request)
        return _NOT_FOUND

    def _figures(self, accept: str) -> Response:
        from prometheus_client import PlatformCollector, ProcessCollector
        from prometheus_client.exposition import choose_encoder

        if self._registry is None:
            self._registry = self._manager.metrics_registry()
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
        encode, content_type = choose_encoder(accept)
        return Response(200, encode(self._registry), content_type)

    async def _status(self, request: Request) -> Response:
        if not is_of_this_machine(request):
            return Response(
                403,
                b"The status is told to this machine only: use `kubectl port-forward`, or ask at 127.0.0.1.\n",
                _PLAIN,
            )
        from kajitori.cli.status_page import status_response  # nobody may ever ask

        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        return await status_response(self._manager, request.path, query, request.headers.get("accept", ""))


async def _probed(checks: Checks, path: str, query: str) -> Response:
    said = await checks.answer(path, query)
    return Response(said.status, said.text.encode(), _PLAIN, _NO_SNIFFING)


def is_of_this_machine(request: Request) -> bool:
    """Whether the peer is local, and did not come here by a name that somebody else's DNS gives to this address."""
    peer = request.remote.rpartition(":")[0].strip("[]").partition("%")[0]
    host, colon, port = request.headers.get("host", "").rpartition(":")
    name = (host if colon and port.isdecimal() else f"{host}{colon}{port}").strip("[]").lower()
    return _is_loopback(peer) and (name == "localhost" or _is_loopback(name))


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)
