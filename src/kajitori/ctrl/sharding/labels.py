"""Who works on an object, by its labels: what the sharder decides, and what a shard may do. No client, no clock.

An object has a label that names its shard, and at times one that asks for it back (the *drain* label). Of the
transitions each is one write that fails when the object has changed:

    unassigned ──► assigned ──► draining ──► unassigned      by the sharder, the sharder, and the shard itself
                      └─────────────┴──────► assigned        by the sharder, when the shard is dead

Promises
    D1  what a shard holds it gives back itself, or it is dead: nobody else ends its hold
    D2  a shard begins no work on an object that is draining, and acknowledges when its last work on it has ended
    D3  an object that a shard does not see with its own name is not worked on
    D4  objects that another controls are moved at once: who works on the controller works on them

Source: timebertt/kubernetes-controller-sharding, pkg/controller/sharder and pkg/shard/controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kajitori.ctrl.sharding.states import ShardState

__all__ = [
    "LABEL_RING",
    "LABEL_STATE",
    "Assignment",
    "Step",
    "StepKind",
    "Verdict",
    "assignment_of",
    "decide",
    "drain_label",
    "judge",
    "shard_label",
]

LABEL_RING = "alpha.sharding.timebertt.dev/controllerring"
"""On a Lease: the ring that its shard belongs to."""
LABEL_STATE = "alpha.sharding.timebertt.dev/state"
"""On a Lease: the state, for people."""


def shard_label(ring: str) -> str:
    """On an object: its shard."""
    return f"shard.alpha.sharding.timebertt.dev/{ring}"


def drain_label(ring: str) -> str:
    """On an object: its shard is asked to give it back."""
    return f"drain.alpha.sharding.timebertt.dev/{ring}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What an object's labels say."""

    shard: str
    """Empty: nobody's."""
    draining: bool


def assignment_of(labels: Mapping[str, str], ring: str) -> Assignment:
    return Assignment(labels.get(shard_label(ring), ""), drain_label(ring) in labels)


class StepKind(Enum):
    NOTHING = "nothing"
    ASSIGN = "assign"
    """Set the label of the shard, and take away that which drains."""
    DRAIN = "drain"
    """Set the label that drains."""
    ASK = "ask"
    """Nothing is known of the shard that the object names: look whether its Lease exists."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the sharder does with one object next."""

    kind: StepKind
    shard: str = ""
    """To whom the object is assigned, or about whom to ask."""


_NOTHING = Step(StepKind.NOTHING)


def decide(
    now: Assignment, desired: str, states: Mapping[str, ShardState], *, controlled: bool = False
) -> Step:
    """The sharder's step. `desired` is the shard that the ring says, empty when there is none (D1, D4).

    nobody's                               assign
    its shard is the desired one           nothing
    nothing is known of its shard          ask
    its shard is dead, or it is controlled assign
    otherwise                              drain, once
    """
    if not desired or now.shard == desired:
        return _NOTHING
    if now.shard and not controlled:
        state = states.get(now.shard)
        if state is None:
            return Step(StepKind.ASK, now.shard)
        if state.is_available:
            return _NOTHING if now.draining else Step(StepKind.DRAIN)
    return Step(StepKind.ASSIGN, desired)


class Verdict(Enum):
    """What a shard does with an object."""

    WORK = "work"
    ACKNOWLEDGE = "acknowledge"
    """Take both labels away."""
    LEAVE = "leave"


def judge(now: Assignment, me: str) -> Verdict:
    """Of an object as the shard's cache has it (D2, D3)."""
    if now.shard != me:
        return Verdict.LEAVE
    return Verdict.ACKNOWLEDGE if now.draining else Verdict.WORK
