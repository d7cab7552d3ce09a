"""Backups that become the state of a server again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.support import run, value

from kajitori.storage import BackupError, Compacted, Store
from kajitori.storage.backup import back_up, inspect
from kajitori.storage.errors import BackupUnfit
from kajitori.storage.format import pending
from kajitori.storage.restore import BUMP_REVISION, restore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a server keeps its state; nothing is there yet."""
    return tmp_path / "data" / "state.db"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of five objects at revision 8: one was written again, one deleted."""

    async def body(store: Store) -> None:
        for n in range(6):
            await store.put("/pods", f"p{n}", value("first"), expect=0)
        await store.put("/pods", "p1", value("second"), expect=2)
        await store.delete("/pods", "p2", None, expect=3)

    run(tmp_path / "old.db", body)
    back_up(tmp_path / "old.db", tmp_path / "backup.db")
    return tmp_path / "backup.db"


def names(path: Path) -> list[str]:
    found: list[str] = []

    async def look(store: Store) -> None:
        found.extend(item.name for item in store.range("/pods"))

    run(path, look)
    return found


RESTORED = ["p0", "p1", "p3", "p4", "p5"]


def other_state(path: Path) -> None:
    async def body(store: Store) -> None:
        for n in range(20):
            await store.put("/pods", f"other{n:02}", value("x"), expect=0)

    path.parent.mkdir(exist_ok=True)
    run(path, body)


def test_revisions_go_on_beyond_all_that_clients_have_seen(path: Path, backup: Path) -> None:  # P4
    told = restore(backup, path)
    assert (told.file, told.objects, told.revision) == (str(path), 5, 8 + BUMP_REVISION)

    async def look(store: Store) -> None:
        assert [(item.name, item.revision) for item in store.range("/pods")] == [
            *(("p0", 1), ("p1", 7), ("p3", 4), ("p4", 5), ("p5", 6))
        ]
        assert (store.revision, store.compacted) == (told.revision, told.revision)
        for since in (7, 8, 9, 5000):
            with pytest.raises(Compacted):
                store.history(since)
        item = await store.put("/pods", "p9", value("new"), expect=0)
        assert item.revision == told.revision + 1
        assert [event.revision for event in store.history(told.revision)] == [item.revision]

    run(path, look)
    assert names(path) == [*RESTORED, "p9"]


def test_without_a_bump_history_is_kept(path: Path, backup: Path) -> None:  # P4
    assert restore(backup, path, bump_revision=0).revision == 8

    async def look(store: Store) -> None:
        assert [event.revision for event in store.history(0)] == list(range(1, 9))
        assert (await store.put("/pods", "p9", value("new"), expect=0)).revision == 9

    run(path, look)


def test_what_is_there_is_replaced_only_on_request(path: Path, backup: Path) -> None:  # P3
    other_state(path)
    with pytest.raises(BackupError, match="this state exists already and would be lost"):
        restore(backup, path)
    assert names(path)[0] == "other00"
    restore(backup, path, replace=True)
    assert names(path) == RESTORED


def test_a_server_that_runs_is_left_alone(path: Path, backup: Path) -> None:  # P3
    path.parent.mkdir()

    async def body(store: Store) -> None:
        await store.put("/pods", "mine", value("x"), expect=0)
        with pytest.raises(BackupError, match=f"the store is in use by process {os.getpid()}"):
            restore(backup, path, replace=True)
        await store.put("/pods", "mine too", value("x"), expect=0)

    run(path, body)
    assert names(path) == ["mine", "mine too"]


def test_a_damaged_backup_changes_nothing(path: Path, backup: Path) -> None:  # P1
    content = bytearray(backup.read_bytes())
    content[content.index(b"second@7")] ^= 1
    backup.write_bytes(content)
    sentence = "is damaged .the write of /pods p1 at revision 7 is not as it was made.; use another one"
    with pytest.raises(BackupUnfit, match=sentence):
        restore(backup, path)
    assert not path.parent.exists(), "what was made for it is gone"
    other_state(path)
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    with pytest.raises(BackupUnfit, match=sentence):
        restore(backup, path, replace=True)
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_folder_that_cannot_be_made(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="cannot use the directory"):
        restore(backup, tmp_path / "file" / "data" / "state.db")


def test_a_full_disk_leaves_what_was_there(small_disk: Path, backup: Path) -> None:  # P1
    path = small_disk / "state.db"
    other_state(path)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        left = shutil.disk_usage(small_disk).free
        file.write(b"\0" * (left - 8192))
    with pytest.raises(BackupError, match="no room is left on the disk"):
        restore(backup, path, replace=True)
    ballast.unlink()
    assert len(names(path)) == 20


RESTORE = """
import os, shutil, signal, sys
from pathlib import Path
from kajitori.storage import restore

backup, template, work = map(Path, sys.argv[1:])
STEPS = ("os.rename", "os.remove", "os.link", "os.truncate", "open", "sqlite3.connect", "fcntl.flock")

def child(step, path):
    def killed_at(event, arguments):
        nonlocal step
        if event in STEPS:
            step -= 1
            if step < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(killed_at)
    restore.restore(backup, path, replace=True)
    os._exit(0)

for step in range(100):
    folder = work / f"{step:03}"
    shutil.copytree(template, folder)
    pid = os.fork()
    if not pid:
        child(step, folder / "state.db")
    if not os.waitpid(pid, 0)[1]:
        break
"""


@pytest.mark.parametrize("with_log", [False, True])
def test_a_kill_at_any_step_leaves_one_of_the_two(
    tmp_path: Path, path: Path, backup: Path, with_log: bool
) -> None:  # P2
    """With a log beside it: the state is one that a killed server left."""
    other_state(path)
    if with_log:
        leave_a_log(path)
    work = tmp_path / "work"
    work.mkdir()
    subprocess.run([sys.executable, "-c", RESTORE, str(backup), str(path.parent), str(work)], check=True)
    others = [f"other{n:02}" for n in range(20 + with_log)]
    outcomes = [names(folder / "state.db") for folder in sorted(work.iterdir())]
    assert 8 < len(outcomes) < 100
    assert outcomes[0] == others and outcomes[-1] == RESTORED
    decided = outcomes.index(RESTORED)
    assert outcomes == [others] * decided + [RESTORED] * (len(outcomes) - decided)
    assert len(outcomes) - decided > 2, "some were killed after that was decided"


def leave_a_log(path: Path) -> None:
    kept = path.with_name("kept")
    kept.mkdir()

    async def body(store: Store) -> None:
        await store.put("/pods", "other20", value("x"), expect=0)
        for each in (path, path.with_name("state.db-wal")):
            shutil.copy(each, kept)

    run(path, body)
    for each in kept.iterdir():
        shutil.move(each, path.with_name(each.name))
    kept.rmdir()


@pytest.mark.parametrize("left", ["all", "no log", "nothing"])
def test_a_start_finishes_what_a_crash_interrupted(
    path: Path, backup: Path, tmp_path: Path, left: str
) -> None:  # P2
    other_state(path)
    leave_a_log(path)
    if left != "all":
        path.with_name("state.db-wal").unlink()
    if left == "nothing":
        path.unlink()
    shutil.copy(backup, pending(path))  # As right after the rename that decides.
    back_up(path, tmp_path / "second.db")
    assert inspect(tmp_path / "second.db").objects == 5, "a backup sees it as the next start will"
    assert names(path) == RESTORED
    assert not pending(path).exists()
