"""MySQLCluster: what a user asks for, and what became of it.

Every field, default and rule that OpenAPI can express stands here and becomes the CustomResourceDefinition;
`defaults` and `validation` hold what only code can say. Descriptions are those of `kubectl explain`.

Source: moco.cybozu.com/v1beta2.
"""

from typing import Annotated, Any, Literal

import msgspec

from kajitori.apimachinery.declare import (
    BuiltinSchema,
    Column,
    Format,
    Int32,
    Int64,
    ListMap,
    NoDefault,
    Nullable,
    Rule,
    kind,
    schema_markers,
)
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.mysql_v1beta2.jobs import JobConfig
from kajitori.apis.mysql_v1beta2.names import GROUP, NAME_LENGTH_MAX, VERSION

__all__ = [
    "BackupStatus",
    "ClaimTemplate",
    "MySQLCluster",
    "MySQLClusterSpec",
    "MySQLClusterStatus",
    "OverwriteContainer",
    "PodTemplate",
    "ReconcileInfo",
    "RestoreSpec",
    "ServiceTemplate",
    "TemplateMeta",
]

_CORE = "io.k8s.api.core.v1"
_Size = Annotated[Int64, msgspec.Meta(ge=0)]
_Time = Annotated[str, Format("date-time")]


class TemplateMeta(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The part of an object's metadata that a template may give."""

    name: str = ""
    """Name of the object, where the template is told apart by it."""
    labels: dict[str, str] = {}
    """Labels to put on the object."""
    annotations: dict[str, str] = {}
    """Annotations to put on the object."""


class OverwriteContainer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What to change of a container that the operator adds."""

    name: Literal["agent", "copy-moco-init", "moco-init", "slow-log", "mysqld-exporter"]
    """Name of the container."""
    resources: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.ResourceRequirements", every_field_optional=True)]
        | None
    ) = None
    """Takes the place of the container's resources."""
    security_context: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.SecurityContext", every_field_optional=True)] | None
    ) = None
    """Takes the place of the container's security context."""


