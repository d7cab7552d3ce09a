"""Counts what is used of a quota, and writes it down.

Promises
    R1  the status allows what the spec allows, and says what the objects that there are use
    R2  what is charged while it is counted is never lost: the status is written only where nobody else wrote it since
        before anything was listed
    R3  all quotas are counted anew every RESYNC_SECONDS, whatever was missed
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota import (
    CountEvaluator,
    Known,
    Quota,
    add,
    amounts_of,
    evaluator_for,
    masked,
    measured,
    quota_of,
    texts_of,
    used_by,
)
from kajitori.client import Client
from kajitori.controllers.discovery import Served, served_kinds
from kajitori.controllers.kinds import DEVICE_CLASSES, PODS, RESOURCE_CLAIMS, RESOURCE_QUOTAS
from kajitori.controllers.quotas.watching import Watching
from kajitori.ctrl import DONE, Cache, Change, Controller, Manager, Request, Result
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["RESYNC_SECONDS", "QuotaReconciler", "setup"]

RESYNC_SECONDS = 300.0
"""kube-controller-manager's --resource-quota-sync-period."""

DISCOVERY_SECONDS = 30.0
"""How long the kinds of a cluster are taken for known, unless one is missing."""

CONFLICT_SECONDS = 0.2
"""When a quota is looked at again that was charged while it was counted."""

_COUNTABLE = frozenset({"create", "delete", "list", "watch"})


class QuotaReconciler:
    """Keeps the status of quotas."""

    def __init__(self, client: Client, cache: Cache, clock: Clock, *, random: Random) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._served: dict[str, Kind] = {}
        self._served_at: float | None = None
        self.watching = Watching(client, clock=clock, random=random, changed=self._changed)
        self.controller: Controller | None = None
        """Whose queue quotas are put into."""

    async def reconcile(self, request: Request) -> Result:
        try:
            live = await self._client.get(RESOURCE_QUOTAS, request.namespace, request.name)
        except NotFound:
            await self._watch()
            return DONE
        obj: JsonObject = thaw(live)
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        hard: dict[str, str] = spec.get("hard") or {}
        known = await self._surroundings(request.namespace, hard)
        before = amounts_of(status.get("used"))
        used = masked({**before, **await self._used(live, hard, known)}, hard)
        await self._watch()
        same = amounts_of(hard) == amounts_of(status.get("hard")) and used == before
        if same and "hard" in status and "used" in status:
            return DONE
        obj["status"] = {"hard": hard, "used": texts_of(used)}
        try:
            await self._client.update(RESOURCE_QUOTAS, obj, subresource="status")
        except NotFound:
            return DONE
        except Conflict:  # R2
            return Result(requeue_after_seconds=CONFLICT_SECONDS)
        return DONE

    # What is used.

    async def _used(self, live: Unstructured, hard: Mapping[str, str], known: Known) -> dict[str, Quantity]:
        quota = quota_of(live)
        total: dict[str, Quantity] = {}
        for bucket, names in measured(hard, known).items():
            kind = await self._kind(bucket)
            if kind is not None:
                total = add(total, await self._used_of(quota, live.namespace, bucket, kind, names, known))
        return total

    async def _used_of(
        self, quota: Quota, namespace: str, bucket: str, kind: Kind, names: Iterable[str], known: Known
    ) -> dict[str, Quantity]:
        evaluator = evaluator_for(bucket)
        counted = isinstance(evaluator, CountEvaluator)
        total = used_by(quota, names, (), evaluator, known)
        # Listed from the server, never from a cache: what the quota was charged for has to be among it (R2).
        async for page in self._client.list_pages(kind, namespace, metadata_only=counted):
            objects: Iterable[Any] = page.items
            total = add(total, used_by(quota, names, objects, evaluator, known))
        return total

    async def _surroundings(self, namespace: str, hard: Iterable[str]) -> Known:
        now = self._clock.now().timestamp()
        if not any("deviceclass" in name or (name.startswith("requests.") and "/" in name) for name in hard):
            return Known(now)
        classes: dict[str, str] = {}
        for each in await self._listed(DEVICE_CLASSES, ""):
            classes[each.name] = (each.get("spec") or {}).get("extendedResourceName") or ""
        if not classes:
            return Known(now)
        pods = {(each.namespace, each.name): thaw(each) for each in await self._listed(PODS, namespace)}
        claims = [thaw(each) for each in await self._listed(RESOURCE_CLAIMS, namespace)]
        return Known(now, classes, pods, claims)

    async def _listed(self, kind: Kind, namespace: str) -> list[Unstructured]:
        found: list[Unstructured] = []
        async for page in self._client.list_pages(kind, namespace):
            found += page.items
        return found

    # What there is to count.

    async def _kind(self, bucket: str) -> Kind | None:
        """The kind of a bucket; None where there is none that can be counted."""
        now = self._clock.monotonic()
        old = self._served_at is None or now - self._served_at > DISCOVERY_SECONDS
        if bucket not in self._served and old:
            self._served = _countable(await served_kinds(self._client))
            self._served_at = now
        return self._served.get(bucket)

    async def _watch(self) -> None:
        """Watches what the quotas that there are count."""
        wanted: dict[str, Kind] = {}
        for quota in self._cache.list(RESOURCE_QUOTAS):
            for bucket in _counted(quota):
                kind = await self._kind(bucket)
                if kind is not None:
                    wanted[bucket] = kind
        self.watching.want(wanted)

    def _changed(self, bucket: str, namespace: str) -> None:
        for quota in self._cache.list(RESOURCE_QUOTAS, namespace):
            if bucket in _counted(quota):
                self._enqueue(quota)

    def _enqueue(self, quota: Unstructured) -> None:
        if self.controller is not None:
            self.controller.enqueue(Request(quota.namespace, quota.name))

    async def resync(self) -> None:
        """Counts everything anew from time to time (R3). Until cancelled."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for quota in self._cache.list(RESOURCE_QUOTAS):
                self._enqueue(quota)


class _AnyDevice(Known):
    """Surroundings where every resource may stand for devices: which claims then count is found by counting."""

    def has_device_class(self, extended_resource: str) -> bool:
        return True

    def extended_resource(self, device_class: str) -> str:
        return device_class


_ANY = _AnyDevice(0)


def _counted(quota: Unstructured) -> Iterable[str]:
    """The buckets that a quota counts."""
    return measured(_hard(quota) or {}, _ANY)


def _countable(served: Served) -> dict[str, Kind]:
    return {
        f"{each.kind.group}/{each.kind.plural}": each.kind
        for each in served.kinds
        if each.kind.namespaced and each.verbs >= _COUNTABLE
    }


def _hard_changed(change: Change) -> bool:
    """Leaves out changes of the status, which are the controller's own or admission's."""
    return change.type != "update" or _hard(change.old) != _hard(change.object)


def _hard(quota: Any) -> Any:
    return (quota.get("spec") or {}).get("hard")


def setup(manager: Manager) -> QuotaReconciler:
    """Adds the controller to a manager."""
    client = manager.client.without_warnings()
    reconciler = QuotaReconciler(client, manager.cache, manager.clock, random=manager.random)
    reconciler.controller = manager.controller(
        "resourcequota-controller", reconciler, for_=RESOURCE_QUOTAS, predicates=[_hard_changed], workers=2
    )
    manager.add(reconciler.watching.run)
    manager.add(reconciler.resync)
    return reconciler
