"""Keys and certificate requests of users. Imported when one is made: the library behind it is large."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["name_of", "not_after", "request"]


def request(name: str, groups: Sequence[str]) -> tuple[bytes, bytes]:
    """A new key, and the request for a certificate of this user; both in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in dict.fromkeys(groups)]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, made.public_bytes(serialization.Encoding.PEM)


def name_of(csr: bytes) -> str:
    """The common name that a request in PEM asks for; empty when it cannot be read."""
    try:
        names = x509.load_pem_x509_csr(csr).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    value = names[-1].value if names else ""
    return value if isinstance(value, str) else value.decode(errors="replace")


def not_after(certificate: bytes) -> str:
    """When a certificate in PEM ends."""
    try:
        return f"{x509.load_pem_x509_certificate(certificate).not_valid_after_utc:%Y-%m-%d %H:%M UTC}"
    except ValueError:
        return "an unknown time"
