"""Putting a backup where a server keeps its state.

The file is copied and read to its end beside the old one, then renamed to `FILE.restored`: from then on it is the
state, whatever happens. What is left to do, removing the old log and giving it its name, is done again by the next
start if a crash interrupts it.

Promises
    P1  nothing that was there is touched before the new file is whole, durable and found to be as it was written
    P2  a crash at any moment leaves the old state or the restored one, never something in between
    P3  what is there already is replaced only when that is asked for, and never while a server uses it
    P4  revisions go on far beyond any that clients may have seen since the backup was made; older ones are answered
        as compacted, so that every client lists anew
"""

import contextlib
import os
from pathlib import Path

from kajitori.storage.backup import Contents, Progress, fill_from, made
from kajitori.storage.errors import BackupError, OpenError
from kajitori.storage.format import connect, lock, pending

__all__ = ["BUMP_REVISION", "put_in_place", "restore"]

BUMP_REVISION = 1_000_000_000
"""More writes than a cluster sees between two backups: what Kubernetes' documentation advises for etcd."""


def restore(
    source: Path,
    path: Path,
    *,
    replace: bool = False,
    bump_revision: int = BUMP_REVISION,
    progress: Progress | None = None,
) -> Contents:
    """Makes the backup `source` the state of the store at `path`; tells what is in it now.

    `bump_revision` 0: revisions go on where the backup ends, and its history is kept.

    Raises:
        BackupUnfit: `source` is missing, damaged, of a later version, or no backup.
        BackupError: `path` is a store already, is in use, or cannot be written.
    """
    path = path.resolve()
    folder_is_new = not path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = lock(path)
    except OSError as error:
        raise BackupError(f"cannot use the directory {path.parent}: {error.strerror}") from error
    except OpenError as error:
        raise BackupError(str(error)) from error
    done = False
    try:
        if not replace and (path.exists() or pending(path).exists()):
            raise BackupError(
                f"{path}: this state exists already and would be lost; use another directory, or --force"
            )
        contents: list[Contents] = []

        def fill(partial: Path) -> None:
            found = fill_from(source, partial, progress)
            if bump_revision:
                _bump(partial, found.revision + bump_revision)
            contents.append(found)

        made(pending(path), fill, replace=True)
        put_in_place(path)
        done = True
    finally:
        os.close(descriptor)
        if not done and folder_is_new:
            with contextlib.suppress(OSError):
                Path(f"{path}.lock").unlink()
                path.parent.rmdir()
    (found,) = contents
    return Contents(
        str(path), found.revision + bump_revision, found.objects, path.stat().st_size, found.format
    )


def put_in_place(path: Path) -> None:
    """Finishes what `restore` began, for a caller that holds the lock: safe to repeat, and to be interrupted (P2).

    Raises: OSError.
    """
    for end in ("-wal", "-shm", "-journal"):
        # They belong to the old file; beside the new one they would be taken for its own.
        Path(f"{path}{end}").unlink(missing_ok=True)
    os.rename(pending(path), path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bump(path: Path, revision: int) -> None:
    """Forgets all history, and sets the last revision."""
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE previous > 0)")
        connection.execute("DELETE FROM log WHERE deleted")
        connection.execute("UPDATE meta SET value = ?", (revision,))
        connection.execute("COMMIT")
    finally:
        connection.close()
