"""Typed models of v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import IntOrString, MicroTime, Quantity, Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import Condition, LabelSelector

__all__ = [
    "AWSElasticBlockStoreVolumeSource",
    "Affinity",
    "AppArmorProfile",
    "AttachedVolume",
    "AzureDiskVolumeSource",
    "AzureFilePersistentVolumeSource",
    "AzureFileVolumeSource",
    "Binding",
    "CSIPersistentVolumeSource",
    "CSIVolumeSource",
    "Capabilities",
    "CephFSPersistentVolumeSource",
    "CephFSVolumeSource",
    "CinderPersistentVolumeSource",
    "CinderVolumeSource",
    "ClientIPConfig",
    "ClusterTrustBundleProjection",
    "ComponentCondition",
    "ComponentStatus",
    "ConfigMap",
    "ConfigMapEnvSource",
    "ConfigMapKeySelector",
    "ConfigMapNodeConfigSource",
    "ConfigMapProjection",
    "ConfigMapVolumeSource",
    "Container",
    "ContainerExtendedResourceRequest",
    "ContainerImage",
    "ContainerPort",
    "ContainerResizePolicy",
    "ContainerRestartRule",
    "ContainerRestartRuleOnExitCodes",
    "ContainerState",
    "ContainerStateRunning",
    "ContainerStateTerminated",
    "ContainerStateWaiting",
    "ContainerStatus",
    "ContainerUser",
    "DaemonEndpoint",
    "DownwardAPIProjection",
    "DownwardAPIVolumeFile",
    "DownwardAPIVolumeSource",
    "EmptyDirVolumeSource",
    "EndpointAddress",
    "EndpointPort",
    "EndpointSubset",
    "Endpoints",
    "EnvFromSource",
    "EnvVar",
    "EnvVarSource",
    "EphemeralContainer",
    "EphemeralVolumeSource",
    "Event",
    "EventSeries",
    "EventSource",
    "ExecAction",
    "FCVolumeSource",
    "FileKeySelector",
    "FlexPersistentVolumeSource",
    "FlexVolumeSource",
    "FlockerVolumeSource",
    "GCEPersistentDiskVolumeSource",
    "GRPCAction",
    "GitRepoVolumeSource",
    "GlusterfsPersistentVolumeSource",
    "GlusterfsVolumeSource",
    "HTTPGetAction",
    "HTTPHeader",
    "HostAlias",
    "HostIP",
    "HostPathVolumeSource",
    "ISCSIPersistentVolumeSource",
    "ISCSIVolumeSource",
    "ImageVolumeSource",
    "ImageVolumeStatus",
    "KeyToPath",
    "Lifecycle",
    "LifecycleHandler",
    "LimitRange",
    "LimitRangeItem",
    "LimitRangeSpec",
    "LinuxContainerUser",
    "LoadBalancerIngress",
    "LoadBalancerStatus",
    "LocalObjectReference",
    "LocalVolumeSource",
    "ModifyVolumeStatus",
    "NFSVolumeSource",
    "Namespace",
    "NamespaceCondition",
    "NamespaceSpec",
    "NamespaceStatus",
    "Node",
    "NodeAddress",
    "NodeAffinity",
    "NodeAllocatableResourceClaimStatus",
    "NodeCondition",
    "NodeConfigSource",
    "NodeConfigStatus",
    "NodeDaemonEndpoints",
    "NodeFeatures",
    "NodeRuntimeHandler",
    "NodeRuntimeHandlerFeatures",
    "NodeSelector",
    "NodeSelectorRequirement",
    "NodeSelectorTerm",
    "NodeSpec",
    "NodeStatus",
    "NodeSwapStatus",
    "NodeSystemInfo",
    "ObjectFieldSelector",
    "ObjectReference",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PersistentVolumeClaimCondition",
    "PersistentVolumeClaimSpec",
    "PersistentVolumeClaimStatus",
    "PersistentVolumeClaimTemplate",
    "PersistentVolumeClaimVolumeSource",
    "PersistentVolumeSpec",
    "PersistentVolumeStatus",
    "PhotonPersistentDiskVolumeSource",
    "Pod",
    "PodAffinity",
    "PodAffinityTerm",
    "PodAntiAffinity",
    "PodCertificateProjection",
    "PodCondition",
    "PodDNSConfig",
    "PodDNSConfigOption",
    "PodExtendedResourceClaimStatus",
    "PodIP",
    "PodOS",
    "PodReadinessGate",
    "PodResourceClaim",
    "PodResourceClaimStatus",
    "PodSchedulingGate",
    "PodSchedulingGroup",
    "PodSecurityContext",
    "PodSpec",
    "PodStatus",
    "PodTemplate",
    "PodTemplateSpec",
    "PortStatus",
    "PortworxVolumeSource",
    "PreferredSchedulingTerm",
    "Probe",
    "ProjectedVolumeSource",
    "QuobyteVolumeSource",
    "RBDPersistentVolumeSource",
    "RBDVolumeSource",
    "ReplicationController",
    "ReplicationControllerCondition",
    "ReplicationControllerSpec",
    "ReplicationControllerStatus",
    "ResourceClaim",
    "ResourceFieldSelector",
    "ResourceHealth",
    "ResourceQuota",
    "ResourceQuotaSpec",
    "ResourceQuotaStatus",
    "ResourceRequirements",
    "ResourceStatus",
    "SELinuxOptions",
    "ScaleIOPersistentVolumeSource",
    "ScaleIOVolumeSource",
    "ScopeSelector",
    "ScopedResourceSelectorRequirement",
    "SeccompProfile",
    "Secret",
    "SecretEnvSource",
    "SecretKeySelector",
    "SecretProjection",
    "SecretReference",
    "SecretVolumeSource",
    "SecurityContext",
    "Service",
    "ServiceAccount",
    "ServiceAccountTokenProjection",
    "ServicePort",
    "ServiceSpec",
    "ServiceStatus",
    "SessionAffinityConfig",
    "SleepAction",
    "StorageOSPersistentVolumeSource",
    "StorageOSVolumeSource",
    "Sysctl",
    "TCPSocketAction",
    "Taint",
    "Toleration",
    "TopologySelectorLabelRequirement",
    "TopologySelectorTerm",
    "TopologySpreadConstraint",
    "TypedLocalObjectReference",
    "TypedObjectReference",
    "Volume",
    "VolumeDevice",
    "VolumeMount",
    "VolumeMountStatus",
    "VolumeNodeAffinity",
    "VolumeProjection",
    "VolumeResourceRequirements",
    "VolumeStatus",
    "VsphereVirtualDiskVolumeSource",
    "WeightedPodAffinityTerm",
    "WindowsSecurityContextOptions",
]


class AWSElasticBlockStoreVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`AWSElasticBlockStoreVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource"
    volume_id: str = msgspec.field(default="", name="volumeID")
    fs_type: str = ""
    partition: int = 0
    read_only: bool = False


class NodeSelectorRequirement(BuiltIn, frozen=True, kw_only=True):
    """`NodeSelectorRequirement` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSelectorRequirement"
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class NodeSelectorTerm(BuiltIn, frozen=True, kw_only=True):
    """`NodeSelectorTerm` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSelectorTerm"
    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()


class NodeSelector(BuiltIn, frozen=True, kw_only=True):
    """`NodeSelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSelector"
    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


class PreferredSchedulingTerm(BuiltIn, frozen=True, kw_only=True):
    """`PreferredSchedulingTerm` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PreferredSchedulingTerm"
    weight: int = 0
    preference: NodeSelectorTerm = NodeSelectorTerm()


class NodeAffinity(BuiltIn, frozen=True, kw_only=True):
    """`NodeAffinity` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeAffinity"
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] = ()


class PodAffinityTerm(BuiltIn, frozen=True, kw_only=True):
    """`PodAffinityTerm` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodAffinityTerm"
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    topology_key: str = ""
    namespace_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()


class WeightedPodAffinityTerm(BuiltIn, frozen=True, kw_only=True):
    """`WeightedPodAffinityTerm` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.WeightedPodAffinityTerm"
    weight: int = 0
    pod_affinity_term: PodAffinityTerm = PodAffinityTerm()


class PodAffinity(BuiltIn, frozen=True, kw_only=True):
    """`PodAffinity` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodAffinity"
    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()


class PodAntiAffinity(BuiltIn, frozen=True, kw_only=True):
    """`PodAntiAffinity` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodAntiAffinity"
    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()


class Affinity(BuiltIn, frozen=True, kw_only=True):
    """`Affinity` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Affinity"
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class AppArmorProfile(BuiltIn, frozen=True, kw_only=True):
    """`AppArmorProfile` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AppArmorProfile"
    type: str = ""
    localhost_profile: str | None = None


class AttachedVolume(BuiltIn, frozen=True, kw_only=True):
    """`AttachedVolume` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AttachedVolume"
    name: str = ""
    device_path: str = ""


class AzureDiskVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`AzureDiskVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AzureDiskVolumeSource"
    disk_name: str = ""
    disk_uri: str = msgspec.field(default="", name="diskURI")
    caching_mode: str | None = None
    fs_type: str | None = None
    read_only: bool | None = None
    kind: str | None = None


class AzureFilePersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`AzureFilePersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AzureFilePersistentVolumeSource"
    secret_name: str = ""
    share_name: str = ""
    read_only: bool = False
    secret_namespace: str | None = None


class AzureFileVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`AzureFileVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.AzureFileVolumeSource"
    secret_name: str = ""
    share_name: str = ""
    read_only: bool = False


class ObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`ObjectReference` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ObjectReference"
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""


class Binding(BuiltIn, frozen=True, kw_only=True):
    """`bindings` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Binding", "bindings", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Binding"
    metadata: ObjectMeta = ObjectMeta()
    target: ObjectReference = ObjectReference()


class SecretReference(BuiltIn, frozen=True, kw_only=True):
    """`SecretReference` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecretReference"
    name: str = ""
    namespace: str = ""


class CSIPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CSIPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CSIPersistentVolumeSource"
    driver: str = ""
    volume_handle: str = ""
    read_only: bool = False
    fs_type: str = ""
    volume_attributes: Mapping[str, str] = EMPTY
    controller_publish_secret_ref: SecretReference | None = None
    node_stage_secret_ref: SecretReference | None = None
    node_publish_secret_ref: SecretReference | None = None
    controller_expand_secret_ref: SecretReference | None = None
    node_expand_secret_ref: SecretReference | None = None


class LocalObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`LocalObjectReference` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LocalObjectReference"
    name: str = ""


class CSIVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CSIVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CSIVolumeSource"
    driver: str = ""
    read_only: bool | None = None
    fs_type: str | None = None
    volume_attributes: Mapping[str, str] = EMPTY
    node_publish_secret_ref: LocalObjectReference | None = None


class Capabilities(BuiltIn, frozen=True, kw_only=True):
    """`Capabilities` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Capabilities"
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class CephFSPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CephFSPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CephFSPersistentVolumeSource"
    monitors: tuple[str, ...] = ()
    path: str = ""
    user: str = ""
    secret_file: str = ""
    secret_ref: SecretReference | None = None
    read_only: bool = False


class CephFSVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CephFSVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CephFSVolumeSource"
    monitors: tuple[str, ...] = ()
    path: str = ""
    user: str = ""
    secret_file: str = ""
    secret_ref: LocalObjectReference | None = None
    read_only: bool = False


class CinderPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CinderPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CinderPersistentVolumeSource"
    volume_id: str = msgspec.field(default="", name="volumeID")
    fs_type: str = ""
    read_only: bool = False
    secret_ref: SecretReference | None = None


class CinderVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`CinderVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.CinderVolumeSource"
    volume_id: str = msgspec.field(default="", name="volumeID")
    fs_type: str = ""
    read_only: bool = False
    secret_ref: LocalObjectReference | None = None


class ClientIPConfig(BuiltIn, frozen=True, kw_only=True):
    """`ClientIPConfig` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ClientIPConfig"
    timeout_seconds: int | None = None


class ClusterTrustBundleProjection(BuiltIn, frozen=True, kw_only=True):
    """`ClusterTrustBundleProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ClusterTrustBundleProjection"
    name: str | None = None
    signer_name: str | None = None
    label_selector: LabelSelector | None = None
    optional: bool | None = None
    path: str = ""


class ComponentCondition(BuiltIn, frozen=True, kw_only=True):
    """`ComponentCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ComponentCondition"
    type: str = ""
    status: str = ""
    message: str = ""
    error: str = ""


class ComponentStatus(BuiltIn, frozen=True, kw_only=True):
    """`componentstatuses` of v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "ComponentStatus", "componentstatuses", False)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ComponentStatus"
    metadata: ObjectMeta = ObjectMeta()
    conditions: tuple[ComponentCondition, ...] = ()


class ConfigMap(BuiltIn, frozen=True, kw_only=True):
    """`configmaps` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "ConfigMap", "configmaps", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMap"
    metadata: ObjectMeta = ObjectMeta()
    immutable: bool | None = None
    data: Mapping[str, str] = EMPTY
    binary_data: Mapping[str, bytes] = EMPTY


class ConfigMapEnvSource(BuiltIn, frozen=True, kw_only=True):
    """`ConfigMapEnvSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMapEnvSource"
    name: str = ""
    optional: bool | None = None


class ConfigMapKeySelector(BuiltIn, frozen=True, kw_only=True):
    """`ConfigMapKeySelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMapKeySelector"
    name: str = ""
    key: str = ""
    optional: bool | None = None


class ConfigMapNodeConfigSource(BuiltIn, frozen=True, kw_only=True):
    """`ConfigMapNodeConfigSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMapNodeConfigSource"
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    kubelet_config_key: str = ""


class KeyToPath(BuiltIn, frozen=True, kw_only=True):
    """`KeyToPath` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.KeyToPath"
    key: str = ""
    path: str = ""
    mode: int | None = None


class ConfigMapProjection(BuiltIn, frozen=True, kw_only=True):
    """`ConfigMapProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMapProjection"
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class ConfigMapVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ConfigMapVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ConfigMapVolumeSource"
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class ContainerPort(BuiltIn, frozen=True, kw_only=True):
    """`ContainerPort` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerPort"
    name: str = ""
    host_port: int = 0
    container_port: int = 0
    protocol: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")


class SecretEnvSource(BuiltIn, frozen=True, kw_only=True):
    """`SecretEnvSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecretEnvSource"
    name: str = ""
    optional: bool | None = None


class EnvFromSource(BuiltIn, frozen=True, kw_only=True):
    """`EnvFromSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EnvFromSource"
    prefix: str = ""
    config_map_ref: ConfigMapEnvSource | None = None
    secret_ref: SecretEnvSource | None = None


