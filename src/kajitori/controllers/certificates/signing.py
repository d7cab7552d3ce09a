"""Makes the certificate that a signing request asks for.

Imported with the first request that is signed: the library behind it is large.

Promises
    S1  a certificate has the key, the alternative names and the well-known parts of the subject that were asked for,
        and nothing else of the request: above all no uid
    S2  it never is an authority's, and never outlives the authority that signs it
    S3  it is for exactly the usages asked for

Source: Kubernetes' certificates/authority; RFC 5280.
"""

import datetime
from collections.abc import Collection

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

__all__ = ["SigningError", "not_after", "sign"]

_BACKDATED = datetime.timedelta(minutes=5)
_SHORT = datetime.timedelta(hours=8)
"""So long a certificate lives at most for its end not to be moved with its beginning."""

_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}

_SUBJECT = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.STREET_ADDRESS,
    NameOID.POSTAL_CODE,
    NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)
"""What Go's library knows of a subject, and Kubernetes hands on."""
_SINGLE = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)


class SigningError(ValueError):
    """Why a request cannot be signed."""


def sign(
    csr: x509.CertificateSigningRequest,
    *,
    authority: tuple[bytes, bytes],
    usages: Collection[str],
    seconds: int,
    now: datetime.datetime,
) -> bytes:
    """The certificate in PEM; `authority` is the signer's certificate and key, in PEM too.

    Raises: SigningError.
    """
    signer = x509.load_pem_x509_certificate(authority[0])
    key = serialization.load_pem_private_key(authority[1], None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SigningError("the key of the authority is neither EC nor RSA")
    if not csr.is_signature_valid:
        raise SigningError("unable to verify certificate request signature")
    ends = signer.not_valid_after_utc
    if now >= ends:
        raise SigningError(f"the signer has expired: NotAfter={ends}")
    lives = datetime.timedelta(seconds=seconds)
    until = now + lives if lives < _SHORT else now + lives - _BACKDATED
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(csr))
        .issuer_name(signer.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(until, ends))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_authority_of(signer), critical=False)
    )
    for extension, critical in _usages(usages):
        builder = builder.add_extension(extension, critical=critical)
    try:
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=not list(_subject(csr)))
    except x509.ExtensionNotFound:
        pass
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _subject(csr: x509.CertificateSigningRequest) -> x509.Name:
    parts: list[x509.RelativeDistinguishedName] = []
    for oid in _SUBJECT:
        found = list(dict.fromkeys(csr.subject.get_attributes_for_oid(oid)))
        if found:
            parts.append(x509.RelativeDistinguishedName(found[-1:] if oid in _SINGLE else found))
    return x509.Name(parts)


def _usages(usages: Collection[str]) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions that say what a certificate is for, and which of them are critical."""
    unknown = sorted(each for each in usages if each not in _USAGES and each not in _EXTENDED)
    if unknown:
        shown = " ".join(f'"{each}"' for each in unknown)
        raise SigningError(f"unrecognized usage values: [{shown}]")
    found: list[tuple[x509.ExtensionType, bool]] = []
    plain = dict.fromkeys(_USAGES.values(), False)
    plain |= {_USAGES[each]: True for each in usages if each in _USAGES}
    if any(plain.values()):
        # One of them only means something beside key agreement, and cannot be written without it.
        plain["key_agreement"] |= plain["encipher_only"] or plain["decipher_only"]
        found.append((x509.KeyUsage(**plain), True))
    extended = list(dict.fromkeys(_EXTENDED[each] for each in sorted(usages) if each in _EXTENDED))
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    return found


def _authority_of(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        known = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        key = signer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey), key
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known.value)


def not_after(certificate: bytes) -> float | None:
    """When the first certificate in some PEM ends, in seconds since the epoch; None when there is none."""
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError:
        return None
