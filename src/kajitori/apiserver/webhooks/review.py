"""AdmissionReviews: what a webhook is sent, and what its answer says. No I/O.

Promises
    W1  a review has the members of admission.k8s.io/v1 or v1beta1, the first version that the webhook takes
    W2  an answer counts only for the review that was sent, and only with what its sort of webhook may say
    W3  a refusal names the webhook, keeps its code and reason, and is never a success

Source: admission.k8s.io/v1 AdmissionReview; apiserver's pkg/admission/plugin/webhook/{request,errors}.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import ApiError, error_from_status
from kajitori.apimachinery.kind import JsonObject, Kind

__all__ = [
    "Answer",
    "Asked",
    "ReviewError",
    "admission_review",
    "read_answer",
    "refusal_of",
    "request_of",
    "review_version",
]

GROUP = "admission.k8s.io"
VERSIONS = ("v1", "v1beta1")


class ReviewError(Exception):
    """An answer that does not count; the text says why, as kube-apiserver does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a write is, besides its objects."""

    uid: str
    kind: Kind
    subresource: str
    request_kind: Kind
    operation: str
    name: str
    namespace: str
    user: JsonObject
    dry_run: bool
    options: JsonObject | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook says."""

    allowed: bool
    status: JsonObject | None = None
    patch: bytes = b""
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    warnings: Sequence[str] = ()


def review_version(accepted: Sequence[str]) -> str:
    """The version to speak. Raises: ReviewError where the webhook takes none that is known."""
    for version in accepted:
        if version in VERSIONS:
            return version
    raise ReviewError("webhook does not accept known AdmissionReview versions (v1, v1beta1)")


def request_of(asked: Asked, obj: JsonObject | None, old: JsonObject | None) -> JsonObject:
    """The `request` of a review: also what CEL calls `request`."""
    scale = asked.subresource == "scale"
    request: JsonObject = {
        "uid": asked.uid,
        "kind": _kind(asked.kind, scale=scale),
        "resource": _resource(asked.kind),
    }
    if asked.subresource:
        request["subResource"] = asked.subresource
    request["requestKind"] = _kind(asked.request_kind, scale=scale)
    request["requestResource"] = _resource(asked.request_kind)
    if asked.subresource:
        request["requestSubResource"] = asked.subresource
    if asked.name:
        request["name"] = asked.name
    if asked.namespace:
        request["namespace"] = asked.namespace
    request["operation"] = asked.operation
    request["userInfo"] = asked.user
    request["object"] = obj
    request["oldObject"] = old
    request["dryRun"] = asked.dry_run
    request["options"] = asked.options
    return request


def admission_review(version: str, request: JsonObject) -> JsonObject:
    """What is sent."""
    return {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "request": request}


def _kind(kind: Kind, *, scale: bool) -> JsonObject:
    if scale:
        return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _resource(kind: Kind) -> JsonObject:
    return {"group": kind.group, "version": kind.version, "resource": kind.plural}


def read_answer(review: Any, uid: str, version: str, *, mutating: bool) -> Answer:
    """What an answer says. Raises: ReviewError."""
    response = review.get("response") if isinstance(review, dict) else None
    if not isinstance(response, dict):
        raise ReviewError("webhook response was absent")
    patch = _patch(response)
    if version == "v1":
        _check_identity(review, response, uid)
        _check_patch(response, patch, mutating=mutating)
    annotations = response.get("auditAnnotations")
    warnings = response.get("warnings")
    status = response.get("status")
    return Answer(
        response.get("allowed") is True,
        status if isinstance(status, dict) else None,
        patch if mutating else b"",
        {str(key): str(value) for key, value in annotations.items()} if isinstance(annotations, dict) else {},
        [str(each) for each in warnings] if isinstance(warnings, list) else (),
    )


def _patch(response: JsonObject) -> bytes:
    try:
        return base64.b64decode(response.get("patch") or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ReviewError("webhook returned a response.patch that is not base64") from None


def _check_identity(review: JsonObject, response: JsonObject, uid: str) -> None:
    answered = str(response.get("uid") or "")
    if answered != uid:
        raise ReviewError(f"expected response.uid={go_quote(uid)}, got {go_quote(answered)}")
    api_version, kind = str(review.get("apiVersion") or ""), str(review.get("kind") or "")
    if (api_version, kind) != (f"{GROUP}/v1", "AdmissionReview"):
        shown = f"{api_version or '/'}, Kind={kind}"
        raise ReviewError(f"expected webhook response of {GROUP}/v1, Kind=AdmissionReview, got {shown}")


def _check_patch(response: JsonObject, patch: bytes, *, mutating: bool) -> None:
    patch_type = response.get("patchType")
    if not mutating:
        if patch:
            raise ReviewError("validating webhook may not return response.patch")
        if patch_type is not None:
            raise ReviewError("validating webhook may not return response.patchType")
    elif patch and patch_type is None:
        raise ReviewError("webhook returned response.patch but not response.patchType")
    elif not patch and patch_type is not None:
        raise ReviewError("webhook returned response.patchType but not response.patch")
    elif patch_type == "":
        raise ReviewError('webhook returned invalid response.patchType of ""')
    elif patch and patch_type != "JSONPatch":
        raise ReviewError(f"unsupported patch type {go_quote(str(patch_type))}")


def refusal_of(webhook: str, status: JsonObject | None) -> ApiError:
    """The error that a refused request is answered with."""
    told = dict(status or {})
    code = told.get("code")
    told["code"] = code if isinstance(code, int) and 400 <= code <= 599 else 400
    denied = f"admission webhook {go_quote(webhook)} denied the request"
    why = told.get("message") or told.get("reason")
    told["message"] = f"{denied}: {why}" if why else f"{denied} without explanation"
    return error_from_status(told)
