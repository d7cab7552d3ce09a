"""A store in a file: writes become durable in shared commits, made by one writer thread.

While a commit is under way the loop gathers the next writes. An idle store gathers for as long as each round of the
loop brings more of them, which is while writers who were answered together come back: a commit costs as much as the
work of several requests, whether it has one row or thirty. Compaction steps take turns with commits in the same thread.

    put → pending → [gather, hand over] → one INSERT, one fsync → settle: memory, subscribers, callers

Promises: S1, S6, S7 of `interface`.
"""

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from time import monotonic

from kajitori.storage.backup import copy_file
from kajitori.storage.committed import CommittedState
from kajitori.storage.errors import StorageError, StoreClosed
from kajitori.storage.history import Bucket, History, Span, undone
from kajitori.storage.interface import Event, Item, Revision
from kajitori.storage.log import Log
from kajitori.storage.past import PastReader
from kajitori.storage.worker import Worker

__all__ = ["COMMIT_ROWS_MAX", "LOG_BYTES_MAX", "WRITES_PENDING_MAX", "FileStore", "load"]

WRITES_PENDING_MAX = 10_000
"""Writes that may wait for a commit: more means the disk has stopped. Servers admit a few hundred at once."""

COMMIT_ROWS_MAX = 512
"""Rows of one commit: beyond this, more rows make it slower for those in it and save little."""

GATHER_ROWS_MAX = 64
GATHER_SECONDS_MAX = 0.004
"""How many writes, and how long, an idle store lets come together at most."""

GATHER_ROUNDS = 2
"""Rounds of the loop without a write that end the gathering: a request becomes a write one round after it came."""

LOG_BYTES_MAX = 512 * 1024 * 1024
"""Replaced values the file may hold: history is cut short of its time when a burst of writes exceeds this."""

_Write = tuple[Bucket, Event, "asyncio.Future[Item]"]

_log = logging.getLogger("kajitori.storage")


