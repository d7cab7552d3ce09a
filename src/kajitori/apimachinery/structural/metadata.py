"""The metadata of custom resources and of resources embedded in them, which has Go's types and no schema.

Sits in the road of every write (a wrong type is an error) and of every read from the store (a wrong type is
dropped, for it may have been stored before a version knew better). Values are changed in place.

Promises
    O1  after coercion `metadata` has only the fields of ObjectMeta, of their types; zero values are left out
    O2  unknown fields are dropped and told: `metadata.bogus`
    O3  what cannot be decoded is told as Go's decoder tells it

Source: apiextensions' pkg/apiserver/schema/objectmeta, meta/v1 ObjectMeta.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.constraints import in_go_order
from kajitori.apimachinery.time import normal_time

__all__ = ["Coerced", "coerce_metadata", "validate_embedded"]


class Coerced(NamedTuple):
    error: FieldError | None
    unknown: list[str]
    """Paths of the unknown fields that were dropped."""


class _MalformedError(ValueError):
    pass


class _Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    manager: str = "-"
    operation: str = "-"
    apiVersion: str = "-"
    time: str = "2006-01-02T15:04:05Z"
    fieldsType: str = "-"
    fieldsV1: dict[str, Any] = {}
    subresource: str = "-"


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What metadata usually looks like: if it converts to this, it needs no closer look."""

    name: str = ""
    generateName: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""
    generation: int = 0
    creationTimestamp: str = ""
    deletionTimestamp: str = ""
    deletionGracePeriodSeconds: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    ownerReferences: list[_Owner] = []
    finalizers: list[str] = []
    managedFields: list[_Entry] = []


# Days that not every month has are left to the slow way.
_is_canonical_time = re.compile(
    r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII
).fullmatch


def coerce_metadata(container: dict[str, Any], path: str = "", *, drop_invalid: bool = False) -> Coerced:
    """Gives `container["metadata"]` the shape of ObjectMeta, and checks that the type of the object is text.

    `path` is that of the container, empty for the object itself.
    """
    prefix = f"{path}." if path else ""
    for name in ("apiVersion", "kind"):
        if type(container.get(name, "")) is not str:
            if not drop_invalid:
                detail = "must be a string"
                return Coerced(FieldError.invalid(prefix + name, container[name], detail), [])
            del container[name]
    if "metadata" not in container:
        return Coerced(None, [])
    metadata = container["metadata"]
    if type(metadata) is dict and _is_regular(metadata):
        for name in [name for name, value in metadata.items() if not value and name in _DROPPED_WHEN_EMPTY]:
            del metadata[name]
        return Coerced(None, [])
    return _coerce_slowly(container, metadata, prefix + "metadata", drop_invalid)


def _is_regular(metadata: dict[str, Any]) -> bool:
    for name in ("creationTimestamp", "deletionTimestamp"):
        text = metadata.get(name)
        if text is not None and (type(text) is not str or not _is_canonical_time(text)):
            return False
    try:
        converted = msgspec.convert(metadata, _Metadata)
    except msgspec.ValidationError:
        return False
    for entry in converted.managedFields:
        if not _is_canonical_time(entry.time):
            return False
        if not (entry.manager and entry.operation and entry.apiVersion and entry.fieldsType):
            return False
    return True


def _coerce_slowly(container: dict[str, Any], metadata: Any, path: str, drop_invalid: bool) -> Coerced:
    if metadata is None:
        container["metadata"] = {}
        return Coerced(None, [])
    if type(metadata) is not dict:
        if drop_invalid:
            return Coerced(None, [])
        told = f"json: cannot unmarshal {_go_type(metadata)} into Go value of type v1.ObjectMeta"
        return Coerced(FieldError.invalid(path, metadata, told), [])
    unknown: list[str] = []
    result: dict[str, Any] = {}
    for name in sorted(metadata):
        read = _FIELDS.get(name)
        if read is None:
            unknown.append(f"{path}.{name}")
            continue
        below: list[str] = []
        try:
            value = read(metadata[name], name, below)
        except _MalformedError as problem:
            if drop_invalid:
                continue
            return Coerced(FieldError.invalid(path, in_go_order(metadata), str(problem)), [])
        unknown += [f"{path}.{each}" for each in below]
        if value or name not in _DROPPED_WHEN_EMPTY:
            result[name] = value
    container["metadata"] = result
    return Coerced(None, unknown)


_Reader = Callable[[Any, str, list[str]], Any]


