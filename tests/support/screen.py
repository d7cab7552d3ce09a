"""A program at a terminal of 100 columns and 30 lines, and what is to be seen there."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["AtScreen"]

SECONDS_MAX = 30.0

_ALONE = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
_STYLE = re.compile(r"\x1b\[[\d;]*m")
_PIECE = re.compile(r"\x1b\[(\d+);1H|\x1b\[K|\x1b\[2J|\x1b\[\?1049[hl]|\x1b\[\?25[hl]|[^\x1b]+")


class AtScreen:
    """Knows what a terminal must know to show frames that are drawn line by line, and lines that scroll."""

    def __init__(self, words: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        self._changed = threading.Condition()
        self._rows: dict[int, str] = {}
        self._scrolled = ""
        self._is_screen = False
        self._at = 1
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ALONE, *words],
            cwd=folder,
            env={**env, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        rest = ""
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                return
            text = rest + data.decode("utf-8", "replace")
            # A sequence may be cut in the middle.
            cut = text.rfind("\x1b", max(0, len(text) - 12))
            text, rest = (text, "") if cut < 0 or _complete(text[cut:]) else (text[:cut], text[cut:])
            with self._changed:
                self._show(_STYLE.sub("", text))
                self._changed.notify_all()

    def _show(self, text: str) -> None:
        for piece in _PIECE.finditer(text):
            what = piece[0]
            if piece[1]:
                self._at = int(piece[1])
                self._rows[self._at] = ""
            elif what == "\x1b[2J":
                self._rows.clear()
            elif what.startswith("\x1b[?1049"):
                self._is_screen = what.endswith("h")
                self._rows.clear()
            elif what.startswith("\x1b"):
                pass
            elif self._is_screen:
                self._rows[self._at] = self._rows.get(self._at, "") + what
            else:
                self._scrolled += what.replace("\r", "")

    @property
    def lines(self) -> list[str]:
        """What the drawn screen shows; empty when there is none."""
        return [self._rows[number].rstrip() for number in sorted(self._rows)]

    @property
    def scrolled(self) -> str:
        """All that was printed while no screen was drawn."""
        return self._scrolled

    def until(self, holds: Callable[["AtScreen"], object], what: str = "") -> None:
        """Returns once that holds of what is to be seen."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self), SECONDS_MAX):
                shown = "\n".join([*self.lines, "---", self._scrolled])
                raise AssertionError(f"never seen: {what}\n{shown}")

    def shows(self, text: str) -> None:
        """Returns once a line of the drawn screen has the text."""
        self.until(lambda seen: any(text in line for line in seen.lines), text)

    def prints(self, text: str) -> None:
        """Returns once the text was printed while no screen was drawn."""
        self.until(lambda seen: text in seen.scrolled, text)

    def press(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt_until(self, text: str) -> None:
        """Ctrl-C until that was printed: one that comes just before a prompt reads is seen by nobody."""
        with self._changed:
            for _ in range(10):
                os.write(self._ours, b"\x03")
                if self._changed.wait_for(lambda: text in self._scrolled, 2.0):
                    return
        raise AssertionError(f"never seen: {text}\n{self._scrolled}")

    def attributes(self) -> list[object]:
        """Of the terminal, as `termios` tells them."""
        return termios.tcgetattr(self._theirs)

    def wait(self) -> int:
        """Its exit code."""
        try:
            return self._process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on:\n{self._scrolled}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        os.close(self._theirs)
        self._reader.join(SECONDS_MAX)
        os.close(self._ours)


def _complete(sequence: str) -> bool:
    return re.match(r"\x1b\[[?\d;]*[A-Za-z]", sequence) is not None
