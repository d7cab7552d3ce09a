"""Admission of claims and volumes: the default class, growth, and protection while they are in use.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (DefaultStorageClass,
PersistentVolumeClaimResize, StorageObjectInUseProtection)
"""

import msgspec

from kajitori.apimachinery.errors import forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["DefaultStorageClass", "PersistentVolumeClaimResize", "StorageObjectInUseProtection"]

DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_FINALIZERS = {
    "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "/persistentvolumes": "kubernetes.io/pv-protection",
    "storage.k8s.io/volumeattributesclasses": "kubernetes.io/vac-protection",
}
_read = msgspec.json.Decoder(JsonObject).decode


class DefaultStorageClass:
    """A claim that names no class gets the default one; of several the newest, then the first by name."""

    name = "DefaultStorageClass"
    validate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == "/persistentvolumeclaims"

    def mutate(self, attributes: Attributes) -> None:
        claim = attributes.obj
        assert claim is not None, attributes
        spec = claim.setdefault("spec", {})
        annotations = claim["metadata"].get("annotations") or {}
        if "storageClassName" in spec or "volume.beta.kubernetes.io/storage-class" in annotations:
            return
        found: list[JsonObject] = []
        for item in self._store.range("storage.k8s.io/storageclasses"):
            each = _read(item.value)
            marks = each["metadata"].get("annotations") or {}
            if any(marks.get(name) == "true" for name in DEFAULT_CLASS):
                found.append(each)
        if found:
            found.sort(key=lambda each: each["metadata"]["name"])
            newest = max(found, key=lambda each: each["metadata"]["creationTimestamp"])
            spec["storageClassName"] = newest["metadata"]["name"]


class PersistentVolumeClaimResize:
    """A claim grows only where its class says that its volumes can."""

    name = "PersistentVolumeClaimResize"
    mutate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "UPDATE" and bucket == "/persistentvolumeclaims" and not subresource

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        claim, old = attributes.obj, attributes.old
        assert claim is not None and old is not None, attributes
        # Only what is bound can grow; what else is wrong with the change is for the kind's own rules.
        if _size(claim) <= _size(old) or (old.get("status") or {}).get("phase") != "Bound":
            return
        name = (claim["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
        name = (claim["spec"].get("storageClassName") or "") if name is None else name
        item = self._store.get("storage.k8s.io/storageclasses", name) if name else None
        if item is None or not _read(item.value).get("allowVolumeExpansion"):
            why = (
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc "
                "must support resize"
            )
            raise forbidden("persistentvolumeclaims", "", attributes.name, why)


def _size(claim: JsonObject) -> Quantity:
    resources: JsonObject = claim["spec"].get("resources") or {}
    return parse_quantity((resources.get("requests") or {}).get("storage", "0"))


class StorageObjectInUseProtection:
    """Claims, volumes and attributes classes carry a finalizer that a controller takes off when nobody uses them."""

    name = "StorageObjectInUseProtection"
    validate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket in _FINALIZERS

    def mutate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        assert obj is not None, attributes
        finalizer = _FINALIZERS[attributes.resource.bucket]
        metadata = obj["metadata"]
        finalizers: list[str] = metadata.get("finalizers") or []
        if finalizer not in finalizers:
            metadata["finalizers"] = [*finalizers, finalizer]
