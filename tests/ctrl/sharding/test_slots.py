"""The table of slots: who works where, and who is to have what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.sharding import fnv1a_64, parse_shard_selector
from kajitori.ctrl.sharding.slots import (
    EMPTY,
    SLOTS,
    Slot,
    Table,
    hand_over,
    mine,
    owners,
    parse_table,
    plan,
    selector_of,
    slot_of,
    table_text,
    unknown,
)
from kajitori.ctrl.sharding.states import ShardState, available

READY, DEAD = ShardState.READY, ShardState.DEAD
names = st.sampled_from(["", "a", "b", "c", "d"])


def table_of(runs: list[tuple[int, str, str]]) -> Table:
    slots = [Slot(owner, heir) for length, owner, heir in runs for _ in range(length)]
    return tuple((slots * SLOTS)[:SLOTS])


tables = st.lists(st.tuples(st.integers(1, 90), names, names), min_size=1, max_size=12).map(table_of)
settled = st.lists(st.tuples(st.integers(1, 90), names, st.just("")), min_size=1, max_size=12).map(table_of)
states = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(ShardState))


def will_have(table: Table) -> dict[str, int]:
    return owners(Slot(slot.heir or slot.owner) for slot in table)


def test_the_first_shards_share_everything_at_once() -> None:
    table = plan(EMPTY, {"a": READY, "b": READY, "c": READY})
    assert owners(table) == {"a": 86, "b": 85, "c": 85}
    assert not any(slot.heir for slot in table)
    assert table_text(table).count("[") == 4


def test_who_comes_is_given_its_share_by_the_others() -> None:  # R1, R2
    before = plan(EMPTY, {"a": READY, "b": READY})
    table = plan(before, {"a": READY, "b": READY, "c": READY})
    assert owners(table) == owners(before) and will_have(table)["c"] == 85
    working, giving = mine(table, "a")
    assert len(working) + len(giving) == 128 and len(giving) in (42, 43)
    some = min(giving)
    after = hand_over(table, "a", lambda slot: slot == some)
    assert after[some] == Slot("c")
    assert [slot for number, slot in enumerate(after) if number != some] == [
        slot for number, slot in enumerate(table) if number != some
    ]


def test_who_leaves_gives_everything() -> None:
    table = plan(EMPTY, {"a": READY, "b": READY})
    after = hand_over(table, "a", lambda slot: True, leaves=True)
    assert owners(after) == {"b": 128}
    assert owners(plan(after, {"b": READY})) == {"b": 256}


@given(tables, states)
def test_nobody_else_takes_from_the_living(table: Table, known: dict[str, ShardState]) -> None:  # R1
    for before, after in zip(table, plan(table, known), strict=True):
        state = known.get(before.owner)
        if before.owner and (state is None or state.is_available):
            assert after.owner == before.owner


@given(tables, states)
def test_shares_are_equal(table: Table, known: dict[str, ShardState]) -> None:  # R3, R4
    after = plan(table, known)
    living = [shard for shard, state in known.items() if state.is_available]
    shares = [will_have(after).get(shard, 0) for shard in living]
    if living:
        assert max(shares) - min(shares) <= 1
        assert all(slot.owner or slot.heir for slot in after)
    assert plan(after, known) == after


@given(settled, st.fixed_dictionaries(dict.fromkeys("abcde", st.sampled_from(ShardState))))
def test_no_more_moves_than_must(table: Table, known: dict[str, ShardState]) -> None:  # R4
    """Nobody is given some and has some taken away."""
    pairs = [(old.owner, new.heir or new.owner) for old, new in zip(table, plan(table, known), strict=True)]
    for shard in available(known):
        gained = sum(old != shard == new for old, new in pairs)
        lost = sum(old == shard != new for old, new in pairs)
        assert not (gained and lost), (shard, gained, lost)


@given(tables)
def test_a_table_is_read_as_it_was_written(table: Table) -> None:  # R5
    assert parse_table(table_text(table)) == table


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "no table of slots: Input data was truncated"),
        ('[[0,3,"a",""]]', "there are 4; there must be 256"),
        ('[[0,3,"a",""],[5,255,"b",""]]', "a run is 5 … 255; it must begin at 4 and end below 256"),
        ('[[0,256,"a",""]]', "a run is 0 … 256"),
        ('[[0,255,"a"]]', "no table of slots: Expected `array` of length 4"),
    ],
)
def test_what_is_no_table_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="no table of slots") as raised:
        parse_table(text)
    assert told in str(raised.value)


@given(st.sets(st.integers(0, SLOTS - 1), min_size=1), st.uuids().map(str))
def test_a_selector_means_the_objects_of_its_slots(slots: set[int], uid: str) -> None:
    selector = parse_shard_selector(selector_of(slots, "uid"))
    assert selector.field == "object.metadata.uid"
    assert selector.matches(uid) is (slot_of(uid) in slots)
    assert slot_of(uid) == fnv1a_64(uid.encode()) >> 56
    assert len(selector.ranges) <= SLOTS / 2 and parse_shard_selector(str(selector)) == selector


def test_without_slots_next_to_nothing_is_asked_for() -> None:
    selector = parse_shard_selector(selector_of((), "uid"))
    assert [each.end - each.start for each in selector.ranges] == [1]


def test_neighbours_are_one_range() -> None:
    assert selector_of(range(SLOTS), "namespace") == (
        "shardRange(object.metadata.namespace, '0x0000000000000000', '0x10000000000000000')"
    )


def test_shards_of_which_nothing_is_known_are_told() -> None:
    assert unknown(plan(EMPTY, {"a": READY, "b": READY}), {"b": DEAD}) == ["a"]
