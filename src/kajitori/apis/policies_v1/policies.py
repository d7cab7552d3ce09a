"""The policies: AdmissionPolicy and ClusterAdmissionPolicy, and groups of them.

Every field, default and rule that OpenAPI can express stands here and becomes the CustomResourceDefinition;
`validation` holds what only code can say. Descriptions are those of `kubectl explain`.

Source: policies.kubewarden.io/v1.
"""

from typing import Annotated, Any, Literal

import msgspec

from kajitori.apimachinery.declare import (
    Atomic,
    BuiltinSchema,
    Column,
    Default,
    Int32,
    Int64,
    ListMap,
    Nullable,
    PreserveUnknown,
    Rule,
    kind,
)
from kajitori.apimachinery.declare import Format as _Format
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.policies_v1.names import DEFAULT_POLICY_SERVER, GROUP, VERSION

__all__ = [
    "AdmissionPolicy",
    "AdmissionPolicyGroup",
    "ClusterAdmissionPolicy",
    "ClusterAdmissionPolicyGroup",
    "Condition",
    "ContextAwareResource",
    "GroupMember",
    "GroupMemberWithContext",
    "MatchCondition",
    "PolicyRule",
    "PolicyStatus",
]

_SELECTOR = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"
_Selector = Annotated[dict[str, Any], BuiltinSchema(_SELECTOR)]
_Seconds = Annotated[Int32, msgspec.Meta(ge=2, le=30)]
_Settings = Annotated[dict[str, Any] | None, Nullable, PreserveUnknown]
_Texts = Annotated[list[str], Atomic]
_Mode = Literal["protect", "monitor"]
# The controller whose kinds these are says this by a webhook; as rules it holds on every API server.
_STAYS = Rule("self == oldSelf", "the field is immutable", reason="FieldValueForbidden")
_NO_WAY_BACK = Rule(
    "!(oldSelf == 'protect' && self == 'monitor')",
    "field cannot transition from protect to monitor. Recreate instead.",
    reason="FieldValueForbidden",
)


