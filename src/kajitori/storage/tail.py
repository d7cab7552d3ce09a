"""The end of the log that a crash left behind: is more of it missing than a crash explains?

SQLite reads its log up to the last commit before a frame that is not as it was written, and ignores the rest. After a
power cut that is right: only the last commit can be torn, because each is on the disk before the next begins. But a
frame that follows on a commit proves that this commit was on the disk; if it lies behind what SQLite takes, something
was damaged later, and acknowledged writes would be lost in silence.

Promises
    T1  whatever a power cut leaves is accepted
    T2  damage to a commit that was followed by another is told, and nothing is written

Source: https://www.sqlite.org/walformat.html
"""

import os
import sqlite3
import struct
from pathlib import Path

from kajitori.storage.faults import damaged

__all__ = ["check_tail"]

_HEADER = struct.Struct(">8I")
"""Of the log: magic, version, page size, sequence, two salts, two checksums."""

_FRAME = struct.Struct(">6I")
"""Of a frame: page, size of the database after a commit or 0, two salts, two checksums."""

_BIG_ENDIAN = 1
"""The lowest bit of the magic number: how checksums read the bytes."""

_FRAMES_VALID = 16
"""Where the index beside the log tells how many frames SQLite has found good, in the machine's own order of bytes."""


def check_tail(path: Path) -> None:
    """Looks at the log beside the database `path`, which nobody has open.

    Raises:
        StoreDamaged: a commit is lost that was on the disk.
        OSError, sqlite3.Error: it cannot be read.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size <= _HEADER.size:
        return
    good = _frames_good(path)
    with log.open("rb") as file:
        magic, _, page_bytes, _, *salts, _, _ = _HEADER.unpack(file.read(_HEADER.size))
        step = _FRAME.size + page_bytes
        count = (log.stat().st_size - _HEADER.size) // step
        for number in range(good, count - 1):
            file.seek(_HEADER.size + number * step)
            head = _FRAME.unpack(file.read(_FRAME.size))
            if not head[1] or list(head[2:4]) != salts:
                continue
            file.seek(page_bytes, os.SEEK_CUR)
            following = file.read(step)
            if list(_FRAME.unpack_from(following)[2:4]) == salts and _follows(magic, head[4:], following):
                raise damaged(
                    path, f"of the {count} pages in its log {log.name} only {good} are as they were written"
                )


def _frames_good(path: Path) -> int:
    """How many frames of the log SQLite takes."""
    # Only to be read: such a connection does not fold the log into the file when it is closed.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # Closed after the connection: with any descriptor of a file, SQLite's locks on it go.
        descriptor = os.open(f"{path}-shm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            (good,) = struct.unpack("=I", os.pread(descriptor, 4, _FRAMES_VALID))
            connection.close()
        finally:
            os.close(descriptor)
    finally:
        connection.close()
    return int(good)


def _follows(magic: int, before: tuple[int, ...], frame: bytes) -> bool:
    """Whether a frame's checksum is right, given the one of the frame before: then it was written after that."""
    words = struct.Struct(f"{'>' if magic & _BIG_ENDIAN else '<'}{(len(frame) - 16) // 4}I")
    # The checksum is over the first 8 bytes of the frame's header, and over its page.
    summed = words.unpack(frame[:8] + frame[_FRAME.size :])
    first, second = before
    for one, other in zip(summed[::2], summed[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return (first, second) == _FRAME.unpack_from(frame)[4:]
