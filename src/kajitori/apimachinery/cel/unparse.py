"""Tree to text, for people: one spelling for every expression, macros as they were written.

Sits beside the parser, whose inverse it is.

Promises
    U1  what it writes parses to the same tree, apart from ids and offsets
    U2  it writes as cel-go's unparser does: brackets only where they matter, `&&` and `||` end a line of 80 bytes

Source: cel-go's parser/unparser.go. Where its text would mean something else, as `(-a).b` without its brackets
does, there are brackets here.
"""

import re
from collections.abc import Iterator, Mapping

from kajitori.apimachinery.cel.numbers import format_double
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
    Tree,
)
from kajitori.apimachinery.cel.values import UInt
from kajitori.apimachinery.decode import go_quote

__all__ = ["unparse"]

_LINE_BYTES = 80
_OPERATORS = {
    **{"_||_": ("||", 7), "_&&_": ("&&", 6)},
    **{
        "_==_": ("==", 5),
        "_!=_": ("!=", 5),
        "_<_": ("<", 5),
        "_<=_": ("<=", 5),
        "_>_": (">", 5),
        "_>=_": (">=", 5),
    },
    **{"@in": ("in", 5), "_+_": ("+", 4), "_-_": ("-", 4), "_*_": ("*", 3), "_/_": ("/", 3), "_%_": ("%", 3)},
}
"""How the operators of two operands are written, and how loosely they bind."""
_LOOSENESS = {
    **{name: looseness for name, (_, looseness) in _OPERATORS.items()},
    **{"_?_:_": 8, "!_": 2, "-_": 2, "_[_]": 1, "_[?_]": 1, "_?._": 1},
}
_UNARY = {"!_": "!", "-_": "-"}
_LOGICAL = ("_&&_", "_||_")
_PLAIN_FIELD = re.compile(r"(?!(?:in|true|false|null)\Z)[A-Za-z_][0-9A-Za-z_]*\Z")

_Part = str | Expression
"""Text, or what is still to be written. An operator between two spaces may end its line."""


def unparse(tree: Tree, node: Expression | None = None) -> str:
    """The text of a tree, or of one node of it."""
    return _Writer(tree.macro_calls).write(tree.root if node is None else node)


