"""CertificateSigningRequests.

What has been asked for never changes; what becomes of it is checked with every change.

Source: pkg/apis/certificates/validation. Requests and certificates that cannot be read are refused where Kubernetes
refuses them, but in other words than those of Go's parser.
"""

import binascii
from collections.abc import Sequence

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_enum
from kajitori.apis.validation.conditions import CONDITION_STATUSES
from kajitori.apis.validation.pem import PemBlock, pem_blocks
from kajitori.apis.validation.signers import check_signer_name
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
_EXPIRATION_SECONDS_MIN = 600
_DECISIONS = ("Approved", "Denied")
_ONLY_TRUE = (*_DECISIONS, "Failed")
_USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)


def _check_request(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    request = spec.get("request") or ""
    if problem := _request_problem(binascii.a2b_base64(request)):
        errors.append(FieldError.invalid("spec.request", request or None, problem))
    usages: Sequence[str] = spec.get("usages") or ()
    if not usages:
        errors.append(FieldError.required("spec.usages"))
    for index, usage in enumerate(usages):
        check_enum(usage, _USAGES, f"spec.usages[{index}]", errors)
    errors += [
        FieldError.duplicate(f"spec.usages[{index}]", usage)
        for index, usage in enumerate(usages)
        if usage in usages[:index]
    ]
    signer = spec.get("signerName", "")
    if signer == _LEGACY_SIGNER:
        told = "the legacy signerName is not allowed via this API version"
        errors.append(FieldError.invalid("spec.signerName", signer, told))
    else:
        check_signer_name(signer, "spec.signerName", errors)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _EXPIRATION_SECONDS_MIN:
        told = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(FieldError.invalid("spec.expirationSeconds", seconds, told))
    _check_conditions(obj, errors)


def _request_problem(text: bytes) -> str:
    block: PemBlock | None = next(pem_blocks(text), None)
    if block is None or block.kind != "CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    from cryptography import x509  # large; only requests for certificates need it

    try:
        request = x509.load_der_x509_csr(block.content)
        signed = request.is_signature_valid
    except ValueError:
        return "asn1: structure error: malformed certificate request"
    return "" if signed else "x509: signature verification failed"


def _check_conditions(obj: JsonObject, errors: Errors) -> None:
    seen: set[str] = set()
    conditions: Sequence[JsonObject] = (obj.get("status") or {}).get("conditions") or ()
    for index, condition in enumerate(conditions):
        path = f"status.conditions[{index}]"
        kind, status = condition.get("type", ""), condition.get("status", "")
        if not kind:
            errors.append(FieldError.required(f"{path}.type"))
        if not status:
            errors.append(FieldError.required(f"{path}.status"))
        else:
            supported = ("True",) if kind in _ONLY_TRUE else CONDITION_STATUSES
            check_enum(status, supported, f"{path}.status", errors)
        if kind in _DECISIONS and any(each in seen for each in _DECISIONS if each != kind):
            told = "Approved and Denied conditions are mutually exclusive"
            errors.append(FieldError.invalid(f"{path}.type", kind, told))
        if kind in seen:
            errors.append(FieldError.duplicate(f"{path}.type", kind))
        seen.add(kind)


def _certificate_problem(text: bytes) -> str:
    if not text:
        return ""
    found = 0
    for block in pem_blocks(text):
        if block.kind != "CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {go_quote(block.kind)}"
        if block.has_headers:
            return "no PEM block headers are permitted"
        from cryptography import x509  # large; only issued certificates need it

        try:
            x509.load_der_x509_certificate(block.content)
        except ValueError:
            return "x509: malformed certificate"
        found += 1
    return "" if found else "must contain at least one CERTIFICATE PEM block"


def _update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # What was asked for is what it was; it passed when it was new.
    _check_conditions(obj, errors)
    certificate = obj["status"].get("certificate")
    if certificate == old["status"].get("certificate"):
        return
    if problem := _certificate_problem(binascii.a2b_base64(certificate or "")):
        errors.append(FieldError.invalid("status.certificate", "<certificate data>", problem))


VALIDATORS = {"certificatesigningrequests": Validator(_check_request, _update)}
