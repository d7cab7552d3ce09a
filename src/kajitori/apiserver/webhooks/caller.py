"""Calling a webhook: a POST over TLS to the URL or the Service of its client configuration.

Sits under whoever has a question for webhooks (conversion now). Each call has a connection of its own.

Promises
    H1  a call ends within its time, with the body of the answer or with a WebhookError in Kubernetes' words
    H2  the certificate is checked against `caBundle` where there is one, for the name that was asked for:
        of a Service `name.namespace.svc`; what is in the bundle is believed, an authority's or not
    H3  no more than ANSWER_BYTES_MAX of an answer are read
    H4  a Service that this process answers for itself is asked without the way over the network

A Service is reached through one of its ready endpoints, as kube-apiserver does with aggregator routing: nobody
here turns a cluster IP into an endpoint. Without endpoints its cluster IP is tried.

Source: apiserver's pkg/util/webhook (client.go, serviceresolver.go), client-go's rest/request.go.
"""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from posixpath import normpath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.webhooks.answers import refusal
from kajitori.apiserver.webhooks.exchange import Answered, ExchangeError, exchange
from kajitori.storage import Store

if TYPE_CHECKING:
    from kajitori.apiserver.webhooks.users import WebhookUsers

__all__ = ["ANSWER_BYTES_MAX", "AnswerHere", "WebhookCaller", "WebhookError"]

ANSWER_BYTES_MAX = 256 << 20
"""A list converted at once may be large; a few of them still fit in memory."""

CONTEXTS_MAX = 200
"""Certificate authorities that are kept ready: reading one takes longer than a call. As many as Kubernetes keeps."""

_HEADERS = {
    "user-agent": "kube-apiserver-admission",
    "accept": "application/json, */*",
    "content-type": "application/json",
}

_decode = msgspec.json.Decoder(dict[str, Any]).decode

AnswerHere = Callable[[str, bytes], Awaitable[bytes | None]]
"""`(path, body)`: the body of an answer; None where nothing is at the path."""

_NONE_HERE: Mapping[tuple[str, str], AnswerHere] = {}


class WebhookError(Exception):
    """A call that gave no answer; the text is Kubernetes'."""

    def __init__(self, told: str, *, status: int = 0, timed_out: bool = False, reset: bool = False) -> None:
        super().__init__(told)
        self.status = status
        """What was answered instead; 0: nothing."""
        self.timed_out = timed_out
        self.reset = reset
        """Whether the connection broke while it was used."""


