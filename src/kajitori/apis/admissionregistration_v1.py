"""Typed models of admissionregistration.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.meta_v1 import Condition, LabelSelector

__all__ = [
    "ApplyConfiguration",
    "AuditAnnotation",
    "ExpressionWarning",
    "JSONPatch",
    "MatchCondition",
    "MatchResources",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBindingSpec",
    "MutatingAdmissionPolicySpec",
    "MutatingWebhook",
    "MutatingWebhookConfiguration",
    "Mutation",
    "NamedRuleWithOperations",
    "ParamKind",
    "ParamRef",
    "RuleWithOperations",
    "ServiceReference",
    "TypeChecking",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicyBindingSpec",
    "ValidatingAdmissionPolicySpec",
    "ValidatingAdmissionPolicyStatus",
    "ValidatingWebhook",
    "ValidatingWebhookConfiguration",
    "Validation",
    "Variable",
    "WebhookClientConfig",
]


class ApplyConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`ApplyConfiguration` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ApplyConfiguration"
    expression: str = ""


class AuditAnnotation(BuiltIn, frozen=True, kw_only=True):
    """`AuditAnnotation` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.AuditAnnotation"
    key: str = ""
    value_expression: str = ""


class ExpressionWarning(BuiltIn, frozen=True, kw_only=True):
    """`ExpressionWarning` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ExpressionWarning"
    field_ref: str = ""
    warning: str = ""


class JSONPatch(BuiltIn, frozen=True, kw_only=True):
    """`JSONPatch` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.JSONPatch"
    expression: str = ""


class MatchCondition(BuiltIn, frozen=True, kw_only=True):
    """`MatchCondition` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MatchCondition"
    name: str = ""
    expression: str = ""


class NamedRuleWithOperations(BuiltIn, frozen=True, kw_only=True):
    """`NamedRuleWithOperations` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.NamedRuleWithOperations"
    resource_names: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scope: str | None = None


class MatchResources(BuiltIn, frozen=True, kw_only=True):
    """`MatchResources` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MatchResources"
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    resource_rules: tuple[NamedRuleWithOperations, ...] = ()
    exclude_resource_rules: tuple[NamedRuleWithOperations, ...] = ()
    match_policy: str | None = None


class ParamKind(BuiltIn, frozen=True, kw_only=True):
    """`ParamKind` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ParamKind"
    api_version: str = ""
    kind: str = ""


class Variable(BuiltIn, frozen=True, kw_only=True):
    """`Variable` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.Variable"
    name: str = ""
    expression: str = ""


class Mutation(BuiltIn, frozen=True, kw_only=True):
    """`Mutation` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.Mutation"
    patch_type: str = ""
    apply_configuration: ApplyConfiguration | None = None
    json_patch: JSONPatch | None = None


class MutatingAdmissionPolicySpec(BuiltIn, frozen=True, kw_only=True):
    """`MutatingAdmissionPolicySpec` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec"
    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    variables: tuple[Variable, ...] = ()
    mutations: tuple[Mutation, ...] = ()
    failure_policy: str | None = None
    match_conditions: tuple[MatchCondition, ...] = ()
    reinvocation_policy: str = ""


class MutatingAdmissionPolicy(BuiltIn, frozen=True, kw_only=True):
    """`mutatingadmissionpolicies` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy"
    metadata: ObjectMeta = ObjectMeta()
    spec: MutatingAdmissionPolicySpec = MutatingAdmissionPolicySpec()


class ParamRef(BuiltIn, frozen=True, kw_only=True):
    """`ParamRef` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ParamRef"
    name: str = ""
    namespace: str = ""
    selector: LabelSelector | None = None
    parameter_not_found_action: str | None = None


class MutatingAdmissionPolicyBindingSpec(BuiltIn, frozen=True, kw_only=True):
    """`MutatingAdmissionPolicyBindingSpec` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec"
    policy_name: str = ""
    param_ref: ParamRef | None = None
    match_resources: MatchResources | None = None


class MutatingAdmissionPolicyBinding(BuiltIn, frozen=True, kw_only=True):
    """`mutatingadmissionpolicybindings` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding"
    metadata: ObjectMeta = ObjectMeta()
    spec: MutatingAdmissionPolicyBindingSpec = MutatingAdmissionPolicyBindingSpec()


class ServiceReference(BuiltIn, frozen=True, kw_only=True):
    """`ServiceReference` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ServiceReference"
    namespace: str = ""
    name: str = ""
    path: str | None = None
    port: int | None = None


