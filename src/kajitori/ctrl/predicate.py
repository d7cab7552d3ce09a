"""Which changes are worth waking a reconciler for.

A predicate is a function of a `Change`; combine them with `all_of`, `any_of`, `negated`. Sits between the
informer, which tells changes, and the handlers, which turn them into names.

Source: controller-runtime's pkg/predicate.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from kajitori.client.accessors import annotations_of, generation_of, labels_of, resource_version_of

__all__ = [
    "Change",
    "Predicate",
    "all_of",
    "annotation_changed",
    "any_of",
    "generation_changed",
    "label_changed",
    "negated",
    "resource_version_changed",
]


class Change(NamedTuple):
    """What an informer saw happen to one object."""

    type: Literal["create", "update", "delete"]
    object: Any
    """As it is now; of a deletion, as it was last."""
    old: Any = None
    """Before an update."""
    initial: bool = False
    """A create that only says that the object was there when watching began."""
    missed: bool = False
    """A deletion learnt from a list: `object` may be older than what was deleted."""


Predicate = Callable[[Change], bool]


def generation_changed(change: Change) -> bool:
    """Leaves out updates that touch only metadata or status. Useless for kinds that count no generations."""
    return change.type != "update" or generation_of(change.old) != generation_of(change.object)


def resource_version_changed(change: Change) -> bool:
    """Leaves out resyncs: updates in which nothing happened."""
    return change.type != "update" or resource_version_of(change.old) != resource_version_of(change.object)


def label_changed(change: Change) -> bool:
    """Leaves out updates that leave the labels alone."""
    return change.type != "update" or labels_of(change.old) != labels_of(change.object)


def annotation_changed(change: Change) -> bool:
    """Leaves out updates that leave the annotations alone."""
    return change.type != "update" or annotations_of(change.old) != annotations_of(change.object)


def all_of(*predicates: Predicate) -> Predicate:
    return lambda change: all(each(change) for each in predicates)


def any_of(*predicates: Predicate) -> Predicate:
    return lambda change: any(each(change) for each in predicates)


def negated(predicate: Predicate) -> Predicate:
    return lambda change: not predicate(change)
