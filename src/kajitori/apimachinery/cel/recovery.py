"""Reading on after a mistake: the mistakes of a text, told as ANTLR's parsers tell them.

Sits between `diagnosis`, which asks for the mistakes, and the graph of the grammar. It reads tokens rule by rule, as
the parser that ANTLR generates for cel-go does, with its ways to go on: one token too many is skipped, one
that is missing is imagined, and otherwise the rule is given up and reading goes on at a token that may follow.

Promises
    R1  at most ATTEMPTS_MAX times, and over at most SKIPPED_MAX tokens each, it tries to go on
    R2  it needs no Python frames for nesting

Source: ANTLR 4's DefaultErrorStrategy and its generated code; cel-go's parser.go for the limits.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.cel.errors import Issue
from kajitori.apimachinery.cel.grammar import END_OF_RULE, LITERALS, TOKENS, State, first_of, rule, tokens_at
from kajitori.apimachinery.cel.lexer import END, Token

__all__ = ["ATTEMPTS_MAX", "SKIPPED_MAX", "Node", "Recovery", "quoted_token"]

ATTEMPTS_MAX = 30
SKIPPED_MAX = 256

_ORDER = {kind: number for number, kind in enumerate((END, *TOKENS))}
_RELATIONS = {"<": 1, "<=": 1, ">": 1, ">=": 1, "==": 1, "!=": 1, "in": 1}
_CALCULATIONS = {"*": 2, "/": 2, "%": 2, "+": 1, "-": 1}
_NUMBERS = ("NUM_INT", "NUM_FLOAT")


@dataclass(slots=True, eq=False)
class Node:
    """One application of a rule, perhaps given up before its end."""

    rule: str
    start: int
    """The index of the token it began with."""
    branch: int = 0
    """Which alternative of it, from 1; 0 when none could be chosen."""
    parts: dict[str, list[Any]] = field(default_factory=dict)
    """By role, the nodes and the tokens (indices, -1 when imagined) in it."""

    def one(self, role: str) -> Any:
        """The last part of that role, or `None`."""
        found = self.parts.get(role)
        return found[-1] if found else None

    def add(self, role: str, part: Any) -> None:
        self.parts.setdefault(role, []).append(part)


class _GivenUp(Exception):
    """A rule cannot go on."""

    def __init__(self, at: int, message: str) -> None:
        self.at = at
        self.message = message
        super().__init__(message)


class _Over(Exception):
    """Reading cannot go on at all."""


_Reading = Generator[tuple[str, int, State], Node | None, Node]


class Recovery:
    """One reading. `issues` are the mistakes, `root` the tree as far as there is one."""

    def __init__(
        self, text: str, tokens: Sequence[Token], skipped: Sequence[tuple[int, int]], nesting_max: int
    ) -> None:
        self.issues: list[Issue] = []
        self.root: Node | None = None
        self._text = text
        self._tokens = tokens
        self._skipped = skipped
        self._nesting_max = nesting_max
        self._at = 0
        self._recovering = False
        self._attempts = 0
        self._last_error = -1
        self._last_states: set[State] = set()
        self._callers: list[State] = []
        """Where the rules that are being read were called, the outermost first."""
        self._depths: dict[str, int] = {}

    def run(self) -> None:
        """Reads everything."""
        try:
            # Each rule waits as a generator on this stack for the rules it calls.
            readings = [self._read("start", 0)]
            result: Node | None = None
            while readings:
                try:
                    name, precedence, caller = readings[-1].send(result)
                except StopIteration as stop:
                    readings.pop()
                    result = stop.value
                    continue
                self._callers.append(caller)
                readings.append(self._read(name, precedence))
                result = None
            self.root = result
        except _Over:
            pass

    # Rules.

    def _read(self, name: str, precedence: int) -> _Reading:
        depth = self._depths.get(name, 0) + 1
        self._depths[name] = depth
        if depth > self._nesting_max:
            self._end_of_all(f"expression recursion limit exceeded: {self._nesting_max}")
        node = Node(name, self._at)
        state = rule(name)
        try:
            while state.kind != "end":
                if state.kind == "token":
                    node.add(state.role, self._match(state))
                elif state.kind == "call":
                    part = yield state.rule, state.precedence, state
                    node.add(state.role, part)
                else:
                    self._sync(state)
                    branch = self._predict(name, state, precedence)
                    if branch:
                        node = self._entered(node, state, branch)
                        state = state.branches[branch - 1]
                        continue
                assert state.after is not None
                state = state.after
        except _GivenUp as given_up:
            self._report(given_up.at, given_up.message)
            self._recover(state)
        self._depths[name] = depth - 1
        if self._callers:
            self._callers.pop()
        return node

    def _entered(self, node: Node, state: State, branch: int) -> Node:
        """The node in which a chosen branch is read: of a chain of operators, a new one around what was read."""
        if node.rule in ("relation", "calc", "member") and state.kind in ("loop", "again"):
            outer = Node(node.rule, node.start, branch)
            outer.add("left", node)
            return outer
        if state.kind == "choice" and not node.branch:
            node.branch = branch
        return node

    def _predict(self, name: str, state: State, precedence: int) -> int:
        """Which branch is to be read, from 1; 0 for going past it.

        Raises:
            _GivenUp: none fits.
        """
        kind = self._kind(1)
        if name in ("relation", "calc"):
            strength = (_RELATIONS if name == "relation" else _CALCULATIONS).get(kind, 0)
            if strength < max(precedence, 1):
                return 0
            return 1 if name == "relation" or strength == 2 else 2
        if name == "member" and state.kind in ("loop", "again"):
            return self._postfix(kind)
        if state.kind == "choice" or (name == "unary" and "-" in state.branches[0].tokens):
            if kind not in tokens_at(state):
                raise self._no_alternative(1)
            if kind == "-" and name == "unary" and self._kind(2) not in first_of("member"):
                raise self._no_alternative(2)
            if len(state.branches) > 1:
                return _CHOOSE[name](self, kind)
        if kind == "," and state.kind != "optional":
            # A comma after the last element belongs to the bracket.
            (body,) = state.branches
            assert body.after is not None
            if name != "exprList" and self._kind(2) not in tokens_at(body.after):
                return 0
        return 1 if kind in tokens_at(state.branches[0]) else 0

    def _postfix(self, kind: str) -> int:
        if kind == "[":
            return 3
        if kind != ".":
            return 0
        after = self._kind(2)
        if after == "IDENTIFIER":
            return 2 if self._kind(3) == "(" else 1
        if after in ("?", "ESC_IDENTIFIER"):
            return 1
        raise self._no_alternative(2)

    def choose_unary(self, kind: str) -> int:
        if kind == "!":
            return 2
        return 1 if kind != "-" or self._kind(2) in _NUMBERS else 3

    def choose_primary(self, kind: str) -> int:
        if kind in LITERALS:
            return 7
        if kind in ("(", "[", "{"):
            return "([{".index(kind) + 3
        ahead = 1 if kind == "IDENTIFIER" else 2
        if self._kind(ahead) != "IDENTIFIER":
            raise self._no_alternative(2)
        if self._kind(ahead + 1) == "(":
            return 2
        while self._kind(ahead + 1) == "." and self._kind(ahead + 2) == "IDENTIFIER":
            ahead += 2
        return 6 if self._kind(ahead + 1) == "{" else 1

    def choose_literal(self, kind: str) -> int:
        if kind == "-":
            if self._kind(2) not in _NUMBERS:
                raise self._no_alternative(2)
            kind = self._kind(2)
        return ("NUM_INT", "NUM_UINT", "NUM_FLOAT", "STRING", "BYTES", "true", "false", "null").index(
            kind
        ) + 1

    def choose_escaped(self, kind: str) -> int:
        return 1 if kind == "IDENTIFIER" else 2

    # Tokens.

    def _kind(self, ahead: int) -> str:
        return self._tokens[min(self._at + ahead, len(self._tokens)) - 1][0]

    def _consume(self) -> None:
        if self._at < len(self._tokens) - 1:
            self._at += 1

    def _match(self, state: State) -> int:
        """The index of the token that is here, or should be.

        Raises:
            _GivenUp: it is not, and neither skipping one nor imagining one helps.
        """
        if self._kind(1) in state.tokens:
            self._matched()
        else:
            self._try()
            if not self._skip_one(state):
                assert state.after is not None
                if self._kind(1) not in self._expected(state.after):
                    raise self._mismatch(state)
                self._report(self._at, f"missing {_listed(self._expected(state))} at {self._shown(self._at)}")
                return -1
        matched = self._at
        self._consume()
        return matched

    def _matched(self) -> None:
        self._recovering = False
        self._last_states.clear()
        self._last_error = -1

    def _sync(self, state: State) -> None:
        """Makes sure that what comes fits a choice or a loop."""
        if self._recovering:
            return
        fitting = tokens_at(state)
        if END_OF_RULE in fitting or self._kind(1) in fitting:
            return
        if state.kind != "again":
            if not self._skip_one(state):
                raise self._mismatch(state)
            return
        self._report_unwanted(state)
        self._skip_until(self._expected(state) | self._followers(), None)

    def _skip_one(self, state: State) -> bool:
        """Skips one token, if the one after it is right."""
        if self._kind(2) not in self._expected(state):
            return False
        self._report_unwanted(state)
        self._consume()
        self._matched()
        return True

    # Mistakes.

    def _report(self, at: int, message: str) -> None:
        if not self._recovering:
            self._recovering = True
            self._tell(at, message)

    def _tell(self, at: int, message: str) -> None:
        self.issues.append(Issue(self._tokens[at][2], f"Syntax error: {message}"))

    def _report_unwanted(self, state: State) -> None:
        self._report(
            self._at, f"extraneous input {self._shown(self._at)} expecting {_listed(self._expected(state))}"
        )

    def _mismatch(self, state: State) -> _GivenUp:
        expected = _listed(self._expected(state))
        return _GivenUp(self._at, f"mismatched input {self._shown(self._at)} expecting {expected}")

    def _no_alternative(self, count: int) -> _GivenUp:
        """None of the alternatives goes on with the last of the next `count` tokens."""
        last = min(self._at + count, len(self._tokens)) - 1
        kind, text, offset = self._tokens[last]
        end = len(self._text) if kind == END else offset + len(text)
        read = END if self._kind(1) == END else self._read_text(self._tokens[self._at][2], end)
        if kind in ("true", "false", "null") and len(read) == len(kind) + 1:
            return _GivenUp(last, f"mismatched input '{kind}' expecting IDENTIFIER")
        return _GivenUp(last, f"no viable alternative at input {quoted_token(read)}")

    def _read_text(self, start: int, end: int) -> str:
        """The text between, without what was no token."""
        inside = [span for span in self._skipped if start <= span[0] < end]
        bounds = [start, *(bound for span in inside for bound in span), end]
        return "".join(self._text[bounds[i] : bounds[i + 1]] for i in range(0, len(bounds), 2))

    def _shown(self, at: int) -> str:
        return quoted_token(self._tokens[at][1])

    def _end_of_all(self, message: str) -> None:
        self.issues.append(Issue(-1, message))
        raise _Over

    # Going on.

    def _try(self) -> None:
        if self._attempts == ATTEMPTS_MAX:
            self._tell(self._at, f"error recovery attempt limit exceeded: {ATTEMPTS_MAX}")
            raise _Over
        self._attempts += 1

    def _recover(self, state: State) -> None:
        """Skips to what may follow this rule or one that called it."""
        self._try()
        skipped: list[int] = []
        if self._last_error == self._at and state in self._last_states:
            self._skip(skipped)
        self._last_error = self._at
        self._last_states.add(state)
        self._skip_until(self._followers(), skipped)

    def _skip_until(self, kinds: frozenset[str], skipped: list[int] | None) -> None:
        while self._kind(1) != END and self._kind(1) not in kinds:
            self._skip(skipped)

    def _skip(self, skipped: list[int] | None) -> None:
        if skipped is not None:
            if len(skipped) >= SKIPPED_MAX:
                self._end_of_all(f"error recovery token lookahead limit exceeded: {SKIPPED_MAX}")
            skipped.append(self._at)
        self._consume()

    def _followers(self) -> frozenset[str]:
        """What may follow any of the rules that are being read."""
        found: set[str] = set()
        for caller in set(self._callers):
            assert caller.after is not None
            found |= tokens_at(caller.after)
        return frozenset(found - {END_OF_RULE})

    def _expected(self, state: State) -> frozenset[str]:
        """What may come at a place, given which rules called this one."""
        following = tokens_at(state)
        found = set(following)
        for caller in reversed(self._callers):
            if END_OF_RULE not in following:
                break
            assert caller.after is not None
            following = tokens_at(caller.after)
            found |= following
        found.discard(END_OF_RULE)
        if END_OF_RULE in following:
            found.add(END)
        return frozenset(found)


_CHOOSE = {
    "unary": Recovery.choose_unary,
    "primary": Recovery.choose_primary,
    "literal": Recovery.choose_literal,
    "escapeIdent": Recovery.choose_escaped,
}


def _listed(kinds: frozenset[str]) -> str:
    names = [
        kind if kind == END or kind.isupper() else f"'{kind}'"
        for kind in sorted(kinds, key=_ORDER.__getitem__)
    ]
    return names[0] if len(names) == 1 else f"{{{', '.join(names)}}}"


def quoted_token(text: str) -> str:
    """As messages show what is in the text."""
    text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{text}'"
