"""Calls in generated Python: the operators of simple types as Python's own, all others as calls of their overloads.

Sits beside the emitter. What is written here must give what the overload's `call` gives, or raise; and cost what its
`cost` says.

Source: cel-go's interpreter/runtimecost.go for the costs of the standard functions.
"""

from collections.abc import Callable
from math import ceil
from typing import Any, Protocol

from kajitori.apimachinery.cel.calls import invoker
from kajitori.apimachinery.cel.plan import Const, Invocation
from kajitori.apimachinery.cel.types import Kind, Type
from kajitori.apimachinery.cel.values import actual_size
from kajitori.apimachinery.regex import compile_regex

__all__ = ["Inline", "Writer", "is_certain", "write_call"]

_UNCERTAIN = frozenset((Kind.DYN, Kind.ANY, Kind.PARAMETER, Kind.ERROR))
_PLAIN = frozenset(
    (Kind.BOOL, Kind.INT, Kind.UINT, Kind.STRING, Kind.BYTES, Kind.DOUBLE, Kind.TIMESTAMP, Kind.DURATION)
)
_UNSIZED = frozenset((Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.NULL, Kind.TIMESTAMP, Kind.DURATION))
"""Kinds whose values have no size: for costs it is one."""
_INT_RANGE = "-9223372036854775808 <= {} <= 9223372036854775807"


class Writer(Protocol):
    """What is asked of the emitter."""

    def bound(self, expression: str) -> str: ...
    def constant(self, value: Any, prefix: str = ...) -> str: ...
    def line(self, text: str) -> None: ...
    def name(self, prefix: str = ...) -> str: ...
    def pay(self, cost: int, *terms: str) -> None: ...


class Inline:
    """One call, with expressions for its arguments."""

    def __init__(self, writer: "Writer", step: Invocation, arguments: list[str]) -> None:
        self.writer = writer
        self.step = step
        self.types = [argument.type for argument in step.arguments]
        self.id = step.overloads[0].id if len(step.overloads) == 1 else ""
        self._arguments = arguments

    def take(self, position: int) -> str:
        """The argument, to be written once."""
        return self._arguments[position]

    def keep(self, position: int) -> str:
        """The argument, to be written any number of times."""
        kept = self._arguments[position] = self.writer.bound(self._arguments[position])
        return kept

    @property
    def certain(self) -> bool:
        """Whether the types of all arguments are known."""
        return all(map(is_certain, self.types))

    @property
    def arguments(self) -> list[str]:
        """All of them, to be written once."""
        return self._arguments

    def literal(self, position: int) -> str | None:
        """The text of an argument that is a constant one."""
        step = self.step.arguments[position]
        return step.value if isinstance(step, Const) and isinstance(step.value, str) else None


def is_certain(one: Type) -> bool:
    """Whether the type says all of its values."""
    return one.kind not in _UNCERTAIN and not one.nullable and all(map(is_certain, one.parameters))


def write_call(call: Inline) -> str:
    """An expression for what the call gives; what it costs is paid."""
    writer, step = call.writer, call.step
    cost = _COSTS.get(call.id)
    if cost is not None:
        cost(call)
        return _value(call)
    if step.cost is None:
        writer.pay(1)
        return _value(call)
    arguments = "".join(f"{call.keep(position)}, " for position in range(len(call.arguments)))
    value = writer.bound(_value(call))
    writer.pay(0, f"{writer.constant(step.cost, 'cost')}(({arguments}), {value})")
    return value


def _value(call: Inline) -> str:
    write = _VALUES.get(call.id)
    written = write(call) if write is not None else None
    if written is not None:
        return written
    step = call.step
    if len(step.overloads) == 1 and call.certain:
        function = step.overloads[0].call
    else:
        function = invoker(step.name, step.overloads)
    return f"{call.writer.constant(function, 'f')}({', '.join(call.arguments)})"


# Values


def _same_plain(call: Inline) -> bool:
    left, right = call.types
    return left.kind is right.kind and left.kind in _PLAIN and not left.nullable and not right.nullable


def _equals(call: Inline) -> str:
    return _equality(call, "==", "is", "")


def _not_equals(call: Inline) -> str:
    return _equality(call, "!=", "is not", "not ")


