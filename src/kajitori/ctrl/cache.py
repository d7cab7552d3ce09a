"""All informers of a process, shared: one a kind, started when first wanted, stopped when nobody wants it
any more.

Promises
    A1  everyone who asks for the same model gets the same informer
    A2  an informer stops when its last use is released; what it held is forgotten
    A3  reading a kind that is not watched, or not yet complete, or in a namespace that is not, raises: absent always
        means "does not exist"
    A4  what is handed out is frozen all the way down, also instances of classes: it needs no copy, and nobody can
        change what others read
    A5  what another cache handed over is not listed again where it would be read alike (V1, V2)
    A6  a list by fields gives exactly those whose fields have these values, each field being a name or an index

Source: controller-runtime's pkg/cache.
"""

import asyncio
import builtins
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, TypeVar, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.labels import LabelSelector
from kajitori.apimachinery.objectmeta import PartialObjectMetadata
from kajitori.client.accessors import key_pair_of
from kajitori.client.client import Client
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.cache_options import RESYNC_SECONDS, CacheOptions
from kajitori.ctrl.field_index import FIELD_INDEX, field_values, required_fields
from kajitori.ctrl.handover import KeptKind
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.reflector import ClientSource
from kajitori.ctrl.store import IndexFunction, Store
from kajitori.ctrl.stored import Making, stored_codec
from kajitori.world.random import Random

__all__ = ["Cache", "InformerUse", "NotInCache"]

T = TypeVar("T")


class NotInCache(Exception):
    """The kind is not watched, or its first list has not come yet."""


