"""Files of earlier versions: a recorded one is read for ever, and steps to later ones are taken whole or not at all."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import Store, StoreDamaged
from kajitori.storage import format as format_module
from kajitori.storage.backup import back_up
from kajitori.storage.format import APPLICATION_ID, FORMAT_VERSION, MIGRATIONS
from kajitori.storage.restore import restore

RECORDED = Path(__file__).with_name("format_1.sql")
"""What version 0.1.0 wrote, as SQL: five writes of format 1."""


def recorded(path: Path) -> None:
    """The recorded file, as a database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(RECORDED.read_text())
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    recorded(path)
    return path


def step(connection: sqlite3.Connection) -> None:
    """A step to a format that is not there yet: a column more, filled from the others."""
    connection.execute("ALTER TABLE log ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE log SET size = length(value)")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> int:
    """The version of a program to come, which has one more format."""
    monkeypatch.setattr(format_module, "FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setitem(MIGRATIONS, FORMAT_VERSION, step)
    return FORMAT_VERSION + 1


def version(path: Path) -> tuple[int, bool]:
    """The version of a file, and whether the step was taken."""
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        return found, "size" in {each[1] for each in connection.execute("PRAGMA table_info(log)")}


async def look(store: Store) -> None:
    assert store.revision == 5
    assert [(item.name, item.value, item.revision) for item in store.range("/configmaps")] == [
        ("default/a", b'{"n":3}', 3),
        ("default/ｂ", b'{"n":2}', 2),
    ]
    assert store.range("/secrets") == []
    assert [event.revision for event in store.history(0)] == [1, 2, 3, 4, 5]


def test_what_the_first_version_wrote_is_read(path: Path) -> None:  # F4
    run(path, look)
    assert version(path)[0] == FORMAT_VERSION


def test_every_step_is_there() -> None:  # F4
    assert sorted(MIGRATIONS) == list(range(1, FORMAT_VERSION))


def test_a_start_takes_the_step(path: Path, later: int) -> None:  # F4
    run(path, look)
    assert version(path) == (later, True)
    run(path, look)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT sum(size) FROM log WHERE NOT deleted").fetchone() == (23,)


def test_several_steps_are_taken_in_a_row(
    path: Path, later: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # F4
    monkeypatch.setattr(format_module, "FORMAT_VERSION", later + 1)
    monkeypatch.setitem(
        MIGRATIONS, later, lambda connection: connection.execute("UPDATE log SET size = 1") and None
    )
    run(path, look)
    assert version(path) == (later + 1, True)


def test_a_step_that_fails_leaves_the_old_file(
    path: Path, later: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: and says why it cannot be opened."""

    def fails(connection: sqlite3.Connection) -> None:
        step(connection)
        connection.execute("UPDATE log SET missing = 1")

    monkeypatch.setitem(MIGRATIONS, FORMAT_VERSION, fails)

    async def body(store: Store) -> None:
        raise AssertionError("it must not open")

    with pytest.raises(Exception, match="no such column: missing"):
        run(path, body)
    assert version(path) == (FORMAT_VERSION, False)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from kajitori.storage import format as format_module, open_store
from tests.storage.test_migration import step

def killed(connection):
    connection.execute("PRAGMA cache_size = 1")  # Half of it is written to the log before the end.
    step(connection)
    connection.execute("UPDATE log SET value = zeroblob(100000)")
    os.kill(os.getpid(), signal.SIGKILL)

format_module.FORMAT_VERSION += 1
format_module.MIGRATIONS[format_module.FORMAT_VERSION - 1] = killed
asyncio.run(open_store(Path(sys.argv[1])))
"""


def test_a_kill_in_the_middle_leaves_the_old_file(path: Path, later: int) -> None:  # F4
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert path.with_name("state.db-wal").stat().st_size > 100_000
    assert version(path) == (FORMAT_VERSION, False)
    run(path, look)
    assert version(path) == (later, True)


def test_a_format_that_never_was(path: Path) -> None:  # F2
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="there never was a format 0"):
        run(path, look)
    assert path.read_bytes()[100:] == before[100:]


def test_backups_of_older_files_are_brought_up_to_date(path: Path, later: int, tmp_path: Path) -> None:  # F4
    copy = tmp_path / "copy.db"
    assert back_up(path, copy).revision == 5
    assert version(copy) == (later, True) and version(path) == (FORMAT_VERSION, False)
    restored = tmp_path / "data" / "state.db"
    restore(path, restored, bump_revision=0)
    assert version(restored) == (later, True)
    run(restored, look)


def test_an_empty_store_has_the_present_format(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.put("/pods", "a", value("a"), expect=0)

    run(tmp_path / "new.db", body)
    assert version(tmp_path / "new.db") == (FORMAT_VERSION, False)
