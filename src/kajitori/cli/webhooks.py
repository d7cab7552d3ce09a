"""The webhooks of operators that run beside a cluster: answered over HTTPS, where its API server reaches them.

Sits between `kajitori run`, whose flags say where that is, and `kajitori.ctrl`, which knows what to answer and makes
the certificates.

Promises
    W1  API servers believe the certificate by what webhook configurations say: our authority, or what others put there
    W2  an address that cannot be listened at, and certificates that cannot be had, are told before anything else is
        changed in the cluster
    W3  what a manager declares is at controller-runtime's paths; what is answered for a Service is at
        `/NAMESPACE/SERVICE` and its path
    W4  an answer that is not there when the API server gives up is given up as well
"""

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from kajitori.apimachinery.errors import ApiError, Timeout
from kajitori.apimachinery.kind import JsonObject, NamespacedName
from kajitori.apiserver.http import Limits, Request, Response, Server, serve
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.ctrl import AdmissionResponse, Manager
from kajitori.ctrl.webhooks import Answer
from kajitori.ctrl.webhooks.certificate_files import CertificateFiles, load_chain
from kajitori.ctrl.webhooks.declared import CONVERT_PATH, TIMEOUT_SECONDS_MAX
from kajitori.ctrl.webhooks.reviews import answer_review
from kajitori.ctrl.webhooks.serving import CONVERSION_BYTES_MAX
from kajitori.wire.go_time import parse_duration
from kajitori.world.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from kajitori.ctrl.webhooks.certificate_files import CertificateSource

__all__ = ["HttpsMount", "HttpsWebhooks", "WebhookPlace"]

_log = logging.getLogger(__name__)

