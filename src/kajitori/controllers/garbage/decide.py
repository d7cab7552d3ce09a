"""What to do with one object, given its owners. A pure, total function.

States of an object
    orphaning   it is being deleted and lets its dependents go: they lose their reference, then it goes
    foreground  it is being deleted after its dependents: it goes when none of those that block it is left
    going       it is being deleted otherwise: nothing to do
    held        an owner is there and stays: references to owners that are gone or going are taken off
    waited-for  no owner stays, but one waits for its dependents: it goes, its own dependents first
    garbage     it has owners, and none is there: it goes
    free        it has no owners

Invariants
    D1  an object that has an owner which is there, and does not wait for it, is never deleted
    D2  an object without owner references is never deleted
    D3  an object that is being deleted is not deleted again
    D4  a finalizer is taken off only when nothing is left to wait for
    D5  only references to owners that are gone or wait for their dependents are taken off, and only where another
        owner stays
    D6  how an object is deleted follows the propagation that its own finalizers ask for

Source: Kubernetes' garbagecollector attemptToDeleteItem.
"""

from enum import StrEnum

import msgspec

from kajitori.controllers.garbage.graph import FOREGROUND, ORPHAN, Owner

__all__ = [
    "NOTHING",
    "Delete",
    "Drop",
    "Fate",
    "LetGo",
    "Nothing",
    "ObjectSeen",
    "Orphan",
    "Plan",
    "WaitFor",
    "decide",
]


class Fate(StrEnum):
    """What became of an owner."""

    THERE = "there"
    WAITING = "waiting"
    """It is being deleted in the foreground, and waits for its dependents."""
    GONE = "gone"


class ObjectSeen(msgspec.Struct, frozen=True):
    """One object, as the API server has it, and its place in the graph."""

    owners: tuple[tuple[Owner, Fate], ...] = ()
    finalizers: tuple[str, ...] = ()
    being_deleted: bool = False
    foreground: bool = False
    orphaning: bool = False
    blocking: tuple[str, ...] = ()
    """The uids of the dependents that it waits for when it goes in the foreground."""
    has_dependents: bool = False
    dependents_wait: bool = False
    """One of its dependents is itself being deleted in the foreground: perhaps a circle."""
    waits_for_itself: bool = False
    """It is being deleted in the foreground, and so are others that wait for one another in a circle with it."""


class Nothing(msgspec.Struct, frozen=True):
    """All is as it should be."""


class Drop(msgspec.Struct, frozen=True):
    """Take references to these owners off the object."""

    uids: tuple[str, ...]


class Delete(msgspec.Struct, frozen=True):
    """Delete the object, with this propagation."""

    propagation: str
    unblock: bool = False
    """First let its owners not wait for it: they wait for one another in a circle."""


class WaitFor(msgspec.Struct, frozen=True):
    """Look at these dependents, which must go first."""

    dependents: tuple[str, ...]
    unblock: bool = False
    """And let its owners not wait for it: one of them is among those it waits for."""


class LetGo(msgspec.Struct, frozen=True):
    """Nothing is left to wait for: take the foreground finalizer off."""


class Orphan(msgspec.Struct, frozen=True):
    """Take this owner off its dependents, then its finalizer off it."""


Plan = Nothing | Drop | Delete | WaitFor | LetGo | Orphan

NOTHING = Nothing()


def decide(seen: ObjectSeen) -> Plan:
    """The plan for one object."""
    if seen.orphaning:
        return Orphan()
    if seen.foreground:
        return WaitFor(seen.blocking, seen.waits_for_itself) if seen.blocking else LetGo()
    if seen.being_deleted or not seen.owners:
        return NOTHING
    staying = {owner.uid for owner, fate in seen.owners if fate is Fate.THERE}
    if staying:
        leaving = tuple(dict.fromkeys(owner.uid for owner, _ in seen.owners if owner.uid not in staying))
        return Drop(leaving) if leaving else NOTHING
    waited_for = any(fate is Fate.WAITING for _, fate in seen.owners)
    if waited_for and seen.has_dependents:
        return Delete(
            "Foreground", unblock=seen.dependents_wait and any(each.blocks for each, _ in seen.owners)
        )
    if ORPHAN in seen.finalizers:
        return Delete("Orphan")
    return Delete("Foreground" if FOREGROUND in seen.finalizers else "Background")
