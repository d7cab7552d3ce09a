"""What was seen of one cluster: everything that `decide` looks at, frozen.

`observe` fills it. Time and randomness are in it, so that deciding needs neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kajitori.apis import JsonObject, Kind
from kajitori.apis.mysql_v1beta2.names import ClusterNames
from kajitori.operators.mysql.settings import Settings

__all__ = [
    "CERTIFICATE",
    "CONFIG_MAP",
    "CRON_JOB",
    "DISRUPTION_BUDGET",
    "JOB",
    "KINDS_BY_NAME",
    "NAMESPACE",
    "PERSISTENT_VOLUME",
    "POD",
    "ROLE",
    "ROLE_BINDING",
    "SECRET",
    "SERVICE",
    "SERVICE_ACCOUNT",
    "STATEFUL_SET",
    "STORAGE_CLASS",
    "VOLUME_CLAIM",
    "ClusterSeen",
    "ObjectKey",
]

CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
PERSISTENT_VOLUME = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
POD = Kind("", "v1", "Pod", "pods")
SECRET = Kind("", "v1", "Secret", "secrets")
SERVICE = Kind("", "v1", "Service", "services")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
VOLUME_CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs")
JOB = Kind("batch", "v1", "Job", "jobs")
CERTIFICATE = Kind("cert-manager.io", "v1", "Certificate", "certificates")
DISRUPTION_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)

KINDS_BY_NAME: Mapping[str, Kind] = {
    each.kind: each
    for each in (
        CONFIG_MAP,
        SECRET,
        SERVICE,
        SERVICE_ACCOUNT,
        STATEFUL_SET,
        CRON_JOB,
        JOB,
        CERTIFICATE,
        DISRUPTION_BUDGET,
        ROLE,
        ROLE_BINDING,
    )
}
"""The kinds that a cluster's objects are of."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """Which object: kind, namespace, name."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSeen:
    """One MySQLCluster and what there is around it."""

    settings: Settings
    now: datetime
    entropy: bytes = field(repr=False)
    """Random bytes for passwords and `serverIDBase`, enough for both."""
    cluster: JsonObject
    user_config: JsonObject | None = None
    """The ConfigMap that the cluster names."""
    policy: JsonObject | None = None
    """The BackupPolicy that the cluster names."""
    system_namespace_exists: bool = True
    serves_certificates: bool = False
    """Whether the API server knows cert-manager's kinds."""
    live: Mapping[ObjectKey, JsonObject] = field(default_factory=dict[ObjectKey, JsonObject], repr=False)
    """Objects by the names that the cluster's objects have, whoever made them, and its generated
    ConfigMaps."""
    claims: tuple[JsonObject, ...] = ()
    """Volume claims in the namespace that are named like ones of the cluster."""
    pods: tuple[JsonObject, ...] = ()
    """Pods in the namespace that carry the cluster's labels."""
    volumes: tuple[JsonObject, ...] = ()
    """PersistentVolumes that say they belong to one of the claims."""
    storage_classes: tuple[JsonObject, ...] = ()

    def object(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The live object of that name."""
        return self.live.get(ObjectKey(kind.kind, namespace, name))

    def live_statefulset(self, names: ClusterNames) -> JsonObject | None:
        """The StatefulSet, unless it is on its way out."""
        sts = self.object(STATEFUL_SET, names.namespace, names.prefixed)
        return None if sts is None or sts["metadata"].get("deletionTimestamp") else sts

    def statefulset_is_leaving(self, names: ClusterNames) -> bool:
        """Whether a StatefulSet of that name is being deleted: no other can be created yet."""
        sts = self.object(STATEFUL_SET, names.namespace, names.prefixed)
        return sts is not None and bool(sts["metadata"].get("deletionTimestamp"))
