"""Inputs that nobody would think of, made of good ones by a seed; and what watches over those who read them.

`make fuzz` reads a million of them in all, `make test` some thousands: the same ones every time.
"""

import os
import random
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

__all__ = ["LONG", "Inputs", "guarded"]

LONG = bool(os.environ.get("KAJITORI_LONG"))

BYTES_MAX = 16 * 1024
"""Of one input; what is longer costs only more of the same."""

SECONDS_MAX = 10
"""Of processor time for one input: a thousand times what any of them needs."""

GROWTH_KB_MAX = 256 * 1024
"""How much the memory may grow over all inputs of a kind."""


class Inputs:
    """Endless inputs: samples, each changed in a few places, with the tokens that mean something where they go."""

    def __init__(self, seed: str, samples: Sequence[bytes], tokens: Sequence[bytes] = ()) -> None:
        self.random = random.Random(seed)
        self._samples = list(samples)
        self._tokens = [*tokens, b"\0", b"\xff", "é".encode(), b" ", b"9" * 30, b"%", b"\n"]

    def take(self, count: int) -> Iterator[bytes]:
        return (self.next() for _ in range(count))

    def next(self) -> bytes:
        chance = self.random
        data = bytearray(chance.choice(self._samples))
        for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
            self._change(data)
        return bytes(data[:BYTES_MAX])

    def _change(self, data: bytearray) -> None:
        chance = self.random
        at = chance.randrange(len(data) + 1)
        upto = min(len(data), at + chance.choice((1, 2, 4, 16, len(data))))
        match chance.randrange(8):
            case 0:
                del data[at:upto]
            case 1:
                data[at:at] = data[at:upto] * chance.choice((1, 2, 50))
            case 2 | 3:
                data[at:at] = chance.choice(self._tokens)
            case 4:
                data[at:at] = chance.choice(self._tokens) * chance.choice((2, 300, 3000))
            case 5:
                data[at:upto] = chance.randbytes(upto - at)
            case 6:
                other = chance.choice(self._samples)
                data[at:upto] = other[chance.randrange(len(other) + 1) :]
            case _:
                if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
        del data[BYTES_MAX:]


class Watched:
    """Shows what is being read, and gives it time anew."""

    def __init__(self) -> None:
        self.read = 0
        self.current: object = None

    def reads(self, what: object) -> None:
        self.current = what
        self.read += 1
        if self.read % 16 == 1:  # the clock is set seldom: it costs more than most inputs
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_MAX)


@contextmanager
def guarded() -> Iterator[Watched]:
    """Fails where an input takes too long, or all of them too much memory; tells which it was."""
    watched = Watched()

    def too_long(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still reading after {SECONDS_MAX} s: {watched.current!r:.2000}")

    before = signal.signal(signal.SIGVTALRM, too_long)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield watched
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
        assert grown < GROWTH_KB_MAX, f"memory grew by {grown} kB"
    except BaseException:
        print(f"after {watched.read} inputs, while reading {watched.current!r:.4000}", file=sys.stderr)
        raise
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
