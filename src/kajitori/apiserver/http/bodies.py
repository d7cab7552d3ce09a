"""Large bodies: cut into batches, and compressed for those who accept it.

A list of thousands of objects is a sequence of small pieces. Writing each costs a TLS record; joining all
copies the whole and holds it twice. Batches of BATCH_BYTES are the middle, and let other requests in between.

Source: kube-apiserver compresses at level 1 above 128 KiB (apiserver/pkg/endpoints/handlers/responsewriters).
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import overload

from kajitori.apiserver.http.limits import Limits
from kajitori.apiserver.http.messages import Request, Response

__all__ = [
    "BATCH_BYTES",
    "GZIP_HEADERS",
    "JOINED_BYTES_MAX",
    "Compressor",
    "Joined",
    "accepts_gzip",
    "batches",
    "is_compressed",
    "size_of",
]

JOINED_BYTES_MAX = 64 * 1024
"""Answers up to here are one write; copying so much beside the head costs less than a second write."""

GZIP_HEADERS = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
"""What an answer says that is compressed here."""

BATCH_BYTES = 256 * 1024
_GZIP_WINDOW = 31  # zlib's number for a gzip header around the largest window
_LEVEL = 1


PARTS_JOINED = 80
"""Parts that are joined at a time: of a list of Pods about a batch."""


class Joined(Sequence[bytes]):
    """A body that is many parts between a head and a tail, joined run by run while it is written.

    Joined at once it would be held twice, and its memory taken anew from the system for every answer.
    """

    __slots__ = ("_head", "_parts", "_separator", "_skip", "_tail", "size_bytes")

    def __init__(
        self, head: bytes, parts: Sequence[bytes], tail: bytes, *, separator: bytes, skip: int = 0
    ) -> None:
        """`skip` bytes at the beginning of every part are left out."""
        self._head = head
        self._parts = parts
        self._separator = separator
        self._skip = skip
        self._tail = tail
        count = len(parts)
        between = len(separator) * max(0, count - 1)
        self.size_bytes = len(head) + sum(map(len, parts)) - skip * count + between + len(tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        separator, skip = self._separator, self._skip
        for start in range(0, len(self._parts), PARTS_JOINED):
            run = self._parts[start : start + PARTS_JOINED]
            joined = separator.join([part[skip:] for part in run] if skip else run)
            yield separator + joined if start else joined
        yield self._tail

    def __len__(self) -> int:
        return 2 + -(-len(self._parts) // PARTS_JOINED)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        return list(self)[index]


def size_of(body: bytes | Sequence[bytes]) -> int:
    """Bytes of a body, whole or in pieces."""
    if isinstance(body, Joined):
        return body.size_bytes
    return len(body) if isinstance(body, bytes) else sum(map(len, body))


def batches(body: bytes | Sequence[bytes], size: int = BATCH_BYTES) -> Iterator[bytes]:
    """The body in order, in runs of about `size` bytes."""
    if isinstance(body, bytes):
        for start in range(0, len(body), size):
            yield body[start : start + size]
        return
    waiting: list[bytes] = []
    length = 0
    for piece in body:
        if len(piece) >= size:
            if length:
                yield b"".join(waiting)
                waiting, length = [], 0
            yield from batches(piece, size)
            continue
        waiting.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
    if length:
        yield b"".join(waiting)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for each in accept_encoding.split(","):
        name, _, parameters = each.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            _, _, quality = parameters.partition("q=")
            return quality.strip() not in ("0", "0.0", "0.00", "0.000")
    return False


def is_compressed(request: Request, response: Response, size: int, limits: Limits) -> bool:
    """Whether a body of `size` bytes is to be sent as gzip."""
    return (
        size > limits.compress_bytes_min
        and accepts_gzip(request.headers.get("accept-encoding", ""))
        and request.version != "1.0"
        and not any(name.lower() == "content-encoding" for name, _ in response.headers)
    )


class Compressor:
    """gzip of one body, batch by batch; called in a thread."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def feed(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()
