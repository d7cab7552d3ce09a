"""Values as the messages of the run time show them, and as literals that people can read.

Source: Go's fmt with `%v` over cel-go's common/types, and cel-go's types.Format.
"""

from typing import Any

from kajitori.apimachinery.cel.numbers import format_double, format_double_plain
from kajitori.apimachinery.cel.times import format_duration, format_timestamp
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Duration, MapValue, Optional, Timestamp, UInt
from kajitori.apimachinery.decode import go_quote
from kajitori.wire import go_time

__all__ = ["formatted", "shown"]


def shown(value: Any) -> str:
    """As in `no such key: {value}`."""
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return format_double(value)
    if value is None:
        return "0"
    if kind is bytes:
        return f"[{' '.join(map(str, value))}]"
    if kind is Duration:
        return go_time.format_duration(value.nanoseconds)
    if kind is Timestamp:
        return _shown_time(value)
    if kind is Optional:
        return f"optional({shown(value.value)})" if value.present else "optional.none()"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict | MapValue):
        return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in value.items()) + "}"
    return str(value)


def _shown_time(moment: Timestamp) -> str:
    """`2006-01-02 15:04:05.999999999 +0000 UTC`."""
    text = format_timestamp(moment).replace("T", " ")
    if text.endswith("Z"):
        return f"{text[:-1]} +0000 UTC"
    zone = text[-6:].replace(":", "")
    return f"{text[:-6]} {zone} {zone}"


def formatted(value: Any) -> str:
    """As an expression that would give it again, such as `{"a": [1u, 2.5]}`."""
    kind = type(value)
    if value is None:
        return "null"
    if kind is str:
        return go_quote(value)
    if kind is UInt:
        return f"{value}u"
    if kind is float:
        return _formatted_double(value)
    if kind is bytes:
        return 'b"' + "".join(f"\\{byte:03o}" for byte in value) + '"'
    if kind is Duration:
        return f'duration("{format_duration(value)}")'
    if kind is Timestamp:
        return f'timestamp("{format_timestamp(Timestamp(value.nanoseconds))}")'
    if kind is Type:
        return str(value.name)
    if kind is Optional:
        return f"optional.of({formatted(value.value)})" if value.present else "optional.none()"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(formatted, value))}]"
    if isinstance(value, dict | MapValue):
        entries = sorted((formatted(key), formatted(one)) for key, one in value.items())
        return "{" + ", ".join(f"{key}: {one}" for key, one in entries) + "}"
    return shown(value)


def _formatted_double(value: float) -> str:
    if value != value:
        return 'double("NaN")'
    text = format_double_plain(value)
    if "Inf" in text:
        return 'double("Infinity")' if value > 0 else 'double("-Infinity")'
    return text if "." in text else f"{text}.0"
