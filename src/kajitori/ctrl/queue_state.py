"""Which name a worker gets next: the pure part of the work queue. No I/O, no waiting; the caller says what
time it is.

A name is absent, *waiting* for its time, or *ready*; independently it may be *held* by a worker. Ready names
that are held are not handed out until they are given back.

Promises
    Q1  a name is handed out to one worker at a time
    Q2  a name added while held is handed out once more afterwards
    Q3  adding a name that is already there changes nothing but: the higher priority counts, the earlier time
        counts, and ready beats waiting
    Q4  among ready names the higher priority goes first, then who became ready first
    Q5  at most `names_max` are there; one more raises QueueFull, never drops

Source: client-go's util/workqueue and controller-runtime's pkg/controller/priorityqueue.
"""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush, nsmallest
from itertools import count
from typing import Generic, NamedTuple, TypeVar

__all__ = ["LOW_PRIORITY", "NAMES_MAX", "QueueFull", "QueueState", "Queued"]

LOW_PRIORITY = -100
"""Of names that nothing happened to: initial lists and resyncs. Real changes overtake them."""

NAMES_MAX = 1_000_000
"""Names in one queue, waiting or ready: several hundred megabytes. A queue that is longer is not being
worked off.
"""

STALE_MAX = 1_000
"""Items of names that became ready early, beyond which the heap of waiting names is cleaned."""

Name = TypeVar("Name", bound=Hashable)


class QueueFull(Exception):
    """The queue holds as many names as it may."""


class Queued(NamedTuple, Generic[Name]):
    """A name that is there, for those who look on."""

    name: Name
    priority: int
    queued_at: float
    ready_at: float | None
    """None: it is ready."""


class _Entry:
    """A name that is there. `ready_at` is None when it is ready; `order` is when it became so, or -1."""

    __slots__ = ("order", "priority", "queued_at", "ready_at")

    def __init__(self, priority: int, ready_at: float | None, queued_at: float) -> None:
        self.priority = priority
        self.ready_at = ready_at
        self.queued_at = queued_at
        self.order = -1


class QueueState(Generic[Name]):
    """Names, priorities and times."""

    def __init__(self, names_max: int = NAMES_MAX) -> None:
        self._names_max = names_max
        self._entries: dict[Name, _Entry] = {}
        self._held: set[Name] = set()
        # Heaps hold stale items too: one counts only while it still says what the entry says.
        self._ready: list[tuple[int, int, Name]] = []
        self._waiting: list[tuple[float, int, Name]] = []
        self._order = count()

    def add(self, name: Name, *, now: float, priority: int = 0, ready_at: float | None = None) -> bool:
        """Puts a name in; `ready_at` None or past: ready at once. Whether it was not there before.

        Raises: QueueFull.
        """
        if ready_at is not None and ready_at <= now:
            ready_at = None
        entry = self._entries.get(name)
        if entry is None:
            if len(self._entries) >= self._names_max:
                raise QueueFull(f"the queue holds {self._names_max} names; it is not being worked off")
            entry = self._entries[name] = _Entry(priority, ready_at, now)
            self._push(name, entry)
            return True
        raised = priority > entry.priority
        if raised:
            entry.priority = priority
        if entry.ready_at is None:
            if raised:
                self._push(name, entry)
        elif ready_at is None:
            entry.ready_at = None
            entry.queued_at = now
            self._push(name, entry)
        elif ready_at < entry.ready_at:
            entry.ready_at = ready_at
            self._push(name, entry)
        return False

    def _push(self, name: Name, entry: _Entry) -> None:
        order = next(self._order)
        if entry.ready_at is not None:
            heappush(self._waiting, (entry.ready_at, order, name))
            if len(self._waiting) > 2 * len(self._entries) + STALE_MAX:
                self._drop_stale()
            return
        entry.order = order
        if name not in self._held:
            heappush(self._ready, (-entry.priority, order, name))

    def _drop_stale(self) -> None:
        # A name looked at again every ten hours and changed every second would leave 36,000 items behind.
        self._waiting = [item for item in self._waiting if self._is_current(item)]
        heapify(self._waiting)

    def _is_current(self, item: tuple[float, int, Name]) -> bool:
        entry = self._entries.get(item[2])
        return entry is not None and entry.ready_at == item[0]

    def next_ready_at(self) -> float | None:
        """When the first waiting name becomes ready; None when none waits."""
        waiting = self._waiting
        while waiting:
            if self._is_current(waiting[0]):
                return waiting[0][0]
            heappop(waiting)
        return None

    def wake(self, now: float) -> int:
        """Makes those ready whose time has come; how many."""
        woken = 0
        while (ready_at := self.next_ready_at()) is not None and ready_at <= now:
            _, _, name = heappop(self._waiting)
            entry = self._entries[name]
            entry.ready_at = None
            entry.queued_at = now
            self._push(name, entry)
            woken += 1
        return woken

    def take(self) -> tuple[Name, int, float] | None:
        """Hands out the next ready name, with its priority and when it became ready; None when there is
        none.
        """
        ready = self._ready
        while ready:
            negated, order, name = heappop(ready)
            entry = self._entries.get(name)
            if entry is None or entry.order != order or entry.ready_at is not None or name in self._held:
                continue
            del self._entries[name]
            self._held.add(name)
            return name, -negated, entry.queued_at
        return None

    def give_back(self, name: Name) -> bool:
        """A worker is done with a name; whether that made it ready to be handed out again."""
        self._held.discard(name)
        entry = self._entries.get(name)
        if entry is None or entry.ready_at is not None:
            return False
        heappush(self._ready, (-entry.priority, entry.order, name))
        return True

    def discard_waiting(self) -> None:
        """Forgets the names whose time has not come."""
        for name in [name for name, entry in self._entries.items() if entry.ready_at is not None]:
            del self._entries[name]
        self._waiting.clear()

    def is_held(self, name: Name) -> bool:
        return name in self._held

    def is_there(self, name: Name) -> bool:
        """Whether the name waits or is ready."""
        return name in self._entries

    @property
    def held_count(self) -> int:
        return len(self._held)

    def __len__(self) -> int:
        return len(self._entries)

    def next(self, most: int) -> list[Queued[Name]]:
        """Those that come next: the ready ones in their order, then the waiting ones by their time."""
        first = nsmallest(
            most,
            self._entries.items(),
            key=lambda item: (
                (0, -item[1].priority, item[1].order)
                if item[1].ready_at is None
                else (1, item[1].ready_at, 0)
            ),
        )
        return [Queued(name, each.priority, each.queued_at, each.ready_at) for name, each in first]

    def depths(self) -> dict[int, int]:
        """How many names are ready, by priority."""
        depths: dict[int, int] = {}
        for entry in self._entries.values():
            if entry.ready_at is None:
                depths[entry.priority] = depths.get(entry.priority, 0) + 1
        return depths
