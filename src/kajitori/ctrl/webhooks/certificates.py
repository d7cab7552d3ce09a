"""The certificates themselves: made, read, and kept together with their keys. No I/O.

Promises
    K1  a certificate is for the names that it is wanted for, and for serving only
    K2  what cannot be used is nothing: texts that are no certificates, keys that do not fit

Source: RFC 5280.
"""

import datetime
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kajitori.ctrl.webhooks.rotation import AUTHORITY_DAYS, SERVING_DAYS, Held, Step, Validity

__all__ = ["Certificates", "stepped"]

BACKDATED = datetime.timedelta(minutes=5)
"""For API servers whose clock is behind."""
AUTHORITIES_MAX = 4
"""In a bundle: one to come, one in use, and those of a bad day."""

_PEM_END = b"-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class Certificates:
    """All in PEM."""

    authorities: tuple[bytes, ...]
    """The newest first."""
    authority_key: bytes
    """Of the newest."""
    serving: bytes
    serving_key: bytes

    @property
    def bundle(self) -> bytes:
        """What API servers are to believe."""
        return b"".join(self.authorities)

    @property
    def chain(self) -> bytes:
        """What is served with: the certificate and its key."""
        return self.serving + self.serving_key

    def data(self) -> dict[str, bytes]:
        """The members of a Secret, as cert-manager's have them, and the authority's key."""
        return {
            "ca.crt": self.bundle,
            "ca.key": self.authority_key,
            "tls.crt": self.serving,
            "tls.key": self.serving_key,
        }

    @classmethod
    def of(cls, data: Mapping[str, bytes]) -> "Certificates | None":
        """Those of a Secret; None where they cannot be used."""
        parts = data.get("ca.crt", b"").replace(b"\r\n", b"\n").split(_PEM_END)[:-1]
        found = cls(
            tuple(part.lstrip() + _PEM_END for part in parts),
            data.get("ca.key", b""),
            data.get("tls.crt", b""),
            data.get("tls.key", b""),
        )
        try:
            found.held()
        except (ValueError, TypeError, IndexError, x509.ExtensionNotFound):
            return None
        return found

    def held(self) -> Held:
        """What is to be known of them. Raises: ValueError, TypeError, IndexError, ExtensionNotFound."""
        authorities = [x509.load_pem_x509_certificate(each) for each in self.authorities]
        serving = x509.load_pem_x509_certificate(self.serving)
        for key, owner in ((self.authority_key, authorities[0]), (self.serving_key, serving)):
            if _key(key).public_key() != owner.public_key():
                raise ValueError("a key does not fit its certificate")
        found = serving.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return Held(
            tuple(map(_validity, authorities)),
            _validity(serving),
            next((at for at, each in enumerate(authorities) if _signed(serving, each)), None),
            {str(each.value) for each in found},
        )


def stepped(
    known: Certificates | None, step: Step, names: Sequence[str], now: datetime.datetime
) -> Certificates:
    """The certificates after a step. `known` may be None for BEGIN only."""
    if known is None or step is Step.BEGIN:
        authority, key = _new_authority(now)
        return Certificates((authority,), key, *_new_serving(authority, key, names, now))
    if step is Step.ANNOUNCE:
        authority, key = _new_authority(now)
        alive = [
            each
            for each in known.authorities
            if not _validity(x509.load_pem_x509_certificate(each)).is_over(now)
        ]
        return replace(known, authorities=(authority, *alive)[:AUTHORITIES_MAX], authority_key=key)
    if step is Step.ISSUE:
        serving, key = _new_serving(known.authorities[0], known.authority_key, names, now)
        return replace(known, serving=serving, serving_key=key)
    assert step is Step.DROP, step
    return replace(known, authorities=known.authorities[:1])


def _validity(certificate: x509.Certificate) -> Validity:
    return Validity(certificate.not_valid_before_utc + BACKDATED, certificate.not_valid_after_utc)


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a key of an elliptic curve is wanted")
    return key


def _new_authority(now: datetime.datetime) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    # The time makes names differ: of two authorities with one name, an API server may try the wrong one only.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"kajitori webhooks {now:%Y-%m-%dT%H:%M:%SZ}")])
    certificate = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), _private_pem(key)


def _new_serving(
    authority: bytes, authority_key: bytes, names: Sequence[str], now: datetime.datetime
) -> tuple[bytes, bytes]:
    key, issuer, signing = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.load_pem_x509_certificate(authority),
        _key(authority_key),
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kajitori webhooks")])
    certificate = (
        _builder(subject, issuer.subject, key, now, SERVING_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), _private_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
