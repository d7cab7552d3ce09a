"""One version's schema with everything that the API server does by it, each part compiled when first used.

Sits between the registry of custom resources, which holds one of these per version, and the parts beside it.
An object comes in through `decode` (from a client or the store), goes on to `validate`, and nothing else.

Promises
    C1  `decode` defaults, coerces metadata and prunes, in Kubernetes' order; unknown fields are told sorted
    C2  `validate` gives the complaints of the schema, of embedded resources, of sets and maps, and of the
        rules, in that order; rules are not asked when an earlier complaint would make them meaningless
    C3  a valid object costs no more than one look at each of its fields

Source: apiextensions' pkg/registry/customresource (strategy.go, validator.go) and customresource_handler.go.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.constraints import ABSENT, Constraints
from kajitori.apimachinery.structural.defaulting import Defaulter, defaulter, drop_nulls
from kajitori.apimachinery.structural.explain import explain, is_blocking
from kajitori.apimachinery.structural.listtype import ListChecker, list_checker
from kajitori.apimachinery.structural.metadata import Coerced, coerce_metadata, validate_embedded
from kajitori.apimachinery.structural.predicate import Predicate, predicate
from kajitori.apimachinery.structural.prune import Pruner, pruner

__all__ = ["RuleChecker", "StructuralSchema", "has_rules"]

_RULES_SKIPPED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class RuleChecker(Protocol):
    """The place where `x-kubernetes-validations` plug in: what evaluates the CEL rules of a whole schema.

    Called with an object that the schema accepts, and the old one on update. A broken rule about what the update
    did not touch is no error; its text goes to `warnings`.
    """

    def __call__(
        self, value: JsonObject, old: JsonObject | None, warnings: list[str]
    ) -> list[FieldError]: ...


def has_rules(raw: Mapping[str, Any]) -> bool:
    """Whether a schema has CEL rules at any depth."""
    if raw.get("x-kubernetes-validations"):
        return True
    below = [*(raw.get("properties") or {}).values(), raw.get("items"), raw.get("additionalProperties")]
    return any(isinstance(each, Mapping) and has_rules(each) for each in [*below, *(raw.get("allOf") or ())])


class StructuralSchema:
    """The schema of one version of a custom resource. Values given to it are changed in place."""

    def __init__(self, raw: Mapping[str, Any], *, rules: RuleChecker | None = None) -> None:
        self.raw = raw
        """`openAPIV3Schema` as it stands in the definition; empty: anything goes and everything is pruned."""
        self.rules = rules
        """Evaluates the rules of the schema; None when it has none."""

    def default(self, value: JsonObject) -> None:
        """Fills in defaults, and settles nulls that the schema does not allow."""
        if self._defaulter is not None:
            self._defaulter(value)

    def default_applied(self, value: JsonObject) -> None:
        """Fills in defaults alone: what server-side apply leaves is not rid of its nulls."""
        complete = defaulter(self.raw, drops_nulls=False)
        if complete is not None:
            complete(value)

    def keep_known(self, value: JsonObject) -> None:
        """What becomes of an object that was converted to this version: it loses what it may not have."""
        self.prune(value)
        drop_nulls(self.raw, value)

    def prune(self, value: JsonObject) -> list[str]:
        """Drops the fields that the schema does not know; gives their paths, sorted."""
        dropped = self._pruner(value)
        return sorted(dropped) if dropped else []

    def coerce(self, value: JsonObject, *, drop_invalid: bool = False) -> Coerced:
        """Gives the metadata of the object, and of resources embedded in it, the types of ObjectMeta."""
        coerced = coerce_metadata(value, drop_invalid=drop_invalid)
        if coerced.error is None and self._embedded is not None:
            unknown = list(coerced.unknown)
            for embedded, path in self.embedded_resources(value):
                inner = coerce_metadata(embedded, path, drop_invalid=drop_invalid)
                if inner.error is not None:
                    return inner
                unknown += inner.unknown
            return Coerced(None, sorted(unknown))
        return coerced

    def embedded_resources(self, value: JsonObject) -> list[tuple[JsonObject, str]]:
        """The resources embedded in an object, with their paths."""
        return [] if self._embedded is None else self._embedded(value, "")

    def decode(self, value: JsonObject, *, drop_invalid: bool = False) -> Coerced:
        """What every object goes through that comes in: defaults, metadata, pruning.

        `drop_invalid` is for objects out of the store. An error means a malformed request.
        """
        self.default(value)
        coerced = self.coerce(value, drop_invalid=drop_invalid)
        if coerced.error is not None:
            return coerced
        dropped = self._pruner(value)
        if not dropped:
            return coerced
        return Coerced(None, sorted({*coerced.unknown, *dropped}))

    def validate(
        self, value: JsonObject, old: JsonObject | None = None, *, warnings: list[str] | None = None
    ) -> list[FieldError]:
        """What is wrong with an object, or with its change from `old`; `warnings` collects what is tolerated."""
        errors: list[FieldError] = []
        if not self._is_valid(value):
            errors = explain(self._constraints, value, ABSENT if old is None else old)
        for embedded, path in self.embedded_resources(value):
            errors += validate_embedded(embedded, path)
        errors = self._with_lists(value, old, errors)
        return self._with_rules(value, old, errors, warnings)

    def validate_status(
        self, value: JsonObject, old: JsonObject | None = None, *, warnings: list[str] | None = None
    ) -> list[FieldError]:
        """What is wrong with a change through the status subresource: of the schema only `status` counts."""
        errors: list[FieldError] = []
        if self._status is not None and "status" in value:
            constraints, is_valid = self._status
            if not is_valid(value["status"]):
                old_status = ABSENT if old is None else old.get("status", ABSENT)
                errors = explain(constraints, value["status"], old_status, "status")
        errors = self._with_lists(value, old, errors)
        return self._with_rules(value, old, errors, warnings)

    def _with_lists(
        self, value: JsonObject, old: JsonObject | None, errors: list[FieldError]
    ) -> list[FieldError]:
        if self._list_checker is None:
            return errors
        repeated = self._list_checker(value, "")
        # What was stored with duplicates may go on having duplicates.
        if repeated and (old is None or not self._list_checker(old, "")):
            return errors + repeated
        return errors

    def _with_rules(
        self,
        value: JsonObject,
        old: JsonObject | None,
        errors: list[FieldError],
        warnings: list[str] | None,
    ) -> list[FieldError]:
        if self.rules is None:
            return errors
        if any(is_blocking(each) for each in errors):
            return [*errors, FieldError.invalid("<nil>", None, _RULES_SKIPPED)]
        return errors + self.rules(value, old, [] if warnings is None else warnings)

    @cached_property
    def _constraints(self) -> Constraints:
        return Constraints(self.raw)

    @cached_property
    def _is_valid(self) -> Predicate:
        return predicate(self._constraints)

    @cached_property
    def _status(self) -> tuple[Constraints, Predicate] | None:
        if "status" not in self._constraints.property_names:
            return None
        status = self._constraints.member("status")
        return status, predicate(status)

    @cached_property
    def _defaulter(self) -> Defaulter | None:
        return defaulter(self.raw)

    @cached_property
    def _pruner(self) -> Pruner:
        return pruner(self.raw, is_root=True)

    @cached_property
    def _list_checker(self) -> ListChecker | None:
        return list_checker(self.raw)

    @cached_property
    def _embedded(self) -> "_Finder | None":
        return _embedded_finder(self.raw)


_Finder = Callable[[Any, str], list[tuple[JsonObject, str]]]
"""The embedded resources in a value whose path is given, with their paths."""


def _embedded_finder(raw: Mapping[str, Any]) -> _Finder | None:
    """Finds the embedded resources below a schema node; None when there can be none."""
    properties: Mapping[str, Any] = raw.get("properties") or {}
    members = {name: found for name in properties if (found := _finder_here(properties[name])) is not None}
    additional, items = raw.get("additionalProperties"), raw.get("items")
    other = _finder_here(additional) if isinstance(additional, Mapping) else None
    on_item = _finder_here(items) if isinstance(items, Mapping) else None
    if not members and other is None and on_item is None:
        return None

    def find(value: Any, path: str) -> list[tuple[JsonObject, str]]:
        found: list[tuple[JsonObject, str]] = []
        if type(value) is dict:
            for name, member in value.items():
                if name in members:
                    found += members[name](member, f"{path}.{name}" if path else name)
                elif other is not None and name not in properties:
                    found += other(member, f"{path}[{name}]")
        elif type(value) is list and on_item is not None:
            for index, item in enumerate(value):
                found += on_item(item, f"{path}[{index}]")
        return found

    return find


def _finder_here(raw: Mapping[str, Any]) -> _Finder | None:
    below = _embedded_finder(raw)
    if not raw.get("x-kubernetes-embedded-resource"):
        return below

    def find(value: Any, path: str) -> list[tuple[JsonObject, str]]:
        found: list[tuple[JsonObject, str]] = [(value, path)] if type(value) is dict else []
        return found + below(value, path) if below is not None else found

    return find
