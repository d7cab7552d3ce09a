"""What a comprehension goes over, and what it keeps while it runs.

Sits under the interpreter.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.plan import Fold
from kajitori.apimachinery.cel.values import MISSING, MapValue, keys_of, type_of

__all__ = ["Failure", "Growing", "Scope", "items_of"]


class Failure:
    """An error on its way through an expression."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class Growing(list[Any]):
    """A list that a comprehension is making; nothing else refers to it, so it grows in place."""

    def merge(self, others: Sequence[Any]) -> "Growing":
        self.extend(others)
        return self


class Scope:
    """The variables of one comprehension, inside of those around it."""

    __slots__ = ("accumulated", "around", "ended", "fold", "values")

    def __init__(self, fold: Fold, around: "Scope | None") -> None:
        self.fold = fold
        self.around = around
        self.values: dict[str, Any] = {}
        self.accumulated: Any = MISSING
        self.ended = False


def items_of(step: Fold, over: Any) -> Iterable[tuple[Any, Any]]:
    """What the variables of a comprehension become, one after the other."""
    if isinstance(over, list | tuple):
        elements = over if type(over) is list else _elements(over)
        return enumerate(elements) if step.second is not None else ((one, None) for one in elements)
    if step.second is None:
        return ((one, None) for one in keys_of(over))
    if isinstance(over, dict | MapValue):
        return over.items()
    raise EvaluationError(f"unsupported comprehension range type: {type_of(over).name}")


def _elements(over: Sequence[Any]) -> Iterator[Any]:
    """The elements of a list that may hold what cannot be had; that is an error only for those who look at it."""
    for position in range(len(over)):
        try:
            yield over[position]
        except EvaluationError as error:
            yield Failure(str(error))
