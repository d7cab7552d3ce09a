"""From client-side to server-side apply: what an updater owns is given to an applier, so that it can be taken away.

Who applied from the client is an updater of managedFields, and an applier does not remove what an updater owns. So
the fields of the updaters join those of the applier, and their entries go. It cannot be undone: who had set what from
the client is forgotten. It may be done before the first server-side apply or after it.

Promises
    U1  the applier has its own fields and those of each updater's entry of its apiVersion; where there was no applier,
        the first entry of the first updater becomes one
    U2  no entry of the updaters is left on that subresource; those of another apiVersion go with what they own, since
        fields cannot be converted without their object
    U3  every other entry stays as it is, and in its place
    U4  what is upgraded already needs no patch; the patch of anything else is a conflict for a server whose object has
        changed since
    U5  of several updaters the first named comes first: the same input gives the same entries

Source: client-go's util/csaupgrade (which takes updaters in any order), kubernetes/kubernetes#111967.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.entries import APPLY, UPDATE
from kajitori.apimachinery.managedfields.sets import (
    EMPTY,
    FieldsError,
    FieldSet,
    difference,
    ordered,
    parse,
    union,
)

__all__ = ["Upgrade", "find_owners", "patch_of", "upgrade"]

Entry = Mapping[str, Any]
"""An entry of managedFields."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The entries afterwards, and what has become of those before."""

    entries: list[Entry]
    taken: tuple[Entry, ...]
    """The updaters' entries whose fields are the applier's now."""
    dropped: tuple[Entry, ...]
    """The updaters' entries that are gone with their fields, being of another apiVersion."""
    gained: FieldSet
    """What the applier owns and did not own before."""

    @property
    def is_needed(self) -> bool:
        """Whether there was anything to upgrade."""
        return bool(self.taken or self.dropped)


def upgrade(
    entries: Sequence[Entry] | None, updaters: Sequence[str], applier: str, subresource: str = ""
) -> Upgrade:
    """What becomes of managedFields when the fields of these updaters are given to an applier.

    Raises: FieldsError for fields that mean no set.
    """
    left = list(entries or ())
    taken: list[Entry] = []
    dropped: list[Entry] = []
    target = _place(left, applier, APPLY, subresource)
    before = EMPTY if target is None else _fields(left[target])
    for updater in updaters:
        if target is None:
            target = _place(left, updater, UPDATE, subresource)
            if target is None:
                continue
            taken.append(left[target])
            left[target] = {**left[target], "manager": applier, "operation": APPLY}
        version = left[target].get("apiVersion")
        theirs = [each for each in left if _is(each, updater, UPDATE, subresource)]
        alike = [each for each in theirs if each.get("apiVersion") == version][:1]
        fields = _fields(left[target])
        for each in alike:
            fields = union(fields, _fields(each))
        taken += alike
        dropped += [each for each in theirs if all(each is not other for other in alike)]
        left[target] = {**left[target], "fieldsV1": ordered(fields)}
        left = [each for each in left if not _is(each, updater, UPDATE, subresource)]
        target = _place(left, applier, APPLY, subresource)
    after = before if target is None else _fields(left[target])
    return Upgrade(left, tuple(taken), tuple(dropped), difference(after, before))


def patch_of(upgraded: Upgrade, resource_version: str) -> list[JsonObject] | None:
    """The JSON patch that brings an upgrade about; None when there is nothing to do.

    `resource_version` is that of the object that was upgraded. It is replaced, not tested: a test that fails would
    be an invalid request (422), and this is the conflict (409) that it is.
    """
    if not upgraded.is_needed:
        return None
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": upgraded.entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
    ]


def find_owners(entries: Sequence[Entry] | None, operation: str, fields: FieldSet) -> list[Entry]:
    """The entries of an operation that own all of these fields. An entry that cannot be read owns nothing."""
    return [each for each in entries or () if each.get("operation") == operation and _owns(each, fields)]


def _owns(entry: Entry, fields: FieldSet) -> bool:
    try:
        return not difference(fields, _fields(entry))
    except FieldsError:
        return False


def _is(entry: Entry, manager: str, operation: str, subresource: str) -> bool:
    return (
        (entry.get("manager") or "") == manager
        and entry.get("operation") == operation
        and (entry.get("subresource") or "") == subresource
    )


def _place(entries: Sequence[Entry], manager: str, operation: str, subresource: str) -> int | None:
    for place, entry in enumerate(entries):
        if _is(entry, manager, operation, subresource):
            return place
    return None


def _fields(entry: Entry) -> FieldSet:
    try:
        return parse(entry.get("fieldsV1"))
    except RecursionError:
        raise FieldsError("exceeded max depth") from None
