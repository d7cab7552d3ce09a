"""The file of a store: how it is laid out, recognised, locked and opened.

One SQLite database in WAL mode. Every write is one row of `log`, under its revision; a row stays until a
compaction finds it replaced. The newest rows of all names are the current state, so nothing is stored twice
and a write only ever appends.

    log   revision, bucket, name, created, deleted, value; previous: the row it replaced, or 0;
          checksum: CRC-32 of all the others
    meta  compacted: history at or before it may be gone; swept: replaced rows up to it are gone

Beside it lies `FILE.lock`, held while the store is open, with the process id of the holder inside.

Promises
    F1  one process has the store open at a time
    F2  a file that is not ours, is damaged, or is of a later version is never written to
    F3  only the owner may read the files: Secrets are in them
    F4  a file of an earlier version is brought to this one in one transaction: whatever interrupts that, the file is
        of the one or of the other
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from kajitori.storage.errors import OpenError, StoreForeign, StoreLocked, StoreTooNew, StoreUnavailable
from kajitori.storage.faults import damaged, failed_open
from kajitori.storage.tail import check_tail

__all__ = [
    "APPLICATION_ID",
    "FORMAT_VERSION",
    "connect",
    "create_tables",
    "lock",
    "migrate",
    "open_database",
    "open_to_read",
    "pending",
]

APPLICATION_ID = 0x6B616A69
"""Marks a SQLite file as a store: "kaji" in ASCII."""

FORMAT_VERSION = 1
"""Raised when an older program could not read the file any more; `MIGRATIONS` then says how it gets there."""

MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""By version: what makes a file of that version one of the next. Statements only; the transaction is the caller's."""

PAGE_SIZE_BYTES = 8192
"""A few objects a page: a fifth smaller files than with 4096, faster large commits, equal small ones."""

WAL_PAGES = 1024
"""The log is folded into the file when it has this many pages (8 MiB): about 10 ms of work."""

CACHED_STATEMENTS = 128
"""One insert for each number of rows, and the few others."""

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

_TABLES = (
    """CREATE TABLE log (
        revision INTEGER PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
        previous INTEGER NOT NULL, deleted INTEGER NOT NULL, checksum INTEGER NOT NULL, value BLOB NOT NULL
    )""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {FORMAT_VERSION}",
)


def lock(path: Path) -> int:
    """Takes the lock of the store at `path`; gives the descriptor that holds it.

    Raises:
        StoreLocked: another process has it.
        StoreUnavailable, StoreFull: the lock file cannot be made.
    """
    try:
        # The lock file is never removed: a process could hold the lock of a file that has no name any more.
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise failed_open(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).strip()
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise StoreLocked(str(path), int(holder) if holder.isdigit() else 0) from None
        raise failed_open(path, error) from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except OSError:
        pass  # The number only serves the message of whoever finds the store locked.
    return descriptor


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, locked by the caller; made when there is none or an empty file.

    Raises:
        OpenError: one of its subclasses, and why.
    """
    try:
        _check_header(path)
        check_tail(path)
        connection = connect(path)
    except (OSError, sqlite3.Error) as error:
        raise failed_open(path, error) from error
    try:
        if _is_new(path, connection):
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _use_wal(path, connection)
            create_tables(connection)
            # From now on the header in the file itself says whose it is.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            _use_wal(path, connection)
            migrate(path, connection)
    except sqlite3.Error as error:
        connection.close()
        raise failed_open(path, error) from error
    except OpenError:
        connection.close()
        raise
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions, durable once a commit returns."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=CACHED_STATEMENTS)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # Where fsync alone stops at the drive's cache (macOS).
        connection.execute("PRAGMA secure_delete = FAST")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('compacted', 0), ('swept', 0)")
    connection.execute("COMMIT")


def migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Brings a file of an earlier version to this one (F4).

    Raises: StoreDamaged when its version is one that never was; what SQLite raises.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT_VERSION:
        return
    if version < min(MIGRATIONS, default=FORMAT_VERSION):
        raise damaged(path, f"there never was a format {version}")
    connection.execute("BEGIN IMMEDIATE")
    for each in range(version, FORMAT_VERSION):
        MIGRATIONS[each](connection)
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    connection.execute("COMMIT")


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, whether a server has the file open or not.

    Raises:
        FileNotFoundError and other OSErrors: it cannot be read.
        StoreForeign, StoreTooNew, StoreDamaged: it is no store that this version can read.
    """
    restored = pending(path)
    path = restored if restored.exists() else path
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    _judge_header(path, header)
    if not header:
        raise StoreForeign(f"{path}: this is not a database; it is empty")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            if _is_new(path, connection):
                raise StoreForeign(f"{path}: nothing is in this database")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise failed_open(path, error) from error
    return connection


def pending(path: Path) -> Path:
    """Where the file lies that is about to replace `path`: whole, and then put in place whatever happens."""
    return path.with_name(f"{path.name}.restored")


def _use_wal(path: Path, connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreUnavailable(f"{path}: the file system of this file has no shared memory; use a local disk")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {4 * WAL_PAGES * PAGE_SIZE_BYTES}")


def _check_header(path: Path) -> None:
    """Refuses what its first bytes already give away; makes the file, for the owner only, when it is missing.

    This must happen before SQLite has the file open: closing any descriptor of it drops SQLite's locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        header = os.read(descriptor, _HEADER_BYTES)
    finally:
        os.close(descriptor)
    _judge_header(path, header)


def _judge_header(path: Path, header: bytes) -> None:
    if not header:
        log = Path(f"{path}-wal")
        if log.exists() and log.stat().st_size:
            raise damaged(path, f"it is empty, but its log {log.name} is not")
        return
    if not header.startswith(_MAGIC[: len(header)]):
        raise StoreForeign(f"{path}: this is not a database; use another file")
    if len(header) < _HEADER_BYTES:
        raise damaged(path, f"it ends after {len(header)} bytes")
    version = int.from_bytes(header[60:64], "big")
    if int.from_bytes(header[68:72], "big") == APPLICATION_ID and version > FORMAT_VERSION:
        raise _too_new(path, version)


def _is_new(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether the database has no tables yet.

    Raises:
        StoreForeign, StoreTooNew: it has others than ours.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID:
        if version > FORMAT_VERSION:
            raise _too_new(path, version)
        return False
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application or version or tables:
        raise StoreForeign(f"{path}: this database belongs to another program; use another file")
    return True


def _too_new(path: Path, version: int) -> StoreTooNew:
    return StoreTooNew(
        f"{path}: the store has format {version} and this version reads up to {FORMAT_VERSION}; "
        "use the version that wrote it"
    )
