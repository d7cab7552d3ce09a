"""How a shard is, by its Lease."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.lease import LeaseRecord, View
from kajitori.ctrl.sharding.states import ShardState, Sighting, available, next_look, state_of

THEN, NOW = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:01:00.000000Z"


def record(holder: str = "a", seconds: int = 15, renewed: str = THEN) -> LeaseRecord:
    return LeaseRecord(holder, seconds, THEN, renewed, 0)


@pytest.mark.parametrize(
    ("seen", "age", "state", "look"),
    [
        (record(), 0, ShardState.READY, 15),
        (record(), 14.5, ShardState.READY, 0.5),
        (record(), 15, ShardState.EXPIRED, 15),
        (record(), 30, ShardState.UNCERTAIN, None),
        (record(seconds=60), 100, ShardState.EXPIRED, 20),
        (record(seconds=0), 15, ShardState.EXPIRED, 15),
        (record(""), 0, ShardState.DEAD, 60),
        (record("sharder"), 59, ShardState.DEAD, 1),
        (record("sharder"), 60, ShardState.ORPHANED, None),
        (None, 0, ShardState.UNCERTAIN, 15),
        (None, 29, ShardState.UNCERTAIN, 1),
        (None, 30, ShardState.DEAD, None),
    ],
)
def test_states(seen: LeaseRecord | None, age: float, state: ShardState, look: float | None) -> None:
    sighting = Sighting("a", seen, 100.0)
    assert state_of(sighting, 100 + age) is state
    assert next_look(sighting, 100 + age) == look


def test_a_record_that_stays_the_same_grows_old_and_one_that_changes_is_new() -> None:
    seen = Sighting("a", record(), 0).seen(record(), 20)
    assert state_of(seen, 20) is ShardState.EXPIRED
    assert state_of(seen.seen(record(renewed=NOW), 20), 20) is ShardState.READY


def test_times_in_the_record_are_never_compared() -> None:
    for renewed in ("1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", ""):
        assert state_of(Sighting("a", record(renewed=renewed), 0), 14) is ShardState.READY


def test_only_the_dead_are_not_available() -> None:  # T2
    states = {each.value: each for each in ShardState}
    assert available(states) == ["expired", "ready", "uncertain"]


def test_a_claim_lasts_twice_as_long() -> None:
    claim = Sighting("a", record(), 0).claim("sharder", NOW)
    assert claim == LeaseRecord("sharder", 30, NOW, NOW, 1)


@given(st.floats(0, 100), st.floats(0, 5), st.floats(0, 200))
def test_who_is_taken_over_has_stopped(sent: float, way: float, later: float) -> None:  # T1
    """Whoever has not changed its Lease for an onlooker's two durations may not work any more."""
    view = View("a", 15, 10.0).granted(record(), sent)
    if state_of(Sighting("a", record(), sent + way), sent + way + later) is ShardState.UNCERTAIN:
        assert not view.leads(sent + way + later)
