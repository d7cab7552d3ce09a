"""The power goes, at every moment there is: each acknowledged write is there, or the start says what is wrong.

What a disk holds after a power cut: all that was synced, and of what was written since any part, sector by sector, in
any order. A store is recorded with its file and its log after each acknowledgement; each test makes the files that a
cut could have left. KAJITORI_LONG tries many more places than those around the seams.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from tests.storage.support import value

from kajitori.storage import Item, StoreDamaged, open_store
from kajitori.storage import format as format_module
from kajitori.storage.history import History
from kajitori.storage.log import Log
from kajitori.world.clock import SYSTEM_CLOCK

LONG = bool(os.environ.get("KAJITORI_LONG"))
PAGE = format_module.PAGE_SIZE_BYTES
HEADER, FRAME = 32, 24 + PAGE
SECTOR = 512

State = dict[str, Item]


@dataclass
class Recorded:
    """What a store wrote, and what it had acknowledged by then."""

    file: bytes = b""
    log: bytes = b""
    states: dict[int, State] = field(default_factory=dict)
    """By revision."""
    synced: list[tuple[int, int]] = field(default_factory=list)
    """After each acknowledgement: the size of the log, the revision."""

    def read(self, path: Path) -> None:
        """Keeps the files of the open store."""
        self.file, self.log = path.read_bytes(), path.with_name("state.db-wal").read_bytes()

    def acknowledged(self, log_bytes: int) -> int:
        """The last revision that was acknowledged when the log had this size."""
        return max((revision for size, revision in self.synced if size <= log_bytes), default=0)


async def write(path: Path, recorded: Recorded, count: int, chance: random.Random) -> None:
    """Writes, overwrites and deletes; small objects, and some that need several pages."""
    log = path.with_name("state.db-wal")
    store = await open_store(path, compact_every_seconds=0)
    try:
        recorded.states[store.revision] = {item.name: item for item in store.range("/pods")}
        for _ in range(count):
            name = f"p{chance.randrange(6)}"
            if chance.random() < 0.2 and store.get("/pods", name):
                await store.delete("/pods", name, None, expect=None)
            else:
                size = chance.choice((10, 500, 20_000))
                await store.put("/pods", name, value(chance.choice("abc") * size), expect=None)
            recorded.states[store.revision] = {item.name: item for item in store.range("/pods")}
            recorded.synced.append((log.stat().st_size, store.revision))
        recorded.read(path)
    finally:
        await store.close()


@pytest.fixture
def no_folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is not folded into the file by itself."""
    monkeypatch.setattr(format_module, "WAL_PAGES", 0)


@pytest.fixture
def recorded(tmp_path: Path, no_folding: None) -> Recorded:
    made = Recorded()
    asyncio.run(write(tmp_path / "state.db", made, 25, random.Random(3)))
    return made


@pytest.fixture
def disk(tmp_path: Path) -> "Disk":
    return Disk(tmp_path / "after")


