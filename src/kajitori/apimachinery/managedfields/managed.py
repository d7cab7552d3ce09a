"""The field manager of one kind in one version: managedFields after every write.

Sits between a handler, which has the object as it is to become, and storage. One `FieldManager` is made per
kind, version and subresource, and holds what is compiled for it.

Promises
    W1  update gives the managedFields of an object after a create, update or patch: the manager owns what it
        changed, everybody else has lost that, and nobody owns a field that is gone
    W2  an entry's time changes only when its manager changed something
    W3  fields that are never owned, and those reset by the endpoint, are in no set that is written here
    W4  managedFields that the client sent count on the main endpoint when they can be decoded; an empty list
        or `[{}]` clears them; what cannot be decoded is ignored
    W5  apply merges a configuration, takes away what its manager no longer applies and nobody else owns, and
        raises Conflict where others own what it would change, unless forced
    W6  inputs are never changed

Source: apimachinery's util/managedfields, internal/fieldmanager.go and the managers it stacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import ApiError, BadRequest
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.applying import Conflicts, apply_configuration, conflict_error
from kajitori.apimachinery.managedfields.checking import check
from kajitori.apimachinery.managedfields.collect import created_fields
from kajitori.apimachinery.managedfields.entries import (
    APPLY,
    UPDATE,
    Entry,
    Managed,
    ManagerKey,
    cap_updaters,
    decode,
    encode,
    is_reset,
)
from kajitori.apimachinery.managedfields.last_applied import KUBECTL, allowed_fields, with_last_applied
from kajitori.apimachinery.managedfields.rules import Convert, Rules, ownership, without_managed_fields
from kajitori.apimachinery.managedfields.sets import (
    FieldsError,
    FieldSet,
    difference,
    from_paths,
    has,
    is_member,
    recursive_difference,
    union,
)
from kajitori.apimachinery.managedfields.types import Type, TypeProblem, Types
from kajitori.apimachinery.schema import Schema

__all__ = ["Applied", "FieldManager", "KindVersions", "timestamps_kept", "type_text"]

_UNKNOWN = "unknown"
_BEFORE_FIRST_APPLY = "before-first-apply"
_NEVER_OWNED_METADATA = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
_NEVER_OWNED = from_paths(
    "apiVersion", "kind", "metadata", *(f"metadata.{name}" for name in _NEVER_OWNED_METADATA)
)


@dataclass(frozen=True, slots=True)
class KindVersions:
    """All versions of a kind that are served, and how to get from one to another."""

    kind: str
    schemas: Mapping[str, Schema | None]
    """By API version (`apps/v1`); None where nothing is known of the kind but its metadata."""
    convert: Convert | None = None
    types: Types | None = None
    """Shared by kinds that share definitions; None for kinds that share none."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a server-side apply makes of an object."""

    object: JsonObject
    """With its new `metadata.managedFields`."""
    is_changed: bool
    """False when only managedFields may have changed."""


