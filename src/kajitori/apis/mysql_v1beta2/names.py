"""What everything of a MySQL cluster is called: objects, labels, annotations, containers, ports, paths.

One place, because the names are the contract with manifests, dashboards and scripts written for MOCO, whose
objects these are. A cluster `orders` in namespace `db` has a StatefulSet `db/moco-orders`.
"""

from collections.abc import Mapping

from kajitori.apimachinery.kind import Kind

__all__ = [
    "ADMIN_PORT",
    "AGENT_METRICS_PORT",
    "AGENT_PORT",
    "ANNOTATION_CLUSTERING_STOPPED",
    "ANNOTATION_DEMOTE",
    "ANNOTATION_FORCE_ROLLING_UPDATE",
    "ANNOTATION_PREVENT_DELETE",
    "ANNOTATION_RECONCILIATION_STOPPED",
    "ANNOTATION_SECRET_VERSION",
    "BACKUP_POLICY",
    "DATA_VOLUME",
    "EXPORTER_PORT",
    "FINALIZER",
    "GROUP",
    "HEALTH_PORT",
    "LABEL_CREATED_BY",
    "LABEL_INSTANCE",
    "LABEL_INSTANCE_NAMESPACE",
    "LABEL_NAME",
    "LABEL_ROLE",
    "MYSQLX_PORT",
    "MYSQL_CLUSTER",
    "MYSQL_PORT",
    "NAME_LENGTH_MAX",
    "RESERVED_PORTS",
    "RESERVED_PORT_NAMES",
    "RESERVED_VOLUMES",
    "VERSION",
    "ClusterNames",
    "cluster_labels",
    "job_labels",
    "system_labels",
]

GROUP = "moco.cybozu.com"
VERSION = "v1beta2"
MYSQL_CLUSTER = Kind(GROUP, VERSION, "MySQLCluster", "mysqlclusters")
BACKUP_POLICY = Kind(GROUP, VERSION, "BackupPolicy", "backuppolicies")

FINALIZER = "moco.cybozu.com/mysqlcluster"

ANNOTATION_CLUSTERING_STOPPED = "moco.cybozu.com/clustering-stopped"
ANNOTATION_DEMOTE = "moco.cybozu.com/demote"
ANNOTATION_FORCE_ROLLING_UPDATE = "moco.cybozu.com/force-rolling-update"
ANNOTATION_PREVENT_DELETE = "moco.cybozu.com/prevent-delete"
ANNOTATION_RECONCILIATION_STOPPED = "moco.cybozu.com/reconciliation-stopped"
ANNOTATION_SECRET_VERSION = "moco.cybozu.com/secret-version"

LABEL_CREATED_BY = "app.kubernetes.io/created-by"
LABEL_INSTANCE = "app.kubernetes.io/instance"
LABEL_INSTANCE_NAMESPACE = "app.kubernetes.io/instance-namespace"
LABEL_NAME = "app.kubernetes.io/name"
LABEL_ROLE = "moco.cybozu.com/role"

NAME_LENGTH_MAX = 40
"""Names of StatefulSets and CronJobs end at 52 characters, and `moco-backup-` takes twelve of them."""

MYSQL_PORT = 3306
MYSQLX_PORT = 33060
ADMIN_PORT = 33062
HEALTH_PORT = 9081
AGENT_PORT = 9080
AGENT_METRICS_PORT = 8080
EXPORTER_PORT = 9104
RESERVED_PORTS: Mapping[str, int] = {
    "mysql": MYSQL_PORT,
    "mysqlx": MYSQLX_PORT,
    "mysql-admin": ADMIN_PORT,
    "health": HEALTH_PORT,
}
"""Of the mysqld container, by name."""
RESERVED_PORT_NAMES = frozenset(RESERVED_PORTS)

DATA_VOLUME = "mysql-data"
RESERVED_VOLUMES = frozenset(
    (
        *("tmp", "run", "var-log", "mysql-conf", "mysql-conf-d", "my-cnf-secret", "slow-fluent-bit-config"),
        *("grpc-cert", "shared"),
    )
)


class ClusterNames:
    """The names that follow from a cluster's namespace and name."""

    def __init__(self, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self.prefixed = f"moco-{name}"
        """StatefulSet, headless Service, user Secret, ServiceAccount and PodDisruptionBudget."""
        self.primary_service = f"moco-{name}-primary"
        self.replica_service = f"moco-{name}-replica"
        self.my_cnf_secret = f"moco-my-cnf-{name}"
        self.grpc_secret = f"moco-{name}-grpc"
        self.controller_secret = f"mysql-{namespace}.{name}"
        """In the operator's namespace."""
        self.certificate = f"moco-agent-{namespace}.{name}"
        """In the operator's namespace; also the Secret that cert-manager fills."""
        self.my_cnf_prefix = f"moco-{name}."
        """Of the ConfigMaps that hold a generated my.cnf; the hash of its content follows."""
        self.slow_log_prefix = f"moco-slow-log-agent-config-{name}."
        self.backup = f"moco-backup-{name}"
        """CronJob, Role and RoleBinding."""
        self.restore = f"moco-restore-{name}"
        """Job, Role and RoleBinding."""

    def pod(self, ordinal: int) -> str:
        return f"{self.prefixed}-{ordinal}"

    def claim(self, template: str, ordinal: int) -> str:
        """The PersistentVolumeClaim that a StatefulSet makes from a template for one of its Pods."""
        return f"{template}-{self.prefixed}-{ordinal}"


def cluster_labels(name: str) -> dict[str, str]:
    """On every object of a cluster, and what selects its Pods."""
    return {LABEL_NAME: "mysql", LABEL_INSTANCE: name, LABEL_CREATED_BY: "moco"}


def system_labels(namespace: str, name: str) -> dict[str, str]:
    """On a cluster's objects in the operator's namespace."""
    return {**cluster_labels(name), LABEL_INSTANCE_NAMESPACE: namespace}


def job_labels(name: str) -> dict[str, str]:
    """On what backs a cluster up and restores it; they must not be taken for its instances."""
    return {LABEL_NAME: "mysql-backup", LABEL_INSTANCE: name, LABEL_CREATED_BY: "moco"}
