"""A terminal as a screen of its own: frames out, keys in; everything is as before when it is given back.

Promises
    T1  whatever ends the block, the terminal is as it was: its own screen, echo, cursor
    T2  what the user's code prints meanwhile disturbs nothing: it comes line by line to `told`
    T3  `suspended` gives the terminal to somebody else for a while: a debugger
"""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from kajitori.cli.dev.happenings import Happening
from kajitori.cli.dev.logs import Printed
from kajitori.cli.dev.screen import Line, rendered

__all__ = ["Terminal", "is_usable"]

_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"

_KEYS = {
    **{b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down"},
    **{b"\x1b": "escape", b"\r": "enter", b"\n": "enter"},
}


def is_usable() -> bool:
    """Whether we are at a terminal that can be drawn on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Terminal:
    """From `with` to the end of the block it is ours."""

    def __init__(self, pressed: Callable[[str], None], told: Callable[[Happening], None]) -> None:
        self._pressed = pressed
        self._told = told
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._before: list[Any] = []
        self._streams = (sys.stdout, sys.stderr)
        self._drawn: list[str] = []
        self._drawn_size = 0, 0
        self._is_ours = False
        self._colours = not os.environ.get("NO_COLOR")

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._in)
        self._take()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._in, self._read)
        loop.add_signal_handler(signal.SIGCONT, self._continued)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGCONT)
        loop.remove_reader(self._in)
        self.give_back()

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            found = os.get_terminal_size(self._out)
        except OSError:
            return 80, 24
        return max(found.columns, 1), max(found.lines, 1)

    def draw(self, frame: Sequence[Line]) -> None:
        """Shows a frame; what is the same as in the last one is left alone."""
        if not self._is_ours:
            return
        lines = [rendered(each, colours=self._colours) for each in frame]
        size = self.size()
        if size != self._drawn_size:
            # What a terminal makes of its lines when it gets another size is its own affair.
            self._drawn, self._drawn_size = [], size
            self._write("\x1b[2J")
        text = "".join(
            f"\x1b[{number};1H{line}\x1b[K"
            for number, line in enumerate(lines, 1)
            if not self._drawn or self._drawn[number - 1] != line
        )
        self._drawn = lines
        self._write(text)

    def give_back(self) -> None:
        """Gives the terminal back, wherever the program stands. Safe to repeat."""
        if self._is_ours:
            self._give()

    @contextmanager
    def suspended(self) -> Generator[None]:
        """The terminal is somebody else's for the length of the block."""
        self._give()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._is_ours = True
        tty.setcbreak(self._in)
        self._drawn, self._drawn_size = [], (0, 0)
        self._write(_ENTER)
        sys.stdout = sys.stderr = Printed(self._told)

    def _give(self) -> None:
        self._is_ours = False
        sys.stdout, sys.stderr = self._streams
        self._write(_LEAVE)
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._before)

    def _continued(self) -> None:
        """After Ctrl-Z and `fg`: a shell was here meanwhile."""
        if self._is_ours:
            self._give()
            self._take()

    def _read(self) -> None:
        typed = os.read(self._in, 64)
        known = _KEYS.get(typed)
        if known is not None:
            self._pressed(known)
            return
        for each in typed.decode("utf-8", "ignore"):
            self._pressed(_KEYS.get(each.encode(), each))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._out, data) :]
