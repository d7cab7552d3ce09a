"""Whether the CEL rules of a schema compile, and whether they are cheap enough.

Sits at the end of the validation of definitions: rules are only looked at in a schema that is structural, and only
those with nothing wrong at or below the schema they stand in, since nobody could say what their types are.

How often a rule may be evaluated multiplies its cost: as often as the lists and maps around it may have items, or,
where one of them has no limit, as often as the smallest possible value fits into a request.

Promises
    R1  messages, paths and their order are those of kube-apiserver (among the properties of an object it has none)
    R2  a rule may cost STATIC_ESTIMATED_COST_LIMIT at most, all rules of a schema STATIC_ESTIMATED_CRD_COST_LIMIT
    R3  on update, a rule that was there before may go on using what new ones may not, and no single rule of a schema
        that stayed the same is too expensive

Source: apiextensions' pkg/apis/apiextensions/validation (validation.go, cel_validation.go).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kajitori.apimachinery.cel.cost import UINT64_MAX
from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.cel.kubernetes import STATIC_ESTIMATED_COST_LIMIT, STATIC_ESTIMATED_CRD_COST_LIMIT
from kajitori.apimachinery.cel.schemas import MAX_REQUEST_BYTES, declared_type
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.rules import CompiledRule, RuleCompiler
from kajitori.apis.apiextensions_v1.internal import internal_rule

__all__ = ["KnownRules", "known_rules", "rule_errors"]

_MOST_EXPENSIVE_MAX = 4

_NO_TYPE = (
    "internal error: failed to construct type information for x-kubernetes-validations rules: "
    "unable to convert structural schema to CEL declarations"
)
_ADVICE = (
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength "
    "where arrays, maps, and strings are declared"
)


@dataclass(frozen=True)
class KnownRules:
    """What an old definition had already."""

    rules: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()


def known_rules(schemas: Sequence[Mapping[str, Any]]) -> KnownRules:
    """The expressions in these schemas, wherever they stand."""
    found = [rule for schema in schemas for rule in _all_rules(schema)]
    rules = frozenset(each.get("rule") or "" for each in found)
    return KnownRules(rules, frozenset(each.get("messageExpression") or "" for each in found) - {""})


def rule_errors(
    schema: Mapping[str, Any],
    path: str,
    errors: Sequence[FieldError],
    *,
    known: KnownRules,
    is_unchanged: bool,
) -> list[FieldError]:
    """What is wrong with the rules of a structural schema that stands at `path`.

    `errors` are those of the schema itself; `is_unchanged` says that the schema is the one of the old definition.
    """
    total = _Total()
    inspector = _Inspector(frozenset(each.path for each in errors), known, is_unchanged, total)
    found = inspector.errors(_Node(schema, path))
    return found + total.errors(path)


def _all_rules(raw: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(raw, Mapping):
        yield from raw.get("x-kubernetes-validations") or ()
        for below in (
            *(raw.get("properties") or {}).values(),
            raw.get("items"),
            raw.get("additionalProperties"),
        ):
            yield from _all_rules(below)


@dataclass
class _Total:
    """What all rules together may cost."""

    cost: int = 0
    most_expensive: list[tuple[int, str]] = field(default_factory=list)

    def add(self, path: str, cost: int) -> None:
        self.cost = min(self.cost + cost, UINT64_MAX)
        # Who contributes less than a hundredth is not worth naming.
        if cost >= STATIC_ESTIMATED_CRD_COST_LIMIT // 100:
            self.most_expensive.append((cost, path))
            self.most_expensive.sort(key=lambda each: -each[0])
            del self.most_expensive[_MOST_EXPENSIVE_MAX:]

    def errors(self, path: str) -> list[FieldError]:
        if self.cost <= STATIC_ESTIMATED_CRD_COST_LIMIT:
            return []
        detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
        errors = [FieldError.forbidden(where, detail) for _, where in self.most_expensive]
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        return [
            *errors,
            FieldError.forbidden(path, _too_expensive(what, self.cost, STATIC_ESTIMATED_CRD_COST_LIMIT)),
        ]


def _too_expensive(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    if factor > 100:
        shown = "more than 100x"
    else:
        shown = f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} ({_ADVICE})"


class _NoType(Exception):
    """CEL cannot see what the schema describes."""


class _Node:
    """A schema inside the schema, as rules see it."""

    def __init__(
        self, raw: Mapping[str, Any], path: str, parent: "_Node | None" = None, name: str = ""
    ) -> None:
        """`name` is that of the property it is; empty for items and the values of maps."""
        self.raw = raw
        self.path = path
        self._parent = parent
        self._name = name
        self.rules: Sequence[Mapping[str, Any]] = raw.get("x-kubernetes-validations") or ()
        self._is_in_scope: bool = bool(self.rules) or (parent is not None and parent._is_in_scope)
        self.cardinality = 1 if parent is None else parent.cardinality_below()
        """How often it may be there; `None`: as often as it fits."""

    @property
    def is_root(self) -> bool:
        """Whether it is the schema of a resource, which has metadata."""
        return self._parent is None or bool(self.raw.get("x-kubernetes-embedded-resource"))

    def below(self) -> Iterator["_Node"]:
        """The schemas right below."""
        additional, items = self.raw.get("additionalProperties"), self.raw.get("items")
        if isinstance(additional, Mapping):
            yield _Node(additional, f"{self.path}.additionalProperties", self)
        for name, each in sorted((self.raw.get("properties") or {}).items()):
            yield _Node(each, f"{self.path}.properties[{name}]", self, name)
        if isinstance(items, Mapping):
            yield _Node(items, f"{self.path}.items", self)

    def cardinality_below(self) -> int | None:
        """How often what is right below may be there."""
        if self.cardinality is None:
            return None
        many: int | None = 1
        if self.raw.get("type") == "array":
            many = self.raw.get("maxItems")
        elif self.raw.get("type") == "object" and self.raw.get("additionalProperties") is not None:
            many = self.raw.get("maxProperties")
        return None if many is None else min(self.cardinality * max(many, 0), UINT64_MAX)

    @cached_property
    def type(self) -> Type:
        """What CEL takes it for, as a part of the outermost schema with rules around it.

        Raises: _NoType.
        """
        if self._parent is not None and self._parent._is_in_scope:
            around = self._parent.type
            if not self._name:
                return around.parameters[-1]
            found = (around.fields or {}).get(escape(self._name) or "")
            if found is not None:
                return found
        own = declared_type(self.raw, "object", root=self.is_root)
        if own is None:
            raise _NoType
        return own

    @cached_property
    def uncorrelatable(self) -> str:
        """The outermost schema around, down from which nobody can say which part was which before an update."""
        if self._parent is None:
            return ""
        around = self._parent
        if around.uncorrelatable:
            return around.uncorrelatable
        is_item = around.raw.get("items") is self.raw
        return around.path if is_item and around.raw.get("x-kubernetes-list-type") != "map" else ""


class _Inspector:
    """Goes over all rules once, those inside before those around them."""

    def __init__(self, bad: frozenset[str], known: KnownRules, is_unchanged: bool, total: _Total) -> None:
        self._bad = bad
        self._known = known
        self._is_unchanged = is_unchanged
        self._total = total

    def errors(self, node: _Node) -> list[FieldError]:
        errors: list[FieldError] = []
        for each in node.below():
            errors += self.errors(each)
        if node.rules and not self._is_bad(node.path):
            errors += self._rule_errors(node)
        return errors

    def _is_bad(self, path: str) -> bool:
        return any(each == path or each.startswith((f"{path}.", f"{path}[")) for each in self._bad)

    def _rule_errors(self, node: _Node) -> list[FieldError]:
        where = f"{node.path}.x-kubernetes-validations"
        try:
            _ = node.type
        except _NoType:
            return [FieldError.internal(where, _NO_TYPE)]
        compiler = RuleCompiler(node.raw, is_root=node.is_root)
        errors: list[FieldError] = []
        for index, raw in enumerate(node.rules):
            rule = compiler.compile(
                raw,
                is_stored=raw.get("rule") in self._known.rules,
                is_message_stored=raw.get("messageExpression") in self._known.messages,
            )
            cardinality = node.cardinality
            if cardinality is None:
                cardinality = MAX_REQUEST_BYTES // (compiler.least_bytes + 1)
            once = 0 if rule.expression is None else rule.expression.cost_max
            cost = min(once * cardinality, UINT64_MAX)
            errors += self._errors_of(rule, f"{where}[{index}]", cost, node.uncorrelatable)
        return errors

    def _errors_of(
        self, rule: CompiledRule, where: str, cost: int, uncorrelatable: str
    ) -> Iterator[FieldError]:
        yield from self._cost_errors(f"{where}.rule", "estimated rule cost", cost)
        if rule.error:
            yield FieldError.invalid(f"{where}.rule", internal_rule(rule.raw), rule.error)
        if rule.message_error:
            yield FieldError.invalid(
                f"{where}.messageExpression", internal_rule(rule.raw), rule.message_error
            )
        elif rule.message is not None:
            what = "estimated messageExpression cost"
            yield from self._cost_errors(f"{where}.messageExpression", what, rule.message.cost_max)
        given = rule.raw.get("optionalOldSelf")
        if rule.uses_old_self:
            if uncorrelatable:
                detail = (
                    "oldSelf cannot be used on the uncorrelatable portion of the schema "
                    f"within {uncorrelatable}"
                )
                yield FieldError.invalid(f"{where}.rule", rule.raw.get("rule"), detail)
        elif given is not None:
            detail = "may not be set if oldSelf is not used in rule"
            yield FieldError.invalid(f"{where}.optionalOldSelf", given, detail)

    def _cost_errors(self, path: str, what: str, cost: int) -> Iterator[FieldError]:
        self._total.add(path, cost)
        if cost > STATIC_ESTIMATED_COST_LIMIT and not self._is_unchanged:
            yield FieldError.forbidden(path, _too_expensive(what, cost, STATIC_ESTIMATED_COST_LIMIT))
