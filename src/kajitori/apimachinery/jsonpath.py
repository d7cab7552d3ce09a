"""JSONPath as Kubernetes speaks it: `{.items[*].metadata.name}`, `.status.conditions[?(@.type=="Ready")].status`.

Sits under the tables of custom resources, scale subresources, and `-o jsonpath`. A template is text with
expressions in braces; `{range …}…{end}` repeats what is between for every result.

    fields      .name  ['name']  .a\\.b (escaped dot)  .* (every member)  ..name (at any depth)
    arrays      [3]  [-1]  [1:3]  [::2]  [*]  [0,2]
    filters     [?(@.type=="Ready")]  [?(@.ports)]  with == != < <= > >=
    values      "text"  'text'  12  1.5  true

Promises
    J1  a template is parsed once, into closures; evaluating interprets no text
    J2  a path that Kubernetes accepts gives the values, and the error, that Kubernetes gives for it

Source: client-go's util/jsonpath and https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["JsonPath", "JsonPathError", "parse_jsonpath", "value_text"]

Step = Callable[[list[Any]], list[Any]]
"""From the values so far to the next ones."""
Part = Callable[[list[Any]], list[list[Any]]]
"""One piece of a template: the results of each expression in it."""

_dict_key = re.compile("'([^']*)'").fullmatch
_slice = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?").fullmatch
_comparison = re.compile("([^!<>=]+)([!<>=]+)(.+)", re.DOTALL).fullmatch
_number = re.compile("[+-]?[0-9.]*").match
_integer = re.compile("[+-]?[0-9]+").fullmatch
_ENDS = frozenset(" \t\r\n.,[]$@{}")

_BAD_TYPE = "invalid type for comparison"
_BAD_PAIR = "incompatible types for comparison"


class JsonPathError(ValueError):
    """A template that does not parse, or data that it does not fit; the message is Kubernetes' own."""


class JsonPath:
    """A parsed template."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    def results(self, data: Any) -> list[list[Any]]:
        """The values that each expression found.

        Raises: JsonPathError.
        """
        try:
            return self._part([data])
        except RecursionError:
            raise JsonPathError("the data is nested too deeply") from None

    def first(self, data: Any) -> tuple[bool, Any]:
        """Whether the first expression found anything, and its first value.

        Raises: JsonPathError.
        """
        found = self.results(data)
        return (True, found[0][0]) if found and found[0] else (False, None)

    def render(self, data: Any) -> str:
        """The template's text, values of one expression apart by a space.

        Raises: JsonPathError.
        """
        return "".join(" ".join(map(value_text, each)) for each in self.results(data))


def parse_jsonpath(template: str, *, allow_missing: bool = False) -> JsonPath:
    """A template's closures; with `allow_missing` a field that is not there is no value instead of an error.

    Raises: JsonPathError.
    """
    try:
        nodes = _Parser(template, allow_missing).parse()
    except RecursionError:
        raise JsonPathError("the template is nested too deeply") from None
    part, rest = _block(nodes, inside=False)
    assert not rest
    return JsonPath(part)


def value_text(value: Any) -> str:
    """How a value is printed: texts as they are, lists and objects as Go's JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return _go_json(value)
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _go_json(value: Any) -> str:
    """Sorted keys, and `<`, `>`, `&` escaped, as Go's encoder has them."""
    if isinstance(value, dict):
        pairs = (f"{_go_json(key)}:{_go_json(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_go_json, value)) + "]"
    if isinstance(value, str):
        text = msgspec.json.encode(value).decode()
        for character in "<>&\u2028\u2029":
            if character in text:
                text = text.replace(character, f"\\u{ord(character):04x}")
        return text
    return value_text(value)


# --- evaluating -------------------------------------------------------------------------------------------


class _Range:
    """The step `range` of an expression: the expression's results are what the block repeats for."""


class _End:
    """The step `end`."""


_Node = list[Step | _Range | _End]


