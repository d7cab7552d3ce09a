"""Typed models of autoscaling/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = [
    "CrossVersionObjectReference",
    "HorizontalPodAutoscaler",
    "HorizontalPodAutoscalerSpec",
    "HorizontalPodAutoscalerStatus",
    "Scale",
    "ScaleSpec",
    "ScaleStatus",
]


class CrossVersionObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`CrossVersionObjectReference` of autoscaling.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.CrossVersionObjectReference"
    kind: str = ""
    name: str = ""
    api_version: str = ""


class HorizontalPodAutoscalerSpec(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerSpec` of autoscaling.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec"
    scale_target_ref: CrossVersionObjectReference = CrossVersionObjectReference()
    min_replicas: int | None = None
    max_replicas: int = 0
    target_cpu_utilization_percentage: int | None = msgspec.field(
        default=None, name="targetCPUUtilizationPercentage"
    )


class HorizontalPodAutoscalerStatus(BuiltIn, frozen=True, kw_only=True):
    """`HorizontalPodAutoscalerStatus` of autoscaling.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus"
    observed_generation: int | None = None
    last_scale_time: Time | None = None
    current_replicas: int = 0
    desired_replicas: int = 0
    current_cpu_utilization_percentage: int | None = msgspec.field(
        default=None, name="currentCPUUtilizationPercentage"
    )


class HorizontalPodAutoscaler(BuiltIn, frozen=True, kw_only=True):
    """`horizontalpodautoscalers` of autoscaling/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind(
        "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True
    )
    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler"
    metadata: ObjectMeta = ObjectMeta()
    spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    status: HorizontalPodAutoscalerStatus = HorizontalPodAutoscalerStatus()


class ScaleSpec(BuiltIn, frozen=True, kw_only=True):
    """`ScaleSpec` of autoscaling.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.ScaleSpec"
    replicas: int = 0


class ScaleStatus(BuiltIn, frozen=True, kw_only=True):
    """`ScaleStatus` of autoscaling.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.ScaleStatus"
    replicas: int = 0
    selector: str = ""


class Scale(BuiltIn, frozen=True, kw_only=True):
    """The body of a subresource, Scale of autoscaling/v1."""

    __kind__: ClassVar[Kind] = Kind("autoscaling", "v1", "Scale", "", True)
    __definition__: ClassVar[str] = "io.k8s.api.autoscaling.v1.Scale"
    metadata: ObjectMeta = ObjectMeta()
    spec: ScaleSpec = ScaleSpec()
    status: ScaleStatus = ScaleStatus()
