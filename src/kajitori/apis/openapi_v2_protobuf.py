"""An OpenAPI v2 document in the form that client-go asks for: protobuf messages of gnostic.

`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`. Only the messages that such a document of ours uses are
told here, as tables of member, number and kind.

Source: github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.wire.protobuf.scalars import encode_varint

__all__ = ["to_protobuf"]

_Write = Callable[[Any], bytes]
"""Gives the bytes of a field's value, without its tag; length-delimited unless the kind says otherwise."""

_LENGTH_DELIMITED, _VARINT, _FIXED64 = 2, 0, 1


def to_protobuf(document: JsonObject) -> bytes:
    """The document as a gnostic `Document` message."""
    return _message("Document", document)


def _tagged(number: int, wire: int, chunk: bytes) -> bytes:
    tag = encode_varint(number << 3 | wire)
    return tag + (encode_varint(len(chunk)) if wire == _LENGTH_DELIMITED else b"") + chunk


def _field(number: int, kind: str, value: Any) -> bytes:
    """One member of a message; `[]` in front of a kind repeats it, `{}` names the values of a map."""
    if kind.startswith("[]"):
        return b"".join(_field(number, kind[2:], each) for each in value)
    if kind.startswith("{}"):
        pairs = (
            _tagged(1, _LENGTH_DELIMITED, name.encode()) + _field(2, kind[2:], each)
            for name, each in value.items()
        )
        return b"".join(_tagged(number, _LENGTH_DELIMITED, pair) for pair in pairs)
    if kind == "string":
        return _tagged(number, _LENGTH_DELIMITED, str(value).encode())
    if kind == "bool":
        return _tagged(number, _VARINT, b"\x01") if value else b""
    if kind == "int":
        return _tagged(number, _VARINT, encode_varint(int(value) & (1 << 64) - 1)) if value else b""
    if kind == "double":
        return _tagged(number, _FIXED64, struct.pack("<d", value)) if value else b""
    write = _WRITERS.get(kind)
    chunk = write(value) if write else _message(kind, value)
    return _tagged(number, _LENGTH_DELIMITED, chunk)


def _message(kind: str, value: Mapping[str, Any]) -> bytes:
    members = _MESSAGES[kind]
    extension = members["x-"][0] if "x-" in members else 0
    chunks: list[bytes] = []
    for name, member in value.items():
        told = members.get(name)
        if told is not None:
            chunks.append(_field(told[0], told[1], member))
        elif extension and name.startswith("x-"):
            chunks.append(_field(extension, "{}Any", {name: member}))
    return b"".join(chunks)


def _any(value: Any) -> bytes:
    """A value of any type travels as YAML, of which JSON is a part."""
    return _tagged(2, _LENGTH_DELIMITED, msgspec.json.encode(value) + b"\n")


def _wrapped(kind: str, number: int = 1) -> _Write:
    """A message around one field."""
    return lambda value: _field(number, kind, value)


def _additional(value: Any) -> bytes:
    if isinstance(value, bool):
        return _tagged(2, _VARINT, b"\x01" if value else b"\x00")
    return _field(1, "Schema", value)


def _items(value: Any) -> bytes:
    return _field(1, "[]Schema", value if isinstance(value, list) else [value])


def _type(value: Any) -> bytes:
    return _field(1, "[]string", value if isinstance(value, list) else [value])


def _parameter(value: JsonObject) -> bytes:
    """ParametersItem: a reference, or a Parameter, which is a body or a subschema by place."""
    if "$ref" in value:
        return _field(2, "JsonReference", value)
    return _field(1, "_Parameter", value)


def _own_parameter(value: JsonObject) -> bytes:
    if value.get("in") == "body":
        return _field(1, "BodyParameter", value)
    number, kind = {"query": (3, "QueryParameter"), "path": (4, "PathParameter")}.get(
        value.get("in", ""), (1, "HeaderParameter")
    )
    return _field(2, "_Subschema", (number, kind, value))


def _subschema(choice: tuple[int, str, JsonObject]) -> bytes:
    number, kind, value = choice
    return _field(number, kind, value)


def _paths(value: JsonObject) -> bytes:
    return _field(2, "{}PathItem", value)


