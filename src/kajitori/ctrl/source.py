"""What wakes a controller beside the objects that it watches: event sources, which run as parts of it.

    pushes = Channel()
    manager.controller("sites", reconciler, for_=Site, sources=[pushes, Timer(300, all_in(manager.cache, Site))])
    pushes.put(Request("web", "blog"))

An event source is anything with `async run(enqueue)`. It begins before the controller's workers, and ends with them.

Promises
    U1  sources run only while their controller does: in a leader election, only where the leader is
    U2  a source that fails stops the controller, and with it the manager, with SourceFailed, which names both; one that
        returns has told everything
    U3  a name put into a Channel is kept until a controller takes it, at most `names_max` of them; one more raises
        ChannelFull, and is never dropped unseen
    U4  a Channel of several controllers tells each of them
    U5  a Timer never ticks early, and never twice for a time that it has missed

Source: controller-runtime's pkg/source.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, runtime_checkable

from kajitori.client.accessors import key_pair_of
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.clusters import Clusters
from kajitori.ctrl.handler import MapFunction, own_request
from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.reconcile import R, R_co, R_contra, Request
from kajitori.world.random import SYSTEM_RANDOM, Random

__all__ = [
    "CHANNEL_NAMES_MAX",
    "Channel",
    "ChannelFull",
    "Enqueue",
    "EventSource",
    "SourceFailed",
    "SyncingSource",
    "Timer",
    "all_in",
]

CHANNEL_NAMES_MAX = 1024
"""Names that wait in a Channel while no controller runs, as in controller-runtime."""

TURN_NAMES = 500
"""Names that a Timer tells in one go; then the rest of the process has its turn."""


class SourceFailed(Exception):
    """An event source of a controller has raised; `__cause__` is what."""


class ChannelFull(Exception):
    """Nobody takes what is put into a Channel."""


class Enqueue(Protocol[R_contra]):
    """Puts a name in the queue of a controller."""

    def __call__(self, request: R_contra, /, priority: int = 0) -> None:
        """Raises: QueueFull."""
        ...


class EventSource(Protocol[R_co]):
    """Something outside of the caches that happens."""

    async def run(self, enqueue: Enqueue[R_co], /) -> None:
        """Until cancelled, or until there is nothing more to tell. Raises: anything, to stop the controller."""
        ...


@runtime_checkable
class SyncingSource(Protocol):
    """A source whose beginning the workers of its controller wait for, like the first lists of what is watched."""

    async def wait_synced(self) -> None:
        """Until what there was at the beginning has been told."""
        ...


class Channel(Generic[R]):
    """Names that other parts of the process put in. On the loop of the controller: from threads, use
    `loop.call_soon_threadsafe(channel.put, request)`.
    """

    def __init__(self, *, map: MapFunction[R] | None = None, names_max: int = CHANNEL_NAMES_MAX) -> None:
        """`map` says whom an object that is put in concerns; without it, itself."""
        self._map: MapFunction[Any] = map or own_request
        self._names_max = names_max
        self._waiting: dict[R, int] = {}
        self._takers: list[Enqueue[R]] = []

    def __str__(self) -> str:
        return "Channel"

    def put(self, request: R, priority: int = 0) -> None:
        """Reconciles a name soon. Raises: ChannelFull when no controller runs; QueueFull."""
        for enqueue in self._takers:
            enqueue(request, priority)
        if not self._takers:
            known = self._waiting.get(request)
            if known is None and len(self._waiting) >= self._names_max:
                raise ChannelFull(
                    f"{self._names_max} names wait in a channel already, and no controller that has it among its "
                    "sources runs; is it added, and are we the leader?"
                )
            self._waiting[request] = priority if known is None else max(known, priority)

    def put_object(self, value: Any, priority: int = 0) -> None:
        """Reconciles soon whom an object concerns. Raises: as `put`."""
        for request in self._map(value):
            self.put(request, priority)

    async def run(self, enqueue: Enqueue[R], /) -> None:
        waiting, self._waiting = self._waiting, {}
        for request, priority in waiting.items():
            enqueue(request, priority)
        self._takers.append(enqueue)
        try:
            await asyncio.Event().wait()
        finally:
            self._takers.remove(enqueue)


class Timer(Generic[R]):
    """The same names again and again."""

    def __init__(
        self,
        seconds: float,
        requests: Iterable[R] | Callable[[], Iterable[R]],
        *,
        jitter: float = 0.1,
        priority: int = LOW_PRIORITY,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        """`requests`, or what a function (`all_in`) gives at the time, every `seconds` and up to `jitter` times that
        longer, so that processes do not tick together. The first time after that, not at the start.

        Raises: ValueError.
        """
        if not seconds > 0 or jitter < 0:
            raise ValueError(
                f"a timer of {seconds!r} seconds with jitter {jitter!r}; use more than 0, and not less than 0"
            )
        self._seconds = seconds
        self._requests = requests if callable(requests) else tuple(requests)
        self._jitter = jitter
        self._priority = priority
        self._random = random

    def __str__(self) -> str:
        return f"Timer of {self._seconds:g} s"

    async def run(self, enqueue: Enqueue[R], /) -> None:
        while True:
            await asyncio.sleep(self._seconds * (1 + self._random.uniform(0, self._jitter)))
            requests = self._requests() if callable(self._requests) else self._requests
            for told, request in enumerate(requests, 1):
                enqueue(request, self._priority)
                if not told % TURN_NAMES:
                    await asyncio.sleep(0)


def all_in(caches: Cache | Clusters, model: Model) -> Callable[[], Iterable[Request]]:
    """For a Timer: all objects of a kind that a controller watches, in one cache, or with `manager.clusters` in those
    of all clusters. None before the first list has come, which tells them anyway.
    """
    kind = kind_of(model)

    def requests() -> Iterable[Request]:
        if isinstance(caches, Cache):
            return _requests_of(caches, "")
        watched = [each for each in (caches.own, *caches.engaged()) if each.cache.find(kind)]
        return [request for each in watched for request in _requests_of(each.cache, each.name)]

    def _requests_of(cache: Cache, cluster: str) -> list[Request]:
        if any(not informer.has_synced for informer in cache.find(kind)):
            return []
        found: list[Any] = cache.list(model)
        return [Request(*key_pair_of(value), cluster) for value in found]

    return requests