class ObjectFieldSelector(BuiltIn, frozen=True, kw_only=True):
    """`ObjectFieldSelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ObjectFieldSelector"
    api_version: str = ""
    field_path: str = ""


class ResourceFieldSelector(BuiltIn, frozen=True, kw_only=True):
    """`ResourceFieldSelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceFieldSelector"
    container_name: str = ""
    resource: str = ""
    divisor: Quantity = "0"


class SecretKeySelector(BuiltIn, frozen=True, kw_only=True):
    """`SecretKeySelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecretKeySelector"
    name: str = ""
    key: str = ""
    optional: bool | None = None


class FileKeySelector(BuiltIn, frozen=True, kw_only=True):
    """`FileKeySelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.FileKeySelector"
    volume_name: str = ""
    path: str = ""
    key: str = ""
    optional: bool | None = None


class EnvVarSource(BuiltIn, frozen=True, kw_only=True):
    """`EnvVarSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EnvVarSource"
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    config_map_key_ref: ConfigMapKeySelector | None = None
    secret_key_ref: SecretKeySelector | None = None
    file_key_ref: FileKeySelector | None = None


class EnvVar(BuiltIn, frozen=True, kw_only=True):
    """`EnvVar` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EnvVar"
    name: str = ""
    value: str = ""
    value_from: EnvVarSource | None = None


class ResourceClaim(BuiltIn, frozen=True, kw_only=True):
    """`ResourceClaim` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceClaim"
    name: str = ""
    request: str = ""


class ResourceRequirements(BuiltIn, frozen=True, kw_only=True):
    """`ResourceRequirements` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceRequirements"
    limits: Mapping[str, Quantity] = EMPTY
    requests: Mapping[str, Quantity] = EMPTY
    claims: tuple[ResourceClaim, ...] = ()


class ContainerResizePolicy(BuiltIn, frozen=True, kw_only=True):
    """`ContainerResizePolicy` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerResizePolicy"
    resource_name: str = ""
    restart_policy: str = ""


class ContainerRestartRuleOnExitCodes(BuiltIn, frozen=True, kw_only=True):
    """`ContainerRestartRuleOnExitCodes` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes"
    operator: str = ""
    values: tuple[int, ...] = ()


class ContainerRestartRule(BuiltIn, frozen=True, kw_only=True):
    """`ContainerRestartRule` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerRestartRule"
    action: str = ""
    exit_codes: ContainerRestartRuleOnExitCodes | None = None


class VolumeMount(BuiltIn, frozen=True, kw_only=True):
    """`VolumeMount` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeMount"
    name: str = ""
    read_only: bool = False
    recursive_read_only: str | None = None
    mount_path: str = ""
    sub_path: str = ""
    mount_propagation: str | None = None
    sub_path_expr: str = ""


class VolumeDevice(BuiltIn, frozen=True, kw_only=True):
    """`VolumeDevice` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeDevice"
    name: str = ""
    device_path: str = ""


class ExecAction(BuiltIn, frozen=True, kw_only=True):
    """`ExecAction` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ExecAction"
    command: tuple[str, ...] = ()


class HTTPHeader(BuiltIn, frozen=True, kw_only=True):
    """`HTTPHeader` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.HTTPHeader"
    name: str = ""
    value: str = ""


class HTTPGetAction(BuiltIn, frozen=True, kw_only=True):
    """`HTTPGetAction` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.HTTPGetAction"
    path: str = ""
    port: IntOrString = 0
    host: str = ""
    scheme: str = ""
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPSocketAction(BuiltIn, frozen=True, kw_only=True):
    """`TCPSocketAction` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TCPSocketAction"
    port: IntOrString = 0
    host: str = ""


class GRPCAction(BuiltIn, frozen=True, kw_only=True):
    """`GRPCAction` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.GRPCAction"
    port: int = 0
    service: str | None = None


class Probe(BuiltIn, frozen=True, kw_only=True):
    """`Probe` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Probe"
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    termination_grace_period_seconds: int | None = None


class SleepAction(BuiltIn, frozen=True, kw_only=True):
    """`SleepAction` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SleepAction"
    seconds: int = 0


class LifecycleHandler(BuiltIn, frozen=True, kw_only=True):
    """`LifecycleHandler` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LifecycleHandler"
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(BuiltIn, frozen=True, kw_only=True):
    """`Lifecycle` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Lifecycle"
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None


class SELinuxOptions(BuiltIn, frozen=True, kw_only=True):
    """`SELinuxOptions` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SELinuxOptions"
    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


class WindowsSecurityContextOptions(BuiltIn, frozen=True, kw_only=True):
    """`WindowsSecurityContextOptions` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.WindowsSecurityContextOptions"
    gmsa_credential_spec_name: str | None = None
    gmsa_credential_spec: str | None = None
    run_as_user_name: str | None = None
    host_process: bool | None = None


class SeccompProfile(BuiltIn, frozen=True, kw_only=True):
    """`SeccompProfile` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SeccompProfile"
    type: str = ""
    localhost_profile: str | None = None


class SecurityContext(BuiltIn, frozen=True, kw_only=True):
    """`SecurityContext` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecurityContext"
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    se_linux_options: SELinuxOptions | None = None
    windows_options: WindowsSecurityContextOptions | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    proc_mount: str | None = None
    seccomp_profile: SeccompProfile | None = None
    app_armor_profile: AppArmorProfile | None = None


class Container(BuiltIn, frozen=True, kw_only=True):
    """`Container` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Container"
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    env: tuple[EnvVar, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    resize_policy: tuple[ContainerResizePolicy, ...] = ()
    restart_policy: str | None = None
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


class ContainerExtendedResourceRequest(BuiltIn, frozen=True, kw_only=True):
    """`ContainerExtendedResourceRequest` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerExtendedResourceRequest"
    container_name: str = ""
    resource_name: str = ""
    request_name: str = ""


class ContainerImage(BuiltIn, frozen=True, kw_only=True):
    """`ContainerImage` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerImage"
    names: tuple[str, ...] = ()
    size_bytes: int = 0


class ContainerStateWaiting(BuiltIn, frozen=True, kw_only=True):
    """`ContainerStateWaiting` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerStateWaiting"
    reason: str = ""
    message: str = ""


class ContainerStateRunning(BuiltIn, frozen=True, kw_only=True):
    """`ContainerStateRunning` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerStateRunning"
    started_at: Time | None = None


class ContainerStateTerminated(BuiltIn, frozen=True, kw_only=True):
    """`ContainerStateTerminated` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerStateTerminated"
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None
    container_id: str = msgspec.field(default="", name="containerID")


class ContainerState(BuiltIn, frozen=True, kw_only=True):
    """`ContainerState` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerState"
    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


class ImageVolumeStatus(BuiltIn, frozen=True, kw_only=True):
    """`ImageVolumeStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ImageVolumeStatus"
    image_ref: str = ""


