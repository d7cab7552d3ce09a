"""Plays the part of a node: Pods come to a node, become ready, and end, without anything being run.

    async with TestEnv(controllers=True) as env, Kubelet(env.client("kubelet")):
        ...

The functions do one step for one Pod, for tests that want to say when; `Kubelet` does all of them for every Pod.

Promises
    K1  Pods are changed as scheduler and kubelet change them: through binding and status, deletion without grace
    K2  a Pod is bound once, ready once it is bound, and gone soon after it was deleted
"""

import asyncio
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.time import format_time
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["Kubelet", "bind_pod", "end_pod", "set_pod_ready"]

PODS = Kind("", "v1", "Pod", "pods")
NODE = "node-1"


async def bind_pod(client: Client, pod: Unstructured, node: str = NODE) -> None:
    """Puts a Pod on a node, as a scheduler does."""
    body = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    }
    await client.subresource(PODS, pod.namespace, pod.name, "binding").create(body)


async def set_pod_ready(
    client: Client, namespace: str, name: str, ready: bool = True, *, now: datetime | None = None
) -> Unstructured:
    """Tells that a Pod runs, and whether it is ready, since `now`; gives the Pod as it stands then."""
    pod = await client.get(PODS, namespace, name)
    at = format_time((now or SYSTEM_CLOCK.now()).timestamp())
    return await client.patch(
        PODS, namespace, name, {"status": _running(pod, ready, at)}, subresource="status"
    )


def _running(pod: Unstructured, ready: bool, at: str) -> JsonObject:
    before: dict[str, Any] = {
        each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()
    }
    conditions: list[JsonObject] = []
    for type_, holds in (
        ("PodReadyToStartContainers", True),
        ("Initialized", True),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", True),
    ):
        status = "True" if holds else "False"
        known = before.get(type_) or {}
        since = known.get("lastTransitionTime") if known.get("status") == status else None
        conditions.append({"type": type_, "status": status, "lastTransitionTime": since or at})
    started = (pod.get("status") or {}).get("startTime") or at
    containers = [
        {
            "name": each["name"],
            "image": each.get("image", ""),
            "imageID": "",
            "ready": ready,
            "restartCount": 0,
            "started": True,
            "state": {"running": {"startedAt": started}},
        }
        for each in pod["spec"]["containers"]
    ]
    return {
        "phase": "Running",
        "startTime": started,
        "conditions": conditions,
        "containerStatuses": containers,
    }


async def end_pod(client: Client, namespace: str, name: str, phase: str = "Failed") -> Unstructured:
    """Tells that a Pod has ended for good: `Failed` or `Succeeded`."""
    return await client.patch(PODS, namespace, name, {"status": {"phase": phase}}, subresource="status")


class Kubelet:
    """Every Pod is bound and ready at once, and gone when it is deleted, from `async with` to its end."""

    def __init__(self, client: Client, *, node: str = NODE, clock: Clock = SYSTEM_CLOCK) -> None:
        self._manager = Manager(client, name="kubelet", clock=clock)
        reconciler = _Reconciler(self._manager, node, clock)
        self._manager.controller("kubelet", reconciler, for_=PODS, workers=4)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._manager.run(), name="kubelet")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "not started"
        self._manager.stop()
        await self._task


class _Reconciler:
    def __init__(self, manager: Manager, node: str, clock: Clock) -> None:
        self._client = manager.client
        self._cache = manager.cache
        self._node = node
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        pod = self._cache.get(PODS, request.namespace, request.name)
        if pod is None or pod["spec"].get("nodeName") not in (None, "", self._node):
            return DONE
        try:
            await self._step(pod)
        except (NotFound, Conflict):
            return DONE  # it changed meanwhile: the watch tells of it
        return DONE

    async def _step(self, pod: Unstructured) -> None:
        client = self._client
        if pod.being_deleted:
            if not pod.finalizers or pod.metadata.get("deletionGracePeriodSeconds"):
                await client.delete(PODS, pod.namespace, pod.name, uid=pod.uid, grace_seconds=0)
        elif not pod["spec"].get("nodeName"):
            await bind_pod(client, pod, self._node)
        elif (pod.get("status") or {}).get("phase") == "Pending":
            await set_pod_ready(client, pod.namespace, pod.name, now=self._clock.now())
