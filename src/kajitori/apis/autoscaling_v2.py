"""Typed models of autoscaling/v2: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Quantity, Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import LabelSelector

__all__ = [
    "ContainerResourceMetricSource",
    "ContainerResourceMetricStatus",
    "CrossVersionObjectReference",
    "ExternalMetricSource",
    "ExternalMetricStatus",
    "HPAScalingPolicy",
    "HPAScalingRules",
    "HorizontalPodAutoscaler",
    "HorizontalPodAutoscalerBehavior",
    "HorizontalPodAutoscalerCondition",
    "HorizontalPodAutoscalerSpec",
    "HorizontalPodAutoscalerStatus",
    "MetricIdentifier",
    "MetricSpec",
    "MetricStatus",
    "MetricTarget",
    "MetricValueStatus",
    "ObjectMetricSource",
    "ObjectMetricStatus",
    "PodsMetricSource",
    "PodsMetricStatus",
    "ResourceMetricSource",
    "ResourceMetricStatus",
]


class MetricTarget(BuiltIn, frozen=True, kw_only=True):
    """`MetricTarget` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.MetricTarget"
    type: str = ""
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None


class ContainerResourceMetricSource(BuiltIn, frozen=True, kw_only=True):
    """`ContainerResourceMetricSource` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource"
    name: str = ""
    target: MetricTarget = MetricTarget()
    container: str = ""


class MetricValueStatus(BuiltIn, frozen=True, kw_only=True):
    """`MetricValueStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.MetricValueStatus"
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None


class ContainerResourceMetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`ContainerResourceMetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus"
    name: str = ""
    current: MetricValueStatus = MetricValueStatus()
    container: str = ""


class CrossVersionObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`CrossVersionObjectReference` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.CrossVersionObjectReference"
    kind: str = ""
    name: str = ""
    api_version: str = ""


class MetricIdentifier(BuiltIn, frozen=True, kw_only=True):
    """`MetricIdentifier` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.MetricIdentifier"
    name: str = ""
    selector: LabelSelector | None = None


class ExternalMetricSource(BuiltIn, frozen=True, kw_only=True):
    """`ExternalMetricSource` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ExternalMetricSource"
    metric: MetricIdentifier = MetricIdentifier()
    target: MetricTarget = MetricTarget()


class ExternalMetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`ExternalMetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ExternalMetricStatus"
    metric: MetricIdentifier = MetricIdentifier()
    current: MetricValueStatus = MetricValueStatus()


class HPAScalingPolicy(BuiltIn, frozen=True, kw_only=True):
    """`HPAScalingPolicy` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HPAScalingPolicy"
    type: str = ""
    value: int = 0
    period_seconds: int = 0


class HPAScalingRules(BuiltIn, frozen=True, kw_only=True):
    """`HPAScalingRules` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HPAScalingRules"
    stabilization_window_seconds: int | None = None
    select_policy: str | None = None
    policies: tuple[HPAScalingPolicy, ...] = ()
    tolerance: Quantity | None = None


class ObjectMetricSource(BuiltIn, frozen=True, kw_only=True):
    """`ObjectMetricSource` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ObjectMetricSource"
    described_object: CrossVersionObjectReference = CrossVersionObjectReference()
    target: MetricTarget = MetricTarget()
    metric: MetricIdentifier = MetricIdentifier()


class PodsMetricSource(BuiltIn, frozen=True, kw_only=True):
    """`PodsMetricSource` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.PodsMetricSource"
    metric: MetricIdentifier = MetricIdentifier()
    target: MetricTarget = MetricTarget()


class ResourceMetricSource(BuiltIn, frozen=True, kw_only=True):
    """`ResourceMetricSource` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ResourceMetricSource"
    name: str = ""
    target: MetricTarget = MetricTarget()


class MetricSpec(BuiltIn, frozen=True, kw_only=True):
    """`MetricSpec` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.MetricSpec"
    type: str = ""
    object: ObjectMetricSource | None = None
    pods: PodsMetricSource | None = None
    resource: ResourceMetricSource | None = None
    container_resource: ContainerResourceMetricSource | None = None
    external: ExternalMetricSource | None = None


class HorizontalPodAutoscalerBehavior(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerBehavior` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior"
    scale_up: HPAScalingRules | None = None
    scale_down: HPAScalingRules | None = None


class HorizontalPodAutoscalerSpec(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerSpec` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec"
    scale_target_ref: CrossVersionObjectReference = CrossVersionObjectReference()
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: tuple[MetricSpec, ...] = ()
    behavior: HorizontalPodAutoscalerBehavior | None = None


class ObjectMetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`ObjectMetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ObjectMetricStatus"
    metric: MetricIdentifier = MetricIdentifier()
    current: MetricValueStatus = MetricValueStatus()
    described_object: CrossVersionObjectReference = CrossVersionObjectReference()


class PodsMetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`PodsMetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.PodsMetricStatus"
    metric: MetricIdentifier = MetricIdentifier()
    current: MetricValueStatus = MetricValueStatus()


class ResourceMetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`ResourceMetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.ResourceMetricStatus"
    name: str = ""
    current: MetricValueStatus = MetricValueStatus()


class MetricStatus(BuiltIn, frozen=True, kw_only=True):
    """`MetricStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.MetricStatus"
    type: str = ""
    object: ObjectMetricStatus | None = None
    pods: PodsMetricStatus | None = None
    resource: ResourceMetricStatus | None = None
    container_resource: ContainerResourceMetricStatus | None = None
    external: ExternalMetricStatus | None = None


class HorizontalPodAutoscalerCondition(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerCondition` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class HorizontalPodAutoscalerStatus(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerStatus` of autoscaling.v2."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus"
    observed_generation: int | None = None
    last_scale_time: Time | None = None
    current_replicas: int = 0
    desired_replicas: int = 0
    current_metrics: tuple[MetricStatus, ...] = ()
    conditions: tuple[HorizontalPodAutoscalerCondition, ...] = ()


class HorizontalPodAutoscaler(BuiltIn, frozen=True, kw_only=True):
    """`horizontalpodautoscalers` of autoscaling/v2, in a namespace."""

    __kind__: ClassVar[Kind] = Kind(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True
    )
    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"
    metadata: ObjectMeta = ObjectMeta()
    spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    status: HorizontalPodAutoscalerStatus = HorizontalPodAutoscalerStatus()
