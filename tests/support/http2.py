"""A client of HTTP/2 that says what it is told to, right or wrong, and takes apart what it hears."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

from kajitori.wire.http2.frames import (
    END_HEADERS,
    END_STREAM,
    PREFACE,
    Code,
    Frame,
    FrameReader,
    Kind,
    frame,
    settings,
)

__all__ = ["GREETING", "Client", "Heard"]

GREETING = PREFACE + settings([])


@dataclass
class Heard:
    """What came of one stream."""

    headers: dict[str, str] = field(default_factory=dict[str, str])
    received: bytearray = field(default_factory=bytearray)
    interim: int = 0
    """The status of an answer before the answer."""
    ended: bool = False
    code: Code | None = None
    """Why it was reset."""

    @property
    def body(self) -> bytes:
        return bytes(self.received)

    @property
    def status(self) -> int:
        return int(self.headers.get(":status", "0"))


class Client:
    """The other end of a connection: makes frames, and understands those of the server."""

    def __init__(self, authority: str = "a", token: str = "") -> None:
        self.encoder = Encoder()
        self.streams: dict[int, Heard] = {}
        self.settings: dict[int, int] = {}
        self.goaways: list[tuple[int, Code, str]] = []
        self.pongs: list[bytes] = []
        self.pings: list[bytes] = []
        self.acknowledged = 0
        self.windows: dict[int, int] = {}
        """What the server allowed, beyond what it did at first."""
        self.frames: list[Frame] = []
        self.common = {":scheme": "https", ":authority": authority}
        if token:
            self.common["authorization"] = f"Bearer {token}"
        self._decoder = Decoder()
        self._reader = FrameReader(1 << 24)

    def headers(
        self,
        stream: int,
        fields: Iterable[tuple[str, str]],
        *,
        ends: bool = True,
        flags: int = END_HEADERS,
    ) -> bytes:
        """HEADERS with exactly these fields."""
        return frame(
            Kind.HEADERS, flags | (END_STREAM if ends else 0), stream, self.encoder.encode(list(fields))
        )

    def request(
        self, stream: int, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str
    ) -> bytes:
        """A whole request; the body goes in frames of 16 KiB. Header names are given with `_` for `-`."""
        named = {":method": method, ":path": path, **self.common}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = self.headers(stream, named.items(), ends=body is None)
        return head if body is None else head + self.data(stream, body)

    def data(self, stream: int, body: bytes, *, ends: bool = True) -> bytes:
        """DATA of 16 KiB each."""
        parts = [body[at : at + 16_384] for at in range(0, len(body), 16_384)] or [b""]
        last = len(parts) - 1
        return b"".join(
            frame(Kind.DATA, END_STREAM if ends and number == last else 0, stream, part)
            for number, part in enumerate(parts)
        )

    def hear(self, data: bytes) -> None:
        """Takes in what the server wrote."""
        self._reader.feed(data)
        while (found := self._reader.next()) is not None:
            self.frames.append(found)
            self._take(*found)

    def __getitem__(self, stream: int) -> Heard:
        return self.streams.setdefault(stream, Heard())

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        heard = self[stream] if stream else Heard()
        assert stream & 1 or not stream, "a stream that nobody began"
        if kind == Kind.HEADERS:
            assert flags & END_HEADERS and not heard.ended
            fields = list(self._decoder.decode(payload))
            named = {str(name): str(value) for name, value in fields}
            assert next(iter(named)) == ":status", fields
            once = [str(name) for name, _ in fields if str(name) != "warning"]
            assert len(set(once)) == len(once), fields
            if named[":status"].startswith("1"):
                heard.interim = int(named[":status"])
            else:
                heard.headers = named
        elif kind == Kind.DATA:
            assert heard.headers and not heard.ended and heard.code is None
            heard.received += payload
        elif kind == Kind.RST_STREAM:
            heard.code = Code(int.from_bytes(payload, "big"))
        elif kind == Kind.SETTINGS and flags & 1:
            self.acknowledged += 1
        elif kind == Kind.SETTINGS:
            for at in range(0, len(payload), 6):
                name = int.from_bytes(payload[at : at + 2], "big")
                self.settings[name] = int.from_bytes(payload[at + 2 : at + 6], "big")
        elif kind == Kind.PING:
            (self.pongs if flags & 1 else self.pings).append(payload)
        elif kind == Kind.GOAWAY:
            code = Code(int.from_bytes(payload[4:8], "big"))
            self.goaways.append((int.from_bytes(payload[:4], "big"), code, payload[8:].decode()))
        elif kind == Kind.WINDOW_UPDATE:
            self.windows[stream] = self.windows.get(stream, 0) + int.from_bytes(payload, "big")
        else:
            raise AssertionError((kind, flags, stream, payload))
        if kind in (Kind.HEADERS, Kind.DATA) and flags & END_STREAM:
            heard.ended = True
