"""Literals that can never work, told from the text alone."""

import pytest

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.macros import OPTIONAL_MACROS, STANDARD_MACROS
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import DYN, LIST_DYN, STRING
from kajitori.apimachinery.cel.validators import format_strings, homogeneous_literals, literals

FORMAT = Library(
    "format",
    (function("format", Overload("string_format", (STRING, LIST_DYN), STRING, lambda *_: "", member=True)),),
)
STRICT = Environment(
    [STANDARD, FORMAT],
    macros=[*STANDARD_MACROS, *OPTIONAL_MACROS],
    validators=[literals, homogeneous_literals(frozenset(["format"])), format_strings],
).extend(variables={"x": DYN, "s": STRING})


def issues(text: str) -> list[str]:
    try:
        STRICT.check(text)
    except CompileError as error:
        return [f"{issue.offset}: {issue.message}" for issue in error.issues]
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duration('1h')", []),
        ("duration('1x')", ["9: invalid duration argument"]),
        ("duration(s)", []),
        ("timestamp('2020-01-01T00:00:00Z')", []),
        ("timestamp('yesterday')", ["10: invalid timestamp argument"]),
        ("timestamp(null)", ["10: invalid timestamp argument"]),
        ("duration(60)", ["9: invalid duration argument"]),
        ("s.matches('a+')", []),
        ("s.matches('a(')", ["10: invalid matches argument"]),
        ("matches('(', s)", ["8: invalid matches argument"]),
        ("matches(s, '(')", []),
        ("[1].map(i, duration('1x'))", ["20: invalid duration argument"]),
    ],
)
def test_literal_arguments(text: str, expected: list[str]) -> None:  # W1
    assert issues(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", []),
        ("[1, 'a', 2.0]", ["4: expected type 'int' but found 'string'"]),
        ("[1, x]", ["4: expected type 'int' but found 'dyn'"]),
        ("[[1], ['a']]", ["6: expected type 'list(int)' but found 'list(string)'"]),
        (
            "{1: 'a', 'b': 2}",
            ["9: expected type 'int' but found 'string'", "14: expected type 'string' but found 'int'"],
        ),
        ("'%s %d'.format(['a', 1])", []),
        ("'%s'.format([[1, 'a']])", []),
        ("{'a': [1, 'b'].map(i, i)}", ["10: expected type 'int' but found 'string'"]),
    ],
)
def test_mixed_literals(text: str, expected: list[str]) -> None:  # W2
    assert issues(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'%s %d %f %e %x %o %b %%'.format(['a', 1, 1.0, 1.0, 'f', 1, true])", []),
        ("'%.3f %.0e'.format([1.0, x])", []),
        (
            "'%d'.format(['a'])",
            ["13: error during formatting: decimal clause can only be used on integers, was given string"],
        ),
        ("'%d'.format([])", ["11: index 0 out of range"]),
        ("'%d'.format([1, 2])", ["11: too many arguments supplied to string.format (expected 1, got 2)"]),
        ("'%'.format([1])", ["10: unexpected end of string"]),
        ("'%z'.format([1])", ['11: could not parse formatting clause: unrecognized formatting clause "z"']),
        (
            "'%.f'.format([1.0])",
            [
                "12: could not parse formatting clause: error while parsing precision: "
                'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'
            ],
        ),
        (
            "'%.2'.format([1.0])",
            [
                "12: could not parse formatting clause: error while parsing precision: "
                "could not find end of precision specifier"
            ],
        ),
        (
            "'%b'.format([[1]])",
            [
                "13: error during formatting: only integers and bools can be formatted as binary, was given list"
            ],
        ),
        ("s.format([1])", []),
        ("'%d'.format(x)", []),
    ],
)
def test_format_strings(text: str, expected: list[str]) -> None:  # W3
    assert issues(text) == expected
