"""Copies made while the store is in use."""

import asyncio
import stat
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import BackupError, Item, Store


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def test_a_copy_is_the_store_at_one_moment(tmp_path: Path, copy: Path) -> None:  # B1
    acknowledged: dict[int, Item] = {}
    bounds: list[int] = []

    async def body(store: Store) -> None:
        async def write(stop: asyncio.Event) -> None:
            n = 0
            while not stop.is_set():
                n += 1
                item = await store.put("/pods", f"p{n}", value("x" * 1000), expect=0)
                acknowledged[item.revision] = item

        for n in range(20):
            acknowledged[n + 1] = await store.put("/nodes", f"n{n}", value("n"), expect=0)
        stop = asyncio.Event()
        writer = asyncio.ensure_future(write(stop))
        bounds.append(store.revision)
        await store.backup(copy)
        bounds.append(store.revision)
        stop.set()
        await writer

    async def look(store: Store) -> None:
        assert bounds[0] <= store.revision <= bounds[1] + 1
        kept = {item.revision: item for bucket in store.buckets() for item in store.range(bucket)}
        assert kept == {n: acknowledged[n] for n in range(1, store.revision + 1)}
        assert [event.item for event in store.history(0)] == [kept[n] for n in sorted(kept)]
        assert (await store.put("/pods", "next", value(""), expect=0)).revision == len(kept) + 1

    run(tmp_path / "state.db", body)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    run(copy, look)


def test_a_copy_of_memory_is_a_store_without_history(copy: Path) -> None:
    async def body(store: Store) -> None:
        await store.put("/pods", "b", value("b"), expect=0)
        await store.put("apps/deployments", "a", value("a"), expect=0)
        await store.put("/pods", "b", value("b"), expect=1)
        await store.put("/pods", "c", value("c"), expect=0)
        await store.delete("/pods", "c", None, expect=4)
        await store.backup(copy)
        before.append(store.range("/pods"))

    async def look(store: Store) -> None:
        assert (store.revision, store.compacted) == (5, 5)
        assert store.range("/pods") == before[0]
        assert store.buckets() == ["/pods", "apps/deployments"]

    before: list[object] = []
    run(None, body)
    run(copy, look)


@pytest.mark.parametrize("in_file", [True, False])
def test_nothing_is_overwritten(tmp_path: Path, copy: Path, in_file: bool) -> None:  # B2
    copy.write_text("precious")

    async def body(store: Store) -> None:
        await store.put("/pods", "a", value("a"), expect=0)
        with pytest.raises(BackupError, match="this file exists already; name another one"):
            await store.backup(copy)
        with pytest.raises(BackupError, match="the copy could not be written"):
            await store.backup(tmp_path / "none" / "copy.db")
        await store.put("/pods", "b", value("b"), expect=0)

    run(tmp_path / "state.db" if in_file else None, body)
    assert copy.read_text() == "precious"
    assert not list(tmp_path.glob("*.partial"))
