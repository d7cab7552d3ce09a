"""Text to tree: the grammar of CEL, by operator precedence.

Sits between the lexer and everything that works on trees. It reads token after token and keeps what is begun and
not finished on a stack of its own, so nesting costs no Python frames. When a token does not fit, `diagnosis` says
what is wrong, in the words that users of Kubernetes know.

Promises
    P1  ids are given in the order in which cel-go gives them, offsets are where cel-go's messages point
    P2  chains of `&&` and of `||` become balanced trees
    P3  no text makes it recurse, hang or raise anything but CompileError: size and nesting have limits
    P4  `-` directly before a number belongs to the number

Source: cel-spec's doc/langdef.md, "Syntax"; cel-go's parser.go and CEL.g4 for order, places and limits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel.building import (
    AND,
    BRACKET,
    CONDITION,
    NODES_MAX,
    OR,
    PREFIX,
    PRODUCT,
    RELATION,
    RESERVED,
    SUM,
    TAIL,
    Building,
    Options,
    TooDeep,
    TooLarge,
    Unfit,
)
from kajitori.apimachinery.cel.diagnosis import syntax_issues
from kajitori.apimachinery.cel.errors import CompileError, Issue
from kajitori.apimachinery.cel.lexer import (
    END,
    bytes_value,
    double_value,
    int_value,
    string_value,
    tokens_of,
    uint_value,
)
from kajitori.apimachinery.cel.macros import Macro, MacroTable, macro_table
from kajitori.apimachinery.cel.tree import Call, Expression, Ident, Literal, Select, Tree

__all__ = ["CODE_POINTS_MAX", "NESTING_MAX", "parse"]

CODE_POINTS_MAX = 100_000
"""cel-go's limit; Kubernetes does not change it."""
NESTING_MAX = 250
"""How deeply a rule of the grammar, or the tree, may nest; cel-go's limit."""

_BINARY = {
    "<": (RELATION, "_<_"),
    "<=": (RELATION, "_<=_"),
    ">": (RELATION, "_>_"),
    ">=": (RELATION, "_>=_"),
    "==": (RELATION, "_==_"),
    "!=": (RELATION, "_!=_"),
    "in": (RELATION, "@in"),
    "+": (SUM, "_+_"),
    "-": (SUM, "_-_"),
    "*": (PRODUCT, "_*_"),
    "/": (PRODUCT, "_/_"),
    "%": (PRODUCT, "_%_"),
}
_LOGICAL = {"||": (OR, "_||_"), "&&": (AND, "_&&_")}
_PREFIXES = {"!": "!_", "-": "-_"}
_KEYWORDS = {"true": True, "false": False, "null": None}
_CLOSES = {"(": ")", "f(": ")", ".f(": ")", "[": "]", "a[": "]", "{": "}", "T{": "}"}
"""What ends the brackets: plain, calls, lists, indices, maps, messages."""
_NUMBERS = ("NUM_INT", "NUM_FLOAT")


def parse(
    text: str,
    macros: Sequence[Macro] | MacroTable,
    *,
    optional_syntax: bool = True,
    quoted_fields: bool = False,
    nesting_max: int = NESTING_MAX,
    code_points_max: int = CODE_POINTS_MAX,
) -> Tree:
    """The tree of a text. `quoted_fields` allows back-quoted names of fields, which Kubernetes does not.

    Raises:
        CompileError: the text is no expression.
    """
    if len(text) > code_points_max:
        message = f"expression code point size exceeds limit: size: {len(text)}, limit {code_points_max}"
        raise CompileError(text, [Issue(-1, message)])
    tokens, skipped = tokens_of(text)
    table = macro_table(macros) if isinstance(macros, Sequence) else macros
    options = Options(optional_syntax, quoted_fields, nesting_max)
    parser = _Parser(tokens, table, options)
    try:
        root = parser.run()
        if skipped:
            raise Unfit
    except Unfit:
        raise CompileError(
            text, syntax_issues(text, tokens, skipped, parser.at - 1, table, options)
        ) from None
    except TooDeep:
        message = f"expression recursion limit exceeded: {nesting_max}"
        raise CompileError(text, [Issue(-1, message)]) from None
    except TooLarge:
        message = f"expression node count exceeds limit: {NODES_MAX}"
        raise CompileError(text, [Issue(-1, message)]) from None
    except (
        RecursionError
    ):  # A macro that copies its target, which may be as deep as macros in macros make it.
        raise CompileError(text, [Issue(-1, "max recursion depth exceeded")]) from None
    if parser.issues:
        raise CompileError(text, parser.issues)
    return Tree(text, root, parser.macro_calls)


