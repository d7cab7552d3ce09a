"""The values of CEL in Python.

    null None · bool bool · int int · uint UInt · double float · string str · bytes bytes
    list list or tuple · map dict (from JSON), MapValue when a key is not a string
    timestamp Timestamp · duration Duration · type types.Type · optional Optional
    anything else: an instance with `cel_type`

JSON comes in as it is: no wrapping, no copying, so reading `self.spec.replicas` is two look-ups in a dict.

Source: cel-spec's doc/langdef.md, "Values".
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from kajitori.apimachinery.cel.types import Type

__all__ = ["INT_MAX", "INT_MIN", "NONE", "UINT_MAX", "Duration", "Opaque", "Optional", "Timestamp", "UInt"]

INT_MIN = -(1 << 63)
INT_MAX = (1 << 63) - 1
UINT_MAX = (1 << 64) - 1


class UInt(int):
    """An unsigned integer of 64 bits; a class of its own because `1u` and `1` have different types."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 in UTC; from year 1 to year 9999."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A stretch of time, in nanoseconds, of 64 bits."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Optional:
    """`optional.of(value)`; `NONE` is the empty one."""

    value: Any
    present: bool = True


NONE = Optional(None, present=False)


@runtime_checkable
class Opaque(Protocol):
    """A value of a library's own type. Equality is `==`."""

    cel_type: Type