class FieldManager:
    """Writes managedFields for one kind in one version, on its main endpoint or a subresource."""

    def __init__(
        self,
        versions: KindVersions,
        api_version: str,
        *,
        subresource: str = "",
        reset: Mapping[str, FieldSet] | None = None,
    ) -> None:
        """`reset`: by API version, the fields this endpoint never writes, with all that is below them."""
        self._api_version = api_version
        self._kind = versions.kind
        self._subresource = subresource
        reset = reset or {}
        self._rules = Rules(
            versions.schemas, reset=reset, convert=versions.convert, types=versions.types or Types()
        )
        schema = versions.schemas[api_version]
        self._zero: JsonObject = {
            "apiVersion": api_version,
            "kind": versions.kind,
            **(schema.emitted if schema is not None else {}),
        }
        self._reset = reset.get(api_version, {})
        left_out = {element[2:] for element, below in self._reset.items() if is_member(below)}
        self._reset_below = any(not is_member(below) for below in self._reset.values())
        root = self._rules.type_of(api_version).map
        assert root is not None, "an object is a map"
        self._created = created_fields(
            root, self._zero, {"apiVersion", "kind", *left_out}, _NEVER_OWNED_METADATA
        )

    @property
    def type(self) -> Type:
        """How the values of the kind merge."""
        return self._rules.type_of(self._api_version)

    # Create, update, patch

    def update(self, live: JsonObject | None, new: JsonObject, *, manager: str, now: str) -> list[JsonObject]:
        """The managedFields that `new` is to have; empty: none.

        `live` is the stored object, None on create; `now` is RFC 3339 in UTC.
        """
        given = (new.get("metadata") or {}).get("managedFields")
        if live is None and (given is None or self._subresource):
            return self._create(new, manager, now)
        stored = _managed_fields(live)
        try:
            managed, trusted = self._managed(stored, given)
            if live is not None and not managed:
                # Nobody has owned anything since ownership was reset: it is not started again by an update.
                return []
            old = self._zero if live is None else without_managed_fields(live)
            new = without_managed_fields(new)
            if old == new and managed and given is None and self._are_mine(managed):
                return list(stored or ())
            return encode(cap_updaters(self._updated(old, new, managed, manager, now, trusted=trusted)))
        except (TypeProblem, RecursionError):
            # Nobody can say who owns what in such an object. Mostly validation refuses it later.
            return []

    def _are_mine(self, managed: Managed) -> bool:
        """Whether all of it was recorded in this version: then the object fits it."""
        return all(entry.api_version == self._api_version for entry in managed.values())

    def _create(self, new: JsonObject, manager: str, now: str) -> list[JsonObject]:
        try:
            fields = self._created(new)
        except (TypeProblem, RecursionError):
            return []
        if self._reset_below:
            fields = recursive_difference(fields, self._reset)
        if not fields:
            return []
        entry: JsonObject = {
            "manager": manager or _UNKNOWN,
            "operation": UPDATE,
            "apiVersion": self._api_version,
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        if self._subresource:
            entry["subresource"] = self._subresource
        return [entry]

    def _managed(self, stored: Any, given: Any) -> tuple[Managed, bool]:
        """Whose word counts, and whether it is what was recorded here.

        It is the client's on the main endpoint, if it can be decoded, else what is stored.
        """
        if given is None or self._subresource or given == stored:
            return decode(stored, trusted=True), True
        if is_reset(given):
            return {}, False
        try:
            managed = decode(given) if isinstance(given, list) else {}
        except FieldsError:
            managed = {}
        return (managed, False) if managed else (decode(stored, trusted=True), True)

    def _updated(
        self,
        old: JsonObject,
        new: JsonObject,
        managed: Managed,
        manager: str,
        now: str,
        *,
        trusted: bool = True,
    ) -> Managed:
        managed = self._rules.reconciled(managed, trusted=trusted)
        result, _, comparison = ownership(self._rules, old, new, managed, api_version=self._api_version)
        fields = difference(comparison.changed, _NEVER_OWNED)
        if fields:
            key = ManagerKey.of(manager or _UNKNOWN, UPDATE, self._api_version, self._subresource)
            previous = result.get(key)
            if previous is not None:
                fields = union(fields, previous.fields)
            result[key] = Entry(fields, self._api_version, now)
        return result

    # Server-side apply

    def apply(
        self, live: JsonObject | None, config: JsonObject, *, manager: str, force: bool, now: str
    ) -> Applied:
        """The object with a configuration applied; `live` is the stored object, None when there is none.

        Raises: BadRequest for a configuration of another type or with managedFields; a plain ApiError (500)
        for one that does not fit the schema; Conflict.
        """
        self._check_type(config)
        try:
            return self._applied(live, config, manager=manager, force=force, now=now)
        except RecursionError:
            raise BadRequest("exceeded max depth") from None

    def _applied(
        self, live: JsonObject | None, config: JsonObject, *, manager: str, force: bool, now: str
    ) -> Applied:
        try:
            managed = decode(_managed_fields(live))
        except FieldsError as error:
            raise ApiError(f"failed to decode managed fields: {error}") from None
        base = self._zero if live is None else without_managed_fields(live)
        if live is not None and not managed:
            managed = self._before_first_apply(base, now)
        self._check_values(base, config)
        key = ManagerKey.of(manager, APPLY, self._api_version, self._subresource)
        try:
            merged, managed = self._merged(base, config, managed, key, force=force)
        except TypeProblem as problem:
            raise ApiError(f"failed to merge config: {problem}") from None
        is_changed = live is None or merged != base
        managed = self._stamped(managed, key, now if is_changed else None)
        result = with_last_applied(merged, config) if manager == KUBECTL else merged
        return Applied(_with_managed_fields(result, encode(managed)), is_changed or result is not merged)

    def _before_first_apply(self, live: JsonObject, now: str) -> Managed:
        """Somebody owns what is there already when nobody has owned anything."""
        try:
            return cap_updaters(self._updated(self._zero, live, {}, _BEFORE_FIRST_APPLY, now))
        except TypeProblem as problem:
            told: Exception = problem
            try:
                check(live, self._rules.type_of(self._api_version), repeated_items_allowed=True)
            except TypeProblem as complete:
                told = complete
            raise ApiError(
                f"failed to create manager for existing fields: failed to convert new object ({_name_text(live)})"
                f" to smd typed: {told}"
            ) from None

    def _check_type(self, config: JsonObject) -> None:
        api_version, kind = _text(config, "apiVersion"), _text(config, "kind")
        if (api_version, kind) != (self._api_version, self._kind):
            raise BadRequest(f"invalid object type: {type_text(api_version, kind)}")
        metadata = config.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("managedFields"), list):
            raise BadRequest("metadata.managedFields must be nil")

    def _check_values(self, live: JsonObject, config: JsonObject) -> None:
        of = self._rules.type_of(self._api_version)
        try:
            check(config, of)
        except TypeProblem as problem:
            raise ApiError(f"failed to create typed patch object ({_name_text(config)}): {problem}") from None
        if not self._rules.may_have_changed(self._api_version):
            return
        try:
            check(live, of, repeated_items_allowed=True)
        except TypeProblem as problem:
            raise ApiError(f"failed to create typed live object ({_name_text(live)}): {problem}") from None

    def _merged(
        self, live: JsonObject, config: JsonObject, managed: Managed, key: ManagerKey, *, force: bool
    ) -> tuple[JsonObject, Managed]:
        try:
            return apply_configuration(self._rules, live, config, managed, key=key, force=force)
        except Conflicts as conflicts:
            allowed = None
            if key.manager == KUBECTL:
                allowed = allowed_fields(live, self._rules.type_of(self._api_version), self._api_version)
            if allowed is None:
                raise conflict_error(conflicts) from None
            if difference(conflicts.as_set(), allowed):
                remaining = [(other, path) for other, path in conflicts.fields if not has(allowed, path)]
                raise conflict_error(Conflicts(remaining)) from None
        return apply_configuration(self._rules, live, config, managed, key=key, force=True)

    def _stamped(self, managed: Managed, key: ManagerKey, now: str | None) -> Managed:
        """The applier's entry without what is never owned, and with a new time if it changed something."""
        entry = managed.get(key)
        if entry is None:
            return managed
        fields = difference(entry.fields, _NEVER_OWNED)
        managed = {other: each for other, each in managed.items() if other != key}
        if fields:
            managed[key] = Entry(fields, entry.api_version, now or entry.time)
        return managed


