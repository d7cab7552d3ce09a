"""What the sharder decides for one object, and what its shard may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.sharding.labels import (
    Assignment,
    Step,
    StepKind,
    Verdict,
    assignment_of,
    decide,
    drain_label,
    judge,
    shard_label,
)
from kajitori.ctrl.sharding.states import ShardState

STATES = {"a": ShardState.READY, "b": ShardState.UNCERTAIN, "d": ShardState.DEAD}
ASSIGN_A = Step(StepKind.ASSIGN, "a")
NOTHING = Step(StepKind.NOTHING)


def test_labels_are_those_of_the_go_sharder() -> None:
    assert shard_label("foo") == "shard.alpha.sharding.timebertt.dev/foo"
    assert drain_label("foo") == "drain.alpha.sharding.timebertt.dev/foo"
    labels = {shard_label("foo"): "a", drain_label("foo"): "true", shard_label("bar"): "b"}
    assert assignment_of(labels, "foo") == Assignment("a", True)
    assert assignment_of(labels, "bar") == Assignment("b", False)
    assert assignment_of({}, "foo") == Assignment("", False)


@pytest.mark.parametrize(
    ("now", "desired", "step"),
    [
        (Assignment("", False), "a", ASSIGN_A),
        (Assignment("", False), "", NOTHING),
        (Assignment("", True), "a", ASSIGN_A),
        (Assignment("a", False), "a", NOTHING),
        (Assignment("a", True), "a", NOTHING),
        (Assignment("b", False), "a", Step(StepKind.DRAIN)),
        (Assignment("b", True), "a", NOTHING),
        (Assignment("d", False), "a", ASSIGN_A),
        (Assignment("d", True), "a", ASSIGN_A),
        (Assignment("d", False), "", NOTHING),
        (Assignment("x", False), "a", Step(StepKind.ASK, "x")),
    ],
)
def test_steps(now: Assignment, desired: str, step: Step) -> None:
    assert decide(now, desired, STATES) == step


def test_what_is_controlled_moves_at_once() -> None:  # D4
    for now in (Assignment("b", False), Assignment("b", True), Assignment("x", False)):
        assert decide(now, "a", STATES, controlled=True) == ASSIGN_A


@given(
    st.sampled_from(["", "a", "b", "d", "x"]),
    st.booleans(),
    st.sampled_from(["", "a", "b"]),
    st.dictionaries(st.sampled_from("abdx"), st.sampled_from(ShardState)),
)
def test_nobody_else_ends_the_hold_of_the_living(
    shard: str, draining: bool, desired: str, states: dict[str, ShardState]
) -> None:  # D1
    step = decide(Assignment(shard, draining), desired, states)
    if step.kind is StepKind.ASSIGN and shard:
        assert not states[shard].is_available


def test_what_a_shard_does() -> None:  # D2, D3
    assert judge(Assignment("a", False), "a") is Verdict.WORK
    assert judge(Assignment("a", True), "a") is Verdict.ACKNOWLEDGE
    for other in (Assignment("b", False), Assignment("b", True), Assignment("", False)):
        assert judge(other, "a") is Verdict.LEAVE
