"""The books of what is handed out once in the cluster: cluster IPs and node ports of Services.

Promises
    A1  no two Services ever hold the same address or port, also while their writes are under way
    A2  what a write held that did not take place, or that a Service no longer uses, is free again
"""

import ipaddress
from collections import Counter
from collections.abc import Callable

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.service_allocation import Held, Ranges, allocate, held
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Event, Store
from kajitori.world.random import Random

__all__ = ["Allocation", "RangeError"]

BUCKET = "/services"


class RangeError(ValueError):
    """An address or port range that cannot be used."""


class Allocation:
    """Knows what is taken, from what is stored and from writes under way."""

    def __init__(
        self,
        store: Store,
        parse: Callable[[bytes], JsonObject],
        *,
        service_range: str,
        node_ports: tuple[int, int],
        random: Random,
    ) -> None:
        """Raises: RangeError."""
        try:
            network = ipaddress.ip_network(service_range)
        except ValueError as error:
            raise RangeError(f"service range {service_range}: {error}") from None
        self._ranges = Ranges(network, range(node_ports[0], node_ports[1] + 1))
        self._random = random
        self._parse = parse
        # Counted, because a change under way may hold what the stored object holds too.
        self._ips: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()
        for item in store.range(BUCKET):
            self._take(held(parse(item.value)))
        store.subscribe(BUCKET, self._on_event)

    def allocate(self, resource: Resource, obj: JsonObject, old: JsonObject | None, *, dry_run: bool) -> None:
        """Gives a Service what it needs, and holds it until the write is committed or released.

        Raises: Invalid, InternalError.
        """
        if resource.bucket != BUCKET:
            return
        allocate(
            obj,
            old,
            ranges=self._ranges,
            ips=self._ips.keys(),
            ports=self._ports.keys(),
            choose=lambda below: int(self._random.uniform(0, below)) % below,
        )
        if not dry_run:
            self._take(held(obj))

    def release(self, resource: Resource, obj: JsonObject) -> None:
        """Gives back what `allocate` held for a write that ended, one way or the other."""
        if resource.bucket == BUCKET:
            self._give_back(held(obj))

    def _on_event(self, event: Event) -> None:
        if event.previous is not None:
            self._give_back(held(self._parse(event.previous.value)))
        if not event.deleted:
            self._take(held(self._parse(event.item.value)))

    def _take(self, what: Held) -> None:
        self._ips.update(what.ips)
        self._ports.update(what.ports)

    def _give_back(self, what: Held) -> None:
        for ip in what.ips:
            self._ips[ip] -= 1
            if self._ips[ip] <= 0:
                del self._ips[ip]
        for port in what.ports:
            self._ports[port] -= 1
            if self._ports[port] <= 0:
                del self._ports[port]
