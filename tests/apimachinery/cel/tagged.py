"""CEL's values written in JSON with their types, as the tests of CEL keep them: `{"int": "1"}`, `{"list": [...]}`.

{"null": null} {"bool": true} {"int": "1"} {"uint": "1"} {"double": "1.5"} {"string": "a"} {"bytes": base64}
{"timestamp": RFC 3339} {"duration": "1.5s"} {"type": "int"} {"optional": value or null}
{"list": [value, …]} {"map": [[key, value], …]} {"opaque": [type, text]}
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kajitori.apimachinery.cel import types
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import NONE, Duration, Optional, Timestamp, UInt, map_of_entries

NAMED = {
    str(each): each
    for each in (
        types.BOOL,
        types.BYTES,
        types.DOUBLE,
        types.DURATION,
        types.DYN,
        types.INT,
        types.NULL,
        types.STRING,
        types.TIMESTAMP,
        types.TYPE,
        types.UINT,
    )
}
SECOND = 10**9


def type_named(text: str) -> Type:
    """The type that is written so: `map(string, list(int))`; a single capital letter is a type parameter."""
    if text in NAMED:
        return NAMED[text]
    if text in ("list", "map"):
        return types.LIST_DYN if text == "list" else types.MAP_DYN
    if "(" not in text:
        return types.type_parameter(text) if len(text) == 1 and text.isupper() else types.opaque(text)
    name, inner = text[: text.index("(")], [type_named(each) for each in parameters(text)]
    match name:
        case "list":
            return types.list_of(inner[0])
        case "map":
            return types.map_of(inner[0], inner[1])
        case "type":
            return types.type_of(inner[0])
        case "optional_type":
            return types.optional_of(inner[0])
    return types.opaque(name, *inner)


def parameters(text: str) -> list[str]:
    """What is between the parentheses of a type's name."""
    inner = text[text.index("(") + 1 : -1]
    parts, depth, start = [], 0, 0
    for at, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(inner[start:at].strip())
            start = at + 1
    return [*parts, inner[start:].strip()]


def value_of(tagged: Mapping[str, Any]) -> Any:
    """The value that is written so."""
    ((tag, content),) = tagged.items()
    match tag:
        case "null" | "bool" | "string":
            return content
        case "int":
            return int(content)
        case "uint":
            return UInt(content)
        case "double":
            return float(content)
        case "bytes":
            return base64.b64decode(content)
        case "timestamp":
            return Timestamp(moment(content))
        case "duration":
            return Duration(stretch(content))
        case "type":
            return type_named(content)
        case "optional":
            return NONE if content is None else Optional(value_of(content))
        case "list":
            return [value_of(each) for each in content]
        case "map":
            return map_of_entries((value_of(key), value_of(value)) for key, value in content)
    raise NotImplementedError(f"a value tagged {tag}")


def moment(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time in UTC."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    since = datetime.fromisoformat(whole).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(seconds=1) * SECOND + int((fraction + "0" * 9)[:9])


def stretch(text: str) -> int:
    """Nanoseconds of `-1.5s`."""
    whole, _, fraction = text.lstrip("-").removesuffix("s").partition(".")
    length = int(whole) * SECOND + int((fraction + "0" * 9)[:9])
    return -length if text.startswith("-") else length


def comparable(value: Any) -> Any:
    """What is equal for two values only when types and values are the same; maps have no order, NaN is NaN."""
    match value:
        case None:
            return ("null", None)
        case bool():
            return ("bool", value)
        case UInt():
            return ("uint", int(value))
        case int():
            return ("int", value)
        case float():
            return ("double", repr(value))
        case str():
            return ("string", value)
        case bytes():
            return ("bytes", value)
        case Timestamp():
            return ("timestamp", value.nanoseconds)
        case Duration():
            return ("duration", value.nanoseconds)
        case Optional():
            return ("optional", comparable(value.value) if value.present else None)
        case Type():
            return ("type", value.name)
        case list() | tuple():
            return ("list", tuple(comparable(each) for each in value))
    if hasattr(value, "items"):
        return ("map", frozenset((comparable(key), comparable(each)) for key, each in value.items()))
    return ("opaque", value.cel_type.name, str(value))
