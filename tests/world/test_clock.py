"""The doors to time and chance."""

from datetime import UTC, datetime

from kajitori.world.clock import SYSTEM_CLOCK


def test_now_is_aware_and_in_utc() -> None:  # C1
    now = SYSTEM_CLOCK.now()
    assert now.tzinfo is UTC
    assert now >= datetime(2024, 1, 1, tzinfo=UTC)


def test_monotonic_never_goes_back() -> None:  # C2
    readings = [SYSTEM_CLOCK.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)
