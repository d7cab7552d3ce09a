"""Whether a certificate is trusted, for policies that ask. No I/O but the system's own authorities.

Promises
    T1  a certificate is trusted when a chain of valid ones leads from it to the last of those given, or without any
        given to one that the system trusts; the answer says why not, in Kubewarden's words

Source: `v1/is_certificate_trusted` of Kubewarden's host capabilities.
"""

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kajitori.apis import JsonObject
from kajitori.wire.wasm.wapc import HostCallError

__all__ = ["is_trusted"]

_EXPIRED = "Certificate is being used after its expiration date"
_TOO_EARLY = "Certificate is being used before its validity date"
_NOT_TRUSTED = "Certificate is not trusted by the provided cert chain"
CHAIN_MAX = 16


def is_trusted(request: JsonObject, now: datetime) -> JsonObject:
    """Raises: HostCallError for what are no certificates."""
    leaf = _read(request["cert"])
    chain = request.get("cert_chain")
    at = now
    if request.get("not_after"):
        try:
            at = datetime.fromisoformat(str(request["not_after"]).replace("Z", "+00:00")).astimezone(UTC)
        except ValueError:
            raise HostCallError("Timestamp not_after is not in RFC3339 format") from None
    given = [_read(each) for each in chain or ()]
    reason = _why_not(leaf, given[:-1], _of_the_system if chain is None else lambda _: given[-1:], at)
    return {"trusted": not reason, "reason": reason}


def _why_not(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    roots: Callable[[x509.Certificate], Sequence[x509.Certificate]],
    at: datetime,
) -> str:
    current, left = leaf, list(between)
    for _ in range(CHAIN_MAX):
        if at > current.not_valid_after_utc:
            return _EXPIRED
        if at < current.not_valid_before_utc:
            return _TOO_EARLY
        if any(_signed(current, root) for root in roots(current)):
            return ""
        issuer = next((each for each in left if _signed(current, each)), None)
        if issuer is None:
            return _NOT_TRUSTED
        left.remove(issuer)
        current = issuer
    return _NOT_TRUSTED


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject or not _is_authority(issuer):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.value.ca


def _read(given: Any) -> x509.Certificate:
    try:
        data = bytes(given["data"])
        load = (
            x509.load_der_x509_certificate if given["encoding"] == "Der" else x509.load_pem_x509_certificate
        )
        return load(data)
    except (ValueError, TypeError, KeyError) as error:
        raise HostCallError(f"Certificate is not a valid end-entity certificate: {error}") from None


def _of_the_system(certificate: x509.Certificate) -> list[x509.Certificate]:
    """Authorities of the system that may have signed a certificate: only they are worth being parsed."""
    issuer = certificate.issuer.public_bytes()
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    return [x509.load_der_x509_certificate(each) for each in known if issuer in each]
