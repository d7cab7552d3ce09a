"""What a store is: the narrow door between the API server and wherever its objects are kept.

A bucket is `group/resource` ("apps/deployments", "/pods"), a name is `namespace/name` or `name`. Every write
gets the next revision of one counter for the whole store; it is the `resourceVersion` of everything.

Promises, of every implementation
    S1  a write that returned is durable; reads and subscribers see it from then on, and none sees it earlier
    S2  revisions rise strictly in the order of the writes; none is ever given twice, restarts included
    S3  `expect` is checked against the last committed state of the name; no two writes pass on the same state
    S4  a subscriber gets every event of its bucket once, in order of revision, before the writer is told
    S5  `history(since)` and then `subscribe` without an `await` between them miss nothing and repeat nothing
    S6  `range_at` shows exactly what `range` showed at that revision, or raises; never something in between
    S7  a write that raised did not take place, and a store that failed to write goes on serving reads
    S8  a caller that is cancelled disturbs nobody; its write may still take place

Reads are synchronous: they answer from memory. The object is not safe for use by several threads or loops.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

__all__ = ["CommitCallback", "Event", "EventCallback", "Item", "Render", "Revision", "Span", "Store"]

Revision = int
"""One position in the order of all writes. 0 is before the first."""

Render = Callable[[Revision], bytes]
"""Gives the bytes to store, once the revision they must hold is known. Called once, synchronously."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One object as stored."""

    # A struct outside the cyclic collector's sight: there are as many as there are objects, and none can
    # be part of a cycle.

    name: str
    """`namespace/name`, or `name` for cluster-scoped ones."""

    value: bytes
    """Serialised JSON, `resourceVersion` inside."""

    revision: Revision
    """Of the last write."""

    created: Revision
    """Of the write that created it."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One committed write."""

    revision: Revision
    bucket: str
    name: str

    item: Item
    """What was written; for a deletion the final state, with the deletion's own revision."""

    previous: Item | None
    """What it replaced or deleted; `None` for a creation."""

    deleted: bool


EventCallback = Callable[[Event], None]

CommitCallback = Callable[[int, float], None]
"""Told of a commit: how many writes share it, and how many seconds it took."""


class Span(Protocol):
    """The items of a range of names at one revision."""

    def __iter__(self) -> Iterator[Item]:
        """In byte order of the names."""
        ...

    def __len__(self) -> int: ...

    def first(self, limit: int) -> list[Item]:
        """The first so many; 0 is all of them."""
        ...

    def left(self, name: str) -> int:
        """How many follow `name`."""
        ...

    def among(self, names: Iterable[str]) -> Iterator[Item]:
        """Those of `names` (sorted, and there now), and besides all that have changed since that revision."""
        ...


class Store(Protocol):
    """Where the API server keeps its objects."""

    @property
    def revision(self) -> Revision:
        """The last committed revision: what a list is as of."""
        ...

    @property
    def compacted(self) -> Revision:
        """History at or before this revision is gone; the state at this very revision can still be told."""
        ...

    def get(self, bucket: str, name: str) -> Item | None:
        """The committed state of one name."""
        ...

    def range(self, bucket: str, prefix: str = "", *, after: str = "", limit: int = 0) -> Sequence[Item]:
        """The items whose name starts with `prefix` and is greater than `after`, in byte order of the names.

        At most `limit` of them; 0 means all.
        """
        ...

    def span(self, bucket: str, prefix: str = "", *, after: str = "") -> Span:
        """The same items, read only as far as they are asked for, and counted without; before the next `await`."""
        ...

    def count(self, bucket: str, prefix: str = "") -> int:
        """How many items have a name that starts with `prefix`."""
        ...

    async def range_at(
        self, bucket: str, revision: Revision, prefix: str = "", *, after: str = "", limit: int = 0
    ) -> Sequence[Item]:
        """What `range` gave when the store was at `revision`.

        Raises:
            Compacted: that is too long ago; list again.
            FutureRevision: that is not reached yet.
            StorageError: the file could not be read.
        """
        ...

    async def span_at(self, bucket: str, revision: Revision, prefix: str = "", *, after: str = "") -> Span:
        """What `span` gave when the store was at `revision`. Raises: as `range_at`."""
        ...

    async def put(self, bucket: str, name: str, render: Render, *, expect: Revision | None) -> Item:
        """Creates or replaces one item.

        `expect` 0: it must not exist. N: it must be at revision N. `None`: whatever is there.
        A write of the same name under way is waited for first.

        Raises:
            Exists: `expect` is 0 and the name is taken.
            Mismatch: the current revision is not `expect`.
            StorageError: it could not be written, or too many writes wait already; it did not take place.
            StoreClosed: the store was closed before.
        """
        ...

    async def delete(self, bucket: str, name: str, render: Render | None, *, expect: Revision | None) -> Item:
        """Deletes one item; gives its final state, rendered with the deletion's revision.

        Without `render` the final state keeps the bytes of the last write.

        Raises:
            Mismatch: there is none (`current` is `None`), or it is not at revision `expect`.
            StorageError: it could not be written, or too many writes wait already; it did not take place.
            StoreClosed: the store was closed before.
        """
        ...

    def history(self, since: Revision, bucket: str | None = None) -> Sequence[Event]:
        """The committed events after revision `since`, oldest first; of all buckets when `bucket` is `None`.

        Raises:
            Compacted: an event after `since` is not kept in memory any more.
        """
        ...

    def subscribe(self, bucket: str, callback: EventCallback) -> Callable[[], None]:
        """Calls `callback` with every event of `bucket` from now on; `""` means of all buckets.

        Gives the function that ends it: no call comes after it returned. The callback runs on the loop and
        must neither block nor raise.
        """
        ...

    def observe_commits(self, told: CommitCallback) -> None:
        """Tells `told` of every commit from now on. In memory there are none."""
        ...

    def buckets(self) -> list[str]:
        """The buckets that hold an item, sorted."""
        ...

    async def compact(self, revision: Revision) -> None:
        """Forgets history at or before `revision`; nothing to do when that happened before.

        Raises:
            FutureRevision: that is not reached yet.
            StorageError: the file could not be written; what is forgotten stays so.
        """
        ...

    async def backup(self, path: Path) -> None:
        """Writes a consistent copy that `open_store` can open; work goes on meanwhile.

        Raises:
            BackupError: `path` exists already or cannot be written.
        """
        ...

    async def close(self) -> None:
        """Finishes the writes under way and lets go of the file. Safe to repeat."""
        ...
