"""What a policy says, as the answer to an AdmissionReview. No I/O.

Promises
    R1  a policy's answer becomes an AdmissionResponse of admission.k8s.io/v1; one that is none rejects, and says why
    R2  a mutated object becomes a patch; on DELETE, where there is nothing to mutate, the request is rejected
    R3  a policy in monitor mode accepts everything and changes nothing
    R4  a policy that may not mutate rejects the request instead
    R5  a message of the policy's own takes the place of the reason, which becomes a cause

Source: the response handling of Kubewarden's policy server, whose words these are.
"""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apis import JsonObject, json_diff

__all__ = ["constrained", "of_policy", "rejection", "settings_complaint"]


class _Answer(msgspec.Struct, frozen=True):
    """What a policy of waPC or WASI says about a request."""

    accepted: bool
    message: str | None = None
    code: int | None = None
    mutated_object: Any = None
    audit_annotations: dict[str, str] | None = None
    warnings: list[str] | None = None


class _SettingsAnswer(msgspec.Struct, frozen=True):
    valid: bool
    message: str | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_settings_answer = msgspec.json.Decoder(_SettingsAnswer).decode


def of_policy(request: JsonObject, said: bytes) -> JsonObject:
    """The response to a request that a policy has answered."""
    uid = str(request.get("uid") or "")
    try:
        answer = _decode_answer(said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return rejection(uid, f"internal server error: the policy's answer cannot be read: {error}", 500)
    response: JsonObject = {"uid": uid, "allowed": answer.accepted}
    if answer.mutated_object is not None:
        obj = request.get("object")
        if obj is None:
            why = (
                "Incoming object is null, which happens only with DELETE operations, but the policy is attempting "
                "a mutation. This is not allowed"
            )
            return {"uid": uid, "allowed": False, "status": {"message": why}}
        if operations := json_diff(obj, answer.mutated_object):
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(msgspec.json.encode(operations)).decode()
    status = {
        name: value
        for name, value in (("message", answer.message), ("code", answer.code))
        if value is not None
    }
    if status:
        response["status"] = status
    if answer.audit_annotations:
        response["auditAnnotations"] = answer.audit_annotations
    if answer.warnings:
        response["warnings"] = answer.warnings
    return response


def settings_complaint(said: bytes) -> str | None:
    """What a policy has against its settings; None where it has nothing."""
    try:
        answer = _decode_settings_answer(said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"the policy's answer about its settings cannot be read: {error}"
    return None if answer.valid else (answer.message or "the policy does not say what is wrong")


def rejection(uid: str, message: str, code: int) -> JsonObject:
    """A response that denies."""
    return {"uid": uid, "allowed": False, "status": {"message": message, "code": code}}


def constrained(
    response: JsonObject, policy: str, *, monitors: bool, may_mutate: bool, message: str
) -> JsonObject:
    """The response as the policy's mode, permission to mutate and message allow it."""
    if monitors:
        return {**_without(response, "status", "patch", "patchType"), "allowed": True}
    if not may_mutate and response.get("patch"):
        why = (
            f"Request rejected by policy {policy}. The policy attempted to mutate the request, but it is currently "
            "configured to not allow mutations."
        )
        response = {
            **_without(response, "patch", "patchType"),
            "allowed": False,
            "status": {"message": why},
        }
    if message and not response.get("allowed"):
        status: Mapping[str, Any] = response.get("status") or {}
        details = status.get("details") or {}
        causes = [*(details.get("causes") or ()), {"message": str(status.get("message") or "")}]
        response = {
            **response,
            "status": {**status, "message": message, "details": {**details, "causes": causes}},
        }
    return response


def _without(response: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in response.items() if name not in names}
