"""`pattern` keywords: Go's regular expressions, matched in Python without its dangers.

A pattern is parsed as Go would (`syntax`), then written out again for Python's `re` with every class spelled
out, so that `$`, `\\d`, `\\s` mean what they mean in Go. Where backtracking could take too long, an
`Automaton` answers instead.

Promises
    R1  `search` gives what Go's regexp.MatchString gives
    R2  no pattern and text make it take more than time proportional to their sizes, times BACKTRACKING_MAX

Source: Go's regexp package, with which Kubernetes checks JSONSchemaProps.pattern.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from kajitori.apimachinery.structural.automaton import Automaton
from kajitori.apimachinery.structural.syntax import (
    Alternatives,
    Assertion,
    Chars,
    Node,
    PatternError,
    Ranges,
    Repeat,
    Sequence,
    parse_pattern,
)

__all__ = ["Pattern", "PatternError", "compile_pattern"]

BACKTRACKING_MAX = 200_000
"""Steps that Python's matcher may need in the worst case: about two milliseconds."""


class Pattern:
    """A compiled pattern; `search(text)` says whether it matches somewhere in `text`."""

    __slots__ = ("_automaton", "_fast", "_length_max", "_tree", "search", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = parse_pattern(source)
        self._automaton: Automaton | None = None
        self._fast: re.Pattern[str] | None = None
        self._length_max = _safe_length(self._tree)
        self.search: Callable[[str], bool]
        if self._length_max > 0:
            try:
                self._fast = re.compile(_write(self._tree))
            except (re.error, OverflowError, RecursionError):
                self._length_max = 0
        self.search = self._search_either if self._fast is not None else self._search_slowly

    def _search_either(self, text: str) -> bool:
        if len(text) <= self._length_max:
            assert self._fast is not None
            return self._fast.search(text) is not None
        return self._search_slowly(text)

    def _search_slowly(self, text: str) -> bool:
        if self._automaton is None:
            self._automaton = Automaton(self._tree, anchored=_is_anchored(self._tree))
        return self._automaton.search(text)


@lru_cache(maxsize=4096)
def compile_pattern(source: str) -> Pattern:
    """The pattern, compiled once per process.

    Raises: PatternError when Go could not compile it.
    """
    return Pattern(source)


def _is_anchored(node: Node) -> bool:
    """Whether a match can only begin where the text begins."""
    match node:
        case Assertion("begin"):
            return True
        case Sequence(parts):
            return bool(parts) and _is_anchored(parts[0])
        case Alternatives(choices):
            return all(_is_anchored(choice) for choice in choices)
        case _:
            return False


def _safe_length(tree: Node) -> int:
    """The longest text for which backtracking stays below BACKTRACKING_MAX steps; 0: none is safe."""
    loops = _loops(tree)
    if loops is None:
        return 0
    degree = loops + (0 if _is_anchored(tree) else 1)
    if degree <= 1:
        return BACKTRACKING_MAX
    return int(BACKTRACKING_MAX ** (1 / degree))


def _loops(node: Node) -> int | None:
    """How many loops can each be left at every place; None when loops nest, which may be exponential."""
    match node:
        case Sequence(parts) | Alternatives(parts):
            counts = [_loops(part) for part in parts]
            return None if None in counts else sum(count or 0 for count in counts)
        case Repeat(body, _, most):
            if isinstance(body, Chars):
                return 0 if most == 1 else 1
            inner = _loops(body)
            if most == 1:
                return None if inner is None else inner + 1
            # A body of fixed shape, like `(ab)*`, is as good as a character; a choice or a loop in it is not.
            return 1 if inner == 0 and _is_fixed(body) else None
        case _:
            return 0


def _is_fixed(node: Node) -> bool:
    match node:
        case Sequence(parts):
            return bool(parts) and all(_is_fixed(part) for part in parts)
        case Repeat(body, least, most):
            return least == most and least > 0 and _is_fixed(body)
        case Chars():
            return True
        case _:
            return False


_ASSERTIONS = {
    "begin": r"\A",
    "end": r"\Z",
    "line_begin": "(?m:^)",
    "line_end": "(?m:$)",
    "word": r"(?a:\b)",
    # Python before 3.14 does not match \B in an empty text.
    "not_word": r"(?!(?a:\b))",
}


def _write(node: Node) -> str:
    match node:
        case Chars(ranges):
            return _write_chars(ranges)
        case Assertion(kind):
            return _ASSERTIONS[kind]
        case Sequence(parts):
            return "".join(
                _write(part) if not isinstance(part, Alternatives) else _group(part) for part in parts
            )
        case Alternatives(choices):
            return "|".join(_write(choice) for choice in choices)
        case Repeat(body, least, most):
            shown = _write(body) if isinstance(body, Chars) else _group(body)
            if (least, most) == (0, 1):
                return shown + "?"
            if most is None and least <= 1:
                return shown + "*+"[least]
            return f"{shown}{{{least},{'' if most is None else most}}}"


def _group(node: Node) -> str:
    return f"(?:{_write(node)})"


def _write_chars(ranges: Ranges) -> str:
    if not ranges:
        return "(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _point(ranges[0][0])
    return (
        "[" + "".join(_point(low) + ("-" + _point(high) if high > low else "") for low, high in ranges) + "]"
    )


def _point(point: int) -> str:
    char = chr(point)
    if char.isascii() and char.isalnum():
        return char
    return f"\\x{point:02x}" if point < 256 else f"\\U{point:08x}"
