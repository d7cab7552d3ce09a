"""Who owns whom: every object that has an owner, every owner, and what the collector must look at next.

Pure. Told of objects as watches tell them, in any order between kinds: a dependent may come before its owner, which
then stands in as a guess until the owner is seen or the API server says that there is none.

Promises
    G1  an object is named for a look whenever its answer may have changed: it lost an owner, it is being deleted
        with its dependents to go first, or one of those went
    G2  what is forgotten leaves nothing behind: no node without an object, an owner or a dependent
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FOREGROUND", "ORPHAN", "Graph", "Identity", "Node", "Owner"]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object, by where it is found and by its uid."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of ownerReferences."""

    uid: str
    api_version: str
    kind: str
    name: str
    blocks: bool
    """The owner waits for this dependent when it is deleted in the foreground."""


@dataclass(slots=True, eq=False)
class Node:
    """One object, or the guess that there is one."""

    identity: Identity
    owners: tuple[Owner, ...] = ()
    being_deleted: bool = False
    foreground: bool = False
    """Being deleted, dependents first."""
    orphaning: bool = False
    """Being deleted, dependents to be let go."""
    guessed: bool = False
    """Only known from a dependent's reference."""
    dependents: "dict[str, Node]" = field(default_factory=dict[str, "Node"])

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
    """All nodes by uid. `changed` names, once, what must be looked at since it was last asked."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._changed: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def changed(self) -> list[str]:
        """The uids to look at, in the order in which that became known; asked again, only later ones."""
        uids = list(self._changed)
        self._changed.clear()
        return uids

    def uids(self, api_version: str, kind: str) -> Iterator[str]:
        """The seen objects of a kind."""
        for uid, node in self._nodes.items():
            identity = node.identity
            if identity.kind == kind and identity.api_version == api_version and not node.guessed:
                yield uid

    def see(self, identity: Identity, metadata: Mapping[str, Any]) -> None:
        """An object is there, with this metadata."""
        finalizers = metadata.get("finalizers") or ()
        deleted = bool(metadata.get("deletionTimestamp"))
        owners = tuple(_owners(metadata.get("ownerReferences") or ()))
        node = self._nodes.get(identity.uid)
        interesting = bool(owners) or deleted
        if node is None:
            if not interesting:
                return  # nobody's dependent and nobody's owner yet: it costs nothing
            node = self._nodes[identity.uid] = Node(identity)
        before = {each.uid for each in node.owners}
        node.identity = identity
        node.guessed = False
        node.owners = owners
        node.being_deleted = deleted
        node.foreground = deleted and FOREGROUND in finalizers
        node.orphaning = deleted and ORPHAN in finalizers
        after = {each.uid for each in owners}
        for gone in before - after:
            self._unlink(gone, node)
        for owner in owners:
            self._link(owner, node)
        if node.owners or node.foreground or node.orphaning:
            self._changed[identity.uid] = None
        if node.foreground:
            self._changed.update(dict.fromkeys(node.dependents))
        if deleted:
            # An owner that waits for this one may go on once it has let go; a foreground owner is asked again.
            self._changed.update((owner.uid, None) for owner in owners if owner.uid in self._nodes)
        self._tidy(identity.uid)

    def forget(self, uid: str) -> None:
        """An object is gone: its dependents have lost an owner, its owners a dependent."""
        node = self._nodes.get(uid)
        if node is None:
            return
        self._changed.update(dict.fromkeys(node.dependents))
        for owner in node.owners:
            self._unlink(owner.uid, node)
            standing = self._nodes.get(owner.uid)
            if standing is not None and standing.foreground:
                self._changed[owner.uid] = None
        node.owners = ()
        node.being_deleted = node.foreground = node.orphaning = False
        node.guessed = True
        self._changed.pop(uid, None)
        self._tidy(uid)

    def _link(self, owner: Owner, node: Node) -> None:
        standing = self._nodes.get(owner.uid)
        if standing is None:
            identity = Identity(owner.api_version, owner.kind, node.identity.namespace, owner.name, owner.uid)
            standing = self._nodes[owner.uid] = Node(identity, guessed=True)
        standing.dependents[node.identity.uid] = node

    def _unlink(self, uid: str, node: Node) -> None:
        standing = self._nodes.get(uid)
        if standing is None:
            return
        standing.dependents.pop(node.identity.uid, None)
        if standing.foreground:
            self._changed[uid] = None
        self._tidy(uid)

    def _tidy(self, uid: str) -> None:
        """Drops a node that says nothing: no dependents, no owners, no deletion."""
        node = self._nodes.get(uid)
        if node is not None and not (node.dependents or node.owners or node.being_deleted):
            del self._nodes[uid]
            self._changed.pop(uid, None)


def _owners(references: Iterable[Mapping[str, Any]]) -> Iterator[Owner]:
    for each in references:
        yield Owner(
            each.get("uid", ""),
            each.get("apiVersion", ""),
            each.get("kind", ""),
            each.get("name", ""),
            bool(each.get("blockOwnerDeletion")),
        )
