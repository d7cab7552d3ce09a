"""Copies made while the store is in use."""

import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import BackupError, Item, Store
from kajitori.storage.backup import back_up, inspect, read_items
from kajitori.storage.errors import BackupUnfit
from kajitori.storage.format import FORMAT_VERSION


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


def test_the_objects_of_a_backup_are_those_that_were_there(tmp_path: Path, copy: Path) -> None:
    async def body(store: Store) -> None:
        for bucket, name, text in (
            ("/pods", "b", "1"),
            ("/pods", "a", "2"),
            ("/nodes", "n", "3"),
            ("/pods", "c", "4"),
        ):
            await store.put(bucket, name, value(text), expect=0)
        await store.put("/pods", "b", value("5"), expect=None)
        await store.delete("/pods", "c", value("6"), expect=None)
        await store.backup(copy)

    run(tmp_path / "state.db", body)
    assert list(read_items(copy, ["/pods", "/none"])) == ["/pods"]
    a, b = read_items(copy, ["/pods"])["/pods"]
    assert b"2" in a and b"5" in b
    copy.write_bytes(b"no database")
    with pytest.raises(BackupUnfit, match="this is no store and no backup of one"):
        read_items(copy, ["/pods"])


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
        with pytest.raises(BackupError, match="there is no directory"):
            await store.backup(tmp_path / "none" / "copy.db")
        await store.put("/pods", "b", value("b"), expect=0)

    run(tmp_path / "state.db" if in_file else None, body)
    assert copy.read_text() == "precious"
    assert not list(tmp_path.glob("*.partial"))


# Backups: by another process than the one that writes, or with none that does.


def filled(path: Path, size: int = 700) -> None:
    """A store with a history: 20 names, each written twice."""

    async def body(store: Store) -> None:
        for n in range(40):
            await store.put("/pods", f"default/p{n % 20:02d}", value("x" * size), expect=None)

    run(path, body)


def folder(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}


BACK_UP = """
import sys
from pathlib import Path
from kajitori.storage.backup import back_up
print(back_up(Path(sys.argv[1]), Path(sys.argv[2])).revision)
"""


def test_another_process_backs_up_what_is_being_written(tmp_path: Path, copy: Path) -> None:  # B1, B4
    path = tmp_path / "state.db"
    acknowledged: dict[int, Item] = {}
    bounds: list[int] = []

    async def body(store: Store) -> None:
        async def write() -> None:
            for n in range(100_000):
                item = await store.put("/pods", f"p{n}", value("x" * 1000), expect=0)
                acknowledged[item.revision] = item

        writer = asyncio.ensure_future(write())
        await asyncio.gather(*(store.put("/nodes", f"n{n}", value(""), expect=0) for n in range(20)))
        bounds.append(store.revision)
        words = [sys.executable, "-c", BACK_UP, str(path), str(copy)]
        process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
        told, _ = await process.communicate()
        bounds.append(store.revision)
        writer.cancel()
        assert process.returncode == 0
        assert bounds[0] <= int(told) <= bounds[1] and bounds[1] > bounds[0]

    run(path, body)
    found = inspect(copy)
    assert found.objects == found.revision <= bounds[1]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    async def look(store: Store) -> None:
        kept = {item.revision: item for item in store.range("/pods")}
        assert len(kept) == found.objects - 20
        assert kept.items() <= acknowledged.items()

    run(copy, look)


def test_a_store_that_nobody_uses_is_copied_and_left_as_it_is(tmp_path: Path, copy: Path) -> None:  # B4
    path = tmp_path / "state" / "state.db"
    path.parent.mkdir()
    filled(path)
    before = folder(path)
    told: list[tuple[str, float]] = []
    contents = back_up(path, copy, progress=lambda doing, share: told.append((doing, share)))
    after = folder(path)
    assert {name: after[name] for name in before} == before
    assert after.get("state.db-wal", b"") == b"", "what SQLite leaves of reading says nothing"
    assert (contents.revision, contents.objects, contents.format) == (40, 20, FORMAT_VERSION)
    assert (contents.file, contents.size_bytes) == (str(copy), copy.stat().st_size)
    assert inspect(copy) == contents
    assert "verifying" in dict(told) and all(0 <= share <= 1 for _, share in told)


