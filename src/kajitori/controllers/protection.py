"""Claims, volumes and attributes classes that somebody uses are not deleted under them.

Promises
    V1  a claim that is being deleted keeps its finalizer while a Pod that is on a node uses it
    V2  a volume that is being deleted keeps its finalizer while a claim is bound to it
    V3  what is not being deleted has the finalizer, also where admission did not set it
    V4  an attributes class that is being deleted keeps its finalizer while a claim or a volume names it

Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection and
Kubernetes' persistentvolumeclaim-protection, persistentvolume-protection and volumeattributesclass-protection
controllers.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client
from kajitori.controllers.kinds import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    VOLUME_ATTRIBUTES_CLASSES,
)
from kajitori.ctrl import (
    DONE,
    Cache,
    Manager,
    Request,
    Result,
    Watch,
    add_finalizer,
    controller_of,
    has_finalizer,
    remove_finalizer,
)

__all__ = [
    "ClaimReconciler",
    "ClassReconciler",
    "VolumeReconciler",
    "is_claim_in_use",
    "setup_claims",
    "setup_classes",
    "setup_volumes",
]

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
CLASS_FINALIZER = "kubernetes.io/vac-protection"

_BY_CLAIM = "claim"
_BY_CLASS = "volumeAttributesClass"


def _claim_names(pod: Any) -> Iterable[str]:
    """The names of the claims that a Pod mentions."""
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            yield claim.get("claimName", "")
        elif "ephemeral" in volume:
            yield f"{pod.name}-{volume['name']}"


def _claims_of(pod: Any) -> Iterable[Request]:
    return [Request(pod.namespace, name) for name in _claim_names(pod)]


def is_claim_in_use(claim: Unstructured, pods: Iterable[Unstructured]) -> bool:
    """Whether one of the Pods needs the claim.

    One that is on no node yet does not: no node starts a Pod whose claim is being deleted.
    """
    for pod in pods:
        if not (pod.get("spec") or {}).get("nodeName"):
            continue
        for volume in pod["spec"].get("volumes") or ():
            named = volume.get("persistentVolumeClaim")
            if named is not None:
                if named.get("claimName") == claim.name:
                    return True
            elif "ephemeral" in volume and _uses_ephemeral(pod, volume, claim):
                return True
    return False


def _uses_ephemeral(pod: Unstructured, volume: Any, claim: Unstructured) -> bool:
    """Whether the claim was made for this volume of the Pod, and the Pod has not been shut down."""
    if f"{pod.name}-{volume['name']}" != claim.name:
        return False
    owner = controller_of(claim)
    shut_down = pod.being_deleted and pod.metadata.get("deletionGracePeriodSeconds") == 0
    return owner is not None and owner.uid == pod.uid and not shut_down


async def _protect(client: Client, kind: Kind, value: Unstructured, finalizer: str, *, in_use: bool) -> None:
    """Gives the object the finalizer that it should have, or takes it off one that is free to go."""
    try:
        if not value.being_deleted:
            await add_finalizer(client, kind, value, finalizer)
        elif not in_use:
            await remove_finalizer(client, kind, value, finalizer)
    except (NotFound, Conflict):
        return  # it changed: the watch tells of it


class ClaimReconciler:
    """Lets claims go that no Pod uses."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        claim = self._cache.get(PERSISTENT_VOLUME_CLAIMS, request.namespace, request.name)
        if claim is None or claim.being_deleted != has_finalizer(claim, CLAIM_FINALIZER):
            return DONE
        in_use = claim.being_deleted and await self._is_used(claim)
        await _protect(self._client, PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER, in_use=in_use)
        return DONE

    async def _is_used(self, claim: Unstructured) -> bool:
        index = (_BY_CLAIM, f"{claim.namespace}/{claim.name}")
        if is_claim_in_use(claim, self._cache.list(PODS, claim.namespace, index=index)):
            return True
        # The cache may not have seen the newest Pod yet, and there is no way back.
        return is_claim_in_use(claim, await self._client.list(PODS, claim.namespace))


class VolumeReconciler:
    """Lets volumes go that no claim is bound to."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        volume = self._cache.get(PERSISTENT_VOLUMES, "", request.name)
        if volume is None or volume.being_deleted != has_finalizer(volume, VOLUME_FINALIZER):
            return DONE
        in_use = (volume.get("status") or {}).get("phase") == "Bound"
        await _protect(self._client, PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER, in_use=in_use)
        return DONE


def _class_names(obj: Any) -> list[str]:
    """The attributes classes that a claim or a volume names: wanted, in force, and being changed to."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    named = (
        spec.get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return [name for name in dict.fromkeys(named) if name]


def _classes_of(obj: Any) -> Iterable[Request]:
    return [Request("", name) for name in _class_names(obj)]


class ClassReconciler:
    """Lets attributes classes go that no claim and no volume names."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        found = self._cache.get(VOLUME_ATTRIBUTES_CLASSES, "", request.name)
        if found is None or found.being_deleted != has_finalizer(found, CLASS_FINALIZER):
            return DONE
        index = (_BY_CLASS, request.name)
        in_use = any(self._cache.list(kind, index=index) for kind in _WITH_CLASSES)
        await _protect(self._client, VOLUME_ATTRIBUTES_CLASSES, found, CLASS_FINALIZER, in_use=in_use)
        return DONE


_WITH_CLASSES = (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES)


def setup_classes(manager: Manager) -> None:
    """Adds the protection of attributes classes."""
    cache = manager.cache
    for kind in _WITH_CLASSES:
        cache.add_index(kind, _BY_CLASS, _class_names)
    manager.controller(
        "volumeattributesclass-protection-controller",
        ClassReconciler(manager.client, cache),
        for_=VOLUME_ATTRIBUTES_CLASSES,
        watches=[Watch(kind, _classes_of) for kind in _WITH_CLASSES],
    )


def setup_claims(manager: Manager) -> None:
    """Adds the protection of claims."""
    client, cache = manager.client, manager.cache
    cache.add_index(PODS, _BY_CLAIM, _by_claim)
    manager.controller(
        "persistentvolumeclaim-protection-controller",
        ClaimReconciler(client, cache),
        for_=PERSISTENT_VOLUME_CLAIMS,
        watches=[Watch(PODS, _claims_of)],
    )


def _by_claim(pod: Any) -> Iterable[str]:
    return [f"{pod.namespace}/{name}" for name in _claim_names(pod)]


def setup_volumes(manager: Manager) -> None:
    """Adds the protection of volumes."""
    manager.controller(
        "persistentvolume-protection-controller",
        VolumeReconciler(manager.client, manager.cache),
        for_=PERSISTENT_VOLUMES,
    )
