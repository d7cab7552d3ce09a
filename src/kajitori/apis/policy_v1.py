"""Typed models of policy/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import IntOrString, Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import Condition, DeleteOptions, LabelSelector

__all__ = ["Eviction", "PodDisruptionBudget", "PodDisruptionBudgetSpec", "PodDisruptionBudgetStatus"]


class Eviction(BuiltIn, frozen=True, kw_only=True):
    """The body of a subresource, Eviction of policy/v1."""

    __kind__: ClassVar[Kind] = Kind("policy", "v1", "Eviction", "", True)
    __definition__: ClassVar[str] = "io.k8s.api.policy.v1.Eviction"
    metadata: ObjectMeta = ObjectMeta()
    delete_options: DeleteOptions | None = None


class PodDisruptionBudgetSpec(BuiltIn, frozen=True, kw_only=True):
    """`PodDisruptionBudgetSpec` of policy.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.policy.v1.PodDisruptionBudgetSpec"
    min_available: IntOrString | None = None
    selector: LabelSelector | None = None
    max_unavailable: IntOrString | None = None
    unhealthy_pod_eviction_policy: str | None = None


class PodDisruptionBudgetStatus(BuiltIn, frozen=True, kw_only=True):
    """`PodDisruptionBudgetStatus` of policy.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.policy.v1.PodDisruptionBudgetStatus"
    observed_generation: int = 0
    disrupted_pods: Mapping[str, Time] = EMPTY
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(BuiltIn, frozen=True, kw_only=True):
    """`poddisruptionbudgets` of policy/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True)
    __definition__: ClassVar[str] = "io.k8s.api.policy.v1.PodDisruptionBudget"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
