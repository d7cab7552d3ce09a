"""What `backup` and `restore` share: how far the work is, what is in a file, what can go wrong.

Promises
    S1  how far long work is is shown to people only: on a terminal, never in a file or a pipe, nor in standard output
    S2  every failure is one sentence; the exit code says whether the same command may succeed later
"""

import argparse
import sys
from collections.abc import Callable
from typing import TextIO, TypeVar

import msgspec
import yaml

from kajitori.cli.main import CommandError
from kajitori.storage.backup import Contents
from kajitori.storage.errors import BackupError, BackupUnfit
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["EXIT_CODES", "Meter", "add_output", "carried_out", "print_contents"]

EXIT_CODES = """\
exit codes:
  0  done
  1  not done: in use, in the way, no room, not allowed
  2  the command line is wrong
  3  not done, and never will be: the file is missing, damaged, of a later version, or none of ours
"""

_UNFIT = 3

TOLD_EVERY_SECONDS = 0.1

Result = TypeVar("Result")


class Meter:
    """A line on a terminal that says how far the work is."""

    def __init__(self, stream: TextIO | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._told_at = clock.monotonic()
        self._width = 0

    def told(self, doing: str, share: float) -> None:
        """A word about the work, shown unless the last one was a moment ago."""
        now = self._clock.monotonic()
        if now - self._told_at < TOLD_EVERY_SECONDS or not self._stream.isatty():
            return
        self._told_at = now
        self._show(f"{doing} ... {share:4.0%}")

    def clear(self) -> None:
        """Takes the line away."""
        if self._width:
            self._show("")
            self._stream.write("\r")
            self._stream.flush()

    def _show(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def carried_out(work: Callable[[Callable[[str, float], None]], Result]) -> Result:
    """What `work` gives, which is told how to say how far it is (S1).

    Raises: CommandError (S2).
    """
    meter = Meter()
    try:
        return work(meter.told)
    except BackupUnfit as error:
        raise CommandError(str(error), _UNFIT) from None
    except BackupError as error:
        raise CommandError(str(error)) from None
    finally:
        meter.clear()


def add_output(parser: argparse.ArgumentParser) -> None:
    """The flag that says how the outcome is printed."""
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json", "yaml"),
        default="table",
        help="how to print what is in the file",
    )


def print_contents(contents: Contents, output: str) -> None:
    """What is in a file, to standard output."""
    if output == "json":
        print(msgspec.json.format(msgspec.json.encode(contents)).decode())
        return
    if output == "yaml":
        print(yaml.safe_dump(msgspec.to_builtins(contents), sort_keys=False, allow_unicode=True), end="")
        return
    cells = {
        "FILE": contents.file,
        "REVISION": str(contents.revision),
        "OBJECTS": str(contents.objects),
        "SIZE": _size(contents.size_bytes),
        "FORMAT": str(contents.format),
    }
    for line in (cells.keys(), cells.values()):
        padded = (
            text.ljust(max(len(name), len(cells[name]))) for name, text in zip(cells, line, strict=True)
        )
        print("   ".join(padded).rstrip())


def _size(count: int) -> str:
    """Bytes as people read them."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = min(max(count, 1).bit_length() - 1, 49) // 10
    return f"{count / 1024**power:.1f} {units[power]}" if power else f"{count} B"
