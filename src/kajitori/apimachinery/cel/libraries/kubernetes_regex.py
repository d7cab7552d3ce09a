"""Finding by regular expressions: Kubernetes' own, in every version.

Source: apiserver's pkg/cel/library/regex.go.
"""

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload
from kajitori.apimachinery.cel.prices import BY_SEARCH, priced
from kajitori.apimachinery.cel.types import INT, STRING, list_of
from kajitori.apimachinery.regex import PatternError, Regex, compile_regex

__all__ = ["kubernetes_regex"]


def _compiled(pattern: str) -> Regex:
    try:
        return compile_regex(pattern)
    except PatternError as problem:
        raise EvaluationError(f"Illegal regex: {problem}") from None


def _find(text: str, pattern: str) -> str:
    found = _compiled(pattern).search(text)
    return text[slice(*found[0])] if found else ""


def _find_all(text: str, pattern: str, count: int = -1) -> list[str]:
    found: list[str] = []
    regex = _compiled(pattern)
    if not count:
        return found
    for spans in regex.finditer(text):
        found.append(text[slice(*spans[0])])
        if len(found) == count:
            break
    return found


kubernetes_regex = Library(
    "kubernetes.regex",
    functions=(
        priced(
            "find", BY_SEARCH, Overload("string_find_string", (STRING, STRING), STRING, _find, member=True)
        ),
        priced(
            "findAll",
            BY_SEARCH,
            Overload("string_find_all_string", (STRING, STRING), list_of(STRING), _find_all, member=True),
            Overload(
                "string_find_all_string_int", (STRING, STRING, INT), list_of(STRING), _find_all, member=True
            ),
        ),
    ),
)
