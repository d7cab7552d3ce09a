"""Typed models of authorization.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import FieldSelectorRequirement, LabelSelectorRequirement

__all__ = [
    "FieldSelectorAttributes",
    "LabelSelectorAttributes",
    "LocalSubjectAccessReview",
    "NonResourceAttributes",
    "NonResourceRule",
    "ResourceAttributes",
    "ResourceRule",
    "SelfSubjectAccessReview",
    "SelfSubjectAccessReviewSpec",
    "SelfSubjectRulesReview",
    "SelfSubjectRulesReviewSpec",
    "SubjectAccessReview",
    "SubjectAccessReviewSpec",
    "SubjectAccessReviewStatus",
    "SubjectRulesReviewStatus",
]


class FieldSelectorAttributes(BuiltIn, frozen=True, kw_only=True):
    """`FieldSelectorAttributes` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.FieldSelectorAttributes"
    raw_selector: str = ""
    requirements: tuple[FieldSelectorRequirement, ...] = ()


class LabelSelectorAttributes(BuiltIn, frozen=True, kw_only=True):
    """`LabelSelectorAttributes` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.LabelSelectorAttributes"
    raw_selector: str = ""
    requirements: tuple[LabelSelectorRequirement, ...] = ()


class ResourceAttributes(BuiltIn, frozen=True, kw_only=True):
    """`ResourceAttributes` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.ResourceAttributes"
    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    field_selector: FieldSelectorAttributes | None = None
    label_selector: LabelSelectorAttributes | None = None


class NonResourceAttributes(BuiltIn, frozen=True, kw_only=True):
    """`NonResourceAttributes` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.NonResourceAttributes"
    path: str = ""
    verb: str = ""


class SubjectAccessReviewSpec(BuiltIn, frozen=True, kw_only=True):
    """`SubjectAccessReviewSpec` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SubjectAccessReviewSpec"
    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None
    user: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = EMPTY
    uid: str = ""


class SubjectAccessReviewStatus(BuiltIn, frozen=True, kw_only=True):
    """`SubjectAccessReviewStatus` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SubjectAccessReviewStatus"
    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class LocalSubjectAccessReview(BuiltIn, frozen=True, kw_only=True):
    """`localsubjectaccessreviews` of authorization.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind(
        "authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", True
    )
    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.LocalSubjectAccessReview"
    metadata: ObjectMeta = ObjectMeta()
    spec: SubjectAccessReviewSpec = SubjectAccessReviewSpec()
    status: SubjectAccessReviewStatus = SubjectAccessReviewStatus()


class NonResourceRule(BuiltIn, frozen=True, kw_only=True):
    """`NonResourceRule` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.NonResourceRule"
    verbs: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")


class ResourceRule(BuiltIn, frozen=True, kw_only=True):
    """`ResourceRule` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.ResourceRule"
    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class SelfSubjectAccessReviewSpec(BuiltIn, frozen=True, kw_only=True):
    """`SelfSubjectAccessReviewSpec` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec"
    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SelfSubjectAccessReview(BuiltIn, frozen=True, kw_only=True):
    """`selfsubjectaccessreviews` of authorization.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SelfSubjectAccessReview"
    metadata: ObjectMeta = ObjectMeta()
    spec: SelfSubjectAccessReviewSpec = SelfSubjectAccessReviewSpec()
    status: SubjectAccessReviewStatus = SubjectAccessReviewStatus()


class SelfSubjectRulesReviewSpec(BuiltIn, frozen=True, kw_only=True):
    """`SelfSubjectRulesReviewSpec` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec"
    namespace: str = ""


class SubjectRulesReviewStatus(BuiltIn, frozen=True, kw_only=True):
    """`SubjectRulesReviewStatus` of authorization.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SubjectRulesReviewStatus"
    resource_rules: tuple[ResourceRule, ...] = ()
    non_resource_rules: tuple[NonResourceRule, ...] = ()
    incomplete: bool = False
    evaluation_error: str = ""


class SelfSubjectRulesReview(BuiltIn, frozen=True, kw_only=True):
    """`selfsubjectrulesreviews` of authorization.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SelfSubjectRulesReview"
    metadata: ObjectMeta = ObjectMeta()
    spec: SelfSubjectRulesReviewSpec = SelfSubjectRulesReviewSpec()
    status: SubjectRulesReviewStatus = SubjectRulesReviewStatus()


class SubjectAccessReview(BuiltIn, frozen=True, kw_only=True):
    """`subjectaccessreviews` of authorization.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.authorization.v1.SubjectAccessReview"
    metadata: ObjectMeta = ObjectMeta()
    spec: SubjectAccessReviewSpec = SubjectAccessReviewSpec()
    status: SubjectAccessReviewStatus = SubjectAccessReviewStatus()
