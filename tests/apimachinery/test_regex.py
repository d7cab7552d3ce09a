"""Patterns mean what they mean in Go, and never take long."""

import re
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.regex import PatternError, compile_regex

SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),  # $ is the end, not the end of a line
        ("(?m)^b$", "a\nb\nc", True),
        (r"^\d+\.\d+\.\d+(-.+)?$", "8.0.30", True),
        (r"^\d$", "٣", False),  # digits are ASCII
        (r"\w", "é", False),
        (r"\s", "\v", False),
        ("(?i)abc", "xABC", True),
        ("a(?i)b|c", "C", True),  # the flag holds beyond the bar
        ("(?i:a)b", "AB", False),
        ("(?s).", "\n", True),
        (".", "\n", False),
        (SUBDOMAIN, "foo.example.com", True),
        (SUBDOMAIN, "foo..com", False),
        ("^a{,3}$", "a{,3}", True),  # no count: literal braces
        ("a{2,3}", "aa", True),
        (r"\bfoo\b", "a foo b", True),
        (r"\Bo", "foo", True),
        ("[[:alpha:]]+", "ab", True),
        ("[^[:space:]]", " ", False),
        (r"\pL", "é", True),
        (r"\p{Greek}", "α", True),
        (r"\P{Lu}", "A", False),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        (r"\x41\x{1F600}", "A\U0001f600", True),
        (r"\101", "A", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("x*?y", "xxy", True),
        ("^$", "", True),
        ("", "anything", True),
        ("a|", "b", True),
        (r"\A\z", "", True),
    ],
)
def test_a_match_is_what_go_finds(pattern: str, text: str, expected: bool) -> None:  # G1
    assert compile_regex(pattern).matches(text) is expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(abc", "missing closing ): `(abc`"),
        ("abc)", "unexpected ): `abc)`"),
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a++", "invalid nested repetition operator: `++`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(a{500}){500}", "invalid repeat count: `{500}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<!a)", "invalid named capture: `(?<!a)`"),
        ("x(?<=ab>c", "invalid named capture: `(?<=ab>`"),
        (r"[a]\C\Z", r"invalid escape sequence: `\C`"),
        ("a{3,2}?", "invalid repeat count: `{3,2}`"),
        ("a*{3,2}", "invalid repeat count: `{3,2}`"),
        (r"[\p", r"invalid character class range: `\p`"),
        pytest.param(
            "(" * 1000 + ")" * 1000,
            "expression nests too deeply: `%s`" % ("(" * 1000 + ")" * 1000),
            id="deep",
        ),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        (r"\p{Klingon}", r"invalid character class range: `\p{Klingon}`"),
    ],
)
def test_what_go_refuses_is_refused_in_its_words(pattern: str, message: str) -> None:  # G2
    with pytest.raises(PatternError) as caught:
        compile_regex(pattern)
    assert str(caught.value) == f"error parsing regexp: {message}"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(a+)+$", "a" * 5000 + "b"),
        (r"^(a|aa)+$", "a" * 5000 + "b"),
        (r"(x+x+)+y", "x" * 5000),
        (r"a*a*a*a*b", "a" * 5000),
        (r"[a-z]+1", "a" * 50_000),
        (SUBDOMAIN, "a." * 10_000),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str) -> None:  # G3
    begun = time.perf_counter()
    assert compile_regex(pattern).matches(text) is False
    assert time.perf_counter() - begun < 1


atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "-", r"\d", "^", "$", r"\b"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(patterns, st.text(alphabet="ab-1\n", max_size=8))
def test_a_match_is_what_python_finds(pattern: str, text: str) -> None:  # G1
    expected = re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
    assert compile_regex(pattern).matches(text) is expected


def test_go_s_answers_over_random_patterns() -> None:  # G1, G2
    """Recorded from Go 1.26: what it refuses, and all matches with their groups."""
    recorded = msgspec.json.decode((Path(__file__).parent / "regex.json").read_bytes())
    for pattern, refusal, matches in recorded:
        if refusal:
            with pytest.raises(PatternError) as caught:
                compile_regex(pattern)
            assert str(caught.value) == f"error parsing regexp: {refusal}"
            continue
        regex = compile_regex(pattern)
        for text, spans in matches.items():
            assert [[each for span in found for each in span] for found in regex.finditer(text)] == spans
            assert regex.matches(text) is bool(spans)
            assert regex.search(text) == (next(regex.finditer(text), None))


def test_what_is_too_large_is_refused_and_what_go_takes_is_taken() -> None:  # G2
    assert compile_regex(r"\pL{1000}").matches("é" * 1000)
    assert compile_regex("(?:" * 900 + "a" + ")" * 900).matches("a")
