"""What is seen of one StatefulSet, and what will be done: frozen values between observing, deciding and acting."""

from typing import Any

import msgspec

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


class SetSeen(msgspec.Struct, frozen=True):
    """One StatefulSet with everything of its own."""

    set: Unstructured
    pods: tuple[Unstructured, ...] = ()
    """In its namespace: those it controls, and those that nobody controls."""
    revisions: tuple[Unstructured, ...] = ()
    """Controlled by it, or matching its selector and controlled by nobody."""
    claims: dict[str, Unstructured] = {}
    """By name, those that its Pods would use."""
    now: float = 0.0


class AdoptPod(msgspec.Struct, frozen=True):
    pod: Unstructured


class ReleasePod(msgspec.Struct, frozen=True):
    pod: Unstructured


class CreatePod(msgspec.Struct, frozen=True):
    pod: JsonObject


class UpdatePod(msgspec.Struct, frozen=True):
    """Gives an adopted Pod the identity of its ordinal."""

    pod: JsonObject


class DeletePod(msgspec.Struct, frozen=True):
    pod: Unstructured


class CreateClaim(msgspec.Struct, frozen=True):
    claim: JsonObject
    pod_name: str


class UpdateClaimOwners(msgspec.Struct, frozen=True):
    claim: Unstructured
    owners: list[Any]


class CreateRevision(msgspec.Struct, frozen=True):
    revision: JsonObject


class AdoptRevision(msgspec.Struct, frozen=True):
    revision: Unstructured


class UpdateRevision(msgspec.Struct, frozen=True):
    """Gives a revision that is in use again the newest number."""

    revision: Unstructured
    number: int


class DeleteRevision(msgspec.Struct, frozen=True):
    revision: Unstructured


class UpdateStatus(msgspec.Struct, frozen=True):
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


class Plan(msgspec.Struct, frozen=True):
    """What to do, in this order; the status is told even when something before it fails."""

    actions: tuple[Action, ...] = ()
    problem: str = ""
    """What keeps a Pod from being made, in a sentence."""
    problem_pod: str = ""
    requeue_after_seconds: float = 0.0
    """When a Pod becomes available without anybody saying so; 0: somebody will."""
