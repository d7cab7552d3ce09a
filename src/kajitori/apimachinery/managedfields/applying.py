"""Server-side apply: a configuration merged, what its manager gave up taken away, conflicts told.

Sits under `managed.FieldManager`, which checks the request and writes managedFields.

Promises
    A1  nothing is taken away but what the manager applied last time, does not apply now, and nobody else owns
    A2  without force, a change to what others own raises Conflicts and nothing is changed
    A3  applying the same configuration again changes nothing

Source: structured-merge-diff's merge.Updater; apimachinery's managedfields/internal/conflict.go.
"""

from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import Cause, Conflict
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.collect import whole_fields
from kajitori.apimachinery.managedfields.entries import Entry, Managed, ManagerKey
from kajitori.apimachinery.managedfields.merging import merge
from kajitori.apimachinery.managedfields.reconcile import with_named_fields
from kajitori.apimachinery.managedfields.removing import remove_items
from kajitori.apimachinery.managedfields.rules import Rules, ownership
from kajitori.apimachinery.managedfields.sets import (
    EMPTY,
    FieldSet,
    difference,
    from_elements,
    intersection,
    path_text,
    paths,
    recursive_difference,
    union,
)
from kajitori.apimachinery.managedfields.types import Type

__all__ = ["Conflicts", "apply_configuration", "conflict_error"]

Path = tuple[str, ...]


class Conflicts(Exception):
    """The fields that others own and the configuration would change."""

    def __init__(self, fields: list[tuple[ManagerKey, Path]]) -> None:
        super().__init__(fields)
        self.fields = fields

    def as_set(self) -> FieldSet:
        return from_elements(path for _, path in self.fields)


@dataclass(frozen=True, slots=True)
class _Step:
    """An object in some API version while it is pruned."""

    value: JsonObject
    api_version: str


def apply_configuration(
    rules: Rules, live: JsonObject, config: JsonObject, managed: Managed, *, key: ManagerKey, force: bool
) -> tuple[JsonObject, Managed]:
    """The object after the configuration was applied, and who owns what then.

    Both objects are in the version the configuration names, and fit their type.

    Raises: Conflicts unless `force`; TypeProblem.
    """
    api_version = config["apiVersion"]
    of = rules.type_of(api_version)
    managed = rules.reconciled(managed)
    merged = merge(live, config, of)
    last = managed.get(key)
    fields = recursive_difference(whole_fields(of)(config) or EMPTY, rules.reset_of(api_version))
    managed[key] = Entry(fields, api_version, last.time if last else None)
    if last is not None and (last.api_version != api_version or difference(last.fields, fields)):
        # Something was applied last time and is not now.
        merged = _prune(rules, _Step(merged, api_version), managed, last)
    result, conflicts, _ = ownership(rules, live, merged, managed, api_version=api_version, actor=key)
    if conflicts and not force:
        ranked = sorted(conflicts, key=lambda each: each.identifier)
        raise Conflicts([(each, path) for each in ranked for path in paths(conflicts[each])])
    return merged, result


def _prune(rules: Rules, merged: _Step, managed: Managed, last: Entry) -> JsonObject:
    """The merged object without what only the last configuration of this manager held in it."""
    then = rules.converted(merged.value, last.api_version)
    if then is None:
        return merged.value
    of = rules.type_of(last.api_version)
    given_up = with_named_fields(last.fields, of)
    pruned = _Step(remove_items(then, given_up, of) or {}, last.api_version)
    pruned = _with_owned_items(rules, _Step(then, last.api_version), pruned, managed)
    kept = rules.converted(pruned.value, last.api_version)
    if kept is None:
        return merged.value
    # What nobody owns, and so was not given up now, stays too.
    gone = intersection(difference(_named(then, of), _named(kept, of)), given_up)
    result = rules.converted(remove_items(then, gone, of), merged.api_version)
    return merged.value if result is None else result


def _with_owned_items(rules: Rules, merged: _Step, pruned: _Step, managed: Managed) -> _Step:
    """What was pruned, with what somebody still owns put back."""
    owned: dict[str, FieldSet] = {pruned.api_version: EMPTY}
    for entry in managed.values():
        owned[entry.api_version] = union(owned.get(entry.api_version, EMPTY), entry.fields)
    # The version pruned in comes first: what conversion needs may have been taken away.
    for version, fields in owned.items():
        whole = rules.converted(merged.value, version)
        part = rules.converted(pruned.value, version)
        if whole is None or part is None:
            continue
        of = rules.type_of(version)
        kept = union(_named(part, of), with_named_fields(fields, of))
        merged = _Step(whole, version)
        pruned = _Step(remove_items(whole, difference(_named(whole, of), kept), of) or {}, version)
    return pruned


def _named(value: JsonObject, of: Type) -> FieldSet:
    return with_named_fields(whole_fields(of)(value) or EMPTY, of)


def conflict_error(conflicts: Conflicts) -> Conflict:
    """The answer to a request that conflicts."""
    fields = conflicts.fields
    causes = [Cause("FieldManagerConflict", f"conflict with {key}", path_text(path)) for key, path in fields]
    if len(fields) == 1:
        return Conflict(
            f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}", causes=causes
        )
    lines: list[str] = []
    manager: Any = None
    for key, path in fields:
        if key != manager:
            lines.append(f"conflicts with {key}:")
            manager = key
        lines.append(f"- {path_text(path)}")
    return Conflict(f"Apply failed with {len(fields)} conflicts: " + "\n".join(lines), causes=causes)
