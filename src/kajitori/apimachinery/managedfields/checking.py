"""Does a value fit its type? What a server-side apply refuses before it merges anything.

Promises
    K1  check raises for members that are not declared, values of another form, and items without their keys;
        for repeated items too, unless they are allowed
    K2  the message is Kubernetes' own, with the path to the value

Source: structured-merge-diff's validation (typed/validate.go).
"""

from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.managedfields.elements import element_text
from kajitori.apimachinery.managedfields.types import ListType, MapType, Type, TypeProblem
from kajitori.apimachinery.patch.go_text import go_name, go_syntax, go_text

__all__ = ["check"]


def check(value: Any, of: Type, *, repeated_items_allowed: bool = False) -> None:
    """Nothing when the value fits.

    Raises: TypeProblem telling every misfit.
    """
    problems: list[TypeProblem] = []
    _check(value, of, "", problems, repeated_items_allowed)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise TypeProblem("\n".join(["errors:", *(f"  {each}" for each in problems)]))


_Problems = list[TypeProblem]


def _check(value: Any, of: Type, path: str, problems: _Problems, repeated: bool) -> None:
    if value is None:
        return
    if type(value) is dict and of.map is not None:
        _check_members(value, of.map, path, problems, repeated)
    elif type(value) is list and of.list is not None:
        _check_items(value, of.list, path, problems, repeated)
    elif of.map is not None and not (of.scalar and isinstance(value, str | int | float)):
        problems.append(TypeProblem(f"expected map, got {_value_text(value)}", path))
    elif of.scalar:
        complaint = _SCALAR_CHECKS[of.scalar](value)
        if complaint:
            problems.append(TypeProblem(complaint, path))
    else:
        problems.append(TypeProblem(f"expected list, got {_value_text(value)}", path))


def _check_members(
    value: dict[str, Any], of: MapType, path: str, problems: _Problems, repeated: bool
) -> None:
    element = of.element
    for name, member in value.items():
        if element is None and not of.declares(name):
            problems.append(TypeProblem("field not declared in schema", f"{path}.{name}"))
            return  # As Kubernetes: one undeclared member ends the search in this map.
        _check(member, of.member(name), f"{path}.{name}", problems, repeated)


def _check_items(value: list[Any], of: ListType, path: str, problems: _Problems, repeated: bool) -> None:
    seen: set[str] = set()
    items = of.items
    for index, item in enumerate(value):
        if of.atomic:
            _check(item, items, f"{path}[{index}]", problems, repeated)
            continue
        try:
            element = of.element(item)
        except TypeProblem as problem:
            problems.append(TypeProblem(f"element {index}: {problem.message}", path))
            return
        text = element_text(element)
        if element in seen and not repeated:
            problems.append(TypeProblem(f"duplicate entries for key {text}", path))
        seen.add(element)
        _check(item, items, path + text, problems, repeated)


def _value_text(value: Any) -> str:
    """A value as Kubernetes' message shows it: its wrapper, by Go's %v."""
    return "&{" + go_text(value) + "}"


def _numeric(value: Any) -> str:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if fits else f"expected numeric (int or float), got {go_name(value)}"


def _string(value: Any) -> str:
    if isinstance(value, str):
        return ""
    return "expected string, got &value.valueUnstructured{Value:" + go_syntax(value) + "}"


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else f"expected boolean, got {_value_text(value)}"


def _untyped(value: Any) -> str:
    fits = isinstance(value, bool | int | float | str)
    return "" if fits else f"expected any scalar, got {_value_text(value)}"


_SCALAR_CHECKS: dict[str, Callable[[Any], str]] = {
    "numeric": _numeric,
    "string": _string,
    "boolean": _boolean,
    "untyped": _untyped,
}
