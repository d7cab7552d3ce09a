"""A world of machines for simulations: an API server with compare-and-swap and a log, and processes that are slow, stop
for a while, are cut off, die, and have clocks of their own. All by one seed; time is virtual and costs nothing.

What may go wrong on the way of a request: it takes long, it takes effect after its sender has given up, it never
arrives, its answer is lost. What a process sees of the log is old, by its own lag, but never goes back.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

TIMEOUT_SECONDS = 5.0
"""So long a process waits for an answer."""

LOST = object()
"""The answer of a request of which nobody knows what became."""

CONFLICT = object()
"""The answer of a write to something that has changed."""


class Broken(AssertionError):
    """What a checker has found."""


class World:
    """What happens next, and the API server."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.calm = False
        """From now on nothing goes wrong any more."""
        self.log: list[tuple[float, str, int, Any]] = []
        """When, what, which version, its value (None: it is gone)."""
        self.stored: dict[str, tuple[int, Any]] = {}
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self.now + seconds, next(self._order), call))

    def run(self, until: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, call = heapq.heappop(heap)
            call()
        self.now = until

    # The API server.

    def get(self, name: str) -> tuple[int, Any]:
        """Version 0: there is none."""
        return self.stored.get(name, (0, None))

    def put(self, name: str, version: int | None, value: Any) -> Any:
        """The new version; CONFLICT when it is at another one than `version` (0: there is none, None: any)."""
        if version is not None and self.get(name)[0] != version:
            return CONFLICT
        number = len(self.log) + 1
        self.log.append((self.now, name, number, value))
        if value is None:
            self.stored.pop(name, None)
        else:
            self.stored[name] = (number, value)
        return number


@dataclass(slots=True)
class Faults:
    """How bad it is, in this seed."""

    slow: float
    """Mean seconds of a request in one direction."""
    late: float
    """How many requests take effect half a minute later."""
    lost: float
    """How many requests, and as many answers, are lost."""

    @classmethod
    def of(cls, random: Random) -> "Faults":
        return cls(random.choice((0.001, 0.05, 0.5)), random.choice((0, 0.01)), random.choice((0, 0.02, 0.1)))


@dataclass
class Process:
    """One process on one machine."""

    world: World
    faults: Faults
    offset: float = field(init=False)
    rate: float = field(init=False)

    def __post_init__(self) -> None:
        random = self.world.random
        self.offset, self.rate = random.uniform(-1e6, 1e6), random.uniform(0.97, 1.03)
        self.dead = self.cut = False
        self.paused = False
        self.cache: dict[str, tuple[int, Any]] = {}
        self.leases: dict[str, tuple[int, Any]] = {}
        self._seen = 0
        self._missed: list[Callable[[], None]] = []

    def clock(self) -> float:
        """Seconds of its own: wrong by any amount, and a little fast or slow."""
        return self.world.now * self.rate + self.offset

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """By its own clock. What comes due while it is paused happens when it goes on."""

        def happen() -> None:
            if self.dead:
                return
            if self.paused:
                self._missed.append(call)
            else:
                call()

        self.world.at(seconds / self.rate, happen)

    def every(self, seconds: float, call: Callable[[], None]) -> None:
        def again() -> None:
            call()
            self.after(seconds * self.world.random.uniform(0.5, 1.5), again)

        self.after(seconds * self.world.random.random(), again)

    def pause(self, seconds: float) -> None:
        self.paused = True

        def resume() -> None:
            self.paused = False
            missed, self._missed = self._missed, []
            for call in missed:
                if not self.dead:
                    call()

        self.world.at(seconds, resume)

    def cut_off(self, seconds: float) -> None:
        self.cut = True

        def heal() -> None:
            self.cut = False

        self.world.at(seconds, heal)

    def kill(self) -> None:
        self.dead = True

    def ask(self, effect: Callable[[], Any], answered: Callable[[Any], None]) -> None:
        """`effect` is what the server does; `answered` gets what it gives, or LOST."""
        world, random = self.world, self.world.random
        faults = self.faults if not world.calm else Faults(0.005, 0, 0)
        done = False

        def answer(value: Any) -> None:
            nonlocal done
            if not done:
                done = True
                answered(value)

        self.after(TIMEOUT_SECONDS, lambda: answer(LOST))
        there = random.expovariate(1 / faults.slow)
        if random.random() < faults.late or (self.cut and random.random() < 0.3):
            there += random.uniform(0, 60)
        elif self.cut or random.random() < faults.lost:
            return

        def arrive() -> None:
            value = effect()
            if not self.cut and random.random() >= faults.lost:
                self.after(random.expovariate(1 / faults.slow), lambda: answer(value))

        world.at(there, arrive)

    def watch(self, lag: float, changed: Callable[[str], None] | None = None) -> None:
        """Keeps `cache` and `leases` at what the server had a while ago."""

        def look() -> None:
            if self.cut:
                return
            log, until = self.world.log, self.world.now - self.world.random.uniform(0, lag)
            at = self._seen
            while at < len(log) and log[at][0] <= until:
                _, name, version, value = log[at]
                at += 1
                cache = self.leases if name.startswith("lease/") else self.cache
                if value is None:
                    cache.pop(name, None)
                else:
                    cache[name] = (version, value)
                if changed is not None:
                    changed(name)
            self._seen = at

        self.every(max(lag / 2, 0.05), look)


class Claims:
    """At most one worker works on a thing: who began last, and that nobody else goes on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._at_work: dict[Any, tuple[Process, object]] = {}
        self.began: dict[Any, float] = {}
        """When each was begun last."""
        self.count = 0

    def begin(self, name: Any, process: Process) -> object:
        """Raises: Broken."""
        now = self._at_work.get(name)
        if now is not None and now[0] is not process and not now[0].dead and not now[0].paused:
            raise Broken(f"two work on {name} at {self._world.now:.3f}")
        token = object()
        self._at_work[name] = (process, token)
        self.began[name] = self._world.now
        self.count += 1
        return token

    def act(self, name: Any, token: object) -> None:
        """Who works writes. Raises: Broken."""
        now = self._at_work.get(name)
        if now is None or now[1] is not token:
            raise Broken(f"somebody writes to {name} at {self._world.now:.3f} after another has begun")

    def end(self, name: Any, token: object) -> None:
        now = self._at_work.get(name)
        if now is not None and now[1] is token:
            del self._at_work[name]
