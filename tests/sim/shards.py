"""Shards and sharders for simulations, on the machines of `machines`: what they decide is the product's, how they wait
and ask is the world's.
"""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

from tests.sim.machines import CONFLICT, LOST, Claims, Faults, Process, World

from kajitori.ctrl.lease import LeaseRecord
from kajitori.ctrl.sharding.labels import Assignment, StepKind, Verdict, decide, judge
from kajitori.ctrl.sharding.ring import HashRing, object_key
from kajitori.ctrl.sharding.slots import (
    EMPTY,
    Table,
    hand_over,
    mine,
    plan,
    slot_of,
    unknown,
)
from kajitori.ctrl.sharding.states import ShardState, Sighting, state_of
from kajitori.ctrl.sharding.work import Work

RENEW_SECONDS = 2.0
WORKERS = 4
TABLE = "table"
"""The name of the table of slots."""


class Shard(Process):
    """One incarnation of a shard: keeps its Lease, and works until that is lost. `gone` is told, once."""

    work_of: type[Work] = Work

    def __init__(
        self, world: World, faults: Faults, claims: Claims, name: str, gone: Callable[["Shard"], None]
    ) -> None:
        super().__init__(world, faults)
        self.name = name
        self.lease = f"lease/{name}"
        self._version = 0
        self._claims = claims
        self._gone = gone
        self._renewing = False
        self._queue: dict[str, None] = {}
        self._tokens: dict[str, tuple[object, int | None]] = {}
        self._leaving = False
        self.work = self.work_of(name)
        self.watch(0.5, self.changed)
        self.every(RENEW_SECONDS, self._renew)

    # The Lease.

    def _renew(self) -> None:
        if self._renewing or self._leaving:
            return
        self._renewing = True
        sent_at, record, version = self.clock(), self.work.claim(f"{self.clock()}"), self._version
        self.ask(
            lambda: self.world.put(self.lease, version, record),
            lambda answer: self._renewed(record, sent_at, answer),
        )

    def _renewed(self, record: LeaseRecord, sent_at: float, answer: Any) -> None:
        self._renewing = False
        if self._leaving:
            return
        if answer is LOST or answer is CONFLICT:
            self.ask(lambda: self.world.get(self.lease), self._looked)
            return
        self._version = answer
        self.work.granted(record, sent_at, self.clock())
        if self.work.may_write(self.clock()):
            self._set_alarm()
        else:
            self.lose()

    def _looked(self, answer: Any) -> None:
        """At the Lease, when a renewal had no answer or a bad one."""
        if answer is LOST:
            return
        version, record = answer
        if record is None and self.work.record is None:
            return  # it was never created
        if record is None or record.holder != self.name:
            self.lose()
        else:
            self._version = version

    def _set_alarm(self) -> None:
        until = self.work.until()

        def alarm() -> None:
            if self.work.until() == until:
                self.lose()

        self.after(until - self.clock(), alarm)

    def lose(self) -> None:
        """All work is cut short, the process leaves."""
        if not self.dead:
            self.work.lose()
            self.kill()

    def kill(self) -> None:
        if not self.dead:
            super().kill()
            for name, (token, _) in self._tokens.items():
                self._claims.end(name, token)
            self._gone(self)

    def leave(self) -> None:
        """In peace: what has begun ends, then the Lease is let go."""
        self._leaving = True
        self._left()

    def _left(self) -> None:
        if self._leaving and not self._tokens and self._let_go():
            version, record = self._version, self.work.record
            if record is not None:
                free = LeaseRecord("", 1, "", "", record.transitions)
                self.ask(lambda: self.world.put(self.lease, version, free), lambda answer: None)
            self.kill()

    def _let_go(self) -> bool:
        """Whether nothing but the Lease is left to be given back."""
        return True

    # The work.

    def changed(self, name: str) -> None:
        raise NotImplementedError

    def enqueue(self, name: str) -> None:
        self._queue[name] = None
        self._pump()

    def _pump(self) -> None:
        while self._queue and len(self._tokens) < WORKERS and not self._leaving and not self.dead:
            name = next((each for each in self._queue if each not in self._tokens), None)
            if name is None:
                return
            del self._queue[name]
            slot = self.slot(name)
            if self.may_work(name) and self.work.begin(name, slot, self.clock()):
                self._tokens[name] = (self._claims.begin(name, self), slot)
                self._go_on(name, self.world.random.choice((0, 1, 3)))

    def slot(self, name: str) -> int | None:
        return None

    def may_work(self, name: str) -> bool:
        raise NotImplementedError

    def _go_on(self, name: str, steps: int) -> None:
        seconds = self.world.random.expovariate(1) * self.world.random.choice((0.01, 0.1, 5))

        def step() -> None:
            token, slot = self._tokens[name]
            if not self.work.may_write(self.clock()):
                self.lose()
                return
            self._claims.act(name, token)
            if steps:
                self._go_on(name, steps - 1)
                return
            del self._tokens[name]
            self._claims.end(name, token)
            self.work.end(name, slot)
            self._left()
            self._pump()

        self.after(seconds if not self.world.calm else min(seconds, 0.01), step)


