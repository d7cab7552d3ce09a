"""Why a name was queued, how long it waited, what came of it: the last TRACES_MAX reconciles of a controller.

Written on every change and every reconcile, so it stores plain tuples and builds nothing until somebody asks.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Literal, NamedTuple

from kajitori.ctrl.reconcile import R

__all__ = ["CAUSES_MAX", "TRACES_MAX", "Cause", "Explanation", "Outcome", "State", "Trace", "Traces"]

TRACES_MAX = 500
"""Reconciles remembered by a controller: some hundred kilobytes, minutes to hours of history."""

CAUSES_MAX = 8
"""Causes remembered of one queued name: the first ones, which are why it is there."""

State = Literal["absent", "queued", "running", "parked"]
Outcome = Literal["success", "error", "terminal error", "requeue after", "cancelled"]


class Cause(NamedTuple):
    """One reason for queueing a name."""

    type: Literal["create", "update", "delete", "resync", "retry", "requeue after", "asked", "source"]
    at: float
    """On the loop's clock, in seconds."""
    kind: str = ""
    """Of the object that changed, or what the event source is called; empty for requeues."""
    object: str = ""
    old_version: str = ""
    new_version: str = ""


class Trace(NamedTuple, Generic[R]):
    """One reconcile."""

    request: R
    reconcile_id: str
    causes: tuple[Cause, ...]
    priority: int
    waited_seconds: float
    """Between ready and started."""
    started_at: float
    took_seconds: float
    outcome: Outcome
    error: str
    requeue_seconds: float
    """After a failure, the back-off; 0 when nothing was planned."""
    writes: int
    """Objects written."""


@dataclass(frozen=True, slots=True)
class Explanation(Generic[R]):
    """What is known of one name in one controller."""

    controller: str
    request: R
    state: State
    """Parked: done, but the caches have not seen its writes yet."""
    failures: int
    """In a row."""
    causes: Sequence[Cause]
    """Why it is queued now."""
    traces: Sequence[Trace[R]]
    """Its last reconciles, latest first."""


class Traces(Generic[R]):
    """The memory of one controller."""

    def __init__(self) -> None:
        self._causes: dict[R, list[Cause]] = {}
        self._traces: deque[Trace[R]] = deque(maxlen=TRACES_MAX)

    def note_cause(self, request: R, cause: Cause) -> None:
        causes = self._causes.get(request)
        if causes is None:
            self._causes[request] = [cause]
        elif len(causes) < CAUSES_MAX:
            causes.append(cause)

    def take_causes(self, request: R) -> tuple[Cause, ...]:
        """Those noted since the last time; the name leaves the queue."""
        return tuple(self._causes.pop(request, ()))

    def note_trace(self, trace: Trace[R]) -> None:
        self._traces.append(trace)

    def causes(self, request: R) -> tuple[Cause, ...]:
        return tuple(self._causes.get(request, ()))

    def last(self, most: int) -> list[Trace[R]]:
        """The last reconciles of all names, latest first."""
        return list(islice(reversed(self._traces), most))

    def traces(self, request: R) -> list[Trace[R]]:
        """Latest first."""
        return [trace for trace in reversed(self._traces) if trace.request == request]
