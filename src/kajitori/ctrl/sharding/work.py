"""What a shard is at work on, and whether it may go on: its side of every handover. No client, no clock.

Each piece of work has a name (an object) and may have a slot. Work is *begun* when the shard may, and *ended*.

Promises
    W1  no work begins when the Lease was not renewed in time, or was lost; once lost it stays lost
    W2  `idle` and `idle_slot` are told as soon as the last work on an object, or in a slot, has ended
    W3  whoever is about to write asks `may_write`: who slept through the end of its Lease writes no more

Source: `ctrl.lease`, whose rules count from the sending of the last renewal that was granted.
"""

from collections.abc import Callable, Hashable

from kajitori.ctrl.lease import LeaseRecord, View

__all__ = ["Work"]


class Work:
    """Of one shard."""

    def __init__(self, shard: str, lease_seconds: int = 15, renew_deadline_seconds: float = 10.0) -> None:
        self.shard = shard
        self._view = View(shard, lease_seconds, renew_deadline_seconds)
        self._lost = False
        self._objects: dict[Hashable, int] = {}
        self._slots: dict[int, int] = {}
        self.on_idle: Callable[[Hashable], None] = _nobody
        """Told which object nobody works on any more."""
        self.on_idle_slot: Callable[[int], None] = _nobody

    # The Lease.

    @property
    def record(self) -> LeaseRecord | None:
        """What was written last and granted."""
        return self._view.record

    def claim(self, time: str) -> LeaseRecord:
        """What to write to keep the Lease; `time` is now, as a Lease spells it."""
        return self._view.claim(time)

    def granted(self, record: LeaseRecord, sent_at: float, now: float) -> None:
        """The API server took a renewal that was sent then. Too late is too late."""
        if self._view.record is not None and not self.may_write(now):
            self.lose()
        if not self._lost:
            self._view = self._view.granted(record, sent_at)

    def lose(self) -> None:
        """Another holds the Lease, or it is gone."""
        self._lost = True

    def until(self) -> float:
        """So long the shard may work unless a renewal is granted."""
        until = self._view.leading_until
        return until if until is not None and not self._lost else float("-inf")

    def may_write(self, now: float) -> bool:
        return now < self.until()

    # The work.

    def begin(self, name: Hashable, slot: int | None, now: float) -> bool:
        """Whether the work may begin; it has, then."""
        if not self.may_write(now):
            return False
        self._objects[name] = self._objects.get(name, 0) + 1
        if slot is not None:
            self._slots[slot] = self._slots.get(slot, 0) + 1
        return True

    def end(self, name: Hashable, slot: int | None) -> None:
        if _less(self._objects, name):
            self.on_idle(name)
        if slot is not None and _less(self._slots, slot):
            self.on_idle_slot(slot)

    def is_idle(self, name: Hashable) -> bool:
        return name not in self._objects

    def is_idle_slot(self, slot: int) -> bool:
        return slot not in self._slots


def _less(counts: dict[Hashable, int] | dict[int, int], name: Hashable) -> bool:
    """One less; whether none is left."""
    left = counts[name] - 1  # type: ignore[index]
    if left:
        counts[name] = left  # type: ignore[index]
        return False
    del counts[name]  # type: ignore[arg-type]
    return True


def _nobody(_: object) -> None:
    """Nobody wants to know."""
