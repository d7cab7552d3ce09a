"""The watches of a controller: informers wanted, changes turned into names; added and removed while it runs.

Sits between the informers, which tell changes, and the controller, which queues names.

Promises
    V1  handlers are called once everything that their controller watches is complete: a map function may read it, and
        "absent" means "does not exist"
    V2  a watch that is added tells what is there, like what comes later; one that is removed tells nothing more, from
        the moment `remove` returns, and its informer stops when nobody else uses it
    V3  a watch that is added to a controller that runs never stops that: it is followed once its kind can be listed
    V4  a predicate that raises lets the change through; a map function that raises is asked about the other objects;
        both are counted, and logged at the first and every doubling of their number
    V5  what was there when watching began, and what a resync tells, is queued with low priority
    V6  of each cluster, handlers are called once everything there is complete: one that is away delays no other
    V7  an update that moves an object from one name to another concerns both

Source: controller-runtime's Controller.Watch, pkg/source.Kind and pkg/handler.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic

from kajitori.client.accessors import key_pair_of, resource_version_of
from kajitori.client.objects import kind_of
from kajitori.ctrl.cache import InformerUse
from kajitori.ctrl.clusters import OWN, Clusters, ClusterScope, EngagedCluster
from kajitori.ctrl.explain import Cause
from kajitori.ctrl.handler import MapFunction, Watch, own_request
from kajitori.ctrl.informer import ChangeHandler, Registration
from kajitori.ctrl.metrics import ReconcileFigures
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.reconcile import R, Request

__all__ = ["CACHE_SYNC_TIMEOUT_SECONDS", "CacheSyncTimeout", "WatchHandle", "Watches"]

CACHE_SYNC_TIMEOUT_SECONDS = 120.0
"""How long the first lists may take, as in controller-runtime; usually a kind is missing or forbidden."""

_log = logging.getLogger(__name__)


class CacheSyncTimeout(Exception):
    """A kind that a controller watches could not be listed in time."""


@dataclass(slots=True)
class HandlerErrors:
    """What predicates and map functions have raised."""

    controller: str
    figures: ReconcileFigures

    def note(self, what: str, function: Callable[..., Any], value: Any, error: Exception) -> None:
        self.figures.handler_errors += 1
        count = self.figures.handler_errors
        if not count & (count - 1):
            _log.error(
                "a %s failed: %s",
                *(what, getattr(function, "__qualname__", function)),
                exc_info=error,
                extra={
                    "controller": self.controller,
                    "object": "/".join(key_pair_of(value)),
                    "errors": count,
                },
            )


class _Binding:
    """One watch in one cluster."""

    def __init__(self, use: InformerUse) -> None:
        self.use = use
        self.is_complete = False
        """Whether the informer has synced."""
        self.registration: Registration | None = None
        self.has_begun = asyncio.Event()
        """The handler has been added, or the watch removed."""
        self.cancel: Callable[[], None] = lambda: None

    def begin(self, handler: ChangeHandler) -> None:
        self.registration = self.use.informer.add_handler(
            handler, resync_seconds=self.use.options.resync_seconds or 0.0
        )
        self.has_begun.set()

    def end(self) -> None:
        self.cancel()
        if self.registration is not None:
            self.registration.remove()
        self.use.release()
        self.has_begun.set()


class WatchHandle(Generic[R]):
    """A watch of a controller, from `Controller.watch` to `remove`."""

    def __init__(self, watch: Watch[R], watches: "Watches[R]") -> None:
        self.watch = watch
        self._watches = watches

    @property
    def has_synced(self) -> bool:
        """Whether all that is there has been queued; false while the controller does not run."""
        bindings = self._watches.bindings(self)
        return bool(bindings) and all(
            each.registration is not None and each.registration.has_synced for each in bindings
        )

    async def wait_synced(self, timeout_seconds: float = CACHE_SYNC_TIMEOUT_SECONDS) -> None:
        """Until all that is there has been queued, or the watch is removed. Raises: CacheSyncTimeout."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._watches.is_running.wait()
                for binding in self._watches.bindings(self):
                    await binding.has_begun.wait()
                    if binding.registration is not None and binding.registration.active:
                        await binding.registration.synced.wait()
        except TimeoutError:
            raise self._watches.overdue(str(kind_of(self.watch.kind)), timeout_seconds) from None

    def remove(self) -> None:
        """Tells nothing more. Safe to repeat."""
        self._watches.remove(self)


