"""Bytes to what frames say, with what RFC 9113 insists on for a frame by itself.

No sockets and no streams here: the connection hands in bytes, and is told of headers, data, settings and the rest.
What a frame means for a stream is the connection's to judge.

Promises
    X1  the preface comes first, then SETTINGS; nothing else is taken for HTTP/2
    X2  a frame of the wrong size, of no stream or of a stream where it should not be, ends the connection
    X3  headers in several frames are given as one, and nothing may come between
    X4  headers without end (CONTINUATIONS_MAX, `head_bytes_max`) end the connection before they take more memory

Source: RFC 9113 sections 3.4, 4 and 6; Go's net/http for settings that are too many or repeated.
"""

from collections.abc import Sequence

from kajitori.apiserver.http.limits import CONTINUATIONS_MAX, Limits
from kajitori.wire.http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    INT31_MAX,
    PADDED,
    PREFACE,
    PRIORITY,
    Code,
    FrameError,
    FrameReader,
    Kind,
    read_settings,
    unpadded,
)
from kajitori.wire.http2.hpack import Decoder, Field

__all__ = ["SELF_DEPENDENT", "Http2Reader"]

_DATA, _HEADERS, _WINDOW_UPDATE = int(Kind.DATA), int(Kind.HEADERS), int(Kind.WINDOW_UPDATE)
"""Compared with every frame; a member of an enumeration takes three times as long."""

SETTINGS_MAX = 100
"""Of one frame, which is Go's bound; there are seven."""
SELF_DEPENDENT = 0x100
"""Beside the flags of HEADERS: the stream is said to depend on itself."""


