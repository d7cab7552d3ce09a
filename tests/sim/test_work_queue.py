"""The work queue under a seed: adds, delays, priorities, failures and workers in any order, judged by a checker.

`make test` plays some seeds, `make sim` a thousand. A failure names its seed. What is checked is what a reconciler may
rely on, and no more:

    S1  at most one worker at a time has a name
    S2  no last state is missed: every change of a name is followed by a reconcile that begins after it, and when
        that fails, by another
    S3  nobody comes before the time: what only waits or backs off is not handed out early
    S4  when the queue shuts down every worker ends, and what was ready has been handed out

The last tests break the queue on purpose: the checker tells each of these breaks.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.workqueue import QueueShutDown, WorkQueue
from kajitori.testing import run_virtual

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 1_000 if LONG else 20
ADDS = 2_000
"""Of each seed."""
EDGE_SECONDS = 1e-6
"""Times that are sums may differ by that."""


class Broken(AssertionError):
    """What the checker has found."""


@dataclass(slots=True)
class Name:
    """What the world knows of one object."""

    state: int = 0
    """Counts its changes."""
    done: int = 0
    """The state that a successful reconcile saw last."""
    workers: int = 0
    due: float = float("inf")
    """The earliest time at which anybody has asked for it since it was last handed out."""


@dataclass(slots=True)
class Checker:
    """Hears of every event, and raises Broken at the first that may not be."""

    names: dict[int, Name] = field(default_factory=dict[int, Name])
    handed_out: int = 0
    most_at_once: int = 0
    held: int = 0

    def asked(self, name: int, due: float) -> None:
        self.names[name].due = min(self.names[name].due, due)

    def taken(self, name: int, now: float) -> None:
        known = self.names[name]
        if known.workers:
            raise Broken(f"two workers have {name} at {now}")
        if now < known.due - EDGE_SECONDS:
            raise Broken(f"{name} is handed out at {now}, before {known.due}")
        known.workers += 1
        known.due = float("inf")
        self.handed_out += 1
        self.held += 1
        self.most_at_once = max(self.most_at_once, self.held)

    def given_back(self, name: int) -> None:
        self.names[name].workers -= 1
        self.held -= 1

    def end(self) -> None:
        """Everything that was asked for has come, everybody has stopped."""
        for name, known in self.names.items():
            if known.done != known.state:
                raise Broken(f"{name} is at state {known.state}, and was last reconciled at {known.done}")


class World:
    """Objects that change, workers that reconcile them, all by one seed."""

    def __init__(self, queue: WorkQueue[int], seed: int) -> None:
        self.queue = queue
        self.random = Random(seed)
        self.checker = Checker({number: Name() for number in range(self.random.choice((1, 5, 50, 500)))})
        self.pace = self.random.choice((0.0001, 0.01, 1.0))
        """Seconds that things take, more or less."""
        self.failing = self.random.choice((0.0, 0.1, 0.6))
        self.has_left = self.random.random() < 0.3
        """Whether workers are cancelled now and then, as when a controller is cut short, and others come."""

    async def play(self) -> None:
        workers = set[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:

            def hire() -> None:
                workers.add(group.create_task(self.work()))

            for _ in range(self.random.choice((1, 2, 8, 32))):
                hire()
            for _ in range(ADDS):
                self.change()
                if self.random.random() < 0.5:
                    await asyncio.sleep(self.random.expovariate(1) * self.pace)
                if self.has_left and self.random.random() < 0.02:
                    workers.pop().cancel()
                    hire()
            await self.quiet()
            self.queue.shut_down()
        self.checker.end()

    def change(self) -> None:
        now = asyncio.get_running_loop().time()
        random, name = self.random, self.random.randrange(len(self.checker.names))
        priority = random.choice((LOW_PRIORITY, 0, 0, 7))
        if random.random() < 0.3:
            seconds = random.expovariate(1) * self.pace * random.choice((0, 1, 100))
            self.checker.asked(name, now + seconds)
            self.queue.add_after(name, seconds, priority)
        else:
            self.checker.names[name].state += 1
            self.checker.asked(name, now)
            self.queue.add(name, priority)

    async def quiet(self) -> None:
        """Nothing is there and nothing is held: all that was asked for has come, at the latest then."""
        seconds = 1.0
        while len(self.queue) or self.checker.held:
            await asyncio.sleep(seconds)
            seconds *= 2
            if seconds > 1e9:
                raise Broken(f"{len(self.queue)} names are there, and nobody gets them")

    async def work(self) -> None:
        while True:
            try:
                name, priority, waited = await self.queue.get()
            except QueueShutDown:
                return
            assert waited >= 0
            self.checker.taken(name, asyncio.get_running_loop().time())
            try:
                await self.reconcile(name, priority)
            finally:
                self.checker.given_back(name)
                self.queue.done(name)

    async def reconcile(self, name: int, priority: int) -> None:
        known, loop, random = self.checker.names[name], asyncio.get_running_loop(), self.random
        seen, succeeded = known.state, False
        try:
            if random.random() < 0.8:
                await asyncio.sleep(random.expovariate(1) * self.pace)
            succeeded = random.random() >= self.failing
        finally:
            # A worker that is cut short has failed, too.
            if succeeded:
                known.done = seen
                self.queue.forget(name)
                if random.random() < 0.05:
                    self.checker.asked(name, loop.time() + self.pace)
                    self.queue.add_after(name, self.pace, priority)
            else:
                delay = self.queue.add_rate_limited(name, priority)
                self.checker.asked(name, loop.time() + delay)


def play(seed: int, break_it: Callable[[WorkQueue[int]], None] | None = None) -> Checker:
    queue: WorkQueue[int] = WorkQueue("q")
    if break_it is not None:
        break_it(queue)
    world = World(queue, seed)
    run_virtual(world.play())
    return world.checker


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_one_worker_a_name_and_no_last_state_missed(first: int) -> None:  # S1-S4
    for seed in range(first, first + 10):
        try:
            play(seed)
        except* Exception as error:
            raise AssertionError(f"seed {seed}") from error


def test_what_is_played_is_worth_judging() -> None:
    """Names are reconciled at the same time, and more often than once each."""
    played = [play(seed) for seed in range(5)]
    assert max(checker.most_at_once for checker in played) > 1
    assert sum(checker.handed_out for checker in played) > 5_000


# The checker at work on queues that are broken on purpose.


def hands_out_what_is_held(queue: WorkQueue[int]) -> None:
    queue._state._held = _Never()


class _Never(set[int]):
    """Remembers nobody."""

    def __contains__(self, name: object) -> bool:
        return False


def forgets_what_changes_while_held(queue: WorkQueue[int]) -> None:
    give_back = queue._state.give_back

    def forgetful(name: int) -> bool:
        give_back(name)
        queue._state._entries.pop(name, None)
        return False

    queue._state.give_back = forgetful  # type: ignore[method-assign]


def drops_now_and_then(queue: WorkQueue[int]) -> None:
    add, random = queue._state.add, Random(1)

    def dropping(name: int, **how: Any) -> bool:
        return False if random.random() < 0.01 else add(name, **how)

    queue._state.add = dropping  # type: ignore[method-assign]


def does_not_wait(queue: WorkQueue[int]) -> None:
    def at_once(name: int, seconds: float, priority: int = 0) -> None:
        queue.add(name, priority)

    queue.add_after = at_once  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (hands_out_what_is_held, "two workers have"),
        (forgets_what_changes_while_held, "was last reconciled at"),
        (drops_now_and_then, "was last reconciled at"),
        (does_not_wait, "before"),
    ],
)
def test_the_checker_tells_a_queue_that_is_broken(
    break_it: Callable[[WorkQueue[int]], None], told: str
) -> None:
    found = list[str]()
    for seed in range(10):
        try:
            play(seed, break_it)
        except* Exception as errors:
            found.extend(str(error) for error in _leaves(errors))
    assert any(told in each for each in found), found


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
