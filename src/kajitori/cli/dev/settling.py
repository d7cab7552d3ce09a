"""Whether there is nothing left to do: what `--once` waits for.

Promises
    O1  settled means: caches filled, nothing queued, under way or parked, and nothing decided for QUIET_SECONDS; names
        that are to be looked at again later do not count
    O2  a name that has failed FAILURES_MAX times in a row is not going to mend itself: it counts as failing
"""

import asyncio
from dataclasses import dataclass

from kajitori.ctrl import Manager

__all__ = ["FAILURES_MAX", "QUIET_SECONDS", "Settling", "Standing", "standing"]

QUIET_SECONDS = 0.5
"""What others do about our writes, Kubernetes' controllers for one, comes within some tens of milliseconds."""

FAILURES_MAX = 6
"""In a row: a third of a second of retries."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a manager."""

    busy: tuple[str, ...]
    """What is still to be waited for, in words; empty: nothing."""
    failing: tuple[str, ...]
    """`controller name: error` of the names that fail."""


def standing(manager: Manager) -> Standing:
    """As of now."""
    busy: list[str] = []
    failing: list[str] = []
    for controller in manager.controllers:
        if not controller.is_working:
            busy.append(f"{controller.name} waits for its first lists")
            continue
        queue, name = controller.queue, controller.name
        busy += [f"{name} {request} is being reconciled" for request in queue.held()]
        errors = {trace.request: trace for trace in reversed(controller.last_traces(_TRACES))}
        for request, _, seconds in queue.left():
            failures, last = queue.failures(request), errors.get(request)
            if failures >= FAILURES_MAX:
                failing.append(f"{name} {request}: {last.error if last is not None else 'fails'}")
            elif failures:
                busy.append(f"{name} {request} is tried again")
            elif not seconds:
                busy.append(f"{name} {request} is queued")
        failing += [
            f"{name} {request}: {last.error}"
            for request, last in errors.items()
            if last.outcome == "terminal error"
        ]
    return Standing(tuple(busy), tuple(failing))


class Settling:
    """Asked again and again, while decisions are counted."""

    def __init__(self) -> None:
        self._decisions = -1
        self._quiet_since = 0.0

    def has_settled(self, manager: Manager, decisions: int) -> bool:
        """Whether nothing is left to do, and nothing has been done for a moment."""
        now = asyncio.get_running_loop().time()
        if decisions != self._decisions or standing(manager).busy:
            self._decisions, self._quiet_since = decisions, now
            return False
        return now - self._quiet_since >= QUIET_SECONDS


_TRACES = 500
