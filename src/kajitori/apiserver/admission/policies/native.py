"""Values of `Object{…}` as Kubernetes hands them on, which is not always as JSON.

Sits between an expression's value and what is merged with it. A field may be a list or a map that the expression
wrote itself, but in it only what JSON has: Kubernetes unpacks one level, then takes values as they are. What came with
the request, such as `object.metadata.labels`, is JSON all through.

Promises
    N1  what Kubernetes takes for JSON is JSON here; everything else is a GoValue, which fits no type

Source: convertField in apiserver's pkg/cel/mutation/dynamic/objects.go; the Value methods of cel-go's common/types.
"""

from calendar import month_name
from collections.abc import Iterable, Iterator
from typing import Any

from kajitori.apimachinery.cel.times import format_timestamp
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Duration, MapValue, Optional, Struct, Timestamp, UInt, type_of
from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.patch.go_text import GoValue, go_syntax, go_text
from kajitori.wire.go_time import format_duration

__all__ = ["Natives", "NotNative"]

_NULL = GoValue("NULL_VALUE", "0", "structpb.NullValue")


class NotNative(Exception):
    """A map with a key that is no text."""


class Natives:
    """Knows what came with a request from what an expression made."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        """`inputs` are the variables that the expression saw."""
        self._inputs = inputs
        self._known: set[int] | None = None

    def fields(self, value: Struct) -> dict[str, Any]:
        """The fields of an object. Raises: NotNative."""
        return {name: self._field(member) for name, member in value.items()}

    def value(self, value: Any) -> Any:
        """A value that nobody unpacks. Raises: NotNative."""
        if isinstance(value, Struct):
            return self.fields(value)
        if isinstance(value, str | bool) or type(value) is int:
            return value
        if isinstance(value, float):
            return int(value) if value.is_integer() and abs(value) < 1 << 63 else value
        if type(value) is Optional:
            return self.value(value.value) if value.present else None
        if isinstance(value, list | tuple | dict) and id(value) in self._came():
            return value
        return _foreign(value)

    def _field(self, value: Any) -> Any:
        if type(value) is Optional and value.present:
            value = value.value
        if isinstance(value, Struct):
            return self.fields(value)
        if isinstance(value, list | tuple):
            return [self._member(item, value) for item in value]
        if isinstance(value, dict | MapValue):
            return {_name(key): self._member(member, value) for key, member in value.items()}
        return self.value(value)

    def _member(self, value: Any, holder: Any) -> Any:
        """What is in a list or map: of one that came with the request, null is null."""
        return None if value is None and id(holder) in self._came() else self.value(value)

    def _came(self) -> set[int]:
        """The containers of the request, which stays for as long as this does."""
        if self._known is None:
            self._known = {id(each) for value in self._inputs for each in _containers(value)}
        return self._known


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from _containers(member)
    elif isinstance(value, list):
        yield value
        for item in value:
            yield from _containers(item)


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise NotNative(f"map key {go_quote(str(key))} is no text")


def _foreign(value: Any) -> Any:
    """What Go has for a value that JSON has nothing for."""
    if value is None:
        return _NULL
    kind = type(value)
    if kind is Type:
        return value.name
    if kind is UInt:
        return GoValue(str(int(value)), hex(value), "uint64", value)
    if kind is bytes:
        shown = ", ".join(hex(byte) for byte in value)
        return GoValue(f"[{' '.join(map(str, value))}]", f"[]uint8{{{shown}}}", "[]uint8", value)
    if kind is Duration:
        return GoValue(format_duration(value.nanoseconds), str(value.nanoseconds), "time.Duration")
    if kind is Timestamp:
        return _time(value)
    if isinstance(value, list | tuple):
        texts, shown = (" ".join(map(_text, value)), ", ".join(map(go_syntax, value)))
        return GoValue(f"[{texts}]", f"[]ref.Val{{{shown}}}", "[]ref.Val")
    if isinstance(value, dict | MapValue):
        pairs = sorted(value.items(), key=lambda pair: str(pair[0]))
        texts = " ".join(f"{_text(key)}:{_text(member)}" for key, member in pairs)
        shown = ", ".join(f"{go_syntax(key)}:{go_syntax(member)}" for key, member in pairs)
        return GoValue(f"map[{texts}]", f"map[ref.Val]ref.Val{{{shown}}}", "map[ref.Val]ref.Val")
    return GoValue(str(value), str(value), type_of(value).name)


def _text(value: Any) -> str:
    return go_text(value) if isinstance(value, str | int | float) else str(value)


def _time(value: Timestamp) -> GoValue:
    text = format_timestamp(value)
    date, clock = text[:10], text[11:19]
    year, month, day = (int(part) for part in date.split("-"))
    hour, minute, second = (int(part) for part in clock.split(":"))
    rest = value.nanoseconds % 1_000_000_000
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    syntax = (
        f"time.Date({year}, time.{month_name[month]}, {day}, {hour}, {minute}, {second}, {rest}, time.UTC)"
    )
    return GoValue(f"{date} {clock}{fraction} +0000 UTC", syntax, "time.Time")