class LabelShard(Shard):
    """One that objects are assigned to by labels."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.work.on_idle = self._idle
        self._acknowledging: set[str] = set()

    def _idle(self, name: Hashable) -> None:
        assert isinstance(name, str)
        if judge(self.assignment(name), self.name) is Verdict.ACKNOWLEDGE:
            self.changed(name)

    def assignment(self, name: str) -> Assignment:
        value = self.cache.get(name, (0, None))[1]
        return value if isinstance(value, Assignment) else Assignment("", False)

    def changed(self, name: str) -> None:
        verdict = judge(self.assignment(name), self.name)
        if verdict is Verdict.WORK:
            self.enqueue(name)
        elif verdict is Verdict.ACKNOWLEDGE and self.may_acknowledge(name):
            self._acknowledge(name)

    def may_acknowledge(self, name: str) -> bool:
        return self.work.is_idle(name)

    def may_work(self, name: str) -> bool:
        return judge(self.assignment(name), self.name) is Verdict.WORK

    def _acknowledge(self, name: str) -> None:
        if name in self._acknowledging:
            return
        self._acknowledging.add(name)
        version = self.cache[name][0]

        def answered(answer: Any) -> None:
            self._acknowledging.discard(name)
            if answer is LOST:
                self.changed(name)

        self.ask(lambda: self.world.put(name, version, Assignment("", False)), answered)


class Onlooker:
    """What a process knows of the Leases of others."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asked: set[str] = set()
        self._claiming: set[str] = set()
        self.sightings: dict[str, Sighting] = {}

    def look(self) -> dict[str, ShardState]:
        """The states now; who is uncertain is taken over."""
        process, now = self._process, self._process.clock()
        records = {name.removeprefix("lease/"): value[1] for name, value in process.leases.items()}
        for shard, record in records.items():
            self._see(shard, record)
        for shard in [each for each in self.sightings if each not in records]:
            if self.sightings[shard].record is not None:
                del self.sightings[shard]
        states = {shard: self.state(seen, now) for shard, seen in self.sightings.items()}
        for shard, state in states.items():
            if state is ShardState.UNCERTAIN and self.sightings[shard].record is not None:
                self.claim(shard)
            elif state is ShardState.ORPHANED and shard in records:
                version = process.leases[f"lease/{shard}"][0]
                process.ask(
                    lambda name=f"lease/{shard}", version=version: process.world.put(name, version, None),  # type: ignore[misc]
                    lambda answer: None,
                )
        return states

    def state(self, seen: Sighting, now: float) -> ShardState:
        return state_of(seen, now)

    def _see(self, shard: str, record: LeaseRecord | None) -> None:
        now = self._process.clock()
        seen = self.sightings.get(shard)
        self.sightings[shard] = seen.seen(record, now) if seen else Sighting(shard, record, now)

    def claim(self, shard: str) -> None:
        process, world, name = self._process, self._process.world, f"lease/{shard}"
        if shard in self._claiming or name not in process.leases:
            return
        self._claiming.add(shard)
        record = self.sightings[shard].claim("sharder", f"{process.clock()}")
        version = process.leases[name][0]
        process.ask(lambda: world.put(name, version, record), lambda answer: self._claiming.discard(shard))

    def ask(self, shard: str) -> None:
        """Whether the Lease of a shard that is known by its name only exists."""
        if shard in self._asked or shard in self.sightings:
            return
        self._asked.add(shard)

        def answered(answer: Any) -> None:
            self._asked.discard(shard)
            if answer is not LOST and answer[1] is None:
                self._see(shard, None)

        self._process.ask(lambda: self._process.world.get(f"lease/{shard}"), answered)


_desired: dict[tuple[str, ...], dict[str, str]] = {}


def desired_shards(shards: list[str], names: set[str]) -> dict[str, str]:
    """By the ring; remembered, because simulations ask it a million times."""
    of = tuple(shards)
    found = _desired.get(of)
    if found is None:
        if len(_desired) > 100:
            _desired.clear()
        found = _desired[of] = {}
    if len(found) < len(names):
        ring = HashRing(of)
        for name in names:
            if name not in found:
                found[name] = ring.shard_of(object_key("", "Thing", "default", name))
    return found


