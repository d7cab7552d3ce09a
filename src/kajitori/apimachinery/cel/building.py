"""What a parser has begun and what becomes of it: the stack of pending operators and brackets.

Sits between the parser, which says what each token means, and the tree, whose nodes are made here.

Source: cel-go's parser.go and helper.go for the order of ids, the limits and the balancing.
"""

from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.cel.errors import Issue
from kajitori.apimachinery.cel.lexer import Token
from kajitori.apimachinery.cel.macros import MacroError, MacroTable, NodeBuilder
from kajitori.apimachinery.cel.tree import (
    Call,
    Entry,
    Expression,
    Field,
    ListLiteral,
    Literal,
    MapLiteral,
    StructLiteral,
)

__all__ = [
    "AND",
    "BRACKET",
    "CONDITION",
    "NODES_MAX",
    "OR",
    "PREFIX",
    "PRODUCT",
    "RELATION",
    "RESERVED",
    "SUM",
    "TAIL",
    "Building",
    "Options",
    "Pending",
    "TooDeep",
    "TooLarge",
    "Unfit",
]

# How strongly what is pending holds its operand: an operator finishes everything that holds as strongly or more.
BRACKET, TAIL, CONDITION, OR, AND, RELATION, SUM, PRODUCT, PREFIX = range(9)


RESERVED = frozenset(
    {
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "false",
            "for",
            "function",
            "if",
            "import",
            "in",
            "let",
        ),
        *("loop", "package", "namespace", "null", "return", "true", "var", "void", "while"),
    }
)
"""What no variable and no function may be called; fields may."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a reading allows."""

    optional_syntax: bool
    quoted_fields: bool
    nesting_max: int


class Unfit(Exception):
    """This token does not go on what was read so far."""


class TooDeep(Exception):
    """The text nests more than it may."""


class TooLarge(Exception):
    """Macros have made more of the text than anybody would write."""


NODES_MAX = 100_000
"""How many nodes a text may become. The longest text has fewer, unless macros copy what macros have copied: thirty
`optMap` in a row would be a thousand million."""


class Pending:
    """Something begun: an operator that waits for its right side, or a bracket that waits for its end."""

    __slots__ = (
        *("rank", "kind", "id", "offset", "name", "height", "left", "items", "marks"),
        *("entry", "first", "place", "optional", "refused_at"),
    )

    def __init__(self, rank: int, kind: str, id_: int, offset: int) -> None:
        self.rank = rank
        self.kind = kind
        self.id = id_
        self.offset = offset
        self.name = ""
        """The function, the type, or the field whose value is being read."""
        self.height = 0
        """Of what was read before the value that is being read."""
        self.left: Any = None
        """What stands left of it; in a map, the key whose value is being read."""
        self.items: list[Any] = []
        """Elements, arguments, entries, the terms of a logical chain."""
        self.marks: list[int] = []
        """Which elements of a list are optional; the ids of a logical chain's operators, each before its offset."""
        self.entry = 0
        """The id of the entry that is being read."""
        self.first = 0
        """Where the first entry begins."""
        self.place = 0
        """Where the colon of the entry is that is being read."""
        self.optional = False
        """Whether what is being read began with a question mark."""
        self.refused_at = -1
        """How many issues there were when the entry that is being read was refused; what is in it does not matter."""


