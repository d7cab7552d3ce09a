"""What the standard functions cost, those that cost more than one unit, by the id of the overload.

Sits beside their declarations, to which `with_costs` adds what is told here: beforehand, by what is known of the
arguments, and afterwards, by the arguments themselves. Both count alike.

Operators that only look at some of their operands (`&&`, `||`, `?:`) have no entry: the estimator and the compiler
know them.

Source: cel-go's checker/cost.go and interpreter/runtimecost.go; apiserver's pkg/cel/library/cost.go for the equality
of Kubernetes' types.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from kajitori.apimachinery.cel.cost import (
    REGEX_STRING_LENGTH_FACTOR,
    STRING_TRAVERSAL_FACTOR,
    UINT64_MAX,
    Cost,
    Estimate,
    Node,
    Size,
)
from kajitori.apimachinery.cel.functions import Function
from kajitori.apimachinery.cel.values import actual_size

__all__ = ["cost_of_equality", "with_costs"]

_FORMAT_SIZE_MAX = 64
_CHEAP_EQUALITY = frozenset(
    (
        "kubernetes.Quantity",
        "kubernetes.Semver",
        "kubernetes.authorization.Authorizer",
        "kubernetes.authorization.Decision",
        "kubernetes.authorization.GroupCheck",
        "kubernetes.authorization.PathCheck",
        "kubernetes.authorization.ResourceCheck",
        "net.CIDR",
        "net.IP",
    )
)
"""Types whose values are compared at the price of one unit."""
_UNIT_EQUALITY = _CHEAP_EQUALITY | {"kubernetes.NamedFormat", "kubernetes.URL"}
"""These too, once they are compared."""
_COMPARISONS = tuple(
    f"{order}_{kind}"
    for order in ("less", "less_equals", "greater", "greater_equals")
    for kind in ("string", "bytes")
)


def _traversal(length: int) -> int:
    return ceil(length * STRING_TRAVERSAL_FACTOR)


def _compared(arguments: Sequence[Node]) -> Estimate:
    most = min(arguments[0].size().max, arguments[1].size().max)
    return Estimate(Cost(1 if most else 0, most).scaled(STRING_TRAVERSAL_FACTOR))


def _equal(arguments: Sequence[Node]) -> Estimate:
    one, other = arguments[0].type, arguments[1].type
    if one == other and one.name in _CHEAP_EQUALITY:
        return Estimate(Cost(1, 1))
    if one == other and one.name == "kubernetes.NamedFormat":
        return Estimate(Cost(1, _FORMAT_SIZE_MAX).scaled(STRING_TRAVERSAL_FACTOR))
    if one == other and one.name == "kubernetes.URL":
        # Only the right one's size counts in Kubernetes, and only when it is known.
        size = arguments[1].known_size() or Size(1, 1)
        return Estimate(Cost(1, size.max).scaled(STRING_TRAVERSAL_FACTOR))
    return _compared(arguments)


def _contains(arguments: Sequence[Node]) -> Estimate:
    text, part = (each.size().cost(STRING_TRAVERSAL_FACTOR) for each in arguments)
    return Estimate(text * part)


def _matches(arguments: Sequence[Node]) -> Estimate:
    # An empty text is no reason for a large pattern to be free.
    text = (arguments[0].size() + Size(1, 1)).cost(STRING_TRAVERSAL_FACTOR)
    return Estimate(text * arguments[1].size().cost(REGEX_STRING_LENGTH_FACTOR))


def _affix(arguments: Sequence[Node]) -> Estimate:
    return Estimate(arguments[1].size().cost(STRING_TRAVERSAL_FACTOR))


def _in_list(arguments: Sequence[Node]) -> Estimate:
    return Estimate(arguments[1].size().cost(1))


def _joined(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size() + arguments[1].size()
    return Estimate(size.cost(STRING_TRAVERSAL_FACTOR), size)


def _joined_lists(arguments: Sequence[Node]) -> Estimate:
    return Estimate(Cost(1, 1), arguments[0].size() + arguments[1].size())


def _to_bytes(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size()
    # The largest result wraps around in Kubernetes, and so here.
    return Estimate(size.cost(STRING_TRAVERSAL_FACTOR), Size(size.min, size.max * 4 & UINT64_MAX))


def _to_text(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size()
    return Estimate(size.cost(STRING_TRAVERSAL_FACTOR), Size(size.min // 4, size.max))


_ESTIMATES: Mapping[str, Callable[[Sequence[Node]], Estimate | None]] = {
    "add_bytes": _joined,
    "add_list": _joined_lists,
    "add_string": _joined,
    "bytes_to_string": _to_text,
    "contains_string": _contains,
    "ends_with_string": _affix,
    "equals": _equal,
    "in_list": _in_list,
    "matches_string": _matches,
    "not_equals": _compared,
    "starts_with_string": _affix,
    "string_to_bytes": _to_bytes,
    **dict.fromkeys(_COMPARISONS, _compared),
}


def _cost_of_first(arguments: Sequence[Any], _result: Any) -> int:
    return _traversal(actual_size(arguments[0]))


def _cost_of_comparison(arguments: Sequence[Any], _result: Any) -> int:
    return _traversal(min(actual_size(arguments[0]), actual_size(arguments[1])))


def cost_of_equality(arguments: Sequence[Any], _result: Any) -> int:
    """What `==` did cost."""
    # What has a type of its own is one of Kubernetes' values or a message.
    kind = getattr(arguments[0], "cel_type", None)
    if kind is not None and kind.name in _UNIT_EQUALITY:
        return 1
    return _traversal(min(actual_size(arguments[0]), actual_size(arguments[1])))


def _cost_of_sum(arguments: Sequence[Any], _result: Any) -> int:
    return _traversal(actual_size(arguments[0]) + actual_size(arguments[1]))


def _cost_of_contains(arguments: Sequence[Any], _result: Any) -> int:
    return _traversal(actual_size(arguments[0])) * _traversal(actual_size(arguments[1]))


def _cost_of_matches(arguments: Sequence[Any], _result: Any) -> int:
    pattern = ceil(actual_size(arguments[1]) * REGEX_STRING_LENGTH_FACTOR)
    return _traversal(1 + actual_size(arguments[0])) * pattern


_COSTS: Mapping[str, Callable[[Sequence[Any], Any], int]] = {
    "add_bytes": _cost_of_sum,
    "add_string": _cost_of_sum,
    "bytes_to_string": _cost_of_first,
    "contains_string": _cost_of_contains,
    "ends_with_string": _cost_of_first,
    "equals": cost_of_equality,
    "in_list": lambda arguments, _result: actual_size(arguments[1]),
    "matches_string": _cost_of_matches,
    "not_equals": _cost_of_comparison,
    "starts_with_string": _cost_of_first,
    "string_to_bytes": _cost_of_first,
    **dict.fromkeys(_COMPARISONS, _cost_of_comparison),
}


def with_costs(function: Function) -> Function:
    """The function with what its overloads cost."""
    overloads = [
        replace(each, cost=_COSTS.get(each.id), estimate=_ESTIMATES.get(each.id))
        for each in function.overloads
    ]
    return replace(function, overloads=tuple(overloads))
