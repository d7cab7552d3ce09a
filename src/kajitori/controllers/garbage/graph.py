"""Who owns whom: every object of the cluster, every owner that somebody names, and what must be looked at next.

Pure. Told of objects as watches tell them, in any order between kinds: a dependent may come before its owner, which
then stands in unobserved, with the coordinates that the dependent gave it, until the owner is seen or the API server
says that there is none. References may be wrong: to another namespace, another name, another version. A uid alone
therefore proves nothing; only an object that was not found under the very coordinates of a reference is absent.

Promises
    G1  an object is named for a look whenever its answer may have changed: an owner of it went or is not the one it
        names, it is being deleted with its dependents to go first or to be let go, or one of those went
    G2  what is forgotten leaves nothing behind: a node is an object that was seen and not seen going, or is named
        as an owner
    G3  an owner counts as absent only under coordinates under which it was seen going, or was not found

Source: Kubernetes' garbagecollector graph_builder.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

__all__ = ["FOREGROUND", "ORPHAN", "Graph", "Identity", "Misplaced", "Node", "Owner", "owners_in"]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"

ABSENT_MAX = 2_000
"""Owners that are known to be gone: asked for once, not by every one of their dependents."""


class Identity(NamedTuple):
    """Which object: where it is found, and its uid."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return (
            f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, "
            f"name: {self.name}, uid: {self.uid}]"
        )


class Owner(NamedTuple):
    """One entry of ownerReferences."""

    uid: str
    api_version: str
    kind: str
    name: str
    blocks: bool
    """The owner waits for this dependent when it is deleted in the foreground."""

    def identity(self, namespace: str) -> Identity:
        """What the reference names, said by an object in `namespace`."""
        return Identity(self.api_version, self.kind, namespace, self.name, self.uid)

    def matches(self, identity: Identity) -> bool:
        """Whether it names that object, wherever it is."""
        return identity == self.identity(identity.namespace)


class Misplaced(NamedTuple):
    """A reference to an object that is in another namespace."""

    dependent: Identity
    owner: Identity
    """As the dependent names it."""


class Node(msgspec.Struct, eq=False):
    """One object, or the guess that there is one."""

    identity: Identity
    owners: tuple[Owner, ...] = ()
    observed: bool = False
    """Seen by a watch; otherwise only known from a dependent's reference."""
    being_deleted: bool = False
    foreground: bool = False
    """Being deleted, dependents first."""
    orphaning: bool = False
    """Being deleted, dependents to be let go."""
    dependents: "dict[str, Node]" = msgspec.field(default_factory=dict)

    @property
    def blocking(self) -> "list[Node]":
        """The dependents that a deletion in the foreground waits for."""
        uid = self.identity.uid
        return [
            each
            for each in self.dependents.values()
            if any(owner.uid == uid and owner.blocks for owner in each.owners)
        ]


