"""kill -9 at any moment: every acknowledged write is there, and no revision is given twice.

Round after round a process writes with 16 writers, forgets now and then, and tells every acknowledgement; it is
killed after some hundred of them. KAJITORI_KILL_ROUNDS sets how often.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.support import run

from kajitori.storage import Store

ROUNDS = int(os.environ.get("KAJITORI_KILL_ROUNDS", "20"))

WRITER = """
import asyncio, os, sys
from pathlib import Path
from kajitori.storage import open_store

def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

async def write(store, writer):
    name = f"default/w{writer:02d}"
    while True:
        for _ in range(3):
            item = await store.put("/configmaps", name, lambda revision: b"%d" % revision * 300, expect=None)
            tell("put", writer, item.revision)
        item = await store.delete("/configmaps", name, None, expect=None)
        tell("delete", writer, item.revision)

async def forget(store):
    while True:
        await store.compact(max(0, store.revision - 20))
        tell("compacted", 0, store.compacted)

async def main():
    store = await open_store(Path(sys.argv[1]))
    tell("open", 0, store.revision)
    async with asyncio.TaskGroup() as group:
        for writer in range(16):
            group.create_task(write(store, writer))
        group.create_task(forget(store))

asyncio.run(main())
"""


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_and_no_revision_given_twice(tmp_path: Path) -> None:  # S1, S2, L4
    path = tmp_path / "state.db"
    chance = random.Random(20)
    last_known = 0
    for _ in range(ROUNDS):
        told = killed_after(path, chance.randrange(1, 600))
        assert told[0] == ("open", 0, last_known)
        revisions = [revision for word, _, revision in told if word in ("put", "delete")]
        assert len(set(revisions)) == len(revisions)
        assert all(revision > last_known for revision in revisions)
        compacted = max((revision for word, _, revision in told if word == "compacted"), default=0)
        last = {writer: (word, revision) for word, writer, revision in told if word in ("put", "delete")}

        async def look(
            store: Store, last: dict[int, tuple[str, int]] = last, compacted: int = compacted
        ) -> None:
            nonlocal last_known
            last_known = store.revision
            assert store.compacted >= compacted
            for writer, (word, revision) in last.items():
                check(store, f"default/w{writer:02d}", word, revision)

        run(path, look)
        assert last_known >= max(revisions, default=0)


def check(store: Store, name: str, word: str, revision: int) -> None:
    """The last acknowledged write of `name` stands, or the one after it does."""
    item = store.get("/configmaps", name)
    later = [
        event for event in store.history(max(revision, store.compacted), "/configmaps") if event.name == name
    ]
    assert len(later) <= 1, later
    if later:
        assert (item is None) == later[0].deleted
    elif word == "delete":
        assert item is None
    else:
        assert item is not None and item.revision == revision
        assert item.value == b"%d" % revision * 300


def killed_after(path: Path, acknowledgements: int) -> list[tuple[str, int, int]]:
    """What a writing process told until it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [line for _, line in zip(range(acknowledgements), process.stdout, strict=False)]
        process.kill()
        lines += process.stdout.readlines()
    told = []
    for line in lines:
        assert line.endswith("\n")
        word, writer, revision = line.split()
        told.append((word, int(writer), int(revision)))
    return told
