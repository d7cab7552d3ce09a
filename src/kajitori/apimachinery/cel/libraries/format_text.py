"""What `'…%s…'.format([…])` gives, in the two ways that cel-go does it.

Up to version 3 of the strings library, which Kubernetes has, numbers with a fraction are written for English
readers (`1,234.50`, `1.500000×10⁰³`) and lists as literals; from version 4 on everything is plain.

Promises
    F1  the errors and their order are cel-go's, and a clause is read byte by byte as there
    F2  no result is larger than `check_text` allows

Source: cel-go's ext/formatting.go and ext/formatting_v2.go.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.numbers import format_double, format_double_plain
from kajitori.apimachinery.cel.prices import check_text, traversed
from kajitori.apimachinery.cel.times import format_duration, format_timestamp
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Duration, MapValue, Timestamp, UInt, type_of
from kajitori.apimachinery.decode import go_quote

__all__ = ["English", "Plain", "Verbs", "format_text"]

DEFAULT_PRECISION = 6

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_NAMED_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Number = int | float


class Verbs(Protocol):
    """How each clause writes a value; each raises EvaluationError for a value it does not take."""

    def string(self, value: Any) -> str: ...
    def decimal(self, value: Any) -> str: ...
    def fixed(self, value: Any, precision: int) -> str: ...
    def scientific(self, value: Any, precision: int) -> str: ...
    def binary(self, value: Any) -> str: ...
    def hexadecimal(self, value: Any, *, upper: bool) -> str: ...
    def octal(self, value: Any) -> str: ...


def format_text(template: str, arguments: Sequence[Any], verbs: Verbs) -> str:
    """The template with its clauses replaced."""
    traversed(arguments)  # which stops when they hold too much
    data = template.encode("utf-8", "replace")
    pieces: list[bytes] = []
    at = used = 0
    while True:
        mark = data.find(b"%", at)
        if mark < 0:
            break
        pieces.append(data[at:mark])
        if data[mark + 1 : mark + 2] == b"%":
            pieces.append(b"%")
            at = mark + 2
            continue
        if used >= len(arguments):
            raise EvaluationError(f"index {used} out of range")
        if mark + 1 >= len(data):
            raise EvaluationError("unexpected end of string")
        write, at = _clause(data, mark + 1, verbs)
        try:
            pieces.append(write(arguments[used]).encode("utf-8", "surrogateescape"))
        except EvaluationError as problem:
            raise EvaluationError(f"error during formatting: {problem}") from None
        used += 1
    pieces.append(data[at:])
    return b"".join(pieces).decode("utf-8", "replace")


def _clause(data: bytes, at: int, verbs: Verbs) -> tuple[Callable[[Any], str], int]:
    """What writes a value by the clause that begins after a percent sign, and where the clause ends."""
    try:
        precision, at = _precision(data, at)
    except EvaluationError as problem:
        raise EvaluationError(
            f"could not parse formatting clause: error while parsing precision: {problem}"
        ) from None
    check_text(precision)
    verb = chr(data[at])
    writers: dict[str, Callable[[Any], str]] = {
        "s": verbs.string,
        "d": verbs.decimal,
        "f": lambda value: verbs.fixed(value, precision),
        "e": lambda value: verbs.scientific(value, precision),
        "b": verbs.binary,
        "x": lambda value: verbs.hexadecimal(value, upper=False),
        "X": lambda value: verbs.hexadecimal(value, upper=True),
        "o": verbs.octal,
    }
    if verb not in writers:
        raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')
    return writers[verb], at + 1


def _precision(data: bytes, at: int) -> tuple[int, int]:
    if data[at : at + 1] != b".":
        return DEFAULT_PRECISION, at
    end = at + 1
    while data[end : end + 1].isdigit():
        end += 1
    if end >= len(data):
        raise EvaluationError("could not find end of precision specifier")
    digits = data[at + 1 : end].decode()
    problem = "invalid syntax" if not digits else ""
    if len(digits.lstrip("0")) > 19 or (digits and int(digits[-20:]) >= 1 << 63):
        problem = "value out of range"
    if problem:
        raise EvaluationError(
            f'error while converting precision to integer: strconv.Atoi: parsing "{digits}": {problem}'
        )
    return int(digits[-20:]), end


def _name(value: Any) -> str:
    return type_of(value).name


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_UNSHOWABLE = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, "
    "and timestamps, was given "
)


class _Common:
    """What both ways of writing share: integers in other bases."""

    _binary_types: str
    _hexadecimal_types: str
    _octal_types: str

    def binary(self, value: Any) -> str:
        if not isinstance(value, int):
            raise EvaluationError(f"{self._binary_types}, was given {_name(value)}")
        return f"{int(value):b}"

    def hexadecimal(self, value: Any, *, upper: bool) -> str:
        if isinstance(value, str | bytes):
            text = (value.encode("utf-8", "replace") if isinstance(value, str) else value).hex()
        elif _is_integer(value):
            text = f"{value:x}"
        else:
            raise EvaluationError(f"{self._hexadecimal_types}, was given {_name(value)}")
        return text.upper() if upper else text

    def octal(self, value: Any) -> str:
        if not _is_integer(value):
            raise EvaluationError(f"{self._octal_types}, was given {_name(value)}")
        return f"{value:o}"


class English(_Common):
    """Versions 1 to 3."""

    _binary_types = "only integers and bools can be formatted as binary"
    _hexadecimal_types = "only integers, byte buffers, and strings can be formatted as hex"
    _octal_types = "octal clause can only be used on integers"

    def string(self, value: Any) -> str:
        if isinstance(value, list | tuple):
            return _checked(f"[{', '.join(map(_literal, value))}]")
        if isinstance(value, dict | MapValue):
            entries = sorted((_key(key), _literal(each)) for key, each in value.items())
            return _checked("{" + ", ".join(f"{key}:{each}" for key, each in entries) + "}")
        return _text(value)

    def decimal(self, value: Any) -> str:
        if not _is_integer(value):
            raise EvaluationError(f"decimal clause can only be used on integers, was given {_name(value)}")
        return str(int(value))

    def fixed(self, value: Any, precision: int) -> str:
        number = _double(value, "fixed-point")
        if math.isfinite(number):
            return _without_sign_of_zero(number, f"{number:,.{precision}f}")
        return _not_finite(number)

    def scientific(self, value: Any, precision: int) -> str:
        """What is asked for as precision is the least width instead, as in cel-go."""
        number = _double(value, "scientific")
        if not math.isfinite(number):
            return _not_finite(number).rjust(precision)
        mantissa, _, exponent = f"{number:.{DEFAULT_PRECISION}e}".partition("e")
        text = f"{mantissa}×10{exponent.removeprefix('+').translate(_SUPERSCRIPTS)}"
        return _without_sign_of_zero(number, text).rjust(precision)


def _checked(text: str) -> str:
    """A list or a map as a text: one list that stands in many places makes it grow fast."""
    check_text(len(text))
    return text


def _without_sign_of_zero(number: float, text: str) -> str:
    return text.removeprefix("-") if not number else text


def _not_finite(number: float) -> str:
    return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"


def _double(value: Any, clause: str) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, str) and value in _NAMED_NUMBERS:
        return _NAMED_NUMBERS[value]
    raise EvaluationError(f"{clause} clause can only be used on doubles, was given {_name(value)}")


def _text(value: Any) -> str:
    """As `string(value)` gives it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return format_double(value)
        case str():
            return value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                problem = "invalid UTF-8 in bytes, cannot convert to string"
                raise EvaluationError(f'could not convert argument "{problem}" to string') from None
        case Timestamp():
            return format_timestamp(value)
        case Duration():
            return format_duration(value)
        case Type():
            return value.name
        case _:
            pass
    raise EvaluationError(f"{_UNSHOWABLE}{_name(value)}")


