"""The values of CEL in Python, and what can be asked of any of them: type, equality, order, size, a member.

    null None · bool bool · int int · uint UInt · double float · string str · bytes bytes
    list list or tuple · map dict (from JSON), MapValue when a key is not a string · message Struct
    timestamp Timestamp · duration Duration · type types.Type · optional Optional
    anything else: an instance with `cel_type`

JSON comes in as it is: no wrapping, no copying, so reading `self.spec.replicas` is two look-ups in a dict.

Promises
    V1  numbers are equal across int and uint by their value, and with a double as doubles; NaN equals nothing
    V2  a map's key is found by any number of the same value, as in `{1: 'a'}[1.0]`, and never `true` by 1
    V3  equality of values of different types is false, never an error, but for what a library's own type says

Source: cel-spec's doc/langdef.md, "Values"; cel-go's common/types, whose run-time messages these are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Kind,
    Type,
)

__all__ = [
    "INT_MAX",
    "INT_MIN",
    "LIST",
    "MAP",
    "MISSING",
    "NONE",
    "OPTIONAL",
    "UINT_MAX",
    "Duration",
    "LazyFields",
    "MapValue",
    "Opaque",
    "Optional",
    "Struct",
    "Timestamp",
    "UInt",
    "actual_size",
    "contains",
    "equal",
    "find",
    "go_type",
    "index_of",
    "keys_of",
    "map_of_entries",
    "no_such_overload",
    "surely_equal",
    "type_of",
]

INT_MIN = -(1 << 63)
INT_MAX = (1 << 63) - 1
UINT_MAX = (1 << 64) - 1

LIST = Type(Kind.LIST, "list")
"""What `type([1])` gives: at run time lists do not know the type of their elements."""
MAP = Type(Kind.MAP, "map")
OPTIONAL = Type(Kind.OPAQUE, "optional_type")


class UInt(int):
    """An unsigned integer of 64 bits; a class of its own because `1u` and `1` have different types."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment, in nanoseconds since 1970 in UTC; from year 1 to year 9999."""

    nanoseconds: int
    offset_seconds: int = field(default=0, compare=False)
    """East of UTC, as it was written: only for writing it again."""


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
    """A value of a library's own type. Equality is `==`, or its method `equals`, which may raise EvaluationError.

    Its size for costs is 1, or its `cel_size`.
    """

    cel_type: Type


class Struct(dict[str, Any]):
    """A message made by `Type.Name{field: value}`: its fields, and the type it says it has."""

    __slots__ = ("cel_type",)

    def __init__(self, cel_type: Type, fields: Iterable[tuple[str, Any]]) -> None:
        super().__init__(fields)
        self.cel_type = cel_type


class LazyFields(dict[str, Any]):
    """An object whose fields are computed when they are first asked for, once: the `variables` of a policy.

    A field that cannot be computed raises its EvaluationError each time it is asked for.
    """

    __slots__ = ("_compute", "_errors")

    def __init__(self, compute: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__()
        self._compute = compute
        self._errors: dict[str, EvaluationError] = {}

    def __missing__(self, name: str) -> Any:
        if name in self._errors:
            raise self._errors[name]
        try:
            value = self[name] = self._compute[name]()
        except EvaluationError as error:
            self._errors[name] = error
            raise
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The field, computed; `default` when there is none of that name."""
        return self[name] if name in self._compute else default

    def __contains__(self, name: object) -> bool:
        return name in self._compute

    def __iter__(self) -> Iterator[str]:
        return iter(self._compute)

    def __len__(self) -> int:
        return len(self._compute)


class MapValue:
    """A map with a key that is not a string. Keys of different types are different, such as `1` and `true`."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[tuple[Any, Any]]) -> None:
        self._entries: dict[tuple[type, Any], Any] = {}
        for key, value in entries:
            self._entries[type(key), key] = value

    def find(self, key: object) -> Any:
        """The value, or `MISSING`. A number is looked for as it is, then as the other integers of its value."""
        entries = self._entries
        value = entries.get((type(key), key), MISSING)
        if value is not MISSING or type(key) not in _NUMBERS:
            return value
        for other in _other_integers(key):
            value = entries.get((type(other), other), MISSING)
            if value is not MISSING:
                return value
        return MISSING

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Keys with values, in the order in which they were written."""
        for (_, key), value in self._entries.items():
            yield key, value

    def __iter__(self) -> Iterator[Any]:
        return (key for _, key in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"MapValue({list(self.items())!r})"


class _Missing:
    """What a look-up gives instead of a value: `None` is one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()

_TYPES: dict[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    list: LIST,
    tuple: LIST,
    dict: MAP,
    MapValue: MAP,
    Timestamp: TIMESTAMP,
    Duration: DURATION,
    Type: TYPE,
    Optional: OPTIONAL,
}
_NUMBERS = frozenset((int, UInt, float))
_NATIVE: tuple[tuple[type, Type], ...] = ((str, STRING), (list, LIST), (tuple, LIST), (dict, MAP))


def type_of(value: object) -> Type:
    """The type of a value, without parameters, as `type(value)` gives it."""
    found = _TYPES.get(type(value))
    if found is not None:
        return found
    declared = getattr(value, "cel_type", None)
    if isinstance(declared, Type):
        return declared
    for native, kind in _NATIVE:
        if isinstance(value, native):
            return kind
    raise EvaluationError(f"unsupported conversion to ref.Val: ({type(value).__name__}){value}")


def no_such_overload(function: str, *arguments: object) -> EvaluationError:
    """What a function says to arguments that none of its overloads takes."""
    return EvaluationError(
        f"no such overload: {function}({', '.join(type_of(one).name for one in arguments)})"
    )


def equal(left: object, right: object) -> bool:
    """Whether two values are equal, whatever their types are.

    Raises:
        EvaluationError: the left one is of a library's type and cannot be compared with the right one.
    """
    one, other = type(left), type(right)
    if one is other and one in _PLAIN:
        return left == right
    if one in _NUMBERS:
        # With a double, both are compared as doubles, rounded where they must be: Python would compare exactly.
        if other not in _NUMBERS:
            return False
        if one is float or other is float:
            return float(left) == float(right)  # type: ignore[arg-type]
        return left == right
    if one is bool or left is None or right is None:
        return left is right
    if isinstance(left, list | tuple):
        equals = getattr(left, "equals", None)
        if equals is not None:
            return bool(equals(right))
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and not getattr(right, "faults", None)
            and all(_not_unequal(*pair) for pair in zip(left, right, strict=True))
        )
    if isinstance(left, dict | MapValue):
        equals = getattr(left, "equals", None)
        return _maps_equal(left, right) if equals is None else bool(equals(right))
    if one is Type:
        return other is Type and left.name == right.name  # type: ignore[attr-defined]
    if one is Optional:
        return other is Optional and _optionals_equal(left, right)  # type: ignore[arg-type]
    equals = getattr(left, "equals", None)
    return bool(left == right if equals is None else equals(right))