class VolumeStatus(BuiltIn, frozen=True, kw_only=True):
    """`VolumeStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeStatus"
    image: ImageVolumeStatus | None = None


class VolumeMountStatus(BuiltIn, frozen=True, kw_only=True):
    """`VolumeMountStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeMountStatus"
    name: str = ""
    mount_path: str = ""
    read_only: bool = False
    recursive_read_only: str | None = None
    volume_status: VolumeStatus | None = None


class LinuxContainerUser(BuiltIn, frozen=True, kw_only=True):
    """`LinuxContainerUser` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LinuxContainerUser"
    uid: int = 0
    gid: int = 0
    supplemental_groups: tuple[int, ...] = ()


class ContainerUser(BuiltIn, frozen=True, kw_only=True):
    """`ContainerUser` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerUser"
    linux: LinuxContainerUser | None = None


class ResourceHealth(BuiltIn, frozen=True, kw_only=True):
    """`ResourceHealth` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceHealth"
    resource_id: str = msgspec.field(default="", name="resourceID")
    health: str = ""
    message: str | None = None


class ResourceStatus(BuiltIn, frozen=True, kw_only=True):
    """`ResourceStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceStatus"
    name: str = ""
    resources: tuple[ResourceHealth, ...] = ()


class ContainerStatus(BuiltIn, frozen=True, kw_only=True):
    """`ContainerStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ContainerStatus"
    name: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    container_id: str = msgspec.field(default="", name="containerID")
    started: bool | None = None
    allocated_resources: Mapping[str, Quantity] = EMPTY
    resources: ResourceRequirements | None = None
    volume_mounts: tuple[VolumeMountStatus, ...] = ()
    user: ContainerUser | None = None
    allocated_resources_status: tuple[ResourceStatus, ...] = ()
    stop_signal: str | None = None


class DaemonEndpoint(BuiltIn, frozen=True, kw_only=True):
    """`DaemonEndpoint` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.DaemonEndpoint"
    port: int = msgspec.field(default=0, name="Port")


class DownwardAPIVolumeFile(BuiltIn, frozen=True, kw_only=True):
    """`DownwardAPIVolumeFile` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.DownwardAPIVolumeFile"
    path: str = ""
    field_ref: ObjectFieldSelector | None = None
    resource_field_ref: ResourceFieldSelector | None = None
    mode: int | None = None


class DownwardAPIProjection(BuiltIn, frozen=True, kw_only=True):
    """`DownwardAPIProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.DownwardAPIProjection"
    items: tuple[DownwardAPIVolumeFile, ...] = ()


class DownwardAPIVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`DownwardAPIVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.DownwardAPIVolumeSource"
    items: tuple[DownwardAPIVolumeFile, ...] = ()
    default_mode: int | None = None


class EmptyDirVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`EmptyDirVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EmptyDirVolumeSource"
    medium: str = ""
    size_limit: Quantity | None = None


class EndpointAddress(BuiltIn, frozen=True, kw_only=True):
    """`EndpointAddress` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EndpointAddress"
    ip: str = ""
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(BuiltIn, frozen=True, kw_only=True):
    """`EndpointPort` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EndpointPort"
    name: str = ""
    port: int = 0
    protocol: str = ""
    app_protocol: str | None = None


class EndpointSubset(BuiltIn, frozen=True, kw_only=True):
    """`EndpointSubset` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EndpointSubset"
    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(BuiltIn, frozen=True, kw_only=True):
    """`endpoints` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Endpoints", "endpoints", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Endpoints"
    metadata: ObjectMeta = ObjectMeta()
    subsets: tuple[EndpointSubset, ...] = ()


class EphemeralContainer(BuiltIn, frozen=True, kw_only=True):
    """`EphemeralContainer` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EphemeralContainer"
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    env: tuple[EnvVar, ...] = ()
    resources: ResourceRequirements = ResourceRequirements()
    resize_policy: tuple[ContainerResizePolicy, ...] = ()
    restart_policy: str | None = None
    restart_policy_rules: tuple[ContainerRestartRule, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    target_container_name: str = ""


class VolumeResourceRequirements(BuiltIn, frozen=True, kw_only=True):
    """`VolumeResourceRequirements` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeResourceRequirements"
    limits: Mapping[str, Quantity] = EMPTY
    requests: Mapping[str, Quantity] = EMPTY


class TypedLocalObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`TypedLocalObjectReference` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TypedLocalObjectReference"
    api_group: str | None = None
    kind: str = ""
    name: str = ""


class TypedObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`TypedObjectReference` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TypedObjectReference"
    api_group: str | None = None
    kind: str = ""
    name: str = ""
    namespace: str | None = None


class PersistentVolumeClaimSpec(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeClaimSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaimSpec"
    access_modes: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    resources: VolumeResourceRequirements = VolumeResourceRequirements()
    volume_name: str = ""
    storage_class_name: str | None = None
    volume_mode: str | None = None
    data_source: TypedLocalObjectReference | None = None
    data_source_ref: TypedObjectReference | None = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeClaimTemplate(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeClaimTemplate` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaimTemplate"
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()


class EphemeralVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`EphemeralVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EphemeralVolumeSource"
    volume_claim_template: PersistentVolumeClaimTemplate | None = None


class EventSource(BuiltIn, frozen=True, kw_only=True):
    """`EventSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EventSource"
    component: str = ""
    host: str = ""


class EventSeries(BuiltIn, frozen=True, kw_only=True):
    """`EventSeries` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.EventSeries"
    count: int = 0
    last_observed_time: MicroTime | None = None


class Event(BuiltIn, frozen=True, kw_only=True):
    """`events` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Event", "events", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Event"
    metadata: ObjectMeta = ObjectMeta()
    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    source: EventSource = EventSource()
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    count: int = 0
    type: str = ""
    event_time: MicroTime | None = None
    series: EventSeries | None = None
    action: str = ""
    related: ObjectReference | None = None
    reporting_component: str = ""
    reporting_instance: str = ""


class FCVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`FCVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.FCVolumeSource"
    target_wwns: tuple[str, ...] = msgspec.field(default=(), name="targetWWNs")
    lun: int | None = None
    fs_type: str = ""
    read_only: bool = False
    wwids: tuple[str, ...] = ()


class FlexPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`FlexPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.FlexPersistentVolumeSource"
    driver: str = ""
    fs_type: str = ""
    secret_ref: SecretReference | None = None
    read_only: bool = False
    options: Mapping[str, str] = EMPTY


class FlexVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`FlexVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.FlexVolumeSource"
    driver: str = ""
    fs_type: str = ""
    secret_ref: LocalObjectReference | None = None
    read_only: bool = False
    options: Mapping[str, str] = EMPTY


class FlockerVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`FlockerVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.FlockerVolumeSource"
    dataset_name: str = ""
    dataset_uuid: str = msgspec.field(default="", name="datasetUUID")


class GCEPersistentDiskVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`GCEPersistentDiskVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.GCEPersistentDiskVolumeSource"
    pd_name: str = ""
    fs_type: str = ""
    partition: int = 0
    read_only: bool = False


class GitRepoVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`GitRepoVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.GitRepoVolumeSource"
    repository: str = ""
    revision: str = ""
    directory: str = ""


class GlusterfsPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`GlusterfsPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.GlusterfsPersistentVolumeSource"
    endpoints: str = ""
    path: str = ""
    read_only: bool = False
    endpoints_namespace: str | None = None


class GlusterfsVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`GlusterfsVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.GlusterfsVolumeSource"
    endpoints: str = ""
    path: str = ""
    read_only: bool = False


class HostAlias(BuiltIn, frozen=True, kw_only=True):
    """`HostAlias` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.HostAlias"
    ip: str = ""
    hostnames: tuple[str, ...] = ()


class HostIP(BuiltIn, frozen=True, kw_only=True):
    """`HostIP` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.HostIP"
    ip: str = ""


class HostPathVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`HostPathVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.HostPathVolumeSource"
    path: str = ""
    type: str | None = None


class ISCSIPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ISCSIPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ISCSIPersistentVolumeSource"
    target_portal: str = ""
    iqn: str = ""
    lun: int = 0
    iscsi_interface: str = ""
    fs_type: str = ""
    read_only: bool = False
    portals: tuple[str, ...] = ()
    chap_auth_discovery: bool = False
    chap_auth_session: bool = False
    secret_ref: SecretReference | None = None
    initiator_name: str | None = None


class ISCSIVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ISCSIVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ISCSIVolumeSource"
    target_portal: str = ""
    iqn: str = ""
    lun: int = 0
    iscsi_interface: str = ""
    fs_type: str = ""
    read_only: bool = False
    portals: tuple[str, ...] = ()
    chap_auth_discovery: bool = False
    chap_auth_session: bool = False
    secret_ref: LocalObjectReference | None = None
    initiator_name: str | None = None


class ImageVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ImageVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ImageVolumeSource"
    reference: str = ""
    pull_policy: str = ""


class LimitRangeItem(BuiltIn, frozen=True, kw_only=True):
    """`LimitRangeItem` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LimitRangeItem"
    type: str = ""
    max: Mapping[str, Quantity] = EMPTY
    min: Mapping[str, Quantity] = EMPTY
    default: Mapping[str, Quantity] = EMPTY
    default_request: Mapping[str, Quantity] = EMPTY
    max_limit_request_ratio: Mapping[str, Quantity] = EMPTY


class LimitRangeSpec(BuiltIn, frozen=True, kw_only=True):
    """`LimitRangeSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LimitRangeSpec"
    limits: tuple[LimitRangeItem, ...] = ()


class LimitRange(BuiltIn, frozen=True, kw_only=True):
    """`limitranges` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "LimitRange", "limitranges", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LimitRange"
    metadata: ObjectMeta = ObjectMeta()
    spec: LimitRangeSpec = LimitRangeSpec()


class PortStatus(BuiltIn, frozen=True, kw_only=True):
    """`PortStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PortStatus"
    port: int = 0
    protocol: str = ""
    error: str | None = None


class LoadBalancerIngress(BuiltIn, frozen=True, kw_only=True):
    """`LoadBalancerIngress` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LoadBalancerIngress"
    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: tuple[PortStatus, ...] = ()


class LoadBalancerStatus(BuiltIn, frozen=True, kw_only=True):
    """`LoadBalancerStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LoadBalancerStatus"
    ingress: tuple[LoadBalancerIngress, ...] = ()


class LocalVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`LocalVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.LocalVolumeSource"
    path: str = ""
    fs_type: str | None = None


class ModifyVolumeStatus(BuiltIn, frozen=True, kw_only=True):
    """`ModifyVolumeStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ModifyVolumeStatus"
    target_volume_attributes_class_name: str = ""
    status: str = ""


class NFSVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`NFSVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NFSVolumeSource"
    server: str = ""
    path: str = ""
    read_only: bool = False


class NamespaceSpec(BuiltIn, frozen=True, kw_only=True):
    """`NamespaceSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NamespaceSpec"
    finalizers: tuple[str, ...] = ()


class NamespaceCondition(BuiltIn, frozen=True, kw_only=True):
    """`NamespaceCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NamespaceCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class NamespaceStatus(BuiltIn, frozen=True, kw_only=True):
    """`NamespaceStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NamespaceStatus"
    phase: str = ""
    conditions: tuple[NamespaceCondition, ...] = ()


class Namespace(BuiltIn, frozen=True, kw_only=True):
    """`namespaces` of v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Namespace", "namespaces", False)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Namespace"
    metadata: ObjectMeta = ObjectMeta()
    spec: NamespaceSpec = NamespaceSpec()
    status: NamespaceStatus = NamespaceStatus()


class Taint(BuiltIn, frozen=True, kw_only=True):
    """`Taint` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Taint"
    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Time | None = None


class NodeConfigSource(BuiltIn, frozen=True, kw_only=True):
    """`NodeConfigSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeConfigSource"
    config_map: ConfigMapNodeConfigSource | None = None


class NodeSpec(BuiltIn, frozen=True, kw_only=True):
    """`NodeSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSpec"
    pod_cidr: str = msgspec.field(default="", name="podCIDR")
    pod_cidrs: tuple[str, ...] = msgspec.field(default=(), name="podCIDRs")
    provider_id: str = msgspec.field(default="", name="providerID")
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    config_source: NodeConfigSource | None = None
    external_id: str = msgspec.field(default="", name="externalID")


class NodeCondition(BuiltIn, frozen=True, kw_only=True):
    """`NodeCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeCondition"
    type: str = ""
    status: str = ""
    last_heartbeat_time: Time | None = None
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class NodeAddress(BuiltIn, frozen=True, kw_only=True):
    """`NodeAddress` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeAddress"
    type: str = ""
    address: str = ""


class NodeDaemonEndpoints(BuiltIn, frozen=True, kw_only=True):
    """`NodeDaemonEndpoints` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeDaemonEndpoints"
    kubelet_endpoint: DaemonEndpoint = DaemonEndpoint()


class NodeSwapStatus(BuiltIn, frozen=True, kw_only=True):
    """`NodeSwapStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSwapStatus"
    capacity: int | None = None


