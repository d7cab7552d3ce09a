"""Admission of certificate signing requests: who may approve and sign for a signer, and what nobody may ask for.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (CertificateApproval,
CertificateSigning, CertificateSubjectRestriction, ClusterTrustBundleAttest)
"""

import base64

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authentication.user import MASTERS
from kajitori.apiserver.authorization import Attributes as Question
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.call import Attributes

__all__ = [
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "ClusterTrustBundleAttest",
    "subject",
]

_GROUP = "certificates.k8s.io"
_REQUESTS = f"{_GROUP}/certificatesigningrequests"
_BUNDLES = f"{_GROUP}/clustertrustbundles"
_CLIENTS = "kubernetes.io/kube-apiserver-client"


def _may(authorizer: Authorizer, user: User, verb: str, signer: str) -> bool:
    """Whether a user may do something for a signer, or for all signers of its domain."""

    def asks(name: str) -> Question:
        return Question(user=user, verb=verb, group=_GROUP, version="*", resource="signers", name=name)

    names = (signer, f"{signer.partition('/')[0]}/*")
    return any(authorizer.authorize(asks(each)).allowed for each in names)


def _refused(attributes: Attributes, why: str) -> Forbidden:
    kind = attributes.resource.kind
    return forbidden(kind.plural, kind.group, attributes.name, why)


def _signer(obj: JsonObject | None) -> str:
    name: str = ((obj or {}).get("spec") or {}).get("signerName") or ""
    return name


class CertificateApproval:
    """Approving or denying takes the right to approve for the signer."""

    name = "CertificateApproval"
    mutate = None

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return (operation, bucket, subresource) == ("UPDATE", _REQUESTS, "approval")

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        signer = _signer(attributes.old)
        if not _may(self._authorizer, attributes.user, "approve", signer):
            told = f"user not permitted to approve requests with signerName {go_quote(signer)}"
            raise _refused(attributes, told)


class CertificateSigning:
    """Writing a certificate or a condition into the status takes the right to sign for the signer."""

    name = "CertificateSigning"
    mutate = None

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return (operation, bucket, subresource) == ("UPDATE", _REQUESTS, "status")

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        new, old = ((each or {}).get("status") or {} for each in (attributes.obj, attributes.old))
        if all((new.get(each) or None) == (old.get(each) or None) for each in ("certificate", "conditions")):
            return
        signer = _signer(attributes.old)
        if not _may(self._authorizer, attributes.user, "sign", signer):
            told = f"user not permitted to sign requests with signerName {go_quote(signer)}"
            raise _refused(attributes, told)


class CertificateSubjectRestriction:
    """No certificate of a client is asked for that would make it a member of system:masters."""

    name = "CertificateSubjectRestriction"
    mutate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == _REQUESTS and not subresource

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        assert attributes.obj is not None, attributes
        if _signer(attributes.obj) == _CLIENTS and MASTERS in subject(attributes.obj)[1]:
            told = f"use of {_CLIENTS} signer with {MASTERS} group is not allowed"
            raise _refused(attributes, told)


def subject(request: JsonObject) -> tuple[str, list[str]]:
    """The common name that a signing request asks for, and the organizations."""
    from cryptography import x509  # with the first request
    from cryptography.x509.oid import NameOID

    asked = x509.load_pem_x509_csr(base64.b64decode(request["spec"]["request"])).subject

    def texts(oid: x509.ObjectIdentifier) -> list[str]:
        values = (each.value for each in asked.get_attributes_for_oid(oid))
        return [each.decode() if isinstance(each, bytes) else each for each in values]

    return next(reversed(texts(NameOID.COMMON_NAME)), ""), texts(NameOID.ORGANIZATION_NAME)


class ClusterTrustBundleAttest:
    """Writing a bundle of a signer takes the right to attest for the signer."""

    name = "ClusterTrustBundleAttest"
    mutate = None

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket == _BUNDLES

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        signer = _signer(attributes.obj)
        if not signer or (attributes.old is not None and _only_owners_change(attributes)):
            return
        if not _may(self._authorizer, attributes.user, "attest", signer):
            told = f"user not permitted to attest for signerName {go_quote(signer)}"
            raise _refused(attributes, told)


def _only_owners_change(attributes: Attributes) -> bool:
    """Whether all that changes is what the garbage collector changes."""
    own = ("finalizers", "managedFields", "ownerReferences")

    def rest(obj: JsonObject) -> JsonObject:
        metadata = {name: value for name, value in obj["metadata"].items() if name not in own}
        return {**obj, "metadata": metadata}

    assert attributes.obj is not None and attributes.old is not None, attributes
    return rest(attributes.obj) == rest(attributes.old)
