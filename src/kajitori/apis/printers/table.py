"""Tables and metadata-only objects, built from objects: pure functions of what is stored.

Promises
    T1  a Table has the resourceVersion, continue and remainingItemCount of the list it shows
    T2  a row's object is its metadata, all of it or nothing, as `includeObject` asks
    T3  what is passed in is neither changed nor copied deeply

Source: apiserver's pkg/endpoints/handlers/response.go and meta/v1 Table.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "CellsOf",
    "Printer",
    "RowConditionsOf",
    "partial_object_metadata",
    "partial_object_metadata_list",
    "table",
    "table_row",
]

CellsOf = Callable[[JsonObject, float], list[Any]]
"""The cells of an object at a time."""
RowConditionsOf = Callable[[JsonObject], list[dict[str, str]]]

META_V1 = "meta.k8s.io/v1"


class Printer(NamedTuple):
    """How the objects of one resource are shown."""

    columns: list[dict[str, Any]]
    """TableColumnDefinitions; shared, not to be changed."""
    cells_of: CellsOf
    row_conditions_of: RowConditionsOf | None = None


def partial_object_metadata(value: JsonObject, *, api_version: str = META_V1) -> JsonObject:
    """An object's metadata and nothing else."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": api_version,
        "metadata": value.get("metadata") or {},
    }


def partial_object_metadata_list(
    items: Iterable[JsonObject], metadata: JsonObject, *, api_version: str = META_V1
) -> JsonObject:
    """The metadata of every item; `metadata` is the list's own."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": api_version,
        "metadata": metadata,
        "items": [partial_object_metadata(each, api_version=api_version) for each in items],
    }


def table_row(
    printer: Printer,
    value: JsonObject,
    now: float,
    *,
    include_object: str = "Metadata",
    api_version: str = META_V1,
) -> JsonObject:
    """One TableRow. `include_object` is `Metadata`, `Object` or `None`."""
    row: JsonObject = {"cells": printer.cells_of(value, now)}
    if printer.row_conditions_of is not None and (conditions := printer.row_conditions_of(value)):
        row["conditions"] = conditions
    if include_object == "Object":
        row["object"] = value
    elif include_object == "None":
        row["object"] = None
    else:
        row["object"] = partial_object_metadata(value, api_version=api_version)
    return row


def table(
    printer: Printer,
    items: Iterable[JsonObject],
    metadata: JsonObject,
    now: float,
    *,
    include_object: str = "Metadata",
    api_version: str = META_V1,
    headers: bool = True,
) -> JsonObject:
    """A Table of objects.

    `metadata` is the list's own, or a single object's, of which only the resourceVersion is shown. Without
    `headers` the column definitions are null: later events of a watch leave them out.
    """
    shown = {
        name: metadata[name]
        for name in ("resourceVersion", "continue", "remainingItemCount")
        if name in metadata
    }
    rows = [
        table_row(printer, each, now, include_object=include_object, api_version=api_version)
        for each in items
    ]
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": shown,
        "columnDefinitions": printer.columns if headers else None,
        "rows": rows,
    }