class NodeSystemInfo(BuiltIn, frozen=True, kw_only=True):
    """`NodeSystemInfo` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeSystemInfo"
    machine_id: str = msgspec.field(default="", name="machineID")
    system_uuid: str = msgspec.field(default="", name="systemUUID")
    boot_id: str = msgspec.field(default="", name="bootID")
    kernel_version: str = ""
    os_image: str = ""
    container_runtime_version: str = ""
    kubelet_version: str = ""
    kube_proxy_version: str = ""
    operating_system: str = ""
    architecture: str = ""
    swap: NodeSwapStatus | None = None


class NodeConfigStatus(BuiltIn, frozen=True, kw_only=True):
    """`NodeConfigStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeConfigStatus"
    assigned: NodeConfigSource | None = None
    active: NodeConfigSource | None = None
    last_known_good: NodeConfigSource | None = None
    error: str = ""


class NodeRuntimeHandlerFeatures(BuiltIn, frozen=True, kw_only=True):
    """`NodeRuntimeHandlerFeatures` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeRuntimeHandlerFeatures"
    recursive_read_only_mounts: bool | None = None
    user_namespaces: bool | None = None


class NodeRuntimeHandler(BuiltIn, frozen=True, kw_only=True):
    """`NodeRuntimeHandler` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeRuntimeHandler"
    name: str = ""
    features: NodeRuntimeHandlerFeatures | None = None


class NodeFeatures(BuiltIn, frozen=True, kw_only=True):
    """`NodeFeatures` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeFeatures"
    supplemental_groups_policy: bool | None = None


class NodeStatus(BuiltIn, frozen=True, kw_only=True):
    """`NodeStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeStatus"
    capacity: Mapping[str, Quantity] = EMPTY
    allocatable: Mapping[str, Quantity] = EMPTY
    phase: str = ""
    conditions: tuple[NodeCondition, ...] = ()
    addresses: tuple[NodeAddress, ...] = ()
    daemon_endpoints: NodeDaemonEndpoints = NodeDaemonEndpoints()
    node_info: NodeSystemInfo = NodeSystemInfo()
    images: tuple[ContainerImage, ...] = ()
    volumes_in_use: tuple[str, ...] = ()
    volumes_attached: tuple[AttachedVolume, ...] = ()
    config: NodeConfigStatus | None = None
    runtime_handlers: tuple[NodeRuntimeHandler, ...] = ()
    features: NodeFeatures | None = None
    declared_features: tuple[str, ...] = ()


class Node(BuiltIn, frozen=True, kw_only=True):
    """`nodes` of v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Node", "nodes", False)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Node"
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class NodeAllocatableResourceClaimStatus(BuiltIn, frozen=True, kw_only=True):
    """`NodeAllocatableResourceClaimStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus"
    resource_claim_name: str = ""
    containers: tuple[str, ...] = ()
    resources: Mapping[str, Quantity] = EMPTY


class RBDPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`RBDPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.RBDPersistentVolumeSource"
    monitors: tuple[str, ...] = ()
    image: str = ""
    fs_type: str = ""
    pool: str = ""
    user: str = ""
    keyring: str = ""
    secret_ref: SecretReference | None = None
    read_only: bool = False


class VsphereVirtualDiskVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`VsphereVirtualDiskVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource"
    volume_path: str = ""
    fs_type: str = ""
    storage_policy_name: str = ""
    storage_policy_id: str = msgspec.field(default="", name="storagePolicyID")


class QuobyteVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`QuobyteVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.QuobyteVolumeSource"
    registry: str = ""
    volume: str = ""
    read_only: bool = False
    user: str = ""
    group: str = ""
    tenant: str = ""


class PhotonPersistentDiskVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`PhotonPersistentDiskVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource"
    pd_id: str = msgspec.field(default="", name="pdID")
    fs_type: str = ""


class PortworxVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`PortworxVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PortworxVolumeSource"
    volume_id: str = msgspec.field(default="", name="volumeID")
    fs_type: str = ""
    read_only: bool = False


class ScaleIOPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ScaleIOPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ScaleIOPersistentVolumeSource"
    gateway: str = ""
    system: str = ""
    secret_ref: SecretReference | None = None
    ssl_enabled: bool = False
    protection_domain: str = ""
    storage_pool: str = ""
    storage_mode: str = ""
    volume_name: str = ""
    fs_type: str = ""
    read_only: bool = False


class StorageOSPersistentVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`StorageOSPersistentVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.StorageOSPersistentVolumeSource"
    volume_name: str = ""
    volume_namespace: str = ""
    fs_type: str = ""
    read_only: bool = False
    secret_ref: ObjectReference | None = None


class VolumeNodeAffinity(BuiltIn, frozen=True, kw_only=True):
    """`VolumeNodeAffinity` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeNodeAffinity"
    required: NodeSelector | None = None


class PersistentVolumeSpec(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeSpec"
    capacity: Mapping[str, Quantity] = EMPTY
    gce_persistent_disk: GCEPersistentDiskVolumeSource | None = None
    aws_elastic_block_store: AWSElasticBlockStoreVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    glusterfs: GlusterfsPersistentVolumeSource | None = None
    nfs: NFSVolumeSource | None = None
    rbd: RBDPersistentVolumeSource | None = None
    iscsi: ISCSIPersistentVolumeSource | None = None
    cinder: CinderPersistentVolumeSource | None = None
    cephfs: CephFSPersistentVolumeSource | None = None
    fc: FCVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    flex_volume: FlexPersistentVolumeSource | None = None
    azure_file: AzureFilePersistentVolumeSource | None = None
    vsphere_volume: VsphereVirtualDiskVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    azure_disk: AzureDiskVolumeSource | None = None
    photon_persistent_disk: PhotonPersistentDiskVolumeSource | None = None
    portworx_volume: PortworxVolumeSource | None = None
    scale_io: ScaleIOPersistentVolumeSource | None = msgspec.field(default=None, name="scaleIO")
    local: LocalVolumeSource | None = None
    storageos: StorageOSPersistentVolumeSource | None = None
    csi: CSIPersistentVolumeSource | None = None
    access_modes: tuple[str, ...] = ()
    claim_ref: ObjectReference | None = None
    persistent_volume_reclaim_policy: str = ""
    storage_class_name: str = ""
    mount_options: tuple[str, ...] = ()
    volume_mode: str | None = None
    node_affinity: VolumeNodeAffinity | None = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeStatus(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeStatus"
    phase: str = ""
    message: str = ""
    reason: str = ""
    last_phase_transition_time: Time | None = None


class PersistentVolume(BuiltIn, frozen=True, kw_only=True):
    """`persistentvolumes` of v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "PersistentVolume", "persistentvolumes", False)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolume"
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeSpec = PersistentVolumeSpec()
    status: PersistentVolumeStatus = PersistentVolumeStatus()


class PersistentVolumeClaimCondition(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeClaimCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaimCondition"
    type: str = ""
    status: str = ""
    last_probe_time: Time | None = None
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class PersistentVolumeClaimStatus(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeClaimStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaimStatus"
    phase: str = ""
    access_modes: tuple[str, ...] = ()
    capacity: Mapping[str, Quantity] = EMPTY
    conditions: tuple[PersistentVolumeClaimCondition, ...] = ()
    allocated_resources: Mapping[str, Quantity] = EMPTY
    allocated_resource_statuses: Mapping[str, str] = EMPTY
    current_volume_attributes_class_name: str | None = None
    modify_volume_status: ModifyVolumeStatus | None = None


class PersistentVolumeClaim(BuiltIn, frozen=True, kw_only=True):
    """`persistentvolumeclaims` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaim"
    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()


class PersistentVolumeClaimVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`PersistentVolumeClaimVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource"
    claim_name: str = ""
    read_only: bool = False


class SecretVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`SecretVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecretVolumeSource"
    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class RBDVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`RBDVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.RBDVolumeSource"
    monitors: tuple[str, ...] = ()
    image: str = ""
    fs_type: str = ""
    pool: str = ""
    user: str = ""
    keyring: str = ""
    secret_ref: LocalObjectReference | None = None
    read_only: bool = False


