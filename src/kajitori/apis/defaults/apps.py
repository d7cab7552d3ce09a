"""Defaults of the apps group.

Source: pkg/apis/apps/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_APPS = "io.k8s.api.apps.v1."
_REVISIONS_KEPT = 10


def _fill_zeros(strategy: JsonObject, *members: str) -> None:
    """Kubernetes' own version has no pointers here: what is not told of a rolling update is 0."""
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        strategy["rollingUpdate"] = {**dict.fromkeys(members, 0), **rolling}


def _deployment(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    strategy = spec["strategy"]
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy["rollingUpdate"] = {
            "maxUnavailable": "25%",
            "maxSurge": "25%",
            **(strategy.get("rollingUpdate") or {}),
        }
    _fill_zeros(strategy, "maxUnavailable", "maxSurge")
    spec.setdefault("revisionHistoryLimit", _REVISIONS_KEPT)
    spec.setdefault("progressDeadlineSeconds", 600)


_COUNTER = "deprecated.daemonset.template.generation"
"""How often a DaemonSet's template has changed: a field of its older versions, which apps/v1 always shows."""


def _daemon_set(obj: JsonObject) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    if _COUNTER not in annotations:
        obj["metadata"]["annotations"] = dict(sorted({**annotations, _COUNTER: "0"}.items()))
    strategy = obj["spec"]["updateStrategy"]
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy["rollingUpdate"] = {
            "maxUnavailable": 1,
            "maxSurge": 0,
            **(strategy.get("rollingUpdate") or {}),
        }
    _fill_zeros(strategy, "maxUnavailable", "maxSurge")
    obj["spec"].setdefault("revisionHistoryLimit", _REVISIONS_KEPT)


def _stateful_set(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    _fill_zeros(strategy, "partition")
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", _REVISIONS_KEPT)
    claims = spec.get("volumeClaimTemplates")
    if claims:
        head = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
        spec["volumeClaimTemplates"] = [{**head, **each, **head} for each in claims]


def _replica_set(obj: JsonObject) -> None:
    obj["spec"].setdefault("replicas", 1)


DEFAULTS = {
    f"{_APPS}DaemonSet": _daemon_set,
    f"{_APPS}Deployment": _deployment,
    f"{_APPS}ReplicaSet": _replica_set,
    f"{_APPS}StatefulSet": _stateful_set,
}
