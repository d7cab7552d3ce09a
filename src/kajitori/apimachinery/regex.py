"""Go's regular expressions, compiled and matched by RE2, which both Go and this come from.

The one place that compiles a regular expression somebody else wrote: `pattern` of a schema, `matches` and the
regular expression functions of CEL. Python's own `re` will not do: it means other things by `$` and `\\d`, and
its backtracking lets one manifest occupy the server for hours.

Promises
    G1  a text matches when Go's regexp says so; spans are those of FindAllStringSubmatchIndex, in characters
    G2  what Go cannot compile raises PatternError with Go's message
    G3  the time to match is proportional to the text, whatever the pattern

Known difference: refused are Unicode classes named in full or in other letter cases than Unicode has, which Go
knows (`\\p{letter}`, `\\p{greek}`), and expressions whose program needs more than PROGRAM_BYTES_MAX.

Source: Go's regexp and regexp/syntax; https://github.com/google/re2/wiki/Syntax.
"""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

__all__ = ["PatternError", "Regex", "Spans", "compile_regex"]

Spans = tuple[tuple[int, int], ...]
"""Where a match is, then where its groups are: begin and end in characters; (-1, -1) for a group left out."""

REPEAT_MAX = 1000
"""The largest count in `x{n,m}` that Go accepts."""
NESTING_MAX = 1000
"""How deep Go lets groups nest."""
PROGRAM_BYTES_MAX = 32 << 20
"""The largest program that is compiled, some 300 times the largest in use; nearly all stay within RE2's own 8 MiB."""

_GO_WORDS = {
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid repetition size": "invalid repeat count",
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
}
_TOKENS = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?(?!P?<)|\(|\)", re.S)
"""Escapes and classes, each as a whole; beginnings of groups that do not capture, of those that do; their ends."""
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}\??\Z")


class PatternError(ValueError):
    """A pattern that Go would not compile; the text is what Go says."""

    def __init__(self, what: str, fragment: str) -> None:
        super().__init__(f"error parsing regexp: {what}: `{fragment}`")


class Regex:
    """A compiled expression; make it with `compile_regex`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._matcher = _compile(source, capturing=False)
        self._splits_characters = r"\B" in source
        # RE2 looks at bytes: between those of one character it sees no boundary of words.

    @cached_property
    def _finder(self) -> Any:
        return _compile(self.source, capturing=True)

    @property
    def groups(self) -> int:
        """How many groups capture."""
        groups: int = self._finder.groups
        return groups

    def matches(self, text: str) -> bool:
        """Whether the expression matches somewhere in `text`."""
        if self._splits_characters and not text.isascii():
            return self.search(text) is not None
        return self._matcher.search(text.encode(errors="replace")) is not None

    def search(self, text: str) -> Spans | None:
        """The first match."""
        return next(self.finditer(text), None)

    def finditer(self, text: str) -> Iterator[Spans]:
        """All matches that do not overlap; an empty one does not follow another directly."""
        data = text.encode(errors="replace")
        wide = len(data) > len(text)
        byte = char = 0
        previous_end = -1
        for match in self._finder.finditer(data):
            begin, end = match.span()
            if begin == end and (begin == previous_end or _is_inside_character(data, begin)):
                continue
            previous_end = end
            spans: Spans = tuple(match.span(group) for group in range(self.groups + 1))
            if wide:
                char += len(data[byte:begin].decode())
                byte = begin
                spans = tuple(
                    (_chars(data, byte, char, low), _chars(data, byte, char, high)) for low, high in spans
                )
            yield spans


@lru_cache(maxsize=4096)
def compile_regex(source: str) -> Regex:
    """The expression, compiled once per process.

    Raises: PatternError when Go could not compile it.
    """
    return Regex(source)


def _is_inside_character(data: bytes, at: int) -> bool:
    return at < len(data) and data[at] & 0xC0 == 0x80


def _chars(data: bytes, byte: int, char: int, offset: int) -> int:
    return -1 if offset < 0 else char + len(data[byte:offset].decode())


def _compile(source: str, *, capturing: bool) -> Any:
    import re2  # four megabytes that only those who match need

    tokens = _TOKENS.findall(source)
    # One byte of any kind: RE2 has an escape for it, Go has none. Neither knows `\y`.
    readable = source.replace(r"\C", r"\y") if r"\C" in tokens else source
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not capturing
    try:
        try:
            compiled = re2.compile(readable.encode(), options)
        except re2.error as problem:
            if not _told(problem).startswith("pattern too large"):
                raise
            options.max_mem = PROGRAM_BYTES_MAX
            compiled = re2.compile(readable.encode(), options)
    except re2.error as problem:
        raise _as_go(source, _told(problem)) from None
    if _depth(tokens) >= NESTING_MAX:
        raise PatternError("expression nests too deeply", source)
    return compiled


def _told(problem: Exception) -> str:
    told = problem.args[0]
    return told.decode() if isinstance(told, bytes) else str(told)


def _depth(tokens: list[str]) -> int:
    """How deep groups that capture are nested."""
    deepest, depth, opened = 0, 0, list[int]()
    for token in tokens:
        if token.startswith("("):
            opened.append(token == "(")
            depth += opened[-1]
            deepest = max(deepest, depth)
        elif token == ")" and opened:
            depth -= opened.pop()
    return deepest


def _as_go(source: str, told: str) -> PatternError:
    """What Go says where RE2 said `told`."""
    code, _, fragment = told.partition(": ")
    if r"\y" not in source:
        fragment = fragment.replace(r"\y", r"\C")
    if code.startswith("pattern too large"):
        return PatternError("expression too large", source)
    if fragment in ("(?<=", "(?<!"):  # Go knows no look-behind, so this began a name
        rest = source[source.index(fragment) :]
        return PatternError("invalid named capture", rest[: rest.find(">") + 1] or rest)
    if source.endswith((r"\p", r"\P")) and fragment == source[-2:] and source[-3:-2] != "-":
        code = "invalid character class range"
    count = _COUNT.search(fragment)
    if count and code.endswith(("repetition operator", "repetition size")) and not _is_count(*count.groups()):
        # Go reads a count before it asks what is to be repeated.
        return PatternError("invalid repeat count", count.group().rstrip("?"))
    return PatternError(_GO_WORDS.get(code, code), fragment)


def _is_count(least: str, most: str | None) -> bool:
    return int(least) <= int(most or least) <= REPEAT_MAX
