"""Whether a value satisfies a schema, as one compiled closure per node: the road that valid objects take.

Sits beside `explain`, which is asked only when a predicate said no. The two agree (P1); a closure does
nothing but look, so a valid object costs about a tenth of a microsecond per field.

Promises
    P1  predicate(node)(value) is True exactly when explain(node, value) finds nothing

Source: the same as `explain`.
"""

from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.structural.constraints import (
    INT64_MAX,
    INT64_MIN,
    Constraints,
    is_integral,
    json_type,
)
from kajitori.apimachinery.structural.keywords import is_enumerated, number_is_valid, type_problem

__all__ = ["Predicate", "predicate"]

Predicate = Callable[[Any], bool]

_PYTHON_TYPES = {"string": str, "boolean": bool, "object": dict, "array": list}


def predicate(node: Constraints) -> Predicate:
    """The compiled check of one node and all below it."""
    own = _own_check(node)
    combined = _combinators(node)
    if not combined:
        return own
    if len(combined) == 1:
        only = combined[0]
        return lambda value: own(value) and (value is None or only(value))
    return lambda value: own(value) and (value is None or all(each(value) for each in combined))


def plain_type(node: Constraints) -> type | None:
    """The Python type that makes any value of it valid here; None when there is more to check."""
    if len(node.types) != 1 or node.enum or node.format or _combinators_present(node):
        return None
    if node.types[0] == "boolean":
        return bool
    unbounded = node.maximum_length is None and not node.minimum_length
    matches_all = node.pattern is None and not node.pattern_problem
    return str if node.types[0] == "string" and unbounded and matches_all else None


def _combinators_present(node: Constraints) -> bool:
    return bool(node.all_of or node.any_of or node.one_of or node.negated)


def _combinators(node: Constraints) -> list[Predicate]:
    checks: list[Predicate] = [predicate(each) for each in node.all_of]
    if node.any_of and not _is_int_or_string(node):
        choices = [predicate(each) for each in node.any_of]
        checks.append(lambda value: any(each(value) for each in choices))
    if node.one_of:
        exclusive = [predicate(each) for each in node.one_of]
        checks.append(lambda value: sum(each(value) for each in exclusive) == 1)
    if node.negated is not None:
        refused = predicate(node.negated)
        checks.append(lambda value: not refused(value))
    return checks


def _is_int_or_string(node: Constraints) -> bool:
    """The `anyOf` of integer and string that says again what `x-kubernetes-int-or-string` says."""
    return (
        node.types == ("integer", "string")
        and [each.types for each in node.any_of]
        == [
            ("integer",),
            ("string",),
        ]
        and not any(_has_more_than_type(each) for each in node.any_of)
    )


def _has_more_than_type(node: Constraints) -> bool:
    bare = Constraints({"type": node.types[0] if node.types else ""})
    return any(getattr(node, name) != getattr(bare, name) for name in Constraints.__slots__)


def _own_check(node: Constraints) -> Predicate:
    """Everything but allOf, anyOf, oneOf and not, for a value of any type."""
    on_string, on_number = _string_check(node), _number_check(node)
    on_object, on_array = _object_check(node), _array_check(node)
    by_type: dict[type, Predicate | None] = {
        str: on_string,
        int: on_number,
        float: on_number,
        dict: on_object,
        list: on_array,
    }
    plain = _PYTHON_TYPES.get(node.types[0]) if len(node.types) == 1 else None
    direct = by_type.get(plain) if plain else None
    enum = _enum_check(node)

    def check_any(value: Any) -> bool:
        if type_problem(node, value, json_type(value)) is not None:
            return False
        special = by_type.get(type(value))
        return (special is None or special(value)) and (enum is None or enum(value))

    if plain is None and node.types != ("integer",):
        return check_any
    if node.types == ("integer",):
        return _integer_check(node, on_number, enum, check_any)
    return _typed_check(plain, direct, enum, check_any)


def _typed_check(
    plain: type | None, direct: Predicate | None, enum: Predicate | None, otherwise: Predicate
) -> Predicate:
    if enum is not None and direct is None:
        return lambda value: enum(value) if type(value) is plain else otherwise(value)
    if direct is None:
        return lambda value: type(value) is plain or otherwise(value)
    if enum is None:
        return lambda value: direct(value) if type(value) is plain else otherwise(value)
    return lambda value: (direct(value) and enum(value)) if type(value) is plain else otherwise(value)


