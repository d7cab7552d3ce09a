"""A program at a terminal of its own, with somebody who types."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Typed", "at_a_terminal"]

SECONDS_MAX = 30.0

_ALONE = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True)
class Typed:
    """How it ended: its exit code, what the terminal showed, what went to standard output, which process it was."""

    code: int
    screen: str
    out: str
    pid: int


def at_a_terminal(
    words: Sequence[str], env: Mapping[str, str], *, typed: str, until: str, given: str | None = None
) -> Typed:
    """Runs a program whose standard error is a terminal; types `typed` once the screen shows `until`.

    `given` is piped into its standard input, which is the terminal otherwise.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _ALONE, *words],
        env=dict(env),
        stdin=theirs if given is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        if given is not None:
            assert program.stdin is not None
            program.stdin.write(given.encode())
            program.stdin.close()
            program.stdin = None
        screen = b""
        answered = False
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # nobody has the terminal any longer
                break
            if not chunk:
                break
            screen += chunk
            if not answered and until.encode() in screen:
                os.write(ours, f"{typed}\n".encode())
                answered = True
        out, _ = program.communicate(timeout=SECONDS_MAX)
    os.close(ours)
    return Typed(program.returncode, screen.decode().replace("\r\n", "\n"), out.decode(), program.pid)