def _equality(call: Inline, sign: str, identity: str, negation: str) -> str:
    left, right = (one.kind for one in call.types)
    literal = any(isinstance(one, Const) and type(one.value) in (str, int) for one in call.step.arguments)
    if not literal and (Kind.NULL in (left, right) or (left is Kind.BOOL and right is Kind.DYN)):
        # Whatever the other is, it can only be equal by being the same.
        return f"({call.take(0)} {identity} {call.take(1)})"
    if _same_plain(call) or (left is Kind.STRING and right is Kind.DYN):
        return f"({call.take(0)} {sign} {call.take(1)})"
    if left is Kind.DYN and right is Kind.STRING:
        value, text = call.keep(0), call.keep(1)
        return f"({value} {sign} {text} if type({value}) is str else {negation}equal({value}, {text}))"
    return f"({negation}equal({call.take(0)}, {call.take(1)}))"


def _operator(sign: str) -> Callable[[Inline], str | None]:
    def write(call: Inline) -> str | None:
        return f"({call.take(0)} {sign} {call.take(1)})" if call.certain else None

    return write


def _checked(sign: str) -> Callable[[Inline], str | None]:
    def write(call: Inline) -> str | None:
        if not call.certain:
            return None
        name = call.writer.name()
        call.writer.line(f"{name} = {call.take(0)} {sign} {call.take(1)}")
        call.writer.line(f"if not {_INT_RANGE.format(name)}: raise Odd")
        return name

    return write


def _not(call: Inline) -> str | None:
    return f"(not {call.take(0)})" if call.types[0].kind is Kind.BOOL else None


def _same(call: Inline) -> str | None:
    return call.take(0) if call.types[0].kind is Kind.BOOL else None


def _size(call: Inline) -> str | None:
    return f"len({call.take(0)})" if is_certain(call.types[0]) or call.types[0].kind in _SIZED else None


_SIZED = frozenset((Kind.LIST, Kind.MAP))


def _is_text(one: Type) -> bool:
    return one.kind is Kind.STRING and not one.nullable


def _joined(call: Inline) -> str | None:
    return f"({call.take(0)} + {call.take(1)})" if all(map(_is_text, call.types)) else None


def _contains(call: Inline) -> str | None:
    if not _is_text(call.types[1]):
        return None
    if _is_text(call.types[0]):
        return f"({call.take(1)} in {call.take(0)})"
    text, part = call.keep(0), call.keep(1)
    return f"({part} in {text} if type({text}) is str else odd())"


def _affix(method: str) -> Callable[[Inline], str | None]:
    def write(call: Inline) -> str | None:
        # Nothing but texts has these methods, so the first argument may be anything.
        return f"{call.take(0)}.{method}({call.take(1)})" if _is_text(call.types[1]) else None

    return write


def _matches(call: Inline) -> str | None:
    pattern = call.literal(1)
    if pattern is None or call.types[0].kind is not Kind.STRING:
        return None
    return f"{call.writer.constant(compile_regex(pattern).matches, 'regex')}({call.take(0)})"


def _in(call: Inline) -> str | None:
    value, container = call.types
    if value.kind is not Kind.STRING or value.nullable:
        return None
    return f"({call.take(0)} in {call.take(1)})" if container.kind in _SIZED else None


_VALUES: dict[str, Callable[[Inline], str | None]] = {
    "equals": _equals,
    "not_equals": _not_equals,
    "add_int64": _checked("+"),
    "subtract_int64": _checked("-"),
    "multiply_int64": _checked("*"),
    "logical_not": _not,
    "not_strictly_false": _same,
    "contains_string": _contains,
    "starts_with_string": _affix("startswith"),
    "ends_with_string": _affix("endswith"),
    "add_string": _joined,
    "matches": _matches,
    "matches_string": _matches,
    "in_list": _in,
    "in_map": _in,
    **{
        f"{stem}_{kind}": _operator(sign)
        for stem, sign in (("less", "<"), ("less_equals", "<="), ("greater", ">"), ("greater_equals", ">="))
        for kind in ("int64", "uint64", "string", "bytes", "timestamp", "duration")
    },
    **dict.fromkeys(
        (
            "size_string",
            "string_size",
            "size_bytes",
            "bytes_size",
            "size_list",
            "list_size",
            "size_map",
            "map_size",
        ),
        _size,
    ),
}

