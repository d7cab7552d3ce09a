"""What every cluster has before anybody asks: namespaces, the API's own Service, priority classes, roles.

Promises
    B1  what is missing is made when the server starts; what people changed is left as it is
    B2  but default roles and bindings get back, at every start, what they lack of this version's, unless their
        autoupdate annotation says "false"

Source: kube-apiserver's start-up controllers; https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

import asyncio
from collections.abc import Iterable, Iterator

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apis.resources import ResourceInfo, find_kind, resources
from kajitori.apiserver.allocation import ip_address, service_networks
from kajitori.apiserver.registry.meta import in_order
from kajitori.apiserver.registry.resource import encode
from kajitori.storage import Item, Render, Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["bootstrap_objects", "ensure"]

RBAC = "rbac.authorization.k8s.io"

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

_GROUP_PRIORITIES = {"": 18000, "apiregistration.k8s.io": 20000, "apps": 17800, "events.k8s.io": 17750}


def bootstrap_objects(*, port: int, service_range: str, rbac: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Every object that a new cluster has; `port` is where the API is served.

    Pods find the API at the first address of the service range.
    """
    networks = service_networks(service_range)
    address = str(networks[0][1])
    for name in _NAMESPACES:
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
    yield from _priority_classes()
    service = _api_service(port, address)
    yield service
    yield ip_address(address, service["metadata"])
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
    }
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": [str(each) for each in networks]},
        "status": {"conditions": [ready]},
    }
    yield from rbac
    yield from _local_api_services()


def _priority_classes() -> Iterator[JsonObject]:
    told = {
        "system-cluster-critical": (2000000000, "For Pods the cluster cannot do without, on whichever node."),
        "system-node-critical": (2000001000, "For Pods that their node cannot do without."),
    }
    for name, (value, description) in told.items():
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "generation": 1},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }


def _api_service(port: int, address: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "clusterIP": address,
            "clusterIPs": [address],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv6" if ":" in address else "IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }


def _local_api_services() -> Iterator[JsonObject]:
    """One APIService for each group and version that this process serves."""
    seen: dict[tuple[str, str], None] = {}
    for info in resources():
        seen[info.kind.group, info.kind.version] = None
    for group, version in seen:
        spec: JsonObject = {"group": group} if group else {}
        spec |= {
            "version": version,
            "groupPriorityMinimum": _GROUP_PRIORITIES.get(group, 17000),
            "versionPriority": 15 if version == "v1" else 30,
        }
        condition = {
            "type": "Available",
            "status": "True",
            "reason": "Local",
            "message": "Local APIServices are always available",
        }
        yield {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {
                "name": f"{version}.{group}",
                "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"},
            },
            "spec": spec,
            "status": {"conditions": [condition]},
        }


def _info(obj: JsonObject) -> ResourceInfo:
    group, _, version = obj["apiVersion"].rpartition("/")
    found = find_kind(group, version, obj["kind"])
    assert found is not None, obj
    return found


async def ensure(store: Store, objects: Iterable[JsonObject], *, clock: Clock, random: Random) -> int:
    """Stores what is missing, and mends default roles and bindings, in one commit or few; gives how many were written.

    Nobody else writes yet.
    """
    now = format_time(clock.now().timestamp())
    written = 0
    async with asyncio.TaskGroup() as tasks:
        for obj in objects:
            info = _info(obj)
            metadata = obj["metadata"]
            name = metadata["name"]
            if info.kind.namespaced:
                name = f"{metadata['namespace']}/{name}"
            standing = store.get(info.bucket, name)
            if standing is None:
                written += 1
                tasks.create_task(_make(store, info, name, _new(obj, now, random)))
            elif info.kind.group == RBAC and (mended := _mended(standing, obj)) is not None:
                written += 1
                tasks.create_task(_mend(store, info, standing, _new(mended, now, random)))
    return written


def _new(obj: JsonObject, now: str, random: Random) -> JsonObject:
    """The object with what a server adds; what it has of that already stays."""
    metadata = obj["metadata"]
    metadata.setdefault("uid", random.uuid4())
    metadata.setdefault("creationTimestamp", now)
    conditions = (obj.get("status") or {}).get("conditions") or []
    for index, condition in enumerate(conditions):
        own = {name: condition[name] for name in ("type", "status")}
        conditions[index] = {**own, "lastTransitionTime": now, **condition}
    return obj


def _render(obj: JsonObject) -> Render:
    ordered = in_order(obj, obj["apiVersion"], obj["kind"])

    def render(revision: int) -> bytes:
        ordered["metadata"]["resourceVersion"] = str(revision)
        return encode(ordered)

    return render


async def _make(store: Store, info: ResourceInfo, name: str, obj: JsonObject) -> None:
    await store.put(info.bucket, name, _render(obj), expect=0)


def _mended(standing: Item, expected: JsonObject) -> JsonObject | None:
    """A stored role or binding with what this version wants to be in it; None when it has all of that."""
    from kajitori.apiserver.authorization.bootstrap import (
        reconciled,
    )  # only a server that starts again needs it

    existing: JsonObject = msgspec.json.decode(standing.value)
    mended = reconciled(existing, expected)
    if mended is not None and mended.get("roleRef") != existing.get("roleRef"):
        # A binding to another role is another binding.
        mended["metadata"] = {**mended["metadata"]}
        del mended["metadata"]["uid"], mended["metadata"]["creationTimestamp"]
    return mended


async def _mend(store: Store, info: ResourceInfo, standing: Item, mended: JsonObject) -> None:
    expect = standing.revision
    if mended["metadata"]["uid"].encode() not in standing.value:
        await store.delete(info.bucket, standing.name, None, expect=expect)
        expect = 0
    await store.put(info.bucket, standing.name, _render(mended), expect=expect)