class SecretProjection(BuiltIn, frozen=True, kw_only=True):
    """`SecretProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SecretProjection"
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class ServiceAccountTokenProjection(BuiltIn, frozen=True, kw_only=True):
    """`ServiceAccountTokenProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ServiceAccountTokenProjection"
    audience: str = ""
    expiration_seconds: int | None = None
    path: str = ""


class PodCertificateProjection(BuiltIn, frozen=True, kw_only=True):
    """`PodCertificateProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodCertificateProjection"
    signer_name: str = ""
    key_type: str = ""
    max_expiration_seconds: int | None = None
    credential_bundle_path: str = ""
    key_path: str = ""
    certificate_chain_path: str = ""
    user_annotations: Mapping[str, str] = EMPTY


class VolumeProjection(BuiltIn, frozen=True, kw_only=True):
    """`VolumeProjection` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.VolumeProjection"
    secret: SecretProjection | None = None
    downward_api: DownwardAPIProjection | None = msgspec.field(default=None, name="downwardAPI")
    config_map: ConfigMapProjection | None = None
    service_account_token: ServiceAccountTokenProjection | None = None
    cluster_trust_bundle: ClusterTrustBundleProjection | None = None
    pod_certificate: PodCertificateProjection | None = None


class ProjectedVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ProjectedVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ProjectedVolumeSource"
    sources: tuple[VolumeProjection, ...] = ()
    default_mode: int | None = None


class ScaleIOVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`ScaleIOVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ScaleIOVolumeSource"
    gateway: str = ""
    system: str = ""
    secret_ref: LocalObjectReference | None = None
    ssl_enabled: bool = False
    protection_domain: str = ""
    storage_pool: str = ""
    storage_mode: str = ""
    volume_name: str = ""
    fs_type: str = ""
    read_only: bool = False


class StorageOSVolumeSource(BuiltIn, frozen=True, kw_only=True):
    """`StorageOSVolumeSource` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.StorageOSVolumeSource"
    volume_name: str = ""
    volume_namespace: str = ""
    fs_type: str = ""
    read_only: bool = False
    secret_ref: LocalObjectReference | None = None


class Volume(BuiltIn, frozen=True, kw_only=True):
    """`Volume` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Volume"
    name: str = ""
    host_path: HostPathVolumeSource | None = None
    empty_dir: EmptyDirVolumeSource | None = None
    gce_persistent_disk: GCEPersistentDiskVolumeSource | None = None
    aws_elastic_block_store: AWSElasticBlockStoreVolumeSource | None = None
    git_repo: GitRepoVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    nfs: NFSVolumeSource | None = None
    iscsi: ISCSIVolumeSource | None = None
    glusterfs: GlusterfsVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    rbd: RBDVolumeSource | None = None
    flex_volume: FlexVolumeSource | None = None
    cinder: CinderVolumeSource | None = None
    cephfs: CephFSVolumeSource | None = None
    flocker: FlockerVolumeSource | None = None
    downward_api: DownwardAPIVolumeSource | None = msgspec.field(default=None, name="downwardAPI")
    fc: FCVolumeSource | None = None
    azure_file: AzureFileVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    vsphere_volume: VsphereVirtualDiskVolumeSource | None = None
    quobyte: QuobyteVolumeSource | None = None
    azure_disk: AzureDiskVolumeSource | None = None
    photon_persistent_disk: PhotonPersistentDiskVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    portworx_volume: PortworxVolumeSource | None = None
    scale_io: ScaleIOVolumeSource | None = msgspec.field(default=None, name="scaleIO")
    storageos: StorageOSVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    ephemeral: EphemeralVolumeSource | None = None
    image: ImageVolumeSource | None = None


class Sysctl(BuiltIn, frozen=True, kw_only=True):
    """`Sysctl` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Sysctl"
    name: str = ""
    value: str = ""


class PodSecurityContext(BuiltIn, frozen=True, kw_only=True):
    """`PodSecurityContext` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodSecurityContext"
    se_linux_options: SELinuxOptions | None = None
    windows_options: WindowsSecurityContextOptions | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: str | None = None
    fs_group: int | None = None
    sysctls: tuple[Sysctl, ...] = ()
    fs_group_change_policy: str | None = None
    seccomp_profile: SeccompProfile | None = None
    app_armor_profile: AppArmorProfile | None = None
    se_linux_change_policy: str | None = None


class Toleration(BuiltIn, frozen=True, kw_only=True):
    """`Toleration` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Toleration"
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class PodDNSConfigOption(BuiltIn, frozen=True, kw_only=True):
    """`PodDNSConfigOption` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodDNSConfigOption"
    name: str = ""
    value: str | None = None


class PodDNSConfig(BuiltIn, frozen=True, kw_only=True):
    """`PodDNSConfig` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodDNSConfig"
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[PodDNSConfigOption, ...] = ()


class PodReadinessGate(BuiltIn, frozen=True, kw_only=True):
    """`PodReadinessGate` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodReadinessGate"
    condition_type: str = ""


class TopologySpreadConstraint(BuiltIn, frozen=True, kw_only=True):
    """`TopologySpreadConstraint` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TopologySpreadConstraint"
    max_skew: int = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] = ()


class PodOS(BuiltIn, frozen=True, kw_only=True):
    """`PodOS` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodOS"
    name: str = ""


class PodSchedulingGate(BuiltIn, frozen=True, kw_only=True):
    """`PodSchedulingGate` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodSchedulingGate"
    name: str = ""


class PodResourceClaim(BuiltIn, frozen=True, kw_only=True):
    """`PodResourceClaim` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodResourceClaim"
    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class PodSchedulingGroup(BuiltIn, frozen=True, kw_only=True):
    """`PodSchedulingGroup` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodSchedulingGroup"
    pod_group_name: str | None = None


class PodSpec(BuiltIn, frozen=True, kw_only=True):
    """`PodSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodSpec"
    volumes: tuple[Volume, ...] = ()
    init_containers: tuple[Container, ...] = ()
    containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[EphemeralContainer, ...] = ()
    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    dns_policy: str = ""
    node_selector: Mapping[str, str] = EMPTY
    service_account_name: str = ""
    service_account: str = ""
    automount_service_account_token: bool | None = None
    node_name: str = ""
    host_network: bool = False
    host_pid: bool = msgspec.field(default=False, name="hostPID")
    host_ipc: bool = msgspec.field(default=False, name="hostIPC")
    share_process_namespace: bool | None = None
    security_context: PodSecurityContext | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    hostname: str = ""
    subdomain: str = ""
    affinity: Affinity | None = None
    scheduler_name: str = ""
    tolerations: tuple[Toleration, ...] = ()
    host_aliases: tuple[HostAlias, ...] = ()
    priority_class_name: str = ""
    priority: int | None = None
    dns_config: PodDNSConfig | None = None
    readiness_gates: tuple[PodReadinessGate, ...] = ()
    runtime_class_name: str | None = None
    enable_service_links: bool | None = None
    preemption_policy: str | None = None
    overhead: Mapping[str, Quantity] = EMPTY
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    set_hostname_as_fqdn: bool | None = msgspec.field(default=None, name="setHostnameAsFQDN")
    os: PodOS | None = None
    host_users: bool | None = None
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    resource_claims: tuple[PodResourceClaim, ...] = ()
    resources: ResourceRequirements | None = None
    hostname_override: str | None = None
    scheduling_group: PodSchedulingGroup | None = None


class PodCondition(BuiltIn, frozen=True, kw_only=True):
    """`PodCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodCondition"
    type: str = ""
    observed_generation: int = 0
    status: str = ""
    last_probe_time: Time | None = None
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class PodIP(BuiltIn, frozen=True, kw_only=True):
    """`PodIP` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodIP"
    ip: str = ""


class PodResourceClaimStatus(BuiltIn, frozen=True, kw_only=True):
    """`PodResourceClaimStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodResourceClaimStatus"
    name: str = ""
    resource_claim_name: str | None = None


