"""Watches of objects that a webhook converts: told in order, each event when its conversion has come.

Like any watch, but for one thing: between an event and its frame there is somebody else's server. Events wait in a
queue of their own for one watch, and one task takes them out.

Promises
    V1  W1, W4 and W5 of `watching` hold
    V2  a webhook that fails ends the stream with an ERROR event that tells why; nothing is left out
    V3  a bookmark names no revision of which an event waits in the queue
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.watching import BUFFER_BYTES_MAX, Frames, Sink, Watch
from kajitori.storage import Event, Item

__all__ = ["ConvertedWatch"]

_log = logging.getLogger(__name__)

Source = Event | bytes
"""What is to be told: an event, or a frame that is ready."""


class ConvertedWatch(Watch):
    """One open watch of a resource with a conversion webhook."""

    __slots__ = ("_arrived", "_queue", "_queued_bytes", "_task")

    def start(self, sink: Sink, timeout_seconds: float, before: Callable[[Watch], Iterable[Source]]) -> None:
        self._sink = sink
        self._queued_bytes = 0
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        try:
            self._queue: deque[Source] = deque(before(self))
        except ApiError as error:
            self._fail(error)
            return
        if not self._watches.add(self):
            self.stop()
            return
        self._live(timeout_seconds)
        self._arrived.set()
        self._task = self._loop.create_task(self._convert(), name="a watch that a webhook converts")

    def beginning(self, registry: Registry) -> Iterable[Source]:
        resource, selection = self._resource, self.selection
        there = registry.store.range(resource.bucket, selection.only or selection.prefix)
        for item in there:
            if selection.covers(item.name):
                yield Event(item.revision, resource.bucket, item.name, item, None, deleted=False)
        if self._bookmarks:
            yield self.bookmark(initial_end=True)

    def since(self, revision: int) -> Iterable[Source]:
        return self._watches.history_since(revision)

    def tell(self, event: Event, frames: Frames) -> None:
        if self.selection.covers(event.name):
            self._enqueue(event, len(event.item.value))

    def _send_bookmark(self, left: float) -> None:
        self._enqueue(self.bookmark(), 0)
        if self._sink is not None and left > 0:
            self._wait_for_bookmark(left)

    def _enqueue(self, source: Source, size: int) -> None:
        self._queue.append(source)
        self._queued_bytes += size
        self._arrived.set()
        if self._queued_bytes > BUFFER_BYTES_MAX:
            _log.info("a watch was broken off: its webhook is too slow", extra={"bytes": self._queued_bytes})
            self.break_off()

    async def _convert(self) -> None:
        try:
            while await self._arrived.wait():
                while self._queue:
                    source = self._queue.popleft()
                    if isinstance(source, bytes):
                        self._send(source)
                        continue
                    self._queued_bytes = max(0, self._queued_bytes - len(source.item.value))
                    frame = self.frame(await self._converted(source), {})
                    if frame is not None:
                        self._send(frame)
                self._arrived.clear()
        except ApiError as error:
            self._task = None
            self._fail(error)
        except Exception:
            self._task = None
            _log.exception("a watch could not be told of an event")
            self.break_off()

    async def _converted(self, event: Event) -> Event:
        previous = event.previous
        # What an object was before matters to selectors alone.
        if previous is None or self.selection.matches is None:
            [now] = await self._resource.brought([event.item.value])
            return msgspec.structs.replace(event, item=_with(event.item, now))
        now, then = await self._resource.brought([event.item.value, previous.value])
        return msgspec.structs.replace(event, item=_with(event.item, now), previous=_with(previous, then))

    @property
    def _resource(self) -> Resource:
        return self._watches.resource

    def _let_go(self) -> Sink | None:
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        return super()._let_go()


def _with(item: Item, value: bytes) -> Item:
    return msgspec.structs.replace(item, value=value)
