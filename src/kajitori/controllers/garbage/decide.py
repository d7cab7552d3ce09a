"""What to do with one object, given its owners. A pure, total function.

States of an object that has owners
    held        an owner is there and stays: references to owners that are gone or going are taken off
    waited-for  no owner stays, but one that is going waits for its dependents: it goes, its own dependents first
    garbage     no owner is there: it goes

Invariants
    D1  an object that has an owner which is there, and is not going in the foreground, is never deleted
    D2  an object without owner references is never deleted
    D3  an object that is being deleted is not deleted again
"""

from dataclasses import dataclass
from enum import StrEnum

from kajitori.controllers.garbage.graph import FOREGROUND, ORPHAN, Node, Owner

__all__ = ["Delete", "Drop", "Fate", "LetGo", "Nothing", "Orphan", "Plan", "decide"]


class Fate(StrEnum):
    """What became of an owner."""

    THERE = "there"
    GOING = "going"
    """It is being deleted in the foreground, and waits for its dependents."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it should be."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Take references to these owners off the object."""

    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object, with this propagation."""

    propagation: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """Nothing is left to wait for: take the foreground finalizer off."""

    finalizer: str = FOREGROUND


@dataclass(frozen=True, slots=True)
class Orphan:
    """Take this owner off its dependents, then its finalizer off it."""

    dependents: tuple[str, ...]
    finalizer: str = ORPHAN


Plan = Nothing | Drop | Delete | LetGo | Orphan


def decide(node: Node, fates: dict[str, Fate], finalizers: tuple[str, ...] = ()) -> Plan:
    """The plan for `node`; `fates` says of each of its owners' uids what became of it.

    `finalizers` are the object's own: one that names a propagation decides how its dependents go.
    """
    if node.orphaning:
        return Orphan(tuple(node.dependents))
    if node.foreground:
        return Nothing() if node.blocking else LetGo()
    if node.being_deleted or not node.owners:
        return Nothing()
    there = [each for each in node.owners if fates[each.uid] is Fate.THERE]
    if there:
        lost = tuple(each.uid for each in node.owners if fates[each.uid] is not Fate.THERE)
        return Drop(lost) if lost else Nothing()
    going: list[Owner] = [each for each in node.owners if fates[each.uid] is Fate.GOING]
    if going and node.dependents:
        return Delete("Foreground")
    if ORPHAN in finalizers:
        return Delete("Orphan")
    return Delete("Foreground" if FOREGROUND in finalizers else "Background")
