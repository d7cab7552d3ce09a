"""Which names a change concerns: the object's own, its owners', or whatever a map function says.

Source: controller-runtime's pkg/handler.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import key_pair_of, owners_of
from kajitori.client.objects import Model
from kajitori.ctrl.predicate import Predicate
from kajitori.ctrl.reconcile import Request

__all__ = ["MapFunction", "Watch", "own_request", "owner_requests"]

MapFunction = Callable[[Any], Iterable[Request]]
"""From an object, frozen, to the names to reconcile. Called for the old and the new object of an update."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A kind that a controller watches beside its own, and whom its changes concern."""

    kind: Model
    map: MapFunction
    predicates: Sequence[Predicate] = ()
    """All must hold."""
    metadata_only: bool = False
    """Watch and keep PartialObjectMetadata only: less memory, for who needs names, labels and owners."""


def own_request(value: Any) -> tuple[Request]:
    """The object itself."""
    return (Request(*key_pair_of(value)),)


def owner_requests(owner: Kind, *, any_owner: bool = False) -> MapFunction:
    """The owners of that kind: the controlling one, or with `any_owner` every one. Versions are not
    compared.
    """
    group, kind_name, namespaced = owner.group, owner.kind, owner.namespaced

    def requests(value: Any) -> Iterable[Request]:
        for each in owners_of(value):
            if each.kind == kind_name and (any_owner or each.controller):
                owner_group = each.api_version.rpartition("/")[0]
                if owner_group == group:
                    yield Request(key_pair_of(value)[0] if namespaced else "", each.name)

    return requests
