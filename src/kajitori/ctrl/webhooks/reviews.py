"""AdmissionReviews as a webhook sees them: what is asked, and what is answered. No I/O.

Promises
    R1  an AdmissionReview of v1 or v1beta1 is answered in its own version, with its uid
    R2  what is no AdmissionReview is answered with one that refuses, code 400, and says what is wrong
    R3  an answer that allows has code 200, one that denies has 403, unless it says another

Source: admission.k8s.io/v1; controller-runtime's pkg/webhook/admission (http, response, webhook).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.struct_decoder import struct_decoder

__all__ = [
    "ADMISSION_BYTES_MAX",
    "AdmissionRequest",
    "AdmissionResponse",
    "GroupVersionKind",
    "GroupVersionResource",
    "Review",
    "ReviewError",
    "UserInfo",
    "answer_review",
    "read_review",
]

ADMISSION_BYTES_MAX = 7 << 20
"""Two objects of the size that an API server takes, and what is told about them; controller-runtime's limit."""

GROUP = "admission.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")


class ReviewError(ValueError):
    """A body that is no AdmissionReview; the text says why."""


class GroupVersionKind(msgspec.Struct, frozen=True):
    """Which kind; `group` is empty for the core kinds."""

    group: str = ""
    version: str = ""
    kind: str = ""


class GroupVersionResource(msgspec.Struct, frozen=True):
    """Which resource."""

    group: str = ""
    version: str = ""
    resource: str = ""


class UserInfo(msgspec.Struct, frozen=True):
    """Who asks."""

    username: str = ""
    uid: str = ""
    groups: Sequence[str] | None = None
    extra: Mapping[str, Sequence[str]] | None = None


_NOTHING = msgspec.Raw(b"")


class AdmissionRequest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What somebody wants to do, as the API server tells it."""

    uid: str = ""
    kind: GroupVersionKind = GroupVersionKind()
    """Of the objects here; `request_kind` is what was asked for, where the API server has converted it."""
    resource: GroupVersionResource = GroupVersionResource()
    sub_resource: str = ""
    request_kind: GroupVersionKind | None = None
    request_resource: GroupVersionResource | None = None
    request_sub_resource: str = ""
    name: str = ""
    """Empty when the API server is to make one of `generateName`."""
    namespace: str = ""
    operation: str = ""
    """CREATE, UPDATE, DELETE or CONNECT."""
    user_info: UserInfo = UserInfo()
    raw_object: msgspec.Raw = msgspec.field(name="object", default=_NOTHING)
    """The object as JSON; empty or `null` for DELETE."""
    raw_old_object: msgspec.Raw = msgspec.field(name="oldObject", default=_NOTHING)
    """As it is stored; empty or `null` for CREATE and CONNECT."""
    dry_run: bool | None = None
    raw_options: msgspec.Raw = msgspec.field(name="options", default=_NOTHING)

    @property
    def object(self) -> Unstructured | None:
        """What is to be stored; None for DELETE. Raises: ReviewError, which is answered with code 400."""
        return _frozen(self.raw_object)

    @property
    def old_object(self) -> Unstructured | None:
        """What is stored; None for CREATE and CONNECT."""
        return _frozen(self.raw_old_object)

    @property
    def options(self) -> Unstructured | None:
        """CreateOptions, PatchOptions, DeleteOptions …"""
        return _frozen(self.raw_options)

    @property
    def is_dry_run(self) -> bool:
        """Nothing will be stored, and nothing else may be done."""
        return bool(self.dry_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionResponse:
    """What is answered; `allow`, `deny`, `error`, `refuse` and `patched` make one."""

    allowed: bool
    status: JsonObject = field(default_factory=dict[str, Any])
    """A Status: `code`, `message`, `reason`, `details`."""
    patch: Sequence[JsonObject] = ()
    """JSON patch operations: what is to be changed before it is stored. For mutating webhooks only."""
    warnings: Sequence[str] = ()
    """Shown to who asks, also when it is allowed."""
    audit_annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def allow(cls, message: str = "", *, warnings: Sequence[str] = ()) -> "AdmissionResponse":
        return cls(allowed=True, status={"message": message} if message else {}, warnings=warnings)

    @classmethod
    def deny(cls, message: str, *, warnings: Sequence[str] = ()) -> "AdmissionResponse":
        """Forbidden, code 403."""
        return cls(
            allowed=False,
            status={"message": message, "reason": "Forbidden", "code": 403},
            warnings=warnings,
        )

    @classmethod
    def error(cls, code: int, message: str) -> "AdmissionResponse":
        """Refused for another reason than what is asked for."""
        return cls(allowed=False, status={"message": message, "code": code})

    @classmethod
    def refuse(cls, error: ApiError, *, warnings: Sequence[str] = ()) -> "AdmissionResponse":
        """Refused with the Status of an error: 422 Invalid with its causes, say."""
        status = {
            name: value for name, value in error.to_status().items() if name not in ("kind", "apiVersion")
        }
        return cls(allowed=False, status=status, warnings=warnings)

    @classmethod
    def patched(cls, patch: Sequence[JsonObject], *, warnings: Sequence[str] = ()) -> "AdmissionResponse":
        """Allowed with changes, as JSON patch operations; none: as it is."""
        return cls(allowed=True, patch=patch, warnings=warnings)


@dataclass(frozen=True, slots=True)
class Review:
    """What is asked, and the version to answer in."""

    api_version: str
    request: AdmissionRequest


class _Head(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""


class _Body(msgspec.Struct):
    request: AdmissionRequest | None = None


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_body = struct_decoder(_Body)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_review(body: bytes) -> Review:
    """What a body asks. Raises: ReviewError."""
    if not body:
        raise ReviewError("request body is empty")
    try:
        head = _decode_head(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReviewError(f"the body is no AdmissionReview: {error}") from None
    if (head.kind or "AdmissionReview") != "AdmissionReview" or (
        head.api_version or VERSIONS[0]
    ) not in VERSIONS:
        shown = f"{head.kind or 'nothing'} of {head.api_version or 'no version'}"
        raise ReviewError(f"the body is {shown}; send an AdmissionReview of {VERSIONS[0]}")
    try:
        request = _decode_body(body).request
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReviewError(f"the AdmissionReview cannot be read: {error}") from None
    if request is None:
        raise ReviewError("the AdmissionReview has no request")
    return Review(head.api_version or VERSIONS[0], request)


def answer_review(api_version: str, uid: str, response: AdmissionResponse) -> bytes:
    """The body of an answer.

    Raises: TypeError, ValueError, msgspec.EncodeError for a response that is no JSON.
    """
    status: JsonObject = {"metadata": {}, **response.status}
    status.setdefault("code", 200 if response.allowed else 403)
    answer: JsonObject = {"uid": uid, "allowed": bool(response.allowed), "status": status}
    if response.patch:
        answer["patch"] = base64.b64encode(_encode(list(response.patch))).decode()
        answer["patchType"] = "JSONPatch"
    if response.audit_annotations:
        answer["auditAnnotations"] = dict(response.audit_annotations)
    if response.warnings:
        answer["warnings"] = list(response.warnings)
    return _encode({"kind": "AdmissionReview", "apiVersion": api_version or VERSIONS[0], "response": answer})


def _frozen(raw: msgspec.Raw) -> Unstructured | None:
    text = bytes(raw)
    if not text or text == b"null":
        return None
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReviewError(f"an object of the AdmissionReview cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ReviewError(f"an object is wanted, not {type(value).__name__}")
    return freeze(value)
