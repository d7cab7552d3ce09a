"""The items and the recent events of each bucket, all in memory and all committed.

Below the stores, which feed it one committed event after another; above nothing. No I/O, no clock.

Promises
    H1  a span is in byte order of the names and costs no scan of what is not read of it, its counts none at all
    H2  no more than `events_max` events and `bytes_max` bytes of past values are kept
    H3  room is made at the expense of the bucket that takes most, so a quiet one keeps its events
    H4  `since` gives all events after a revision or raises; it raises only if the bucket may have lost one
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter

from kajitori.storage.errors import Compacted
from kajitori.storage.interface import Event, EventCallback, Item, Revision

__all__ = [
    "HISTORY_BYTES_MAX",
    "HISTORY_EVENTS_MAX",
    "Bucket",
    "History",
    "Span",
    "Subscription",
    "prefix_end",
    "undone",
]

HISTORY_EVENTS_MAX = 10_000
"""How far behind a watcher may fall. About ten minutes of a busy cluster."""

HISTORY_BYTES_MAX = 64 * 1024 * 1024
"""Past values those events may hold on to: what a burst of updates of very large objects costs at most."""

_DROP_SHARE = 16
"""A bucket gives up this part of its events at once, so that looking for the largest one is rare."""

_STEP = 256
"""Names are copied so many at a time: the list of all of them may be very long, and readers may stop early."""

_NOTHING_PAST: dict[str, "Item | None"] = {}

_revision_of: Callable[[Event], Revision] = attrgetter("revision")
_name_of: Callable[[Item], str] = attrgetter("name")


class Subscription:
    """One callback, until it is set to `None`."""

    __slots__ = ("callback",)

    def __init__(self, callback: EventCallback) -> None:
        self.callback: EventCallback | None = callback


class Bucket:
    """All that is known of one bucket."""

    __slots__ = ("events", "events_bytes", "gone", "in_flight", "items", "name", "names", "subscriptions")

    def __init__(self, name: str, gone: Revision) -> None:
        self.name = name
        self.items: dict[str, Item] = {}
        self.names: list[str] = []
        """The keys of `items`, sorted: code point order, which is the byte order of UTF-8."""
        self.events: list[Event] = []
        self.events_bytes = 0
        self.gone = gone
        """The revision of the last event of this bucket that was dropped."""
        self.in_flight: dict[str, list[Callable[[], None]]] = {}
        """Names with a write that is not committed yet, and whom to tell when it is settled."""
        self.subscriptions: tuple[Subscription, ...] = ()

    def apply(self, event: Event) -> None:
        """Brings items and names to the state after `event`."""
        name = event.name
        if event.deleted:
            del self.items[name]
            del self.names[bisect_left(self.names, name)]
            return
        if event.previous is None:
            if not self.names or self.names[-1] < name:
                self.names.append(name)
            else:
                insort(self.names, name)
        self.items[name] = event.item

    def bounds(self, prefix: str, after: str = "") -> tuple[int, int]:
        """Where the names that start with `prefix` and follow `after` begin and end in `names`."""
        names = self.names
        low, high = 0, len(names)
        if prefix:
            low = bisect_left(names, prefix)
            end = prefix_end(prefix)
            if end:
                high = bisect_left(names, end, low)
        if after:
            low = max(low, bisect_right(names, after))
        return low, max(low, high)

    def since(self, revision: Revision) -> list[Event]:
        """The events after `revision`.

        Raises:
            Compacted: one of them was dropped.
        """
        if revision < self.gone:
            raise Compacted(revision, self.gone)
        events = self.events
        if not events or events[-1].revision <= revision:
            return []
        return events[bisect_right(events, revision, key=_revision_of) :]


class Span:
    """The items whose names begin with `prefix` and follow `after`, read as far as they are asked for.

    `past` says what some names were at the revision that is meant: an item, or `None` for absent. A span reads
    what the bucket holds, and so is good until the loop runs again.
    """

    __slots__ = ("_after", "_bucket", "_past", "_prefix")

    def __init__(
        self, bucket: Bucket, prefix: str = "", after: str = "", past: dict[str, Item | None] = _NOTHING_PAST
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._after = after
        self._past = past

    def __iter__(self) -> Iterator[Item]:
        low, high = self._bucket.bounds(self._prefix, self._after)
        names = self._bucket.names
        parts = (names[start : min(start + _STEP, high)] for start in range(low, high, _STEP))
        return self._with_past(name for part in parts for name in part)

    def __len__(self) -> int:
        return self.left(self._after)

    def first(self, limit: int) -> list[Item]:
        """The first so many; 0 is all of them."""
        if self._past:
            return list(islice(self, limit or None))
        low, high = self._bucket.bounds(self._prefix, self._after)
        if limit:
            high = min(high, low + limit)
        return list(map(self._bucket.items.__getitem__, self._bucket.names[low:high]))

    def left(self, name: str) -> int:
        """How many follow `name`; counted, not read."""
        low, high = self._bucket.bounds(self._prefix, max(name, self._after))
        changed = sum(each in self._bucket.items for each in self._past if self._follows(each, name))
        return high - low - changed + sum(self._follows(each.name, name) for each in self._old())

    def among(self, names: Iterable[str]) -> Iterator[Item]:
        """Those of `names`, which are sorted and are there now, and all that were otherwise then."""
        return self._with_past(name for name in names if self._follows(name, self._after))

    def _with_past(self, names: Iterator[str]) -> Iterator[Item]:
        items, past = self._bucket.items, self._past
        if not past:
            return map(items.__getitem__, names)
        kept = (items[name] for name in names if name not in past)
        old = sorted((each for each in self._old() if self._follows(each.name, self._after)), key=_name_of)
        return merge(kept, old, key=_name_of) if old else kept

    def _old(self) -> Iterator[Item]:
        return (item for item in self._past.values() if item is not None)

    def _follows(self, name: str, after: str) -> bool:
        return name > after and name > self._after and name.startswith(self._prefix)


class History:
    """The buckets, and the bound on the events of all of them together."""

    __slots__ = ("_bytes", "_bytes_max", "_count", "_events_max", "buckets", "compacted")

    def __init__(self, *, events_max: int = HISTORY_EVENTS_MAX, bytes_max: int = HISTORY_BYTES_MAX) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.compacted: Revision = 0
        self._count = 0
        self._bytes = 0
        self._events_max = events_max
        self._bytes_max = bytes_max

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name, made when it is new."""
        found = self.buckets.get(name)
        if found is None:
            # A bucket seen for the first time may have had events before the compaction and a restart.
            found = self.buckets[name] = Bucket(name, self.compacted)
        return found

    def record(self, bucket: Bucket, event: Event) -> None:
        """Remembers one event of `bucket`, and drops old ones when there are too many."""
        bucket.events.append(event)
        held = _bytes_held(event)
        bucket.events_bytes += held
        self._bytes += held
        self._count += 1
        while self._count > self._events_max:
            self._drop_some(max(self.buckets.values(), key=lambda each: len(each.events)))
        while self._bytes > self._bytes_max:
            self._drop_some(max(self.buckets.values(), key=lambda each: each.events_bytes))

    def since(self, revision: Revision, bucket: str | None) -> Sequence[Event]:
        """The events after `revision` of one bucket or of all.

        Raises:
            Compacted: one of them was dropped.
        """
        if bucket is None:
            if revision < self.compacted:
                raise Compacted(revision, self.compacted)
            return list(merge(*(each.since(revision) for each in self.buckets.values()), key=_revision_of))
        found = self.buckets.get(bucket)
        if found is not None:
            return found.since(revision)
        if revision < self.compacted:
            raise Compacted(revision, self.compacted)
        return ()

    def without_past(self, revision: Revision) -> "History":
        """The same items with no event, as of `revision`, which is the last: what is left after a restart."""
        history = History(events_max=self._events_max, bytes_max=self._bytes_max)
        history.compacted = revision
        for name, bucket in self.buckets.items():
            kept = history.bucket(name)
            kept.items, kept.names = dict(bucket.items), list(bucket.names)
        return history

    def forget(self, revision: Revision) -> None:
        """Drops all events at or before `revision`."""
        self.compacted = revision
        for bucket in self.buckets.values():
            self._drop(bucket, bisect_right(bucket.events, revision, key=_revision_of))

    def _drop_some(self, bucket: Bucket) -> None:
        self._drop(bucket, len(bucket.events) // _DROP_SHARE + 1)

    def _drop(self, bucket: Bucket, count: int) -> None:
        if not count:
            return
        dropped = bucket.events[:count]
        del bucket.events[:count]
        bucket.gone = dropped[-1].revision
        held = sum(map(_bytes_held, dropped))
        bucket.events_bytes -= held
        self._bytes -= held
        self._count -= len(dropped)


def _bytes_held(event: Event) -> int:
    """The bytes only history keeps alive because of this event: current values belong to the items."""
    held = len(event.previous.value) if event.previous is not None else 0
    return held + len(event.item.value) if event.deleted else held


def prefix_end(prefix: str) -> str:
    """The least text greater than all that start with `prefix`; empty when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            following = last + 1
            # Surrogates are no characters of their own and cannot be written as UTF-8.
            return prefix[:-1] + chr(0xE000 if following == 0xD800 else following)
        prefix = prefix[:-1]
    return ""


def undone(events: Iterable[Event]) -> dict[str, Item | None]:
    """What the names touched by `events`, oldest first, were before the first of them."""
    past: dict[str, Item | None] = {}
    for event in events:
        past.setdefault(event.name, event.previous)
    return past