def _block(nodes: list[_Node], *, inside: bool) -> tuple[Part, list[_Node]]:
    """The parts up to the `end` of this block, and the nodes behind it."""
    parts: list[Part] = []
    while nodes:
        node, nodes = nodes[0], nodes[1:]
        if any(isinstance(step, _End) for step in node):
            if not inside:
                parts.append(_nothing_to_end)
                continue
            return _all_of(parts), nodes
        steps: list[Step] = [step for step in node if not isinstance(step, (_Range, _End))]
        if len(steps) < len(node):
            body, nodes = _block(nodes, inside=True)
            parts.append(_repeated(_chain(steps), body))
        else:
            parts.append(_single(_chain(steps)))
    if inside:
        raise JsonPathError("unexpected end of the template: a range has no end")
    return _all_of(parts), nodes


def _nothing_to_end(values: list[Any]) -> list[list[Any]]:
    raise JsonPathError("not in range, nothing to end")


def _all_of(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return lambda values: [each for part in parts for each in part(values)]


def _single(step: Step) -> Part:
    return lambda values: [step(values)]


def _repeated(step: Step, body: Part) -> Part:
    def evaluate(values: list[Any]) -> list[list[Any]]:
        found = step(values)
        if not found:
            body([None])  # Kubernetes reports a strict body's missing fields even when there is nothing.
        return [each for value in found for each in body([value])]

    return evaluate


def _chain(steps: list[Step]) -> Step:
    if len(steps) == 1:
        return steps[0]

    def evaluate(values: list[Any]) -> list[Any]:
        for step in steps:
            values = step(values)
        return values

    return evaluate


def _field(name: str, allow_missing: bool) -> Step:
    def evaluate(values: list[Any]) -> list[Any]:
        if not values:
            return values
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and not allow_missing:
            raise JsonPathError(f"{name} is not found")
        return found

    return evaluate


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return list(value.encode()) if isinstance(value, str) else []


def _wildcard(values: list[Any]) -> list[Any]:
    return [member for value in values for member in _members(value)]


def _recursive(values: list[Any]) -> list[Any]:
    """Every value that has members, outermost first."""
    found: list[Any] = []
    for value in values:
        members = _members(value)
        if members:
            found.append(value)
            found += _recursive(members)
    return found


def _constant(value: Any) -> Step:
    return lambda values: [value] * len(values)


def _text(text: str) -> Step:
    return lambda values: [text]


def _union(steps: list[Step]) -> Step:
    return lambda values: [found for step in steps for found in step(values)]


def _array(start: int | None, stop: int | None, step: int | None, single: bool) -> Step:
    """A slice; `single` marks `[3]`, whose end is derived."""
    if step is not None and step <= 0:
        step = 0

    def evaluate(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathError(f"{_go_type(value)} is not array or slice")
            chosen = _chosen(value, start or 0, stop, single)
            if chosen is None:  # An empty slice ends the expression, as it does in Kubernetes.
                return found
            if step == 0:
                raise JsonPathError("step must be > 0")
            found += chosen[:: step or 1]
        return found

    return evaluate


def _chosen(value: list[Any], first: int, stop: int | None, single: bool) -> list[Any] | None:
    length = len(value)
    if first < 0:
        first += length
    last = length if stop is None else stop
    if last < 0 or (last == 0 and single):
        last += length
    if first == last:
        return None
    if not 0 <= first < length:
        raise JsonPathError(f"array index out of bounds: index {first}, length {length}")
    if not 0 <= last <= length:
        raise JsonPathError(f"array index out of bounds: index {last - 1}, length {length}")
    if first > last:
        raise JsonPathError(f"starting index {first} is greater than ending index {last}")
    return value[first:last]


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "int64", float: "float64"}.get(type(value), "invalid")


def _exists(left: Step) -> Step:
    def passes(item: Any) -> bool:
        try:
            return bool(left([item]))
        except JsonPathError:
            return False

    return lambda values: [item for value in values for item in _filtered(value) if passes(item)]


def _filter(left: Step, operator: str, right: Step) -> Step:
    compare = _COMPARISONS.get(operator)

    def evaluate(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            for item in _filtered(value):
                lefts = left([item])
                if not lefts:
                    continue
                rights = right([item]) if len(lefts) == 1 else []
                if len(lefts) > 1 or len(rights) > 1:
                    raise JsonPathError("can only compare one element at a time")
                if not rights:
                    continue
                if compare is None:
                    raise JsonPathError(f"unrecognized filter operator {operator}")
                if compare(lefts[0], rights[0]):
                    found.append(item)
        return found

    return evaluate


def _filtered(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"{_go_value(value)} is not array or slice and cannot be filtered")
    return value


def _go_value(value: Any) -> str:
    """A value as Go's %v shows it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go_value, value)) + "]"
    return "<nil>" if value is None else value_text(value)


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, (str, int, float)):
        return type(value)
    raise JsonPathError(_BAD_TYPE)


def _equal(left: Any, right: Any) -> bool:
    if _kind(left) is not _kind(right):
        raise JsonPathError(_BAD_PAIR)
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    kind = _kind(left)
    if kind is not _kind(right):
        raise JsonPathError(_BAD_PAIR)
    if kind is bool:
        raise JsonPathError(_BAD_TYPE)
    return bool(left < right)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _less,
    "<=": lambda left, right: _less(left, right) or _equal(left, right),
    ">": lambda left, right: not (_less(left, right) or _equal(left, right)),
    ">=": lambda left, right: not _less(left, right),
}


# --- parsing ----------------------------------------------------------------------------------------------


class _Parser:
    """Reads a template from left to right; `_start` is where what is being read began."""

    def __init__(self, text: str, allow_missing: bool) -> None:
        self._input = text
        self._allow_missing = allow_missing
        self._at = 0

    def parse(self) -> list[_Node]:
        """The template's texts and expressions, in order."""
        nodes: list[_Node] = []
        while self._at < len(self._input):
            brace = self._input.find("{", self._at)
            end = brace if brace >= 0 else len(self._input)
            if end > self._at:
                nodes.append([_text(self._input[self._at : end])])
            self._at = end
            if brace >= 0:
                self._at += 1
                nodes.append(self._action())
        return nodes

    def _action(self) -> _Node:
        """What stands between two braces."""
        node: _Node = []
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
                node.append(_recursive)
                if self._peek() == "_" or self._peek().isalnum():
                    node.append(self._field_name())
                else:
                    recursive_last = True
            else:
                recursive_last = self._simple(node) and was_recursive

    def _simple(self, node: _Node) -> bool:
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
            node.append(_text(self._quoted(character)))
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
        return _wildcard if name == "*" else _field(name.replace("\\", ""), self._allow_missing)

    def _identifier(self) -> Step | _Range | _End:
        end = self._at
        while end < len(self._input) and self._input[end] not in _ENDS:
            end += 1
        name = self._taken(end)
        if name in ("true", "false"):
            return _constant(name == "true")
        if name == "range":
            return _Range()
        if name == "end":
            return _End()
        return _unrecognized(name)

    def _number_value(self) -> Step:
        matched = _number(self._input, self._at)
        assert matched is not None
        text = self._taken(matched.end())
        if _integer(text) and len(text) <= 19:
            return _constant(int(text))
        try:
            return _constant(float(text))
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

    def _brackets(self) -> _Node:
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
            return [_union([self._sub(f"[{each.strip(' ')}]") for each in pieces])]
        if key := _dict_key(text):
            return [self._sub(f".{key[1]}")]
        bounds = _slice(text)
        if bounds is None:
            raise JsonPathError(f"invalid array index {text}")
        first, stop, step = bounds.groups()
        start = self._index(first)
        if stop is None:
            return [_array(start, (start or 0) + 1, self._index(step), True)]
        return [_array(start, self._index(stop[1:]), self._index(step), False)]

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
        nodes = _Parser("{" + text + "}", self._allow_missing).parse()
        steps = [_unrecognized("range") if isinstance(each, (_Range, _End)) else each for each in nodes[0]]
        return _chain(steps)

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
            return _exists(self._sub(text))
        left, operator, right = compared.groups()
        return _filter(self._sub(left), operator, self._sub(right))


def _unrecognized(name: str) -> Step:
    def evaluate(values: list[Any]) -> list[Any]:
        raise JsonPathError(f"unrecognized identifier {name}")

    return evaluate


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
