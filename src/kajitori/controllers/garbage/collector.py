"""Watches the metadata of every kind that can be deleted, and carries out what `decide` says.

Promises
    C1  before anything is deleted the object and its owners are asked for, uncached: a graph that lags behind may
        only make work, never harm
    C2  kinds that come and go at run time are watched from then on, and no longer
    C3  an object that fails is tried again later, with growing delays; it stops nobody else

Source: Kubernetes' garbagecollector controller.
"""

import asyncio
import logging
from typing import Any

from kajitori.apimachinery.errors import ApiError, Conflict, Invalid, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client, PatchType, TransportError, WatchEvent
from kajitori.client.objects import codec_of
from kajitori.controllers.discovery import served_kinds
from kajitori.controllers.garbage.decide import Delete, Drop, Fate, LetGo, Orphan, decide
from kajitori.controllers.garbage.graph import Graph, Identity, Owner
from kajitori.ctrl import Manager
from kajitori.ctrl.reflector import ClientSource, Reflector
from kajitori.ctrl.workqueue import QueueShutDown, WorkQueue
from kajitori.world.random import SYSTEM_RANDOM, Random

__all__ = ["GarbageCollector", "setup"]

WORKERS = 8
"""Objects handled side by side: most of the time goes into waiting for answers."""

DISCOVERY_SECONDS = 30.0
"""Between two looks at which kinds there are, as in Kubernetes; CustomResourceDefinitions are watched besides."""

_IGNORED = {("", "events"), ("events.k8s.io", "events")}
"""Events have no owners, and there are many."""

CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)

_log = logging.getLogger(__name__)


class _Sink:
    """Passes the metadata of one kind on to the graph."""

    def __init__(self, collector: "GarbageCollector", kind: Kind) -> None:
        self._collector = collector
        self._kind = kind
        self._uids: set[str] = set()
        self.synced = asyncio.Event()

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        present = {each.uid for each in objects}
        for uid in self._uids - present:
            self._collector.graph.forget(uid)
        self._uids = present
        for each in objects:
            self._see(each)
        self.synced.set()
        self._collector.enqueue()
        if self._kind == CRDS:
            self._collector.kinds_changed.set()

    def apply(self, event: WatchEvent[Any]) -> None:
        if event.type == "BOOKMARK":
            return
        value: Unstructured = event.object
        if event.type == "DELETED":
            self._uids.discard(value.uid)
            self._collector.graph.forget(value.uid)
        else:
            self._uids.add(value.uid)
            self._see(value)
        self._collector.enqueue()
        if self._kind == CRDS:
            self._collector.kinds_changed.set()

    def _see(self, value: Unstructured) -> None:
        kind = self._kind
        identity = Identity(kind.api_version, kind.kind, value.namespace, value.name, value.uid)
        self._collector.graph.see(identity, value.metadata)

    def forget_all(self) -> None:
        """The kind is no longer served: so its objects are gone."""
        for uid in self._uids:
            self._collector.graph.forget(uid)
        self._uids.clear()


