"""Values as JSON: what an expression gives, where JSON is to be written, such as the values of a patch.

Source: the ConvertToNative methods of cel-go's common/types for google.protobuf.Value.
"""

import base64
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.times import format_duration, format_timestamp
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Duration, MapValue, Optional, Timestamp, UInt, type_of

__all__ = ["EXACT_MAX", "as_json"]

_INTEGRAL_MAX = 1e21
"""Below this, numbers without a fraction are written without one."""
EXACT_MAX = (1 << 53) - 1
"""Integers up to here are numbers in JSON; larger ones are texts, since many readers would round them."""


def as_json(value: Any) -> Any:
    """The value as null, booleans, numbers, texts, lists and dicts; bytes as base64, times as texts.

    Raises:
        EvaluationError: JSON has nothing for it, such as a type, an empty optional, or a key that is no text; it says
            so in the words of cel-go.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int or kind is UInt:
        return int(value) if abs(value) <= EXACT_MAX else str(int(value))
    if kind is float:
        return _number(value)
    if kind is bytes:
        return base64.b64encode(value).decode()
    if kind is Duration:
        return format_duration(value)
    if kind is Timestamp:
        return format_timestamp(value)
    if kind is Optional:
        if value.present:
            return as_json(value.value)
        raise EvaluationError("optional.none() dereference")
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, dict | MapValue):
        return {_name(key): as_json(each) for key, each in value.items()}
    if kind is Type:
        raise EvaluationError("type conversion not supported for 'type'")
    name = type_of(value).name.rpartition(".")[2]
    raise EvaluationError(f"type conversion error from '{name}' to '*structpb.Value'")


def _number(value: float) -> float | int:
    if value - value != 0:
        shown = "NaN" if value != value else f"{'+' if value > 0 else '-'}Inf"
        raise EvaluationError(
            "json: error calling MarshalJSON for type *structpb.Value: "
            f"proto:\u00a0google.protobuf.Value.number_value: invalid {shown} value"
        )
    return int(value) if value == int(value) and abs(value) < _INTEGRAL_MAX else value


def _name(key: Any) -> str:
    if type(key) is str:
        return key
    name = type_of(key).name
    if type(key) is bool:
        raise EvaluationError(f"type conversion error from '{name}' to 'string'")
    raise EvaluationError(f"unsupported type conversion from '{name}' to string")
