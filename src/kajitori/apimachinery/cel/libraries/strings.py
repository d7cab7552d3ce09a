"""Functions of texts: version 0 in every version of Kubernetes, version 2 since 1.29.

Positions count code points, and negative ones are errors.

Known difference: before version 2, `join` names what it cannot join in cel-go's various ways; here always in one.

Source: cel-go's ext/strings.go; what calls cost, from apiserver's pkg/cel/library/cost.go.
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from kajitori.apimachinery.cel.cost import STRING_TRAVERSAL_FACTOR, UINT64_MAX, Estimate, Node, Size
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.format_text import English, Plain, Verbs, format_text
from kajitori.apimachinery.cel.libraries.kubernetes_lists import ELEMENTWISE
from kajitori.apimachinery.cel.prices import Price, by_size, check_text, priced, size_of, traversal
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.tree import Literal
from kajitori.apimachinery.cel.types import INT, LIST_DYN, STRING, Type, list_of
from kajitori.apimachinery.cel.values import type_of

__all__ = ["SPACES", "strings"]

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go takes for white space."""

_BUILDING_FACTOR = 2 * STRING_TRAVERSAL_FACTOR
"""Going over a text and building another."""
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: upper for upper, lower in _LOWER.items()}
_ESCAPES = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


def _out_of_range(position: int) -> EvaluationError:
    return EvaluationError(f"index out of range: {position}")


