"""Questions that somebody else has to be asked first, asked by code that does not wait.

A decision is needed in the middle of many things: an expression, a check of every rule of a role. Nearly always it is
there at once, so all of them are plain functions. Where a webhook must be asked, the question is raised as `Undecided`;
`settled` asks it, waits, and calls the function once more, which now finds the answer.

Promises
    U1  what is called again and again asks each question once
    U2  answers are known to the function that asked, and to nobody else
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from kajitori.apiserver.authorization.attributes import Decision

__all__ = ["Undecided", "known_answer", "settled"]

Result = TypeVar("Result")
Key = tuple[object, bytes]
"""Who is asked, and what."""

_answers: ContextVar[dict[Key, Decision] | None] = ContextVar("answers", default=None)


class Undecided(Exception):
    """Somebody has to be asked first: `ask` does."""

    def __init__(self, key: Key, ask: Callable[[], Awaitable[Decision]]) -> None:
        super().__init__("a question that nobody has asked yet")
        self.key = key
        self.ask = ask


def known_answer(key: Key) -> Decision | None:
    """What was answered to the function that runs now."""
    answers = _answers.get()
    return None if answers is None else answers.get(key)


async def settled(compute: Callable[[], Result], pending: Undecided | None = None) -> Result:
    """What `compute` gives, which changes nothing before it has all answers. `pending` is what it lacked already."""
    answers: dict[Key, Decision] = {}
    while True:
        if pending is not None:
            answers[pending.key] = await pending.ask()
        token = _answers.set(answers)
        try:
            return compute()
        except Undecided as found:
            pending = found
        finally:
            _answers.reset(token)