class WebhookClientConfig(BuiltIn, frozen=True, kw_only=True):
    """`WebhookClientConfig` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.WebhookClientConfig"
    url: str | None = None
    service: ServiceReference | None = None
    ca_bundle: bytes = b""


class RuleWithOperations(BuiltIn, frozen=True, kw_only=True):
    """`RuleWithOperations` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.RuleWithOperations"
    operations: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    scope: str | None = None


class MutatingWebhook(BuiltIn, frozen=True, kw_only=True):
    """`MutatingWebhook` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingWebhook"
    name: str = ""
    client_config: WebhookClientConfig = WebhookClientConfig()
    rules: tuple[RuleWithOperations, ...] = ()
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    side_effects: str | None = None
    timeout_seconds: int | None = None
    admission_review_versions: tuple[str, ...] = ()
    reinvocation_policy: str | None = None
    match_conditions: tuple[MatchCondition, ...] = ()


class MutatingWebhookConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`mutatingwebhookconfigurations` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration"
    metadata: ObjectMeta = ObjectMeta()
    webhooks: tuple[MutatingWebhook, ...] = ()


class TypeChecking(BuiltIn, frozen=True, kw_only=True):
    """`TypeChecking` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.TypeChecking"
    expression_warnings: tuple[ExpressionWarning, ...] = ()


class Validation(BuiltIn, frozen=True, kw_only=True):
    """`Validation` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.Validation"
    expression: str = ""
    message: str = ""
    reason: str | None = None
    message_expression: str = ""


class ValidatingAdmissionPolicySpec(BuiltIn, frozen=True, kw_only=True):
    """`ValidatingAdmissionPolicySpec` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec"
    param_kind: ParamKind | None = None
    match_constraints: MatchResources | None = None
    validations: tuple[Validation, ...] = ()
    failure_policy: str | None = None
    audit_annotations: tuple[AuditAnnotation, ...] = ()
    match_conditions: tuple[MatchCondition, ...] = ()
    variables: tuple[Variable, ...] = ()


class ValidatingAdmissionPolicyStatus(BuiltIn, frozen=True, kw_only=True):
    """`ValidatingAdmissionPolicyStatus` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus"
    observed_generation: int = 0
    type_checking: TypeChecking | None = None
    conditions: tuple[Condition, ...] = ()


class ValidatingAdmissionPolicy(BuiltIn, frozen=True, kw_only=True):
    """`validatingadmissionpolicies` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"
    metadata: ObjectMeta = ObjectMeta()
    spec: ValidatingAdmissionPolicySpec = ValidatingAdmissionPolicySpec()
    status: ValidatingAdmissionPolicyStatus = ValidatingAdmissionPolicyStatus()


class ValidatingAdmissionPolicyBindingSpec(BuiltIn, frozen=True, kw_only=True):
    """`ValidatingAdmissionPolicyBindingSpec` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec"
    policy_name: str = ""
    param_ref: ParamRef | None = None
    match_resources: MatchResources | None = None
    validation_actions: tuple[str, ...] = ()


class ValidatingAdmissionPolicyBinding(BuiltIn, frozen=True, kw_only=True):
    """`validatingadmissionpolicybindings` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"
    metadata: ObjectMeta = ObjectMeta()
    spec: ValidatingAdmissionPolicyBindingSpec = ValidatingAdmissionPolicyBindingSpec()


class ValidatingWebhook(BuiltIn, frozen=True, kw_only=True):
    """`ValidatingWebhook` of admissionregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingWebhook"
    name: str = ""
    client_config: WebhookClientConfig = WebhookClientConfig()
    rules: tuple[RuleWithOperations, ...] = ()
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    side_effects: str | None = None
    timeout_seconds: int | None = None
    admission_review_versions: tuple[str, ...] = ()
    match_conditions: tuple[MatchCondition, ...] = ()


class ValidatingWebhookConfiguration(BuiltIn, frozen=True, kw_only=True):
    """`validatingwebhookconfigurations` of admissionregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        False,
    )
    __definition__: ClassVar[str] = "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration"
    metadata: ObjectMeta = ObjectMeta()
    webhooks: tuple[ValidatingWebhook, ...] = ()
