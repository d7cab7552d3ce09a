"""Reads of kinds that are not known beforehand: what is not cached yet is from the first read on.

`Cache.get` never waits, and a kind that nobody watches is an error there: forgetting to watch a kind is a mistake,
since nothing would wake the reconciler when it changes. Who reads kinds that objects name, such as those of references,
reads them here; the first read of a kind lists it and waits for that.

Promises
    C1  a read gives what the cache has, once that is complete; absent means "does not exist"
    C2  what cannot be listed within `timeout_seconds` raises NotInCache, and is not watched any more; the next read
        begins anew
    C3  after `close` nothing is watched any more for these reads

Source: controller-runtime's client and cache, which do so for every read unless ReaderFailOnMissingInformer is set.
"""

import asyncio
import builtins
from typing import Any, TypeVar, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.labels import LabelSelector
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.cache import Cache, InformerUse, NotInCache

__all__ = ["CachedReader"]

SYNC_SECONDS_MAX = 120.0
"""How long a first list may take, as for controllers."""

T = TypeVar("T")


class CachedReader:
    """Reads the cache, and fills it with what is asked for."""

    def __init__(self, cache: Cache, *, timeout_seconds: float = SYNC_SECONDS_MAX) -> None:
        self._cache = cache
        self._timeout = timeout_seconds
        self._uses: dict[Model, InformerUse] = {}

    @overload
    async def get(self, model: Kind, namespace: str, name: str) -> Unstructured | None: ...
    @overload
    async def get(self, model: type[T], namespace: str, name: str) -> T | None: ...
    async def get(self, model: Model, namespace: str, name: str) -> Any:
        """One object; None when there is none. Raises: NotInCache, UnreadableObject."""
        await self._filled(model)
        return self._cache.get(model, namespace, name)

    @overload
    async def list(
        self,
        model: Kind,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
    ) -> builtins.list[Unstructured]: ...
    @overload
    async def list(
        self,
        model: type[T],
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
    ) -> builtins.list[T]: ...
    async def list(
        self,
        model: Model,
        namespace: str | None = None,
        *,
        labels: LabelSelector | None = None,
        fields: str = "",
    ) -> builtins.list[Any]:
        """Objects, as `Cache.list` gives them. Raises: NotInCache; ValueError for fields that are not indexed."""
        await self._filled(model)
        return self._cache.list(model, namespace, labels=labels, fields=fields)

    def close(self) -> None:
        """Watches nothing any more. Safe to repeat."""
        uses, self._uses = self._uses, {}
        for use in uses.values():
            use.release()

    async def _filled(self, model: Model) -> None:
        use = self._uses.get(model)
        if use is None or use.informer.has_stopped:
            use = self._uses[model] = self._cache.use(model)
        if use.informer.has_synced:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await use.informer.wait_synced()
        except TimeoutError:
            if self._uses.get(model) is use:
                del self._uses[model]
                use.release()
            raise NotInCache(
                f"{kind_of(model)} could not be listed within {self._timeout:g} s; does the kind exist, and may we "
                "list and watch it?"
            ) from None
