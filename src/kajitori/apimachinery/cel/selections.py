"""Selections in generated Python: `a.b`, `a[b]`, `a.?b` and `has(a.b)` as look-ups in dicts and lists.

Sits beside the emitter, which writes what they start from and what keys are computed by.
"""

from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from kajitori.apimachinery.cel.cost import SELECT_COST
from kajitori.apimachinery.cel.inline import Writer
from kajitori.apimachinery.cel.plan import Attribute, Computed, Key, Qualifier
from kajitori.apimachinery.cel.shapes import holds_loop
from kajitori.apimachinery.cel.types import INT, Kind
from kajitori.apimachinery.cel.writing import CannotEmit

__all__ = ["Selections"]


class AttributeWriter(Writer, Protocol):
    """What is asked of the emitter."""

    def block(self, head: str, *, flush: bool = ...) -> AbstractContextManager[None]: ...
    def resolved_into(self, attribute: Attribute) -> str: ...


class Selections:
    """Writes what is selected from a value."""

    def __init__(self, out: AttributeWriter) -> None:
        self._out = out

    def write(self, holder: str, step: Attribute) -> str:
        """An expression for what an attribute selects from what it starts from; the end of it is not paid for."""
        qualifiers = step.qualifiers
        if qualifiers[0].from_optional or any(one.optional for one in qualifiers):
            return self._optionally(self._out.bound(holder), step)
        for qualifier in qualifiers[:-1]:
            holder = self._qualified(holder, qualifier)
        last = qualifiers[-1]
        if isinstance(last, Key) and last.test_only:
            self._out.pay(SELECT_COST)
            return self._has(holder, last)
        return self._present(self._qualified(holder, last), last)

    def _qualified(self, holder: str, qualifier: Qualifier) -> str:
        self._out.pay(SELECT_COST)
        if isinstance(qualifier, Key):
            value = qualifier.value
            if isinstance(value, str):
                return f"{holder}[{value!r}]"
            if type(value) is int and value >= 0 and qualifier.of.kind is Kind.LIST:
                return f"{holder}[{value}]"
            return f"qualify({holder}, {self._out.constant(value)}, None, declared=False)"
        return self._computed(holder, qualifier)

    def _computed(self, holder: str, qualifier: Computed) -> str:
        key_type = qualifier.attribute.type
        if holds_loop(qualifier.attribute):
            holder = self._out.bound(holder)
        key = self._out.resolved_into(qualifier.attribute)
        if key_type.kind is Kind.STRING and qualifier.of.kind is not Kind.LIST:
            return f"{holder}[{key}]"
        if key_type == INT and qualifier.of.kind is Kind.LIST:
            key = self._out.bound(key)
            self._out.line(f"if {key} < 0: raise Odd")
            return f"{holder}[{key}]"
        return f"qualify({holder}, {key}, None, declared=False)"

    def _has(self, holder: str, key: Key) -> str:
        if not isinstance(key.value, str):
            raise CannotEmit
        if key.declared:
            return f"({holder}.get({key.value!r}) is not None)"
        if key.of.kind is Kind.MAP:
            return f"({key.value!r} in {holder})"
        holder = self._out.bound(holder)
        return f"({key.value!r} in {holder} if type({holder}) is dict else has({holder}, {key.value!r}))"

    def _optionally(self, holder: str, step: Attribute) -> str:
        """Selections of which one is optional, or from an optional."""
        last = step.qualifiers[-1]
        tests = isinstance(last, Key) and last.test_only
        target = self._out.name()
        empty, filled = ("False", "True") if tests else ("NONE", "Optional({})")
        self._out.line(f"{target} = {empty}")
        optional = step.qualifiers[0].from_optional
        local = holder
        with ExitStack() as blocks:
            if optional:
                blocks.enter_context(self._out.block(f"if {local}.present:"))
                local = self._out.bound(f"{local}.value")
            for qualifier in step.qualifiers:
                optional = optional or qualifier.optional
                if optional:
                    local, present = self._probed(local, qualifier)
                    blocks.enter_context(self._out.block(f"if {present}:"))
                    self._out.pay(SELECT_COST)
                else:
                    local = self._present(self._qualified(local, qualifier), qualifier)
            self._out.line(f"{target} = {filled.format(local)}")
        return target

    def _present(self, found: str, qualifier: Qualifier) -> str:
        """What was found, with a look whether it is as good as absent."""
        if not isinstance(qualifier, Key) or not qualifier.declared:
            return found
        found = self._out.bound(found)
        self._out.line(f"if {found} is None: raise Odd")
        return found

    def _probed(self, holder: str, qualifier: Qualifier) -> tuple[str, str]:
        """A local with what is optionally found, and the test whether it is there."""
        found = self._out.name()
        if isinstance(qualifier, Key):
            if qualifier.declared and isinstance(qualifier.value, str):
                self._out.line(f"{found} = {holder}.get({qualifier.value!r})")
                return found, f"{found} is not None"
            key = self._out.constant(qualifier.value)
        else:
            key = self._out.resolved_into(qualifier.attribute)
        self._out.line(f"{found} = probe({holder}, {key})")
        return found, f"{found} is not MISSING"
