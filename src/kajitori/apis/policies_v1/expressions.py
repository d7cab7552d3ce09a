"""Expressions of policy groups: CEL in which each policy of the group is a function without arguments.

Promises
    E1  there are only calls of the group's policies, `==`, `!=`, `&&`, `||`, `!`, literals; the value is a bool
    E2  a policy whose answer cannot matter is not asked, and none is asked twice

Source: the validation of groups in Kubewarden's controller.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kajitori.apimachinery.cel import Environment
    from kajitori.apimachinery.cel.tree import Expression

__all__ = ["ExpressionProblem", "check_expression", "evaluate_expression"]

_OPERATORS = frozenset({"_==_", "_!=_", "_||_", "_&&_", "!_"})


class ExpressionProblem(ValueError):
    """An expression that is none of a group's; the text says why."""


def check_expression(expression: str, members: Iterable[str]) -> None:
    """Raises: ExpressionProblem."""
    from kajitori.apimachinery.cel.expression import compile_expression
    from kajitori.apimachinery.cel.types import BOOL

    known = frozenset(members)
    compiled = compile_expression(expression, _environment(known), [BOOL])
    if compiled.error:
        raise ExpressionProblem(compiled.error)
    evaluate_expression(expression, known, lambda name: True)


def evaluate_expression(expression: str, members: Iterable[str], ask: Callable[[str], bool]) -> bool:
    """The value, asking the policies that it depends on. Raises: ExpressionProblem; whatever `ask` raises."""
    from kajitori.apimachinery.cel.errors import CompileError

    known = frozenset(members)
    try:
        tree = _environment(known).parse(expression)
    except CompileError as error:
        raise ExpressionProblem(f"compilation failed: {error}") from None
    value = _Evaluation(known, ask).value(tree.root)
    if not isinstance(value, bool):
        raise ExpressionProblem("must evaluate to bool")
    return value


@lru_cache(maxsize=256)
def _environment(members: frozenset[str]) -> "Environment":
    """What expressions of a group may use."""
    from kajitori.apimachinery.cel import Environment, Library, Overload, function
    from kajitori.apimachinery.cel.standard import logic
    from kajitori.apimachinery.cel.types import BOOL

    def never() -> bool:
        raise AssertionError("members are asked by the evaluation")

    operators = tuple(each for each in logic.FUNCTIONS if each.name in _OPERATORS)
    asked = tuple(function(name, Overload(name, (), BOOL, never)) for name in sorted(members))
    return Environment([Library("group", functions=(*operators, *asked))], macros=())


class _Evaluation:
    """One walk through an expression. Logic is lazy from the left, so that policies are asked in the order in which
    they are written.
    """

    def __init__(self, members: frozenset[str], ask: Callable[[str], bool]) -> None:
        self._members = members
        self._ask = ask
        self._answers: dict[str, bool] = {}

    def value(self, node: "Expression") -> Any:
        from kajitori.apimachinery.cel.tree import Call, Literal

        if isinstance(node, Literal):
            return node.value
        if not isinstance(node, Call) or node.target is not None:
            raise ExpressionProblem("only calls of the group's policies, logic and comparisons may be used")
        match node.function, node.args:
            case "_&&_", (left, right):
                return self.value(left) and self.value(right)
            case "_||_", (left, right):
                return self.value(left) or self.value(right)
            case "!_", (operand,):
                return not self.value(operand)
            case "_==_", (left, right):
                return self.value(left) == self.value(right)
            case "_!=_", (left, right):
                return self.value(left) != self.value(right)
            case name, _:
                if name not in self._members:
                    raise ExpressionProblem(f"the group has no policy {name}")
                if name not in self._answers:
                    self._answers[name] = self._ask(name)
                return self._answers[name]
