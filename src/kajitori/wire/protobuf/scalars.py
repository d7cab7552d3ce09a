"""Varints, tags, and the little messages that are a single value in JSON.

Sits under the decoder and the encoder.

Promises
    S1  every reader either gives a value or raises ProtobufError; none reads outside the bytes it was given
    S2  what Go writes for a time, a duration, a quantity or an int-or-string is read as the JSON that Go
        shows for it, and the other way round

Source: https://protobuf.dev/programming-guides/encoding/ and apimachinery's *_proto.go files.
"""

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Any

import msgspec

from ..go_time import (
    ZERO_SECONDS,
    format_duration,
    format_rfc3339,
    format_rfc3339_micro,
    parse_duration,
    parse_rfc3339,
    parse_rfc3339_micro,
)

__all__ = [
    "DOUBLE",
    "READERS",
    "SMALL",
    "WRITERS",
    "ProtobufError",
    "encode_varint",
    "read_number",
    "read_varint",
    "signed32",
    "signed64",
    "skip_field",
    "write_number",
]

_REMEMBERED_MAX = 4096
"""Objects of a cluster share few times, quantities and ports; this many conversions are remembered."""
_GROUPS_MAX = 32
"""How deep the obsolete groups may nest. Kubernetes' messages have none; skipping them must stay bounded."""

DOUBLE = Struct("<d")
SMALL = tuple(bytes((number,)) for number in range(128))
"""The varints of one byte, by number."""
_MASK64 = (1 << 64) - 1

_LENGTH_WIRE = 2


class ProtobufError(ValueError):
    """Bytes that are no message of the expected type, or a value that has no place in one."""


_TRUNCATED = "unexpected EOF"
_OVERFLOW = "proto: integer overflow"


