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

__all__ = ["StandingLoop", "debugging"]

Held = Callable[[], AbstractContextManager[None]]


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
    def __init__(self, held: Held, left: Callable[[], None]) -> None:
        super().__init__(nosigint=True)
        self._held = held
        self._left = left

    def interaction(self, *arguments: Any, **options: Any) -> None:
        with self._held():
            # What it reads and writes is what there is now, not what there was when it was made.
            self.stdin, self.stdout = sys.stdin, sys.stdout
            super().interaction(*arguments, **options)

    def set_quit(self) -> None:
        super().set_quit()
        self._left()


@contextmanager
def debugging(loop: StandingLoop, left: Callable[[], None], suspended: Held = nullcontext) -> Generator[None]:
    """In the block `breakpoint()` opens pdb; `suspended` gives the terminal away meanwhile, `left` is called at `q`."""

    @contextmanager
    def held() -> Generator[None]:
        with suspended():
            if threading.current_thread() is not threading.main_thread():
                yield  # The loop runs on.
                return
            before = signal.signal(signal.SIGINT, signal.default_int_handler)
            # Otherwise the loop would learn of it later, and take it for its own.
            wakes = signal.set_wakeup_fd(-1)
            try:
                with loop.standing():
                    yield
            finally:
                signal.set_wakeup_fd(wakes)
                signal.signal(signal.SIGINT, before)

    def leave() -> None:
        loop.call_soon_threadsafe(left)

    def hook(*arguments: Any, **options: Any) -> Any:
        if os.environ.get("PYTHONBREAKPOINT"):
            return sys.__breakpointhook__(*arguments, **options)  # noqa: T100
        here = inspect.currentframe()
        _Debugger(held, leave).set_trace(None if here is None else here.f_back)
        return None

    before, sys.breakpointhook = sys.breakpointhook, hook
    try:
        yield
    finally:
        sys.breakpointhook = before
