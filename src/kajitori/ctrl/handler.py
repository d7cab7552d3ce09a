"""Which names a change concerns: the object's own, its owners', or whatever a map function says.

Source: controller-runtime's pkg/handler.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from kajitori.client.accessors import key_pair_of, owners_of
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.clusters import ClusterScope
from kajitori.ctrl.predicate import Predicate
from kajitori.ctrl.reconcile import R, Request

__all__ = ["MapFunction", "Watch", "own_request", "owner_requests"]

MapFunction = Callable[[Any], Iterable[R]]
"""From an object, frozen, to the names to reconcile. Called for the old and the new object of an update. It may read
caches: of what its controller watches, they are complete. It does not wait: what has to belongs in an event source or
in the reconciler.
"""


@dataclass(frozen=True, slots=True)
class Watch(Generic[R]):
    """A kind that a controller watches, and whom its changes concern."""

    kind: Model
    map: MapFunction[R]
    predicates: Sequence[Predicate] = ()
    """All must hold."""
    metadata_only: bool = False
    """Watch and keep PartialObjectMetadata only: less memory, for who needs names, labels and owners."""
    clusters: ClusterScope | None = None
    """Where; None: where its controller does."""
    to_own_cluster: bool = False
    """The names are of the manager's own cluster, whatever cluster the object is in. Otherwise a Request without a
    cluster is of the object's.
    """

    def __post_init__(self) -> None:
        for function in (self.map, *self.predicates):
            if inspect.iscoroutinefunction(function):
                raise TypeError(
                    f"a watch of {kind_of(self.kind)}: {function.__qualname__} is asynchronous; what decides whom a "
                    "change concerns must not wait, let an event source or the reconciler do it"
                )


def own_request(value: Any) -> tuple[Request]:
    """The object itself."""
    return (Request(*key_pair_of(value)),)


def owner_requests(owner: Model, *, any_owner: bool = False) -> MapFunction[Request]:
    """The owners of that kind: the controlling one, or with `any_owner` every one. Versions are not
    compared.
    """
    kind = kind_of(owner)
    group, kind_name, namespaced = kind.group, kind.kind, kind.namespaced

    def requests(value: Any) -> Iterable[Request]:
        for each in owners_of(value):
            if each.kind == kind_name and (any_owner or each.controller):
                owner_group = each.api_version.rpartition("/")[0]
                if owner_group == group:
                    yield Request(key_pair_of(value)[0] if namespaced else "", each.name)

    return requests
