"""Delays of names that fail, and of all together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.rate_limit import RateLimit, RateLimiter


@given(st.floats(1e-6, 10), st.floats(1, 1e4), st.integers(0, 2000))
def test_a_name_waits_twice_as_long_each_time_up_to_the_maximum(
    base: float, times: float, failures: int
) -> None:  # L1
    limiter: RateLimiter[str] = RateLimiter(RateLimit(base, base * times))
    delays = [limiter.delay("a", 0) for _ in range(failures + 1)]
    assert delays == [min(base * 2 ** min(number, 60), base * times) for number in range(failures + 1)]
    assert limiter.failures("a") == failures + 1 and limiter.delay("b", 0) == base
    limiter.forget("a")
    assert limiter.failures("a") == 0 and limiter.delay("a", 0) == base


def test_a_bucket_slows_down_all_names_together() -> None:  # L2, L3
    limiter: RateLimiter[int] = RateLimiter(RateLimit(qps=10, burst=100))
    assert [limiter.delay(name, 5.0) for name in range(100)] == [0.005] * 100
    assert [round(limiter.delay(name, 5.0), 3) for name in range(100, 105)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    # A second gives back ten; five of them were owed.
    assert [round(limiter.delay(name, 6.0), 3) for name in range(105, 112)] == [0.005] * 5 + [0.1, 0.2]


@given(st.lists(st.floats(0, 10), max_size=300), st.floats(0.1, 100), st.integers(1, 50))
def test_no_more_are_let_through_than_the_bucket_holds(
    pauses: list[float], qps: float, burst: int
) -> None:  # L2
    limiter: RateLimiter[int] = RateLimiter(RateLimit(base_seconds=1e-9, qps=qps, burst=burst))
    now, times = 0.0, list[float]()
    for name, pause in enumerate(pauses):
        now += pause
        times.append(now + limiter.delay(name, now))
    for first, start in enumerate(times):
        within = sum(1 for each in times[first:] if each <= start + 1)
        assert within <= burst + qps + 1 + 1e-6


@pytest.mark.parametrize(
    "wrong", [{"base_seconds": 0}, {"base_seconds": 2, "max_seconds": 1}, {"qps": 0}, {"qps": 1, "burst": 0}]
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a rate limit"):
        RateLimit(**wrong)  # type: ignore[arg-type]
