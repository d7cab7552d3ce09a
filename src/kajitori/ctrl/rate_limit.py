"""How long a name that failed waits before it is tried again. Pure: the caller says what time it is.

Promises
    L1  the n-th failure of a name in a row delays it by base · 2ⁿ, at most `max_seconds`; `forget` starts again at 0
    L2  with a bucket, all names together are retried `qps` times a second at most, after `burst` that are free
    L3  the longer of the two counts

Source: client-go's ItemExponentialFailureRateLimiter, BucketRateLimiter and MaxOfRateLimiter.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["DEFAULT_RATE_LIMIT", "RateLimit", "RateLimiter"]

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How retries are slowed down."""

    base_seconds: float = 0.005
    """After the first failure; doubled after each further one."""
    max_seconds: float = 1000.0
    """A name that keeps failing is tried about four times an hour."""
    qps: float | None = None
    """Retries of all names together, a second (None: as many as come). client-go's old default is 10."""
    burst: int = 100
    """Retries that are not slowed down by `qps` before the others."""

    def __post_init__(self) -> None:
        if not 0 < self.base_seconds <= self.max_seconds:
            raise ValueError(
                f"a rate limit from {self.base_seconds!r} to {self.max_seconds!r} seconds; "
                "the first must be more than 0, the second not less"
            )
        if self.qps is not None and (self.qps <= 0 or self.burst < 1):
            raise ValueError(
                f"a rate limit of {self.qps!r} a second with a burst of {self.burst!r}; use more than 0, and at least 1"
            )


DEFAULT_RATE_LIMIT = RateLimit()
"""controller-runtime's, with the priority queue: each name by itself."""


class RateLimiter(Generic[Name]):
    """The failures of one queue."""

    def __init__(self, limit: RateLimit = DEFAULT_RATE_LIMIT) -> None:
        self.limit = limit
        self._failures: dict[Name, int] = {}
        self._tokens = float(limit.burst)
        self._counted_at = 0.0

    def delay(self, name: Name, now: float) -> float:
        """In how many seconds a name that has just failed may be tried. Counts the failure."""
        limit = self.limit
        failures = self._failures.get(name, 0)
        self._failures[name] = failures + 1
        # Larger powers of two only overflow: ten microseconds · 2^60 are longer than the universe.
        seconds = min(limit.base_seconds * (1 << min(failures, 60)), limit.max_seconds)
        return seconds if limit.qps is None else max(seconds, self._bucket_delay(limit.qps, now))

    def _bucket_delay(self, qps: float, now: float) -> float:
        self._tokens = min(self._tokens + (now - self._counted_at) * qps, float(self.limit.burst)) - 1
        self._counted_at = now
        return max(0.0, -self._tokens / qps)

    def forget(self, name: Name) -> None:
        self._failures.pop(name, None)

    @property
    def failing(self) -> int:
        """How many names have failures."""
        return len(self._failures)

    def failures(self, name: Name) -> int:
        """In a row."""
        return self._failures.get(name, 0)
