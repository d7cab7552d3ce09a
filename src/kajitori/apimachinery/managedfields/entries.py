"""`metadata.managedFields` to sets and back.

A manager is known by its name, operation, subresource and, for updates, API version; that is a `ManagerKey`.

Promises
    M1  encode(decode(list)) is the list in Kubernetes' order, empty sets left out
    M2  decode raises for entries Kubernetes cannot decode, with its reason
    M3  of more than UPDATE_MANAGERS_MAX updaters the oldest of a version are merged into `ancient-changes`

Source: apimachinery's util/managedfields (internal/managedfields.go, capmanagers.go).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.sets import EMPTY, FieldsError, FieldSet, ordered, parse, union
from kajitori.apimachinery.time import normal_time

__all__ = [
    "APPLY",
    "UPDATE",
    "UPDATE_MANAGERS_MAX",
    "Entry",
    "Managed",
    "ManagerKey",
    "cap_updaters",
    "decode",
    "encode",
    "is_reset",
]

APPLY = "Apply"
UPDATE = "Update"
UPDATE_MANAGERS_MAX = 10
"""Updaters remembered by name: Kubernetes' limit, which bounds managedFields."""

_ANCIENT = "ancient-changes"
_TEXTS = ("manager", "operation", "apiVersion", "time", "fieldsType", "subresource")


class ManagerKey(NamedTuple):
    """Who manages: two entries of one key are one."""

    manager: str
    operation: str
    api_version: str
    """Of updates only: who applies is the same in every version."""
    subresource: str

    @classmethod
    def of(cls, manager: str, operation: str, api_version: str, subresource: str) -> "ManagerKey":
        return cls(manager, operation, "" if operation == APPLY else api_version, subresource)

    @property
    def identifier(self) -> str:
        """The JSON that Kubernetes sorts managers by."""
        names = ("manager", "operation", "apiVersion", "subresource")
        return msgspec.json.encode(
            {name: text for name, text in zip(names, self, strict=True) if text}
        ).decode()

    def __str__(self) -> str:
        """As conflicts name it: `"kubectl" with subresource "scale" using apps/v1`."""
        text = go_quote(self.manager)
        if self.subresource:
            text += f" with subresource {go_quote(self.subresource)}"
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manager owns, in which version, and since when."""

    fields: FieldSet
    api_version: str
    time: str | None = None
    raw: JsonObject | None = None
    """The entry as it stands in the object, as long as it is unchanged."""

    def with_fields(self, fields: FieldSet) -> "Entry":
        return self if fields == self.fields else Entry(fields, self.api_version, self.time)


Managed = dict[ManagerKey, Entry]


def is_reset(entries: Any) -> bool:
    """Whether managedFields ask to forget all ownership: an empty list, or one empty entry."""
    if not isinstance(entries, list):
        return False
    if not entries:
        return True
    only = entries[0]
    return len(entries) == 1 and isinstance(only, dict) and not any(only.values())


def decode(entries: Sequence[Any] | None, *, trusted: bool = False) -> Managed:
    """The sets by manager. `trusted` entries are known to have been written by `encode`.

    Raises: FieldsError.
    """
    managed: Managed = {}
    for index, raw in enumerate(entries or ()):
        if not isinstance(raw, dict) or not all(isinstance(raw.get(name, ""), str) for name in _TEXTS):
            raise FieldsError(f"managed fields entry {index} is malformed")
        operation, version = raw.get("operation"), raw.get("apiVersion")
        if operation not in (APPLY, UPDATE):
            raise FieldsError("operation must be `Apply` or `Update`")
        if not version:
            raise FieldsError("apiVersion must not be empty")
        kind = raw.get("fieldsType")
        if not kind:
            raise FieldsError(f"missing fieldsType in managed fields entry {index}")
        if kind != "FieldsV1":
            raise FieldsError(f"invalid fieldsType {go_quote(kind)} in managed fields entry {index}")
        key = ManagerKey.of(raw.get("manager") or "", operation, version, raw.get("subresource") or "")
        given, time = raw.get("fieldsV1"), raw.get("time")
        if trusted:
            managed[key] = Entry(given or EMPTY, version, time, raw)
        else:
            try:
                managed[key] = Entry(parse(given), version, _utc(time))
            except RecursionError:
                raise FieldsError("exceeded max depth") from None
    return managed


def _utc(time: str | None) -> str | None:
    """The time as the API server writes it."""
    if not time or (len(time) == 20 and time.endswith("Z")):
        return time or None
    try:
        return normal_time(time)
    except ValueError:
        raise FieldsError(f"invalid time {go_quote(time)}") from None


def encode(managed: Managed) -> list[JsonObject]:
    """The entries in Kubernetes' order."""
    return [_encoded(key, managed[key]) for key in sorted(managed, key=lambda key: _place(key, managed[key]))]


def _place(key: ManagerKey, entry: Entry) -> tuple[str, str, str, str, str]:
    # RFC 3339 in UTC to the second sorts as text; an entry without a time is older than any.
    return key.operation, entry.time or "", key.manager, entry.api_version, key.subresource


def _encoded(key: ManagerKey, entry: Entry) -> JsonObject:
    if entry.raw is not None:
        return entry.raw
    result: JsonObject = {}
    if key.manager:
        result["manager"] = key.manager
    result["operation"] = key.operation
    result["apiVersion"] = entry.api_version
    if entry.time:
        result["time"] = entry.time
    result["fieldsType"] = "FieldsV1"
    result["fieldsV1"] = ordered(entry.fields)
    if key.subresource:
        result["subresource"] = key.subresource
    return result


def cap_updaters(managed: Managed) -> Managed:
    """The entries with at most UPDATE_MANAGERS_MAX of updates, where versions allow."""
    updaters = [key for key in managed if key.operation == UPDATE]
    count = len(updaters)
    if count <= UPDATE_MANAGERS_MAX:
        return managed
    updaters.sort(key=lambda key: (managed[key].time or "", key.identifier))
    managed = dict(managed)
    first_of_version: dict[str, ManagerKey] = {}
    for key in updaters:
        if count <= UPDATE_MANAGERS_MAX:
            break
        entry = managed[key]
        version = entry.api_version
        first = first_of_version.setdefault(version, key)
        if first == key:
            continue
        bucket = ManagerKey.of(_ANCIENT, UPDATE, version, "")
        if bucket not in managed:
            managed[bucket] = managed.pop(first)
        fields = union(entry.fields, managed[bucket].fields)
        del managed[key]
        # The merged update is the more recent one.
        managed[bucket] = Entry(fields, version, entry.time)
        count -= 1
    return managed
