"""The queue in virtual time: delays, failures, draining."""

import asyncio

import pytest
import uvloop

from kajitori.ctrl.workqueue import QueueShutDown, WorkQueue
from kajitori.testing import run_virtual


def test_failures_double_the_delay_up_to_a_bound_and_forget_resets() -> None:  # W2
    async def fail_often() -> list[float]:
        queue: WorkQueue[str] = WorkQueue("q")
        delays = [queue.add_rate_limited("a") for _ in range(20)]
        assert queue.add_rate_limited("b", at_least_seconds=7) == 7
        assert queue.add_rate_limited("b", at_least_seconds=10**9) == 1000
        queue.forget("a")
        assert queue.failures("a") == 0
        return [*delays, queue.add_rate_limited("a")]

    delays = run_virtual(fail_often())
    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[17] == 0.005 * 2**17 and delays[18:20] == [1000] * 2
    assert delays[20] == 0.005


def test_delayed_names_come_at_their_time_and_the_earliest_counts() -> None:
    async def wait() -> list[tuple[str, float]]:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add_after("late", 60)
        queue.add_after("a", 30)
        queue.add_after("a", 10)
        queue.add_after("a", 40)
        came = list[tuple[str, float]]()
        for _ in range(2):
            taken = await queue.get()
            came.append((taken.name, asyncio.get_running_loop().time()))
            queue.done(taken.name)
        return came

    assert run_virtual(wait()) == [("a", 10), ("late", 60)]


def test_waiting_time_counts_from_ready() -> None:
    async def wait() -> float:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add_after("a", 30)
        await asyncio.sleep(32)
        return (await queue.get()).waited_seconds

    assert run_virtual(wait()) == 2


def test_nobody_has_waited_less_than_no_time() -> None:
    """Loops call what is due within their resolution together, some of it a little early. Found by the simulation."""

    async def wait() -> float:
        queue: WorkQueue[str] = WorkQueue("q")
        asyncio.get_running_loop().call_later(10, lambda: None)
        queue.add_after("a", 10 + 5e-10)
        return (await queue.get()).waited_seconds

    assert run_virtual(wait()) == 0


def test_no_two_workers_hold_one_name() -> None:  # W1, Q1
    async def work() -> int:
        queue: WorkQueue[int] = WorkQueue("q")
        held, handed_out = set[int](), 0

        async def worker() -> None:
            nonlocal handed_out
            while True:
                try:
                    taken = await queue.get()
                except QueueShutDown:
                    return
                assert taken.name not in held
                held.add(taken.name)
                handed_out += 1
                await asyncio.sleep(0.3)
                held.discard(taken.name)
                queue.done(taken.name)

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(worker())
            for round_ in range(20):
                for name in range(3):
                    queue.add(name)
                await asyncio.sleep(0.1 * round_)
            queue.shut_down()
        return handed_out

    assert run_virtual(work()) > 30


def test_shut_down_hands_out_what_is_ready_and_forgets_what_is_not() -> None:  # W3
    async def end() -> list[str]:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add("a")
        queue.add("b")
        queue.add_after("later", 5)
        queue.shut_down()
        queue.add("too late")
        got = [(await queue.get()).name, (await queue.get()).name]
        with pytest.raises(QueueShutDown):
            await queue.get()
        return got

    assert run_virtual(end()) == ["a", "b"]


def test_shut_down_wakes_those_who_wait() -> None:  # W3
    async def end() -> int:
        queue: WorkQueue[str] = WorkQueue("q")
        getters = [asyncio.ensure_future(queue.get()) for _ in range(3)]
        await asyncio.sleep(1)
        queue.shut_down()
        return sum(
            isinstance(each, QueueShutDown) for each in await asyncio.gather(*getters, return_exceptions=True)
        )

    assert run_virtual(end()) == 3


def test_drained_waits_for_who_holds_a_name() -> None:  # W5
    async def drain() -> float:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add("a")
        name = (await queue.get()).name
        asyncio.get_running_loop().call_later(7, queue.done, name)
        queue.shut_down()
        await queue.drained()
        return asyncio.get_running_loop().time()

    assert run_virtual(drain()) == 7


def test_a_cancelled_worker_loses_no_name() -> None:
    async def cancel() -> str:
        queue: WorkQueue[str] = WorkQueue("q")
        first, second = asyncio.ensure_future(queue.get()), asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()  # it has been woken, but has not run yet
        return (await second).name

    assert run_virtual(cancel()) == "a"


def test_a_time_that_has_come_already_on_uvloop() -> None:
    """Its clock stands still within a turn, so that a short delay is over when the timer is set."""

    async def wait() -> str:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add_after("a", 1e-9)
        queue.add_after("b", 30)
        return (await queue.get()).name

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(wait()) == "a"


def test_a_queue_that_is_halted_keeps_what_it_has() -> None:  # W4
    async def halted() -> list[tuple[str, int, float]]:
        queue: WorkQueue[str] = WorkQueue("q")
        queue.add("ready", 5)
        queue.add_after("waiting", 30)
        waiter = asyncio.create_task(queue.get())
        await waiter
        waiter = asyncio.create_task(queue.get())
        await asyncio.sleep(10)
        queue.halt()
        with pytest.raises(QueueShutDown):
            await waiter
        queue.add("late")
        with pytest.raises(QueueShutDown):
            await queue.get()
        return queue.left()

    assert sorted(run_virtual(halted())) == [("late", 0, 0.0), ("waiting", 0, 20.0)]
