"""Typed models of rbac.authorization.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import LabelSelector

__all__ = [
    "AggregationRule",
    "ClusterRole",
    "ClusterRoleBinding",
    "PolicyRule",
    "Role",
    "RoleBinding",
    "RoleRef",
    "Subject",
]


class AggregationRule(BuiltIn, frozen=True, kw_only=True):
    """`AggregationRule` of rbac.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.AggregationRule"
    cluster_role_selectors: tuple[LabelSelector, ...] = ()


class PolicyRule(BuiltIn, frozen=True, kw_only=True):
    """`PolicyRule` of rbac.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.PolicyRule"
    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")


class ClusterRole(BuiltIn, frozen=True, kw_only=True):
    """`clusterroles` of rbac.authorization.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False)
    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.ClusterRole"
    metadata: ObjectMeta = ObjectMeta()
    rules: tuple[PolicyRule, ...] = ()
    aggregation_rule: AggregationRule | None = None


class Subject(BuiltIn, frozen=True, kw_only=True):
    """`Subject` of rbac.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.Subject"
    kind: str = ""
    api_group: str = ""
    name: str = ""
    namespace: str = ""


class RoleRef(BuiltIn, frozen=True, kw_only=True):
    """`RoleRef` of rbac.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.RoleRef"
    api_group: str = ""
    kind: str = ""
    name: str = ""


class ClusterRoleBinding(BuiltIn, frozen=True, kw_only=True):
    """`clusterrolebindings` of rbac.authorization.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.ClusterRoleBinding"
    metadata: ObjectMeta = ObjectMeta()
    subjects: tuple[Subject, ...] = ()
    role_ref: RoleRef = RoleRef()


class Role(BuiltIn, frozen=True, kw_only=True):
    """`roles` of rbac.authorization.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles", True)
    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.Role"
    metadata: ObjectMeta = ObjectMeta()
    rules: tuple[PolicyRule, ...] = ()


class RoleBinding(BuiltIn, frozen=True, kw_only=True):
    """`rolebindings` of rbac.authorization.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True)
    __definition__: ClassVar[str] = "io.k8s.api.rbac.v1.RoleBinding"
    metadata: ObjectMeta = ObjectMeta()
    subjects: tuple[Subject, ...] = ()
    role_ref: RoleRef = RoleRef()
