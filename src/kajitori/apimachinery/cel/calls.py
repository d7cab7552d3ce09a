"""Calling functions at run time: choosing among overloads by the values, and what is said when none fits.

Sits under the interpreter and the code that the compiler writes.

Promises
    R1  an overload that is guarded is called only with values of its parameters' types
    R2  whatever goes wrong in a call is an EvaluationError

Source: cel-go's common/decls (Bindings, guards) and common/types (IsAssignableRuntimeType).
"""

from collections.abc import Callable, Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import CelError, EvaluationError
from kajitori.apimachinery.cel.functions import Overload
from kajitori.apimachinery.cel.types import Kind, Type
from kajitori.apimachinery.cel.values import MapValue, no_such_overload, type_of

__all__ = ["invoke", "invoker", "takes"]

_ANYTHING = frozenset((Kind.DYN, Kind.ANY, Kind.PARAMETER))


def takes(overload: Overload, arguments: Sequence[Any]) -> bool:
    """Whether the values are of the types of the parameters."""
    return len(arguments) == len(overload.parameters) and all(map(_is_of, arguments, overload.parameters))


def _is_of(value: Any, declared: Type) -> bool:
    """Whether a value is of a type; of a list or map, the first element tells for all."""
    kind = declared.kind
    if kind in _ANYTHING:
        return True
    if value is None and declared.nullable:
        return True
    if type_of(value).name != declared.name:
        return False
    if kind is Kind.LIST and declared.parameters and isinstance(value, list | tuple):
        return not value or _is_of(value[0], declared.parameters[0])
    if kind is Kind.MAP and declared.parameters and isinstance(value, dict | MapValue):
        for key, one in value.items():
            return _is_of(key, declared.parameters[0]) and _is_of(one, declared.parameters[1])
    return True


def invoke(name: str, overloads: Sequence[Overload], arguments: Sequence[Any]) -> Any:
    """What the function gives for these values.

    Raises:
        EvaluationError: no overload takes them, or the function failed.
    """
    if len(overloads) == 1 or not overloads[0].guarded:
        chosen = overloads[0]
        if chosen.guarded and not takes(chosen, arguments):
            raise no_such_overload(name, *arguments)
    else:
        for chosen in overloads:
            if takes(chosen, arguments):
                break
        else:
            raise no_such_overload(name, *arguments)
    try:
        return chosen.call(*arguments)
    except CelError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # A value inside of a list or map was not of the type that the signature promised of the whole.
        raise EvaluationError("no such overload") from error


def invoker(name: str, overloads: Sequence[Overload]) -> Callable[..., Any]:
    """`invoke` for one call in an expression."""
    if len(overloads) == 1 and not overloads[0].guarded:
        return overloads[0].call
    return lambda *arguments: invoke(name, overloads, arguments)
