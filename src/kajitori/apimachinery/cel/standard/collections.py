"""Membership, indexing and size."""

from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Overload, function
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    INT,
    STRING,
    list_of,
    map_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import (
    MISSING,
    Duration,
    MapValue,
    Timestamp,
    contains,
    find,
    index_of,
)

__all__ = ["FUNCTIONS", "item", "size"]

_A, _B = type_parameter("A"), type_parameter("B")
_LIST, _MAP = list_of(_A), map_of(_A, _B)


def item(container: Any, key: Any) -> Any:
    """`container[key]`."""
    if isinstance(container, list | tuple):
        position = index_of(key)
        if 0 <= position < len(container):
            return container[position]
        raise EvaluationError(f"index out of bounds: {shown(key)}")
    if isinstance(container, dict | MapValue):
        value = find(container, key)
        if value is not MISSING:
            return value
    raise EvaluationError(f"no such key: {shown(key)}")


def _in(value: Any, container: Any) -> bool:
    return contains(container, value)


def size(value: Any) -> int:
    """Elements, entries, code points or bytes."""
    if isinstance(value, str | list | tuple | dict | bytes | MapValue):
        return len(value)
    raise EvaluationError(
        "no such overload" if isinstance(value, Duration | Timestamp) else "no such overload: size"
    )


FUNCTIONS = (
    function(
        "_[_]",
        Overload("index_list", (_LIST, INT), _A, item),
        Overload("index_map", (_MAP, _A), _B, item),
        guarded=False,
    ),
    function(
        "@in",
        Overload("in_list", (_A, _LIST), BOOL, _in),
        Overload("in_map", (_A, _MAP), BOOL, _in),
        guarded=False,
    ),
    function(
        "size",
        Overload("size_bytes", (BYTES,), INT, size),
        Overload("bytes_size", (BYTES,), INT, size, member=True),
        Overload("size_list", (_LIST,), INT, size),
        Overload("list_size", (_LIST,), INT, size, member=True),
        Overload("size_map", (_MAP,), INT, size),
        Overload("map_size", (_MAP,), INT, size, member=True),
        Overload("size_string", (STRING,), INT, size),
        Overload("string_size", (STRING,), INT, size, member=True),
        guarded=False,
    ),
)
