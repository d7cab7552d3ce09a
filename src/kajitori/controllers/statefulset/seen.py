"""What is seen of one StatefulSet, and what will be done: frozen values between observing, deciding and acting."""

from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "Action",
    "AdoptPod",
    "AdoptRevision",
    "CreateClaim",
    "CreatePod",
    "CreateRevision",
    "DeletePod",
    "DeleteRevision",
    "Plan",
    "ReleasePod",
    "SetSeen",
    "UpdateClaimOwners",
    "UpdatePod",
    "UpdateRevision",
    "UpdateStatus",
]


@dataclass(frozen=True, slots=True)
class SetSeen:
    """One StatefulSet with everything of its own."""

    set: Unstructured
    pods: tuple[Unstructured, ...] = ()
    """In its namespace: those it controls, and those that nobody controls."""
    revisions: tuple[Unstructured, ...] = ()
    """Controlled by it, or matching its selector and controlled by nobody."""
    claims: dict[str, Unstructured] = field(default_factory=dict[str, Unstructured])
    """By name, those that its Pods would use."""
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class AdoptPod:
    pod: Unstructured


@dataclass(frozen=True, slots=True)
class ReleasePod:
    pod: Unstructured


@dataclass(frozen=True, slots=True)
class CreatePod:
    pod: JsonObject


@dataclass(frozen=True, slots=True)
class UpdatePod:
    """Gives an adopted Pod the identity of its ordinal."""

    pod: JsonObject


@dataclass(frozen=True, slots=True)
class DeletePod:
    pod: Unstructured


@dataclass(frozen=True, slots=True)
class CreateClaim:
    claim: JsonObject
    pod_name: str


@dataclass(frozen=True, slots=True)
class UpdateClaimOwners:
    claim: Unstructured
    owners: list[Any]


@dataclass(frozen=True, slots=True)
class CreateRevision:
    revision: JsonObject


@dataclass(frozen=True, slots=True)
class AdoptRevision:
    revision: Unstructured


@dataclass(frozen=True, slots=True)
class UpdateRevision:
    """Gives a revision that is in use again the newest number."""

    revision: Unstructured
    number: int


@dataclass(frozen=True, slots=True)
class DeleteRevision:
    revision: Unstructured


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    status: JsonObject


Action = (
    AdoptPod
    | ReleasePod
    | CreatePod
    | UpdatePod
    | DeletePod
    | CreateClaim
    | UpdateClaimOwners
    | CreateRevision
    | AdoptRevision
    | UpdateRevision
    | DeleteRevision
    | UpdateStatus
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order; the status is told even when something before it fails."""

    actions: tuple[Action, ...] = ()
    problem: str = ""
    """What keeps a Pod from being made, in a sentence."""
    problem_pod: str = ""
    requeue_after_seconds: float = 0.0
    """When a Pod becomes available without anybody saying so; 0: somebody will."""
