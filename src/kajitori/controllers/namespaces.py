"""Namespaces that are going away: their content is deleted, Pods first, then they are let go.

Promises
    N1  a namespace loses its `kubernetes` finalizer only when every kind the server knows was listed empty in it
    N2  what keeps it is said in its conditions, with the words of Kubernetes' controller
    N3  a kind that cannot be listed or deleted keeps the namespace; the others are deleted all the same
    N4  nothing else is deleted while a Pod is there: what it needs to end well stays with it
    N5  however much is in it, no more than a page of it is read at once: whoever shares the process gets their turn

Source: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace; N4 is KEP-5080.
"""

import contextlib

from kajitori.apimachinery.errors import ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.time import parse_time
from kajitori.client import Client
from kajitori.controllers.discovery import Served, ServedKind, served_kinds
from kajitori.controllers.kinds import NAMESPACES, PODS
from kajitori.controllers.namespacecontent import Remaining, conditions_of
from kajitori.ctrl import DONE, Cache, Manager, Request, Result
from kajitori.world.clock import Clock

__all__ = ["NamespaceReconciler", "setup"]

FINALIZER = "kubernetes"

_IN_THE_BACKGROUND = b'{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}'

LOOK_AGAIN_SECONDS_MIN = 0.1
LOOK_AGAIN_SECONDS_MAX = 8.0
"""While something remains: nobody tells when the last object of any kind goes. Kubernetes waits 8 s for finalizers."""


class NamespaceReconciler:
    """Empties namespaces that are being deleted."""

    def __init__(self, client: Client, cache: Cache, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        cached = self._cache.get(NAMESPACES, "", request.name)
        if cached is None or not _is_going(cached):
            return DONE
        try:
            namespace = await self._client.get(NAMESPACES, "", request.name)
            if not _is_going(namespace):
                return DONE
            age = self._clock.now().timestamp() - parse_time(namespace.metadata["deletionTimestamp"])
            remaining = await self._empty(request.name, age)
            namespace = await self._tell(namespace, remaining)
            if remaining.is_empty:
                await self._let_go(namespace)
                return DONE
        except NotFound:
            return DONE
        except Conflict:
            return Result(requeue_after_seconds=LOOK_AGAIN_SECONDS_MIN)  # somebody else changed it meanwhile
        # Soon at first, then ever less often: half the time that it has taken so far.
        return Result(requeue_after_seconds=min(max(age / 2, LOOK_AGAIN_SECONDS_MIN), LOOK_AGAIN_SECONDS_MAX))

    async def _empty(self, name: str, age_seconds: float) -> Remaining:
        remaining = Remaining(name, age_seconds)
        try:
            served = await served_kinds(self._client)
        except ApiError as error:
            remaining.discovery_error = error.message
            served = Served([], [])
        remaining.stale = served.stale
        deletable = [each for each in served.kinds if each.kind.namespaced and "delete" in each.verbs]
        for each in deletable:
            if each.kind.group_resource == PODS.group_resource:
                await self._empty_kind(each, remaining)
        if remaining.by_resource:
            return remaining
        for each in deletable:
            if each.kind.group_resource != PODS.group_resource:
                await self._empty_kind(each, remaining)
        return remaining

    async def _empty_kind(self, served: ServedKind, remaining: Remaining) -> None:
        kind, namespace = served.kind, remaining.namespace
        try:
            if "list" not in served.verbs:
                await self._delete_collection(kind, namespace)
                return
            if not (await self._client.list(kind, namespace, metadata_only=True, limit=1)).items:
                return
            if "deletecollection" in served.verbs:
                await self._delete_collection(kind, namespace)
            else:
                await self._delete_each(kind, namespace)
            left: list[Unstructured] = []
            async for page in self._client.list_pages(kind, namespace, metadata_only=True):
                left += page.items
            remaining.found(kind, left)
        except NotFound:
            return  # the kind itself went away meanwhile
        except ApiError as error:
            remaining.failed(kind, error)

    async def _delete_collection(self, kind: Kind, namespace: str) -> None:
        # The answer holds everything that was there: nobody reads it (N5).
        await self._client.send("DELETE", kind.path(namespace), _IN_THE_BACKGROUND)

    async def _delete_each(self, kind: Kind, namespace: str) -> None:
        async for page in self._client.list_pages(kind, namespace, metadata_only=True):
            for each in page.items:
                with contextlib.suppress(NotFound):
                    await self._client.delete(kind, namespace, each.name, propagation="Background")

    async def _tell(self, namespace: Unstructured, remaining: Remaining) -> Unstructured:
        """Writes what was found into the status; the namespace as it stands then."""
        status = namespace.get("status") or {}
        before = list(status.get("conditions") or ())
        conditions = conditions_of(before, remaining, self._clock.now())
        if conditions == before and status.get("phase") == "Terminating":
            return namespace
        patch = {"status": {"phase": "Terminating", "conditions": conditions}}
        return await self._client.patch(NAMESPACES, "", namespace.name, patch, subresource="status")

    async def _let_go(self, namespace: Unstructured) -> None:
        obj: JsonObject = thaw(namespace)
        obj["spec"]["finalizers"] = [each for each in obj["spec"]["finalizers"] if each != FINALIZER]
        await self._client.update(NAMESPACES, obj, subresource="finalize")


def _is_going(namespace: Unstructured) -> bool:
    finalizers = (namespace.get("spec") or {}).get("finalizers") or ()
    return namespace.being_deleted and FINALIZER in finalizers


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    reconciler = NamespaceReconciler(manager.client.without_warnings(), manager.cache, manager.clock)
    manager.controller("namespace-controller", reconciler, for_=NAMESPACES, workers=4)
