"""Reads a template into the steps of its expressions.

Source: client-go's util/jsonpath, Parser.
"""

import re

from .steps import (
    End,
    JsonPathError,
    Node,
    Range,
    Step,
    array,
    chain,
    constant,
    exists,
    field,
    filtered_by,
    fixed_text,
    recursive,
    union,
    unrecognized,
    wildcard,
)

__all__ = ["Parser"]

_dict_key = re.compile("'([^']*)'").fullmatch
_slice = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?").fullmatch
_comparison = re.compile("([^!<>=]+)([!<>=]+)(.+)", re.DOTALL).fullmatch
_number = re.compile("[+-]?[0-9.]*").match
_integer = re.compile("[+-]?[0-9]+").fullmatch
_ENDS = frozenset(" \t\r\n.,[]$@{}")


class Parser:
    """Reads a template from left to right; `_start` is where what is being read began."""

    def __init__(self, text: str, allow_missing: bool) -> None:
        self._input = text
        self._allow_missing = allow_missing
        self._at = 0

    def parse(self) -> list[Node]:
        """The template's texts and expressions, in order."""
        nodes: list[Node] = []
        while self._at < len(self._input):
            brace = self._input.find("{", self._at)
            end = brace if brace >= 0 else len(self._input)
            if end > self._at:
                nodes.append([fixed_text(self._input[self._at : end])])
            self._at = end
            if brace >= 0:
                self._at += 1
                nodes.append(self._action())
        return nodes

    def _action(self) -> Node:
        """What stands between two braces."""
        node: Node = []
        recursive_last = False
        while True:
            rest = self._input
            if rest.startswith("}", self._at):
                self._at += 1
                return node
            was_recursive, recursive_last = recursive_last, False
            if rest.startswith("[?(", self._at):
                node.append(self._filter_expression())
            elif rest.startswith("..", self._at):
                if was_recursive:
                    raise JsonPathError("invalid multiple recursive descent")
                self._at += 2
                node.append(recursive)
                if self._peek() == "_" or self._peek().isalnum():
                    node.append(self._field_name())
                else:
                    recursive_last = True
            else:
                recursive_last = self._simple(node) and was_recursive

    def _simple(self, node: Node) -> bool:
        """One step that its first character tells; True when it was only a mark without meaning."""
        character = self._peek()
        if character in ("", "\r", "\n"):
            raise JsonPathError("unclosed action")
        if character in " @$":
            self._at += 1
            return True
        if character == "[":
            node += self._brackets()
        elif character in "\"'":
            node.append(fixed_text(self._quoted(character)))
        elif character == ".":
            self._at += 1
            node.append(self._field_name())
        elif character in "+-" or character.isdigit():
            node.append(self._number_value())
        elif character == "_" or character.isalnum():
            node.append(self._identifier())
        else:
            raise JsonPathError(f"unrecognized character in action: U+{ord(character):04X} '{character}'")
        return False

    def _peek(self) -> str:
        return self._input[self._at : self._at + 1]

    def _taken(self, end: int) -> str:
        text, self._at = self._input[self._at : end], end
        return text

    def _field_name(self) -> Step:
        end = self._at
        while end < len(self._input) and self._input[end] not in _ENDS:
            end += 2 if self._input[end] == "\\" else 1
        name = self._taken(min(end, len(self._input)))
        return wildcard if name == "*" else field(name.replace("\\", ""), self._allow_missing)

    def _identifier(self) -> Step | Range | End:
        end = self._at
        while end < len(self._input) and self._input[end] not in _ENDS:
            end += 1
        name = self._taken(end)
        if name in ("true", "false"):
            return constant(name == "true")
        if name == "range":
            return Range()
        if name == "end":
            return End()
        return unrecognized(name)

    def _number_value(self) -> Step:
        matched = _number(self._input, self._at)
        assert matched is not None
        text = self._taken(matched.end())
        if _integer(text) and len(text) <= 19:
            return constant(int(text))
        try:
            return constant(float(text))
        except ValueError:
            raise JsonPathError(f"cannot parse number {text}") from None

    def _quoted(self, quote: str) -> str:
        end = self._at
        while True:
            end += 1
            if self._input[end : end + 1] in ("", "\n"):
                raise JsonPathError("unterminated quoted string")
            if self._input[end] == quote and self._input[end - 1] != "\\":
                break
        text = self._taken(end + 1)
        return _unquoted(text)

    def _brackets(self) -> Node:
        end = self._at + 1
        while self._input[end : end + 1] != "]":
            if self._input[end : end + 1] in ("", "\n"):
                raise JsonPathError("unterminated array")
            end += 1
        text = self._taken(end + 1)[1:-1]
        if text == "*":
            text = ":"
        pieces = text.split(",")
        if len(pieces) > 1:
            return [union([self._sub(f"[{each.strip(' ')}]") for each in pieces])]
        if key := _dict_key(text):
            return [self._sub(f".{key[1]}")]
        bounds = _slice(text)
        if bounds is None:
            raise JsonPathError(f"invalid array index {text}")
        first, stop, step = bounds.groups()
        start = self._index(first)
        if stop is None:
            return [array(start, (start or 0) + 1, self._index(step), True)]
        return [array(start, self._index(stop[1:]), self._index(step), False)]

    @staticmethod
    def _index(text: str | None) -> int | None:
        text = (text or "").removeprefix(":")
        if not text:
            return None
        if text == "-" or len(text) > 18:
            raise JsonPathError(f"array index {text} is not a number")
        return int(text)

    def _sub(self, text: str) -> Step:
        """The steps of a piece of text, read as an expression of its own."""
        nodes = Parser("{" + text + "}", self._allow_missing).parse()
        steps = [unrecognized("range") if isinstance(each, (Range, End)) else each for each in nodes[0]]
        return chain(steps)

    def _filter_expression(self) -> Step:
        self._at += 3
        end, quote, closed = self._at, "", False
        while True:
            character = self._input[end : end + 1]
            if character in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if character in "\"'":
                if not quote:
                    quote = character
                elif character == quote and self._input[end - 1] != "\\":
                    closed = True
            elif character == ")" and bool(quote) == closed:
                break
            end += 1
        text = self._taken(end)
        if not self._input.startswith(")]", self._at):
            raise JsonPathError("unclosed array expect ]")
        self._at += 2
        compared = _comparison(text)
        if compared is None:
            return exists(self._sub(text))
        left, operator, right = compared.groups()
        return filtered_by(self._sub(left), operator, self._sub(right))


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_escape = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|)"
)


def _unquoted(text: str) -> str:
    """A quoted text without its quotes and escapes."""
    quote, inner = text[0], text[1:-1]
    if "\\" not in inner:
        return inner

    def replaced(found: re.Match[str]) -> str:
        simple, *numbers = found.groups()
        if simple is not None:
            if simple in "\"'" and simple != quote:
                raise JsonPathError(f"unquote string {text} error invalid syntax")
            return _ESCAPES.get(simple, simple)
        for digits, base in zip(numbers, (16, 16, 16, 8), strict=True):
            if digits is not None and int(digits, base) <= 0x10FFFF:
                return chr(int(digits, base))
        raise JsonPathError(f"unquote string {text} error invalid syntax")

    return _escape.sub(replaced, inner)
