"""Optional values: since Kubernetes 1.28, with all that later versions added.

Their syntax (`a.?b`, `a[?b]`, `[?a]`, `{?a: b}`) is the parser's. `or` and `orValue` look at their argument only when
they need it, and `a.?b` and `a[?b]` look for a value without failing: these are the compiler's, and only declared here.

Source: cel-go's cel/library.go.
"""

from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.macros import OPTIONAL_MACROS
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    list_of,
    map_of,
    optional_of,
    type_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import NONE, OPTIONAL, Duration, MapValue, Optional, Timestamp

__all__ = ["optionals"]

_YEAR_ONE = Timestamp(-62_135_596_800_000_000_000)
"""What Go takes for no time at all."""

_K, _V = type_parameter("K"), type_parameter("V")
_LIST, _MAP = list_of(_V), map_of(_K, _V)
_MAYBE = optional_of(_V)
_MAYBES = list_of(_MAYBE)


def _of_non_zero(value: Any) -> Optional:
    return NONE if _is_zero(value) else Optional(value)


def _is_zero(value: Any) -> bool:
    """Whether it is what its type begins with; values of libraries never are."""
    if isinstance(value, bool | int | float | str | bytes | list | tuple | dict | MapValue):
        return not value
    return value is None or value in (Duration(0), _YEAR_ONE)


def _value(maybe: Optional) -> Any:
    if not maybe.present:
        raise EvaluationError("optional.none() dereference")
    return maybe.value


def _or(maybe: Optional, other: Optional) -> Optional:
    return maybe if maybe.present else other


def _or_value(maybe: Optional, other: Any) -> Any:
    return maybe.value if maybe.present else other


def _at(values: Sequence[Any], position: int) -> Optional:
    return Optional(values[position]) if values else NONE


def _unwrapped(maybes: Sequence[Any]) -> list[Any]:
    for one in maybes:
        if not isinstance(one, Optional):
            raise EvaluationError(f"value {shown(one)} is not optional")
    return [one.value for one in maybes if one.present]


def _by_the_compiler(*_arguments: Any) -> Any:
    raise EvaluationError("no such overload")


_SELECTION: tuple[Function, ...] = (
    function("_?._", Overload("select_optional_field", (DYN, STRING), _MAYBE, _by_the_compiler)),
    function(
        "_[?_]",
        Overload("list_optindex_optional_int", (_LIST, INT), _MAYBE, _by_the_compiler),
        Overload("optional_list_optindex_optional_int", (optional_of(_LIST), INT), _MAYBE, _by_the_compiler),
        Overload("map_optindex_optional_value", (_MAP, _K), _MAYBE, _by_the_compiler),
        Overload("optional_map_optindex_optional_value", (optional_of(_MAP), _K), _MAYBE, _by_the_compiler),
    ),
    function(
        "_[_]",
        Overload("optional_list_index_int", (optional_of(_LIST), INT), _MAYBE, _by_the_compiler),
        Overload("optional_map_index_value", (optional_of(_MAP), _K), _MAYBE, _by_the_compiler),
    ),
)

_FIRST_VERSION: tuple[Function, ...] = (
    function("optional.of", Overload("optional_of", (_V,), _MAYBE, Optional)),
    function("optional.ofNonZeroValue", Overload("optional_ofNonZeroValue", (_V,), _MAYBE, _of_non_zero)),
    function("optional.none", Overload("optional_none", (), _MAYBE, lambda: NONE)),
    function("value", Overload("optional_value", (_MAYBE,), _V, _value, member=True)),
    function(
        "hasValue", Overload("optional_hasValue", (_MAYBE,), BOOL, lambda maybe: maybe.present, member=True)
    ),
    function("or", Overload("optional_or_optional", (_MAYBE, _MAYBE), _MAYBE, _or, member=True)),
    function("orValue", Overload("optional_orValue_value", (_MAYBE, _V), _V, _or_value, member=True)),
)

_SECOND_VERSION: tuple[Function, ...] = (
    function("first", Overload("list_first", (_LIST,), _MAYBE, lambda values: _at(values, 0), member=True)),
    function("last", Overload("list_last", (_LIST,), _MAYBE, lambda values: _at(values, -1), member=True)),
    function("optional.unwrap", Overload("optional_unwrap", (_MAYBES,), _LIST, _unwrapped)),
    function("unwrapOpt", Overload("optional_unwrapOpt", (_MAYBES,), _LIST, _unwrapped, member=True)),
)


def optionals(version: int) -> Library:
    """Version 1 has `optFlatMap`, version 2 `first`, `last` and unwrapping."""
    macros = (
        OPTIONAL_MACROS if version >= 1 else tuple(one for one in OPTIONAL_MACROS if one.name == "optMap")
    )
    return Library(
        "cel.lib.optional",
        functions=(*_FIRST_VERSION, *_SELECTION, *(_SECOND_VERSION if version >= 2 else ())),
        macros=macros,
        constants={"optional_type": (type_of(optional_of(_V)), OPTIONAL)},
    )
