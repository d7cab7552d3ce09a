"""Reading audit logs: files as kube-apiserver and kajitori write them, rotated and compressed ones too.

Promises
    R1  a log brings those of its files that were laid aside, in the order of time: `audit-2026-….log`, `audit.log.1`,
        each compressed or not
    R2  a line that is no event is counted and the first few are named, with why; the others are read all the same
    R3  no line is held that is longer than LINE_BYTES_MAX
"""

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from kajitori.posture.rbac.recorded import Recorded

__all__ = ["LINE_BYTES_MAX", "NAMED_MAX", "LogRead", "files_of", "read_log"]

LINE_BYTES_MAX = 16 * 1024 * 1024
"""The longest event there can be holds a request and a response of three megabytes each, escaped."""

NAMED_MAX = 5
"""Bad lines that are named; the others are only counted."""

_GZIP = b"\x1f\x8b"
_MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d+)?"


class LogRead(msgspec.Struct):
    """What was read, and how well."""

    recorded: Recorded = msgspec.field(default_factory=Recorded)
    files: list[str] = []
    bad_lines: int = 0
    named: list[str] = []
    """The first of them: `audit.log:17: …`."""

    def bad(self, where: str, why: str) -> None:
        self.bad_lines += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(f"{where}: {why}")


def files_of(path: Path) -> list[Path]:
    """The files of the log at `path`, the oldest first; those below it when it is a folder (R1).

    Raises: OSError when there are none.
    """
    if path.is_dir():
        found = [each for each in path.iterdir() if each.is_file() and ".log" in each.name]
        if not found:
            raise FileNotFoundError(f"{path}: there is no log in this folder (no file *.log*)")
        return sorted(found, key=_age)
    laid_aside = re.compile(
        rf"{re.escape(path.stem)}-{_MOMENT}{re.escape(path.suffix)}(?:\.gz)?|{re.escape(path.name)}\.\d+(?:\.gz)?"
    )
    others = (
        [each for each in path.parent.iterdir() if laid_aside.fullmatch(each.name)]
        if path.parent.is_dir()
        else []
    )
    path.stat()
    return [*sorted(others, key=_age), path]


def _age(path: Path) -> tuple[int, int, str]:
    """What sorts the oldest first: `.9` before `.1` before none; dates as they are."""
    number = re.search(r"\.(\d+)(?:\.gz)?$", path.name)
    dated = re.search(_MOMENT, path.name) is not None
    return (0, -int(number[1]), path.name) if number else (1 if dated else 2, 0, path.name)


def read_log(paths: Iterable[str], named: Callable[[str, str], bool]) -> LogRead:
    """Everything in these logs; `-` is standard input.

    Raises: OSError when a file cannot be opened.
    """
    read = LogRead()
    seen: set[Path] = set()
    for path in paths:
        if path == "-":
            _read(read, "-", sys.stdin.buffer, named)
            continue
        for each in files_of(Path(path)):
            if each.resolve() in seen:
                continue
            seen.add(each.resolve())
            with each.open("rb") as file:
                compressed = file.read(2) == _GZIP
            with gzip.open(each) if compressed else each.open("rb") as file:
                _read(read, str(each), file, named)
    return read


def _read(
    read: LogRead, name: str, file: "IO[bytes] | gzip.GzipFile", named: Callable[[str, str], bool]
) -> None:
    read.files.append(name)
    for number, line in _lines(read, name, file):
        if not line.strip():
            continue
        if len(line) > LINE_BYTES_MAX:
            read.bad(f"{name}:{number}", f"it is longer than {LINE_BYTES_MAX >> 20} MiB")
            continue
        try:
            read.recorded.add(line, named)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            read.bad(f"{name}:{number}", str(error))


def _lines(read: LogRead, name: str, file: "IO[bytes] | gzip.GzipFile") -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of one that is too long only its beginning, which is too long as well (R3)."""
    number = 0
    try:
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            yield number, line
            while len(line) > LINE_BYTES_MAX and not line.endswith(b"\n"):
                line = file.readline(LINE_BYTES_MAX + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        read.bad(f"{name}:{number + 1}", f"the compressed file ends here: {error}")
