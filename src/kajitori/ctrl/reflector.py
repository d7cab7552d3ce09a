"""Keeps a sink equal to what an API server has of one kind: list, watch, and begin again when that breaks.

Sits between the client and an informer (its sink). Endless: errors are logged and waited out.

    begin ──► stream what exists (WatchList) ──► watch ──┬─ ended, broken: watch on from the last version
      │  └ refused ──► list, in pages ───────────┘   ▲   ├─ 429, nobody listens: the same, after the back-off
      │                                              │   └─ version too old, not an event, other error: begin
      └──────────────── back-off 0.8 s … 30 s ◄──────┘

Promises
    F1  the sink gets everything that exists as one replacement, then every later change in order, none twice
    F2  a version is remembered only after its event was applied: after a break nothing is missed
    F3  it never goes back in time: a relist asks for nothing older than what was seen, unless the server has
        forgotten
    F4  a server that refuses WatchList, or ignores it, is listed instead, from then on; one that only fails at it is
        listed this time
    F5  `resume` with a version that the server remembers: it is watched from there on, and nothing is listed
    F6  a server that came back with lower versions, which then says nothing about ours, is found out and listed anew
    F7  what people must mend is logged as an error, each time; what passes by itself as information

Source: client-go's tools/cache Reflector, KEP-3157.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    Expired,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from kajitori.client.accessors import key_pair_of
from kajitori.client.client import PAGE_SIZE, Client
from kajitori.client.objects import Codec, ObjectList, WatchEvent
from kajitori.client.options import ListOptions, WatchOptions
from kajitori.client.transport import TransportError
from kajitori.ctrl.backoff import Backoff
from kajitori.ctrl.progress import version_number
from kajitori.world.random import Random

__all__ = ["ClientSource", "Reflector", "Sink", "Source"]

WATCH_SECONDS_MIN = 300
"""The server ends a watch after 5 to 10 minutes, so that watchers spread over the servers that exist then."""

WATCH_OVERDUE_SECONDS = 30
"""How much longer than agreed a watch may live before its connection counts as dead."""

SHORT_WATCH_SECONDS = 1.0
"""A watch that ends sooner without an event was not served: list again, after the back-off."""

INITIAL_EVENTS_QUIET_SECONDS = 30
"""A server that sends neither objects nor the end of them for so long does not know WatchList."""

RETRY_AFTER_SECONDS_MAX = 60
"""A server that asks for more is asked again after that."""

SILENT_SECONDS_MAX = 90
"""A server tells bookmarks about once a minute. One that was away and then tells nothing may have begun anew: its
versions are lower, and a watch from ours is silent until they have passed them.
"""

NOT_ALLOWED = (Unauthorized, Forbidden)
"""What people must mend: credentials that have ended, a right that is missing. A kind that is not there may come, or
has gone; `kind_checks` tells of those that are missing at the start.
"""

_EVENT_TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Who is kept up to date."""

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        """This is everything, as of that version."""
        ...

    def apply(self, event: WatchEvent[Any]) -> None:
        """This happened; for a BOOKMARK nothing did, up to its version."""
        ...


class Source(Protocol):
    """Where objects come from."""

    async def list(self, options: ListOptions) -> ObjectList[Any]: ...

    def watch(self, options: WatchOptions) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[Any]]]: ...


class ClientSource:
    """A kind in one namespace or all, narrowed by selectors."""

    def __init__(
        self,
        client: Client,
        codec: Codec[Any],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        shards: str = "",
        metadata_only: bool = False,
    ) -> None:
        self._client = client
        self._codec = codec
        self._namespace = namespace
        self._list: ListOptions = {"labels": labels, "fields": fields, "metadata_only": metadata_only}
        self._watch: WatchOptions = {"labels": labels, "fields": fields, "metadata_only": metadata_only}
        self.narrow(shards)

    def narrow(self, shards: str) -> None:
        """From the next request on: only objects that this shard selector selects; empty: all."""
        self._list["shard_selector"] = self._watch["shard_selector"] = shards

    async def list(self, options: ListOptions) -> ObjectList[Any]:
        return await self._client.list_as(self._codec, self._namespace, {**self._list, **options})

    def watch(self, options: WatchOptions) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[Any]]]:
        return self._client.watch_as(self._codec, self._namespace, {**self._watch, **options})


