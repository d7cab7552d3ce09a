"""What a webhook says in the `status` of a review that it was sent, read as Go reads it.

Sits beside `review`, which reads AdmissionReviews; for reviews of access and of images. No I/O.

Source: apimachinery's runtime/serializer (versioning, json), whose errors these are.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kajitori.apimachinery.decode import DecodeError, decode_json, json_type
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.webhooks.caller import WebhookError

__all__ = ["mistyped", "status_of"]

_NO_OBJECT = (
    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct "
    '{{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }}'
)


def status_of(
    answer: bytes,
    wanted: tuple[str, str],
    members: Sequence[tuple[str, type, str]],
    is_registered: Callable[[str, str], bool],
) -> JsonObject:
    """The status of a review; empty where it has none.

    `wanted` is its API version and kind, `members` what of the status has which type, and what Go calls that;
    `is_registered` says of an API version and a kind whether Kubernetes knows them there.

    Raises: WebhookError for an answer that is no such review.
    """
    try:
        review = decode_json(answer)
    except DecodeError:
        review = ""  # whatever is no JSON is a text in YAML, as which Kubernetes reads it
    if not isinstance(review, dict):
        raise WebhookError(_NO_OBJECT.format(json_type(review)))
    kind, api_version = str(review.get("kind") or ""), str(review.get("apiVersion") or "")
    wanted_version, wanted_kind = wanted[0].rpartition("/")[2], wanted[1]
    if (api_version, kind) not in (wanted, ("", wanted_kind), ("", "")):
        if not is_registered(api_version, kind):
            scheme = 'in scheme "pkg/runtime/scheme.go:111"'
            raise WebhookError(f'no kind "{kind}" is registered for version "{api_version}" {scheme}')
        converted = (
            f"converting ({api_version.rpartition('/')[2]}.{kind}) to ({wanted_version}.{wanted_kind})"
        )
        raise WebhookError(f"{converted}: unknown conversion")
    status = review.get("status")
    if status is None:
        return {}
    if not isinstance(status, dict):
        raise mistyped(status, f"{wanted_kind}.status", f"{wanted_version}.{wanted_kind}Status")
    for member, type_, called in members:
        value = status.get(member)
        if value is not None and not isinstance(value, type_):
            raise mistyped(value, f"{wanted_kind}Status.status.{member}", called)
    return status


def mistyped(value: Any, where: str, wanted: str) -> WebhookError:
    """The error of Go's decoder for a value that is no `wanted`."""
    return WebhookError(
        f"json: cannot unmarshal {json_type(value)} into Go struct field {where} of type {wanted}"
    )
