"""An OpenID Connect issuer for tests: discovery, keys and signed tokens, over TLS on a port of its own."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from tests.apiserver.webhooks.support import certificate, server_tls

NOW = 1_800_000_000

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]


def signed(key: Key, algorithm: str, kid: str, claims: Mapping[str, Any]) -> str:
    """A token, made without any of the code under test."""
    header = msgspec.json.encode({"alg": algorithm, "kid": kid, "typ": "JWT"})
    data = f"{encoded(header)}.{encoded(msgspec.json.encode(claims))}".encode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(_hash(algorithm))))
        signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    elif algorithm.startswith("PS"):
        pss = padding.PSS(padding.MGF1(_hash(algorithm)), padding.PSS.DIGEST_LENGTH)
        signature = key.sign(data, pss, _hash(algorithm))
    else:
        signature = key.sign(data, padding.PKCS1v15(), _hash(algorithm))
    return f"{data.decode()}.{encoded(signature)}"


def signed_text(key: rsa.RSAPrivateKey, claims: str, kid: str = "k1") -> str:
    """A token of claims that are written out already."""
    header = msgspec.json.encode({"alg": "RS256", "kid": kid})
    data = f"{encoded(header)}.{encoded(claims.encode())}"
    return f"{data}.{encoded(key.sign(data.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def public(key: Key, kid: str) -> dict[str, str]:
    """A JSON Web Key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = key.public_key().public_numbers()
        size = (key.curve.key_size + 7) // 8
        x, y = (encoded(each.to_bytes(size, "big")) for each in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": f"P-{key.curve.key_size}", "kid": kid, "x": x, "y": y}
    n = key.public_key().public_numbers().n
    return {"kty": "RSA", "kid": kid, "use": "sig", "n": encoded(n.to_bytes(256, "big")), "e": "AQAB"}


class Issuer:
    """What it publishes can be changed while it runs."""

    def __init__(self, port: int) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.keys: dict[str, Key] = {"k1": rsa_key()}
        self.cache_control = ""
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.documents: dict[str, bytes] = {}
        """More that it serves, by path."""
        self.down = False

    @property
    def ca(self) -> str:
        return certificate()[0].decode()

    def token(self, kid: str = "k1", algorithm: str = "RS256", key: Key | None = None, **claims: Any) -> str:
        """A good token, but for what is said otherwise; a claim that is None is left out."""
        whole = {"iss": self.url, "aud": "kube", "sub": "jane", "exp": NOW + 3600, "iat": NOW} | claims
        kept = {name: value for name, value in whole.items() if value is not None}
        return signed(key or self.keys[kid], algorithm, kid, kept)

    def _document(self, path: str) -> bytes | None:
        if path == "/.well-known/openid-configuration":
            return msgspec.json.encode({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        if path == "/keys":
            return msgspec.json.encode({"keys": [public(key, kid) for kid, key in self.keys.items()]})
        return self.documents.get(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            self.asked.append(path)
            self.authorizations += [
                line.partition(": ")[2]
                for line in head.split("\r\n")
                if line.lower().startswith("authorization:")
            ]
            body = None if self.down else self._document(path)
            status = "503 Down" if self.down else "404 Not Found" if body is None else "200 OK"
            more = f"cache-control: {self.cache_control}\r\n" if self.cache_control else ""
            writer.write(
                f"HTTP/1.1 {status}\r\n{more}content-length: {len(body or b'')}\r\n\r\n".encode()
                + (body or b"")
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """An issuer that listens."""
    issuer = Issuer(0)
    server = await asyncio.start_server(issuer.serve, "127.0.0.1", 0, ssl=server_tls())
    async with server:
        issuer.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield issuer
