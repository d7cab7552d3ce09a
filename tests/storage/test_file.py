"""The file: what opening it refuses and why, and what survives a restart."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import (
    Compacted,
    Item,
    OpenError,
    Store,
    StoreDamaged,
    StoreForeign,
    StoreLocked,
    StoreTooNew,
    StoreUnavailable,
    open_store,
)
from kajitori.storage.format import FORMAT_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def fill(path: Path, count: int = 40) -> None:
    async def body(store: Store) -> None:
        for n in range(count):
            await store.put("/pods", f"default/p{n % 20:02d}", value("x" * 700), expect=None)

    run(path, body)


def refused(path: Path) -> OpenError:
    """Why `path` is not opened; nothing of it is touched meanwhile."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(OpenError) as why:
        asyncio.run(open_store(path))
    assert (path.read_bytes() if path.is_file() else None) == before
    message = str(why.value)
    assert str(path) in message and "\n" not in message
    return why.value


def test_a_restart_changes_nothing(path: Path) -> None:  # L2
    seen: list[object] = []

    async def look(store: Store) -> None:
        seen.append(
            (
                store.revision,
                store.range("/pods"),
                store.history(0),
                await store.range_at("/pods", 3),
                store.compacted,
            )
        )

    async def first(store: Store) -> None:
        for n in range(5):
            await store.put("/pods", f"p{n}", value("one"), expect=0)
        await store.put("/pods", "p1", value("two"), expect=2)
        await store.delete("/pods", "p2", value("gone"), expect=None)
        await look(store)

    run(path, first)
    run(path, look)
    run(path, look)
    assert seen[0] == seen[1] == seen[2]


def test_revisions_go_on_after_the_last_even_if_its_row_is_swept(path: Path) -> None:  # S2, L4
    async def first(store: Store) -> None:
        await store.put("/pods", "a", value("a"), expect=0)
        await store.delete("/pods", "a", None, expect=1)
        await store.compact(2)

    async def second(store: Store) -> None:
        assert (store.revision, store.compacted) == (2, 2)
        assert store.range("/pods") == [] and store.buckets() == []
        with pytest.raises(Compacted):
            store.history(1)
        assert (await store.put("/pods", "a", value("a"), expect=0)).revision == 3

    run(path, first)
    run(path, second)


def test_only_the_owner_may_read_it(path: Path) -> None:  # F3
    async def body(store: Store) -> None:
        await store.put("/secrets", "a", value("a"), expect=0)
        for each in path.parent.iterdir():
            assert stat.S_IMODE(each.stat().st_mode) == 0o600, each

    run(path, body)


