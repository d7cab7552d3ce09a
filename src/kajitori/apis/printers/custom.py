"""Columns and cells of custom resources, from the `additionalPrinterColumns` of their definition.

Promises
    X1  a column that finds nothing, or something of another type than it says, is null
    X2  a text column prints what it finds, lists and objects as JSON; a date column prints an age
    X3  without columns of its own a custom resource shows its age

Source: apiextensions-apiserver's tableconvertor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.jsonpath import JsonPath, JsonPathError, parse_jsonpath, value_text
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import age

from .columns import column
from .table import Printer
from .texts import name_of

__all__ = ["custom_printer"]

_DEFAULT_COLUMNS: Sequence[Mapping[str, Any]] = (
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)

Convert = Callable[[Any, float], Any]


def custom_printer(additional: Sequence[Mapping[str, Any]] | None) -> Printer:
    """What prints the objects of a custom resource.

    Kubernetes gives up at the first column whose path does not parse, and shows those before it; so do we.
    """
    columns = [column("Name", "string", "name")]
    printed: list[tuple[JsonPath, Convert]] = []
    for each in additional or _DEFAULT_COLUMNS:
        path = each.get("jsonPath", "")
        try:
            parsed = parse_jsonpath(f"{{{path}}}", allow_missing=True)
        except JsonPathError:
            break
        kind = each.get("type", "")
        told = each.get("description") or f"Custom resource definition column (in JSONPath format): {path}"
        if each is _DEFAULT_COLUMNS[0]:
            told = ""
        columns.append(column(each["name"], kind, each.get("format", ""), each.get("priority") or 0, told))
        printed.append((parsed, _CONVERSIONS.get(kind, _nothing)))

    def cells_of(value: JsonObject, now: float) -> list[Any]:
        cells: list[Any] = [name_of(value)]
        for path, convert in printed:
            try:
                found, first = path.first(value)
            except JsonPathError:
                found, first = False, None
            cells.append(convert(first, now) if found else None)
        return cells

    return Printer(columns, cells_of, None)


def _nothing(value: Any, now: float) -> None:
    return None


def _text(value: Any, now: float) -> str:
    # What Go's templates say for a null.
    return "<no value>" if value is None else value_text(value)


def _integer(value: Any, now: float) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(value: Any, now: float) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # A whole number is written without a fraction.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _boolean(value: Any, now: float) -> bool | None:
    return value if isinstance(value, bool) else None


def _date(value: Any, now: float) -> str | None:
    if not isinstance(value, str):
        return None
    return age(None if value == "null" else value, now)


_CONVERSIONS: dict[str, Convert] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}
