"""What types do not tell and a glance at the text does: literals that can never work.

Run by the environment on what the checker let pass.

Promises
    W1  `duration`, `timestamp` and `matches` with a literal that fails are refused at once
    W2  lists and maps written out hold one type each, but for the arguments of functions that are exempt
    W3  a literal format string is read against the types of the arguments it will be given

Source: cel-go's cel/validator.go and ext/formatting.go.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.errors import EvaluationError, Issue
from kajitori.apimachinery.cel.inference import format_type
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
)
from kajitori.apimachinery.cel.types import Kind, Type
from kajitori.apimachinery.regex import PatternError, compile_regex

__all__ = ["Validator", "format_strings", "homogeneous_literals", "literals"]

Validator = Callable[[Checked], Iterable[Issue]]
"""Looks at a checked tree for what types do not tell, such as a literal that is no duration."""


def literals(checked: Checked) -> Iterator[Issue]:
    """Literal arguments of `duration`, `timestamp` and `matches` that would fail whenever they are evaluated."""
    for node in _nodes(checked.tree.root):
        if type(node) is not Call or not node.args or type(node.args[0]) is not Literal:
            continue
        # The first argument, even where `matches` is called as a function of two: that is what cel-go looks at.
        name, literal = checked.references[node.id].name, node.args[0]
        if name in ("duration", "timestamp"):
            valid = _converts(checked, node, literal.value)
        elif name == "matches":
            valid = not isinstance(literal.value, str) or _compiles(literal.value)
        else:
            continue
        if not valid:
            yield Issue(literal.offset, f"invalid {name} argument")


def _converts(checked: Checked, node: Call, value: object) -> bool:
    if value is None:
        return False  # Types let null stand for a time, but nothing converts it.
    for overload in checked.references[node.id].overloads[:1]:
        try:
            overload.call(value)
        except EvaluationError:
            return False
    return True


def _compiles(pattern: str) -> bool:
    try:
        compile_regex(pattern)
    except PatternError:
        return False
    return True


def homogeneous_literals(exempt: frozenset[str] = frozenset()) -> Validator:
    """Lists and maps written out whose elements differ in type, unless inside a call of an exempt function."""

    def validate(checked: Checked) -> Iterator[Issue]:
        for node in _nodes(checked.tree.root, exempt):
            if type(node) is ListLiteral:
                yield from _mixed_list(checked, node)
            elif type(node) is MapLiteral:
                yield from _mixed_map(checked, node)

    return validate


def _mixed_list(checked: Checked, node: ListLiteral) -> Iterator[Issue]:
    first: Type | None = None
    for position, element in enumerate(node.elements):
        one = checked.types[element.id]
        if position in node.optional:
            one = one.parameters[0] if one.parameters else one
        if first is None:
            first = one
        elif first != one:
            yield _mismatch(element, first, one)
            return


def _mixed_map(checked: Checked, node: MapLiteral) -> Iterator[Issue]:
    first: tuple[Type, Type] | None = None
    for entry in node.entries:
        key, value = checked.types[entry.key.id], checked.types[entry.value.id]
        if entry.optional:
            value = value.parameters[0] if value.parameters else value
        if first is None:
            first = key, value
            continue
        if first[0] != key:
            yield _mismatch(entry.key, first[0], key)
        if first[1] != value:
            yield _mismatch(entry.value, first[1], value)


def _mismatch(node: Expression, expected: Type, found: Type) -> Issue:
    return Issue(node.offset, f"expected type '{format_type(expected)}' but found '{format_type(found)}'")


class _ClauseError(Exception):
    """A format string and its arguments do not go together."""

    def __init__(self, message: str, at: Expression | None = None) -> None:
        self.at = at
        super().__init__(message)


_INTEGERS = frozenset((Kind.INT, Kind.UINT))
_DOUBLES = frozenset((Kind.DOUBLE, Kind.STRING))
_CLAUSES: dict[str, tuple[frozenset[Kind], str]] = {
    "d": (_INTEGERS, "decimal clause can only be used on integers"),
    "f": (_DOUBLES, "fixed-point clause can only be used on doubles"),
    "e": (_DOUBLES, "scientific clause can only be used on doubles"),
    "b": (_INTEGERS | {Kind.BOOL}, "only integers and bools can be formatted as binary"),
    "x": (
        _INTEGERS | {Kind.STRING, Kind.BYTES},
        "only integers, byte buffers, and strings can be formatted as hex",
    ),
    "o": (_INTEGERS, "octal clause can only be used on integers"),
}
_CLAUSES["X"] = _CLAUSES["x"]
_SHOWABLE = frozenset(
    (
        *(Kind.LIST, Kind.MAP, Kind.INT, Kind.UINT, Kind.DOUBLE, Kind.BOOL, Kind.STRING),
        *(Kind.TIMESTAMP, Kind.BYTES, Kind.DURATION, Kind.TYPE, Kind.NULL),
    )
)
_NOT_SHOWABLE = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, "
    "and timestamps"
)
_PRECISION = re.compile(rb"\.([0-9]*)")


def format_strings(checked: Checked) -> Iterator[Issue]:
    """Calls of `format` on a literal with a list written out: every clause must take its argument."""
    for node in _nodes(checked.tree.root):
        if type(node) is not Call or node.function != "format" or type(node.target) is not Literal:
            continue
        template = node.target.value
        if not isinstance(template, str) or len(node.args) != 1 or type(node.args[0]) is not ListLiteral:
            continue
        args = node.args[0].elements
        try:
            used = _read_template(checked, template.encode(), args)
        except _ClauseError as error:
            yield Issue((error.at or node).offset, str(error))
            continue
        if len(args) > used:
            message = f"too many arguments supplied to string.format (expected {used}, got {len(args)})"
            yield Issue(node.offset, message)


def _read_template(checked: Checked, template: bytes, args: tuple[Expression, ...]) -> int:
    """How many arguments the clauses of a template use."""
    used = 0
    place = template.find(b"%")
    while place >= 0:
        place += 1
        if template[place : place + 1] == b"%":
            place = template.find(b"%", place + 1)
            continue
        if place >= len(template):
            raise _ClauseError("unexpected end of string")
        if used >= len(args):
            raise _ClauseError(f"index {used} out of range")
        place = _read_clause(checked, template, place, args[used])
        used += 1
        place = template.find(b"%", place)
    return used


def _read_clause(checked: Checked, template: bytes, place: int, arg: Expression) -> int:
    """Check one clause against its argument; gives where the text goes on."""
    precision = _PRECISION.match(template, place)
    if precision is not None:
        unreadable = "could not parse formatting clause: error while parsing precision: "
        place = precision.end()
        if place >= len(template):
            raise _ClauseError(f"{unreadable}could not find end of precision specifier")
        digits = precision[1].decode()
        if not digits or int(digits) >= 1 << 63:
            reason = "value out of range" if digits else "invalid syntax"
            problem = f'strconv.Atoi: parsing "{digits}": {reason}'
            raise _ClauseError(f"{unreadable}error while converting precision to integer: {problem}")
    clause = chr(template[place])
    if clause == "s":
        wrong = _not_showable(checked, arg)
        complaint = _NOT_SHOWABLE
    elif clause in _CLAUSES:
        kinds, complaint = _CLAUSES[clause]
        kind = checked.types[arg.id].kind
        wrong = None if kind is Kind.DYN or kind in kinds else arg
    else:
        raise _ClauseError(f'could not parse formatting clause: unrecognized formatting clause "{clause}"')
    if wrong is not None:
        name = checked.types[wrong.id].name
        raise _ClauseError(f"error during formatting: {complaint}, was given {name}", wrong)
    return place + 1


def _not_showable(checked: Checked, arg: Expression) -> Expression | None:
    """The argument, or what of a list or map written out, that `%s` cannot show."""
    kind = checked.types[arg.id].kind
    if kind is not Kind.DYN and kind not in _SHOWABLE:
        return arg
    parts: list[Expression] = []
    if type(arg) is ListLiteral:
        parts += arg.elements
    elif type(arg) is MapLiteral:
        for entry in arg.entries:
            parts += (entry.key, entry.value)
    for part in parts:
        wrong = _not_showable(checked, part)
        if wrong is not None:
            return wrong
    return None


def _nodes(root: Expression, but_in: frozenset[str] = frozenset()) -> Iterator[Expression]:
    """Every node, children before parents, leaving out what calls of some functions contain."""
    found: list[Expression] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if type(node) is Call:
            if node.function in but_in:
                continue
            if node.target is not None:
                waiting.append(node.target)
            waiting += node.args
        elif type(node) is Select:
            waiting.append(node.operand)
        elif type(node) is ListLiteral:
            waiting += node.elements
        elif type(node) is MapLiteral:
            for entry in node.entries:
                waiting += (entry.key, entry.value)
        elif type(node) is StructLiteral:
            waiting += [field.value for field in node.fields]
        elif type(node) is Comprehension:
            waiting += (node.iter_range, node.accu_init, node.condition, node.step, node.result)
    return reversed(found)
