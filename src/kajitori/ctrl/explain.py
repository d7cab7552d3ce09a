"""Why a name was queued, how long it waited, what came of it: the last TRACES_MAX reconciles of a controller.

Written on every change and every reconcile, so it stores plain tuples and builds nothing until somebody asks.
"""

from collections import deque
from collections.abc import Callable, Sequence
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
Outcome = Literal["success", "error", "terminal error", "requeue after", "cancelled", "cluster gone"]


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
    at: float
    """On the loop's clock, when this was known."""
    state: State
    """Parked: done, but the caches have not seen its writes yet."""
    failures: int
    """In a row."""
    causes: Sequence[Cause]
    """Why it is queued now."""
    traces: Sequence[Trace[R]]
    """Its last reconciles, latest first."""

    def __str__(self) -> str:
        """For people: what it is now and why, then what came of it, latest first."""
        lines = [
            f"{self.request} in controller {self.controller}: {_STATES[self.state]}{_in_a_row(self.failures)}"
        ]
        lines += [f"  because of {_because(cause, self.at)}" for cause in self.causes]
        for trace in self.traces:
            ended = self.at - trace.started_at - trace.took_seconds
            lines.append(
                f"{_ago(ended)} {trace.outcome}: waited {_seconds(trace.waited_seconds)}, took "
                f"{_seconds(trace.took_seconds)}, wrote {trace.writes}"
                + (f", again after {_seconds(trace.requeue_seconds)}" if trace.requeue_seconds else "")
            )
            lines += [f"  {line}" for line in trace.error.splitlines()]
            lines += [f"  because of {_because(cause, self.at)}" for cause in trace.causes]
        return "\n".join(lines)


_STATES = {
    "absent": "not queued",
    "queued": "queued",
    "running": "being reconciled",
    "parked": "reconciled, and waiting until the caches have seen what it wrote",
}


def _in_a_row(failures: int) -> str:
    return f", failed {failures} times in a row" if failures > 1 else ", failed last" if failures else ""


def _because(cause: Cause, now: float) -> str:
    words = [_CAUSES.get(cause.type, cause.type), cause.kind, cause.object]
    if cause.new_version and cause.type != "resync":
        words.append(
            f"({cause.old_version} → {cause.new_version})" if cause.old_version else f"({cause.new_version})"
        )
    return f"{' '.join(word for word in words if word)}, {_ago(now - cause.at)}"


_CAUSES = {
    "create": "a new",
    "update": "a change of",
    "delete": "the end of",
    "resync": "a resync of",
    "retry": "the failure before",
    "requeue after": "what the reconcile before asked for",
    "asked": "somebody in the process",
    "source": "event source",
}


def _ago(seconds: float) -> str:
    return f"{_seconds(seconds)} ago"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds < 10 else f"{seconds:.0f} s"


class Traces(Generic[R]):
    """The memory of one controller."""

    def __init__(self) -> None:
        self._causes: dict[R, list[Cause]] = {}
        self._traces: deque[Trace[R]] = deque(maxlen=TRACES_MAX)
        self.listener: Callable[[Trace[R]], None] | None = None
        """Is told of every reconcile when it has ended; None: nobody."""

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
        if self.listener is not None:
            self.listener(trace)

    def causes(self, request: R) -> tuple[Cause, ...]:
        return tuple(self._causes.get(request, ()))

    def last(self, most: int) -> list[Trace[R]]:
        """The last reconciles of all names, latest first."""
        return list(islice(reversed(self._traces), most))

    def traces(self, request: R) -> list[Trace[R]]:
        """Latest first."""
        return [trace for trace in reversed(self._traces) if trace.request == request]
