"""Functions that do not wait, and answers that have to be waited for."""

import asyncio

import pytest

from kajitori.apiserver.authorization import Decision, Undecided, settled
from kajitori.apiserver.authorization.undecided import known_answer


class Oracle:
    """Knows the answers, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def decide(self, question: bytes) -> Decision:
        key = (self, question)
        known = known_answer(key)
        if known is not None:
            return known

        async def ask() -> Decision:
            self.asked.append(question)
            await asyncio.sleep(0)
            return Decision(question.startswith(b"y"))

        raise Undecided(key, ask)


def test_each_question_is_asked_once() -> None:  # U1
    oracle = Oracle()

    def compute() -> list[bool]:
        return [oracle.decide(each).allowed for each in (b"y1", b"n1", b"y1", b"y2")]

    assert asyncio.run(settled(compute)) == [True, False, True, True]
    assert oracle.asked == [b"y1", b"n1", b"y2"]


def test_what_was_missing_already_is_asked_first() -> None:
    oracle = Oracle()
    with pytest.raises(Undecided) as pending:
        oracle.decide(b"y")
    assert asyncio.run(settled(lambda: oracle.decide(b"y"), pending.value)).allowed
    assert oracle.asked == [b"y"]


def test_answers_are_known_to_whoever_asked_alone() -> None:  # U2
    oracle = Oracle()

    async def main() -> None:
        await asyncio.gather(*(settled(lambda: oracle.decide(b"y")) for _ in range(3)))
        with pytest.raises(Undecided):
            oracle.decide(b"y")

    asyncio.run(main())
    assert oracle.asked == [b"y"] * 3
