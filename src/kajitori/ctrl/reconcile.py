"""The contract between the runtime and a reconciler: a request in, a Result out. What follows from each outcome is in
`outcome`.

A request is a `Request`, which names an object, unless a controller has requests of its own: then it is any value that
can be a key of a dict, and only that controller's watches and event sources know what it means.

Source: controller-runtime's pkg/reconcile.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from kajitori.apimachinery.kind import NamespacedName

__all__ = ["DONE", "R", "R_co", "R_contra", "Reconciler", "Request", "Result", "TerminalError"]


class Request(msgspec.Struct, frozen=True, order=True, gc=False):
    """Which object to reconcile, never what happened to it. `namespace` is empty for cluster-scoped ones."""

    namespace: str
    name: str
    cluster: str = ""
    """The engaged cluster that it is in; empty: the manager's own."""

    @property
    def key(self) -> NamespacedName:
        return NamespacedName(self.namespace, self.name)

    def __str__(self) -> str:
        text = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{text} in {self.cluster}" if self.cluster else text


if TYPE_CHECKING:
    # Type checkers know of defaults before Python 3.13, and bring their own typing_extensions.
    from typing_extensions import TypeVar

    R = TypeVar("R", bound=Hashable, default=Request)
    R_co = TypeVar("R_co", bound=Hashable, default=Request, covariant=True)
    R_contra = TypeVar("R_contra", bound=Hashable, default=Request, contravariant=True)
else:
    from typing import TypeVar

    R = TypeVar("R", bound=Hashable)
    R_co = TypeVar("R_co", bound=Hashable, covariant=True)
    R_contra = TypeVar("R_contra", bound=Hashable, contravariant=True)


@dataclass(frozen=True, slots=True)
class Result:
    """What to do with the name next, when reconciling it raised nothing."""

    requeue_after_seconds: float = 0.0
    """Look again after so long, whatever happens; 0: only when something changes."""
    priority: int | None = None
    """Of that next look; None keeps the priority that this one had."""


DONE = Result()
"""Nothing to do until something changes."""


class Reconciler(Protocol[R_contra]):
    """Brings the world closer to what one object asks for. Called again until it raises nothing: safe to
    repeat. `Reconciler` alone is one of `Request`s.
    """

    async def reconcile(self, request: R_contra, /) -> Result:
        """Raises: anything, to be called again after a growing delay; TerminalError, to be left alone until
        a change.
        """
        ...


class TerminalError(Exception):
    """Trying again is useless until something changes: counted and logged, not retried."""
