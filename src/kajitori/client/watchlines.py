"""The lines of a watch stream, cut from chunks that end anywhere."""

__all__ = ["EVENT_BYTES_MAX", "WatchLines"]

EVENT_BYTES_MAX = 64 << 20
"""Of one event. Objects are at most a few megabytes; a longer line is not a watch stream."""


class WatchLines:
    """Fed chunks, gives the complete lines among them, in order, without their line ends and blank ones."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises: ValueError when a line has no end after EVENT_BYTES_MAX."""
        if chunk.endswith(b"\n") and not self._rest:
            # The usual chunk: one or several whole events.
            return [line for line in chunk.split(b"\n") if line and line != b"\r"]
        head, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            self._rest.append(chunk)
            if sum(map(len, self._rest)) > EVENT_BYTES_MAX:
                raise ValueError(f"a watch event is longer than {EVENT_BYTES_MAX} bytes")
            return []
        whole = b"".join(self._rest) + head if self._rest else head
        self._rest = [tail] if tail else []
        return [line for line in whole.split(b"\n") if line and line != b"\r"]
