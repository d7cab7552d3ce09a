"""From one version of a custom resource to another.

Sits between the store, which keeps the storage version, and requests in any other. With the strategy None only
`apiVersion` changes; with Webhook, the request for the webhook is made here and its answer checked, and somebody
else carries both.

Promises
    W1  only objects that are not in the wanted version are sent
    W2  a webhook can change nothing of the metadata but labels and annotations
    W3  an answer that does not fit is refused with Kubernetes' words, never used in part

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
and apiextensions' pkg/apiserver/conversion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.go_text import go_name
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.validation import validate_annotations, validate_labels

__all__ = [
    "ConversionError",
    "conversion_review",
    "convert_without_webhook",
    "converted_objects",
    "failure",
    "is_webhook",
]


class ConversionError(Exception):
    """A conversion that failed; the text is Kubernetes'."""


def is_webhook(conversion: Mapping[str, Any]) -> bool:
    """Whether `spec.conversion` asks for a webhook."""
    return conversion.get("strategy") == "Webhook"


def convert_without_webhook(value: JsonObject, api_version: str) -> JsonObject:
    """The object in another version: a copy that shares everything but `apiVersion`."""
    if value.get("apiVersion") == api_version:
        return value
    return {**value, "apiVersion": api_version}


def conversion_review(
    objects: Sequence[JsonObject], api_version: str, uid: str, review_versions: Sequence[str]
) -> JsonObject:
    """The ConversionReview to send for those of `objects` that are not in the wanted version.

    Raises: ConversionError when the webhook speaks no version of ConversionReview that we do.
    """
    for version in review_versions:
        if version in ("v1", "v1beta1"):
            sent = [each for each in objects if each.get("apiVersion") != api_version]
            return {
                "kind": "ConversionReview",
                "apiVersion": f"apiextensions.k8s.io/{version}",
                "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": sent},
            }
    raise ConversionError("no supported conversion review versions")


def converted_objects(
    objects: Sequence[JsonObject], api_version: str, review: JsonObject, answer: Any
) -> list[JsonObject]:
    """`objects` in the wanted version, from the answer to `review`.

    Raises: ConversionError when the webhook refused, or its answer does not fit.
    """
    sent: list[JsonObject] = review["request"]["objects"]
    what = _shown_kind(sent[0]) if sent else ""
    try:
        received = _received(review, answer)
    except ConversionError as problem:
        raise failure(sent, str(problem)) from None
    if len(received) != len(sent):
        told = f"returned {len(received)} objects, expected {len(sent)}"
        raise ConversionError(f"conversion webhook for {what} {told}")
    results: list[JsonObject] = []
    at = 0
    for original in objects:
        if original.get("apiVersion") == api_version:
            results.append(original)
            continue
        results.append(_checked(original, received[at], api_version))
        at += 1
    return results


def failure(sent: Sequence[JsonObject], told: str) -> ConversionError:
    """What is said when a webhook gave no usable answer for objects."""
    what = _shown_kind(sent[0]) if sent else ""
    return ConversionError(f"conversion webhook for {what} failed: {told}")


def _shown_kind(value: JsonObject) -> str:
    return _shown_version(value.get("apiVersion"), value.get("kind"))


def _shown_version(api_version: Any, kind: Any) -> str:
    group, _, version = str(api_version or "").rpartition("/")
    return f"{group}/{version}, Kind={kind or ''}"


_KIND_IN_GO = (
    r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
)


