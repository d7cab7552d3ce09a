"""Copies of a store, made while it is in use or not.

Promises
    B1  a copy is whole and durable when it appears under its name, or it does not appear
    B2  nothing that has that name already is touched, unless that is asked for; then it is replaced at once
    B3  a backup is read to its end, every checksum included, before it appears: a damaged store gives none
    B4  what is copied is not changed, and whoever writes it is not disturbed
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from kajitori.storage.errors import (
    BackupError,
    BackupUnfit,
    OpenError,
    StoreDamaged,
    StoreForeign,
    StoreTooNew,
)
from kajitori.storage.faults import failed_load, failed_open
from kajitori.storage.format import connect, create_tables, migrate, open_to_read
from kajitori.storage.interface import Event, Item, Revision
from kajitori.storage.rows import broken_row, insert_rows, read_marks, read_rows

__all__ = [
    "Contents",
    "Progress",
    "back_up",
    "copy_file",
    "copy_items",
    "fill_from",
    "inspect",
    "made",
    "read_items",
]

Progress = Callable[[str, float], None]
"""Told now and then what is being done, and what part of it is."""

_PROGRESS_STEPS = 200_000
"""Steps of SQLite's machine between two words about a copy: some milliseconds."""

_PROGRESS_ROWS = 1_000


class Contents(msgspec.Struct, frozen=True, rename="camel"):
    """What is in a backup."""

    file: str
    revision: Revision
    objects: int
    size_bytes: int
    format: int


def copy_file(source: Path, path: Path) -> None:
    """Copies the store file `source`, history included, as it is at one moment.

    Raises:
        BackupError: there is no copy.
    """

    def fill(partial: Path) -> None:
        connection = connect(source)
        try:
            # One read transaction, so the copy is of one moment; writers go on in the log meanwhile.
            connection.execute("VACUUM INTO ?", (str(partial),))
        finally:
            connection.close()

    made(path, fill)


def copy_items(path: Path, revision: Revision, items: Sequence[tuple[str, Item]]) -> None:
    """Writes pairs of bucket and item, in order of revision, as a store at `revision` without history.

    Raises:
        BackupError: there is no copy.
    """

    def fill(partial: Path) -> None:
        connection = connect(partial)
        try:
            create_tables(connection)
            connection.execute("BEGIN IMMEDIATE")
            insert_rows(
                connection,
                [Event(item.revision, bucket, item.name, item, None, False) for bucket, item in items],
            )
            connection.execute("UPDATE meta SET value = ?", (revision,))
            connection.execute("COMMIT")
        finally:
            connection.close()

    made(path, fill)


def back_up(source: Path, path: Path, *, replace: bool = False, progress: Progress | None = None) -> Contents:
    """Copies the store file `source`, whether a server uses it or not; tells what is in the copy.

    Raises:
        BackupUnfit: `source` is missing, damaged, of a later version, or no store.
        BackupError: the copy cannot be written.
    """
    found: list[Contents] = []
    made(path, lambda partial: found.append(fill_from(source, partial, progress)), replace=replace)
    return msgspec.structs.replace(found[0], file=str(path), size_bytes=path.stat().st_size)


