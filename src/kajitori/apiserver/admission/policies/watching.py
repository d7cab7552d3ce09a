"""Expressions of policies, run by those who want to know all about it: each part with its value and its cost.

Sits on `expressions`, of which it changes nothing but the speed.

Promises
    W1  values, errors and costs are those of an account that nobody watches
    W2  of an expression that is run several times the last time is told
"""

from typing import Any

from kajitori.apimachinery.cel import CelError, Program
from kajitori.apimachinery.cel.compiler import Evaluation
from kajitori.apimachinery.cel.explaining import Explained, explain
from kajitori.apimachinery.cel.expression import Expression
from kajitori.apimachinery.cel.kubernetes import PER_CALL_COST_LIMIT
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget

__all__ = ["NotingAccount", "Ran", "WatchedAccount"]


class NotingAccount(Account):
    """Keeps what had no value, whatever that means for the write, and how much was spent."""

    def __init__(self, *given: Any) -> None:
        self.errors: list[str] = []
        self.spent = 0
        """Of the budget of which most was spent."""
        self._of_this = 0
        super().__init__(*given)

    def again(self, budget: int) -> None:
        if not self._is_the_rest(budget):
            self._of_this = 0
        super().again(budget)

    def _is_the_rest(self, budget: int) -> bool:
        return bool(self._of_this) and budget == self.budget

    def evaluate(self, expression: Expression) -> Any:
        before = self.budget
        try:
            return super().evaluate(expression)
        except (ExpressionError, OutOfBudget) as error:
            if str(error) not in self.errors:
                self.errors.append(str(error))
            raise
        finally:
            self._of_this += before - self.budget
            self.spent = max(self.spent, self._of_this)


class Ran:
    """What came of one expression."""

    __slots__ = ("charged", "cost", "error", "explained", "value")

    def __init__(self, explained: Explained, value: Any, error: str, cost: int) -> None:
        self.explained = explained
        self.value = value
        self.error = error
        self.cost = cost
        """Its own."""
        self.charged = cost
        """With the variables that it was the first to ask for."""


class WatchedAccount(Account):
    """Keeps what each part of each expression came to."""

    def __init__(self, *given: Any) -> None:
        self._ran: dict[int, Ran] = {}
        super().__init__(*given)

    def ran(self, expression: Expression) -> Ran | None:
        """What came of an expression; None where it was not run."""
        return self._ran.get(id(expression.program))

    def evaluate(self, expression: Expression) -> Any:
        before = self.budget
        try:
            return super().evaluate(expression)
        finally:
            found = self.ran(expression)
            if found is not None:
                found.charged = max(found.cost, before - self.budget)

    def _run(self, program: Program) -> tuple[Any, int]:
        variables = {**self._inputs_of(program), **self._own}
        observations, result = program.observe(variables, PER_CALL_COST_LIMIT)
        explained = explain(program.checked.tree, observations)
        if isinstance(result, CelError):
            spent: int = getattr(result, "cost", 0)
            self._ran[id(program)] = Ran(explained, None, str(result), spent)
            raise result
        assert isinstance(result, Evaluation)
        self._ran[id(program)] = Ran(explained, result.value, "", result.cost)
        return result.value, result.cost

    def _inputs_of(self, program: Program) -> dict[str, Any]:
        return {name: self._inputs[name] for name in program.variables if name not in self._own}
