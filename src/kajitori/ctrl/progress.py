"""How far an informer has applied what happens at one source, and who waits for that.

Promises
    P1  `when_passed(version)` calls once, as soon as everything up to that version has been applied
    P2  after a server has lost its state (its versions are lower than before) nobody waits for what is lost: what we
        hold is what it has now
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

__all__ = ["Progress", "Waiter", "version_number"]


class Waiter:
    """A call to be made once, unless cancelled."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    @property
    def is_cancelled(self) -> bool:
        return self._call is None

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class Progress:
    """Versions of one source: a kind in one namespace or in all."""

    __slots__ = ("_order", "_waiters", "passed")

    def __init__(self) -> None:
        self.passed = -1
        """Everything up to here has been applied; -1: nothing, or the server's versions are not numbers."""
        self._waiters: list[tuple[int, int, Waiter]] = []
        self._order = count()

    def when_passed(self, version: int, call: Callable[[], None]) -> Callable[[], None]:
        """Calls at once when it has. Gives the way to cancel."""
        if self.passed >= version:
            call()
            return _nothing
        waiter = Waiter(call)
        heappush(self._waiters, (version, next(self._order), waiter))
        return waiter.cancel

    def advance(self, resource_version: str) -> None:
        """Everything up to that version has been applied."""
        number = version_number(resource_version)
        if number is not None and number > self.passed:
            self.passed = number
            while self._waiters and self._waiters[0][0] <= number:
                heappop(self._waiters)[2].fire()

    def begin_again(self, resource_version: str) -> None:
        """Everything that exists as of that version has been applied anew."""
        before, self.passed = self.passed, -1
        self.advance(resource_version)
        if self.passed < before:
            waiters, self._waiters = self._waiters, []
            for _, _, waiter in waiters:
                waiter.fire()


def _nothing() -> None:
    """There is nothing to cancel."""


def version_number(resource_version: str) -> int | None:
    """A version as a number to compare with others of its kind; None when the server's versions are not
    numbers.

    Source: KEP-5504, versions of one resource type are decimal integers of any length without leading zeros.
    """
    if resource_version.isdecimal() and resource_version.isascii() and resource_version[0] != "0":
        return int(resource_version)
    return None
