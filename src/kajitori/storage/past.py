"""Reading the file beside its writer: what names were at an older revision.

A connection of its own, in a thread of its own: WAL lets it read while commits go on.
"""

import sqlite3
from pathlib import Path

from kajitori.storage.faults import failed_work
from kajitori.storage.format import connect
from kajitori.storage.history import prefix_end
from kajitori.storage.interface import Item, Revision

__all__ = ["PastReader"]

_FIRST_CHANGES = """
    SELECT change.name, old.revision, old.created, old.value
    FROM log AS change LEFT JOIN log AS old ON old.revision = change.previous
    WHERE change.revision > :since AND change.revision <= :until AND change.bucket = :bucket
        AND change.previous <= :since AND change.name > :after AND change.name >= :prefix
        AND (:end = '' OR change.name < :end)
    ORDER BY change.revision
"""


class PastReader:
    """Opened by the first question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def past(
        self, bucket: str, since: Revision, until: Revision, *, prefix: str, after: str
    ) -> dict[str, Item | None]:
        """What each name changed after `since` and not after `until` was at `since`; `None` for absent.

        Correct as long as nothing after `since` is compacted: whoever asks checks that afterwards.

        Raises:
            StorageError: the file could not be read.
        """
        question = {
            "since": since,
            "until": until,
            "bucket": bucket,
            "prefix": prefix,
            "end": prefix_end(prefix),
            "after": after,
        }
        past: dict[str, Item | None] = {}
        try:
            if self._connection is None:
                self._connection = connect(self._path)
                self._connection.execute("PRAGMA query_only = ON")
            for name, revision, created, value in self._connection.execute(_FIRST_CHANGES, question):
                # A name deleted and created again has several such changes: the first counts.
                past.setdefault(name, None if revision is None else Item(name, value, revision, created))
        except sqlite3.Error as error:
            raise failed_work(self._path, error, "read") from error
        return past

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
