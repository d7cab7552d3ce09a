"""Reconcilers that are given an object instead of a name.

    class Widgets:
        async def reconcile(self, widget: Widget) -> Result: ...

    manager.controller("widgets", as_reconciler(manager.cache, Widget, Widgets()), for_=Widget)

Sits between the controller, which knows names, and a reconciler that has nothing to do where there is no object.

Promises
    J1  the object is what the cache holds when the reconcile begins: frozen, typed when the model is a class
    J2  a name without an object is done
    J3  when the object goes while it is reconciled, or another takes its name, the reconcile is cancelled and done;
        not when its deletion had been asked for before: then cleaning up is the work, and its end is no accident

Source: controller-runtime's reconcile.AsReconciler, for J1 and J2.
"""

import asyncio
from typing import Any, Protocol, TypeVar, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import deletion_timestamp_of, uid_of
from kajitori.client.objects import Model
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.clusters import Clusters
from kajitori.ctrl.reconcile import DONE, Reconciler, Request, Result

__all__ = ["ObjectReconciler", "as_reconciler"]

T = TypeVar("T")
Given = TypeVar("Given", contravariant=True)


class ObjectReconciler(Protocol[Given]):
    """Brings the world closer to what one object asks for; see `Reconciler`."""

    async def reconcile(self, value: Given, /) -> Result:
        """`value` is frozen, and may be a little older than what the server has. Raises: as `Reconciler`."""
        ...


class _Adapter:
    def __init__(self, cache: Cache | Clusters, model: Model, reconciler: ObjectReconciler[Any]) -> None:
        self._cache = cache
        self._model: Any = model
        self._reconciler = reconciler

    async def reconcile(self, request: Request) -> Result:
        cache = self._cache
        if isinstance(cache, Clusters):
            cache = cache.get(request.cluster).cache
        value = cache.get(self._model, request.namespace, request.name)
        if value is None:
            return DONE
        if deletion_timestamp_of(value):
            return await self._reconciler.reconcile(value)
        limit = asyncio.timeout(None)

        def cut_short() -> None:
            limit.reschedule(asyncio.get_running_loop().time())

        try:
            async with limit:
                forget = cache.when_gone(
                    self._model, request.namespace, request.name, uid_of(value), cut_short
                )
                try:
                    return await self._reconciler.reconcile(value)
                finally:
                    forget()
        except TimeoutError:
            if limit.expired():
                return DONE
            raise


@overload
def as_reconciler(
    cache: Cache | Clusters, model: Kind, reconciler: ObjectReconciler[Unstructured]
) -> Reconciler: ...
@overload
def as_reconciler(cache: Cache | Clusters, model: type[T], reconciler: ObjectReconciler[T]) -> Reconciler: ...
def as_reconciler(cache: Cache | Clusters, model: Model, reconciler: ObjectReconciler[Any]) -> Reconciler:
    """What a controller of `model` calls: reads the object from `cache`, or with `manager.clusters` from that of the
    request's cluster, and hands it to `reconciler`."""
    return _Adapter(cache, model, reconciler)
