"""The cost of one run, and the values that it is counted by.

cel-go's cost tracker watches the steps from outside: it keeps their values on a stack and finds there what a call was
given. Where an error cuts a step short that shows, so this keeps the same stack.

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

    def push(self, identity: int, value: Any) -> None:
        """A step is done.

        Raises:
            CostLimitExceeded: what has been spent is more than may be.
        """
        self._stack.append((identity, value))
        if self._limit is not None and self.cost > self._limit:
            raise CostLimitExceeded(self.cost)

    def drop(self, *identities: int) -> None:
        """Forget the last step of each of these, with all that came after it."""
        stack = self._stack
        for identity in identities:
            for position in range(len(stack) - 1, -1, -1):
                if stack[position][0] == identity:
                    del stack[position:]
                    break

    def take(self, steps: Sequence[Step]) -> list[Any] | None:
        """The values of steps, the last one highest on the stack; `None` when one was not computed."""
        stack = self._stack
        values: list[Any] = []
        for step in reversed(steps):
            identity = step.identity
            for position in range(len(stack) - 1, -1, -1):
                if stack[position][0] == identity:
                    values.append(stack[position][1])
                    del stack[position:]
                    break
            else:
                return None
        values.reverse()
        return values
