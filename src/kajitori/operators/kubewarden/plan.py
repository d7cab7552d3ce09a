"""What will be done about one policy. Values only."""

from dataclasses import dataclass
from enum import StrEnum

from kajitori.apis import JsonObject, Kind

__all__ = ["MUTATING", "VALIDATING", "Plan", "State"]

_GROUP = "admissionregistration.k8s.io"
MUTATING = Kind(
    _GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False
)
VALIDATING = Kind(
    _GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False
)


class State(StrEnum):
    """Where a policy stands."""

    DELETING = "Deleting"
    INVALID = "Invalid"
    UNSCHEDULED = "Unscheduled"
    SCHEDULED = "Scheduled"
    PENDING = "Pending"
    OUTDATED = "Outdated"
    ACTIVE = "Active"


@dataclass(frozen=True, slots=True)
class Plan:
    """Carried out from the top: requests must not reach what is not there yet."""

    state: State
    reason: str
    add_finalizer: bool = False
    applied: JsonObject | None = None
    """The webhook configuration, as it should be."""
    deleted: tuple[Kind, ...] = ()
    """Webhook configurations of the policy's name that must go."""
    status: JsonObject | None = None
    """Written when it differs from what is there."""
    remove_finalizer: bool = False
    retry_after_seconds: float = 0.0
