"""Comprehensions of two variables, index or key and element: since Kubernetes 1.32.

Source: cel-go's ext/comprehensions.go.
"""

from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.macros import ACCUMULATOR, Builder, Macro, MacroError
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.tree import Expression, Ident
from kajitori.apimachinery.cel.types import map_of, type_parameter
from kajitori.apimachinery.cel.values import MISSING, find, map_of_entries

__all__ = ["two_variables"]

_INSERT = "cel.@mapInsert"


def _variables(first: Expression, second: Expression) -> tuple[str, str]:
    for one in (first, second):
        if not isinstance(one, Ident):
            raise MacroError("argument must be a simple name", one)
    assert isinstance(first, Ident) and isinstance(second, Ident)
    if first.name == second.name:
        raise MacroError(f"duplicate variable name: {first.name}", second)
    for one in (first, second):
        if one.name in (ACCUMULATOR, "__result__"):
            raise MacroError("iteration variable overwrites accumulator variable", one)
    return first.name, second.name


def _all(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    start = build.literal(True)
    condition = build.call("@not_strictly_false", build.ident(ACCUMULATOR))
    step = build.call("_&&_", build.ident(ACCUMULATOR), args[2])
    result = build.ident(ACCUMULATOR)
    return build.comprehension(target, one, start, condition, step, result, iter_var2=other)


def _exists(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    start = build.literal(False)
    condition = build.call("@not_strictly_false", build.call("!_", build.ident(ACCUMULATOR)))
    step = build.call("_||_", build.ident(ACCUMULATOR), args[2])
    result = build.ident(ACCUMULATOR)
    return build.comprehension(target, one, start, condition, step, result, iter_var2=other)


def _exists_one(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    start = build.literal(0)
    condition = build.literal(True)
    one_more = build.call("_+_", build.ident(ACCUMULATOR), build.literal(1))
    step = build.call("_?_:_", args[2], one_more, build.ident(ACCUMULATOR))
    result = build.call("_==_", build.ident(ACCUMULATOR), build.literal(1))
    return build.comprehension(target, one, start, condition, step, result, iter_var2=other)


def _filtered(build: Builder, args: Sequence[Expression], step: Expression) -> Expression:
    """The step, only where the third of four arguments holds."""
    if len(args) < 4:
        return step
    return build.call("_?_:_", args[2], step, build.ident(ACCUMULATOR))


def _transform_list(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    step = build.call("_+_", build.ident(ACCUMULATOR), build.list(args[-1]))
    step = _filtered(build, args, step)
    start, always, result = build.list(), build.literal(True), build.ident(ACCUMULATOR)
    return build.comprehension(target, one, start, always, step, result, iter_var2=other)


def _transform_map(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    step = build.call(_INSERT, build.ident(ACCUMULATOR), build.ident(one), args[-1])
    step = _filtered(build, args, step)
    start, always, result = build.map(), build.literal(True), build.ident(ACCUMULATOR)
    return build.comprehension(target, one, start, always, step, result, iter_var2=other)


def _transform_map_entry(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    assert target is not None
    one, other = _variables(args[0], args[1])
    step = build.call(_INSERT, build.ident(ACCUMULATOR), args[-1])
    step = _filtered(build, args, step)
    start, always, result = build.map(), build.literal(True), build.ident(ACCUMULATOR)
    return build.comprehension(target, one, start, always, step, result, iter_var2=other)


def _insert(into: Any, key: Any, value: Any) -> Any:
    if find(into, key) is not MISSING:
        raise EvaluationError(f"insert failed: key {shown(key)} already exists")
    return map_of_entries((*into.items(), (key, value)))


def _insert_all(into: Any, more: Any) -> Any:
    for key, value in more.items():
        into = _insert(into, key, value)
    return into


_K, _V = type_parameter("K"), type_parameter("V")
_MAP = map_of(_K, _V)

two_variables = Library(
    "cel.lib.ext.comprev2",
    functions=(
        function(
            _INSERT,
            Overload("@mapInsert_map_key_value", (_MAP, _K, _V), _MAP, call=_insert),
            Overload("@mapInsert_map_map", (_MAP, _MAP), _MAP, call=_insert_all),
        ),
    ),
    macros=(
        Macro("all", 3, True, _all),
        Macro("exists", 3, True, _exists),
        Macro("existsOne", 3, True, _exists_one),
        Macro("exists_one", 3, True, _exists_one),
        *(Macro("transformList", count, True, _transform_list) for count in (3, 4)),
        *(Macro("transformMap", count, True, _transform_map) for count in (3, 4)),
        *(Macro("transformMapEntry", count, True, _transform_map_entry) for count in (3, 4)),
    ),
)
