"""Many tries of one scenario, each different, each repeatable: a seed chooses all that chance would.

    async def scenario(sim: Simulation) -> None:
        manager = sim.manager("labels")
        manager.controller("labels", Labels(manager.client), for_=WIDGETS)
        async with sim.running(manager):
            await sim.client().create(WIDGETS, {...})
            await sim.calm()                                   # nothing goes wrong from now on
            await sim.assert_settles()

    for seed in range(100):
        simulate(seed, scenario, crds=[Widget])

API server, watches, caches, queues and reconcilers run in one process in virtual time. The seed chooses which of
several tasks goes first, how long every request takes, what goes wrong with it (`Faults.random`), uids and generated
names, and what `sim.choice` gives.

Promises
    S1  the same seed gives the same history, in every process
    S2  a failure says its seed
    S3  one name is reconciled once at a time, or the simulation fails, whatever the scenario looks at

Source: the idea is FoundationDB's (Zhou et al., SIGMOD 2021, section 4).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from random import Random
from typing import Any, Self, TypeVar, Unpack

from kajitori.client import Model, kind_of
from kajitori.ctrl import Controller, Manager, Reconciler
from kajitori.storage import Event
from kajitori.testing.env import EnvOptions, TestEnv
from kajitori.testing.faults import Faults
from kajitori.testing.history import History, Recorded
from kajitori.testing.simulated_loop import SimulatedLoop
from kajitori.testing.virtual_time import VirtualClock
from kajitori.testing.waiting import NotInTime
from kajitori.world.random import SeededRandom

__all__ = ["SETTLED_SECONDS", "Simulation", "simulate"]

RATE = 0.05
"""The part of all calls that suffers something."""

LATENCY_SECONDS = 0.05
"""The most that a request or an event takes on its way."""

SETTLED_SECONDS = 1_200.0
"""Nothing may change for so long: longer than the longest back-off of a reconcile (1,000 s)."""

SETTLING_SECONDS = 6 * 3600.0

SETTLING_CHANGES_MAX = 1_000
"""That many changes are a storm, however little time they take."""

EDGE_SECONDS = 1e-6
"""Times that are sums may differ by that."""

RESTLESS = frozenset({"/events", "events.k8s.io/events", "coordination.k8s.io/leases"})
"""What is written for ever by programs that are well."""

T = TypeVar("T")


class Simulation(TestEnv):
    """The world of one try: a `TestEnv` of which everything is chosen by `seed`."""

    __test__ = False

    def __init__(self, seed: int, *, rate: float = RATE, **options: Unpack[EnvOptions]) -> None:
        self.seed = seed
        self.clock = VirtualClock()
        self.history = History()
        self._chances = Random(f"scenario {seed}")
        self._seeds = 0
        options.setdefault("clock", self.clock)
        options.setdefault("random", self.random())
        options.setdefault("faults", Faults.random(seed, rate=rate, latency_seconds=LATENCY_SECONDS))
        super().__init__(**options)
        self.faults.told = self.history.note_call

    async def _start(self) -> None:
        await super()._start()
        self.cluster.on_event(self._committed)

    def _committed(self, event: Event) -> None:
        gone = " gone" if event.deleted else ""
        self.history.note(f"commit {event.revision} {event.bucket.lstrip('/')} {event.name}{gone}")

    def play(self, scenario: Callable[[Self], Awaitable[Any]]) -> History:
        """Plays a scenario, from the start of the API server to its end, once. See `simulate`."""

        async def begin_to_end() -> None:
            async with self:
                await scenario(self)

        try:
            with asyncio.Runner(loop_factory=lambda: SimulatedLoop(self.seed)) as runner:
                runner.run(begin_to_end())
            self.history.check()
        except Exception as error:
            error.add_note(f"seed {self.seed}; the end of its history:\n{self.history}")
            raise
        return self.history

    # What the seed chooses.

    def random(self) -> SeededRandom:
        """A `Random` for whatever asks for one, different each time."""
        self._seeds += 1
        return SeededRandom(self.seed * 1_000_003 + self._seeds)

    def choice(self, among: Collection[T]) -> T:
        """One of them."""
        return self._chances.choice(list(among))

    def chance(self, part: float) -> bool:
        """True in about that part of all cases."""
        return self._chances.random() < part

    async def sleep(self, seconds_max: float) -> None:
        """Waits up to so long."""
        await asyncio.sleep(self._chances.uniform(0, seconds_max))

    def manager(self, name: str = "operator", **options: Any) -> Manager:
        """A manager whose clock, randomness and client are the simulation's; its reconciles are in the history."""
        return _Manager(self, name, options)

    # What may be said of it.

    async def calm(self) -> None:
        """Nothing goes wrong from now on: faults end, and watches that suffer some begin again."""
        self.history.note("calm")
        self.faults.clear()
        self.faults.cut_watches()

    async def assert_settles(
        self,
        quiet_seconds: float = SETTLED_SECONDS,
        *,
        within_seconds: float = SETTLING_SECONDS,
        ignoring: Collection[Model] = (),
    ) -> None:
        """Returns when nothing has changed for so long, of Leases, Events and what is in `ignoring` apart.

        Raises: NotInTime, saying who goes on to write.
        """
        ignored = RESTLESS | {f"{kind_of(each).group}/{kind_of(each).plural}" for each in ignoring}
        loop = asyncio.get_running_loop()
        began = last = loop.time()
        changes, enough = 0, asyncio.Event()

        def changed(event: Event) -> None:
            nonlocal last, changes
            if event.bucket not in ignored:
                last = loop.time()
                changes += 1
                if changes > SETTLING_CHANGES_MAX:
                    enough.set()

        unsubscribe = self.cluster.on_event(changed)
        try:
            while (left := last + quiet_seconds - loop.time()) > EDGE_SECONDS:
                took = loop.time() - began
                if took > within_seconds or enough.is_set():
                    raise NotInTime(
                        f"something changed at least every {quiet_seconds:g} s for {took:.0f} s, {changes} times in "
                        f"all, written by {self.history.busiest(began)}"
                    )
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await enough.wait()
        finally:
            unsubscribe()


class _Manager(Manager):
    def __init__(self, simulation: Simulation, name: str, options: dict[str, Any]) -> None:
        given: dict[str, Any] = {"clock": simulation.clock, "random": simulation.random(), **options}
        super().__init__(simulation.client(name), name=name, **given)
        self._history = simulation.history

    def controller(self, name: str, reconciler: Reconciler[Any], **options: Any) -> Controller[Any]:
        return super().controller(name, Recorded(reconciler, name, self._history), **options)


def simulate(
    seed: int,
    scenario: Callable[[Simulation], Awaitable[T]],
    *,
    rate: float = RATE,
    **options: Unpack[EnvOptions],
) -> History:
    """Plays a scenario with what the seed chooses; gives what happened. `rate` is the part of all calls that something
    goes wrong with; `options` are those of `TestEnv`.

    Raises: NotSafe; what the scenario raises, with the seed and the end of the history in a note.
    """
    return Simulation(seed, rate=rate, **options).play(scenario)
