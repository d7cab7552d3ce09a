"""A JSON object to the bytes of its message.

A message's fields become a dictionary from JSON keys to what to write, once, when the message is first met.
Members are written in the order they stand in; readers take any order. What is not there is not written: for
Go, an absent field and a written zero are the same.

Promises
    E1  what is written decodes to the same JSON, less the members that the table does not know, nulls, and
        empty lists and maps
    E2  a value that does not fit its field raises ProtobufError and nothing else

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .scalars import SMALL, WRITERS, ProtobufError, encode_varint, write_number
from .table import Field, Shape, Table

__all__ = ["Encoder"]

Encode = Callable[[Mapping[str, Any]], bytes]

_TEXT, _MESSAGE, _LEAF, _TEXT_MAP, _INTEGER, _BOOLEAN, _MESSAGES, _TEXTS, _MAP, _LEAVES = range(10)
_INTEGERS, _DOUBLE, _BOOLEANS = range(10, 13)
_VARINT_TYPES = ("int64", "int32", "bool")

_JSON_SCHEMAS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions."

_Entry = tuple[int, bytes, Any]


class Encoder:
    """Encodes the messages of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._compiled: dict[str, Encode] = {}

    def encode(self, message: str, value: Mapping[str, Any]) -> bytes:
        """The bytes of a message.

        Raises: ProtobufError; KeyError for a message that the table does not have.
        """
        encode = self.message(message)
        try:
            return encode(value)
        except (AttributeError, TypeError, ValueError, OverflowError, RecursionError) as error:
            if isinstance(error, ProtobufError):
                raise
            raise ProtobufError(f"a value does not fit {message}: {error}") from error

    def message(self, name: str) -> Encode:
        """The compiled encoder of a message."""
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = _Lazy(self, name)
        return known

    def compile(self, name: str) -> Encode:
        """Compiles a message and replaces the stand-in that was handed out before."""
        fields = self._table.fields(name)
        entries = {each.name: _entry(self, each) for each in fields if each.shape is not Shape.INLINE}
        inlined = [
            (_tag(each.number, 2), self.message(each.type)) for each in fields if each.shape is Shape.INLINE
        ]
        compiled = self._compiled[name] = _compiled(entries, inlined)
        return compiled

    def writer(self, type_name: str) -> Callable[[Any], bytes] | None:
        """What writes a type whose message is a single JSON value, None for all others."""
        if type_name in WRITERS:
            return WRITERS[type_name]
        if type_name.endswith(".RawExtension"):
            return WRITERS[_JSON_SCHEMAS + "v1.JSON"]
        if type_name.startswith(_JSON_SCHEMAS + "v1") and "PropsOr" in type_name:
            return _union(type_name.rpartition(".")[2], self.message(type_name))
        return None


class _Lazy:
    """Stands for a message until the first one of its kind is written."""

    def __init__(self, encoder: Encoder, name: str) -> None:
        self._encoder = encoder
        self._name = name
        self._encode: Encode | None = None

    def __call__(self, value: Mapping[str, Any]) -> bytes:
        encode = self._encode
        if encode is None:
            encode = self._encode = self._encoder.compile(self._name)
        return encode(value)


def _tag(number: int, wire: int) -> bytes:
    return encode_varint(number << 3 | wire)


def _entry(encoder: Encoder, field: Field) -> _Entry:
    repeated = field.shape is Shape.REPEATED
    if field.shape is Shape.MAP:
        if field.type == "string":
            return _TEXT_MAP, _tag(field.number, 2), None
        return _MAP, _tag(field.number, 2), _value_of_pair(encoder, field.type)
    if field.type == "string":
        return (_TEXTS if repeated else _TEXT), _tag(field.number, 2), None
    if field.type in _VARINT_TYPES:
        if field.type == "bool":
            return (_BOOLEANS if repeated else _BOOLEAN), _tag(field.number, 0), None
        return (_INTEGERS if repeated else _INTEGER), _tag(field.number, 0), None
    if field.type == "double":
        return _DOUBLE, _tag(field.number, 1), repeated
    if (writer := encoder.writer(field.type)) is not None:
        return (_LEAVES if repeated else _LEAF), _tag(field.number, 2), writer
    return (_MESSAGES if repeated else _MESSAGE), _tag(field.number, 2), encoder.message(field.type)


def _value_of_pair(encoder: Encoder, type_name: str) -> Callable[[Any], bytes]:
    """What writes the value of a map's entry."""
    return encoder.writer(type_name) or encoder.message(type_name)


def _sized(tag: bytes, chunk: bytes) -> bytes:
    size = len(chunk)
    return tag + (SMALL[size] if size < 128 else encode_varint(size)) + chunk


def _compiled(entries: dict[str, _Entry], inlined: Sequence[tuple[bytes, Encode]]) -> Encode:
    get = entries.get

    def encode(value: Mapping[str, Any]) -> bytes:
        parts: list[bytes] = []
        for key, member in value.items():
            entry = get(key)
            if entry is None or member is None:
                continue
            action, tag, extra = entry
            if action == _TEXT:
                chunk = member.encode()
            elif action <= _LEAF:
                chunk = extra(member)
            elif action == _INTEGER:
                parts += (tag, SMALL[member] if 0 <= member < 128 else encode_varint(member))
                continue
            elif action == _BOOLEAN:
                parts += (tag, b"\x01" if member else b"\x00")
                continue
            else:
                parts += _seldom(action, tag, extra, member)
                continue
            size = len(chunk)
            parts += (tag, SMALL[size] if size < 128 else encode_varint(size), chunk)
        for tag, encode_inlined in inlined:
            # Go's structs hold these by value, so they are written even when empty.
            parts.append(_sized(tag, encode_inlined(value)))
        return b"".join(parts)

    return encode


def _seldom(action: int, tag: bytes, extra: Any, member: Any) -> Iterable[bytes]:
    """The pieces of lists, maps and doubles. A null among them is the zero value, whose bytes are none."""
    if action in (_MESSAGES, _LEAVES):
        return [_sized(tag, b"" if each is None else extra(each)) for each in member]
    if action == _TEXTS:
        return [_sized(tag, (each or "").encode()) for each in member]
    if action in (_TEXT_MAP, _MAP):
        return [_sized(tag, _pair(key, member[key], extra)) for key in sorted(member)]
    if action == _INTEGERS:
        return [tag + encode_varint(each) for each in member]
    if action == _BOOLEANS:
        return [tag + (b"\x01" if each else b"\x00") for each in member]
    assert action == _DOUBLE, action
    return [tag + write_number(each) for each in (member if extra else [member])]


def _pair(key: str, value: Any, write: Callable[[Any], bytes] | None) -> bytes:
    """One entry of a map; without `write` the value is a text."""
    if write is None:
        chunk = (value or "").encode()
    else:
        chunk = b"" if value is None else write(value)
    return _sized(b"\x0a", key.encode()) + _sized(b"\x12", chunk)


def _union(kind: str, encode: Encode) -> Callable[[Any], bytes]:
    """A schema, or the other thing that JSON may show in its place."""
    other = {"JSONSchemaPropsOrArray": "jSONSchemas", "JSONSchemaPropsOrStringArray": "property"}.get(kind)

    def write(value: Any) -> bytes:
        if isinstance(value, Mapping):
            return encode({"schema": value} if other else {"allows": True, "schema": value})
        return encode({other or "allows": value})

    return write
