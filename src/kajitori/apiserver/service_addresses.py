"""IPAddress objects: they tell which Service has which cluster IP.

Sits beside the books of what is handed out (`allocation`), which decide; these objects follow.

Promises
    P1  when a Service has been written, the IPAddress of each of its cluster IPs is there
    P2  the IPAddress of a cluster IP that no Service has any more goes soon
    P3  when the server starts, both are made true of what is stored; an IPAddress that somebody else made is left alone

Source: pkg/registry/core/service/ipallocator; https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
"""

import asyncio

import msgspec

from kajitori.apimachinery.errors import AlreadyExists, NotFound
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.allocation import ALLOCATOR, BUCKET, MANAGED_BY, Allocation, ip_address
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.background import Background
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.options import DeleteOptions, WriteOptions
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Event, Item

__all__ = ["ServiceAddresses"]

_SELF = User("system:apiserver", groups=("system:masters", "system:authenticated"))

BREATHE_EVERY = 100
"""So many Services are looked at in one turn of the loop when the server starts."""

_decode = msgspec.json.Decoder(JsonObject).decode


class ServiceAddresses:
    """Keeps the IPAddress objects."""

    def __init__(self, registry: Registry, catalog: Catalog, allocation: Allocation) -> None:
        self._registry = registry
        self._catalog = catalog
        self._allocation = allocation
        self._background: Background | None = None
        self._going: dict[str, asyncio.Task[None]] = {}
        """The deletions under way, by address."""
        allocation.claim = self._claim

    def start(self, background: Background) -> None:
        """Follows Services from now on, and looks at those that are there."""
        self._background = background
        self._registry.store.subscribe(BUCKET, self._on_event)
        background.spawn(self._repair(), "addresses of services")

    def _resource(self) -> Resource:
        found = self._catalog.find("networking.k8s.io", "v1", "ipaddresses")
        assert found is not None
        return found

    def _call(self) -> Call:
        return Call(_SELF, WriteOptions(), "kube-apiserver")

    async def _claim(self, service: JsonObject) -> None:
        """Sees to it that the addresses of a stored Service have their objects."""
        from kajitori.apiserver.registry.creating import create  # what only reads needs no writing

        for address in _addresses(service):
            going = self._going.get(address)
            if going is not None:
                await asyncio.wait([going])
            obj = ip_address(address, service["metadata"])
            standing = self._registry.store.get(self._resource().bucket, address)
            if standing is not None:
                if not _is_ours(standing) or _parent(standing) == obj["spec"]["parentRef"]:
                    continue
                await self._delete(address)  # of the Service that had the address before
            try:
                await create(self._registry, self._resource(), "", obj, self._call())
            except AlreadyExists:
                continue  # somebody made it meanwhile

    def _on_event(self, event: Event) -> None:
        if event.previous is None:
            return
        left = set(_addresses(_decode(event.previous.value)))
        if not event.deleted:
            left.difference_update(_addresses(_decode(event.item.value)))
        for address in left:
            self._free(address)

    def _free(self, address: str) -> None:
        assert self._background is not None
        if address not in self._going:
            task = self._background.spawn(self._remove(address), f"the address {address}")
            self._going[address] = task
            task.add_done_callback(lambda _: self._going.pop(address, None))

    async def _remove(self, address: str) -> None:
        # A Service that is about to have the address waits for this to end, or has been given it before.
        if self._allocation.is_held(address):
            return
        item = self._registry.store.get(self._resource().bucket, address)
        if item is None or not _is_ours(item):
            return
        await self._delete(address)

    async def _delete(self, address: str) -> None:
        from kajitori.apiserver.registry.deleting import delete

        try:
            await delete(self._registry, self._resource(), "", address, DeleteOptions(), self._call())
        except NotFound:
            return

    async def _repair(self) -> None:
        store = self._registry.store
        held: set[str] = set()
        for number, item in enumerate(store.range(BUCKET)):
            if number % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
            service = _decode(item.value)
            held.update(_addresses(service))
            await self._claim(service)
        for item in store.range(self._resource().bucket):
            if item.name not in held:
                self._free(item.name)


def _addresses(service: JsonObject) -> list[str]:
    return [each for each in service["spec"].get("clusterIPs") or () if each not in ("", "None")]


def _is_ours(item: Item) -> bool:
    return (_decode(item.value)["metadata"].get("labels") or {}).get(MANAGED_BY) == ALLOCATOR


def _parent(item: Item) -> JsonObject | None:
    return (_decode(item.value).get("spec") or {}).get("parentRef")
