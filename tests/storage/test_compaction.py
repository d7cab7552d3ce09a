"""Forgetting: on request, on schedule, for want of room; and what it leaves in the file."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import Compacted, FutureRevision, Store, open_store
from kajitori.storage import file_store as file_store_module
from kajitori.storage import log as log_module


def rows(path: Path) -> list[tuple[int, str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT revision, name FROM log ORDER BY revision").fetchall()
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_only_what_nobody_can_ask_for_is_removed(path: Path) -> None:  # L3
    async def body(store: Store) -> None:
        await store.put("/pods", "a", value("1"), expect=0)
        await store.put("/pods", "b", value("2"), expect=0)
        await store.put("/pods", "a", value("3"), expect=1)
        await store.delete("/pods", "b", None, expect=2)
        await store.put("/pods", "a", value("5"), expect=3)
        await store.compact(3)
        assert rows(path) == [(2, "b"), (3, "a"), (4, "b"), (5, "a")]
        assert [item.revision for item in await store.range_at("/pods", 3)] == [3, 2]
        with pytest.raises(Compacted) as gone:
            await store.range_at("/pods", 2)
        assert (gone.value.revision, gone.value.oldest) == (2, 3)
        assert [event.revision for event in store.history(3)] == [4, 5]
        await store.compact(2)
        assert store.compacted == 3
        await store.compact(5)
        assert rows(path) == [(5, "a")]
        with pytest.raises(FutureRevision):
            await store.compact(6)

    run(path, body)


def test_compaction_and_writes_take_turns(path: Path) -> None:  # L3
    async def body(store: Store) -> None:
        for start in range(0, 5000, 500):
            await asyncio.gather(
                *(
                    store.put("/pods", f"p{n % 50}", value("x"), expect=None)
                    for n in range(start, start + 500)
                )
            )
        compaction = asyncio.ensure_future(store.compact(store.revision))
        meanwhile = 0
        while not compaction.done():
            await store.put("/pods", "other", value("x"), expect=None)
            meanwhile += 1
        assert meanwhile >= 3  # One commit at least between any two steps.
        await compaction
        assert len(rows(path)) == 50 + meanwhile

    run(path, body)


def test_an_unfinished_compaction_is_finished_by_the_next(path: Path) -> None:  # L3, L4
    async def first(store: Store) -> None:
        await asyncio.gather(*(store.put("/pods", f"p{n}", value("x"), expect=0) for n in range(500)))
        await asyncio.gather(*(store.put("/pods", f"p{n}", value("x"), expect=None) for n in range(500)))
        await asyncio.gather(*(store.delete("/pods", f"p{n}", None, expect=None) for n in range(500)))
        compaction = asyncio.ensure_future(store.compact(1500))
        await asyncio.sleep(0)
        await store.close()  # Ends it after a step.
        await asyncio.gather(compaction, return_exceptions=True)

    async def second(store: Store) -> None:
        assert store.revision == 1500
        assert store.buckets() == []
        with pytest.raises(Compacted):
            await store.range_at("/pods", 1499) if store.compacted else store.history(-1)
        await store.compact(1500)
        assert rows(path) == []

    run(path, first)
    assert len(rows(path)) > 0
    run(path, second)


def test_the_schedule_forgets_what_is_older_than_its_period(path: Path) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for where in (path, None):
            store = await open_store(where, compact_every_seconds=0.01)
            for n in range(3):
                await store.put("/pods", "a", value(str(n)), expect=n)
            period_ends = loop.create_future()
            loop.call_later(0.025, period_ends.set_result, None)
            await period_ends
            assert store.compacted == 3
            assert store.history(3) == []
            await store.compact(3)  # Waits for the sweep.
            assert where is None or rows(where) == [(3, "a")]
            await store.close()

    asyncio.run(main())


def test_a_burst_beyond_the_bound_cuts_history_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_store_module, "LOG_BYTES_MAX", 2_000_000)

    async def body(store: Store) -> None:
        for _ in range(200):
            await asyncio.gather(
                *(store.put("/pods", f"p{n}", value("x" * 10_000), expect=None) for n in range(10))
            )
        assert store.compacted > 1_700
        await store.compact(store.compacted)
        assert len(rows(path)) < 300

    run(path, body)
    assert path.stat().st_size < 7_500_000  # of twenty million bytes that were written


def size_of(path: Path) -> int:
    return path.stat().st_size


def test_what_is_forgotten_makes_room_for_what_comes(path: Path) -> None:
    """Overwriting for ever needs no more than what is kept, twice over."""
    sizes: list[int] = []

    async def body(store: Store) -> None:
        for _ in range(20):
            await asyncio.gather(
                *(store.put("/pods", f"p{n % 50}", value("x" * 10_000), expect=None) for n in range(200))
            )
            await store.compact(store.revision)
            sizes.append(sum(size_of(each) for each in (path, path.with_name("state.db-wal"))))

    run(path, body)
    written = 20 * 200 * 10_000
    assert max(sizes) < written / 2
    assert max(sizes[10:]) < 1.1 * max(sizes[:10]), "no larger however long it goes on"


def test_the_file_shrinks_when_most_of_it_is_unused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "FREE_PAGES_KEPT", 10)

    async def body(store: Store) -> None:
        await asyncio.gather(
            *(store.put("/pods", f"p{n}", value("x" * 50_000), expect=0) for n in range(100))
        )
        await asyncio.gather(*(store.delete("/pods", f"p{n}", None, expect=None) for n in range(100)))
        await store.compact(store.revision)

    run(path, body)
    assert path.stat().st_size < 500_000  # From 5 MB.


class SlowingClock:
    """A second passes between any two looks at it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


def test_steps_become_smaller_on_a_slow_disk(path: Path) -> None:  # L3
    async def body(store: Store) -> None:
        await asyncio.gather(*(store.put("/pods", f"p{n}", value("x"), expect=0) for n in range(200)))
        await asyncio.gather(*(store.delete("/pods", f"p{n}", None, expect=None) for n in range(200)))
        compaction = asyncio.ensure_future(store.compact(400))
        commits = 0
        while not compaction.done():
            await store.put("/pods", "other", value("x"), expect=None)
            commits += 1
        assert commits > 100  # 64 rows, 32, 16, … and in the end one a step.
        assert store.count("/pods") == 1

    run(path, body, clock=SlowingClock())


def test_the_past_is_read_while_it_is_written(path: Path) -> None:  # S6
    async def body(store: Store) -> None:
        for n in range(50):
            await store.put("/pods", f"p{n % 10}", value(str(n)), expect=None)
        then = store.revision
        expected = list(store.range("/pods"))
        for n in range(50):
            await store.put("/pods", f"p{n % 12}", value(str(n)), expect=None)
        question = asyncio.ensure_future(store.range_at("/pods", then))
        page = asyncio.ensure_future(store.range_at("/pods", then, "p", after="p3", limit=2))
        for n in range(50):
            await store.put("/pods", f"p{n % 14}", value(str(n)), expect=None)
            await store.delete("/pods", f"p{n % 14}", None, expect=None)
        assert await question == expected
        assert [item.name for item in await page] == ["p4", "p5"]
        late = asyncio.ensure_future(store.range_at("/pods", then))
        await asyncio.sleep(0)
        compaction = asyncio.ensure_future(store.compact(store.revision))
        with pytest.raises(Compacted):
            await late
        await compaction

    run(path, body, history_events_max=5)
