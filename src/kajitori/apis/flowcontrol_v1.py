"""Typed models of flowcontrol.apiserver.k8s.io/v1: frozen classes, unset fields at their zero.

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
    "ExemptPriorityLevelConfiguration",
    "FlowDistinguisherMethod",
    "FlowSchema",
    "FlowSchemaCondition",
    "FlowSchemaSpec",
    "FlowSchemaStatus",
    "GroupSubject",
    "LimitResponse",
    "LimitedPriorityLevelConfiguration",
    "NonResourcePolicyRule",
    "PolicyRulesWithSubjects",
    "PriorityLevelConfiguration",
    "PriorityLevelConfigurationCondition",
    "PriorityLevelConfigurationReference",
    "PriorityLevelConfigurationSpec",
    "PriorityLevelConfigurationStatus",
    "QueuingConfiguration",
    "ResourcePolicyRule",
    "ServiceAccountSubject",
    "Subject",
    "UserSubject",
]


class ExemptPriorityLevelConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`ExemptPriorityLevelConfiguration` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration"
    nominal_concurrency_shares: int | None = None
    lendable_percent: int | None = None


class FlowDistinguisherMethod(BuiltIn, frozen=True, kw_only=True):
    """`FlowDistinguisherMethod` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod"
    type: str = ""


class PriorityLevelConfigurationReference(BuiltIn, frozen=True, kw_only=True):
    """`PriorityLevelConfigurationReference` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference"
    name: str = ""


class UserSubject(BuiltIn, frozen=True, kw_only=True):
    """`UserSubject` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.UserSubject"
    name: str = ""


class GroupSubject(BuiltIn, frozen=True, kw_only=True):
    """`GroupSubject` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.GroupSubject"
    name: str = ""


class ServiceAccountSubject(BuiltIn, frozen=True, kw_only=True):
    """`ServiceAccountSubject` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.ServiceAccountSubject"
    namespace: str = ""
    name: str = ""


class Subject(BuiltIn, frozen=True, kw_only=True):
    """`Subject` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.Subject"
    kind: str = ""
    user: UserSubject | None = None
    group: GroupSubject | None = None
    service_account: ServiceAccountSubject | None = None


class ResourcePolicyRule(BuiltIn, frozen=True, kw_only=True):
    """`ResourcePolicyRule` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.ResourcePolicyRule"
    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    cluster_scope: bool = False
    namespaces: tuple[str, ...] = ()


class NonResourcePolicyRule(BuiltIn, frozen=True, kw_only=True):
    """`NonResourcePolicyRule` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.NonResourcePolicyRule"
    verbs: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")


class PolicyRulesWithSubjects(BuiltIn, frozen=True, kw_only=True):
    """`PolicyRulesWithSubjects` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects"
    subjects: tuple[Subject, ...] = ()
    resource_rules: tuple[ResourcePolicyRule, ...] = ()
    non_resource_rules: tuple[NonResourcePolicyRule, ...] = ()


class FlowSchemaSpec(BuiltIn, frozen=True, kw_only=True):
    """`FlowSchemaSpec` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.FlowSchemaSpec"
    priority_level_configuration: PriorityLevelConfigurationReference = PriorityLevelConfigurationReference()
    matching_precedence: int = 0
    distinguisher_method: FlowDistinguisherMethod | None = None
    rules: tuple[PolicyRulesWithSubjects, ...] = ()


class FlowSchemaCondition(BuiltIn, frozen=True, kw_only=True):
    """`FlowSchemaCondition` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.FlowSchemaCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class FlowSchemaStatus(BuiltIn, frozen=True, kw_only=True):
    """`FlowSchemaStatus` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.FlowSchemaStatus"
    conditions: tuple[FlowSchemaCondition, ...] = ()


class FlowSchema(BuiltIn, frozen=True, kw_only=True):
    """`flowschemas` of flowcontrol.apiserver.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", False)
    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.FlowSchema"
    metadata: ObjectMeta = ObjectMeta()
    spec: FlowSchemaSpec = FlowSchemaSpec()
    status: FlowSchemaStatus = FlowSchemaStatus()


class QueuingConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`QueuingConfiguration` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.QueuingConfiguration"
    queues: int = 0
    hand_size: int = 0
    queue_length_limit: int = 0


class LimitResponse(BuiltIn, frozen=True, kw_only=True):
    """`LimitResponse` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.LimitResponse"
    type: str = ""
    queuing: QueuingConfiguration | None = None


class LimitedPriorityLevelConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`LimitedPriorityLevelConfiguration` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration"
    nominal_concurrency_shares: int | None = None
    limit_response: LimitResponse = LimitResponse()
    lendable_percent: int | None = None
    borrowing_limit_percent: int | None = None


class PriorityLevelConfigurationSpec(BuiltIn, frozen=True, kw_only=True):
    """`PriorityLevelConfigurationSpec` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec"
    type: str = ""
    limited: LimitedPriorityLevelConfiguration | None = None
    exempt: ExemptPriorityLevelConfiguration | None = None


class PriorityLevelConfigurationCondition(BuiltIn, frozen=True, kw_only=True):
    """`PriorityLevelConfigurationCondition` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class PriorityLevelConfigurationStatus(BuiltIn, frozen=True, kw_only=True):
    """`PriorityLevelConfigurationStatus` of flowcontrol.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus"
    conditions: tuple[PriorityLevelConfigurationCondition, ...] = ()


class PriorityLevelConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`prioritylevelconfigurations` of flowcontrol.apiserver.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration"
    metadata: ObjectMeta = ObjectMeta()
    spec: PriorityLevelConfigurationSpec = PriorityLevelConfigurationSpec()
    status: PriorityLevelConfigurationStatus = PriorityLevelConfigurationStatus()
