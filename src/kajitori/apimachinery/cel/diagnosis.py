"""What is wrong with tokens that are no expression, all of it.

Sits beside the parser, which only knows that they are none. Mistakes of syntax come from `recovery`; what else is
wrong in the parts that could be read, from a walk over its tree: reserved names, literals without a value, macros
that cannot be expanded.

Promises
    D1  what it says is what cel-go says, word for word and place for place, or starts with the same mistake

Source: cel-go's parser.go, what its visitor does with incomplete trees.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from kajitori.apimachinery.cel.building import RESERVED, Options
from kajitori.apimachinery.cel.errors import ISSUES_MAX, Issue
from kajitori.apimachinery.cel.lexer import (
    Token,
    bytes_value,
    double_value,
    int_value,
    string_value,
    uint_value,
)
from kajitori.apimachinery.cel.macros import MacroError, MacroTable, NodeBuilder
from kajitori.apimachinery.cel.recovery import Node, Recovery, quoted_token
from kajitori.apimachinery.cel.tree import (
    Call,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
)

__all__ = ["TOKENS_MAX", "syntax_issues"]

TOKENS_MAX = 10_000
"""Of longer texts only the first mistake is told, and not what should be in its place: that takes too long."""


def syntax_issues(
    text: str,
    tokens: Sequence[Token],
    skipped: Sequence[tuple[int, int]],
    at: int,
    macros: MacroTable,
    options: Options,
) -> list[Issue]:
    """All mistakes. `skipped` is what is no token, `at` the index of the first token that does not fit."""
    issues = [
        Issue(start, f"Syntax error: token recognition error at: '{text[start:end]}'")
        for start, end in skipped
    ]
    if len(issues) > ISSUES_MAX:
        last = issues[ISSUES_MAX].offset
        return [*issues[:ISSUES_MAX], Issue(last, f"Syntax error: More than {ISSUES_MAX} syntax errors")]
    if len(tokens) > TOKENS_MAX:
        _, wrong, offset = tokens[min(at, len(tokens) - 1)]
        return [*issues, Issue(offset, f"Syntax error: mismatched input {quoted_token(wrong)}")]
    recovery = Recovery(text, tokens, skipped, options.nesting_max)
    recovery.run()
    found = [*issues, *recovery.issues]
    if recovery.root is not None:
        walk = _Walk(tokens, macros, options)
        walk.run(recovery.root)
        found += walk.issues
    return found


_Walking = Generator[Node | None, Expression, Expression]


class _Walk:
    """Looks at everything in a tree that may have holes."""

    def __init__(self, tokens: Sequence[Token], macros: MacroTable, options: Options) -> None:
        self.issues: list[Issue] = []
        self._tokens = tokens
        self._macros = macros
        self._options = options

    def run(self, root: Node) -> None:
        """Fills `issues`."""
        # A generator for each node that waits for the expressions of its parts.
        walks = [self._visit(root)]
        value: Any = None
        while walks:
            try:
                part = walks[-1].send(value)
            except StopIteration as stop:
                walks.pop()
                value = stop.value
                continue
            if part is None:
                value = _hole(0)
            else:
                walks.append(self._visit(part))
                value = None

    def _visit(self, node: Node) -> _Walking:
        match node.rule:
            case "relation" | "calc" if "left" in node.parts:
                yield node.one("left")
                yield node.one("e")
                return self._call(node.one("op"), "", None, [])
            case "member" if "left" in node.parts:
                return (yield from (self._select, self._member_call, self._index)[node.branch - 1](node))
            case "primary":
                return (yield from self._primary(node))
            case "literal":
                return self._literal(node)
            case "unary" if node.branch == 0:
                return _hole(self._offset(node.start))
            case "expr" if "op" in node.parts:
                for role in ("e", "yes", "no"):
                    yield node.one(role)
                return self._call(node.one("op"), "", None, [])
            case _:
                parts = node.parts.get("e") or node.parts.get("expr") or [None]
                values: list[Expression] = []
                for part in parts:
                    values.append((yield part))
                operators = node.parts.get("op", [])
                if len(values) == 1 and len(operators) % 2 == 0:
                    return values[0]
                # A chain becomes a balanced tree, so the operator in its middle is the outermost.
                middle = 0 if node.rule == "unary" else len(operators) // 2
                return self._call(operators[middle] if operators else None, "", None, [])

    def _select(self, node: Node) -> _Walking:
        operand = yield node.one("left")
        field = node.one("field")
        if field is None:
            return _hole(self._offset(node.start))
        name = self._field(field, self._offset(field.start))
        offset = self._offset(node.one("op"))
        if node.one("optional") is not None:
            self._need_optional_syntax(offset, ".?")
            return Call(0, offset, "_?._", None, ())
        return Select(0, offset, operand, name or "")

    def _member_call(self, node: Node) -> _Walking:
        target = yield node.one("left")
        args = yield from self._all(node.one("args"), "e")
        return self._call(node.one("open"), self._text(node.one("id")), target, args)

    def _index(self, node: Node) -> _Walking:
        yield node.one("left")
        yield node.one("index")
        offset = self._offset(node.one("op"))
        if node.one("optional") is not None:
            self._need_optional_syntax(offset, "[?")
        return Call(0, offset, "_[_]", None, ())

    def _primary(self, node: Node) -> _Walking:
        start = self._offset(node.start)
        everything: Node | None = node.one("all")
        opening = self._offset(node.one("open"))
        match node.branch:
            case 1 | 2:
                return (yield from self._named(node, start))
            case 3 | 7:
                return (yield node.one("e"))
            case 4:
                for element in everything.parts.get("e", []) if everything else []:
                    yield from self._optional_expression(element)
                return ListLiteral(0, opening, ())
            case 5:
                if everything is not None:
                    yield from self._entries(everything)
                return MapLiteral(0, opening, ())
            case 6:
                if everything is not None:
                    yield from self._fields(everything)
                return StructLiteral(0, opening, "", ())
            case _:
                return _hole(0)

    def _named(self, node: Node, start: int) -> _Walking:
        name = self._text(node.one("id"))
        if name in RESERVED:
            return self._wrong(start, f"reserved identifier: {name}")
        dot = "." if node.one("dot") is not None else ""
        if node.branch == 1:
            return Ident(0, self._offset(node.one("id")), dot + name)
        args = yield from self._all(node.one("args"), "e")
        return self._call(node.one("open"), dot + name, None, args)

    def _all(self, node: Node | None, role: str) -> Generator[Node | None, Expression, list[Expression]]:
        values: list[Expression] = []
        for part in node.parts.get(role, []) if node else []:
            values.append((yield part))
        return values

    def _optional_expression(self, node: Node) -> _Walking:
        if node.one("optional") is not None:
            self._need_optional_syntax(self._offset(node.start), "?")
        return (yield node.one("e"))

    def _entries(self, node: Node) -> Generator[Node | None, Expression, None]:
        parts = node.parts
        for key, _, value in zip(
            parts.get("key", []), parts.get("colon", []), parts.get("value", []), strict=False
        ):
            yield from self._optional_expression(key)
            yield value

    def _fields(self, node: Node) -> Generator[Node | None, Expression, None]:
        parts = node.parts
        for key, _, value in zip(
            parts.get("key", []), parts.get("colon", []), parts.get("value", []), strict=False
        ):
            if key.one("optional") is not None:
                self._need_optional_syntax(self._offset(key.start), "?")
                if not self._options.optional_syntax:
                    continue
            if self._field(key.one("field"), self._offset(node.start)) is not None:
                yield value

    def _literal(self, node: Node) -> Expression:
        start = self._offset(node.start)
        sign = "-" if node.one("sign") is not None else ""
        for role, read in _READERS.items():
            token = node.one(role)
            if token is not None:
                try:
                    value = read(sign + self._text(token))
                except ValueError as error:
                    return self._wrong(start, str(error))
                return (
                    Literal(0, start, value)
                    if value is not None
                    else self._wrong(start, f"invalid {role} literal")
                )
        return _hole(start)

    def _field(self, node: Node | None, complaint_at: int) -> str | None:
        """The name of a field, `None` when there is none that may be used."""
        if node is None or node.branch == 0:
            self.issues.append(Issue(complaint_at, "unsupported ident kind"))
        elif node.branch == 1:
            return self._text(node.one("id"))
        elif self._options.quoted_fields:
            return self._text(node.one("quoted"))[1:-1]
        else:
            self.issues.append(Issue(complaint_at, "unsupported syntax: '`'"))
        return None

    def _call(self, place: Any, name: str, target: Expression | None, args: list[Expression]) -> Expression:
        """A call, or what a macro makes of it; operators have no name here."""
        offset = self._offset(place)
        receiver = target is not None
        macro = self._macros.get((name, len(args), receiver)) or self._macros.get((name, None, receiver))
        if macro is not None:
            try:
                return macro.expand(NodeBuilder(lambda: 0, offset), target, args) or _call(offset, name)
            except MacroError as error:
                return self._wrong(error.at.offset if error.at is not None else offset, str(error))
        return _call(offset, name)

    def _need_optional_syntax(self, offset: int, text: str) -> None:
        if not self._options.optional_syntax:
            self.issues.append(Issue(offset, f"unsupported syntax '{text}'"))

    def _wrong(self, offset: int, message: str) -> Expression:
        self.issues.append(Issue(offset, message))
        return _hole(offset)

    def _offset(self, token: int | None) -> int:
        return self._tokens[token][2] if token is not None and token >= 0 else -1

    def _text(self, token: int | None) -> str:
        return self._tokens[token][1] if token is not None and token >= 0 else ""


_READERS: dict[str, Callable[[str], object]] = {
    "int": int_value,
    "uint": uint_value,
    "double": double_value,
    "string": string_value,
    "bytes": bytes_value,
}


def _call(offset: int, name: str) -> Expression:
    return Call(0, offset, name, None, ())


def _hole(offset: int) -> Expression:
    """Where an expression should be."""
    return Literal(0, offset, NotImplemented)
