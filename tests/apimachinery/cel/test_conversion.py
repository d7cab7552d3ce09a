"""JSON as values: what is converted, what is left alone, and what does not fit."""

from collections.abc import Callable
from typing import Any

import pytest

from kajitori.apimachinery.cel.conversion import converter
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.schema_values import KeyedList, PartialObject, SetList
from kajitori.apimachinery.cel.values import Duration, Timestamp

PLAIN = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"x-kubernetes-preserve-unknown-fields": True},
        "port": {"x-kubernetes-int-or-string": True},
    },
}


def test_nothing_to_convert_is_nothing_done() -> None:  # V1
    value = {"name": "a", "tags": ["b"], "labels": {"c": "d"}, "any": [1], "port": 80}
    assert converter(PLAIN)(value) is value
    assert converter(PLAIN, checked=True)(value) is value


def test_only_what_holds_something_converted_is_copied() -> None:  # V1
    schema = {
        "type": "object",
        "properties": {
            "plain": PLAIN,
            "share": {"type": "number"},
            "times": {"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}},
            "waits": {"type": "array", "items": {"type": "string", "format": "duration"}},
        },
    }
    convert = converter(schema)
    untouched = {"plain": {"name": "a"}, "share": 0.5, "times": {}, "waits": []}
    assert convert(untouched) is untouched
    value = {"plain": {"name": "a"}, "share": 1, "times": {"t": "1970-01-01T00:00:00Z"}, "waits": ["1s"]}
    converted = convert(value)
    assert converted["plain"] is value["plain"]
    assert type(converted["share"]) is float
    assert converted["times"] == {"t": Timestamp(0)} and converted["waits"] == [Duration(1_000_000_000)]
    assert value["share"] == 1 and type(value["share"]) is int and value["waits"] == ["1s"]


def test_lists_by_their_type() -> None:
    items = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "number"}}}
    keyed = {
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    found = converter(keyed)([{"name": "a", "size": 1}])
    assert type(found) is KeyedList and found.keys == ("name",) and type(found[0]["size"]) is float
    unique = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    assert type(converter(unique)(["a"])) is SetList
    atomic = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"}
    value = ["a"]
    assert converter(atomic)(value) is value


def refused(get: Callable[[], Any]) -> str:
    with pytest.raises(EvaluationError) as caught:
        get()
    return str(caught.value)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, 1, "invalid data, expected string, got int64"),
        ({"type": "string"}, None, "invalid data, got null for schema with nullable=false"),
        ({"type": "integer"}, 1.5, "invalid data, expected int, got float64"),
        ({"type": "integer"}, True, "invalid data, expected int, got bool"),
        ({"type": "number"}, "1", "invalid data, expected float, got string"),
        ({"type": "boolean"}, {}, "invalid data, expected bool, got map[string]interface {}"),
        ({"type": "object"}, [], "invalid data, expected a map for the provided schema with type=object"),
        (PLAIN, 1, "invalid data, expected a map for the provided schema with type=object"),
        (
            {"type": "array", "items": {"type": "string"}},
            {},
            "invalid data, expected an array for the provided schema with type=array",
        ),
        (
            {"x-kubernetes-int-or-string": True},
            1.5,
            "invalid data, expected XIntOrString value to be either a string or integer",
        ),
        (
            {"type": "string", "format": "date"},
            "x",
            'Invalid date formatted string x: parsing time "x" as "2006-01-02": cannot parse "x" as "2006"',
        ),
    ],
)
def test_what_does_not_fit_is_told_as_kubernetes_does(
    schema: dict[str, Any], value: object, message: str
) -> None:
    assert refused(lambda: converter(schema, checked=True)(value)) == message


def test_null_where_it_may_be() -> None:
    assert converter({"type": "integer", "nullable": True}, checked=True)(None) is None
    assert converter({"type": "number", "nullable": True})(None) is None


def test_members_that_expressions_do_not_see() -> None:
    found = converter(PLAIN, checked=True)({"name": None, "unknown": 1})
    # In an object null is as good as absent, and what the schema does not know cannot be named.
    assert type(found) is PartialObject and found.unknown == {"unknown"}
    preserving = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"a": {"type": "string"}},
    }
    assert type(converter(preserving)({"a": "b"})) is dict
    assert type(converter(preserving)({"a": "b", "c": 1})) is PartialObject
    nullable = {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}
    assert type(converter(nullable)({"a": "b"})) is dict
    assert type(converter(nullable)({"a": None})) is PartialObject


def test_what_does_not_fit_is_an_error_only_where_it_is_read() -> None:  # V2
    schema = {
        "type": "object",
        "properties": {
            "when": {"type": "string", "format": "date-time"},
            "name": {"type": "string"},
            "all": {"type": "array", "items": {"type": "integer"}},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    }
    value = {"when": "never", "name": "a", "all": [1, "2", 3], "map": {"a": 1, "b": "c"}}
    found = converter(schema, checked=True)(value)
    assert found["name"] == "a" and "when" in found and len(found["all"]) == 3
    assert "Invalid date-time formatted string never" in refused(lambda: found["when"])
    assert "Invalid date-time formatted string never" in refused(lambda: found.get("when"))
    assert found["all"][2] == 3 and found["map"]["a"] == 1
    assert refused(lambda: found["all"][1]) == "invalid data, expected int, got string"
    seen: list[object] = []
    assert refused(lambda: seen.extend(found["all"])) == "invalid data, expected int, got string"
    assert refused(lambda: found["map"].items()) == "invalid data, expected int, got string"
    assert list(found["map"]) == ["a", "b"]


def test_embedded_resources_and_references() -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True}
    value = {"apiVersion": 1}
    found = converter({"type": "object", "properties": {"t": embedded}}, checked=True)({"t": value})
    assert refused(lambda: found["t"]["apiVersion"]) == "invalid data, expected string, got int64"
    tree = {"type": "object", "properties": {"size": {"type": "number"}, "next": {"$ref": "#/Tree"}}}
    grown = converter({"$ref": "#/Tree"}, resolve={"#/Tree": tree}.__getitem__)(
        {"size": 1, "next": {"size": 1}}
    )
    assert type(grown["size"]) is float and type(grown["next"]["size"]) is int
