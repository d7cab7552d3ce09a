"""Whole objects in `application/vnd.kubernetes.protobuf`: the envelope, lists, and the frames of a watch.

Sits above the decoder and encoder; the API server's and the client's negotiation choose it.

    object  = "k8s\\0" Unknown{typeMeta{apiVersion, kind}, raw = the kind's message}
    frame   = length of the rest in 4 bytes, big-endian, then WatchEvent{type, object{raw = object}}

Promises
    C1  decode(encode(object)) is the object, less what E1 leaves out
    C2  whatever the bytes, decode gives an object with apiVersion and kind or raises ProtobufError
    C3  a list made of many objects is the same as the encoded list object

Source: apimachinery's pkg/runtime/serializer/protobuf and pkg/util/framer.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from .decoder import Decoder
from .encoder import Encoder
from .scalars import ProtobufError, encode_varint, read_varint, skip_field
from .table import Table

__all__ = ["MEDIA_TYPE", "STREAM_MEDIA_TYPE", "ProtobufCodec", "UnknownKindError", "frames"]

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
STREAM_MEDIA_TYPE = "application/vnd.kubernetes.protobuf;stream=watch"
"""What a watch in this encoding is called."""

FRAME_BYTES_MAX = 16 * 1024 * 1024
"""How large a frame a reader accepts: client-go's own bound."""

_MAGIC = b"k8s\x00"
_NO_CONTENT_TYPE = b"\x1a\x00\x22\x00"
"""Empty contentEncoding and contentType, as Go writes them."""

_LIST_META = "k8s.io.apimachinery.pkg.apis.meta.v1.ListMeta"
_ITEM_TAG = b"\x12"
"""A list holds its metadata as field 1 and its items as field 2, but for meta.k8s.io/v1beta1's metadata-only list."""