class Sharder(Process):
    """Who keeps the labels. Two of them do no harm."""

    onlooker_of: type[Onlooker] = Onlooker
    in_flight_max = 500

    def __init__(self, world: World, faults: Faults) -> None:
        super().__init__(world, faults)
        self.onlooker = self.onlooker_of(self)
        self._names: set[str] = set()
        self._asking: set[str] = set()
        self.watch(2.0, self._changed)
        self.every(5.0, self.resync)

    def _changed(self, name: str) -> None:
        if name != TABLE and not name.startswith("lease/"):
            self._names.add(name)

    def resync(self) -> None:
        states = self.onlooker.look()
        shards = sorted(shard for shard, state in states.items() if state.is_available)
        desired = desired_shards(shards, self._names)
        for name in sorted(self._names):
            version, now = self.cache[name]
            if now.shard == desired[name]:
                continue
            step = self.decide(now, desired[name], states)
            if step.kind is StepKind.ASK:
                self.onlooker.ask(step.shard)
            elif step.kind is not StepKind.NOTHING and name not in self._asking:
                then = Assignment(step.shard, False)
                if step.kind is StepKind.DRAIN:
                    then = Assignment(now.shard, True)
                self._write(name, version, then)

    def decide(self, now: Assignment, desired: str, states: dict[str, ShardState]) -> Any:
        return decide(now, desired, states)

    def _write(self, name: str, version: int, then: Assignment) -> None:
        if len(self._asking) >= self.in_flight_max:
            return
        self._asking.add(name)
        expected = self.object_version(version)
        self.ask(lambda: self.world.put(name, expected, then), lambda answer: self._asking.discard(name))

    def object_version(self, version: int) -> int | None:
        return version


class SlotShard(Shard):
    """One that works where the table of slots says, and plans when it is the first."""

    onlooker_of: type[Onlooker] = Onlooker
    slots: ClassVar[dict[str, int]] = {}
    """By object; the same in all worlds."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.onlooker = self.onlooker_of(self)
        self._working: frozenset[int] = frozenset()
        self._giving: frozenset[int] = frozenset()
        self._writing = False
        self._settled: tuple[int, dict[str, ShardState]] = 0, {}
        """With this table and these states there was nothing to do."""
        self.work.on_idle_slot = lambda slot: self._tend()
        self.every(1.0, self._tend)

    def slot(self, name: str) -> int:
        slot = self.slots.get(name)
        if slot is None:
            slot = self.slots[name] = slot_of(name)
        return slot

    def table(self) -> tuple[int, Table]:
        version, table = self.cache.get(TABLE, (0, EMPTY))
        return version, table

    def changed(self, name: str) -> None:
        if name == TABLE:
            before = self._working
            self._working, self._giving = mine(self.table()[1], self.name)
            gained = self._working - before
            if gained:
                for each in self.cache:
                    if each != TABLE and self.slot(each) in gained:
                        self.enqueue(each)
            if self._giving:
                self._tend()
        elif not name.startswith("lease/") and self.slot(name) in self._working:
            self.enqueue(name)

    def may_work(self, name: str) -> bool:
        return self.slot(name) in self._working

    def has_ended(self, slot: int) -> bool:
        return self.work.is_idle_slot(slot)

    def _let_go(self) -> bool:
        if not any(slot.owner == self.name for slot in self.table()[1]):
            return True
        self._tend()
        return False

    def _tend(self) -> None:
        """Gives away what it must, and plans when that is its turn."""
        if self._writing or self.dead or not self.work.may_write(self.clock()):
            return
        version, table = self.table()
        then = table
        if self._giving or self._leaving:
            then = hand_over(table, self.name, self.has_ended, leaves=self._leaving)
        if not self._leaving:
            states = self.onlooker.look()
            if (version, states) == self._settled:
                return
            strangers = unknown(then, states)
            for shard in strangers:
                self.onlooker.ask(shard)
            ready = [shard for shard, state in states.items() if state is ShardState.READY]
            if ready and min(ready) == self.name:
                then = self.plan(then, states)
        if then != table:
            self._writing = True
            self.ask(lambda: self.world.put(TABLE, self.table_version(version), then), self._written)
        elif not self._leaving and not self._giving and not strangers:
            self._settled = version, states

    def plan(self, table: Table, states: dict[str, ShardState]) -> Table:
        return plan(table, states)

    def table_version(self, version: int) -> int | None:
        return version

    def _written(self, answer: Any) -> None:
        self._writing = False
        self._left()
