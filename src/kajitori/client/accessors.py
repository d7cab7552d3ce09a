"""What every object says about itself, asked the same way of JSON objects (frozen or not) and of declared
structs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kajitori.apimachinery.kind import NamespacedName

__all__ = [
    "Owner",
    "annotations_of",
    "deletion_timestamp_of",
    "finalizers_of",
    "generation_of",
    "key_of",
    "key_pair_of",
    "labels_of",
    "owners_of",
    "resource_version_of",
    "uid_of",
]

_NOTHING: Mapping[str, Any] = {}


class Owner(NamedTuple):
    """One entry of `metadata.ownerReferences`."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool


def _metadata(value: Any) -> Mapping[str, Any]:
    return value.get("metadata") or _NOTHING


def key_of(value: Any) -> NamespacedName:
    """Namespace (empty for cluster-scoped objects) and name."""
    if isinstance(value, dict):
        metadata = _metadata(value)
        return NamespacedName(metadata.get("namespace") or "", metadata.get("name") or "")
    return NamespacedName(value.metadata.namespace or "", value.metadata.name or "")


def key_pair_of(value: Any) -> tuple[str, str]:
    """The same as a plain tuple, which is cheaper: for who does it on every event."""
    if isinstance(value, dict):
        metadata = _metadata(value)
        return metadata.get("namespace") or "", metadata.get("name") or ""
    return value.metadata.namespace or "", value.metadata.name or ""


def uid_of(value: Any) -> str:
    uid: str | None = _metadata(value).get("uid") if isinstance(value, dict) else value.metadata.uid
    return uid or ""


def resource_version_of(value: Any) -> str:
    """Empty when the object has none."""
    version: str | None
    if isinstance(value, dict):
        version = _metadata(value).get("resourceVersion")
    else:
        version = value.metadata.resource_version
    return version or ""


def generation_of(value: Any) -> int:
    """0 for kinds that count no generations."""
    generation: int | None
    generation = _metadata(value).get("generation") if isinstance(value, dict) else value.metadata.generation
    return generation or 0


def labels_of(value: Any) -> Mapping[str, str]:
    labels: Mapping[str, str] | None
    labels = _metadata(value).get("labels") if isinstance(value, dict) else value.metadata.labels
    return labels or _NOTHING


def annotations_of(value: Any) -> Mapping[str, str]:
    annotations: Mapping[str, str] | None
    if isinstance(value, dict):
        annotations = _metadata(value).get("annotations")
    else:
        annotations = value.metadata.annotations
    return annotations or _NOTHING


def finalizers_of(value: Any) -> Sequence[str]:
    finalizers: Sequence[str] | None
    finalizers = _metadata(value).get("finalizers") if isinstance(value, dict) else value.metadata.finalizers
    return finalizers or ()


def deletion_timestamp_of(value: Any) -> str:
    """When deletion was asked for, RFC 3339; empty when it was not."""
    timestamp: str | None
    if isinstance(value, dict):
        timestamp = _metadata(value).get("deletionTimestamp")
    else:
        timestamp = value.metadata.deletion_timestamp
    return timestamp or ""


def owners_of(value: Any) -> list[Owner]:
    """The owner references, in order."""
    if isinstance(value, dict):
        return [
            Owner(
                each.get("apiVersion", ""),
                each.get("kind", ""),
                each.get("name", ""),
                each.get("uid", ""),
                bool(each.get("controller")),
            )
            for each in _metadata(value).get("ownerReferences") or ()
        ]
    return [
        Owner(each.api_version, each.kind, each.name, each.uid, bool(each.controller))
        for each in value.metadata.owner_references or ()
    ]