class PodExtendedResourceClaimStatus(BuiltIn, frozen=True, kw_only=True):
    """`PodExtendedResourceClaimStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodExtendedResourceClaimStatus"
    request_mappings: tuple[ContainerExtendedResourceRequest, ...] = ()
    resource_claim_name: str = ""


class PodStatus(BuiltIn, frozen=True, kw_only=True):
    """`PodStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodStatus"
    observed_generation: int = 0
    phase: str = ""
    conditions: tuple[PodCondition, ...] = ()
    message: str = ""
    reason: str = ""
    nominated_node_name: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    host_ips: tuple[HostIP, ...] = msgspec.field(default=(), name="hostIPs")
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: tuple[PodIP, ...] = msgspec.field(default=(), name="podIPs")
    start_time: Time | None = None
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    qos_class: str = ""
    ephemeral_container_statuses: tuple[ContainerStatus, ...] = ()
    resize: str = ""
    resource_claim_statuses: tuple[PodResourceClaimStatus, ...] = ()
    extended_resource_claim_status: PodExtendedResourceClaimStatus | None = None
    allocated_resources: Mapping[str, Quantity] = EMPTY
    resources: ResourceRequirements | None = None
    node_allocatable_resource_claim_statuses: tuple[NodeAllocatableResourceClaimStatus, ...] = ()


class Pod(BuiltIn, frozen=True, kw_only=True):
    """`pods` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Pod", "pods", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Pod"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplateSpec(BuiltIn, frozen=True, kw_only=True):
    """`PodTemplateSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodTemplateSpec"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class PodTemplate(BuiltIn, frozen=True, kw_only=True):
    """`podtemplates` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "PodTemplate", "podtemplates", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.PodTemplate"
    metadata: ObjectMeta = ObjectMeta()
    template: PodTemplateSpec = PodTemplateSpec()


class ReplicationControllerSpec(BuiltIn, frozen=True, kw_only=True):
    """`ReplicationControllerSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ReplicationControllerSpec"
    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: Mapping[str, str] = EMPTY
    template: PodTemplateSpec | None = None


class ReplicationControllerCondition(BuiltIn, frozen=True, kw_only=True):
    """`ReplicationControllerCondition` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ReplicationControllerCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class ReplicationControllerStatus(BuiltIn, frozen=True, kw_only=True):
    """`ReplicationControllerStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ReplicationControllerStatus"
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[ReplicationControllerCondition, ...] = ()


class ReplicationController(BuiltIn, frozen=True, kw_only=True):
    """`replicationcontrollers` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "ReplicationController", "replicationcontrollers", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ReplicationController"
    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicationControllerSpec = ReplicationControllerSpec()
    status: ReplicationControllerStatus = ReplicationControllerStatus()


class ScopedResourceSelectorRequirement(BuiltIn, frozen=True, kw_only=True):
    """`ScopedResourceSelectorRequirement` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ScopedResourceSelectorRequirement"
    scope_name: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class ScopeSelector(BuiltIn, frozen=True, kw_only=True):
    """`ScopeSelector` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ScopeSelector"
    match_expressions: tuple[ScopedResourceSelectorRequirement, ...] = ()


class ResourceQuotaSpec(BuiltIn, frozen=True, kw_only=True):
    """`ResourceQuotaSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceQuotaSpec"
    hard: Mapping[str, Quantity] = EMPTY
    scopes: tuple[str, ...] = ()
    scope_selector: ScopeSelector | None = None


class ResourceQuotaStatus(BuiltIn, frozen=True, kw_only=True):
    """`ResourceQuotaStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceQuotaStatus"
    hard: Mapping[str, Quantity] = EMPTY
    used: Mapping[str, Quantity] = EMPTY


class ResourceQuota(BuiltIn, frozen=True, kw_only=True):
    """`resourcequotas` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "ResourceQuota", "resourcequotas", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ResourceQuota"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceQuotaSpec = ResourceQuotaSpec()
    status: ResourceQuotaStatus = ResourceQuotaStatus()


class Secret(BuiltIn, frozen=True, kw_only=True):
    """`secrets` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Secret", "secrets", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Secret"
    metadata: ObjectMeta = ObjectMeta()
    immutable: bool | None = None
    data: Mapping[str, bytes] = EMPTY
    string_data: Mapping[str, str] = EMPTY
    type: str = ""


class ServicePort(BuiltIn, frozen=True, kw_only=True):
    """`ServicePort` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ServicePort"
    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None
    port: int = 0
    target_port: IntOrString = 0
    node_port: int = 0


class SessionAffinityConfig(BuiltIn, frozen=True, kw_only=True):
    """`SessionAffinityConfig` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.SessionAffinityConfig"
    client_ip: ClientIPConfig | None = msgspec.field(default=None, name="clientIP")


class ServiceSpec(BuiltIn, frozen=True, kw_only=True):
    """`ServiceSpec` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ServiceSpec"
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = EMPTY
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = msgspec.field(default=(), name="clusterIPs")
    type: str = ""
    external_ips: tuple[str, ...] = msgspec.field(default=(), name="externalIPs")
    session_affinity: str = ""
    load_balancer_ip: str = msgspec.field(default="", name="loadBalancerIP")
    load_balancer_source_ranges: tuple[str, ...] = ()
    external_name: str = ""
    external_traffic_policy: str = ""
    health_check_node_port: int = 0
    publish_not_ready_addresses: bool = False
    session_affinity_config: SessionAffinityConfig | None = None
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    load_balancer_class: str | None = None
    internal_traffic_policy: str | None = None
    traffic_distribution: str | None = None


class ServiceStatus(BuiltIn, frozen=True, kw_only=True):
    """`ServiceStatus` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ServiceStatus"
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[Condition, ...] = ()


class Service(BuiltIn, frozen=True, kw_only=True):
    """`services` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "Service", "services", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.Service"
    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class ServiceAccount(BuiltIn, frozen=True, kw_only=True):
    """`serviceaccounts` of v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("", "v1", "ServiceAccount", "serviceaccounts", True)
    __definition__: ClassVar[str] = "io.k8s.api.core.v1.ServiceAccount"
    metadata: ObjectMeta = ObjectMeta()
    secrets: tuple[ObjectReference, ...] = ()
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    automount_service_account_token: bool | None = None


class TopologySelectorLabelRequirement(BuiltIn, frozen=True, kw_only=True):
    """`TopologySelectorLabelRequirement` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TopologySelectorLabelRequirement"
    key: str = ""
    values: tuple[str, ...] = ()


class TopologySelectorTerm(BuiltIn, frozen=True, kw_only=True):
    """`TopologySelectorTerm` of core.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.core.v1.TopologySelectorTerm"
    match_label_expressions: tuple[TopologySelectorLabelRequirement, ...] = ()
