"""The OpenAPI v2 document of everything served, made from the v3 documents.

Older clients, Helm and client-go's OpenAPISchema() read `/openapi/v2`, which is one document where v3 has one per
group and version. What v2 cannot say (defaults, nullable, oneOf …) is left out, as Kubernetes does.

Promises
    O1  every definition and path of the given v3 documents is there, with its group, version, kind and action
    O2  references point into `#/definitions/`
    O3  a custom kind's schema is the one that was made for v2
    O4  parameters that many operations take stand once in `parameters`, under Kubernetes' names

Source: kube-openapi's builder, builder3 and openapiconv; apiextensions-apiserver's controller/openapi/v2.
"""

import base64
import gzip
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apis.openapi_v2_protobuf import to_protobuf

__all__ = ["document", "to_protobuf"]

_REFERENCE = "#/components/schemas/"
_KINDS = "x-kubernetes-group-version-kind"
_NOT_IN_V2 = frozenset({"anyOf", "default", "deprecated", "not", "nullable", "oneOf", "writeOnly"})
_ONE_OF_MANY = frozenset({"allOf", "anyOf", "not", "oneOf"})
_NONE: Mapping[str, JsonObject] = {}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANSWERS = {"200": "OK", "201": "Created", "202": "Accepted", "401": "Unauthorized"}
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_MEDIA_ORDER = {
    media: place
    for place, media in enumerate(
        (
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
            "text/plain",
            "application/json",
            "application/yaml",
            _PROTOBUF,
            "application/json;stream=watch",
            "application/vnd.kubernetes.protobuf;stream=watch",
        )
    )
}
"""The order in which operations tell their media; others come last."""

_NEVER_SHARED = frozenset(
    {("query", "name"), ("path", "name"), ("query", "fieldValidation"), ("query", "dryRun")}
)
"""Older kubectls look for the last two where they stand; names are told with their kind."""

_GENERIC = "#/definitions/io.k8s.apimachinery"
_GO_ESCAPES = ((b"<", rb"\u003c"), (b">", rb"\u003e"), (b"&", rb"\u0026"))

_PARAMETER_ORDER = ("uniqueItems", "type", "format", "description", "name", "in", "required")
"""The order in which Go writes a parameter, which its shared name depends on."""

_encode = msgspec.json.Encoder().encode


def document(
    custom: Iterable[JsonObject] = (), definitions_v2: Mapping[str, JsonObject] = _NONE
) -> JsonObject:
    """The document of the built-in kinds and of custom kinds: their v3 documents, and their definitions for v2."""
    paths: JsonObject = {}
    definitions: JsonObject = {}
    for path in facts.openapi_v3_hashes():
        raw: JsonObject = msgspec.json.decode(gzip.decompress(facts.openapi_v3(path).gzipped))
        _add(raw, paths, definitions)
    for each in custom:
        _add(each, paths, definitions)
    definitions.update(definitions_v2)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": f"{facts.VERSION['major']}.{facts.VERSION['minor']}"},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
        "parameters": dict(sorted(_share_parameters(paths).items())),
        "securityDefinitions": {
            "BearerToken": {
                "description": "Bearer Token authentication",
                "type": "apiKey",
                "name": "authorization",
                "in": "header",
            }
        },
        "security": [{"BearerToken": []}],
    }


def _add(raw: JsonObject, paths: JsonObject, definitions: JsonObject) -> None:
    for path, item in raw.get("paths", {}).items():
        paths[path] = _path_item(item)
    for name, schema in (raw.get("components") or {}).get("schemas", {}).items():
        converted = _schema(schema)
        known = definitions.setdefault(name, converted)
        kinds = known.get(_KINDS)
        if known is not converted and kinds is not None:
            # Options of all groups share a definition, and each document only tells its own.
            known[_KINDS] = kinds + [each for each in converted.get(_KINDS, ()) if each not in kinds]


def _share_parameters(paths: JsonObject) -> JsonObject:
    """The parameters that operations share, by name. In the paths, references take their places."""
    shared: JsonObject = {}
    names: dict[bytes, str] = {}
    for item in paths.values():
        for holder in (item, *(item[method] for method in _METHODS if method in item)):
            for place, parameter in enumerate(holder.get("parameters", ())):
                if not _may_be_shared(parameter):
                    continue
                text = _encode(parameter)
                name = names.get(text)
                if name is None:
                    name = names[text] = f"{parameter['name']}-{_digest(text)}"
                    shared[name] = parameter
                holder["parameters"][place] = {"$ref": f"#/parameters/{name}"}
    return shared