class GarbageCollector:
    """One collector for a cluster. `run` until cancelled."""

    def __init__(self, client: Client, *, random: Random = SYSTEM_RANDOM) -> None:
        self._client = client
        self._random = random
        self.graph = Graph()
        self.kinds_changed = asyncio.Event()
        self._kinds: dict[tuple[str, str], Kind] = {}
        """By group and kind: what a reference names."""
        self._watched: dict[Kind, tuple[_Sink, asyncio.Task[None]]] = {}
        self._queue: WorkQueue[str] = WorkQueue("garbage-collector")
        self._absent: dict[str, None] = {}
        self._kinds_known = asyncio.Event()

    def enqueue(self) -> None:
        """Lines up what the graph says has changed."""
        for uid in self.graph.changed():
            self._queue.add(uid)

    async def run(self) -> None:
        """Watches and collects. Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_kinds(tasks), name="garbage-collector kinds")
            await self._synced()
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"garbage-collector {number}")

    async def _synced(self) -> None:
        """Until every kind has been listed once: before that, an owner may merely not have been seen."""
        await self._kinds_known.wait()
        for sink, _ in list(self._watched.values()):
            await sink.synced.wait()

    async def _follow_kinds(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self.kinds_changed.clear()
            try:
                await self._update_kinds(tasks)
            except (ApiError, TransportError) as error:
                _log.warning(
                    "the kinds of the cluster cannot be read; trying again", extra={"error": str(error)}
                )
            try:
                async with asyncio.timeout(DISCOVERY_SECONDS):
                    await self.kinds_changed.wait()
            except TimeoutError:
                continue

    async def _update_kinds(self, tasks: asyncio.TaskGroup) -> None:
        served = await served_kinds(self._client)
        self._kinds = {(each.kind.group, each.kind.kind): each.kind for each in served if "get" in each.verbs}
        wanted = {
            each.kind
            for each in served
            if {"delete", "list", "watch"} <= each.verbs
            and (each.kind.group, each.kind.plural) not in _IGNORED
        }
        for kind in wanted - self._watched.keys():
            sink = _Sink(self, kind)
            source = ClientSource(self._client, codec_of(kind), metadata_only=True)
            reflector = Reflector(source, sink, random=self._random, name=f"garbage {kind}")
            self._watched[kind] = (sink, tasks.create_task(reflector.run(), name=f"garbage {kind}"))
        for kind in self._watched.keys() - wanted:
            sink, task = self._watched.pop(kind)
            task.cancel()
            sink.forget_all()
        self._kinds_known.set()
        self.enqueue()

    # One object at a time.

    async def _work(self) -> None:
        while True:
            try:
                taken = await self._queue.get()
            except QueueShutDown:
                return
            uid = taken.name
            try:
                await self._collect(uid)
                self._queue.forget(uid)
            except (ApiError, TransportError) as error:
                delay = self._queue.add_rate_limited(uid)
                _log.debug("collecting failed", extra={"uid": uid, "error": str(error), "seconds": delay})
            finally:
                self._queue.done(uid)

    async def _collect(self, uid: str) -> None:
        node = self.graph.get(uid)
        if node is None:
            return
        kind = self._kind_of(node.identity.api_version, node.identity.kind)
        if kind is None:
            return
        live = await self._live(kind, node.identity)
        if live is None or live.uid != uid:
            self._remember_absent(uid)
            self.graph.forget(uid)
            self.enqueue()
            return
        self.graph.see(node.identity, live.metadata)
        current = self.graph.get(uid)
        if current is None:
            return
        fates: dict[str, Fate] = {}
        if not current.being_deleted:
            fates = {owner.uid: await self._fate(owner, live.namespace) for owner in current.owners}
            if fates.keys() != {owner.uid for owner in current.owners}:
                self._queue.add(uid)
                return
        plan = decide(current, fates, tuple(live.finalizers))
        match plan:
            case Drop(uids):
                await self._drop_owners(kind, live, uids)
            case Delete(propagation):
                await self._delete(kind, live, propagation)
            case LetGo(finalizer):
                await self._drop_finalizer(kind, live, finalizer)
            case Orphan(dependents, finalizer):
                await self._orphan(uid, dependents)
                await self._drop_finalizer(kind, live, finalizer)
            case _:
                if current.foreground:
                    for each in current.blocking:
                        self._queue.add(each.identity.uid)

    def _kind_of(self, api_version: str, kind: str) -> Kind | None:
        return self._kinds.get((api_version.rpartition("/")[0], kind))

    async def _live(self, kind: Kind, identity: Identity) -> Unstructured | None:
        namespace = identity.namespace if kind.namespaced else ""
        try:
            return await self._client.get(kind, namespace, identity.name, metadata_only=True)
        except NotFound:
            return None

    async def _fate(self, owner: Owner, namespace: str) -> Fate:
        """What became of an owner, asked of the API server unless it is known to be gone (C1)."""
        if owner.uid in self._absent:
            return Fate.GONE
        kind = self._kind_of(owner.api_version, owner.kind)
        if kind is None:
            # A kind that nobody serves: its objects may come back with it, so nothing may be deleted for it.
            return Fate.THERE
        if kind.namespaced and not namespace:
            return Fate.THERE  # a cluster-scoped object cannot have this owner; it is left alone
        identity = Identity(owner.api_version, owner.kind, namespace, owner.name, owner.uid)
        live = await self._live(kind, identity)
        if live is None or live.uid != owner.uid:
            self._remember_absent(owner.uid)
            return Fate.GONE
        if live.being_deleted and "foregroundDeletion" in live.finalizers:
            return Fate.GOING
        return Fate.THERE

    def _remember_absent(self, uid: str) -> None:
        """An uid never comes back; the oldest are forgotten."""
        if len(self._absent) >= ABSENT_MAX:
            del self._absent[next(iter(self._absent))]
        self._absent[uid] = None

    async def _drop_owners(self, kind: Kind, live: Unstructured, uids: tuple[str, ...]) -> None:
        kept = [each for each in live.owner_references if each.get("uid") not in uids]
        patch = {
            "metadata": {
                "uid": live.uid,
                "resourceVersion": live.resource_version,
                "ownerReferences": kept or None,
            }
        }
        await self._patch(kind, live, patch)

    async def _drop_finalizer(self, kind: Kind, live: Unstructured, finalizer: str) -> None:
        kept = [each for each in live.finalizers if each != finalizer]
        patch = {
            "metadata": {
                "uid": live.uid,
                "resourceVersion": live.resource_version,
                "finalizers": kept or None,
            }
        }
        await self._patch(kind, live, patch)

    async def _patch(self, kind: Kind, live: Unstructured, patch: dict[str, Any]) -> None:
        try:
            await self._client.patch(kind, live.namespace, live.name, patch, PatchType.MERGE)
        except NotFound:
            return
        except (Conflict, Invalid):
            self._queue.add(live.uid)  # it changed meanwhile: look again

    async def _delete(self, kind: Kind, live: Unstructured, propagation: Any) -> None:
        try:
            await self._client.delete(kind, live.namespace, live.name, propagation=propagation, uid=live.uid)
        except (NotFound, Conflict):
            return  # gone, or another object by now

    async def _orphan(self, owner: str, dependents: tuple[str, ...]) -> None:
        for uid in dependents:
            node = self.graph.get(uid)
            if node is None or node.guessed:
                continue
            kind = self._kind_of(node.identity.api_version, node.identity.kind)
            live = None if kind is None else await self._live(kind, node.identity)
            if kind is None or live is None or live.uid != uid:
                continue
            while any(each.get("uid") == owner for each in live.owner_references):
                kept = [each for each in live.owner_references if each.get("uid") != owner]
                patch = {
                    "metadata": {
                        "uid": uid,
                        "resourceVersion": live.resource_version,
                        "ownerReferences": kept or None,
                    }
                }
                try:
                    await self._client.patch(kind, live.namespace, live.name, patch, PatchType.MERGE)
                    break
                except NotFound:
                    break
                except (Conflict, Invalid):
                    again = await self._live(kind, node.identity)
                    if again is None or again.uid != uid:
                        break
                    live = again


ABSENT_MAX = 10_000
"""Owners that are known to be gone: asked for once, not by every one of their dependents."""


def setup(manager: Manager) -> GarbageCollector:
    """Adds the collector to a manager."""
    collector = GarbageCollector(manager.client)
    manager.add(collector.run)
    return collector
