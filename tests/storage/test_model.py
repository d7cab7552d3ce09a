"""Both stores against a model: whatever is done in whatever order, they answer as the list of all writes would."""

import asyncio
import tempfile
from bisect import bisect_right
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.storage.support import value

from kajitori.storage import (
    Compacted,
    Event,
    Exists,
    FutureRevision,
    Item,
    Mismatch,
    Store,
    open_store,
)

EVENTS_MAX = 12

buckets = st.sampled_from(["/pods", "apps/deployments"])
names = st.sampled_from(["a/1", "a/2", "a0/1", "b/1", "ü/1"])
prefixes = st.sampled_from(["", "a", "a/", "b/", "ü", "x"])
limits = st.sampled_from([0, 1, 2, 5])
State = dict[tuple[str, str], Item]


class StoreMachine(RuleBasedStateMachine):
    """The model is `events`, all that ever happened, and `compacted`."""

    in_file = False

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.db" if self.in_file else None
        self.events: list[Event] = []
        self.compacted = 0
        self.heard: list[Event] = []
        self.store = self.open()

    def open(self) -> Store:
        store = self.runner.run(open_store(self.path, compact_every_seconds=0, history_events_max=EVENTS_MAX))
        store.subscribe("", self.heard.append)
        return store

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    # The model

    @property
    def revision(self) -> int:
        return self.events[-1].revision if self.events else 0

    def state(self, revision: int) -> State:
        state: State = {}
        for event in self.events[: bisect_right(self.events, revision, key=lambda event: event.revision)]:
            if event.deleted:
                del state[event.bucket, event.name]
            else:
                state[event.bucket, event.name] = event.item
        return state

    def expected(self, revision: int, bucket: str, prefix: str, after: str, limit: int) -> list[Item]:
        found = [
            item
            for (each, name), item in self.state(revision).items()
            if each == bucket and name.startswith(prefix) and (not after or name > after)
        ]
        return sorted(found, key=lambda item: item.name.encode())[: limit or None]

    def happened(self, bucket: str, item: Item, *, deleted: bool) -> None:
        before = self.state(self.revision).get((bucket, item.name))
        self.events.append(Event(item.revision, bucket, item.name, item, before, deleted))

    # What can be done

    @rule(bucket=buckets, name=names, stale=st.integers(0, 3))
    def put(self, bucket: str, name: str, stale: int) -> None:
        current = self.state(self.revision).get((bucket, name))
        # No check, the right expectation, or two wrong ones.
        revision = current.revision if current else 0
        expect = [None, revision, 0, revision + 1][stale]
        write = self.store.put(bucket, name, value("v"), expect=expect)
        if expect is None or expect == revision:
            item = self.runner.run(write)
            created = current.created if current else self.revision + 1
            assert item == Item(name, f"v@{self.revision + 1}".encode(), self.revision + 1, created)
            self.happened(bucket, item, deleted=False)
        elif expect == 0:
            with pytest.raises(Exists) as exists:
                self.runner.run(write)
            assert exists.value.item == current
        else:
            with pytest.raises(Mismatch) as mismatch:
                self.runner.run(write)
            assert mismatch.value.current == current

    @rule(bucket=buckets, name=names, stale=st.booleans())
    def delete(self, bucket: str, name: str, stale: bool) -> None:
        current = self.state(self.revision).get((bucket, name))
        write = self.store.delete(bucket, name, value("gone"), expect=99_999 if stale else None)
        if stale or current is None:
            with pytest.raises(Mismatch) as mismatch:
                self.runner.run(write)
            assert mismatch.value.current == current
        else:
            item = self.runner.run(write)
            revision = self.revision + 1
            assert item == Item(name, f"gone@{revision}".encode(), revision, current.created)
            self.happened(bucket, item, deleted=True)

    @rule(writes=st.lists(st.tuples(buckets, names, st.booleans()), min_size=2, max_size=8))
    def many_at_once(self, writes: list[tuple[str, str, bool]]) -> None:
        async def burst() -> list[Any]:
            return await asyncio.gather(
                *(
                    self.store.delete(bucket, name, value("gone"), expect=None)
                    if deletes
                    else self.store.put(bucket, name, value("v"), expect=None)
                    for bucket, name, deletes in writes
                ),
                return_exceptions=True,
            )

        outcomes = self.runner.run(burst())
        done = [
            (item.revision, bucket, item, deletes)
            for (bucket, _, deletes), item in zip(writes, outcomes, strict=True)
            if isinstance(item, Item)
        ]
        done.sort(key=lambda each: each[0])
        assert [each[0] for each in done] == [self.revision + n for n in range(1, len(done) + 1)]
        for _, bucket, item, deletes in done:
            self.happened(bucket, item, deleted=deletes)
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Item)]
        assert all(isinstance(each, Mismatch) and each.current is None for each in refused)

    @rule(back=st.integers(-1, 30))
    def compact(self, back: int) -> None:
        target = self.revision - back
        if target > self.revision:
            with pytest.raises(FutureRevision):
                self.runner.run(self.store.compact(target))
            return
        self.runner.run(self.store.compact(target))
        self.compacted = max(self.compacted, target)

    @precondition(lambda self: self.in_file)
    @rule()
    def reopen(self) -> None:
        self.runner.run(self.store.close())
        self.store = self.open()

    # What can be asked

    @rule(bucket=buckets, back=st.integers(-1, 40), prefix=prefixes, after=st.just("") | names, limit=limits)
    def range_at(self, bucket: str, back: int, prefix: str, after: str, limit: int) -> None:
        revision = max(0, self.revision - back)
        question = self.store.range_at(bucket, revision, prefix, after=after, limit=limit)
        if revision > self.revision:
            with pytest.raises(FutureRevision):
                self.runner.run(question)
        elif revision < self.compacted:
            with pytest.raises(Compacted):
                self.runner.run(question)
        else:
            try:
                answer = self.runner.run(question)
            except Compacted:
                # Only memory forgets sooner, and only when it is full.
                assert not self.in_file and len(self.events) > EVENTS_MAX
            else:
                assert list(answer) == self.expected(revision, bucket, prefix, after, limit)

    @rule(bucket=st.none() | buckets, back=st.integers(0, 40))
    def history(self, bucket: str | None, back: int) -> None:
        since = max(0, self.revision - back)
        expected = [
            event for event in self.events if event.revision > since and bucket in (None, event.bucket)
        ]
        try:
            answer = self.store.history(since, bucket)
        except Compacted:
            assert since < self.compacted or len(self.events) > EVENTS_MAX
        else:
            assert list(answer) == expected

    @rule(bucket=buckets, prefix=prefixes, after=st.just("") | names, limit=limits)
    def range(self, bucket: str, prefix: str, after: str, limit: int) -> None:
        expected = self.expected(self.revision, bucket, prefix, after, limit)
        assert list(self.store.range(bucket, prefix, after=after, limit=limit)) == expected
        assert self.store.count(bucket, prefix) == len(self.expected(self.revision, bucket, prefix, "", 0))

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        state = self.state(self.revision)
        assert self.store.revision == self.revision
        assert self.store.compacted == self.compacted
        assert self.store.buckets() == sorted({bucket for bucket, _ in state})
        assert {(b, item.name): item for b in self.store.buckets() for item in self.store.range(b)} == state
        assert all(self.store.get(*key) == item for key, item in state.items())
        assert self.heard == self.events


class FileStoreMachine(StoreMachine):
    in_file = True


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_the_memory_store_is_as_the_model() -> None:
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=CHECKS,
        ),
    )


def test_the_file_store_is_as_the_model() -> None:
    run_state_machine_as_test(
        FileStoreMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=CHECKS,
        ),
    )