class FileStore(CommittedState):
    """The store of one file, opened and loaded by `open_store`."""

    def __init__(
        self,
        log: Log,
        *,
        writer: Worker,
        history: History,
        revision: Revision,
        compact_every_seconds: float,
    ) -> None:
        super().__init__(history, revision, compact_every_seconds=compact_every_seconds)
        self._path = log.path
        self._log = log
        self._writer = writer
        self._pending: list[_Write] = []
        self._writer_is_busy = False
        self._gathers = False
        self._commit_began = 0.0
        self._bytes_since_mark = 0
        self._sweeping: Revision | None = None
        """What a sweep under way goes up to."""
        self._sweep_comes_next = False
        self._swept: asyncio.Future[None] | None = None
        self._idle: asyncio.Future[None] | None = None
        self._past: tuple[Worker, PastReader] | None = None
        self._released = False

    # Writing

    def _commit(self, bucket: Bucket, event: Event) -> Awaitable[Item]:
        pending = self._pending
        if len(pending) >= WRITES_PENDING_MAX:
            raise StorageError(
                f"{self._path}: {len(pending)} writes wait for the disk already; try again later"
            )
        future: asyncio.Future[Item] = self._loop.create_future()
        bucket.in_flight[event.name] = []
        pending.append((bucket, event, future))
        if len(pending) == 1 and not self._writer_is_busy:
            self._begin_gathering()
        return future

    def _begin_gathering(self) -> None:
        if not self._gathers:
            self._gathers = True
            self._loop.call_soon(self._gather, 0, 0, self._loop.time() + GATHER_SECONDS_MAX)

    def _gather(self, seen: int, without: int, end: float) -> None:
        """One round: `seen` writes were there before it, and `without` rounds brought none."""
        count = len(self._pending)
        without = 0 if count > seen else without + 1
        if (
            self._writer_is_busy
            or without >= GATHER_ROUNDS
            or not 0 < count < GATHER_ROWS_MAX
            or self._loop.time() >= end
        ):
            self._gathers = False
            self._give_work()
        else:
            self._loop.call_soon(self._gather, count, without, end)

    def _give_work(self) -> None:
        """Hands the writer its next job, when it is idle and there is one."""
        if self._writer_is_busy:
            return
        if self._sweeping is not None and (self._sweep_comes_next or not self._pending):
            self._writer_is_busy = True
            self._sweep_comes_next = False
            self._writer.submit(partial(self._log.sweep, self._sweeping), self._sweep_step_done)
        elif self._pending:
            batch = self._pending[:COMMIT_ROWS_MAX]
            del self._pending[:COMMIT_ROWS_MAX]
            self._writer_is_busy = True
            self._sweep_comes_next = True
            self._commit_began = monotonic()
            events = [event for _, event, _ in batch]
            self._writer.submit(partial(self._log.append, events), partial(self._settle, batch))
        elif self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _settle(self, batch: list[_Write], _: None, error: Exception | None) -> None:
        """The commit of `batch` is done, or failed as a whole."""
        if self._commit_told is not None:
            self._commit_told(len(batch), monotonic() - self._commit_began)
        self._writer_is_busy = False
        if 0 < 2 * len(self._pending) < len(batch) and self._sweeping is None:
            # Most writers are about to be answered: they and the few share the next commit.
            self._begin_gathering()
        else:
            # First of all, so that the disk works while callers do: nothing pending depends on `batch`.
            self._give_work()
        for bucket, event, future in batch:
            waiting = bucket.in_flight.pop(event.name)
            if error is None:
                self._apply(bucket, event)
                self._bytes_since_mark += len(event.item.value)
                if not future.done():
                    future.set_result(event.item)
            elif not future.done():
                future.set_exception(StorageError(str(error)))  # One each: a traceback belongs to one task.
            for wake in waiting:
                wake()
        if self._bytes_since_mark > LOG_BYTES_MAX // 2:
            self._compact_to_mark()

    # Forgetting

    def _compact_to_mark(self) -> None:
        self._bytes_since_mark = 0
        super()._compact_to_mark()

    def _sweep(self) -> Awaitable[None]:
        self._start_sweep()
        assert self._swept is not None
        return asyncio.shield(self._swept)  # Others may wait for the same sweep.

    def _start_sweep(self) -> None:
        self._sweeping = self._history.compacted
        if self._swept is None:
            self._swept = self._loop.create_future()
            self._swept.add_done_callback(_retrieve)
        self._give_work()

    def _sweep_step_done(self, is_last: bool | None, error: Exception | None) -> None:
        self._writer_is_busy = False
        if error is not None:
            _log.warning("compaction failed; the next one repeats it", extra={"why": str(error)})
            self._end_sweep(error)
        elif is_last:
            self._end_sweep(None)
        self._give_work()

    def _end_sweep(self, error: Exception | None) -> None:
        swept, self._swept, self._sweeping = self._swept, None, None
        if swept is None or swept.done():
            return
        if error is None:
            swept.set_result(None)
        else:
            swept.set_exception(error)

    # Reading the past

    async def span_at(self, bucket: str, revision: Revision, prefix: str = "", *, after: str = "") -> Span:
        self._check_readable(revision)
        found = self._buckets.get(bucket)
        if found is None:
            return self.span(bucket)
        past: dict[str, Item | None] = {}
        known = revision
        while known < found.gone:
            # Memory no longer tells all that happened since: the file tells the rest, up to this moment. What
            # happens while it is read is in memory, unless very much happens; then the file is asked again.
            if self._closed:
                raise StoreClosed
            until = self._revision
            worker, reader = self._open_past()
            read = partial(reader.past, bucket, known, until, prefix=prefix, after=after)
            for name, item in (await worker.call(read)).items():
                past.setdefault(name, item)
            self._check_readable(revision)
            known = until
        for name, item in undone(found.since(known)).items():
            past.setdefault(name, item)
        return Span(found, prefix, after, past)

    def _open_past(self) -> tuple[Worker, PastReader]:
        if self._past is None:
            self._past = (Worker("kajitori-storage-past"), PastReader(self._path))
        return self._past

    # The file as a whole

    async def backup(self, path: Path) -> None:
        if self._closed:
            raise StoreClosed
        worker = Worker("kajitori-storage-backup")
        try:
            await worker.call(partial(copy_file, self._path, path))
        finally:
            worker.stop()

    async def close(self) -> None:
        self._stop()
        self._end_sweep(StoreClosed())
        while self._writer_is_busy or self._pending:
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)
        if self._released:
            return
        # Whoever else closes at the same time does the same, to the same effect.
        if self._past is not None:
            worker, reader = self._past
            await worker.call(reader.close)
            worker.stop()
            self._past = None
        await self._writer.call(self._log.close)
        self._writer.stop()
        self._released = True


def _retrieve(future: asyncio.Future[None]) -> None:
    """Marks an error as seen: nobody needs to wait for a sweep, and its failure is logged."""
    if not future.cancelled():
        future.exception()


async def load(log: Log, history: History, *, compact_every_seconds: float) -> FileStore:
    """The store in the file of `log`, which is not open yet.

    Raises:
        OpenError: why it cannot be opened.
    """
    writer = Worker("kajitori-storage-writer")
    try:
        revision = await writer.call(partial(log.open, history))
    except BaseException:
        writer.submit(log.close, _ignore)  # When this is a cancellation, the file may be open by now.
        writer.stop()
        raise
    return FileStore(
        log, writer=writer, history=history, revision=revision, compact_every_seconds=compact_every_seconds
    )


def _ignore(_: object, __: Exception | None) -> None:
    """Nobody waits for it."""