def _may_be_shared(parameter: JsonObject) -> bool:
    if parameter["in"] == "body":
        reference: str = parameter["schema"].get("$ref", "")
        return reference.startswith(_GENERIC)
    return (parameter["in"], parameter["name"]) not in _NEVER_SHARED


def _digest(text: bytes) -> str:
    """The first six bytes of FNV-1 over the text as Go writes it."""
    for plain, escaped in _GO_ESCAPES:
        text = text.replace(plain, escaped)
    value = 0xCBF29CE484222325
    for byte in text:
        value = (value * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF) ^ byte
    return base64.urlsafe_b64encode(value.to_bytes(8, "big")[:6]).decode()


def _path_item(item: JsonObject) -> JsonObject:
    converted: JsonObject = {method: _operation(item[method]) for method in _METHODS if method in item}
    if "parameters" in item:
        converted["parameters"] = [_parameter(each) for each in item["parameters"]]
    return converted


def _operation(operation: JsonObject) -> JsonObject:
    body = operation.get("requestBody") or {}
    answers: JsonObject = operation.get("responses") or {}
    produces = _in_order(media for each in answers.values() for media in each.get("content") or ())
    consumes = _in_order(body.get("content") or ())
    if not consumes:
        # Discovery, about no kind, and custom kinds, without protobuf, tell that they take what they give.
        anything = "x-kubernetes-action" in operation and _PROTOBUF in produces
        consumes = ["*/*"] if anything else produces
    parameters = [_parameter(each) for each in operation.get("parameters") or ()]
    if body:
        content: JsonObject = next(iter(body["content"].values()))
        required = {"required": True} if body.get("required") else {}
        sent = {"name": "body", "in": "body", **required, "schema": _schema(content.get("schema") or {})}
        parameters.insert(0, sent)
    converted: JsonObject = {"consumes": consumes, "produces": produces, "schemes": ["https"]}
    for member in ("description", "tags", "operationId", "deprecated"):
        if member in operation:
            converted[member] = operation[member]
    if parameters:
        converted["parameters"] = parameters
    converted["responses"] = {code: _answer(code, each) for code, each in answers.items()}
    converted.update((name, value) for name, value in operation.items() if name.startswith("x-"))
    return converted


def _in_order(media: Iterable[str]) -> list[str]:
    return sorted(set(media), key=lambda each: (_MEDIA_ORDER.get(each, len(_MEDIA_ORDER)), each))


def _answer(code: str, answer: JsonObject) -> JsonObject:
    converted: JsonObject = {"description": answer.get("description") or _ANSWERS.get(code, "")}
    for content in (answer.get("content") or {}).values():
        converted["schema"] = _schema(content.get("schema") or {})
        break
    return converted


def _parameter(parameter: JsonObject) -> JsonObject:
    """A parameter of a path or query, whose type stands in it directly."""
    schema: JsonObject = parameter.get("schema") or {}
    told = {**schema, **parameter}
    first = [name for name in _PARAMETER_ORDER if name in told]
    rest = [name for name in told if name not in (*first, "schema", "content", *_NOT_IN_V2)]
    return {name: told[name] for name in (*first, *rest)}


def _schema(schema: Mapping[str, Any]) -> JsonObject:
    converted: JsonObject = {}
    whole = schema.get("allOf")
    if isinstance(whole, list) and len(whole) == 1 and "$ref" in whole[0]:
        converted["$ref"] = _reference(whole[0]["$ref"])
    for name, value in schema.items():
        if name in _NOT_IN_V2 or name in _ONE_OF_MANY:
            continue
        if name == "$ref":
            converted[name] = _reference(value)
        elif name == "properties":
            converted[name] = {each: _schema(value[each]) for each in value}
        elif name in ("items", "additionalProperties") and isinstance(value, dict):
            converted[name] = _schema(value)
        else:
            converted[name] = value
    if schema.get("oneOf") and "type" not in converted and schema.get("format") == "int-or-string":
        converted["type"] = "string"
    if "oneOf" in schema and "$ref" not in converted and "type" not in converted:
        converted["type"] = "string"
    return converted


def _reference(target: str) -> str:
    return "#/definitions/" + target.removeprefix(_REFERENCE)
