"""The rows of a store's file: what is in each, how they are written and read.

Promises
    R1  a row whose checksum does not fit what it holds is never given out
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from zlib import crc32

from kajitori.storage.errors import StoreDamaged
from kajitori.storage.faults import damaged
from kajitori.storage.interface import Event, Revision

__all__ = [
    "ROWS_PER_STATEMENT_MAX",
    "Row",
    "broken_row",
    "checksum",
    "insert_rows",
    "read_marks",
    "read_rows",
]

ROWS_PER_STATEMENT_MAX = 64
"""Rows of one INSERT. A commit of no more than that is one call into SQLite, which gives up the interpreter
lock once instead of once for each row; a busy loop would make the writer wait for it each time."""

_COLUMNS = "revision, bucket, name, created, previous, deleted, checksum, value"

Row = tuple[Revision, str, str, Revision, Revision, int, int, bytes]
"""Revision, bucket, name, created, previous, deleted, checksum, value."""


def checksum(row: tuple[int, str, str, int, int, int], value: bytes) -> int:
    """Of revision, bucket, name, created, previous, deleted, and the value."""
    return crc32(value, crc32("%d %s %s %d %d %d".__mod__(row).encode()))


def read_marks(connection: sqlite3.Connection, path: Path) -> tuple[Revision, Revision]:
    """Up to where history may be gone, and up to where replaced rows are.

    Raises: StoreDamaged when the file does not tell.
    """
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    try:
        return meta["compacted"], meta["swept"]
    except KeyError as missing:
        raise damaged(path, f"it does not tell {missing}") from None


def read_rows(connection: sqlite3.Connection, path: Path) -> Iterator[Row]:
    """Every row, the oldest first.

    Raises: StoreDamaged at the first that is not as it was written.
    """
    for row in connection.execute(f"SELECT {_COLUMNS} FROM log ORDER BY revision"):
        value = row[7]
        if not isinstance(value, bytes) or checksum(row[:6], value) != row[6]:
            raise broken_row(path, *row[:3])
        yield row


def broken_row(path: Path, revision: object, bucket: object, name: object) -> StoreDamaged:
    return damaged(path, f"the write of {bucket} {name} at revision {revision} is not as it was made")


def insert_rows(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Adds a row for each event, in as few statements as possible."""
    for start in range(0, len(events), ROWS_PER_STATEMENT_MAX):
        some = events[start : start + ROWS_PER_STATEMENT_MAX]
        connection.execute(_insert(len(some)), _parameters(some))


@cache
def _insert(rows: int) -> str:
    return f"INSERT INTO log ({_COLUMNS}) VALUES " + ",".join(["(?,?,?,?,?,?,?,?)"] * rows)


def _parameters(events: Sequence[Event]) -> list[int | str | bytes]:
    parameters: list[int | str | bytes] = []
    for event in events:
        item = event.item
        before = 0 if event.previous is None else event.previous.revision
        head = (event.revision, event.bucket, item.name, item.created, before, 1 if event.deleted else 0)
        parameters += head
        parameters.append(checksum(head, item.value))
        parameters.append(item.value)
    return parameters
