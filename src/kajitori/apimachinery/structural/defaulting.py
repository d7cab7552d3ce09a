"""Filling in the defaults of a schema, and dropping the nulls that it does not allow.

Sits in the road of every write to a custom resource, and of every read of one stored before its schema had
the default. Values are changed in place: they were decoded for this purpose.

Promises
    G1  a missing member gets its default; members of what was defaulted get theirs in turn
    G2  null counts as missing where the schema is not nullable: it becomes the default, or goes (where asked to)
    G3  no two objects share a default: each gets a copy of its own

Source: apiextensions' pkg/apiserver/schema/defaulting.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Defaulter", "copy_json", "defaulter", "drop_nulls"]

Defaulter = Callable[[Any], None]

_CONTAINERS = frozenset((dict, list))
_ABSENT: Any = object()


def copy_json(value: Any) -> Any:
    """A copy of a JSON value that shares no container with it."""
    if type(value) is dict:
        return {name: copy_json(member) for name, member in value.items()}
    if type(value) is list:
        return [copy_json(item) for item in value]
    return value


def defaulter(raw: Mapping[str, Any], *, drops_nulls: bool = True) -> Defaulter | None:
    """The defaulting of values of one schema node; None when there is nothing to do.

    `drops_nulls` says whether a null that is not allowed goes where there is no default for it.
    """
    return _LazyDefaulter(raw, drops_nulls) if _has_members(raw) or _has_items(raw) else None


def drop_nulls(raw: Mapping[str, Any], value: Any) -> None:
    """Drops the nulls that a schema does not allow and has no default for; nothing is filled in."""
    if type(value) is list and isinstance(raw.get("items"), Mapping):
        for item in value:
            drop_nulls(raw["items"], item)
    if type(value) is not dict:
        return
    properties: Mapping[str, Mapping[str, Any]] = raw.get("properties") or {}
    additional = raw.get("additionalProperties")
    for name in list(value):
        schema = properties.get(name, additional)
        if not isinstance(schema, Mapping):
            continue
        if value[name] is None and not schema.get("nullable") and schema.get("default") is None:
            del value[name]
        else:
            drop_nulls(schema, value[name])


def _has_members(raw: Mapping[str, Any]) -> bool:
    return bool(raw.get("properties")) or isinstance(raw.get("additionalProperties"), Mapping)


def _has_items(raw: Mapping[str, Any]) -> bool:
    """Whether there may be something to do for the items of a list: scalars only ever get a default for null."""
    items = raw.get("items")
    if not isinstance(items, Mapping):
        return False
    nulls_matter = items.get("default") is not None and not items.get("nullable")
    return nulls_matter or _has_members(items) or _has_items(items)


class _LazyDefaulter:
    """The defaulting of one node, prepared when a value first needs it."""

    __slots__ = ("_drops_nulls", "_on_array", "_on_object", "_raw")

    def __init__(self, raw: Mapping[str, Any], drops_nulls: bool) -> None:
        self._raw = raw
        self._drops_nulls = drops_nulls
        self._on_object: Defaulter | None = None
        self._on_array: Defaulter | None = None

    def __call__(self, value: Any) -> None:
        if type(value) is dict:
            on_object = self._on_object
            if on_object is None:
                on_object = self._on_object = _object_defaulter(self._raw, self._drops_nulls)
            on_object(value)
        elif type(value) is list:
            on_array = self._on_array
            if on_array is None:
                on_array = self._on_array = _array_defaulter(self._raw, self._drops_nulls)
            on_array(value)


def _do_nothing(_: Any) -> None:
    pass


def _default_of(raw: Mapping[str, Any]) -> Any:
    """The default; a `null` one counts as none, as it does in Go."""
    found = raw.get("default")
    return _ABSENT if found is None else found


def _object_defaulter(raw: Mapping[str, Any], drops_nulls: bool) -> Defaulter:
    properties: Mapping[str, Mapping[str, Any]] = raw.get("properties") or {}
    additional = raw.get("additionalProperties")
    other = additional if isinstance(additional, Mapping) else None
    if not properties and other is None:
        return _do_nothing
    plain: list[tuple[str, Any]] = []
    copied: list[tuple[str, Any]] = []
    for name, each in properties.items():
        default = _default_of(each)
        if default is not _ABSENT:
            (copied if type(default) in _CONTAINERS else plain).append((name, default))
    made = {name: defaulter(each, drops_nulls=drops_nulls) for name, each in properties.items()}
    below = {name: found for name, found in made.items() if found is not None}
    below_other = defaulter(other, drops_nulls=drops_nulls) if other is not None else None

    def apply(value: dict[str, Any]) -> None:
        if None in value.values():
            _settle_nulls(value, properties, other, drops_nulls)
        for name, default in plain:
            if name not in value:
                value[name] = default
        for name, default in copied:
            if name not in value:
                value[name] = copy_json(default)
        if below_other is not None:
            for name, member in value.items():
                if name not in properties:
                    below_other(member)
        for name, complete in below.items():
            member = value.get(name)
            if member is not None:
                complete(member)

    return apply


def _settle_nulls(
    value: dict[str, Any],
    properties: Mapping[str, Mapping[str, Any]],
    other: Mapping[str, Any] | None,
    drops_nulls: bool,
) -> None:
    for name in [name for name, member in value.items() if member is None]:
        schema = properties.get(name, other)
        if schema is None or schema.get("nullable"):
            continue
        default = _default_of(schema)
        if default is not _ABSENT:
            value[name] = copy_json(default)
        elif drops_nulls:
            del value[name]


def _array_defaulter(raw: Mapping[str, Any], drops_nulls: bool) -> Defaulter:
    items = raw.get("items")
    if not isinstance(items, Mapping):
        return _do_nothing
    default = _ABSENT if items.get("nullable") else _default_of(items)
    below = defaulter(items, drops_nulls=drops_nulls)

    def apply(value: list[Any]) -> None:
        if default is not _ABSENT and None in value:
            value[:] = [copy_json(default) if item is None else item for item in value]
        if below is not None:
            for item in value:
                below(item)

    return apply
