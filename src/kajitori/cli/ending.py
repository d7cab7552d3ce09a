"""How a command ends that runs somebody's code: by a signal, in peace where the code lets it.

Promises
    E1  the first SIGINT or SIGTERM asks it to end; another one, or `forced_seconds` without an end, ends the process at
        once, whatever the code does: also when it keeps the loop to itself, or refuses to be cancelled
    E2  the same signal twice within SAME_SECONDS is one wish: `timeout` and shells send it to a process and its group
"""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Self

__all__ = ["FORCED_CODE", "Ending"]

FORCED_CODE = 1

SAME_SECONDS = 0.2


def _nobody(signal_name: str) -> None:
    pass


def _nothing() -> None:
    pass


class Ending:
    """From `with` to the end of the block signals come here."""

    def __init__(self, command: str, forced_seconds: float, told: Callable[[str], None] = _nobody) -> None:
        """`command` is what messages are from; `told` is called in the loop with the name of the first signal."""
        self.asked = asyncio.Event()
        """Set when it is to end."""
        self.give_back: Callable[[], None] = _nothing
        """Called before the process ends at once: gives the terminal back."""
        self._command = command
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._forced = threading.Timer(forced_seconds, self._force, ("it took too long",))
        self._forced.daemon = True
        self._before: dict[signal.Signals, Any] = {}
        self._is_asked = False
        self._first = (0, 0.0)
        """The first signal, and when it came."""

    def __enter__(self) -> Self:
        # Not the loop's own handlers: those wait for a loop that the code may be holding up.
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        self._forced.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def begin(self) -> None:
        """It ends now, for whatever reason: from here on time is short. Safe to repeat."""
        if not self._is_asked:
            self._is_asked = True
            self._forced.start()
        self.asked.set()

    def _received(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._is_asked:
            first, came = self._first
            if number != first or now - came > SAME_SECONDS:
                self._force("it was told to a second time")
            return
        # Said before anything else: the next signal may come in the middle of this.
        self._is_asked, self._first = True, (number, now)
        self._forced.start()
        self._loop.call_soon_threadsafe(self._begun, signal.Signals(number).name)

    def _begun(self, name: str) -> None:
        self.asked.set()
        self._told(name)

    def _force(self, why: str) -> None:
        self.give_back()
        with contextlib.suppress(OSError):  # who read it may be gone
            os.write(2, f"{self._command}: ends at once: {why}\n".encode())
        os._exit(FORCED_CODE)
