"""Growing delays for whoever talks to a server that does not answer.

Source: client-go's reflector: 800 ms doubled up to 30 s, each with up to as much again of jitter, back to the
beginning after two minutes without a failure.
"""

from kajitori.world.random import Random

__all__ = ["Backoff"]


class Backoff:
    """The next delay, each time a larger one. Pure but for the jitter."""

    __slots__ = ("_cap", "_first", "_jitter", "_last", "_next", "_quiet", "_random")

    def __init__(
        self,
        random: Random,
        *,
        first_seconds: float = 0.8,
        cap_seconds: float = 30.0,
        jitter: float = 1.0,
        quiet_seconds: float = 120.0,
    ) -> None:
        self._random = random
        self._first = self._next = first_seconds
        self._cap = cap_seconds
        self._jitter = jitter
        self._quiet = quiet_seconds
        self._last: float | None = None

    def seconds(self, now: float) -> float:
        """How long to wait before the next try."""
        if self._last is not None and now - self._last > self._quiet:
            self._next = self._first
        self._last = now
        delay = self._next
        self._next = min(self._next * 2, self._cap)
        return delay * (1 + self._jitter * self._random.uniform(0, 1))
