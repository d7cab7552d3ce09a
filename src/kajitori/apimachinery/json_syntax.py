"""What is wrong with a text that is no JSON, in the words of Go's decoder.

Only read after the fast decoder has refused a text: it walks byte by byte.

Promises
    J1  syntax_error(data) is None exactly when Go's decoder accepts the text
    J2  otherwise it is what Go says: the first byte that cannot stand where it is, or the early end

Source: encoding/json's scanner.
"""

import re

__all__ = ["DEPTH_MAX", "syntax_error"]

DEPTH_MAX = 10_000
"""How deep values may be nested: Go's limit."""

_END = "unexpected end of JSON input"
_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(rb"[0-9]*")
_HEX = re.compile(rb"[0-9a-fA-F]")
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}


class _SyntaxError(Exception):
    pass


def syntax_error(data: bytes) -> str | None:
    """Go's complaint, such as `invalid character 'b' after object key`; None when it has none."""
    try:
        _walk(data)
    except _SyntaxError as error:
        return str(error)
    return None


def _quoted(byte: int) -> str:
    if byte == ord("'"):
        return r"'\''"
    if byte == ord('"'):
        return "'\"'"
    named = {7: r"\a", 8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r", 92: r"\\"}
    if byte in named:
        return f"'{named[byte]}'"
    if byte < 32 or byte == 127:
        return f"'\\x{byte:02x}'"
    # A byte above ASCII is taken for the rune of that number; Go escapes those that cannot be printed.
    text = chr(byte)
    return f"'{text}'" if text.isprintable() else f"'\\u{byte:04x}'"


def _wrong(data: bytes, at: int, where: str) -> _SyntaxError:
    if at >= len(data):
        return _SyntaxError(_END)
    return _SyntaxError(f"invalid character {_quoted(data[at])} {where}")


def _skip(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    assert found is not None
    return found.end()


def _walk(data: bytes) -> None:
    """A loop with a stack of its own, because texts may be nested deeper than Python calls."""
    open_values = bytearray()
    at = _skip(_SPACE, data, 0)
    while True:
        at, opened = _value(data, at, open_values)
        if opened:
            continue
        # A value has ended: what may follow depends on what it stands in.
        while True:
            at = _skip(_SPACE, data, at)
            if not open_values:
                if at < len(data):
                    raise _wrong(data, at, "after top-level value")
                return
            inside_object = open_values[-1] == ord("{")
            follower = data[at : at + 1]
            if follower == (b"}" if inside_object else b"]"):
                open_values.pop()
                at += 1
                continue
            if follower != b",":
                where = "after object key:value pair" if inside_object else "after array element"
                raise _wrong(data, at, where)
            at = _skip(_SPACE, data, at + 1)
            if inside_object:
                at = _key(data, at)
            break


def _value(data: bytes, at: int, open_values: bytearray) -> tuple[int, bool]:
    """Where the value that starts at `at` ends, or where its first member starts and True."""
    first = data[at : at + 1]
    if first in (b"{", b"["):
        if len(open_values) >= DEPTH_MAX:
            raise _SyntaxError("exceeded max depth")
        at = _skip(_SPACE, data, at + 1)
        if data[at : at + 1] == (b"}" if first == b"{" else b"]"):
            return at + 1, False
        open_values += first
        return (_key(data, at) if first == b"{" else at), True
    if first == b'"':
        return _string(data, at + 1), False
    if first and (first in b"-0123456789"):
        return _number(data, at), False
    literal = _LITERALS.get(data[at]) if first else None
    if literal is None:
        raise _wrong(data, at, "looking for beginning of value")
    for place in range(1, len(literal)):
        if data[at + place : at + place + 1] != literal[place : place + 1]:
            where = f"in literal {literal.decode()} (expecting {_quoted(literal[place])})"
            raise _wrong(data, at + place, where)
    return at + len(literal), False


def _key(data: bytes, at: int) -> int:
    """Where the value after the key and colon at `at` starts."""
    if data[at : at + 1] != b'"':
        raise _wrong(data, at, "looking for beginning of object key string")
    at = _skip(_SPACE, data, _string(data, at + 1))
    if data[at : at + 1] != b":":
        raise _wrong(data, at, "after object key")
    return _skip(_SPACE, data, at + 1)


def _string(data: bytes, at: int) -> int:
    while True:
        at = _skip(_STRING_PLAIN, data, at)
        stop = data[at : at + 1]
        if stop == b'"':
            return at + 1
        if stop != b"\\":
            raise _wrong(data, at, "in string literal")
        escaped = data[at + 1 : at + 2]
        if escaped == b"u":
            for place in range(at + 2, at + 6):
                if not _HEX.match(data, place):
                    raise _wrong(data, place, "in \\u hexadecimal character escape")
            at += 6
        elif escaped and escaped in b'bfnrt\\/"':
            at += 2
        else:
            raise _wrong(data, at + 1, "in string escape code")


def _number(data: bytes, at: int) -> int:
    if data[at : at + 1] == b"-":
        at += 1
        if not data[at : at + 1].isdigit():
            raise _wrong(data, at, "in numeric literal")
    at = at + 1 if data[at : at + 1] == b"0" else _skip(_DIGITS, data, at)
    if data[at : at + 1] == b".":
        at += 1
        if not data[at : at + 1].isdigit():
            raise _wrong(data, at, "after decimal point in numeric literal")
        at = _skip(_DIGITS, data, at)
    if data[at : at + 1] in (b"e", b"E"):
        at += 1
        if data[at : at + 1] in (b"+", b"-"):
            at += 1
        if not data[at : at + 1].isdigit():
            raise _wrong(data, at, "in exponent of numeric literal")
        at = _skip(_DIGITS, data, at)
    return at
