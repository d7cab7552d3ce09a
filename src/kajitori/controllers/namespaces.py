"""Namespaces that are going away: their content is deleted, then they are let go.

Promises
    N1  a namespace loses its `kubernetes` finalizer only when every kind the server knows was listed empty in it
    N2  what keeps it is said in its conditions, with the words of Kubernetes' controller
    N3  a kind that cannot be listed or deleted keeps the namespace; the others are deleted all the same

Source: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace; the conditions are
those of core/v1 NamespaceConditionType.
"""

from collections import Counter
from dataclasses import dataclass, field

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.controllers.discovery import served_kinds
from kajitori.controllers.kinds import NAMESPACES
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, set_condition
from kajitori.world.clock import Clock

__all__ = ["NamespaceReconciler", "setup"]

FINALIZER = "kubernetes"

LOOK_AGAIN_SECONDS = 0.5
"""While something with finalizers of its own remains: nobody tells when the last object of any kind goes."""


@dataclass(slots=True)
class Remaining:
    """What is left in a namespace after everything was told to go."""

    by_resource: "Counter[str]" = field(default_factory=Counter)
    by_finalizer: "Counter[str]" = field(default_factory=Counter)
    discovery_errors: list[str] = field(default_factory=list[str])
    deletion_errors: list[str] = field(default_factory=list[str])

    @property
    def empty(self) -> bool:
        return not (self.by_resource or self.discovery_errors or self.deletion_errors)


class NamespaceReconciler:
    """Empties namespaces that are being deleted."""

    def __init__(self, client: Client, cache: Cache, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        namespace = self._cache.get(NAMESPACES, "", request.name)
        if namespace is None or not namespace.being_deleted:
            return DONE
        finalizers = (namespace.get("spec") or {}).get("finalizers") or ()
        if FINALIZER not in finalizers:
            return DONE
        remaining = await self._empty(request.name)
        if remaining.empty:
            await self._let_go(namespace)
            return DONE
        await self._tell(namespace, remaining)
        return Result(requeue_after_seconds=LOOK_AGAIN_SECONDS)

    async def _empty(self, name: str) -> Remaining:
        remaining = Remaining()
        try:
            served = await served_kinds(self._client)
        except ApiError as error:
            remaining.discovery_errors.append(str(error))
            return remaining
        for each in served:
            if not each.kind.namespaced or not {"list", "delete"} <= each.verbs:
                continue
            try:
                await self._empty_kind(each.kind, each.verbs, name, remaining)
            except NotFound:
                continue  # the kind itself went away meanwhile
            except ApiError as error:
                remaining.deletion_errors.append(f"{each.kind.group_resource}: {error}")
        return remaining

    async def _empty_kind(self, kind: Kind, verbs: frozenset[str], name: str, remaining: Remaining) -> None:
        found = await self._client.list(kind, name, metadata_only=True)
        if not found.items:
            return
        if "deletecollection" in verbs:
            await self._client.delete_collection(kind, name, propagation="Background")
        else:
            for each in found.items:
                try:
                    await self._client.delete(kind, name, each.name, propagation="Background")
                except NotFound:
                    continue
        for each in (await self._client.list(kind, name, metadata_only=True)).items:
            remaining.by_resource[kind.group_resource] += 1
            remaining.by_finalizer.update(each.finalizers)

    async def _let_go(self, namespace: Unstructured) -> None:
        obj = thaw(namespace)
        spec = obj.setdefault("spec", {})
        spec["finalizers"] = [each for each in spec.get("finalizers") or () if each != FINALIZER]
        obj["metadata"].pop("resourceVersion", None)
        try:
            await self._client.update(NAMESPACES, obj, subresource="finalize")
        except NotFound:
            return

    async def _tell(self, namespace: Unstructured, remaining: Remaining) -> None:
        before = (namespace.get("status") or {}).get("conditions") or []
        conditions: list[JsonObject] = list(before)
        for type_, bad, reasons, message in _findings(remaining):
            conditions = set_condition(
                conditions,
                type_,
                status="True" if bad else "False",
                reason=reasons[0] if bad else reasons[1],
                message=message,
                now=self._clock.now(),
            )
        if conditions == list(before):
            return
        try:
            patch = {"status": {"conditions": conditions}}
            await self._client.patch(NAMESPACES, "", namespace.name, patch, subresource="status")
        except NotFound:
            return


def _findings(remaining: Remaining) -> list[tuple[str, bool, tuple[str, str], str]]:
    """Each condition: its type, whether it tells of trouble, its reasons then and otherwise, its message."""
    discovery = "; ".join(remaining.discovery_errors)
    deletion = "; ".join(remaining.deletion_errors)
    content = ", ".join(
        f"{resource} has {count} resource instances"
        for resource, count in sorted(remaining.by_resource.items())
    )
    finalizers = ", ".join(
        f"{name} in {count} resource instances" for name, count in sorted(remaining.by_finalizer.items())
    )
    return [
        (
            "NamespaceDeletionDiscoveryFailure",
            bool(discovery),
            ("DiscoveryFailed", "ResourcesDiscovered"),
            f"Discovery failed for some groups: {discovery}"
            if discovery
            else "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            False,
            ("GroupVersionParsingFailed", "ParsedGroupVersions"),
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            bool(deletion),
            ("ContentDeletionFailed", "ContentDeleted"),
            f"Failed to delete all resource types: {deletion}"
            if deletion
            else "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            bool(content),
            ("SomeResourcesRemain", "ContentRemoved"),
            f"Some resources are remaining: {content}" if content else "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            bool(finalizers),
            ("SomeFinalizersRemain", "ContentHasNoFinalizers"),
            f"Some content in the namespace has finalizers remaining: {finalizers}"
            if finalizers
            else "All content-preserving finalizers finished",
        ),
    ]


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    reconciler = NamespaceReconciler(manager.client, manager.cache, manager.clock)
    manager.controller("namespaces", reconciler, for_=NAMESPACES, workers=2)