class Disk:
    """A folder that is filled with what a cut left, and started from."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "state.db"

    def started(self, file: bytes, log: bytes) -> tuple[int, State]:
        """The revision and the state that a start finds. Raises: StoreDamaged."""
        for each in self.path.parent.iterdir():
            each.unlink()
        self.path.write_bytes(file)
        self.path.with_name("state.db-wal").write_bytes(log)
        history = History()
        opened = Log(self.path, SYSTEM_CLOCK)
        try:
            revision = opened.open(history)
        finally:
            opened.close()
        return revision, dict(history.bucket("/pods").items)


def is_whole(recorded: Recorded, found: tuple[int, State], at_least: int) -> None:
    """What was found is the store exactly as it was at one revision, and none acknowledged is missing."""
    revision, state = found
    assert revision >= at_least
    assert state == recorded.states[revision]


def cuts(size: int) -> Iterator[int]:
    """Places where the log may end."""
    if LONG:
        yield from range(0, size + 1, 64)
        return
    yield from (0, 1, HEADER - 1)
    for seam in range(HEADER, size + 1, FRAME):
        yield from (each for each in (seam - 1, seam, seam + 23, seam + 24, seam + SECTOR) if each <= size)


def test_a_log_that_ends_anywhere(recorded: Recorded, disk: Disk) -> None:  # S1, T1
    for size in cuts(len(recorded.log)):
        found = disk.started(recorded.file, recorded.log[:size])
        is_whole(recorded, found, recorded.acknowledged(size))
    assert disk.started(recorded.file, recorded.log)[0] == 25


def test_a_commit_of_which_some_sectors_arrived(recorded: Recorded, disk: Disk) -> None:  # S1, T1
    chance = random.Random(4)
    ends = [size for size, _ in recorded.synced]
    for begin, end in pairwise(ends):
        for _ in range(200 if LONG else 4):
            torn = bytearray(recorded.log[:end])
            for at in range(begin, end, SECTOR):
                if chance.random() < 0.3:
                    torn[at : at + SECTOR] = bytes(len(torn[at : at + SECTOR]))
            found = disk.started(recorded.file, bytes(torn))
            is_whole(recorded, found, recorded.acknowledged(begin))


def folded(recorded: Recorded, disk: Disk) -> bytes:
    """The file once the whole log is folded into it."""
    disk.path.write_bytes(recorded.file)
    disk.path.with_name("state.db-wal").write_bytes(recorded.log)
    with closing(sqlite3.connect(disk.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return disk.path.read_bytes()


def test_folding_of_which_some_sectors_arrived(recorded: Recorded, disk: Disk) -> None:  # S1, T1
    after = folded(recorded, disk)
    before = recorded.file.ljust(len(after), b"\0")
    assert before != after
    chance = random.Random(5)
    for _ in range(2000 if LONG else 40):
        torn = bytearray(before)
        for at in range(0, len(after), SECTOR):
            if chance.random() < 0.5:
                torn[at : at + SECTOR] = after[at : at + SECTOR]
        file = bytes(torn[: chance.choice((len(recorded.file), len(after)))])
        if len(file) >= len(recorded.file):
            is_whole(recorded, disk.started(file, recorded.log), 25)


def test_a_new_log_that_is_written_over_the_old(
    recorded: Recorded, disk: Disk, tmp_path: Path
) -> None:  # S1, T1
    later = Recorded(states={25: recorded.states[25]})
    path = tmp_path / "later" / "state.db"
    path.parent.mkdir()
    path.write_bytes(folded(recorded, disk))
    asyncio.run(write(path, later, 10, random.Random(6)))
    for size in cuts(len(later.log)):
        overwritten = later.log[:size] + recorded.log[size:]
        found = disk.started(later.file, overwritten)
        if size < HEADER:
            assert found[0] == 25 or size > 0
        is_whole(later, found, later.acknowledged(size) or 25)


def test_a_bit_that_flips_in_the_log_is_told_or_does_no_harm(recorded: Recorded, disk: Disk) -> None:  # T2
    """Of the last commit alone nobody can say whether it was torn or damaged."""
    last_but_one = recorded.synced[-2][0]
    told = 0
    places = range(HEADER, len(recorded.log), 64 if LONG else 1501)
    for place in places:
        flipped = bytearray(recorded.log)
        flipped[place] ^= 1 << place % 8
        found = told_or_started(disk, recorded.file, bytes(flipped))
        if found is None:
            assert place < last_but_one
            assert disk.path.read_bytes() == recorded.file, "nothing was written"
            assert disk.path.with_name("state.db-wal").read_bytes() == flipped
            told += 1
        else:
            assert place >= recorded.synced[-3][0]
            is_whole(recorded, found, 24 if place >= last_but_one else 23)
    assert told > len(places) * 0.8


def test_bits_that_flip_in_the_file(recorded: Recorded, disk: Disk) -> None:  # F2
    """Told, or where nothing is kept."""
    file = folded(recorded, disk)
    chance = random.Random(7)
    for _ in range(3000 if LONG else 60):
        place = chance.randrange(100, len(file))
        flipped = bytearray(file)
        flipped[place] ^= 1 << chance.randrange(8)
        if (found := told_or_started(disk, bytes(flipped), b"")) is not None:
            is_whole(recorded, found, 25)


def told_or_started(disk: Disk, file: bytes, log: bytes) -> tuple[int, State] | None:
    """What a start finds; None where it says in one sentence what is wrong."""
    try:
        return disk.started(file, log)
    except StoreDamaged as error:
        told = str(error)
    assert told.startswith(f"{disk.path}: the store is damaged (") and "\n" not in told
    return None


def test_rests_of_commits_that_failed_are_no_damage(recorded: Recorded, disk: Disk) -> None:  # T1
    """A disk was full for a while: behind the last good commit lie the ends of others, each shorter than the next."""
    ends = [size for size, _ in recorded.synced]
    large = [end for begin, end in pairwise(ends[10:]) if end - begin >= 3 * FRAME]
    rests = [recorded.log[end - 2 * FRAME : end] for end in large]
    assert len(rests) >= 2
    found = disk.started(recorded.file, recorded.log[: ends[9]] + b"".join(rests))
    is_whole(recorded, found, 10)
