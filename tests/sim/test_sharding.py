"""Sharding under a seed: shards come, leave, die, sleep, are cut off; requests are lost or take effect when nobody
expects it; clocks disagree; there are up to thousands of objects. A checker judges.

`make test` plays some seeds, `make sim` a thousand of each mode. A failure names its seed.

    X1  at most one worker works on an object, ever: nobody begins while another is at work, and nobody writes after
        another has begun
    X2  when things calm down every object is worked on again

The last tests break one rule each on purpose: the checker tells each of these breaks.
"""

import os
import re
from typing import Any

import pytest
from tests.sim.machines import Broken, Claims, Faults, World
from tests.sim.shards import TABLE, LabelShard, Onlooker, Shard, Sharder, SlotShard

from kajitori.ctrl.sharding.labels import Assignment, Step, StepKind, decide
from kajitori.ctrl.sharding.slots import EMPTY, Slot, Table, plan
from kajitori.ctrl.sharding.states import ShardState, Sighting, state_of
from kajitori.ctrl.sharding.work import Work

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 1_000 if LONG else 24

TROUBLE_SECONDS = 400.0
CALM_SECONDS = 200.0
"""So long everything may take to find its place; nobody is given up for dead sooner than after 30 s."""
WORK_SECONDS = 60.0


class Play:
    """One world: objects, shards that are replaced when they are gone, and trouble."""

    def __init__(self, seed: int, shard: type[Shard], sharder: type[Sharder] | None) -> None:
        self.world = World(seed)
        random = self.random = self.world.random
        self.faults = Faults.of(random)
        self.claims = Claims(self.world)
        self.shard = shard
        self.shards: list[Shard] = []
        self.incarnations = 0
        first = Assignment("", False)
        self.names = [
            f"o{number}"
            for number in range(random.choice((5, 50, 50, 50, 300, 300, 300, 300, 300, 1000, 1000, 3000)))
        ]
        for name in self.names:
            self.world.put(name, 0, first)
        self.world.put(TABLE, 0, EMPTY)
        self.sharders = [sharder(self.world, self.faults) for _ in range(2)] if sharder else []
        for _ in range(random.choice((1, 2, 3, 5))):
            self.join()

    def join(self) -> None:
        self.incarnations += 1
        self.shards.append(
            self.shard(self.world, self.faults, self.claims, f"shard-{self.incarnations}", self.gone)
        )

    def gone(self, shard: Shard) -> None:
        self.shards.remove(shard)
        # Whatever started it starts it again, mostly soon.
        self.world.at(self.random.choice((1, 1, 20, 100)), self.join)

    def trouble(self) -> None:
        random = self.random
        for _ in range(random.choice((5, 20))):
            self.world.at(random.uniform(0, TROUBLE_SECONDS), self.harm)
        for _ in range(min(2000, 3 * len(self.names))):
            self.world.at(random.uniform(0, TROUBLE_SECONDS), lambda: self.touch(random.choice(self.names)))

    def harm(self) -> None:
        random = self.random
        process = random.choice([*self.shards, *self.sharders] or [None])
        if process is None:
            return
        what = random.random()
        if what < 0.25:
            process.pause(random.choice((1, 12, 40, 90)))
        elif what < 0.55:
            process.cut_off(random.choice((3, 12, 40, 90)))
        elif isinstance(process, Shard):
            if what < 0.7:
                process.kill()
            elif what < 0.8:
                process.leave()
            elif what < 0.85:
                self.world.put(process.lease, None, None)  # somebody deletes its Lease
            elif len(self.shards) < 8:
                self.join()

    def touch(self, name: str) -> None:
        """The object changes."""
        self.world.put(name, None, self.world.get(name)[1])

    def run(self) -> None:
        """Raises: Broken."""
        self.trouble()
        self.world.run(TROUBLE_SECONDS)
        self.world.calm = True
        self.world.run(TROUBLE_SECONDS + CALM_SECONDS)
        for name in self.names:
            self.touch(name)
        since = self.world.now
        self.world.run(since + WORK_SECONDS)
        left = [name for name in self.names if self.claims.began.get(name, 0.0) < since]
        if left:
            raise Broken(f"nobody works on {len(left)} of {len(self.names)} objects, such as {left[0]}")


def play(seed: int, shard: type[Shard] = LabelShard, sharder: type[Sharder] | None = Sharder) -> Play:
    one = Play(seed, shard, sharder)
    try:
        one.run()
    except Broken as broken:
        raise Broken(f"seed {seed}: {broken}") from broken
    return one


@pytest.mark.parametrize("seed", range(SEEDS))
def test_labels_give_each_object_at_most_one_worker(seed: int) -> None:  # X1, X2
    play(seed)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_slots_give_each_object_at_most_one_worker(seed: int) -> None:  # X1, X2
    play(seed, SlotShard, None)