class _Followed(Generic[R]):
    """The watches in one cluster: they begin together."""

    def __init__(self, cluster: EngagedCluster) -> None:
        self.cluster = cluster
        self.bindings: dict[WatchHandle[R], _Binding] = {}
        self.have_begun = asyncio.Event()
        self.overdue: asyncio.TimerHandle | None = None

    def incomplete(self) -> str:
        """The kinds that are not complete."""
        return " and ".join(each.use.informer.name for each in self.bindings.values() if not each.is_complete)


class Watches(Generic[R]):
    """All watches of one controller, in all clusters that it follows."""

    def __init__(
        self,
        controller: str,
        watches: Iterable[Watch[R]],
        tell: Callable[[R, int, Cause], None],
        *,
        figures: ReconcileFigures,
        clusters: Clusters,
        scope: ClusterScope,
    ) -> None:
        """`tell` puts a name in the queue; `scope` counts for watches that say nothing else."""
        self._controller = controller
        self._tell = tell
        self._errors = HandlerErrors(controller, figures)
        self._clusters = clusters
        self._scope = scope
        self._handles = [WatchHandle(watch, self) for watch in watches]
        self._followed: dict[str, _Followed[R]] = {}
        self._timeout = CACHE_SYNC_TIMEOUT_SECONDS
        self.is_running = asyncio.Event()

    def __iter__(self) -> Iterator[WatchHandle[R]]:
        return iter(self._handles)

    def add(self, watch: Watch[R]) -> WatchHandle[R]:
        """Watches one more kind, now or when the others begin. Raises: TypeError when a class is no kind."""
        handle = WatchHandle(watch, self)
        self._handles.append(handle)
        try:
            for followed in list(self._followed.values()):
                self._bind(handle, followed)
        except BaseException:
            self.remove(handle)
            raise
        return handle

    def remove(self, handle: WatchHandle[R]) -> None:
        """Safe to repeat."""
        if handle in self._handles:
            self._handles.remove(handle)
            for followed in list(self._followed.values()):
                binding = followed.bindings.pop(handle, None)
                if binding is not None:
                    binding.end()
                    self._begin_if_complete(followed)

    def bindings(self, handle: WatchHandle[R]) -> list[_Binding]:
        """Where a watch is followed."""
        return [each.bindings[handle] for each in self._followed.values() if handle in each.bindings]

    def warm(self) -> None:
        """Lets the informers fill, and tells nothing yet."""
        if self not in self._clusters.listeners:
            self._clusters.listeners[self] = None
            for cluster in (self._clusters.own, *self._clusters.engaged()):
                self._follow(cluster)

    async def begin(self, timeout_seconds: float) -> None:
        """Tells what is there and what comes, of each cluster once everything there is complete. Returns when that is
        so in the manager's own; others may come later. Raises: CacheSyncTimeout.
        """
        self._timeout = timeout_seconds
        self.warm()
        self.is_running.set()
        for followed in list(self._followed.values()):
            self._begin_if_complete(followed)
        own = self._followed[OWN]
        try:
            async with asyncio.timeout(timeout_seconds):
                await own.have_begun.wait()
        except TimeoutError:
            raise self.overdue(own.incomplete(), timeout_seconds) from None

    def end(self) -> None:
        """Tells nothing more; the informers may stop. Safe to repeat."""
        self.is_running.clear()
        self._clusters.listeners.pop(self, None)
        for name in list(self._followed):
            self._leave(name)

    def engaged(self, cluster: EngagedCluster) -> None:
        self._begin_if_complete(self._follow(cluster))

    def disengaged(self, cluster: EngagedCluster) -> None:
        self._leave(cluster.name)

    def overdue(self, kind: str, seconds: float) -> CacheSyncTimeout:
        return CacheSyncTimeout(
            f"controller {self._controller}: {kind} could not be listed within {seconds:g} s; does the kind exist, "
            "and may we list and watch it?"
        )

    def _follow(self, cluster: EngagedCluster) -> _Followed[R]:
        followed = self._followed[cluster.name] = _Followed(cluster)
        for handle in self._handles:
            self._bind(handle, followed)
        return followed

    def _leave(self, name: str) -> None:
        followed = self._followed.pop(name)
        if followed.overdue is not None:
            followed.overdue.cancel()
        for binding in followed.bindings.values():
            binding.end()

    def _bind(self, handle: WatchHandle[R], followed: _Followed[R]) -> None:
        watch, cluster = handle.watch, followed.cluster
        scope = self._scope if watch.clusters is None else watch.clusters
        if scope != "all" and (scope == "own") != (cluster.name == OWN):
            return
        binding = _Binding(cluster.cache.use(watch.kind, metadata_only=watch.metadata_only))
        followed.bindings[handle] = binding

        def complete() -> None:
            binding.is_complete = True
            if followed.have_begun.is_set():
                self._begin(handle, binding, cluster.name)
            else:
                self._begin_if_complete(followed)

        binding.cancel = binding.use.informer.when_synced(complete)

    def _begin_if_complete(self, followed: _Followed[R]) -> None:
        if not self.is_running.is_set() or followed.have_begun.is_set():
            return
        if followed.incomplete():
            if followed.overdue is None and followed.cluster.name != OWN:
                loop = asyncio.get_running_loop()
                followed.overdue = loop.call_later(self._timeout, self._warn, followed)
            return
        if followed.overdue is not None:
            followed.overdue.cancel()
        followed.have_begun.set()
        for handle, binding in list(followed.bindings.items()):
            self._begin(handle, binding, followed.cluster.name)

    def _begin(self, handle: WatchHandle[R], binding: _Binding, cluster: str) -> None:
        binding.begin(_handler(handle.watch, self._tell, self._errors, cluster))

    def _warn(self, followed: _Followed[R]) -> None:
        _log.warning(
            "a cluster could not be listed in time; its objects come when it can be",
            extra={
                "controller": self._controller,
                "cluster": followed.cluster.name,
                "kinds": followed.incomplete(),
            },
        )


