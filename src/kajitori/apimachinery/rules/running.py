"""The rules of a schema at work: which parts of an object break them.

Sits behind the `RuleChecker` socket of `StructuralSchema`. A schema becomes a tree of walkers with only those
branches that have rules, and each node's rules are compiled when the first value gets there; both are kept.

Promises
    R1  values, messages, reasons and paths of errors are those of kube-apiserver, as is what is not evaluated:
        rules about `null`, rules about an old value where there is none
    R2  an old value is what had the same name, or the same keys in a list of `x-kubernetes-list-type: map`
    R3  a broken rule about what an update left as it was is only warned of, unless it looks at the old value
    R4  all evaluations together spend at most the budget; when it runs out, that is told and nothing more is evaluated

Source: apiextensions' pkg/apiserver/schema/cel/validation.go.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NoReturn

from kajitori.apimachinery.cel.conversion import converter
from kajitori.apimachinery.cel.errors import CelError, CostLimitExceeded, EvaluationError
from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.cel.kubernetes import MESSAGE_BYTES_MAX, PER_CALL_COST_LIMIT, RUNTIME_COST_BUDGET
from kajitori.apimachinery.cel.schemas import declared_type
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import NONE, Optional
from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import OMITTED, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.rules.compiling import CompiledRule, Expression, RuleCompiler
from kajitori.apimachinery.rules.correlating import Correlated, Step, is_unchanged, old_items

__all__ = ["SchemaRules"]

_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)
_MESSAGE_OUT_OF_BUDGET = (
    "messageExpression evaluation failed due to running out of cost budget, "
    "no further validation rules will be run"
)


class SchemaRules:
    """Every rule of a schema, to be asked about whole objects."""

    def __init__(self, raw: Mapping[str, Any], *, is_root: bool = True) -> None:
        """`is_root`: the schema is that of a resource, which always has metadata."""
        self._raw = raw
        self._is_root = is_root

    @cached_property
    def _walker(self) -> "_Walker | None":
        exposed = declared_type(self._raw, "object", root=self._is_root)
        return _walker(self._raw, exposed, is_root=self._is_root)

    def __call__(self, value: JsonObject, old: JsonObject | None, warnings: list[str]) -> list[FieldError]:
        return self.run(value, old, warnings)[0]

    def run(
        self,
        value: Any,
        old: Any = None,
        warnings: list[str] | None = None,
        *,
        prefix: str = "",
        budget: int = RUNTIME_COST_BUDGET,
    ) -> tuple[list[FieldError], int]:
        """What is wrong with a value, and what is left of the budget: less than zero when it ran out.

        Without `warnings`, broken rules about what did not change are errors like all others. Paths begin with
        `prefix`.
        """
        if self._walker is None:
            return [], budget
        correlated = None if warnings is None or old is None else Correlated(value, old, self._raw)
        run = _Run(prefix, correlated, warnings if warnings is not None else [], budget)
        try:
            run.visit(self._walker, (), "", value, old)
        except _Stopped:
            return run.errors, -1
        return run.errors, run.budget


class _Stopped(Exception):
    """The budget ran out: no more rules."""


class _MessageFailed(Exception):
    """A message cost so much that no more rules can be evaluated."""


def _evaluate(expression: Expression, variables: Mapping[str, Any]) -> tuple[Any, int]:
    """The value, and what it cost. Compiled from the first time on: the first object may be as large as any."""
    program = expression.program
    try:
        given = [variables[name] for name in program.variables]
    except KeyError:
        done = program.run(variables, PER_CALL_COST_LIMIT)
        return done.value, done.cost
    return program.function(*given, PER_CALL_COST_LIMIT)


class _Walker:
    """A node of the schema that has rules or leads to some."""

    def __init__(self, raw: Mapping[str, Any], *, is_root: bool) -> None:
        self.raw = raw
        self.is_root = is_root
        self.has_rules = bool(raw.get("x-kubernetes-validations"))
        self.members: dict[str, _Walker] = {}
        self.additional: _Walker | None = None
        self.items: _Walker | None = None

    @property
    def is_needed(self) -> bool:
        return self.has_rules or bool(self.members) or self.additional is not None or self.items is not None

    @cached_property
    def rules(self) -> "_NodeRules":
        return _NodeRules(self.raw, is_root=self.is_root)


class _NodeRules:
    """The rules of one node, ready to run."""

    def __init__(self, raw: Mapping[str, Any], *, is_root: bool) -> None:
        self.convert = converter(raw, root=is_root)
        self.convert_checked = converter(raw, root=is_root, checked=True)
        compiler = RuleCompiler(raw, is_root=is_root)
        self.compiled = [compiler.compile(each) for each in raw["x-kubernetes-validations"]]
        self.use_old = any(each.uses_old_self for each in self.compiled)
        self.type: str = raw.get("type") or ""
        self.shows_value = self.type not in ("object", "array")


def _walker(raw: Any, exposed: Type | None, *, is_root: bool) -> _Walker | None:
    """The walker of a node; `None` when there is nothing to do at or below it, or CEL cannot see it."""
    if not isinstance(raw, Mapping) or exposed is None:
        return None
    walker = _Walker(raw, is_root=is_root)
    for name in sorted(raw.get("properties") or {}):
        member = raw["properties"][name]
        escaped = escape(name)
        if escaped is None:
            inner = declared_type(member, "object", root=_is_embedded(member))
        else:
            inner = (exposed.fields or {}).get(escaped)
        found = _walker(member, inner, is_root=_is_embedded(member))
        if found is not None:
            walker.members[name] = found
    inner = exposed.parameters[-1] if exposed.parameters else None
    walker.additional = _below(raw.get("additionalProperties"), inner)
    walker.items = _below(raw.get("items"), inner)
    return walker if walker.is_needed else None


def _below(raw: Any, exposed: Type | None) -> _Walker | None:
    return _walker(raw, exposed, is_root=_is_embedded(raw)) if isinstance(raw, Mapping) else None


def _is_embedded(raw: Mapping[str, Any]) -> bool:
    return bool(raw.get("x-kubernetes-embedded-resource"))


class _Run:
    """One look at one object."""

    def __init__(self, prefix: str, correlated: Correlated | None, warnings: list[str], budget: int) -> None:
        self.errors: list[FieldError] = []
        self.budget = budget
        self._prefix = prefix
        self._correlated = correlated
        self._warnings = warnings

    def visit(self, walker: _Walker, steps: tuple[Step, ...], path: str, value: Any, old: Any) -> None:
        """Evaluates the rules about a value and all below it."""
        if value is None:
            return
        if walker.has_rules:
            self._evaluate_all(walker.rules, steps, path, value, old)
        if type(value) is list:
            if walker.items is not None:
                before = old_items(value, old, walker.raw)
                for index, item in enumerate(value):
                    self.visit(walker.items, (*steps, index), f"{path}[{index}]", item, before[index])
        elif type(value) is dict:
            self._visit_members(walker, steps, path, value, old if type(old) is dict else {})

    def _visit_members(
        self, walker: _Walker, steps: tuple[Step, ...], path: str, value: JsonObject, old: JsonObject
    ) -> None:
        additional = walker.additional
        if additional is not None:
            for name in sorted(value):
                self.visit(additional, (*steps, name), f"{path}[{name}]", value[name], old.get(name))
        for name, member in walker.members.items():
            if name in value:
                inner = f"{path}.{name}" if path else name
                self.visit(member, (*steps, name), inner, value[name], old.get(name))

    def _evaluate_all(
        self, rules: _NodeRules, steps: tuple[Step, ...], path: str, value: Any, old: Any
    ) -> None:
        if self.budget <= 0:
            self._stop(path, rules, _OUT_OF_BUDGET)
        variables: dict[str, Any] = {"self": rules.convert(value)}
        with_optional = variables
        if rules.use_old:
            converted = None if old is None else rules.convert(old)
            if old is not None:
                variables["oldSelf"] = converted
            with_optional = {**variables, "oldSelf": NONE if old is None else Optional(converted)}
        for rule in rules.compiled:
            if rule.expression is None:
                if rule.error:
                    self._fail(path, rules, f"rule compile error: {rule.error}")
                continue
            if rule.uses_old_self and old is None and not rule.optional_old_self:
                continue
            chosen = with_optional if rule.optional_old_self else variables
            if not self._holds(rule, rules, path, chosen):
                self._tell(rule, rules, steps, path, value, variables)

    def _holds(self, rule: CompiledRule, rules: _NodeRules, path: str, variables: Mapping[str, Any]) -> bool:
        """Whether there is nothing to tell about the rule itself: it holds, or its failure has been told."""
        assert rule.expression is not None
        problem: CelError | None = None
        result: Any = True
        try:
            result, cost = _evaluate(rule.expression, variables)
        except (EvaluationError, CostLimitExceeded) as raised:
            problem, cost = raised, raised.cost
        if cost > self.budget:
            self._stop(path, rules, _OUT_OF_BUDGET)
        self.budget -= cost
        if isinstance(problem, CostLimitExceeded):
            detail = (
                f"'{problem}': no further validation rules will be run "
                f"due to call cost exceeds limit for rule: {rule.shown}"
            )
            self._stop(path, rules, detail)
        if problem is None:
            return result is True
        if str(problem).startswith("no such overload"):
            detail = (
                f"'{problem}': call arguments did not match a supported operator, "
                f"function or macro signature for rule: {rule.shown}"
            )
            self._fail(path, rules, detail)
        else:
            self._fail(path, rules, f"{problem} evaluating rule: {rule.shown}")
        return True

    def _tell(
        self,
        rule: CompiledRule,
        rules: _NodeRules,
        steps: tuple[Step, ...],
        path: str,
        value: Any,
        variables: Mapping[str, Any],
    ) -> None:
        """Says that a rule is broken."""
        if rule.field_path:
            path = f"{path}.{rule.field_path}" if path else rule.field_path
        detail = rule.shown_failure
        if rule.message is not None:
            try:
                detail = self._message(rule, variables) or detail
            except _MessageFailed as failed:
                self._add(rule, steps, FieldError.invalid(self._shown(path), rules.type, str(failed)))
                raise _Stopped from None
        shown = value if rules.shows_value else OMITTED
        self._add(rule, steps, rule.field_error(self._shown(path), shown, detail))

    def _message(self, rule: CompiledRule, variables: Mapping[str, Any]) -> str:
        """The computed message; empty when there is none to show."""
        assert rule.message is not None
        problem: CelError | None = None
        text: Any = None
        try:
            text, cost = _evaluate(rule.message, variables)
        except (EvaluationError, CostLimitExceeded) as raised:
            problem, cost = raised, raised.cost
        if cost > self.budget:
            raise _MessageFailed(_MESSAGE_OUT_OF_BUDGET)
        if isinstance(problem, CostLimitExceeded):
            raise _MessageFailed(
                "no further validation rules will be run due to call cost exceeds limit "
                f"for messageExpression: {go_quote(rule.message_expression)}"
            )
        self.budget -= cost
        text = text.strip() if isinstance(text, str) else ""
        return text if len(text.encode()) <= MESSAGE_BYTES_MAX and "\n" not in text else ""

    def _add(self, rule: CompiledRule, steps: tuple[Step, ...], error: FieldError) -> None:
        if self._correlated is not None and not rule.uses_old_self and is_unchanged(self._correlated, steps):
            self._warnings.append(str(error))
        else:
            self.errors.append(error)

    def _fail(self, path: str, rules: _NodeRules, detail: str) -> None:
        self.errors.append(FieldError.invalid(self._shown(path), rules.type, detail))

    def _stop(self, path: str, rules: _NodeRules, detail: str) -> NoReturn:
        self._fail(path, rules, detail)
        raise _Stopped

    def _shown(self, path: str) -> str:
        """The path of an error; Go prints a missing one as `<nil>`."""
        if not self._prefix:
            return path or "<nil>"
        if not path:
            return self._prefix
        return f"{self._prefix}{path}" if path.startswith("[") else f"{self._prefix}.{path}"