def _received(review: JsonObject, answer: Any) -> list[Any]:
    if not isinstance(answer, Mapping):
        told = f"json: cannot unmarshal {_json_type(answer)} into Go value of type {_KIND_IN_GO}"
        raise ConversionError(f"couldn't get version/kind; json parse error: {told}")
    said = answer.get("apiVersion") or "", answer.get("kind") or ""
    is_v1 = review["apiVersion"].endswith("/v1")
    wanted = (review["apiVersion"], "ConversionReview")
    if any(said) and said != wanted:
        raise ConversionError(_other_kind(said[0], said[1], is_v1=is_v1))
    if is_v1 and said != wanted:
        told = f"expected webhook response of {_shown_version(*wanted)}, got {_shown_version(*said)}"
        raise ConversionError(told)
    response = answer.get("response")
    if not isinstance(response, Mapping):
        raise ConversionError("no response provided")
    uid = review["request"]["uid"]
    if is_v1 and response.get("uid", "") != uid:
        raise ConversionError(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    result = response.get("result") or {}
    if result.get("status") != "Success":
        told = (
            result.get("message") or f"response.result.status was '{result.get('status', '')}', not 'Success'"
        )
        raise ConversionError(str(told))
    return list(response.get("convertedObjects") or ())


def _other_kind(api_version: str, kind: str, *, is_v1: bool) -> str:
    known = [f"apiextensions.k8s.io/{version}" for version in ("v1", "v1beta1")]
    if api_version not in known or kind != "ConversionReview":
        told = f'no kind "{kind}" is registered for version "{api_version}" in scheme'
        return f'{told} "pkg/runtime/scheme.go:111"'
    here, there = ("v1", "v1beta1") if is_v1 else ("v1beta1", "v1")
    return f"converting ({there}.ConversionReview) to ({here}.ConversionReview): unknown conversion"


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "number"


def _checked(original: JsonObject, converted: Any, api_version: str) -> JsonObject:
    if converted is None:
        raise ConversionError("unexpected end of JSON input")
    if not isinstance(converted, dict):
        told = (
            f"json: cannot unmarshal {_json_type(converted)} into Go value of type map[string]interface {{}}"
        )
        raise ConversionError(told)
    if not converted.get("kind"):
        shown = msgspec.json.encode(converted).decode()
        raise ConversionError(f"Object 'Kind' is missing in '{shown}'")
    begin = f"conversion webhook for {_shown_kind(original)} returned invalid"
    if converted.get("apiVersion") != api_version:
        got = converted.get("apiVersion", "")
        told = f"invalid groupVersion (expected {api_version}, received {got})"
        raise ConversionError(f"{begin} object at index 0: {told}")
    kind, got = original.get("kind", ""), converted.get("kind", "")
    if kind != got:
        raise ConversionError(f"{begin} object at index 0: invalid kind (expected {kind}, received {got})")
    found = converted.get("metadata")
    metadata: JsonObject = found if isinstance(found, dict) else {}
    old: JsonObject = original.get("metadata") or {}
    for name, shown in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        if (old.get(name) or "") != (metadata.get(name) or ""):
            told = f"must have the same {shown}: {old.get(name) or ''} != {metadata.get(name) or ''}"
            raise ConversionError(f"{begin} object: {told}")
    if problem := _metadata_problem(old, metadata):
        raise ConversionError(f"{begin} metadata: {problem}")
    return {**converted, "metadata": _restored(old, metadata)}


def _metadata_problem(old: JsonObject, new: JsonObject) -> str:
    errors: list[FieldError] = []
    for name, check in (("labels", validate_labels), ("annotations", validate_annotations)):
        texts = new.get(name)
        if texts is None:
            continue
        if not isinstance(texts, dict):
            return f"invalid metadata.{name} of type {go_name(texts)} in converted object"
        for key, text in texts.items():
            if not isinstance(text, str):
                return f"metadata.{name}[{key}] must be a string, but is {go_name(text)} in converted object"
        if texts != (old.get(name) or {}):
            errors += check(texts, f"metadata.{name}")
    told = [str(each) for each in errors]
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]" if told else ""


def _restored(old: JsonObject, new: JsonObject) -> JsonObject:
    metadata: JsonObject = copy_json(old)
    for name in ("labels", "annotations"):
        if new.get(name) is None:
            metadata.pop(name, None)
        else:
            metadata[name] = new[name]
    return metadata