class Reflector:
    """One source into one sink."""

    def __init__(
        self, source: Source, sink: Sink, *, random: Random, name: str = "", stream_initial: bool = True
    ) -> None:
        """`stream_initial`: try WatchList first."""
        self._source = source
        self._sink = sink
        self._random = random
        self._name = name
        self._stream_initial = stream_initial
        self._backoff = Backoff(random)
        self._version = ""
        self._version_lost = False
        self._is_paged = False
        self._resumes = False
        self._asking: asyncio.Task[Any] | None = None
        """Who runs us; None while it only waits."""
        self._begins_again = False
        self._was_away = False
        """The server could not be reached, and has not been heard of since."""
        self.failures = 0
        """How often listing or watching has ended with an error, or before its time."""

    @property
    def resource_version(self) -> str:
        """The last one that the sink has been told; empty before the first."""
        return self._version

    def begin_again(self) -> None:
        """What exists is asked for anew, because it is another question now. Not while the sink replaces everything."""
        if self._asking is not None and not self._begins_again:
            # Cancelling takes effect before the task goes one step further; a timeout would not.
            self._begins_again = True
            self._asking.cancel()

    def resume(self, resource_version: str) -> None:
        """The sink has everything up to that version already: `run` begins with a watch."""
        self._version, self._resumes = resource_version, True

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._asking = task = asyncio.current_task()
            try:
                await self._list_and_watch()
            except asyncio.CancelledError:
                if not self._is_to_begin_again(task):
                    raise
                continue
            except (ApiError, TransportError, TimeoutError) as error:
                self._report("listing or watching failed; trying again", error)
            except Exception:
                # An answer that is no list, a line that is no event: seen by people, and tried again.
                self.failures += 1
                _log.exception("listing or watching failed", extra={"reflector": self._name})
            finally:
                self._asking = None
            if not self._is_to_begin_again(task):
                await self._pause()

    def _is_to_begin_again(self, task: "asyncio.Task[Any] | None") -> bool:
        """Whether that is why it was cancelled, and nobody else wants it to end."""
        if not self._begins_again or task is None:
            return False
        self._begins_again = False
        return not task.uncancel()

    async def _list_and_watch(self) -> None:
        if self._resumes:
            self._resumes = False
            await self._watch()
            return
        if self._stream_initial and await self._stream_then_watch():
            await self._watch()
            return
        await self._list()
        await self._watch()

    # Everything that exists, streamed.

    async def _stream_then_watch(self) -> bool:
        """Streams what exists, then follows the same watch to its end. False: list instead."""
        while True:
            try:
                if await self._stream_once():
                    return True
            except _IgnoredInitialEvents:
                self._report("the server does not stream initial events; listing instead", None)
                self._stream_initial = False
                return False
            except ApiError as error:
                if _is_version_gone(error) and not self._version_lost:
                    self._version_lost = True
                    continue
                if isinstance(error, (*NOT_ALLOWED, NotFound)):
                    return False  # Listing tells, or the watch that comes after it.
                if not isinstance(error, TooManyRequests):
                    self._report("the server refuses to stream initial events; listing instead", error)
                    # What is wrong with the request will be so the next time; anything else may have passed.
                    self._stream_initial = not isinstance(error, (Invalid, BadRequest))
                    return False
                await self._pause(error)
                continue
            except TransportError as error:
                self._report("streaming initial events failed; trying again", error)
            await self._pause()

    async def _stream_once(self) -> bool:
        """Whether the initial events came to their end; then the watch was followed until it ended or
        broke.
        """
        seconds = self._watch_seconds()
        options: WatchOptions = {
            "send_initial_events": True,
            "resource_version_match": "NotOlderThan",
            "resource_version": "" if self._version_lost else self._version,
            "bookmarks": True,
            "timeout_seconds": seconds,
        }
        complete = False
        try:
            async with (
                asyncio.timeout(seconds + WATCH_OVERDUE_SECONDS),
                self._source.watch(options) as events,
            ):
                found = await _initial(events)
                if found is not None:
                    await self._sink.replace(*found)
                    self._version, self._version_lost, complete = found[1], False, True
                    self._was_away = False
                    del found
                    async for event in events:
                        self._apply(event)
        except (TimeoutError, TransportError) as error:
            if not complete:
                if isinstance(error, TimeoutError):
                    raise TransportError("the watch outlived its time") from error
                raise
            # Broken while watching: as good as ended, we go on from the last version.
            self._was_away = isinstance(error, TransportError)
        except ApiError as error:
            if not complete:
                raise
            self._report("the watch ended with an error", error)
        return complete

    # Everything that exists, listed.

    async def _list(self) -> None:
        try:
            await self._list_from(self._relist_version())
        except ApiError as error:
            if not _is_version_gone(error):
                raise
            # The server has forgotten, or does not know yet, the version we asked for: take what is there
            # now.
            self._version_lost = True
            await self._list_from("")

    def _relist_version(self) -> str:
        if self._version_lost:
            return ""
        return self._version or "0"

    async def _list_from(self, version: str) -> None:
        # A version other than "0" can be served from the server's cache, but only without pages.
        limit = PAGE_SIZE if version in ("", "0") or self._is_paged else 0
        page = await self._source.list({"resource_version": version, "limit": limit})
        if version == "0" and page.continue_token:
            self._is_paged = True
        objects, resource_version = page.items, page.resource_version
        while page.continue_token:
            try:
                page = await self._source.list({"limit": limit, "continue_token": page.continue_token})
            except (Expired, Gone):
                page = await self._source.list({"resource_version": version})
                objects, resource_version = page.items, page.resource_version
                break
            objects = objects + page.items
        await self._sink.replace(objects, resource_version)
        self._version, self._version_lost, self._was_away = resource_version, False, False

    # What happens then.

    async def _watch(self) -> None:
        """Watches on and on; returns when only beginning again helps."""
        loop = asyncio.get_running_loop()
        while True:
            seconds = self._watch_seconds()
            options: WatchOptions = {
                "resource_version": self._version,
                "bookmarks": True,
                "timeout_seconds": seconds,
            }
            # From no version or any, what exists comes first, in no order: its versions are none to go on from.
            in_order = self._version not in ("", "0")
            started, count, opened = loop.time(), 0, False
            try:
                async with (
                    asyncio.timeout(seconds + WATCH_OVERDUE_SECONDS),
                    self._source.watch(options) as events,
                ):
                    opened = True
                    async for event in _heard_of(events) if self._was_away else events:
                        count, self._was_away = count + 1, False
                        in_order = in_order or event.type != "ADDED"
                        self._apply(event, in_order)
            except _Silent:
                if await self._has_begun_anew():
                    self._version_lost = True
                    self._report("the server has lower versions than it had; beginning again", None)
                    return
                self._was_away = False
                continue
            except TooManyRequests as error:
                await self._pause(error)
                continue
            except TransportError as error:
                self._was_away = True
                if error.refused:
                    await self._pause()
                    continue
                if not opened:
                    raise
                # A connection that breaks is the usual end of a watch: fall through.
            except TimeoutError:
                pass
            except ApiError as error:
                if _is_version_gone(error):
                    # Whoever has something newer may still have what was seen: a list asks for that first.
                    self._report("the watched version is gone; beginning again", error)
                    return
                raise
            if not count and loop.time() - started < SHORT_WATCH_SECONDS:
                self._report("the watch ended at once without an event", None)
                return

    async def _has_begun_anew(self) -> bool:
        now, before = (
            version_number(version)
            for version in ((await self._source.list({"limit": 1})).resource_version, self._version)
        )
        return now is not None and before is not None and now < before

    def _apply(self, event: WatchEvent[Any], in_order: bool = True) -> None:
        if event.type not in _EVENT_TYPES:
            _log.error("an event of an unknown type", extra={"reflector": self._name, "event": event.type})
            return
        self._sink.apply(event)
        if in_order:
            self._version = event.resource_version

    def _watch_seconds(self) -> int:
        return int(self._random.uniform(WATCH_SECONDS_MIN, 2 * WATCH_SECONDS_MIN))

    async def _pause(self, error: ApiError | None = None) -> None:
        seconds = self._backoff.seconds(asyncio.get_running_loop().time())
        asked = 0 if error is None else min(error.retry_after_seconds, RETRY_AFTER_SECONDS_MAX)
        await asyncio.sleep(max(seconds, asked))

    def _report(self, message: str, error: Exception | None) -> None:
        self.failures += 1
        level = logging.ERROR if isinstance(error, NOT_ALLOWED) else logging.INFO
        _log.log(level, message, extra={"reflector": self._name, "error": str(error) if error else ""})