def timestamps_kept(live: JsonObject, new: JsonObject) -> JsonObject:
    """`new`, with the times of its managedFields as they were when nothing else differs from `live`.

    So that a write without effect is none: to be called last, before storage compares.
    """
    before, after = _managed_fields(live), _managed_fields(new)
    if not before or not after or len(before) != len(after) or before == after:
        return new
    if any(_without_time(one) != _without_time(other) for one, other in zip(before, after, strict=True)):
        return new
    if without_managed_fields(live) != without_managed_fields(new):
        return new
    return _with_managed_fields(new, before)


def _without_time(entry: JsonObject) -> JsonObject:
    return {name: value for name, value in entry.items() if name != "time"}


def _managed_fields(value: JsonObject | None) -> Any:
    return (value.get("metadata") or {}).get("managedFields") if value is not None else None


def _with_managed_fields(value: JsonObject, entries: list[JsonObject]) -> JsonObject:
    metadata = {name: each for name, each in (value.get("metadata") or {}).items() if name != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**value, "metadata": metadata}


def type_text(api_version: str, kind: str) -> str:
    """A group, version and kind as Go prints them: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`."""
    if api_version.count("/") > 1:
        return "/, Kind="
    return f"{api_version if '/' in api_version else '/' + api_version}, Kind={kind}"


def _name_text(value: JsonObject) -> str:
    metadata = value.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    where = f"{_text(known, 'namespace')}/{_text(known, 'name')}"
    return f"{where}; {type_text(_text(value, 'apiVersion'), _text(value, 'kind'))}"


def _text(value: JsonObject, name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""
