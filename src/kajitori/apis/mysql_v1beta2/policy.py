"""BackupPolicy: when and how the MySQL clusters that name it are backed up."""

from typing import Annotated, Literal

import msgspec

from kajitori.apimachinery.declare import Int32, Int64, Nullable, kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.mysql_v1beta2.jobs import JobConfig
from kajitori.apis.mysql_v1beta2.names import GROUP, VERSION

__all__ = ["BackupPolicy", "BackupPolicySpec"]

_Count = Annotated[Int32, msgspec.Meta(ge=0)]


class BackupPolicySpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """When and how backups are taken."""

    schedule: str
    """When to take a backup, as a cron expression of five fields or a word such as `@daily`."""
    job_config: JobConfig
    """How the Pod of a backup runs, and where the backup goes."""
    time_zone: Annotated[str | None, Nullable] = None
    """Name of the time zone that the schedule is meant in; by default the control plane's own."""
    starting_deadline_seconds: Annotated[Int64 | None, Nullable] = None
    """How late a backup may start when its time was missed; later ones are skipped."""
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] = "Allow"
    """What to do when a backup is due while the one before is still running."""
    active_deadline_seconds: Annotated[Int64 | None, Nullable] = None
    """How long a backup may take before it is ended."""
    backoff_limit: Annotated[_Count | None, Nullable] = None
    """How often a failed backup is tried again."""
    successful_jobs_history_limit: Annotated[_Count | None, Nullable] = None
    """How many finished Jobs are kept."""
    failed_jobs_history_limit: Annotated[_Count | None, Nullable] = None
    """How many failed Jobs are kept."""


@kind(group=GROUP, version=VERSION, plural="backuppolicies", singular="backuppolicy")
class BackupPolicy(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A policy for backups, named by the MySQLClusters of its namespace that want it."""

    spec: BackupPolicySpec
    """When and how backups are taken."""
    metadata: ObjectMeta = ObjectMeta()
