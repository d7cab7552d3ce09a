"""Looks at the objects that the graph names, and carries out what `decide` says.

Promises
    C1  before anything is deleted the object and its owners are asked for, uncached, and it is deleted only as it
        was then: a graph that lags behind may only make work, never harm
    C2  an object whose owner's kind nobody serves is left alone
    C3  an object that fails is tried again later, with growing delays; it stops nobody else
    C4  a reference to an owner in another namespace is told in an Event, and counts as one to an owner that is gone

Source: Kubernetes' garbagecollector controller.
"""

import asyncio
import logging
from typing import Any

from kajitori.apimachinery.errors import ApiError, Conflict, NotFound, UnsupportedMediaType
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, PatchType, TransportError
from kajitori.controllers.garbage.decide import (
    Delete,
    Drop,
    Fate,
    LetGo,
    ObjectSeen,
    Orphan,
    WaitFor,
    decide,
)
from kajitori.controllers.garbage.graph import FOREGROUND, ORPHAN, Graph, Identity, Node, Owner, owners_in
from kajitori.controllers.garbage.watching import Watching
from kajitori.ctrl import EventRecorder, Manager
from kajitori.ctrl.workqueue import QueueShutDown, WorkQueue
from kajitori.world.random import Random

__all__ = ["GarbageCollector", "setup"]

WORKERS = 8
"""Objects handled side by side: most of the time goes into waiting for answers."""

SYNC_SECONDS_MAX = 30.0
"""How long a kind that cannot be listed may keep the collector from letting dependents go."""

_log = logging.getLogger(__name__)


class _UnknownKind(Exception):
    """Nobody serves the kind that a reference names: perhaps not yet."""


class _Misowned(Exception):
    """A cluster-scoped object names an owner that lives in a namespace, but not which."""


