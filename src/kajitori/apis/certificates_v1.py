"""Typed models of certificates.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = [
    "CertificateSigningRequest",
    "CertificateSigningRequestCondition",
    "CertificateSigningRequestSpec",
    "CertificateSigningRequestStatus",
]


class CertificateSigningRequestSpec(BuiltIn, frozen=True, kw_only=True):
    """`CertificateSigningRequestSpec` of certificates.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.certificates.v1.CertificateSigningRequestSpec"
    request: bytes = b""
    signer_name: str = ""
    expiration_seconds: int | None = None
    usages: tuple[str, ...] = ()
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = EMPTY


class CertificateSigningRequestCondition(BuiltIn, frozen=True, kw_only=True):
    """`CertificateSigningRequestCondition` of certificates.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.certificates.v1.CertificateSigningRequestCondition"
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_update_time: Time | None = None
    last_transition_time: Time | None = None


class CertificateSigningRequestStatus(BuiltIn, frozen=True, kw_only=True):
    """`CertificateSigningRequestStatus` of certificates.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.certificates.v1.CertificateSigningRequestStatus"
    conditions: tuple[CertificateSigningRequestCondition, ...] = ()
    certificate: bytes = b""


class CertificateSigningRequest(BuiltIn, frozen=True, kw_only=True):
    """`certificatesigningrequests` of certificates.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.certificates.v1.CertificateSigningRequest"
    metadata: ObjectMeta = ObjectMeta()
    spec: CertificateSigningRequestSpec = CertificateSigningRequestSpec()
    status: CertificateSigningRequestStatus = CertificateSigningRequestStatus()
