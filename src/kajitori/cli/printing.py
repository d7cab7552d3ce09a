"""Lines for a terminal that may be slow, stopped (Ctrl-S) or gone.

A thread prints them, because a write to a pipe or terminal that nobody reads waits, and everything else would wait
with it.

Promises
    P1  printing never waits
    P2  at most LINES_MAX lines wait; what is left out beyond them is counted, and the count is told
    P3  a terminal that is gone, or full, is no error: what cannot be told is not
"""

import threading
from collections import deque
from typing import TextIO

__all__ = ["LINES_MAX", "Printer"]

LINES_MAX = 10_000
"""Lines that wait while nobody reads: about a megabyte, and more than anybody reads afterwards."""

_CLOSE_SECONDS_MAX = 1.0
"""What a terminal gets to take the last lines."""


class Printer:
    """Prints to a text stream, in order."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._ended = False
        self._changed = threading.Condition()
        # A daemon, so that a stopped terminal cannot keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def print(self, text: str = "") -> None:
        """Prints a line, soon."""
        with self._changed:
            if len(self._lines) >= LINES_MAX:
                self._left_out += 1
                return
            self._lines.append(text)
            self._changed.notify()

    def close(self) -> None:
        """Prints what waits, as far as somebody takes it."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS_MAX)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._ended:
                    self._changed.wait()
                if not self._lines:
                    return
                lines = list(self._lines)
                self._lines.clear()
                if self._left_out:
                    lines.append(f"({self._left_out} lines are left out: they were not read in time)")
                    self._left_out = 0
            try:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()
            except (OSError, ValueError):
                self._give_up()
                return

    def _give_up(self) -> None:
        """Nobody is there: lines are taken and forgotten, a few at a time so that P2 holds."""
        with self._changed:
            self._lines = deque(maxlen=1)
