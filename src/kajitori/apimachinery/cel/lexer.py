"""The text of an expression as tokens, and the values of its literals.

Sits before the parser. One regular expression knows every token; a text with anything that is no token is gone
through again, slowly, to say what is wrong where.

Promises
    L1  the longest token wins; among equals a keyword beats a name
    L2  offsets count code points, and the last token is the end of the text
    L3  a literal that has no value is refused: an integer beyond 64 bits, a code point that does not exist

Source: cel-spec's doc/langdef.md, "Syntax"; cel-go's CEL.g4 and unescape.go for the details.
"""

import re
from math import isinf

from kajitori.apimachinery.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt

__all__ = [
    "END",
    "Token",
    "bytes_value",
    "double_value",
    "int_value",
    "string_value",
    "tokens_of",
    "uint_value",
]

Token = tuple[str, str, int]
"""What kind, its text, where it begins. The kind of an operator or keyword is its text."""

END = "<EOF>"
"""The kind and the text of the last token."""

_ESCAPE = r"\\(?:[abfnrtv\"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
_QUOTED = rf"""
    \"\"\"(?:{_ESCAPE}|[^\\])*?\"\"\" | '''(?:{_ESCAPE}|[^\\])*?'''
    | \"(?:{_ESCAPE}|[^\\\"\n\r])*+\" | '(?:{_ESCAPE}|[^\\'\n\r])*+'
    | [rR](?:\"\"\"[\s\S]*?\"\"\" | '''[\s\S]*?''' | \"[^\"\n\r]*+\" | '[^'\n\r]*+')
"""
_TOKEN = re.compile(
    rf"""(?:[\t\n\f\r\ ]|//[^\n]*+)*+ (?:
    (?P<STRING>{_QUOTED})
    | (?P<BYTES>[bB](?:{_QUOTED}))
    | (?P<IDENTIFIER>[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<NUM_FLOAT>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    | (?P<NUM_UINT>(?:0x[0-9a-fA-F]+|[0-9]+)[uU])
    | (?P<NUM_INT>0x[0-9a-fA-F]+|[0-9]+)
    | (?P<SYMBOL>==|!=|<=|>=|&&|\|\||[][<>(){{}}.,\-!?:+*/%])
    | (?P<ESC_IDENTIFIER>`[A-Za-z0-9_.\-/\ ]+`)
    | (?P<END>\Z)
    | (?P<BAD>[\s\S])
    )""",
    re.VERBOSE,
)
_KEYWORDS = frozenset({"in", "true", "false", "null"})
_TEXT_IS_KIND = frozenset({"SYMBOL"})

_UNFINISHED = re.compile(
    r"""
    \"(?:ESC|[^\\\"\n\r])*+ PART | '(?:ESC|[^\\'\n\r])*+ PART | `[A-Za-z0-9_.\-/\ ]*+ | [&|=]
    """.replace("ESC", _ESCAPE).replace(
        "PART", r"(?:\\(?:[0-3][0-7]?|[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7})?)?"
    ),
    re.VERBOSE,
)
"""What could still have become a token, where none is: it and one more character are skipped."""


def tokens_of(text: str) -> tuple[list[Token], list[tuple[int, int]]]:
    """The tokens of a text, the end included, and from where to where something else had to be skipped."""
    found: list[Token] = []
    skipped: list[tuple[int, int]] = []
    position = 0
    while True:
        for match in _TOKEN.finditer(text, position):
            kind = match.lastgroup
            assert kind is not None
            part = match[kind]
            if kind == "SYMBOL" or (kind == "IDENTIFIER" and part in _KEYWORDS):
                kind = part
            elif kind == "BAD":
                start = match.start(kind)
                begun = _UNFINISHED.match(text, start)
                position = (begun.end() if begun else start) + 1
                skipped.append((start, position))
                break
            elif kind == "END":
                found.append((END, END, len(text)))
                return found, skipped
            found.append((kind, part, match.start(match.lastindex or 0)))
        else:
            raise AssertionError(f"the end of {text!r} was not found")


def int_value(text: str) -> int | None:
    """The number, `None` when it has more than 64 bits. A sign may come first."""
    number = _number(text)
    return number if number is not None and INT_MIN <= number <= INT_MAX else None


def uint_value(text: str) -> UInt | None:
    """The number of a text that ends in `u`, `None` when it has more than 64 bits."""
    number = _number(text[:-1])
    return UInt(number) if number is not None and number <= UINT_MAX else None


def double_value(text: str) -> float | None:
    """The number, `None` when it is too large."""
    number = float(text)
    return None if isinf(number) else number


def string_value(text: str) -> str:
    """What a string literal, quotes and prefix included, stands for.

    Raises:
        ValueError: what is wrong with it.
    """
    body, raw = _body(text)
    if raw or "\\" not in body:
        return body
    return _ESCAPED.sub(_character, body)


def bytes_value(text: str) -> bytes:
    """What a bytes literal stands for; other characters than escapes become UTF-8.

    Raises:
        ValueError: what is wrong with it.
    """
    body, raw = _body(text[1:])
    if raw or "\\" not in body:
        return body.encode()
    parts: list[bytes] = []
    end = 0
    for match in _ESCAPED.finditer(body):
        parts.append(body[end : match.start()].encode())
        parts.append(_byte(match))
        end = match.end()
    parts.append(body[end:].encode())
    return b"".join(parts)


def _number(text: str) -> int | None:
    negative = text.startswith("-")
    digits = text.removeprefix("-")
    base = 10
    if digits.startswith("0x"):
        digits = digits[2:]
        base = 16
    if len(digits) > 20 and len(digits.lstrip("0")) > 20:
        return None
    number = int(digits, base)
    return -number if negative else number


def _body(text: str) -> tuple[str, bool]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = text[0] in "rR"
    if raw:
        text = text[1:]
    if len(text) >= 6 and text[:3] in ('"""', "'''"):
        return text[3:-3], raw
    return text[1:-1], raw


_ESCAPED = re.compile(
    r"\\(?:([0-3][0-7][0-7])|[xX]([0-9a-fA-F]{2})|(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(.))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _character(match: re.Match[str]) -> str:
    octal, byte, short, long, other = match.groups()
    if other is not None:
        return _SIMPLE.get(other, other)
    code = int(octal, 8) if octal is not None else int(byte or short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError("invalid unicode code point")
    return chr(code)


def _byte(match: re.Match[str]) -> bytes:
    octal, byte, _, _, other = match.groups()
    if other is not None:
        return _SIMPLE.get(other, other).encode()
    if octal is not None:
        return bytes((int(octal, 8),))
    if byte is not None:
        return bytes((int(byte, 16),))
    raise ValueError("unable to unescape string")