def _char_at(text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise _out_of_range(position)
    return text[position : position + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if start < 0:
        raise _out_of_range(start)
    return text.find(part, start)


def _last_index_of(text: str, part: str, end: int | None = None) -> int:
    """Where the part last begins, at `end` or before."""
    if end is None:
        return text.rfind(part)
    if not part:
        return end
    if end < 0:
        raise _out_of_range(end)
    return -1 if end >= len(text) else text.rfind(part, 0, end + len(part))


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    if len(new) > len(old):
        found = text.count(old)
        times = found if count < 0 else min(found, count)
        check_text(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, max(count, -1))


def _split(text: str, separator: str, count: int = -1) -> list[str]:
    if not count:
        return []
    if separator:
        return text.split(separator, count - 1 if count > 0 else -1)
    if not 0 < count < len(text):
        return list(text)
    return [*text[: count - 1], text[count - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    if end is not None and start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    for position in (start, end):
        if position is not None and not 0 <= position <= len(text):
            raise _out_of_range(position)
    return text[start:end]


def _joined(values: Sequence[Any], separator: str = "") -> str:
    for value in values:
        if not isinstance(value, str):
            raise EvaluationError(f"join: invalid input: {shown(value)}")
    return _joined_texts(values, separator)


def _joined_strictly(values: Sequence[Any], separator: str = "") -> str:
    for value in values:
        if not isinstance(value, str):
            raise EvaluationError(f"unsupported type conversion from '{type_of(value).name}' to string")
    return _joined_texts(values, separator)


def _joined_texts(values: Sequence[str], separator: str) -> str:
    check_text(len(separator) * len(values))
    return separator.join(values)


def _quote(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _estimate_replace(arguments: Sequence[Node]) -> Estimate:
    size, old, new = (each.size() for each in arguments[:3])
    least = _replaced(size.min, old.max, grows=old.max > new.min)
    most = _replaced(size.max, old.min, grows=new.max > old.min)
    count, kept = Size(least[0], most[0]), Size(least[1], most[1])
    return Estimate(size.cost(_BUILDING_FACTOR), count * new + kept)


def _replaced(length: int, old: int, *, grows: bool) -> tuple[int, int]:
    """How often a part is replaced, and how much of the text is left beside that."""
    if not old:  # Nothing is found before each character, and at the end.
        return min(length + 1, UINT64_MAX), length
    if not grows:
        return 0, length
    return min(ceil(length / old), UINT64_MAX), 0


def _estimate_split(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size()
    most = size.max
    if len(arguments) > 2:
        limit = arguments[2].expression
        if isinstance(limit, Literal) and type(limit.value) is int:
            most = limit.value & UINT64_MAX  # -1 is as large as can be.
    return Estimate(size.cost(_BUILDING_FACTOR), Size(0, most))


def _estimate_join(arguments: Sequence[Node]) -> Estimate:
    count = arguments[0].size()
    size = Size(0, 0)
    if arguments[0].type.parameters:
        size = count * arguments[0].element_size()
    if len(arguments) > 1:
        size += arguments[1].size() * Size(max(count.min - 1, 0), max(count.max - 1, 0))
    return Estimate(size.cost(STRING_TRAVERSAL_FACTOR), size)


def _cost_of_join(_arguments: Sequence[Any], result: Any) -> int:
    return traversal(size_of(result), _BUILDING_FACTOR)


def _estimate_quote(arguments: Sequence[Node]) -> Estimate:
    size = arguments[0].size()
    # The largest result wraps around, as in cel-go.
    result = Size(size.min + 2 & UINT64_MAX, size.max * 2 + 2 & UINT64_MAX)
    return Estimate(size.cost(STRING_TRAVERSAL_FACTOR), result)


def _member(id: str, parameters: tuple[Type, ...], result: Type, call: Callable[..., Any]) -> Overload:
    return Overload(id, (STRING, *parameters), result, call, member=True)


_SAME_SIZE = by_size(keeps_size=True)
_SPLIT = Price(by_size(factor=_BUILDING_FACTOR).cost, _estimate_split)
_JOIN = Price(_cost_of_join, _estimate_join)

_ALWAYS: tuple[Function, ...] = (
    function("charAt", _member("string_char_at_int", (INT,), STRING, _char_at)),
    priced(
        "indexOf",
        ELEMENTWISE,
        _member("string_index_of_string", (STRING,), INT, _index_of),
        _member("string_index_of_string_int", (STRING, INT), INT, _index_of),
    ),
    priced(
        "lastIndexOf",
        ELEMENTWISE,
        _member("string_last_index_of_string", (STRING,), INT, _last_index_of),
        _member("string_last_index_of_string_int", (STRING, INT), INT, _last_index_of),
    ),
    priced(
        "lowerAscii",
        _SAME_SIZE,
        _member("string_lower_ascii", (), STRING, lambda text: text.translate(_LOWER)),
    ),
    priced(
        "replace",
        Price(by_size(factor=_BUILDING_FACTOR).cost, _estimate_replace),
        _member("string_replace_string_string", (STRING, STRING), STRING, _replace),
        _member("string_replace_string_string_int", (STRING, STRING, INT), STRING, _replace),
    ),
    priced(
        "split",
        _SPLIT,
        _member("string_split_string", (STRING,), list_of(STRING), _split),
        _member("string_split_string_int", (STRING, INT), list_of(STRING), _split),
    ),
    priced(
        "substring",
        _SAME_SIZE,
        _member("string_substring_int", (INT,), STRING, _substring),
        _member("string_substring_int_int", (INT, INT), STRING, _substring),
    ),
    priced("trim", _SAME_SIZE, _member("string_trim", (), STRING, lambda text: text.strip(SPACES))),
    priced(
        "upperAscii",
        _SAME_SIZE,
        _member("string_upper_ascii", (), STRING, lambda text: text.translate(_UPPER)),
    ),
)


def _format(verbs: Verbs) -> Function:
    price = by_size()
    overload = Overload(
        "string_format",
        (STRING, LIST_DYN),
        STRING,
        lambda template, arguments: format_text(template, arguments, verbs),
        member=True,
        cost=price.cost,
        estimate=price.estimate,
    )
    return function("format", overload)


_STRINGS_QUOTE = function(
    "strings.quote",
    Overload("strings_quote", (STRING,), STRING, _quote, cost=by_size().cost, estimate=_estimate_quote),
)
_STRING_REVERSE = function("reverse", _member("string_reverse", (), STRING, lambda text: text[::-1]))


def _join(call: Callable[..., str]) -> Function:
    texts = list_of(STRING)
    return priced(
        "join",
        _JOIN,
        Overload("list_join", (texts,), STRING, call, member=True),
        Overload("list_join_string", (texts, STRING), STRING, call, member=True),
    )


def strings(version: int) -> Library:
    """Version 1 has `format` and `strings.quote`, version 3 `reverse`; version 4 formats plainly."""
    functions = (*_ALWAYS, _join(_joined if version >= 2 else _joined_strictly))
    if version >= 1:
        functions += (_format(Plain() if version >= 4 else English()), _STRINGS_QUOTE)
    if version >= 3:
        functions += (_STRING_REVERSE,)
    return Library("cel.lib.ext.strings", functions=functions)
