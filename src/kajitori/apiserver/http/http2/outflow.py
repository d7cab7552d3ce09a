"""What is sent on many streams of one connection: as far as the windows allow, and in turns.

Under the exchanges, which hand in what they have to say; above the connection, which writes.

Promises
    O1  of each stream everything is sent in order, and the mark of its end last
    O2  never more is sent than the windows of the stream and of the connection allow, whatever happens to them
    O3  streams that can send take turns, a frame each; one that cannot holds up no other
    O4  nothing is written while the connection does not take it, so what waits is counted by stream

Source: RFC 9113 section 5.2 and 6.9.
"""

from collections import deque
from collections.abc import Callable

from kajitori.wire.http2.frames import FRAME_BYTES, INT31_MAX, WINDOW_BYTES, data_head

__all__ = ["Outbox", "Outflow"]

_WRITE_BYTES = 256 * 1024
"""Frames are joined up to here."""

_RELIEF_BYTES = 64 * 1024
"""A stream with less than this waiting takes more."""


class Outbox:
    """What one stream has yet to send."""

    __slots__ = (
        "_offset",
        "_pieces",
        "ends",
        "mark",
        "queued",
        "sent_bytes",
        "stream",
        "waiting_bytes",
        "window",
    )

    def __init__(self, stream: int, window: int) -> None:
        self.stream = stream
        self.window = window
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        """How much of the first piece has been sent."""
        self.waiting_bytes = 0
        self.sent_bytes = 0
        self.ends = False
        """What waits is the last."""
        self.queued = False
        self.mark: tuple[float, int] | None = None
        """When which number of bytes had been sent, for whoever looks for streams that stand still."""

    def sent(self) -> None:
        """The last of it is on its way."""
        raise NotImplementedError

    def relieved(self) -> None:
        """There is room for more."""
        raise NotImplementedError

    def put(self, data: bytes) -> None:
        self._pieces.append(data)
        self.waiting_bytes += len(data)

    def take(self, size: int) -> list[bytes | memoryview]:
        """The next `size` bytes, of as many as wait."""
        self.waiting_bytes -= size
        taken: list[bytes | memoryview] = []
        pieces, offset = self._pieces, self._offset
        while size:
            piece = pieces[0]
            left = len(piece) - offset
            if left <= size:
                taken.append(memoryview(piece)[offset:] if offset else piece)
                pieces.popleft()
                offset = 0
                size -= left
            else:
                taken.append(memoryview(piece)[offset : offset + size])
                offset += size
                size = 0
        self._offset = offset
        return taken

    def discard(self) -> None:
        """Nothing of it is sent any more."""
        self._pieces.clear()
        self._offset = self.waiting_bytes = 0


class Outflow:
    """The sending side of a connection's flow control."""

    __slots__ = ("_ready", "_write", "frame_bytes_max", "initial_window", "paused", "waiting", "window")

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._ready: deque[Outbox] = deque()
        """Those with something to send and a window for it."""
        self.waiting: dict[int, Outbox] = {}
        """Those with something to send."""
        self.window = self.initial_window = WINDOW_BYTES
        self.frame_bytes_max = FRAME_BYTES
        self.paused = False

    def send(self, box: Outbox, data: bytes, *, ends: bool, head: bytes = b"") -> None:
        """Sends `data`, now or when the windows allow it; `head` are frames that go before it, at once."""
        size = len(data)
        if not box.waiting_bytes and (
            not size
            or (
                size <= box.window
                and size <= self.window
                and size <= self.frame_bytes_max
                and not self.paused
            )
        ):
            self.window -= size
            box.window -= size
            if size or ends:
                head += data_head(size, box.stream, ends=ends) + data
            self._write(head)
            if ends:
                box.sent()
            return
        if head:
            self._write(head)
        box.ends = ends
        if size:
            box.put(data)
            self.waiting[box.stream] = box
            self._queue(box)
            self.flush()

    def widen(self, box: Outbox, increment: int) -> bool:
        """Adds to the window of a stream; False when it is then larger than a window may be."""
        box.window += increment
        if box.window > INT31_MAX:
            return False
        if box.waiting_bytes:
            self._queue(box)
        return True

    def forget(self, box: Outbox) -> None:
        """What the stream had to send is sent no more."""
        box.discard()
        self.waiting.pop(box.stream, None)

    def flush(self) -> None:
        """Sends what can be sent."""
        parts: list[bytes | memoryview] = []
        ready = self._ready
        size = 0
        told: dict[Outbox, None] = {}
        while ready and self.window > 0 and not self.paused:
            box = ready.popleft()
            box.queued = False
            count = min(box.waiting_bytes, box.window, self.window, self.frame_bytes_max)
            if count <= 0:
                continue
            self.window -= count
            box.window -= count
            box.sent_bytes += count
            taken = box.take(count)
            last = not box.waiting_bytes
            parts.append(data_head(count, box.stream, ends=last and box.ends))
            parts += taken
            if last:
                del self.waiting[box.stream]
            else:
                self._queue(box)
            if last or box.waiting_bytes < _RELIEF_BYTES <= box.waiting_bytes + count:
                told[box] = None
            size += count
            if size >= _WRITE_BYTES:
                self._write(b"".join(parts))
                parts.clear()
                size = 0
        if parts:
            self._write(b"".join(parts))
        for box in told:
            if box.ends and not box.waiting_bytes:
                box.sent()
            else:
                box.relieved()

    def _queue(self, box: Outbox) -> None:
        if not box.queued and box.window > 0:
            box.queued = True
            self._ready.append(box)
