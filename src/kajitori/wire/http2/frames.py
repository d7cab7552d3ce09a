"""Frames: out of the bytes of a connection, and the bytes of those that a server sends.

Above nothing, under the API server's connections.

Promises
    F1  frames come out whole and in order, however the bytes were cut
    F2  a frame longer than agreed raises FrameError as soon as its head is read; nothing of it is kept
    F3  at most one frame that is not whole is kept, and adding to it costs what is added

Source: RFC 9113 sections 4, 6 and 7.
"""

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct

__all__ = [
    "ACK",
    "END_HEADERS",
    "END_STREAM",
    "FRAME_BYTES",
    "HEAD_BYTES",
    "INT31_MAX",
    "PADDED",
    "PREFACE",
    "PRIORITY",
    "WINDOW_BYTES",
    "Code",
    "Frame",
    "FrameError",
    "FrameReader",
    "Kind",
    "Setting",
    "data_head",
    "frame",
    "goaway",
    "headers",
    "read_settings",
    "reset",
    "settings",
    "unpadded",
    "window_update",
]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client begins with."""

HEAD_BYTES = 9
FRAME_BYTES = 16_384
"""What any peer accepts in a frame, and the least that it may ask for."""
FRAME_BYTES_CEILING = (1 << 24) - 1
WINDOW_BYTES = 65_535
"""Of a window that nobody has changed."""
INT31_MAX = (1 << 31) - 1
"""The largest window, and the largest number of a stream."""

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20


class Kind(IntEnum):
    """What a frame is."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Code(IntEnum):
    """Why a stream or a connection ends."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Setting(IntEnum):
    """What the sides tell each other of themselves."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class FrameError(ValueError):
    """The connection cannot go on after this; `code` tells the peer why."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream, payload."""

_HEAD = Struct(">IBI")  # length and kind together, flags, stream
_SETTING = Struct(">HI")
_NUMBER = Struct(">I")
_unpack = _HEAD.unpack_from


class FrameReader:
    """Takes bytes as they come and gives the frames in them."""

    __slots__ = ("_at", "_data", "frame_bytes_max")

    def __init__(self, frame_bytes_max: int = FRAME_BYTES) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0
        self.frame_bytes_max = frame_bytes_max

    def feed(self, data: bytes) -> None:
        """Adds what was received."""
        if self._at < len(self._data):
            # Frames that were left in a large piece are cut off once, an incomplete one is added to in place.
            rest = self._data
            if not isinstance(rest, bytearray):
                rest = bytearray(memoryview(rest)[self._at :])
            elif self._at:
                del rest[: self._at]
            rest += data
            self._data = rest
        else:
            self._data = data
        self._at = 0

    def next(self) -> Frame | None:
        """The next whole frame; None when more bytes are needed.

        Raises: FrameError.
        """
        data, at = self._data, self._at
        body = at + HEAD_BYTES
        if body > len(data):
            return None
        size, flags, stream = _unpack(data, at)
        end = body + (size >> 8)
        if end - body > self.frame_bytes_max:
            raise FrameError(Code.FRAME_SIZE_ERROR, "a frame is larger than agreed")
        if end > len(data):
            return None
        self._at = end
        payload = data[body:end]
        return size & 0xFF, flags, stream & INT31_MAX, payload if type(payload) is bytes else bytes(payload)

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame has begun and is not whole."""
        return self._at < len(self._data)


def unpadded(payload: bytes) -> bytes:
    """The payload of a PADDED frame without its padding.

    Raises: FrameError.
    """
    if not payload:
        raise FrameError(Code.FRAME_SIZE_ERROR, "a padded frame has no room for the length of its padding")
    if payload[0] >= len(payload):
        raise FrameError(Code.PROTOCOL_ERROR, "the padding is as long as the frame")
    return payload[1 : len(payload) - payload[0]]


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """The settings of a SETTINGS frame, known or not, in order.

    Raises: FrameError.
    """
    if len(payload) % _SETTING.size:
        raise FrameError(Code.FRAME_SIZE_ERROR, "SETTINGS that end in the middle of one")
    found: list[tuple[int, int]] = []
    for name, value in _SETTING.iter_unpack(payload):
        if name == Setting.ENABLE_PUSH and value > 1:
            raise FrameError(Code.PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")
        if name == Setting.INITIAL_WINDOW_SIZE and value > INT31_MAX:
            raise FrameError(Code.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is beyond what a window may be")
        if name == Setting.MAX_FRAME_SIZE and not FRAME_BYTES <= value <= FRAME_BYTES_CEILING:
            raise FrameError(Code.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of its bounds")
        found.append((name, value))
    return found


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Any frame."""
    return _HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def data_head(size: int, stream: int, *, ends: bool) -> bytes:
    """What stands before `size` bytes of a DATA frame."""
    return _HEAD.pack(size << 8, ends, stream)


def headers(block: bytes, stream: int, size_max: int, *, ends: bool) -> bytes:
    """A header block as HEADERS and, where it is longer than `size_max`, CONTINUATION frames."""
    flags = END_STREAM if ends else 0
    if len(block) <= size_max:
        return frame(Kind.HEADERS, flags | END_HEADERS, stream, block)
    parts = [block[at : at + size_max] for at in range(0, len(block), size_max)]
    last = len(parts) - 1
    return b"".join(
        frame(
            Kind.CONTINUATION if number else Kind.HEADERS,
            (0 if number else flags) | (END_HEADERS if number == last else 0),
            stream,
            part,
        )
        for number, part in enumerate(parts)
    )


def settings(values: Iterable[tuple[int, int]]) -> bytes:
    """A SETTINGS frame."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in values))


def reset(stream: int, code: int) -> bytes:
    """A RST_STREAM frame."""
    return frame(Kind.RST_STREAM, 0, stream, _NUMBER.pack(code))


def window_update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(Kind.WINDOW_UPDATE, 0, stream, _NUMBER.pack(increment))


def goaway(last_stream: int, code: int, debug: str = "") -> bytes:
    """A GOAWAY frame: streams after `last_stream` were not and will not be worked on."""
    return frame(Kind.GOAWAY, 0, 0, _NUMBER.pack(last_stream) + _NUMBER.pack(code) + debug.encode())
