"""What the controllers of signing requests read in one: its conditions, and what exactly it asks for.

Promises
    R1  a request that is no certificate request is None, whatever its bytes are
    R2  a node's request has the words of Kubernetes' helpers when something is wrong with it

Source: pkg/apis/certificates/helpers.go.
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.kind import JsonObject

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "CLIENT",
    "KUBELET_CLIENT",
    "KUBELET_SERVING",
    "LEGACY_UNKNOWN",
    "Asked",
    "has_condition",
    "kubelet_client_problem",
    "kubelet_serving_problem",
    "parse",
    "update_of",
]

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY_UNKNOWN = "kubernetes.io/legacy-unknown"

_NODES = "system:nodes"
_NODE = "system:node:"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a certificate request says of the one who is to have the certificate."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: int
    addresses: int
    emails: int
    uris: int
    csr: "x509.CertificateSigningRequest"


def parse(request: Mapping[str, Any]) -> Asked | None:
    """What the object asks for; None when its bytes cannot be read."""
    from cryptography import x509  # with the first request that is approved or a node's
    from cryptography.x509.oid import NameOID

    try:
        csr = x509.load_pem_x509_csr(base64.b64decode(request["spec"].get("request") or ""))
        names = _alternative_names(csr)
    except (ValueError, binascii.Error):
        return None

    def texts(oid: "x509.ObjectIdentifier") -> tuple[str, ...]:
        values = (each.value for each in csr.subject.get_attributes_for_oid(oid))
        return tuple(each.decode(errors="replace") if isinstance(each, bytes) else each for each in values)

    return Asked(
        common_name=next(reversed(texts(NameOID.COMMON_NAME)), ""),
        organizations=texts(NameOID.ORGANIZATION_NAME),
        dns_names=sum(isinstance(each, x509.DNSName) for each in names),
        addresses=sum(isinstance(each, x509.IPAddress) for each in names),
        emails=sum(isinstance(each, x509.RFC822Name) for each in names),
        uris=sum(isinstance(each, x509.UniformResourceIdentifier) for each in names),
        csr=csr,
    )


def _alternative_names(csr: "x509.CertificateSigningRequest") -> list[Any]:
    from cryptography import x509

    try:
        return list(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def has_condition(request: Mapping[str, Any], *types: str) -> bool:
    """Whether one of these conditions is true, or for decisions, there at all."""
    conditions = (request.get("status") or {}).get("conditions") or ()
    return any(
        each.get("type") in types
        and (each.get("type") in ("Approved", "Denied") or each.get("status") == "True")
        for each in conditions
    )


def update_of(request: Mapping[str, Any], **status: Any) -> JsonObject:
    """The request as it is sent to one of its subresources, with this in its status."""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": request["metadata"],
        "spec": request["spec"],
        "status": {**(request.get("status") or {}), **status},
    }


def kubelet_client_problem(asked: Asked, usages: Collection[str]) -> str:
    """Why this is not what a node asks for to be a client; empty when it is."""
    if asked.organizations != (_NODES,):
        return "subject organization is not system:nodes"
    for names, called in (
        (asked.dns_names, "DNS"),
        (asked.emails, "Email"),
        (asked.addresses, "IP"),
        (asked.uris, "URI"),
    ):
        if names:
            return f"{called} subjectAltNames are not allowed"
    if not asked.common_name.startswith(_NODE):
        return "subject common name does not begin with system:node:"
    return _usages_problem(usages, "client auth")


def kubelet_serving_problem(asked: Asked, usages: Collection[str]) -> str:
    """Why this is not what a node asks for to be a server; empty when it is."""
    if asked.organizations != (_NODES,):
        return "subject organization is not system:nodes"
    if not asked.dns_names and not asked.addresses:
        return "DNS or IP subjectAltName is required"
    if asked.emails:
        return "Email subjectAltNames are not allowed"
    if asked.uris:
        return "URI subjectAltNames are not allowed"
    problem = _usages_problem(usages, "server auth")
    if not problem and not asked.common_name.startswith(_NODE):
        return "subject common name does not begin with system:node:"
    return problem


def _usages_problem(usages: Collection[str], purpose: str) -> str:
    needed = {"digital signature", "key encipherment", purpose}
    # Keys that are not RSA's encipher nothing.
    if set(usages) in (needed, needed - {"key encipherment"}):
        return ""
    return f"usages did not match [{' '.join(sorted(needed))}]"
