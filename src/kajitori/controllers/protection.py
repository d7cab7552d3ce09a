"""Claims and volumes that somebody uses are not deleted under them.

Promises
    V1  a claim that is being deleted keeps its finalizer while a Pod on some node uses it; a Pod that has no node has
        nothing mounted
    V2  a volume that is being deleted keeps its finalizer while a claim is bound to it

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client
from kajitori.controllers.kinds import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch, has_finalizer

__all__ = ["ClaimReconciler", "VolumeReconciler", "setup"]

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


def _claims_of(pod: Any) -> Iterable[Request]:
    """The claims that a Pod uses."""
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            yield Request(pod.namespace, claim.get("claimName", ""))
        elif "ephemeral" in volume:
            yield Request(pod.namespace, f"{pod.name}-{volume['name']}")


async def _let_go(client: Client, kind: Kind, value: Unstructured, finalizer: str) -> None:
    kept = [each for each in value.finalizers if each != finalizer]
    patch = {
        "metadata": {
            "uid": value.uid,
            "resourceVersion": value.resource_version,
            "finalizers": kept or None,
        }
    }
    try:
        await client.patch(kind, value.namespace, value.name, patch)
    except (NotFound, Conflict):
        return  # it changed: the watch tells of it


class ClaimReconciler:
    """Lets claims go that no Pod on a node uses."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        claim = self._cache.get(PERSISTENT_VOLUME_CLAIMS, request.namespace, request.name)
        if claim is None or not claim.being_deleted or not has_finalizer(claim, CLAIM_FINALIZER):
            return DONE
        for pod in self._cache.list(PODS, request.namespace):
            if pod["spec"].get("nodeName") and request in _claims_of(pod):
                return DONE
        await _let_go(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER)
        return DONE


class VolumeReconciler:
    """Lets volumes go that no claim is bound to."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        volume = self._cache.get(PERSISTENT_VOLUMES, "", request.name)
        if volume is None or not volume.being_deleted or not has_finalizer(volume, VOLUME_FINALIZER):
            return DONE
        if (volume.get("status") or {}).get("phase") == "Bound":
            return DONE
        await _let_go(self._client, PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER)
        return DONE


def setup(manager: Manager) -> None:
    """Adds both controllers to a manager."""
    client, cache = manager.client, manager.cache
    manager.controller(
        "claim-protection",
        ClaimReconciler(client, cache),
        for_=PERSISTENT_VOLUME_CLAIMS,
        watches=[Watch(PODS, _claims_of)],
    )
    manager.controller("volume-protection", VolumeReconciler(client, cache), for_=PERSISTENT_VOLUMES)
