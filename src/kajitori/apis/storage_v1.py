"""Typed models of storage.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Quantity, Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import PersistentVolumeSpec, TopologySelectorTerm
from kajitori.apis.meta_v1 import LabelSelector

__all__ = [
    "CSIDriver",
    "CSIDriverSpec",
    "CSINode",
    "CSINodeDriver",
    "CSINodeSpec",
    "CSIStorageCapacity",
    "StorageClass",
    "TokenRequest",
    "VolumeAttachment",
    "VolumeAttachmentSource",
    "VolumeAttachmentSpec",
    "VolumeAttachmentStatus",
    "VolumeAttributesClass",
    "VolumeError",
    "VolumeNodeResources",
]


class TokenRequest(BuiltIn, frozen=True, kw_only=True):
    """`TokenRequest` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.TokenRequest"
    audience: str = ""
    expiration_seconds: int | None = None


class CSIDriverSpec(BuiltIn, frozen=True, kw_only=True):
    """`CSIDriverSpec` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSIDriverSpec"
    attach_required: bool | None = None
    pod_info_on_mount: bool | None = None
    volume_lifecycle_modes: tuple[str, ...] = ()
    storage_capacity: bool | None = None
    fs_group_policy: str | None = None
    token_requests: tuple[TokenRequest, ...] = ()
    requires_republish: bool | None = None
    se_linux_mount: bool | None = None
    node_allocatable_update_period_seconds: int | None = None
    service_account_token_in_secrets: bool | None = None
    prevent_pod_scheduling_if_missing: bool | None = None


class CSIDriver(BuiltIn, frozen=True, kw_only=True):
    """`csidrivers` of storage.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("storage.k8s.io", "v1", "CSIDriver", "csidrivers", False)
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSIDriver"
    metadata: ObjectMeta = ObjectMeta()
    spec: CSIDriverSpec = CSIDriverSpec()


class VolumeNodeResources(BuiltIn, frozen=True, kw_only=True):
    """`VolumeNodeResources` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeNodeResources"
    count: int | None = None


class CSINodeDriver(BuiltIn, frozen=True, kw_only=True):
    """`CSINodeDriver` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSINodeDriver"
    name: str = ""
    node_id: str = msgspec.field(default="", name="nodeID")
    topology_keys: tuple[str, ...] = ()
    allocatable: VolumeNodeResources | None = None


class CSINodeSpec(BuiltIn, frozen=True, kw_only=True):
    """`CSINodeSpec` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSINodeSpec"
    drivers: tuple[CSINodeDriver, ...] = ()


class CSINode(BuiltIn, frozen=True, kw_only=True):
    """`csinodes` of storage.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("storage.k8s.io", "v1", "CSINode", "csinodes", False)
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSINode"
    metadata: ObjectMeta = ObjectMeta()
    spec: CSINodeSpec = CSINodeSpec()


class CSIStorageCapacity(BuiltIn, frozen=True, kw_only=True):
    """`csistoragecapacities` of storage.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind(
        "storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", True
    )
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.CSIStorageCapacity"
    metadata: ObjectMeta = ObjectMeta()
    node_topology: LabelSelector | None = None
    storage_class_name: str = ""
    capacity: Quantity | None = None
    maximum_volume_size: Quantity | None = None


class StorageClass(BuiltIn, frozen=True, kw_only=True):
    """`storageclasses` of storage.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", False)
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.StorageClass"
    metadata: ObjectMeta = ObjectMeta()
    provisioner: str = ""
    parameters: Mapping[str, str] = EMPTY
    reclaim_policy: str | None = None
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool | None = None
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologySelectorTerm, ...] = ()


class VolumeAttachmentSource(BuiltIn, frozen=True, kw_only=True):
    """`VolumeAttachmentSource` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeAttachmentSource"
    persistent_volume_name: str | None = None
    inline_volume_spec: PersistentVolumeSpec | None = None


class VolumeAttachmentSpec(BuiltIn, frozen=True, kw_only=True):
    """`VolumeAttachmentSpec` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeAttachmentSpec"
    attacher: str = ""
    source: VolumeAttachmentSource = VolumeAttachmentSource()
    node_name: str = ""


class VolumeError(BuiltIn, frozen=True, kw_only=True):
    """`VolumeError` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeError"
    time: Time | None = None
    message: str = ""
    error_code: int | None = None


class VolumeAttachmentStatus(BuiltIn, frozen=True, kw_only=True):
    """`VolumeAttachmentStatus` of storage.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeAttachmentStatus"
    attached: bool = False
    attachment_metadata: Mapping[str, str] = EMPTY
    attach_error: VolumeError | None = None
    detach_error: VolumeError | None = None


class VolumeAttachment(BuiltIn, frozen=True, kw_only=True):
    """`volumeattachments` of storage.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", False)
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeAttachment"
    metadata: ObjectMeta = ObjectMeta()
    spec: VolumeAttachmentSpec = VolumeAttachmentSpec()
    status: VolumeAttachmentStatus = VolumeAttachmentStatus()


class VolumeAttributesClass(BuiltIn, frozen=True, kw_only=True):
    """`volumeattributesclasses` of storage.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.storage.v1.VolumeAttributesClass"
    metadata: ObjectMeta = ObjectMeta()
    driver_name: str = ""
    parameters: Mapping[str, str] = EMPTY
