"""Servers of others that a kubeconfig file names, asked with one POST each: webhooks that authorize.

Connections, credentials, certificates and proxies are those of `client`; what goes wrong is told in Go's words, as that
of admission webhooks.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from kajitori.apiserver.webhooks import WebhookError
from kajitori.apiserver.webhooks.answers import refusal
from kajitori.apiserver.webhooks.words import told_of
from kajitori.client.config import ConfigError, ConnectionConfig, load_config
from kajitori.client.network import NetworkTransport
from kajitori.client.transport import RawResponse, TransportError
from kajitori.wire.go_time import format_duration
from kajitori.world.clock import Clock

__all__ = ["KubeconfigWebhook"]

_HEADERS = {
    "accept": "application/json, */*",
    "content-type": "application/json",
    "user-agent": "kube-apiserver",
}


class KubeconfigWebhook:
    """The server of a kubeconfig file's current context. Raises: ConfigError."""

    def __init__(self, file: str, timeout_seconds: float, *, clock: Clock) -> None:
        """`file` is empty where this process runs in a Pod of the cluster that is to be asked."""
        config = _config(file)
        parts = urlsplit(config.cluster.server)
        self._timeout_seconds = timeout_seconds
        query = f"?timeout={format_duration(int(timeout_seconds * 1e9))}"
        self._url = config.cluster.server + query
        self._target = query if parts.path.rstrip("/") else f"/{query}"
        default = 443 if parts.scheme == "https" else 80
        self._address = f"{parts.hostname}:{parts.port or default}"
        self._server_name = config.cluster.tls_server_name or parts.hostname or ""
        self._transport = NetworkTransport(config, clock=clock)

    async def post(self, body: bytes) -> bytes:
        """The body of a successful answer. Raises: WebhookError."""
        try:
            answer = await self._send(body)
        except TransportError as error:
            raise self._unanswered(error) from None
        except ConfigError as error:
            raise WebhookError(f'Post "{self._url}": {error}') from None
        told = refusal(answer.status, answer.headers.get("content-type", ""), answer.body)
        if told:
            raise WebhookError(told, status=answer.status)
        return answer.body

    async def _send(self, body: bytes) -> RawResponse:
        try:
            return await self._transport.request("POST", self._target, _HEADERS, body, self._timeout_seconds)
        except TransportError as error:
            if not isinstance(error.__cause__, ConnectionResetError):
                raise
        # A connection that was kept, and ended just now: questions may be asked twice.
        return await self._transport.request("POST", self._target, _HEADERS, body, self._timeout_seconds)

    def _unanswered(self, error: TransportError) -> WebhookError:
        cause = error.__cause__
        if isinstance(cause, TimeoutError):
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return WebhookError(f'Post "{self._url}": {late}', timed_out=True)
        if not isinstance(cause, OSError):
            return WebhookError(f'Post "{self._url}": {error}')
        told = told_of(cause, address=self._address, server_name=self._server_name)
        return WebhookError(f'Post "{self._url}": {told}', reset=isinstance(cause, ConnectionResetError))

    async def close(self) -> None:
        """Hangs up."""
        await self._transport.close()


def _config(file: str) -> ConnectionConfig:
    if file:
        return load_config(Path(file))
    inside = {name: os.environ[name] for name in os.environ if name.startswith("KUBERNETES_SERVICE_")}
    if not inside:
        raise ConfigError(
            "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be "
            "defined"
        )
    return load_config(environ={**inside, "HOME": os.devnull})
