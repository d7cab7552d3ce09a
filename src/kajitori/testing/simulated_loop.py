"""An event loop in virtual time whose order among tasks is chosen by a seed.

What asyncio promises it keeps: callbacks come in the order in which they were given to the loop, and each task goes on
where it was. Which of several tasks that are ready goes on first is promised nowhere, so here the seed says it. Work
that would go to a thread is done at once, in the loop: threads know no seed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from random import Random
from typing import Any, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from kajitori.testing.virtual_time import VirtualTimeLoop

__all__ = ["SimulatedLoop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SimulatedLoop(VirtualTimeLoop):
    """Use it through `simulate`."""

    _ready: "deque[asyncio.Handle]"

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._order = Random(f"order {seed}")
        self._numbers: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._tasks_made = 0
        self.set_task_factory(self._numbered)

    def _numbered(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        self._tasks_made += 1
        self._numbers[task] = self._tasks_made
        return task

    def _run_once(self) -> None:
        ready = self._ready
        if len(ready) > 1:
            handles = list(ready)
            tasks = {
                place: task for place, handle in enumerate(handles) if (task := _task_of(handle)) is not None
            }
            places = list(tasks)
            if len(places) > 1:
                # By age first: the order of sets of tasks, as groups have them, is that of their addresses.
                chosen = sorted(places, key=lambda place: self._numbers.get(tasks[place], 0))
                self._order.shuffle(chosen)
                for place, other in zip(places, chosen, strict=True):
                    ready[place] = handles[other]
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def _task_of(handle: asyncio.Handle) -> "asyncio.Task[Any] | None":
    """The task that it lets go on."""
    callback = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    return task if isinstance(task, asyncio.Task) else None
