"""One expression of a policy: a program, or the reason why there is none.

Sits on top of the package, for those who keep expressions that somebody has stored: one that cannot be compiled must
not keep the others from being run.

Promises
    X1  an expression that does not compile, or has a value of another type than it must, says why in Kubernetes' words

Source: apiserver's pkg/admission/plugin/cel/compile.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kajitori.apimachinery.cel.compiler import Program
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CelError, CompileError
from kajitori.apimachinery.cel.types import DYN, Type

__all__ = ["Expression", "compile_expression"]


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression: a program, or the reason why there is none."""

    text: str
    program: Program | None
    error: str = ""

    @property
    def type(self) -> Type:
        """Of its value, as far as that is known."""
        return self.program.type if self.program is not None else DYN


def compile_expression(text: str, environment: Environment, returns: Sequence[Type] | None) -> Expression:
    """The expression, whose value has to be of one of these types; `None` for any."""
    try:
        program = environment.compile(text)
    except CompileError as error:
        return Expression(text, None, f"compilation failed: {error}")
    except CelError as error:
        return Expression(text, None, f"program instantiation failed: {error}")
    found = program.type
    if returns is not None and found not in returns:
        wanted = [str(one) for one in returns]
        said = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        return Expression(text, None, f"must evaluate to {said} but got {found}")
    return Expression(text, program)