class _Writer:
    def __init__(self, macro_calls: Mapping[int, Call]) -> None:
        self._macro_calls = macro_calls

    def write(self, node: Expression) -> str:
        # Parts wait on a stack of their own, so a tree may be as deep as it likes.
        stack: list[_Part] = [node]
        written: list[str] = []
        length = line_begins = 0
        while stack:
            part = stack.pop()
            if not isinstance(part, str):
                parts = list(self._parts(self._macro_calls.get(part.id, part)))
                stack.extend(reversed(parts))
                continue
            if part in (" && ", " || ") and length - line_begins + len("_&&_") >= _LINE_BYTES:
                line_begins = length
                part = f"{part[:-1]}\n"
            written.append(part)
            length += len(part.encode(errors="replace"))
        return "".join(written)

    def _parts(self, node: Expression) -> Iterator[_Part]:
        match node:
            case Literal():
                yield _literal(node.value)
            case Ident():
                yield node.name
            case Select():
                yield from self._selected(node.operand, ".", node.field, test_only=node.test_only)
            case Call():
                yield from self._call(node)
            case ListLiteral():
                yield "["
                for index, element in enumerate(node.elements):
                    yield (", " if index else "") + ("?" if index in node.optional else "")
                    yield element
                yield "]"
            case MapLiteral():
                yield "{"
                for index, entry in enumerate(node.entries):
                    yield (", " if index else "") + ("?" if entry.optional else "")
                    yield entry.key
                    yield ": "
                    yield entry.value
                yield "}"
            case StructLiteral():
                yield f"{node.type_name}{{"
                for index, field in enumerate(node.fields):
                    yield f"{', ' if index else ''}{'?' if field.optional else ''}{_field(field.name)}: "
                    yield field.value
                yield "}"
            case Comprehension():
                yield from self._fold(node)

    def _call(self, node: Call) -> Iterator[_Part]:
        name, args = node.function, node.args
        if name in _OPERATORS:
            text, looseness = _OPERATORS[name]
            left, right = args
            yield from self._nested(left, self._looser(left, looseness))
            yield f" {text} "
            same = name not in _LOGICAL and self._looseness(right) == looseness
            yield from self._nested(right, same or self._looser(right, looseness))
        elif name == "_?_:_":
            for before, arg in zip(("", " ? ", " : "), args, strict=True):
                yield before
                yield from self._nested(arg, self._has_operands(arg))
        elif name in _UNARY:
            (operand,) = args
            yield _UNARY[name]
            yield from self._nested(operand, self._has_operands(operand) or self._signed(name, operand))
        elif name == "_?._":
            operand, field = args
            assert isinstance(field, Literal)
            yield from self._selected(operand, ".?", str(field.value))
        elif name in ("_[_]", "_[?_]"):
            operand, key = args
            yield from self._operand(operand)
            yield "[?" if name == "_[?_]" else "["
            yield key
            yield "]"
        else:
            if node.target is not None:
                yield from self._operand(node.target)
                yield "."
            yield f"{name}("
            for index, arg in enumerate(args):
                if index:
                    yield ", "
                yield arg
            yield ")"

    def _fold(self, node: Comprehension) -> Iterator[_Part]:
        """A comprehension that no macro stands for: nothing that can be parsed."""
        variables = node.iter_var if node.iter_var2 is None else f"{node.iter_var}, {node.iter_var2}"
        yield "fold("
        yield node.iter_range
        yield f", {variables}, {node.accu_var}"
        for part in (node.accu_init, node.condition, node.step, node.result):
            yield ", "
            yield part
        yield ")"

    def _selected(
        self, operand: Expression, dot: str, field: str, *, test_only: bool = False
    ) -> Iterator[_Part]:
        if test_only:
            yield "has("
        yield from self._operand(operand)
        yield f"{dot}{_field(field)}{')' if test_only else ''}"

    def _operand(self, node: Expression) -> Iterator[_Part]:
        """What something is selected from or called on."""
        yield from self._nested(node, self._looseness(node) >= 2)

    def _signed(self, name: str, operand: Expression) -> bool:
        """Whether a sign before it would join what it begins with: another sign, or a number after a minus."""
        if self._looseness(operand) == 2:
            return True
        while name == "-_":
            match self._macro_calls.get(operand.id, operand):
                case Select(operand=inner, test_only=False):
                    operand = inner
                case Call(target=None, function="_[_]" | "_[?_]" | "_?._", args=(inner, _)):
                    operand = inner
                case Call(target=inner) if inner is not None:
                    operand = inner
                case Literal(value=value):
                    return isinstance(value, int | float) and not isinstance(value, bool | UInt)
                case _:
                    break
        return False

    def _nested(self, node: Expression, brackets: bool) -> Iterator[_Part]:
        if brackets:
            yield "("
        yield node
        if brackets:
            yield ")"

    def _looseness(self, node: Expression) -> int:
        """How loosely it binds; 0 when nothing has to keep it together, as around the call of a macro."""
        if not isinstance(node, Call) or node.id in self._macro_calls:
            return 0
        return _LOOSENESS.get(node.function, 0)

    def _looser(self, node: Expression, looseness: int) -> bool:
        return self._has_operands(node) and self._looseness(node) > looseness

    def _has_operands(self, node: Expression) -> bool:
        return isinstance(node, Call) and len(node.args) >= 2 and node.id not in self._macro_calls


def _field(name: str) -> str:
    return name if _PLAIN_FIELD.match(name) else f"`{name}`"


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case UInt():
            return f"{int(value)}u"
        case float():
            text = format_double(value)
            return text if "." in text or "e" in text else f"{text}.0"
        case str():
            return go_quote(value)
        case bytes():
            return 'b"' + "".join(f"\\{byte:03o}" for byte in value) + '"'
        case _:
            return str(value)
