"""What names mean: functions with their overloads laid out for choosing, variables and constants with their types.

Made once for an environment and shared by all that extend it; the checker only looks up. Nothing here changes after
it is made, but for the answers a function remembers.

Source: cel-go's checker/env.go and common/containers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.cel.functions import Function, Library, Overload
from kajitori.apimachinery.cel.inference import has_variables
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST_DYN,
    MAP_DYN,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Kind,
    Type,
    list_of,
    map_of,
    type_of,
    type_parameter,
)

__all__ = [
    "CROSS_TYPE_COMPARISONS",
    "NO_VALUE",
    "TYPE_NAMES",
    "Callable",
    "Candidate",
    "Container",
    "Name",
    "Reference",
    "callables",
]

REMEMBERED_MAX = 256
"""How many outcomes of calls a function remembers; types are few, so it is seldom reached."""


class _NoValue:
    """The value of a name that is not a constant."""

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Reference:
    """What a name or a call in an expression stands for."""

    name: str = ""
    """A variable, constant, type or function by its full name."""
    value: Any = NO_VALUE
    """A constant's value; NO_VALUE for variables and functions."""
    overloads: tuple[Overload, ...] = ()
    """What a call may mean: one when the types decide it, else all that fit. Empty for names and for `a.?b`."""


@dataclass(frozen=True, slots=True)
class Name:
    """A declared identifier."""

    type: Type
    reference: Reference


class Candidate:
    """An overload, with what choosing it needs."""

    __slots__ = ("names", "overload", "parameters", "result", "signature")

    def __init__(self, overload: Overload) -> None:
        self.overload = overload
        self.parameters = overload.parameters
        self.result = overload.result
        self.signature = (overload.result, *overload.parameters)
        self.names = tuple(dict.fromkeys(_parameter_names(self.signature)))
        """Of the type parameters in the signature."""


class Callable:
    """All overloads of one name, by how they are called."""

    __slots__ = ("functions", "is_logical", "members", "name", "reference", "remembered")

    def __init__(self, name: str, overloads: Iterable[Overload]) -> None:
        self.name = name
        listed = tuple(overloads)
        self.functions = tuple([Candidate(each) for each in listed if not each.member])
        self.members = tuple([Candidate(each) for each in listed if each.member])
        self.is_logical = name in ("_&&_", "_||_")
        self.reference = Reference(name, overloads=listed)
        """To all of them, for operators that have but one."""
        self.remembered: dict[tuple[bool | str, ...], tuple[Type, Reference, int]] = {}
        """By call style and names of simple argument types: result, reference, variables that choosing used up."""

    @property
    def overloads(self) -> tuple[Overload, ...]:
        """Every one of them."""
        return self.reference.overloads

    def remember(self, key: tuple[bool | str, ...], outcome: tuple[Type, Reference, int]) -> None:
        """Keep how a call with simple types was resolved, so that the next one like it is a look-up."""
        if len(self.remembered) < REMEMBERED_MAX:
            self.remembered[key] = outcome


def callables(
    libraries: Iterable[Library], within: Mapping[str, Function] | None = None
) -> dict[str, Function]:
    """The functions of the libraries by name, merged: a later overload with the same id takes the earlier's place."""
    found: dict[str, Function] = dict(within or {})
    for library in libraries:
        for function in library.functions:
            before = found.get(function.name)
            if before is None or before is function:
                found[function.name] = function
                continue
            overloads = {each.id: each for each in before.overloads}
            overloads.update({each.id: each for each in function.overloads})
            found[function.name] = Function(function.name, tuple(overloads.values()))
    return found


@dataclass(frozen=True, slots=True)
class Container:
    """The namespace that an expression is written in, and short names for longer ones."""

    name: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    def candidates(self, name: str) -> tuple[str, ...]:
        """The full names that a name may stand for, the innermost first."""
        absolute = name.startswith(".")
        simple = name[1:] if absolute else name
        if self.aliases:
            head, dot, rest = simple.partition(".")
            if head in self.aliases:
                return (f"{self.aliases[head]}{dot}{rest}",)
        if absolute or not self.name:
            return (simple,)
        found: list[str] = []
        outer = self.name
        while outer:
            found.append(f"{outer}.{name}")
            outer = outer.rpartition(".")[0]
        return (*found, name)


def _parameter_names(signature: Iterable[Type]) -> Iterator[str]:
    for one in signature:
        if one.kind is Kind.PARAMETER:
            yield one.name
        elif one.parameters and has_variables(one):
            yield from _parameter_names(one.parameters)


CROSS_TYPE_COMPARISONS = frozenset(
    f"{comparison}_{one}_{other}"
    for comparison in ("less", "less_equals", "greater", "greater_equals")
    for one in ("int64", "uint64", "double")
    for other in ("int64", "uint64", "double")
    if one != other
)
"""Overloads that compare numbers of different types, by id; an environment may do without them."""

TYPE_NAMES: Mapping[str, Name] = {
    **{
        one.name: Name(type_of(one), Reference(one.name, one))
        for one in (BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, TYPE, UINT)
    },
    "list": Name(type_of(list_of(type_parameter("A"))), Reference("list", LIST_DYN)),
    "map": Name(type_of(map_of(type_parameter("A"), type_parameter("B"))), Reference("map", MAP_DYN)),
}
"""The types of the language by name, which every environment knows."""
