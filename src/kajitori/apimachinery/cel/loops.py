"""Comprehensions in generated Python: loops in place, and `cel.bind` as a local.

Sits beside the emitter, which writes everything in them.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from kajitori.apimachinery.cel.cost import LIST_CREATE_COST, SELECT_COST
from kajitori.apimachinery.cel.inline import Writer
from kajitori.apimachinery.cel.plan import (
    Attribute,
    Conditional,
    Const,
    Fold,
    Invocation,
    ListOf,
    Logic,
    Step,
    Variable,
)
from kajitori.apimachinery.cel.shapes import appended, holds_loop, is_variable, stops_at, surely_asks
from kajitori.apimachinery.cel.types import Kind
from kajitori.apimachinery.cel.writing import CannotEmit

__all__ = ["LOOPS_MAX", "Loops"]

LOOPS_MAX = 12
"""How deep loops may be nested; Python takes twenty."""


class StepWriter(Writer, Protocol):
    """What is asked of the emitter."""

    scope: dict[str, str]

    @property
    def owed(self) -> tuple[int, tuple[str, ...]]: ...
    def block(self, head: str, *, flush: bool = ...) -> AbstractContextManager[None]: ...
    def flush(self) -> None: ...
    def named(self, value: object, prefix: str = ...) -> str: ...
    def into(self, step: Step, target: str) -> None: ...
    def resolved_into(self, attribute: Attribute) -> str: ...
    def truth(self, step: Step, target: str) -> None: ...
    def value(self, step: Step) -> str: ...


class Loops:
    """Writes comprehensions."""

    def __init__(self, out: StepWriter) -> None:
        self._out = out
        self._loops = 0

    def write(self, step: Fold) -> str:
        """An expression for what a comprehension gives."""
        around = dict(self._out.scope)
        if isinstance(step.over, Const) and step.over.value == []:
            self._out.scope[step.accumulator] = self._bind(step)
        else:
            self._loop(step, self._out.value(step.over))
        for name in (step.first, step.second):
            if name is not None and name != step.accumulator:
                self._out.scope.pop(name, None)
                if name in around:
                    self._out.scope[name] = around[name]
        result = self._out.value(step.result)
        self._out.scope = around
        return result

    def _bind(self, step: Fold) -> str:
        """The accumulator of a comprehension over nothing, which is how `cel.bind` makes a variable."""
        if isinstance(step.initial, Const):
            return self._out.named(step.initial.value)
        if surely_asks(step.result, step.accumulator) and not holds_loop(step.initial):
            return self._out.bound(self._out.value(step.initial))
        self._out.flush()
        local, thunk = self._out.name("lazy"), self._out.name("thunk")
        self._out.line(f"{local} = MISSING")
        with self._out.block(f"def {thunk}():"):
            self._out.line(f"nonlocal cost, {local}")
            loops, self._loops = self._loops, 0
            self._out.line(f"{local} = {self._out.value(step.initial)}")
            self._out.flush()
            self._out.line(f"return {local}")
            self._loops = loops
        return f"({thunk}() if {local} is MISSING else {local})"

    def _loop(self, step: Fold, over: str) -> None:
        if not isinstance(step.initial, Const) or self._loops >= LOOPS_MAX:
            raise CannotEmit
        accumulated = self._out.name("a")
        initial = step.initial.value
        appends = initial == [] and isinstance(initial, list)
        self._out.line(f"{accumulated} = {'[]' if appends else self._out.constant(initial)}")
        bound = {name: self._out.name("e") for name in (step.first, step.second) if name is not None}
        over = self._range(step, over)
        self._loops += 1
        with self._out.block(f"for {', '.join(bound.values())} in {over}:"):
            self._out.scope.update(bound)
            self._out.scope[step.accumulator] = accumulated
            self._condition(step, accumulated)
            self._step(step, step.step, accumulated, appends=appends)
            self._out.flush()
            self._out.line("if cost > limit: raise exceeded(cost)")
        self._loops -= 1

    def _range(self, step: Fold, over: str) -> str:
        kind = step.over.type.kind
        if step.second is None:
            if kind is Kind.LIST or kind is Kind.MAP:
                return over
            over = self._out.bound(over)
            return f"({over} if type({over}) is list else keys_of({over}))"
        if kind is Kind.LIST:
            return f"enumerate({over})"
        return f"{over}.items()" if kind is Kind.MAP else f"pairs_of({over})"

    def _condition(self, step: Fold, accumulated: str) -> None:
        """Leave the loop when its condition does not hold; what it costs is paid once more then."""
        if isinstance(step.condition, Const) and step.condition.value is True:
            return
        condition = self._out.value(step.condition)
        static, terms = self._out.owed
        if terms:
            raise CannotEmit
        with self._out.block(f"if not {condition}:", flush=False):
            self._out.pay(static)
            self._out.flush()
            self._out.line("break")

    def _step(self, fold: Fold, step: Step, accumulated: str, *, appends: bool) -> None:
        """Set the accumulator to what it becomes in one turn."""
        if isinstance(step, Attribute) and isinstance(step.base, Conditional) and not step.qualifiers:
            base = step.base
            condition = self._out.value(base.condition)
            if base.condition.type.kind is not Kind.BOOL:
                condition = f"truth({condition})"
            with self._out.block(f"if {condition}:"):
                self._step_end(fold, base.true, accumulated, appends=appends)
            if not is_variable(base.false, fold.accumulator):
                with self._out.block("else:"):
                    self._step_end(fold, base.false, accumulated, appends=appends)
            return
        if isinstance(step, Logic) and isinstance(step.left, Attribute):
            # The condition of `all` and `exists` has just left the loop if the accumulator decides alone.
            known = is_variable(step.left, fold.accumulator)
            if known and stops_at(fold.condition, fold.accumulator) is step.stop:
                self._out.pay(SELECT_COST)
                self._out.truth(step.right, accumulated)
                return
        if appends and isinstance(step, Invocation) and self._append(fold, step, accumulated):
            return
        if appends:
            raise CannotEmit
        self._out.into(step, accumulated)

    def _step_end(self, fold: Fold, end: Attribute, accumulated: str, *, appends: bool) -> None:
        if not end.qualifiers and not isinstance(end.base, Variable | Conditional):
            self._step(fold, end.base, accumulated, appends=appends)
        elif not is_variable(end, fold.accumulator):
            if appends:
                raise CannotEmit
            self._out.line(f"{accumulated} = {self._out.resolved_into(end)}")

    def _append(self, fold: Fold, step: Invocation, accumulated: str) -> bool:
        """`accumulator + [element]`: the list is this loop's own, so it grows in place."""
        added = appended(fold, step)
        if isinstance(added, ListOf) and len(added.elements) == 1 and not added.optional:
            element = self._out.value(added.elements[0])
            self._out.pay(LIST_CREATE_COST)
        elif isinstance(added, Const) and isinstance(added.value, list) and len(added.value) == 1:
            element = self._out.constant(added.value[0])
        else:
            return False
        self._out.pay(SELECT_COST + 1)
        self._out.line(f"{accumulated}.append({element})")
        return True
