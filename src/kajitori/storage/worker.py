"""One thread that does blocking work for an event loop, one job after another.

Promises
    W1  jobs run in the order they were submitted, never two at a time
    W2  what a job gave or raised is reported on the loop, in the same order
    W3  a job once submitted runs, whatever happens to those who wait for it
    W4  a busy event loop does not keep the thread from working for more than a few milliseconds

W4 needs help. A loop with much to do gives up the interpreter lock at every round, but for so short a time that
a waiting thread never wakes up early enough to take it; and because it was given up, the thread's claim to it
starts anew each time. Left alone, a job can then take seconds. So the loop, when a job takes longer than it
should, sleeps for a moment.

Source: take_gil in CPython's ceval_gil.c; the switch interval counts only while the lock is held throughout.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Worker"]

Result = TypeVar("Result")

Done = Callable[[Any, Exception | None], None]
_Job = tuple[Callable[[], Any], Done]


LEND_AFTER_SECONDS = (0.001, 0.001, 0.001, 0.001, 0.002, 0.004, 0.008)
"""When the loop makes way for a job, each time after the last: whole milliseconds, because uvloop rounds.
A commit on a fast disk is done before the first; one that is not done after some needs the disk, not the lock."""

LEND_SECONDS = 0.0001
"""How long the loop makes way: a thread takes about half of that to wake up."""


class Worker:
    """A named thread with a queue, which its user bounds by waiting for one job before the next."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._submitted = 0
        self._reported = 0
        self._lends = False
        # A daemon, so that a program that ends without closing its store ends: nothing acknowledged is lost.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Any], done: Done) -> None:
        """Runs `work` in the thread, then `done(result, error)` on the loop."""
        self._submitted += 1
        self._jobs.put((work, done))
        if not self._lends:
            self._lends = True
            self._loop.call_later(LEND_AFTER_SECONDS[0], self._lend, self._reported, 0)

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
                report(self._report, done, result, error)
            except RuntimeError:
                return  # The loop was closed: nobody is left to be told.
            del job, work, done, result, error  # Nothing of a job is held while waiting for the next.

    def _report(self, done: Done, result: Any, error: Exception | None) -> None:
        self._reported += 1
        done(result, error)

    def _lend(self, reported: int, times: int) -> None:
        """Gives up the interpreter lock for a moment if no job was finished since the last look."""
        if self._submitted == self._reported:
            self._lends = False
            return
        if reported == self._reported:
            time.sleep(LEND_SECONDS)
            times = min(times + 1, len(LEND_AFTER_SECONDS) - 1)
        else:
            times = 0
        self._loop.call_later(LEND_AFTER_SECONDS[times], self._lend, self._reported, times)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
