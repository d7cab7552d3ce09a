"""`kubectl.kubernetes.io/last-applied-configuration`: from client-side to server-side apply and back.

Sits under `managed.FieldManager`, for the manager called `kubectl` only: who opts out takes another name.

Promises
    L1  what client-side apply set last, and nobody has changed since, is no conflict for `kubectl`
    L2  an object that has the annotation gets a new one from every apply by `kubectl`, unless too large

Source: apimachinery's managedfields/internal (lastappliedmanager.go, lastappliedupdater.go, lastapplied.go).
"""

from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.checking import check
from kajitori.apimachinery.managedfields.collect import whole_fields
from kajitori.apimachinery.managedfields.compare import compare
from kajitori.apimachinery.managedfields.elements import html_escaped
from kajitori.apimachinery.managedfields.sets import EMPTY, FieldSet, difference
from kajitori.apimachinery.managedfields.types import Type, TypeProblem

__all__ = ["KUBECTL", "LAST_APPLIED", "allowed_fields", "with_last_applied"]

KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATIONS_BYTES_MAX = 256 * 1024
"""What all annotations of an object may take: Kubernetes' limit."""


def allowed_fields(live: JsonObject, of: Type, api_version: str) -> FieldSet | None:
    """The fields of the last client-side configuration that still are as it set them; None without one."""
    text = _annotation(live)
    if not text:
        return None
    try:
        last = msgspec.json.decode(text)
        if not isinstance(last, dict) or last.get("apiVersion") != api_version or not last.get("kind"):
            return None
        check(last, of)
        changes = compare(last, live, of)
    except (msgspec.DecodeError, TypeProblem):
        return None
    fields = whole_fields(of)(last) or EMPTY
    for changed in changes:
        fields = difference(fields, changed)
    return fields


def with_last_applied(result: JsonObject, config: JsonObject) -> JsonObject:
    """The object after an apply by `kubectl`, with its annotation brought up to date if it has one."""
    if not _annotation(result):
        return result
    annotations = {**result["metadata"]["annotations"], LAST_APPLIED: _encoded(config)}
    if (
        sum(len(name.encode()) + len(text.encode()) for name, text in annotations.items())
        > ANNOTATIONS_BYTES_MAX
    ):
        del annotations[LAST_APPLIED]
    return {**result, "metadata": {**result["metadata"], "annotations": annotations}}


def _annotation(value: JsonObject) -> str:
    annotations: Any = (value.get("metadata") or {}).get("annotations") or {}
    return annotations.get(LAST_APPLIED) or ""


def _encoded(config: JsonObject) -> str:
    """The configuration without its own annotation, as Kubernetes' encoder writes it."""
    metadata: Any = config.get("metadata")
    if isinstance(metadata, dict) and "annotations" in metadata:
        given: Any = metadata["annotations"]
        metadata = {name: each for name, each in metadata.items() if name != "annotations"}
        if isinstance(given, dict):
            metadata["annotations"] = {name: text for name, text in given.items() if name != LAST_APPLIED}
        config = {**config, "metadata": metadata}
    return html_escaped(msgspec.json.encode(config, order="sorted").decode()) + "\n"
