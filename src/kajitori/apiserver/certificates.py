"""Makes keys and certificates; run by `pki` as a process of its own that ends when they are made.

The library behind it costs the importing process 10 MiB and a third of the start-up time, and is needed once a
year. So it is imported here, at the top, and this module nowhere else at start-up.

Run as `python -m kajitori.apiserver.certificates`, with the `Order` as JSON on standard input.

Source: RFC 5280; the file names and key usages are kubeadm's.
"""

import datetime
import hashlib
import ipaddress
import sys
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kajitori.apiserver.files import write_private

__all__ = ["Made", "Order", "authority", "main", "make"]

CA_DAYS = 3650
SERVING_DAYS = 365
CA_RENEWED = datetime.timedelta(days=1)
"""A CA is replaced only when it ends within this: every kubeconfig that trusts it ends with it."""
_BACKDATED = datetime.timedelta(minutes=5)
"""For clients whose clock is behind."""

_SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Order(msgspec.Struct, frozen=True):
    """What is wanted: where, and for which names and addresses."""

    folder: str
    names: list[str]


class Made(msgspec.Struct, frozen=True):
    """What a folder holds, so that nobody needs to parse certificates to see whether they still serve."""

    names: list[str]
    serving_not_after: float
    """Seconds since the epoch, as is `ca_not_after`."""
    ca_not_after: float
    digest: str
    """Of ca.crt and apiserver.crt: other files put in their place do not match."""


def digest_of(folder: Path) -> str:
    """The fingerprint of the certificates in `folder`."""
    both = (folder / "ca.crt").read_bytes() + (folder / "apiserver.crt").read_bytes()
    return hashlib.sha256(both).hexdigest()


def make(order: Order) -> Made:
    """Fills `order.folder`: a CA and a service account key where there are none, always a serving certificate."""
    folder = Path(order.folder)
    now = datetime.datetime.now(datetime.UTC)
    ca_key, ca = _certificate_authority(folder, now)
    _service_account_key(folder)
    serving = _serving(folder, ca_key, ca, names=order.names, now=now)
    made = Made(
        names=order.names,
        serving_not_after=serving.not_valid_after_utc.timestamp(),
        ca_not_after=ca.not_valid_after_utc.timestamp(),
        digest=digest_of(folder),
    )
    write_private(folder / "certificates.json", msgspec.json.encode(made))
    return made


def _certificate_authority(folder: Path, now: datetime.datetime) -> tuple[_SigningKey, x509.Certificate]:
    key_file, certificate_file = folder / "ca.key", folder / "ca.crt"
    if key_file.exists() and certificate_file.exists():
        known = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        if known.not_valid_after_utc - now > CA_RENEWED:
            return _load(key_file), known
    made, certificate = _new_authority(now)
    write_private(key_file, _private_pem(made))
    write_private(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
    return made, certificate


def authority() -> tuple[bytes, bytes]:
    """A new authority, kept nowhere: its certificate and its key in PEM."""
    key, certificate = _new_authority(datetime.datetime.now(datetime.UTC))
    return certificate.public_bytes(serialization.Encoding.PEM), _private_pem(key)


def _new_authority(now: datetime.datetime) -> tuple[_SigningKey, x509.Certificate]:
    made = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kajitori")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(made.public_key())
    builder = (
        _builder(name, name, made.public_key(), not_before=now - _BACKDATED, days=CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "key_cert_sign", "crl_sign"), critical=True)
        .add_extension(identifier, critical=False)
    )
    return made, builder.sign(made, hashes.SHA256())


def _serving(
    folder: Path, ca_key: _SigningKey, ca: x509.Certificate, *, names: list[str], now: datetime.datetime
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    # A certificate that outlives its authority is refused by some clients.
    days = min(SERVING_DAYS, max((ca.not_valid_after_utc - now).days, 1))
    builder = (
        _builder(subject, ca.subject, key.public_key(), not_before=now - _BACKDATED, days=days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "key_encipherment"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_authority_of(ca, ca_key), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
    )
    certificate = builder.sign(ca_key, hashes.SHA256())
    write_private(folder / "apiserver.key", _private_pem(key))
    write_private(folder / "apiserver.crt", certificate.public_bytes(serialization.Encoding.PEM))
    return certificate


def _load(path: Path) -> _SigningKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, _SigningKey):
        raise ValueError(f"{path}: use an EC or RSA key")
    return key


def _service_account_key(folder: Path) -> None:
    known = (folder / "sa.key").exists()
    if known and (folder / "sa.pub").exists():
        return
    key = _load(folder / "sa.key") if known else ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_private(folder / "sa.pub", public)
    if not known:
        write_private(folder / "sa.key", _private_pem(key))


def _authority_of(ca: x509.Certificate, ca_key: _SigningKey) -> x509.AuthorityKeyIdentifier:
    try:
        known = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known.value)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    not_before: datetime.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + datetime.timedelta(days=days))
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    def has(name: str) -> bool:
        return name in allowed

    return x509.KeyUsage(
        digital_signature=has("digital_signature"),
        content_commitment=False,
        key_encipherment=has("key_encipherment"),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=has("key_cert_sign"),
        crl_sign=has("crl_sign"),
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private_pem(key: _SigningKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main() -> None:
    """Makes what the order on standard input asks for."""
    make(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))


if __name__ == "__main__":
    main()