@pytest.mark.parametrize(("shard", "sharder"), [(LabelShard, Sharder), (SlotShard, None)])
def test_what_is_played_is_worth_judging(shard: type[Shard], sharder: type[Sharder] | None) -> None:
    """Shards are replaced, objects are moved, and worked on often."""
    played = [play(seed, shard, sharder) for seed in (0, 2, 5)]
    assert sum(each.incarnations for each in played) > 30
    assert sum(each.claims.count for each in played) > 2_000
    if sharder is not None:
        drained = sum(
            isinstance(entry[3], Assignment) and entry[3].draining
            for each in played
            for entry in each.world.log
        )
        assert drained > 500
    else:
        asked = sum(
            any(slot.heir for slot in entry[3])
            for each in played
            for entry in each.world.log
            if entry[1] == TABLE
        )
        assert asked > 50


# Rules broken on purpose.


class Unfenced(Work):
    def may_write(self, now: float) -> bool:
        return True

    def until(self) -> float:
        return float("inf")


class UnfencedLabels(LabelShard):
    work_of = Unfenced


class UnfencedSlots(SlotShard):
    work_of = Unfenced


class DoesNotWait(LabelShard):
    """Acknowledges while it is at work."""

    def may_acknowledge(self, name: str) -> bool:
        return True


class DoesNotWaitInSlots(SlotShard):
    def has_ended(self, slot: int) -> bool:
        return True


class WorksWhileDraining(LabelShard):
    def may_work(self, name: str) -> bool:
        return self.assignment(name).shard == self.name

    def changed(self, name: str) -> None:
        if self.assignment(name).shard == self.name:
            self.enqueue(name)
        super().changed(name)


class DoesNotDrain(Sharder):
    def decide(self, now: Assignment, desired: str, states: dict[str, ShardState]) -> Any:
        step = decide(now, desired, states)
        return Step(StepKind.ASSIGN, desired) if step.kind is StepKind.DRAIN else step


class Hasty(Onlooker):
    """Gives up for dead who has only not renewed for a while."""

    def state(self, seen: Sighting, now: float) -> ShardState:
        hasty = now - seen.since > 6
        return ShardState.DEAD if hasty and seen.record is not None else state_of(seen, now)


class HastySharder(Sharder):
    onlooker_of = Hasty


class WritesBlindly(Sharder):
    """Writes labels without looking whether they have changed meanwhile."""

    def object_version(self, version: int) -> int | None:
        return None


class HastySlots(SlotShard):
    onlooker_of = Hasty


class PlansAtOnce(SlotShard):
    """Gives slots away that are somebody's."""

    def plan(self, table: Table, states: dict[str, ShardState]) -> Table:
        return tuple(Slot(slot.heir or slot.owner) for slot in plan(table, states))


class OverwritesTable(SlotShard):
    def table_version(self, version: int) -> int | None:
        return None


TWO = "two work on|after another has begun"


@pytest.mark.parametrize(
    ("shard", "sharder", "first"),
    [
        (UnfencedLabels, Sharder, 0),
        (DoesNotWait, Sharder, 0),
        (WorksWhileDraining, Sharder, 0),
        (LabelShard, DoesNotDrain, 0),
        (LabelShard, HastySharder, 7),
        (LabelShard, WritesBlindly, 34),
        (UnfencedSlots, None, 5),
        (DoesNotWaitInSlots, None, 4),
        (HastySlots, None, 2),
        (PlansAtOnce, None, 4),
        (OverwritesTable, None, 2),
    ],
)
def test_the_checker_tells_a_rule_that_is_broken(
    shard: type[Shard], sharder: type[Sharder] | None, first: int
) -> None:
    assert told(shard, sharder, first, TWO)


def told(shard: type[Shard], sharder: type[Sharder] | None, first: int, what: str) -> bool:
    """Whether one of some seeds, from the first, which tells it soon, is found to be broken like that."""
    for seed in range(first, first + 40):
        try:
            play(seed, shard, sharder)
        except Broken as broken:
            if re.search(what, str(broken)):
                return True
    return False


class NeverAcknowledges(LabelShard):
    def may_acknowledge(self, name: str) -> bool:
        return False


class NeverGives(SlotShard):
    def has_ended(self, slot: int) -> bool:
        return False


@pytest.mark.parametrize(
    ("shard", "sharder", "first"), [(NeverAcknowledges, Sharder, 0), (NeverGives, None, 10)]
)
def test_the_checker_tells_objects_that_are_left_alone(
    shard: type[Shard], sharder: type[Sharder] | None, first: int
) -> None:
    assert told(shard, sharder, first, "nobody works on")
