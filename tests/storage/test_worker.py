"""The thread that works for the loop."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.storage.support import run

from kajitori.storage import Store
from kajitori.storage.worker import Worker


def test_jobs_run_one_after_another_and_are_reported_in_order() -> None:  # W1, W2
    async def main() -> None:
        worker = Worker("test")
        running: list[int] = []
        reported: list[tuple[Any, str]] = []

        def job(n: int) -> int:
            running.append(n)
            assert running == list(range(n + 1))
            if n % 3 == 2:
                raise ValueError(str(n))
            return n

        for n in range(30):
            worker.submit(lambda n=n: job(n), lambda result, error: reported.append((result, str(error))))  # type: ignore[misc]
        await worker.call(lambda: None)
        worker.stop()
        assert reported == [(None, str(n)) if n % 3 == 2 else (n, "None") for n in range(30)]

    asyncio.run(main())


def test_call_gives_what_the_work_gave_or_raised() -> None:  # W2
    def broken() -> int:
        raise ValueError("broken")

    async def main() -> None:
        worker = Worker("test")
        assert await worker.call(lambda: threading.current_thread().name) == "test"
        with pytest.raises(ValueError, match="broken"):
            await worker.call(broken)
        worker.stop()

    asyncio.run(main())


def test_a_job_runs_even_if_its_caller_goes_away() -> None:  # W3
    async def main() -> None:
        worker = Worker("test")
        done: list[int] = []
        gate = threading.Event()
        first = worker.call(gate.wait)
        second = worker.call(lambda: done.append(1))
        second.cancel()
        gate.set()
        await first
        await worker.call(lambda: None)
        assert done == [1]
        worker.stop()

    asyncio.run(main())


def test_a_loop_that_is_closed_early_leaves_no_trace() -> None:  # W3
    gate = threading.Event()
    done: list[int] = []

    async def main() -> threading.Thread:
        worker = Worker("abandoned")
        worker.submit(gate.wait, lambda result, error: None)
        worker.submit(lambda: done.append(1), lambda result, error: None)
        return next(thread for thread in threading.enumerate() if thread.name == "abandoned")

    thread = asyncio.run(main())
    gate.set()
    thread.join(2)
    assert not thread.is_alive()


def test_a_busy_loop_does_not_hold_writes_up(tmp_path: Path) -> None:  # W4
    async def body(store: Store) -> None:
        ready = asyncio.Event()

        async def write() -> None:
            for n in range(20):
                await store.put("/pods", f"p{n}", lambda _: b"{}", expect=0)
            ready.set()

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(write())
            while not ready.is_set():
                sum(range(2000))
                await asyncio.sleep(0)

    run(tmp_path / "state.db", body)
