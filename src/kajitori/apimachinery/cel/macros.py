"""Macros: calls that the parser rewrites into something else before anybody checks them.

Sits beside the parser, which offers each call to the macros of its environment. A library that has macros of its
own (`cel.bind`, comprehensions of two variables) declares them as these.

Promises
    M1  what an expansion makes has ids of its own and points at the call
    M2  a loop variable must be a plain name and cannot hide the accumulator

Source: cel-spec's doc/langdef.md, "Macros", and cel-go's parser/macro.go.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Entry,
    Expression,
    Field,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
)

__all__ = [
    "ACCUMULATOR",
    "OPTIONAL_MACROS",
    "STANDARD_MACROS",
    "UNUSED",
    "Builder",
    "Macro",
    "MacroError",
    "MacroTable",
    "NodeBuilder",
    "expand_map",
    "loop_variable",
    "macro_table",
]

ACCUMULATOR = "@result"
"""What comprehensions of macros call their accumulator; no expression can name it."""
UNUSED = "#unused"
"""The loop variable where there is none, as in `optMap`."""


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
        accu_var: str = ACCUMULATOR,
    ) -> Expression: ...

    def copy(self, expression: Expression) -> Expression:
        """The same with new ids, for an argument that is used twice."""
        ...


@dataclass(frozen=True, slots=True)
class Macro:
    """One rewriting. `expand` gives `None` when the call is an ordinary one after all."""

    name: str
    arguments: int | None
    """How many; `None` for any number."""
    receiver: bool
    """`x.name(…)` rather than `name(…)`."""
    expand: Callable[[Builder, Expression | None, Sequence[Expression]], Expression | None]


MacroTable = Mapping[tuple[str, int | None, bool], Macro]
"""Macros by name, number of arguments and whether they have a receiver."""


def macro_table(macros: Sequence[Macro]) -> MacroTable:
    """Them as the parser looks them up; of two with one signature the later."""
    return {(macro.name, macro.arguments, macro.receiver): macro for macro in macros}


class NodeBuilder:
    """The `Builder` that the parser gives: ids from `take_id`, everything at `offset`."""

    def __init__(self, take_id: Callable[[], int], offset: int) -> None:
        self._take_id = take_id
        self._offset = offset

    def literal(self, value: object) -> Expression:
        return Literal(self._take_id(), self._offset, value)

    def ident(self, name: str) -> Expression:
        return Ident(self._take_id(), self._offset, name)

    def call(self, function: str, *args: Expression) -> Expression:
        return Call(self._take_id(), self._offset, function, None, args)

    def member_call(self, function: str, target: Expression, *args: Expression) -> Expression:
        return Call(self._take_id(), self._offset, function, target, args)

    def select(self, operand: Expression, field: str, *, test_only: bool = False) -> Expression:
        return Select(self._take_id(), self._offset, operand, field, test_only)

    def list(self, *elements: Expression) -> Expression:
        return ListLiteral(self._take_id(), self._offset, elements)

    def map(self, *entries: tuple[Expression, Expression]) -> Expression:
        made = tuple(Entry(self._take_id(), self._offset, key, value) for key, value in entries)
        return MapLiteral(self._take_id(), self._offset, made)

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
        accu_var: str = ACCUMULATOR,
    ) -> Expression:
        return Comprehension(
            self._take_id(),
            self._offset,
            iter_range,
            iter_var,
            iter_var2,
            accu_var,
            accu_init,
            condition,
            step,
            result,
        )

    def copy(self, expression: Expression) -> Expression:
        again = self.copy
        one = expression
        new, offset = self._take_id(), one.offset
        match one:
            case Literal():
                return Literal(new, offset, one.value)
            case Ident():
                return Ident(new, offset, one.name)
            case Select():
                return Select(new, offset, again(one.operand), one.field, one.test_only)
            case Call():
                args = tuple([again(arg) for arg in one.args])
                return Call(new, offset, one.function, again(one.target) if one.target else None, args)
            case ListLiteral():
                return ListLiteral(new, offset, tuple([again(each) for each in one.elements]), one.optional)
            case MapLiteral():
                return MapLiteral(new, offset, tuple([self._copy_entry(entry) for entry in one.entries]))
            case StructLiteral():
                fields = tuple([self._copy_field(field) for field in one.fields])
                return StructLiteral(new, offset, one.type_name, fields)
            case Comprehension():
                over, first = again(one.iter_range), again(one.accu_init)
                parts = again(one.condition), again(one.step), again(one.result)
                names = one.iter_var, one.iter_var2, one.accu_var
                return Comprehension(new, offset, over, *names, first, *parts)

    def _copy_entry(self, entry: Entry) -> Entry:
        # cel-go copies an expression with its place, but not the entries and fields inside of it.
        new = self._take_id()
        return Entry(new, self._offset, self.copy(entry.key), self.copy(entry.value), entry.optional)

    def _copy_field(self, field: Field) -> Field:
        return Field(self._take_id(), self._offset, field.name, self.copy(field.value), field.optional)


def loop_variable(argument: Expression, complaint: str = "argument is not an identifier") -> str:
    """The name that a macro's first argument gives its loop variable.

    Raises:
        MacroError: it is no plain name, or the accumulator's.
    """
    if not isinstance(argument, Ident):
        raise MacroError(complaint, argument)
    if argument.name in (ACCUMULATOR, "__result__"):
        raise MacroError("iteration variable overwrites accumulator variable", argument)
    return argument.name


def _has(build: Builder, _: Expression | None, args: Sequence[Expression]) -> Expression:
    (argument,) = args
    if not isinstance(argument, Select):
        raise MacroError("invalid argument to has() macro", argument)
    return build.select(argument.operand, argument.field, test_only=True)


def _all(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = loop_variable(args[0], "argument must be a simple name")
    start = build.literal(True)
    condition = build.call("@not_strictly_false", build.ident(ACCUMULATOR))
    step = build.call("_&&_", build.ident(ACCUMULATOR), args[1])
    return build.comprehension(target, variable, start, condition, step, build.ident(ACCUMULATOR))


def _exists(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = loop_variable(args[0], "argument must be a simple name")
    start = build.literal(False)
    condition = build.call("@not_strictly_false", build.call("!_", build.ident(ACCUMULATOR)))
    step = build.call("_||_", build.ident(ACCUMULATOR), args[1])
    return build.comprehension(target, variable, start, condition, step, build.ident(ACCUMULATOR))


def _exists_one(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = loop_variable(args[0], "argument must be a simple name")
    start = build.literal(0)
    condition = build.literal(True)
    one_more = build.call("_+_", build.ident(ACCUMULATOR), build.literal(1))
    step = build.call("_?_:_", args[1], one_more, build.ident(ACCUMULATOR))
    result = build.call("_==_", build.ident(ACCUMULATOR), build.literal(1))
    return build.comprehension(target, variable, start, condition, step, result)


def expand_map(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    """`x.map(name, each)` or `x.map(name, condition, each)`."""
    assert target is not None
    variable = loop_variable(args[0])
    start = build.list()
    condition = build.literal(True)
    step = build.call("_+_", build.ident(ACCUMULATOR), build.list(args[-1]))
    if len(args) == 3:
        step = build.call("_?_:_", args[1], step, build.ident(ACCUMULATOR))
    return build.comprehension(target, variable, start, condition, step, build.ident(ACCUMULATOR))


def _filter(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = loop_variable(args[0])
    start = build.list()
    condition = build.literal(True)
    step = build.call("_+_", build.ident(ACCUMULATOR), build.list(args[0]))
    step = build.call("_?_:_", args[1], step, build.ident(ACCUMULATOR))
    return build.comprehension(target, variable, start, condition, step, build.ident(ACCUMULATOR))


def _opt_map(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = _opt_variable("optMap", args[0])
    has_value = build.member_call("hasValue", target)
    value = build.call("optional.of", _with_value(build, target, variable, args[1]))
    return build.call("_?_:_", has_value, value, build.call("optional.none"))


def _opt_flat_map(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    variable = _opt_variable("optFlatMap", args[0])
    has_value = build.member_call("hasValue", target)
    value = _with_value(build, target, variable, args[1])
    return build.call("_?_:_", has_value, value, build.call("optional.none"))


def _opt_variable(macro: str, argument: Expression) -> str:
    if not isinstance(argument, Ident):
        raise MacroError(f"{macro}() variable name must be a simple identifier", argument)
    return argument.name


def _with_value(build: Builder, target: Expression, variable: str, body: Expression) -> Expression:
    """The body with the optional's value bound to the variable: a comprehension over nothing."""
    nothing = build.list()
    value = build.member_call("value", build.copy(target))
    never = build.literal(False)
    same = build.ident(variable)
    return build.comprehension(nothing, UNUSED, value, never, same, body, accu_var=variable)


STANDARD_MACROS = (
    Macro("has", 1, False, _has),
    Macro("all", 2, True, _all),
    Macro("exists", 2, True, _exists),
    Macro("exists_one", 2, True, _exists_one),
    Macro("map", 2, True, expand_map),
    Macro("map", 3, True, expand_map),
    Macro("filter", 2, True, _filter),
)
"""What every environment has."""

OPTIONAL_MACROS = (
    Macro("optMap", 2, True, _opt_map),
    Macro("optFlatMap", 2, True, _opt_flat_map),
)
"""What comes with optional types."""
