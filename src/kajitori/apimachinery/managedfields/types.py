"""How the values of a schema merge: structs and maps, sets and keyed lists, atomic values.

A `Type` says what a value may be (a scalar, a list, a map, or several of these) and how each merges. It is
compiled from a `Schema` when first needed, node by node; `Types` keeps the compiled nodes, so that kinds that
share definitions share their types.

Promises
    T1  without a schema every map is granular, every list and scalar atomic
    T2  the members of `metadata` merge as those of ObjectMeta, whatever the schema says of it
    T3  a list item without a key takes the key's default; without any of its keys it is refused

Source: kube-openapi's schemaconv; structured-merge-diff's schema and listItemToPathElement.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.managedfields.elements import REMEMBERED_MAX, key_element, value_element
from kajitori.apimachinery.managedfields.sets import FieldSet
from kajitori.apimachinery.patch.go_text import GoValue
from kajitori.apimachinery.schema import Schema, parse_schema

__all__ = ["ListType", "MapType", "Type", "TypeProblem", "Types"]

_ABSENT: Any = object()
_ATOMIC_ANY = "atomic"
_DEDUCED = "deduced"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_UNTYPED_DEFINITIONS = {"io.k8s.apimachinery.pkg.runtime.RawExtension"}
"""OpenAPI says too little of these; Kubernetes takes them for atomic values of any type."""
_SCALAR_DEFINITIONS = {"io.k8s.apimachinery.pkg.api.resource.Quantity"}
"""These may be written as numbers too."""
_SCALARS = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}

_TEXT = {"type": "string"}
_METADATA = {
    "type": "object",
    "properties": {
        "annotations": {"type": "object", "additionalProperties": _TEXT},
        "creationTimestamp": {"type": "string", "format": "date-time"},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "deletionTimestamp": {"type": "string", "format": "date-time"},
        "finalizers": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "generateName": _TEXT,
        "generation": {"type": "integer"},
        "labels": {"type": "object", "additionalProperties": _TEXT},
        "managedFields": {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "atomic"},
        "name": _TEXT,
        "namespace": _TEXT,
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {
                    "apiVersion": _TEXT,
                    "blockOwnerDeletion": {"type": "boolean"},
                    "controller": {"type": "boolean"},
                    "kind": _TEXT,
                    "name": _TEXT,
                    "uid": _TEXT,
                },
            },
        },
        "resourceVersion": _TEXT,
        "selfLink": _TEXT,
        "uid": _TEXT,
    },
}
_TYPE_META = {name: parse_schema(_TEXT) for name in ("apiVersion", "kind")}


class TypeProblem(Exception):
    """A value that does not fit its type; `path` is grown from the inside out."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Type:
    """What a value may be. At least one of `scalar`, `list`, `map` is set."""

    __slots__ = ("added", "list", "map", "scalar", "whole")

    def __init__(
        self, scalar: str = "", list_type: "ListType | None" = None, map_type: "MapType | None" = None
    ) -> None:
        self.scalar = scalar
        """`numeric`, `string`, `boolean`, `untyped` (any of them), or empty."""
        self.list = list_type
        self.map = map_type
        self.added: Callable[[Any], FieldSet] | None = None
        """Compiled by `collect` when first asked for."""
        self.whole: Callable[[Any], FieldSet | None] | None = None

    @property
    def is_scalar_only(self) -> bool:
        return self.list is None and self.map is None


class MapType:
    """A struct, a map, or both: declared members and the type of the others."""

    __slots__ = ("_element", "_members", "_preserving", "_schemas", "_types", "atomic")

    def __init__(
        self,
        types: "Types",
        schemas: Mapping[str, Schema],
        element: "Schema | str | None",
        *,
        atomic: bool,
        preserving: bool = False,
    ) -> None:
        self.atomic = atomic
        self._types = types
        self._preserving = preserving
        self._schemas = schemas
        self._members: dict[str, Type] = {}
        self._element = element
        """A schema, the name of a common type, or None when nothing undeclared is allowed."""

    def declares(self, name: str) -> bool:
        return name in self._schemas

    def member(self, name: str) -> Type:
        """The type of a member; an undeclared one where none is allowed may be anything."""
        known = self._members.get(name)
        if known is None:
            schema = self._schemas.get(name)
            if schema is None:
                return self.element or self._types.deduced
            known = self._members[name] = self._types.of(schema, preserving=self._preserving)
        return known

    @property
    def element(self) -> Type | None:
        """The type of undeclared members; None when there may be none."""
        if isinstance(self._element, Schema):
            return self._types.of(self._element, preserving=self._preserving)
        return self._types.common(self._element) if self._element is not None else None

    @property
    def is_free_form(self) -> bool:
        """Nothing is declared and anything goes."""
        return not self._schemas and self._element == _DEDUCED


