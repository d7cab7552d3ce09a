"""Typed models of batch/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import ObjectReference, PodTemplateSpec
from kajitori.apis.meta_v1 import LabelSelector

__all__ = [
    "CronJob",
    "CronJobSpec",
    "CronJobStatus",
    "Job",
    "JobCondition",
    "JobSpec",
    "JobStatus",
    "JobTemplateSpec",
    "PodFailurePolicy",
    "PodFailurePolicyOnExitCodesRequirement",
    "PodFailurePolicyOnPodConditionsPattern",
    "PodFailurePolicyRule",
    "SuccessPolicy",
    "SuccessPolicyRule",
    "UncountedTerminatedPods",
]


class PodFailurePolicyOnExitCodesRequirement(BuiltIn, frozen=True, kw_only=True):
    """`PodFailurePolicyOnExitCodesRequirement` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement"
    container_name: str | None = None
    operator: str = ""
    values: tuple[int, ...] = ()


class PodFailurePolicyOnPodConditionsPattern(BuiltIn, frozen=True, kw_only=True):
    """`PodFailurePolicyOnPodConditionsPattern` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern"
    type: str = ""
    status: str = ""


class PodFailurePolicyRule(BuiltIn, frozen=True, kw_only=True):
    """`PodFailurePolicyRule` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.PodFailurePolicyRule"
    action: str = ""
    on_exit_codes: PodFailurePolicyOnExitCodesRequirement | None = None
    on_pod_conditions: tuple[PodFailurePolicyOnPodConditionsPattern, ...] = ()


class PodFailurePolicy(BuiltIn, frozen=True, kw_only=True):
    """`PodFailurePolicy` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.PodFailurePolicy"
    rules: tuple[PodFailurePolicyRule, ...] = ()


class SuccessPolicyRule(BuiltIn, frozen=True, kw_only=True):
    """`SuccessPolicyRule` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.SuccessPolicyRule"
    succeeded_indexes: str | None = None
    succeeded_count: int | None = None


class SuccessPolicy(BuiltIn, frozen=True, kw_only=True):
    """`SuccessPolicy` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.SuccessPolicy"
    rules: tuple[SuccessPolicyRule, ...] = ()


class JobSpec(BuiltIn, frozen=True, kw_only=True):
    """`JobSpec` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.JobSpec"
    parallelism: int | None = None
    completions: int | None = None
    active_deadline_seconds: int | None = None
    pod_failure_policy: PodFailurePolicy | None = None
    success_policy: SuccessPolicy | None = None
    backoff_limit: int | None = None
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    selector: LabelSelector | None = None
    manual_selector: bool | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    ttl_seconds_after_finished: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    pod_replacement_policy: str | None = None
    managed_by: str | None = None


class JobTemplateSpec(BuiltIn, frozen=True, kw_only=True):
    """`JobTemplateSpec` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.JobTemplateSpec"
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()


class CronJobSpec(BuiltIn, frozen=True, kw_only=True):
    """`CronJobSpec` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.CronJobSpec"
    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = ""
    suspend: bool | None = None
    job_template: JobTemplateSpec = JobTemplateSpec()
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None


class CronJobStatus(BuiltIn, frozen=True, kw_only=True):
    """`CronJobStatus` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.CronJobStatus"
    active: tuple[ObjectReference, ...] = ()
    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None


class CronJob(BuiltIn, frozen=True, kw_only=True):
    """`cronjobs` of batch/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("batch", "v1", "CronJob", "cronjobs", True)
    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.CronJob"
    metadata: ObjectMeta = ObjectMeta()
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()


class JobCondition(BuiltIn, frozen=True, kw_only=True):
    """`JobCondition` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.JobCondition"
    type: str = ""
    status: str = ""
    last_probe_time: Time | None = None
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class UncountedTerminatedPods(BuiltIn, frozen=True, kw_only=True):
    """`UncountedTerminatedPods` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.UncountedTerminatedPods"
    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class JobStatus(BuiltIn, frozen=True, kw_only=True):
    """`JobStatus` of batch.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.JobStatus"
    conditions: tuple[JobCondition, ...] = ()
    start_time: Time | None = None
    completion_time: Time | None = None
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    terminating: int | None = None
    completed_indexes: str = ""
    failed_indexes: str | None = None
    uncounted_terminated_pods: UncountedTerminatedPods | None = None
    ready: int | None = None


class Job(BuiltIn, frozen=True, kw_only=True):
    """`jobs` of batch/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("batch", "v1", "Job", "jobs", True)
    __definition__: ClassVar[str] = "io.k8s.api.batch.v1.Job"
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()
