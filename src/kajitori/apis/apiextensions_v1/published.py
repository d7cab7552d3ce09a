"""The schema of a custom resource as it is published: with what the definition leaves to Kubernetes.

Sits under the OpenAPI documents, and under the tree that patches and field ownership work on.

Source: apiextensions' pkg/controller/openapi/builder and openapi/v2.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["BARE_META", "BARE_META_V2", "OBJECT_META", "published_schema", "to_v2"]

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

_IGNORED = ("externalDocs", "example")
_NESTED_LISTS = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = ({"type": "integer"}, {"type": "string"})

BARE_META: Mapping[str, JsonObject] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"allOf": [{"$ref": f"#/components/schemas/{OBJECT_META}"}]},
}
"""The properties that every object has, without their descriptions."""

BARE_META_V2: Mapping[str, JsonObject] = {
    **BARE_META,
    "metadata": {"$ref": f"#/definitions/{OBJECT_META}"},
}
"""The same for OpenAPI v2."""


def published_schema(raw: Mapping[str, Any], meta: Mapping[str, JsonObject] = BARE_META) -> JsonObject:
    """The schema with `apiVersion`, `kind` and `metadata`, at the root and in embedded resources."""
    if not raw:
        return {"type": "object"}
    schema = _visit(raw, meta)
    schema["properties"] = {**(schema.get("properties") or {}), **meta}
    return schema


def _visit(raw: Mapping[str, Any], meta: Mapping[str, JsonObject]) -> JsonObject:
    schema = {name: value for name, value in raw.items() if name not in _IGNORED}
    if raw.get("properties"):
        schema["properties"] = {name: _visit(each, meta) for name, each in raw["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), Mapping):
            schema[name] = _visit(raw[name], meta)
    if raw.get("x-kubernetes-int-or-string"):
        _spell_out_int_or_string(schema)
    if raw.get("x-kubernetes-embedded-resource"):
        schema["properties"] = {**(schema.get("properties") or {}), **meta}
        schema["required"] = _with_type_meta(schema.get("required") or [])
    return schema


def _with_type_meta(required: list[str]) -> list[str]:
    return required + [each for each in ("kind", "apiVersion") if each not in required]


def _spell_out_int_or_string(schema: JsonObject) -> None:
    choices = [dict(each) for each in _INT_OR_STRING]
    if schema.get("anyOf") == choices or any(
        each.get("anyOf") == choices for each in schema.get("allOf") or ()
    ):
        return
    if not schema.get("anyOf"):
        schema["anyOf"] = choices
    else:
        own = {"anyOf": schema.pop("anyOf")}
        schema["allOf"] = [{"anyOf": choices}, own, *(schema.get("allOf") or ())]


def to_v2(raw: Mapping[str, Any], meta: Mapping[str, JsonObject] = BARE_META_V2) -> JsonObject:
    """The schema as OpenAPI v2 can say it: without junctors, null, defaults, and what is beside unknown fields."""
    schema = {
        name: value
        for name, value in raw.items()
        if name not in (*_IGNORED, *_NESTED_LISTS, "default", "not", "nullable")
    }
    is_open = bool(raw.get("x-kubernetes-preserve-unknown-fields"))
    if raw.get("nullable"):
        schema.pop("type", None)
    if raw.get("nullable") or is_open:
        schema.pop("items", None)
        schema.pop("properties", None)
    if schema.get("items") is None and schema.get("type") == "array":
        del schema["type"]
    if is_open and schema.get("type") == "object":
        del schema["type"]
    if schema.get("properties"):
        nullable = {name for name, each in schema["properties"].items() if each.get("nullable")}
        schema["properties"] = {name: to_v2(each, meta) for name, each in schema["properties"].items()}
        required = [name for name in schema.get("required") or () if name not in nullable]
        schema.pop("required", None)
        if required:
            schema["required"] = required
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        schema["additionalProperties"] = to_v2(additional, meta)
        if additional.get("nullable"):
            schema.pop("required", None)
    if isinstance(schema.get("items"), Mapping):
        schema["items"] = to_v2(schema["items"], meta)
    if raw.get("x-kubernetes-embedded-resource") and not is_open:
        schema["properties"] = {**(schema.get("properties") or {}), **meta}
        schema["required"] = _with_type_meta(schema.get("required") or [])
    return schema
