"""The pure queue against a simple model, and the cases that its promises name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kajitori.ctrl.queue_state import LOW_PRIORITY, STALE_MAX, QueueFull, QueueState

names = st.sampled_from("abcde")
priorities = st.sampled_from([LOW_PRIORITY, 0, 10])


class Model(RuleBasedStateMachine):
    """Q1 to Q4 against a list that is sorted each time."""

    def __init__(self) -> None:
        super().__init__()
        self.state: QueueState[str] = QueueState()
        self.now = 0.0
        self.turn = 0
        self.there: dict[str, tuple[int, float | None, int]] = {}
        self.held: set[str] = set()

    def _turn(self) -> int:
        self.turn += 1
        return self.turn

    @rule(name=names, priority=priorities, seconds=st.sampled_from([0.0, 1.0, 2.0, 5.0]))
    def add(self, name: str, priority: int, seconds: float) -> None:
        ready_at = self.now + seconds if seconds else None
        was_new = self.state.add(name, now=self.now, priority=priority, ready_at=ready_at)
        assert was_new == (name not in self.there)
        if name not in self.there:
            self.there[name] = (priority, ready_at, self._turn())
            return
        old_priority, old_ready_at, turn = self.there[name]
        raised = priority > old_priority
        if old_ready_at is None:
            new_ready_at, turn = None, self._turn() if raised else turn
        elif ready_at is None:
            new_ready_at, turn = None, self._turn()
        else:
            new_ready_at = min(old_ready_at, ready_at)
        self.there[name] = (max(priority, old_priority), new_ready_at, turn)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = sorted(
            (ready_at, turn, name)
            for name, (_, ready_at, turn) in self.there.items()
            if ready_at is not None and ready_at <= self.now
        )
        assert self.state.wake(self.now) == len(due)
        # Names due at the same moment may wake in either order; take the queue's word for it by sorting on
        # time only.
        for _, _, name in due:
            self.there[name] = (self.there[name][0], None, self._turn())

    @rule()
    def take(self) -> None:
        ready = [
            (-priority, turn, name)
            for name, (priority, ready_at, turn) in self.there.items()
            if ready_at is None and name not in self.held
        ]
        taken = self.state.take()
        if not ready:
            assert taken is None
            return
        assert taken is not None
        name, priority, _ = taken
        assert -priority == min(ready)[0]
        assert name in {each for negated, _, each in ready if negated == -priority}
        assert name not in self.held
        del self.there[name]
        self.held.add(name)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        self.held.discard(name)
        again = self.state.give_back(name)
        assert again == (name in self.there and self.there[name][1] is None)

    @invariant()
    def counts_agree(self) -> None:
        assert len(self.state) == len(self.there)
        assert self.state.held_count == len(self.held)
        waiting = [ready_at for _, ready_at, _ in self.there.values() if ready_at is not None]
        assert self.state.next_ready_at() == min(waiting, default=None)


TestModel = Model.TestCase


def test_a_name_added_while_held_comes_once_more() -> None:  # Q2
    state: QueueState[str] = QueueState()
    state.add("a", now=0)
    assert state.take() == ("a", 0, 0)
    state.add("a", now=1)
    state.add("a", now=2)
    assert state.take() is None
    assert state.give_back("a")
    assert state.take() == ("a", 0, 1)
    assert not state.give_back("a")
    assert state.take() is None


@given(st.lists(names, unique=True))
def test_names_of_one_priority_come_in_the_order_they_became_ready(order: list[str]) -> None:  # Q4
    state: QueueState[str] = QueueState()
    for name in order:
        state.add(name, now=0)
    assert [taken[0] for taken in iter(state.take, None)] == order


def test_real_changes_overtake_the_first_list() -> None:  # Q4
    state: QueueState[str] = QueueState()
    for name in "abc":
        state.add(name, now=0, priority=LOW_PRIORITY)
    state.add("b", now=0)
    assert [taken[0] for taken in iter(state.take, None)] == ["b", "a", "c"]


def test_a_raised_name_goes_behind_its_equals() -> None:  # Q3
    state: QueueState[str] = QueueState()
    state.add("raised", now=0, priority=LOW_PRIORITY)
    state.add("first", now=0)
    state.add("raised", now=0)
    assert [taken[0] for taken in iter(state.take, None)] == ["first", "raised"]


def test_a_full_queue_says_so_and_keeps_what_it_has() -> None:  # Q5
    state: QueueState[str] = QueueState(names_max=2)
    state.add("a", now=0)
    state.add("b", now=0)
    with pytest.raises(QueueFull, match="2 names"):
        state.add("c", now=0)
    state.add("a", now=0)
    assert len(state) == 2


def test_names_that_become_ready_early_leave_nothing_behind() -> None:
    state: QueueState[str] = QueueState()
    for moment in range(10 * STALE_MAX):
        state.add("a", now=moment, ready_at=moment + 36_000)
        state.add("a", now=moment)
        assert state.take() is not None
        state.give_back("a")
    assert len(state._waiting) <= STALE_MAX + 1
