"""Typed models of resource.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Quantity, Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import NodeSelector
from kajitori.apis.meta_v1 import Condition

__all__ = [
    "AllocatedDeviceStatus",
    "AllocationResult",
    "CELDeviceSelector",
    "CapacityRequestPolicy",
    "CapacityRequestPolicyRange",
    "CapacityRequirements",
    "Counter",
    "CounterSet",
    "Device",
    "DeviceAllocationConfiguration",
    "DeviceAllocationResult",
    "DeviceAttribute",
    "DeviceCapacity",
    "DeviceClaim",
    "DeviceClaimConfiguration",
    "DeviceClass",
    "DeviceClassConfiguration",
    "DeviceClassSpec",
    "DeviceConstraint",
    "DeviceCounterConsumption",
    "DeviceRequest",
    "DeviceRequestAllocationResult",
    "DeviceSelector",
    "DeviceSubRequest",
    "DeviceTaint",
    "DeviceToleration",
    "ExactDeviceRequest",
    "NetworkDeviceData",
    "NodeAllocatableResourceMapping",
    "OpaqueDeviceConfiguration",
    "ResourceClaim",
    "ResourceClaimConsumerReference",
    "ResourceClaimSpec",
    "ResourceClaimStatus",
    "ResourceClaimTemplate",
    "ResourceClaimTemplateSpec",
    "ResourcePool",
    "ResourceSlice",
    "ResourceSliceSpec",
]


class NetworkDeviceData(BuiltIn, frozen=True, kw_only=True):
    """`NetworkDeviceData` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.NetworkDeviceData"
    interface_name: str = ""
    ips: tuple[str, ...] = ()
    hardware_address: str = ""


class AllocatedDeviceStatus(BuiltIn, frozen=True, kw_only=True):
    """`AllocatedDeviceStatus` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.AllocatedDeviceStatus"
    driver: str = ""
    pool: str = ""
    device: str = ""
    share_id: str | None = msgspec.field(default=None, name="shareID")
    conditions: tuple[Condition, ...] = ()
    data: Any = None
    network_data: NetworkDeviceData | None = None


class DeviceToleration(BuiltIn, frozen=True, kw_only=True):
    """`DeviceToleration` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceToleration"
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class DeviceRequestAllocationResult(BuiltIn, frozen=True, kw_only=True):
    """`DeviceRequestAllocationResult` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceRequestAllocationResult"
    request: str = ""
    driver: str = ""
    pool: str = ""
    device: str = ""
    admin_access: bool | None = None
    tolerations: tuple[DeviceToleration, ...] = ()
    binding_conditions: tuple[str, ...] = ()
    binding_failure_conditions: tuple[str, ...] = ()
    share_id: str | None = msgspec.field(default=None, name="shareID")
    consumed_capacity: Mapping[str, Quantity] = EMPTY


class OpaqueDeviceConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`OpaqueDeviceConfiguration` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.OpaqueDeviceConfiguration"
    driver: str = ""
    parameters: Any = None


class DeviceAllocationConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`DeviceAllocationConfiguration` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceAllocationConfiguration"
    source: str = ""
    requests: tuple[str, ...] = ()
    opaque: OpaqueDeviceConfiguration | None = None


class DeviceAllocationResult(BuiltIn, frozen=True, kw_only=True):
    """`DeviceAllocationResult` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceAllocationResult"
    results: tuple[DeviceRequestAllocationResult, ...] = ()
    config: tuple[DeviceAllocationConfiguration, ...] = ()


class AllocationResult(BuiltIn, frozen=True, kw_only=True):
    """`AllocationResult` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.AllocationResult"
    devices: DeviceAllocationResult = DeviceAllocationResult()
    node_selector: NodeSelector | None = None
    allocation_timestamp: Time | None = None


class CELDeviceSelector(BuiltIn, frozen=True, kw_only=True):
    """`CELDeviceSelector` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.CELDeviceSelector"
    expression: str = ""


