"""The types that expressions see of values described by a schema: of custom resources, and of built-in kinds.

    schema                                      type
    object with properties                      an object type named by its path, such as `selfType.spec`
    object with additionalProperties            map(string, T)
    array                                       list(T)
    string; format byte, date(-time), duration  string; bytes, timestamp, duration
    x-kubernetes-int-or-string                  dyn
    no type, or an array or map of such         none: it cannot be named in expressions

Fields are worked out when somebody looks at them, so a kind that nobody's rule enters costs nothing.

Promises
    S1  a type is there exactly where Kubernetes has one, and knows the largest size that a request leaves room for
    S2  roots of resources have `apiVersion`, `kind`, and of `metadata` the names alone, if the schema says no more
    S3  a definition that contains itself ends in an object without fields where it would begin again

Source: apiserver's pkg/cel/common/schemas.go, types.go, limits.go and openapi/resolver/refs.go.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kajitori.apimachinery.cel.cost import Size
from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.cel.types import Kind, Type

__all__ = [
    "MAX_REQUEST_BYTES",
    "Resolve",
    "declared_type",
    "is_int_or_string",
    "least_bytes",
    "resolved",
    "with_object_meta",
]

MAX_REQUEST_BYTES = 3 * 1024 * 1024
"""The largest request that the API server takes; what has no bound of its own is bound by this."""

Resolve = Callable[[str], Mapping[str, Any]]
"""The schema that a `$ref` refers to."""

_Schema = Mapping[str, Any]
_NO_SIZE = Size(0, 0)
_FORMATS: Mapping[str, tuple[Kind, str, int, int]] = {
    # Kind, name, the shortest text with its quotes, and how long it can be.
    "duration": (Kind.DURATION, "google.protobuf.Duration", 3, 32),
    "date": (Kind.TIMESTAMP, "google.protobuf.Timestamp", 12, 12),
    "date-time": (Kind.TIMESTAMP, "google.protobuf.Timestamp", 21, 32),
}
_SCALARS: Mapping[str, tuple[Kind, str, int]] = {
    "boolean": (Kind.BOOL, "bool", 4),
    "number": (Kind.DOUBLE, "double", 1),
    "integer": (Kind.INT, "int", 1),
}
_TEXT_BYTES = MAX_REQUEST_BYTES - 2
_STRING: _Schema = {"type": "string"}
_OBJECT_META: _Schema = {"type": "object", "properties": {"name": _STRING, "generateName": _STRING}}


def declared_type(
    schema: _Schema, name: str, *, root: bool = False, resolve: Resolve | None = None
) -> Type | None:
    """The type of what a schema describes; `None` when expressions cannot see it.

    `name` becomes that of the object type, and the beginning of the names of those inside. `root` is for whole
    resources. `resolve` follows `$ref`, which only schemas of built-in kinds have.
    """
    return _Reader(resolve).type_of(schema, name, frozenset(), root=root)


def least_bytes(schema: _Schema, *, root: bool = False) -> int:
    """How short the JSON of a value can be, for a schema that expressions can see."""
    return _Reader(None).smallest(schema, frozenset(), root=root)


def is_int_or_string(schema: _Schema) -> bool:
    """Whether values are integers or strings; built-in kinds say it by a format."""
    return bool(schema.get("x-kubernetes-int-or-string")) or schema.get("format") == "int-or-string"


def with_object_meta(schema: _Schema, resolve: Resolve | None = None) -> _Schema:
    """The schema with what every resource has, unless it has all of that already."""
    properties = schema.get("properties") or {}
    metadata, _ = resolved(properties.get("metadata") or {}, frozenset(), resolve)
    known = metadata.get("properties") or {}
    if (
        metadata.get("type") == "object"
        and all((properties.get(name) or {}).get("type") == "string" for name in ("kind", "apiVersion"))
        and all((known.get(name) or {}).get("type") == "string" for name in ("name", "generateName"))
    ):
        return schema
    added = {"kind": _STRING, "apiVersion": _STRING, "metadata": _OBJECT_META}
    return {**schema, "properties": {**properties, **added}}


def resolved(
    schema: _Schema, inside: frozenset[str], resolve: Resolve | None
) -> tuple[_Schema, frozenset[str]]:
    """What the schema refers to, if it refers to anything; nothing is kept of what stands beside the reference.

    `inside` are the definitions that it is found in: one of these again is an object without fields.
    """
    if resolve is None:
        return schema, inside
    reference = _reference(schema)
    if reference is None:
        return schema, inside
    if reference in inside:
        return {"type": "object"}, inside
    return resolve(reference), inside | {reference}


class _Reader:
    """Reads schemas whose references one function resolves."""

    __slots__ = ("_resolve",)

    def __init__(self, resolve: Resolve | None) -> None:
        self._resolve = resolve

    def type_of(
        self, schema: _Schema, path: str, inside: frozenset[str], *, root: bool = False
    ) -> Type | None:
        """The type of a schema that is found at `path`, inside of these definitions."""
        schema, inside = resolved(schema, inside, self._resolve)
        if is_int_or_string(schema):
            limit = schema.get("maxLength")
            return Type(Kind.DYN, "dyn", size=Size(0, _TEXT_BYTES if limit is None else _positive(limit) * 4))
        kind = schema.get("type")
        if kind == "object":
            return self._object(with_object_meta(schema, self._resolve) if root else schema, path, inside)
        if kind == "array":
            return self._array(schema, path, inside)
        if kind == "string":
            return _string(schema)
        scalar = _SCALARS.get(kind or "")
        return Type(scalar[0], scalar[1], size=_NO_SIZE) if scalar is not None else None

    def _object(self, schema: _Schema, path: str, inside: frozenset[str]) -> Type | None:
        additional = schema.get("additionalProperties")
        if not isinstance(additional, Mapping):
            return Type(Kind.OBJECT, path, (), _Fields(self, schema, path, inside), _NO_SIZE)
        embedded = bool(additional.get("x-kubernetes-embedded-resource"))
        value = self.type_of(additional, f"{path}.@elem", inside, root=embedded)
        if value is None:
            return None
        limit = schema.get("maxProperties")
        if limit is None:
            limit = _TEXT_BYTES // (self.smallest(additional, inside, root=embedded) + 6)
        key = Type(Kind.STRING, "string", size=_NO_SIZE)
        size = Size(0, _positive(limit))
        return Type(Kind.MAP, "map", (key, value), size=size, key_size=_NO_SIZE)

    def _array(self, schema: _Schema, path: str, inside: frozenset[str]) -> Type | None:
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return None
        embedded = bool(items.get("x-kubernetes-embedded-resource"))
        element = self.type_of(items, f"{path}.@idx", inside, root=embedded)
        if element is None:
            return None
        limit = schema.get("maxItems")
        if limit is None:
            limit = _TEXT_BYTES // (self.smallest(items, inside, root=embedded) + 1)
        return Type(Kind.LIST, "list", (element,), size=Size(0, _positive(limit)))

    def smallest(self, schema: _Schema, inside: frozenset[str], *, root: bool = False) -> int:
        """How many bytes the shortest JSON has that fits; only for schemas with a type."""
        schema, inside = resolved(schema, inside, self._resolve)
        if is_int_or_string(schema):
            return 1
        kind = schema.get("type")
        if kind == "object" and not isinstance(schema.get("additionalProperties"), Mapping):
            return self._smallest_object(with_object_meta(schema, self._resolve) if root else schema, inside)
        if kind == "string":
            known = _FORMATS.get(schema.get("format") or "")
            return known[2] if known is not None else 2
        scalar = _SCALARS.get(kind or "")
        return scalar[2] if scalar is not None else 2

    def _smallest_object(self, schema: _Schema, inside: frozenset[str]) -> int:
        total = 2
        properties = schema.get("properties") or {}
        for name in dict.fromkeys(schema.get("required") or ()):
            child = properties.get(name)
            if child is None:
                continue
            whole, _ = resolved(child, inside, self._resolve)
            if whole.get("default") is None and self.is_exposed(child, inside):
                embedded = bool(whole.get("x-kubernetes-embedded-resource"))
                total += len(name.encode()) + self.smallest(child, inside, root=embedded) + 4
        return total

    def is_exposed(self, schema: _Schema, inside: frozenset[str]) -> bool:
        """Whether the schema has a type at all, found out without making it."""
        schema, inside = resolved(schema, inside, self._resolve)
        if is_int_or_string(schema):
            return True
        kind = schema.get("type")
        if kind == "array":
            items = schema.get("items")
            return isinstance(items, Mapping) and self.is_exposed(items, inside)
        if kind == "object":
            additional = schema.get("additionalProperties")
            return not isinstance(additional, Mapping) or self.is_exposed(additional, inside)
        return kind == "string" or kind in _SCALARS

    def fields(self, schema: _Schema, path: str, inside: frozenset[str]) -> dict[str, Type]:
        """The fields of an object, by the names that expressions use."""
        found: dict[str, Type] = {}
        for name, child in (schema.get("properties") or {}).items():
            identifier = escape(name)
            if identifier is None:
                continue
            whole, _ = resolved(child, inside, self._resolve)
            embedded = bool(whole.get("x-kubernetes-embedded-resource"))
            one = self.type_of(child, f"{path}.{identifier}", inside, root=embedded)
            if one is not None:
                found[identifier] = one
        return found


class _Fields(Mapping[str, Type]):
    """The fields of one object type, worked out on first sight."""

    __slots__ = ("_found", "_made_of")

    def __init__(self, reader: _Reader, schema: _Schema, path: str, inside: frozenset[str]) -> None:
        self._made_of: tuple[_Reader, _Schema, str, frozenset[str]] | None = (reader, schema, path, inside)
        self._found: dict[str, Type] = {}

    def _known(self) -> dict[str, Type]:
        if self._made_of is not None:
            reader, schema, path, inside = self._made_of
            self._found = reader.fields(schema, path, inside)
            self._made_of = None
        return self._found

    def __getitem__(self, name: str) -> Type:
        return self._known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


def _string(schema: _Schema) -> Type:
    limit = schema.get("maxLength")
    format = schema.get("format")
    if format == "byte":
        return Type(Kind.BYTES, "bytes", size=Size(0, _TEXT_BYTES if limit is None else _positive(limit)))
    known = _FORMATS.get(format or "")
    if known is not None:
        return Type(known[0], known[1], size=Size(0, known[3]))
    longest = _TEXT_BYTES
    if limit is not None:
        # Counted in characters, of which each may have four bytes.
        longest = _positive(limit) * 4
    elif schema.get("enum"):
        longest = max(len(each.encode()) if isinstance(each, str) else 0 for each in schema["enum"])
    return Type(Kind.STRING, "string", size=Size(0, longest))


def _positive(limit: int) -> int:
    return max(0, int(limit))


def _reference(schema: _Schema) -> str | None:
    """What a schema refers to: by itself, or wrapped so that it can have a description of its own."""
    target = schema.get("$ref")
    if isinstance(target, str):
        return target
    for each in schema.get("allOf") or ():
        target = _reference(each)
        if target is not None:
            return target
    return None