def read_varint(buffer: bytes, position: int) -> tuple[int, int]:
    """A number of up to 64 bits and the position behind it."""
    number = 0
    for shift in range(0, 64, 7):
        if position >= len(buffer):
            raise ProtobufError(_TRUNCATED)
        byte = buffer[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _MASK64, position
    raise ProtobufError(_OVERFLOW)


def encode_varint(number: int) -> bytes:
    """The varint of a number; a negative one is written as its 64-bit two's complement."""
    number &= _MASK64
    out = bytearray()
    while number > 127:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def signed64(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def signed32(number: int) -> int:
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def skip_field(buffer: bytes, position: int, wire: int, depth: int = 0) -> int:
    """The position behind a field of an unknown number; `position` is behind its tag."""
    if wire == 0:
        return read_varint(buffer, position)[1]
    if wire == 1:
        return position + 8
    if wire == 5:
        return position + 4
    if wire == _LENGTH_WIRE:
        size, position = read_varint(buffer, position)
        return position + size
    if wire == 3:
        if depth >= _GROUPS_MAX:
            raise ProtobufError("proto: groups are nested too deeply")
        while True:
            tag, position = read_varint(buffer, position)
            if tag & 7 == 4:
                return position
            position = skip_field(buffer, position, tag & 7, depth + 1)
    if wire == 4:
        raise ProtobufError("proto: unexpected end of group")
    raise ProtobufError(f"proto: illegal wireType {wire}")


def _numbers(chunk: bytes) -> dict[int, int | bytes]:
    """The fields of a little message: varints as numbers, the rest as bytes; the last of each counts."""
    found: dict[int, int | bytes] = {}
    position, end = 0, len(chunk)
    while position < end:
        tag, position = read_varint(chunk, position)
        wire = tag & 7
        if wire == 0:
            found[tag >> 3], position = read_varint(chunk, position)
        elif wire == _LENGTH_WIRE:
            size, position = read_varint(chunk, position)
            found[tag >> 3] = chunk[position : position + size]
            position += size
        else:
            position = skip_field(chunk, position, wire)
    if position != end:
        raise ProtobufError(_TRUNCATED)
    return found


def _number(fields: dict[int, int | bytes], number: int) -> int:
    found = fields.get(number, 0)
    if isinstance(found, bytes):
        raise ProtobufError("proto: wrong wireType = 2")
    return found


def _bytes(fields: dict[int, int | bytes], number: int) -> bytes:
    found = fields.get(number, b"")
    if isinstance(found, int):
        raise ProtobufError("proto: wrong wireType = 0")
    return found


def _text(fields: dict[int, int | bytes], number: int) -> str:
    return _bytes(fields, number).decode("utf-8", "replace")


@lru_cache(maxsize=_REMEMBERED_MAX)
def _read_time(chunk: bytes) -> str | None:
    """RFC 3339 with whole seconds; nothing written is Go's zero time, which JSON shows as null."""
    if not chunk:
        return None
    seconds = signed64(_number(_numbers(chunk), 1))
    return None if seconds == ZERO_SECONDS else format_rfc3339(seconds)


def _read_micro_time(chunk: bytes) -> str | None:
    if not chunk:
        return None
    fields = _numbers(chunk)
    seconds, nanos = signed64(_number(fields, 1)), signed32(_number(fields, 2))
    seconds, nanos = seconds + nanos // 1_000_000_000, nanos % 1_000_000_000
    if seconds == ZERO_SECONDS and nanos < 1000:
        return None
    return format_rfc3339_micro(seconds, nanos)


def _read_duration(chunk: bytes) -> str:
    return format_duration(signed64(_number(_numbers(chunk), 1)))


@lru_cache(maxsize=_REMEMBERED_MAX)
def _read_quantity(chunk: bytes) -> str:
    """The text as it was written: whether it is a quantity, validation says."""
    return _text(_numbers(chunk), 1) if chunk else "0"


@lru_cache(maxsize=_REMEMBERED_MAX)
def _read_int_or_string(chunk: bytes) -> int | str:
    fields = _numbers(chunk)
    kind = _number(fields, 1)
    if kind == 0:
        return signed32(_number(fields, 2))
    if kind == 1:
        return _text(fields, 3)
    raise ProtobufError("impossible IntOrString.Type")


def _read_json(chunk: bytes) -> Any:
    """A message whose only member is JSON text."""
    raw = _bytes(_numbers(chunk), 1)
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:  # msgspec lets bad UTF-8 out as it is
        raise ProtobufError(f"raw JSON: {error}") from None


def _read_texts(chunk: bytes) -> list[str]:
    """A message that wraps a list of texts, which JSON shows bare."""
    texts: list[str] = []
    position, end = 0, len(chunk)
    while position < end:
        tag, position = read_varint(chunk, position)
        if tag == 1 << 3 | _LENGTH_WIRE:
            size, position = read_varint(chunk, position)
            texts.append(chunk[position : position + size].decode("utf-8", "replace"))
            position += size
        else:
            position = skip_field(chunk, position, tag & 7)
    if position != end:
        raise ProtobufError(_TRUNCATED)
    return texts


def _read_bytes(chunk: bytes) -> str:
    return base64.b64encode(chunk).decode()


def read_number(chunk: bytes) -> float:
    """A double; a whole number without a fraction, as Go's JSON has it."""
    (number,) = DOUBLE.unpack(chunk)
    if number != number or number in (float("inf"), float("-inf")):
        raise ProtobufError(f"json: unsupported value: {number}")
    return int(number) if number.is_integer() and abs(number) < 1e21 else float(number)


READERS: dict[str, Callable[[bytes], Any]] = {
    "bytes": _read_bytes,
    "k8s.io.apimachinery.pkg.apis.meta.v1.Time": _read_time,
    "k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime": _read_micro_time,
    "k8s.io.apimachinery.pkg.apis.meta.v1.Duration": _read_duration,
    "k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1": _read_json,
    "k8s.io.apimachinery.pkg.apis.meta.v1.Verbs": _read_texts,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _read_quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _read_int_or_string,
    "k8s.io.api.authentication.v1.ExtraValue": _read_texts,
    "k8s.io.api.authentication.v1beta1.ExtraValue": _read_texts,
    "k8s.io.api.authorization.v1.ExtraValue": _read_texts,
    "k8s.io.api.authorization.v1beta1.ExtraValue": _read_texts,
    "k8s.io.api.certificates.v1.ExtraValue": _read_texts,
    "k8s.io.api.certificates.v1beta1.ExtraValue": _read_texts,
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON": _read_json,
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1beta1.JSON": _read_json,
}
"""The types whose bytes are one JSON value, with what reads them."""


def _varint_field(number: int, value: int) -> bytes:
    return SMALL[number << 3] + encode_varint(value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return SMALL[number << 3 | _LENGTH_WIRE] + encode_varint(len(value)) + value


@lru_cache(maxsize=_REMEMBERED_MAX)
def _write_time(value: str) -> bytes:
    seconds, nanos = parse_rfc3339(value)
    if seconds == ZERO_SECONDS and not nanos:
        return b""
    return _varint_field(1, seconds) + _varint_field(2, 0)


def _write_micro_time(value: str) -> bytes:
    seconds, nanos = parse_rfc3339_micro(value)
    if seconds == ZERO_SECONDS and not nanos:
        return b""
    return _varint_field(1, seconds) + _varint_field(2, nanos)


def _write_duration(value: str) -> bytes:
    return _varint_field(1, parse_duration(value))


def _write_quantity(value: str | float) -> bytes:
    return _bytes_field(1, str(value).encode())


def _write_int_or_string(value: int | str) -> bytes:
    if isinstance(value, str):
        return _varint_field(1, 1) + _varint_field(2, 0) + _bytes_field(3, value.encode())
    return _varint_field(1, 0) + _varint_field(2, value) + _bytes_field(3, b"")


def _write_json(value: Any) -> bytes:
    return _bytes_field(1, msgspec.json.encode(value))


def _write_texts(value: list[str]) -> bytes:
    return b"".join(_bytes_field(1, each.encode()) for each in value)


def _write_bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ProtobufError(f"illegal base64 data: {error}") from None


def write_number(value: float) -> bytes:
    """The eight bytes of a double."""
    return DOUBLE.pack(value)


_OPPOSITE: dict[Callable[[bytes], Any], Callable[[Any], bytes]] = {
    _read_bytes: _write_bytes,
    _read_time: _write_time,
    _read_micro_time: _write_micro_time,
    _read_duration: _write_duration,
    _read_json: _write_json,
    _read_texts: _write_texts,
    _read_quantity: _write_quantity,
    _read_int_or_string: _write_int_or_string,
}
WRITERS: dict[str, Callable[[Any], bytes]] = {name: _OPPOSITE[reader] for name, reader in READERS.items()}
"""The same types with what writes them."""
