"""Signed tokens: one key that signs, and the public keys that are believed.

The cryptography library is imported with the first token that is signed or verified: a cluster without Pods and
service accounts never needs it in its own process.

Promises
    J1  a token verifies only with a key of the set and the algorithm that this key is for
    J2  whatever text is given, it is a set of claims or None; nothing is raised
    J3  a file holds any number of keys: private ones, public ones, or certificates

Source: RFC 7515, RFC 7517 for the key set; key ids as kube-apiserver makes them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication.jose import (
    algorithm_of,
    encode,
    jwk_of,
    sign,
    split,
    verifies,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

__all__ = ["KeyFile", "KeySet", "split_claims"]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\s*", re.DOTALL)


class KeyFile(Protocol):
    """A key in PEM: a file's path, or what stands for one."""

    def read_bytes(self) -> bytes: ...


class KeySet:
    """One key that signs, and the public keys that verify: its own, and those of `verify_files`."""

    def __init__(self, signing_file: KeyFile, verify_files: Sequence[KeyFile] = ()) -> None:
        self._signing_file = signing_file
        self._verify_files = tuple(verify_files)
        self._private: PrivateKey | None = None
        self._public: dict[str, PublicKey] = {}
        self._key_id = ""

    def sign(self, claims: JsonObject) -> str:
        """The token of `claims`.

        Raises: OSError, ValueError when the key cannot be read.
        """
        private = self.load()
        header = {"alg": algorithm_of(private.public_key()), "kid": self._key_id}
        signed = f"{encode(msgspec.json.encode(header))}.{encode(msgspec.json.encode(claims))}"
        return f"{signed}.{encode(sign(private, signed.encode('ascii')))}"

    def verify(self, token: str) -> JsonObject | None:
        """The claims of a token that one of our keys signed, else None."""
        parts = split(token)
        if parts is None:
            return None
        header, claims, signature = parts
        self.load()
        key_id = header.get("kid")
        if key_id:
            keys = [key for own, key in self._public.items() if own == key_id]
        else:
            keys = list(self._public.values())
        data = token.rpartition(".")[0].encode("ascii")
        for key in keys:
            algorithm = algorithm_of(key)
            if header.get("alg") == algorithm and verifies(key, algorithm, data, signature):
                return claims
        return None

    def knows(self, token: str) -> bool:
        """Whether the key that a token names is one of ours."""
        parts = split(token)
        key_id = parts[0].get("kid") if parts is not None else None
        return not key_id or key_id in tuple(self._public)

    def jwks(self) -> JsonObject:
        """The public keys as a JSON Web Key Set."""
        self.load()
        return {"keys": [jwk_of(key_id, key) for key_id, key in self._public.items()]}

    def algorithms(self) -> list[str]:
        """The algorithms of the keys."""
        self.load()
        return sorted({algorithm_of(key) for key in self._public.values()})

    def load(self) -> "PrivateKey":
        """Reads the keys, once.

        Raises: OSError, ValueError when they cannot be read.
        """
        if self._private is not None:
            return self._private
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        private = serialization.load_pem_private_key(_private_block(self._signing_file), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError(f"{self._signing_file}: use an EC (P-256, P-384, P-521) or RSA key")
        self._add(private.public_key(), self._signing_file)
        for file in self._verify_files:
            for key in _public_keys(file):
                self._add(key, file)
        self._key_id = next(iter(self._public))
        self._private = private
        return private

    def check_others(self) -> None:
        """Reads what verifies besides our own key, which need not be there yet.

        Raises: OSError, ValueError when they cannot be read.
        """
        for file in self._verify_files:
            for _ in _public_keys(file):
                pass

    def _add(self, key: "PublicKey", file: KeyFile) -> None:
        if not algorithm_of(key):
            raise ValueError(f"{file}: use an EC key of the curve P-256, P-384 or P-521")
        self._public.setdefault(_key_id(key), key)


def _private_block(file: KeyFile) -> bytes:
    """The first private key of a file."""
    content = file.read_bytes()
    for block in _BLOCK.finditer(content):
        if block[1].endswith(b"PRIVATE KEY"):
            return block[0]
    return content


def _public_keys(file: KeyFile) -> "Iterator[PublicKey]":
    """Raises: ValueError for a file without any."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    found = 0
    for block in _BLOCK.finditer(file.read_bytes()):
        if block[1] == b"CERTIFICATE":
            key: object = x509.load_pem_x509_certificate(block[0]).public_key()
        elif block[1].endswith(b"PRIVATE KEY"):
            key = serialization.load_pem_private_key(block[0], None).public_key()
        elif block[1].endswith(b"PUBLIC KEY"):
            key = serialization.load_pem_public_key(block[0])
        else:
            continue
        if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            found += 1
            yield key
    if not found:
        raise ValueError(f"{file}: data does not contain any valid RSA or ECDSA public keys")


def split_claims(token: str) -> JsonObject | None:
    """The claims of a token as they stand there, not verified; None when it is no token."""
    parts = split(token)
    return None if parts is None else parts[1]


def _key_id(key: "PublicKey") -> str:
    from cryptography.hazmat.primitives import serialization

    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encode(hashlib.sha256(der).digest())
