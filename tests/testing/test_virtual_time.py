"""Waiting costs nothing, order is fixed, threads are waited for, deadlocks are told."""

import asyncio
import time

import pytest

from kajitori.testing import Deadlock, VirtualClock, run_virtual


def test_a_day_of_sleep_takes_no_time() -> None:
    async def sleeper() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtual(sleeper()) == 86_400
    assert time.monotonic() - began < 1


def test_timers_fire_by_time_and_then_in_the_order_they_were_set() -> None:
    async def record() -> list[str]:
        loop, seen = asyncio.get_running_loop(), list[str]()
        loop.call_later(2, seen.append, "late")
        for name in "abcdefgh":
            loop.call_later(1, seen.append, name)
        await asyncio.sleep(3)
        return seen

    assert run_virtual(record()) == [*"abcdefgh", "late"]


def test_timeouts_are_virtual_too() -> None:
    async def give_up() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(500):
                await asyncio.sleep(1000)
        return asyncio.get_running_loop().time()

    assert run_virtual(give_up()) == 500


def test_work_in_a_thread_ends_before_the_clock_moves() -> None:
    async def race() -> float:
        async with asyncio.timeout(0.001):  # shorter than the thread's work in real time
            await asyncio.to_thread(time.sleep, 0.02)
        return asyncio.get_running_loop().time()

    assert run_virtual(race()) < 0.001


def test_waiting_for_nothing_is_an_error() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run_virtual(forever())


def test_the_clock_follows_the_loop() -> None:
    async def pass_time() -> float:
        clock = VirtualClock()
        before = clock.now()
        await asyncio.sleep(90)
        return (clock.now() - before).total_seconds()

    assert run_virtual(pass_time()) == 90


def test_years_pass() -> None:  # T1
    """A nanosecond more than some months is the same floating-point number. Found by the simulation of the queue."""

    async def wait() -> float:
        for exponent in range(40):
            await asyncio.sleep(2**exponent + 0.1)
        return asyncio.get_running_loop().time()

    assert run_virtual(wait()) == pytest.approx(2**40, rel=1e-6)
