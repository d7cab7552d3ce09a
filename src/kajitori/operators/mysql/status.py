"""What the status of a cluster says, as far as the objects tell: conditions, counts, what was reconciled.

Truthfully: whether the databases are initialised, available and healthy can only be known by asking them. As
long as nobody does, those conditions are Unknown and ClusteringActive is False, with a reason that says so.

Promises
    T1  `lastTransitionTime` moves only with the status of its condition
    T2  what somebody else writes into the status stays: other conditions, the primary's index, backups
    T3  nothing is written when nothing changed
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.names import ANNOTATION_CLUSTERING_STOPPED
from kajitori.ctrl import ConditionStatus, find_condition, set_condition
from kajitori.operators.mysql.plan import Event, Problem
from kajitori.operators.mysql.seen import ClusterSeen
from kajitori.operators.mysql.settings import RECONCILE_VERSION

__all__ = ["problem_events", "status_after", "status_of_failure", "status_when_stopped"]

_NOBODY_ASKS = (
    "No instance has been asked: this operator makes a cluster's objects and does not run its databases yet"
)


class _Conditions:
    """The conditions of a cluster while they are being set."""

    def __init__(self, cluster: Mapping[str, Any], now: datetime) -> None:
        self.items: Sequence[Mapping[str, Any]] = (cluster.get("status") or {}).get("conditions") or ()
        self._generation: int = cluster["metadata"].get("generation", 0)
        self._now = now

    def set(self, type: str, status: ConditionStatus, reason: str, message: str) -> None:
        self.items = set_condition(
            self.items,
            type,
            status=status,
            reason=reason,
            message=message,
            observed_generation=self._generation,
            now=self._now,
        )


def status_after(seen: ClusterSeen, sts: JsonObject | None, problems: Sequence[Problem]) -> JsonObject | None:
    """The members of the status to write after a round; None when they stand there already."""
    conditions = _Conditions(seen.cluster, seen.now)
    _set_unasked(conditions, seen.cluster)
    _set_statefulset_ready(conditions, sts)
    if problems:
        message = "; ".join(each.message for each in problems)
        conditions.set("ReconcileSuccess", "False", problems[0].reason, message)
    else:
        conditions.set("ReconcileSuccess", "True", "ReconcileSuccess", "All objects are as they should be")
    conditions.set("ReconciliationActive", "True", "ReconciliationActive", "Changes are acted on")
    old: JsonObject = seen.cluster.get("status") or {}
    wanted: JsonObject = {
        "conditions": list(conditions.items),
        "currentPrimaryIndex": old.get("currentPrimaryIndex", 0),
        "syncedReplicas": sum(_is_ready(pod) for pod in seen.pods),
        "errantReplicas": old.get("errantReplicas", 0),
        "reconcileInfo": {
            "generation": seen.cluster["metadata"].get("generation", 0),
            "reconcileVersion": RECONCILE_VERSION,
        },
    }
    return None if all(old.get(key) == value for key, value in wanted.items()) else wanted


def _set_unasked(conditions: _Conditions, cluster: Mapping[str, Any]) -> None:
    annotations = cluster["metadata"].get("annotations") or {}
    if annotations.get(ANNOTATION_CLUSTERING_STOPPED) == "true":
        reason, message = "ClusteringStopped", f"Stopped by the annotation {ANNOTATION_CLUSTERING_STOPPED}"
    else:
        reason, message = "NotManaged", _NOBODY_ASKS
    for type in ("Initialized", "Available", "Healthy"):
        conditions.set(type, "Unknown", reason, message)
    conditions.set("ClusteringActive", "False", reason, message)


def _set_statefulset_ready(conditions: _Conditions, sts: JsonObject | None) -> None:
    if sts is None:
        conditions.set(
            "StatefulSetReady", "False", "StatefulSetNotFound", "The StatefulSet does not exist yet"
        )
        return
    status: JsonObject = sts.get("status") or {}
    replicas, available = sts["spec"].get("replicas", 1), status.get("availableReplicas", 0)
    if status.get("observedGeneration", 0) != sts["metadata"].get("generation", 0):
        conditions.set(
            "StatefulSetReady", "False", "StatefulSetNotObserved", "Its last change is not acted on yet"
        )
    elif status.get("currentRevision") != status.get("updateRevision"):
        conditions.set("StatefulSetReady", "False", "RollingOut", "Not all Pods have the newest template yet")
    elif available != replicas:
        message = f"{available} of {replicas} Pods are available"
        conditions.set("StatefulSetReady", "False", "StatefulSetNotReady", message)
    else:
        conditions.set("StatefulSetReady", "True", "StatefulSetReady", "All Pods are available")


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def status_when_stopped(seen: ClusterSeen) -> JsonObject | None:
    """The same while reconciliation is stopped: only that it is."""
    conditions = _Conditions(seen.cluster, seen.now)
    message = "Stopped by the annotation moco.cybozu.com/reconciliation-stopped"
    conditions.set("ReconciliationActive", "False", "ReconciliationStopped", message)
    _set_unasked(conditions, seen.cluster)
    return _if_new(seen.cluster, conditions)


def status_of_failure(cluster: Mapping[str, Any], now: datetime, message: str) -> JsonObject | None:
    """The same after an action failed."""
    conditions = _Conditions(cluster, now)
    conditions.set("ReconcileSuccess", "False", "ReconcileFailed", message)
    return _if_new(cluster, conditions)


def _if_new(cluster: Mapping[str, Any], conditions: _Conditions) -> JsonObject | None:
    new = list(conditions.items)
    return None if (cluster.get("status") or {}).get("conditions") == new else {"conditions": new}


def problem_events(cluster: Mapping[str, Any], problems: Sequence[Problem]) -> tuple[Event, ...]:
    """A warning for each problem that the status does not tell yet; told once, not in every round."""
    told = find_condition((cluster.get("status") or {}).get("conditions"), "ReconcileSuccess") or {}
    message = "; ".join(each.message for each in problems)
    if told.get("status") == "False" and told.get("message") == message:
        return ()
    return tuple(Event("Warning", each.reason, each.message) for each in problems)
