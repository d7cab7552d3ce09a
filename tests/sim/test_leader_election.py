"""Leader election under a seed: candidates that die, sleep and are cut off, requests that are lost or take effect when
nobody expects it, clocks that disagree. A checker judges.

`make test` plays some seeds, `make sim` a thousand. A failure names its seed.

    Y1  never two leaders: nobody begins to lead while another leads, and nobody acts as the leader after that
    Y2  when things calm down somebody leads

What is decided is `ctrl.lease`'s; how candidates wait is as in `ctrl.leader`. The last tests break one rule each.
"""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.sim.machines import CONFLICT, LOST, Broken, Claims, Faults, Process, World

from kajitori.ctrl.lease import Decision, LeaseRecord, View

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 1_000 if LONG else 40
A_TEST = 10
"""Seeds of one test."""

LEASE, WORK = "lease", "work"
RETRY_SECONDS = 2.0
TROUBLE_SECONDS, CALM_SECONDS = 600.0, 120.0


class Candidate(Process):
    """One that stands for the Lease, and when it leads acts now and then."""

    def __init__(
        self, world: World, faults: Faults, claims: Claims, number: int, gone: Callable[["Candidate"], None]
    ) -> None:
        super().__init__(world, faults)
        self.view = View(f"candidate-{number}", 15, 10.0)
        self._version = 0
        self._claims = claims
        self._token: object | None = None
        self._gone = gone
        self._trying = False
        self.every(RETRY_SECONDS, self._try)
        self.every(1.0, self._act)

    @property
    def leads(self) -> bool:
        return self.view.leads(self.clock())

    def _try(self) -> None:
        if self._trying:
            return
        self._trying = True
        if self.leads and self._version:
            self._claim()
        else:
            self._read()

    def _read(self) -> None:
        self.ask(lambda: self.world.get(LEASE), self._was_read)

    def _was_read(self, answer: Any) -> None:
        if answer is LOST:
            self._done()
            return
        self._version, record = answer
        self.view = self.observe(record)
        decision = self.decide()
        if decision in (Decision.WAIT, Decision.STEP_DOWN):
            self._done()
        else:
            self._claim()

    def observe(self, record: LeaseRecord | None) -> View:
        return self.view.observe(record, self.clock())

    def decide(self) -> Decision:
        return self.view.decide(self.clock())

    def _claim(self) -> None:
        sent_at, record, version = self.clock(), self.view.claim(f"{self.clock()}"), self._version
        self.ask(
            lambda: self.world.put(LEASE, self.expected(version), record),
            lambda answer: self._was_claimed(record, sent_at, answer),
        )

    def expected(self, version: int) -> int | None:
        return version

    def _was_claimed(self, record: LeaseRecord, sent_at: float, answer: Any) -> None:
        if answer is LOST or answer is CONFLICT:
            self._version = 0  # the next round reads
        else:
            self._version = answer
            self.view = self.granted(record, sent_at)
        self._done()

    def granted(self, record: LeaseRecord, sent_at: float) -> View:
        return self.view.granted(record, sent_at)

    def _done(self) -> None:
        self._trying = False
        if self._token is None and self.leads:
            self._token = self._claims.begin(WORK, self)
        elif self._token is None:
            self.view = self.view.following()
        self._set_alarm()

    def _set_alarm(self) -> None:
        until = self.view.leading_until
        if self._token is None:
            return
        if until is None or not self.leads:
            self.lose()
            return

        def alarm() -> None:
            if not self.leads:
                self.lose()

        self.after(until - self.clock(), alarm)

    def _act(self) -> None:
        if self._token is not None:
            if not self.leads:
                self.lose()
            else:
                self._claims.act(WORK, self._token)

    def lose(self) -> None:
        """The process leaves."""
        self.kill()

    def kill(self) -> None:
        if not self.dead:
            super().kill()
            if self._token is not None:
                self._claims.end(WORK, self._token)
            self._gone(self)

    def leave(self) -> None:
        """In peace: the Lease is nobody's afterwards."""
        if self.leads and self._version:
            version, record = self._version, self.view.release("")
            self._claims.end(WORK, self._token)
            self._token = None
            self.ask(lambda: self.world.put(LEASE, version, record), lambda answer: None)
        self.kill()


