"""The Job that fills a new cluster from a backup, and what it may do."""

from kajitori.apis import JsonObject, format_time, parse_time
from kajitori.apis.mysql_v1beta2 import RestoreSpec
from kajitori.operators.mysql.objects.base import Rendering
from kajitori.operators.mysql.objects.jobs import bucket_arguments, job_pod, job_role, job_role_binding

__all__ = ["restore_objects"]


def restore_objects(rendering: Rendering, restore: RestoreSpec) -> list[JsonObject]:
    """Role, binding, and the Job. It is tried once: a Job that failed is left for a person to read, and
    deleting it
    tries again."""
    name = rendering.names.restore
    account = restore.job_config.service_account_name
    return [
        job_role(rendering, name, {"pods": ("get",), "events": ("create",)}),
        job_role_binding(rendering, name, account),
        _job(rendering, restore),
    ]


def _job(rendering: Rendering, restore: RestoreSpec) -> JsonObject:
    config = restore.job_config
    arguments = [
        "restore",
        f"--threads={config.threads}",
        *bucket_arguments(config),
        restore.source_namespace,
        restore.source_name,
        rendering.namespace,
        rendering.name,
        _point(restore.restore_point),
        restore.schema,
        restore.users,
    ]
    template = job_pod(
        rendering, config, container="restore", arguments=arguments, password_key="ADMIN_PASSWORD"
    )
    job = rendering.owned("batch/v1", "Job", rendering.names.restore, labels=rendering.job_labels)
    return {**job, "spec": {"backoffLimit": 0, "template": template}}


def _point(restore_point: str) -> str:
    """`20060102-150405` in UTC, as backups are named."""
    text = format_time(parse_time(restore_point))
    date, _, clock = text.rstrip("Z").partition("T")
    return f"{date.replace('-', '')}-{clock.replace(':', '')}"
