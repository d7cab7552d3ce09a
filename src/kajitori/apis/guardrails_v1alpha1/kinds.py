"""Guardrail: what needs a confirmation. Confirmation: tokens of dry runs, given back."""

from typing import Annotated, Any

import msgspec

from kajitori.apimachinery.declare import BuiltinSchema, Column, Default, Int32, kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.guardrails_v1alpha1.tokens import GROUP, TOKENS_MAX, VERSION

__all__ = ["Condition", "Confirmation", "ConfirmationSpec", "Exempt", "Guardrail", "GuardrailSpec"]

EXEMPT_USERS = ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
EXEMPT_GROUPS = ["system:nodes", "system:serviceaccounts:kube-system"]
"""Controllers: nobody could answer for the garbage collector, or for the one that empties namespaces."""

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class Condition(msgspec.Struct, frozen=True, rename="camel"):
    """An expression of CEL, as in match conditions of admission policies."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=317)]
    """What the condition is called in messages."""
    expression: Annotated[str, msgspec.Meta(min_length=1)]
    """Has `object`, `oldObject`, `request` and `authorizer`; of the subresource scale `object` is the Scale."""


class Exempt(msgspec.Struct, frozen=True, rename="camel"):
    """Who is never asked. Written out in every Guardrail, so that nobody has to know it."""

    users: Annotated[list[_Text], Default(EXEMPT_USERS), msgspec.Meta(max_length=100)] = []
    """Names of users."""
    groups: Annotated[list[_Text], Default(EXEMPT_GROUPS), msgspec.Meta(max_length=100)] = []
    """Names of groups. To break the glass, one that nobody is in until then."""


class GuardrailSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What needs a confirmation, and of whom."""

    match_constraints: Annotated[
        dict[str, Any], BuiltinSchema("io.k8s.api.admissionregistration.v1.MatchResources")
    ]
    """Which writes: rules of operations and resources, selectors of namespaces and objects, as in a
    ValidatingAdmissionPolicy. Deleting what contains or owns something that matches DELETE matches too."""
    match_conditions: Annotated[list[Condition], msgspec.Meta(max_length=64)] = []
    """All must be true for a confirmation to be needed; one without a value refuses the write."""
    exempt: Annotated[Exempt, Default({})] = Exempt()
    """Who is never asked."""
    token_lifetime_seconds: Annotated[Int32, msgspec.Meta(ge=10, le=3600)] = 300
    """How long the token of a dry run counts."""
    message: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    """What to tell who is asked."""


@kind(
    group=GROUP,
    version=VERSION,
    plural="guardrails",
    namespaced=False,
    columns=(
        Column("Lifetime", ".spec.tokenLifetimeSeconds", "integer"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    ),
)
class Guardrail(msgspec.Struct, frozen=True, rename="camel"):
    """Writes that need a confirmation: a token that a dry run of the very same request has issued."""

    spec: GuardrailSpec
    """What needs a confirmation, and of whom."""
    metadata: ObjectMeta = ObjectMeta()


class ConfirmationSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What is confirmed."""

    tokens: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=80)]], msgspec.Meta(min_length=1, max_length=TOKENS_MAX)
    ]
    """Tokens out of the warnings of dry runs; each counts once, for whom it was issued to."""
    reason: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    """Why, for the audit log: a ticket."""


@kind(group=GROUP, version=VERSION, plural="confirmations", namespaced=False)
class Confirmation(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens given back. Goes when they are spent."""

    spec: ConfirmationSpec
    """What is confirmed."""
    metadata: ObjectMeta = ObjectMeta()
