"""PersistentVolumes: how much there is, where it is, and from which nodes it can be reached.

Source: ValidatePersistentVolumeSpec in pkg/apis/core/validation.
"""

import posixpath
from collections.abc import Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation import volume_sources as sources
from kajitori.apis.validation.amounts import check_basic_amount, check_positive_amount
from kajitori.apis.validation.checks import Errors, check_enum, check_subdomain
from kajitori.apis.validation.claims import VOLUME_MODES, check_access_modes
from kajitori.apis.validation.node_selection import check_node_selector
from kajitori.apis.validation.validator import Validator
from kajitori.apis.validation.volume_sources import SourceCheck, requires

__all__ = ["VALIDATORS", "check_volume_spec"]

_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_ONE_TYPE = "may not specify more than 1 volume type"
_INLINE = "may not be specified in the context of inline volumes"


def _check_iscsi(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("targetPortal"):
        errors.append(FieldError.required(f"{path}.targetPortal"))
    sources.check_iscsi_names(source, path, errors, persistent=True)


_SOURCES: Mapping[str, tuple[str, str, SourceCheck]] = {
    # In Kubernetes' order: where a second source is complained about, where the first, and how it is checked.
    "hostPath": ("hostPath", "hostPath", sources.check_host_path),
    "gcePersistentDisk": ("gcePersistentDisk", "persistentDisk", sources.check_gce_disk),
    "awsElasticBlockStore": ("awsElasticBlockStore", "awsElasticBlockStore", sources.check_aws_disk),
    "glusterfs": ("glusterfs", "glusterfs", sources.check_glusterfs_persistent),
    "flocker": ("flocker", "flocker", sources.check_flocker),
    "nfs": ("nfs", "nfs", sources.check_nfs),
    "rbd": ("rbd", "rbd", requires("monitors", "image")),
    "quobyte": ("quobyte", "quobyte", sources.check_quobyte),
    "cephfs": ("cephFS", "cephfs", requires("monitors")),
    "iscsi": ("iscsi", "iscsi", _check_iscsi),
    "cinder": ("cinder", "cinder", sources.check_cinder_persistent),
    "fc": ("fc", "fc", sources.check_fibre_channel),
    "flexVolume": ("", "flexVolume", sources.check_flex_volume),
    "azureFile": ("azureFile", "azureFile", sources.check_azure_file_persistent),
    "vsphereVolume": ("vsphereVolume", "vsphereVolume", requires("volumePath")),
    "photonPersistentDisk": ("photonPersistentDisk", "photonPersistentDisk", requires("pdID")),
    "portworxVolume": ("portworxVolume", "portworxVolume", requires("volumeID")),
    "azureDisk": ("azureDisk", "azureDisk", sources.check_azure_disk),
    "scaleIO": ("scaleIO", "scaleIO", sources.check_scale_io),
    "local": ("local", "local", sources.check_local),
    "storageos": ("storageos", "storageos", sources.check_storage_os_persistent),
    "csi": ("csi", "csi", sources.check_csi_persistent),
}


def check_volume_spec(
    spec: JsonObject, name: str, path: str, errors: Errors, *, inline: bool = False
) -> None:
    """A volume's spec; `inline` for one that is part of another object and never a volume of its own."""
    if inline:
        _check_inline(spec, path, errors)
    modes: Sequence[str] = spec.get("accessModes") or ()
    if not modes:
        errors.append(FieldError.required(f"{path}.accessModes"))
    check_access_modes(modes, f"{path}.accessModes", errors)
    if not inline:
        _check_capacity(spec, path, errors)
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    here = f"{path}.persistentVolumeReclaimPolicy"
    if policy and inline:
        if policy != "Retain":
            told = "may only be Retain in the context of inline volumes"
            errors.append(FieldError.forbidden(here, told))
    elif policy:
        check_enum(policy, _RECLAIM_POLICIES, here, errors)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        _check_affinity(affinity, f"{path}.nodeAffinity", errors, inline)
    _check_sources(spec, name, path, errors, has_affinity=affinity is not None and not inline)
    host_path = (spec.get("hostPath") or {}).get("path")
    if host_path is not None and policy == "Recycle" and posixpath.normpath(host_path or ".") == "/":
        errors.append(FieldError.forbidden(here, "may not be 'recycle' for a hostPath mount of '/'"))
    _check_class(spec, path, errors, inline)


def _check_inline(spec: JsonObject, path: str, errors: Errors) -> None:
    for member in ("claimRef", "capacity"):
        if spec.get(member):
            errors.append(FieldError.forbidden(f"{path}.{member}", _INLINE))
    if "csi" not in spec:
        told = "has to be specified in the context of inline volumes"
        errors.append(FieldError.required(f"{path}.csi", told))


def _check_capacity(spec: JsonObject, path: str, errors: Errors) -> None:
    capacity: dict[str, str] = spec.get("capacity") or {}
    here = f"{path}.capacity"
    if not capacity:
        errors.append(FieldError.required(here))
    if set(capacity) != {"storage"}:
        errors.append(FieldError.not_supported(here, capacity or None, ("storage",)))
    for name, amount in capacity.items():
        check_basic_amount(amount, f"{here}[{name}]", errors)
        check_positive_amount(amount, f"{here}[{name}]", errors)


def _check_affinity(affinity: JsonObject, path: str, errors: Errors, inline: bool) -> None:
    if inline:
        errors.append(FieldError.forbidden(path, _INLINE))
    elif "required" in affinity:
        check_node_selector(affinity["required"] or {}, f"{path}.required", errors)
    else:
        told = "must specify required node constraints"
        errors.append(FieldError.required(f"{path}.required", told))


def _check_sources(spec: JsonObject, name: str, path: str, errors: Errors, *, has_affinity: bool) -> None:
    found = False
    for member, (second, first, check) in _SOURCES.items():
        if member not in spec:
            continue
        if found and second:
            errors.append(FieldError.forbidden(f"{path}.{second}", _ONE_TYPE))
            continue
        found = True
        source: JsonObject = spec[member] or {}
        here = f"{path}.{first}"
        check(source, here, errors)
        if member == "iscsi" and sources.is_iscsi_too_long(source, name):
            portal = source.get("targetPortal", "")
            errors.append(sources.iscsi_too_long(f"{here}.targetportal", portal))
        if member == "local" and not has_affinity:
            told = "Local volume requires node affinity"
            errors.append(FieldError.required(f"{path}.nodeAffinity", told))
    if not found:
        errors.append(FieldError.required(path, "must specify a volume type"))


def _check_class(spec: JsonObject, path: str, errors: Errors, inline: bool) -> None:
    if spec.get("storageClassName"):
        if inline:
            errors.append(FieldError.forbidden(f"{path}.storageClassName", _INLINE))
        else:
            check_subdomain(spec["storageClassName"], f"{path}.storageClassName", errors)
    mode = spec.get("volumeMode")
    if mode is not None and not inline:
        check_enum(mode, VOLUME_MODES, f"{path}.volumeMode", errors)
    elif mode is not None and mode != "Filesystem":
        told = "may not specify volumeMode other than Filesystem in the context of inline volumes"
        errors.append(FieldError.forbidden(f"{path}.volumeMode", told))
    attributes = spec.get("volumeAttributesClassName")
    if attributes is None or inline:
        return
    here = f"{path}.volumeAttributesClassName"
    if not attributes:
        errors.append(FieldError.required(here, "an empty string is disallowed"))
    else:
        check_subdomain(attributes, here, errors)
    if "csi" not in spec:
        told = "has to be specified when using volumeAttributesClassName"
        errors.append(FieldError.required(f"{path}.csi", told))


def _create(volume: JsonObject, errors: Errors) -> None:
    check_volume_spec(volume["spec"], volume["metadata"].get("name", ""), "spec", errors)


def _update(volume: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        # Kubernetes checks it as a new one, and again as a changed one.
        _create(volume, errors)
        _create(volume, errors)


VALIDATORS = {"persistentvolumes": Validator(_create, _update)}
