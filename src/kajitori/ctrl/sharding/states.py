"""How a shard is, as an onlooker sees it by its Lease. No clock, no client.

The times written in a Lease are never compared with anything: an onlooker counts, in its own time, since when the
Lease has been as it is. What it has not seen for long is therefore in doubt for longer, never for shorter.

States
    ready      the shard holds its Lease, which has changed within its duration
    expired    it has not changed for one duration; the shard has stopped, or cannot reach the API server
    uncertain  not for two. The onlooker takes the Lease over, which fails when the shard has renewed it after all
    dead       the shard has let go of its Lease, or it was taken over, or it has been missing for two durations
    orphaned   dead for ORPHANED_SECONDS: the Lease is deleted

Promises
    T1  a shard that is dead holds its Lease no more, and stopped to work while it still did (`ctrl.lease`, L2): as
        the name of a shard is never used again, it never works again
    T2  ready, expired and uncertain shards are available: nothing is taken from them unless they give it

Source: timebertt/kubernetes-controller-sharding, pkg/sharding/leases; there the times of the Lease count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kajitori.ctrl.lease import LeaseRecord

__all__ = [
    "DURATION_SECONDS",
    "ORPHANED_SECONDS",
    "ShardState",
    "Sighting",
    "available",
    "next_look",
    "state_of",
]

DURATION_SECONDS = 15
"""Of a Lease that does not say."""

ORPHANED_SECONDS = 60.0
"""So long the Lease of a dead shard is kept for people to see."""


class ShardState(StrEnum):
    """The value is what the label of a Lease says."""

    READY = "ready"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"
    DEAD = "dead"
    ORPHANED = "orphaned"

    @property
    def is_available(self) -> bool:
        return self in (ShardState.READY, ShardState.EXPIRED, ShardState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an onlooker knows of the Lease of one shard."""

    shard: str
    """Its name, which is that of the Lease."""
    record: LeaseRecord | None
    """None: the API server itself, asked for it, had no such Lease."""
    since: float
    """When the record was first seen like this, in seconds of the onlooker."""

    def seen(self, record: LeaseRecord | None, now: float) -> "Sighting":
        """After another look. A record that has not changed goes on growing old."""
        return self if record == self.record else Sighting(self.shard, record, now)

    def claim(self, holder: str, time: str) -> LeaseRecord:
        """The record with which an onlooker takes the Lease over; twice as long, as the Go sharder does."""
        assert self.record is not None, self
        seconds = 2 * (self.record.duration_seconds or DURATION_SECONDS)
        return LeaseRecord(holder, seconds, time, time, self.record.transitions + 1)


def state_of(seen: Sighting, now: float) -> ShardState:
    """The state by age and holder, as above."""
    age, record = now - seen.since, seen.record
    duration = (record.duration_seconds if record is not None else 0) or DURATION_SECONDS
    if record is not None and record.holder != seen.shard:
        return ShardState.ORPHANED if age >= ORPHANED_SECONDS else ShardState.DEAD
    if record is None:
        # Nobody can take over what is missing: its shard learns of that when it renews.
        return ShardState.UNCERTAIN if age < 2 * duration else ShardState.DEAD
    if age < duration:
        return ShardState.READY
    return ShardState.EXPIRED if age < 2 * duration else ShardState.UNCERTAIN


def next_look(seen: Sighting, now: float) -> float | None:
    """In how many seconds the state changes if nothing happens; None: never."""
    record = seen.record
    duration = (record.duration_seconds if record is not None else 0) or DURATION_SECONDS
    ages: tuple[float, ...] = (duration, 2 * duration)
    if record is not None and record.holder != seen.shard:
        ages = (ORPHANED_SECONDS,)
    age = now - seen.since
    return next((each - age for each in ages if each > age), None)


def available(states: Mapping[str, ShardState]) -> list[str]:
    """The shards that objects may be given to, by name."""
    return sorted(shard for shard, state in states.items() if state.is_available)
