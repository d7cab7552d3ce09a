"""The rules of one node of a schema, compiled.

Sits under both ends of a rule's life: a definition is refused when its rules do not compile or could cost too much,
and an object when it breaks them.

Promises
    C1  a rule is about `self`, whose type is the schema's, and may look at `oldSelf`, which has the same type, or is
        an optional of it with `optionalOldSelf`
    C2  what was accepted once goes on compiling: stored rules may use all that the server knows, new ones only what
        the server before it knows as well

Source: apiextensions' pkg/apiserver/schema/cel/compilation.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.compiler import Program, compile_program
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError, ProgramError
from kajitori.apimachinery.cel.estimator import estimate, sizes_below
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.planner import plan
from kajitori.apimachinery.cel.schemas import declared_type, least_bytes
from kajitori.apimachinery.cel.types import BOOL, STRING, optional_of
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.field_path import FieldPathError, resolve_field_path

__all__ = ["CompiledRule", "Expression", "RuleCompiler"]

SELF_TYPE = "selfType"
"""How the type of `self` is called in messages. Kubernetes adds a number that is never the same."""


@dataclass(frozen=True)
class Expression:
    """An expression that can be evaluated; it becomes a program when it is evaluated first."""

    checked: Checked
    cost_max: int
    """What it can cost at most."""

    @cached_property
    def program(self) -> Program:
        return compile_program(self.checked)


@dataclass(frozen=True)
class CompiledRule:
    """A rule, and what became of its expressions."""

    raw: Mapping[str, Any]
    expression: Expression | None = None
    """`None` when there is an error, or no rule at all."""
    error: str = ""
    uses_old_self: bool = False
    message: Expression | None = None
    message_error: str = ""
    field_path: str = ""
    """Where errors are told, below the value that the rule is about; empty for the value itself."""

    @property
    def optional_old_self(self) -> bool:
        """Whether the rule also wants to be asked when there is no old value."""
        return bool(self.raw.get("optionalOldSelf"))

    @property
    def message_expression(self) -> str:
        return self.raw.get("messageExpression") or ""

    @property
    def shown(self) -> str:
        """The rule as errors name it."""
        return (self.raw.get("message") or self.raw.get("rule") or "").strip()

    @property
    def shown_failure(self) -> str:
        """What is told of a value that breaks the rule, when no message is computed."""
        return self.shown if self.raw.get("message") else f"failed rule: {self.shown}"

    def field_error(self, path: str, value: Any, detail: str) -> FieldError:
        """The error for the rule's reason."""
        match self.raw.get("reason"):
            case "FieldValueForbidden":
                return FieldError.forbidden(path, detail)
            case "FieldValueRequired":
                return FieldError.required(path, detail)
            case "FieldValueDuplicate":
                return FieldError.duplicate(path, value)
            case _:
                return FieldError.invalid(path, value, detail)


class RuleCompiler:
    """Compiles the rules of one node of a schema that CEL can see."""

    def __init__(self, schema: Mapping[str, Any], *, is_root: bool) -> None:
        """`is_root`: it is the schema of a resource, which has metadata."""
        self._schema = schema
        own = declared_type(schema, SELF_TYPE, root=is_root)
        assert own is not None, schema
        self._own = own
        self._sizes = sizes_below(own)
        self._is_root = is_root
        self._environments: dict[tuple[bool, bool], Environment] = {}

    @property
    def least_bytes(self) -> int:
        """How small the JSON of a value can be that fits the schema."""
        return least_bytes(self._schema, root=self._is_root)

    def compile(
        self, raw: Mapping[str, Any], *, is_stored: bool = True, is_message_stored: bool = True
    ) -> CompiledRule:
        """One rule. What is wrong with it is told in the result."""
        try:
            return self._compile(raw, is_stored, is_message_stored)
        except RecursionError:
            return CompiledRule(raw, error="compilation failed: the expression nests too deeply")

    def _compile(self, raw: Mapping[str, Any], is_stored: bool, is_message_stored: bool) -> CompiledRule:
        text: str = raw.get("rule") or ""
        if not text.strip():
            return CompiledRule(raw)
        optional = bool(raw.get("optionalOldSelf"))
        try:
            checked = self._environment(is_stored, optional).check(text)
        except CompileError as problem:
            return CompiledRule(raw, error=f"compilation failed: {problem}")
        if checked.type != BOOL:
            return CompiledRule(raw, error="cel expression must evaluate to a bool")
        uses_old_self = any(each.name == "oldSelf" for each in checked.references.values())
        try:
            expression = self._expression(checked)
        except ProgramError as problem:
            detail = f"program instantiation failed: {problem}"
            return CompiledRule(raw, error=detail, uses_old_self=uses_old_self)
        path = self._field_path(raw.get("fieldPath") or "")
        rule = CompiledRule(raw, expression, uses_old_self=uses_old_self, field_path=path)
        return self._with_message(rule, is_message_stored) if rule.message_expression else rule

    def _with_message(self, rule: CompiledRule, is_stored: bool) -> CompiledRule:
        environment = self._environment(is_stored, rule.optional_old_self)
        try:
            checked = environment.check(rule.message_expression)
        except CompileError as problem:
            return replace(rule, message_error=f"messageExpression compilation failed: {problem}")
        if checked.type != STRING:
            return replace(rule, message_error="messageExpression must evaluate to a string")
        try:
            return replace(rule, message=self._expression(checked))
        except ProgramError as problem:
            return replace(rule, message_error=f"messageExpression instantiation failed: {problem}")

    def _expression(self, checked: Checked) -> Expression:
        plan(checked)  # this tells what constants have no value
        return Expression(checked, estimate(checked, self._sizes).max)

    def _environment(self, is_stored: bool, optional: bool) -> Environment:
        found = self._environments.get((is_stored, optional))
        if found is None:
            known = environments()
            base = known.stored if is_stored else known.new
            old = optional_of(self._own) if optional else self._own
            found = base.extend(variables={"self": self._own, "oldSelf": old}, types=(self._own,))
            self._environments[is_stored, optional] = found
        return found

    def _field_path(self, path: str) -> str:
        """A path as errors show it, `.spec['a.b'].c` as `spec[a.b].c`; empty when it leads nowhere."""
        if not path:
            return ""
        shown, current = "", self._schema
        try:
            names, _ = resolve_field_path(path, self._schema)
        except FieldPathError:
            return ""
        for name in names:
            properties = current.get("properties")
            if properties:
                shown += f".{name}" if shown else name
                current = properties[name]
            else:
                shown += f"[{name}]"
                current = current["additionalProperties"]
        return shown
