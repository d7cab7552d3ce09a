"""The TLS settings of a connection, made from a configuration and made again when its files change."""

import os
import ssl
import tempfile
from pathlib import Path

from kajitori.client.config import ClusterConfig, ConfigError, UserConfig
from kajitori.client.credentials import Credential
from kajitori.world.clock import Clock

__all__ = ["TlsSettings"]

FILES_SECONDS = 60.0
"""How often the files are looked at: certificates are renewed hours before they expire."""


class TlsSettings:
    """Gives the context to connect with; the same object as long as nothing changed."""

    def __init__(self, cluster: ClusterConfig, user: UserConfig, clock: Clock) -> None:
        self._cluster = cluster
        self._user = user
        self._clock = clock
        self._context: ssl.SSLContext | None = None
        self._made_of: object = None
        self._looked_at = 0.0
        self._changed_at: tuple[int, ...] = ()

    def context(self, credential: Credential) -> ssl.SSLContext:
        """Raises: ConfigError when a file or certificate is unusable."""
        pair = (credential.certificate, credential.key)
        now = self._clock.monotonic()
        if self._context is not None and now - self._looked_at < FILES_SECONDS and self._made_of == pair:
            return self._context
        self._looked_at = now
        changed_at = self._files_changed_at()
        if self._context is None or self._made_of != pair or changed_at != self._changed_at:
            self._context = self._make(credential)
            self._made_of, self._changed_at = pair, changed_at
        return self._context

    def _files_changed_at(self) -> tuple[int, ...]:
        paths = (self._cluster.ca_file, self._user.certificate_file, self._user.key_file)
        try:
            return tuple(os.stat(path).st_mtime_ns for path in paths if path)
        except OSError as error:
            if self._context is not None:
                return self._changed_at  # Between two versions of a file.
            raise ConfigError(f"{error.filename}: {error.strerror}") from error

    def _make(self, credential: Credential) -> ssl.SSLContext:
        cluster, user = self._cluster, self._user
        if cluster.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = _verifying(cluster)
        certificate = credential.certificate or user.certificate_data
        key = credential.key or user.key_data
        if certificate or user.certificate_file:
            try:
                _load_pair(context, certificate, key, user)
            except (ssl.SSLError, OSError) as error:
                raise ConfigError(
                    f"the client certificate for {cluster.server} is unusable: {error}"
                ) from error
        context.set_alpn_protocols(["http/1.1"])
        return context


def _verifying(cluster: ClusterConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=cluster.ca_file or None,
            cadata=cluster.ca_data.decode("ascii") if cluster.ca_data else None,
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(f"the certificate authority of {cluster.server} is unusable: {error}") from error
    # As in Go, whatever is named is believed: an authority without the one above it, or the server's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes, user: UserConfig) -> None:
    # The ssl module loads pairs from files only; what came as data is in a private file for a moment.
    with tempfile.TemporaryDirectory(prefix="kajitori-") as folder:
        certificate_path, key_path = user.certificate_file, user.key_file
        if certificate:
            certificate_path = str(Path(folder) / "tls.crt")
            Path(certificate_path).write_bytes(certificate)
        if key:
            key_path = str(Path(folder) / "tls.key")
            with open(os.open(key_path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(key)
        context.load_cert_chain(certificate_path, key_path)
