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
    V6  an update that moves an object from one name to another concerns both

Source: controller-runtime's Controller.Watch, pkg/source.Kind and pkg/handler.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic

from kajitori.client.accessors import key_pair_of, resource_version_of
from kajitori.client.objects import kind_of
from kajitori.ctrl.cache import Cache, InformerUse
from kajitori.ctrl.explain import Cause
from kajitori.ctrl.handler import Watch, own_request
from kajitori.ctrl.informer import ChangeHandler, Registration
from kajitori.ctrl.metrics import ReconcileFigures
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.reconcile import R

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
    """One watch in one cache."""

    def __init__(self, use: InformerUse) -> None:
        self.use = use
        self.is_complete = asyncio.Event()
        """The informer has synced, or nobody waits for it any more."""
        self.has_begun = asyncio.Event()
        self.registration: Registration | None = None
        self.cancel = use.informer.when_synced(self.is_complete.set)

    def begin(self, handler: ChangeHandler) -> None:
        if self.registration is None:
            self.registration = self.use.informer.add_handler(
                handler, resync_seconds=self.use.options.resync_seconds or 0.0
            )
            self.has_begun.set()

    def end(self) -> None:
        self.cancel()
        if self.registration is not None:
            self.registration.remove()
        self.use.release()
        self.is_complete.set()
        self.has_begun.set()


class WatchHandle(Generic[R]):
    """A watch of a controller, from `Controller.watch` to `remove`."""

    def __init__(self, watch: Watch[R], watches: "Watches[R]") -> None:
        self.watch = watch
        self._watches = watches
        self.bindings: dict[str, _Binding] = {}

    @property
    def has_synced(self) -> bool:
        """Whether all that is there has been queued; false while the controller does not run."""
        return bool(self.bindings) and all(
            each.registration is not None and each.registration.has_synced for each in self.bindings.values()
        )

    async def wait_synced(self, timeout_seconds: float = CACHE_SYNC_TIMEOUT_SECONDS) -> None:
        """Until all that is there has been queued, or the watch is removed. Raises: CacheSyncTimeout."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._watches.have_begun.wait()
                for binding in list(self.bindings.values()):
                    await binding.has_begun.wait()
                    if binding.registration is not None and binding.registration.active:
                        await binding.registration.synced.wait()
        except TimeoutError:
            raise self._watches.overdue(str(kind_of(self.watch.kind)), timeout_seconds) from None

    def remove(self) -> None:
        """Tells nothing more. Safe to repeat."""
        self._watches.remove(self)


class Watches(Generic[R]):
    """All watches of one controller."""

    def __init__(
        self,
        controller: str,
        watches: Iterable[Watch[R]],
        tell: Callable[[R, int, Cause], None],
        figures: ReconcileFigures,
    ) -> None:
        """`tell` puts a name in the queue."""
        self._controller = controller
        self._tell = tell
        self._handles = [WatchHandle(watch, self) for watch in watches]
        self._cache: Cache | None = None
        self.have_begun = asyncio.Event()
        self._errors = HandlerErrors(controller, figures)

    def __iter__(self) -> Iterator[WatchHandle[R]]:
        return iter(self._handles)

    def add(self, watch: Watch[R]) -> WatchHandle[R]:
        """Watches one more kind, now or when the others begin."""
        handle = WatchHandle(watch, self)
        self._handles.append(handle)
        if self._cache is not None:
            binding = self._bind(handle, self._cache)
            if self.have_begun.is_set():
                binding.cancel = binding.use.informer.when_synced(lambda: self._begin(handle, binding))
        return handle

    def remove(self, handle: WatchHandle[R]) -> None:
        """Safe to repeat."""
        if handle in self._handles:
            self._handles.remove(handle)
            self._end(handle)

    def warm(self, cache: Cache) -> None:
        """Lets the informers fill, and tells nothing yet."""
        self._cache = cache
        for handle in self._handles:
            self._bind(handle, cache)

    async def begin(self, cache: Cache, timeout_seconds: float) -> None:
        """Tells what is there and what comes, once everything is complete. Raises: CacheSyncTimeout."""
        self.warm(cache)
        try:
            async with asyncio.timeout(timeout_seconds):
                while waiting := self._incomplete():
                    await waiting[0].is_complete.wait()
        except TimeoutError:
            names = " and ".join(each.use.informer.name for each in self._incomplete())
            raise self.overdue(names, timeout_seconds) from None
        self.have_begun.set()
        for handle in list(self._handles):
            for binding in handle.bindings.values():
                self._begin(handle, binding)

    def end(self) -> None:
        """Tells nothing more; the informers may stop. Safe to repeat."""
        self._cache = None
        self.have_begun.clear()
        for handle in self._handles:
            self._end(handle)

    def overdue(self, kind: str, seconds: float) -> CacheSyncTimeout:
        return CacheSyncTimeout(
            f"controller {self._controller}: {kind} could not be listed within {seconds:g} s; does the kind exist, "
            "and may we list and watch it?"
        )

    def _incomplete(self) -> list[_Binding]:
        return [
            binding
            for handle in self._handles
            for binding in handle.bindings.values()
            if not binding.is_complete.is_set()
        ]

    def _bind(self, handle: WatchHandle[R], cache: Cache) -> _Binding:
        binding = handle.bindings.get("")
        if binding is None:
            use = cache.use(handle.watch.kind, metadata_only=handle.watch.metadata_only)
            binding = handle.bindings[""] = _Binding(use)
        return binding

    def _begin(self, handle: WatchHandle[R], binding: _Binding) -> None:
        binding.is_complete.set()
        binding.begin(_handler(handle.watch, self._tell, self._errors))

    def _end(self, handle: WatchHandle[R]) -> None:
        for binding in handle.bindings.values():
            binding.end()
        handle.bindings.clear()


def _handler(watch: Watch[R], tell: Callable[[R, int, Cause], None], errors: HandlerErrors) -> ChangeHandler:
    predicates, requests_of = watch.predicates, watch.map
    kind_name = kind_of(watch.kind).kind
    is_own = requests_of is own_request
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
        cause = Cause(cause_type, time(), kind_name, "/".join(key_pair_of(value)), old_version, version)
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
                errors.note("map function", requests_of, each, error)

    return on_change
