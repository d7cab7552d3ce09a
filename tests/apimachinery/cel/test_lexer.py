"""Tokens and their places. L cites `cel.lexer`."""

import pytest

from kajitori.apimachinery.cel.lexer import END, tokens_of


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("inner in true truest", ["IDENTIFIER", "in", "true", "IDENTIFIER"]),
        ("1.5e3 .5 1u 0x1Fu", ["NUM_FLOAT", "NUM_FLOAT", "NUM_UINT", "NUM_UINT"]),
        ("<= < == !=!", ["<=", "<", "==", "!=", "!"]),
        ("rb'x' br'x'", ["IDENTIFIER", "STRING", "BYTES"]),
        ("''''a'b''' ''", ["STRING", "STRING"]),
        ("1.e3", ["NUM_INT", ".", "IDENTIFIER"]),
        ("0x", ["NUM_INT", "IDENTIFIER"]),
    ],
)
def test_the_longest_token_wins(text: str, kinds: list[str]) -> None:  # L1
    tokens, skipped = tokens_of(text)
    assert [kind for kind, _, _ in tokens] == [*kinds, END]
    assert not skipped


def test_places_are_counted_in_code_points() -> None:  # L2
    tokens, skipped = tokens_of("'😀' // 😀\n + x ")
    assert tokens == [("STRING", "'😀'", 0), ("+", "+", 10), ("IDENTIFIER", "x", 12), (END, END, 14)]
    assert not skipped
    tokens, skipped = tokens_of("a é 'b")
    assert [text for _, text, _ in tokens] == ["a", END]
    assert skipped == [(2, 3), (4, 7)]