def inspect(path: Path, progress: Progress | None = None) -> Contents:
    """Reads a backup to its end, and tells what is in it.

    Raises:
        BackupUnfit: it is missing, damaged, of a later version, or no backup.
    """
    connection = _opened(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("BEGIN")  # All is of one moment.
        revision, objects = _read_through(connection, path, progress)
    except sqlite3.Error as error:
        raise _unfit(path, failed_load(path, error)) from error
    except OpenError as error:
        raise _unfit(path, error) from error
    finally:
        connection.close()
    return Contents(str(path), revision, objects, path.stat().st_size, version)


def read_items(path: Path, buckets: Collection[str]) -> dict[str, list[bytes]]:
    """The objects of some buckets of a backup, in order of their names, as they were serialised.

    Raises:
        BackupUnfit: it is missing, damaged, of a later version, or no backup.
    """
    connection = _opened(path)
    current: dict[str, dict[str, bytes]] = {each: {} for each in buckets}
    try:
        connection.execute("BEGIN")  # All is of one moment.
        for _, bucket, name, _, _, deleted, _, value in read_rows(connection, path):
            items = current.get(bucket)
            if items is None:
                continue
            if deleted:
                items.pop(name, None)
            else:
                items[name] = value
    except sqlite3.Error as error:
        raise _unfit(path, failed_load(path, error)) from error
    except OpenError as error:
        raise _unfit(path, error) from error
    finally:
        connection.close()
    return {bucket: [items[name] for name in sorted(items)] for bucket, items in current.items() if items}


def fill_from(source: Path, partial: Path, progress: Progress | None) -> Contents:
    """Copies `source` into the empty file `partial`, in the present format, and reads that to its end.

    Raises:
        BackupUnfit: it cannot be read.
        OSError, sqlite3.Error: it cannot be written.
    """
    reader = _opened(source)
    try:
        if progress is not None:
            reader.set_progress_handler(_share_told(reader, partial, progress), _PROGRESS_STEPS)
        reader.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.DatabaseError as error:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                raise _unfit(source, StoreDamaged(str(source), str(error))) from error
            case sqlite3.SQLITE_INTERRUPT:
                raise KeyboardInterrupt from None  # Ctrl-C found us in the middle of telling how far it is.
            case _:
                raise
    finally:
        reader.close()
    connection = connect(partial)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")  # Nobody needs a half-made copy after a crash.
        migrate(partial, connection)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        try:
            revision, objects = _read_through(connection, source, progress)
        except sqlite3.Error as error:
            raise failed_load(source, error) from error
    except OpenError as error:
        raise _unfit(source, error) from error
    finally:
        connection.close()
    return Contents(str(source), revision, objects, partial.stat().st_size, version)


def made(path: Path, fill: Callable[[Path], None], *, replace: bool = False) -> None:
    """Has `fill` write a file, and gives it its name when it is whole and durable (B1, B2).

    Raises:
        BackupError: there is no such file.
    """
    partial = path.with_name(f"{path.name}.partial")
    if path.is_dir():
        raise BackupError(f"{path}: this is a directory; name a file in it")
    if path.exists() and not replace:
        raise BackupError(f"{path}: this file exists already; name another one")
    try:
        # Made here, because SQLite would let everyone read it.
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _own(descriptor, partial)
            fill(partial)
            _sync(partial)
            if replace:
                os.rename(partial, path)
            else:
                os.link(partial, path)  # Unlike a rename, this never replaces what came there meanwhile.
                os.unlink(partial)
        except _InUse:
            raise BackupError(f"{path}: another process writes this file now") from None
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)  # Only now: with any descriptor of a file, SQLite's locks on it go.
        _sync(path.parent)
    except FileExistsError:
        raise BackupError(f"{path}: this file exists already; name another one") from None
    except (OSError, sqlite3.Error) as error:
        raise BackupError(str(failed_open(path, error))) from error


class _InUse(Exception):
    """Somebody else writes the same copy."""


def _own(descriptor: int, partial: Path) -> None:
    """Makes a file that may be left from before ours, and empty."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _InUse from None
    if not partial.exists() or os.fstat(descriptor).st_ino != partial.stat().st_ino:
        raise _InUse  # It was given its name a moment ago.
    os.ftruncate(descriptor, 0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return open_to_read(path)
    except FileNotFoundError:
        raise BackupUnfit(f"{path}: there is no such file") from None
    except (OSError, OpenError) as error:
        raise _unfit(path, error) from error


def _unfit(path: Path, error: Exception) -> BackupUnfit:
    match error:
        case StoreDamaged(detail=detail):
            return BackupUnfit(f"{path}: this file is damaged ({detail}); use another one")
        case StoreForeign():
            return BackupUnfit(f"{path}: this is no store and no backup of one")
        case StoreTooNew():
            return BackupUnfit(str(error))
        case OSError():
            return BackupUnfit(f"{path}: it cannot be read ({error.strerror})")
        case _:
            return BackupUnfit(f"{path}: it cannot be read ({error})")


def _share_told(reader: sqlite3.Connection, partial: Path, progress: Progress) -> Callable[[], int]:
    """What SQLite calls now and then while it copies: how large the copy is tells how far it is."""
    (pages,) = reader.execute("PRAGMA page_count").fetchone()
    (free,) = reader.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = reader.execute("PRAGMA page_size").fetchone()
    expected = max(1, (pages - free) * page_bytes)

    def tell() -> int:
        progress("copying", min(1.0, partial.stat().st_size / expected))
        return 0

    return tell


def _read_through(
    connection: sqlite3.Connection, path: Path, progress: Progress | None
) -> tuple[Revision, int]:
    """The last revision, and how many objects there are, once every row was found to be as it was written.

    Raises: StoreDamaged, as a start on this file would.
    """
    compacted, swept = read_marks(connection, path)
    first, final = connection.execute("SELECT min(revision), max(revision) FROM log").fetchone()
    current: dict[tuple[str, str], Revision] = {}
    revision = 0
    for count, row in enumerate(read_rows(connection, path)):
        revision, bucket, name, _, previous, deleted, _, _ = row
        key = bucket, name
        if revision > compacted and previous != current.get(key, 0):
            raise broken_row(path, revision, bucket, name)
        if deleted:
            current.pop(key, None)
        else:
            current[key] = revision
        if progress is not None and count % _PROGRESS_ROWS == 0:
            progress("verifying", (revision - first) / max(1, final - first))
    return max(revision, swept), len(current)
