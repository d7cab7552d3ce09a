"""The audit log: asks the policy about each request, and writes the events that come of it, one JSON line each.

Promises
    A1  an event is written in the turn in which its stage comes: what was answered is in the log, or was told as lost
    A2  who is not authenticated is written down as well, by one event

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.http import Request
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.audit.policy import LEVELS, NONE, Policy
from kajitori.apiserver.operating.audit.trail import EventTrail
from kajitori.apiserver.operating.exposition import family
from kajitori.apiserver.operating.lines import LineFile
from kajitori.apiserver.operating.observer import Told
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["AuditLog"]

_NOBODY = User("")
_encode = msgspec.json.Encoder().encode


class AuditLog:
    """A witness of requests; see `Observer`."""

    def __init__(self, policy: Policy, lines: LineFile, clock: Clock = SYSTEM_CLOCK) -> None:
        self._policy = policy
        self._lines = lines
        self._clock = clock
        self._levels: dict[str, int] = dict.fromkeys(LEVELS, 0)
        self._events = self._lost = 0

    def received(self, request: Request, asked: Asked) -> None:
        assert asked.user is not None, "it is known who asks"
        trail = self._trail(request, asked, asked.user)
        if trail is not None:
            asked.trail = trail
            trail.begin()

    def unauthenticated(self, request: Request, asked: Asked, error: ApiError) -> None:
        trail = self._trail(request, asked, None)
        if trail is not None:
            trail.refused(error.to_status())

    def started(self, request: Request, asked: Asked, status: int) -> None:
        if asked.trail is not None:
            asked.trail.start(status)

    def ended(self, told: Told) -> None:
        if told.asked.trail is not None:
            told.asked.trail.complete(told.status, told.response)

    def _trail(self, request: Request, asked: Asked, user: User | None) -> EventTrail | None:
        attributes = Attributes.of(user or _NOBODY, asked.info, asked.query)
        wanted = self._policy.wanted(attributes)
        self._levels[wanted.level] += 1
        if wanted.level == NONE:
            return None
        return EventTrail(request, attributes, wanted, user=user, now=self._clock.now, emit=self._write)

    def _write(self, event: dict[str, Any]) -> None:
        self._events += 1
        if not self._lines.write(_encode(event)):
            self._lost += 1

    def lines(self) -> Iterator[str]:
        """The families of the audit log."""
        yield from family(
            "apiserver_audit_event_total", "counter", "Events of the audit log.", (("", self._events),)
        )
        yield from family(
            "apiserver_audit_error_total",
            "counter",
            "Events of the audit log that were lost.",
            (('plugin="log"', self._lost),),
        )
        yield from family(
            "apiserver_audit_level_total",
            "counter",
            "Requests by how much of them the audit policy wants.",
            ((f'level="{level}"', count) for level, count in sorted(self._levels.items()) if count),
        )
        yield from family(
            "apiserver_audit_requests_rejected_total",
            "counter",
            "Requests refused because their event could not be written: none ever is.",
            (("", 0),),
        )
