"""From checked trees to plans, with what can be known before the run already computed.

Sits between the checker and those who run plans.

Promises
    F1  a plan has cel-go's steps under Kubernetes' options: lists and maps of constants, conversions of constants and
        membership in lists of constants are folded
    F2  a constant that has no value, such as `int('x')`, is told before the run
    F3  chains of calls and selections are walked, not recursed into

Source: cel-go's interpreter/planner.go and decorators.go; apiserver's pkg/cel/environment/base.go for the options.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kajitori.apimachinery.cel.calls import invoke
from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.declarations import NO_VALUE
from kajitori.apimachinery.cel.errors import EvaluationError, ProgramError
from kajitori.apimachinery.cel.escaping import unescape
from kajitori.apimachinery.cel.plan import (
    Attribute,
    Computed,
    Conditional,
    Const,
    Fold,
    Invocation,
    Key,
    ListOf,
    Logic,
    MapOf,
    Membership,
    OptionalOr,
    Qualifier,
    Step,
    StructOf,
    Variable,
)
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
)
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Optional, UInt, go_type, map_of_entries
from kajitori.apimachinery.cel.well_known import MESSAGES
from kajitori.apimachinery.regex import PatternError, compile_regex

__all__ = ["plan"]

_CONVERSIONS = frozenset(
    ("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint")
)
_PATTERN_AT = {"matches": 1, "find": 1, "findAll": 1}
"""Functions with a regular expression, and which argument it is."""
_KEYS = (str, bool, int, float)
_PRIMITIVES = frozenset((bool, int, UInt, float, str))


def plan(checked: Checked) -> Step:
    """How the expression runs.

    Raises:
        ProgramError: one of its constants has no value.
    """
    return _Planner(checked).step(checked.tree.root)


class _Planner:
    def __init__(self, checked: Checked) -> None:
        self._types = checked.types
        self._references = checked.references
        self._ready: dict[int, Step] = {}
        """Steps of first operands, made before those that use them."""
        self._visits = {
            Literal: self._literal,
            Ident: self._name,
            Select: self._select,
            Call: self._call,
            ListLiteral: self._list,
            MapLiteral: self._map,
            StructLiteral: self._struct,
            Comprehension: self._comprehension,
        }

    def step(self, node: Expression) -> Step:
        """The step of a node: its first operands first, so that long chains need no recursion."""
        found = self._ready.pop(id(node), None)
        if found is not None:
            return found
        chain: list[Expression] = []
        first = self._first(node)
        while first is not None:
            chain.append(first)
            first = self._first(first)
        for one in reversed(chain):
            self._ready[id(one)] = self._visits[type(one)](one)  # type: ignore[operator]
        made: Step = self._visits[type(node)](node)  # type: ignore[operator]
        return made

    def _first(self, node: Expression) -> Expression | None:
        if isinstance(node, Select):
            return None if node.id in self._references else node.operand
        if isinstance(node, Call):
            operands = self._operands(node)
            return operands[0] if operands else None
        return None

    def _operands(self, node: Call) -> tuple[Expression, ...]:
        """The arguments of a call; a target that only was the namespace of the function is none."""
        if node.target is None:
            return node.args
        overloads = self._references[node.id].overloads
        if overloads and not overloads[0].member:
            return node.args
        return (node.target, *node.args)

    def _literal(self, node: Literal) -> Step:
        return Const(node.id, self._types[node.id], node.value)

    def _name(self, node: Ident | Select) -> Step:
        reference = self._references[node.id]
        if reference.value is not NO_VALUE:
            return Const(node.id, self._types[node.id], reference.value)
        return Attribute(node.id, self._types[node.id], Variable(node.id, reference.name))

    def _select(self, node: Select) -> Step:
        if node.id in self._references:
            return self._name(node)
        attribute = self._attribute(self.step(node.operand))
        attribute.select(self._key(node.id, node.operand, node.field, test_only=node.test_only))
        attribute.id = node.id
        attribute.test_only = node.test_only
        return attribute

    def _key(
        self, id: int, operand: Expression, written: Any, *, optional: bool = False, test_only: bool = False
    ) -> Key:
        held = self._types[operand.id]
        of = _held(held)
        value = unescape(written) if of.fields is not None and isinstance(written, str) else written
        return Key(id, value, written, of, _held(self._types[id]), held.is_optional, optional, test_only)

    @staticmethod
    def _attribute(step: Step) -> Attribute:
        """The step as something that can be selected from."""
        return step if isinstance(step, Attribute) else Attribute(step.id, step.type, step)

    def _call(self, node: Call) -> Step:
        name = self._references[node.id].name
        operands = self._operands(node)
        arguments = tuple(self.step(operand) for operand in operands)
        match name:
            case "_&&_" | "_||_":
                left, right = arguments
                return Logic(node.id, self._types[node.id], left, right, stop=name == "_||_")
            case "_?_:_":
                return self._conditional(node, arguments)
            case "_[_]" | "_[?_]" | "_?._":
                return self._index(node, operands[0], arguments, optional=name != "_[_]")
            case "or" | "orValue" if self._overload(node) in (
                "optional_or_optional",
                "optional_orValue_value",
            ):
                left, right = arguments
                return OptionalOr(node.id, self._types[node.id], left, right, unwraps=name == "orValue")
            case "@in" if self._overload(node) == "in_list":
                return self._in_list(node, arguments)
            case _:
                return self._invocation(node, arguments)

    def _overload(self, node: Call) -> str:
        """The id of the overload, if the types decided it."""
        overloads = self._references[node.id].overloads
        return overloads[0].id if len(overloads) == 1 else ""

    def _conditional(self, node: Call, arguments: tuple[Step, ...]) -> Step:
        condition, true, false = arguments
        base = Conditional(node.id, condition, self._attribute(true), self._attribute(false))
        return Attribute(node.id, self._types[node.id], base)

    def _index(self, node: Call, operand: Expression, arguments: tuple[Step, ...], *, optional: bool) -> Step:
        of, key = arguments
        qualifier: Qualifier
        if isinstance(key, Const):
            if not isinstance(key.value, _KEYS):
                raise ProgramError(f"invalid qualifier type: {go_type(key.value)}")
            qualifier = self._key(node.id, operand, key.value, optional=optional)
        else:
            held = self._types[operand.id]
            qualifier = Computed(
                node.id,
                self._attribute(key),
                _held(held),
                _held(self._types[node.id]),
                held.is_optional,
                optional,
            )
        attribute = self._attribute(of)
        attribute.select(qualifier)
        attribute.id = node.id
        attribute.type = self._types[node.id]
        return attribute

    def _in_list(self, node: Call, arguments: tuple[Step, ...]) -> Step:
        value, members = arguments
        if isinstance(members, Const) and isinstance(members.value, list | tuple):
            if not members.value:
                return Const(node.id, self._types[node.id], False)
            if all(type(one) in _PRIMITIVES for one in members.value):
                return Membership(node.id, self._types[node.id], value, tuple(members.value))
        return self._invocation(node, arguments)

    def _invocation(self, node: Call, arguments: tuple[Step, ...]) -> Step:
        reference = self._references[node.id]
        name, overloads = reference.name, reference.overloads
        if name in _CONVERSIONS and len(arguments) == 1 and isinstance(arguments[0], Const):
            try:
                value = invoke(name, overloads, (arguments[0].value,))
            except EvaluationError as error:
                raise ProgramError(str(error)) from None
            return Const(node.id, self._types[node.id], value)
        single = len(overloads) == 1
        function = reference.function
        cost = overloads[0].cost if single else function.cost if function is not None else None
        eager = len(arguments) == 2 and (single or not overloads[0].guarded)
        if self._has_constant_pattern(name, arguments):
            eager = False
            overloads = (replace(overloads[0], call=_of_a_text(overloads[0].call), guarded=False),)
        return Invocation(node.id, self._types[node.id], name, overloads, arguments, cost, eager)

    @staticmethod
    def _has_constant_pattern(name: str, arguments: tuple[Step, ...]) -> bool:
        at = _PATTERN_AT.get(name)
        if at is None or len(arguments) <= at:
            return False
        pattern = arguments[at]
        if not isinstance(pattern, Const) or not isinstance(pattern.value, str):
            return False
        try:
            compile_regex(pattern.value)
        except PatternError as error:
            raise ProgramError(str(error)) from None
        return True

    def _list(self, node: ListLiteral) -> Step:
        made = self._types[node.id]
        elements = tuple(self.step(element) for element in node.elements)
        if all(isinstance(one, Const) for one in elements):
            values: list[Any] = []
            for position, one in enumerate(elements):
                value = one.value  # type: ignore[union-attr]
                if position not in node.optional:
                    values.append(value)
                elif not isinstance(value, Optional):
                    return ListOf(node.id, made, elements, node.optional)
                elif value.present:
                    values.append(value.value)
            return Const(node.id, made, values)
        return ListOf(node.id, made, elements, node.optional)

    def _map(self, node: MapLiteral) -> Step:
        made = self._types[node.id]
        entries = tuple((self.step(one.key), self.step(one.value), one.optional) for one in node.entries)
        pairs: list[tuple[Any, Any]] = []
        for key, value, optional in entries:
            if not (isinstance(key, Const) and isinstance(value, Const) and not optional):
                return MapOf(node.id, made, entries)
            pairs.append((key.value, value.value))
        return Const(node.id, made, map_of_entries(pairs))

    def _struct(self, node: StructLiteral) -> Step:
        fields = tuple((one.name, self.step(one.value), one.optional) for one in node.fields)
        message = MESSAGES.get(self._references[node.id].name)
        return StructOf(node.id, self._types[node.id], fields, message.make if message is not None else None)

    def _comprehension(self, node: Comprehension) -> Step:
        return Fold(
            node.id,
            self._types[node.id],
            self.step(node.iter_range),
            node.iter_var,
            node.iter_var2,
            node.accu_var,
            self.step(node.accu_init),
            self.step(node.condition),
            self.step(node.step),
            self.step(node.result),
        )


def _of_a_text(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call of a function with a constant pattern, which wants a text to match and has few words for all else."""

    def checked(text: Any, *others: Any) -> Any:
        if type(text) is not str:
            raise EvaluationError("no such overload")
        return call(text, *others)

    return checked


def _held(one: Type) -> Type:
    """What an optional holds; any other type itself."""
    return one.parameters[0] if one.is_optional else one
