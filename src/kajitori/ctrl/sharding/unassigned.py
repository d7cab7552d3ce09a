"""The objects that have no shard yet: watched by their metadata, one informer a ring and resource.

Objects leave what is watched as soon as they are assigned, so this costs what is new, and not what is there.
"""

import asyncio
from collections.abc import Callable, Sequence

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client.client import Client
from kajitori.ctrl.cache import Cache, InformerUse
from kajitori.ctrl.cache_options import CacheOptions
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.sharding.labels import shard_label
from kajitori.world.random import Random

__all__ = ["Unassigned"]


class Unassigned:
    """Of all rings. `found` is told the ring of an object that has no shard."""

    def __init__(self, client: Client, random: Random, found: Callable[[str], None]) -> None:
        self._client = client
        self._random = random
        self._found = found
        self._caches: dict[str, tuple[Cache, dict[Kind, InformerUse]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keeps what is watched up to date. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for ring in self._caches:
                    self._start(ring)
                await asyncio.Event().wait()
            finally:
                self._group = None

    def watch(self, ring: str, kinds: Sequence[Kind]) -> None:
        """From now on exactly these kinds."""
        if ring not in self._caches:
            self._caches[ring] = (Cache(self._client, random=self._random), {})
            self._start(ring)
        cache, uses = self._caches[ring]
        for kind in [each for each in uses if each not in kinds]:
            uses.pop(kind).release()
        for kind in kinds:
            if kind not in uses:
                cache.configure(kind, CacheOptions(labels=f"!{shard_label(ring)}"))
                uses[kind] = cache.use(kind, metadata_only=True)
                uses[kind].informer.add_handler(self._handler(ring))

    def forget(self, ring: str) -> None:
        """Safe to repeat."""
        self._caches.pop(ring, None)
        task = self._tasks.pop(ring, None)
        if task is not None:
            task.cancel()

    def objects(self, ring: str, kind: Kind) -> list[Unstructured]:
        """Those of a kind that are known by now."""
        cache, uses = self._caches[ring]
        return cache.list(kind) if uses[kind].informer.has_synced else []

    def _handler(self, ring: str) -> Callable[[Change], None]:
        def on_change(change: Change) -> None:
            if change.type == "create":
                self._found(ring)

        return on_change

    def _start(self, ring: str) -> None:
        if self._group is not None and ring not in self._tasks:
            run = self._caches[ring][0].run
            self._tasks[ring] = self._group.create_task(run(), name=f"unassigned objects of {ring}")
