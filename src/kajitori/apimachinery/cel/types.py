"""The types of CEL: what the checker says of an expression, and what `type(x)` gives at run time.

Sits at the bottom of the package; everything else speaks of values by these.

Promises
    T1  two types are equal when their names and parameters are; `str()` writes them as cel-go does
    T2  an object type knows its fields and nothing else may be selected from it

Source: cel-spec's doc/langdef.md, "Gradual Type Checking"; names as cel-go's common/types prints them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.cost import Size

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "DYN",
    "ERROR",
    "INT",
    "LIST_DYN",
    "MAP_DYN",
    "NULL",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "Kind",
    "Type",
    "list_of",
    "map_of",
    "object_type",
    "opaque",
    "optional_of",
    "type_of",
    "type_parameter",
    "wrapper_of",
]


class Kind(Enum):
    """What sort of type it is; lists, maps, types and opaque ones have parameters."""

    ANY = "any"
    BOOL = "bool"
    BYTES = "bytes"
    DOUBLE = "double"
    DURATION = "duration"
    DYN = "dyn"
    ERROR = "error"
    INT = "int"
    LIST = "list"
    MAP = "map"
    NULL = "null_type"
    OBJECT = "object"
    OPAQUE = "opaque"
    PARAMETER = "parameter"
    STRING = "string"
    TIMESTAMP = "timestamp"
    TYPE = "type"
    UINT = "uint"


@dataclass(frozen=True, slots=True)
class Type:
    """One type. Make them with the constants and functions of this module."""

    kind: Kind
    name: str
    """`int`, `list`, `google.protobuf.Timestamp`, `kubernetes.Quantity`, the name of an object type or parameter."""
    parameters: tuple["Type", ...] = ()
    fields: Mapping[str, "Type"] | None = field(default=None, compare=False, repr=False)
    """What an object type has, by the (escaped) names that expressions use."""
    size: "Size | None" = field(default=None, compare=False, repr=False)
    """How large a value may be by its schema (elements, code points or bytes), where the schema limits it."""
    key_size: "Size | None" = field(default=None, compare=False, repr=False)
    """For a map, how large a key may be."""
    nullable: bool = field(default=False, compare=False, repr=False)
    """A wrapped primitive such as `google.protobuf.Int64Value`: the type itself, or null."""

    def __str__(self) -> str:
        if not self.parameters:
            return f"wrapper({self.name})" if self.nullable else self.name
        return f"{self.name}({', '.join(str(one) for one in self.parameters)})"

    @property
    def is_optional(self) -> bool:
        """Whether this is `optional_type(T)`."""
        return self.kind is Kind.OPAQUE and self.name == "optional_type"


ANY = Type(Kind.ANY, "any")
BOOL = Type(Kind.BOOL, "bool")
BYTES = Type(Kind.BYTES, "bytes")
DOUBLE = Type(Kind.DOUBLE, "double")
DURATION = Type(Kind.DURATION, "google.protobuf.Duration")
DYN = Type(Kind.DYN, "dyn")
ERROR = Type(Kind.ERROR, "*error*")
INT = Type(Kind.INT, "int")
NULL = Type(Kind.NULL, "null_type")
STRING = Type(Kind.STRING, "string")
TIMESTAMP = Type(Kind.TIMESTAMP, "google.protobuf.Timestamp")
TYPE = Type(Kind.TYPE, "type")
UINT = Type(Kind.UINT, "uint")


def list_of(element: Type) -> Type:
    """`list(T)`."""
    return Type(Kind.LIST, "list", (element,))


def map_of(key: Type, value: Type) -> Type:
    """`map(K, V)`."""
    return Type(Kind.MAP, "map", (key, value))


def optional_of(value: Type) -> Type:
    """`optional_type(T)`."""
    return Type(Kind.OPAQUE, "optional_type", (value,))


def type_of(one: Type) -> Type:
    """`type(T)`: the type of the type `T` as a value."""
    return Type(Kind.TYPE, "type", (one,))


def opaque(name: str, *parameters: Type) -> Type:
    """A type that only functions can look into, such as `kubernetes.Quantity`."""
    return Type(Kind.OPAQUE, name, parameters)


def object_type(name: str, fields: Mapping[str, Type]) -> Type:
    """A type with named fields, such as a version's schema or `Object.spec`."""
    return Type(Kind.OBJECT, name, (), fields)


def type_parameter(name: str) -> Type:
    """A variable of an overload's signature, such as the `A` of `list(A) + list(A)`."""
    return Type(Kind.PARAMETER, name)


def wrapper_of(one: Type) -> Type:
    """The primitive type or null."""
    return Type(one.kind, one.name, nullable=True)


LIST_DYN = list_of(DYN)
MAP_DYN = map_of(DYN, DYN)