class _IgnoredInitialEvents(Exception):
    pass


class _Silent(Exception):
    pass


async def _heard_of(events: AsyncIterator[WatchEvent[Any]]) -> AsyncIterator[WatchEvent[Any]]:
    """The same events; raises _Silent when the first does not come."""
    try:
        async with asyncio.timeout(SILENT_SECONDS_MAX):
            first = await anext(events)
    except StopAsyncIteration:
        return
    except TimeoutError:
        raise _Silent from None
    yield first
    async for event in events:
        yield event


async def _initial(events: AsyncIterator[WatchEvent[Any]]) -> tuple[list[Any], str] | None:
    """What exists, and as of which version; None when the stream ended before it was told.

    Raises: _IgnoredInitialEvents when nothing comes for too long.
    """
    loop = asyncio.get_running_loop()
    objects: dict[Any, Any] = {}
    extend_at = 0.0
    quiet = asyncio.timeout(INITIAL_EVENTS_QUIET_SECONDS)
    try:
        async with quiet:
            async for event in events:
                if event.type in ("ADDED", "MODIFIED"):
                    objects[key_pair_of(event.object)] = event.object
                elif event.type == "DELETED":
                    objects.pop(key_pair_of(event.object), None)
                elif event.initial_events_end:
                    return list(objects.values()), event.resource_version
                if (
                    now := loop.time()
                ) >= extend_at:  # A timer for every event would cost more than the event.
                    quiet.reschedule(now + INITIAL_EVENTS_QUIET_SECONDS)
                    extend_at = now + 1.0
    except TimeoutError:
        if quiet.expired():
            raise _IgnoredInitialEvents from None
        raise
    return None


def _is_version_gone(error: ApiError) -> bool:
    """Too old for the server, or newer than it has."""
    if isinstance(error, (Expired, Gone)):
        return True
    return any(cause.reason == "ResourceVersionTooLarge" for cause in error.causes)