class InformerUse:
    """A claim on an informer: it runs at least until this is released."""

    def __init__(self, cache: "Cache", informer: Informer) -> None:
        self._cache = cache
        self.informer = informer
        self._released = False

    @property
    def options(self) -> CacheOptions:
        """How it is cached, complete."""
        return self._cache.options(self.informer.model)

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

    def __init__(self, client: Client, *, random: Random, defaults: CacheOptions | None = None) -> None:
        """`defaults` count for every kind, as far as its own options say nothing."""
        self._client = client
        self._random = random
        self._defaults = _STANDARD if defaults is None else defaults.with_defaults(_STANDARD)
        self._options: dict[Model, CacheOptions] = {}
        self._entries: dict[_View, _Entry] = {}
        self._indexes: dict[Model, dict[str, IndexFunction]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._kept: builtins.list[KeptKind] = []
        self._alike: builtins.list[Cache] = [self]
        """Those that are configured together; ourselves, too."""

    def alike(self, client: Client) -> "Cache":
        """One of another cluster, configured like this one, also later, until it is told to `part`."""
        other = Cache(client, random=self._random, defaults=self._defaults)
        other._options, other._indexes, other._alike = self._options, self._indexes, self._alike
        self._alike.append(other)
        return other

    def part(self) -> None:
        """Is not configured with others any more. Safe to repeat."""
        if self in self._alike:
            self._alike.remove(self)

    def configure(self, model: Model, options: CacheOptions) -> None:
        """How a kind is cached; to be said before anybody uses it. The same may be said again at any time.

        Raises: RuntimeError when it is in use already; ValueError for namespaces of a kind that has none.
        """
        if options.namespaces and not kind_of(model).namespaced:
            raise ValueError(f"{kind_of(model)} is cluster-scoped; it cannot be narrowed to namespaces")
        in_use = any((model, only) in each._entries for each in self._alike for only in (False, True))
        if in_use and self.options(model) != options.with_defaults(self._defaults):
            raise RuntimeError(f"{kind_of(model)} is cached already; configure it before its first use")
        self._options[model] = options

    def configure_all(self, options: CacheOptions) -> None:
        """How those kinds are cached that nothing else is said of; to be said before anybody uses one.

        Raises: RuntimeError when one is in use already.
        """
        if any(each._entries for each in self._alike):
            raise RuntimeError("kinds are cached already; configure them before their first use")
        for each in self._alike:
            each._defaults = options.with_defaults(_STANDARD)

    def narrow(self, model: Model, shards: str) -> None:
        """Another shard selector, at any time: what it selects beside comes, the rest goes as if it were gone."""
        self._options[model] = replace(self._options.get(model, CacheOptions()), shards=shards)
        for cache in self._alike:
            for metadata_only in (False, True):
                entry = cache._entries.get((model, metadata_only))
                if entry is not None:
                    entry.informer.narrow(shards)

    def options(self, model: Model) -> CacheOptions:
        """How a kind is cached, complete."""
        own = self._options.get(model)
        options = self._defaults if own is None else own.with_defaults(self._defaults)
        return options if kind_of(model).namespaced or not options.namespaces else _everywhere(options)

    def add_index(self, model: Model, name: str, function: IndexFunction) -> None:
        """Lets `list(index=(name, value))` find the objects of which `function` says `value`. Safe at any
        time.

        Raises: ValueError when another function has that name.
        """
        indexes = self._indexes.setdefault(model, {})
        if indexes.get(name, function) is not function:
            raise ValueError(f"index {name!r} of {kind_of(model)} exists already with another function")
        indexes[name] = function
        for cache in self._alike:
            for metadata_only in (False, True):
                entry = cache._entries.get((model, metadata_only))
                if entry is not None:
                    entry.informer.store.add_index(name, function)

    def index_field(self, model: Model, path: str, function: IndexFunction | None = None) -> None:
        """Lets `list(fields="PATH=VALUE")` find objects by a field, such as `spec.nodeName`; `function` says what its
        value is where it is not simply there. Safe at any time, and to repeat.

        Raises: ValueError when another function has that name.
        """
        name = FIELD_INDEX + path
        if function is None:
            function = self._indexes.get(model, {}).get(name) or field_values(path)
        self.add_index(model, name, function)

    def use(self, model: Model, *, metadata_only: bool = False) -> InformerUse:
        """The shared informer of a model, which starts at once when the cache runs.

        `metadata_only` asks for PartialObjectMetadata: an informer of its own, whose objects have nothing else.
        Raises: TypeError when a class is no kind, or not frozen.
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
    def get(
        self, model: Kind, namespace: str, name: str, *, metadata_only: bool = False
    ) -> Unstructured | None: ...
    @overload
    def get(
        self, model: type[T], namespace: str, name: str, *, metadata_only: Literal[False] = False
    ) -> T | None: ...
    @overload
    def get(
        self, model: type[Any], namespace: str, name: str, *, metadata_only: Literal[True]
    ) -> PartialObjectMetadata | None: ...
    def get(self, model: Model, namespace: str, name: str, *, metadata_only: bool = False) -> Any:
        """One object; None when there is none. `namespace` is empty for cluster-scoped kinds.

        Raises: NotInCache; UnreadableObject when it is there, and its class cannot hold it.
        """
        return self._readable(model, namespace, metadata_only).store.get(namespace, name)

    @overload
    def list(
        self,
        model: Kind,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
        index: tuple[str, str] | None = None,
        limit: int = 0,
        metadata_only: bool = False,
    ) -> builtins.list[Unstructured]: ...
    @overload
    def list(
        self,
        model: type[T],
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
        index: tuple[str, str] | None = None,
        limit: int = 0,
        metadata_only: Literal[False] = False,
    ) -> builtins.list[T]: ...
    @overload
    def list(
        self,
        model: type[Any],
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
        index: tuple[str, str] | None = None,
        limit: int = 0,
        metadata_only: Literal[True],
    ) -> builtins.list[PartialObjectMetadata]: ...
    def list(
        self,
        model: Model,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
        index: tuple[str, str] | None = None,
        limit: int = 0,
        metadata_only: bool = False,
    ) -> builtins.list[Any]:
        """Objects in a namespace (None: in all that are cached) that a selector selects, whose `fields` have exact
        values (see `index_field`), that an index finds under a value; in no order, at most `limit` (0: all).

        Raises: NotInCache; KeyError when there is no such index; ValueError for fields that are not indexed.
        """
        store = self._readable(model, namespace, metadata_only).store
        indexes = [] if index is None else [index]
        if fields:
            required = required_fields(fields)
            name, within = required.pop("metadata.name", None), required.pop("metadata.namespace", namespace)
            if within != namespace and namespace is not None:
                return []
            namespace = within
            indexes += self._field_indexes(model, store, required)
            found = store.list(namespace, labels, indexes)
            if name is not None:
                found = [value for value in found if key_pair_of(value)[1] == name]
        else:
            found = store.list(namespace, labels, indexes)
        return found[:limit] if limit else found

    def when_gone(
        self, model: Model, namespace: str, name: str, uid: str, call: Callable[[], None]
    ) -> Callable[[], None]:
        """Calls `call` once there is no such object with that uid (empty: with any), at once when there is none.
        Gives the way to cancel.

        Raises: NotInCache.
        """
        return self._readable(model, namespace).when_gone((namespace, name), uid, call)

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

    def _readable(self, model: Model, namespace: str | None, metadata_only: bool = False) -> Informer:
        entry = self._entries.get((model, metadata_only))
        if entry is None or not entry.informer.has_synced:
            entry = self._instead(model, metadata_only, entry)
        informer = entry.informer
        if namespace and not informer.watches(namespace):
            named = ", ".join(sorted(informer.resource_versions))
            raise NotInCache(f"{kind_of(model)} is cached in {named} only, not in {namespace}")
        return informer

    def _instead(self, model: Model, metadata_only: bool, entry: _Entry | None) -> _Entry:
        """What can be read although that which was asked for cannot."""
        other = self._entries.get((model, not metadata_only))
        if isinstance(model, Kind) and not metadata_only and other is not None:
            # Whoever waited for the one is not to be told that the other, which somebody else uses, is not there yet.
            entry = other
        if entry is None:
            instead = "" if other is None else f" (it is with metadata_only={not metadata_only})"
            raise NotInCache(
                f"{kind_of(model)} is not cached; let a controller watch it, or call cache.use first{instead}"
            )
        if not entry.informer.has_synced:
            raise NotInCache(f"{kind_of(model)} has not been listed yet; await cache.synced first")
        return entry

    def _field_indexes(
        self, model: Model, store: Store, required: dict[str, str]
    ) -> builtins.list[tuple[str, str]]:
        for path in required:
            if not store.has_index(FIELD_INDEX + path):
                raise ValueError(
                    f"{kind_of(model)} is not indexed by {path}; call cache.index_field(…, {path!r}) first"
                )
        return [(FIELD_INDEX + path, value) for path, value in required.items()]

    def _new_informer(self, model: Model, metadata_only: bool) -> Informer:
        options = self.options(model)
        making = Making(options.prepare, options.transform, options.keep_managed_fields or False)
        if metadata_only and not isinstance(model, Kind):
            making = Making()  # What a class is prepared for is not what comes.
        codec = stored_codec(model, making, metadata_only=metadata_only)
        selections = options.selections()
        sources = {
            namespace: ClientSource(
                self._client,
                codec,
                namespace=namespace,
                labels=selection.labels or "",
                fields=_fields(namespace, selection.fields or "", selections),
                shards=options.shards or "",
                metadata_only=metadata_only,
            )
            for namespace, selection in selections.items()
        }
        informer = Informer(model, sources, random=self._random, metadata_only=metadata_only)
        for name, function in self._indexes.get(model, {}).items():
            informer.store.add_index(name, function)
        for kept in self._kept:
            objects = kept.as_read_by(model, options, metadata_only)
            if objects is not None:
                informer.resume(objects, kept.resource_versions)
                self._kept.remove(kept)
                break
        return informer

    def _start(self, entry: _Entry) -> None:
        if self._group is not None and entry.task is None:
            entry.task = self._group.create_task(entry.informer.run(), name=f"informer {entry.informer.name}")

    def remove(self, model: Model, *, metadata_only: bool = False) -> None:
        """Stops an informer and forgets what it held, whoever uses it; without one, nothing happens. Its handlers hear
        nothing more; who uses the model again gets a new one.
        """
        entry = self._entries.pop((model, metadata_only), None)
        if entry is not None:
            entry.informer.stop()
            if entry.task is not None:
                entry.task.cancel()

    def release(self, informer: Informer) -> None:
        """One use less; `InformerUse.release` calls this once."""
        for view, entry in self._entries.items():
            if entry.informer is informer:
                entry.uses -= 1
                if not entry.uses:
                    self.remove(view[0], metadata_only=view[1])
                return


_STANDARD = CacheOptions((), labels="", fields="", keep_managed_fields=False, resync_seconds=RESYNC_SECONDS)


def _everywhere(options: CacheOptions) -> CacheOptions:
    return replace(options, namespaces=())


def _fields(namespace: str, fields: str, selections: Iterable[str]) -> str:
    """The field selector of a namespace, or of those that are not named."""
    if namespace:
        return fields
    others = [f"metadata.namespace!={each}" for each in selections if each]
    return ",".join([fields, *others] if fields else others)
