"""The server's own certificate authority, what it signs, and the admin's token.

First thing of a server's start: `Pki.begin` looks at the folder and, only when something must be made, starts a
short-lived process that makes it while the start goes on; `wait` gives the finished `Pki`.

Promises
    K1  what is there and still good is used again: restarts keep the CA, the keys and the token
    K2  the serving certificate is renewed when it ends soon, or when it lacks a name it is wanted for
    K3  secrets are readable by their owner only
    K4  a start that makes nothing imports no cryptography library
"""

import base64
import hashlib
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kajitori.apiserver.files import make_private_folder, write_private

__all__ = ["SERVICE_NAMES", "PendingPki", "Pki", "PkiError", "serving_names"]

SERVICE_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "::1",
    "10.96.0.1",
)
"""What clients on this machine and in Pods call the API server."""

RENEW_SECONDS = 30 * 24 * 3600.0
"""A serving certificate is renewed by a start that is less than this before its end."""
RENEW_CA_SECONDS = 24 * 3600.0
"""And a CA at its very end only: every kubeconfig that trusts it ends with it."""
_MAKE_SECONDS_MAX = 60.0
_TOKEN_BYTES = 32
_FILES = ("ca.crt", "ca.key", "apiserver.crt", "apiserver.key", "sa.key", "sa.pub")


_LASTING = ("ca.crt", "ca.key", "sa.key", "sa.pub")
"""Never made again while they are there: what they have signed would no longer be believed."""


class PkiError(RuntimeError):
    """Why there are no certificates to serve with, in one sentence."""


class _Made(msgspec.Struct, frozen=True):
    """`certificates.json` as `kajitori.apiserver.certificates` writes it."""

    names: list[str]
    serving_not_after: float
    ca_not_after: float
    digest: str


class Pki:
    """The files of one server."""

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self.folder = folder
        self._temporary = temporary

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def ca_key_file(self) -> Path:
        return self.folder / "ca.key"

    @property
    def service_account_key_file(self) -> Path:
        """The private key that signs service account tokens."""
        return self.folder / "sa.key"

    def ca_data(self) -> bytes:
        """The CA's certificate in PEM."""
        return self.ca_file.read_bytes()

    def authority(self) -> tuple[bytes, bytes]:
        """The CA's certificate and its key in PEM, for who signs."""
        return self.ca_file.read_bytes(), self.ca_key_file.read_bytes()

    def admin_token(self) -> str:
        """The bearer token of the admin user; made when there is none."""
        path = self.folder / "admin.token"
        try:
            token = path.read_text("ascii").strip()
        except FileNotFoundError:
            token = ""
        if not token:
            token = base64.urlsafe_b64encode(os.urandom(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")
            write_private(path, token.encode("ascii"))
        return token

    def ssl_context(
        self, client_ca_files: Sequence[str | os.PathLike[str]] = (), *, http2: bool = True
    ) -> ssl.SSLContext:
        """Serves with our certificate; client certificates of our CA and of `client_ca_files` are verified.

        `http2`: clients that speak HTTP/2 are told that we do.

        Raises: OSError (ssl.SSLError) when a file cannot be read as certificates.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.folder / "apiserver.crt", self.folder / "apiserver.key")
        context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
        context.options |= ssl.OP_NO_RENEGOTIATION  # HTTP/2 forbids it, and nobody needs it
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(self.ca_file)
        for each in client_ca_files:
            context.load_verify_locations(each)
        return context

    def close(self) -> None:
        """Removes the folder when it was a temporary one."""
        if self._temporary:
            import shutil

            shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def begin(
        folder: Path | None,
        names: Sequence[str] = SERVICE_NAMES,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> "PendingPki":
        """Starts to make what `folder` lacks; None is a temporary folder, removed by `close`.

        `names` are the host names and addresses that the serving certificate is for.

        Raises: PkiError when a file that must last is damaged; OSError when the folder cannot be used.
        """
        temporary = folder is None
        if folder is None:
            import tempfile  # with shutil and random behind it; a server with a data folder needs none of them

            folder = Path(tempfile.mkdtemp(prefix="kajitori-pki-"))
        make_private_folder(folder)
        _check(folder)
        pki = Pki(folder, temporary=temporary)
        wanted = list(dict.fromkeys(names))
        made = _read(folder)
        if made is not None and set(wanted) <= set(made.names) and _serves(made, wall_clock()):
            return PendingPki(pki, None)
        return PendingPki(pki, _start(msgspec.json.encode({"folder": str(folder), "names": wanted})))


class PendingPki:
    """A `Pki` that may still be in the making."""

    def __init__(self, pki: Pki, process: "subprocess.Popen[bytes] | None") -> None:
        self._pki = pki
        self._process = process

    @property
    def making(self) -> bool:
        """Whether something had to be made."""
        return self._process is not None

    @property
    def unfinished(self) -> Pki:
        """The same before it is finished: only its admin token may be asked for."""
        return self._pki

    def abandon(self) -> None:
        """Waits for what is still being made, whatever comes of it: nobody wants it any more."""
        if self._process is not None and self._process.poll() is None:
            self._process.communicate()

    def wait(self) -> Pki:
        """The finished Pki; blocks for about a tenth of a second when something is being made.

        Raises: PkiError when it could not be made.
        """
        process = self._process
        if process is not None:
            try:
                _, complaint = process.communicate(timeout=_MAKE_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise PkiError(f"certificates were not made within {_MAKE_SECONDS_MAX:.0f} s") from None
            if process.returncode != 0:
                last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
                raise PkiError(f"certificates could not be made in {self._pki.folder}: {last}")
        return self._pki


def serving_names(host: str, further: Sequence[str] = ()) -> list[str]:
    """The names for a server bound to `host`: the service's own, the host unless it is a wildcard, `further`."""
    own = [] if host in ("", "0.0.0.0", "::") else [host]
    return list(dict.fromkeys((*SERVICE_NAMES, *own, *further)))


def _serves(made: _Made, now: float) -> bool:
    """Whether the certificates are good for a while. One cut short by its CA serves until the CA is replaced."""
    renewed = min(made.serving_not_after - RENEW_SECONDS, made.ca_not_after - RENEW_CA_SECONDS)
    if made.serving_not_after + RENEW_SECONDS >= made.ca_not_after:
        renewed = made.ca_not_after - RENEW_CA_SECONDS
    return now < renewed


def _check(folder: Path) -> None:
    """Raises: PkiError when a file that is not made again has no longer the form of one of its kind."""
    for name in _LASTING:
        path = folder / name
        if path.exists() and not _is_pem(path):
            raise PkiError(
                f"{path}: the file is damaged; restore a backup, or remove the folder to have all of it made anew"
            )


def _is_pem(path: Path) -> bool:
    content = path.read_bytes()
    return b"-----BEGIN " in content and b"-----END " in content


def _read(folder: Path) -> _Made | None:
    """What the folder holds, or None when anything is missing or was changed by hand."""
    try:
        made = msgspec.json.decode((folder / "certificates.json").read_bytes(), type=_Made)
        if not all((folder / name).exists() for name in _FILES) or not _is_pem(folder / "apiserver.key"):
            return None
        both = (folder / "ca.crt").read_bytes() + (folder / "apiserver.crt").read_bytes()
        return made if hashlib.sha256(both).hexdigest() == made.digest else None
    except (OSError, msgspec.MsgspecError):
        return None


def _start(order: bytes) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "kajitori.apiserver.certificates"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None, "a pipe was asked for"
    process.stdin.write(order)  # far below a pipe's buffer
    process.stdin.close()
    process.stdin = None  # communicate would flush it again
    return process
