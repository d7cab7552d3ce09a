"""The contract between the runtime and a reconciler: a name in, a Result out.

Source: controller-runtime's pkg/reconcile.
"""

from dataclasses import dataclass
from typing import Protocol

from kajitori.apimachinery.kind import NamespacedName

__all__ = ["DONE", "Reconciler", "Request", "Result", "TerminalError"]


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """Which object to reconcile, never what happened to it. `namespace` is empty for cluster-scoped ones."""

    namespace: str
    name: str

    @property
    def key(self) -> NamespacedName:
        return NamespacedName(self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Result:
    """What to do with the name next, when reconciling it raised nothing."""

    requeue_after_seconds: float = 0.0
    """Look again after so long, whatever happens; 0: only when something changes."""
    priority: int | None = None
    """Of that next look; None keeps the priority that this one had."""


DONE = Result()
"""Nothing to do until something changes."""


class Reconciler(Protocol):
    """Brings the world closer to what one object asks for. Called again until it raises nothing: safe to
    repeat.
    """

    async def reconcile(self, request: Request) -> Result:
        """Raises: anything, to be called again after a growing delay; TerminalError, to be left alone until
        a change.
        """
        ...


class TerminalError(Exception):
    """Trying again is useless until something changes: counted and logged, not retried."""
