"""What happened in a simulation, and what may be said of it.

    12.031 commit 214 widgets.example.com default/a
    12.034 widgets reconciles default/a
    12.040 update widgets/status default/a by widgets: 409

Promises
    H1  every commit, every call but the test's own, and every reconcile of a manager of the simulation is in it
    H2  two histories are equal when the same happened at the same times in the same order
"""

import asyncio
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.ctrl import Reconciler, Result
from kajitori.testing.calls import Call

__all__ = ["Entry", "History", "NotSafe", "Recorded"]

ENTRIES_SHOWN_MAX = 60
"""Of the end of a history, in a failure."""

BUSIEST_SHOWN_MAX = 5


class NotSafe(AssertionError):
    """Something happened that may never happen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event."""

    at: float
    """In seconds since the simulation began."""
    what: str
    call: Call | None = None

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.what}"


class History:
    """Of one simulation."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reconciles = 0
        self.broken: str | None = None
        """What may never happen and did; None: nothing did."""
        self._running: set[tuple[str, Hashable]] = set()

    def note(self, what: str, call: Call | None = None) -> None:
        """Something happened now."""
        self.entries.append(Entry(asyncio.get_running_loop().time(), what, call))

    def note_call(self, call: Call, outcome: str) -> None:
        if call.is_by(""):
            self.note(f"{call}: {outcome}", call)

    def begin(self, controller: str, request: Any) -> None:
        """A reconcile begins."""
        self.reconciles += 1
        self.note(f"{controller} reconciles {request}")
        if (controller, request) in self._running and self.broken is None:
            self.broken = f"{controller} reconciles {request} twice at once"
        self._running.add((controller, request))

    def end(self, controller: str, request: Any) -> None:
        self._running.discard((controller, request))

    def busiest(self, since: float) -> str:
        """Who wrote most often since then, and what."""
        counted = Counter(
            str(each.call) for each in self.entries if each.at >= since and each.call and each.call.is_write
        )
        most = (f"{what} ({times} times)" for what, times in counted.most_common(BUSIEST_SHOWN_MAX))
        return "; ".join(most) or "nobody but the test"

    def check(self) -> None:
        """Raises: NotSafe."""
        if self.broken is not None:
            raise NotSafe(self.broken)

    @property
    def lines(self) -> Sequence[str]:
        return [str(each) for each in self.entries]

    def __str__(self) -> str:
        shown = [str(each) for each in self.entries[-ENTRIES_SHOWN_MAX:]]
        left_out = len(self.entries) - len(shown)
        return "\n".join([f"... {left_out} before", *shown] if left_out else shown)


class Recorded:
    """A reconciler whose reconciles are in a history."""

    def __init__(self, reconciler: Reconciler[Any], controller: str, history: History) -> None:
        self._reconciler = reconciler
        self._controller = controller
        self._history = history

    async def reconcile(self, request: Any) -> Result:
        self._history.begin(self._controller, request)
        try:
            return await self._reconciler.reconcile(request)
        finally:
            self._history.end(self._controller, request)