_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"
_INJECT = "cert-manager.io/inject-ca-from"
GRACE_SECONDS = 5.0
"""For answers under way at the end; API servers wait for 30 seconds at most, and processes are not given more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlace:
    """Where webhooks are answered, and how an API server gets there."""

    host: str
    port: int
    url: str = ""
    """What it asks for, without the paths of webhooks; empty: the host and the port."""
    service: NamespacedName | None = None
    """The Service that it goes through, instead of a URL."""
    service_port: int = 443
    secret: NamespacedName | None = None
    """Where the certificates lie; None: nowhere, they are of this process."""
    cert_dir: Path | None = None
    """Where somebody else puts them."""
    ca_from: str = ""
    """What cert-manager takes the authority from, which it writes into configurations itself."""
    client_ca_file: Path | None = None
    """The authorities of those who are answered; None: everybody is."""


class HttpsWebhooks:
    """A `WebhookHost` that listens, from `async with listening()` to its end."""

    def __init__(self, place: WebhookPlace, clock: Clock = SYSTEM_CLOCK) -> None:
        self._place = place
        self._clock = clock
        self._answers: dict[tuple[str, str], Answer] = {}
        self._mounts: dict[str, HttpsMount] = {}
        self._on_change: list[Callable[[], object]] = []
        self._certificates: CertificateSource | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["http/1.1"])
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where they are answered."""
        if self._place.url:
            return self._place.url
        assert self._server is not None, "not listening"
        return f"https://{_shown(self._place.host)}:{self._server.port}"

    @asynccontextmanager
    async def listening(self, client: Client, leads: Callable[[], bool]) -> AsyncGenerator[None, None]:
        """Listens for the length of a block. `leads`: whether it is on us to renew certificates.

        Raises: CommandError.
        """
        place = self._place
        if place.client_ca_file is not None:
            try:
                self._context.load_verify_locations(place.client_ca_file)
            except (OSError, ssl.SSLError) as error:
                raise CommandError(f"--webhook-client-ca-file {place.client_ca_file}: {error}", 2) from None
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._certificates = self._source(client, leads)
        try:
            await self._certificates.load()
            self._use_chain()
        except (OSError, ssl.SSLError, ApiError, TransportError) as error:
            raise CommandError(f"{self._told_source()}: {error}") from None
        limits = Limits(body_bytes_max=CONVERSION_BYTES_MAX)
        try:
            self._server = await serve(
                self._handle, host=place.host, port=place.port, ssl_context=self._context, limits=limits
            )
        except OSError as error:
            where = f"{place.host}:{place.port}"
            raise CommandError(
                f"--webhook-address {where}: cannot listen there: {error.strerror or error}"
            ) from None
        try:
            yield
        finally:
            await self._server.close(GRACE_SECONDS)

    async def keep(self) -> None:
        """Looks after the certificates, until cancelled."""
        assert self._certificates is not None, "listening"
        if not self._mounts:
            self._certificates.registered()
        await self._certificates.keep(self._changed)

    async def forget_undeclared(self, manager: Manager) -> None:
        """Removes what an earlier version of a manager registered, when this one declares nothing; others do it
        themselves. What fails is told in the log: nothing else depends on it.
        """
        if manager.declares_webhooks:
            return
        from kajitori.ctrl.webhooks.registering import field_manager_of, forget_others

        try:
            await forget_others(manager.client, self.identity_of(manager.name), (), field_manager_of(manager))
        except (ApiError, TransportError) as error:
            _log.warning("earlier webhooks could not be looked for", extra={"error": str(error)})

    def _source(self, client: Client, leads: Callable[[], bool]) -> "CertificateSource":
        place = self._place
        if place.cert_dir is not None:
            return CertificateFiles(place.cert_dir)
        from kajitori.ctrl.webhooks.keeping import CertificateKeeper, MemoryShelf, SecretShelf

        secret = place.secret
        shelf = MemoryShelf() if secret is None else SecretShelf(client, secret.namespace, secret.name)
        return CertificateKeeper(
            shelf, self._names(), clock=self._clock, leads=lambda: leads() and self._is_registered
        )

    def _names(self) -> list[str]:
        """What the certificate is for."""
        service = self._place.service
        if service is not None:
            name = f"{service.name}.{service.namespace}.svc"
            return [name, f"{name}.cluster.local"]
        return [str(urlsplit(self._place.url).hostname or self._place.host)]

    def _told_source(self) -> str:
        if self._place.cert_dir is not None:
            return f"--webhook-cert-dir {self._place.cert_dir}"
        return f"the webhooks' certificates in Secret {self._place.secret}"

    def _use_chain(self) -> None:
        assert self._certificates is not None, "listening"
        load_chain(self._context, self._certificates.chain)

    def _changed(self) -> None:
        self._use_chain()
        for each in self._mounts.values():
            each.changed()
        for told in self._on_change:
            told()
        if not self._mounts:
            self.registered()

    # What operators ask for.

    def mount(self, name: str, answer: Answer) -> "HttpsMount":
        mounted = self._mounts[name] = HttpsMount(self, name, answer, self.identity_of(name))
        return mounted

    def unmount(self, mounted: "HttpsMount") -> None:
        if self._mounts.get(mounted.name) is mounted:
            del self._mounts[mounted.name]

    def serve(self, namespace: str, service: str, answer: Answer) -> None:
        self._answers[namespace, service] = answer

    def stop_serving(self, namespace: str, service: str) -> None:
        self._answers.pop((namespace, service), None)

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        return self.config_of(f"/{namespace}/{service}{path}")

    def on_change(self, changed: Callable[[], object]) -> None:
        self._on_change.append(changed)

    def config_of(self, path: str) -> JsonObject:
        """`clientConfig` of what is answered at a path."""
        place = self._place
        config: JsonObject = {}
        if place.service is None:
            config["url"] = self.url + path
        else:
            named = {"namespace": place.service.namespace, "name": place.service.name}
            config["service"] = {**named, "port": place.service_port, "path": path}
        assert self._certificates is not None, "listening"
        if self._certificates.bundle and not place.ca_from:
            config["caBundle"] = base64.b64encode(self._certificates.bundle).decode()
        return config

    @property
    def annotations(self) -> dict[str, str]:
        """What configurations carry."""
        return {_INJECT: self._place.ca_from} if self._place.ca_from else {}

    def registered(self) -> None:
        """Tells who makes certificates, once it is so of all mounts."""
        assert self._certificates is not None, "listening"
        if self._is_registered:
            self._certificates.registered()

    @property
    def _is_registered(self) -> bool:
        return all(each.is_registered for each in self._mounts.values())

    def identity_of(self, name: str) -> str:
        """Whose configurations are, as they say, of a manager."""
        place = self._place
        return f"{place.service or urlsplit(self.url).hostname}/{name}"

    # What API servers ask.

    async def _handle(self, request: Request) -> Response:
        if request.path in ("/healthz", "/readyz", "/readiness"):
            return Response(200, b"ok", _PLAIN)
        found = self._find(request.path)
        if found is None:
            return Response(404, b"nothing is answered here\n", _PLAIN)
        if request.method != "POST":
            return Response(405, b"send a POST\n", _PLAIN)
        answer, path = found
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip() != _JSON and path != CONVERT_PATH:
            told = f"contentType={content_type}, expected {_JSON}"
            return Response(200, answer_review("", "", AdmissionResponse.error(400, told)), _JSON)
        try:
            async with asyncio.timeout(_timeout_seconds(request.query)):
                body = await answer(path, request.body)
        except TimeoutError:
            raise Timeout("the webhook gave no answer in time") from None
        if body is None:
            return Response(404, b"nothing is answered here\n", _PLAIN)
        return Response(200, body, _JSON)

    def _find(self, path: str) -> tuple[Answer, str] | None:
        """What may answer at a path, and what the path is called there."""
        _, namespace, service, *rest = [*path.split("/", 3), "", "", ""]
        if (answer := self._answers.get((namespace, service))) is not None:
            return answer, f"/{rest[0]}"
        if self._mounts:
            return self._mounted, path
        return None

    async def _mounted(self, path: str, body: bytes) -> bytes | None:
        for each in list(self._mounts.values()):
            if (answer := await each.answer(path, body)) is not None:
                return answer
        return None


class HttpsMount:
    """The webhooks of one manager, over HTTPS."""

    def __init__(self, host: HttpsWebhooks, name: str, answer: Answer, identity: str) -> None:
        self._host = host
        self.name = name
        self.answer = answer
        self.identity = identity
        self.is_registered = False
        self._on_change: list[Callable[[], object]] = []

    @property
    def annotations(self) -> dict[str, str]:
        return self._host.annotations

    def client_config(self, path: str) -> JsonObject:
        return self._host.config_of(path)

    def on_change(self, changed: Callable[[], object]) -> None:
        self._on_change.append(changed)

    def changed(self) -> None:
        """What is registered is no longer right."""
        self.is_registered = False
        for each in self._on_change:
            each()

    def registered(self) -> None:
        self.is_registered = True
        self._host.registered()

    def unmount(self) -> None:
        self._host.unmount(self)


def _timeout_seconds(query: str) -> float:
    """How long the API server waits for an answer."""
    told = parse_qs(query).get("timeout", [""])[0]
    try:
        seconds = parse_duration(told) / 1e9
    except ValueError:
        return float(TIMEOUT_SECONDS_MAX)
    return min(seconds, float(TIMEOUT_SECONDS_MAX)) if seconds > 0 else float(TIMEOUT_SECONDS_MAX)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
