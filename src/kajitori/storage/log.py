"""The rows of a store's file: appending, reading them all at the start, sweeping replaced ones away.

Runs in the store's one writer thread; nothing here knows of an event loop.

Promises
    L1  `append` is all or nothing, and durable when it returns
    L2  after `load` the history holds what it held before, as far as it is not compacted or out of bounds
    L3  `sweep` removes only rows that no question after `compacted` needs, a few milliseconds' work at a time
    L4  the last revision is known after any crash, even when the last rows were deletions and swept away
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from kajitori.storage.faults import failed_load, failed_work
from kajitori.storage.format import lock, open_database, pending
from kajitori.storage.history import History
from kajitori.storage.interface import Event, Item, Revision
from kajitori.storage.rows import ROWS_PER_STATEMENT_MAX, broken_row, insert_rows, read_marks, read_rows
from kajitori.world.clock import Clock

__all__ = ["Log"]

SWEEP_SECONDS = 0.003
"""How long one step of a compaction should take: as long as a writer waits for it at most, roughly."""

SWEEP_ROWS_MAX = 4096
"""How many rows one step looks at, at most."""

FREE_PAGES_KEPT = 1024
"""Unused pages that stay in the file for the next writes (8 MiB), besides a quarter of the file."""


class Log:
    """The open file, seen from the thread that writes it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = -1
        self._connection: sqlite3.Connection | None = None
        self._compacted: Revision = 0
        self._swept: Revision = 0
        self._rows = 64

    def open(self, history: History) -> Revision:
        """Locks and opens the file and reads all of it into `history`; gives the last revision.

        Raises:
            OpenError: one of its subclasses; nothing stays open.
        """
        self.path = self.path.resolve()  # Two ways to one file must find the same lock.
        self._lock = lock(self.path)
        try:
            if pending(self.path).exists():
                from kajitori.storage.restore import put_in_place  # was interrupted by a crash

                put_in_place(self.path)
            self._connection = open_database(self.path)
            return self._load(self._connection, history)
        except sqlite3.Error as error:
            self.close()
            raise failed_load(self.path, error) from error
        except BaseException:
            self.close()
            raise

    def append(self, events: Sequence[Event]) -> None:
        """Writes one row for each event.

        Raises:
            StorageError: none was written.
        """
        connection = self._open_connection()
        try:
            if len(events) <= ROWS_PER_STATEMENT_MAX:
                insert_rows(connection, events)
                return
            connection.execute("BEGIN IMMEDIATE")
            insert_rows(connection, events)
            connection.execute("COMMIT")
        except Exception as error:
            _roll_back(connection)
            raise failed_work(self.path, error, "written") from error

    def sweep(self, target: Revision) -> bool:
        """Does one step of removing what a compaction at `target` made useless; gives whether all is done.

        Raises:
            StorageError: this step was not done; the next call repeats it.
        """
        connection = self._open_connection()
        began = self._clock.monotonic()
        try:
            if self._swept >= target:
                return not self._shrink(connection)
            self._sweep_some(connection, target)
        except Exception as error:
            _roll_back(connection)
            raise failed_work(self.path, error, "written") from error
        took = self._clock.monotonic() - began
        if took > SWEEP_SECONDS:
            self._rows = max(1, self._rows // 2)
        elif took < SWEEP_SECONDS / 2:
            self._rows = min(SWEEP_ROWS_MAX, self._rows * 2)
        return False

    def close(self) -> None:
        """Lets go of the file and the lock. Safe to repeat."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _open_connection(self) -> sqlite3.Connection:
        assert self._connection is not None, f"{self.path} is not open"
        return self._connection

    def _load(self, connection: sqlite3.Connection, history: History) -> Revision:
        self._compacted, self._swept = read_marks(connection, self.path)
        history.compacted = self._compacted
        last = self._read_all(connection, history)
        for bucket in history.buckets.values():
            bucket.names = sorted(bucket.items)
        # A sweep may have removed the last deletions, never anything beyond what it says it swept.
        return max(last, self._swept)

    def _read_all(self, connection: sqlite3.Connection, history: History) -> Revision:
        """Brings every row, oldest first, into `history`; gives the revision of the last."""
        compacted = history.compacted
        revision = 0
        for revision, bucket_name, name, created, previous, deleted, _, value in read_rows(
            connection, self.path
        ):
            bucket = history.bucket(bucket_name)
            items = bucket.items
            before = items.get(name)
            if before is not None:
                name = before.name  # The text is kept once, however often the item was written.
            item = Item(name, value, revision, created)
            if revision > compacted:
                if previous != (0 if before is None else before.revision):
                    raise broken_row(self.path, revision, bucket_name, name)
                history.record(bucket, Event(revision, bucket.name, name, item, before, deleted == 1))
            if deleted:
                items.pop(name, None)
            else:
                items[name] = item
        return revision

    def _sweep_some(self, connection: sqlite3.Connection, target: Revision) -> None:
        connection.execute("BEGIN IMMEDIATE")
        if target > self._compacted:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'compacted'", (target,))
        found = connection.execute(
            "SELECT revision FROM log WHERE revision > ? AND revision <= ?"
            " ORDER BY revision LIMIT 1 OFFSET ?",
            (self._swept, target, self._rows - 1),
        ).fetchone()
        upper = target if found is None else found[0]
        # What is looked at replaces the rows that go: those still needed after `target` are never replaced.
        connection.execute(
            "DELETE FROM log WHERE revision IN"
            " (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous > 0)",
            (self._swept, upper),
        )
        connection.execute(
            "DELETE FROM log WHERE revision > ? AND revision <= ? AND deleted", (self._swept, upper)
        )
        connection.execute("UPDATE meta SET value = ? WHERE key = 'swept'", (upper,))
        connection.execute("COMMIT")
        self._compacted = max(self._compacted, target)
        self._swept = upper

    def _shrink(self, connection: sqlite3.Connection) -> bool:
        """Gives some unused pages back to the file system; gives whether there were too many."""
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        surplus = free - FREE_PAGES_KEPT - pages // 4
        if surplus <= 0:
            return False
        # Fetching is what makes SQLite go on after the first page.
        connection.execute(f"PRAGMA incremental_vacuum({min(surplus, 128)})").fetchall()
        return True


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
