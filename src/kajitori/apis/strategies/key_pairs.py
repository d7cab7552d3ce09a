"""Whether the certificate and the key of a TLS secret go together: a secret that does not is stored, with a warning.

Source: crypto/tls X509KeyPair, whose words these are.
"""

import binascii
import re

__all__ = ["key_pair_problem"]

_BLOCK = re.compile(
    rb"(?:^|\n)-----BEGIN ([^\n-]*(?:-[^\n-]+)*)-----[ \t\r]*\n.*?\n?-----END \1-----", re.DOTALL
)


def key_pair_problem(certificate: str, key: str) -> str:
    """What is wrong with a pair of base64 texts holding PEM; empty when nothing is."""
    certificate_pem, key_pem = binascii.a2b_base64(certificate), binascii.a2b_base64(key)
    blocks = [found.group(1).decode("ascii", "replace") for found in _BLOCK.finditer(certificate_pem)]
    if "CERTIFICATE" not in blocks:
        if not blocks:
            return "tls: failed to find any PEM data in certificate input"
        if len(blocks) == 1 and blocks[0].endswith("PRIVATE KEY"):
            return (
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
                "PEM inputs may have been switched"
            )
        return (
            'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the '
            f"following types: [{' '.join(blocks)}]"
        )
    blocks = [found.group(1).decode("ascii", "replace") for found in _BLOCK.finditer(key_pem)]
    if not any(each == "PRIVATE KEY" or each.endswith(" PRIVATE KEY") for each in blocks):
        if not blocks:
            return "tls: failed to find any PEM data in key input"
        if blocks == ["CERTIFICATE"]:
            return "tls: found a certificate rather than a key in the PEM for the private key"
        return (
            'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM '
            f"blocks of the following types: [{' '.join(blocks)}]"
        )
    return _mismatch(certificate_pem, key_pem)


def _mismatch(certificate_pem: bytes, key_pem: bytes) -> str:
    # Slow to import, and few write TLS secrets.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        public = load_pem_x509_certificate(certificate_pem).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "x509: malformed certificate"
    try:
        private = load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    pairs = (
        (RSAPublicKey, RSAPrivateKey),
        (EllipticCurvePublicKey, EllipticCurvePrivateKey),
        (Ed25519PublicKey, Ed25519PrivateKey),
    )
    for public_type, private_type in pairs:
        if isinstance(public, public_type):
            if not isinstance(private, private_type):
                return "tls: private key type does not match public key type"
            return "" if private.public_key() == public else "tls: private key does not match public key"
    return "tls: unknown public key algorithm"
