"""Label selectors: the text `a=b,c in (x,y),!d` and the object `{matchLabels, matchExpressions}`.

Sits under list, watch, delete-collection and every controller that looks for "its" objects.

Promises
    L1  a text or object is understood, or refused with the same message, as Kubernetes does
    L2  str(selector) is the canonical text: sorted by key, values sorted; it parses back to an equal selector
    L3  `matches` was compiled when the selector was made; it interprets nothing

Source: apimachinery's pkg/labels and meta/v1 LabelSelectorAsSelector, and
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import FieldError
from .validation import is_label_value, is_qualified_name

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "LabelSelector",
    "Requirement",
    "parse_label_selector",
    "selector_from_labels",
    "selector_from_object",
]

Matcher = Callable[[Mapping[str, str]], bool]

_BINARY = "in, notin, =, ==, !=, gt, lt"
_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!")
_OBJECT_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_TEXT_OPERATORS = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term. `operator` is one of `in notin = == != gt lt exists !`; `values` are sorted."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{','.join(self.values)}"
            case _:
                return f"{self.key}{self.operator}{','.join(self.values)}"

    def compiled(self) -> Matcher:
        """A function of an object's labels."""
        key, wanted = self.key, frozenset(self.values)
        match self.operator:
            case "in" | "=" | "==":
                if len(wanted) == 1:
                    (only,) = wanted
                    return lambda labels: labels.get(key) == only
                return lambda labels: labels.get(key) in wanted
            case "notin" | "!=":
                return lambda labels: labels.get(key) not in wanted
            case "exists":
                return lambda labels: key in labels
            case "!":
                return lambda labels: key not in labels
            case _:
                return _compiled_comparison(key, self.operator, int(self.values[0]))


def _compiled_comparison(key: str, operator: str, bound: int) -> Matcher:
    def greater(labels: Mapping[str, str]) -> bool:
        number = _integer(labels.get(key))
        return number is not None and number > bound

    def less(labels: Mapping[str, str]) -> bool:
        number = _integer(labels.get(key))
        return number is not None and number < bound

    return greater if operator == "gt" else less


_integer_matches = re.compile("[+-]?[0-9]+").fullmatch


