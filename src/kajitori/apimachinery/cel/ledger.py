"""The cost of one run, and the values that it is counted by.

cel-go's cost tracker watches the steps from outside: it keeps their values on a stack and finds there what a call was
given. Where an error cuts a step short that shows, so this keeps the same stack.

Promises
    L1  finding a value takes no longer when there are many: loops leave theirs behind

Source: cel-go's interpreter/runtimecost.go.
"""

from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import CostLimitExceeded
from kajitori.apimachinery.cel.plan import Step

__all__ = ["Ledger"]


class Ledger:
    """What has been spent, and on what."""

    def __init__(self, limit: int | None) -> None:
        self.cost = 0
        self._limit = limit
        self._stack: list[tuple[int, Any]] = []
        """Identities and values of the steps done, as far as nobody has used them."""
        self._places: dict[int, list[int]] = {}
        """Where on the stack each identity is, the lowest first."""

    def push(self, identity: int, value: Any) -> None:
        """A step is done.

        Raises:
            CostLimitExceeded: what has been spent is more than may be.
        """
        self._places.setdefault(identity, []).append(len(self._stack))
        self._stack.append((identity, value))
        if self._limit is not None and self.cost > self._limit:
            raise CostLimitExceeded(self.cost)

    def drop(self, *identities: int) -> None:
        """Forget the last step of each of these, with all that came after it."""
        for identity in identities:
            found = self._places.get(identity)
            if found:
                self._cut(found[-1])

    def take(self, steps: Sequence[Step]) -> list[Any] | None:
        """The values of steps, the last one highest on the stack; `None` when one was not computed."""
        values: list[Any] = []
        for step in reversed(steps):
            found = self._places.get(step.identity)
            if not found:
                return None
            values.append(self._stack[found[-1]][1])
            self._cut(found[-1])
        values.reverse()
        return values

    def _cut(self, position: int) -> None:
        """Forget everything from a position on."""
        stack, places = self._stack, self._places
        while len(stack) > position:
            places[stack.pop()[0]].pop()
