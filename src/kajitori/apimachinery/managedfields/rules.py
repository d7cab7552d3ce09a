"""What is known of a kind when ownership is worked out, and the step that updates and applies share.

Promises
    O1  ownership(...) leaves every other manager nothing that the new object changed or removed
    O2  managers of versions that are no longer served are dropped

Source: structured-merge-diff's merge.Updater.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.compare import Comparison, compare
from kajitori.apimachinery.managedfields.entries import Managed, ManagerKey
from kajitori.apimachinery.managedfields.reconcile import reconcile
from kajitori.apimachinery.managedfields.sets import (
    EMPTY,
    FieldSet,
    difference,
    intersection,
    recursive_difference,
    union,
)
from kajitori.apimachinery.managedfields.types import Type, Types
from kajitori.apimachinery.schema import Schema

__all__ = ["Convert", "Ownership", "Rules", "ownership", "without_managed_fields"]

Convert = Callable[[JsonObject, str], JsonObject]
"""An object in another API version of its kind; raises LookupError when there is no such version."""


class Rules:
    """The versions of a kind: how their values merge and what their endpoint resets."""

    def __init__(
        self,
        schemas: Mapping[str, Schema | None],
        *,
        reset: Mapping[str, FieldSet],
        convert: Convert | None,
        types: Types,
    ) -> None:
        self._schemas = schemas
        self._types = types
        self._roots: dict[str, Type] = {}
        self._reset = reset
        self._convert = convert

    def knows(self, api_version: str) -> bool:
        return api_version in self._schemas

    def type_of(self, api_version: str) -> Type:
        root = self._roots.get(api_version)
        if root is None:
            root = self._roots[api_version] = self._types.root(self._schemas[api_version])
        return root

    def reset_of(self, api_version: str) -> FieldSet:
        return self._reset.get(api_version, EMPTY)

    def may_have_changed(self, api_version: str) -> bool:
        """Whether the schema may be another one than when fields were recorded; built-in ones are not."""
        schema = self._schemas[api_version]
        return schema is not None and not schema.definition

    def converted(self, value: JsonObject, api_version: str) -> JsonObject | None:
        """The object in a version; None when that version is not served."""
        if value.get("apiVersion") == api_version:
            return value
        if self._convert is None or not self.knows(api_version):
            return None
        try:
            return self._convert(value, api_version)
        except LookupError:
            return None

    def reconciled(self, managed: Managed, *, trusted: bool = True) -> Managed:
        """The entries of served versions, as the present schemas have them.

        `trusted`: they were recorded here, so those of built-in kinds are as their schemas have them.
        """
        result: Managed = {}
        for key, entry in managed.items():
            if self.knows(entry.api_version):
                if not trusted or self.may_have_changed(entry.api_version):
                    entry = entry.with_fields(reconcile(entry.fields, self.type_of(entry.api_version)))
                result[key] = entry
        return result

    def compared(self, old: JsonObject, new: JsonObject, api_version: str) -> Comparison | None:
        """What changed, seen in a version, without what the endpoint resets; None when it is not served."""
        old_version = self.converted(old, api_version)
        new_version = self.converted(new, api_version)
        if old_version is None or new_version is None:
            return None
        found = compare(old_version, new_version, self.type_of(api_version))
        reset = self.reset_of(api_version)
        return Comparison(*(recursive_difference(each, reset) for each in found)) if reset else found


class Ownership(NamedTuple):
    managed: Managed
    """What everybody owns afterwards; the actor's own entry is as it was given."""
    conflicts: dict[ManagerKey, FieldSet]
    """What others lose because it changed; fields that are gone are no conflict."""
    comparison: Comparison
    """In the version of the request."""


def ownership(
    rules: Rules,
    old: JsonObject,
    new: JsonObject,
    managed: Managed,
    *,
    api_version: str,
    actor: ManagerKey | None = None,
) -> Ownership:
    """Who owns what after `old` has become `new`, both in `api_version`.

    Raises: TypeProblem when one of them does not fit its type.
    """
    own = rules.compared(old, new, api_version)
    assert own is not None, f"the version of the request is served: {api_version}"
    comparisons: dict[str, Comparison | None] = {api_version: own}
    result: Managed = {}
    conflicts: dict[ManagerKey, FieldSet] = {}
    for key, entry in managed.items():
        if key != actor:
            version = entry.api_version
            if version not in comparisons:
                comparisons[version] = rules.compared(old, new, version)
            comparison = comparisons[version]
            if comparison is None:
                continue
            changed = comparison.changed
            if changed or comparison.removed:
                lost = intersection(entry.fields, changed)
                if lost:
                    conflicts[key] = lost
                entry = entry.with_fields(difference(entry.fields, union(changed, comparison.removed)))
        if entry.fields:
            result[key] = entry
    return Ownership(result, conflicts, own)


def without_managed_fields(value: JsonObject) -> JsonObject:
    """The object without `metadata.managedFields`, which own themselves as little as anybody does."""
    metadata: Any = value.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return value
    rest = {name: each for name, each in metadata.items() if name != "managedFields"}
    return {**value, "metadata": rest}
