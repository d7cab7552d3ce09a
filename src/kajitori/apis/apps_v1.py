"""Typed models of apps/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import Any, ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import IntOrString, Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import PersistentVolumeClaim, PodTemplateSpec
from kajitori.apis.meta_v1 import LabelSelector

__all__ = [
    "ControllerRevision",
    "DaemonSet",
    "DaemonSetCondition",
    "DaemonSetSpec",
    "DaemonSetStatus",
    "DaemonSetUpdateStrategy",
    "Deployment",
    "DeploymentCondition",
    "DeploymentSpec",
    "DeploymentStatus",
    "DeploymentStrategy",
    "ReplicaSet",
    "ReplicaSetCondition",
    "ReplicaSetSpec",
    "ReplicaSetStatus",
    "RollingUpdateDaemonSet",
    "RollingUpdateDeployment",
    "RollingUpdateStatefulSetStrategy",
    "StatefulSet",
    "StatefulSetCondition",
    "StatefulSetOrdinals",
    "StatefulSetPersistentVolumeClaimRetentionPolicy",
    "StatefulSetSpec",
    "StatefulSetStatus",
    "StatefulSetUpdateStrategy",
]


class ControllerRevision(BuiltIn, frozen=True, kw_only=True):
    """`controllerrevisions` of apps/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("apps", "v1", "ControllerRevision", "controllerrevisions", True)
    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.ControllerRevision"
    metadata: ObjectMeta = ObjectMeta()
    data: Any = None
    revision: int = 0


class RollingUpdateDaemonSet(BuiltIn, frozen=True, kw_only=True):
    """`RollingUpdateDaemonSet` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.RollingUpdateDaemonSet"
    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


class DaemonSetUpdateStrategy(BuiltIn, frozen=True, kw_only=True):
    """`DaemonSetUpdateStrategy` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DaemonSetUpdateStrategy"
    type: str = ""
    rolling_update: RollingUpdateDaemonSet | None = None


class DaemonSetSpec(BuiltIn, frozen=True, kw_only=True):
    """`DaemonSetSpec` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DaemonSetSpec"
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    update_strategy: DaemonSetUpdateStrategy = DaemonSetUpdateStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None


class DaemonSetCondition(BuiltIn, frozen=True, kw_only=True):
    """`DaemonSetCondition` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DaemonSetCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class DaemonSetStatus(BuiltIn, frozen=True, kw_only=True):
    """`DaemonSetStatus` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DaemonSetStatus"
    current_number_scheduled: int = 0
    number_misscheduled: int = 0
    desired_number_scheduled: int = 0
    number_ready: int = 0
    observed_generation: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None
    conditions: tuple[DaemonSetCondition, ...] = ()


class DaemonSet(BuiltIn, frozen=True, kw_only=True):
    """`daemonsets` of apps/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("apps", "v1", "DaemonSet", "daemonsets", True)
    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DaemonSet"
    metadata: ObjectMeta = ObjectMeta()
    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()


class RollingUpdateDeployment(BuiltIn, frozen=True, kw_only=True):
    """`RollingUpdateDeployment` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.RollingUpdateDeployment"
    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


class DeploymentStrategy(BuiltIn, frozen=True, kw_only=True):
    """`DeploymentStrategy` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DeploymentStrategy"
    type: str = ""
    rolling_update: RollingUpdateDeployment | None = None


class DeploymentSpec(BuiltIn, frozen=True, kw_only=True):
    """`DeploymentSpec` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DeploymentSpec"
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


class DeploymentCondition(BuiltIn, frozen=True, kw_only=True):
    """`DeploymentCondition` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DeploymentCondition"
    type: str = ""
    status: str = ""
    last_update_time: Time | None = None
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class DeploymentStatus(BuiltIn, frozen=True, kw_only=True):
    """`DeploymentStatus` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.DeploymentStatus"
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()
    collision_count: int | None = None


class Deployment(BuiltIn, frozen=True, kw_only=True):
    """`deployments` of apps/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("apps", "v1", "Deployment", "deployments", True)
    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.Deployment"
    metadata: ObjectMeta = ObjectMeta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class ReplicaSetSpec(BuiltIn, frozen=True, kw_only=True):
    """`ReplicaSetSpec` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.ReplicaSetSpec"
    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()


class ReplicaSetCondition(BuiltIn, frozen=True, kw_only=True):
    """`ReplicaSetCondition` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.ReplicaSetCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class ReplicaSetStatus(BuiltIn, frozen=True, kw_only=True):
    """`ReplicaSetStatus` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.ReplicaSetStatus"
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    conditions: tuple[ReplicaSetCondition, ...] = ()


class ReplicaSet(BuiltIn, frozen=True, kw_only=True):
    """`replicasets` of apps/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("apps", "v1", "ReplicaSet", "replicasets", True)
    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.ReplicaSet"
    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class RollingUpdateStatefulSetStrategy(BuiltIn, frozen=True, kw_only=True):
    """`RollingUpdateStatefulSetStrategy` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy"
    partition: int | None = None
    max_unavailable: IntOrString | None = None


class StatefulSetUpdateStrategy(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetUpdateStrategy` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetUpdateStrategy"
    type: str = ""
    rolling_update: RollingUpdateStatefulSetStrategy | None = None


class StatefulSetPersistentVolumeClaimRetentionPolicy(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetPersistentVolumeClaimRetentionPolicy` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy"
    when_deleted: str = ""
    when_scaled: str = ""


class StatefulSetOrdinals(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetOrdinals` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetOrdinals"
    start: int = 0


class StatefulSetSpec(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetSpec` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetSpec"
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    volume_claim_templates: tuple[PersistentVolumeClaim, ...] = ()
    service_name: str = ""
    pod_management_policy: str = ""
    update_strategy: StatefulSetUpdateStrategy = StatefulSetUpdateStrategy()
    revision_history_limit: int | None = None
    min_ready_seconds: int = 0
    persistent_volume_claim_retention_policy: StatefulSetPersistentVolumeClaimRetentionPolicy | None = None
    ordinals: StatefulSetOrdinals | None = None


class StatefulSetCondition(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetCondition` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class StatefulSetStatus(BuiltIn, frozen=True, kw_only=True):
    """`StatefulSetStatus` of apps.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSetStatus"
    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int | None = None
    conditions: tuple[StatefulSetCondition, ...] = ()
    available_replicas: int = 0


class StatefulSet(BuiltIn, frozen=True, kw_only=True):
    """`statefulsets` of apps/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("apps", "v1", "StatefulSet", "statefulsets", True)
    __definition__: ClassVar[str] = "io.k8s.api.apps.v1.StatefulSet"
    metadata: ObjectMeta = ObjectMeta()
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()
