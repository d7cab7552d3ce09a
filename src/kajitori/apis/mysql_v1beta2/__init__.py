"""Group moco.cybozu.com, version v1beta2: MySQLCluster and BackupPolicy.

`cluster`, `policy` and `jobs` are the kinds; `defaults`, `validation` and `admission` what their schemas
cannot say; `names` what everything is called.
"""

from kajitori.apis.mysql_v1beta2.admission import Lookup, Operation, admit
from kajitori.apis.mysql_v1beta2.cluster import (
    BackupStatus,
    ClaimTemplate,
    MySQLCluster,
    MySQLClusterSpec,
    MySQLClusterStatus,
    OverwriteContainer,
    PodTemplate,
    ReconcileInfo,
    RestoreSpec,
    ServiceTemplate,
    TemplateMeta,
)
from kajitori.apis.mysql_v1beta2.defaults import default_cluster
from kajitori.apis.mysql_v1beta2.jobs import BucketConfig, JobConfig
from kajitori.apis.mysql_v1beta2.names import BACKUP_POLICY, MYSQL_CLUSTER, ClusterNames
from kajitori.apis.mysql_v1beta2.policy import BackupPolicy, BackupPolicySpec
from kajitori.apis.mysql_v1beta2.validation import (
    validate_cluster,
    validate_policy,
    validate_policy_deletion,
)

__all__ = [
    "BACKUP_POLICY",
    "MYSQL_CLUSTER",
    "BackupPolicy",
    "BackupPolicySpec",
    "BackupStatus",
    "BucketConfig",
    "ClaimTemplate",
    "ClusterNames",
    "JobConfig",
    "Lookup",
    "MySQLCluster",
    "MySQLClusterSpec",
    "MySQLClusterStatus",
    "Operation",
    "OverwriteContainer",
    "PodTemplate",
    "ReconcileInfo",
    "RestoreSpec",
    "ServiceTemplate",
    "TemplateMeta",
    "admit",
    "default_cluster",
    "validate_cluster",
    "validate_policy",
    "validate_policy_deletion",
]
