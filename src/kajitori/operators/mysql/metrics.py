"""What the operator counts about each cluster, under the names that MOCO's dashboards know.

Only what is known at the level of objects: nothing is said about availability, which nobody measures here.
Counting is adding to plain numbers; prometheus_client is imported when somebody first reads.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kajitori.apis import JsonObject, parse_duration, parse_time
from kajitori.apis.mysql_v1beta2.names import ANNOTATION_CLUSTERING_STOPPED, ANNOTATION_RECONCILIATION_STOPPED
from kajitori.operators.mysql.plan import Action, GrowClaim, RecreateStatefulSet, ReplaceClaim
from kajitori.operators.mysql.seen import STATEFUL_SET, ClusterSeen

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["ClusterKey", "ClusterMetrics"]

ClusterKey = tuple[str, str]
"""Namespace and name."""

_COUNTERS = {
    "volume_resized": "Volume claims that were made to grow",
    "volume_resized_errors": "Attempts to make a volume claim grow that failed",
    "statefulset_recreate": "Re-creations of the StatefulSet",
    "statefulset_recreate_errors": "Re-creations of the StatefulSet that failed",
}
_GAUGES = {
    "moco_cluster_replicas": "Instances that the cluster should have",
    "moco_cluster_ready_replicas": "Instances that are ready",
    "moco_cluster_current_replicas": "Pods with the StatefulSet's current template",
    "moco_cluster_updated_replicas": "Pods with the StatefulSet's newest template",
    "moco_cluster_clustering_stopped": "Whether clustering is stopped",
    "moco_cluster_reconciliation_stopped": "Whether reconciliation is stopped",
    "moco_cluster_errant_replicas": "Instances with transactions that the primary has not",
    "moco_backup_timestamp": "Unix time of the last successful backup",
    "moco_backup_elapsed_seconds": "How long the last backup took",
    "moco_backup_dump_bytes": "Size of the last dump",
    "moco_backup_binlog_bytes": "Size of the last binary log archive",
    "moco_backup_workdir_usage_bytes": "Use of the work volume by the last backup",
    "moco_backup_warnings": "Warnings of the last backup",
}


@dataclass(slots=True)
class _Figures:
    counters: dict[str, int] = field(default_factory=dict[str, int])
    gauges: dict[str, float] = field(default_factory=dict[str, float])


class ClusterMetrics:
    """The figures of all clusters: a collector for any prometheus_client registry."""

    def __init__(self) -> None:
        self._clusters: dict[ClusterKey, _Figures] = {}

    @contextmanager
    def counting(self, cluster: ClusterKey, action: Action) -> Generator[None]:
        """Counts an action as done or, when it raises, as failed."""
        match action:
            case GrowClaim() | ReplaceClaim():
                name = "volume_resized"
            case RecreateStatefulSet():
                name = "statefulset_recreate"
            case _:
                yield
                return
        try:
            yield
        except Exception:
            self._count(cluster, f"{name}_errors")
            raise
        self._count(cluster, name)

    def count_refused_growth(self, cluster: ClusterKey) -> None:
        """A growth that a StorageClass forbids counts as failed, so that an alert tells somebody."""
        self._count(cluster, "volume_resized_errors")

    def _count(self, cluster: ClusterKey, name: str) -> None:
        counters = self._clusters.setdefault(cluster, _Figures()).counters
        counters[name] = counters.get(name, 0) + 1

    def see(self, seen: ClusterSeen) -> None:
        """Takes the gauges from what was seen."""
        metadata = seen.cluster["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        sts = seen.object(STATEFUL_SET, namespace, f"moco-{name}") or {}
        rollout: JsonObject = sts.get("status") or {}
        annotations: dict[str, str] = metadata.get("annotations") or {}
        status: JsonObject = seen.cluster.get("status") or {}
        gauges: dict[str, float] = {
            "moco_cluster_replicas": (seen.cluster.get("spec") or {}).get("replicas", 1),
            "moco_cluster_ready_replicas": rollout.get("readyReplicas", 0),
            "moco_cluster_current_replicas": rollout.get("currentReplicas", 0),
            "moco_cluster_updated_replicas": rollout.get("updatedReplicas", 0),
            "moco_cluster_clustering_stopped": annotations.get(ANNOTATION_CLUSTERING_STOPPED) == "true",
            "moco_cluster_reconciliation_stopped": annotations.get(ANNOTATION_RECONCILIATION_STOPPED)
            == "true",
            "moco_cluster_errant_replicas": status.get("errantReplicas", 0),
            **_backup_gauges(status.get("backup") or {}),
        }
        self._clusters.setdefault((namespace, name), _Figures()).gauges = gauges

    def forget(self, cluster: ClusterKey) -> None:
        """The cluster is gone."""
        self._clusters.pop(cluster, None)

    def describe(self) -> "Iterable[Metric]":
        return ()

    def collect(self) -> "Iterable[Metric]":
        """Every figure, labelled with name and namespace of its cluster."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        labels = ["name", "namespace"]
        for short, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"moco_cluster_{short}", text, labels=labels)
            for (namespace, name), figures in self._clusters.items():
                counter.add_metric([name, namespace], figures.counters.get(short, 0))
            yield counter
        for full, text in _GAUGES.items():
            gauge = GaugeMetricFamily(full, text, labels=labels)
            for (namespace, name), figures in self._clusters.items():
                if full in figures.gauges:
                    gauge.add_metric([name, namespace], figures.gauges[full])
            yield gauge


def _backup_gauges(backup: dict[str, Any]) -> dict[str, float]:
    if not backup.get("time"):
        return {}
    return {
        "moco_backup_timestamp": parse_time(backup["time"]),
        "moco_backup_elapsed_seconds": parse_duration(backup.get("elapsed") or "0s") / 1e9,
        "moco_backup_dump_bytes": backup.get("dumpSize", 0),
        "moco_backup_binlog_bytes": backup.get("binlogSize", 0),
        "moco_backup_workdir_usage_bytes": backup.get("workDirUsage", 0),
        "moco_backup_warnings": len(backup.get("warnings") or ()),
    }
