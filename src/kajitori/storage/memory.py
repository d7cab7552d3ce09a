"""A store without a file: the same promises but for durability, for tests and `--memory`.

History is only what memory keeps: `range_at` raises `Compacted` once an event it needs was dropped.
"""

import asyncio
from pathlib import Path

from kajitori.storage.committed import CommittedState
from kajitori.storage.history import Bucket
from kajitori.storage.interface import Event, Item

__all__ = ["MemoryStore"]


class MemoryStore(CommittedState):
    """Everything in this process; a write is committed at once."""

    async def _commit(self, bucket: Bucket, event: Event) -> Item:
        self._apply(bucket, event)
        return event.item

    async def _sweep(self) -> None:
        """Nothing is kept beyond memory."""

    def _start_sweep(self) -> None:
        """Nothing is kept beyond memory."""

    async def backup(self, path: Path) -> None:
        from kajitori.storage.backup import copy_items

        items = [(bucket.name, item) for bucket in self._buckets.values() for item in bucket.items.values()]
        items.sort(key=lambda pair: pair[1].revision)
        await asyncio.to_thread(copy_items, path, self._revision, items)

    async def close(self) -> None:
        self._stop()

    def reopened(self) -> "MemoryStore":
        """A store with what this one held when it was closed, and no history of it: as if a file were opened again."""
        history = self._history.without_past(self._revision)
        return MemoryStore(history, self._revision, compact_every_seconds=self._compact_every_seconds)
