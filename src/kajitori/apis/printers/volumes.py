"""The cells of storage: volumes, claims, classes, drivers and devices.

Source: kubernetes/pkg/printers/internalversion.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.kind import JsonObject

from .texts import age_of, member, name_of, quantity_text

__all__ = [
    "csi_driver_cells",
    "csi_node_cells",
    "device_class_cells",
    "persistent_volume_cells",
    "persistent_volume_claim_cells",
    "resource_claim_cells",
    "resource_slice_cells",
    "storage_class_cells",
    "volume_attachment_cells",
    "volume_attributes_class_cells",
]

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _modes_text(modes: Iterable[str] | None) -> str:
    present = set(modes or ())
    return ",".join(short for mode, short in _MODES.items() if mode in present)


def _or_unset(value: Any) -> Any:
    return "<unset>" if value is None else value


def _phase(value: JsonObject) -> str:
    if (value.get("metadata") or {}).get("deletionTimestamp"):
        return "Terminating"
    return member(value, "status", "phase") or ""


def _class_name(value: JsonObject) -> str:
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    if _CLASS_ANNOTATION in annotations:
        return str(annotations[_CLASS_ANNOTATION])
    return member(value, "spec", "storageClassName") or ""


def persistent_volume_cells(volume: JsonObject, now: float) -> list[Any]:
    spec = volume.get("spec") or {}
    claim = spec.get("claimRef")
    return [
        name_of(volume),
        quantity_text(member(spec, "capacity", "storage")),
        _modes_text(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy") or "",
        _phase(volume),
        "" if claim is None else f"{claim.get('namespace') or ''}/{claim.get('name') or ''}",
        _class_name(volume),
        _or_unset(spec.get("volumeAttributesClassName")),
        member(volume, "status", "reason") or "",
        age_of(volume, now),
        _or_unset(spec.get("volumeMode")),
    ]


def persistent_volume_claim_cells(claim: JsonObject, now: float) -> list[Any]:
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    volume = spec.get("volumeName") or ""
    return [
        name_of(claim),
        _phase(claim),
        volume,
        quantity_text(member(status, "capacity", "storage")) if volume else "",
        _modes_text(status.get("accessModes")) if volume else "",
        _class_name(claim),
        _or_unset(spec.get("volumeAttributesClassName")),
        age_of(claim, now),
        _or_unset(spec.get("volumeMode")),
    ]


def storage_class_cells(storage_class: JsonObject, now: float) -> list[Any]:
    annotations = (storage_class.get("metadata") or {}).get("annotations") or {}
    name = name_of(storage_class)
    if any(annotations.get(each) == "true" for each in _DEFAULT_ANNOTATIONS):
        name += " (default)"
    policy, binding = storage_class.get("reclaimPolicy"), storage_class.get("volumeBindingMode")
    return [
        name,
        storage_class.get("provisioner") or "",
        "Delete" if policy is None else policy,
        "Immediate" if binding is None else binding,
        bool(storage_class.get("allowVolumeExpansion")),
        age_of(storage_class, now),
    ]


def volume_attributes_class_cells(attributes_class: JsonObject, now: float) -> list[Any]:
    return [
        name_of(attributes_class),
        attributes_class.get("driverName") or "",
        age_of(attributes_class, now),
    ]


def volume_attachment_cells(attachment: JsonObject, now: float) -> list[Any]:
    spec = attachment.get("spec") or {}
    return [
        name_of(attachment),
        spec.get("attacher") or "",
        member(spec, "source", "persistentVolumeName") or "",
        spec.get("nodeName") or "",
        bool(member(attachment, "status", "attached")),
        age_of(attachment, now),
    ]


def csi_driver_cells(driver: JsonObject, now: float) -> list[Any]:
    spec = driver.get("spec") or {}
    attach = spec.get("attachRequired")
    tokens = spec.get("tokenRequests")
    return [
        name_of(driver),
        attach is None or bool(attach),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        "<unset>" if tokens is None else ",".join(each.get("audience") or "" for each in tokens),
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age_of(driver, now),
    ]


def csi_node_cells(node: JsonObject, now: float) -> list[Any]:
    return [name_of(node), len(member(node, "spec", "drivers") or ()), age_of(node, now)]


def device_class_cells(device_class: JsonObject, now: float) -> list[Any]:
    return [name_of(device_class), age_of(device_class, now)]


def resource_claim_cells(claim: JsonObject, now: float) -> list[Any]:
    deleted = bool((claim.get("metadata") or {}).get("deletionTimestamp"))
    states = ["deleted"] if deleted else []
    if member(claim, "status", "allocation") is not None:
        states.append("allocated")
        if member(claim, "status", "reservedFor"):
            states.append("reserved")
    elif not deleted:
        states.append("pending")
    return [name_of(claim), ",".join(states), age_of(claim, now)]


def resource_slice_cells(resource_slice: JsonObject, now: float) -> list[Any]:
    spec = resource_slice.get("spec") or {}
    return [
        name_of(resource_slice),
        spec.get("nodeName") or "",
        spec.get("driver") or "",
        member(spec, "pool", "name") or "",
        age_of(resource_slice, now),
    ]