def _go_type(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return f"number {value!r}"
    if isinstance(value, int):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _refuse(value: Any, field: str, wanted: str) -> _MalformedError:
    shown = _go_type(value)
    if wanted != "int64":
        shown = shown.partition(" ")[0]
    return _MalformedError(f"json: cannot unmarshal {shown} into Go struct field {field} of type {wanted}")


def _text(value: Any, field: str) -> str:
    if value is None:
        return ""
    if type(value) is not str:
        raise _refuse(value, field, "string")
    return value


def _read_text(value: Any, name: str, _: list[str]) -> str:
    return _text(value, f"ObjectMeta.{name}")


def _read_integer(value: Any, name: str, _: list[str]) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise _refuse(value, f"ObjectMeta.{name}", "int64")
    return value


def _read_time(value: Any, name: str, _: list[str]) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        told = f"json: cannot unmarshal {_go_type(value).partition(' ')[0]} into Go value of type string"
        raise _MalformedError(told)
    try:
        return normal_time(value) if value else None
    except ValueError as problem:
        raise _MalformedError(str(problem)) from None


def _read_texts_by_name(value: Any, name: str, _: list[str]) -> dict[str, str]:
    if value is None:
        return {}
    if type(value) is not dict:
        raise _refuse(value, f"ObjectMeta.{name}", "map[string]string")
    return {key: _text(each, f"ObjectMeta.{name}") for key, each in value.items()}


def _read_texts(value: Any, name: str, _: list[str]) -> list[str]:
    if value is None:
        return []
    if type(value) is not list:
        raise _refuse(value, f"ObjectMeta.{name}", "[]string")
    return [_text(each, f"ObjectMeta.{name}") for each in value]


def _read_owners(value: Any, name: str, unknown: list[str]) -> list[dict[str, Any]]:
    if value is None:
        return []
    if type(value) is not list:
        raise _refuse(value, f"ObjectMeta.{name}", "[]v1.OwnerReference")
    return [_read_owner(each, f"{name}[{index}]", unknown) for index, each in enumerate(value)]


def _read_owner(value: Any, path: str, unknown: list[str]) -> dict[str, Any]:
    if value is None:
        value = {}
    if type(value) is not dict:
        raise _refuse(value, "ObjectMeta.ownerReferences", "v1.OwnerReference")
    owner: dict[str, Any] = {}
    for name in ("apiVersion", "kind", "name", "uid"):
        owner[name] = _text(value.get(name), f"OwnerReference.ownerReferences.{name}")
    for name in ("controller", "blockOwnerDeletion"):
        flag = value.get(name)
        if flag is not None:
            if type(flag) is not bool:
                raise _refuse(flag, f"OwnerReference.ownerReferences.{name}", "bool")
            owner[name] = flag
    unknown += [f"{path}.{name}" for name in sorted(value) if name not in _OWNER_FIELDS]
    return owner


def _read_managed(value: Any, name: str, unknown: list[str]) -> list[dict[str, Any]]:
    if value is None:
        return []
    if type(value) is not list:
        raise _refuse(value, f"ObjectMeta.{name}", "[]v1.ManagedFieldsEntry")
    return [_read_entry(each, f"{name}[{index}]", unknown) for index, each in enumerate(value)]


def _read_entry(value: Any, path: str, unknown: list[str]) -> dict[str, Any]:
    if type(value) is not dict:
        raise _refuse(value, "ObjectMeta.managedFields", "v1.ManagedFieldsEntry")
    entry: dict[str, Any] = {}
    for name, member in value.items():
        if name in _ENTRY_TEXTS:
            text = _text(member, f"ManagedFieldsEntry.managedFields.{name}")
            if text:
                entry[name] = text
        elif name == "time":
            time = _read_time(member, name, unknown)
            if time:
                entry[name] = time
        elif name == "fieldsV1":
            if member is not None:
                entry[name] = member
        else:
            unknown.append(f"{path}.{name}")
    return entry


_OWNER_FIELDS = frozenset(("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"))
_ENTRY_TEXTS = frozenset(("manager", "operation", "apiVersion", "fieldsType", "subresource"))
_FIELDS: dict[str, _Reader] = {
    "name": _read_text,
    "generateName": _read_text,
    "namespace": _read_text,
    "selfLink": _read_text,
    "uid": _read_text,
    "resourceVersion": _read_text,
    "generation": _read_integer,
    "creationTimestamp": _read_time,
    "deletionTimestamp": _read_time,
    "deletionGracePeriodSeconds": _read_integer,
    "labels": _read_texts_by_name,
    "annotations": _read_texts_by_name,
    "ownerReferences": _read_owners,
    "finalizers": _read_texts,
    "managedFields": _read_managed,
}
# A grace period of 0 seconds is said by a pointer in Go, and stays.
_DROPPED_WHEN_EMPTY = frozenset(_FIELDS.keys() - {"deletionGracePeriodSeconds"})


def validate_embedded(value: dict[str, Any], path: str) -> list[FieldError]:
    """What is wrong with the type and the metadata of an embedded resource."""
    from kajitori.apimachinery.validation import (
        is_dns1035_label,
        name_is_path_segment,
        validate_object_meta,
    )

    errors: list[FieldError] = []
    api_version, kind = value.get("apiVersion"), value.get("kind")
    for name, text in (("apiVersion", api_version), ("kind", kind)):
        if name in value and type(text) is not str:
            errors.append(FieldError.invalid(f"{path}.{name}", text, "must be a string"))
        elif name not in value:
            errors.append(FieldError.required(f"{path}.{name}"))
        elif not text:
            errors.append(FieldError.invalid(f"{path}.{name}", text, "must not be empty"))
    if type(api_version) is str and api_version.count("/") > 1:
        told = f"unexpected GroupVersion string: {api_version}"
        errors.append(FieldError.invalid(f"{path}.apiVersion", api_version, told))
    if type(kind) is str and kind:
        told_all = is_dns1035_label(kind.lower())
        if told_all:
            told = "may have mixed case, but should otherwise match: " + ",".join(told_all)
            errors.append(FieldError.invalid(f"{path}.kind", kind, told))
    if "metadata" in value:
        probe = {"metadata": value["metadata"]}
        problem = coerce_metadata(probe, path).error
        if problem is not None:
            errors.append(problem)
        else:
            metadata = {**probe["metadata"]}
            metadata["name"] = metadata.get("name") or "fakename"  # an embedded resource may be unnamed
            errors += validate_object_meta(
                metadata,
                bool(metadata.get("namespace")),
                name=name_is_path_segment,
                path=f"{path}.metadata",
            )
    return errors
