"""Faults chosen by a seed.

Each call is judged by what it is and the how-many-th of its like it is, never by what happened before it: so that the
same seed gives the same faults even where calls come in another order.
"""

from collections import Counter
from random import Random

from kajitori.apimachinery.errors import (
    Conflict,
    Expired,
    InternalError,
    Invalid,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
)
from kajitori.testing.calls import Call
from kajitori.testing.faultkinds import (
    Cut,
    Fault,
    Late,
    NoAnswer,
    NoBookmarks,
    Refused,
    Reset,
    Slow,
    WatchError,
)

__all__ = ["Chances"]

WATCHES_MORE = 5
"""Watches are few and long: so many times as often one suffers something."""

SECONDS_MAX = 5.0
"""Of what is slow or late."""

WATCH_BYTES_MAX = 4_000
"""Before a watch is cut: within its first few events."""

WATCH_EVENTS_MAX = 5


class Chances:
    """Which calls suffer what."""

    def __init__(self, seed: int, rate: float, latency_seconds: float) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is {rate}; it is a part of all calls, between 0 and 1")
        self._seed = seed
        self.rate = rate
        self._latency = latency_seconds
        self._ways: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def draw(self, call: Call) -> Fault | None:
        """What this call suffers, if anything."""
        if not self.rate:
            return None
        random = self._random(call, self._seen)
        rate = min(1.0, self.rate * WATCHES_MORE) if call.verb == "watch" else self.rate
        if random.random() >= rate:
            return None
        if call.verb == "watch" and random.random() < 0.8:
            return _of_watch(call, random)
        return _of_request(call, random)

    def latency_seconds(self, call: Call) -> float:
        """How long this call takes on its way, once."""
        return self._random(call, self._ways).uniform(0, self._latency) if self._latency else 0.0

    def _random(self, call: Call, seen: "Counter[str]") -> Random:
        like = str(call)
        seen[like] += 1
        # Text is hashed by Python's own rule for seeds, which is the same in every process.
        return Random(f"{self._seed} {seen[like]} {like}")


def _of_watch(call: Call, random: Random) -> Fault:
    return random.choice(
        (
            Cut(after_bytes=random.randint(0, WATCH_BYTES_MAX)),
            Cut(after_events=random.randint(0, WATCH_EVENTS_MAX), clean=random.random() < 0.5),
            WatchError(after_events=random.randint(0, WATCH_EVENTS_MAX)),
            Late(random.uniform(0, SECONDS_MAX)),
            Late(random.uniform(0, SECONDS_MAX)),
            NoBookmarks(),
            Invalid("sendInitialEvents is forbidden") if call.streams_initial_events else Expired,
        )
    )


def _of_request(call: Call, random: Random) -> Fault:
    acted = call.is_write and random.random() < 0.5
    choices: list[Fault] = [
        *(TooManyRequests, InternalError, ServiceUnavailable, Timeout, Refused()),
        *(Reset(acted), NoAnswer(acted), Slow(random.uniform(0, SECONDS_MAX), acted)),
    ]
    if call.verb in ("update", "patch", "apply"):
        choices += [Conflict, Conflict]
    if call.verb == "list" and "continue" in call.query:
        choices += [Expired, Expired]
    return random.choice(choices)
