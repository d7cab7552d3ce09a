"""The shape of a kind, as one small tree that everything else is compiled from.

Built-in kinds come from OpenAPI definitions that refer to one another, custom kinds from the structural
schema of their CustomResourceDefinition; both become `Schema`. Validation, defaulting, pruning, strategic
merge and field ownership compile this tree into closures; nobody interprets JSON Schema per request.

Sits below everything that looks inside an object. A tree may contain itself (JSONSchemaProps does).

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy and
apiextensions.k8s.io/v1 JSONSchemaProps.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Definitions", "Schema", "parse_schema"]


class Schema:
    """One node: a value's type, its members, and how changes to it merge.

    Built once, then only read. `type` is a JSON type or "" for any. For an object either `properties` (a
    struct), `additional` (a map: the schema of its values), both, or neither (free form).
    """

    __slots__ = (
        "additional",
        "default",
        "definition",
        "emitted",
        "format",
        "has_default",
        "int_or_string",
        "items",
        "list_map_keys",
        "list_type",
        "map_type",
        "nullable",
        "omit_zero",
        "patch_merge_key",
        "patch_strategies",
        "preserve_unknown",
        "properties",
        "raw",
        "required",
        "type",
    )

    def __init__(self) -> None:
        self.definition: str = ""
        """The OpenAPI definition this node is (`io.k8s.api.core.v1.PodSpec`), empty when inline."""
        self.type: str = ""
        self.format: str = ""
        self.properties: dict[str, Schema] = {}
        self.required: frozenset[str] = frozenset()
        self.additional: Schema | None = None
        self.items: Schema | None = None
        self.list_type: str = ""
        """`atomic`, `set`, `map`, or empty: lists are atomic unless told otherwise."""
        self.list_map_keys: tuple[str, ...] = ()
        self.map_type: str = ""
        """`granular`, `atomic`, or empty: maps and structs are granular unless told otherwise."""
        self.patch_strategies: tuple[str, ...] = ()
        """Of a property: `merge`, `retainKeys`, `replace`; on the property's own node, not the shared one."""
        self.patch_merge_key: str = ""
        self.int_or_string = False
        self.preserve_unknown = False
        self.nullable = False
        self.default: Any = None
        self.has_default = False
        self.omit_zero: frozenset[str] = frozenset()
        """Properties that Go leaves out when they are zero ("", 0, false, empty list or map)."""
        self.emitted: dict[str, Any] = {}
        """Properties that Go always writes, with the zero value that it writes."""
        self.raw: Mapping[str, Any] = {}
        """The JSON the node came from: bounds, patterns, enum, CEL rules."""

    def copy(self) -> "Schema":
        """A node of its own with the same members: for a property that refers to a shared definition."""
        twin = Schema()
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin


class Definitions:
    """Named definitions, parsed when first asked for and then shared.

    `load` gives the raw JSON of a definition by name, or raises KeyError.
    """

    def __init__(self, load: Callable[[str], Mapping[str, Any]]) -> None:
        self._load = load
        self._parsed: dict[str, Schema] = {}

    def get(self, name: str) -> Schema:
        """The definition called `name`.

        Raises: KeyError when there is none.
        """
        known = self._parsed.get(name)
        if known is None:
            raw = self._load(name)
            known = self._parsed[name] = Schema()  # before its members, which may refer back to it
            known.definition = name
            _fill(known, raw, self)
        return known


def parse_schema(raw: Mapping[str, Any], definitions: Definitions | None = None) -> Schema:
    """The tree of an inline schema; `definitions` resolves `$ref`."""
    reference = _reference(raw)
    if reference and definitions is not None:
        shared = definitions.get(reference)
        own = {key: value for key, value in raw.items() if key not in ("$ref", "allOf")}
        if not own:
            return shared
        twin = _Twin(shared)
        _fill_own(twin, own)
        return twin
    node = Schema()
    _fill(node, raw, definitions)
    return node


class _Twin(Schema):
    """A property that refers to a shared definition and adds to it: members are looked up in the shared one.

    They cannot be copied at once: while a definition that contains itself is parsed, they are not there yet.
    """

    __slots__ = ("_shared",)

    def __init__(self, shared: Schema) -> None:
        object.__setattr__(self, "_shared", shared)

    def __getattr__(self, name: str) -> Any:
        # Only called for slots that were not set here.
        return getattr(self._shared, name)


def _reference(raw: Mapping[str, Any]) -> str:
    target = raw.get("$ref")
    if target is None:
        whole = raw.get("allOf")
        if isinstance(whole, list) and len(whole) == 1:
            target = whole[0].get("$ref")
    return target.rsplit("/", 1)[1] if isinstance(target, str) else ""


def _fill(node: Schema, raw: Mapping[str, Any], definitions: Definitions | None) -> None:
    node.type = raw.get("type", "")
    node.format = raw.get("format", "")
    node.required = frozenset(raw.get("required") or ())
    properties = raw.get("properties") or {}
    node.properties = {name: parse_schema(each, definitions) for name, each in properties.items()}
    additional = raw.get("additionalProperties")
    if isinstance(additional, Mapping):
        node.additional = parse_schema(additional, definitions)
    elif additional is True:
        node.additional = Schema()
    items = raw.get("items")
    if isinstance(items, Mapping):
        node.items = parse_schema(items, definitions)
    _fill_own(node, raw)


def _fill_own(node: Schema, raw: Mapping[str, Any]) -> None:
    """What a property may say about itself beside its reference."""
    node.raw = raw
    if "type" in raw:
        node.type = raw["type"]
    if "default" in raw:
        node.default, node.has_default = raw["default"], True
    if "x-kubernetes-list-type" in raw:
        node.list_type = raw["x-kubernetes-list-type"]
    if "x-kubernetes-list-map-keys" in raw:
        node.list_map_keys = tuple(raw["x-kubernetes-list-map-keys"])
    if "x-kubernetes-map-type" in raw:
        node.map_type = raw["x-kubernetes-map-type"]
    if "x-kubernetes-patch-strategy" in raw:
        node.patch_strategies = tuple(raw["x-kubernetes-patch-strategy"].split(","))
    if "x-kubernetes-patch-merge-key" in raw:
        node.patch_merge_key = raw["x-kubernetes-patch-merge-key"]
    if "x-kubernetes-int-or-string" in raw or raw.get("format") == "int-or-string":
        node.int_or_string = True
    if raw.get("x-kubernetes-preserve-unknown-fields"):
        node.preserve_unknown = True
    if raw.get("nullable"):
        node.nullable = True
