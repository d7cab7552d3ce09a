"""What is said of texts that are no expression. D and R cite the promises of `cel.diagnosis` and `cel.recovery`."""

import random
import sys

import pytest

from kajitori.apimachinery.cel.diagnosis import TOKENS_MAX
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.macros import OPTIONAL_MACROS, STANDARD_MACROS, macro_table
from kajitori.apimachinery.cel.parser import parse
from kajitori.apimachinery.cel.recovery import ATTEMPTS_MAX, SKIPPED_MAX

MACROS = macro_table(STANDARD_MACROS + OPTIONAL_MACROS)
LITERALS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
VALUE = f"{{'[', '{{', '(', '.', '-', '!', {LITERALS}"
"""What can begin a value, as messages list it."""

TOLD: dict[str, list[str]] = {
    "a b": ["3: ! extraneous input 'b' expecting <EOF>"],
    "a b c": ["3: ! mismatched input 'b' expecting <EOF>"],
    "a.": ["3: ! no viable alternative at input '.'"],
    "a. )": ["4: ! no viable alternative at input '. )'"],
    "a.in": ["3: ! no viable alternative at input '.in'", "5: ! mismatched input '<EOF>' expecting VALUE"],
    "a.true": ["3: ! mismatched input 'true' expecting IDENTIFIER"],
    "a..b": ["3: ! no viable alternative at input '..'"],
    "1 +": ["4: ! mismatched input '<EOF>' expecting VALUE"],
    "+ 1": ["1: ! extraneous input '+' expecting VALUE"],
    "f(": ["3: ! mismatched input '<EOF>' expecting {'[', '{', '(', ')', '.', '-', '!', LITERALS"],
    "f(1,)": ["5: ! mismatched input ')' expecting VALUE"],
    "f(1 2)": ["5: ! extraneous input '2' expecting ')'"],
    "(a": ["3: ! missing ')' at '<EOF>'"],
    "(a))": ["4: ! extraneous input ')' expecting <EOF>"],
    "[1 2]": ["4: ! extraneous input '2' expecting {']', ','}"],
    "[1,": ["4: ! missing ']' at '<EOF>'"],
    "{a}": ["3: ! mismatched input '}' expecting ':'"],
    "{a:}": ["4: ! mismatched input '}' expecting VALUE"],
    "{a: 1 b: 2}": ["7: ! mismatched input 'b' expecting {'}', ','}"],
    "a ? b": ["6: ! mismatched input '<EOF>' expecting ':'"],
    "a ? b ? c : d : e": ["7: ! mismatched input '?' expecting ':'"],
    "a && && b": ["6: ! extraneous input '&&' expecting VALUE"],
    "a & b": ["3: ! token recognition error at: '& '", "5: ! extraneous input 'b' expecting <EOF>"],
    "a = b": ["3: ! token recognition error at: '= '", "5: ! extraneous input 'b' expecting <EOF>"],
    "a === b": ["5: ! token recognition error at: '= '"],
    "a not in b": ["3: ! mismatched input 'not' expecting <EOF>"],
    '"abc': ["1: ! token recognition error at: '\"abc'", "5: ! mismatched input '<EOF>' expecting VALUE"],
    "'a\\qb'": ["1: ! token recognition error at: ''a\\q'", "6: ! token recognition error at: '''"],
    "a # b": ["3: ! token recognition error at: '#'", "5: ! extraneous input 'b' expecting <EOF>"],
    "a; b": ["2: ! token recognition error at: ';'", "4: ! extraneous input 'b' expecting <EOF>"],
    "x.all(1, y)": ["7: argument must be a simple name"],
    "x.all(y, z": ["11: ! missing ')' at '<EOF>'"],
    "x.all(y z, true)": ["9: ! mismatched input 'z' expecting ')'"],
    "has(a) && b)": ["5: invalid argument to has() macro", "12: ! extraneous input ')' expecting <EOF>"],
    "has(a.) && b": ["5: invalid argument to has() macro", "7: ! no viable alternative at input '.)'"],
    "while (a) {b}": ["1: reserved identifier: while", "11: ! mismatched input '{' expecting <EOF>"],
    "if": ["1: reserved identifier: if"],
    "let x = 1": [
        "1: reserved identifier: let",
        "5: ! mismatched input 'x' expecting <EOF>",
        "7: ! token recognition error at: '= '",
    ],
    "!-a": ["3: ! no viable alternative at input '-a'"],
    "-!a": ["2: ! no viable alternative at input '-!'"],
    "- -": ["4: ! no viable alternative at input '-'", "4: ! mismatched input '<EOF>' expecting VALUE"],
    "a.?": [
        "4: ! mismatched input '<EOF>' expecting {IDENTIFIER, ESC_IDENTIFIER}",
        "4: unsupported ident kind",
    ],
    "a.?1": ["4: ! mismatched input '1' expecting {IDENTIFIER, ESC_IDENTIFIER}", "4: unsupported ident kind"],
    "a.?b(c)": ["5: ! mismatched input '(' expecting <EOF>"],
    "T{1: 2}": ["3: ! mismatched input '1' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"],
    "T{a}": ["4: ! mismatched input '}' expecting ':'"],
    "T{?": ["4: ! mismatched input '<EOF>' expecting {IDENTIFIER, ESC_IDENTIFIER}"],
    "(a).b{}": ["6: ! mismatched input '{' expecting <EOF>"],
    "a[": ["3: ! mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', '?', LITERALS"],
    "a[]": ["3: ! mismatched input ']' expecting {'[', '{', '(', '.', '-', '!', '?', LITERALS"],
    "a[?]": ["4: ! mismatched input ']' expecting VALUE"],
    "}": ["1: ! mismatched input '}' expecting VALUE"],
    "in": ["1: ! mismatched input 'in' expecting VALUE", "3: ! mismatched input '<EOF>' expecting VALUE"],
    ")(": ["1: ! extraneous input ')' expecting VALUE", "3: ! mismatched input '<EOF>' expecting VALUE"],
    'a.b("x"': ["8: ! missing ')' at '<EOF>'"],
    "for(9223372036854775808": ["1: reserved identifier: for", "24: ! missing ')' at '<EOF>'"],
    "1.2.3": ["4: ! extraneous input '.3' expecting <EOF>"],
    "0xg": ["2: ! extraneous input 'xg' expecting <EOF>"],
    "{,,}": ["3: ! extraneous input ',' expecting '}'"],
    "[,1]": ["3: ! extraneous input '1' expecting ']'"],
    "a.b.": ["5: ! no viable alternative at input '.'"],
    ".": ["2: ! no viable alternative at input '.'"],
    "a ? : b": ["5: ! extraneous input ':' expecting VALUE", "8: ! mismatched input '<EOF>' expecting ':'"],
    "x.map(a.b, ": ["8: argument is not an identifier", "12: ! mismatched input '<EOF>' expecting VALUE"],
}
"""By text, what cel-go says: column and message, `!` for a mistake of syntax."""


