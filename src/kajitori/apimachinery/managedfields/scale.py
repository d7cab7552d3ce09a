"""Ownership of replicas, seen through the scale subresource.

A write to `scale` sees a Scale object, whose `spec.replicas` stands for a field of the parent. Its
managedFields are the parent's entries that own that field, and what becomes of them is put back.

Promises
    C1  to_scale gives only entries that own replicas, as owning `spec.replicas` of autoscaling/v1
    C2  to_parent gives replicas to who owns them in the Scale afterwards, and leaves all other fields alone

Source: apimachinery's util/managedfields/scalehandler.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.entries import Entry, Managed, decode, encode
from kajitori.apimachinery.managedfields.sets import difference, from_elements, has

__all__ = ["SCALE_API_VERSION", "ReplicasPaths", "to_parent", "to_scale"]

SCALE_API_VERSION = "autoscaling/v1"

ReplicasPaths = Mapping[str, tuple[str, ...] | None]
"""By API version of the parent, the path elements of its replicas; None where it has no scale subresource."""

_REPLICAS = ("f:spec", "f:replicas")


def to_scale(parent: Sequence[Any] | None, replicas: ReplicasPaths) -> list[JsonObject]:
    """The managedFields of the Scale.

    Raises: FieldsError when the parent's cannot be decoded.
    """
    fields = from_elements([_REPLICAS])
    seen: Managed = {}
    for key, entry in decode(parent).items():
        path = replicas.get(entry.api_version)
        if path and has(entry.fields, path):
            seen[key] = Entry(fields, SCALE_API_VERSION, entry.time)
    return encode(seen)


def to_parent(
    parent: Sequence[Any] | None, scale: Sequence[Any] | None, replicas: ReplicasPaths, *, api_version: str
) -> list[JsonObject]:
    """The parent's managedFields after those of the Scale have become `scale`.

    Raises: FieldsError when either cannot be decoded.
    """
    before, after = decode(parent), decode(scale)
    result: Managed = {}
    for key, entry in before.items():
        if entry.api_version not in replicas:
            continue
        path = replicas[entry.api_version]
        if path is None or not has(entry.fields, path):
            result[key] = entry
        elif key in after:
            result[key] = entry
            del after[key]
        else:
            rest = difference(entry.fields, from_elements([path]))
            if rest:
                result[key] = entry.with_fields(rest)
    own = replicas.get(api_version)
    for key, entry in after.items():
        if own and has(entry.fields, _REPLICAS):
            known = before.get(key)
            result[key] = Entry(from_elements([own]), api_version, known.time if known else None)
    return encode(result)