def test_what_a_killed_server_left_in_its_log_is_copied(tmp_path: Path, copy: Path) -> None:  # B1
    path = tmp_path / "state.db"
    left = tmp_path / "left"
    left.mkdir()

    async def body(store: Store) -> None:
        for n in range(10):
            await store.put("/pods", f"p{n}", value("x"), expect=0)
        for name in ("state.db", "state.db-wal"):
            shutil.copy(path.with_name(name), left)

    run(path, body)
    assert back_up(left / "state.db", copy).objects == 10


def test_only_on_request_is_an_earlier_backup_replaced(tmp_path: Path, copy: Path) -> None:  # B2
    path = tmp_path / "state.db"
    filled(path)
    copy.write_text("precious")
    with pytest.raises(BackupError, match="this file exists already"):
        back_up(path, copy)
    assert copy.read_text() == "precious"
    assert back_up(path, copy, replace=True).objects == 20
    copy.with_name("copy.db.partial").write_bytes(b"left by a backup that was killed" * 1000)
    assert back_up(path, copy, replace=True) == inspect(copy)
    with pytest.raises(BackupError, match="this is a directory"):
        back_up(path, tmp_path, replace=True)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("begins", [b"xxxxx@30", b"default/p09"])
def test_a_damaged_store_gives_no_backup(tmp_path: Path, copy: Path, begins: bytes) -> None:  # B3
    path = tmp_path / "state.db"
    filled(path)
    content = bytearray(path.read_bytes())
    content[content.rindex(begins)] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupUnfit) as why:
        back_up(path, copy)
    assert str(why.value).startswith(f"{path}: this file is damaged (") and "\n" not in str(why.value)
    assert not copy.exists() and not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    "statement", ["UPDATE log SET bucket = CAST(x'2fff0a73' AS TEXT) WHERE revision = 7", "DROP TABLE log"]
)
def test_what_cannot_be_read_gives_no_backup(tmp_path: Path, copy: Path, statement: str) -> None:  # B3
    path = tmp_path / "state.db"
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(BackupUnfit, match="this file is damaged"):
        back_up(path, copy)
    with pytest.raises(BackupUnfit, match="this file is damaged"):
        inspect(path)
    assert not copy.exists()


def test_pages_of_nonsense_give_no_backup(tmp_path: Path, copy: Path) -> None:  # B3
    path = tmp_path / "state.db"
    filled(path)
    whole = path.read_bytes()
    for page in range(1, len(whole) // 8192):
        content = bytearray(whole)
        content[page * 8192 : (page + 1) * 8192] = b"\xa5" * 8192
        path.write_bytes(content)
        try:
            contents = back_up(path, copy)
        except BackupUnfit:
            assert not copy.exists()
        else:  # Nothing of worth was on that page.
            assert (contents.revision, contents.objects) == (40, 20)
            copy.unlink()


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def too_new(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "it cannot be read (Is a directory)"),
        (lambda path: path.touch(), "this is no store and no backup of one"),
        (lambda path: path.write_text("apiVersion: v1\n" * 100), "this is no store and no backup of one"),
        (
            lambda path: path.write_bytes(b"SQLite format 3\0"),
            "this file is damaged (it ends after 16 bytes)",
        ),
        (foreign, "this is no store and no backup of one"),
        (too_new, f"the store has format {FORMAT_VERSION + 1} and this version reads up to {FORMAT_VERSION}"),
    ],
)
def test_what_is_no_backup_is_told_in_one_sentence(tmp_path: Path, make: object, sentence: str) -> None:
    path = tmp_path / "given"
    assert callable(make)
    make(path)
    with pytest.raises(BackupUnfit) as why:
        inspect(path)
    assert str(why.value).startswith(f"{path}: {sentence}") and "\n" not in str(why.value)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:  # B1
    path = tmp_path / "state.db"
    filled(path, 70_000)
    (small_disk / "ballast").write_bytes(b"\0" * (2 * 1024 * 1024 - 40_000))
    copy = small_disk / "copy.db"
    with pytest.raises(BackupError) as full:
        back_up(path, copy)
    assert str(full.value) == f"{copy}: no room is left on the disk; free some space and try again"
    assert [each.name for each in small_disk.iterdir()] == ["ballast"]