def complaint(text: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        parse(text, MACROS)
    return caught.value


def heads(error: CompileError) -> list[str]:
    """Its messages without the lines that show where, written as in `TOLD`."""
    start = "ERROR: <input>:1:"
    lines = [line.removeprefix(start) for line in str(error).splitlines() if line.startswith(start)]
    return [
        line.replace("Syntax error: ", "! ").replace(VALUE, "VALUE").replace(LITERALS, "LITERALS")
        for line in lines
    ]


@pytest.mark.parametrize("text", TOLD)
def test_the_words_of_cel_go(text: str) -> None:  # D1
    assert heads(complaint(text)) == TOLD[text]


def test_a_mistake_is_shown_below_its_line() -> None:  # D1
    assert str(complaint("a &&\n\tb é")) == (
        "ERROR: <input>:2:4: Syntax error: token recognition error at: 'é'\n |  b é\n | ...＾"
    )
    assert (
        str(complaint("")) == f"ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {VALUE}"
    )


def test_what_is_no_token_is_not_repeated() -> None:  # D1
    assert heads(complaint("a.#1")) == [
        "3: ! token recognition error at: '#'",
        "4: ! no viable alternative at input '.1'",
    ]


def test_reading_on_has_limits() -> None:  # R1
    assert (
        heads(complaint("f(1 2)+" * 40))[-1]
        == f"215: ! error recovery attempt limit exceeded: {ATTEMPTS_MAX}"
    )
    far = complaint("f(a b c" + " d" * SKIPPED_MAX)
    assert far.issues[0].offset == -1
    assert far.issues[0].message == f"error recovery token lookahead limit exceeded: {SKIPPED_MAX}"
    many = complaint("#" * 150)
    assert len(many.issues) == 100
    assert str(many).endswith("1 more errors were truncated")
    long = complaint("[" + "1," * TOKENS_MAX + "a b]")
    assert [issue.message for issue in long.issues] == ["Syntax error: mismatched input 'b'"]


def test_nesting_costs_no_frames() -> None:  # R2
    deep = sys.getrecursionlimit() // 5
    text = "f(" * deep + "a b" + ")" * deep
    assert heads(complaint(text))[0].endswith("extraneous input 'b' expecting ')'")


def test_spoilt_expressions_are_refused_or_read() -> None:  # D1, P3 of the parser
    chance = random.Random(4)
    pieces = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        "?",
        ":",
        "!",
        "-",
        "&&",
        "in",
        "a",
        "1",
        '"s"',
        "#",
        "'",
        "has(",
    ]
    whole = "object.spec.containers.all(c, has(c.resources) && c.image.matches(r'^a/') ? [1, -2.5] : {'k': T{a: !b}})"
    complaints: list[CompileError] = []
    for _ in range(1500):
        text = whole
        for _ in range(chance.choice((1, 2, 3))):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice(pieces) + text[at + chance.choice((0, 1, 5)) :]
        try:
            parse(text, MACROS)
        except CompileError as error:
            complaints.append(error)
    assert len(complaints) > 1000 and all(error.issues for error in complaints)