class GarbageCollector:
    """One collector for a cluster. `run` until cancelled."""

    def __init__(self, client: Client, events: EventRecorder, *, random: Random) -> None:
        self.graph = Graph()
        self._client = client
        self._events = events
        self._watching = Watching(client, self.graph, random=random, changed=self._enqueue)
        self._queue: WorkQueue[str] = WorkQueue("garbage-collector")
        self._started = False
        self._merge_only: set[Kind] = set()
        """Kinds that refuse strategic merge patches: custom ones."""

    async def run(self) -> None:
        """Watches and collects. Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching.run(), name="garbage collector: kinds")
            await self._watching.synced()
            # Only now: owners that were listed after their dependents need not be asked for one by one.
            self._started = True
            self._enqueue()
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"garbage collector {number}")

    def _enqueue(self) -> None:
        """Lines up what the graph says has changed."""
        if not self._started:
            return
        for uid in self.graph.changed():
            self._queue.add(uid)
        for dependent, owner in self.graph.misplaced():
            self._events.event(
                _reference_to(dependent),
                "Warning",
                "OwnerRefInvalidNamespace",
                f'ownerRef {owner} does not exist in namespace "{dependent.namespace}"',
                component="garbage-collector-controller",
            )

    async def _work(self) -> None:
        while True:
            try:
                taken = await self._queue.get()
            except QueueShutDown:
                return
            uid = taken.name
            try:
                if await self._collect(uid):
                    self._queue.forget(uid)
                else:
                    self._queue.add_rate_limited(uid)
            except _Misowned:
                self._queue.forget(uid)
            except (ApiError, TransportError, _UnknownKind) as error:
                delay = self._queue.add_rate_limited(uid)
                _log.debug("collecting failed", extra={"uid": uid, "error": str(error), "seconds": delay})
            except Exception:
                _log.exception("collecting failed", extra={"uid": uid})
                self._queue.add_rate_limited(uid)
            finally:
                self._queue.done(uid)

    # One object at a time.

    async def _collect(self, uid: str) -> bool:
        """Whether there is nothing left to do for now; False: look again in a while."""
        node = self.graph.get(uid)
        if node is None or (node.being_deleted and not (node.foreground or node.orphaning)):
            return True
        identity = node.identity
        live = await self._live(identity)
        if live is None:
            self.graph.vanish(identity)
            self._enqueue()
            return True
        owners = () if node.foreground or node.orphaning else owners_in(live.owner_references)
        fates = [(owner, await self._fate(owner, live.namespace)) for owner in owners]
        if self.graph.get(uid) is not node:
            return True  # it went while we asked
        plan = decide(self._seen(node, live, tuple(fates)))
        match plan:
            case Drop(uids):
                await self._drop_owners(identity, live, uids)
            case Delete(propagation, unblock):
                if unblock:
                    await self._unblock(identity, live)
                await self._delete(identity, live, propagation)
            case WaitFor(dependents, unblock):
                if unblock:
                    await self._unblock(identity, live)
                for each in dependents:
                    waiting = self.graph.get(each)
                    if waiting is not None and not waiting.foreground:
                        self._queue.add(each)
            case LetGo():
                await self._drop_finalizer(identity, live, FOREGROUND)
            case Orphan():
                await self._orphan(node)
                await self._drop_finalizer(identity, live, ORPHAN)
            case _:
                pass
        # What no watch has told of may be gone before one does.
        return node.observed

    def _kind_of(self, identity: Identity) -> Kind:
        kind = self._watching.kinds.find(identity.api_version, identity.kind)
        if kind is None:
            raise _UnknownKind(f"{identity.api_version} {identity.kind}")
        return kind

    async def _live(self, identity: Identity) -> Unstructured | None:
        """The object with exactly this identity, as the API server has it now.

        Raises: _UnknownKind, _Misowned.
        """
        kind = self._kind_of(identity)
        if kind.namespaced and not identity.namespace:
            raise _Misowned(str(identity))
        try:
            live = await self._client.get(kind, identity.namespace, identity.name, metadata_only=True)
        except NotFound:
            return None
        return live if live.uid == identity.uid else None

    async def _fate(self, owner: Owner, namespace: str) -> Fate:
        """What became of an owner, asked of the API server unless it is known to be gone (C1)."""
        if self.graph.is_absent(owner, namespace):
            return Fate.GONE
        identity = owner.identity(namespace)
        live = await self._live(identity)
        if live is None:
            kind = self._kind_of(identity)
            self.graph.note_absent(identity if kind.namespaced else owner.identity(""))
            return Fate.GONE
        if live.being_deleted and FOREGROUND in live.finalizers:
            return Fate.WAITING
        return Fate.THERE

    def _seen(self, node: Node, live: Unstructured, fates: tuple[tuple[Owner, Fate], ...]) -> ObjectSeen:
        return ObjectSeen(
            owners=fates,
            finalizers=tuple(live.finalizers),
            being_deleted=node.being_deleted or live.being_deleted,
            foreground=node.foreground,
            orphaning=node.orphaning,
            blocking=tuple(each.identity.uid for each in node.blocking) if node.foreground else (),
            has_dependents=bool(node.dependents),
            dependents_wait=any(each.foreground for each in node.dependents.values()),
            waits_for_itself=node.foreground and self.graph.waits_for_itself(node),
        )

    # What is done to objects.

    async def _drop_owners(self, identity: Identity, live: Unstructured, uids: tuple[str, ...]) -> None:
        strategic = [{"$patch": "delete", "uid": uid} for uid in uids]
        kept = [each for each in live.owner_references if each.get("uid") not in uids]
        await self._patch_owners(identity, live, strategic, kept)

    async def _unblock(self, identity: Identity, live: Unstructured) -> None:
        if not any(each.get("blockOwnerDeletion") for each in live.owner_references):
            return
        changed = [{**each, "blockOwnerDeletion": False} for each in live.owner_references]
        await self._patch_owners(identity, live, changed, changed)

    async def _patch_owners(
        self, identity: Identity, live: Unstructured | None, strategic: list[Any], whole: list[Any] | None
    ) -> None:
        """Changes ownerReferences: each by its uid where the server can do that, or all of them as `live` has them."""
        kind = self._kind_of(identity)
        about: JsonObject = {"uid": identity.uid}
        if kind not in self._merge_only:
            try:
                patch = {"metadata": {**about, "ownerReferences": strategic}}
                await self._client.patch(kind, identity.namespace, identity.name, patch, PatchType.STRATEGIC)
                return
            except NotFound:
                return
            except UnsupportedMediaType:
                self._merge_only.add(kind)
        if live is None:
            live = await self._live(identity)
            if live is None:
                return
            gone = {each["uid"] for each in strategic}
            whole = [each for each in live.owner_references if each.get("uid") not in gone]
        about |= {"resourceVersion": live.resource_version, "ownerReferences": whole or None}
        try:
            await self._client.patch(kind, identity.namespace, identity.name, {"metadata": about})
        except NotFound:
            return

    async def _drop_finalizer(self, identity: Identity, live: Unstructured, finalizer: str) -> None:
        if finalizer not in live.finalizers:
            return
        kept = [each for each in live.finalizers if each != finalizer]
        about = {"uid": live.uid, "resourceVersion": live.resource_version, "finalizers": kept or None}
        kind = self._kind_of(identity)
        try:
            await self._client.patch(kind, identity.namespace, identity.name, {"metadata": about})
        except NotFound:
            return

    async def _delete(self, identity: Identity, live: Unstructured, propagation: Any) -> None:
        """Deletes the object if its owners are still those that were judged."""
        kind, namespace, name = self._kind_of(identity), identity.namespace, identity.name
        try:
            await self._client.delete(
                kind,
                namespace,
                name,
                propagation=propagation,
                uid=live.uid,
                resource_version=live.resource_version,
            )
        except NotFound:
            return
        except Conflict:
            now = await self._live(identity)
            if now is None:
                return
            if now.owner_references != live.owner_references:
                raise
            try:
                await self._client.delete(kind, namespace, name, propagation=propagation, uid=live.uid)
            except NotFound:
                return

    async def _orphan(self, node: Node) -> None:
        """Takes an owner off its dependents."""
        try:
            # A dependent of a kind that was not listed yet would be missed, and deleted afterwards.
            async with asyncio.timeout(SYNC_SECONDS_MAX):
                await self._watching.synced()
        except TimeoutError:
            _log.warning("some kinds cannot be listed; dependents of them are not let go")
        owner = node.identity.uid
        strategic = [{"$patch": "delete", "uid": owner}]
        for dependent in list(node.dependents.values()):
            await self._patch_owners(dependent.identity, None, strategic, None)


def _reference_to(identity: Identity) -> JsonObject:
    return {
        "apiVersion": identity.api_version,
        "kind": identity.kind,
        "metadata": {"name": identity.name, "namespace": identity.namespace, "uid": identity.uid},
    }


def setup(manager: Manager) -> GarbageCollector:
    """Adds the collector to a manager."""
    collector = GarbageCollector(manager.client.without_warnings(), manager.events, random=manager.random)
    manager.add(collector.run)
    return collector
