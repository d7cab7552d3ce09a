"""Header blocks: bytes to fields for what a peer sends, fields to bytes for what we answer.

Above `huffman`, under the API server's connections.

Decoding keeps the table that the peer builds. Encoding keeps none: what we write says every field outright or by
the table that both sides have from the start, so a block is the same bytes for every connection and can be made once.

Promises
    K1  a block of a peer that keeps the rules gives its fields in order, as often as they stand there
    K2  anything else raises HpackError, after which the table, and so the connection, is of no use
    K3  at most `list_bytes_max` of fields are kept of a block, though more of it is read; `truncated` says so
    K4  the table never holds more than `table_bytes_max`, by RFC 7541's way of counting
    K5  a block made here is understood by any decoder, whatever table size it asks for, after `NO_TABLE` once

Source: RFC 7541.
"""

from collections import deque

from kajitori.wire.http2.huffman import HuffmanError
from kajitori.wire.http2.huffman import decode as huffman

__all__ = ["NO_TABLE", "TABLE_BYTES", "Decoder", "Field", "HpackError", "field", "status"]

TABLE_BYTES = 4096
"""The table that peers may use unless told otherwise."""

FIELD_BYTES = 32
"""What a field counts for beside its name and value."""

NO_TABLE = b"\x20"
"""Begins a block whose sender uses no table from here on: owed to a peer that wants a smaller one than it had."""

_EXCESS = 4
"""How many times what is kept of a block is read, for those who meant well; bombs are larger by far."""

_INTEGER_OCTETS_MAX = 4
"""After the first; enough for lengths beyond any block's."""

_STATIC_NAMES_AND_VALUES = """\
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""

Field = tuple[str, str, int]
"""Name, value, and what they count for; a character for each octet."""


def _static() -> list[Field]:
    fields: list[Field] = [("", "", 0)]  # counted from one
    for line in _STATIC_NAMES_AND_VALUES.splitlines():
        name, _, value = line.partition(" ")
        fields.append((name, value, len(name) + len(value) + FIELD_BYTES))
    return fields


_STATIC = _static()
_STATIC_COUNT = len(_STATIC)
_NAME_INDEX = {name: index for index, (name, _, _) in reversed(list(enumerate(_STATIC)))}
_STATUS_INDEX = {value: index for index, (name, value, _) in enumerate(_STATIC) if name == ":status"}


class HpackError(ValueError):
    """A header block breaks the rules; what follows it cannot be understood either."""


class Decoder:
    """The reading end of one connection's header compression."""

    __slots__ = (
        "_data",
        "_dynamic",
        "_size_max",
        "list_bytes_max",
        "table_bytes",
        "table_bytes_max",
        "truncated",
    )

    def __init__(self, *, list_bytes_max: int, table_bytes_max: int = TABLE_BYTES) -> None:
        self._dynamic: deque[Field] = deque()
        self.table_bytes = 0
        """What the table holds."""
        self._size_max = table_bytes_max
        self._data = b""
        self.list_bytes_max = list_bytes_max
        self.table_bytes_max = table_bytes_max
        self.truncated = False
        """The last block had more fields than were kept."""

    def decode(self, block: bytes) -> list[Field]:
        """The fields of a block.

        Raises: HpackError.
        """
        try:
            return self._decode(block)
        except IndexError:
            raise HpackError(
                "a header block ends in the middle, or names a field that is not in the table"
            ) from None
        except HuffmanError as error:
            raise HpackError(str(error)) from None

    def _decode(self, block: bytes) -> list[Field]:
        self._data = block
        fields: list[Field] = []
        at, end = 0, len(block)
        size = 0
        self.truncated = False
        dynamic = self._dynamic
        while at < end:
            first = block[at]
            at += 1
            if first & 0x80:
                index = first & 0x7F
                if index == 0x7F:
                    index, at = self._integer(0x7F, at)
                found = _STATIC[index] if index < _STATIC_COUNT else dynamic[index - _STATIC_COUNT]
                if not index:
                    raise HpackError("a field of index zero")
            elif first & 0x60 == 0x20:
                if fields or self.truncated:
                    raise HpackError("the table changes its size within a block")
                at = self._resize(first, at)
                continue
            else:
                keeps = first & 0x40
                mask = 0x3F if keeps else 0x0F
                index = first & mask
                if index == mask:
                    index, at = self._integer(mask, at)
                if index:
                    name = (_STATIC[index] if index < _STATIC_COUNT else dynamic[index - _STATIC_COUNT])[0]
                else:
                    name, at = self._string(at)
                value, at = self._string(at)
                found = (name, value, len(name) + len(value) + FIELD_BYTES)
                if keeps:
                    self._insert(found)
            size += found[2]
            if size > self.list_bytes_max:
                self.truncated = True
                if size > self.list_bytes_max * _EXCESS:
                    raise HpackError("headers that are many times as long as allowed")
            else:
                fields.append(found)
        return fields

    def _string(self, at: int) -> tuple[str, int]:
        data = self._data
        length = data[at]
        at += 1
        coded = length & 0x80
        length &= 0x7F
        if length == 0x7F:
            length, at = self._integer(0x7F, at)
        end = at + length
        raw = data[at:end]
        if len(raw) != length:
            raise HpackError("a string is longer than its block")
        return (huffman(raw) if coded else raw.decode("latin-1")), end

    def _integer(self, prefix: int, at: int) -> tuple[int, int]:
        """An integer whose prefix was full."""
        data = self._data
        value, shift = prefix, 0
        for _ in range(_INTEGER_OCTETS_MAX):
            octet = data[at]
            at += 1
            value += (octet & 0x7F) << shift
            if octet < 0x80:
                return value, at
            shift += 7
        raise HpackError("an integer is too large")

    def _resize(self, first: int, at: int) -> int:
        size = first & 0x1F
        if size == 0x1F:
            size, at = self._integer(0x1F, at)
        if size > self.table_bytes_max:
            raise HpackError(f"the table is to hold {size} bytes; at most {self.table_bytes_max} were agreed")
        self._size_max = size
        self._evict(0)
        return at

    def _insert(self, entry: Field) -> None:
        if self.table_bytes + entry[2] > self._size_max:
            self._evict(entry[2])
            if entry[2] > self._size_max:
                return  # the table is empty now, as the rules have it
        self._dynamic.appendleft(entry)
        self.table_bytes += entry[2]

    def _evict(self, coming: int) -> None:
        dynamic = self._dynamic
        while dynamic and self.table_bytes + coming > self._size_max:
            self.table_bytes -= dynamic.pop()[2]


def _prefixed(value: int, mask: int, first: int = 0) -> bytes:
    """An integer after the bits of `first`."""
    if value < mask:
        return bytes((first | value,))
    octets = bytearray((first | mask,))
    value -= mask
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def field(name: str, value: bytes) -> bytes:
    """A field for a block, in no table: `name` in lower case, any value."""
    index = _NAME_INDEX.get(name, 0)
    head = _prefixed(index, 0x0F)
    if not index:
        octets = name.encode()
        head += _prefixed(len(octets), 0x7F) + octets
    return head + _prefixed(len(value), 0x7F) + value


def status(code: int) -> bytes:
    """The field that begins an answer."""
    index = _STATUS_INDEX.get(str(code))
    return bytes((0x80 | index,)) if index else field(":status", b"%d" % code)
