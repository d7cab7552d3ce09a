"""Nulls that a schema does not allow: where they go, and where they stay to be complained about."""

from typing import Any

from kajitori.apimachinery.structural.defaulting import defaulter, drop_nulls


def test_nulls_that_are_not_allowed_go_alone() -> None:
    text = {"type": "string"}
    schema = {
        "properties": {
            "a": text,
            "b": {**text, "nullable": True},
            "c": {**text, "default": "x"},
            "list": {"items": {"properties": {"a": text}}},
            "map": {"additionalProperties": text},
        }
    }
    value: dict[str, Any] = {"a": None, "b": None, "c": None, "free": None}
    value |= {"list": [{"a": None, "free": None}, None], "map": {"k": None, "l": "m"}}
    drop_nulls(schema, value)
    rest = {"list": [{"free": None}, None], "map": {"l": "m"}}
    assert value == {"b": None, "c": None, "free": None, **rest}


def test_defaults_alone_leave_nulls() -> None:  # G2
    schema = {"properties": {"a": {"type": "string"}, "d": {"type": "string", "default": "x"}}}
    value: dict[str, Any] = {"a": None, "d": None}
    complete = defaulter(schema, drops_nulls=False)
    assert complete is not None
    complete(value)
    assert value == {"a": None, "d": "x"}
