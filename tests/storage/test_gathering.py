"""How writes share commits."""

import asyncio
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import Store
from kajitori.storage.file_store import GATHER_ROUNDS, GATHER_ROWS_MAX


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def observed(store: Store) -> list[int]:
    """How many writes each commit from now on has."""
    commits: list[int] = []
    store.observe_commits(lambda rows, seconds: commits.append(rows))
    return commits


def test_writers_that_are_answered_together_share_the_next_commit(path: Path) -> None:
    async def body(store: Store) -> None:
        commits = observed(store)

        async def write(who: int) -> None:
            for number in range(20):
                await asyncio.sleep(0)  # a request takes a round of the loop to become a write
                await store.put("/pods", f"x/{who}-{number}", value("v"), expect=0)

        await asyncio.gather(*map(write, range(32)))
        assert commits == [32] * 20

    run(path, body)


def test_writes_that_come_one_after_another_are_gathered_but_not_for_ever(path: Path) -> None:
    async def body(store: Store) -> None:
        commits = observed(store)
        writes: list[asyncio.Task[object]] = []
        for number in range(3 * GATHER_ROWS_MAX):
            put = store.put("/pods", f"x/{number}", value("v"), expect=0)
            writes.append(asyncio.ensure_future(put))
            await asyncio.sleep(0)
            if commits:
                break
        # It was handed over while writes still came, or the disk took longer than all of them to come.
        await asyncio.gather(*writes)
        assert commits[0] <= GATHER_ROWS_MAX and sum(commits) == len(writes)

    run(path, body)


def test_a_lone_write_waits_for_nobody(path: Path) -> None:
    async def body(store: Store) -> None:
        commits = observed(store)
        write = asyncio.ensure_future(store.put("/pods", "x/alone", value("v"), expect=0))
        for _ in range(GATHER_ROUNDS + 3):
            await asyncio.sleep(0)
        # The disk has it by now: what comes later is in another commit.
        later = asyncio.ensure_future(store.put("/pods", "x/later", value("v"), expect=0))
        await asyncio.gather(write, later)
        assert commits == [1, 1]

    run(path, body)
