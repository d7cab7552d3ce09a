"""Where the API itself is found: the endpoints of the Service `kubernetes`, right again at every start.

Promises
    A1  Endpoints and EndpointSlice `kubernetes` name the address and port at which this server listens now
    A2  objects that are right already are not written
    A3  an address that only this machine reaches is never named: the machine's own stands for it

Source: kube-apiserver's `--advertise-address` and its reconciler of endpoints.
"""

import ipaddress
import socket
from collections.abc import Iterator

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apiserver.registry.meta import in_order
from kajitori.apiserver.registry.resource import encode
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["advertise", "advertised", "keep_right"]

_ANYWHERE = ("198.51.100.1", "2001:db8::1")
"""Addresses for documentation: where packets to them would leave from is asked, and none is sent."""


def advertised(host: str, chosen: str = "") -> str | None:
    """The address to name for a server that listens on `host`: the one `chosen`, or one that others reach.

    None where the machine has none. Raises: ValueError for a choice that is no address that others reach.
    """
    if chosen:
        if not _is_reachable(chosen):
            raise ValueError(
                f"--advertise-address: {chosen!r} is no address at which others find this server"
            )
        return str(ipaddress.ip_address(chosen))
    if _is_reachable(host):
        return str(ipaddress.ip_address(host))
    for far in _ANYWHERE:
        with socket.socket(socket.AF_INET6 if ":" in far else socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                asking.connect((far, 1))
            except OSError:
                continue
            own = str(asking.getsockname()[0])
            if _is_reachable(own):
                return own
    return None


def _is_reachable(text: str) -> bool:
    """As the validation of endpoints judges it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (
        address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast
    )


def _objects(address: str, port: int) -> Iterator[tuple[str, JsonObject]]:
    """The objects with their buckets, without what a server adds."""
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    yield (
        "/endpoints",
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
            },
            "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
        },
    )
    yield (
        "discovery.k8s.io/endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "generation": 1,
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv6" if ":" in address else "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": ports,
        },
    )


async def advertise(store: Store, address: str, port: int, *, clock: Clock, random: Random) -> None:
    """Stores where the API is. Raises: StoreError."""
    for bucket, obj in _objects(address, port):
        await keep_right(store, bucket, obj, clock=clock, random=random)


async def keep_right(store: Store, bucket: str, obj: JsonObject, *, clock: Clock, random: Random) -> None:
    """Stores an object as it has to be, unless one of its name says the same already.

    `obj` is namespaced, and without what a server adds. Raises: StoreError.
    """
    metadata = obj["metadata"]
    key = f"{metadata['namespace']}/{metadata['name']}"
    standing = store.get(bucket, key)
    if standing is not None:
        old: JsonObject = msgspec.json.decode(standing.value)
        parts = [part for part in obj if part != "metadata"]
        if [old.get(part) for part in parts] == [obj[part] for part in parts]:
            return
        metadata |= {
            "uid": old["metadata"]["uid"],
            "creationTimestamp": old["metadata"]["creationTimestamp"],
        }
        if "generation" in metadata:
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
    metadata.setdefault("uid", random.uuid4())
    metadata.setdefault("creationTimestamp", format_time(clock.now().timestamp()))
    ordered = in_order(obj, obj["apiVersion"], obj["kind"])

    def render(revision: int) -> bytes:
        ordered["metadata"]["resourceVersion"] = str(revision)
        return encode(ordered)

    await store.put(bucket, key, render, expect=None)
