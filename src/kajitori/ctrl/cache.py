"""All informers of a process, shared: one a kind, started when first wanted, stopped when nobody wants it
any more.

Promises
    A1  everyone who asks for the same model gets the same informer
    A2  an informer stops when its last use is released; what it held is forgotten
    A3  reading a kind that is not watched, or not yet complete, raises: absent always means "does not exist"
    A4  what is handed out is frozen
    A5  what another cache handed over is not listed again where it would be read alike (V1, V2)
    A6  texts that many untyped objects have (kind, namespace, time, labels) are kept once

Source: controller-runtime's pkg/cache.
"""

import asyncio
import builtins
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import Any, TypeVar, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.labels import LabelSelector
from kajitori.client.client import Client
from kajitori.client.objects import Model, Prepare, codec_of, kind_of
from kajitori.ctrl.handover import KeptKind
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.reflector import ClientSource
from kajitori.ctrl.store import IndexFunction
from kajitori.world.random import Random

__all__ = ["RESYNC_SECONDS", "Cache", "CacheOptions", "InformerUse", "NotInCache"]

RESYNC_SECONDS = 36_000.0
"""Handlers see everything again every ten hours, in case a change was mishandled. As controller-runtime."""

T = TypeVar("T")


class NotInCache(Exception):
    """The kind is not watched, or its first list has not come yet."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """How one kind is cached."""

    namespace: str = ""
    """Only this one; empty: all."""
    labels: str = ""
    """Only objects that this label selector selects."""
    fields: str = ""
    """Only objects that this field selector selects."""
    prepare: Prepare | None = None
    """Changes each object, a plain dict of its own, before it is frozen and stored; untyped kinds only."""
    keep_managed_fields: bool = False
    """`metadata.managedFields` is half of many objects and hardly ever read; it is left out unless kept."""


class InformerUse:
    """A claim on an informer: it runs at least until this is released."""

    def __init__(self, cache: "Cache", informer: Informer) -> None:
        self._cache = cache
        self.informer = informer
        self._released = False

    def release(self) -> None:
        """Safe to repeat. Remove your handlers first."""
        if not self._released:
            self._released = True
            self._cache.release(self.informer)


class _Entry:
    __slots__ = ("informer", "task", "uses")

    def __init__(self, informer: Informer) -> None:
        self.informer = informer
        self.uses = 0
        self.task: asyncio.Task[None] | None = None


_View = tuple[Model, bool]


class Cache:
    """Reads that cost no request. `run` keeps it up to date."""

    def __init__(self, client: Client, *, random: Random) -> None:
        self._client = client
        self._random = random
        self._options: dict[Model, CacheOptions] = {}
        self._entries: dict[_View, _Entry] = {}
        self._indexes: dict[Model, dict[str, IndexFunction]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._kept: builtins.list[KeptKind] = []

    def configure(self, model: Model, options: CacheOptions) -> None:
        """How a kind is cached; to be said before anybody uses it.

        Raises: RuntimeError when it is in use already.
        """
        if (model, False) in self._entries or (model, True) in self._entries:
            raise RuntimeError(f"{kind_of(model)} is cached already; configure it before its first use")
        self._options[model] = options

    def options(self, model: Model) -> CacheOptions:
        return self._options.get(model, _DEFAULT_OPTIONS)

    def add_index(self, model: Model, name: str, function: IndexFunction) -> None:
        """Lets `list(index=(name, value))` find the objects of which `function` says `value`. Safe at any
        time.

        Raises: ValueError when another function has that name.
        """
        indexes = self._indexes.setdefault(model, {})
        if indexes.get(name, function) is not function:
            raise ValueError(f"index {name!r} of {kind_of(model)} exists already with another function")
        indexes[name] = function
        for metadata_only in (False, True):
            entry = self._entries.get((model, metadata_only))
            if entry is not None:
                entry.informer.store.add_index(name, function)

    def use(self, model: Model, *, metadata_only: bool = False) -> InformerUse:
        """The shared informer of a model, which starts at once when the cache runs.

        `metadata_only` asks for PartialObjectMetadata: an informer of its own, for Kinds only.
        """
        entry = self._entries.get((model, metadata_only))
        if entry is None:
            entry = self._entries[(model, metadata_only)] = _Entry(self._new_informer(model, metadata_only))
            self._start(entry)
        entry.uses += 1
        return InformerUse(self, entry.informer)

    async def synced(self, model: Model, *, metadata_only: bool = False) -> InformerUse:
        """The same, once everything that exists is in it."""
        use = self.use(model, metadata_only=metadata_only)
        try:
            await use.informer.wait_synced()
        except BaseException:
            use.release()
            raise
        return use

    def informers(self) -> builtins.list[Informer]:
        """Those that run now."""
        return [entry.informer for entry in self._entries.values()]

    def find(self, kind: Kind) -> builtins.list[Informer]:
        """The informers of a kind: typed, untyped, metadata only."""
        return [entry.informer for entry in self._entries.values() if entry.informer.kind == kind]

    @overload
    def get(self, model: Kind, namespace: str, name: str) -> Unstructured | None: ...
    @overload
    def get(self, model: type[T], namespace: str, name: str) -> T | None: ...
    def get(self, model: Model, namespace: str, name: str) -> Any:
        """One object; None when there is none. `namespace` is empty for cluster-scoped kinds.

        Raises: NotInCache.
        """
        return self._informer(model).store.get(namespace, name)

    @overload
    def list(
        self,
        model: Kind,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        index: tuple[str, str] | None = None,
    ) -> builtins.list[Unstructured]: ...
    @overload
    def list(
        self,
        model: type[T],
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        index: tuple[str, str] | None = None,
    ) -> builtins.list[T]: ...
    def list(
        self,
        model: Model,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        index: tuple[str, str] | None = None,
    ) -> builtins.list[Any]:
        """Objects in a namespace (None: in all), that a selector selects, that an index finds under a value.

        Raises: NotInCache; KeyError when there is no such index.
        """
        return self._informer(model).store.list(namespace, labels, index)

    def when_gone(
        self, model: Model, namespace: str, name: str, uid: str, call: Callable[[], None]
    ) -> Callable[[], None]:
        """Calls `call` once there is no such object with that uid (empty: with any), at once when there is none.
        Gives the way to cancel.

        Raises: NotInCache.
        """
        return self._informer(model).when_gone((namespace, name), uid, call)

    def hand_over(self) -> builtins.list[KeptKind]:
        """What is here, for the cache that comes after this one. From now on this one learns nothing new."""
        kept: builtins.list[KeptKind] = []
        for (model, metadata_only), entry in self._entries.items():
            if entry.task is not None:
                entry.task.cancel()
            left = entry.informer.left()
            if left is not None:
                kept.append(KeptKind(model, self.options(model), metadata_only, *left))
        return kept

    def take_over(self, kept: Iterable[KeptKind]) -> None:
        """Informers that start from now on begin with what another cache has handed over, where they read it alike."""
        self._kept.extend(kept)

    async def run(self) -> None:
        """Keeps every informer up to date. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for entry in self._entries.values():
                    self._start(entry)
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _informer(self, model: Model) -> Informer:
        whole, metadata = self._entries.get((model, False)), self._entries.get((model, True))
        # Whoever waited for the one is not to be told that the other, which somebody else uses, is not there yet.
        for entry in (whole, metadata):
            if entry is not None and entry.informer.has_synced:
                return entry.informer
        if whole is None and metadata is None:
            raise NotInCache(
                f"{kind_of(model)} is not cached; let a controller watch it, or call cache.use first"
            )
        raise NotInCache(f"{kind_of(model)} has not been listed yet; await cache.synced first")

    def _new_informer(self, model: Model, metadata_only: bool) -> Informer:
        options = self.options(model)
        prepare = options.prepare
        if isinstance(model, Kind):
            slim = _sharing if options.keep_managed_fields else _without_managed_fields
            prepare = slim if prepare is None else _both(slim, prepare)
        source = ClientSource(
            self._client,
            codec_of(model, prepare),
            namespace=options.namespace,
            labels=options.labels,
            fields=options.fields,
            metadata_only=metadata_only,
        )
        informer = Informer(model, source, random=self._random, metadata_only=metadata_only)
        for name, function in self._indexes.get(model, {}).items():
            informer.store.add_index(name, function)
        for kept in self._kept:
            objects = kept.as_read_by(model, options, metadata_only)
            if objects is not None:
                informer.resume(objects, kept.resource_version)
                self._kept.remove(kept)
                break
        return informer

    def _start(self, entry: _Entry) -> None:
        if self._group is not None and entry.task is None:
            entry.task = self._group.create_task(entry.informer.run(), name=f"informer {entry.informer.name}")

    def release(self, informer: Informer) -> None:
        """One use less; `InformerUse.release` calls this once."""
        for view, entry in self._entries.items():
            if entry.informer is informer:
                entry.uses -= 1
                if not entry.uses:
                    del self._entries[view]
                    if entry.task is not None:
                        entry.task.cancel()
                return


_DEFAULT_OPTIONS = CacheOptions()


def _without_managed_fields(value: JsonObject) -> JsonObject:
    metadata = value.get("metadata")
    if metadata is not None:
        metadata.pop("managedFields", None)
    return _sharing(value)


_SHARED = ("namespace", "creationTimestamp")


def _sharing(value: JsonObject) -> JsonObject:
    """The same, with one text for all that are equal (A6): a tenth of what a small object takes."""
    for name in ("apiVersion", "kind"):
        if name in value:
            value[name] = intern(value[name])
    metadata = value.get("metadata")
    if metadata is not None:
        for name in _SHARED:
            text = metadata.get(name)
            if text is not None:
                metadata[name] = intern(text)
        labels = metadata.get("labels")
        if labels:
            for name, text in labels.items():
                labels[name] = intern(text)
    return value


def _both(first: Prepare, second: Prepare) -> Prepare:
    return lambda value: second(first(value))