class PolicyRule(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Operations on resources, as in the rules of admission webhooks."""

    api_groups: _Texts = []
    """API groups of the resources; `*` stands for all."""
    api_versions: _Texts = []
    """Versions of the resources; `*` stands for all."""
    operations: _Texts = []
    """CREATE, UPDATE, DELETE, CONNECT, or `*` for all."""
    resources: _Texts = []
    """Resources: `pods`, `pods/log`, `*`, `pods/*`, `*/scale`, `*/*`."""
    scope: str = ""
    """`Cluster`, `Namespaced` or `*`."""


class MatchCondition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A condition in CEL that a request must meet to be given to the policy."""

    name: str
    """Name of the condition, a qualified name."""
    expression: str
    """An expression of `object`, `oldObject`, `request` and `authorizer` that gives a bool."""


class ContextAwareResource(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A kind that a policy may read from the cluster."""

    api_version: str
    """Group and version: `v1`, `apps/v1`."""
    kind: str
    """The kind, in the singular: `Pod`."""


class Condition(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One aspect of the state of an object."""

    type: Annotated[
        str,
        msgspec.Meta(
            max_length=316,
            pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        ),
    ]
    """What it is about, in CamelCase."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    last_transition_time: Annotated[str, _Format("date-time")]
    """When `status` last changed."""
    reason: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
    ]
    """Why, in one CamelCase word."""
    message: Annotated[str, msgspec.Meta(max_length=32768)]
    """Why, in a sentence."""
    observed_generation: Annotated[Int64, msgspec.Meta(ge=0)] | None = None
    """The `metadata.generation` that this is about."""


class PolicyStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What became of a policy."""

    policy_status: Literal["unscheduled", "scheduled", "pending", "active"]
    """`active` once requests are given to it."""
    mode: Literal["protect", "monitor", "unknown"] | None = None
    """The mode in which it is run."""
    conditions: Annotated[list[Condition], ListMap("type")] = []
    """`PolicyActive`, `PolicyServerConfigurationUpToDate`, `PolicyUniquelyReachable`."""


class _Matching(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Which requests are given to a policy, and how: the same for single ones and for groups."""

    rules: list[PolicyRule]
    """Which operations on which resources the policy is asked about; any of them suffices."""
    policy_server: Annotated[str, Default(DEFAULT_POLICY_SERVER), _STAYS] = DEFAULT_POLICY_SERVER
    """Name of the PolicyServer that runs it."""
    mode: Annotated[_Mode, Default("protect"), _NO_WAY_BACK] = "protect"
    """`protect` rejects requests, `monitor` only logs what it would do. A policy may go from `monitor` to `protect`,
    not back: create it anew for that."""
    failure_policy: str | None = None
    """`Fail` (the default) or `Ignore`: what becomes of a request when the policy cannot be asked."""
    background_audit: Annotated[bool, Default(True)] = True
    """Whether the policy says something useful about objects that are there already."""
    match_policy: str | None = None
    """`Exact`, or `Equivalent` (the default): also for other groups and versions of the same resources."""
    match_conditions: list[MatchCondition] = []
    """Conditions that must all hold for the policy to be asked; at most 64."""
    object_selector: _Selector | None = None
    """Labels that the object, new or old, must have."""
    side_effects: str | None = None
    """`None` or `NoneOnDryRun`: whether asking the policy changes anything."""
    timeout_seconds: Annotated[_Seconds, Default(10)] = 10
    """How long the API server waits for an answer."""


class _PolicySpec(_Matching, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    module: str
    """Where the WebAssembly module is: `registry://`, `https://`, `http://` or `file://`; without any of these, in a
    registry."""
    mutating: bool
    """Whether the policy may change objects."""
    settings: _Settings = None
    """Configuration of the policy, in whatever form it wants."""
    timeout_eval_seconds: _Seconds | None = None
    """How long an evaluation may take; by default 2 seconds."""
    message: str = ""
    """Takes the place of the policy's own message when a request is rejected; that one becomes a cause."""


class GroupMember(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A policy of a group."""

    module: str
    """Where the WebAssembly module is: `registry://`, `https://`, `http://` or `file://`; without any of these, in a
    registry."""
    settings: _Settings = None
    """Configuration of the policy, in whatever form it wants."""
    timeout_eval_seconds: _Seconds | None = None
    """How long an evaluation may take; by default 2 seconds."""


class GroupMemberWithContext(GroupMember, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A policy of a group, which may read from the cluster."""

    context_aware_resources: list[ContextAwareResource] = []
    """Kinds that the policy may read from the cluster."""


class _GroupSpec(_Matching, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    expression: str
    """An expression in CEL that calls the group's policies by name: `a() && (b() || !c())`. When it is true the request
    is accepted."""
    message: str
    """What is said when the group rejects a request; what its policies said becomes the causes."""


class AdmissionPolicySpec(_PolicySpec, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What a policy of one namespace does."""


class ClusterAdmissionPolicySpec(_PolicySpec, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What a policy of the whole cluster does."""

    namespace_selector: _Selector | None = None
    """Labels that the namespace of the object must have."""
    context_aware_resources: list[ContextAwareResource] = []
    """Kinds that the policy may read from the cluster."""


class AdmissionPolicyGroupSpec(_GroupSpec, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What a group of policies of one namespace does."""

    policies: dict[str, GroupMember]
    """The policies, by the names that the expression has for them."""


class ClusterAdmissionPolicyGroupSpec(
    _GroupSpec, frozen=True, rename="camel", omit_defaults=True, kw_only=True
):
    """What a group of policies of the whole cluster does."""

    policies: dict[str, GroupMemberWithContext]
    """The policies, by the names that the expression has for them."""
    namespace_selector: _Selector | None = None
    """Labels that the namespace of the object must have."""


_COLUMNS = (
    Column("Policy Server", ".spec.policyServer", description="Bound to Policy Server"),
    Column(
        "Mutating",
        ".spec.mutating",
        "boolean",
        description="Whether the policy is mutating",
        may_be_absent=True,  # Groups have the column too, in their original, and cannot be mutating.
    ),
    Column(
        "BackgroundAudit",
        ".spec.backgroundAudit",
        "boolean",
        description="Whether the policy is used in audit checks",
    ),
    Column("Mode", ".spec.mode", description="Policy deployment mode"),
    Column(
        "Observed mode",
        ".status.mode",
        description="Policy deployment mode observed on the assigned Policy Server",
    ),
    Column("Status", ".status.policyStatus", description="Status of the policy"),
    Column("Age", ".metadata.creationTimestamp", "date"),
    Column("Severity", r".metadata.annotations['io\.kubewarden\.policy\.severity']", priority=1),
    Column("Category", r".metadata.annotations['io\.kubewarden\.policy\.category']", priority=1),
)


@kind(
    group=GROUP,
    version=VERSION,
    plural="admissionpolicies",
    short_names=("ap",),
    status=True,
    columns=_COLUMNS,
)
class AdmissionPolicy(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A policy for the requests of its namespace."""

    spec: AdmissionPolicySpec | None = None
    """What it does."""
    metadata: ObjectMeta = ObjectMeta()
    status: PolicyStatus | None = None
    """What became of it."""


@kind(
    group=GROUP,
    version=VERSION,
    plural="clusteradmissionpolicies",
    short_names=("cap",),
    namespaced=False,
    status=True,
    columns=_COLUMNS,
)
class ClusterAdmissionPolicy(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A policy for the requests of all namespaces, and for those of none."""

    spec: ClusterAdmissionPolicySpec | None = None
    """What it does."""
    metadata: ObjectMeta = ObjectMeta()
    status: PolicyStatus | None = None
    """What became of it."""


@kind(
    group=GROUP,
    version=VERSION,
    plural="admissionpolicygroups",
    short_names=("apg",),
    status=True,
    columns=_COLUMNS,
)
class AdmissionPolicyGroup(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Several policies, asked as one, for the requests of their namespace."""

    spec: AdmissionPolicyGroupSpec | None = None
    """What it does."""
    metadata: ObjectMeta = ObjectMeta()
    status: PolicyStatus | None = None
    """What became of it."""


@kind(
    group=GROUP,
    version=VERSION,
    plural="clusteradmissionpolicygroups",
    short_names=("capg",),
    namespaced=False,
    status=True,
    columns=_COLUMNS,
)
class ClusterAdmissionPolicyGroup(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Several policies, asked as one, for the requests of all namespaces, and for those of none."""

    spec: ClusterAdmissionPolicyGroupSpec | None = None
    """What it does."""
    metadata: ObjectMeta = ObjectMeta()
    status: PolicyStatus | None = None
    """What became of it."""
