"""Copies of a store, made while it is in use.

Promises
    B1  a copy is whole and durable when it appears under its name, or it does not appear
    B2  nothing that has that name already is touched
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from kajitori.storage.errors import BackupError
from kajitori.storage.format import connect, create_tables
from kajitori.storage.interface import Event, Item, Revision
from kajitori.storage.log import insert_rows

__all__ = ["copy_file", "copy_items"]


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

    _make(path, fill)


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

    _make(path, fill)


def _make(path: Path, fill: Callable[[Path], None]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    if path.exists():
        raise BackupError(f"{path}: this file exists already; name another one")
    try:
        # Made here, because SQLite would let everyone read it.
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        try:
            fill(partial)
            _sync(partial)
            os.link(partial, path)  # Unlike a rename, this never replaces what came there meanwhile.
        finally:
            os.unlink(partial)
        _sync(path.parent)
    except FileExistsError:
        raise BackupError(f"{path}: this file exists already; name another one") from None
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{path}: the copy could not be written ({error})") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