class PodTemplate(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The Pods that the instances run in."""

    spec: Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.PodSpec", every_field_optional=True)]
    """Specification of the Pods. One container must be called `mysqld`; the operator completes it and adds
    its own."""
    metadata: TemplateMeta = TemplateMeta()
    """Labels and annotations of the Pods; a name is ignored."""
    overwrite_containers: list[OverwriteContainer] = []
    """What to change of the containers that the operator adds."""


class ClaimTemplate(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A volume that every instance gets one of."""

    metadata: TemplateMeta
    """Name of the template, and labels and annotations of the claims made from it."""
    spec: Annotated[
        dict[str, Any], BuiltinSchema(f"{_CORE}.PersistentVolumeClaimSpec", every_field_optional=True)
    ]
    """Specification of the claims. A larger storage request makes existing claims grow."""


class ServiceTemplate(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a Service has beside what the operator sets."""

    metadata: TemplateMeta = TemplateMeta()
    """Labels and annotations of the Service."""
    spec: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.ServiceSpec", every_field_optional=True)] | None
    ) = None
    """Specification of the Service. `clusterIP`, `selector` and the ports `mysql` and `mysqlx` are the
    operator's."""


class RestoreSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Which backup a new cluster starts from."""

    source_name: Annotated[str, msgspec.Meta(min_length=1)]
    """Name of the MySQLCluster that was backed up."""
    source_namespace: Annotated[str, msgspec.Meta(min_length=1)]
    """Namespace of the MySQLCluster that was backed up."""
    restore_point: _Time
    """The moment to restore, in RFC 3339 form such as `2006-01-02T15:04:05Z`."""
    job_config: JobConfig
    """How the Pod of the restore Job runs, and where the backups are."""
    schema: str = ""
    """Restore only this schema."""
    users: str = ""
    """Restore only these accounts, separated by commas."""


_SOURCE_RULE = (
    "!has(self.replicationSourceSecretName) || (has(oldSelf.replicationSourceSecretName)"
    " && self.replicationSourceSecretName == oldSelf.replicationSourceSecretName)"
)
_RESTORE_RULE = (
    "has(self.restore) == has(oldSelf.restore) && (!has(self.restore) || self.restore == oldSelf.restore)"
)


@schema_markers(
    Rule(_SOURCE_RULE, "replicationSourceSecretName can be given at creation and removed later, not changed"),
    Rule(_RESTORE_RULE, "restore cannot be changed"),
)
class MySQLClusterSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a MySQL cluster should be."""

    pod_template: PodTemplate
    """The Pods that the instances run in."""
    volume_claim_templates: Annotated[
        list[ClaimTemplate],
        msgspec.Meta(min_length=1),
        Rule(
            "self.exists(t, has(t.metadata.name) && t.metadata.name == 'mysql-data')",
            "one template must be called mysql-data",
        ),
    ]
    """The volumes of every instance. The one called `mysql-data` holds the database."""
    replicas: Annotated[
        Int32,
        msgspec.Meta(ge=1),
        Rule("self % 2 == 1", "replicas must be odd"),
        Rule("self >= oldSelf", "replicas cannot be lowered"),
    ] = 1
    """How many instances there are: an odd number, which may be raised later and not lowered."""
    primary_service_template: ServiceTemplate | None = None
    """What the Service of the primary has beside what the operator sets."""
    replica_service_template: ServiceTemplate | None = None
    """What the Service of the replicas has beside what the operator sets."""
    mysql_config_map_name: Annotated[str | None, Nullable] = None
    """Name of a ConfigMap of the same namespace with mysqld options, and verbatim text under the key
    `_include`."""
    replication_source_secret_name: Annotated[str | None, Nullable] = None
    """Name of a Secret that tells of a server to clone and follow. Removing it ends following."""
    collectors: list[str] = []
    """Collectors of mysqld_exporter, without the prefix `collect.`. Naming any adds the exporter to the
    Pods."""
    server_id_base: Annotated[Int32, msgspec.Meta(ge=0), NoDefault] = msgspec.field(
        default=0, name="serverIDBase"
    )
    """The `server_id` of the first instance, the next ones counting up. A random positive number by
    default."""
    max_delay_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = 60
    """A replica that lags behind by more is not ready; 0 switches the check off."""
    max_delay_seconds_for_pod_deletion: _Size = 0
    """While a replica lags behind by more, the primary's Pod cannot be deleted; 0 switches the guard off."""
    startup_wait_seconds: Annotated[Int32, msgspec.Meta(ge=0)] = 3600
    """How long mysqld may take to start."""
    log_rotation_schedule: str = ""
    """When to rotate the logs, as a cron expression of five fields or a word such as `@hourly`; by default
    every five
    minutes."""
    log_rotation_size: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Rotate a log that grows beyond so many bytes; 0 means at any size."""
    backup_policy_name: Annotated[str | None, Nullable] = None
    """Name of a BackupPolicy of the same namespace."""
    restore: RestoreSpec | None = None
    """Which backup the cluster starts from. It cannot be changed."""
    disable_slow_query_log_container: bool = False
    """Whether to leave out the container `slow-log`, which prints the slow query log."""
    slow_query_log_config_tmpl: str | None = None
    """Configuration of the container `slow-log`; `{{ .Path }}` stands for the slow query log."""
    agent_use_localhost: bool = False
    """Whether the agent reaches mysqld's administrative port through localhost."""
    initialize_timezone_data: bool = False
    """Whether to load time zone tables when a database is initialised."""
    offline: bool = False
    """Whether to stop all instances, keeping their data."""


class BackupStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The last successful backup."""

    time: Annotated[_Time | None, Nullable] = None
    """When it was taken; names its files in the bucket."""
    elapsed: str = ""
    """How long it took."""
    source_index: int = 0
    """Ordinal of the instance it was taken from."""
    source_uuid: str = msgspec.field(default="", name="sourceUUID")
    """`server_uuid` of that instance."""
    uuid_set: dict[str, str] = {}
    """`server_uuid` of every instance by its ordinal."""
    binlog_filename: str = ""
    """The binary log that the instance was writing."""
    gtid_set: str = ""
    """The transactions that the dump contains."""
    dump_size: Int64 = 0
    """Size of the dump in bytes."""
    binlog_size: Int64 = 0
    """Size of the binary logs in bytes."""
    work_dir_usage: Int64 = 0
    """Bytes used of the work volume."""
    warnings: Annotated[list[str] | None, Nullable] = None
    """What went wrong without failing the backup."""


class ReconcileInfo(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the operator last worked on."""

    generation: Int64 = 0
    """`metadata.generation` that was last reconciled."""
    reconcile_version: int = 0
    """Version of the rules that the objects were made by."""


class MySQLClusterStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What became of a MySQL cluster."""

    conditions: Annotated[
        list[Annotated[dict[str, Any], BuiltinSchema("io.k8s.apimachinery.pkg.apis.meta.v1.Condition")]],
        ListMap("type"),
    ] = []
    """Initialized, Available, Healthy, StatefulSetReady, ReconcileSuccess, ReconciliationActive,
    ClusteringActive."""
    current_primary_index: int = 0
    """Ordinal of the primary."""
    synced_replicas: int = 0
    """How many instances are ready, the primary included."""
    errant_replicas: int = 0
    """How many instances have transactions that the primary has not."""
    errant_replica_list: list[int] = []
    """Ordinals of the instances that have transactions that the primary has not."""
    backup: BackupStatus | None = None
    """The last successful backup."""
    restored_time: _Time | None = None
    """When the data was restored."""
    cloned: bool = False
    """Whether the data was cloned from the replication source."""
    reconcile_info: ReconcileInfo = ReconcileInfo()
    """What the operator last worked on."""


def _condition_column(title: str, condition: str) -> Column:
    return Column(title, f".status.conditions[?(@.type=='{condition}')].status")


@kind(
    group=GROUP,
    version=VERSION,
    plural="mysqlclusters",
    status=True,
    columns=(
        _condition_column("Available", "Available"),
        _condition_column("Healthy", "Healthy"),
        Column("Primary", ".status.currentPrimaryIndex", "integer"),
        Column("Synced replicas", ".status.syncedReplicas", "integer"),
        Column("Errant replicas", ".status.errantReplicas", "integer"),
        _condition_column("Clustering Active", "ClusteringActive"),
        _condition_column("Reconcile Active", "ReconciliationActive"),
        Column("Last backup", ".status.backup.time"),
    ),
    rules=(
        Rule(
            f"size(self.metadata.name) <= {NAME_LENGTH_MAX}",
            f"name must be at most {NAME_LENGTH_MAX} characters",
        ),
    ),
)
class MySQLCluster(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A MySQL cluster with one primary and semi-synchronous replicas."""

    spec: MySQLClusterSpec
    """What the cluster should be."""
    status: MySQLClusterStatus | None = None
    """What became of it."""
    metadata: ObjectMeta = ObjectMeta()
