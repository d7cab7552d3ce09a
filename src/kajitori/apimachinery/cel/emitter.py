"""Writes plans as Python: one flat function with values in locals, loops in place, costs in a local integer.

The function is right when it returns. Where something is not as the quick way expects it, a missing key, a value of
another type, an overflow, it raises whatever Python raises there, and the interpreter runs the plan again to find
what that means. So nothing here absorbs errors or words messages, and the order of steps is free.

Sits between the planner and Program. Values are trusted to be of their declared types.

Promises
    G1  when the function returns, value and cost are what the interpreter would have found
    G2  each turn of a loop adds its cost and looks at the limit
    G3  a plan that cannot be written, because it is too deep or strange, is told; it is never wrong

Costs gather while straight code is written, and are added once at its end.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.cel import runtime
from kajitori.apimachinery.cel.cost import LIST_CREATE_COST, MAP_CREATE_COST, SELECT_COST, STRUCT_CREATE_COST
from kajitori.apimachinery.cel.inline import Inline, write_call
from kajitori.apimachinery.cel.loops import Loops
from kajitori.apimachinery.cel.plan import (
    Attribute,
    Conditional,
    Const,
    Fold,
    Invocation,
    ListOf,
    Logic,
    MapOf,
    Membership,
    OptionalOr,
    Step,
    StructOf,
    Variable,
)
from kajitori.apimachinery.cel.selections import Selections
from kajitori.apimachinery.cel.shapes import holds_loop, parts
from kajitori.apimachinery.cel.types import Kind
from kajitori.apimachinery.cel.writing import CannotEmit, PythonWriter

__all__ = ["CannotEmit", "Emitted", "emit"]

EXPRESSION_MAX = 300
"""How long an expression may become before it gets a name."""


class Emitted:
    """A function that runs a plan, not compiled yet."""

    def __init__(self, source: str, names: dict[str, Any], variables: tuple[str, ...]) -> None:
        self.source = source
        self.names = names
        """What the source refers to."""
        self.variables = variables
        """The declared names that it takes, in this order, before the limit."""


def emit(step: Step, *, presence_costs: bool = False) -> Emitted:
    """The plan as a function `run(variables…, limit)` that gives a value and its cost.

    Raises:
        CannotEmit: it is to be interpreted.
    """
    return _Emitter(presence_costs=presence_costs).function(step)


class _Emitter(PythonWriter):
    def __init__(self, *, presence_costs: bool) -> None:
        super().__init__(dict(runtime.NAMES))
        self._presence_costs = presence_costs
        self._variables: dict[str, str] = {}
        self.scope: dict[str, str] = {}
        """Variables of comprehensions: names of CEL to expressions of Python."""
        self._loops = Loops(self)
        self._selections = Selections(self)

    def function(self, step: Step) -> Emitted:
        """The whole."""
        value = self.bound(self.value(step))
        self.flush()
        self.line("if cost > limit: raise exceeded(cost)")
        self.line(f"return {value}, cost")
        parameters = ", ".join((*self._variables.values(), "limit"))
        head = [
            f"def run({parameters}):",
            " try:",
            "  cost = 0",
        ]
        tail = [
            " except CostLimitExceeded: raise",
            f" except Exception: return again(({''.join(f'{one}, ' for one in self._variables.values())}), limit)",
            "",
        ]
        return Emitted("\n".join((*head, *self.lines, *tail)), self.names, tuple(self._variables))

    # Steps

    def value(self, step: Step) -> str:
        """An expression for the value of a step, used exactly once, in the straight code that follows."""
        chain: list[Invocation] = []
        while type(step) is Invocation and step.arguments:
            chain.append(step)
            step = step.arguments[0]
        found = self._first_value(step)
        for call in reversed(chain):
            found = self._call(call, self.values(call.arguments[1:], found))
        return found

    def values(self, steps: Iterable[Step], *written: str) -> list[str]:
        """Expressions for the values of steps, after those that are written already.

        What comes before a loop is computed before it: when it is an error, the loop must not pass the limit first.
        """
        expressions = list(written)
        for step in steps:
            if holds_loop(step):
                expressions = [self.bound(one) for one in expressions]
            expressions.append(self.value(step))
        return expressions

    def _first_value(self, step: Step) -> str:
        match step:
            case Const():
                return self.constant(step.value)
            case Attribute():
                return self._attribute(step)
            case Invocation():
                return self._call(step, [])
            case Membership():
                return self._membership(step)
            case ListOf():
                return self._list(step)
            case MapOf():
                return self._map(step)
            case StructOf():
                return self._struct(step)
            case Fold():
                return self._loops.write(step)
            case Logic() | OptionalOr():
                target = self.name()
                self.into(step, target)
                return target

    def into(self, step: Step, target: str) -> None:
        """Write statements that set a local to the value of a step."""
        if isinstance(step, Logic):
            self._logic(step, target)
        elif isinstance(step, OptionalOr):
            self._optional_or(step, target)
        elif isinstance(step, Attribute) and isinstance(step.base, Conditional):
            self._conditional(step, step.base, target)
        else:
            value = self.value(step)
            if value != target:
                self.line(f"{target} = {value}")

    def truth(self, step: Step, target: str) -> None:
        """Set a local to the value of a step that must be true or false."""
        self.into(step, target)
        if step.type.kind is not Kind.BOOL:
            self.line(f"if {target} is not True and {target} is not False: raise Odd")

    def _logic(self, step: Logic, target: str) -> None:
        self.truth(step.left, target)
        if isinstance(step.right, Const) and type(step.right.value) is bool:
            if step.right.value is step.stop:
                self.line(f"{target} = {step.stop}")
            return
        with self.block(f"if {'not ' if step.stop else ''}{target}:"):
            self.truth(step.right, target)

    def _optional_or(self, step: OptionalOr, target: str) -> None:
        left = self.bound(self.value(step.left))
        with self.block(f"if {left}.present:"):
            self.line(f"{target} = {left}{'.value' if step.unwraps else ''}")
        with self.block("else:"):
            self.into(step.right, target)

    def _conditional(self, step: Attribute, base: Conditional, target: str) -> None:
        """Set a local to a conditional; one in `has()` is given back what it had not paid, as in cel-go."""
        self.conditional(base, target)
        if step.test_only and not self._presence_costs:
            self.pay(-SELECT_COST)

    def conditional(self, base: Conditional, target: str) -> None:
        """Set a local to one of the two ends of a conditional."""
        condition = self.value(base.condition)
        if base.condition.type.kind is not Kind.BOOL:
            condition = f"truth({condition})"
        with self.block(f"if {condition}:"):
            self._end(base.true, target)
        with self.block("else:"):
            self._end(base.false, target)

    def _end(self, end: Attribute, target: str) -> None:
        if isinstance(end.base, Conditional):
            self.conditional(end.base, target)
        elif not end.qualifiers and not isinstance(end.base, Variable):
            self.into(end.base, target)
        else:
            self.line(f"{target} = {self.resolved_into(end)}")

    def _attribute(self, step: Attribute) -> str:
        if isinstance(step.base, Conditional):
            target = self.name()
            self._conditional(step, step.base, target)
            return target
        found = self.resolved(step)
        if not step.test_only or self._presence_costs:
            self.pay(SELECT_COST)
        return found

    def resolved(self, step: Attribute) -> str:
        """An attribute without the cost of its end."""
        base = step.base
        if isinstance(base, Variable):
            found = self.variable(base.name)
        elif isinstance(base, Conditional):
            raise CannotEmit
        elif isinstance(base, Const):
            found = self.named(base.value)
        else:
            found = self.value(base)
        return self._selections.write(found, step) if step.qualifiers else found

    def resolved_into(self, attribute: Attribute) -> str:
        """An attribute without the cost of its end, conditionals too."""
        if attribute.test_only and any(one.optional or one.from_optional for one in attribute.qualifiers):
            raise CannotEmit  # cel-go gives an optional here
        if isinstance(attribute.base, Conditional):
            target = self.name()
            self.conditional(attribute.base, target)
            return target
        return self.resolved(attribute)

    def variable(self, name: str) -> str:
        """A local with the value of a variable."""
        local = self.scope.get(name)
        if local is not None:
            if not local.isidentifier():
                return self.bound(local)
            return local
        parameter = self._variables.get(name)
        if parameter is None:
            parameter = self._variables[name] = f"v{len(self._variables)}"
        return parameter

    # Calls

    def _call(self, step: Invocation, arguments: list[str]) -> str:
        value = write_call(Inline(self, step, arguments))
        # Python refuses parentheses that nest too deep.
        return self.bound(value) if len(value) > EXPRESSION_MAX else value

    def _membership(self, step: Membership) -> str:
        value = self.value(step.value)
        kind = step.value.type.kind
        kinds = {type(one) for one in step.members}
        if (kind is Kind.STRING and kinds == {str}) or (kind is Kind.INT and kinds == {int}):
            return f"({value} in {self.constant(frozenset(step.members), 'members')})"
        return f"any_equal({value}, {self.constant(step.members, 'members')})"

    # Literals

    def _list(self, step: ListOf) -> str:
        values = self.values(step.elements)
        self.pay(LIST_CREATE_COST)
        if not step.optional:
            return f"[{', '.join(values)}]"
        marked = [f"({value}, {position in step.optional})" for position, value in enumerate(values)]
        return f"make_list(({', '.join(marked)},))"

    def _map(self, step: MapOf) -> str:
        written = self.values(parts(step))
        optional = (one for _, _, one in step.entries)
        entries = list(zip(written[::2], written[1::2], optional, strict=True))
        self.pay(MAP_CREATE_COST)
        if all(key.type.kind is Kind.STRING and not optional for key, _, optional in step.entries):
            return "{" + ", ".join(f"{key}: {value}" for key, value, _ in entries) + "}"
        marked = [f"({key}, {value}, {optional})" for key, value, optional in entries]
        return f"make_map(({', '.join(marked)},))"

    def _struct(self, step: StructOf) -> str:
        if step.make is not None:
            raise CannotEmit
        values = zip(step.fields, self.values(parts(step)), strict=True)
        fields = [f"({name!r}, {value}, {optional})" for (name, _, optional), value in values]
        self.pay(STRUCT_CREATE_COST)
        made = self.constant(step.type, "type")
        return f"make_struct({made}, ({''.join(f'{one}, ' for one in fields)}))"