_Table = Mapping[str, Callable[["_Parser", str, int], Any]]
"""By kind of token, what handles it and gives the table for the next one."""


class _Parser(Building):
    """One reading of one text.

    Two tables say what may come: `_OPERAND` where a value must begin, `_OPERATOR` after one. `value` is what was
    read last and `height` how deeply that nests.
    """

    def run(self) -> Expression:
        """The whole. When there are issues it has holes.

        Raises:
            Unfit: the tokens are no expression.
            TooDeep: they nest too deeply.
        """
        table = _OPERAND
        tokens = self.tokens
        while table is not _DONE:
            kind, text, offset = tokens[self.at]
            self.at += 1
            handler = table.get(kind)
            if handler is None:
                raise Unfit
            table = handler(self, text, offset)
        if self.too_high:
            self.issues.append(Issue(-1, "max recursion depth exceeded"))
        result: Expression = self.value
        return result

    # Where a value must begin.

    def on_int(self, text: str, offset: int) -> _Table:
        return self._number(offset, int_value(text), "invalid int literal")

    def on_uint(self, text: str, offset: int) -> _Table:
        return self._number(offset, uint_value(text), "invalid uint literal")

    def on_double(self, text: str, offset: int) -> _Table:
        return self._number(offset, double_value(text), "invalid double literal")

    def _number(self, offset: int, value: float | None, complaint: str) -> _Table:
        if value is None:
            self.broken(offset, complaint)
        else:
            self.leaf(Literal(self.take_id(), offset, value))
        return _OPERATOR

    def on_string(self, text: str, offset: int) -> _Table:
        try:
            self.leaf(Literal(self.take_id(), offset, string_value(text)))
        except ValueError as error:
            self.broken(offset, str(error))
        return _OPERATOR

    def on_bytes(self, text: str, offset: int) -> _Table:
        try:
            self.leaf(Literal(self.take_id(), offset, bytes_value(text)))
        except ValueError as error:
            self.broken(offset, str(error))
        return _OPERATOR

    def on_keyword(self, text: str, offset: int) -> _Table:
        self.leaf(Literal(self.take_id(), offset, _KEYWORDS[text]))
        return _OPERATOR

    def on_name(self, text: str, offset: int) -> _Table:
        return self._named(text, offset, offset)

    def on_root_name(self, _: str, offset: int) -> _Table:
        kind, text, place = self.tokens[self.at]
        if kind != "IDENTIFIER":
            raise Unfit
        self.at += 1
        return self._named(text, place, offset)

    def _named(self, text: str, offset: int, start: int) -> _Table:
        """A name, at `offset`, or the call of one; with a leading dot it starts before."""
        name = text if start == offset else f".{text}"
        kind, _, place = self.tokens[self.at]
        if kind == "(":
            self.at += 1
            call = self.begin(BRACKET, "f(", self.take_id(), place)
            call.name = name
            if text in RESERVED:
                # What is in the brackets is read, but what is wrong there does not matter any more.
                call.left = (len(self.issues), Issue(start, f"reserved identifier: {text}"))
            return _OPERAND
        if text in RESERVED:
            self.broken(start, f"reserved identifier: {text}")
        else:
            self.leaf(Ident(self.take_id(), offset, name))
        return _OPERATOR

    def on_prefix(self, text: str, offset: int) -> _Table:
        tokens = self.tokens
        kind, number, _ = tokens[self.at]
        if text == "-" and kind in _NUMBERS:
            self.at += 1
            signed = f"-{number}"
            return self.on_int(signed, offset) if kind == "NUM_INT" else self.on_double(signed, offset)
        count = 1
        while kind == text:
            self.at += 1
            count += 1
            kind = tokens[self.at][0]
        if kind in _PREFIXES and not (kind == "-" and tokens[self.at + 1][0] in _NUMBERS):
            raise Unfit
        if count % 2:
            self.begin(PREFIX, text, self.take_id(), offset).name = _PREFIXES[text]
        return _OPERAND

    def on_open(self, text: str, offset: int) -> _Table:
        self.begin(BRACKET, text, 0 if text == "(" else self.take_id(), offset)
        return self._element()

    def _element(self) -> _Table:
        """What begins after an opening bracket or a comma."""
        top = self.pending[-1]
        kind, text, offset = self.tokens[self.at]
        top.optional = False
        top.refused_at = -1
        if top.kind not in ("{", "T{") or kind in ("}", ","):
            return _OPERAND
        if not top.items:
            top.first = offset
        top.entry = self.take_id()
        if top.kind == "{":
            return _OPERAND
        if kind == "?":
            top.optional = True
            if not self._need_optional_syntax(offset, "?"):
                top.refused_at = len(self.issues)
            self.at += 1
            kind, text, offset = self.tokens[self.at]
        before = len(self.issues)
        top.name = self._field(kind, text, top.first)
        if top.refused_at < 0 and len(self.issues) > before:
            top.refused_at = len(self.issues)
        colon, _, top.place = self.tokens[self.at + 1]
        if colon != ":":
            raise Unfit
        self.at += 2
        return _OPERAND

    def _field(self, kind: str, text: str, complaint_at: int) -> str:
        """The name of a field, plain or quoted."""
        if kind == "IDENTIFIER":
            return text
        if kind != "ESC_IDENTIFIER":
            raise Unfit
        if not self.options.quoted_fields:
            self.take_id()
            self.issues.append(Issue(complaint_at, "unsupported syntax: '`'"))
        return text[1:-1]

    def _need_optional_syntax(self, offset: int, text: str) -> bool:
        if not self.options.optional_syntax:
            self.take_id()
            self.issues.append(Issue(offset, f"unsupported syntax '{text}'"))
        return self.options.optional_syntax

    def on_optional_element(self, _: str, offset: int) -> _Table:
        """A question mark before an element, a key or an index."""
        top = self.pending[-1]
        before = self.tokens[self.at - 2]
        if top.kind not in ("[", "{", "a[") or before[0] not in ("[", "{", ",") or top.optional:
            raise Unfit
        top.optional = True
        if top.kind == "a[":
            self._need_optional_syntax(before[2], "[?")
        elif not self._need_optional_syntax(offset, "?") and top.kind == "{":
            top.refused_at = len(self.issues)
        return _OPERAND

    def on_lone_comma(self, _: str, offset: int) -> _Table:
        """`[,]`, `{,}` and `T{,}` are allowed."""
        top = self.pending[-1]
        if top.kind not in ("[", "{", "T{") or self.tokens[self.at - 2][0] != top.kind[-1]:
            raise Unfit
        if self.tokens[self.at][0] != _CLOSES[top.kind]:
            raise Unfit
        return _OPERAND

    def on_close_empty(self, text: str, offset: int) -> _Table:
        """A bracket closes where a value could begin: nothing is in it, or a comma was last."""
        top = self.pending[-1]
        before = self.tokens[self.at - 2][0]
        if _CLOSES.get(top.kind) != text or top.kind in ("(", "a["):
            raise Unfit
        if before != top.kind[-1] and (before != "," or text == ")"):
            raise Unfit
        self.end(self.pop())
        return _OPERATOR

    # After a value.

    def on_binary(self, text: str, offset: int) -> _Table:
        rank, function = _BINARY[text]
        self.reduce(rank)
        one = self.begin(rank, text, self.take_id(), offset)
        one.name = function
        one.left = (self.value,)
        one.height = self.height
        return _OPERAND

    def on_logical(self, text: str, offset: int) -> _Table:
        rank, function = _LOGICAL[text]
        top = self.reduce(rank + 1)
        if top.rank != rank:
            top = self.begin(rank, text, 0, offset)
            top.name = function
            top.height = self.height
        else:
            top.marks += (self.take_id(), top.offset)
            top.offset = offset
            top.height = max(top.height, self.height)
        top.items.append(self.value)
        return _OPERAND

    def on_condition(self, text: str, offset: int) -> _Table:
        if self.reduce(OR).rank == CONDITION:
            raise Unfit
        one = self.begin(CONDITION, text, self.take_id(), offset)
        one.left = self.value
        one.height = self.height
        return _OPERAND

    def on_colon(self, text: str, offset: int) -> _Table:
        top = self.reduce(OR)
        if top.rank == CONDITION:
            self.pop()
            tail = self.begin(TAIL, text, top.id, top.offset)
            tail.name = "_?_:_"
            tail.left = (top.left, self.value)
            tail.height = max(top.height, self.height)
            return _OPERAND
        top = self.reduce(TAIL)
        if top.kind != "{" or top.left is not None:
            raise Unfit
        top.left = self.value
        top.place = offset
        top.height = max(top.height, self.height)
        return _OPERAND

    def on_select(self, _: str, offset: int) -> _Table:
        """`.name`, `.?name` or `.name(`; what is selected from is `value`."""
        kind, text, place = self.tokens[self.at]
        optional = kind == "?"
        if optional:
            self.at += 1
            kind, text, place = self.tokens[self.at]
        self.at += 1
        after, _, bracket = self.tokens[min(self.at, len(self.tokens) - 1)]
        if after == "(" and kind == "IDENTIFIER" and not optional:
            self.at += 1
            call = self.begin(BRACKET, ".f(", self.take_id(), bracket)
            call.name = text
            call.left = self.value
            call.height = self.height
            return _OPERAND
        field = self._field(kind, text, place)
        if optional:
            self._need_optional_syntax(offset, ".?")
            name = Literal(self.take_id(), place, field)
            self.node(Call(self.take_id(), offset, "_?._", None, (self.value, name)), self.height)
        else:
            self.node(Select(self.take_id(), offset, self.value, field), self.height)
        return _OPERATOR

    def on_index(self, _: str, offset: int) -> _Table:
        one = self.begin(BRACKET, "a[", self.take_id(), offset)
        one.left = self.value
        one.height = self.height
        return _OPERAND

    def on_message(self, _: str, offset: int) -> _Table:
        """The names before `{` were no selection but the name of a type."""
        tokens = self.tokens
        first = self.at - 2
        if tokens[first][0] != "IDENTIFIER":
            raise Unfit
        while tokens[first - 1][0] == "." and tokens[first - 2][0] == "IDENTIFIER":
            first -= 2
        names = [text for kind, text, _ in tokens[first : self.at - 1] if kind == "IDENTIFIER"]
        value = self.value
        for _ in names[1:]:
            value = value.operand if isinstance(value, Select) else None
        if isinstance(value, Literal) and value.value is NotImplemented and names[0] in RESERVED:
            self.issues.pop()
        elif not isinstance(value, Ident):
            raise Unfit
        rooted = first > 0 and tokens[first - 1][0] == "."
        self.next_id = value.id
        one = self.begin(BRACKET, "T{", self.take_id(), offset)
        one.left = ("." if rooted else "") + ".".join(names)
        return self._element()

    def on_comma(self, _: str, offset: int) -> _Table:
        top = self.reduce(TAIL)
        if top.kind not in ("f(", ".f(", "[", "{", "T{"):
            raise Unfit
        self.add(top)
        return self._element()

    def on_close(self, text: str, offset: int) -> _Table:
        top = self.reduce(TAIL)
        if _CLOSES.get(top.kind) != text:
            raise Unfit
        self.pop()
        if top.kind != "(":
            self.add(top)
            self.end(top)
        return _OPERATOR

    def on_finish(self, _: str, offset: int) -> _Table:
        if self.reduce(TAIL).kind:
            raise Unfit
        return _DONE