class Graph:
    """All nodes by uid. `changed` and `misplaced` name, once, what became of interest since last asked."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._changed: dict[str, None] = {}
        self._unverified: dict[str, None] = {}
        self._misplaced: list[Misplaced] = []
        self._absent: dict[Identity, None] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def nodes(self) -> Iterator[Node]:
        """All of them, observed or not."""
        return iter(self._nodes.values())

    def waits_for_itself(self, node: Node) -> bool:
        """Whether a deletion in the foreground waits, through others of its sort, for its own end."""
        seen: set[str] = set()
        waiting = [node]
        while waiting:
            for each in waiting.pop().blocking:
                if each is node:
                    return True
                if each.foreground and each.identity.uid not in seen:
                    seen.add(each.identity.uid)
                    waiting.append(each)
        return False

    def changed(self) -> list[str]:
        """The uids to look at, in the order in which that became known; asked again, only later ones."""
        uids = [*self._changed, *self._unverified]
        self._changed.clear()
        self._unverified.clear()
        return uids

    def misplaced(self) -> list[Misplaced]:
        """References across namespaces, which people should hear of."""
        found, self._misplaced = self._misplaced, []
        return found

    def is_absent(self, owner: Owner, namespace: str) -> bool:
        """Whether what a reference in `namespace` names is known not to be there."""
        return owner.identity(namespace) in self._absent or owner.identity("") in self._absent

    def note_absent(self, identity: Identity) -> None:
        """There is no such object. A uid never comes back; the oldest notes are forgotten."""
        if len(self._absent) >= ABSENT_MAX:
            del self._absent[next(iter(self._absent))]
        self._absent[identity] = None

    # What watches tell.

    def see(
        self, identity: Identity, owners: Sequence[Owner], finalizers: Sequence[str], deleted: bool
    ) -> None:
        """An object is there, with these owners."""
        uid = identity.uid
        node = self._nodes.get(uid)
        if node is None:
            node = self._nodes[uid] = Node(identity, observed=True)
        elif not node.observed:
            self._observe(node, identity)
        if owners != node.owners:
            self._relink(node, tuple(owners))
        node.being_deleted = deleted
        foreground, orphaning = deleted and FOREGROUND in finalizers, deleted and ORPHAN in finalizers
        if orphaning and not node.orphaning:
            self._changed[uid] = None
        if foreground and not node.foreground:
            self._changed.update(dict.fromkeys(node.dependents))
            self._changed[uid] = None
        node.foreground, node.orphaning = foreground, orphaning

    def forget(self, uid: str) -> None:
        """An object was seen going: its dependents have lost an owner, its owners a dependent."""
        node = self._nodes.get(uid)
        if node is None or not node.observed:
            return
        self._remove(node, node.identity)

    def unwatch(self, uid: str) -> None:
        """Nobody tells of this object any more: whether it is there must be asked.

        Until that is answered its owners go on waiting for it, and its dependents count on it.
        """
        node = self._nodes.get(uid)
        if node is not None:
            node.observed = False
            self._unverified[uid] = None

    # What the API server answers.

    def vanish(self, identity: Identity) -> None:
        """The API server has no such object.

        Where dependents name it otherwise, the node takes the next of their names, to be asked for in turn.
        """
        node = self._nodes.get(identity.uid)
        if node is None:
            return
        matching, others = _partition(node.dependents.values(), identity)
        if node.identity == identity and (node.observed or not others):
            self._remove(node, identity)
            return
        self.note_absent(identity)
        self._changed.update((each.identity.uid, None) for each in matching)
        if not node.observed and node.identity == identity:
            other = next((each for each in _names(others, identity.uid) if each not in self._absent), None)
            if other is not None:
                node.identity = other
                self._changed[identity.uid] = None

    # Inside.

    def _observe(self, node: Node, identity: Identity) -> None:
        """A guess turns out to be there, perhaps not as its dependents say."""
        if node.identity != identity:
            for each in _partition(node.dependents.values(), identity)[1]:
                self._report_misplaced(each, identity)
                self._changed[each.identity.uid] = None
            node.identity = identity
        node.observed = True
        self._unverified.pop(identity.uid, None)

    def _relink(self, node: Node, owners: tuple[Owner, ...]) -> None:
        before, after = set(node.owners), set(owners)
        node.owners = owners
        for uid in {each.uid for each in before} - {each.uid for each in after}:
            self._unlink(uid, node)
        for owner in owners:
            if owner not in before:
                self._link(owner, node)
        for each in before ^ after:
            standing = self._nodes.get(each.uid)
            if standing is not None and standing.foreground:
                # Either it waits for one less, or it has one more to delete.
                self._changed[each.uid] = None
                self._changed[node.identity.uid] = None

    def _link(self, owner: Owner, node: Node) -> None:
        standing = self._nodes.get(owner.uid)
        namespace = node.identity.namespace
        if standing is None:
            standing = self._nodes[owner.uid] = Node(owner.identity(namespace))
            self._unverified[owner.uid] = None
        elif standing.identity.namespace and standing.identity.namespace != namespace:
            if standing.observed:
                self._report_misplaced(node, standing.identity)
            self._changed[node.identity.uid] = None
        elif not owner.matches(standing.identity) or (
            not standing.observed and self.is_absent(owner, namespace)
        ):
            self._changed[node.identity.uid] = None
        standing.dependents[node.identity.uid] = node

    def _unlink(self, uid: str, node: Node) -> None:
        standing = self._nodes.get(uid)
        if standing is None:
            return
        standing.dependents.pop(node.identity.uid, None)
        if standing.foreground:
            self._changed[uid] = None
        if not (standing.observed or standing.dependents or standing.owners):
            self._drop(standing)

    def _remove(self, node: Node, identity: Identity) -> None:
        owners, node.owners = node.owners, ()
        for owner in owners:
            self._unlink(owner.uid, node)
        if node.dependents:
            self.note_absent(identity)
        self._drop(node)
        self._changed.update(dict.fromkeys(node.dependents))

    def _drop(self, node: Node) -> None:
        uid = node.identity.uid
        del self._nodes[uid]
        self._changed.pop(uid, None)
        self._unverified.pop(uid, None)

    def _report_misplaced(self, node: Node, owner: Identity) -> None:
        if owner.namespace and owner.namespace != node.identity.namespace:
            said = next((each for each in node.owners if each.uid == owner.uid), None)
            if said is not None:
                self._misplaced.append(Misplaced(node.identity, said.identity(node.identity.namespace)))


def owners_in(references: Iterable[Mapping[str, Any]]) -> tuple[Owner, ...]:
    """The entries of `metadata.ownerReferences`."""
    return tuple(
        Owner(
            each.get("uid", ""),
            each.get("apiVersion", ""),
            each.get("kind", ""),
            each.get("name", ""),
            bool(each.get("blockOwnerDeletion")),
        )
        for each in references
    )


def _partition(dependents: Iterable[Node], identity: Identity) -> tuple[list[Node], list[Node]]:
    """The dependents that mean this very object, and those that mean another of its uid."""
    matching: list[Node] = []
    others: list[Node] = []
    for node in dependents:
        if identity.namespace and identity.namespace != node.identity.namespace:
            others.append(node)
            continue
        meant = [each.matches(identity) for each in node.owners if each.uid == identity.uid]
        if any(meant):
            matching.append(node)
        if not all(meant):
            others.append(node)
    return matching, others


def _names(dependents: Iterable[Node], uid: str) -> Iterator[Identity]:
    """The identities by which dependents name an owner."""
    for node in dependents:
        for owner in node.owners:
            if owner.uid == uid:
                yield owner.identity(node.identity.namespace)