class Play:
    def __init__(self, seed: int, candidate: type[Candidate]) -> None:
        self.world = World(seed)
        random = self.random = self.world.random
        self.faults = Faults.of(random)
        self.claims = Claims(self.world)
        self.candidate = candidate
        self.candidates: list[Candidate] = []
        self.count = 0
        for _ in range(random.choice((1, 2, 3, 5))):
            self.join()

    def join(self) -> None:
        self.count += 1
        one = self.candidate(self.world, self.faults, self.claims, self.count, self.gone)
        self.candidates.append(one)

    def gone(self, candidate: Candidate) -> None:
        self.candidates.remove(candidate)
        self.world.at(self.random.choice((1, 1, 20)), self.join)

    def harm(self) -> None:
        random = self.random
        if not self.candidates:
            return
        leaders = [each for each in self.candidates if each.leads]
        one = random.choice(leaders if leaders and random.random() < 0.7 else self.candidates)
        what = random.random()
        if what < 0.4:
            one.pause(random.choice((1, 9, 20, 60)))
        elif what < 0.8:
            one.cut_off(random.choice((3, 9, 20, 60)))
        elif what < 0.9:
            one.kill()
        else:
            one.leave()

    def run(self) -> None:
        """Raises: Broken."""
        for _ in range(40):
            self.world.at(self.random.uniform(0, TROUBLE_SECONDS), self.harm)
        self.world.run(TROUBLE_SECONDS)
        self.world.calm = True
        self.world.run(TROUBLE_SECONDS + CALM_SECONDS)
        if not any(each.leads for each in self.candidates):
            raise Broken("nobody leads")


def play(seed: int, candidate: type[Candidate] = Candidate) -> Play:
    one = Play(seed, candidate)
    try:
        one.run()
    except Broken as broken:
        raise Broken(f"seed {seed}: {broken}") from broken
    return one


@pytest.mark.parametrize("first", range(0, SEEDS, A_TEST))
def test_never_two_leaders_and_at_last_one(first: int) -> None:  # Y1, Y2
    for seed in range(first, first + A_TEST):
        play(seed)


def test_what_is_played_is_worth_judging() -> None:
    """Leadership changes hands often."""
    assert sum(play(seed).claims.count for seed in range(10)) > 80


# Rules broken on purpose.


class DoesNotStepDown(Candidate):
    """Goes on when it could not renew."""

    @property
    def leads(self) -> bool:
        return self.view.leading_until is not None


class TakesOverEarly(Candidate):
    def decide(self) -> Decision:
        decision = self.view.decide(self.clock())
        early = self.clock() > self.view.observed_at + 3
        return Decision.TAKE_OVER if decision is Decision.WAIT and early else decision


class CountsFromTheAnswer(Candidate):
    """Where clients wait long for answers, leadership would outlast the Lease."""

    def granted(self, record: LeaseRecord, sent_at: float) -> View:
        return self.view.granted(record, self.clock() + 5)


class WritesBlindly(Candidate):
    def expected(self, version: int) -> int | None:
        return None


class ComparesClocks(Candidate):
    """Believes the time that is written in the Lease."""

    def observe(self, record: LeaseRecord | None) -> View:
        view = self.view.observe(record, self.clock())
        return (
            view
            if record is None or not record.renew_time
            else replace(view, observed_at=float(record.renew_time))
        )


class Never(Candidate):
    def decide(self) -> Decision:
        return Decision.WAIT


@pytest.mark.parametrize(
    ("candidate", "what"),
    [
        (DoesNotStepDown, "two work|after another"),
        (TakesOverEarly, "two work|after another"),
        (CountsFromTheAnswer, "two work|after another"),
        (WritesBlindly, "two work|after another"),
        (ComparesClocks, "two work|after another"),
        (Never, "nobody leads"),
    ],
)
def test_the_checker_tells_a_rule_that_is_broken(candidate: type[Candidate], what: str) -> None:
    found = list[str]()
    for seed in range(60):
        try:
            play(seed, candidate)
        except Broken as broken:
            found.append(str(broken))
            if re.search(what, found[-1]):
                return
    raise AssertionError(found)
