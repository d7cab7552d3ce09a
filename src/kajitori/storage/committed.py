"""What both stores share: reads from memory, the order of writes, subscribers, the schedule of compaction.

A store derives from it and says how a write becomes durable (`_commit`) and how old rows go (`_sweep`). All
of it runs on one event loop; state changes only in `_apply`, one committed event at a time, so whatever a
subscriber reads in its callback is the store exactly at that event's revision.

Promises: S2 to S5 and S8 of `interface`.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from kajitori.storage.errors import Compacted, Exists, FutureRevision, Mismatch, StoreClosed
from kajitori.storage.history import Bucket, History, Span, Subscription, undone
from kajitori.storage.interface import CommitCallback, Event, EventCallback, Item, Render, Revision

__all__ = ["COMPACT_EVERY_SECONDS", "CommittedState"]

COMPACT_EVERY_SECONDS = 300.0
"""History older than this goes, at the latest after twice as long: kube-apiserver's compaction of etcd."""

_EMPTY = Bucket("", 0)
"""Stands for every bucket that nobody has written to."""

_log = logging.getLogger("kajitori.storage")


class CommittedState(ABC):
    """The committed state of a store, and the way of a write up to the commit."""

    def __init__(self, history: History, revision: Revision, *, compact_every_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._history = history
        self._buckets = history.buckets
        self._revision = revision
        self._assigned = revision
        self._listeners: tuple[Subscription, ...] = ()
        self._closed = False
        self._compact_every_seconds = compact_every_seconds
        self._mark = revision
        self._timer: asyncio.TimerHandle | None = None
        self._commit_told: CommitCallback | None = None
        self._schedule_compaction()

    @property
    def revision(self) -> Revision:
        return self._revision

    @property
    def compacted(self) -> Revision:
        return self._history.compacted

    def observe_commits(self, told: CommitCallback) -> None:
        self._commit_told = told

    # Reading

    def get(self, bucket: str, name: str) -> Item | None:
        found = self._buckets.get(bucket)
        return None if found is None else found.items.get(name)

    def range(self, bucket: str, prefix: str = "", *, after: str = "", limit: int = 0) -> Sequence[Item]:
        found = self._buckets.get(bucket)
        return [] if found is None else Span(found, prefix, after).first(limit)

    def span(self, bucket: str, prefix: str = "", *, after: str = "") -> Span:
        return Span(self._buckets.get(bucket) or _EMPTY, prefix, after)

    def count(self, bucket: str, prefix: str = "") -> int:
        return len(self.span(bucket, prefix))

    def buckets(self) -> list[str]:
        return sorted(name for name, bucket in self._buckets.items() if bucket.items)

    def history(self, since: Revision, bucket: str | None = None) -> Sequence[Event]:
        return self._history.since(since, bucket)

    async def range_at(
        self, bucket: str, revision: Revision, prefix: str = "", *, after: str = "", limit: int = 0
    ) -> Sequence[Item]:
        return (await self.span_at(bucket, revision, prefix, after=after)).first(limit)

    async def span_at(self, bucket: str, revision: Revision, prefix: str = "", *, after: str = "") -> Span:
        self._check_readable(revision)
        found = self._buckets.get(bucket) or _EMPTY
        return Span(found, prefix, after, undone(found.since(revision)))

    def _check_readable(self, revision: Revision) -> None:
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        if revision < self._history.compacted:
            raise Compacted(revision, self._history.compacted)

    # Writing

    async def put(self, bucket: str, name: str, render: Render, *, expect: Revision | None) -> Item:
        into = self._buckets.get(bucket) or self._bucket(bucket)
        if not name.isascii():
            name.encode()  # A name that is no text fails its caller here, not a whole commit later.
        if name in into.in_flight:
            await self._turn(into, name)
        if self._closed:
            raise StoreClosed
        current = into.items.get(name)
        if expect is not None and expect != (0 if current is None else current.revision):
            if expect == 0 and current is not None:
                raise Exists(current)
            raise Mismatch(name, expect, current)
        revision = self._assigned + 1
        value = render(revision)
        self._assigned = revision
        if current is None:
            item = Item(name, value, revision, revision)
        else:
            item = Item(current.name, value, revision, current.created)
        return await self._commit(into, Event(revision, into.name, item.name, item, current, False))

    async def delete(self, bucket: str, name: str, render: Render | None, *, expect: Revision | None) -> Item:
        into = self._buckets.get(bucket) or self._bucket(bucket)
        if name in into.in_flight:
            await self._turn(into, name)
        if self._closed:
            raise StoreClosed
        current = into.items.get(name)
        if current is None or (expect is not None and expect != current.revision):
            raise Mismatch(name, expect, current)
        revision = self._assigned + 1
        value = current.value if render is None else render(revision)
        self._assigned = revision
        item = Item(current.name, value, revision, current.created)
        return await self._commit(into, Event(revision, into.name, item.name, item, current, True))

    async def _turn(self, bucket: Bucket, name: str) -> None:
        """Returns when no write of `name` is under way."""
        while (waiting := bucket.in_flight.get(name)) is not None:
            # A future of its own: cancelling this caller must not cancel the write it waits for.
            future: asyncio.Future[None] = self._loop.create_future()
            waiting.append(partial(_resolve, future))
            await future

    def _bucket(self, name: str) -> Bucket:
        name.encode()
        return self._history.bucket(name)

    @abstractmethod
    def _commit(self, bucket: Bucket, event: Event) -> Awaitable[Item]:
        """Makes `event` durable and then applies it; must count as under way from the call on."""

    def _apply(self, bucket: Bucket, event: Event) -> None:
        """Makes one committed event visible, and tells the subscribers."""
        bucket.apply(event)
        self._history.record(bucket, event)
        self._revision = event.revision
        # Both are tuples, replaced when they change: who subscribes in a callback begins with the next event.
        for subscription in (
            bucket.subscriptions + self._listeners if self._listeners else bucket.subscriptions
        ):
            callback = subscription.callback
            if callback is None:
                continue
            try:
                callback(event)
            except Exception:
                _log.exception(
                    "a subscriber failed", extra={"bucket": bucket.name, "revision": event.revision}
                )

    def subscribe(self, bucket: str, callback: EventCallback) -> Callable[[], None]:
        subscription = Subscription(callback)
        if bucket:
            into = self._bucket(bucket)
            into.subscriptions += (subscription,)
        else:
            self._listeners += (subscription,)
        return partial(self._unsubscribe, bucket, subscription)

    def _unsubscribe(self, bucket: str, subscription: Subscription) -> None:
        subscription.callback = None
        if bucket:
            into = self._buckets[bucket]
            into.subscriptions = tuple(each for each in into.subscriptions if each is not subscription)
        else:
            self._listeners = tuple(each for each in self._listeners if each is not subscription)

    # Forgetting

    async def compact(self, revision: Revision) -> None:
        if self._closed:
            raise StoreClosed
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        if revision > self._history.compacted:
            self._history.forget(revision)
        await self._sweep()

    @abstractmethod
    def _sweep(self) -> Awaitable[None]:
        """Removes the rows nobody can ask for any more, a few at a time; done when all are gone."""

    def _compact_to_mark(self) -> None:
        """Forgets what was there at the last mark, and sets the next."""
        if not self._closed and self._mark > self._history.compacted:
            self._history.forget(self._mark)
            self._start_sweep()
        self._mark = self._revision

    @abstractmethod
    def _start_sweep(self) -> None:
        """Begins what `_sweep` does, for nobody in particular."""

    def _schedule_compaction(self) -> None:
        if self._compact_every_seconds > 0:
            self._timer = self._loop.call_later(self._compact_every_seconds, self._compaction_due)

    def _compaction_due(self) -> None:
        self._compact_to_mark()
        self._schedule_compaction()

    def _stop(self) -> None:
        """Takes no more writes and ends the schedule."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
