"""Typed models of what objects of all groups share: frozen classes, unset fields at their zero.

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
from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference

__all__ = [
    "Condition",
    "DeleteOptions",
    "FieldSelectorRequirement",
    "IntOrString",
    "LabelSelector",
    "LabelSelectorRequirement",
    "MicroTime",
    "ObjectMeta",
    "OwnerReference",
    "Preconditions",
    "Quantity",
    "Time",
]


class Condition(BuiltIn, frozen=True, kw_only=True):
    """`Condition` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.Condition"
    type: str = ""
    status: str = ""
    observed_generation: int = 0
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = msgspec.field(default_factory=str)


class Preconditions(BuiltIn, frozen=True, kw_only=True):
    """`Preconditions` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions"
    uid: str | None = None
    resource_version: str | None = None


class DeleteOptions(BuiltIn, frozen=True, kw_only=True):
    """`DeleteOptions` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    kind: str = ""
    api_version: str = ""
    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: tuple[str, ...] = ()
    ignore_store_read_error_with_cluster_breaking_potential: bool | None = None


class FieldSelectorRequirement(BuiltIn, frozen=True, kw_only=True):
    """`FieldSelectorRequirement` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement"
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelectorRequirement(BuiltIn, frozen=True, kw_only=True):
    """`LabelSelectorRequirement` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement"
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(BuiltIn, frozen=True, kw_only=True):
    """`LabelSelector` of meta.v1."""

    __definition__: ClassVar[str] = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"
    match_labels: Mapping[str, str] = EMPTY
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
