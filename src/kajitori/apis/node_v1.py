"""Typed models of node.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Quantity
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import Toleration

__all__ = ["Overhead", "RuntimeClass", "Scheduling"]


class Overhead(BuiltIn, frozen=True, kw_only=True):
    """`Overhead` of node.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.node.v1.Overhead"
    pod_fixed: Mapping[str, Quantity] = EMPTY


class Scheduling(BuiltIn, frozen=True, kw_only=True):
    """`Scheduling` of node.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.node.v1.Scheduling"
    node_selector: Mapping[str, str] = EMPTY
    tolerations: tuple[Toleration, ...] = ()


class RuntimeClass(BuiltIn, frozen=True, kw_only=True):
    """`runtimeclasses` of node.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", False)
    __definition__: ClassVar[str] = "io.k8s.api.node.v1.RuntimeClass"
    metadata: ObjectMeta = ObjectMeta()
    handler: str = ""
    overhead: Overhead | None = None
    scheduling: Scheduling | None = None