def _integer_check(
    node: Constraints, on_number: Predicate | None, enum: Predicate | None, otherwise: Predicate
) -> Predicate:
    if enum is not None or node.multiple_of is not None or node.format:
        return otherwise
    low, high = node.minimum, node.maximum
    if (low is not None and not is_integral(low)) or (high is not None and not is_integral(high)):
        return otherwise
    least = INT64_MIN if low is None else int(low) + node.exclusive_minimum
    most = INT64_MAX if high is None else int(high) - node.exclusive_maximum
    if on_number is None or (least >= INT64_MIN and most <= INT64_MAX):
        return lambda value: least <= value <= most if type(value) is int else otherwise(value)
    return otherwise


def _enum_check(node: Constraints) -> Predicate | None:
    if not node.enum:
        return None
    if all(isinstance(each, str) for each in node.enum):
        allowed = frozenset(node.enum)
        return lambda value: type(value) is str and value in allowed
    return lambda value: is_enumerated(value, node.enum)


def _string_check(node: Constraints) -> Predicate | None:
    least, most = node.minimum_length or 0, node.maximum_length
    matches = node.pattern.matches if node.pattern is not None else None
    formatted = node.check
    if node.pattern_problem:
        return lambda _: False
    if matches and not formatted and not least and most is None:
        return matches
    if not matches and not formatted:
        if not least and most is None:
            return None
        if most is None:
            return lambda value: len(value) >= least
        return lambda value: least <= len(value) <= most
    return lambda value: (
        (most is None or len(value) <= most)
        and len(value) >= least
        and (matches is None or matches(value))
        and (formatted is None or formatted(value))
    )


def _number_check(node: Constraints) -> Predicate | None:
    bounds = (node.minimum, node.maximum, node.multiple_of)
    if node.types == ("number",) and not node.format and bounds == (None, None, None):
        return None
    return lambda value: number_is_valid(node, value)


def _array_check(node: Constraints) -> Predicate | None:
    least, most = node.minimum_items or 0, node.maximum_items
    item = _LazyPredicate(node.items) if node.items is not None else None
    plain = plain_type(node.items) if node.items is not None else None
    if node.unique_items:
        return lambda value: _is_valid_array(node, item, value)
    if item is None:
        return lambda value: len(value) >= least and (most is None or len(value) <= most)

    def check(value: list[Any]) -> bool:
        if len(value) < least or (most is not None and len(value) > most):
            return False
        for each in value:  # noqa: SIM110  a loop: `all` over a generator takes twice as long
            if type(each) is not plain and not item(each):
                return False
        return True

    return check


def _is_valid_array(node: Constraints, item: Predicate | None, value: list[Any]) -> bool:
    from kajitori.apimachinery.structural.keywords import has_duplicates

    return (
        len(value) >= (node.minimum_items or 0)
        and (node.maximum_items is None or len(value) <= node.maximum_items)
        and (item is None or all(map(item, value)))
        and not has_duplicates(value)
    )


class _MemberChecks(dict[str, "Predicate | None"]):
    """The checks of properties, each compiled when a value first has that property."""

    def __init__(self, node: Constraints, other: Predicate | None) -> None:
        super().__init__()
        self._node = node
        self._names = frozenset(node.property_names)
        self._other = other

    def __missing__(self, name: str) -> Predicate | None:
        if name not in self._names:
            return self._other
        check = self[name] = predicate(self._node.member(name))
        return check


def _object_check(node: Constraints) -> Predicate | None:
    plain = node.plain_members()
    required = frozenset(node.required)
    least, most = node.minimum_properties or 0, node.maximum_properties
    other: Predicate | None = None if node.additional is None else _LazyPredicate(node.additional)
    if not node.additional_allowed:
        other = _refuse
    checks = _MemberChecks(node, other)
    if not node.property_names and other is None:
        if not least and most is None and not required:
            return None
        return lambda value: (
            value.keys() >= required and len(value) >= least and (most is None or len(value) <= most)
        )

    def check(value: dict[str, Any]) -> bool:
        if required and not value.keys() >= required:
            return False
        if len(value) < least or (most is not None and len(value) > most):
            return False
        for name, member in value.items():
            if type(member) is not plain.get(name, _Never):
                test = checks[name]
                if test is not None and not test(member):
                    return False
        return True

    return check


def _refuse(_: Any) -> bool:
    return False


class _LazyPredicate:
    """A check compiled when it is first made."""

    __slots__ = ("_check", "_node")

    def __init__(self, node: Constraints) -> None:
        self._node = node
        self._check: Predicate | None = None

    def __call__(self, value: Any) -> bool:
        check = self._check
        if check is None:
            check = self._check = predicate(self._node)
        return check(value)


class _Never:
    """The type of no JSON value."""
