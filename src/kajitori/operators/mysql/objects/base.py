"""What every rendered object starts from: the cluster, the settings, and how objects are named and owned."""

from collections.abc import Mapping
from dataclasses import dataclass

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2 import MYSQL_CLUSTER, ClusterNames, MySQLClusterSpec
from kajitori.apis.mysql_v1beta2.names import cluster_labels, job_labels
from kajitori.operators.mysql.settings import Settings

__all__ = ["CONTAINER_ID", "Rendering", "content_name"]

CONTAINER_ID = 10000
"""User and group of every container, and owner of the volumes."""

_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


@dataclass(frozen=True, slots=True)
class Rendering:
    """One cluster, about to be rendered."""

    namespace: str
    name: str
    uid: str
    spec: MySQLClusterSpec
    settings: Settings

    @property
    def names(self) -> ClusterNames:
        return ClusterNames(self.namespace, self.name)

    @property
    def labels(self) -> dict[str, str]:
        return cluster_labels(self.name)

    @property
    def job_labels(self) -> dict[str, str]:
        return job_labels(self.name)

    def owner_references(self) -> list[JsonObject]:
        """The cluster as controlling owner: what is so marked goes away with it."""
        return [
            {
                "apiVersion": MYSQL_CLUSTER.api_version,
                "kind": MYSQL_CLUSTER.kind,
                "name": self.name,
                "uid": self.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]

    def owned(
        self, api_version: str, kind: str, name: str, *, labels: Mapping[str, str] | None = None
    ) -> JsonObject:
        """The beginning of an object of the cluster's namespace that belongs to the cluster."""
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": dict(self.labels if labels is None else labels),
                "ownerReferences": self.owner_references(),
            },
        }


def content_name(prefix: str, content: str) -> str:
    """A name that changes with the content: the prefix and the 32-bit FNV-1a hash in hexadecimal."""
    value = _FNV_OFFSET
    for byte in content.encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return f"{prefix}{value:08x}"
