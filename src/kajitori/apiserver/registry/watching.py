"""Watch streams: committed events of one bucket, told to everyone who asked.

Sits between the store's subscription and the connections. Frames are made once per event and form, whoever
reads them; a watcher without selectors costs one `write` per event.

Promises
    W1  events of one object come in the order of their revisions, none missing, none twice
    W2  a watch from revision R tells exactly the events after R; where R is too old it says `Expired`
    W3  initial events and the bookmark after them are of one revision, and the stream goes on from there
    W4  a reader that falls more than BUFFER_BYTES_MAX behind is cut off; nobody else notices
    W5  an object that starts or stops matching a selector is told as ADDED or DELETED, with that revision

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from kajitori.apimachinery.errors import Expired
from kajitori.apiserver.negotiation import Form
from kajitori.apiserver.registry.render import Renderer
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.selection import Selection
from kajitori.storage import Compacted, Event, Store

__all__ = ["BUFFER_BYTES_MAX", "Sink", "Watch", "Watches", "replace_revision"]

BUFFER_BYTES_MAX = 16 * 1024 * 1024
"""How many bytes a reader may leave unread: a burst of a few thousand Pods, and no more."""

BOOKMARK_SECONDS = 60.0
"""Between bookmarks of a quiet watch, as kube-apiserver sends them."""

BOOKMARK_BEFORE_END_SECONDS = 2.0
"""The last bookmark comes this long before a watch ends, so that its client can go on from there."""


class Sink(Protocol):
    """Where a watch writes: a connection."""

    def write(self, data: bytes) -> int:
        """Sends without waiting; the number of bytes not yet taken by the peer."""
        ...

    def close(self) -> None: ...


class Watch:
    """One open watch."""

    __slots__ = (
        "_bookmarks",
        "_first",
        "_sink",
        "_timers",
        "_watches",
        "form",
        "last",
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
        self._bookmarks = bookmarks
        self._sink: Sink | None = None
        self._first = form.kind == "Table"
        self._timers: list[asyncio.TimerHandle] = []
        self.last = 0
        """The revision up to which everything has been told."""

    def send(self, frame: bytes) -> None:
        """Writes one frame, or cuts the reader off (W4)."""
        sink = self._sink
        if sink is not None and sink.write(frame) > BUFFER_BYTES_MAX:
            self.stop()

    def tell(self, event: Event, frames: dict[tuple[Form, str], bytes]) -> None:
        """Sends what `event` means to this watch, if anything; `frames` are shared by all watches of the event."""
        selection = self.selection
        if not selection.covers(event.name):
            return
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
                return
        key = (self.form, type_)
        frame = frames.get(key)
        if frame is None:
            frame = self.renderer.event(type_, value, self.form, headers=self._first)
            if not self._first:  # the first table of a stream has the columns, and is nobody else's
                frames[key] = frame
        self._first = False
        self.send(frame)

    def show(self, value: bytes) -> None:
        """Sends an object that is there when the watch begins."""
        self.send(self.renderer.event("ADDED", value, self.form, headers=self._first))
        self._first = False

    def bookmark(self, *, initial_end: bool = False) -> None:
        """Tells the client how far it has seen."""
        revision = self._watches.revision
        self.send(self.renderer.bookmark(revision, self.form, initial_end=initial_end))

    def start(
        self,
        sink: Sink,
        timeout_seconds: float,
        first: "Callable[[Watch], None]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Begins to write: what came before, by `first`, then whatever happens, until the time is up."""
        self._sink = sink
        first(self)
        if self._sink is None:
            return
        self._watches.add(self)
        self._timers.append(loop.call_later(timeout_seconds, self.stop))
        if self._bookmarks:
            before_end = max(0.0, timeout_seconds - BOOKMARK_BEFORE_END_SECONDS)
            self._timers.append(
                loop.call_later(min(before_end, BOOKMARK_SECONDS), self._tick, before_end, loop)
            )

    def _tick(self, left: float, loop: asyncio.AbstractEventLoop) -> None:
        self.bookmark()
        left -= min(left, BOOKMARK_SECONDS)
        if self._sink is not None and left > 0:
            self._timers[1:] = [loop.call_later(min(left, BOOKMARK_SECONDS), self._tick, left, loop)]

    def stop(self) -> None:
        """Ends the watch; safe to repeat."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._watches.remove(self)
        if self._sink is not None:
            sink, self._sink = self._sink, None
            sink.close()


class Watches:
    """The open watches of one resource in one version."""

    def __init__(self, store: Store, resource: Resource) -> None:
        self._store = store
        self._resource = resource
        self._open: dict[Watch, None] = {}  # a dict keeps the order in which they came
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def revision(self) -> int:
        return self._store.revision

    def add(self, watch: Watch) -> None:
        if self._unsubscribe is None:
            self._unsubscribe = self._store.subscribe(self._resource.bucket, self._on_event)
        self._open[watch] = None

    def remove(self, watch: Watch) -> None:
        self._open.pop(watch, None)
        if not self._open and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _on_event(self, event: Event) -> None:
        frames: dict[tuple[Form, str], bytes] = {}
        for watch in tuple(self._open):
            watch.tell(event, frames)

    def close(self) -> None:
        """Ends every watch: the resource is no longer served, or the server stops."""
        for watch in tuple(self._open):
            watch.stop()

    def history_since(self, revision: int) -> "list[Event]":
        """What happened after `revision`.

        Raises: Expired when that is no longer known (W2).
        """
        oldest = self._resource.since
        if revision >= oldest:
            try:
                return list(self._store.history(revision, self._resource.bucket))
            except Compacted as error:
                oldest = error.oldest
        raise Expired(f"too old resource version: {revision} ({oldest})")


def replace_revision(value: bytes, old: int, new: int) -> bytes:
    """The same object as of another revision.

    Metadata stands first in what is stored, with nothing before its resourceVersion that could hold a quote, so
    the first occurrence is the right one.
    """
    return value.replace(b'"resourceVersion":"%d"' % old, b'"resourceVersion":"%d"' % new, 1)
