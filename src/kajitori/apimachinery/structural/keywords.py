"""What single keywords demand, where the rules of Kubernetes' validator are not the obvious ones.

Shared by `predicate` and `explain`, so that they cannot disagree.

Source: kube-openapi's pkg/validation/validate (type.go, values.go, validator.go).
"""

import struct
from typing import Any

import msgspec

from kajitori.apimachinery.errors import go_number
from kajitori.apimachinery.structural.constraints import (
    INT64_MAX,
    INT64_MIN,
    Constraints,
    is_integral,
    json_type,
    same_json,
)

__all__ = [
    "has_duplicates",
    "is_enumerated",
    "number_is_valid",
    "number_problems",
    "range_problem",
    "type_problem",
]

_GO_FORMATS = {"integer": "int64", "number": "float64"}


def type_problem(node: Constraints, value: Any, kind: str) -> tuple[str, str] | None:
    """What was expected and what was found, when the type is wrong.

    A schema without a type takes any. With a format, types are judged by Kubernetes' odd order: a list passes
    for a formatted string, and a wrong scalar is told the format instead of the type.
    """
    types = node.types
    if value is None:
        return None if node.nullable or not types else (",".join(types), "null")
    if not types and not node.format:
        return None
    numeric = "integer" in types or "number" in types
    as_integer = kind == "number" and "integer" in types and is_integral(value)
    as_number = kind == "integer" and "number" in types
    fits = kind in types or as_integer or as_number
    go_format = _GO_FORMATS.get(kind, "")
    if node.format:
        if kind not in ("string", "array"):
            if not fits and go_format != node.format:
                return node.format, go_format
        elif not numeric:
            return None
    return None if fits else (",".join(types), kind)


def is_enumerated(value: Any, allowed: list[Any]) -> bool:
    """Whether a value is one of those allowed. Null never is; numbers are first converted to one type."""
    if value is None:
        return False
    for each in allowed:
        if type(value) is float and type(each) is int:
            if value == value and abs(value) < INT64_MAX and int(value) == each:
                return True
        elif type(value) is int and type(each) is float:
            if value == each:
                return True
        elif same_json(value, each):
            return True
    return False


def range_problem(node: Constraints, value: int | float, prefix: str, path: str) -> str:
    """Why a number, or a bound for one, does not fit the type and format; empty when it does."""
    only = node.types[0] if len(node.types) == 1 else ""
    if only == "integer":
        if node.format == "int32":
            fits = is_whole(value) and -(1 << 31) <= value < (1 << 31)
        else:
            fits = is_whole(value) and INT64_MIN <= value <= INT64_MAX
    elif node.format == "float":
        fits = _is_float32(value)
    else:
        return ""
    if fits:
        return ""
    told = f"with format {node.format}" if node.format else "(default format)"
    return f"{prefix} value must be of type {only} {told} in {path}"


def _as_float(value: int) -> float:
    """What Go makes of an integer beyond 64 bits."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def is_whole(value: int | float) -> bool:
    return isinstance(value, int) or value.is_integer()


def _is_float32(value: int | float) -> bool:
    try:
        struct.pack("<f", value)
    except (OverflowError, struct.error):
        return False
    return True


def number_is_valid(node: Constraints, value: int | float) -> bool:
    return not number_problems(node, value, "")


def number_problems(node: Constraints, value: int | float, path: str) -> list[tuple[str, Any, bool]]:
    """Complaints about a number: a message, the value to show, and whether the path belongs to it."""
    found: list[tuple[str, Any, bool]] = []
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        value = _as_float(value)
    told = range_problem(node, value, "Checked", path)
    if told:
        found.append((told, "", False))
    if node.multiple_of is not None:
        found += _bound(node, node.multiple_of, "MultipleOf", path, _multiple_problem(node, value, path))
    if node.minimum is not None:
        found += _bound(node, node.minimum, "Minimum boundary", path, _minimum_problem(node, value, path))
    if node.maximum is not None:
        found += _bound(node, node.maximum, "Maximum boundary", path, _maximum_problem(node, value, path))
    return found


def _bound(
    node: Constraints, bound: int | float, prefix: str, path: str, problem: tuple[str, Any] | None
) -> list[tuple[str, Any, bool]]:
    unfit = range_problem(node, bound, prefix, path)
    found: list[tuple[str, Any, bool]] = [(unfit, "", False)] if unfit else []
    if problem is not None:
        found.append((*problem, True))
    return found


def _counts_as_integer(node: Constraints, value: int | float, bound: int | float, prefix: str) -> bool:
    """Integers are compared as integers, unless the bound itself does not fit the type."""
    return json_type(value) == "integer" and not range_problem(node, bound, prefix, "")


def _truncated(bound: int | float) -> int:
    return max(INT64_MIN, min(INT64_MAX, int(bound)))


def _multiple_problem(node: Constraints, value: int | float, path: str) -> tuple[str, Any] | None:
    factor = node.multiple_of
    assert factor is not None
    if _counts_as_integer(node, value, factor, "MultipleOf"):
        whole = _truncated(factor)
        if whole <= 0:
            return f"factor MultipleOf declared for {path} must be positive: {whole}", whole
        if value % whole:
            return f"{path} in body should be a multiple of {whole}", value
        return None
    if factor <= 0:
        return f"factor MultipleOf declared for {path} must be positive: {go_number(float(factor))}", factor
    quotient = 1 / factor * value if factor < 1 else value / factor
    if not _is_json_integer(quotient):
        return f"{path} in body should be a multiple of {go_number(float(factor))}", value
    return None


def _is_json_integer(value: float) -> bool:
    """go-openapi's test, which forgives rounding errors of about one in a billion."""
    if value != value or abs(value) > (1 << 53) - 1:
        return False
    whole = float(int(value))
    difference = abs(value - whole)
    if value == whole:
        return True
    if value == 0 or whole == 0 or difference < 2.2250738585072014e-308:
        return difference < 1e-9 * 2.2250738585072014e-308
    return difference / min(abs(value) + abs(whole), 1.7976931348623157e308) < 1e-9


def _minimum_problem(node: Constraints, value: int | float, path: str) -> tuple[str, Any] | None:
    bound = node.minimum
    assert bound is not None
    limit: int | float = float(bound)
    if _counts_as_integer(node, value, bound, "Minimum boundary"):
        limit = _truncated(bound)
    if value <= limit if node.exclusive_minimum else value < limit:
        told = "greater than" if node.exclusive_minimum else "greater than or equal to"
        return f"{path} in body should be {told} {go_number(limit)}", value
    return None


def _maximum_problem(node: Constraints, value: int | float, path: str) -> tuple[str, Any] | None:
    bound = node.maximum
    assert bound is not None
    limit: int | float = float(bound)
    if _counts_as_integer(node, value, bound, "Maximum boundary"):
        limit = _truncated(bound)
    if value >= limit if node.exclusive_maximum else value > limit:
        told = "less than" if node.exclusive_maximum else "less than or equal to"
        return f"{path} in body should be {told} {go_number(limit)}", value
    return None


def has_duplicates(values: list[Any]) -> bool:
    """Whether two members of a list are the same JSON value."""
    encode = msgspec.json.encode
    seen = {encode(each, order="sorted") for each in values}
    return len(seen) < len(values)
