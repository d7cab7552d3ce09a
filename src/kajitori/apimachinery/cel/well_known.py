"""The messages of protobuf that CEL knows as values of its own: `google.protobuf.Duration{seconds: 5}` is a duration.

    BoolValue, Int64Value, StringValue …    a value of the type in `value`, or null where a wrapper may be that
    Duration, Timestamp                     duration, timestamp
    Struct, ListValue, Value                map(string, dyn), list(dyn), dyn: JSON, in which every number is a double
    Empty                                   an object without fields

Every environment of cel-go has them, and so have those of Kubernetes, though objects are never made of them.

Source: cel-go's common/types/pb; https://protobuf.dev/reference/protobuf/google.protobuf/.
"""

import base64
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.times import SECOND, format_duration, format_timestamp
from kajitori.apimachinery.cel.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    map_of,
    object_type,
    wrapper_of,
)
from kajitori.apimachinery.cel.values import (
    INT_MAX,
    INT_MIN,
    Duration,
    MapValue,
    Struct,
    Timestamp,
    UInt,
    type_of,
)

__all__ = ["MESSAGES", "NULL_VALUE", "Message"]

NULL_VALUE = "google.protobuf.NullValue.NULL_VALUE"
"""An enumerator, which is the integer 0."""

_EXACT_MAX = (1 << 53) - 1
"""Integers up to here are numbers in JSON; larger ones are texts."""
_GO_NAMES = {
    "bool": "bool",
    "bytes": "[]uint8",
    "double": "float64",
    "int": "int64",
    "string": "string",
    "uint": "uint64",
}
_JSON_MAP, _JSON_LIST = map_of(STRING, DYN), list_of(DYN)
_EMPTY = object_type("google.protobuf.Empty", {})


@dataclass(frozen=True, slots=True)
class Message:
    """A message that stands for a value of another type."""

    type: Type
    fields: Mapping[str, Type]
    make: Callable[[Mapping[str, Any]], Any]
    """The value, from the fields that were given."""


def _wrapper(name: str, one: Type, zero: Any, least: int = 0, most: int = 0) -> Message:
    """A wrapper of a value of the type; integers of 32 bits have bounds."""

    def make(fields: Mapping[str, Any]) -> Any:
        value = fields.get("value", zero)
        if type(value) is not type(zero):
            wrong = f"unsupported native conversion from {type_of(value).name} to '{_GO_NAMES[one.name]}'"
            raise EvaluationError(f"field type conversion error for {name}.value value type: {wrong}")
        if most and not least <= value <= most:
            problem = "integer overflow" if type(zero) is int else "unsigned integer overflow"
            raise EvaluationError(f"field type conversion error for {name}.value value type: {problem}")
        return value

    return Message(wrapper_of(one), {"value": one}, make)


def _float(fields: Mapping[str, Any]) -> Any:
    """A number rounded to 32 bits."""
    value = _DOUBLE_WRAPPER.make(fields)
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _duration(fields: Mapping[str, Any]) -> Duration:
    nanoseconds = int(fields.get("seconds", 0)) * SECOND + int(fields.get("nanos", 0))
    return Duration(max(INT_MIN, min(INT_MAX, nanoseconds)))


def _timestamp(fields: Mapping[str, Any]) -> Timestamp:
    return Timestamp(int(fields.get("seconds", 0)) * SECOND + int(fields.get("nanos", 0)))


def _json(value: Any) -> Any:
    """A value as JSON has it."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int or kind is UInt:
        return float(value) if abs(value) <= _EXACT_MAX else str(int(value))
    if kind is bytes:
        return base64.b64encode(value).decode()
    if kind is Duration:
        return format_duration(value)
    if kind is Timestamp:
        return format_timestamp(value)
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, dict | MapValue):
        return {_key(name): _json(each) for name, each in value.items()}
    raise EvaluationError(f"unsupported type conversion from '{type_of(value).name}' to JSON")


def _key(name: Any) -> str:
    if type(name) is str:
        return name
    raise EvaluationError(f"unsupported type conversion from '{type_of(name).name}' to a JSON name")


def _value(fields: Mapping[str, Any]) -> Any:
    """What is in the field that was given; of several, the last. Nothing is null."""
    for name, value in reversed(list(fields.items())):
        return None if name == "null_value" else _json(value)
    return None


def _any(fields: Mapping[str, Any]) -> Any:
    raise EvaluationError("unsupported conversion to ref.Val: (*dynamicpb.Message)")


_DOUBLE_WRAPPER = _wrapper("google.protobuf.DoubleValue", DOUBLE, 0.0)
_INT32 = (-(1 << 31), (1 << 31) - 1)
_TIME_FIELDS = {"seconds": INT, "nanos": INT}

MESSAGES: Mapping[str, Message] = {
    f"google.protobuf.{name}": message
    for name, message in {
        "Any": Message(ANY, {"type_url": STRING, "value": BYTES}, _any),
        "BoolValue": _wrapper("google.protobuf.BoolValue", BOOL, False),
        "BytesValue": _wrapper("google.protobuf.BytesValue", BYTES, b""),
        "DoubleValue": _DOUBLE_WRAPPER,
        "Duration": Message(DURATION, _TIME_FIELDS, _duration),
        "Empty": Message(_EMPTY, {}, lambda fields: Struct(_EMPTY, ())),
        "FloatValue": Message(wrapper_of(DOUBLE), {"value": DOUBLE}, _float),
        "Int32Value": _wrapper("google.protobuf.Int32Value", INT, 0, *_INT32),
        "Int64Value": _wrapper("google.protobuf.Int64Value", INT, 0),
        "ListValue": Message(
            _JSON_LIST, {"values": _JSON_LIST}, lambda fields: _json(fields.get("values", []))
        ),
        "StringValue": _wrapper("google.protobuf.StringValue", STRING, ""),
        "Struct": Message(_JSON_MAP, {"fields": _JSON_MAP}, lambda fields: _json(fields.get("fields", {}))),
        "Timestamp": Message(TIMESTAMP, _TIME_FIELDS, _timestamp),
        "UInt32Value": _wrapper("google.protobuf.UInt32Value", UINT, UInt(0), 0, (1 << 32) - 1),
        "UInt64Value": _wrapper("google.protobuf.UInt64Value", UINT, UInt(0)),
        "Value": Message(
            DYN,
            {
                "null_value": INT,
                "number_value": DOUBLE,
                "string_value": STRING,
                "bool_value": BOOL,
                "struct_value": _JSON_MAP,
                "list_value": _JSON_LIST,
            },
            _value,
        ),
    }.items()
}
"""By full name."""
