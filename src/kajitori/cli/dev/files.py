"""Which files of a user's make up what runs, and whether one has been saved.

Promises
    F1  a file counts as changed when its content is another, not when it was merely touched
    F2  a file that is being written is waited for: a change is told once the file has been the same for a moment
    F3  files that appear beside the known ones count too where they are waited for: a module that was missing
    F4  what is saved while it is being read counts as changed
"""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["SavedFiles"]

_NOT_READ = b"not read"

_Stamp = tuple[int, int, int] | None


class SavedFiles:
    """Asked again and again with `changed`."""

    def __init__(self) -> None:
        self._stamps: dict[Path, _Stamp] = {}
        self._digests: dict[Path, bytes] = {}
        self._begun = 0
        self._folder = Path()
        self._names: frozenset[str] = frozenset()
        self._wants_new = False
        self._unsettled: dict[Path, _Stamp] = {}

    def begin(self, folder: Path) -> None:
        """Before files are read, which `watch` will name: what is saved from now on may not have been read (F4)."""
        self._begun = time.time_ns()
        self._folder, self._names = folder, _names_in(folder)

    def watch(self, files: Iterable[Path], *, wants_new: bool = False) -> None:
        """From now on these. `wants_new`: files with Python that appear in the folder count too."""
        self._stamps = {}
        self._digests = {}
        self._unsettled = {}
        self._wants_new = wants_new
        for each in files:
            stamp = _stamp(each)
            is_read = stamp is None or stamp[0] < self._begun
            self._stamps[each] = stamp if is_read else None
            self._digests[each] = _digest(each) if is_read else _NOT_READ

    def changed(self) -> list[Path]:
        """Those that have been saved with another content since they were last asked for."""
        told: list[Path] = []
        for path, known in self._stamps.items():
            now = _stamp(path)
            if now == known:
                self._unsettled.pop(path, None)
            elif path in self._unsettled and self._unsettled[path] == now:
                del self._unsettled[path]
                self._stamps[path] = now
                digest = _digest(path)
                if digest != self._digests[path]:
                    self._digests[path] = digest
                    told.append(path)
            else:
                self._unsettled[path] = now
        if self._wants_new:
            names = _names_in(self._folder)
            told += [self._folder / each for each in sorted(names - self._names)]
            self._names = names
        return told


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(each.name for each in folder.iterdir() if each.suffix == ".py")
    except OSError:
        return frozenset()
