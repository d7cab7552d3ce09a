"""How a Pod of a set is doing.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.time import parse_time

__all__ = ["available_in", "is_ended", "is_pending", "is_ready", "is_terminating", "phase_of"]


def phase_of(pod: Mapping[str, Any]) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def is_terminating(pod: Mapping[str, Any]) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_ended(pod: Mapping[str, Any]) -> bool:
    """A Pod that will never run again."""
    return phase_of(pod) in ("Failed", "Succeeded")


def is_pending(pod: Mapping[str, Any]) -> bool:
    return phase_of(pod) == "Pending"


def _ready(pod: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for each in (pod.get("status") or {}).get("conditions") or ():
        if each.get("type") == "Ready":
            return each if each.get("status") == "True" else None
    return None


def is_ready(pod: Mapping[str, Any]) -> bool:
    return phase_of(pod) == "Running" and _ready(pod) is not None


def available_in(pod: Mapping[str, Any], min_ready_seconds: int, now: float) -> float | None:
    """In how many seconds the Pod counts as available: 0 already, None not by waiting alone."""
    ready = _ready(pod)
    if ready is None or phase_of(pod) != "Running":
        return None
    if not min_ready_seconds:
        return 0.0
    since = ready.get("lastTransitionTime")
    if not since:
        return None
    return max(0.0, parse_time(since) + min_ready_seconds - now)
