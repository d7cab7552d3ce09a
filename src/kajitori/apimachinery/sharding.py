"""Shard selectors: which objects a client takes, by ranges of a hash of theirs.

    shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000') || shardRange(…)

A selector is an expression in the form of CEL that is read and never evaluated. Where one is wrong, Kubernetes' words
say so; only where it is no expression of this form at all they are our own.

Promises
    K1  an object is in a range when the 64-bit FNV-1a hash of its field is at least the start and below the end
    K2  ranges that divide 0x0 … 2^64 without gaps divide the objects: each is in exactly one
    K3  str() of a selector is the form that Kubernetes tells back, and parses to the same selector

Source: KEP-5866; apiserver/pkg/sharding and apimachinery/pkg/sharding.
"""

import re
from dataclasses import dataclass

from kajitori.apimachinery.decode import go_quote

__all__ = ["ShardRange", "ShardSelector", "fnv1a_64", "parse_shard_selector"]

DEPTH_MAX = 250
"""How deep parentheses may be nested: CEL's limit."""

_FIELDS = ("object.metadata.uid", "object.metadata.namespace")
_SPACE = r"(?:[ \t\r\n\f]|//[^\n]*+)*+"
_TOKEN = re.compile(
    _SPACE
    + r"""(?:[rR]?(?P<string>"[^"\\\n\r]*"|'[^'\\\n\r]*')|(?P<name>[A-Za-z_]\w*)|(?P<number>-?[0-9][\w.]*)"""
    r"""|(?P<sign>\|\||[(),.]))""",
    re.ASCII,
)
_END = re.compile(_SPACE)
_HEX = re.compile("[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class ShardRange:
    """Hashes from `start` (inclusive) to `end` (exclusive, at most 2^64)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ShardSelector:
    """Ranges of the hash of one field, `object.metadata.uid` or `object.metadata.namespace`."""

    field: str
    ranges: tuple[ShardRange, ...]

    def matches(self, value: str) -> bool:
        """Whether an object whose field has this value is meant (K1)."""
        hashed = fnv1a_64(value.encode())
        return any(each.start <= hashed < each.end for each in self.ranges)

    def __str__(self) -> str:
        return " || ".join(
            f"shardRange({self.field}, '0x{r.start:016x}', '0x{r.end:016x}')" for r in self.ranges
        )


def fnv1a_64(data: bytes) -> int:
    """The 64-bit FNV-1a hash."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def parse_shard_selector(text: str) -> ShardSelector:
    """Raises: ValueError."""
    text = text.strip()
    if not text:
        raise ValueError("empty shard selector is not allowed; omit the parameter for unfiltered lists")
    reader = _Reader(text)
    found = reader.union()
    if reader.kind:
        raise ValueError(f"CEL parse error: Syntax error: extraneous input {reader.shown} expecting <EOF>")
    fields = [field for field, _ in found]
    for field in fields:
        if field != fields[0]:
            raise ValueError(
                f"all shard ranges must use the same field, got {go_quote(fields[0])} and {go_quote(field)}"
            )
    return ShardSelector(fields[0], tuple(each for _, each in found))


@dataclass(frozen=True, slots=True)
class _Literal:
    """A string."""

    text: str


_Argument = str | int | _Literal
"""A path of names, the kind of something else (a literal that is no string is 5), or a string."""


class _Reader:
    """Reads the expression from left to right; `kind` and `token` are what comes next, empty at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.kind = self.token = ""
        self._next()

    @property
    def shown(self) -> str:
        return f"'{self.token or '<EOF>'}'"

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is not None and found.lastgroup is not None:
            self.kind, self.token, self._at = found.lastgroup, found[found.lastgroup], found.end()
            return
        end = _END.match(self._text, self._at)
        at = end.end() if end is not None else self._at
        if at < len(self._text):
            raise ValueError(f"CEL parse error: Syntax error: token recognition error at: '{self._text[at]}'")
        self.kind = self.token = ""

    def _take(self, sign: str) -> bool:
        if self.token != sign or self.kind != "sign":
            return False
        self._next()
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise ValueError(f"CEL parse error: Syntax error: missing '{sign}' at {self.shown}")

    def union(self) -> list[tuple[str, ShardRange]]:
        found = self._term()
        while self._take("||"):
            found += self._term()
        return found

    def _term(self) -> list[tuple[str, ShardRange]]:
        if self._take("("):
            self._depth += 1
            if self._depth > DEPTH_MAX:
                raise ValueError(f"CEL parse error: expression recursion limit exceeded: {DEPTH_MAX}")
            found = self.union()
            self._need(")")
            self._depth -= 1
            return found
        if not self.kind or self.kind == "sign":
            raise ValueError(f"CEL parse error: Syntax error: mismatched input {self.shown}")
        if self.kind != "name":
            raise ValueError("unexpected expression kind 5; expected shardRange() call or || operator")
        name = self.token
        path = self._path()
        if not self._take("("):
            kind = 3 if path == name else 7
            raise ValueError(f"unexpected expression kind {kind}; expected shardRange() call or || operator")
        if path != "shardRange":
            called = go_quote(path.rpartition(".")[2])
            raise ValueError(f"unsupported function {called}; only shardRange() and || are allowed")
        arguments: list[_Argument] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._argument())
        return [_range_of(arguments)]

    def _path(self) -> str:
        names = [self.token]
        self._next()
        while self._take("."):
            if self.kind != "name":
                raise ValueError(
                    f"CEL parse error: Syntax error: no viable alternative at input '.{self.token}'"
                )
            names.append(self.token)
            self._next()
        return ".".join(names)

    def _argument(self) -> _Argument:
        if self.kind == "name":
            return self._path()
        if self.kind == "string":
            literal = _Literal(self.token[1:-1])
            self._next()
            return literal
        if self.kind == "number":
            self._next()
            return 5
        raise ValueError(f"CEL parse error: Syntax error: mismatched input {self.shown}")


def _range_of(arguments: list[_Argument]) -> tuple[str, ShardRange]:
    if len(arguments) != 3:
        raise ValueError(f"shardRange() requires exactly 3 arguments, got {len(arguments)}")
    field, start, end = arguments
    if not isinstance(field, str):
        raise ValueError(
            "shardRange() first argument: expected field path (e.g. object.metadata.uid), got expression kind 5"
        )
    if field not in _FIELDS:
        raise ValueError(f"unsupported field path {go_quote(field)}; supported: {', '.join(_FIELDS)}")
    least, limit = _bound(start, "hexStart"), _bound(end, "hexEnd")
    if least >= limit:
        raise ValueError(f"shard range start 0x{least:016x} must be less than end 0x{limit:016x}")
    return field, ShardRange(least, limit)


def _bound(given: _Argument, name: str) -> int:
    """One end of a range: 16 lower-case hexadecimal digits, or 2^64."""
    if isinstance(given, str):
        kind = 3 if "." not in given else 7
        raise ValueError(f"{name} must be a string literal (e.g. '0xff'), got expression kind {kind}")
    if isinstance(given, int):
        raise ValueError(f"{name} must be a string literal, got int64")
    text = given.text
    if not text.startswith("0x"):
        raise ValueError(f"{name} must have '0x' prefix, got {go_quote(text)}")
    digits = text[2:]
    size = len(digits.encode())
    if not digits:
        raise ValueError(f"{name}: hex value is required after '0x'")
    if size > 17:
        raise ValueError(f"{name}: hex value too long ({size} chars, max 17): {go_quote(digits)}")
    good = _HEX.match(digits)
    if good is not None and good.end() < len(digits):
        wrong = digits[good.end()]
        raise ValueError(f"{name}: invalid hex character {go_quote(wrong)} in {go_quote(text)}")
    if size == 17 and text != "0x10000000000000000":
        raise ValueError(
            f"{name}: 17-digit hex value must be '0x10000000000000000' (2^64), got {go_quote(text)}"
        )
    if size < 16:
        raise ValueError(
            f"{name} must be a 0x-prefixed 16-digit hex value, got {go_quote(text)} "
            f'(did you mean "0x{digits.rjust(16, "0")}"?)'
        )
    return int(digits, 16)
