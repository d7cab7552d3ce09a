"""Signatures of JSON Web Tokens: the nine asymmetric algorithms, and keys as JSON Web Keys.

Sits under those who issue tokens (`jwt`) and those who believe others' (`oidc`). The cryptography library is imported
with the first signature.

Promises
    S1  a signature counts only for an algorithm that the key is for: a curve has one, RSA has six
    S2  whatever text or JSON is given, the answer is False or None; nothing is raised

Source: RFC 7515, RFC 7517, RFC 7518 3.3 to 3.5.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

__all__ = [
    "ALGORITHMS",
    "TOKEN_BYTES_MAX",
    "algorithm_of",
    "decode",
    "encode",
    "jwk_of",
    "key_of",
    "sign",
    "split",
    "verifies",
]

ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
TOKEN_BYTES_MAX = 64 * 1024
"""No token comes near; a header can be a megabyte."""

_CURVES = {
    "secp256r1": ("ES256", "P-256", 32),
    "secp384r1": ("ES384", "P-384", 48),
    "secp521r1": ("ES512", "P-521", 66),
}
"""By the library's name: the algorithm, the name in JSON Web Keys, and the bytes of a coordinate."""
_RSA_BITS_MAX = 16_384
"""As Go's library reads them; larger ones only cost time."""


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes. Raises: ValueError for what is no base64url."""
    # Every character counts: what the decoder would skip could be used to make one token look like many.
    if not text or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def split(token: str) -> tuple[JsonObject, JsonObject, bytes] | None:
    """Header, claims and signature of a token as they stand there; None when it is none."""
    if len(token) > TOKEN_BYTES_MAX or token.count(".") != 2:
        return None
    try:
        header, claims, signature = map(decode, token.split("."))
        return (
            msgspec.json.decode(header, type=dict[str, Any]),
            msgspec.json.decode(claims, type=dict[str, Any]),
            signature,
        )
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return None


def algorithm_of(key: "PublicKey") -> str:
    """The algorithm that we sign with this key's other half with; empty for a curve that none is for."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, ("", "", 0))[0]
    return "RS256"


def sign(private: "PrivateKey", data: bytes) -> bytes:
    """The signature, with the key's own algorithm."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, padding.PKCS1v15(), hashes.SHA256())
    algorithm, _, size = _CURVES[private.curve.name]
    r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(_hash(algorithm))))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verifies(key: "PublicKey", algorithm: str, data: bytes, signature: bytes) -> bool:
    """Whether the key signed `data` with this algorithm."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if algorithm not in ALGORITHMS:
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            own, _, size = _CURVES.get(key.curve.name, ("", "", 0))
            if algorithm != own or len(signature) != 2 * size:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(_hash(algorithm)))
            return True
        if algorithm.startswith("RS"):
            key.verify(signature, data, padding.PKCS1v15(), _hash(algorithm))
        elif algorithm.startswith("PS"):
            pss = padding.PSS(padding.MGF1(_hash(algorithm)), padding.PSS.AUTO)
            key.verify(signature, data, pss, _hash(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _hash(algorithm: str) -> "hashes.HashAlgorithm":
    from cryptography.hazmat.primitives import hashes

    match algorithm[2:]:
        case "384":
            return hashes.SHA384()
        case "512":
            return hashes.SHA512()
        case _:
            return hashes.SHA256()


def jwk_of(key_id: str, key: "PublicKey") -> JsonObject:
    """The key as a JSON Web Key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    about = {"use": "sig", "kid": key_id, "alg": algorithm_of(key)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        _, curve, size = _CURVES[key.curve.name]
        x, y = (encode(each.to_bytes(size, "big")) for each in (point.x, point.y))
        return {**about, "kty": "EC", "crv": curve, "x": x, "y": y}
    numbers = key.public_numbers()
    n, e = (encode(each.to_bytes((each.bit_length() + 7) // 8, "big")) for each in (numbers.n, numbers.e))
    return {**about, "kty": "RSA", "n": n, "e": e}


def key_of(jwk: Mapping[str, Any]) -> "PublicKey | None":
    """The key that a JSON Web Key holds; None when it is of another kind, or none."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    def number(name: str) -> int:
        return int.from_bytes(decode(jwk[name]), "big")

    try:
        if jwk.get("use") == "enc":
            return None
        if jwk.get("kty") == "RSA":
            n = number("n")
            return (
                None if n.bit_length() > _RSA_BITS_MAX else rsa.RSAPublicNumbers(number("e"), n).public_key()
            )
        if jwk.get("kty") == "EC":
            curves: dict[str, ec.EllipticCurve] = {
                "P-256": ec.SECP256R1(),
                "P-384": ec.SECP384R1(),
                "P-521": ec.SECP521R1(),
            }
            curve = curves[jwk["crv"]]
            return ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve).public_key()
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return None
