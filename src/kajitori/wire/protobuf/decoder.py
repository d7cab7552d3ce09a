"""Bytes of a message to the JSON object they stand for.

A message's fields become a dictionary from tags to what to do, once, when the message is first met; after
that decoding is one loop per message. Zero values that Go wrote are kept: which of them JSON would leave
out, only the kind's schema knows.

Promises
    D1  bytes that are no such message raise ProtobufError and nothing else, in time linear in their number
    D2  fields and enum values that the table does not know are skipped or kept as they are, never refused
    D3  messages nest at most NESTING_MAX deep

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Callable, Sequence
from typing import Any

from .scalars import READERS, ProtobufError, read_number, read_varint, signed32, signed64, skip_field
from .table import Field, Shape, Table

__all__ = ["NESTING_MAX", "Decoder"]

NESTING_MAX = 200
"""How deep messages may nest. The deepest that are met are schemas of custom resources; Python's own stack
ends at a thousand calls."""

Decode = Callable[[bytes, int, int, int, dict[str, Any]], None]
"""Reads from a position to an end at a depth, into an object."""

# What an entry does. The order of the branches below is the order of how often they are taken.
_TEXT, _MESSAGE, _LEAF, _MESSAGES, _TEXT_MAP, _TEXTS, _UNION, _INLINE, _MAP, _LEAVES, _PACKED = range(11)
_INTEGER, _BOOLEAN, _INTEGER32, _INTEGERS, _DOUBLE = range(20, 25)

_VARINT_TYPES = {"int64": _INTEGER, "int32": _INTEGER32, "bool": _BOOLEAN}

_JSON_SCHEMAS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions."
_UNION_MEMBERS = {"JSONSchemaPropsOrBool": 1, "JSONSchemaPropsOrArray": 2, "JSONSchemaPropsOrStringArray": 2}

_Entry = tuple[int, str, Any]


class Decoder:
    """Decodes the messages of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._compiled: dict[str, Decode] = {}

    def decode(self, message: str, buffer: bytes) -> dict[str, Any]:
        """The JSON object of a message.

        Raises: ProtobufError; KeyError for a message that the table does not have.
        """
        found: dict[str, Any] = {}
        self.decode_into(message, buffer, found)
        return found

    def decode_into(self, message: str, buffer: bytes, found: dict[str, Any]) -> None:
        """The same, its members added to an object that is already there."""
        decode = self.message(message)
        try:
            decode(buffer, 0, len(buffer), 0, found)
        except IndexError:
            raise ProtobufError("unexpected EOF") from None

    def message(self, name: str) -> Decode:
        """The compiled decoder of a message."""
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = _Lazy(self, name)
        return known

    def compile(self, name: str) -> Decode:
        """Compiles a message and replaces the stand-in that was handed out before."""
        compiled = self._compiled[name] = _compiled(_entries(self, self._table.fields(name)))
        return compiled

    def union(self, name: str) -> Callable[[bytes, int], Any] | None:
        """What reads a message that JSON shows as one of its members, None for all others."""
        if not name.startswith(_JSON_SCHEMAS):
            return None
        kind = name.rpartition(".")[2]
        if kind not in _UNION_MEMBERS:
            return None
        return _union(kind, self.message(name))


class _Lazy:
    """Stands for a message until the first one of its kind arrives."""

    def __init__(self, decoder: Decoder, name: str) -> None:
        self._decoder = decoder
        self._name = name
        self._decode: Decode | None = None

    def __call__(self, buffer: bytes, position: int, end: int, depth: int, found: dict[str, Any]) -> None:
        decode = self._decode
        if decode is None:
            decode = self._decode = self._decoder.compile(self._name)
        decode(buffer, position, end, depth, found)


