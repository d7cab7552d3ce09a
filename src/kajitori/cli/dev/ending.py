"""How a session ends: by a signal, in peace where the code lets it.

Promises
    E1  the first SIGINT or SIGTERM asks it to end; a second one, or FORCED_SECONDS without an end, ends the process at
        once, whatever the code does: also when it keeps the loop to itself, or refuses to be cancelled
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

__all__ = ["FORCED_CODE", "Ending"]

FORCED_SECONDS = 12.0
"""Reconciles get five of them, webhooks and the cluster the rest."""

FORCED_CODE = 1


def _nothing() -> None:
    pass


class Ending:
    """From `with` to the end of the block signals come here."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set when it is to end."""
        self.give_back: Callable[[], None] = _nothing
        """Called before the process ends at once: gives the terminal back."""
        self._loop = asyncio.get_running_loop()
        self._forced = threading.Timer(FORCED_SECONDS, self._force, ("it took too long",))
        self._forced.daemon = True
        self._before: dict[signal.Signals, Any] = {}
        self._is_asked = False

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
        if self._is_asked:
            self._force("it was told to a second time")
        self._is_asked = True
        self._forced.start()
        self._loop.call_soon_threadsafe(self.asked.set)

    def _force(self, why: str) -> None:
        self.give_back()
        print(f"kajitori dev: ended at once: {why}", file=sys.__stderr__, flush=True)
        os._exit(FORCED_CODE)
