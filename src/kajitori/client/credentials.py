"""The proof of who we are, fresh: tokens, token files that are rotated, programs that print credentials.

Promises
    E1  a token file is read again once a minute: Kubernetes rotates the tokens of Pods
    E2  a credential program runs once, however many requests wait, and again when what it gave expires or is
        refused
    E3  what it prints is checked; what is wrong with it is told in one sentence (CredentialError)

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
and client-go's plugin/pkg/client/auth/exec.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kajitori.apimachinery.time import parse_time
from kajitori.client.config import ClusterConfig, ExecConfig, UserConfig
from kajitori.client.transport import TransportError
from kajitori.world.clock import Clock

__all__ = ["Credential", "CredentialError", "Credentials", "credentials_of"]

TOKEN_FILE_SECONDS = 60.0
"""As client-go: a tenth of the shortest life that Kubernetes gives a token."""

EXEC_OUTPUT_BYTES_MAX = 1 << 20


class CredentialError(TransportError):
    """No credentials could be had; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """What to show the server. Either may be missing."""

    token: str = ""
    certificate: bytes = b""
    key: bytes = b""


class Credentials:
    """Where a credential comes from. This one never changes."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def get(self) -> Credential:
        """Raises: CredentialError."""
        return self._credential

    def refused(self, credential: Credential) -> bool:
        """The server answered 401 to this one. Whether it is worth asking `get` for another."""
        return False


class _TokenFile(Credentials):
    def __init__(self, path: str, clock: Clock) -> None:
        super().__init__(Credential())
        self._path = Path(path)
        self._clock = clock
        self._read_at: float | None = None

    async def get(self) -> Credential:
        if self._read_at is None or self._clock.monotonic() - self._read_at >= TOKEN_FILE_SECONDS:
            self._read()
        return self._credential

    def _read(self) -> None:
        token = self._credential.token
        try:
            token = self._path.read_text().strip() or token
        except OSError as error:
            if not token:
                raise CredentialError(f"token file {self._path}: {error.strerror or error}") from error
            # Between two versions of the file: keep what we have.
        if not token:
            raise CredentialError(f"token file {self._path} is empty")
        self._credential = Credential(token)
        self._read_at = self._clock.monotonic()

    def refused(self, credential: Credential) -> bool:
        self._read()
        return self._credential != credential


class _Exec(Credentials):
    def __init__(self, config: ExecConfig, cluster: ClusterConfig, clock: Clock) -> None:
        super().__init__(Credential())
        self._config = config
        self._cluster = cluster
        self._clock = clock
        self._lock = asyncio.Lock()
        self._have = False
        self._expires: float | None = None

    async def get(self) -> Credential:
        async with self._lock:
            if not self._have or (
                self._expires is not None and self._clock.now().timestamp() >= self._expires
            ):
                self._credential, self._expires = await self._run()
                self._have = True
            return self._credential

    def refused(self, credential: Credential) -> bool:
        if self._have and credential == self._credential:
            self._have = False
        return True

    async def _run(self) -> tuple[Credential, float | None]:
        config = self._config
        interactive = config.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
        if config.interactive_mode == "Always" and not interactive:
            raise CredentialError(
                f"{config.command} needs a terminal to ask for credentials, and there is none"
            )
        env = {**os.environ, **config.env, "KUBERNETES_EXEC_INFO": self._info(interactive)}
        try:
            process = await asyncio.create_subprocess_exec(
                config.command,
                *config.args,
                env=env,
                stdin=None if interactive else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                limit=EXEC_OUTPUT_BYTES_MAX,
            )
        except OSError as error:
            hint = f"; {config.install_hint}" if config.install_hint else ""
            raise CredentialError(
                f"credential program {config.command}: {error.strerror or error}{hint}"
            ) from error
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode:
            raise CredentialError(
                f"credential program {config.command} failed with exit code {process.returncode}"
            )
        return _parsed(config, output)

    def _info(self, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._config.provide_cluster_info:
            cluster = self._cluster
            ca_data = cluster.ca_data or (Path(cluster.ca_file).read_bytes() if cluster.ca_file else b"")
            described: dict[str, Any] = {
                "server": cluster.server,
                "tls-server-name": cluster.tls_server_name,
                "insecure-skip-tls-verify": cluster.insecure,
                "certificate-authority-data": ca_data,
                "proxy-url": cluster.proxy_url,
                "disable-compression": cluster.disable_compression,
                "config": cluster.exec_extension,
            }
            spec["cluster"] = {name: value for name, value in described.items() if value}
        info = {"kind": "ExecCredential", "apiVersion": self._config.api_version, "spec": spec}
        return msgspec.json.encode(info).decode()


def _parsed(config: ExecConfig, output: bytes) -> tuple[Credential, float | None]:
    whose = f"credential program {config.command}"
    try:
        printed = msgspec.json.decode(output)
    except msgspec.DecodeError as error:
        raise CredentialError(f"{whose} printed something that is not JSON") from error
    if not isinstance(printed, Mapping) or printed.get("kind") != "ExecCredential":
        raise CredentialError(f"{whose} printed no ExecCredential")
    if printed.get("apiVersion") != config.api_version:
        raise CredentialError(
            f"{whose} printed {printed.get('apiVersion')!r}; it is to print {config.api_version!r}"
        )
    status = printed.get("status")
    if not isinstance(status, Mapping):
        raise CredentialError(f"{whose} printed an ExecCredential without status")
    token = status.get("token") or ""
    certificate, key = status.get("clientCertificateData") or "", status.get("clientKeyData") or ""
    if bool(certificate) != bool(key):
        raise CredentialError(f"{whose} printed a client certificate without its key, or the key alone")
    if not token and not certificate:
        raise CredentialError(f"{whose} printed neither a token nor a client certificate")
    expires = None
    if timestamp := status.get("expirationTimestamp"):
        try:
            expires = parse_time(timestamp)
        except ValueError as error:
            raise CredentialError(f"{whose} printed an expirationTimestamp that is no time") from error
    return Credential(token, certificate.encode(), key.encode()), expires


def credentials_of(user: UserConfig, cluster: ClusterConfig, clock: Clock) -> Credentials:
    """Where the token, or the changing certificate, of a user comes from."""
    if user.exec is not None:
        return _Exec(user.exec, cluster, clock)
    if user.token_file:
        return _TokenFile(user.token_file, clock)
    return Credentials(Credential(user.token))
