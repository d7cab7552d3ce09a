"""What the garbage collector does with one object: every invariant over every sight of one."""

from hypothesis import given
from hypothesis import strategies as st

from kajitori.controllers.garbage.decide import (
    NOTHING,
    Delete,
    Drop,
    Fate,
    LetGo,
    ObjectSeen,
    Orphan,
    WaitFor,
    decide,
)
from kajitori.controllers.garbage.graph import Owner

owners = st.builds(
    Owner, st.sampled_from("abcd"), st.just("v1"), st.just("ConfigMap"), st.sampled_from("xy"), st.booleans()
)
sights = st.builds(
    ObjectSeen,
    owners=st.lists(st.tuples(owners, st.sampled_from(Fate)), max_size=4).map(tuple),
    finalizers=st.sets(st.sampled_from(["orphan", "foregroundDeletion", "x"])).map(tuple),
    being_deleted=st.booleans(),
    foreground=st.booleans(),
    orphaning=st.booleans(),
    blocking=st.lists(st.sampled_from("pq"), max_size=2).map(tuple),
    has_dependents=st.booleans(),
    dependents_wait=st.booleans(),
    waits_for_itself=st.booleans(),
)


@given(sights)
def test_what_an_owner_holds_is_never_deleted(seen: ObjectSeen) -> None:  # D1
    if any(fate is Fate.THERE for _, fate in seen.owners):
        assert not isinstance(decide(seen), Delete)


@given(sights)
def test_what_has_no_owner_is_never_deleted(seen: ObjectSeen) -> None:  # D2
    if not seen.owners:
        assert not isinstance(decide(seen), Delete)


@given(sights)
def test_what_is_being_deleted_is_not_deleted_again(seen: ObjectSeen) -> None:  # D3
    if seen.being_deleted or seen.foreground or seen.orphaning:
        assert not isinstance(decide(seen), Delete | Drop)


@given(sights)
def test_a_finalizer_goes_only_when_nothing_is_waited_for(seen: ObjectSeen) -> None:  # D4
    plan = decide(seen)
    if isinstance(plan, LetGo):
        assert seen.foreground and not seen.blocking and not seen.orphaning
    if isinstance(plan, WaitFor):
        assert plan.dependents == seen.blocking
    if isinstance(plan, Orphan):
        assert seen.orphaning


@given(sights)
def test_only_references_in_vain_are_taken_off_and_one_owner_stays(seen: ObjectSeen) -> None:  # D5
    plan = decide(seen)
    if isinstance(plan, Drop):
        there = {owner.uid for owner, fate in seen.owners if fate is Fate.THERE}
        assert there and plan.uids and not there & set(plan.uids)


@given(sights)
def test_the_propagation_is_the_one_the_object_asks_for(seen: ObjectSeen) -> None:  # D6
    plan = decide(seen)
    if not isinstance(plan, Delete):
        return
    waited_for = any(fate is Fate.WAITING for _, fate in seen.owners) and seen.has_dependents
    if waited_for:
        assert plan.propagation == "Foreground"
    elif "orphan" in seen.finalizers:
        assert plan.propagation == "Orphan"
    else:
        wanted = "Foreground" if "foregroundDeletion" in seen.finalizers else "Background"
        assert plan.propagation == wanted
    assert not plan.unblock or (seen.dependents_wait and any(owner.blocks for owner, _ in seen.owners))


def test_an_object_without_anything_is_left_alone() -> None:
    assert decide(ObjectSeen()) is NOTHING
