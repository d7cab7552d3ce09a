"""Follows every kind that can be deleted, and tells the graph: metadata only, one watch a kind.

Promises
    W1  kinds that come and go at run time are watched from then on, and no longer
    W2  a kind that is missing because its own server does not answer stays watched
    W3  the objects of a kind that is not watched any more are neither there nor gone: they must be asked for
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, ObjectList, TransportError, WatchEvent
from kajitori.client.objects import Codec
from kajitori.controllers.discovery import Served, served_kinds
from kajitori.controllers.garbage.graph import Graph, Identity, Owner
from kajitori.ctrl.reflector import ClientSource, Reflector
from kajitori.world.random import Random

__all__ = ["Kinds", "Watching"]

DISCOVERY_SECONDS = 30.0
"""Between two looks at which kinds there are, as in Kubernetes; CustomResourceDefinitions are watched besides."""

SETTLE_SECONDS = 0.05
"""A new definition is written several times in a row: one look is enough for all of them."""

_IGNORED = {("", "events"), ("events.k8s.io", "events")}
"""Events have no owners, and there are many."""

_CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")

_log = logging.getLogger(__name__)


class _Reference(msgspec.Struct, rename="camel", gc=False):
    uid: str = ""
    api_version: str = ""
    kind: str = ""
    name: str = ""
    block_owner_deletion: bool | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    finalizers: list[str] | None = None
    owner_references: list[_Reference] | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_Object] | None = None


_read_event = msgspec.json.Decoder(_Event).decode
_read_object = msgspec.json.Decoder(_Object).decode
_read_list = msgspec.json.Decoder(_List).decode
_EVENT_TYPES: dict[str, Any] = {each: each for each in ("ADDED", "MODIFIED", "DELETED")}


class _OwnershipCodec(Codec[Any]):
    """Reads of each object only what the graph needs: a tenth of the work, for what is every write of the cluster."""

    def decode_list(self, body: bytes) -> ObjectList[Any]:
        read = _read_list(body)
        return ObjectList(read.items or [], read.metadata.resource_version, read.metadata.continue_)

    def decode_event(self, line: bytes) -> WatchEvent[Any] | JsonObject:
        event = _read_event(line)
        type_ = _EVENT_TYPES.get(event.type)
        if type_ is None:
            return super().decode_event(line)
        value = _read_object(event.object)
        return WatchEvent(type_, value, value.metadata.resource_version)


class _Sink:
    """Passes one kind on to the graph."""

    def __init__(self, graph: Graph, kind: Kind, changed: Callable[[], None]) -> None:
        self._graph = graph
        self._api_version, self._kind = kind.api_version, kind.kind
        self._changed = changed
        self._uids: set[str] = set()
        self.synced = asyncio.Event()

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        present = {each.metadata.uid for each in objects}
        for uid in self._uids - present:
            self._graph.forget(uid)
        self._uids = present
        for each in objects:
            self._see(each.metadata)
        self.synced.set()
        self._changed()

    def apply(self, event: WatchEvent[Any]) -> None:
        if event.type == "BOOKMARK":
            return
        metadata: _Metadata = event.object.metadata
        if event.type == "DELETED":
            self._uids.discard(metadata.uid)
            self._graph.forget(metadata.uid)
        else:
            self._uids.add(metadata.uid)
            self._see(metadata)
        self._changed()

    def _see(self, metadata: _Metadata) -> None:
        identity = Identity(self._api_version, self._kind, metadata.namespace, metadata.name, metadata.uid)
        references = metadata.owner_references
        owners = (
            tuple(
                Owner(each.uid, each.api_version, each.kind, each.name, bool(each.block_owner_deletion))
                for each in references
            )
            if references
            else ()
        )
        deleted = metadata.deletion_timestamp is not None
        self._graph.see(identity, owners, metadata.finalizers or (), deleted)

    def unwatch(self) -> None:
        """Nobody tells of this kind any more (W3)."""
        for uid in self._uids:
            self._graph.unwatch(uid)
        self._uids.clear()


class Kinds:
    """Which kind a reference names."""

    def __init__(self, served: Served) -> None:
        self._kinds = {
            (each.kind.group, version, each.kind.kind): each.kind
            for each in served.kinds
            if "get" in each.verbs
            for version in each.versions
        }

    def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind, in the version that the server prefers; None when that version of it is not served."""
        group, _, version = api_version.rpartition("/")
        return self._kinds.get((group, version, kind))


class Watching:
    """All watches of the collector. `run` until cancelled."""

    def __init__(self, client: Client, graph: Graph, *, random: Random, changed: Callable[[], None]) -> None:
        """`changed` is called after the graph was told something."""
        self._client = client
        self._graph = graph
        self._random = random
        self._changed = changed
        self._watched: dict[Kind, tuple[_Sink, asyncio.Task[None]]] = {}
        self._definitions_changed = asyncio.Event()
        self._kinds_known = asyncio.Event()
        self.kinds = Kinds(Served([], []))

    async def synced(self) -> None:
        """Returns when every kind has been listed once: before that, an owner may merely not have been seen."""
        await self._kinds_known.wait()
        for sink, _ in list(self._watched.values()):
            await sink.synced.wait()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._definitions_changed.clear()
                try:
                    self._update(await served_kinds(self._client), tasks)
                except (ApiError, TransportError) as error:
                    _log.warning(
                        "the kinds of the cluster cannot be read; trying again", extra={"error": str(error)}
                    )
                try:
                    async with asyncio.timeout(DISCOVERY_SECONDS):
                        await self._definitions_changed.wait()
                    await asyncio.sleep(SETTLE_SECONDS)
                except TimeoutError:
                    continue

    def _update(self, served: Served, tasks: asyncio.TaskGroup) -> None:
        if not served.kinds:
            return
        self.kinds = Kinds(served)
        wanted = dict.fromkeys(
            each.kind
            for each in served.kinds
            if {"delete", "list", "watch"} <= each.verbs
            and (each.kind.group, each.kind.plural) not in _IGNORED
        )
        stale = {each.partition("/")[0] for each in served.stale}
        for kind in [each for each in self._watched if each not in wanted and each.group not in stale]:
            sink, task = self._watched.pop(kind)
            task.cancel()
            sink.unwatch()
        for kind in [each for each in wanted if each not in self._watched]:
            self._watched[kind] = self._watch(kind, tasks)
        self._kinds_known.set()
        self._changed()

    def _watch(self, kind: Kind, tasks: asyncio.TaskGroup) -> tuple[_Sink, asyncio.Task[None]]:
        changed = self._changed
        if (kind.group, kind.plural) == _CRDS:

            def changed() -> None:
                self._definitions_changed.set()
                self._changed()

        sink = _Sink(self._graph, kind, changed)
        source = ClientSource(self._client, _OwnershipCodec(kind), metadata_only=True)
        reflector = Reflector(source, sink, random=self._random, name=f"garbage collector: {kind}")
        return sink, tasks.create_task(reflector.run(), name=f"garbage collector: {kind}")
