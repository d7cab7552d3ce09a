"""An event loop in which waiting costs nothing: when everybody waits, the clock jumps to the next timer.

    def test_retries() -> None:
        run_virtual(scenario())  # ten minutes of back-off in a millisecond

Promises
    T1  `loop.time()` begins at 0 and moves only when nothing is ready to run, exactly to the next timer
    T2  the same program runs its callbacks in the same order every time: ready ones first in, first out;
        timers by time, then in the order they were set
    T3  work in threads (`run_in_executor`, `to_thread`) is waited for, for real, before the clock moves
    T4  when everybody waits for something that can never come, `Deadlock` is raised instead of hanging

Not for sockets: their peers live in real time. What listens on one is polled, but never waited for.
"""

import asyncio
import heapq
import math
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

__all__ = ["Deadlock", "VirtualClock", "VirtualTimeLoop", "run_virtual"]

THREAD_SECONDS_MAX = 30.0
"""In real time. Work in a thread that takes longer in a test never ends."""

RESOLUTION_SECONDS = 1e-9
"""Timers this close to each other are due together, as on Linux."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Deadlock(RuntimeError):
    """Every task waits and no timer is set."""


class _Selector(selectors.BaseSelector):
    """A selector that asks the loop what to do instead of waiting."""

    def __init__(self, loop_idle: Callable[[float | None], float]) -> None:
        self._real = selectors.DefaultSelector()
        self._loop_idle = loop_idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        return self._real.select(self._loop_idle(timeout))

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


class _Timer(asyncio.TimerHandle):
    """A timer that, among those of the same time, keeps its place."""

    __slots__ = ("order",)
    order: int

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _Timer):
            return (self.when(), self.order) < (other.when(), other.order)
        return NotImplemented


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Use it through `run_virtual`, or as the `loop_factory` of an `asyncio.Runner`."""

    def __init__(self) -> None:
        super().__init__(_Selector(self._idle))
        self._now = 0.0
        self._timers_set = 0
        self._threads_busy = 0

    def time(self) -> float:
        return self._now

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        timer.order = self._timers_set
        self._timers_set += 1
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._threads_busy += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        # A thread joins the others; it is work in a thread like any.
        self._threads_busy += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._threads_busy -= 1

    def _thread_done(self, future: "asyncio.Future[Any]") -> None:
        self._threads_busy -= 1

    def _idle(self, timeout: float | None) -> float:
        """Nobody is ready. How long to wait in real time for one of the threads; moves the clock when 0."""
        if self._threads_busy:
            return THREAD_SECONDS_MAX
        if timeout is None:
            raise Deadlock(f"every task waits, and no timer is set (at {self._now:g} s)")
        self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        # Past some months the loop's nanosecond is lost in rounding, and the timer would never be due.
        self._clock_resolution = max(RESOLUTION_SECONDS, math.ulp(self._now))
        return 0.0


class VirtualClock:
    """A `Clock` whose time is the running loop's, counted from `start`."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, run to its end in virtual time.

    Raises: Deadlock; what `main` raises.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
