"""Nodes without a node agent: Nodes that are Ready, Pods that come to them, run and end, without anything being run.

    async with TestEnv(controllers=True) as env:
        cloud = await env.nodes(3)
        ...
        await cloud.stop_node("node-2")

It plays scheduler, kubelets and the controller of node lifecycles. Under virtual time minutes of it are free.

Promises
    C1  every node is registered, Ready, and renews its Lease, until it is stopped or removed
    C2  a Pod is bound to a node that it fits on, gets an address of that node, runs and becomes ready, and is gone when
        it is deleted; those of Jobs end well
    C3  a stopped node is seen as such after GRACE_SECONDS: it is not Ready and tainted, its Pods are not ready, and are
        deleted when they no longer tolerate that; they are gone when the node is back or removed
    C4  Pods are changed as their own kind of program changes them: through binding, status, deletion, and with the
        version they were computed from

Source: kwok's stages for the idea; kubernetes/pkg/controller/nodelifecycle and tainteviction for C3.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from kajitori.apimachinery.errors import AlreadyExists, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.time import format_micro_time, format_time, parse_time
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result, Watch
from kajitori.testing.kubelet import bind_pod
from kajitori.testing.nodelife import (
    GRACE_SECONDS,
    UNREACHABLE,
    evicted_at,
    new_node,
    node_conditions,
    taints,
)
from kajitori.testing.placing import Place, place
from kajitori.testing.podlife import Failure, Run, Stages, pod_status
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

__all__ = ["Cloud"]

PODS = Kind("", "v1", "Pod", "pods")
NODES = Kind("", "v1", "Node", "nodes", namespaced=False)
LEASES = Kind("coordination.k8s.io", "v1", "Lease", "leases")
NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
LEASE_NAMESPACE = "kube-node-lease"

LEASE_SECONDS = 10.0
"""Between two renewals: a quarter of the 40 s that a Lease of a node is good for."""

RETRY_SECONDS = 1.0
"""Until a Pod that fits on no node is tried again; when a node changes, at once."""

ADDRESSES_MAX = 254
"""Of Pods on one node: a /24."""


class Cloud:
    """Nodes, from `async with` to its end. `TestEnv.nodes` makes one."""

    def __init__(
        self,
        client: Client,
        nodes: int | Iterable[str] = 1,
        *,
        stages: Stages | None = None,
        capacity: JsonObject | None = None,
        asked: Client | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> None:
        """`asked` is the client for what the test asks for, `client` for what the nodes do by themselves.

        `nodes`: how many, called node-1 and so on, or their names. `stages`: how long things take (no time).
        `capacity` of each node: 8 cpu, 32Gi of memory, 110 Pods, or what is given here besides.
        """
        names = [f"node-{number + 1}" for number in range(nodes)] if isinstance(nodes, int) else list(nodes)
        self.stages = stages or Stages()
        self._client = client
        self._asked = client if asked is None else asked
        self._clock = clock
        self._capacity = {"cpu": "8", "memory": "32Gi", "pods": "110", **(capacity or {})}
        self._numbers: dict[str, int] = {}
        self._first = names
        self._stopped: dict[str, float] = {}
        self._missing_images: set[str] = set()
        self._runs: dict[str, Run] = {}
        self._bound: dict[str, tuple[str, Unstructured]] = {}
        """Pods by uid that were bound, as far as the cache does not know it yet."""
        manager = self._manager = Manager(client, name="cloud", clock=clock, random=random)
        self._cache = manager.cache
        self._pods = manager.controller(
            "cloud-pods",
            _Calls(self._reconcile_pod),
            for_=PODS,
            watches=[Watch(NODES, self._waiting)],
            workers=4,
        )
        self._nodes = manager.controller("cloud-nodes", _Calls(self._reconcile_node), for_=NODES)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        with suppress(AlreadyExists):
            await self._asked.create(NAMESPACES, {"metadata": {"name": LEASE_NAMESPACE}})
        for name in self._first:
            await self.add_node(name)
        self._task = asyncio.get_running_loop().create_task(self._manager.run(), name="cloud")
        for kind in (PODS, NODES):
            (await self._cache.synced(kind)).release()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "not started"
        self._manager.stop()
        await self._task

    # What happens to nodes.

    async def add_node(self, name: str, *, labels: dict[str, str] | None = None) -> Unstructured:
        """One more node."""
        number = self._numbers[name] = max(self._numbers.values(), default=0) + 1
        node = new_node(name, number, self._capacity, labels or {}, self._now())
        await self._asked.create(NODES, node)
        await self._asked.patch(NODES, "", name, {"status": node["status"]}, subresource="status")
        # It was born with the taint of a node that has yet to tell that it is ready.
        return await self._asked.patch(NODES, "", name, {"spec": {"taints": None}})

    async def remove_node(self, name: str) -> None:
        """The node is gone for good, and so are its Pods."""
        self._numbers.pop(self._known(name))
        self._stopped.pop(name, None)
        await self._asked.delete(NODES, "", name)
        for pod in await self._pods_of(name, self._asked):
            await self._forget(pod, self._asked)

    async def stop_node(self, name: str) -> None:
        """The node stops, with what runs on it, and tells nobody."""
        self._stopped[self._known(name)] = self._now()
        self._nodes.enqueue(Request("", name))

    async def start_node(self, name: str) -> None:
        """A stopped node is there again, and goes on where it was."""
        self._stopped.pop(self._known(name), None)
        self._nodes.enqueue(Request("", name))
        for pod in await self._pods_of(name, self._asked):
            self._pods.enqueue(Request(pod.namespace, pod.name))

    async def cordon(self, name: str, on: bool = True) -> None:
        """No Pod comes to the node any more; with `on=False` some do again."""
        await self._asked.patch(NODES, "", self._known(name), {"spec": {"unschedulable": on or None}})

    # What happens to Pods.

    async def fail(
        self, namespace: str, name: str, *, container: str = "", exit_code: int = 1, reason: str = "Error"
    ) -> None:
        """A container of a running Pod, the first if none is named, ends: and begins again, or does not, as the
        Pod's restart policy says.
        """
        pod, run = await self._running(namespace, name)
        of = container or pod["spec"]["containers"][0]["name"]
        run.failures.setdefault(of, []).append(Failure(self._now(), exit_code, reason))
        self._pods.enqueue(Request(namespace, name))

    async def complete(self, namespace: str, name: str, exit_code: int = 0) -> None:
        """All containers of a running Pod end for good, whatever its restart policy."""
        pod, run = await self._running(namespace, name)
        for each in pod["spec"]["containers"]:
            run.completed[each["name"]] = (self._now(), exit_code)
        self._pods.enqueue(Request(namespace, name))

    def lose_image(self, image: str) -> None:
        """Containers that begin from now on cannot have this image, and wait."""
        self._missing_images.add(image)
        self._wake_all()

    def provide_image(self, image: str) -> None:
        """The image can be had again."""
        self._missing_images.discard(image)
        self._wake_all()

    async def _running(self, namespace: str, name: str) -> tuple[Unstructured, Run]:
        pod = await self._asked.get(PODS, namespace, name)
        run = self._runs.get(pod.uid)
        if run is None:
            raise ValueError(f"Pod {namespace}/{name} does not run on a node of this cloud")
        return pod, run

    def _known(self, name: str) -> str:
        if name not in self._numbers:
            known = ", ".join(self._numbers) or "there are none"
            raise ValueError(f"no node {name} is in this cloud; known are {known}")
        return name

    def _wake_all(self) -> None:
        for pod in self._cache.list(PODS):
            self._pods.enqueue(Request(pod.namespace, pod.name))

    # Nodes.

    async def _reconcile_node(self, request: Request) -> Result:
        name, node = request.name, self._cache.get(NODES, "", request.name)
        if node is None or name not in self._numbers:
            return DONE
        try:
            return await self._look_after(node)
        except (NotFound, Conflict):
            return Result(requeue_after_seconds=RETRY_SECONDS)  # it changed meanwhile

    async def _look_after(self, node: Unstructured) -> Result:
        stopped_at = self._stopped.get(node.name)
        if stopped_at is None:
            await self._tell_node(node, lost=False)
            await self._renew(node.name)
            return Result(requeue_after_seconds=LEASE_SECONDS)
        left = stopped_at + GRACE_SECONDS - self._now()
        if left > 0:
            return Result(requeue_after_seconds=left)
        return await self._evict(await self._tell_node(node, lost=True))

    async def _tell_node(self, node: Unstructured, *, lost: bool) -> Unstructured:
        """Gives the node as it is then."""
        conditions = node_conditions(node, lost, self._now())
        if (node.get("status") or {}).get("conditions") != conditions:
            patch = {
                "metadata": {"resourceVersion": node.resource_version},
                "status": {"conditions": conditions},
            }
            node = await self._client.patch(NODES, "", node.name, patch, subresource="status")
        wanted = taints(node, lost, self._now())
        if wanted != list((node.get("spec") or {}).get("taints") or ()):
            patch = {
                "metadata": {"resourceVersion": node.resource_version},
                "spec": {"taints": wanted or None},
            }
            node = await self._client.patch(NODES, "", node.name, patch)
        return node

    async def _renew(self, name: str) -> None:
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": 40,
            "renewTime": format_micro_time(int(self._now() * 1e6)),
        }
        lease = {"metadata": {"name": name, "namespace": LEASE_NAMESPACE}, "spec": spec}
        await self._client.apply(LEASES, lease, force=True)

    async def _evict(self, node: Unstructured) -> Result:
        """Of a node that is lost: tells that its Pods are not ready, and deletes those whose time is over."""
        taint = next(
            (
                each
                for each in node["spec"].get("taints") or ()
                if each["key"] == UNREACHABLE and each["effect"] == "NoExecute"
            ),
            None,
        )
        since = parse_time(taint["timeAdded"]) if taint and taint.get("timeAdded") else self._now()
        next_at = float("inf")
        for pod in await self._pods_of(node.name):
            if pod.being_deleted or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                continue
            await self._tell_not_ready(pod)
            at = evicted_at(pod, since)
            if at <= self._now():
                await self._client.delete(PODS, pod.namespace, pod.name, uid=pod.uid)
            else:
                next_at = min(next_at, at)
        return DONE if next_at == float("inf") else Result(requeue_after_seconds=next_at - self._now())

    async def _tell_not_ready(self, pod: Unstructured) -> None:
        conditions = list((pod.get("status") or {}).get("conditions") or ())
        if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            since = format_time(self._now())
            told = [
                {**each, "status": "False", "reason": "NodeNotReady", "lastTransitionTime": since}
                if each["type"] == "Ready"
                else each
                for each in conditions
            ]
            await self._patch_status(pod, {"conditions": told})

    # Pods.

    def _waiting(self, node: Unstructured) -> list[Request]:
        """A node has changed: the Pods that have none yet."""
        pods = self._cache.list(PODS) if self._pods.is_working else []
        return [Request(each.namespace, each.name) for each in pods if not each["spec"].get("nodeName")]

    async def _reconcile_pod(self, request: Request) -> Result:
        pod = self._cache.get(PODS, request.namespace, request.name)
        if pod is None:
            return DONE
        try:
            seconds = await self._step(pod)
        except (NotFound, Conflict):
            return DONE  # it changed meanwhile: the watch tells of it
        return DONE if seconds is None else Result(requeue_after_seconds=max(seconds, 0.001))

    async def _step(self, pod: Unstructured) -> float | None:
        """The next step of one Pod; gives in how many seconds another is due."""
        name = pod["spec"].get("nodeName") or ""
        if not name:
            if pod.being_deleted:
                await self._forget(pod)
                return None
            return await self._schedule(pod)
        if name not in self._numbers or name in self._stopped:
            return None
        run = self._runs.get(pod.uid) or self._begin(pod, name)
        if pod.being_deleted:
            return await self._stop(pod)
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return None
        now = self._now()
        status, next_at = pod_status(pod, run, self.stages, self._missing_images, now)
        known = pod.get("status") or {}
        if any(known.get(key) != value for key, value in status.items()):
            await self._patch_status(pod, status)
        return None if next_at is None else next_at - now

    async def _schedule(self, pod: Unstructured) -> float | None:
        if pod["spec"].get("schedulingGates"):
            return None
        wait = parse_time(pod.metadata["creationTimestamp"]) + self.stages.schedule_seconds - self._now()
        if wait > 0:
            return wait
        nodes = [each for each in self._cache.list(NODES) if each.name in self._numbers]
        alive = [each for each in nodes if each.name not in self._stopped]
        chosen, why = place(pod, [Place(each, self._cached_pods_of(each.name)) for each in alive])
        if not chosen:
            await self._tell_unschedulable(pod, why)
            return RETRY_SECONDS
        # In the caches it will be a moment later, and others are placed meanwhile.
        self._bound[pod.uid] = (chosen, pod)
        await bind_pod(self._client, pod, chosen)
        return None

    def _cached_pods_of(self, node: str) -> list[Unstructured]:
        """What a node has, with what was bound to it just now."""
        found: dict[str, Unstructured] = {}
        pods = self._cache.list(PODS)
        for uid in self._bound.keys() - {pod.uid for pod in pods}:
            del self._bound[uid]
        for pod in pods:
            bound_to = pod["spec"].get("nodeName")
            if bound_to:
                self._bound.pop(pod.uid, None)
            if bound_to == node and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
                found[pod.uid] = pod
        return [*found.values(), *(pod for name, pod in self._bound.values() if name == node)]

    async def _tell_unschedulable(self, pod: Unstructured, why: str) -> None:
        known = list((pod.get("status") or {}).get("conditions") or ())
        if any(each["type"] == "PodScheduled" and each.get("message") == why for each in known):
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": why,
            "lastTransitionTime": format_time(self._now()),
        }
        others = [each for each in known if each["type"] != "PodScheduled"]
        await self._patch_status(pod, {"conditions": [*others, condition]})

    async def _stop(self, pod: Unstructured) -> float | None:
        asked = parse_time(pod.metadata["deletionTimestamp"])
        grace = float(pod.metadata.get("deletionGracePeriodSeconds") or 0)
        left = asked - grace + min(self.stages.stop_seconds, grace) - self._now()
        if left > 0:
            return left
        if not pod.finalizers or grace:
            await self._forget(pod)
        return None

    async def _forget(self, pod: Unstructured, client: Client | None = None) -> None:
        self._runs.pop(pod.uid, None)
        try:
            await (client or self._client).delete(PODS, pod.namespace, pod.name, uid=pod.uid, grace_seconds=0)
        except (NotFound, Conflict):
            return  # gone already, or another by that name

    def _begin(self, pod: Unstructured, node: str) -> Run:
        number = self._numbers[node]
        host = f"172.18.0.{number + 1}"
        taken = {run.ip for run in self._runs.values()}
        free = (f"10.244.{number}.{last}" for last in range(1, ADDRESSES_MAX + 1))
        ip = host if pod["spec"].get("hostNetwork") else next(each for each in free if each not in taken)
        run = self._runs[pod.uid] = Run(self._now(), ip, host)
        return run

    async def _patch_status(self, pod: Unstructured, status: JsonObject) -> None:
        # With the version: conditions of others are in the list, and may not be lost.
        patch = {"metadata": {"resourceVersion": pod.resource_version}, "status": status}
        await self._client.patch(PODS, pod.namespace, pod.name, patch, subresource="status")

    async def _pods_of(self, node: str, client: Client | None = None) -> list[Unstructured]:
        return list((await (client or self._client).list(PODS, fields=f"spec.nodeName={node}")).items)

    def _now(self) -> float:
        return self._clock.now().timestamp()


class _Calls:
    def __init__(self, reconcile: Any) -> None:
        self.reconcile = reconcile
