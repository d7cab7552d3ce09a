"""The grammar of CEL as a graph, for saying what could have stood where something else does.

Sits below `recovery`, which walks it. The parser does not use it: it knows the grammar by precedence.

Source: cel-go's CEL.g4, rule by rule, because its messages are told in terms of these rules.
"""

from collections.abc import Callable
from functools import cache

__all__ = ["END_OF_RULE", "LITERALS", "TOKENS", "State", "first_of", "rule", "tokens_at"]

TOKENS = (
    *(
        "==",
        "!=",
        "in",
        "<",
        "<=",
        ">=",
        ">",
        "&&",
        "||",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ".",
        ",",
        "-",
        "!",
        "?",
    ),
    *(":", "+", "*", "/", "%", "true", "false", "null"),
    *("NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER", "ESC_IDENTIFIER"),
)
"""Every kind of token but the end, in the order in which messages list them."""
LITERALS = frozenset(("-", "true", "false", "null", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES"))
END_OF_RULE = "<end of rule>"
"""Among the tokens that may come: the rule may be over."""


class State:
    """One place in a rule: what must come here, and what is after it."""

    __slots__ = ("after", "branches", "kind", "precedence", "role", "rule", "tokens")

    def __init__(self, kind: str, after: "State | None" = None) -> None:
        self.kind = kind
        """`token`, `call`, `choice` (of branches), `optional`, `loop`, `again` (the end of a loop's body), `end`."""
        self.after = after
        self.tokens: frozenset[str] = frozenset()
        self.rule = ""
        self.precedence = 0
        """Of a call: how strongly its operators must bind at least."""
        self.role = ""
        """What the parse tree calls what is matched here."""
        self.branches: list[State] = []


_Part = Callable[[State], State]
"""Makes the states of a part of a rule, given what comes after it."""


def _token(*kinds: str, role: str = "") -> _Part:
    def make(after: State) -> State:
        state = State("token", after)
        state.tokens = frozenset(kinds)
        state.role = role
        return state

    return make


def _call(name: str, precedence: int = 0, role: str = "") -> _Part:
    def make(after: State) -> State:
        state = State("call", after)
        state.rule = name
        state.precedence = precedence
        state.role = role or name
        return state

    return make


def _sequence(*parts: _Part) -> _Part:
    def make(after: State) -> State:
        for part in reversed(parts):
            after = part(after)
        return after

    return make


def _choice(*parts: _Part) -> _Part:
    def make(after: State) -> State:
        state = State("choice", after)
        state.branches = [part(after) for part in parts]
        return state

    return make


def _optional(part: _Part) -> _Part:
    def make(after: State) -> State:
        state = State("optional", after)
        state.branches = [part(after)]
        return state

    return make


def _loop(*parts: _Part, once: bool = False) -> _Part:
    """Any number of times one of the parts; with `once` at least one time."""

    def make(after: State) -> State:
        again = State("again", after)
        again.branches = [part(again) for part in parts]
        if once:
            start = State("choice", after)
        else:
            start = State("loop", after)
        start.branches = again.branches
        start.role = again.role = "?" if once else ""
        return start

    return make


_DOT = _optional(_token(".", role="dot"))
_NAME = _token("IDENTIFIER", role="id")
_MARK = _optional(_token("?", role="optional"))
_LAST_COMMA = _optional(_token(","))
_ARGUMENTS = _sequence(_optional(_call("exprList", role="args")), _token(")"))
_RELATIONS = ("<", "<=", ">=", ">", "==", "!=", "in")

_RULES: dict[str, _Part] = {
    "start": _sequence(_call("expr"), _token("<EOF>")),
    "expr": _sequence(
        _call("conditionalOr", role="e"),
        _optional(
            _sequence(
                _token("?", role="op"),
                _call("conditionalOr", role="yes"),
                _token(":"),
                _call("expr", role="no"),
            )
        ),
    ),
    "conditionalOr": _sequence(
        _call("conditionalAnd", role="e"),
        _loop(_sequence(_token("||", role="op"), _call("conditionalAnd", role="e"))),
    ),
    "conditionalAnd": _sequence(
        _call("relation", role="e"),
        _loop(_sequence(_token("&&", role="op"), _call("relation", role="e"))),
    ),
    "relation": _sequence(
        _call("calc", role="e"),
        _loop(_sequence(_token(*_RELATIONS, role="op"), _call("relation", 2, role="e"))),
    ),
    "calc": _sequence(
        _call("unary", role="e"),
        _loop(
            _sequence(_token("*", "/", "%", role="op"), _call("calc", 3, role="e")),
            _sequence(_token("+", "-", role="op"), _call("calc", 2, role="e")),
        ),
    ),
    "unary": _choice(
        _call("member", role="e"),
        _sequence(_loop(_token("!", role="op"), once=True), _call("member", role="e")),
        _sequence(_loop(_token("-", role="op"), once=True), _call("member", role="e")),
    ),
    "member": _sequence(
        _call("primary", role="e"),
        _loop(
            _sequence(_token(".", role="op"), _MARK, _call("escapeIdent", role="field")),
            _sequence(_token(".", role="op"), _NAME, _token("(", role="open"), _ARGUMENTS),
            _sequence(_token("[", role="op"), _MARK, _call("expr", role="index"), _token("]")),
        ),
    ),
    "primary": _choice(
        _sequence(_DOT, _NAME),
        _sequence(_DOT, _NAME, _token("(", role="open"), _ARGUMENTS),
        _sequence(_token("("), _call("expr", role="e"), _token(")")),
        _sequence(
            _token("[", role="open"), _optional(_call("listInit", role="all")), _LAST_COMMA, _token("]")
        ),
        _sequence(
            _token("{", role="open"),
            _optional(_call("mapInitializerList", role="all")),
            _LAST_COMMA,
            _token("}"),
        ),
        _sequence(
            _DOT,
            _NAME,
            _loop(_sequence(_token("."), _NAME)),
            _token("{", role="open"),
            _optional(_call("fieldInitializerList", role="all")),
            _LAST_COMMA,
            _token("}"),
        ),
        _call("literal", role="e"),
    ),
    "exprList": _sequence(_call("expr", role="e"), _loop(_sequence(_token(","), _call("expr", role="e")))),
    "listInit": _sequence(
        _call("optExpr", role="e"), _loop(_sequence(_token(","), _call("optExpr", role="e")))
    ),
    "fieldInitializerList": _sequence(
        _call("optField", role="key"),
        _token(":", role="colon"),
        _call("expr", role="value"),
        _loop(
            _sequence(
                _token(","),
                _call("optField", role="key"),
                _token(":", role="colon"),
                _call("expr", role="value"),
            )
        ),
    ),
    "optField": _sequence(_MARK, _call("escapeIdent", role="field")),
    "mapInitializerList": _sequence(
        _call("optExpr", role="key"),
        _token(":", role="colon"),
        _call("expr", role="value"),
        _loop(
            _sequence(
                _token(","),
                _call("optExpr", role="key"),
                _token(":", role="colon"),
                _call("expr", role="value"),
            )
        ),
    ),
    "escapeIdent": _choice(_NAME, _token("ESC_IDENTIFIER", role="quoted")),
    "optExpr": _sequence(_MARK, _call("expr", role="e")),
    "literal": _choice(
        _sequence(_optional(_token("-", role="sign")), _token("NUM_INT", role="int")),
        _token("NUM_UINT", role="uint"),
        _sequence(_optional(_token("-", role="sign")), _token("NUM_FLOAT", role="double")),
        _token("STRING", role="string"),
        _token("BYTES", role="bytes"),
        _token("true"),
        _token("false"),
        _token("null"),
    ),
}


@cache
def rule(name: str) -> State:
    """Where a rule begins."""
    return _RULES[name](State("end"))


@cache
def tokens_at(state: State) -> frozenset[str]:
    """What may come at a place, as far as its rule says; `END_OF_RULE` when the rule may be over there."""
    match state.kind:
        case "token":
            return state.tokens
        case "call":
            return first_of(state.rule)
        case "end":
            return frozenset({END_OF_RULE})
        case _:
            found = frozenset[str]().union(*(tokens_at(branch) for branch in state.branches))
            if state.kind == "choice":
                return found
            assert state.after is not None
            return found | tokens_at(state.after)


def first_of(name: str) -> frozenset[str]:
    """What a rule may begin with; none is ever empty."""
    return tokens_at(rule(name))
