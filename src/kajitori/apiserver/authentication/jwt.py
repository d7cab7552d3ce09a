"""Signed tokens: JSON Web Signature in its compact form, with ES256 or RS256.

The cryptography library is imported with the first token that is signed or verified: a cluster without Pods and
service accounts never needs it in its own process.

Promises
    J1  a token verifies only with a key of the set and the algorithm that this key is for
    J2  whatever text is given, it is a set of claims or None; nothing is raised

Source: RFC 7515, RFC 7518 3.3 and 3.4, RFC 7517 for the key set; key ids as kube-apiserver makes them.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from kajitori.apimachinery.kind import JsonObject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

__all__ = ["KeyFile", "KeySet", "split_claims"]

_ES256_HALF = 32
_TOKEN_BYTES_MAX = 64 * 1024
"""No token of ours comes near; a header can be a megabyte."""


class KeyFile(Protocol):
    """A key in PEM: a file's path, or what stands for one."""

    def read_bytes(self) -> bytes: ...


class KeySet:
    """One key that signs, and the public keys that verify: its own, and those of `verify_files`."""

    def __init__(self, signing_file: KeyFile, verify_files: Sequence[Path] = ()) -> None:
        self._signing_file = signing_file
        self._verify_files = tuple(verify_files)
        self._private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
        self._public: dict[str, ec.EllipticCurvePublicKey | rsa.RSAPublicKey] = {}
        self._key_id = ""

    def sign(self, claims: JsonObject) -> str:
        """The token of `claims`.

        Raises: OSError, ValueError when the key cannot be read.
        """
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

        private = self._load()
        header = {"alg": _algorithm(private.public_key()), "kid": self._key_id}
        signed = f"{_encode(msgspec.json.encode(header))}.{_encode(msgspec.json.encode(claims))}"
        data = signed.encode("ascii")
        if isinstance(private, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(_ES256_HALF, "big") + s.to_bytes(_ES256_HALF, "big")
        else:
            signature = private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encode(signature)}"

    def verify(self, token: str) -> JsonObject | None:
        """The claims of a token that one of our keys signed, else None."""
        parts = _split(token)
        if parts is None:
            return None
        header, claims, signature = parts
        self._load()
        key_id = header.get("kid")
        if key_id:
            keys = [self._public[key_id]] if key_id in self._public else []
        else:
            keys = list(self._public.values())
        data = token.rpartition(".")[0].encode("ascii")
        for key in keys:
            if header.get("alg") == _algorithm(key) and _verifies(key, data, signature):
                return claims
        return None

    def jwks(self) -> JsonObject:
        """The public keys as a JSON Web Key Set."""
        self._load()
        return {"keys": [_jwk(key_id, key) for key_id, key in self._public.items()]}

    def algorithms(self) -> list[str]:
        """The algorithms of the keys."""
        self._load()
        return sorted({_algorithm(key) for key in self._public.values()})

    def _load(self) -> "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey":
        if self._private is not None:
            return self._private
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        private = serialization.load_pem_private_key(self._signing_file.read_bytes(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError(f"{self._signing_file}: use an EC (P-256) or RSA key")
        keys = [private.public_key()]
        for path in self._verify_files:
            public = serialization.load_pem_public_key(path.read_bytes())
            if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
                raise ValueError(f"{path}: use an EC (P-256) or RSA key")
            keys.append(public)
        for key in keys:
            if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name != "secp256r1":
                raise ValueError(f"{self._signing_file}: use the curve P-256, not {key.curve.name}")
            self._public.setdefault(_key_id(key), key)
        self._key_id = next(iter(self._public))
        self._private = private
        return private


def split_claims(token: str) -> JsonObject | None:
    """The claims of a token as they stand there, not verified; None when it is no token."""
    parts = _split(token)
    return None if parts is None else parts[1]


def _split(token: str) -> tuple[JsonObject, JsonObject, bytes] | None:
    if len(token) > _TOKEN_BYTES_MAX or token.count(".") != 2:
        return None
    try:
        header, claims, signature = map(_decode, token.split("."))
        return (
            msgspec.json.decode(header, type=dict[str, Any]),
            msgspec.json.decode(claims, type=dict[str, Any]),
            signature,
        )
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return None


def _verifies(key: Any, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if len(signature) != 2 * _ES256_HALF:
                return False
            r, s = (
                int.from_bytes(half, "big") for half in (signature[:_ES256_HALF], signature[_ES256_HALF:])
            )
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _algorithm(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec

    return "ES256" if isinstance(key, ec.EllipticCurvePublicKey) else "RS256"


def _key_id(key: "ec.EllipticCurvePublicKey | rsa.RSAPublicKey") -> str:
    from cryptography.hazmat.primitives import serialization

    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _encode(hashlib.sha256(der).digest())


def _jwk(key_id: str, key: Any) -> JsonObject:
    from cryptography.hazmat.primitives.asymmetric import ec

    about = {"use": "sig", "kid": key_id, "alg": _algorithm(key)}
    numbers = key.public_numbers()
    if isinstance(key, ec.EllipticCurvePublicKey):
        x, y = (_encode(each.to_bytes(_ES256_HALF, "big")) for each in (numbers.x, numbers.y))
        return {**about, "kty": "EC", "crv": "P-256", "x": x, "y": y}
    n, e = (_encode(each.to_bytes((each.bit_length() + 7) // 8, "big")) for each in (numbers.n, numbers.e))
    return {**about, "kty": "RSA", "n": n, "e": e}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    # Every character counts: what the decoder would skip could be used to make one token look like many.
    if not text or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
