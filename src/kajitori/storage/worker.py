"""One thread that does blocking work for an event loop, one job after another.

Promises
    W1  jobs run in the order they were submitted, never two at a time
    W2  what a job gave or raised is reported on the loop, in the same order
    W3  a job once submitted runs, whatever happens to those who wait for it
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Worker"]

Result = TypeVar("Result")

Done = Callable[[Any, Exception | None], None]
_Job = tuple[Callable[[], Any], Done]


class Worker:
    """A named thread with a queue, which its user bounds by waiting for one job before the next."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # A daemon, so that a program that ends without closing its store ends: nothing acknowledged is lost.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Any], done: Done) -> None:
        """Runs `work` in the thread, then `done(result, error)` on the loop."""
        self._jobs.put((work, done))

    def call(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """A future of what `work` gives; cancelling it does not stop the work."""
        future: asyncio.Future[Result] = self._loop.create_future()
        self.submit(work, partial(_settle, future))
        return future

    def stop(self) -> None:
        """Ends the thread once what was submitted is done."""
        self._jobs.put(None)

    def _run(self) -> None:
        report = self._loop.call_soon_threadsafe
        take = self._jobs.get
        while (job := take()) is not None:
            work, done = job
            result: Any = None
            error: Exception | None = None
            try:
                result = work()
            except Exception as raised:
                error = raised
            try:
                report(done, result, error)
            except RuntimeError:
                return  # The loop was closed: nobody is left to be told.
            del job, work, done, result, error  # Nothing of a job is held while waiting for the next.


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
