"""Certificates of webhooks that somebody else writes to files, and what a server takes of any.

Promises
    X1  files are read again when they change; a pair that does not fit is told in the log, and the one before stays
    X2  another authority is told to API servers ANNOUNCED_SECONDS before its certificate is served with, and the one
        before stays believed beside it
"""

import asyncio
import logging
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

__all__ = ["FILES_SECONDS", "CertificateFiles", "CertificateSource", "load_chain"]

FILES_SECONDS = 10.0
"""How often files are looked at, as controller-runtime does."""

ANNOUNCED_SECONDS = 30.0
"""For API servers to learn of another authority; other replicas still serve by the one before."""

_log = logging.getLogger(__name__)


class CertificateSource(Protocol):
    """What a server serves with, and what API servers are to believe."""

    @property
    def chain(self) -> bytes:
        """Certificate and key in PEM."""
        ...

    @property
    def bundle(self) -> bytes:
        """Certificates of authorities in PEM; empty: somebody else tells API servers."""
        ...

    async def load(self) -> None:
        """Makes `chain` and `bundle` be there. Raises: OSError, ssl.SSLError, ApiError, TransportError."""
        ...

    async def keep(self, changed: Callable[[], object]) -> None:
        """Until cancelled. `changed` is called when `chain` or `bundle` has."""
        ...

    def registered(self) -> None:
        """Everything that is registered has `bundle`."""
        ...


class CertificateFiles:
    """`tls.crt` and `tls.key` of a folder, and `ca.crt` where it is there: as cert-manager's Secrets are mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = b"", b"", b""
        self.chain = b""
        self.bundle = b""

    async def load(self) -> None:
        self._read = certificate, key, self.bundle = self._files()
        self.chain = _joined(certificate, key)

    async def keep(self, changed: Callable[[], object]) -> None:
        while True:
            await asyncio.sleep(FILES_SECONDS)
            try:
                found = self._files()
            except (OSError, ssl.SSLError) as error:
                _log.warning("the webhooks' certificate cannot be read", extra={"error": str(error)})
                continue
            if found == self._read:
                continue
            certificate, key, authority = found
            before = self._read[2]
            if authority != before:
                self.bundle = _joined(authority, before) if authority else b""
                changed()
                await asyncio.sleep(ANNOUNCED_SECONDS)
            self._read = found
            if (chain := _joined(certificate, key)) != self.chain:
                self.chain = chain
                changed()

    def registered(self) -> None:
        """Nothing waits for it: who writes the files knows when."""

    def _files(self) -> tuple[bytes, bytes, bytes]:
        """Raises: OSError, ssl.SSLError for a pair that does not fit."""
        authority = self._folder / "ca.crt"
        found = (
            (self._folder / "tls.crt").read_bytes(),
            (self._folder / "tls.key").read_bytes(),
            authority.read_bytes() if authority.exists() else b"",
        )
        if found != self._read:
            load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), _joined(*found[:2]))
        return found


def _joined(*texts: bytes) -> bytes:
    return b"".join(each if each.endswith(b"\n") else each + b"\n" for each in texts if each)


def load_chain(context: ssl.SSLContext, chain: bytes) -> None:
    """Serves with `chain` from the next handshake on. Raises: OSError, ssl.SSLError."""
    # The library takes files only; this one is its owner's, and gone again at once.
    with tempfile.NamedTemporaryFile(prefix="kajitori-webhooks-") as file:
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name)
