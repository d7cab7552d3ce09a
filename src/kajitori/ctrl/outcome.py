"""What follows from how a reconcile ended: the contract, as a plain function.

    it                                   counts as         the name comes again
    returned DONE                        success           when something changes
    returned Result(requeue_after > 0)   requeue after     after that time; sooner when something changes
    raised TerminalError only            terminal error    when something changes
    raised anything else                 error             after its back-off (`rate_limit`), or what the server asked
                                                           for when that is longer; sooner when something changes
    took longer than it may              error             the same, and it has been cancelled
    returned what is no Result           error, panic      the same
    made a mistake (`MISTAKES`)          error, panic      the same
    cancelled itself, raised SystemExit  error, panic      the same
    was cancelled by us                  cancelled         as its object, its cluster or its process went, not at all

What raises groups is judged by all that is in them. Failures in a row are forgotten at the first that is none.
KeyboardInterrupt is let through: somebody wants the process to end.

Source: controller-runtime's reconcileHandler.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import ApiError, Conflict
from kajitori.ctrl.explain import Outcome
from kajitori.ctrl.reconcile import Result, TerminalError

__all__ = ["MISTAKES", "REQUEUE_SECONDS_MAX", "Judged", "checked", "judge", "leaves", "told"]

REQUEUE_SECONDS_MAX = 1e9
"""Thirty years: what is longer was meant to be something else."""

MISTAKES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, MemoryError),
    *(NameError, NotImplementedError, RecursionError, TypeError),
    *(SystemExit, GeneratorExit, asyncio.CancelledError),
)
"""What a reconciler raises when its author erred: what Go calls a panic."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How a failure counts."""

    outcome: Outcome
    retry: bool
    at_least_seconds: float = 0.0
    """What the server asked for."""
    is_panic: bool = False
    is_conflict: bool = False
    """Somebody else had written an object meanwhile."""


def judge(error: BaseException) -> Judged:
    """What a failure means."""
    found = leaves(error)
    if all(isinstance(leaf, TerminalError) for leaf in found):
        return Judged("terminal error", retry=False)
    return Judged(
        "error",
        retry=True,
        at_least_seconds=max(leaf.retry_after_seconds if isinstance(leaf, ApiError) else 0 for leaf in found),
        is_panic=any(isinstance(leaf, MISTAKES) for leaf in found),
        is_conflict=any(isinstance(leaf, Conflict) for leaf in found),
    )


def checked(result: Any) -> Result:
    """What a reconciler returned. Raises: TypeError, ValueError when it is nonsense."""
    if not isinstance(result, Result):
        raise TypeError(f"reconcile returned {result!r}; return a Result, DONE when nothing is to be done")
    seconds: Any = result.requeue_after_seconds
    priority: Any = result.priority
    if not isinstance(seconds, (int, float)) or not 0 <= seconds <= REQUEUE_SECONDS_MAX:
        raise TypeError(
            f"requeue_after_seconds is {seconds!r}; use 0 for never, or up to {REQUEUE_SECONDS_MAX:g}"
        )
    if priority is not None and not isinstance(priority, int):
        raise TypeError(f"priority is {priority!r}; use an integer, or None")
    return result


def leaves(error: BaseException) -> list[BaseException]:
    """The errors that a group holds, at whatever depth; of one that is no group, itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def told(error: BaseException) -> str:
    """In one line."""
    return "; ".join(f"{type(leaf).__name__}: {_text(leaf)}" for leaf in leaves(error))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(an error that cannot be printed)"
