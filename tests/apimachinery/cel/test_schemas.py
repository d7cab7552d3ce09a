"""Types of schemas: what expressions see, by which names, and how large it may be."""

from collections.abc import Mapping
from typing import Any

import pytest

from kajitori.apimachinery.cel.cost import Size
from kajitori.apimachinery.cel.schemas import MAX_REQUEST_BYTES, declared_type
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
)

TEXT = MAX_REQUEST_BYTES - 2


def typed(schema: Mapping[str, Any], **more: Any) -> Type:
    found = declared_type(schema, "self", **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("schema", "expected", "largest"),
    [
        ({"type": "string"}, STRING, TEXT),
        ({"type": "string", "maxLength": 10}, STRING, 40),
        ({"type": "string", "enum": ["a", "ä"]}, STRING, 2),
        ({"type": "string", "format": "byte"}, BYTES, TEXT),
        ({"type": "string", "format": "byte", "maxLength": 10}, BYTES, 10),
        ({"type": "string", "format": "duration"}, DURATION, 32),
        ({"type": "string", "format": "date"}, TIMESTAMP, 12),
        ({"type": "string", "format": "date-time", "maxLength": 5}, TIMESTAMP, 32),
        ({"type": "string", "format": "uuid"}, STRING, TEXT),
        ({"type": "integer"}, INT, 0),
        ({"type": "number"}, DOUBLE, 0),
        ({"type": "boolean"}, BOOL, 0),
        ({"x-kubernetes-int-or-string": True}, DYN, TEXT),
        ({"x-kubernetes-int-or-string": True, "maxLength": 3}, DYN, 12),
        ({"type": "array", "items": {"type": "integer"}}, list_of(INT), TEXT // 2),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 7}, list_of(STRING), 7),
        (
            {"type": "array", "items": {"type": "string", "format": "date-time"}},
            list_of(TIMESTAMP),
            TEXT // 22,
        ),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, map_of(STRING, BOOL), TEXT // 10),
        (
            {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 3},
            map_of(STRING, STRING),
            3,
        ),
    ],
)
def test_what_a_schema_is_in_expressions(
    schema: Mapping[str, Any], expected: Type, largest: int
) -> None:  # S1
    found = typed(schema)
    assert found == expected and found.size == Size(0, largest)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "object", "additionalProperties": {"x-kubernetes-preserve-unknown-fields": True}},
    ],
)
def test_what_expressions_cannot_see(schema: Mapping[str, Any]) -> None:  # S1
    assert declared_type(schema, "self") is None
    assert dict(typed({"type": "object", "properties": {"x": schema}}).fields or {}) == {}


def test_object_types_are_named_by_their_path() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}}
    found = typed(
        {
            "type": "object",
            "properties": {
                "one": inner,
                "my-list": {"type": "array", "items": inner},
                "namespace": {"type": "object", "additionalProperties": inner},
                "2nd": inner,
            },
        }
    )
    assert found.fields is not None
    assert {name: str(one) for name, one in found.fields.items()} == {
        "one": "self.one",
        "my__dash__list": "list(self.my__dash__list.@idx)",
        "__namespace__": "map(string, self.__namespace__.@elem)",
    }


def test_required_fields_without_default_make_a_list_shorter() -> None:
    item = {
        "type": "object",
        "required": ["name", "kind", "size", "missing"],
        "properties": {
            "name": {"type": "string"},
            "kind": {"type": "string", "default": "x"},
            "size": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}},
            "other": {"type": "string"},
        },
    }
    smallest = 2 + (4 + 2 + 4) + (4 + (2 + 1 + 1 + 4) + 4)
    assert typed({"type": "array", "items": item}).size == Size(0, TEXT // (smallest + 1))


def test_roots_have_names_whatever_the_schema_says() -> None:  # S2
    found = typed(
        {"type": "object", "properties": {"spec": {"type": "integer"}, "metadata": {"type": "object"}}},
        root=True,
    )
    assert found.fields is not None and set(found.fields) == {"spec", "apiVersion", "kind", "metadata"}
    assert set(found.fields["metadata"].fields or ()) == {"name", "generateName"}
    embedded = typed(
        {"type": "object", "properties": {"t": {"type": "object", "x-kubernetes-embedded-resource": True}}}
    )
    assert embedded.fields is not None and set(embedded.fields["t"].fields or ()) == {
        "apiVersion",
        "kind",
        "metadata",
    }


def test_definitions_that_contain_themselves_end() -> None:  # S3
    definitions = {
        "#/Tree": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "left": {"allOf": [{"$ref": "#/Tree"}], "default": {}},
                "rest": {"type": "array", "items": {"$ref": "#/Leaf"}},
            },
        },
        "#/Leaf": {
            "type": "object",
            "properties": {"tree": {"$ref": "#/Tree"}, "size": {"format": "int-or-string"}},
        },
    }
    found = typed({"$ref": "#/Tree"}, resolve=definitions.__getitem__)
    fields = found.fields or {}
    assert set(fields) == {"name", "left", "rest"}
    assert dict(fields["left"].fields or {}) == {}
    leaf = fields["rest"].parameters[0]
    assert set(leaf.fields or ()) == {"tree", "size"}
    assert dict((leaf.fields or {})["tree"].fields or {}) == {}


def test_one_type_is_worked_out_no_deeper_than_it_is_looked_at() -> None:
    asked: list[str] = []

    def resolve(name: str) -> Mapping[str, Any]:
        asked.append(name)
        return {"type": "object", "properties": {"next": {"$ref": f"{name}x"}}}

    found = typed({"$ref": "x"}, resolve=resolve)
    assert asked == ["x"]
    assert found.fields is not None and "next" in found.fields
    assert set(asked) == {"x", "xx"}
