"""Replacing and extracting by regular expressions: an extension of cel-go that no environment of Kubernetes has.

It needs the optional types.

Source: cel-go's ext/regex.go.
"""

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.prices import check_text
from kajitori.apimachinery.cel.types import INT, STRING, list_of, optional_of
from kajitori.apimachinery.cel.values import NONE, Optional
from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.regex import PatternError, Regex, Spans, compile_regex

__all__ = ["regex"]

_COUNT_MAX = (1 << 31) - 1


def _replace(text: str, pattern: str, replacement: str, count: int = -1) -> str:
    if not count:
        return text
    if count > _COUNT_MAX:
        raise EvaluationError("integer overflow")
    try:
        compiled = compile_regex(pattern)
    except PatternError as problem:
        raise EvaluationError(str(problem)) from None
    pieces: list[str] = []
    at = size = 0
    for done, spans in enumerate(compiled.finditer(text)):
        if 0 <= count <= done:
            break
        pieces += (text[at : spans[0][0]], _filled(text, spans, replacement))
        size += len(pieces[-1])
        check_text(size)
        at = spans[0][1]
    return "".join((*pieces, text[at:]))


def _filled(text: str, spans: Spans, replacement: str) -> str:
    """The replacement with `\\1` and the like replaced by what the groups matched."""
    pieces: list[str] = []
    rest = iter(replacement)
    for char in rest:
        if char != "\\":
            pieces.append(char)
            continue
        following = next(rest, "")
        if following == "\\":
            pieces.append("\\")
            continue
        if not following:
            raise EvaluationError(f"invalid replacement string: '{replacement}' \\ not allowed at end")
        if following not in "0123456789":
            raise EvaluationError(
                f"invalid replacement string: '{replacement}' \\ must be followed by a digit or \\"
            )
        group = int(following)
        if group >= len(spans):
            raise EvaluationError(
                f"replacement string references group {group} but regex has only {len(spans) - 1} group(s)"
            )
        begin, end = spans[group]
        pieces.append(text[begin:end] if begin >= 0 else "")
    return "".join(pieces)


def _with_one_group(pattern: str) -> Regex:
    try:
        compiled = compile_regex(pattern)
    except PatternError as problem:
        raise EvaluationError(f"given regex is invalid: {problem}") from None
    if compiled.groups > 1:
        raise EvaluationError(f"regular expression has more than one capturing group: {go_quote(pattern)}")
    return compiled


def _extract(text: str, pattern: str) -> Optional:
    found = _with_one_group(pattern).search(text)
    if found is None:
        return NONE
    begin, end = found[-1]
    # A group that matched nothing is no match; a whole match may be empty.
    return NONE if len(found) > 1 and begin == end else Optional(text[begin:end])


def _extract_all(text: str, pattern: str) -> list[str]:
    compiled = _with_one_group(pattern)
    found = [text[slice(*spans[-1])] for spans in compiled.finditer(text)]
    return [one for one in found if one] if compiled.groups else found


regex = Library(
    "cel.lib.ext.regex",
    functions=(
        function(
            "regex.extract",
            Overload("regex_extract_string_string", (STRING, STRING), optional_of(STRING), _extract),
        ),
        function(
            "regex.extractAll",
            Overload("regex_extractAll_string_string", (STRING, STRING), list_of(STRING), _extract_all),
        ),
        function(
            "regex.replace",
            Overload("regex_replace_string_string_string", (STRING, STRING, STRING), STRING, _replace),
            Overload(
                "regex_replace_string_string_string_int", (STRING, STRING, STRING, INT), STRING, _replace
            ),
        ),
    ),
)
