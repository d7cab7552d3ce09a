"""What tests wait for, by the names that Kubernetes' e2e-framework gives it.

    await kube.wait_for_object(PODS, namespace, "web", pod_ready)
    await kube.wait_for_object(WIDGETS, namespace, "big", condition_true("Ready"))
    await kube.wait_for_list(PODS, namespace, list_n(3), labels="app=web")

Each takes an object, as JSON of which any part may be missing or as an instance of a class, and says whether it holds.
Those that are about a specification hold only when a controller has seen it: `status.observedGeneration` is not behind.

Source: e2e-framework's `klient/wait/conditions`, whose names these are, in Python's spelling.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.ctrl import find_condition

__all__ = [
    "Holds",
    "condition_match",
    "condition_true",
    "containers_ready",
    "daemon_set_ready",
    "deployment_available",
    "job_completed",
    "job_failed",
    "list_match_n",
    "list_n",
    "pod_phase_match",
    "pod_ready",
    "pod_running",
    "resource_scaled",
    "stateful_set_ready",
]

Seen = Mapping[str, Any]


class Holds:
    """A condition that tells its name when it is waited for in vain."""

    def __init__(self, name: str, judge: Callable[[Any], bool]) -> None:
        self._name = name
        self._judge = judge

    def __call__(self, seen: Any) -> bool:
        return self._judge(_told(seen))

    def __repr__(self) -> str:
        return self._name


def condition_match(type: str, status: str, reason: str | None = None) -> Holds:
    """The object has this condition with this status (`True`, `False`, `Unknown`), and `reason` when one is given.

    A condition that says which generation it is about must not be about an older one.
    """

    def judge(seen: Seen) -> bool:
        found = find_condition(_status(seen).get("conditions"), type)
        if found is None or found.get("status") != status or reason not in (None, found.get("reason")):
            return False
        about: int = found.get("observedGeneration", _generation(seen))
        return about >= _generation(seen)

    said = f"condition_match({type!r}, {status!r}{'' if reason is None else f', {reason!r}'})"
    return Holds(said, judge)


def condition_true(type: str) -> Holds:
    """The object's condition of this type is `True`."""
    return Holds(f"condition_true({type!r})", condition_match(type, "True"))


def pod_phase_match(phase: str) -> Holds:
    """The Pod is in this phase: `Pending`, `Running`, `Succeeded`, `Failed`."""
    return Holds(f"pod_phase_match({phase!r})", lambda seen: _status(seen).get("phase") == phase)


def resource_scaled(replicas: int) -> Holds:
    """The status of what has replicas counts so many."""
    return Holds(
        f"resource_scaled({replicas})",
        lambda seen: _is_observed(seen) and _status(seen).get("replicas", 0) == replicas,
    )


def list_n(count: int) -> Holds:
    """The list has at least so many objects."""
    return Holds(f"list_n({count})", lambda seen: len(seen) >= count)


def list_match_n(count: int, holds: Callable[[Any], object]) -> Holds:
    """At least so many objects of the list are as `holds` wants them."""

    def judge(seen: Sequence[Any]) -> bool:
        return sum(1 for each in seen if holds(each)) >= count

    return Holds(f"list_match_n({count}, {holds!r})", judge)


def _told(seen: Any) -> Any:
    """An instance of a class as JSON with its zeros, as a controller in Go tells them."""
    if isinstance(seen, msgspec.Struct):
        members = ((each.encode_name, getattr(seen, each.name)) for each in msgspec.structs.fields(seen))
        return {name: _told(member) for name, member in members if member is not None}
    return [_told(each) for each in seen] if isinstance(seen, tuple) else seen


def _status(seen: Seen) -> Mapping[str, Any]:
    return seen.get("status") or {}


def _generation(seen: Seen) -> int:
    generation: int = seen["metadata"].get("generation") or 0
    return generation


def _is_observed(seen: Seen) -> bool:
    observed: int = _status(seen).get("observedGeneration") or 0
    return observed >= _generation(seen)


def _all_ready(seen: Seen) -> bool:
    wanted = (seen.get("spec") or {}).get("replicas")
    status = _status(seen)
    count = 1 if wanted is None else wanted
    return (
        _is_observed(seen)
        and status.get("updatedReplicas", 0) == status.get("readyReplicas", 0) == count
        and status.get("replicas", 0) == count
    )


def _is_deployed(seen: Seen) -> bool:
    return _is_observed(seen) and condition_true("Available")(seen)


def _daemons_ready(seen: Seen) -> bool:
    status = _status(seen)
    wanted = status.get("desiredNumberScheduled")
    return _is_observed(seen) and wanted is not None and status.get("numberReady") == wanted


pod_ready = Holds("pod_ready", condition_true("Ready"))
"""The Pod is ready."""

containers_ready = Holds("containers_ready", condition_true("ContainersReady"))
"""All containers of the Pod are ready."""

pod_running = Holds("pod_running", pod_phase_match("Running"))
"""The Pod runs, ready or not."""

deployment_available = Holds("deployment_available", _is_deployed)
"""The Deployment, as it is now, has as many Pods as it must."""

stateful_set_ready = Holds("stateful_set_ready", _all_ready)
"""All Pods of the StatefulSet are there, of its newest revision, and ready."""

daemon_set_ready = Holds("daemon_set_ready", _daemons_ready)
"""The DaemonSet's Pods are ready on all nodes that should have one."""

job_completed = Holds("job_completed", condition_true("Complete"))
"""The Job has done its work."""

job_failed = Holds("job_failed", condition_true("Failed"))
"""The Job has given up."""
