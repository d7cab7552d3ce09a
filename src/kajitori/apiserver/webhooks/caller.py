"""Calling a webhook: a POST over TLS to the URL or the Service of its client configuration.

Sits under whoever has a question for webhooks (conversion now). Each call has a connection of its own.

Promises
    H1  a call ends within its time, with the body of the answer or with a WebhookError in Kubernetes' words
    H2  the certificate is checked against `caBundle` where there is one, for the name that was asked for:
        of a Service `name.namespace.svc`
    H3  no more than ANSWER_BYTES_MAX of an answer are read

A Service is reached through one of its ready endpoints, as kube-apiserver does with aggregator routing: nobody
here turns a cluster IP into an endpoint. Without endpoints its cluster IP is tried.

Source: apiserver's pkg/util/webhook (client.go, serviceresolver.go), client-go's rest/request.go.
"""

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kajitori.apiserver.webhooks.answers import AnswerReader, ProtocolError, refusal
from kajitori.storage import Store

__all__ = ["ANSWER_BYTES_MAX", "WebhookCaller", "WebhookError"]

ANSWER_BYTES_MAX = 256 << 20
"""A list converted at once may be large; a few of them still fit in memory."""

CONTEXTS_MAX = 200
"""Certificate authorities that are kept ready: reading one takes longer than a call. As many as Kubernetes keeps."""

USER_AGENT = "kube-apiserver-admission"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class WebhookError(Exception):
    """A call that gave no answer; the text is Kubernetes'."""


class WebhookCaller:
    """Asks webhooks; Services are looked up in `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def post(self, config: Mapping[str, Any], body: bytes, timeout_seconds: int) -> bytes:
        """The body of a successful answer. Raises: WebhookError."""
        url = f"{_url(config)}?timeout={timeout_seconds}s"
        try:
            async with asyncio.timeout(timeout_seconds):
                status, content_type, answer = await self._exchange(config, url, body)
        except TimeoutError:
            raise WebhookError(f'Post "{url}": context deadline exceeded') from None
        except _Refused as problem:
            raise WebhookError(f'Post "{url}": {problem}') from None
        if told := refusal(status, content_type, answer):
            raise WebhookError(told)
        return answer

    async def _exchange(self, config: Mapping[str, Any], url: str, body: bytes) -> tuple[int, str, bytes]:
        parts = urlsplit(url)
        assert parts.hostname is not None, url
        host, port = self._address(config) or (parts.hostname, parts.port or 443)
        reader, writer = await _connect(host, port, _tls(config), parts.hostname)
        try:
            target = f"{parts.path or '/'}?{parts.query}"
            head = (
                f"POST {target} HTTP/1.1\r\nhost: {parts.netloc}\r\nuser-agent: {USER_AGENT}\r\n"
                "accept: application/json, */*\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = AnswerReader(ANSWER_BYTES_MAX)
            while not answer.complete:
                data = await reader.read(1 << 16)
                answer.receive(data)
            return answer.status, answer.content_type, answer.body
        except ProtocolError as problem:
            raise _Refused(str(problem)) from None
        except OSError:
            raise _Refused("EOF") from None
        finally:
            writer.transport.abort()

    def _address(self, config: Mapping[str, Any]) -> tuple[str, int] | None:
        """Where the Service of a configuration is reached; None where it names a URL.

        Raises: _Refused for a Service that is not there, or has no such port.
        """
        service = config.get("service")
        if service is None:
            return None
        namespace, name, port = service["namespace"], service["name"], service.get("port") or 443
        item = self._store.get("/services", f"{namespace}/{name}")
        if item is None:
            raise _Refused(f'service "{name}" not found')
        spec = _decode(item.value).get("spec") or {}
        if spec.get("type") == "ExternalName":
            return spec.get("externalName") or "", port
        found = next((each for each in spec.get("ports") or () if each.get("port") == port), None)
        if found is None:
            raise _Refused(f'no service port {port} found for service "{name}"')
        endpoint = self._endpoint(namespace, name, found.get("name") or "")
        if endpoint is not None:
            return endpoint
        if spec.get("clusterIP") in (None, "", "None"):
            raise _Refused(f'no endpoints available for service "{name}"')
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


class _Refused(Exception):
    """There is nobody to call."""


def _url(config: Mapping[str, Any]) -> str:
    """What is asked for, as messages show it."""
    service = config.get("service")
    if service is None:
        return str(config.get("url") or "").rstrip("/")
    path = str(service.get("path") or "").strip("/")
    address = f"https://{service['name']}.{service['namespace']}.svc:{service.get('port') or 443}"
    return f"{address}/{path}" if path else address


def _tls(config: Mapping[str, Any]) -> ssl.SSLContext:
    return _trusting(config.get("caBundle") or "")


@lru_cache(maxsize=CONTEXTS_MAX)
def _trusting(ca_bundle: str) -> ssl.SSLContext:
    bundle = base64.b64decode(ca_bundle).strip()
    try:
        return ssl.create_default_context(cadata=bundle.decode("ascii", "replace") if bundle else None)
    except ssl.SSLError:
        return ssl.create_default_context()


async def _connect(
    host: str, port: int, tls: ssl.SSLContext, server_name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises: _Refused, in the words of Go's dialer and of its TLS."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise _Refused(f"dial tcp: lookup {host}: no such host") from None
    address = found[0][4][0]
    shown = f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"
    try:
        return await asyncio.open_connection(host, port, ssl=tls, server_hostname=server_name)
    except ssl.SSLCertVerificationError as problem:
        told = _of_certificate(problem, server_name)
        raise _Refused(f"tls: failed to verify certificate: x509: {told}") from None
    except ssl.SSLError as problem:
        if problem.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            raise _Refused("http: server gave HTTP response to HTTPS client") from None
        told = (problem.reason or "handshake failure").lower().replace("_", " ")
        raise _Refused(f"remote error: tls: {told}") from None
    except (ConnectionResetError, EOFError):
        raise _Refused("EOF") from None
    except OSError as problem:
        # Go has the words of the C library without capitals.
        told = os.strerror(problem.errno).lower() if problem.errno else str(problem)
        raise _Refused(f"dial tcp {shown}: connect: {told}") from None


_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_EXPIRED = (9, 10)
"""Of OpenSSL's codes of what is wrong with a certificate."""


def _of_certificate(problem: ssl.SSLCertVerificationError, name: str) -> str:
    if problem.verify_code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if problem.verify_code in _EXPIRED:
        return f"certificate has expired or is not yet valid: {problem.verify_message}"
    if problem.verify_code in (62, 64):
        return f"certificate is not valid for {name}"
    return problem.verify_message
