"""Programs: expressions ready to run.

Joins the planner, the emitter and the interpreter. A program is a function generated for its expression when it has
shown to be used; where that function meets anything odd, an error above all, the interpreter runs the plan again and
says what it means.

Promises
    P1  a run gives the value and the cost that cel-go gives under Kubernetes' options, or raises with its message
    P2  a cost above the limit raises CostLimitExceeded, in loops before the next turn
    P3  nothing but CelErrors leaves a run, whatever the expression and its variables are
    P4  a program may run any number of times, also at once: it keeps nothing between runs

Source: cel-go's cel/program.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.cost import UINT64_MAX, Cost
from kajitori.apimachinery.cel.emitter import CannotEmit, Emitted, emit
from kajitori.apimachinery.cel.errors import CelError, EvaluationError
from kajitori.apimachinery.cel.estimator import Sizes, estimate, no_sizes
from kajitori.apimachinery.cel.interpreter import Interpreter, Observation
from kajitori.apimachinery.cel.plan import Step
from kajitori.apimachinery.cel.planner import plan
from kajitori.apimachinery.cel.shapes import variables_of
from kajitori.apimachinery.cel.types import Type

__all__ = ["Evaluation", "Observation", "Program", "compile_program"]

RUNS_INTERPRETED = 2
"""How often `run` interprets before it generates code: that costs as much as some four runs."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one run."""

    value: Any
    cost: int


class Program:
    """An expression ready to run."""

    def __init__(self, checked: Checked, *, presence_costs: bool = False) -> None:
        self.checked = checked
        self._presence_costs = presence_costs
        self._plan: Step = plan(checked)
        self._runs = 0

    @cached_property
    def _emitted(self) -> Emitted | None:
        """The generated function, not compiled; `None` when the plan is to be interpreted."""
        try:
            return emit(self._plan, presence_costs=self._presence_costs)
        except (CannotEmit, RecursionError):
            return None

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The variables that `function` takes, in this order."""
        if self._emitted is not None:
            return self._emitted.variables
        return variables_of(self._plan)

    @cached_property
    def function(self) -> Callable[..., tuple[Any, int]]:
        """The hot door: takes the variables by position, then the limit; gives the value and its cost.

        Raises:
            EvaluationError: the expression has no value for these variables.
            CostLimitExceeded: the cost went above the limit.
        """
        if self._emitted is not None:
            names = {**self._emitted.names, "again": self._again}
            try:
                exec(compile(self._emitted.source, "<cel>", "exec"), names)
            except (RecursionError, SyntaxError, MemoryError):
                self._emitted = None
            else:
                return names["run"]  # type: ignore[no-any-return]
        return lambda *given: self._again(given[:-1], given[-1])

    @property
    def type(self) -> Type:
        """What the checker says of the whole."""
        return self.checked.type

    @property
    def source_code(self) -> str:
        """The generated function, to look at; empty when the program is always interpreted."""
        return self._emitted.source if self._emitted is not None else ""

    def estimate(self, sizes: Sizes = no_sizes) -> Cost:
        """What a run may cost at least and at most."""
        return estimate(self.checked, sizes)

    def evaluate(self, variables: Mapping[str, Any], cost_limit: int | None = None) -> Any:
        """The value.

        Raises:
            EvaluationError: there is none for these variables.
            CostLimitExceeded: it costs more than it may.
        """
        return self.run(variables, cost_limit).value

    def run(self, variables: Mapping[str, Any], cost_limit: int | None = None) -> Evaluation:
        """The value and what it cost.

        Raises:
            EvaluationError: there is no value for these variables; `cost` says what had been spent.
            CostLimitExceeded: it costs more than it may.
        """
        limit = UINT64_MAX if cost_limit is None else cost_limit
        if self._runs < RUNS_INTERPRETED:
            self._runs += 1
            return Evaluation(*self._interpreted(variables, limit))
        try:
            given = [variables[name] for name in self.variables]
        except KeyError:
            return Evaluation(*self._interpreted(variables, limit))
        return Evaluation(*self.function(*given, limit))

    def observe(
        self, variables: Mapping[str, Any], cost_limit: int | None = None
    ) -> tuple[dict[int, Observation], Evaluation | CelError]:
        """What came of each node that was reached, by its id, and what came of the whole: for explanations."""
        limit = UINT64_MAX if cost_limit is None else cost_limit
        observations: dict[int, Observation] = {}
        try:
            return observations, Evaluation(*self._interpreted(variables, limit, observations))
        except CelError as error:
            return observations, error

    def _again(self, given: tuple[Any, ...], limit: int) -> tuple[Any, int]:
        """What generated code comes to when it cannot go on."""
        return self._interpreted(dict(zip(self.variables, given, strict=True)), limit)

    def _interpreted(
        self, variables: Mapping[str, Any], limit: int, observations: dict[int, Observation] | None = None
    ) -> tuple[Any, int]:
        interpreter = Interpreter(
            variables, limit, presence_costs=self._presence_costs, observations=observations
        )
        try:
            return interpreter.run(self._plan), interpreter.cost
        except RecursionError:
            raise EvaluationError("the expression nests too deeply", interpreter.cost) from None


def compile_program(checked: Checked, *, presence_costs: bool = False) -> Program:
    """The expression ready to run. `presence_costs` when `has()` costs as selecting does, as outside of Kubernetes.

    Raises:
        ProgramError: one of its constants has no value.
    """
    return Program(checked, presence_costs=presence_costs)
