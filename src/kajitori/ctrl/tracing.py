"""What a controller tells of a reconcile to whoever traces it; `spans` makes OpenTelemetry's spans of it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from kajitori.apimachinery.kind import Kind
from kajitori.client.writes import WriteLog
from kajitori.ctrl.explain import Cause, Outcome

__all__ = ["ReconcileTracing", "Traced", "TracedReconcile"]


class Traced(NamedTuple):
    """A reconcile that begins."""

    controller: str
    kind: Kind | None
    request: Any
    reconcile_id: str
    causes: Sequence[Cause]
    waited_seconds: float
    priority: int
    log: WriteLog
    """What it writes, as it does."""


class TracedReconcile(Protocol):
    """One reconcile that is traced."""

    def end(self, outcome: Outcome, error: BaseException | None = None, requeue_seconds: float = 0.0) -> None:
        """With what came of it; in the task in which it began."""
        ...


ReconcileTracing = Callable[[Traced], TracedReconcile]
"""A worker has taken a name."""
