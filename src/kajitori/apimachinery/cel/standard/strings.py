"""The functions of strings that the language itself has; more are in the extension library of strings."""

from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Overload, function
from kajitori.apimachinery.cel.types import BOOL, STRING
from kajitori.apimachinery.cel.values import Duration, Timestamp
from kajitori.apimachinery.regex import PatternError, compile_regex

__all__ = ["FUNCTIONS", "matches"]


def _both(left: Any, right: Any) -> None:
    if type(left) is not str or type(right) is not str:
        raise EvaluationError("no such overload")


def _contains(text: Any, part: Any) -> bool:
    _both(text, part)
    return part in text


def _ends_with(text: Any, end: Any) -> bool:
    _both(text, end)
    return bool(text.endswith(end))


def _starts_with(text: Any, beginning: Any) -> bool:
    _both(text, beginning)
    return bool(text.startswith(beginning))


def matches(text: Any, pattern: Any) -> bool:
    """Whether the regular expression matches somewhere in the text."""
    if type(text) is not str:
        raise EvaluationError(
            "no such overload" if isinstance(text, Duration | Timestamp) else "no such overload: matches"
        )
    _both(text, pattern)
    try:
        return compile_regex(pattern).matches(text)
    except PatternError as error:
        raise EvaluationError(str(error)) from None


def _member(name: str, id: str, call: Any) -> Function:
    return function(name, Overload(id, (STRING, STRING), BOOL, call, member=True), guarded=False)


FUNCTIONS = (
    _member("contains", "contains_string", _contains),
    _member("endsWith", "ends_with_string", _ends_with),
    _member("startsWith", "starts_with_string", _starts_with),
    function(
        "matches",
        Overload("matches", (STRING, STRING), BOOL, matches),
        Overload("matches_string", (STRING, STRING), BOOL, matches, member=True),
        guarded=False,
    ),
)
