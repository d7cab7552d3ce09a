"""Webhooks for tests: a TLS server in this process that answers reviews as it is told to."""

import asyncio
import base64
import datetime
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answering = Callable[[dict[str, Any]], Any]
"""From a review to its answer: JSON, or bytes that are the whole response."""


@cache
def certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1 and two names of Services, and its key; both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("hook.default.svc")]
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def ca_bundle() -> str:
    return base64.b64encode(certificate()[0]).decode()


def server_tls() -> ssl.SSLContext:
    """Serves with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(b"".join(certificate()))
        context.load_cert_chain(file.name)
    return context


@dataclass
class Hook:
    """A webhook that listens; change `answer` to make it answer otherwise."""

    port: int
    answer: Answering
    reviews: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def config(self, path: str = "/convert") -> dict[str, Any]:
        return {"url": f"https://127.0.0.1:{self.port}{path}", "caBundle": ca_bundle()}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length")
            )
            review = msgspec.json.decode(await reader.readexactly(length))
            self.heads.append(head)
            self.reviews.append(review)
            answer = self.answer(review)
            if not isinstance(answer, bytes):
                body = msgspec.json.encode(answer)
                answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(answer: Answering) -> AsyncIterator[Hook]:
    """A webhook on a port of its own."""
    hook = Hook(0, answer)
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0, ssl=server_tls())
    hook.port = server.sockets[0].getsockname()[1]
    async with server:
        yield hook
