"""The books of what is handed out once in the cluster: cluster IPs and node ports of Services.

Promises
    A1  no two Services ever hold the same address or port, also while their writes are under way
    A2  what a write held that did not take place, or that a Service no longer uses, is free again
"""

import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.registry import to_its_end
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Event, Store
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apis.strategies.service_allocation import Held, Network

__all__ = ["ALLOCATOR", "BUCKET", "MANAGED_BY", "Allocation", "RangeError", "ip_address", "service_networks"]

BUCKET = "/services"


ADDRESSES_MIN = 8
"""kube-apiserver's own limit: the API itself takes an address, and a cluster without others is a mistake."""


class RangeError(ValueError):
    """An address or port range that cannot be used."""


_parse = msgspec.json.Decoder(JsonObject).decode

Written = TypeVar("Written")


def service_networks(text: str) -> "tuple[Network, ...]":
    """The networks of Services, the default one first.

    Raises: RangeError.
    """
    found: list[Network] = []
    for each in text.split(","):
        try:
            network = ipaddress.ip_network(each)
        except ValueError as error:
            raise RangeError(f"service range {each}: {error}; write it as 10.96.0.0/16") from None
        if network.num_addresses < ADDRESSES_MIN:
            raise RangeError(f"service range {each}: use one of at least {ADDRESSES_MIN} addresses")
        found.append(network)
    if len({each.version for each in found}) != len(found):
        raise RangeError(
            f"service range {text}: name one network of each family, as in 10.96.0.0/16,fd00::/112"
        )
    return tuple(found)


MANAGED_BY = "ipaddress.kubernetes.io/managed-by"
ALLOCATOR = "ipallocator.k8s.io"


def ip_address(address: str, service: JsonObject) -> JsonObject:
    """The IPAddress of an address that the Service with this metadata has."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {
            "name": address,
            "labels": {
                "ipaddress.kubernetes.io/ip-family": "IPv6" if ":" in address else "IPv4",
                MANAGED_BY: ALLOCATOR,
            },
        },
        "spec": {
            "parentRef": {
                "resource": "services",
                "namespace": service["namespace"],
                "name": service["name"],
            }
        },
    }


class Allocation:
    """Hands out what Services ask for. The books are opened with the first write of a Service."""

    def __init__(
        self, store: Store, *, service_range: str, node_ports: tuple[int, int], random: Random
    ) -> None:
        """`service_range` is one network, or two of different families with a comma between them.

        Raises: RangeError.
        """
        self.networks = service_networks(service_range)
        self.families = tuple(f"IPv{each.version}" for each in self.networks)
        self.claim: Callable[[JsonObject], Awaitable[None]] | None = None
        """What makes the addresses of a stored Service known."""
        self._node_ports = node_ports
        self._store = store
        self._random = random

    @cached_property
    def _books(self) -> "_Books":
        return _Books(self._store, self.networks, self._node_ports, self._random)

    def is_held(self, address: str) -> bool:
        """Whether a Service has the address, or is about to."""
        return self._books.holds(address)

    def allocate(
        self, resource: Resource, obj: JsonObject, old: JsonObject | None, *, dry_run: bool
    ) -> "_Hold | None":
        """Gives a Service what it needs, and holds it until the write has ended.

        Raises: Invalid, InternalError.
        """
        if resource.bucket != BUCKET:
            return None
        self._books.allocate(obj, old, dry_run=dry_run)
        return None if dry_run else _Hold(self._books, obj, self.claim)


class _Hold:
    """What one write under way has been given."""

    def __init__(
        self, books: "_Books", service: JsonObject, claim: Callable[[JsonObject], Awaitable[None]] | None
    ) -> None:
        self._books = books
        self._service = service
        self._claim = claim

    async def until_done(self, write: Coroutine[Any, Any, Written], /) -> Written:
        """The outcome of `write`; until then, whoever goes away meanwhile, nobody else is given the same."""
        return await to_its_end(self._held(write))

    async def _held(self, write: Coroutine[Any, Any, Written]) -> Written:
        try:
            written = await write
            if self._claim is not None:
                await self._claim(self._service)
            return written
        finally:
            self._books.release(self._service)


class _Books:
    """What is taken, from what is stored and from writes under way."""

    def __init__(
        self,
        store: Store,
        networks: "tuple[Network, ...]",
        node_ports: tuple[int, int],
        random: Random,
    ) -> None:
        from kajitori.apis.strategies import service_allocation

        self._rules = service_allocation
        self._ranges = service_allocation.Ranges(networks, range(node_ports[0], node_ports[1] + 1))
        self._random = random
        # Counted, because a change under way may hold what the stored object holds too.
        self._ips: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()
        for item in store.range(BUCKET):
            self._take(self._rules.held(_parse(item.value)))
        store.subscribe(BUCKET, self._on_event)

    def allocate(self, obj: JsonObject, old: JsonObject | None, *, dry_run: bool) -> None:
        self._rules.allocate(
            obj,
            old,
            ranges=self._ranges,
            # A dry run may wish for an address that is taken: Kubernetes asks only for its range.
            ips=frozenset() if dry_run else self._ips.keys(),
            ports=self._ports.keys(),
            choose=lambda below: int(self._random.uniform(0, below)) % below,
        )
        if not dry_run:
            self._take(self._rules.held(obj))

    def holds(self, address: str) -> bool:
        return address in self._ips

    def release(self, obj: JsonObject) -> None:
        self._give_back(self._rules.held(obj))

    def _on_event(self, event: Event) -> None:
        if event.previous is not None:
            self._give_back(self._rules.held(_parse(event.previous.value)))
        if not event.deleted:
            self._take(self._rules.held(_parse(event.item.value)))

    def _take(self, what: "Held") -> None:
        self._ips.update(what.ips)
        self._ports.update(what.ports)

    def _give_back(self, what: "Held") -> None:
        for ip in what.ips:
            self._ips[ip] -= 1
            if self._ips[ip] <= 0:
                del self._ips[ip]
        for port in what.ports:
            self._ports[port] -= 1
            if self._ports[port] <= 0:
                del self._ports[port]
