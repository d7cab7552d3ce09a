"""From bytes that a client sent to JSON values, with the complaints of Kubernetes' decoders.

Sits below whatever knows kinds (apis/typed, custom resources). The common path is one call of msgspec; what
tells in Go's words what is wrong is only read when something is.

Promises
    D1  a text that Go's decoder refuses is refused, in its words (`json_syntax`)
    D2  what Go repairs is repaired the same: broken UTF-8 and lone surrogates become U+FFFD
    D3  has_duplicates(data, value) is True for every text with a repeated key; it costs one encoding
    D4  duplicate_fields tells each repeated key once, in document order, at most STRICT_ERRORS_MAX

Source: sigs.k8s.io/json; runtime/serializer/json.
"""

import json
import re
from typing import Any

import msgspec

from kajitori.apimachinery.json_syntax import syntax_error

__all__ = [
    "STRICT_ERRORS_MAX",
    "DecodeError",
    "Pairs",
    "decode_json",
    "duplicate_fields",
    "go_quote",
    "has_duplicates",
    "json_type",
    "parse_pairs",
    "type_meta",
    "untyped_numbers",
]

STRICT_ERRORS_MAX = 100
"""Complaints about one document: Go stops collecting here."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGRAL_MAX = 1e21
"""Go writes floats from here on with an exponent."""


class DecodeError(ValueError):
    """A text or a value that cannot be decoded; the message is Go's."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they were written, repeated ones too."""


def decode_json(data: bytes | bytearray | memoryview) -> Any:
    """The value of a JSON text; of repeated keys the last one counts.

    Raises: DecodeError with Go's syntax error.
    """
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _decode_slowly(bytes(data), error)


def _decode_slowly(data: bytes, error: Exception) -> Any:
    problem = syntax_error(data)
    if problem is not None:
        raise DecodeError(problem) from None
    if isinstance(error, RecursionError):
        raise DecodeError("exceeded max depth") from None
    return _repaired(json.loads(data.decode("utf-8", errors="replace")))


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_repaired(each) for each in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(each) for key, each in value.items()}
    if value in (float("inf"), float("-inf")):
        raise DecodeError("json: cannot unmarshal number into Go value of type float64")
    return value


def type_meta(value: Any) -> tuple[str, str]:
    """`apiVersion` and `kind` of a decoded document, empty where it has none.

    Raises: DecodeError when it is no object or they are no texts.
    """
    if not isinstance(value, dict):
        if value is None:
            return "", ""
        where = 'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\"";'
        where += ' Kind string "json:\\"kind,omitempty\\"" }'
        raise _no_kind(f"json: cannot unmarshal {json_type(value)} into {where}")
    version, kind = value.get("apiVersion") or "", value.get("kind") or ""
    for name, text in (("apiVersion", version), ("kind", kind)):
        if not isinstance(text, str):
            message = f"json: cannot unmarshal {json_type(text)} into Go struct field .{name} of type string"
            raise _no_kind(message)
    return version, kind


def _no_kind(message: str) -> DecodeError:
    return DecodeError(f"couldn't get version/kind; json parse error: {message}")


def json_type(value: Any) -> str:
    """What Go calls the JSON value in messages."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def has_duplicates(data: bytes | bytearray | memoryview, value: Any) -> bool:
    """Whether `data`, whose decoded value is `value`, may repeat a key; a rare True is wrong, False never.

    A repeated key takes its two quotation marks with it when it is dropped. Escaped marks are written alike
    by every encoder, unless as a number, so those texts are taken for suspicious.
    """
    text = bytes(data)
    return text.count(b'"') != _encode(value).count(b'"') or b"\\u0022" in text


def parse_pairs(data: bytes | bytearray | memoryview) -> Any:
    """The value of a JSON text known to be good, with `Pairs` for objects."""
    return json.loads(bytes(data).decode("utf-8", errors="replace"), object_pairs_hook=Pairs)


def go_quote(text: str) -> str:
    """A text as Go's %q shows it: quoted, with what cannot be printed escaped, as are bytes that are no UTF-8.

    Those are given as Python's `surrogateescape` has them.
    """
    escapes = {'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f"}
    escapes |= {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    return '"' + "".join(escapes.get(each) or _printable(each) for each in text) + '"'


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def duplicate_fields(data: bytes | bytearray | memoryview) -> list[str]:
    """`duplicate field "spec.replicas"` for each key that a JSON text repeats."""
    found: dict[str, None] = {}
    _find_duplicates(parse_pairs(data), "", found)
    return list(found)[:STRICT_ERRORS_MAX]


def _find_duplicates(value: Any, path: str, found: dict[str, None]) -> None:
    if isinstance(value, Pairs):
        seen: set[str] = set()
        for key, each in value:
            inner = f"{path}.{key}" if path else key
            if key in seen:
                found[f"duplicate field {go_quote(inner)}"] = None
            seen.add(key)
            _find_duplicates(each, inner, found)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _find_duplicates(each, f"{path}[{index}]", found)


def untyped_numbers(value: Any) -> Any:
    """The value with floats as Go keeps them in an object without a Go type: 1.0 is written 1.

    Gives back the same containers, changed in place.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _INTEGRAL_MAX else value
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, (float, dict, list)):
                value[key] = untyped_numbers(each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, (float, dict, list)):
                value[index] = untyped_numbers(each)
    return value
