"""What the store answers when it cannot do what was asked.

    StoreError
    ├── Exists            create of a name that is there
    ├── Mismatch          the current revision is not the expected one, or there is nothing to delete
    ├── Compacted         the revision asked for is older than what is kept
    ├── FutureRevision    the revision asked for has not happened yet
    ├── StoreClosed       the store was closed
    ├── StorageError      the disk did not do what was asked; nothing of it took place
    ├── BackupError       no copy was made, or nothing restored
    │   └── BackupUnfit       because of the file that was to be copied or restored: trying again is no use
    └── OpenError         the file cannot be opened; it was left as it was
        ├── StoreLocked       another process has it open
        ├── StoreUnavailable  the directory is missing, or may not be read or written
        ├── StoreForeign      not a database, or not ours
        ├── StoreTooNew       written by a later version
        ├── StoreDamaged      ours, but not readable to its end
        └── StoreFull         no room on the disk

The messages of the last two groups are one sentence each, fit to be shown to a user as they are.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kajitori.storage.interface import Item

__all__ = [
    "BackupError",
    "BackupUnfit",
    "Compacted",
    "Exists",
    "FutureRevision",
    "Mismatch",
    "OpenError",
    "StorageError",
    "StoreClosed",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StoreUnavailable",
]


class StoreError(Exception):
    """Anything the store refuses or fails to do."""


class Exists(StoreError):
    """A create found the name taken; `item` is what is there."""

    def __init__(self, item: "Item") -> None:
        super().__init__(f"{item.name} exists already, at revision {item.revision}")
        self.item = item


class Mismatch(StoreError):
    """The write expected another state; `current` is what is there, `None` when nothing is."""

    def __init__(self, name: str, expect: int | None, current: "Item | None") -> None:
        found = "does not exist" if current is None else f"is at revision {current.revision}"
        wanted = "" if expect is None else f", not at the expected {expect}"
        super().__init__(f"{name} {found}{wanted}")
        self.current = current


class Compacted(StoreError):
    """Revision `revision` was asked for; nothing before `oldest` can be told any more."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"revision {revision} is gone: history is kept since revision {oldest}")
        self.revision = revision
        self.oldest = oldest


class FutureRevision(StoreError):
    """Revision `revision` was asked for; the store is only at `current`."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is not reached yet: the store is at revision {current}")
        self.revision = revision
        self.current = current


class StoreClosed(StoreError):
    """The store was closed before the request was made or could be served."""

    def __init__(self) -> None:
        super().__init__("the store is closed")


class StorageError(StoreError):
    """The disk did not do what was asked. Nothing of the request took place; a later one may succeed.

    One case is beyond us: if the disk reports a failed sync of what it did keep, and the machine then crashes
    before the next write, that write is found after the restart.
    """


class BackupError(StoreError):
    """No copy was made, or nothing restored; nothing that was there before was touched."""


class BackupUnfit(BackupError):
    """What was to be copied or restored is missing, damaged, of a later version, or no store at all."""


class OpenError(StoreError):
    """The file cannot be opened as a store; it was left as it was."""


class StoreLocked(OpenError):
    """Another process has the store open; `pid` is 0 when it is not known."""

    def __init__(self, path: str, pid: int) -> None:
        who = f"by process {pid}" if pid else "by another process"
        super().__init__(f"{path}: the store is in use {who}; stop it first or use another file")
        self.path = path
        self.pid = pid


class StoreUnavailable(OpenError):
    """The directory is missing, or the file may not be read or written."""


class StoreForeign(OpenError):
    """The file is not a database, or another program's."""


class StoreTooNew(OpenError):
    """The file was written by a later version of this program."""


class StoreDamaged(OpenError):
    """The file is one of ours, but cannot be read to its end; `detail` says what is wrong with it."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: the store is damaged ({detail}); restore a backup")
        self.detail = detail


class StoreFull(OpenError):
    """The disk has no room to open the store."""
