"""Slices, order and flattening of lists: since Kubernetes 1.34, in version 3.

Known difference: of more than twelve elements with equal keys, `sort` and `sortBy` keep the order; Go's sorting does
not, and which order it gives is not documented.

Source: cel-go's ext/lists.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kajitori.apimachinery.cel.cost import (
    LIST_CREATE_COST,
    STRING_TRAVERSAL_FACTOR,
    UINT64_MAX,
    Cost,
    Estimate,
    Node,
    Size,
)
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.macros import UNUSED, Builder, Macro, MacroError, expand_map
from kajitori.apimachinery.cel.prices import Price, check_work, size_of, traversed
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    Select,
)
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    LIST_DYN,
    STRING,
    TIMESTAMP,
    UINT,
    Type,
    list_of,
    type_parameter,
)
from kajitori.apimachinery.cel.values import (
    INT_MAX,
    INT_MIN,
    Duration,
    Timestamp,
    UInt,
    surely_equal,
    type_of,
)

__all__ = ["lists"]

_COMPARABLE = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)
_INPUT = "@__sortBy_input__"
_LIST = list_of(type_parameter("T"))

_ORDERED = frozenset((bool, int, UInt, float, str, bytes, Duration, Timestamp))
_SORTABLE_NODES = (ListLiteral, Select, Ident, Comprehension, Call)


def _slice(values: Sequence[Any], start: int, end: int) -> list[Any]:
    problem = f"cannot slice({start}, {end}), "
    if start < 0 or end < 0:
        raise EvaluationError(f"{problem}negative indexes not supported")
    if start > end:
        raise EvaluationError(f"{problem}start index must be less than or equal to end index")
    if len(values) < end:
        raise EvaluationError(f"{problem}list is length {len(values)}")
    return list(values[start:end])


def _flatten(values: Any, depth: Any = None) -> list[Any]:
    if not isinstance(values, list | tuple) or (depth is not None and type(depth) is not int):
        arguments = "" if depth is None else type_of(depth).name
        raise EvaluationError(f"no such overload: {type_of(values).name}.flatten({arguments})")
    level = 1 if depth is None else depth
    if level < 0:
        raise EvaluationError("level must be non-negative")
    if level > 1:
        traversed(values)  # which stops when they hold too much
    flat: list[Any] = []
    rest = [(value, level) for value in reversed(values)]
    while rest:
        value, level = rest.pop()
        if level and isinstance(value, list | tuple):
            rest.extend((each, level - 1) for each in reversed(value))
        else:
            flat.append(value)
    return flat


def _range(count: int) -> list[int]:
    check_work(count)
    return list(range(count))


def _distinct(values: Sequence[Any]) -> list[Any]:
    if all(type(value) is str for value in values) or all(type(value) is int for value in values):
        return list(dict.fromkeys(values))
    check_work(len(values) ** 2)
    found: list[Any] = []
    for value in values:
        if not any(surely_equal(value, other) for other in found):
            found.append(value)
    return found


def _reverse(values: Sequence[Any]) -> list[Any]:
    return list(reversed(values))


def _sort(values: Any) -> Sequence[Any]:
    if isinstance(values, str | Timestamp | Duration):
        raise EvaluationError("no such overload")
    if not isinstance(values, list | tuple):
        raise EvaluationError("no such overload: sort")
    return _sort_by_keys(values, values)


def _sort_by_keys(values: Sequence[Any], keys: Sequence[Any]) -> Sequence[Any]:
    if len(values) != len(keys):
        raise EvaluationError(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, "
            f"but got {len(values)} and {len(keys)} elements respectively"
        )
    if not keys:
        return values
    kind = type(keys[0])
    if kind not in _ORDERED:
        raise EvaluationError("list elements must be comparable")
    if len(keys) > 1 and any(type(key) is not kind for key in keys):
        raise EvaluationError("list elements must have the same type")
    if kind is float and any(key != key for key in keys):
        return [values[at] for at in _inserted(keys)]
    return [values[at] for at in sorted(range(len(keys)), key=keys.__getitem__)]


def _inserted(keys: Sequence[Any]) -> list[int]:
    """Positions sorted by insertion, where a key that is no number has no order to any other."""
    check_work(len(keys) ** 2)
    order: list[int] = []
    for at, key in enumerate(keys):
        place = at
        while place and key < keys[order[place - 1]]:
            place -= 1
        order.insert(place, at)
    return order


def _sort_by(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression:
    """The list bound to a name, sorted by what the second argument gives for each of its elements."""
    if not isinstance(target, _SORTABLE_NODES):
        raise MacroError(
            "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
            target,
        )
    keys = expand_map(build, build.ident(_INPUT), args)
    body = build.member_call("@sortByAssociatedKeys", build.ident(_INPUT), keys)
    nothing, never, same = build.list(), build.literal(False), build.ident(_INPUT)
    return build.comprehension(nothing, UNUSED, target, never, same, body, accu_var=_INPUT)


def _new_list(factor: float, size: Size) -> Estimate:
    cost = size.cost(factor)
    return Estimate(cost + Cost(1 + LIST_CREATE_COST, 1 + LIST_CREATE_COST), size)


def _new_list_cost(factor: float, size: int) -> int:
    units = int(size * factor)
    if not INT_MIN <= units <= UINT64_MAX:  # by a depth of flattening far beyond all sense
        units = INT_MAX
    return units + 1 + LIST_CREATE_COST


def _known_int(node: Node, otherwise: int) -> int:
    """What a literal says, at least 0."""
    expression = node.expression
    if isinstance(expression, Literal) and type(expression.value) is int:
        return max(expression.value, 0)
    return otherwise


def _estimate_slice(arguments: Sequence[Node]) -> Estimate:
    start = _known_int(arguments[1], 0)
    end = _known_int(arguments[2], arguments[0].size().max)
    length = end - start & UINT64_MAX  # wraps around, as in cel-go
    return _new_list(1.0, Size(length, length))


def _estimate_range(arguments: Sequence[Node]) -> Estimate:
    count = _known_int(arguments[0], UINT64_MAX)
    return _new_list(1.0, Size(count, count))


def _estimate_flatten(arguments: Sequence[Node]) -> Estimate:
    depth = _known_int(arguments[1], UINT64_MAX) if len(arguments) > 1 else 1
    return _new_list(float(depth), arguments[0].size())


def _cost_of_flatten(arguments: Sequence[Any], _result: Any) -> int:
    depth = float(arguments[1]) if len(arguments) > 1 and type(arguments[1]) is int else 1.0
    return _new_list_cost(depth, size_of(arguments[0]))


def _cost_of_result(_arguments: Sequence[Any], result: Any) -> int:
    return _new_list_cost(1, size_of(result))


def _comparing(position: int, element: Type | None) -> Callable[[Sequence[Node]], Estimate]:
    """Each element of an argument compared with each other one."""
    factor = 2 + STRING_TRAVERSAL_FACTOR if element in (STRING, BYTES) else 2.0

    def estimate(arguments: Sequence[Node]) -> Estimate:
        size = arguments[position].size()
        return _new_list(factor, size * size)

    return estimate


def _cost_of_comparing(position: int) -> Callable[[Sequence[Any], Any], int]:
    def cost(arguments: Sequence[Any], _result: Any) -> int:
        values = arguments[position]
        if not isinstance(values, list | tuple):  # The call failed.
            return _new_list_cost(2.0, 1)
        factor = 2 + STRING_TRAVERSAL_FACTOR if values and isinstance(values[0], str | bytes) else 2.0
        return _new_list_cost(factor, len(values) ** 2)

    return cost


def _member(id: str, parameters: tuple[Type, ...], result: Type, call: Callable[..., Any]) -> Overload:
    return Overload(id, parameters, result, call, member=True)


_SLICE = function("slice", _member("list_slice", (_LIST, INT, INT), _LIST, _slice))
_FLATTEN = function(
    "flatten",
    _member("list_flatten", (list_of(_LIST),), _LIST, _flatten),
    _member("list_flatten_int", (LIST_DYN, INT), LIST_DYN, _flatten),
    guarded=False,
)
_OF_VERSION_2 = (
    function(
        "sort",
        *(_member(f"list_{one.name}_sort", (list_of(one),), list_of(one), _sort) for one in _COMPARABLE),
        guarded=False,
    ),
    function(
        "@sortByAssociatedKeys",
        *(
            _member(f"list_{one.name}_sortByAssociatedKeys", (_LIST, list_of(one)), _LIST, _sort_by_keys)
            for one in _COMPARABLE
        ),
        guarded=False,
    ),
    function("lists.range", Overload("lists_range", (INT,), list_of(INT), _range)),
    function("reverse", _member("list_reverse", (_LIST,), _LIST, _reverse)),
    function("distinct", _member("list_distinct", (_LIST,), _LIST, _distinct)),
)
_PRICES: dict[str, Price] = {
    "list_slice": Price(_cost_of_result, _estimate_slice),
    "list_flatten": Price(_cost_of_flatten, _estimate_flatten),
    "list_flatten_int": Price(_cost_of_flatten, _estimate_flatten),
    "lists_range": Price(_cost_of_result, _estimate_range),
    "list_reverse": Price(_cost_of_result, lambda arguments: _new_list(1.0, arguments[0].size())),
    "list_distinct": Price(_cost_of_comparing(0), _comparing(0, None)),
    **{f"list_{one.name}_sort": Price(_cost_of_comparing(0), _comparing(0, one)) for one in _COMPARABLE},
    **{
        f"list_{one.name}_sortByAssociatedKeys": Price(_cost_of_comparing(1), _comparing(1, one))
        for one in _COMPARABLE
    },
}


def _with_prices(one: Function) -> Function:
    overloads = [
        replace(each, cost=_PRICES[each.id].cost, estimate=_PRICES[each.id].estimate)
        for each in one.overloads
    ]
    return replace(one, overloads=tuple(overloads))


def lists(version: int) -> Library:
    """Version 1 flattens; version 2 sorts, reverses, makes ranges and finds what is distinct; version 3 has costs."""
    functions: tuple[Function, ...] = (_SLICE,)
    if version >= 1:
        functions += (_FLATTEN,)
    if version >= 2:
        functions += _OF_VERSION_2
    if version >= 3:
        functions = tuple(map(_with_prices, functions))
    macros = (Macro("sortBy", 2, True, _sort_by),) if version >= 2 else ()
    return Library("cel.lib.ext.lists", functions=functions, macros=macros)
