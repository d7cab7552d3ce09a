"""What a client counts of its requests, as plain numbers; somebody else gives them their names.

Every try counts, repeated ones too. Of a watch the time until it is answered counts, not how long it lives.
"""

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["FAILED", "Histogram", "RequestFigures"]

FAILED = 0
"""Instead of a status: no answer came."""

REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""As client-go's."""


class Histogram:
    """Counts by upper bound."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add(self, other: "Histogram") -> None:
        """What another with the same bounds has counted, too."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        total, result = 0, list[tuple[str, float]]()
        for bound, many in zip(self.bounds, self.counts, strict=False):
            total += many
            result.append((repr(float(bound)), total))
        return [*result, ("+Inf", total + self.counts[-1])]


class RequestFigures:
    """Of one client, so far."""

    __slots__ = ("host", "requests", "seconds")

    def __init__(self, host: str) -> None:
        self.host = host
        """`host:port` of the server; empty: it is in this process."""
        self.requests: dict[tuple[str, int], int] = {}
        """By method and status."""
        self.seconds: dict[str, Histogram] = {}
        """By method."""

    def note(self, method: str, status: int, seconds: float) -> None:
        """One try has ended."""
        key = (method, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        histogram = self.seconds.get(method)
        if histogram is None:
            histogram = self.seconds[method] = Histogram(REQUEST_SECONDS)
        histogram.observe(seconds)
