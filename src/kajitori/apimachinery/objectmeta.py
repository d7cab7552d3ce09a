"""`metadata` of a declared kind, as frozen structs: what a class that is a kind puts in its `metadata`
member.

    @kind(group="example.com", version="v1", plural="widgets")
    class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, repr_omit_defaults=True, gc=False):
        metadata: ObjectMeta = ObjectMeta()
        spec: WidgetSpec = WidgetSpec()

`managedFields` is left out: reading it is what costs most, and an update without it leaves it as it is.

Source: meta/v1 ObjectMeta and OwnerReference.
"""

from collections.abc import Mapping

import msgspec

from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import NamespacedName

__all__ = ["ObjectMeta", "OwnerReference", "PartialObjectMetadata"]


class OwnerReference(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, repr_omit_defaults=True, gc=False
):
    """The object that this one belongs to, in the same namespace or cluster-scoped."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    """Of all owners only one controls."""
    block_owner_deletion: bool | None = None


class ObjectMeta(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, repr_omit_defaults=True, gc=False
):
    """What every object has. Times are RFC 3339 texts, as on the wire."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: Mapping[str, str] = EMPTY
    annotations: Mapping[str, str] = EMPTY
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def key(self) -> NamespacedName:
        return NamespacedName(self.namespace, self.name)


class PartialObjectMetadata(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, repr_omit_defaults=True, gc=False
):
    """An object of any kind of which only the metadata was asked for."""

    metadata: ObjectMeta = ObjectMeta()
