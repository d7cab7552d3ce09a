"""The graph in a model cluster: watches that lag behind, references that are wrong, a collector that acts."""

import random as randomness
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.controllers.support import thorough

from kajitori.controllers.garbage.decide import (
    Delete,
    Drop,
    Fate,
    LetGo,
    ObjectSeen,
    Orphan,
    WaitFor,
    decide,
)
from kajitori.controllers.garbage.graph import FOREGROUND, ORPHAN, Graph, Identity, Node, Owner

LOOKS_MAX = 5_000
KINDS = ("A", "B", "C")


@dataclass(frozen=True)
class Thing:
    """One object of the model cluster."""

    identity: Identity
    owners: tuple[Owner, ...] = ()
    finalizers: tuple[str, ...] = ()
    deleted: bool = False


@dataclass
class Cluster:
    """Objects, and one watch a kind that tells of them in order, whenever it gets to it."""

    things: dict[tuple[str, str, str], Thing] = field(default_factory=dict)
    watches: dict[str, deque[tuple[str, Thing]]] = field(
        default_factory=lambda: {kind: deque() for kind in KINDS}
    )
    made: int = 0
    killed_with_owner: list[str] = field(default_factory=list)

    def create(self, kind: str, namespace: str, name: str, owners: tuple[Owner, ...], held: bool) -> None:
        key = (kind, namespace, name)
        if key not in self.things:
            self.made += 1
            identity = Identity("v1", kind, namespace, name, f"{kind}-{name}-{self.made}")
            self.put(Thing(identity, owners, ("hold",) if held else ()))

    def put(self, thing: Thing) -> None:
        identity = thing.identity
        key = (identity.kind, identity.namespace, identity.name)
        if thing.deleted and not thing.finalizers:
            del self.things[key]
            self.watches[identity.kind].append(("DELETED", thing))
        elif self.things.get(key) != thing:
            self.things[key] = thing
            self.watches[identity.kind].append(("SEEN", thing))

    def get(self, identity: Identity) -> Thing | None:
        found = self.things.get((identity.kind, identity.namespace, identity.name))
        return found if found is not None and found.identity.uid == identity.uid else None

    def delete(self, thing: Thing, propagation: str) -> None:
        finalizers = [each for each in thing.finalizers if each not in (FOREGROUND, ORPHAN)]
        finalizers += {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(propagation, [])
        self.put(replace(thing, finalizers=tuple(finalizers), deleted=True))

    def holds(self, owner: Owner, namespace: str) -> bool:
        return self.get(owner.identity(namespace)) is not None


class Collector:
    """Asks and acts as the real one does, on the model."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.graph = Graph()

    def hear(self, kind: str) -> bool:
        """The next event of a watch. Whether there was one."""
        events = self.cluster.watches[kind]
        if not events:
            return False
        type_, thing = events.popleft()
        if type_ == "DELETED":
            self.graph.forget(thing.identity.uid)
        else:
            self.graph.see(thing.identity, thing.owners, thing.finalizers, thing.deleted)
        return True

    def look(self, uid: str) -> bool:
        """One object. Whether it must be looked at again."""
        node, cluster = self.graph.get(uid), self.cluster
        if node is None or (node.being_deleted and not (node.foreground or node.orphaning)):
            return False
        live = cluster.get(node.identity)
        if live is None:
            self.graph.vanish(node.identity)
            return False
        namespace = live.identity.namespace
        owners = () if node.foreground or node.orphaning else live.owners
        seen = ObjectSeen(
            tuple((owner, self.fate(owner, namespace)) for owner in owners),
            live.finalizers,
            node.being_deleted or live.deleted,
            node.foreground,
            node.orphaning,
            tuple(each.identity.uid for each in node.blocking),
            bool(node.dependents),
            any(each.foreground for each in node.dependents.values()),
            node.foreground and self.graph.waits_for_itself(node),
        )
        self.act(node, live, decide(seen))
        return not node.observed

    def fate(self, owner: Owner, namespace: str) -> Fate:
        if self.graph.is_absent(owner, namespace):
            assert not self.cluster.holds(owner, namespace)  # G3
            return Fate.GONE
        live = self.cluster.get(owner.identity(namespace))
        if live is None:
            self.graph.note_absent(owner.identity(namespace))
            return Fate.GONE
        return Fate.WAITING if live.deleted and FOREGROUND in live.finalizers else Fate.THERE

    def act(self, node: Node, live: Thing, plan: Any) -> None:
        cluster = self.cluster
        match plan:
            case Drop(uids):
                cluster.put(replace(live, owners=tuple(each for each in live.owners if each.uid not in uids)))
            case Delete(propagation, unblock):
                for owner in live.owners:
                    standing = cluster.get(owner.identity(live.identity.namespace))
                    assert standing is None or FOREGROUND in standing.finalizers, "a held object is deleted"
                if unblock:
                    live = replace(live, owners=tuple(each._replace(blocks=False) for each in live.owners))
                    cluster.put(live)
                cluster.delete(live, propagation)
            case WaitFor(dependents, unblock):
                if unblock:
                    cluster.put(
                        replace(live, owners=tuple(each._replace(blocks=False) for each in live.owners))
                    )
                for each in dependents:
                    waiting = self.graph.get(each)
                    if waiting is not None and not waiting.foreground:
                        self.look(each)
            case LetGo():
                cluster.put(
                    replace(live, finalizers=tuple(each for each in live.finalizers if each != FOREGROUND))
                )
            case Orphan():
                for dependent in list(node.dependents.values()):
                    found = cluster.get(dependent.identity)
                    if found is not None:
                        kept = tuple(each for each in found.owners if each.uid != node.identity.uid)
                        cluster.put(replace(found, owners=kept))
                cluster.put(
                    replace(live, finalizers=tuple(each for each in live.finalizers if each != ORPHAN))
                )
            case _:
                pass

    def quiet(self, random: randomness.Random) -> None:
        """Hears and looks, in any order, until there is nothing left."""
        waiting: list[str] = []
        for _ in range(LOOKS_MAX):
            waiting += self.graph.changed()
            moves = [kind for kind in KINDS if self.cluster.watches[kind]]
            if waiting and (not moves or random.random() < 0.5):
                uid = waiting.pop(random.randrange(len(waiting)))
                if self.look(uid):
                    waiting.append(uid)
            elif moves:
                self.hear(random.choice(moves))
            else:
                return
        raise AssertionError(f"not quiet after {LOOKS_MAX} looks: {waiting}")


moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("create"),
            st.sampled_from(KINDS),
            st.sampled_from(["n", "m"]),
            st.sampled_from("12"),
            st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), max_size=2),
            st.booleans(),
        ),
        st.tuples(
            st.just("delete"), st.integers(0, 9), st.sampled_from(["Background", "Foreground", "Orphan"])
        ),
        st.tuples(st.just("adopt"), st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans()),
        st.tuples(st.just("hear"), st.sampled_from(KINDS)),
        st.tuples(st.just("work")),
        st.tuples(st.just("quiet")),
    ),
    max_size=30,
)


def reference(cluster: Cluster, position: int, blocks: bool, wrong: bool) -> Owner | None:
    """A reference to some object, perhaps with a wrong name."""
    things = list(cluster.things.values())
    if not things:
        return None
    identity = things[position % len(things)].identity
    name = "wrong" if wrong else identity.name
    return Owner(identity.uid, identity.api_version, identity.kind, name, blocks)


def play(happened: list[Any], random: randomness.Random) -> tuple[Cluster, Collector]:
    cluster = Cluster()
    collector = Collector(cluster)
    for what, *rest in happened:
        things = list(cluster.things.values())
        if what == "create":
            kind, namespace, name, named, held = rest
            owners = [reference(cluster, *each) for each in named]
            unique = {each.uid: each for each in owners if each is not None}
            cluster.create(kind, namespace, name, tuple(unique.values()), held)
        elif what == "hear":
            collector.hear(rest[0])
        elif what == "work":
            for uid in collector.graph.changed():
                collector.look(uid)
        elif what == "quiet":
            collector.quiet(random)
        elif things and what == "delete":
            cluster.delete(things[rest[0] % len(things)], rest[1])
        elif things and what == "adopt":
            thing, owner = things[rest[0] % len(things)], reference(cluster, *rest[1:])
            if owner is not None and owner.uid != thing.identity.uid:
                kept = tuple(each for each in thing.owners if each.uid != owner.uid)
                cluster.put(replace(thing, owners=(*kept, owner)))
    return cluster, collector


def check_graph(cluster: Cluster, graph: Graph) -> None:
    """When all was heard, the graph is the cluster, and nothing more (G2)."""
    there = {each.identity.uid: each for each in cluster.things.values()}
    for node in graph.nodes():
        uid = node.identity.uid
        if not node.observed:
            assert node.dependents and uid not in there
            continue
        thing = there.pop(uid)
        assert (node.identity, node.owners, node.being_deleted) == (
            thing.identity,
            thing.owners,
            thing.deleted,
        )
        for owner in node.owners:
            standing = graph.get(owner.uid)
            # Who names an owner wrongly may have been told that there is none, before the owner itself was seen.
            right = standing is not None and owner.identity(node.identity.namespace) == standing.identity
            assert standing is None or not right or uid in standing.dependents
        for dependent in node.dependents:
            found = graph.get(dependent)
            assert found is not None and any(each.uid == uid for each in found.owners)
    assert there == {}


@thorough(200)
@given(moves, st.integers(0, 1 << 30))
def test_in_the_end_exactly_the_garbage_is_gone(happened: list[Any], seed: int) -> None:
    random = randomness.Random(seed)
    cluster, collector = play(happened, random)
    collector.quiet(random)
    check_graph(cluster, collector.graph)
    for thing in cluster.things.values():
        if thing.deleted:
            # Only what somebody else holds, or what waits for such a one, is still on its way.
            assert "hold" in thing.finalizers or FOREGROUND in thing.finalizers
        elif thing.owners:
            namespace = thing.identity.namespace
            assert any(cluster.holds(owner, namespace) for owner in thing.owners)
    # Whoever holds something lets it go: then nobody waits any more.
    for thing in list(cluster.things.values()):
        cluster.put(replace(thing, finalizers=tuple(each for each in thing.finalizers if each != "hold")))
    collector.quiet(random)
    assert not [each for each in cluster.things.values() if each.deleted]
    check_graph(cluster, collector.graph)


@thorough(60)
@given(moves, st.integers(0, 1 << 30))
def test_a_kind_that_is_not_watched_any_more_takes_nothing_with_it(happened: list[Any], seed: int) -> None:
    random = randomness.Random(seed)
    cluster, collector = play(happened, random)
    collector.quiet(random)
    before = set(cluster.things)
    for node in [each for each in collector.graph.nodes() if each.identity.kind == "A" and each.observed]:
        collector.graph.unwatch(node.identity.uid)
    for _ in range(3):
        for uid in collector.graph.changed():
            collector.look(uid)
    assert set(cluster.things) == before
    # It is served again, in another version: everything is found again.
    for thing in cluster.things.values():
        if thing.identity.kind == "A":
            identity = thing.identity._replace(api_version="v2")
            collector.graph.see(identity, thing.owners, thing.finalizers, thing.deleted)
    assert all(node.observed or node.dependents for node in collector.graph.nodes())
    for thing in cluster.things.values():
        found = collector.graph.get(thing.identity.uid)
        assert found is not None and found.observed and found.owners == thing.owners


def identity(name: str, namespace: str = "n", uid: str = "") -> Identity:
    return Identity("v1", "A", namespace, name, uid or name)


def owner(name: str, *, uid: str = "", blocks: bool = False) -> Owner:
    return Owner(uid or name, "v1", "A", name, blocks)


def test_a_dependent_that_comes_before_its_owner_needs_no_question() -> None:
    graph = Graph()
    graph.see(identity("child"), (owner("parent"),), (), False)
    graph.see(identity("parent"), (), (), False)
    assert graph.changed() == []


def test_a_status_that_changes_is_no_reason_to_look() -> None:
    graph = Graph()
    graph.see(identity("parent"), (), (), False)
    graph.see(identity("child"), (owner("parent"),), (), False)
    graph.changed()
    graph.see(identity("child"), (owner("parent"),), (), False)
    assert graph.changed() == []


def test_an_owner_that_was_never_seen_is_asked_for_once() -> None:
    graph = Graph()
    for number in range(3):
        graph.see(identity(f"child-{number}"), (owner("parent"),), (), False)
    assert graph.changed() == ["parent"]
    graph.vanish(identity("parent"))
    assert graph.changed() == ["child-0", "child-1", "child-2"]
    assert graph.is_absent(owner("parent"), "n") and not graph.is_absent(owner("parent"), "m")


def test_a_uid_under_another_name_proves_nothing() -> None:  # G3
    graph = Graph()
    graph.see(identity("parent"), (), (), False)
    graph.see(identity("good"), (owner("parent"),), (), False)
    graph.see(identity("bad"), (owner("other", uid="parent"),), (), False)
    graph.see(identity("far", "m"), (owner("parent"),), (), False)
    assert graph.changed() == ["bad", "far"]
    assert [(each.dependent.name, each.owner.namespace) for each in graph.misplaced()] == [("far", "m")]
    graph.note_absent(identity("other", uid="parent"))
    assert not graph.is_absent(owner("parent"), "n")


def test_names_that_dependents_disagree_about_are_asked_for_in_turn() -> None:
    graph = Graph()
    graph.see(identity("one"), (owner("x", uid="u"),), (), False)
    graph.see(identity("two"), (owner("y", uid="u"),), (), False)
    assert graph.changed() == ["two", "u"]
    graph.vanish(identity("x", uid="u"))
    assert graph.changed() == ["one", "u"]
    graph.vanish(identity("y", uid="u"))
    assert graph.changed() == ["two"]  # and that is all: nobody is asked again and again
    graph.see(identity("three"), (owner("y", uid="u"),), (), False)
    assert graph.changed() == ["three"]
