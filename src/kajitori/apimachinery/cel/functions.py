"""How functions, macros and constants are declared: the same way for the standard ones and for every library.

Sits between the libraries, which declare, the checker, which chooses overloads by these signatures, the compiler,
which calls them, and the estimator, which asks what they cost.

Source: cel-go's common/decls and cel.Library.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.cel.cost import Estimate, Node
from kajitori.apimachinery.cel.types import Type

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.macros import Macro

__all__ = ["Function", "Library", "Overload", "function"]


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a function and what it does."""

    id: str
    """cel-go's overload id, such as `string_to_timestamp`, so that costs and messages can name it."""
    parameters: tuple[Type, ...]
    """The receiver first when `member`."""
    result: Type
    call: Callable[..., Any]
    """Takes the values, gives the value, or raises EvaluationError. It is never given an error or an unknown."""
    member: bool = False
    """`x.f(y)` rather than `f(x, y)`."""
    cost: Callable[[Sequence[Any], Any], int] | None = None
    """What the call did cost, from its arguments (the receiver first) and its result. `None`: one unit.

    A call that failed is paid for as well: then any argument may be of a wrong type, or be no value at all, which is
    of size 1."""
    estimate: Callable[[Sequence[Node]], Estimate | None] | None = None
    """What it may cost, from what is known of the arguments. `None`, or giving `None`: one unit, size unknown."""
    guarded: bool = True
    """Whether arguments are compared with `parameters` before `call`; else `call` takes any values and tells itself,
    in its own words, which it cannot use."""


@dataclass(frozen=True, slots=True)
class Function:
    """All the overloads of one name; operators are functions too (`_+_`)."""

    name: str
    overloads: tuple[Overload, ...]
    cost: Callable[[Sequence[Any], Any], int] | None = None
    """What a call did cost when the checker left the choice of the overload to the values, as with arguments of
    type dyn; `Overload.cost` is not asked then. `None`: one unit."""


@dataclass(frozen=True, slots=True)
class Library:
    """What an environment gains by having it."""

    name: str
    functions: tuple[Function, ...] = ()
    macros: "tuple[Macro, ...]" = ()
    constants: Mapping[str, tuple[Type, Any]] = field(default_factory=dict)
    """Names with a fixed value, such as types: `net.IP` is `(type_of(IP), IP)`."""


def function(
    name: str,
    *overloads: Overload,
    guarded: bool = True,
    cost: Callable[[Sequence[Any], Any], int] | None = None,
) -> Function:
    """A function of these overloads, none of them guarded if so said."""
    return Function(
        name, overloads if guarded else tuple(replace(one, guarded=False) for one in overloads), cost
    )
