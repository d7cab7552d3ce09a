"""Who leads, by the rules of a Lease: what a candidate knows, and what it does next. No clock, no client.

Each candidate counts in local time from the moment at which it saw the record change; the times inside the record
are for people, and are never compared with anything.

States of a candidate
    following   it does not lead: it waits, creates the Lease, or takes over one that is free or has run out
    leading     until `leading_until`: that long after it sent the last renewal that was granted, it acts as the leader

Promises
    L1  a candidate takes over only what is nobody's, or what has not changed for the duration written in it
    L2  who leads steps down `renew_deadline_seconds` after it sent the last renewal that was granted, which is
        earlier than anybody may take over; and at once when it sees another holder
    L3  `leaseTransitions` goes up by one with each change of the holder, and `acquireTime` is that of the change

Source: client-go's tools/leaderelection. There the deadline counts from the first renewal that fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["JITTER_FACTOR", "Decision", "LeaseRecord", "View"]

JITTER_FACTOR = 1.2
"""A retry comes after at most this many retry periods more, so that candidates do not march in step."""


class Decision(Enum):
    WAIT = "wait"
    CREATE = "create"
    TAKE_OVER = "take over"
    RENEW = "renew"
    STEP_DOWN = "step down"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the spec of a Lease says of its holder."""

    holder: str
    """Empty: nobody's."""
    duration_seconds: int
    acquire_time: str
    renew_time: str
    transitions: int

    @classmethod
    def of(cls, lease: Mapping[str, Any]) -> "LeaseRecord":
        """Of a Lease as it was read; what it does not say is empty or 0."""
        spec = lease.get("spec") or {}
        return cls(
            spec.get("holderIdentity") or "",
            spec.get("leaseDurationSeconds") or 0,
            spec.get("acquireTime") or "",
            spec.get("renewTime") or "",
            spec.get("leaseTransitions") or 0,
        )

    def spec(self) -> JsonObject:
        """The spec of a Lease that says this."""
        spec: JsonObject = {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.duration_seconds,
            "leaseTransitions": self.transitions,
            "acquireTime": self.acquire_time,
            "renewTime": self.renew_time,
        }
        return {name: value for name, value in spec.items() if value != "" or name == "holderIdentity"}


@dataclass(frozen=True, slots=True)
class View:
    """What one candidate knows. Times are local seconds of its own."""

    identity: str
    lease_seconds: int
    renew_deadline_seconds: float
    record: LeaseRecord | None = None
    """None: there is no Lease."""
    observed_at: float = 0.0
    """When `record` was first seen like this."""
    leading_until: float | None = None
    """None: it does not lead."""

    def observe(self, record: LeaseRecord | None, now: float) -> "View":
        """After a read. A record that has not changed goes on growing old."""
        return self if record == self.record else replace(self, record=record, observed_at=now)

    def granted(self, record: LeaseRecord, sent_at: float) -> "View":
        """After a write of ours that the API server took; it counts from when it was sent."""
        until = sent_at + self.renew_deadline_seconds
        return replace(self, record=record, observed_at=sent_at, leading_until=until)

    def following(self) -> "View":
        """After it stepped down."""
        return replace(self, leading_until=None)

    def leads(self, now: float) -> bool:
        return self.leading_until is not None and self.decide(now) is not Decision.STEP_DOWN

    def decide(self, now: float) -> Decision:
        """What comes next.

        leading, too long ago      step down (L2)
        leading, another holds it  step down
        no Lease                   create
        ours                       renew
        nobody's, or run out       take over (L1)
        another's                  wait
        """
        record = self.record
        is_anothers = record is not None and record.holder not in ("", self.identity)
        if self.leading_until is not None and (is_anothers or now >= self.leading_until):
            return Decision.STEP_DOWN
        if record is None:
            return Decision.CREATE
        if record.holder == self.identity:
            return Decision.RENEW
        if not record.holder or now >= self.observed_at + record.duration_seconds:
            return Decision.TAKE_OVER
        return Decision.WAIT

    def claim(self, time: str) -> LeaseRecord:
        """The record that makes us the holder, or keeps us; `time` is now, as the Lease spells it (L3)."""
        acquired, transitions = time, 0
        if self.record is not None and self.record.holder == self.identity:
            acquired, transitions = self.record.acquire_time or time, self.record.transitions
        elif self.record is not None:
            transitions = self.record.transitions + 1
        return LeaseRecord(self.identity, self.lease_seconds, acquired, time, transitions)

    def release(self, time: str) -> LeaseRecord:
        """The record that lets everybody else in at once."""
        transitions = 0 if self.record is None else self.record.transitions
        return LeaseRecord("", 1, time, time, transitions)
