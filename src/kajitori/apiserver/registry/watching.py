"""Watch streams: committed events of one bucket, told to everyone who asked.

Sits between the store's subscription and the connections. Frames are made once per event and form, whoever
reads them; a watcher without selectors costs one `write` per event. Many watchers are told a few in each turn of the
loop: the first have an event while the last are being told, and requests come in between. What was there before a
watch began is written as fast as its reader takes it, however much it is; what happens meanwhile waits behind it.

Promises
    W1  events of one object come in the order of their revisions, none missing, none twice
    W2  a watch from revision R tells exactly the events after R; where R is too old it says `Expired`
    W3  initial events and the bookmark after them are of one revision, and the stream goes on from there
    W4  a reader that falls more than BUFFER_BYTES_MAX behind is broken off, and learns of it; nobody else notices
    W5  an object that starts or stops matching a selector is told as ADDED or DELETED, with that revision
    W6  a bookmark names no revision of which an event is still on its way

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Protocol

from kajitori.apimachinery.errors import ApiError, Expired
from kajitori.apiserver.negotiation import Form
from kajitori.apiserver.operating.exposition import Histogram
from kajitori.apiserver.registry.listing import initial_items, not_in_future
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.render import Renderer
from kajitori.apiserver.registry.resource import Resource, replace_revision
from kajitori.apiserver.registry.selection import Selection
from kajitori.storage import Compacted, Event, Store

__all__ = ["BUFFER_BYTES_MAX", "Frames", "Sink", "Watch", "Watches"]

BUFFER_BYTES_MAX = 16 * 1024 * 1024
"""How many bytes a reader may leave unread: a burst of a few thousand Pods, and no more."""

AHEAD_BYTES_MAX = 1024 * 1024
"""How much of the initial events is written before the reader has taken any, and in one turn of the loop."""

_CHUNK_BYTES = 64 * 1024
"""How much of the initial events goes into one write."""

_RESUME_SECONDS = 0.005
"""When to look again whether a reader has taken what was written ahead."""

BOOKMARK_SECONDS = 60.0
"""Between bookmarks of a quiet watch, as kube-apiserver sends them."""

BOOKMARK_BEFORE_END_SECONDS = 2.0
"""The last bookmark comes this long before a watch ends, so that its client can go on from there."""

TOLD_AT_ONCE = 16
"""How many watchers are told of an event in one turn of the loop."""

ROUNDS_MAX = 64
"""How many events may be on their way to watchers; beyond this, whoever writes waits until all are told."""

_log = logging.getLogger(__name__)

Frames = dict[tuple[str, str], bytes]
"""What one event looks like, by the shape in which watchers want it and its type."""


class Sink(Protocol):
    """Where a watch writes: a connection."""

    def write(self, data: bytes) -> int:
        """Sends without waiting; the number of bytes not yet taken by the peer."""
        ...

    def close(self) -> None:
        """Ends the stream: what was written still arrives."""
        ...

    def abort(self) -> None:
        """Breaks the stream off."""
        ...


class Watch:
    """One open watch."""

    __slots__ = (
        "_behind",
        "_behind_bytes",
        "_bookmarks",
        "_end",
        "_first",
        "_initial",
        "_loop",
        "_next_bookmark",
        "_resume",
        "_shape",
        "_sink",
        "_watches",
        "form",
        "renderer",
        "selection",
    )

    def __init__(
        self, watches: "Watches", renderer: Renderer, selection: Selection, form: Form, *, bookmarks: bool
    ) -> None:
        self._watches = watches
        self.renderer = renderer
        self.selection = selection
        self.form = form
        self._shape = f"{form.media};{form.kind};{form.version};{renderer.include}"
        self._bookmarks = bookmarks
        self._sink: Sink | None = None
        self._first = form.kind == "Table"
        self._initial: Iterator[bytes] | None = None
        """What is still to be written of the time before the watch."""
        self._behind: list[bytes] = []
        """What happened meanwhile."""
        self._behind_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.TimerHandle | None = None
        self._next_bookmark: asyncio.TimerHandle | None = None
        self._resume: asyncio.Handle | None = None

    # What is told.

    def tell(self, event: Event, frames: Frames) -> None:
        """Sends what `event` means to this watch, if anything; `frames` are shared by all watches of the event."""
        frame = self.frame(event, frames)
        if frame is not None:
            self._send(frame)

    def frame(self, event: Event, frames: Frames) -> bytes | None:
        """What `event` means to this watch."""
        selection = self.selection
        if not selection.covers(event.name):
            return None
        matches = selection.matches
        previous = event.previous
        if matches is None:
            type_ = "DELETED" if event.deleted else ("ADDED" if previous is None else "MODIFIED")
            value = event.item.value
        else:
            now = not event.deleted and matches(event.name, event.item.value)
            before = previous is not None and matches(event.name, previous.value)
            if now:
                type_, value = ("MODIFIED" if before else "ADDED"), event.item.value
            elif before and previous is not None:
                type_, value = "DELETED", replace_revision(previous.value, previous.revision, event.revision)
            else:
                return None
        if self._first:  # the first table of a stream has the columns, and is nobody else's
            self._first = False
            return self.renderer.event(type_, value, self.form)
        key = (self._shape, type_)
        frame = frames.get(key)
        if frame is None:
            frame = frames[key] = self.renderer.event(type_, value, self.form, headers=False)
        return frame

    def added(self, value: bytes) -> bytes:
        """An object that is there when the watch begins."""
        frame = self.renderer.event("ADDED", value, self.form, headers=self._first)
        self._first = False
        return frame

    def bookmark(self, *, initial_end: bool = False) -> bytes:
        """How far the client has seen."""
        self._watches.tell_all()
        return self.renderer.bookmark(self._watches.revision, self.form, initial_end=initial_end)

    # What was before it.

    def beginning(self, registry: Registry) -> Iterable[Any]:
        """For `start`: everything that is there now, and the bookmark after it."""
        frames = map(self.added, initial_items(registry, self._watches.resource, self.selection))
        return chain(frames, (self.bookmark(initial_end=True),)) if self._bookmarks else frames

    def since(self, revision: int) -> Iterable[Any]:
        """For `start`: what happened after a revision. Raises: Expired, Timeout."""
        told = (self.frame(event, {}) for event in self._watches.history_since(revision))
        return (frame for frame in told if frame is not None)

    # Its life.

    def start(self, sink: Sink, timeout_seconds: float, before: "Callable[[Watch], Iterable[Any]]") -> None:
        """Begins to write: first what `before` gives, then whatever happens, until the time is up.

        `before` is asked in the turn in which the watch begins to listen; where it raises, the stream says so and
        ends.
        """
        self._sink = sink
        try:
            told = iter(before(self))
            # One frame now, so that whatever happens meanwhile is not the first of a stream of tables.
            self._initial = chain(list(islice(told, 1)), told)
        except ApiError as error:
            self._fail(error)
            return
        if not self._watches.add(self):
            self.stop()
            return
        self._live(timeout_seconds)
        self._write_initial()

    def _live(self, timeout_seconds: float) -> None:
        """Sets the times of its end and of its bookmarks."""
        self._end = self._loop.call_later(timeout_seconds, self.stop)
        if self._bookmarks and timeout_seconds > BOOKMARK_BEFORE_END_SECONDS:
            self._wait_for_bookmark(timeout_seconds - BOOKMARK_BEFORE_END_SECONDS)

    def _write_initial(self) -> None:
        """Writes of the initial events what the reader takes now; once they are written, what is behind them."""
        sink = self._sink
        if sink is None or self._initial is None:
            return
        chunk: list[bytes] = []
        sizes = self._watches.sizes
        size = written = 0
        try:
            for frame in self._initial if sink.write(b"") <= AHEAD_BYTES_MAX else ():
                chunk.append(frame)
                sizes.add(len(frame))
                size += len(frame)
                if size < _CHUNK_BYTES:
                    continue
                unread = sink.write(b"".join(chunk))
                written += size
                chunk, size = [], 0
                if unread > AHEAD_BYTES_MAX or written > AHEAD_BYTES_MAX:
                    break
            else:
                if sink.write(b"".join(chunk)) <= AHEAD_BYTES_MAX:
                    self._initial = None
        except ApiError as error:
            self._fail(error)
            return
        except Exception:
            _log.exception("what came before a watch could not be told")
            self.break_off()
            return
        if self._initial is None:
            behind, self._behind = self._behind, []
            for frame in behind:
                self._send(frame)
        elif written > AHEAD_BYTES_MAX:
            self._resume = self._loop.call_soon(self._write_initial)
        else:
            self._resume = self._loop.call_later(_RESUME_SECONDS, self._write_initial)

    def _send(self, frame: bytes) -> None:
        """Writes one frame, or breaks the reader off (W4)."""
        sink = self._sink
        if sink is None:
            return
        if self._initial is None:
            self._watches.sizes.add(len(frame))
            unread = sink.write(frame)
        else:
            self._behind.append(frame)
            self._behind_bytes += len(frame)
            unread = self._behind_bytes
        if unread > BUFFER_BYTES_MAX:
            _log.info("a watch was broken off: its reader left too much unread", extra={"bytes": unread})
            self.break_off()

    def _wait_for_bookmark(self, left: float) -> None:
        """`left` is the time until the last bookmark."""
        wait = min(left, BOOKMARK_SECONDS)
        self._next_bookmark = self._loop.call_later(wait, self._send_bookmark, left - wait)

    def _send_bookmark(self, left: float) -> None:
        self._send(self.bookmark())
        if self._sink is not None and left > 0:
            self._wait_for_bookmark(left)

    def _fail(self, error: ApiError) -> None:
        """Tells why the stream cannot go on, and ends it."""
        if self._sink is not None:
            self._sink.write(self.renderer.error_event(error, self.form))
        self._initial = None
        self.stop()

    def break_off(self) -> None:
        """Ends the watch so that its reader learns that something is missing; safe to repeat."""
        sink = self._let_go()
        if sink is not None:
            sink.abort()

    def stop(self) -> None:
        """Ends the watch; safe to repeat."""
        whole = self._initial is None
        sink = self._let_go()
        if sink is not None:
            if whole:
                sink.close()
            else:
                sink.abort()

    def _let_go(self) -> Sink | None:
        """Leaves timers, events and the sink alone from now on; gives the sink."""
        for timer in (self._end, self._next_bookmark, self._resume):
            if timer is not None:
                timer.cancel()
        self._watches.remove(self)
        self._behind.clear()
        self._initial = None
        sink, self._sink = self._sink, None
        return sink


class Watches:
    """The open watches of one resource in one version."""

    def __init__(self, store: Store, resource: Resource, sizes: Histogram) -> None:
        self._store = store
        self.resource = resource
        self.sizes = sizes
        """Of the events that were sent."""
        self._open: dict[Watch, None] = {}  # a dict keeps the order in which they came
        self._unsubscribe: Callable[[], None] | None = None
        self._rounds: deque[_Round] = deque()
        """Events on their way, the oldest first."""
        self._closed = False

    @property
    def revision(self) -> int:
        return self._store.revision

    @property
    def open(self) -> list[Watch]:
        """Those that are told of events, in the order in which they came."""
        return list(self._open)

    def add(self, watch: Watch) -> bool:
        """Tells `watch` of every event from now on; False when the resource is gone since it was asked for."""
        if self._closed:
            return False
        if self._unsubscribe is None:
            self._unsubscribe = self._store.subscribe(self.resource.bucket, self._on_event)
        self._open[watch] = None
        return True

    def remove(self, watch: Watch) -> None:
        self._open.pop(watch, None)
        if not self._open and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _on_event(self, event: Event) -> None:
        rounds = self._rounds
        rounds.append((event, {}, iter(tuple(self._open))))
        if len(rounds) > ROUNDS_MAX:
            self.tell_all()
        elif len(rounds) == 1:
            self._tell_some()

    def _tell_some(self) -> None:
        """Tells the next few of the oldest event."""
        rounds = self._rounds
        if not rounds:
            return
        if _tell(rounds[0], self._open, TOLD_AT_ONCE):
            rounds.popleft()
        if rounds:
            asyncio.get_running_loop().call_soon(self._tell_some)

    def tell_all(self) -> None:
        """Tells whatever is on its way, at once: afterwards all watches are at the store's revision."""
        while self._rounds:
            _tell(self._rounds.popleft(), self._open, None)

    def close(self) -> None:
        """Ends every watch: the resource is no longer served, or the server stops."""
        self._closed = True
        for watch in tuple(self._open):
            watch.stop()

    def history_since(self, revision: int) -> "list[Event]":
        """What happened after `revision`.

        Raises: Expired when that is no longer known (W2); Timeout for a revision that is yet to come.
        """
        not_in_future(self._store, revision)
        oldest = self.resource.since
        if revision >= oldest:
            try:
                return list(self._store.history(revision, self.resource.bucket))
            except Compacted as error:
                oldest = error.oldest
        raise Expired(f"too old resource version: {revision} ({oldest})")


_Round = tuple[Event, Frames, Iterator[Watch]]
"""An event, how it looks, and who is still to be told of it."""


def _tell(told: _Round, open_: Container[Watch], count: int | None) -> bool:
    """Tells so many more, or all; whether these were the last."""
    event, frames, watches = told
    some = list(islice(watches, count))
    for watch in some:
        if watch not in open_:
            continue
        try:
            watch.tell(event, frames)
        except Exception:
            # It has missed an event, and must not go on as if it had not; the others know nothing of it.
            _log.exception("an event could not be told", extra={"object": event.name})
            watch.break_off()
    return count is None or len(some) < count
