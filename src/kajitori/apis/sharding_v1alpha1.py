"""Group sharding.timebertt.dev, version v1alpha1: ControllerRing.

Source: timebertt/kubernetes-controller-sharding, config/crds, whose fields these are.
"""

from typing import Annotated, Any, Literal

import msgspec

from kajitori.apimachinery.declare import BuiltinSchema, Column, Format, Int32, Int64, ListMap, Rule, kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = [
    "KINDS",
    "Condition",
    "ControllerRing",
    "ControllerRingSpec",
    "ControllerRingStatus",
    "GroupResource",
    "RingResource",
]

_SELECTOR = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"
_TYPE = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)


class GroupResource(msgspec.Struct, frozen=True, rename="camel"):
    """Objects of one resource."""

    group: str
    """API group; empty for the core group."""
    resource: str
    """In the plural: `configmaps`."""


class RingResource(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A resource whose objects are shared out among shards, with what they control."""

    group: str
    """API group; empty for the core group."""
    resource: str
    """In the plural: `widgets`."""
    controlled_resources: Annotated[tuple[GroupResource, ...], ListMap("group", "resource")] = ()
    """Resources whose objects go where the object goes that controls them."""


class ControllerRingSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is shared out."""

    resources: Annotated[tuple[RingResource, ...], ListMap("group", "resource")] = ()
    """Whose objects are shared out among the shards of the ring."""
    namespace_selector: Annotated[dict[str, Any], BuiltinSchema(_SELECTOR)] | None = None
    """Only objects in namespaces with these labels; otherwise in all but kube-system and sharding-system."""


class Condition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One aspect of the state of a ring."""

    type: Annotated[str, msgspec.Meta(max_length=316, pattern=_TYPE)]
    """What it is about, in CamelCase."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    last_transition_time: Annotated[str, Format("date-time")]
    """When `status` last changed."""
    reason: Annotated[
        str, msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ]
    """Why, in one CamelCase word."""
    message: Annotated[str, msgspec.Meta(max_length=32768)]
    """Why, in a sentence."""
    observed_generation: Annotated[Int64, msgspec.Meta(ge=0)] | None = None
    """The `metadata.generation` that this is about."""


class ControllerRingStatus(msgspec.Struct, frozen=True, rename="camel"):
    """What the sharder has seen."""

    shards: Int32
    """How many shards have a Lease."""
    available_shards: Int32
    """To how many of them objects are given."""
    observed_generation: Int64 = 0
    """The `metadata.generation` that this is about."""
    conditions: Annotated[tuple[Condition, ...], ListMap("type")] = ()
    """`Ready`."""


@kind(
    group="sharding.timebertt.dev",
    version="v1alpha1",
    plural="controllerrings",
    namespaced=False,
    status=True,
    columns=(
        Column("Ready", '.status.conditions[?(@.type == "Ready")].status'),
        Column("Available", ".status.availableShards"),
        Column("Shards", ".status.shards"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
    rules=(
        Rule("size(self.metadata.name) <= 63", "ControllerRing name must not be longer than 63 characters"),
    ),
)
class ControllerRing(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A ring of shards: processes that share out the objects of some resources among themselves."""

    spec: ControllerRingSpec = ControllerRingSpec()
    """What is shared out."""
    status: ControllerRingStatus | None = None
    """What the sharder has seen."""
    metadata: ObjectMeta = ObjectMeta()


KINDS = (ControllerRing,)
"""What `kajitori crds` prints of this module."""
