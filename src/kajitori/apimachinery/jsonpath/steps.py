"""What an expression does, step by step: each step is a closure from the values so far to the next ones.

Source: client-go's util/jsonpath, JSONPath.walk and its eval functions.
"""

from collections.abc import Callable
from typing import Any

import msgspec

__all__ = [
    "End",
    "JsonPathError",
    "Node",
    "Part",
    "Range",
    "Step",
    "array",
    "block",
    "chain",
    "constant",
    "exists",
    "field",
    "filtered_by",
    "fixed_text",
    "recursive",
    "union",
    "unrecognized",
    "value_text",
    "wildcard",
]

Step = Callable[[list[Any]], list[Any]]
"""From the values so far to the next ones."""
Part = Callable[[list[Any]], list[list[Any]]]
"""One piece of a template: the results of each expression in it."""

_BAD_TYPE = "invalid type for comparison"
_BAD_PAIR = "incompatible types for comparison"


class JsonPathError(ValueError):
    """A template that does not parse, or data that it does not fit; the message is Kubernetes' own."""


def value_text(value: Any) -> str:
    """How a value is printed: texts as they are, lists and objects as Go's JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return _go_json(value)
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _go_json(value: Any) -> str:
    """Sorted keys, and `<`, `>`, `&` escaped, as Go's encoder has them."""
    if isinstance(value, dict):
        pairs = (f"{_go_json(key)}:{_go_json(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_go_json, value)) + "]"
    if isinstance(value, str):
        text = msgspec.json.encode(value).decode()
        for character in "<>&\u2028\u2029":
            if character in text:
                text = text.replace(character, f"\\u{ord(character):04x}")
        return text
    return value_text(value)


class Range:
    """The step `range` of an expression: the expression's results are what the block repeats for."""


class End:
    """The step `end`."""


Node = list[Step | Range | End]


def block(nodes: list[Node], *, inside: bool) -> tuple[Part, list[Node]]:
    """The parts up to the `end` of this block, and the nodes behind it."""
    parts: list[Part] = []
    while nodes:
        node, nodes = nodes[0], nodes[1:]
        if any(isinstance(step, End) for step in node):
            if not inside:
                parts.append(_nothing_to_end)
                continue
            return _all_of(parts), nodes
        steps: list[Step] = [step for step in node if not isinstance(step, (Range, End))]
        if len(steps) < len(node):
            body, nodes = block(nodes, inside=True)
            parts.append(_repeated(chain(steps), body))
        else:
            parts.append(_single(chain(steps)))
    if inside:
        raise JsonPathError("unexpected end of the template: a range has no end")
    return _all_of(parts), nodes


def _nothing_to_end(values: list[Any]) -> list[list[Any]]:
    raise JsonPathError("not in range, nothing to end")


def _all_of(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return lambda values: [each for part in parts for each in part(values)]


def _single(step: Step) -> Part:
    return lambda values: [step(values)]


def _repeated(step: Step, body: Part) -> Part:
    def evaluate(values: list[Any]) -> list[list[Any]]:
        found = step(values)
        if not found:
            body([None])  # Kubernetes reports a strict body's missing fields even when there is nothing.
        return [each for value in found for each in body([value])]

    return evaluate


def chain(steps: list[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]

    def evaluate(values: list[Any]) -> list[Any]:
        for step in steps:
            values = step(values)
        return values

    return evaluate


def field(name: str, allow_missing: bool) -> Step:
    def evaluate(values: list[Any]) -> list[Any]:
        if not values:
            return values
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and not allow_missing:
            raise JsonPathError(f"{name} is not found")
        return found

    return evaluate


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return list(value.encode()) if isinstance(value, str) else []


def wildcard(values: list[Any]) -> list[Any]:
    return [member for value in values for member in _members(value)]


def recursive(values: list[Any]) -> list[Any]:
    """Every value that has members, outermost first."""
    found: list[Any] = []
    for value in values:
        members = _members(value)
        if members:
            found.append(value)
            found += recursive(members)
    return found


def constant(value: Any) -> Step:
    return lambda values: [value] * len(values)


def fixed_text(text: str) -> Step:
    return lambda values: [text]


def union(steps: list[Step]) -> Step:
    return lambda values: [found for step in steps for found in step(values)]


def array(start: int | None, stop: int | None, step: int | None, single: bool) -> Step:
    """A slice; `single` marks `[3]`, whose end is derived."""
    if step is not None and step <= 0:
        step = 0

    def evaluate(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathError(f"{_go_type(value)} is not array or slice")
            chosen = _chosen(value, start or 0, stop, single)
            if chosen is None:  # An empty slice ends the expression, as it does in Kubernetes.
                return found
            if step == 0:
                raise JsonPathError("step must be > 0")
            found += chosen[:: step or 1]
        return found

    return evaluate


def _chosen(value: list[Any], first: int, stop: int | None, single: bool) -> list[Any] | None:
    length = len(value)
    if first < 0:
        first += length
    last = length if stop is None else stop
    if last < 0 or (last == 0 and single):
        last += length
    if first == last:
        return None
    if not 0 <= first < length:
        raise JsonPathError(f"array index out of bounds: index {first}, length {length}")
    if not 0 <= last <= length:
        raise JsonPathError(f"array index out of bounds: index {last - 1}, length {length}")
    if first > last:
        raise JsonPathError(f"starting index {first} is greater than ending index {last}")
    return value[first:last]


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "int64", float: "float64"}.get(type(value), "invalid")


def exists(left: Step) -> Step:
    def passes(item: Any) -> bool:
        try:
            return bool(left([item]))
        except JsonPathError:
            return False

    return lambda values: [item for value in values for item in _filtered(value) if passes(item)]


def filtered_by(left: Step, operator: str, right: Step) -> Step:
    compare = _COMPARISONS.get(operator)

    def evaluate(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            for item in _filtered(value):
                lefts = left([item])
                if not lefts:
                    continue
                rights = right([item]) if len(lefts) == 1 else []
                if len(lefts) > 1 or len(rights) > 1:
                    raise JsonPathError("can only compare one element at a time")
                if not rights:
                    continue
                if compare is None:
                    raise JsonPathError(f"unrecognized filter operator {operator}")
                if compare(lefts[0], rights[0]):
                    found.append(item)
        return found

    return evaluate


def _filtered(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"{_go_value(value)} is not array or slice and cannot be filtered")
    return value


def _go_value(value: Any) -> str:
    """A value as Go's %v shows it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go_value, value)) + "]"
    return "<nil>" if value is None else value_text(value)


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, (str, int, float)):
        return type(value)
    raise JsonPathError(_BAD_TYPE)


def _equal(left: Any, right: Any) -> bool:
    if _kind(left) is not _kind(right):
        raise JsonPathError(_BAD_PAIR)
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    kind = _kind(left)
    if kind is not _kind(right):
        raise JsonPathError(_BAD_PAIR)
    if kind is bool:
        raise JsonPathError(_BAD_TYPE)
    return bool(left < right)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _less,
    "<=": lambda left, right: _less(left, right) or _equal(left, right),
    ">": lambda left, right: not (_less(left, right) or _equal(left, right)),
    ">=": lambda left, right: not _less(left, right),
}


def unrecognized(name: str) -> Step:
    def evaluate(values: list[Any]) -> list[Any]:
        raise JsonPathError(f"unrecognized identifier {name}")

    return evaluate
