"""Names waiting for a worker: `QueueState` with workers that wait, time that passes, failures that delay.

Sits between the event handlers, which add, and the controller's workers, which take. Time is the loop's.

Promises
    W1  all that `QueueState` promises
    W2  a failure delays a name as the rate limit says (`rate_limit`), or as long as the failure asked for, of that at
        most ASKED_SECONDS_MAX
    W3  after `shut_down`, what is ready is still handed out, nothing is taken in, and then `get` raises
        QueueShutDown
    W4  after `halt` nothing is handed out, `get` raises QueueShutDown, and what is taken in is kept
    W5  `drained` returns when nothing is ready and no worker holds a name

Source: client-go's util/workqueue.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from kajitori.ctrl.queue_state import NAMES_MAX, Queued, QueueState
from kajitori.ctrl.rate_limit import DEFAULT_RATE_LIMIT, RateLimit, RateLimiter

__all__ = ["QueueFigures", "QueueShutDown", "Taken", "WorkQueue"]

ASKED_SECONDS_MAX = 1000.0
"""A server that asks for more is asked again all the same."""

Name = TypeVar("Name", bound=Hashable)


class QueueShutDown(Exception):
    """No name will come any more."""


class Taken(NamedTuple, Generic[Name]):
    """What a worker got."""

    name: Name
    priority: int
    waited_seconds: float


@dataclass(slots=True)
class QueueFigures:
    """What has happened so far; read by the metrics."""

    adds: int = 0
    retries: int = 0
    """Names put off: by failures, and by what asked to come again later. Client-go counts both too."""


class WorkQueue(Generic[Name]):
    """One queue, shared by the workers of a controller. Used on one event loop."""

    def __init__(
        self, name: str, *, names_max: int = NAMES_MAX, rate_limit: RateLimit = DEFAULT_RATE_LIMIT
    ) -> None:
        self.name = name
        self.figures = QueueFigures()
        self._state: QueueState[Name] = QueueState(names_max)
        self._limiter: RateLimiter[Name] = RateLimiter(rate_limit)
        self._getters: deque[asyncio.Future[None]] = deque()
        self._drainers: list[asyncio.Future[None]] = []
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        """When the timer is for; uvloop's has no `when` where the time has come already."""
        self._shut_down = False
        self._halted = False
        self._held_since: dict[Name, float] = {}

    def add(self, name: Name, priority: int = 0) -> None:
        """Ready now. Raises: QueueFull."""
        if self._shut_down:
            return
        if self._state.add(name, now=asyncio.get_running_loop().time(), priority=priority):
            self.figures.adds += 1
        self._wake_getter()

    def add_after(self, name: Name, seconds: float, priority: int = 0) -> None:
        """Ready in so many seconds, or earlier when something else makes it so. Raises: QueueFull."""
        if seconds <= 0:
            self.add(name, priority)
            return
        if self._shut_down:
            return
        self.figures.retries += 1
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._state.add(name, now=now, priority=priority, ready_at=now + seconds):
            self.figures.adds += 1
        self._set_timer(loop)

    def add_rate_limited(self, name: Name, priority: int = 0, *, at_least_seconds: float = 0.0) -> float:
        """Ready when its failures so far allow, and not before `at_least_seconds`; gives the delay in seconds.
        Counts one failure more.
        """
        seconds = self._limiter.delay(name, asyncio.get_running_loop().time())
        seconds = max(seconds, min(at_least_seconds, ASKED_SECONDS_MAX))
        self.add_after(name, seconds, priority)
        return seconds

    def forget(self, name: Name) -> None:
        """The name has not failed: the next failure is its first."""
        self._limiter.forget(name)

    def failures(self, name: Name) -> int:
        """In a row."""
        return self._limiter.failures(name)

    async def get(self) -> Taken[Name]:
        """The next name; to be given back with `done`. Raises: QueueShutDown."""
        loop = asyncio.get_running_loop()
        while True:
            if self._halted:
                raise QueueShutDown(self.name)
            taken = self._state.take()
            if taken is not None:
                name, priority, queued_at = taken
                now = loop.time()
                self._held_since[name] = now
                # A loop may call a little before the time it was told: then the name is ready a little later than now.
                return Taken(name, priority, max(0.0, now - queued_at))
            if self._shut_down:
                raise QueueShutDown(self.name)
            getter: asyncio.Future[None] = loop.create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                # The wake-up may have come together with the cancellation: somebody else must have it.
                if getter.done() and not getter.cancelled():
                    self._wake_getter()
                raise

    def done(self, name: Name) -> float:
        """The worker gives a name back; how long it held it, in seconds."""
        since = self._held_since.pop(name)
        if self._state.give_back(name):
            self._wake_getter()
        if self._drainers and self._is_drained():
            self._release_drainers()
        return asyncio.get_running_loop().time() - since

    def shut_down(self) -> None:
        """Takes nothing in any more; what waits for its time is forgotten, what is ready is handed out."""
        self._shut_down = True
        self._state.discard_waiting()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._getters:
            self._wake_getter()
        if self._is_drained():
            self._release_drainers()

    def halt(self) -> None:
        """Hands nothing out any more; what is there, and what still comes, `left` tells."""
        self._halted = True
        while self._getters:
            self._wake_getter()

    def left(self) -> list[tuple[Name, int, float]]:
        """The names that wait or are ready, with their priority and the seconds until they are ready."""
        now = asyncio.get_running_loop().time()
        return [
            (each.name, each.priority, 0.0 if each.ready_at is None else max(0.0, each.ready_at - now))
            for each in self._state.next(len(self._state))
        ]

    async def drained(self) -> None:
        """Returns when nothing is ready and nothing is held."""
        if not self._is_drained():
            drainer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drainers.append(drainer)
            await drainer

    def held_seconds(self, now: float) -> list[float]:
        """How long each name that a worker holds has been held."""
        return [now - since for since in self._held_since.values()]

    def held(self) -> dict[Name, float]:
        """The names that workers hold, and since when."""
        return dict(self._held_since)

    def next(self, most: int) -> list[Queued[Name]]:
        """The names that come next."""
        return self._state.next(most)

    @property
    def failing(self) -> int:
        """How many names failed when they were last tried."""
        return self._limiter.failing

    def depths(self) -> dict[int, int]:
        """How many names are ready, by priority."""
        return self._state.depths()

    def is_there(self, name: Name) -> bool:
        """Whether the name waits or is ready."""
        return self._state.is_there(name)

    def is_held(self, name: Name) -> bool:
        return self._state.is_held(name)

    def __len__(self) -> int:
        return len(self._state)

    def _is_drained(self) -> bool:
        return not self._state.held_count and not len(self._state)

    def _release_drainers(self) -> None:
        for drainer in self._drainers:
            if not drainer.done():
                drainer.set_result(None)
        self._drainers.clear()

    def _wake_getter(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._state.next_ready_at()
        if due is None:
            return
        if self._timer is not None:
            if not self._timer.cancelled() and self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._on_timer, loop)

    def _on_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._timer is not None
        # A loop may call a little before the time it was told.
        now = max(loop.time(), self._due)
        self._timer = None
        for _ in range(self._state.wake(now)):
            self._wake_getter()
        self._set_timer(loop)
