"""A file that one line after another is added to, and that is laid aside when it grows too long.

Under the audit log and the access log.

Promises
    L1  a line is in the file, or on its way to the disk, when `write` returns; lines are never mixed
    L2  the file is laid aside before it would grow beyond its size; what was laid aside is named after the moment,
        and the oldest go when there are more than wanted, or they are too old
    L3  a line that cannot be written is told of, and the next one is tried again

Source: the names and limits are lumberjack's, with which kube-apiserver writes its audit log.
"""

import logging
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["MEGABYTES_MAX", "LineFile", "LinesError"]

MEGABYTES_MAX = 100
"""Where no other size is asked for."""

_log = logging.getLogger(__name__)
_FORMAT = "%Y-%m-%dT%H-%M-%S"


class LinesError(Exception):
    """Why a file cannot be written, in one sentence."""


class LineFile:
    """Writes lines; `-` is standard output, which has no limits."""

    def __init__(
        self,
        name: str,
        *,
        bytes_max: int = MEGABYTES_MAX * 1024 * 1024,
        files_max: int = 0,
        days_max: int = 0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`files_max` of those laid aside are kept, for `days_max` days; 0: all, for ever.

        Raises: LinesError.
        """
        self._path = None if name == "-" else Path(name)
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._days_max = days_max
        self._clock = clock
        self._size = 0
        self._file = 1
        self.failed = 0
        """Lines that could not be written."""
        try:
            self._open()
        except OSError as error:
            raise LinesError(f"cannot write {name}: {error.strerror}") from None

    def _open(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    def write(self, line: bytes) -> bool:
        """Adds a line, without its end; False when it could not be (L3)."""
        data = line + b"\n"
        try:
            if self._path is not None and self._size and self._size + len(data) > self._bytes_max:
                self._lay_aside(self._path)
            if self._file < 0:
                self._open()
            self._size += len(data)
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self.failed += 1
            _log.error("a line could not be written", extra={"file": str(self._path or "-"), "why": error})
            return False
        return True

    def _lay_aside(self, path: Path) -> None:
        self._close_file()
        now = self._clock.now()
        stamp = f"{now.strftime(_FORMAT)}.{now.microsecond // 1000:03d}"
        path.rename(path.with_name(f"{path.stem}-{stamp}{path.suffix}"))
        self._open()
        aside = sorted(self._aside(path), reverse=True)
        oldest = now - timedelta(days=self._days_max)
        for place, (moment, each) in enumerate(aside):
            too_many = bool(self._files_max) and place >= self._files_max
            too_old = bool(self._days_max) and moment < oldest
            if too_many or too_old:
                with suppress(FileNotFoundError):
                    each.unlink()

    def _aside(self, path: Path) -> list[tuple[datetime, Path]]:
        found: list[tuple[datetime, Path]] = []
        for each in path.parent.glob(f"{_literal(path.stem)}-*{_literal(path.suffix)}"):
            stamp = each.stem[len(path.stem) + 1 :]
            with suppress(ValueError):
                moment = datetime.strptime(stamp, f"{_FORMAT}.%f")
                found.append((moment.replace(tzinfo=self._clock.now().tzinfo), each))
        return found

    def _close_file(self) -> None:
        if self._path is not None and self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """Lets go of the file."""
        self._close_file()


def _literal(text: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)
