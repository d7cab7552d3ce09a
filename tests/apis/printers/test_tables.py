"""Tables around cells: custom columns, row objects, metadata-only forms."""

from typing import Any

import pytest

from kajitori.apimachinery.time import parse_time
from kajitori.apis.printers import (
    builtin_printer,
    custom_printer,
    partial_object_metadata,
    partial_object_metadata_list,
    table,
)

CREATED = "2025-01-01T00:00:00Z"
NOW = parse_time("2025-01-01T01:00:00Z")
WIDGET: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "w", "creationTimestamp": CREATED, "resourceVersion": "5"},
    "spec": {
        "size": 3,
        "half": 0.5,
        "whole": 2.0,
        "ok": True,
        "text": "t",
        "none": None,
        "list": [{"name": "a"}, {"name": "b"}],
        "map": {"b": 1, "a": "<"},
        "conditions": [{"type": "Ready", "status": "True"}],
        "when": "2025-01-01T00:59:00Z",
        "never": "soon",
    },
}


def cell(kind: str, path: str) -> Any:
    printer = custom_printer([{"name": "C", "type": kind, "jsonPath": path}])
    return printer.cells_of(WIDGET, NOW)[1]


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("string", ".spec.text", "t"),
        ("string", ".spec.size", "3"),
        ("string", ".spec.ok", "true"),
        ("string", ".spec.map", '{"a":"\\u003c","b":1}'),
        ("string", ".spec.list[*].name", "a"),
        ("string", '.spec.conditions[?(@.type=="Ready")].status', "True"),
        ("string", ".spec.none", "<no value>"),
        ("string", ".spec.absent", None),
        ("string", ".spec.text[0]", None),
        ("integer", ".spec.size", 3),
        ("integer", ".spec.half", 0),
        ("integer", ".spec.text", None),
        ("integer", ".spec.ok", None),
        ("integer", ".spec.none", None),
        ("number", ".spec.half", 0.5),
        ("number", ".spec.size", 3),
        ("number", ".spec.ok", None),
        ("boolean", ".spec.ok", True),
        ("boolean", ".spec.text", None),
        ("date", ".spec.when", "60s"),
        ("date", ".metadata.creationTimestamp", "60m"),
        ("date", ".spec.never", "<invalid>"),
        ("date", ".spec.size", None),
    ],
)
def test_custom_cells(kind: str, path: str, shown: Any) -> None:  # X1, X2
    assert cell(kind, path) == shown


def test_whole_numbers_have_no_fraction() -> None:
    assert repr(cell("number", ".spec.whole")) == "2"


def test_without_columns_a_custom_resource_shows_its_age() -> None:  # X3
    nothing: list[list[dict[str, Any]] | None] = [None, []]
    for none in nothing:
        printer = custom_printer(none)
        assert [each["name"] for each in printer.columns] == ["Name", "Age"]
        assert printer.cells_of(WIDGET, NOW) == ["w", "60m"]


def test_custom_columns() -> None:
    additional: list[dict[str, Any]] = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1, "format": "int32"},
        {"name": "Text", "type": "string", "jsonPath": ".spec.text", "description": "d"},
        {"name": "Broken", "type": "string", "jsonPath": ".spec["},
        {"name": "After", "type": "string", "jsonPath": ".spec.text"},
    ]
    printer = custom_printer(additional)
    assert printer.columns[1:] == [
        {
            "name": "Size",
            "type": "integer",
            "format": "int32",
            "description": "Custom resource definition column (in JSONPath format): .spec.size",
            "priority": 1,
        },
        {"name": "Text", "type": "string", "format": "", "description": "d", "priority": 0},
    ]
    assert printer.cells_of(WIDGET, NOW) == ["w", 3, "t"]


CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "creationTimestamp": CREATED, "resourceVersion": "3"},
    "data": {"k": "v"},
}


def test_a_table() -> None:  # T1, T2
    printer = builtin_printer("", "v1", "configmaps")
    shown = table(printer, [CONFIG], {"resourceVersion": "9", "continue": "c", "remainingItemCount": 4}, NOW)
    partial = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": CONFIG["metadata"],
    }
    assert shown == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "9", "continue": "c", "remainingItemCount": 4},
        "columnDefinitions": printer.columns,
        "rows": [{"cells": ["a", 1, "60m"], "object": partial}],
    }


def test_what_a_row_holds_of_its_object() -> None:  # T2, T3
    printer = builtin_printer("", "v1", "configmaps")
    whole = table(printer, [CONFIG], {}, NOW, include_object="Object")
    assert whole["rows"][0]["object"] is CONFIG
    assert table(printer, [CONFIG], {}, NOW, include_object="None")["rows"][0]["object"] is None
    old = table(printer, [CONFIG], {}, NOW, api_version="meta.k8s.io/v1beta1", headers=False)
    assert old["apiVersion"] == old["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"
    assert old["columnDefinitions"] is None


def test_a_single_object_gives_its_resource_version() -> None:  # T1
    printer = builtin_printer("", "v1", "configmaps")
    assert table(printer, [CONFIG], CONFIG["metadata"], NOW)["metadata"] == {"resourceVersion": "3"}


def test_finished_pods_have_row_conditions() -> None:
    pod = {"metadata": {"name": "p", "creationTimestamp": CREATED}, "status": {"phase": "Succeeded"}}
    (row,) = table(builtin_printer("", "v1", "pods"), [pod], {}, NOW)["rows"]
    assert list(row) == ["cells", "conditions", "object"]
    assert row["conditions"][0]["reason"] == "Succeeded"


def test_metadata_only_forms() -> None:
    partial = partial_object_metadata(CONFIG)
    assert partial == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": CONFIG["metadata"],
    }
    assert partial_object_metadata_list([CONFIG], {"resourceVersion": "9"}) == {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "9"},
        "items": [partial],
    }
