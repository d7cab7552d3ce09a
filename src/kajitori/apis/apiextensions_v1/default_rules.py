"""Whether the defaults in a schema satisfy it.

Sits under the validation of definitions. A default that the schema itself would refuse or prune would make
every object that lacks the field invalid, or differ from what its author meant. Rules are asked as if the default had
always been there, and as if it were new.

Promises
    F1  the rules about all defaults of a schema share one budget; when it runs out, that is told and nothing more

Source: apiextensions' pkg/apiserver/schema/defaulting (ValidateDefaults).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.compiled import StructuralSchema, has_rules
from kajitori.apimachinery.structural.constraints import Constraints, in_go_order, same_json
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.structural.explain import explain
from kajitori.apimachinery.structural.metadata import coerce_metadata, validate_embedded
from kajitori.apimachinery.structural.prune import META_FIELDS, pruner
from kajitori.apis.apiextensions_v1.schema_rules import any_schema

__all__ = ["default_errors", "has_unpruned_defaults"]

_Surround = Callable[[Any], Any]
"""Puts a value where it stands in the resource around it."""


def default_errors(raw: Mapping[str, Any], path: str, *, requires_pruned: bool) -> list[FieldError]:
    """What is wrong with the defaults of a structural schema."""
    root = {**raw, "x-kubernetes-embedded-resource": True}
    inspector = _Inspector(requires_pruned)
    with suppress(_OutOfBudget):
        inspector.visit(root, path, _at_root, inside_meta=False)
    return inspector.errors


def has_unpruned_defaults(raw: Mapping[str, Any]) -> bool:
    """Whether pruning would change a default."""
    default = raw.get("default")
    if default is not None and not _is_pruned(raw, default):
        return True
    below = [*(raw.get("properties") or {}).values(), raw.get("items")]
    return any(isinstance(each, Mapping) and has_unpruned_defaults(each) for each in below)


def _at_root(value: Any) -> Any:
    base = {"apiVersion": "validation/v1", "kind": "Validation"}
    return {**base, **value} if isinstance(value, dict) else base


class _OutOfBudget(Exception):
    """The rules about defaults cost too much."""


class _Inspector:
    """One look at all defaults of a schema."""

    def __init__(self, requires_pruned: bool) -> None:
        self.errors: list[FieldError] = []
        self._requires_pruned = requires_pruned
        self._budget: int | None = None

    def visit(self, raw: Mapping[str, Any], path: str, surround: _Surround, *, inside_meta: bool) -> None:
        """Complains about the defaults at and below a schema."""
        embedded = bool(raw.get("x-kubernetes-embedded-resource"))
        if embedded:
            inside_meta, surround = False, _at_root
        default = raw.get("default")
        if default is not None:
            own_path = f"{path}.default"
            if inside_meta:
                found = _metadata_errors(raw, default, own_path, surround)
            else:
                if self._requires_pruned and not _is_pruned(raw, default):
                    detail = "must not have unknown fields"
                    self.errors.append(FieldError.invalid(own_path, in_go_order(default), detail))
                found = _value_errors(raw, default, own_path)
            self.errors += found
            if not found and has_rules(raw):
                self._ask_rules(raw, default, own_path, is_root=embedded)
        items = raw.get("items")
        if isinstance(items, Mapping):
            self.visit(items, f"{path}.items", lambda value: surround([value]), inside_meta=inside_meta)
        for name, each in (raw.get("properties") or {}).items():
            inside = inside_meta or (embedded and name in META_FIELDS)
            self.visit(each, f"{path}.properties[{name}]", _below(surround, name), inside_meta=inside)

    def _ask_rules(self, raw: Mapping[str, Any], default: Any, path: str, *, is_root: bool) -> None:
        """Complains where rules do: about the default where it stays, and, if all is well, where it is new."""
        # Seldom needed, and large.
        from kajitori.apimachinery.cel.kubernetes import RUNTIME_COST_BUDGET
        from kajitori.apimachinery.rules import SchemaRules

        rules = SchemaRules(raw, is_root=is_root)
        budget = left = RUNTIME_COST_BUDGET if self._budget is None else self._budget
        for old in (default, None):
            errors, left_now = rules.run(default, old, prefix=path, budget=budget)
            self.errors += errors
            left = min(left, left_now)
            if errors:
                break
        self._budget = left
        if left < 0:
            raise _OutOfBudget


def _below(surround: _Surround, name: str) -> _Surround:
    return lambda value: surround({name: value})


def _metadata_errors(
    raw: Mapping[str, Any], default: Any, path: str, surround: _Surround
) -> list[FieldError]:
    whole = surround(copy_json(default))
    problem = coerce_metadata(whole).error
    problems = [problem] if problem is not None else validate_embedded(whole, "")
    if problems:
        told = ", ".join(str(each).removeprefix(".") for each in problems)
        told = f"[{told}]" if len(problems) > 1 else told
        return [FieldError.invalid(path, in_go_order(default), f"must result in valid metadata: {told}")]
    return explain(Constraints(_as_judged(raw)), default, prefix=path)


def _as_judged(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that defaults are held against: what is an integer or a string may be anything there."""

    def judged(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                name: judged(each) for name, each in value.items() if name != "x-kubernetes-int-or-string"
            }
        return [judged(each) for each in value] if isinstance(value, list) else value

    if not any_schema(raw, lambda each: bool(each.get("x-kubernetes-int-or-string"))):
        return raw
    found: Mapping[str, Any] = judged(raw)
    return found


def _value_errors(raw: Mapping[str, Any], default: Any, path: str) -> list[FieldError]:
    # The value is wrapped so that a default that is itself an embedded resource is found like any other.
    schema = StructuralSchema({"type": "object", "properties": {"default": raw}})
    parent = path.removesuffix(".default")
    for embedded, below in schema.embedded_resources({"default": copy_json(default)}):
        coerced = coerce_metadata(embedded, f"{parent}.{below}")
        if coerced.error is not None:
            return [coerced.error]
        found = validate_embedded(embedded, f"{parent}.{below}")
        if found:
            return found
    return explain(Constraints(_as_judged(raw)), default, prefix=path)


def _is_pruned(raw: Mapping[str, Any], default: Any) -> bool:
    pruned = copy_json(default)
    pruner(raw)(pruned)
    return same_json(pruned, default)
