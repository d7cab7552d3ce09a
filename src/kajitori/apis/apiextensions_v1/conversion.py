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

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.validation import validate_annotations, validate_labels

__all__ = [
    "ConversionError",
    "conversion_review",
    "convert_without_webhook",
    "converted_objects",
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
    what = _shown_kind(objects[0]) if objects else ""
    sent: list[JsonObject] = review["request"]["objects"]
    try:
        received = _received(review, answer)
    except ConversionError as problem:
        raise ConversionError(f"conversion webhook for {what} failed: {problem}") from None
    if len(received) != len(sent):
        told = f"returned {len(received)} objects, expected {len(sent)}"
        raise ConversionError(f"conversion webhook for {what} {told}")
    results: list[JsonObject] = []
    at = 0
    for original in objects:
        if original.get("apiVersion") == api_version:
            results.append(original)
            continue
        results.append(_checked(original, received[at], api_version, what=what, index=at))
        at += 1
    return results


def _shown_kind(value: JsonObject) -> str:
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    return f"{group}/{version}, Kind={value.get('kind', '')}"


def _received(review: JsonObject, answer: Any) -> list[Any]:
    if not isinstance(answer, Mapping):
        raise ConversionError("no response provided")
    is_v1 = review["apiVersion"].endswith("/v1")
    if is_v1 and (answer.get("apiVersion"), answer.get("kind")) != (review["apiVersion"], "ConversionReview"):
        wanted, got = _shown_kind(review), _shown_kind(dict(answer))
        raise ConversionError(f"expected webhook response of {wanted}, got {got}")
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


def _checked(original: JsonObject, converted: Any, api_version: str, *, what: str, index: int) -> JsonObject:
    begin = f"conversion webhook for {what} returned invalid"
    where = f"{begin} converted object at index {index}"
    if not isinstance(converted, dict):
        raise ConversionError(f"{where}: expected an object")
    if converted.get("apiVersion") != api_version:
        got = converted.get("apiVersion", "")
        raise ConversionError(f"{where}: invalid groupVersion (expected {api_version}, received {got})")
    kind, got = original.get("kind", ""), converted.get("kind", "")
    if kind != got:
        raise ConversionError(f"{where}: invalid kind (expected {kind}, received {got})")
    metadata = converted.get("metadata")
    if not isinstance(metadata, dict):
        told = "missing metadata in converted object"
        raise ConversionError(f"{begin} metadata in object at index {index}: {told}")
    old: JsonObject = original.get("metadata") or {}
    for name, shown in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        if (old.get(name) or "") != (metadata.get(name) or ""):
            told = f"must have the same {shown}: {old.get(name) or ''} != {metadata.get(name) or ''}"
            raise ConversionError(f"{where}: {told}")
    problem = _metadata_problem(old, metadata)
    if problem:
        raise ConversionError(f"{begin} metadata in object at index {index}: {problem}")
    return {**converted, "metadata": _restored(old, metadata)}


def _metadata_problem(old: JsonObject, new: JsonObject) -> str:
    errors: list[FieldError] = []
    for name, check in (("labels", validate_labels), ("annotations", validate_annotations)):
        texts = new.get(name)
        if texts is None:
            continue
        if not isinstance(texts, dict):
            return f"invalid metadata.{name} in converted object"
        for key, text in texts.items():
            if not isinstance(text, str):
                return f"metadata.{name}[{key}] must be a string in converted object"
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