# Costs


def _size_of(call: Inline, position: int) -> str:
    """An expression for the size of an argument, for costs."""
    step, one = call.step.arguments[position], call.types[position]
    if isinstance(step, Const):
        return str(actual_size(step.value))
    if one.kind in _UNSIZED and not one.nullable:
        return "1"
    if one.kind in (Kind.STRING, Kind.BYTES, Kind.LIST, Kind.MAP) and not one.nullable:
        return f"len({call.keep(position)})"
    return f"size({call.keep(position)})"


def _scaled(call: Inline, size: str) -> None:
    """Pay for going over so much."""
    if size.isdecimal():
        call.writer.pay(_tenth(int(size)))
    else:
        call.writer.pay(0, f"ceil({size} * 0.1)")


def _tenth(size: int) -> int:
    return ceil(size * 0.1)


def _cost_of_either(call: Inline) -> None:
    """The smaller of the two is gone over."""
    left, right = _size_of(call, 0), _size_of(call, 1)
    if left.isdecimal() and right.isdecimal():
        call.writer.pay(_tenth(min(int(left), int(right))))
        return
    for known, other, position in ((left, right, 1), (right, left, 0)):
        if known.isdecimal() and int(known) <= 10:
            if known == "0":
                return
            # Up to ten cost one, unless there is nothing.
            kept = call.keep(position)
            if other.startswith("len"):
                call.writer.pay(0, f"(1 if {kept} else 0)")
            elif kept.isidentifier():
                call.writer.pay(0, f"(1 if {kept} or {kept} is False else size({kept}))")
            else:
                call.writer.pay(0, f"min(1, size({kept}))")
            return
    call.writer.pay(0, f"ceil(min({left}, {right}) * 0.1)")


def _cost_of_equality(call: Inline) -> None:
    """The same, but that values of libraries' types are compared at a price of their own."""
    if _size_of(call, 0).startswith("size") and not _size_of(call, 1).isdecimal():
        call.writer.pay(0, f"equality_cost(({call.keep(0)}, {call.keep(1)}), None)")
    else:
        _cost_of_either(call)


def _cost_of_both(call: Inline) -> None:
    _scaled(call, f"({_size_of(call, 0)} + {_size_of(call, 1)})")


def _cost_of_first(call: Inline) -> None:
    _scaled(call, _size_of_text(call))


def _size_of_text(call: Inline) -> str:
    """The size of a first argument that is a text, or else the call does not return."""
    text = call.literal(0)
    return str(len(text)) if text is not None else f"len({call.keep(0)})"


def _cost_of_list(call: Inline) -> None:
    size = _size_of(call, 1)
    call.writer.pay(0, size)


def _cost_of_contains(call: Inline) -> None:
    part = call.literal(1)
    if part is not None and len(part) <= 10:
        if part:
            _scaled(call, _size_of_text(call))
        return
    call.writer.pay(0, f"ceil({_size_of_text(call)} * 0.1) * ceil({_size_of(call, 1)} * 0.1)")


def _cost_of_matches(call: Inline) -> None:
    text, pattern = f"ceil((1.0 + {_size_of_text(call)}) * 0.1)", call.literal(1)
    factor = str(ceil(len(pattern) * 0.25)) if pattern is not None else f"ceil({_size_of(call, 1)} * 0.25)"
    call.writer.pay(0, f"{text} * {factor}")


_COSTS: dict[str, Callable[[Inline], None]] = {
    "equals": _cost_of_equality,
    "not_equals": _cost_of_either,
    **{
        f"{stem}_{kind}": _cost_of_either
        for stem in ("less", "less_equals", "greater", "greater_equals")
        for kind in ("string", "bytes")
    },
    "add_string": _cost_of_both,
    "add_bytes": _cost_of_both,
    "starts_with_string": _cost_of_first,
    "ends_with_string": _cost_of_first,
    "string_to_bytes": _cost_of_first,
    "bytes_to_string": _cost_of_first,
    "in_list": _cost_of_list,
    "contains_string": _cost_of_contains,
    "matches_string": _cost_of_matches,
}