class ListType:
    """A list: atomic, a set, or keyed."""

    __slots__ = ("_defaults", "_items", "_known", "_preserving", "_types", "atomic", "keys")

    def __init__(
        self,
        types: "Types",
        items: "Schema | str",
        *,
        atomic: bool = True,
        keys: tuple[str, ...] = (),
        preserving: bool = False,
    ) -> None:
        self._preserving = preserving
        self.atomic = atomic
        self.keys = keys
        """Sorted; empty for sets."""
        self._types = types
        self._items = items
        self._defaults: dict[str, Any] = {}
        self._known: dict[Any, str] = {}
        if isinstance(items, Schema):
            self._defaults = {
                key: items.properties[key].default
                for key in keys
                if key in items.properties and items.properties[key].has_default
            }

    @property
    def items(self) -> Type:
        if isinstance(self._items, Schema):
            return self._types.of(self._items, preserving=self._preserving)
        return self._types.common(self._items)

    def element(self, item: Any) -> str:
        """The path element of an item.

        Raises: TypeProblem when it has none.
        """
        if not self.keys:
            return self._set_element(item)
        if not isinstance(item, dict):
            what = "a null element" if item is None else "non-map elements"
            raise TypeProblem(f"associative list with keys may not have {what}")
        if len(self.keys) == 1:
            value = item.get(self.keys[0])
            if type(value) is str:
                known = self._known.get(value)
                if known is None:
                    known = self._remember(value, key_element({self.keys[0]: value}))
                return known
        return self._keyed_element(item)

    def _keyed_element(self, item: dict[str, Any]) -> str:
        found: dict[str, Any] = {}
        simple = True
        for key in self.keys:
            value = item.get(key, _ABSENT)
            if value is _ABSENT:
                value = self._defaults.get(key)
                if value is None:
                    simple = False
                    continue
            found[key] = value
            simple = simple and type(value) in (str, int)
        if not found:
            listed = " ".join(map(go_quote, self.keys))
            raise TypeProblem(
                f"associative list with keys has an element that omits all key fields [{listed}]"
                " (and doesn't have default values for any key fields)"
            )
        if not simple:
            return key_element(found)
        values = tuple(found.values())
        return self._known.get(values) or self._remember(values, key_element(found))

    def _set_element(self, item: Any) -> str:
        if type(item) is str:
            return self._known.get(item) or self._remember(item, value_element(item))
        if isinstance(item, dict):
            raise TypeProblem("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise TypeProblem("not supported: associative list with lists as elements")
        if item is None:
            raise TypeProblem("associative list without keys has an element that's an explicit null")
        if isinstance(item, GoValue):
            return value_element("{{undefined}}")
        return value_element(item)

    def _remember(self, value: Any, element: str) -> str:
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[value] = element
        return element


class Types:
    """Compiled types, each node once. Share one between kinds that share definitions."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], tuple[Schema, Type]] = {}
        """By the node's identity; the node is held, so that no identity is used twice."""
        self.deduced = Type("untyped", ListType(self, _ATOMIC_ANY), MapType(self, {}, _DEDUCED, atomic=False))
        self.atomic = Type(
            "untyped", ListType(self, _ATOMIC_ANY), MapType(self, {}, _ATOMIC_ANY, atomic=True)
        )

    def common(self, name: str) -> Type:
        return self.deduced if name == _DEDUCED else self.atomic

    def root(self, schema: Schema | None) -> Type:
        """The type of a whole object; None is an object of which nothing is known but its metadata."""
        node = schema or Schema()
        properties: Mapping[str, Schema] = node.properties
        metadata = properties.get("metadata")
        if metadata is None or metadata.definition != _OBJECT_META:
            properties = {**_TYPE_META, **properties, "metadata": _object_meta()}
        element = _DEDUCED if schema is None else _element(node, preserving=node.preserve_unknown)
        return Type(
            map_type=MapType(self, properties, element, atomic=False, preserving=node.preserve_unknown)
        )

    def of(self, schema: Schema, *, preserving: bool = False) -> Type:
        """The type of a schema node; `preserving` when the schema around it takes unknown fields."""
        closed = bool(schema.definition) or schema is _object_meta()
        preserving = schema.preserve_unknown or (preserving and not closed)
        known = self._known.get((id(schema), preserving))
        if known is None:
            known = self._known[id(schema), preserving] = (schema, self._compile(schema, preserving))
        return known[1]

    def _compile(self, schema: Schema, preserving: bool) -> Type:
        if schema.definition in _SCALAR_DEFINITIONS:
            return Type("untyped")
        if schema.definition in _UNTYPED_DEFINITIONS:
            return self.atomic
        if schema.int_or_string:
            return Type("untyped")
        match schema.type:
            case "object":
                return Type(map_type=self._map(schema, preserving))
            case "array":
                return Type(list_type=self._list(schema, preserving))
            case "":
                return Type("untyped", self._list(schema, preserving), self._map(schema, preserving))
            case "string":
                return Type("string" if schema.format in ("", "byte") else "untyped")
            case other:
                return Type(_SCALARS.get(other, "untyped"))

    def _map(self, schema: Schema, preserving: bool) -> MapType:
        properties: Mapping[str, Schema] = schema.properties
        if schema.raw.get("x-kubernetes-embedded-resource"):
            properties = {**properties, **_TYPE_META, "metadata": _object_meta()}
        element = _element(schema, preserving=preserving)
        atomic = schema.map_type == "atomic"
        return MapType(self, properties, element, atomic=atomic, preserving=preserving)

    def _list(self, schema: Schema, preserving: bool) -> ListType:
        items: Schema | str = schema.items if schema.items is not None else _ATOMIC_ANY
        keys: tuple[str, ...] = ()
        associative = schema.list_type in ("map", "set")
        if schema.list_type == "map":
            keys = tuple(sorted(schema.list_map_keys))
        elif not schema.list_type and "merge" in schema.patch_strategies:
            associative = True
            keys = (schema.patch_merge_key,) if schema.patch_merge_key else ()
        return ListType(self, items, atomic=not associative, keys=keys, preserving=preserving)


def _element(schema: Schema, *, preserving: bool) -> Schema | str | None:
    if schema.additional is not None:
        return schema.additional
    free_form = not schema.properties and schema.raw.get("additionalProperties") is not False
    return _DEDUCED if preserving or free_form else None


@cache
def _object_meta() -> Schema:
    return parse_schema(_METADATA)