def test_a_second_process_is_told_who_has_it(path: Path) -> None:  # F1
    script = "import asyncio, sys; from pathlib import Path; from kajitori.storage import open_store\n"
    script += "asyncio.run(open_store(Path(sys.argv[1])))"

    async def body(store: Store) -> None:
        other = subprocess.run(  # noqa: ASYNC221
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
        assert other.returncode == 1
        assert f"StoreLocked: {path}: the store is in use by process {os.getpid()};" in other.stderr
        await store.put("/pods", "a", value("a"), expect=0)

    run(path, body)


def test_the_same_process_cannot_open_it_twice_by_whatever_name(path: Path) -> None:  # F1
    alias = path.with_name("alias.db")
    alias.symlink_to(path)

    async def body(store: Store) -> None:
        for name in (path, alias):
            with pytest.raises(StoreLocked) as locked:
                await open_store(name)
            assert locked.value.pid == os.getpid()
        await store.put("/pods", "a", value("a"), expect=0)

    run(path, body)
    run(alias, body=lambda store: asyncio.sleep(0))


def test_the_lock_ends_with_a_failed_open(path: Path) -> None:  # F1
    path.write_bytes(b"not a database at all")
    refused(path)
    path.unlink()
    fill(path, 1)


def test_opening_that_is_cancelled_lets_go(path: Path) -> None:  # F1
    async def main() -> None:
        task = asyncio.ensure_future(open_store(path))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while True:
            try:
                store = await open_store(path)
            except StoreLocked:
                await asyncio.sleep(0)
            else:
                break
        await store.close()

    asyncio.run(main())


def test_a_missing_directory(path: Path) -> None:
    missing = path.parent / "none" / "state.db"
    why = refused(missing)
    assert isinstance(why, StoreUnavailable)
    assert f"there is no directory {missing.parent}; create it first" in str(why)
    assert not missing.parent.exists()


def test_a_file_where_the_directory_should_be(path: Path) -> None:
    path.write_text("a file")
    assert isinstance(refused(path / "state.db"), StoreUnavailable)


def test_a_directory_where_the_file_should_be(path: Path) -> None:
    path.mkdir()
    why = refused(path)
    assert isinstance(why, StoreUnavailable) and "this is a directory" in str(why)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        why = refused(path)
    finally:
        path.parent.chmod(0o700)
    assert isinstance(why, StoreUnavailable) and "must be writable" in str(why)


@pytest.mark.parametrize("content", [b"apiVersion: v1\nkind: Pod\n" * 50, b"x", b"SQLite format 3"])
def test_what_is_not_a_database(path: Path, content: bytes) -> None:  # F2
    path.write_bytes(content)
    assert isinstance(refused(path), (StoreForeign, StoreDamaged))


def test_a_database_of_another_program(path: Path) -> None:  # F2
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.commit()
    connection.close()
    why = refused(path)
    assert isinstance(why, StoreForeign) and "belongs to another program" in str(why)


def test_a_later_version(path: Path) -> None:  # F2
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    connection.close()
    why = refused(path)
    assert isinstance(why, StoreTooNew) and f"has format {FORMAT_VERSION + 1}" in str(why)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_file(path: Path, part: float) -> None:  # F2
    fill(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert isinstance(refused(path), StoreDamaged)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_page_of_nonsense(path: Path, part: float) -> None:  # F2
    fill(path)
    content = bytearray(path.read_bytes())
    start = int(len(content) * part) // 8192 * 8192
    content[start : start + 8192] = b"\xa5" * 8192
    path.write_bytes(content)
    assert isinstance(refused(path), StoreDamaged)


def test_one_flipped_bit_in_an_object(path: Path) -> None:  # F2
    fill(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"xxxxx@30")
    content[place] ^= 1
    path.write_bytes(content)
    why = refused(path)
    assert isinstance(why, StoreDamaged)
    assert "the write of /pods default/p09 at revision 30 is not as it was made" in str(why)
    assert "restore a backup" in str(why)


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("UPDATE log SET bucket = CAST(x'2fff0a73' AS TEXT) WHERE revision = 7", "Could not decode to UTF-8"),
        ("DROP TABLE log", "no such table: log"),
        ("DROP TABLE meta", "no such table: meta"),
        ("DELETE FROM meta", "it does not tell 'compacted'"),
    ],
)
def test_what_is_not_readable_is_damaged(path: Path, statement: str, detail: str) -> None:  # F2
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    why = refused(path)
    assert isinstance(why, StoreDamaged) and detail in str(why)


def test_a_row_that_is_missing(path: Path) -> None:  # F2
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM log WHERE revision = 5")
    connection.commit()
    connection.close()
    why = refused(path)
    assert isinstance(why, StoreDamaged) and "default/p04 at revision 25" in str(why)


def test_an_emptied_file_with_a_log_beside_it(path: Path) -> None:  # F2
    path.write_bytes(b"")
    path.with_name("state.db-wal").write_bytes(b"x" * 100)
    assert isinstance(refused(path), StoreDamaged)
    assert path.with_name("state.db-wal").read_bytes() == b"x" * 100


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    fill(path, 3)

    async def body(store: Store) -> None:
        assert store.revision == 3

    run(path, body)


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 33, 60, 4000, 8216, 8217, 20_000, 50_000])
def test_a_torn_log_loses_only_its_end(path: Path, tmp_path: Path, cut: int) -> None:
    """The machine lost power in the middle of a commit: a copy of the files is cut somewhere from its end."""
    events: dict[int, Item] = {}
    copy = tmp_path / "copy"
    copy.mkdir()

    async def body(store: Store) -> None:
        for n in range(30):
            item = await store.put("/pods", f"p{n}", value("x" * 3000), expect=0)
            events[item.revision] = item
        for each in (path, path.with_name("state.db-wal")):
            shutil.copy(each, copy)

    run(path, body)
    log = copy / "state.db-wal"
    size = log.stat().st_size
    assert size > 60_000
    os.truncate(log, size - cut)

    async def look(store: Store) -> None:
        kept = store.revision
        assert kept == 30 if cut == 0 else 0 < kept < 30
        assert {item.revision: item for item in store.range("/pods")} == {
            n: events[n] for n in range(1, kept + 1)
        }
        assert (await store.put("/pods", "next", value("x"), expect=0)).revision == kept + 1

    run(copy / "state.db", look)


def test_nonsense_behind_the_log_loses_nothing(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()

    async def body(store: Store) -> None:
        for n in range(10):
            await store.put("/pods", f"p{n}", value("x"), expect=0)
        for each in (path, path.with_name("state.db-wal")):
            shutil.copy(each, copy)

    run(path, body)
    with (copy / "state.db-wal").open("ab") as log:
        log.write(b"\x5a" * 12_345)

    async def look(store: Store) -> None:
        assert store.revision == store.count("/pods") == 10

    run(copy / "state.db", look)