def _literal(value: Any) -> str:
    """A member of a list or map, as expressions write it."""
    match value:
        case None | bool() | int() | Type():
            return _text(value)
        case str():
            return go_quote(value)
        case bytes():
            return f"b{go_quote(_text(value))}"
        case float():
            return f"{value:.{DEFAULT_PRECISION}f}" if math.isfinite(value) else f'"{format_double(value)}"'
        case Timestamp():
            return f"timestamp({go_quote(_text(value))})"
        case Duration():
            return f"duration({go_quote(_text(value))})"
        case list() | tuple() | dict() | MapValue():
            return English().string(value)
        case _:
            pass
    raise EvaluationError(f"no formatting function for {_name(value)}")


def _key(key: Any) -> str:
    if isinstance(key, str | bool) or _is_integer(key):
        return _literal(key)
    raise EvaluationError(f"no formatting function for map key of type {_name(key)}")


class Plain(_Common):
    """From version 4 on."""

    _binary_types = "only ints, uints, and bools can be formatted as binary"
    _hexadecimal_types = "only ints, uints, bytes, and strings can be formatted as hex"
    _octal_types = "octal clause can only be used on ints and uints"

    def string(self, value: Any) -> str:
        return "".join(_plain(value))

    def decimal(self, value: Any) -> str:
        if isinstance(value, float) or _is_integer(value):
            return "".join(_plain(value))
        raise EvaluationError(
            f"decimal clause can only be used on ints, uints, and doubles, was given {_name(value)}"
        )

    def fixed(self, value: Any, precision: int) -> str:
        return _plain_number(value, precision, "f", "fixed-point")

    def scientific(self, value: Any, precision: int) -> str:
        return _plain_number(value, precision, "e", "scientific")


def _plain_number(value: Any, precision: int, verb: str, clause: str) -> str:
    if isinstance(value, float):
        return f"{value:.{precision}{verb}}" if math.isfinite(value) else "".join(_plain(value))
    if not _is_integer(value):
        raise EvaluationError(
            f"{clause} clause can only be used on ints, uints, and doubles, was given {_name(value)}"
        )
    # Go shows what it was given instead of what it was asked for.
    kind = "uint64" if isinstance(value, UInt) else "int64"
    sign = "-" if value < 0 else ""
    return f"%!{verb}({kind}={sign}{str(abs(value)).zfill(precision)})"


def _plain(value: Any) -> Iterator[str]:
    match value:
        case float():
            if math.isfinite(value):
                yield format_double_plain(value)
            else:
                yield "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case bytes():
            yield value.decode("utf-8", "surrogateescape")
        case Timestamp():
            yield format_timestamp(Timestamp(value.nanoseconds))
        case list() | tuple():
            yield _checked(f"[{', '.join(''.join(_plain(each)) for each in value)}]")
        case dict() | MapValue():
            entries = sorted(("".join(_plain(key)), "".join(_plain(each))) for key, each in value.items())
            yield _checked("{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}")
        case _:
            yield _text(value)