def _entries(decoder: Decoder, fields: Sequence[Field]) -> dict[int, _Entry]:
    entries: dict[int, _Entry] = {}
    for field in fields:
        action, extra, wire = _action(decoder, field)
        entries[field.number << 3 | wire] = (action, field.name, extra)
        if action == _INTEGERS:  # Writers may pack repeated numbers into one run of bytes.
            entries[field.number << 3 | 2] = (_PACKED, field.name, extra)
    return entries


def _action(decoder: Decoder, field: Field) -> tuple[int, Any, int]:
    """What to do with a field, what it takes, and the wire type it comes in."""
    if field.shape is Shape.MAP:
        if field.type == "string":
            return _TEXT_MAP, None, 2
        pair = [Field(1, "key", "string", Shape.SINGLE), Field(2, "value", field.type, Shape.SINGLE)]
        return _MAP, (_compiled(_entries(decoder, pair)), _zero(decoder, field.type)), 2
    repeated = field.shape is Shape.REPEATED
    if field.type == "string":
        return (_TEXTS if repeated else _TEXT), None, 2
    if field.type in _VARINT_TYPES:
        return (_INTEGERS if repeated else _VARINT_TYPES[field.type]), _VARINT_TYPES[field.type], 0
    if field.type == "double":
        return _DOUBLE, repeated, 1
    if field.type in READERS:
        return (_LEAVES if repeated else _LEAF), READERS[field.type], 2
    if field.type.endswith(".RawExtension"):
        return (_LEAVES if repeated else _LEAF), READERS[_JSON_SCHEMAS + "v1.JSON"], 2
    if not repeated and (union := decoder.union(field.type)):
        return _UNION, union, 2
    decode = decoder.message(field.type)
    if field.shape is Shape.INLINE:
        return _INLINE, decode, 2
    return (_MESSAGES if repeated else _MESSAGE), decode, 2


def _zero(decoder: Decoder, type_name: str) -> Callable[[], Any]:
    """What a map's value is when its bytes leave it out."""
    if type_name in READERS:
        return lambda: READERS[type_name](b"")
    if union := decoder.union(type_name):
        return lambda: union(b"", 0)
    return dict


def _compiled(entries: dict[int, _Entry]) -> Decode:
    get = entries.get

    def decode(buffer: bytes, position: int, end: int, depth: int, found: dict[str, Any]) -> None:
        if depth > NESTING_MAX:
            raise ProtobufError(f"proto: messages are nested more than {NESTING_MAX} deep")
        while position < end:
            tag = buffer[position]
            position += 1
            if tag > 127:
                tag, position = read_varint(buffer, position - 1)
            entry = get(tag)
            if entry is None:
                position = _unknown(entries, buffer, position, tag)
                continue
            action, name, extra = entry
            if action >= _INTEGER:
                position = _scalar(buffer, position, entry, found)
                continue
            size = buffer[position]
            position += 1
            if size > 127:
                size, position = read_varint(buffer, position - 1)
            stop = position + size
            if stop > end:
                raise ProtobufError("unexpected EOF")
            if action == _TEXT:
                found[name] = buffer[position:stop].decode("utf-8", "replace")
            elif action == _MESSAGE:
                inner = found.get(name)  # A message that comes in parts is merged.
                if inner is None:
                    inner = found[name] = {}
                extra(buffer, position, stop, depth + 1, inner)
            elif action == _LEAF:
                found[name] = extra(buffer[position:stop])
            elif action == _MESSAGES:
                inner = {}
                extra(buffer, position, stop, depth + 1, inner)
                if name in found:
                    found[name].append(inner)
                else:
                    found[name] = [inner]
            elif action == _TEXT_MAP:
                if name not in found:
                    found[name] = {}
                _text_pair(buffer, position, stop, found[name])
            else:
                _seldom(buffer, position, stop, depth, entry, found)
            position = stop
        if position != end:
            raise ProtobufError("unexpected EOF")

    return decode


