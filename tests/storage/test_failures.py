"""A disk that is full or fails while the store is in use."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import Item, StorageError, Store, StoreFull, open_store
from kajitori.storage.file_store import WRITES_PENDING_MAX


@contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """Writes beyond fail, for this whole process: as real as a failing disk, and needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_failed_commit_changes_nothing_and_later_ones_succeed(tmp_path: Path) -> None:  # S7, S2, L1
    path = tmp_path / "state.db"

    async def body(store: Store) -> None:
        heard: list[int] = []
        store.subscribe("", lambda event: heard.append(event.revision))
        kept = await store.put("/pods", "kept", value("kept"), expect=0)
        with files_no_larger_than(path.with_name("state.db-wal").stat().st_size):
            outcomes = await asyncio.gather(
                *(store.put("/pods", f"p{n}", value("x" * 1000), expect=0) for n in range(5)),
                store.delete("/pods", "kept", None, expect=1),
                store.put("/pods", "p0", value("waits for the first"), expect=0),
                return_exceptions=True,
            )
            for outcome in outcomes:
                assert isinstance(outcome, StorageError)
                message = str(outcome)
                assert message.startswith(f"{path}: nothing was written: the disk reported an error")
                assert "\n" not in message
            assert store.range("/pods") == [kept]
            assert store.get("/pods", "kept") == kept
            assert [event.revision for event in store.history(0)] == heard == [1]
            assert store.revision == 1
        later = await store.put("/pods", "p0", value("later"), expect=0)
        assert later.revision == 9  # Never one of the seven that were given out in vain.
        assert heard == [1, 9]

    async def again(store: Store) -> None:
        assert [item.name for item in store.range("/pods")] == ["kept", "p0"]
        assert store.revision == 9

    run(path, body)
    run(path, again)


def test_large_commits_fail_as_a_whole(tmp_path: Path) -> None:  # L1
    path = tmp_path / "state.db"

    async def body(store: Store) -> None:
        await store.put("/pods", "kept", value("kept"), expect=0)
        with files_no_larger_than(200_000):
            outcomes = await asyncio.gather(
                *(store.put("/pods", f"p{n}", value("x" * 1000), expect=0) for n in range(400)),
                return_exceptions=True,
            )
        assert all(isinstance(outcome, StorageError) for outcome in outcomes)
        assert store.count("/pods") == 1
        await store.put("/pods", "later", value("later"), expect=0)

    async def again(store: Store) -> None:
        assert [item.name for item in store.range("/pods")] == ["kept", "later"]

    run(path, body)
    run(path, again)


def test_a_full_disk_is_named_and_room_is_used_when_it_is_back(small_disk: Path) -> None:  # S7
    path = small_disk / "state.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 1_000_000)
    acknowledged: list[Item] = []

    async def fill_up(store: Store) -> None:
        for n in range(10_000):
            acknowledged.append(await store.put("/pods", f"p{n:05d}", value("x" * 4000), expect=0))

    async def body(store: Store) -> None:
        with pytest.raises(StorageError) as full:
            await fill_up(store)
        message = f"{path}: nothing was written: no room is left on the disk; free some space and try again"
        assert str(full.value) == message
        assert store.range("/pods") == acknowledged != []
        ballast.unlink()
        acknowledged.append(await store.put("/pods", "q", value("q"), expect=0))
        await store.compact(store.revision)

    async def again(store: Store) -> None:
        assert store.range("/pods") == acknowledged

    run(path, body)
    run(path, again)


def test_no_room_to_open(small_disk: Path) -> None:
    path = small_disk / "state.db"
    (small_disk / "ballast").write_bytes(b"\0" * (2 * 1024 * 1024 - 4096))
    with pytest.raises(StoreFull) as full:
        asyncio.run(open_store(path))
    assert str(full.value) == f"{path}: no room is left on the disk; free some space and try again"


def test_a_store_on_a_full_disk_refuses_to_open_and_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "state.db"

    async def one(store: Store) -> None:
        await store.put("/pods", "a", value("a"), expect=0)

    run(path, one)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    with pytest.raises(StoreFull):
        asyncio.run(open_store(path))
    ballast.unlink()

    async def look(store: Store) -> None:
        assert store.count("/pods") == 1

    run(path, look)


def test_too_many_waiting_writes_are_refused(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        def burst() -> list[asyncio.Future[Item]]:
            return [
                asyncio.ensure_future(store.put("/pods", f"p{n}", lambda _: b"{}", expect=0))
                for n in range(WRITES_PENDING_MAX + 10)
            ]

        outcomes = await asyncio.gather(*burst(), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, StorageError)]
        assert 0 < len(refused) <= 10
        assert "writes wait for the disk already; try again later" in str(refused[0])
        assert store.count("/pods") == len(outcomes) - len(refused)

    run(tmp_path / "state.db", body)
