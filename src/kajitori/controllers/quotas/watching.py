"""Watches of what quotas count: a kind is watched while a quota counts it, and no longer.

Nothing is kept but, of each object, what may change what it uses. So a cluster without quotas pays nothing, and one
with quotas little.

Promises
    W1  a quota is looked at again when something that it counts is gone, is over, or uses something else
    W2  after a watch was broken every quota that counts the kind is looked at again: something may have been missed
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.apis.quota import Known, evaluator_for
from kajitori.client import Client, WatchEvent
from kajitori.client.objects import codec_of
from kajitori.ctrl.reflector import ClientSource, Reflector
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["Watching"]

_MEASURED = frozenset({"/pods", "/services", "/persistentvolumeclaims", "resource.k8s.io/resourceclaims"})
"""Kinds whose objects use more than their number."""

Changed = Callable[[str, str], None]
"""Bucket and namespace; an empty namespace stands for all."""


class _Sink:
    """One kind: what its objects are like, as far as it matters."""

    def __init__(self, bucket: str, clock: Clock, changed: Changed) -> None:
        self._bucket = bucket
        self._clock = clock
        self._changed = changed
        self._known: dict[tuple[str, str], Hashable] = {}

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        self._known = {(each.namespace, each.name): self._likeness(each) for each in objects}
        self._changed(self._bucket, "")

    def apply(self, event: WatchEvent[Any]) -> None:
        if event.type == "BOOKMARK":
            return
        obj = event.object
        key = obj.namespace, obj.name
        if event.type == "DELETED":
            self._known.pop(key, None)
            self._changed(self._bucket, obj.namespace)
            return
        likeness = self._likeness(obj)
        if key in self._known and self._known[key] != likeness:
            self._changed(self._bucket, obj.namespace)
        self._known[key] = likeness

    def _likeness(self, obj: Any) -> Hashable:
        """What may change what the object uses, or which quotas count it."""
        if self._bucket not in _MEASURED:
            return None
        around = Known(self._clock.now().timestamp())
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        usage = evaluator_for(self._bucket).usage(obj, around)
        return (
            tuple(sorted((name, str(amount)) for name, amount in usage.items())),
            spec.get("activeDeadlineSeconds"),
            spec.get("volumeAttributesClassName"),
            status.get("currentVolumeAttributesClassName"),
            (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
        )


class Watching:
    """All watches. `run` until cancelled."""

    def __init__(self, client: Client, *, clock: Clock, random: Random, changed: Changed) -> None:
        self._client = client
        self._clock = clock
        self._random = random
        self._changed = changed
        self._wanted: Mapping[str, Kind] = {}
        self._watched: dict[Kind, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def want(self, kinds: Mapping[str, Kind]) -> None:
        """From now on these kinds, by bucket, are watched, and no others."""
        if kinds != self._wanted:
            self._wanted = dict(kinds)
            self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._woken.wait()
                self._woken.clear()
                wanted = {kind: bucket for bucket, kind in self._wanted.items()}
                for kind in self._watched.keys() - wanted.keys():
                    self._watched.pop(kind).cancel()
                for kind in sorted(wanted.keys() - self._watched.keys(), key=str):
                    self._watched[kind] = tasks.create_task(self._follow(wanted[kind], kind))

    async def _follow(self, bucket: str, kind: Kind) -> None:
        source = ClientSource(self._client, codec_of(kind), metadata_only=bucket not in _MEASURED)
        sink = _Sink(bucket, self._clock, self._changed)
        await Reflector(source, sink, random=self._random, name=f"resource quotas: {kind}").run()
