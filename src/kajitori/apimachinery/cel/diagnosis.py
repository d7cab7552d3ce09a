"""What is wrong with tokens that are no expression.

Sits beside the parser, which only knows that and where they are none.
"""

from collections.abc import Sequence

from kajitori.apimachinery.cel.errors import Issue
from kajitori.apimachinery.cel.lexer import Token

__all__ = ["syntax_issues"]


def syntax_issues(tokens: Sequence[Token], at: int) -> list[Issue]:
    """The mistakes; `at` is the token that the parser could not place."""
    _, text, offset = tokens[min(at, len(tokens) - 1)]
    return [Issue(offset, f"Syntax error: unexpected '{text}'")]