_PLAIN = frozenset((str, int, UInt, float, bool, bytes, type(None), Timestamp, Duration))


def _maps_equal(left: Any, right: Any) -> bool:
    if not isinstance(right, dict | MapValue) or len(left) != len(right) or getattr(right, "faults", None):
        return False
    if isinstance(left, Struct) and not (isinstance(right, Struct) and left.cel_type == right.cel_type):
        return False
    for key, value in left.items():
        other = find(right, key)
        if other is MISSING or not _not_unequal(value, other):
            return False
    return True


def _not_unequal(left: object, right: object) -> bool:
    """Lists and maps differ where members do; members that cannot be compared make no difference to them."""
    try:
        return equal(left, right)
    except EvaluationError:
        return True


def surely_equal(left: object, right: object) -> bool:
    """Whether two values can be compared and are equal."""
    try:
        return equal(left, right)
    except EvaluationError:
        return False


def _optionals_equal(left: Optional, right: Optional) -> bool:
    return left.present == right.present and (not left.present or equal(left.value, right.value))


def find(container: Any, key: object) -> Any:
    """The value of a key of a map, or `MISSING`."""
    if isinstance(container, dict):
        return container.get(key, MISSING) if type(key) is str else MISSING
    return container.find(key)


def contains(container: Any, value: object) -> bool:
    """`value in container`: an element of a list, a key of a map.

    Raises:
        EvaluationError: the container is none.
    """
    if isinstance(container, list | tuple):
        if type(value) is str:
            return value in container
        return any(surely_equal(value, one) for one in container)
    if isinstance(container, dict | MapValue):
        return find(container, value) is not MISSING
    raise EvaluationError("no such overload")


def keys_of(container: Any) -> Iterable[Any]:
    """What a comprehension of one variable goes over: the elements of a list, the keys of a map.

    Raises:
        EvaluationError: it is neither.
    """
    if isinstance(container, list | tuple | dict | MapValue):
        return container
    raise EvaluationError(f"got '{go_type(container)}', expected iterable type")


def go_type(value: object) -> str:
    """What cel-go calls the type in messages that were not meant for people."""
    return _GO_TYPES.get(type(value)) or type_of(value).name


_GO_TYPES: Mapping[type, str] = {
    bool: "types.Bool",
    int: "types.Int",
    UInt: "types.Uint",
    float: "types.Double",
    str: "types.String",
    bytes: "types.Bytes",
    type(None): "types.Null",
    Timestamp: "types.Timestamp",
    Duration: "types.Duration",
    Type: "*types.Type",
    Optional: "*types.Optional",
    list: "*types.baseList",
    dict: "*types.baseMap",
    MapValue: "*types.baseMap",
}


def map_of_entries(entries: Iterable[tuple[Any, Any]]) -> dict[str, Any] | MapValue:
    """A map of these keys and values, the later of two equal keys winning."""
    pairs = list(entries)
    if all(type(key) is str for key, _ in pairs):
        return dict(pairs)
    return MapValue(pairs)


def index_of(key: object) -> int:
    """The position in a list that a value names.

    Raises:
        EvaluationError: it is no whole number.
    """
    if type(key) is int or (type(key) is UInt and key <= INT_MAX):
        return int(key)
    if type(key) is float and INT_MIN < key < INT_MAX and key == int(key):
        return int(key)
    if type(key) is UInt or type(key) is float:
        raise EvaluationError(f"unsupported index value {key} in list")
    raise EvaluationError(f"unsupported index type '{type_of(key).name}' in list")


def actual_size(value: object) -> int:
    """How much a value is for the cost of a call: elements, entries, code points, bytes; 1 when it has no size."""
    if isinstance(value, str | bytes | list | tuple | dict | MapValue):
        return 1 if isinstance(value, Struct) else len(value)
    if type(value) is Optional and value.present:
        return actual_size(value.value)
    return int(getattr(value, "cel_size", 1))


def _other_integers(number: Any) -> Iterator[Any]:
    """A number as an int and as a uint, where these are exact and of another type."""
    if type(number) is float and not (INT_MIN <= number <= UINT_MAX and number == int(number)):
        return
    whole = int(number)
    if type(number) is not int and whole <= INT_MAX and whole != INT_MIN:
        yield whole
    if type(number) is not UInt and 0 <= whole <= UINT_MAX:
        yield UInt(whole)