class CapacityRequestPolicyRange(BuiltIn, frozen=True, kw_only=True):
    """`CapacityRequestPolicyRange` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.CapacityRequestPolicyRange"
    min: Quantity | None = None
    max: Quantity | None = None
    step: Quantity | None = None


class CapacityRequestPolicy(BuiltIn, frozen=True, kw_only=True):
    """`CapacityRequestPolicy` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.CapacityRequestPolicy"
    default: Quantity | None = None
    valid_values: tuple[Quantity, ...] = ()
    valid_range: CapacityRequestPolicyRange | None = None


class CapacityRequirements(BuiltIn, frozen=True, kw_only=True):
    """`CapacityRequirements` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.CapacityRequirements"
    requests: Mapping[str, Quantity] = EMPTY


class Counter(BuiltIn, frozen=True, kw_only=True):
    """`Counter` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.Counter"
    value: Quantity = "0"


class CounterSet(BuiltIn, frozen=True, kw_only=True):
    """`CounterSet` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.CounterSet"
    name: str = ""
    counters: Mapping[str, Counter] = EMPTY


class DeviceAttribute(BuiltIn, frozen=True, kw_only=True):
    """`DeviceAttribute` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceAttribute"
    int_: int | None = None
    bool_: bool | None = None
    string: str | None = None
    version: str | None = None
    ints: tuple[int, ...] = ()
    bools: tuple[bool, ...] = ()
    strings: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


class DeviceCapacity(BuiltIn, frozen=True, kw_only=True):
    """`DeviceCapacity` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceCapacity"
    value: Quantity = "0"
    request_policy: CapacityRequestPolicy | None = None


class DeviceCounterConsumption(BuiltIn, frozen=True, kw_only=True):
    """`DeviceCounterConsumption` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceCounterConsumption"
    counter_set: str = ""
    counters: Mapping[str, Counter] = EMPTY


class DeviceTaint(BuiltIn, frozen=True, kw_only=True):
    """`DeviceTaint` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceTaint"
    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: Time | None = None


class NodeAllocatableResourceMapping(BuiltIn, frozen=True, kw_only=True):
    """`NodeAllocatableResourceMapping` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.NodeAllocatableResourceMapping"
    capacity_key: str | None = None
    allocation_multiplier: Quantity | None = None


class Device(BuiltIn, frozen=True, kw_only=True):
    """`Device` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.Device"
    name: str = ""
    attributes: Mapping[str, DeviceAttribute] = EMPTY
    capacity: Mapping[str, DeviceCapacity] = EMPTY
    consumes_counters: tuple[DeviceCounterConsumption, ...] = ()
    node_name: str | None = None
    node_selector: NodeSelector | None = None
    all_nodes: bool | None = None
    taints: tuple[DeviceTaint, ...] = ()
    binds_to_node: bool | None = None
    binding_conditions: tuple[str, ...] = ()
    binding_failure_conditions: tuple[str, ...] = ()
    allow_multiple_allocations: bool | None = None
    node_allocatable_resource_mappings: Mapping[str, NodeAllocatableResourceMapping] = EMPTY


class DeviceSelector(BuiltIn, frozen=True, kw_only=True):
    """`DeviceSelector` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceSelector"
    cel: CELDeviceSelector | None = None


class ExactDeviceRequest(BuiltIn, frozen=True, kw_only=True):
    """`ExactDeviceRequest` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ExactDeviceRequest"
    device_class_name: str = ""
    selectors: tuple[DeviceSelector, ...] = ()
    allocation_mode: str = ""
    count: int = 0
    admin_access: bool | None = None
    tolerations: tuple[DeviceToleration, ...] = ()
    capacity: CapacityRequirements | None = None


class DeviceSubRequest(BuiltIn, frozen=True, kw_only=True):
    """`DeviceSubRequest` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceSubRequest"
    name: str = ""
    device_class_name: str = ""
    selectors: tuple[DeviceSelector, ...] = ()
    allocation_mode: str = ""
    count: int = 0
    tolerations: tuple[DeviceToleration, ...] = ()
    capacity: CapacityRequirements | None = None


