"""Expressions of policies: run within a budget, failing in Kubernetes' words.

Promises
    E1  what is run on one account together never costs more than its budget: the first that would raises OutOfBudget
    E2  a variable is computed when it is first asked for, once, and its cost is counted with whoever asked

Source: apiserver's pkg/admission/plugin/cel (compile.go, activation.go, composition.go).
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from kajitori.apimachinery.cel import CelError, CostLimitExceeded, EvaluationError, Program
from kajitori.apimachinery.cel.expression import Expression
from kajitori.apimachinery.cel.kubernetes import PER_CALL_COST_LIMIT
from kajitori.apimachinery.cel.values import LazyFields
from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject

__all__ = ["Account", "ExpressionError", "OutOfBudget"]

_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


_NO_VARIABLES = LazyFields({})


class ExpressionError(Exception):
    """An expression that has no value; the text says why."""


class OutOfBudget(Exception):
    """Nothing more is run."""

    def __init__(self) -> None:
        super().__init__(_OUT_OF_BUDGET)


class Account:
    """Runs the expressions of one policy against one write, and pays for them."""

    def __init__(
        self,
        inputs: Mapping[str, Any],
        composed: Mapping[str, Expression] | None,
        budget: int,
        param: JsonObject | None = None,
    ) -> None:
        """`composed` are the policy's own variables; `None` where there can be none."""
        self._inputs = inputs
        self._own: dict[str, Any] = {"params": param, "variables": _NO_VARIABLES}
        """What this policy sees besides."""
        self._composed = composed
        self.budget = budget
        """What is left."""
        self._lazy_cost = 0
        self.again(budget)

    def again(self, budget: int) -> None:
        """Begins with another budget; variables are computed anew."""
        self.budget = budget
        self._lazy_cost = 0
        if self._composed:
            compute: dict[str, Callable[[], Any]] = {
                name: partial(self._compute, name, expression) for name, expression in self._composed.items()
            }
            self._own["variables"] = LazyFields(compute)

    @contextmanager
    def without_namespace(self) -> Generator[None]:
        """For as long as it lasts, `namespaceObject` is null."""
        self._own["namespaceObject"] = None
        try:
            yield
        finally:
            del self._own["namespaceObject"]

    def evaluate(self, expression: Expression) -> Any:
        """The value. Raises: ExpressionError, OutOfBudget."""
        if expression.program is None:
            raise ExpressionError(f"compilation error: {expression.error}")
        failure: CelError | None = None
        value: Any = None
        try:
            value, cost = self._run(expression.program)
        except (EvaluationError, CostLimitExceeded) as error:
            failure, cost = error, error.cost
        cost += self._lazy_cost
        self._lazy_cost = 0
        if cost > self.budget:
            raise OutOfBudget
        self.budget -= cost
        if failure is not None:
            raise ExpressionError(f"expression '{expression.text}' resulted in error: {failure}")
        return value

    def _run(self, program: Program) -> tuple[Any, int]:
        # The generated code at once: nobody knows how much there is to do the first time.
        own, inputs = self._own, self._inputs
        given = [own[name] if name in own else inputs[name] for name in program.variables]
        return program.function(*given, PER_CALL_COST_LIMIT)

    def _compute(self, name: str, expression: Expression) -> Any:
        if expression.program is None:
            raise EvaluationError(
                f"composited variable {go_quote(name)} fails to compile: {expression.error}"
            )
        try:
            value, cost = self._run(expression.program)
        except (EvaluationError, CostLimitExceeded) as error:
            self._lazy_cost += error.cost
            raise EvaluationError(
                f"composited variable {go_quote(name)} fails to evaluate: {error}"
            ) from None
        self._lazy_cost += cost
        return value
