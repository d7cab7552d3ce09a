"""The regular expressions of Go (RE2 syntax), parsed into a small tree.

Sits below `pattern`, which turns the tree into something that matches. What Go refuses is refused here, with
Go's words, because a CustomResourceDefinition with a bad `pattern` must be rejected the same way.

Promises
    S1  what Go's regexp cannot compile raises PatternError with Go's message
    S2  every character class is resolved to code point ranges: no flag changes its meaning later

Known differences: a script class (`\\p{Greek}`) is found by the names of characters, and case folding beyond
ASCII goes by simple upper and lower case.

Source: https://github.com/google/re2/wiki/Syntax and Go's regexp/syntax.
"""

from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "Alternatives",
    "Assertion",
    "Chars",
    "Node",
    "PatternError",
    "Ranges",
    "Repeat",
    "Sequence",
    "parse_pattern",
]

Ranges = tuple[tuple[int, int], ...]

REPEAT_MAX = 1000
"""The largest count in `x{n,m}` that Go accepts."""
NESTING_MAX = 200
"""How deep groups may nest. Go allows 1000; Python's own stack is shallower."""
_CODE_POINT_MAX = 0x10FFFF


class PatternError(ValueError):
    """A pattern that Go would not compile; the text is what Go says."""

    def __init__(self, what: str, fragment: str | None = None) -> None:
        super().__init__(
            f"error parsing regexp: {what}" + (f": `{fragment}`" if fragment is not None else "")
        )


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of `ranges`."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place that takes no character: `begin`, `end`, `line_begin`, `line_end`, `word`, `not_word`."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Alternatives:
    choices: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """`body` at least `least` times and at most `most`; None: without end."""

    body: "Node"
    least: int
    most: int | None


Node = Chars | Assertion | Sequence | Alternatives | Repeat

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROL = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ASSERTIONS = {"A": "begin", "z": "end", "b": "word", "B": "not_word"}
_PUNCTUATION = (
    frozenset(range(0x21, 0x30)) | frozenset(range(0x3A, 0x41)) | {*range(0x5B, 0x61), *range(0x7B, 0x7F)}
)