_DONE: _Table = {}
_OPERAND: _Table = {
    "NUM_INT": _Parser.on_int,
    "NUM_UINT": _Parser.on_uint,
    "NUM_FLOAT": _Parser.on_double,
    "STRING": _Parser.on_string,
    "BYTES": _Parser.on_bytes,
    "true": _Parser.on_keyword,
    "false": _Parser.on_keyword,
    "null": _Parser.on_keyword,
    "IDENTIFIER": _Parser.on_name,
    ".": _Parser.on_root_name,
    "!": _Parser.on_prefix,
    "-": _Parser.on_prefix,
    "(": _Parser.on_open,
    "[": _Parser.on_open,
    "{": _Parser.on_open,
    "?": _Parser.on_optional_element,
    ",": _Parser.on_lone_comma,
    ")": _Parser.on_close_empty,
    "]": _Parser.on_close_empty,
    "}": _Parser.on_close_empty,
}
_OPERATOR: _Table = {
    **dict.fromkeys(_BINARY, _Parser.on_binary),
    **dict.fromkeys(_LOGICAL, _Parser.on_logical),
    "?": _Parser.on_condition,
    ":": _Parser.on_colon,
    ".": _Parser.on_select,
    "[": _Parser.on_index,
    "{": _Parser.on_message,
    ",": _Parser.on_comma,
    ")": _Parser.on_close,
    "]": _Parser.on_close,
    "}": _Parser.on_close,
    END: _Parser.on_finish,
}