_WRITERS: dict[str, _Write] = {
    "Any": _any,
    "AdditionalPropertiesItem": _additional,
    "Definitions": _wrapped("{}Schema"),
    "ItemsItem": _items,
    "ParameterDefinitions": _wrapped("{}_Parameter"),
    "ParametersItem": _parameter,
    "Paths": _paths,
    "Properties": _wrapped("{}Schema"),
    "ResponseValue": _wrapped("Response"),
    "Responses": _wrapped("{}ResponseValue"),
    "SchemaItem": _wrapped("Schema"),
    "SecurityDefinitions": _wrapped("{}SecurityDefinitionsItem"),
    "SecurityDefinitionsItem": _wrapped("ApiKeySecurity", 2),
    "SecurityRequirement": _wrapped("{}StringArray"),
    "StringArray": _wrapped("[]string"),
    "TypeItem": _type,
    "_Parameter": _own_parameter,
    "_Subschema": _subschema,
}
"""Messages whose JSON has another shape than the message."""

_BOUNDS = (
    ("maximum", "double"),
    ("exclusiveMaximum", "bool"),
    ("minimum", "double"),
    ("exclusiveMinimum", "bool"),
    ("maxLength", "int"),
    ("minLength", "int"),
    ("pattern", "string"),
    ("maxItems", "int"),
    ("minItems", "int"),
    ("uniqueItems", "bool"),
)


def _numbered(first: int, members: tuple[tuple[str, str], ...]) -> dict[str, tuple[int, str]]:
    return {name: (first + index, kind) for index, (name, kind) in enumerate(members)}


def _subschema_members(*, may_be_empty: bool) -> dict[str, tuple[int, str]]:
    head = (("required", "bool"), ("in", "string"), ("description", "string"), ("name", "string"))
    tail = (
        ("type", "string"),
        ("format", "string"),
        ("items", "PrimitivesItems"),
        ("collectionFormat", "string"),
        ("default", "Any"),
        *_BOUNDS,
        ("enum", "[]Any"),
        ("multipleOf", "double"),
        ("x-", "Any"),
    )
    return _numbered(1, (*head, ("allowEmptyValue", "bool"), *tail) if may_be_empty else (*head, *tail))


_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Document": {
        "swagger": (1, "string"),
        "info": (2, "Info"),
        "paths": (8, "Paths"),
        "definitions": (9, "Definitions"),
        "parameters": (10, "ParameterDefinitions"),
        "security": (12, "[]SecurityRequirement"),
        "securityDefinitions": (13, "SecurityDefinitions"),
        "x-": (16, "Any"),
    },
    "JsonReference": {"$ref": (1, "string")},
    "Info": {"title": (1, "string"), "version": (2, "string"), "description": (3, "string")},
    "ApiKeySecurity": _numbered(
        1, (("type", "string"), ("name", "string"), ("in", "string"), ("description", "string"))
    ),
    "PathItem": {
        **_numbered(
            2,
            tuple(
                (each, "Operation") for each in ("get", "put", "post", "delete", "options", "head", "patch")
            ),
        ),
        "parameters": (9, "[]ParametersItem"),
        "x-": (10, "Any"),
    },
    "Operation": {
        "tags": (1, "[]string"),
        "summary": (2, "string"),
        "description": (3, "string"),
        "operationId": (5, "string"),
        "produces": (6, "[]string"),
        "consumes": (7, "[]string"),
        "parameters": (8, "[]ParametersItem"),
        "responses": (9, "Responses"),
        "schemes": (10, "[]string"),
        "deprecated": (11, "bool"),
        "x-": (13, "Any"),
    },
    "Response": {"description": (1, "string"), "schema": (2, "SchemaItem"), "x-": (5, "Any")},
    "BodyParameter": {
        "description": (1, "string"),
        "name": (2, "string"),
        "in": (3, "string"),
        "required": (4, "bool"),
        "schema": (5, "Schema"),
        "x-": (6, "Any"),
    },
    "QueryParameter": _subschema_members(may_be_empty=True),
    "PathParameter": _subschema_members(may_be_empty=False),
    "HeaderParameter": _subschema_members(may_be_empty=False),
    "PrimitivesItems": {"type": (1, "string"), "format": (2, "string")},
    "Schema": {
        "$ref": (1, "string"),
        "format": (2, "string"),
        "title": (3, "string"),
        "description": (4, "string"),
        "default": (5, "Any"),
        "multipleOf": (6, "double"),
        **_numbered(7, _BOUNDS),
        "maxProperties": (17, "int"),
        "minProperties": (18, "int"),
        "required": (19, "[]string"),
        "enum": (20, "[]Any"),
        "additionalProperties": (21, "AdditionalPropertiesItem"),
        "type": (22, "TypeItem"),
        "items": (23, "ItemsItem"),
        "allOf": (24, "[]Schema"),
        "properties": (25, "Properties"),
        "discriminator": (26, "string"),
        "readOnly": (27, "bool"),
        "example": (30, "Any"),
        "x-": (31, "Any"),
    },
}