def parse_pattern(text: str) -> Node:
    """The tree of a pattern.

    Raises: PatternError with Go's wording.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.flags: frozenset[str] = frozenset()

    def parse(self) -> Node:
        tree = self._alternatives()
        if self.at < len(self.text):
            raise PatternError("unexpected )", self.text)
        return tree

    def _peek(self, ahead: str) -> bool:
        return self.text.startswith(ahead, self.at)

    def _alternatives(self) -> Node:
        outer_flags = self.flags  # a flag group holds until the end of the group around it
        choices: list[Node] = [self._sequence()]
        while self._peek("|"):
            self.at += 1
            choices.append(self._sequence())
        self.flags = outer_flags
        return choices[0] if len(choices) == 1 else Alternatives(tuple(choices))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            start = self.at
            atom = self._atom()
            if atom is None:
                continue
            parts.append(self._repeats(atom, start))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeats(self, atom: Node, start: int) -> Node:
        previous = -1
        while True:
            counted = self._repeat_operator()
            if counted is None:
                return atom
            least, most, operator_at = counted
            if previous >= 0:
                raise PatternError("invalid nested repetition operator", self.text[previous : self.at])
            previous = operator_at
            atom = Repeat(atom, least, most)
            if isinstance(atom.body, Repeat) and _nested_count(atom) > REPEAT_MAX:
                raise PatternError("invalid repeat count", self.text[operator_at : self.at])
            _ = start

    def _repeat_operator(self) -> tuple[int, int | None, int] | None:
        operator_at = self.at
        if self.at >= len(self.text):
            return None
        char = self.text[self.at]
        if char in "*+?":
            self.at += 1
            bounds: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
        elif char == "{":
            counted = self._counted()
            if counted is None:
                return None
            bounds = counted
        else:
            return None
        if self._peek("?"):  # reluctance changes what is captured, never whether there is a match
            self.at += 1
        return bounds[0], bounds[1], operator_at

    def _counted(self) -> tuple[int, int | None] | None:
        """`{n}`, `{n,}`, `{n,m}`; anything else in braces is literal text."""
        end = self.text.find("}", self.at)
        if end < 0:
            return None
        inside = self.text[self.at + 1 : end]
        low, comma, high = inside.partition(",")
        if not _is_count(low) or (high and not _is_count(high)):
            return None
        least = int(low)
        most = (int(high) if high else None) if comma else least
        fragment = self.text[self.at : end + 1]
        if least > REPEAT_MAX or (most is not None and (most > REPEAT_MAX or most < least)):
            raise PatternError("invalid repeat count", fragment)
        self.at = end + 1
        return least, most

    def _atom(self) -> Node | None:
        char = self.text[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return Chars(self._fold(self._character_class()))
        if char == "\\":
            return self._escape()
        if char in "*+?" or (char == "{" and self._is_repeat_here()):
            begin = self.at
            self._repeat_operator()
            raise PatternError("missing argument to repetition operator", self.text[begin : self.at])
        self.at += 1
        if char == ".":
            whole: Ranges = ((0, _CODE_POINT_MAX),)
            return Chars(whole if "s" in self.flags else ((0, 9), (11, _CODE_POINT_MAX)))
        if char == "^":
            return Assertion("line_begin" if "m" in self.flags else "begin")
        if char == "$":
            return Assertion("line_end" if "m" in self.flags else "end")
        return Chars(self._fold(((ord(char), ord(char)),)))

    def _is_repeat_here(self) -> bool:
        begin = self.at
        counted = self._counted()
        self.at = begin
        return counted is not None

    def _group(self) -> Node | None:
        begin = self.at
        self.at += 1
        outer_flags = self.flags
        if self._peek("?"):
            flags_only = self._group_head(begin)
            if flags_only:
                return None
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise PatternError("expression nests too deeply", self.text)
        inner = self._alternatives()
        self.depth -= 1
        if not self._peek(")"):
            raise PatternError("missing closing )", self.text)
        self.at += 1
        self.flags = outer_flags
        return inner

    def _group_head(self, begin: int) -> bool:
        """What stands between `(?` and the content; True for a bare flag group such as `(?i)`."""
        for opening in ("?P<", "?<"):
            if self._peek(opening) and not self.text.startswith(("?<=", "?<!"), self.at):
                end = self.text.find(">", self.at)
                if end < 0:
                    raise PatternError("invalid named capture", self.text[begin:])
                name = self.text[self.at + len(opening) : end]
                if not name or not all(each.isascii() and (each.isalnum() or each == "_") for each in name):
                    raise PatternError("invalid named capture", self.text[begin : end + 1])
                self.at = end + 1
                return False
        self.at += 1
        flags, adding = set(self.flags), True
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char in "imsU":
                flags = flags | {char} if adding else flags - {char}
            elif char == "-" and adding:
                adding = False
            elif char in ":)":
                self.flags = frozenset(flags)
                return char == ")"
            else:
                break
        if self.at >= len(self.text) and self.text[-1] in "?imsU-":
            raise PatternError("missing closing )", self.text)
        raise PatternError("invalid or unsupported Perl syntax", self.text[begin : self.at])

    def _escape(self) -> Node:
        begin = self.at
        if self.at + 1 >= len(self.text):
            raise PatternError("trailing backslash at end of expression", "")
        char = self.text[self.at + 1]
        if char in _ASSERTIONS:
            self.at += 2
            return Assertion(_ASSERTIONS[char])
        if char == "Q":
            end = self.text.find("\\E", self.at)
            literal = self.text[self.at + 2 : end if end >= 0 else len(self.text)]
            self.at = end + 2 if end >= 0 else len(self.text)
            return Sequence(tuple(Chars(self._fold(((ord(each), ord(each)),))) for each in literal))
        ranges = self._class_escape()
        if ranges is None:
            point = self._code_point(begin)
            ranges = ((point, point),)
        return Chars(self._fold(ranges))

    def _class_escape(self) -> Ranges | None:
        """`\\d`, `\\S`, `\\pL`, `\\P{Greek}` at the current place; None when it is another escape."""
        char = self.text[self.at + 1]
        if char.lower() in _PERL:
            self.at += 2
            ranges = _PERL[char.lower()]
            return ranges if char.islower() else _complement(ranges)
        if char not in "pP":
            return None
        begin = self.at
        self.at += 2
        if self._peek("{"):
            end = self.text.find("}", self.at)
            if end < 0:
                raise PatternError("invalid character class range", self.text[begin:])
            name, self.at = self.text[self.at + 1 : end], end + 1
        else:
            name = self.text[self.at : self.at + 1]
            self.at += 1
        negated = (char == "P") != name.startswith("^")
        ranges = _unicode_class(name.removeprefix("^"))
        if not ranges:
            raise PatternError("invalid character class range", self.text[begin : self.at])
        return _complement(ranges) if negated else ranges

    def _code_point(self, begin: int) -> int:
        """One escaped character: `\\n`, `\\x41`, `\\x{1F600}`, `\\012`, `\\.`."""
        char = self.text[self.at + 1]
        self.at += 2
        if char in _CONTROL:
            return _CONTROL[char]
        if ord(char) in _PUNCTUATION:
            return ord(char)
        digits = ""
        if char == "x" and self._peek("{"):
            end = self.text.find("}", self.at)
            digits, self.at = (self.text[self.at + 1 : end], end + 1) if end >= 0 else ("", self.at)
        elif char == "x":
            digits, self.at = self.text[self.at : self.at + 2], self.at + 2
            digits = digits if len(digits) == 2 else ""
        elif char == "0" or (char in "1234567" and self.text[self.at : self.at + 1] in tuple("01234567")):
            taken = 1
            while taken < 3 and self.text[self.at : self.at + 1] in tuple("01234567"):
                char, self.at, taken = char + self.text[self.at], self.at + 1, taken + 1
            return int(char, 8)
        if digits and all(each in "0123456789abcdefABCDEF" for each in digits):
            point = int(digits, 16)
            if point <= _CODE_POINT_MAX:
                return point
        raise PatternError("invalid escape sequence", self.text[begin : begin + 2])

    def _character_class(self) -> Ranges:
        begin = self.at
        self.at += 1
        negated = self._peek("^")
        self.at += negated
        found: list[tuple[int, int]] = []
        first = True
        while first or not self._peek("]"):
            if self.at >= len(self.text):
                raise PatternError("missing closing ]", self.text[begin:])
            if self._peek("-") and not first and not self.text.startswith("-]", self.at):
                follows = self.text[self.at : self.at + 2]
                raise PatternError("invalid character class range", follows)
            first = False
            found.extend(self._class_member(begin))
        self.at += 1
        ranges = _union(found)
        folded = self._fold(ranges)
        if not negated:
            return folded
        return _complement(folded)

    def _class_member(self, begin: int) -> Ranges:
        if self._peek("[:"):
            end = self.text.find(":]", self.at + 2)
            if end >= 0:
                name = self.text[self.at + 2 : end]
                fragment = self.text[self.at : end + 2]
                ranges = _POSIX.get(name.removeprefix("^"))
                if ranges is None:
                    raise PatternError("invalid character class range", fragment)
                self.at = end + 2
                return _complement(ranges) if name.startswith("^") else ranges
        start = self.at
        if self._peek("\\") and self.at + 1 < len(self.text):
            escaped = self._class_escape()
            if escaped is not None:
                return escaped
        low = self._class_char(begin)
        high = low
        if self._peek("-") and self.at + 1 < len(self.text) and self.text[self.at + 1] != "]":
            self.at += 1
            high = self._class_char(begin)
            if high < low:
                raise PatternError("invalid character class range", self.text[start : self.at])
        return ((low, high),)

    def _class_char(self, begin: int) -> int:
        if self.at >= len(self.text):
            raise PatternError("missing closing ]", self.text[begin:])
        if self._peek("\\"):
            if self.at + 1 >= len(self.text):
                raise PatternError("trailing backslash at end of expression", "")
            return self._code_point(self.at)
        self.at += 1
        return ord(self.text[self.at - 1])

    def _fold(self, ranges: Ranges) -> Ranges:
        if "i" not in self.flags:
            return ranges
        found = list(ranges)
        for low, high in ranges:
            if high - low > 2000:  # wide ranges hold both cases of nearly all they contain
                low, high = max(low, 65), min(high, 122)
            for point in range(low, high + 1):
                for twin in {chr(point).lower(), chr(point).upper()}:
                    if len(twin) == 1:
                        found.append((ord(twin), ord(twin)))
        return _union(found)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and (len(text) == 1 or text[0] != "0")


def _nested_count(node: Node) -> int:
    count = 1
    while isinstance(node, Repeat):
        count *= max(node.most or node.least, 1)
        node = node.body
    return count


def _union(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: Ranges) -> Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= _CODE_POINT_MAX:
        gaps.append((start, _CODE_POINT_MAX))
    return tuple(gaps)


@lru_cache(maxsize=32)
def _unicode_class(name: str) -> Ranges:
    """The ranges of a general category (`L`, `Lu`), of `Any`, or of a script; empty when unknown."""
    import unicodedata  # a large table that few patterns need

    if name == "Any":
        return ((0, _CODE_POINT_MAX),)
    if len(name) <= 2:
        points = [at for at in range(_CODE_POINT_MAX + 1) if unicodedata.category(chr(at)).startswith(name)]
    else:
        prefix = {"Han": "CJK UNIFIED IDEOGRAPH"}.get(name, name.upper().replace("_", " ")) + (
            "-" if name == "Han" else " "
        )
        points = [at for at in range(_CODE_POINT_MAX + 1) if unicodedata.name(chr(at), "").startswith(prefix)]
    return _union([(at, at) for at in points])
