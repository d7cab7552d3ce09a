"""Typed models of scheduling.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = ["PriorityClass"]


class PriorityClass(BuiltIn, frozen=True, kw_only=True):
    """`priorityclasses` of scheduling.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False)
    __definition__: ClassVar[str] = "io.k8s.api.scheduling.v1.PriorityClass"
    metadata: ObjectMeta = ObjectMeta()
    value: int = 0
    global_default: bool = False
    description: str = ""
    preemption_policy: str | None = None