class WebhookCaller:
    """Asks webhooks; Services are looked up in `store`. `users` says who we are to them."""

    def __init__(
        self,
        store: Store,
        users: "WebhookUsers | None" = None,
        here: Mapping[tuple[str, str], AnswerHere] = _NONE_HERE,
    ) -> None:
        """`here`: what answers for Services in this process, by namespace and name."""
        self._store = store
        self._users = users
        self._here = here

    async def post(self, config: Mapping[str, Any], body: bytes, timeout_seconds: int) -> bytes:
        """The body of a successful answer. Raises: WebhookError."""
        url = f"{_url(config)}?timeout={timeout_seconds}s"
        service: Mapping[str, Any] = config.get("service") or {}
        answers = self._here.get((service.get("namespace", ""), service.get("name", "")))
        try:
            async with asyncio.timeout(timeout_seconds):
                if answers is None:
                    told = await self._exchange(config, url, body)
                else:
                    told = await _ask(answers, str(service.get("path") or "/"), body)
        except TimeoutError:
            raise WebhookError(f'Post "{url}": context deadline exceeded', timed_out=True) from None
        except ExchangeError as problem:
            raise WebhookError(f'Post "{url}": {problem}') from None
        if refused := refusal(told.status, told.content_type, told.body):
            raise WebhookError(refused, status=told.status)
        return told.body

    async def _exchange(self, config: Mapping[str, Any], url: str, body: bytes) -> Answered:
        """Asks over the network. Raises: ExchangeError."""
        headers, certificate = _HEADERS, b""
        if self._users is not None:
            user = self._users.of(_server(url))
            headers, certificate = {**headers, **user.headers}, user.certificate
        return await exchange(
            "POST",
            url,
            headers=headers,
            body=body,
            tls=_tls(config.get("caBundle") or "", certificate),
            address=self._address(config),
            bytes_max=ANSWER_BYTES_MAX,
        )

    def _address(self, config: Mapping[str, Any]) -> tuple[str, int] | None:
        """Where the Service of a configuration is reached; None where it names a URL.

        Raises: ExchangeError for a Service that is not there, or has no such port.
        """
        service = config.get("service")
        if service is None:
            return None
        namespace, name, port = service["namespace"], service["name"], service.get("port") or 443
        item = self._store.get("/services", f"{namespace}/{name}")
        if item is None:
            raise ExchangeError(f'service "{name}" not found')
        spec = _decode(item.value).get("spec") or {}
        if spec.get("type") == "ExternalName":
            return spec.get("externalName") or "", port
        found = next((each for each in spec.get("ports") or () if each.get("port") == port), None)
        if found is None:
            raise ExchangeError(f'no service port {port} found for service "{name}"')
        endpoint = self._endpoint(namespace, name, found.get("name") or "")
        if endpoint is not None:
            return endpoint
        if spec.get("clusterIP") in (None, "", "None"):
            raise ExchangeError(f'no endpoints available for service "{name}"')
        return spec["clusterIP"], port

    def _endpoint(self, namespace: str, name: str, port_name: str) -> tuple[str, int] | None:
        """The first ready endpoint of a Service."""
        for item in self._store.range("discovery.k8s.io/endpointslices", f"{namespace}/"):
            endpoints = _decode(item.value)
            if (endpoints["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != name:
                continue
            ports = [
                each["port"] for each in endpoints.get("ports") or () if (each.get("name") or "") == port_name
            ]
            for each in endpoints.get("endpoints") or ():
                if (
                    ports
                    and each.get("addresses")
                    and (each.get("conditions") or {}).get("ready") is not False
                ):
                    return each["addresses"][0], ports[0]
        return None


async def _ask(answers: AnswerHere, path: str, body: bytes) -> Answered:
    """Asks in this process, as over the network."""
    try:
        answer = await answers(path, body)
    except ApiError as error:
        return Answered(error.code, "application/json", msgspec.json.encode(error.to_status()), {})
    if answer is None:
        return Answered(404, "text/plain", b"not found", {})
    return Answered(200, "application/json", answer, {})


def _url(config: Mapping[str, Any]) -> str:
    """What is asked for, as messages show it."""
    service = config.get("service")
    if service is None:
        parts = urlsplit(str(config.get("url") or ""))
        return f"{parts.scheme}://{parts.netloc}{_cleaned(parts.path)}"
    address = f"https://{service['name']}.{service['namespace']}.svc:{service.get('port') or 443}"
    return f"{address}{_cleaned(str(service.get('path') or ''))}"


def _cleaned(path: str) -> str:
    """A path as Go's `path.Join` has it, without slashes that say nothing: servers in Go redirect who sends them."""
    cleaned = normpath(f"/{path.lstrip('/')}")
    return "" if cleaned == "/" else cleaned


def _server(url: str) -> str:
    """The name and the port of who is asked."""
    parts = urlsplit(url)
    return parts.netloc if parts.port else f"{parts.netloc.rstrip(':')}:443"


@lru_cache(maxsize=CONTEXTS_MAX)
def _tls(ca_bundle: str, certificate: bytes) -> ssl.SSLContext:
    bundle = base64.b64decode(ca_bundle).strip()
    try:
        context = ssl.create_default_context(cadata=bundle.decode("ascii", "replace") if bundle else None)
        # As in Go, whatever is in the bundle is believed: the server's own certificate may be, without its authority.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except ssl.SSLError:
        context = ssl.create_default_context()
    if certificate:
        from kajitori.apiserver.webhooks.kubeconfig import present

        present(context, certificate)
    return context
