"""Built-in definitions written out as structural schemas, for custom resources that contain a Pod spec.

Sits under `crdgen`. OpenAPI definitions refer to one another and know things that a structural schema may not
say; here everything is spelled out, and what contains itself is cut off where it would begin again.

Promises
    B1  the result has no `$ref`, and is structural
    B2  no field of the definition is lost to pruning: what cannot be described keeps its unknown fields

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from collections.abc import Callable, Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "QUANTITY_PATTERN",
    "DefinitionLoader",
    "expand_definition",
    "int_or_string_schema",
    "quantity_schema",
]

DefinitionLoader = Callable[[str], Mapping[str, Any]]
"""Gives the raw OpenAPI schema of a definition by name, or raises KeyError."""

QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "nullable",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
)


def int_or_string_schema() -> JsonObject:
    return {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}


def quantity_schema() -> JsonObject:
    return {**int_or_string_schema(), "pattern": QUANTITY_PATTERN}


def expand_definition(name: str, load: DefinitionLoader, *, every_field_optional: bool) -> JsonObject:
    """The definition called `name`, written out.

    Raises: KeyError when `load` knows no such definition.
    """
    return _Expansion(load, every_field_optional).definition(name)


class _Expansion:
    def __init__(self, load: DefinitionLoader, every_field_optional: bool) -> None:
        self._load = load
        self._optional = every_field_optional
        self._open: list[str] = []

    def definition(self, name: str) -> JsonObject:
        if name.endswith(".api.resource.Quantity"):
            return quantity_schema()
        if name.endswith(".util.intstr.IntOrString"):
            return int_or_string_schema()
        if name.endswith((".meta.v1.Time", ".meta.v1.MicroTime")):
            return {"type": "string", "format": "date-time"}
        raw = self._load(name)
        if name in self._open:
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        self._open.append(name)
        schema = self.schema(raw)
        self._open.pop()
        return schema

    def schema(self, raw: Mapping[str, Any]) -> JsonObject:
        name = _reference(raw)
        if name:
            own: JsonObject = {key: raw[key] for key in ("description", "nullable") if key in raw}
            schema = {**self.definition(name), **own}
            return self._with_default(schema, raw)
        schema = {key: raw[key] for key in _KEPT if key in raw}
        if raw.get("format") == "int-or-string":
            kept: JsonObject = {key: schema[key] for key in ("description", "nullable") if key in schema}
            return self._with_default({**int_or_string_schema(), **kept}, raw)
        if raw.get("properties"):
            schema["type"] = "object"
            schema["properties"] = {key: self.schema(each) for key, each in raw["properties"].items()}
            if raw.get("required") and not self._optional:
                schema["required"] = sorted(raw["required"])
        elif isinstance(raw.get("additionalProperties"), Mapping):
            schema["type"] = "object"
            schema["additionalProperties"] = self.schema(raw["additionalProperties"])
        elif raw.get("type") == "array":
            schema["items"] = self.schema(raw.get("items") or {})
            self._add_list_type(schema, raw)
        elif raw.get("type", "object") == "object":
            schema["x-kubernetes-preserve-unknown-fields"] = True
        return self._with_default(schema, raw)

    def _with_default(self, schema: JsonObject, raw: Mapping[str, Any]) -> JsonObject:
        """Zeros are Go's, not the API's: the definitions give them to every required field."""
        default = raw.get("default")
        if default and not self._optional:
            schema["default"] = default
        return schema

    def _add_list_type(self, schema: JsonObject, raw: Mapping[str, Any]) -> None:
        kind = raw.get("x-kubernetes-list-type")
        items = schema["items"]
        if kind == "map" and not self._optional:
            keys = raw.get("x-kubernetes-list-map-keys") or []
            properties, required = items.get("properties", {}), items.get("required", ())
            if all(key in properties and (key in required or "default" in properties[key]) for key in keys):
                schema["x-kubernetes-list-type"] = kind
                schema["x-kubernetes-list-map-keys"] = list(keys)
        elif kind == "atomic" or (kind == "set" and items.get("type") not in ("object", "array")):
            schema["x-kubernetes-list-type"] = kind


def _reference(raw: Mapping[str, Any]) -> str:
    target = raw.get("$ref")
    whole = raw.get("allOf")
    if target is None and isinstance(whole, list) and len(whole) == 1:
        target = whole[0].get("$ref")
    return target.rsplit("/", 1)[1] if isinstance(target, str) else ""
