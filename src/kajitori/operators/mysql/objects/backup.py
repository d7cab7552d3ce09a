"""The CronJob that backs a cluster up, and what it may do."""

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2 import BackupPolicySpec
from kajitori.operators.mysql.objects.base import Rendering
from kajitori.operators.mysql.objects.jobs import (
    apart_from_other_jobs,
    bucket_arguments,
    job_pod,
    job_role,
    job_role_binding,
)

__all__ = ["backup_objects"]


def backup_objects(rendering: Rendering, policy: BackupPolicySpec) -> list[JsonObject]:
    """Role and binding first: a Job that starts at once must be allowed to work."""
    name = rendering.names.backup
    account = policy.job_config.service_account_name
    verbs = {"pods": ("get", "list", "watch"), "events": ("create", "update", "patch")}
    return [
        job_role(rendering, name, verbs),
        job_role_binding(rendering, name, account),
        _cron_job(rendering, policy),
    ]


def _cron_job(rendering: Rendering, policy: BackupPolicySpec) -> JsonObject:
    config = policy.job_config
    arguments = ["backup", f"--threads={config.threads}", *bucket_arguments(config)]
    template = job_pod(
        rendering,
        config,
        container="backup",
        arguments=[*arguments, rendering.namespace, rendering.name],
        password_key="BACKUP_PASSWORD",
        affinity=apart_from_other_jobs(),
    )
    job: JsonObject = {"template": template}
    for field, value in (
        ("activeDeadlineSeconds", policy.active_deadline_seconds),
        ("backoffLimit", policy.backoff_limit),
    ):
        if value is not None:
            job[field] = value
    spec: JsonObject = {
        "schedule": policy.schedule,
        "concurrencyPolicy": policy.concurrency_policy,
        "jobTemplate": {"metadata": {"labels": rendering.job_labels}, "spec": job},
    }
    for field, given in (
        ("timeZone", policy.time_zone),
        ("startingDeadlineSeconds", policy.starting_deadline_seconds),
        ("successfulJobsHistoryLimit", policy.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", policy.failed_jobs_history_limit),
    ):
        if given is not None:
            spec[field] = given
    cron_job = rendering.owned("batch/v1", "CronJob", rendering.names.backup, labels=rendering.job_labels)
    return {**cron_job, "spec": spec}