def _seldom(
    buffer: bytes, position: int, stop: int, depth: int, entry: _Entry, found: dict[str, Any]
) -> None:
    action, name, extra = entry
    if action == _INLINE:
        extra(buffer, position, stop, depth + 1, found)
    elif action == _TEXTS:
        found.setdefault(name, []).append(buffer[position:stop].decode("utf-8", "replace"))
    elif action == _LEAVES:
        found.setdefault(name, []).append(extra(buffer[position:stop]))
    elif action == _UNION:
        found[name] = extra(buffer[position:stop], depth + 1)
    elif action == _MAP:
        decode, zero = extra
        pair: dict[str, Any] = {}
        decode(buffer, position, stop, depth + 1, pair)
        found.setdefault(name, {})[pair.get("key", "")] = pair["value"] if "value" in pair else zero()
    else:
        assert action == _PACKED, action
        numbers = found.setdefault(name, [])
        while position < stop:
            number, position = read_varint(buffer, position)
            numbers.append(_integer(extra, number))
        if position != stop:
            raise ProtobufError("unexpected EOF")


def _scalar(buffer: bytes, position: int, entry: _Entry, found: dict[str, Any]) -> int:
    """Reads a number or boolean; the position behind it."""
    action, name, extra = entry
    if action == _DOUBLE:
        chunk = buffer[position : position + 8]
        if len(chunk) < 8:
            raise ProtobufError("unexpected EOF")
        number = read_number(chunk)
        if extra:
            found.setdefault(name, []).append(number)
        else:
            found[name] = number
        return position + 8
    raw = buffer[position]
    position += 1
    if raw > 127:
        raw, position = read_varint(buffer, position - 1)
    if action == _INTEGERS:
        found.setdefault(name, []).append(_integer(extra, raw))
    elif action == _BOOLEAN:
        found[name] = raw != 0
    else:
        found[name] = raw if raw < 128 else _integer(action, raw)
    return position


def _integer(action: int, raw: int) -> int | bool:
    if action == _INTEGER:
        return signed64(raw)
    return raw != 0 if action == _BOOLEAN else signed32(raw)


def _text_pair(buffer: bytes, position: int, stop: int, found: dict[str, str]) -> None:
    """One entry of a map from texts to texts: nearly always a short key, then a short value."""
    if stop - position >= 4 and buffer[position] == 10 and (size := buffer[position + 1]) < 128:
        middle = position + 2 + size
        # The value's size fits one byte, and it ends where the entry ends.
        if (
            middle + 1 < stop < middle + 130
            and buffer[middle] == 18
            and middle + 2 + buffer[middle + 1] == stop
        ):
            key = buffer[position + 2 : middle].decode("utf-8", "replace")
            found[key] = buffer[middle + 2 : stop].decode("utf-8", "replace")
            return
    pair: dict[str, Any] = {}
    _decode_text_pair(buffer, position, stop, 0, pair)
    found[pair.get("key", "")] = pair.get("value", "")


_decode_text_pair = _compiled({10: (_TEXT, "key", None), 18: (_TEXT, "value", None)})


def _unknown(entries: dict[int, _Entry], buffer: bytes, position: int, tag: int) -> int:
    """Skips a field that the table does not have; refuses a known one in the wrong wire type."""
    number, wire = tag >> 3, tag & 7
    if number == 0 or number >= 1 << 29:
        raise ProtobufError(f"proto: illegal tag {signed32(number)} (wire type {tag})")
    for other in range(6):
        if (entry := entries.get(number << 3 | other)) is not None:
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {entry[1]}")
    return skip_field(buffer, position, wire)


def _union(kind: str, decode: Decode) -> Callable[[bytes, int], Any]:
    """JSON shows a schema, or the other thing that may stand in its place."""

    def read(chunk: bytes, depth: int) -> Any:
        found: dict[str, Any] = {}
        decode(chunk, 0, len(chunk), depth, found)
        if kind == "JSONSchemaPropsOrBool":
            return found["schema"] if "schema" in found else bool(found.get("allows"))
        return found.get("jSONSchemas") or found.get("property") or found.get("schema")

    return read
