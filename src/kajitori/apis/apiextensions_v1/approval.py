"""Groups of the Kubernetes community, whose definitions say where they were approved.

Source: https://github.com/kubernetes/enhancements/pull/1111, apiextensions' pkg/apihelpers.
"""

from dataclasses import dataclass

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.formats import format_check

__all__ = ["APPROVED_ANNOTATION", "ApprovalState", "approval_state", "is_protected_group"]

APPROVED_ANNOTATION = "api-approved.kubernetes.io"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


@dataclass(frozen=True)
class ApprovalState:
    name: str
    """`missing`, `invalid`, `bypassed` or `approved`."""
    annotation: str
    message: str


def is_protected_group(group: str) -> bool:
    """Whether a group belongs to the community: k8s.io, kubernetes.io and what is below them."""
    return f".{group}".endswith((".k8s.io", ".kubernetes.io"))


def approval_state(crd: JsonObject) -> ApprovalState:
    """What the annotation of a definition says about its approval."""
    text = ((crd.get("metadata") or {}).get("annotations") or {}).get(APPROVED_ANNOTATION) or ""
    wanted = f'protected groups must have approval annotation "{APPROVED_ANNOTATION}"'
    if not text:
        return ApprovalState("missing", text, f"{wanted}, {_SEE}")
    if text.startswith("unapproved"):
        return ApprovalState("bypassed", text, f'not approved: "{text}"')
    is_uri = format_check("uri")
    scheme, separator, rest = text.partition("://")
    if separator and scheme and rest.partition("/")[0] and is_uri is not None and is_uri(text):
        return ApprovalState("approved", text, f"approved in {text}")
    either = 'with either a URL or a reason starting with "unapproved"'
    return ApprovalState("invalid", text, f"{wanted} {either}, {_SEE}")
