"""What shows that a reconciler is ill, though it raises nothing: it keeps the event loop to itself, or it writes the
same object again and again.

Promises
    S1  a step of a reconcile that takes longer than BLOCKED_SECONDS without waiting is noted, with how long it took
    S2  a name that RESTLESS_WRITES reconciles have written for, each within RESTLESS_SECONDS of the one before, is told
        of, then at every doubling; reconciles between them that wrote nothing do not count: who is undone by another
        sees his own write first, and is content

Sits beside the controller, which counts and logs.
"""

from collections.abc import Awaitable, Callable, Generator, Hashable
from types import CoroutineType, coroutine
from typing import Any, Generic, TypeVar

__all__ = ["BLOCKED_SECONDS", "RESTLESS_SECONDS", "RESTLESS_WRITES", "Restless", "noting_steps"]

BLOCKED_SECONDS = 0.2
"""Without a wait: meanwhile nothing else in the process happens, no watch is read and no Lease renewed."""

RESTLESS_WRITES = 50
"""A reconciler is done after a few; who goes on writes what it reads wrongly, or what another undoes."""

RESTLESS_SECONDS = 0.5
"""Between two writes. Those who undo each other are quick; who writes once a second may mean it."""

RESTLESS_NAMES_MAX = 1_000
"""Names that have just been written for. If more are, the rows begin anew."""

T = TypeVar("T")
Name = TypeVar("Name", bound=Hashable)


@coroutine
def noting_steps(
    running: Awaitable[T], now: Callable[[], float], note: Callable[[float], None]
) -> Generator[Any, Any, T]:
    """What `running` gives, driven step by step from one wait to the next (PEP 380).

    Raises: TypeError when it cannot be awaited.
    """
    steps: Any = running
    if type(running) is not CoroutineType:
        if not isinstance(steps, Awaitable):
            raise TypeError(f"reconcile gave {running!r} at once; declare it with async def")
        steps = steps.__await__()
    send, throw = steps.send, steps.throw
    error: BaseException | None = None
    value: Any = None
    while True:
        began = now()
        try:
            waiting = send(value) if error is None else throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            took = now() - began
            if took > BLOCKED_SECONDS:
                note(took)
        error = None
        try:
            value = yield waiting
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as thrown:
            error = thrown


class Restless(Generic[Name]):
    """The names that one reconcile after another writes for."""

    def __init__(self) -> None:
        self._rows: dict[Name, tuple[int, float]] = {}

    def note(self, name: Name, wrote: bool, now: float) -> int:
        """A reconcile has ended. How long the row is, when that is to be told; else 0."""
        if not wrote:
            return 0
        rows = self._rows
        many, last = rows.get(name, (0, now))
        many = 1 if now - last > RESTLESS_SECONDS else many + 1
        if len(rows) >= RESTLESS_NAMES_MAX:
            self._forget_quiet(now)
        rows[name] = many, now
        rounds, rest = divmod(many, RESTLESS_WRITES)
        return many if not rest and rounds and not rounds & (rounds - 1) else 0

    def _forget_quiet(self, now: float) -> None:
        rows = {name: row for name, row in self._rows.items() if now - row[1] <= RESTLESS_SECONDS}
        self._rows.clear()
        if len(rows) < RESTLESS_NAMES_MAX // 2:
            self._rows.update(rows)
