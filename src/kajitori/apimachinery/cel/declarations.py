"""What names mean: functions with their overloads laid out for choosing, variables and constants with their types.

Made once for an environment and shared by all that extend it; the checker only looks up. Nothing here changes after
it is made, but for the answers a function remembers.

Source: cel-go's checker/env.go and common/containers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from kajitori.apimachinery.cel.functions import Function, Library, Overload
from kajitori.apimachinery.cel.inference import has_variables
from kajitori.apimachinery.cel.types import Kind, Type

__all__ = [
    "NO_VALUE",
    "Callable",
    "Candidate",
    "Container",
    "Declarations",
    "Name",
    "Reference",
    "callables",
    "without_cross_type_comparisons",
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
    """What a call may mean: one when the types decide it, else all that fit. Empty for names."""
    function: Function | None = None
    """What a call calls, with all its overloads."""


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

    __slots__ = ("function", "functions", "is_logical", "members", "name", "reference", "remembered")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.name = function.name
        self.functions = tuple([Candidate(each) for each in function.overloads if not each.member])
        self.members = tuple([Candidate(each) for each in function.overloads if each.member])
        self.is_logical = self.name in ("_&&_", "_||_")
        self.reference = Reference(self.name, overloads=function.overloads, function=function)
        """To all overloads, for operators that have but one."""
        self.remembered: dict[tuple[bool | str, ...], tuple[Type, Reference, int]] = {}
        """By call style and names of simple argument types: result, reference, variables that choosing used up."""

    def remember(self, key: tuple[bool | str, ...], outcome: tuple[Type, Reference, int]) -> None:
        """Keep how a call with simple types was resolved, so that the next one like it is a look-up."""
        if len(self.remembered) < REMEMBERED_MAX:
            self.remembered[key] = outcome


def callables(
    libraries: Iterable[Library], within: Mapping[str, Callable] | None = None
) -> dict[str, Callable]:
    """The functions of the libraries by name, each with the overloads that it has `within` already.

    Of two overloads with the same id the later takes the earlier's place.
    """
    merged: dict[str, Function] = {}
    for library in libraries:
        for function in library.functions:
            before = merged.get(function.name)
            if before is None and within is not None and function.name in within:
                before = within[function.name].function
            merged[function.name] = function if before is None else _joined(before, function)
    return {name: Callable(function) for name, function in merged.items()}


def without_cross_type_comparisons(known: Mapping[str, Callable]) -> dict[str, Callable]:
    """The same functions but for the comparisons of numbers of different types."""
    return {
        name: Callable(replace(each.function, overloads=kept)) if kept != each.function.overloads else each
        for name, each in known.items()
        for kept in [tuple(one for one in each.function.overloads if one.id not in _CROSS_TYPE_COMPARISONS)]
    }


def _joined(before: Function, function: Function) -> Function:
    overloads = {each.id: each for each in (*before.overloads, *function.overloads)}
    return Function(function.name, tuple(overloads.values()), function.cost or before.cost)


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


class Declarations(Protocol):
    """What the checker asks of an environment."""

    @property
    def container(self) -> Container: ...
    @property
    def names(self) -> Mapping[str, Name]: ...
    @property
    def callables(self) -> Mapping[str, Callable]: ...
    @property
    def callables_in_loops(self) -> Mapping[str, Callable]:
        """The same with the comparisons of different number types, which cel-go forgets to withhold there."""
        ...

    @property
    def dotted(self) -> frozenset[str]:
        """The first segments of all dotted names; others need not be looked up whole."""
        ...

    def find_type(self, name: str) -> Type | None:
        """An object type by its full name."""
        ...

    @property
    def keywords_are_fields(self) -> bool:
        """Whether `self.namespace` may be written for `self.__namespace__`."""
        ...


def _parameter_names(signature: Iterable[Type]) -> Iterator[str]:
    for one in signature:
        if one.kind is Kind.PARAMETER:
            yield one.name
        elif one.parameters and has_variables(one):
            yield from _parameter_names(one.parameters)


_CROSS_TYPE_COMPARISONS = frozenset(
    f"{comparison}_{one}_{other}"
    for comparison in ("less", "less_equals", "greater", "greater_equals")
    for one in ("int64", "uint64", "double")
    for other in ("int64", "uint64", "double")
    if one != other
)
"""Overloads that compare numbers of different types, by id; an environment may do without them."""
