"""Webhooks that a kubeconfig file describes: where they are, whom they believe, and who we are to them.

Promises
    K1  a file that cannot be used is told when the server starts, with what is wrong with it
    K2  a call that found nobody, or a server in trouble, is made again a few times, as kube-apiserver does

Source: apiserver's pkg/util/webhook (NewGenericWebhook, DefaultShouldRetry); client-go's tools/clientcmd.
"""

import asyncio
import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.webhooks.answers import refusal
from kajitori.apiserver.webhooks.exchange import ExchangeError, exchange

__all__ = [
    "ConfiguredWebhook",
    "WebhookConfigError",
    "WebhookUnreachable",
    "authorization",
    "content",
    "present",
    "read_kubeconfig",
]

ANSWER_BYTES_MAX = 10 << 20
TRIES = 5
_FIRST_PAUSE_SECONDS = 0.5
_FACTOR = 1.5
CALL_SECONDS_MAX = 30.0


class WebhookConfigError(ValueError):
    """Why a kubeconfig describes no webhook, in one sentence."""


class WebhookUnreachable(Exception):
    """A call that gave no answer."""


class ConfiguredWebhook:
    """One server, asked with POST."""

    def __init__(self, path: Path) -> None:
        """Raises: WebhookConfigError."""
        cluster, user = _read(path)
        self.url: str = cluster.get("server") or ""
        if not self.url.startswith(("https://", "http://")):
            raise WebhookConfigError(f"{path}: the server of the cluster must be an http or https URL")
        self._server_name: str = cluster.get("tls-server-name") or ""
        self._tls = _tls(path, cluster, user) if self.url.startswith("https:") else None
        self._headers = {
            "user-agent": "kube-apiserver",
            "accept": "application/json, */*",
            "content-type": "application/json",
            **authorization(path, user),
        }

    async def post(self, body: bytes) -> bytes:
        """The body of a successful answer. Raises: WebhookUnreachable."""
        pause = _FIRST_PAUSE_SECONDS
        for left in reversed(range(TRIES)):
            try:
                return await self._once(body)
            except WebhookUnreachable:
                raise
            except _TryAgain as problem:
                if not left:
                    raise WebhookUnreachable(str(problem)) from None
            await asyncio.sleep(pause)
            pause *= _FACTOR
        raise AssertionError("the last try has raised")

    async def _once(self, body: bytes) -> bytes:
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX):
                told = await exchange(
                    "POST",
                    self.url,
                    headers=self._headers,
                    body=body,
                    tls=self._tls,
                    server_name=self._server_name,
                    bytes_max=ANSWER_BYTES_MAX,
                )
        except TimeoutError:
            raise _TryAgain(f'Post "{self.url}": context deadline exceeded') from None
        except ExchangeError as problem:
            kind = _TryAgain if str(problem) == "EOF" or "connect:" in str(problem) else WebhookUnreachable
            raise kind(f'Post "{self.url}": {problem}') from None
        refused = refusal(told.status, told.content_type, told.body)
        if refused:
            raise (_TryAgain if told.status >= 500 or told.status == 429 else WebhookUnreachable)(refused)
        return told.body


class _TryAgain(Exception):
    """It may be better soon."""


def read_kubeconfig(path: Path) -> Mapping[str, Any]:
    """What a kubeconfig file says. Raises: WebhookConfigError."""
    try:
        config, _ = decode_yaml(path.read_bytes())
    except OSError as error:
        raise WebhookConfigError(f"cannot read the kubeconfig {path}: {error.strerror}") from None
    except DecodeError as error:
        raise WebhookConfigError(f"{path}: this is no YAML: {error}") from None
    if not isinstance(config, dict) or not any(
        isinstance(config.get(section), list) for section in ("clusters", "users")
    ):
        raise WebhookConfigError(f"{path}: this is no kubeconfig")
    return config


def _read(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The cluster and the user of the current context."""
    config = read_kubeconfig(path)
    if not isinstance(config.get("clusters"), list):
        raise WebhookConfigError(f"{path}: there are no clusters in it")

    def named(section: str, name: str, member: str) -> Mapping[str, Any]:
        for each in config.get(section) or ():
            if isinstance(each, dict) and each.get("name") == name:
                found = each.get(member) or {}
                return found if isinstance(found, dict) else {}
        raise WebhookConfigError(f"{path}: there is no {member} {name!r}, which is named in it")

    current = config.get("current-context") or ""
    if not current:
        raise WebhookConfigError(f"{path}: no current-context is set")
    context = named("contexts", current, "context")
    cluster = named("clusters", context.get("cluster") or "", "cluster")
    user = named("users", context["user"], "user") if context.get("user") else {}
    return cluster, user


def content(path: Path, entry: Mapping[str, Any], name: str) -> bytes:
    """What an entry holds under `name`-data, or in the file that it names; empty for neither."""
    if entry.get(f"{name}-data"):
        try:
            return base64.b64decode("".join(entry[f"{name}-data"].split()), validate=True)
        except (AttributeError, binascii.Error, ValueError):
            raise WebhookConfigError(f"{path}: {name}-data is not base64") from None
    if not entry.get(name):
        return b""
    file = path.parent / str(entry[name])
    try:
        return file.read_bytes()
    except OSError as error:
        raise WebhookConfigError(f"{path}: cannot read {name} {file}: {error.strerror}") from None


def _tls(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = content(path, cluster, "certificate-authority")
    try:
        context = ssl.create_default_context(
            cadata=authority.decode("ascii", "replace") if authority else None
        )
    except ssl.SSLError:
        raise WebhookConfigError(f"{path}: certificate-authority holds no certificate") from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as in Go, whatever is named is believed
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = content(path, user, "client-certificate"), content(path, user, "client-key")
    if certificate and key:
        try:
            present(context, certificate + b"\n" + key)
        except ssl.SSLError:
            raise WebhookConfigError(f"{path}: client-certificate and client-key do not fit") from None
    return context


def present(context: ssl.SSLContext, certificate: bytes) -> None:
    """Shows a certificate, which comes with its key in PEM, to those who ask for one. Raises: ssl.SSLError."""
    with tempfile.NamedTemporaryFile() as file:  # the library reads files only
        file.write(certificate)
        file.flush()
        context.load_cert_chain(file.name)


def authorization(path: Path, user: Mapping[str, Any]) -> dict[str, str]:
    """The header that says who a user is, if a header does. Raises: WebhookConfigError."""
    token = user.get("token") or ""
    if user.get("tokenFile"):
        try:
            token = (path.parent / str(user["tokenFile"])).read_text().strip()
        except OSError as error:
            raise WebhookConfigError(f"{path}: cannot read tokenFile: {error.strerror}") from None
    if token:
        return {"authorization": f"Bearer {token}"}
    if user.get("username"):
        both = f"{user['username']}:{user.get('password') or ''}".encode()
        return {"authorization": f"Basic {base64.b64encode(both).decode('ascii')}"}
    return {}
