"""ConversionReviews: objects of a kind in another of its versions. No I/O.

A kind's conversions are functions from JSON to JSON, by the version they read and the version they write. What there is
no function for goes through the hub: a version that all others are converted to and from.

Promises
    V1  objects come back in the order in which they were sent, in the version that is wanted
    V2  metadata survives: of what a function gives only labels and annotations count
    V3  one object that cannot be converted fails the review, with a text that says which and why
    V4  a function gets a copy: whatever it does to it, what was sent is untouched

Source: apiextensions.k8s.io/v1 ConversionReview; controller-runtime's pkg/webhook/conversion.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.struct_decoder import struct_decoder
from kajitori.apimachinery.versions import ConversionFailed

__all__ = [
    "ConversionFailed",
    "Conversions",
    "Convert",
    "answer_conversion",
    "convert_object",
    "find_path",
    "read_conversion",
]

Convert = Callable[[JsonObject], JsonObject]
"""An object in one version to the same in another. Raises: ValueError, whose text the user sees; anything else
is a mistake, and fails the conversion too."""

Conversions = Mapping[tuple[str, str], Convert]
"""By versions, `("v1alpha1", "v1")`."""

_VERSIONS = ("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1")


class _Request(msgspec.Struct, rename="camel"):
    uid: str = ""
    desired_api_version: str = msgspec.field(name="desiredAPIVersion", default="")
    objects: Sequence[Any] | None = None


class _Review(msgspec.Struct, rename="camel"):
    kind: str = "ConversionReview"
    api_version: str = _VERSIONS[0]
    request: _Request | None = None


_decode_review = struct_decoder(_Review)
_encode = msgspec.json.Encoder().encode


def read_conversion(body: bytes) -> tuple[str, str, str, Sequence[Any]]:
    """The version of a review, its uid, the version that is wanted, and the objects. Raises: BadRequest."""
    try:
        review = _decode_review(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is no ConversionReview: {error}") from None
    if review.kind != "ConversionReview" or review.api_version not in _VERSIONS:
        shown = f"{review.kind} of {review.api_version}"
        raise BadRequest(f"the body is {shown}; send a ConversionReview of {_VERSIONS[0]}")
    request = review.request
    if request is None:
        raise BadRequest("the ConversionReview has no request")
    return review.api_version, request.uid, request.desired_api_version, request.objects or ()


def answer_conversion(
    api_version: str, uid: str, objects: Sequence[JsonObject] | None, told: str = ""
) -> bytes:
    """The answer: objects, or with None why there are none."""
    response: JsonObject = {"uid": uid, "convertedObjects": objects}
    if objects is None:
        response["result"] = {"metadata": {}, "status": "Failure", "message": told}
    else:
        response["result"] = {"metadata": {}, "status": "Success"}
    return _encode({"kind": "ConversionReview", "apiVersion": api_version, "response": response})


def find_path(conversions: Conversions, hub: str, version: str, wanted: str) -> list[tuple[str, str]]:
    """The steps from one version to another: one, or two through the hub.

    Raises: ConversionFailed.
    """
    if (version, wanted) in conversions:
        return [(version, wanted)]
    steps = [(version, hub), (hub, wanted)]
    if hub in (version, wanted) or not all(step in conversions for step in steps):
        raise ConversionFailed(f"there is no conversion from {version} to {wanted}")
    return steps


def convert_object(kind: Kind, conversions: Conversions, value: JsonObject, api_version: str) -> JsonObject:
    """One object in another version; the hub is the version that `kind` names.

    Raises: ConversionFailed; whatever a function raises.
    """
    if value.get("apiVersion") == api_version:
        return value
    group, _, wanted = api_version.rpartition("/")
    own_group, _, version = str(value.get("apiVersion") or "").rpartition("/")
    if group != kind.group or own_group != kind.group or value.get("kind") != kind.kind:
        shown = f"{value.get('kind')} of {value.get('apiVersion')}"
        wish = f"to {api_version}" if api_version else "to no version"
        raise ConversionFailed(f"{shown} is not converted {wish} here, but {kind.kind} of {kind.group}")
    result = value
    for step in find_path(conversions, kind.version, version, wanted):
        given: Any = conversions[step](thaw(result))
        if not isinstance(given, dict):
            raise ConversionFailed(
                f"the conversion from {step[0]} to {step[1]} gave {type(given).__name__}, no object"
            )
        head = {"apiVersion": f"{kind.group}/{step[1]}", "kind": kind.kind}
        result = {**given, **head, "metadata": _metadata(value.get("metadata") or {}, given.get("metadata"))}
    return result


def _metadata(old: JsonObject, new: Any) -> JsonObject:
    """That of the object, with the labels and annotations of what a function gave; all of it where it gave none."""
    if not isinstance(new, dict):
        return old
    result = {name: value for name, value in old.items() if name not in ("labels", "annotations")}
    result.update({name: new[name] for name in ("labels", "annotations") if new.get(name)})
    return result
