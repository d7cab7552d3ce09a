"""What time it is: the one door to the machine's clocks.

Promises
    C1  `now` is aware and in UTC
    C2  `monotonic` never goes back, whatever is done to the wall clock

To wait, use asyncio: there time is the loop's, which a test makes virtual.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


class Clock(Protocol):
    """Wall time for people, monotonic time for measuring."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        ...


class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)


SYSTEM_CLOCK = SystemClock()
