"""Certificates over the years: at no moment does an API server meet one that it does not believe."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from kajitori.ctrl.webhooks.rotation import (
    AUTHORITY_DAYS,
    REPLACED_SECONDS,
    SERVING_DAYS,
    SETTLE_SECONDS,
    Held,
    Step,
    Validity,
    decide,
)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = frozenset({"hooks.default.svc"})


def validity(begin: datetime, days: int) -> Validity:
    return Validity(begin, begin + timedelta(days=days))


def held(
    authority_age: float, serving_age: float, *older: float, signer: int | None = 0
) -> tuple[Held, datetime]:
    """Certificates of so many days of age, and now."""
    now = BEGIN + timedelta(days=3650)
    ages = (authority_age, *older)
    authorities = tuple(validity(now - timedelta(days=age), AUTHORITY_DAYS) for age in ages)
    return Held(authorities, validity(now - timedelta(days=serving_age), SERVING_DAYS), signer, NAMES), now


def step(*ages: float, signer: int | None = 0, leads: bool = True, is_settled: bool = False) -> Step:
    seen, now = held(*ages, signer=signer)
    return decide(seen, NAMES, now, leads=leads, is_settled=is_settled)


def test_steps_are_taken_in_order() -> None:
    assert decide(None, NAMES, BEGIN, leads=False, is_settled=False) is Step.BEGIN
    assert step(1, 1) is Step.NOTHING
    assert step(100, 61) is Step.ISSUE  # N3: a third of 90 days is left
    assert step(244, 1) is Step.ANNOUNCE
    assert step(1, 61, 244, signer=1) is Step.NOTHING  # N1
    assert step(1, 61, 244, signer=1, is_settled=True) is Step.ISSUE
    assert step(1, 0.9, 244) is Step.NOTHING  # N2
    assert step(1, 1.1, 244) is Step.DROP
    assert step(1, 0.5, 366) is Step.DROP
    assert step(1, 91) is Step.BEGIN
    assert step(1, 1, signer=None) is Step.BEGIN


def test_who_does_not_lead_leaves_what_is_there() -> None:  # N4
    for ages in ((100, 61), (244, 1), (1, 1.1, 244), (1, 91)):
        assert step(*ages, leads=False, is_settled=True) is Step.NOTHING


def test_a_name_more_needs_another_certificate() -> None:
    seen, now = held(1, 1)
    both = NAMES | {"other.default.svc"}
    assert decide(seen, both, now, leads=True, is_settled=False) is Step.ISSUE
    assert decide(seen, frozenset(), now, leads=True, is_settled=False) is Step.NOTHING


@dataclass
class World:
    """Replicas, what they share, and what API servers were told; times in seconds."""

    random: random.Random
    careless: bool = False
    """Breaks N1 on purpose: the newest authority is used at once."""
    now: float = 0
    authorities: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """Numbers and beginnings, the newest first."""
    serving: tuple[int, float] = (0, 0)
    told: list[int] = field(default_factory=list[int])
    settled_at: float | None = None
    served: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """What each replica serves with."""
    steps: dict[Step, int] = field(default_factory=dict[Step, int])
    leader_ages: float = 0

    def at(self, seconds: float) -> datetime:
        return BEGIN + timedelta(seconds=seconds)

    def lead(self) -> None:
        """What who leads does: looks, takes a step, registers."""
        seen = None
        if self.authorities:
            numbers = [number for number, _ in self.authorities]
            signer, begin = self.serving
            seen = Held(
                tuple(validity(self.at(each), AUTHORITY_DAYS) for _, each in self.authorities),
                validity(self.at(begin), SERVING_DAYS),
                numbers.index(signer) if signer in numbers else None,
                NAMES,
            )
        is_settled = self.settled_at is not None and self.now - self.settled_at >= SETTLE_SECONDS
        chosen = decide(seen, NAMES, self.at(self.now), leads=True, is_settled=is_settled or self.careless)
        self.steps[chosen] = self.steps.get(chosen, 0) + 1
        number = self.authorities[0][0] + 1 if self.authorities else 1
        if chosen in (Step.BEGIN, Step.ANNOUNCE):
            before = [] if chosen is Step.BEGIN else self.authorities
            self.authorities = [(number, self.now), *before]
        if chosen in (Step.BEGIN, Step.ISSUE):
            self.serving = self.authorities[0][0], self.now
        if chosen is Step.DROP:
            self.authorities = self.authorities[:1]
        if chosen in (Step.BEGIN, Step.ANNOUNCE, Step.DROP):
            self.settled_at = None

    def register(self) -> None:
        self.told = [number for number, _ in self.authorities]
        if self.settled_at is None:
            self.settled_at = self.now

    def check(self) -> None:
        ends = {number: begin + AUTHORITY_DAYS * 86400 for number, begin in self.authorities}
        for signer, begin in self.served:
            assert signer in self.told, f"{self.now}: by {signer}, but {self.told} were told"
            assert self.now < begin + SERVING_DAYS * 86400 and self.now < ends[signer], f"{self.now}: ended"


def live(seed: int, *, careless: bool = False) -> World:
    world = World(random.Random(seed), careless=careless)
    world.lead()
    world.register()
    world.served = [world.serving] * 3
    while world.now < 3 * AUTHORITY_DAYS * 86400:
        pause = world.random.choice([30, 300, 3600, 12 * 3600])
        world.now += pause
        for replica in range(3):
            if world.random.random() < 0.7 or pause == 12 * 3600:
                world.served[replica] = world.serving
        world.check()
        if world.random.random() < 0.02:
            world.settled_at = None  # another leads, who does not know since when it has been registered
        if world.random.random() < 0.8:
            world.lead()
        if world.random.random() < 0.7:
            world.register()  # which fails now and then
        world.check()
    return world


def slow_replicas_are_quick_enough() -> bool:
    return REPLACED_SECONDS > 12 * 3600


@pytest.mark.parametrize("seed", range(5))
def test_no_api_server_meets_what_it_does_not_believe(seed: int) -> None:  # N1, N2, N3
    assert slow_replicas_are_quick_enough()
    world = live(seed)
    assert world.steps[Step.ANNOUNCE] >= 3 and world.steps[Step.ISSUE] > 10 and world.steps[Step.DROP] >= 3
    assert world.steps[Step.BEGIN] == 1


def test_the_checker_sees_one_that_is_used_too_early() -> None:
    with pytest.raises(AssertionError, match="were told"):
        live(0, careless=True)
