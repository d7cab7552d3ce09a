"""Conversions, and the types by their names."""

from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Overload, function
from kajitori.apimachinery.cel.numbers import (
    double_to_int,
    double_to_uint,
    format_double,
    in_uint_range,
    parse_double,
    parse_int,
    parse_uint,
)
from kajitori.apimachinery.cel.times import (
    SECOND,
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
    timestamp_of_seconds,
)
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
    type_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import INT_MAX, LIST, MAP
from kajitori.apimachinery.cel.values import type_of as type_of_value

__all__ = ["FUNCTIONS", "TYPES"]

_A, _B = type_parameter("A"), type_parameter("B")
_TRUTHS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def _same(value: Any) -> Any:
    return value


def _read(value: Any, to: Type, source: str = "string") -> Any:
    if value is None:
        raise EvaluationError(f"type conversion error from '{source}' to '{to.name}'")
    return value


def _uint_to_int(value: int) -> int:
    if value > INT_MAX:
        raise EvaluationError("integer overflow")
    return int(value)


def _bytes_to_string(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None


def _conversion(name: str, *rows: tuple[str, Type, Any]) -> Function:
    result = rows[0][1]
    return function(name, *(Overload(id, (of,), result, call) for id, of, call in rows))


FUNCTIONS = (
    function("type", Overload("type", (_A,), type_of(_A), type_of_value), guarded=False),
    _conversion(
        "bool",
        ("bool_to_bool", BOOL, _same),
        ("string_to_bool", STRING, lambda text: _read(_TRUTHS.get(text), BOOL)),
    ),
    _conversion("bytes", ("bytes_to_bytes", BYTES, _same), ("string_to_bytes", STRING, str.encode)),
    _conversion(
        "double",
        ("double_to_double", DOUBLE, _same),
        ("int64_to_double", INT, float),
        ("string_to_double", STRING, lambda text: _read(parse_double(text), DOUBLE)),
        ("uint64_to_double", UINT, float),
    ),
    _conversion(
        "duration",
        ("duration_to_duration", DURATION, _same),
        (
            "int64_to_duration",
            INT,
            lambda _: _read(None, DURATION, "int"),
        ),  # Declared in cel-go, yet never given.
        ("string_to_duration", STRING, lambda text: _read(parse_duration(text), DURATION)),
    ),
    function("dyn", Overload("to_dyn", (_A,), DYN, _same), guarded=False),
    _conversion(
        "int",
        ("int64_to_int64", INT, _same),
        ("double_to_int64", DOUBLE, double_to_int),
        ("duration_to_int64", DURATION, lambda stretch: stretch.nanoseconds),
        ("string_to_int64", STRING, lambda text: _read(parse_int(text), INT)),
        ("timestamp_to_int64", TIMESTAMP, lambda moment: moment.nanoseconds // SECOND),
        ("uint64_to_int64", UINT, _uint_to_int),
    ),
    _conversion(
        "string",
        ("string_to_string", STRING, _same),
        ("bool_to_string", BOOL, lambda truth: "true" if truth else "false"),
        ("bytes_to_string", BYTES, _bytes_to_string),
        ("double_to_string", DOUBLE, format_double),
        ("duration_to_string", DURATION, format_duration),
        ("int64_to_string", INT, str),
        ("timestamp_to_string", TIMESTAMP, format_timestamp),
        ("uint64_to_string", UINT, str),
    ),
    _conversion(
        "timestamp",
        ("timestamp_to_timestamp", TIMESTAMP, _same),
        ("int64_to_timestamp", INT, timestamp_of_seconds),
        ("string_to_timestamp", STRING, lambda text: _read(parse_timestamp(text), TIMESTAMP)),
    ),
    _conversion(
        "uint",
        ("uint64_to_uint64", UINT, _same),
        ("double_to_uint64", DOUBLE, double_to_uint),
        ("int64_to_uint64", INT, in_uint_range),
        ("string_to_uint64", STRING, lambda text: _read(parse_uint(text), UINT)),
    ),
)

TYPES: dict[str, tuple[Type, Any]] = {
    **{
        one.name: (type_of(one), one)
        for one in (BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT)
    },
    "list": (type_of(list_of(_A)), LIST),
    "map": (type_of(map_of(_A, _B)), MAP),
    "type": (type_of(TYPE), TYPE),
}
