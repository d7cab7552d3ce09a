"""What the operator will do to a cluster, as values: decided by `decide`, carried out by `act`.

Every action is safe to repeat, and none depends on the result of another: after an action that failed, the
next round observes and decides anew.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from kajitori.apis import JsonObject, Kind

__all__ = [
    "Action",
    "Apply",
    "Create",
    "Delete",
    "Event",
    "GrowClaim",
    "Patch",
    "Plan",
    "Problem",
    "RecreateStatefulSet",
    "ReplaceClaim",
    "State",
    "describe",
]


class State(StrEnum):
    """Where a cluster stands, at the level of its objects."""

    DELETING = "Deleting"
    STOPPED = "Stopped"
    INVALID = "Invalid"
    ADOPTING = "Adopting"
    BLOCKED = "Blocked"
    CONVERGING = "Converging"
    SETTLED = "Settled"


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell whoever looks at the cluster."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the operator from doing what the cluster asks for; a person must help."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    kind: Kind
    why: str
    event: Event | None = None
    """Told once the action has succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply(_Action):
    """Server-side apply, taking fields over from others."""

    obj: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_Action):
    """Create, never change. `may_exist`: somebody else may have been faster, which is as good."""

    obj: JsonObject
    may_exist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch(_Action):
    """Merge patch of one object. A `resourceVersion` in it makes the server refuse when the object has
    changed."""

    namespace: str
    name: str
    patch: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_Action):
    """Delete one object, and only the one that was seen."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowClaim(_Action):
    """Ask for more storage in a bound claim."""

    namespace: str
    name: str
    uid: str
    storage: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceClaim(_Action):
    """Delete a claim that has no volume, just as it was seen, and create it again with more storage."""

    obj: JsonObject
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateStatefulSet(_Action):
    """Delete the StatefulSet that was seen, leaving its Pods, and apply it again."""

    obj: JsonObject
    uid: str


Action = Apply | Create | Patch | Delete | GrowClaim | ReplaceClaim | RecreateStatefulSet


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in order, and what to say."""

    state: State
    reason: str
    """Why the cluster is in that state, in one sentence."""
    actions: tuple[Action, ...] = ()
    status: JsonObject | None = None
    """The members of `status` to write once the actions have succeeded; None when they stand there
    already."""
    events: tuple[Event, ...] = ()
    problems: tuple[Problem, ...] = field(default=())
    requeue_after_seconds: float = 0.0


def describe(action: Action) -> dict[str, Any]:
    """The action as plain data, without what is secret."""
    match action:
        case Apply(obj=obj) | Create(obj=obj) | ReplaceClaim(obj=obj) | RecreateStatefulSet(obj=obj):
            namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        case Patch() | Delete() | GrowClaim():
            namespace, name = action.namespace, action.name
    told: dict[str, Any] = {
        "action": type(action).__name__,
        "kind": action.kind.kind,
        "namespace": namespace,
        "name": name,
        "why": action.why,
    }
    if isinstance(action, GrowClaim):
        told["storage"] = action.storage
    if action.event is not None:
        told["event"] = f"{action.event.reason}: {action.event.message}"
    return told