def _integer(text: str | None) -> int | None:
    """What Go's ParseInt reads in 64 bits, or None."""
    if text is None or len(text) > 64 or not _integer_matches(text):
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All terms must hold; none is everything. `nothing` selects no object at all, whatever the terms."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False
    matches: Matcher = field(init=False, repr=False, compare=False)
    """Whether an object with these labels is selected."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "matches", _never if self.nothing else _compiled(self.requirements))

    def required_value(self, key: str) -> str | None:
        """The value that the label must have, when the first term about it allows only one."""
        for each in self.requirements:
            if each.key == key:
                return (
                    each.values[0] if each.operator in ("=", "==", "in") and len(each.values) == 1 else None
                )
        return None

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return self.nothing or bool(self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def _never(labels: Mapping[str, str]) -> bool:
    return False


def _always(labels: Mapping[str, str]) -> bool:
    return True


def _compiled(requirements: Sequence[Requirement]) -> Matcher:
    matchers = [each.compiled() for each in requirements]
    if not matchers:
        return _always
    if len(matchers) == 1:
        return matchers[0]
    if all(each.operator in ("=", "==") for each in requirements):
        wanted = {(each.key, each.values[0]) for each in requirements}
        return lambda labels: wanted <= labels.items()
    if len(matchers) == 2:
        first, second = matchers
        return lambda labels: first(labels) and second(labels)

    def every(labels: Mapping[str, str]) -> bool:
        for matcher in matchers:  # noqa: SIM110 - a generator costs more than the terms themselves
            if not matcher(labels):
                return False
        return True

    return every


EVERYTHING = LabelSelector()
"""Selects every object."""
NOTHING = LabelSelector(nothing=True)
"""Selects no object: what an absent LabelSelector object means."""


def _sorted(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(sorted(requirements, key=lambda each: each.key))


def selector_from_labels(labels: Mapping[str, str] | None) -> LabelSelector:
    """The selector of a map, as Services and ReplicationControllers have it; nothing in it is everything."""
    if not labels:
        return EVERYTHING
    return LabelSelector(_sorted(Requirement(key, "=", (value,)) for key, value in labels.items()))


def selector_from_object(selector: Mapping[str, Any] | None) -> LabelSelector:
    """The selector of a LabelSelector object: absent selects nothing, empty selects everything.

    Raises: ValueError with Kubernetes' message.
    """
    if selector is None:
        return NOTHING
    found: list[Requirement] = []
    for key, value in (selector.get("matchLabels") or {}).items():
        found.append(_requirement(key, "=", [value]))
    for expression in selector.get("matchExpressions") or ():
        operator = expression.get("operator", "")
        if operator not in _OBJECT_OPERATORS:
            raise ValueError(f'"{operator}" is not a valid label selector operator')
        values = expression.get("values") or None
        found.append(_requirement(expression.get("key", ""), _OBJECT_OPERATORS[operator], values))
    return LabelSelector(_sorted(found)) if found else EVERYTHING


def _requirement(key: str, operator: str, values: Sequence[str] | None, path: str = "") -> Requirement:
    """A checked term.

    Raises: ValueError with what is wrong with it, several complaints in brackets.
    """
    errors = [FieldError.invalid("key", key, "; ".join(told))] if (told := is_qualified_name(key)) else []
    errors += _count_errors(operator, values)
    for index, value in enumerate(values or ()):
        if operator in ("gt", "lt") and _integer(value) is None:
            told_number = "for 'Gt', 'Lt' operators, the value must be an integer"
            errors.append(FieldError.invalid(f"values[{index}]", value, told_number))
    for index, value in enumerate(values or ()):
        if told := is_label_value(value):
            errors.append(FieldError.invalid(f"values[{index}][{key}]", value, "; ".join(told)))
    if errors:
        texts = list(dict.fromkeys(map(str, errors)))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return Requirement(key, operator, tuple(sorted(values or ())))


def _count_errors(operator: str, values: Sequence[str] | None) -> list[FieldError]:
    count = len(values or ())
    match operator:
        case "in" | "notin":
            told = "" if count else "for 'in', 'notin' operators, values set can't be empty"
        case "=" | "==" | "!=":
            told = "" if count == 1 else "exact-match compatibility requires one single value"
        case "exists" | "!":
            told = "values set must be empty for exists and does not exist" if count else ""
        case _:
            told = "" if count == 1 else "for 'Gt', 'Lt' operators, exactly one value is required"
    return [FieldError.invalid("values", None if values is None else list(values), told)] if told else []


def parse_label_selector(text: str) -> LabelSelector:
    """The selector that a query parameter or a flag says; an empty text selects everything.

    Raises: ValueError with Kubernetes' message.
    """
    if not text:
        return EVERYTHING
    found = _Parser(text).parse()
    return LabelSelector(_sorted(found)) if found else EVERYTHING


_TOKEN = re.compile(r"[ \t\r\n]*(?:(?P<special>==|!=|[=!(),<>])|(?P<word>[^=!(),<> \t\r\n\0]+)|(?P<null>\0))")


def _tokens(text: str) -> list[tuple[str, str]]:
    """Pairs of a token's kind and its text; the last is ("end", "").

    Kinds: `word`, `end`, and the operators and marks themselves.
    """
    found: list[tuple[str, str]] = []
    position = 0
    while token := _TOKEN.match(text, position):
        word, special = token["word"], token["special"]
        if word is not None:
            position = token.end()
            found.append((word if word in ("in", "notin") else "word", word))
        elif special is not None:
            position = token.end()
            found.append((special, special))
        else:
            break  # A zero byte ends the text.
    found.append(("end", ""))
    return found


class _Parser:
    """Reads terms from tokens. In the place of a value or key the words `in` and `notin` are plain words."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0

    def _look(self, *, operator: bool = False) -> tuple[str, str]:
        kind, text = self._tokens[self._next]
        if not operator and kind in ("in", "notin"):
            kind = "word"
        return kind, text

    def _take(self, *, operator: bool = False) -> tuple[str, str]:
        token = self._look(operator=operator)
        # Go would run past the end here and crash; the end token just repeats.
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            kind, text = self._look()
            if kind == "end":
                return found
            if kind not in ("word", "!"):
                raise ValueError(f"found '{text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._term())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            kind, text = self._take()
            if kind == "end":
                return found
            if kind != ",":
                raise ValueError(f"found '{text}', expected: ',' or 'end of string'")
            kind, text = self._look()
            if kind not in ("word", "!"):
                raise ValueError(f"found '{text}', expected: identifier after ','")

    def _term(self) -> Requirement:
        kind, key = self._take()
        absent = kind == "!"
        if absent:
            kind, key = self._take()
        if kind != "word":
            raise ValueError(f"found '{key}', expected: identifier")
        if told := is_qualified_name(key):
            raise ValueError(str(FieldError.invalid("<nil>", key, "; ".join(told))))
        if absent:  # Whatever follows is the next term's affair.
            return _requirement(key, "!", [])
        if self._look()[0] in ("end", ","):
            return _requirement(key, "exists", [])
        mark, text = self._take(operator=True)
        operator = _TEXT_OPERATORS.get(mark)
        if operator is None:
            raise ValueError(f"found '{text}', expected: {_BINARY}")
        values = self._values() if operator in ("in", "notin") else self._exact_value()
        return _requirement(key, operator, sorted(values))

    def _values(self) -> set[str]:
        kind, text = self._take()
        if kind != "(":
            raise ValueError(f"found '{text}' expected: '('")
        kind, text = self._look()
        if kind == ")":
            self._take()
            return {""}
        if kind not in ("word", ","):
            raise ValueError(f"found '{text}', expected: ',', ')' or identifier")
        values = self._listed()
        if self._take()[0] != ")":
            raise ValueError(f"found '{text}', expected: ')'")
        return values

    def _listed(self) -> set[str]:
        """Words between commas; an empty place is the empty value."""
        values: set[str] = set()
        while True:
            kind, text = self._take()
            following, following_text = self._look()
            if kind == "word":
                values.add(text)
                if following == ")":
                    return values
                if following != ",":
                    raise ValueError(f"found '{following_text}', expected: ',' or ')'")
            elif kind == ",":
                if not values:
                    values.add("")
                if following == ")":
                    values.add("")
                    return values
                if following == ",":
                    values.add("")
            else:
                raise ValueError(f"found '{text}', expected: ',', or identifier")

    def _exact_value(self) -> set[str]:
        if self._look()[0] in ("end", ","):
            return {""}
        kind, text = self._take()
        if kind != "word":
            raise ValueError(f"found '{text}', expected: identifier")
        return {text}