class DeviceRequest(BuiltIn, frozen=True, kw_only=True):
    """`DeviceRequest` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceRequest"
    name: str = ""
    exactly: ExactDeviceRequest | None = None
    first_available: tuple[DeviceSubRequest, ...] = ()


class DeviceConstraint(BuiltIn, frozen=True, kw_only=True):
    """`DeviceConstraint` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceConstraint"
    requests: tuple[str, ...] = ()
    match_attribute: str | None = None
    distinct_attribute: str | None = None


class DeviceClaimConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`DeviceClaimConfiguration` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceClaimConfiguration"
    requests: tuple[str, ...] = ()
    opaque: OpaqueDeviceConfiguration | None = None


class DeviceClaim(BuiltIn, frozen=True, kw_only=True):
    """`DeviceClaim` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceClaim"
    requests: tuple[DeviceRequest, ...] = ()
    constraints: tuple[DeviceConstraint, ...] = ()
    config: tuple[DeviceClaimConfiguration, ...] = ()


class DeviceClassConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`DeviceClassConfiguration` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceClassConfiguration"
    opaque: OpaqueDeviceConfiguration | None = None


class DeviceClassSpec(BuiltIn, frozen=True, kw_only=True):
    """`DeviceClassSpec` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceClassSpec"
    selectors: tuple[DeviceSelector, ...] = ()
    config: tuple[DeviceClassConfiguration, ...] = ()
    extended_resource_name: str | None = None


class DeviceClass(BuiltIn, frozen=True, kw_only=True):
    """`deviceclasses` of resource.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", False)
    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.DeviceClass"
    metadata: ObjectMeta = ObjectMeta()
    spec: DeviceClassSpec = DeviceClassSpec()


class ResourceClaimSpec(BuiltIn, frozen=True, kw_only=True):
    """`ResourceClaimSpec` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaimSpec"
    devices: DeviceClaim = DeviceClaim()


class ResourceClaimConsumerReference(BuiltIn, frozen=True, kw_only=True):
    """`ResourceClaimConsumerReference` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaimConsumerReference"
    api_group: str = ""
    resource: str = ""
    name: str = ""
    uid: str = ""


class ResourceClaimStatus(BuiltIn, frozen=True, kw_only=True):
    """`ResourceClaimStatus` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaimStatus"
    allocation: AllocationResult | None = None
    reserved_for: tuple[ResourceClaimConsumerReference, ...] = ()
    devices: tuple[AllocatedDeviceStatus, ...] = ()


class ResourceClaim(BuiltIn, frozen=True, kw_only=True):
    """`resourceclaims` of resource.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims", True)
    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaim"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceClaimSpec = ResourceClaimSpec()
    status: ResourceClaimStatus = ResourceClaimStatus()


class ResourceClaimTemplateSpec(BuiltIn, frozen=True, kw_only=True):
    """`ResourceClaimTemplateSpec` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaimTemplateSpec"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceClaimSpec = ResourceClaimSpec()


class ResourceClaimTemplate(BuiltIn, frozen=True, kw_only=True):
    """`resourceclaimtemplates` of resource.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind(
        "resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates", True
    )
    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceClaimTemplate"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceClaimTemplateSpec = ResourceClaimTemplateSpec()


class ResourcePool(BuiltIn, frozen=True, kw_only=True):
    """`ResourcePool` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourcePool"
    name: str = ""
    generation: int = 0
    resource_slice_count: int = 0


class ResourceSliceSpec(BuiltIn, frozen=True, kw_only=True):
    """`ResourceSliceSpec` of resource.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceSliceSpec"
    driver: str = ""
    pool: ResourcePool = ResourcePool()
    node_name: str | None = None
    node_selector: NodeSelector | None = None
    all_nodes: bool | None = None
    devices: tuple[Device, ...] = ()
    per_device_node_selection: bool | None = None
    shared_counters: tuple[CounterSet, ...] = ()


class ResourceSlice(BuiltIn, frozen=True, kw_only=True):
    """`resourceslices` of resource.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("resource.k8s.io", "v1", "ResourceSlice", "resourceslices", False)
    __definition__: ClassVar[str] = "io.k8s.api.resource.v1.ResourceSlice"
    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceSliceSpec = ResourceSliceSpec()
