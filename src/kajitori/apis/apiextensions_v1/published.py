"""The schema of a custom resource as it is published: with what the definition leaves to Kubernetes.

Sits under the OpenAPI documents, and under the tree that patches and field ownership work on.

Source: apiextensions' pkg/controller/openapi/builder and openapi/v2.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["LIST_META", "OBJECT_META", "published_schema", "to_v2", "v2_meta_properties"]

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

_IGNORED = ("externalDocs", "example")
_NESTED_LISTS = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = ({"type": "integer"}, {"type": "string"})


def published_schema(raw: Mapping[str, Any]) -> JsonObject:
    """The schema with `apiVersion`, `kind` and `metadata`, at the root and in embedded resources."""
    if not raw:
        return {"type": "object"}
    schema = _visit(raw)
    schema["properties"] = {**(schema.get("properties") or {}), **_meta_properties()}
    return schema


def _meta_properties() -> JsonObject:
    return {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"allOf": [{"$ref": f"#/components/schemas/{OBJECT_META}"}]},
    }


def _visit(raw: Mapping[str, Any]) -> JsonObject:
    schema = {name: value for name, value in raw.items() if name not in _IGNORED}
    if raw.get("properties"):
        schema["properties"] = {name: _visit(each) for name, each in raw["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), Mapping):
            schema[name] = _visit(raw[name])
    if raw.get("x-kubernetes-int-or-string"):
        _spell_out_int_or_string(schema)
    if raw.get("x-kubernetes-embedded-resource"):
        schema["properties"] = {**(schema.get("properties") or {}), **_meta_properties()}
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


def to_v2(raw: Mapping[str, Any]) -> JsonObject:
    """The schema as OpenAPI v2 can say it: without junctors, null, and what is beside unknown fields."""
    schema = {
        name: value
        for name, value in raw.items()
        if name not in (*_IGNORED, *_NESTED_LISTS, "not", "nullable")
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
        schema["properties"] = {name: to_v2(each) for name, each in schema["properties"].items()}
        required = [name for name in schema.get("required") or () if name not in nullable]
        schema.pop("required", None)
        if required:
            schema["required"] = required
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        schema["additionalProperties"] = to_v2(additional)
        if additional.get("nullable"):
            schema.pop("required", None)
    if isinstance(schema.get("items"), Mapping):
        schema["items"] = to_v2(schema["items"])
    if raw.get("x-kubernetes-embedded-resource") and not is_open:
        schema["properties"] = {**(schema.get("properties") or {}), **v2_meta_properties()}
        schema["required"] = _with_type_meta(schema.get("required") or [])
    return schema


def v2_meta_properties() -> JsonObject:
    return {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"$ref": f"#/definitions/{OBJECT_META}"},
    }
