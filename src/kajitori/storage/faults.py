"""What a failure of the operating system or of SQLite means for the user, in one sentence."""

import errno
import shutil
import sqlite3
from pathlib import Path

from kajitori.storage.errors import (
    OpenError,
    StorageError,
    StoreDamaged,
    StoreForeign,
    StoreFull,
    StoreUnavailable,
)

__all__ = ["damaged", "failed_load", "failed_open", "failed_work"]

_NO_ROOM_BYTES = 64 * 1024
"""With less than this free, SQLite cannot even make its index of the log; it then reports various errors."""

_FULL = "no room is left on the disk; free some space and try again"


def failed_open(path: Path, error: OSError | sqlite3.Error) -> OpenError:
    """Why `path` could not be opened."""
    if isinstance(error, OSError):
        return _failed_open_by_system(path, error)
    match _primary_code(error):
        case sqlite3.SQLITE_NOTADB:
            return StoreForeign(f"{path}: this is not a database; use another file")
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path, str(error))
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"{path}: {_FULL}")
        case _ if _is_full(path):
            return StoreFull(f"{path}: {_FULL}")
        case _:
            return StoreUnavailable(f"{path}: the file cannot be opened for writing ({error})")


def failed_load(path: Path, error: sqlite3.Error) -> OpenError:
    """Why `path`, which could be opened, cannot be read to its end."""
    # Where the driver gives up a text, or a table is not there, the file was not always like that.
    if _primary_code(error) in (0, sqlite3.SQLITE_ERROR):
        return damaged(path, str(error))
    return failed_open(path, error)


def failed_work(path: Path, error: Exception, doing: str) -> StorageError:
    """Why reading or writing (`doing`: "read", "written") failed on an open store."""
    outcome = f"nothing was {doing}"
    if not isinstance(error, sqlite3.Error):
        return StorageError(f"{path}: {outcome} ({type(error).__name__}: {error})")
    match _primary_code(error):
        case sqlite3.SQLITE_FULL:
            return StorageError(f"{path}: {outcome}: {_FULL}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StorageError(f"{path}: {outcome}: the file is damaged; restore a backup ({error})")
        case _ if _is_full(path):
            return StorageError(f"{path}: {outcome}: {_FULL}")
        case _:
            return StorageError(f"{path}: {outcome}: the disk reported an error ({error})")


def damaged(path: Path, detail: str) -> StoreDamaged:
    return StoreDamaged(str(path), " ".join(detail.split()))


def _failed_open_by_system(path: Path, error: OSError) -> OpenError:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return StoreUnavailable(f"{path}: there is no directory {path.parent}; create it first")
        case errno.EISDIR:
            return StoreUnavailable(f"{path}: this is a directory; name a file in it")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return StoreUnavailable(f"{path}: the file and its directory must be writable ({error.strerror})")
        case errno.ENOSPC | errno.EDQUOT:
            return StoreFull(f"{path}: {_FULL}")
        case _:
            return StoreUnavailable(f"{path}: the file cannot be opened ({error.strerror})")


def _primary_code(error: sqlite3.Error) -> int:
    """The low byte of SQLite's extended code; 0 where the driver raised it without asking SQLite."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM_BYTES
    except OSError:
        return False