def _handler(
    watch: Watch[R], tell: Callable[[R, int, Cause], None], errors: HandlerErrors, cluster: str
) -> ChangeHandler:
    predicates, requests_of = watch.predicates, watch.map
    kind_name = kind_of(watch.kind).kind
    is_own = requests_of is own_request
    where = f" in {cluster}" if cluster else ""
    if cluster and not watch.to_own_cluster:
        requests_of = _in_cluster(requests_of, cluster)
    time = asyncio.get_running_loop().time

    def on_change(change: Change) -> None:
        for predicate in predicates:
            try:
                if not predicate(change):
                    return
            except Exception as error:
                # One reconcile too many does no harm, one too few would.
                errors.note("predicate", predicate, change.object, error)
        value = change.object
        version, old_version, priority = resource_version_of(value), "", 0
        cause_type: Any = change.type
        concerned: tuple[Any, ...] = (value,)
        if cause_type == "update":
            old_version = resource_version_of(change.old)
            if old_version == version:
                priority, cause_type = LOW_PRIORITY, "resync"
            elif not is_own:
                concerned = (change.old, value)
        elif change.initial:
            priority = LOW_PRIORITY
        cause = Cause(
            cause_type, time(), kind_name, "/".join(key_pair_of(value)) + where, old_version, version
        )
        told: set[R] | None = None if len(concerned) == 1 else set()
        for each in concerned:
            try:
                for request in requests_of(each):
                    if told is not None:
                        if request in told:
                            continue
                        told.add(request)
                    tell(request, priority, cause)
            except Exception as error:
                errors.note("map function", watch.map, each, error)

    return on_change


def _in_cluster(requests_of: MapFunction[Any], cluster: str) -> MapFunction[Any]:
    """The same names, in the cluster that the object is in; requests of other types know where they belong."""

    def requests(value: Any) -> Iterable[Any]:
        for request in requests_of(value):
            is_bare = isinstance(request, Request) and not request.cluster
            yield Request(request.namespace, request.name, cluster) if is_bare else request

    return requests
