"""Macros: calls that the parser rewrites into something else before anybody checks them.

Sits beside the parser, which offers each call to the macros of its environment. A library that has macros of its
own (`cel.bind`, comprehensions of two variables) declares them as these.

Source: cel-spec's doc/langdef.md, "Macros", and cel-go's parser/macro.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kajitori.apimachinery.cel.tree import Expression

__all__ = ["Builder", "Macro", "MacroError"]


class MacroError(Exception):
    """The call has the macro's name and shape but cannot be expanded, for instance `x.all(1, true)`."""

    def __init__(self, message: str, at: Expression | None = None) -> None:
        self.at = at
        """The argument to point at; else the call itself."""
        super().__init__(message)


class Builder(Protocol):
    """What an expansion makes nodes with: new ids, at the place of the call."""

    def literal(self, value: object) -> Expression: ...
    def ident(self, name: str) -> Expression: ...
    def call(self, function: str, *args: Expression) -> Expression: ...
    def member_call(self, function: str, target: Expression, *args: Expression) -> Expression: ...
    def select(self, operand: Expression, field: str, *, test_only: bool = False) -> Expression: ...
    def list(self, *elements: Expression) -> Expression: ...
    def map(self, *entries: tuple[Expression, Expression]) -> Expression: ...
    def comprehension(
        self,
        iter_range: Expression,
        iter_var: str,
        accu_init: Expression,
        condition: Expression,
        step: Expression,
        result: Expression,
        *,
        iter_var2: str | None = None,
        accu_var: str = "@result",
    ) -> Expression: ...


@dataclass(frozen=True, slots=True)
class Macro:
    """One rewriting. `expand` gives `None` when the call is an ordinary one after all."""

    name: str
    arguments: int | None
    """How many; `None` for any number."""
    receiver: bool
    """`x.name(…)` rather than `name(…)`."""
    expand: Callable[[Builder, Expression | None, Sequence[Expression]], Expression | None]
