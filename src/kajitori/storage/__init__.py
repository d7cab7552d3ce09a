"""Revisions, compare-and-swap, history: where the API server keeps its objects.

`open_store` gives a `Store`, in a file or in memory. What a store promises is said in `interface`, what can
go wrong in `errors`.
"""

from pathlib import Path

from kajitori.storage.committed import COMPACT_EVERY_SECONDS
from kajitori.storage.errors import (
    BackupError,
    Compacted,
    Exists,
    FutureRevision,
    Mismatch,
    OpenError,
    StorageError,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnavailable,
)
from kajitori.storage.history import HISTORY_BYTES_MAX, HISTORY_EVENTS_MAX, History
from kajitori.storage.interface import Event, EventCallback, Item, Render, Revision, Span, Store
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = [
    "COMPACT_EVERY_SECONDS",
    "HISTORY_BYTES_MAX",
    "HISTORY_EVENTS_MAX",
    "BackupError",
    "Compacted",
    "Event",
    "EventCallback",
    "Exists",
    "FutureRevision",
    "Item",
    "Mismatch",
    "OpenError",
    "Render",
    "Revision",
    "Span",
    "StorageError",
    "Store",
    "StoreClosed",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StoreUnavailable",
    "open_store",
]


async def open_store(
    path: Path | None,
    *,
    compact_every_seconds: float = COMPACT_EVERY_SECONDS,
    history_events_max: int = HISTORY_EVENTS_MAX,
    history_bytes_max: int = HISTORY_BYTES_MAX,
    clock: Clock = SYSTEM_CLOCK,
) -> Store:
    """The store in the file at `path`, made when it is missing; `None` for one in memory.

    It belongs to the running event loop. `compact_every_seconds` 0: history goes only by `compact` and by the
    bounds on its size. The clock only measures how long steps of a compaction take.

    Raises:
        OpenError: one of its subclasses says why the file cannot be opened; it was left as it was.
    """
    history = History(events_max=history_events_max, bytes_max=history_bytes_max)
    if path is None:
        from kajitori.storage.memory import MemoryStore

        return MemoryStore(history, 0, compact_every_seconds=compact_every_seconds)
    from kajitori.storage.file_store import load
    from kajitori.storage.log import Log

    return await load(
        Log(path, clock),
        history,
        compact_every_seconds=compact_every_seconds,
    )
