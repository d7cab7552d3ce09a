"""`breakpoint()` in code that runs under `kajitori dev`.

Promises
    B1  while somebody looks, the loop's time stands still: no timeout strikes for it, nothing counts as blocked
    B2  the debugger has the terminal as it is outside of us, Ctrl-C included; leaving it with `q` ends kajitori dev
    B3  PYTHONBREAKPOINT chooses another debugger, as everywhere
"""

import asyncio
import inspect
import os
import pdb  # noqa: T100 - not left behind, but what this is for
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

__all__ = ["Debugging", "StandingLoop", "debugging"]

Suspended = Callable[[], AbstractContextManager[None]]
Holds = Callable[[Callable[..., None]], AbstractContextManager[None]]


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose time can stand still."""

    _stood_seconds = 0.0

    def time(self) -> float:
        return super().time() - self._stood_seconds

    @contextmanager
    def standing(self) -> Generator[None]:
        """For the length of the block no time passes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._stood_seconds += time.monotonic() - began


class _Debugger(pdb.Pdb):
    allow_kbdint = False

    def __init__(self, held: Holds, left: Callable[[], None]) -> None:
        super().__init__(nosigint=True)
        self._held = held
        self._left = left

    def interaction(self, *arguments: Any, **options: Any) -> None:
        with self._held(self._interrupted):
            # What it reads and writes is what there is now, not what there was when it was made.
            self.stdin, self.stdout = sys.stdin, sys.stdout
            super().interaction(*arguments, **options)

    def _interrupted(self, *_: object) -> None:
        # Elsewhere than at its prompt pdb does not expect it.
        if self.allow_kbdint:
            raise KeyboardInterrupt

    def set_quit(self) -> None:
        super().set_quit()
        self._left()


class Debugging:
    """What `breakpoint()` does here."""

    def __init__(self, loop: StandingLoop, left: Callable[[], None], before: Callable[[], None]) -> None:
        self._loop = loop
        self._left = left
        self._before = before
        self._is_over = False
        self.suspended: Suspended = nullcontext
        """Gives the terminal away, where it is somebody's."""

    def end(self) -> None:
        """From now on nothing stops any more."""
        self._is_over = True

    def hook(self, *arguments: Any, **options: Any) -> Any:
        """In the place of `sys.breakpointhook`."""
        if os.environ.get("PYTHONBREAKPOINT"):
            return sys.__breakpointhook__(*arguments, **options)  # noqa: T100
        if not self._is_over:
            here = inspect.currentframe()
            _Debugger(self._held, self._leave).set_trace(None if here is None else here.f_back)
        return None

    def _leave(self) -> None:
        self.end()  # What is retried meanwhile does not stop again.
        self._loop.call_soon_threadsafe(self._left)

    @contextmanager
    def _held(self, interrupted: Callable[..., None]) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            with self.suspended():
                yield  # The loop runs on.
            return
        self._before()
        with self.suspended():
            handler = signal.signal(signal.SIGINT, interrupted)
            # Otherwise the loop would learn of it later, and take it for its own.
            wakes = signal.set_wakeup_fd(-1)
            try:
                with self._loop.standing():
                    yield
            finally:
                signal.set_wakeup_fd(wakes)
                signal.signal(signal.SIGINT, handler)


@contextmanager
def debugging(
    loop: StandingLoop, left: Callable[[], None], before: Callable[[], None]
) -> Generator[Debugging]:
    """In the block `breakpoint()` opens pdb.

    `before` is called first: what has happened is to be told. `left` is called at `q`.
    """
    here = Debugging(loop, left, before)
    usual, sys.breakpointhook = sys.breakpointhook, here.hook
    try:
        yield here
    finally:
        sys.breakpointhook = usual