class UnknownKindError(ProtobufError):
    """A kind that has no message: it travels as JSON only."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no kind "{kind}" is registered for version "{api_version}" in protocol buffers')
        self.api_version = api_version
        self.kind = kind


def _field(number: int, chunk: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(chunk)) + chunk


class ProtobufCodec:
    """Encodes and decodes objects by a table of messages."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._decoder = Decoder(table)
        self._encoder = Encoder(table)
        self._envelopes: dict[tuple[str, str], bytes] = {}

    def knows(self, api_version: str, kind: str) -> bool:
        """Whether the kind has a message at all; custom kinds have none."""
        return self._table.message(api_version, kind) is not None

    def decode(self, data: bytes, *, api_version: str = "", kind: str = "") -> dict[str, Any]:
        """The object in an envelope; `api_version` and `kind` stand in for what the envelope leaves out.

        Raises: ProtobufError; its subclass UnknownKindError for a kind without a message.
        """
        if not data:
            raise ProtobufError("empty data")
        if not data.startswith(_MAGIC):
            told = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
            raise ProtobufError(told)
        if len(data) == len(_MAGIC):
            raise ProtobufError("empty body")
        found_version, found_kind, raw = _opened(data)
        api_version, kind = found_version or api_version, found_kind or kind
        if not kind:
            raise ProtobufError("Object 'Kind' is missing in the protobuf envelope")
        if not api_version:
            raise ProtobufError("Object 'apiVersion' is missing in the protobuf envelope")
        decoded: dict[str, Any] = {"kind": kind, "apiVersion": api_version}
        self._decoder.decode_into(self._message(api_version, kind), raw, decoded)
        return decoded

    def encode(self, value: dict[str, Any]) -> bytes:
        """The object in its envelope.

        Raises: UnknownKindError; ProtobufError for a value that does not fit.
        """
        api_version, kind = value.get("apiVersion", ""), value.get("kind", "")
        return self.envelope(api_version, kind, self.encode_body(value, api_version, kind))

    def encode_body(self, value: dict[str, Any], api_version: str, kind: str) -> bytes:
        """The message alone, as it stands in an envelope or as an item of a list."""
        return self._encoder.encode(self._message(api_version, kind), value)

    def envelope(self, api_version: str, kind: str, body: bytes, *, more_bytes: int = 0) -> bytes:
        """An encoded message in its envelope; `more_bytes` of it are put behind `body` by the caller."""
        head = self._envelopes.get((api_version, kind))
        if head is None:
            names = _field(1, api_version.encode()) + _field(2, kind.encode())
            head = self._envelopes[api_version, kind] = _MAGIC + _field(1, names)
        return b"".join((head, b"\x12", encode_varint(len(body) + more_bytes), body, _NO_CONTENT_TYPE))

    def encode_list(
        self, api_version: str, kind: str, metadata: dict[str, Any], items: Iterable[dict[str, Any]]
    ) -> bytes:
        """A list in its envelope; `kind` is the list's (`PodList`), the items need not say theirs.

        Raises: UnknownKindError; ProtobufError for a value that does not fit.
        """
        encode_item = self.item_encoder(api_version, kind)
        return self.envelope_list(api_version, kind, metadata, [encode_item(each) for each in items])

    def item_encoder(self, api_version: str, kind: str) -> Any:
        """The function that encodes one item of a list kind, for `envelope_list`."""
        message = self._message(api_version, kind)
        for field in self._table.fields(message):
            if field.name == "items":
                return self._encoder.writer(field.type) or self._encoder.message(field.type)
        raise UnknownKindError(api_version, kind)

    def envelope_list(
        self, api_version: str, kind: str, metadata: dict[str, Any], items: Iterable[bytes]
    ) -> bytes:
        """A list of items that were encoded before."""
        pieces: list[bytes] = []
        for item in items:
            pieces += (self.item_prefix(len(item)), item)
        head, tail = self.around_items(api_version, kind, metadata, sum(map(len, pieces)))
        return b"".join((head, *pieces, tail))

    def item_prefix(self, size_bytes: int) -> bytes:
        """What stands before an item of `size_bytes` in a list."""
        return _ITEM_TAG + encode_varint(size_bytes)

    def around_items(
        self, api_version: str, kind: str, metadata: dict[str, Any], size_bytes: int
    ) -> tuple[bytes, bytes]:
        """What stands before and after the items of a list, which take `size_bytes` with their prefixes."""
        self._message(api_version, kind)
        before = _field(1, self._encoder.encode(_LIST_META, metadata))
        whole = self.envelope(api_version, kind, before, more_bytes=size_bytes)
        split = len(whole) - len(_NO_CONTENT_TYPE)
        return whole[:split], whole[split:]

    def encode_watch_event(self, event_type: str, value: dict[str, Any]) -> bytes:
        """One frame of a watch stream.

        Raises: UnknownKindError; ProtobufError for a value that does not fit.
        """
        return self.watch_frame(event_type, self.encode(value))

    def watch_frame(self, event_type: str, enveloped: bytes) -> bytes:
        """One frame of a watch stream, around an object that is already in its envelope."""
        event = _field(1, event_type.encode()) + _field(2, _field(1, enveloped))
        return len(event).to_bytes(4, "big") + event

    def decode_watch_event(self, frame: bytes) -> tuple[str, dict[str, Any]]:
        """Type and object of a frame without its length.

        Raises: ProtobufError.
        """
        event_type, extension = b"", b""
        for number, chunk in _chunks(frame):
            if number == 1:
                event_type = chunk
            elif number == 2:
                extension = chunk
        raw = b""
        for number, chunk in _chunks(extension):
            if number == 1:
                raw = chunk
        return event_type.decode("utf-8", "replace"), self.decode(raw)

    def _message(self, api_version: str, kind: str) -> str:
        message = self._table.message(api_version, kind)
        if message is None:
            raise UnknownKindError(api_version, kind)
        return message


def _opened(data: bytes) -> tuple[str, str, bytes]:
    """What the envelope holds: apiVersion, kind, and the message."""
    api_version, kind, raw = b"", b"", b""
    for number, chunk in _chunks(data[len(_MAGIC) :]):
        if number == 1:
            for inner, text in _chunks(chunk):
                if inner == 1:
                    api_version = text
                elif inner == 2:
                    kind = text
        elif number == 2:
            raw = chunk
    return api_version.decode("utf-8", "replace"), kind.decode("utf-8", "replace"), raw


def _chunks(buffer: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that has only bytes and texts."""
    position, end = 0, len(buffer)
    while position < end:
        tag, position = read_varint(buffer, position)
        if tag & 7 == 2:
            size, position = read_varint(buffer, position)
            if position + size > end:
                raise ProtobufError("unexpected EOF")
            yield tag >> 3, buffer[position : position + size]
            position += size
        else:
            position = skip_field(buffer, position, tag & 7)
    if position != end:
        raise ProtobufError("unexpected EOF")


def frames(buffer: bytearray) -> Iterator[bytes]:
    """Takes the whole frames off the front of what was received so far; a started one is left there.

    Raises: ProtobufError for a frame larger than FRAME_BYTES_MAX.
    """
    while len(buffer) >= 4:
        size = int.from_bytes(buffer[:4], "big")
        if size > FRAME_BYTES_MAX:
            raise ProtobufError(f"a frame of {size} bytes is larger than {FRAME_BYTES_MAX}")
        if len(buffer) < 4 + size:
            return
        frame = bytes(buffer[4 : 4 + size])
        del buffer[: 4 + size]
        yield frame