class Building:
    """One reading of one text, as far as it does not depend on which token comes.

    `value` is what was read last, `height` how deeply that nests.
    """

    def __init__(self, tokens: list[Token], macros: MacroTable, options: Options) -> None:
        self.issues: list[Issue] = []
        self.macro_calls: dict[int, Call] = {}
        self.tokens = tokens
        self.at = 0
        self.macros = macros
        self.options = options
        self.next_id = 1
        self.value: Any = None
        self.height = 0
        self.pending = [Pending(BRACKET, "", 0, 0)]
        self._depths = [1, 0, 0, 0, 0, 0, 0, 0, 0]
        """How much is pending, by rank."""
        self.too_high = False

    def take_id(self) -> int:
        number = self.next_id
        if number > NODES_MAX:
            raise TooLarge
        self.next_id = number + 1
        return number

    def begin(self, rank: int, kind: str, id_: int, offset: int) -> Pending:
        one = Pending(rank, kind, id_, offset)
        self.pending.append(one)
        depths = self._depths
        depths[rank] += 1
        # In `a + (b + …` the grammar's rule `calc` nests twice a step, in `a < (b < …` its rule `relation`.
        deepest = depths[BRACKET] + max(depths[TAIL], depths[RELATION], depths[SUM] + depths[PRODUCT])
        if deepest > self.options.nesting_max and self.tokens[self.at][0] not in (")", "]", "}", ","):
            raise TooDeep
        return one

    def pop(self) -> Pending:
        one = self.pending.pop()
        self._depths[one.rank] -= 1
        return one

    def leaf(self, value: Expression) -> None:
        self.value = value
        self.height = 0

    def node(self, value: Expression, height: int) -> None:
        """A value of which cel-go says that it nests one level more than its parts."""
        self.value = value
        self.height = height + 1
        if height >= self.options.nesting_max:
            self.too_high = True

    def broken(self, offset: int, message: str) -> None:
        """What was read is wrong; reading goes on with a value that is none."""
        self.issues.append(Issue(offset, message))
        self.leaf(Literal(self.take_id(), offset, NotImplemented))

    def reduce(self, rank: int) -> Pending:
        """Finishes all operators that hold at least so strongly; gives what is pending below them."""
        while (top := self.pending[-1]).rank >= rank:
            self.pop()
            height = max(top.height, self.height)
            if top.rank == PREFIX:
                self.value = Call(top.id, top.offset, top.name, None, (self.value,))
            elif top.rank in (AND, OR):
                top.items.append(self.value)
                top.marks += (self.take_id(), top.offset)
                self.value = _balanced(top, 0, len(top.items) - 2)
                self.height = height
            elif top.rank == CONDITION:
                raise Unfit
            else:
                self.node(Call(top.id, top.offset, top.name, None, (*top.left, self.value)), height)
        return top

    def add(self, top: Pending) -> None:
        """The value that was read is an element, an argument, the value of an entry."""
        value = self.value
        if top.refused_at >= 0:
            del self.issues[top.refused_at :]
        if top.kind == "{":
            if top.left is None:
                raise Unfit
            value = Entry(top.entry, top.place, top.left, value, top.optional)
            top.left = None
        elif top.kind == "T{":
            value = Field(top.entry, top.place, top.name, value, top.optional)
        elif top.optional:
            top.marks.append(len(top.items))
        top.items.append(value)
        top.height = max(top.height, self.height)

    def end(self, top: Pending) -> None:
        """What a bracket with all that is in it makes."""
        items = tuple(top.items)
        match top.kind:
            case "f(":
                self.value = self._called(top, None, items)
                self.height = top.height
            case ".f(":
                self.node(self._called(top, top.left, items), top.height)
            case "a[":
                function = "_[?_]" if top.optional else "_[_]"
                self.node(Call(top.id, top.offset, function, None, (top.left, *items)), top.height)
            case "[":
                self.value = ListLiteral(top.id, top.offset, items, frozenset(top.marks))
                self.height = top.height
            case "{":
                self.value = MapLiteral(top.id, top.offset, items)
                self.height = top.height
            case _:
                self.value = StructLiteral(top.id, top.offset, top.left, items)
                self.height = top.height

    def _called(self, top: Pending, target: Expression | None, args: tuple[Expression, ...]) -> Expression:
        """A call, or what a macro makes of it."""
        if target is None and top.left is not None:
            before, issue = top.left
            self.issues[before:] = [issue]
            return Literal(self.take_id(), top.offset, NotImplemented)
        macros = self.macros
        receiver = target is not None
        macro = macros.get((top.name, len(args), receiver)) or macros.get((top.name, None, receiver))
        if macro is None:
            return Call(top.id, top.offset, top.name, target, args)
        try:
            made = macro.expand(NodeBuilder(self.take_id, top.offset), target, args)
        except MacroError as error:
            self._forget(top.id)
            offset = error.at.offset if error.at is not None else top.offset
            self.issues.append(Issue(offset, str(error)))
            return Literal(self.take_id(), offset, NotImplemented)
        if made is None:
            return Call(top.id, top.offset, top.name, target, args)
        self.macro_calls[made.id] = Call(0, top.offset, top.name, target, args)
        self._forget(top.id)
        return made

    def _forget(self, id_: int) -> None:
        """An id that nothing has is given again, when it was the last."""
        if id_ == self.next_id - 1:
            self.next_id -= 1


def _balanced(chain: Pending, low: int, high: int) -> Expression:
    """The terms of a chain of one logical operator as a balanced tree; `low` and `high` count operators."""
    middle = (low + high + 1) // 2
    left = chain.items[middle] if middle == low else _balanced(chain, low, middle - 1)
    right = chain.items[middle + 1] if middle == high else _balanced(chain, middle + 1, high)
    return Call(chain.marks[2 * middle], chain.marks[2 * middle + 1], chain.name, None, (left, right))