class Http2Reader:
    """The reading half of a connection; it calls the methods whose names begin with `_on_`."""

    _limits: Limits
    _frames: FrameReader
    _decoder: Decoder
    _preface: bytes
    """What is missing of it."""
    _settled: bool
    """The client's first SETTINGS have come."""
    _block: tuple[int, int, list[bytes]] | None
    """Stream, flags and parts of headers that go on in CONTINUATION frames."""
    _block_bytes: int

    def _reset_reader(self, limits: Limits) -> None:
        self._limits = limits
        self._frames = FrameReader(limits.stream_window_bytes)
        self._decoder = Decoder(list_bytes_max=limits.head_bytes_max)
        self._preface = PREFACE
        self._settled = False
        self._block = None
        self._block_bytes = 0

    # For the connection to do. Each may raise FrameError, which ends the connection.

    def _on_fields(self, flags: int, stream: int, fields: list[Field]) -> None:
        """The headers of a request, or its trailers."""
        raise NotImplementedError

    def _on_data(self, stream: int, payload: bytes, size: int, ends: bool) -> None:
        """A part of a body; `size` is what counts for the windows."""
        raise NotImplementedError

    def _on_window_update(self, stream: int, increment: int) -> None:
        raise NotImplementedError

    def _on_settings(self, values: Sequence[tuple[int, int]]) -> None:
        raise NotImplementedError

    def _on_reset(self, stream: int) -> None:
        raise NotImplementedError

    def _on_ping(self, payload: bytes, *, acknowledged: bool) -> None:
        raise NotImplementedError

    def _on_goaway(self) -> None:
        raise NotImplementedError

    def _on_other(self) -> None:
        """A frame that asks for nothing."""
        raise NotImplementedError

    def _head_begun(self) -> None:
        """Headers have begun that go on in another frame."""
        raise NotImplementedError

    def _head_ended(self) -> None:
        """They are complete, and have been told."""
        raise NotImplementedError

    # What the connection calls.

    def _feed(self, data: bytes) -> None:
        """Raises: FrameError."""
        if self._preface:
            expected = self._preface[: len(data)]
            _check(data[: len(expected)] == expected, "this is not the preface of HTTP/2")
            self._preface = self._preface[len(expected) :]
            data = data[len(expected) :]
        self._frames.feed(data)

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Raises: FrameError, HpackError, for what ends the connection."""
        if self._block is not None:
            if kind != Kind.CONTINUATION or stream != self._block[0]:
                raise FrameError(Code.PROTOCOL_ERROR, "headers that do not go on")
            self._on_continuation(flags, payload)
        elif not self._settled and kind != Kind.SETTINGS:
            raise FrameError(Code.PROTOCOL_ERROR, "the first frame has to be SETTINGS")
        elif kind == _WINDOW_UPDATE:  # of which a large answer brings thousands
            if len(payload) != 4:
                raise FrameError(Code.FRAME_SIZE_ERROR, "WINDOW_UPDATE of another size")
            self._on_window_update(stream, int.from_bytes(payload, "big") & INT31_MAX)
        elif kind == _HEADERS:
            self._on_headers(flags, stream, payload)
        elif kind == _DATA:
            size = len(payload)
            self._on_data(
                stream, unpadded(payload) if flags & PADDED else payload, size, bool(flags & END_STREAM)
            )
        else:
            self._rarer_frame(kind, flags, stream, payload)

    def _rarer_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == Kind.SETTINGS:
            self._read_settings(flags, stream, payload)
        elif kind == Kind.RST_STREAM:
            _check_size(len(payload) == 4)
            self._on_reset(stream)
        elif kind == Kind.PING:
            _check(not stream, "PING of a stream")
            _check_size(len(payload) == 8)
            self._on_ping(payload, acknowledged=bool(flags & ACK))
        elif kind == Kind.GOAWAY:
            _check(not stream, "GOAWAY of a stream")
            _check_size(len(payload) >= 8)
            self._on_goaway()
        elif kind in (Kind.PUSH_PROMISE, Kind.CONTINUATION):
            raise FrameError(Code.PROTOCOL_ERROR, f"{Kind(kind).name} from a client, or of nothing")
        else:
            # Priorities, which mean nothing any more, and what is not of this version of the protocol.
            if kind == Kind.PRIORITY:
                _check(bool(stream), "PRIORITY of no stream")
                _check_size(len(payload) == 5)
            self._on_other()

    # What frames say.

    def _on_headers(self, flags: int, stream: int, payload: bytes) -> None:
        if not stream & 1:
            raise FrameError(Code.PROTOCOL_ERROR, "HEADERS of a stream that is none of a client's")
        if flags & PADDED:
            payload = unpadded(payload)
        if flags & PRIORITY:
            if len(payload) < 5:
                raise FrameError(Code.FRAME_SIZE_ERROR, "HEADERS with half a priority")
            if int.from_bytes(payload[:4], "big") & INT31_MAX == stream:
                flags |= SELF_DEPENDENT
            payload = payload[5:]
        if flags & END_HEADERS:
            self._on_fields(flags, stream, self._decoder.decode(payload))
            return
        self._block = (stream, flags, [payload])
        self._block_bytes = len(payload)
        self._head_begun()

    def _on_continuation(self, flags: int, payload: bytes) -> None:
        assert self._block is not None
        stream, first_flags, parts = self._block
        parts.append(payload)
        self._block_bytes += len(payload)
        if self._block_bytes > self._limits.head_bytes_max or len(parts) > CONTINUATIONS_MAX:
            raise FrameError(Code.ENHANCE_YOUR_CALM, "headers without end")
        if flags & END_HEADERS:
            self._block = None
            self._on_fields(first_flags, stream, self._decoder.decode(b"".join(parts)))
            self._head_ended()

    def _read_settings(self, flags: int, stream: int, payload: bytes) -> None:
        _check(not stream, "SETTINGS of a stream")
        if flags & ACK:
            _check_size(not payload)
            _check(self._settled, "the first frame has to be SETTINGS")
            self._on_other()
            return
        values = read_settings(payload)
        _check(
            len(values) <= SETTINGS_MAX and len(dict(values)) == len(values),
            "too many settings, or one twice",
        )
        self._on_settings(values)
        self._settled = True


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise FrameError(Code.PROTOCOL_ERROR, otherwise)


def _check_size(holds: bool) -> None:
    if not holds:
        raise FrameError(Code.FRAME_SIZE_ERROR, "a frame of the wrong size")
