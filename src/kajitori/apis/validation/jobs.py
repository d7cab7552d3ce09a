"""The batch group: Jobs and CronJobs.

Source: pkg/apis/batch/validation.
"""

from collections.abc import Mapping

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_label
from kajitori.apis.validation.checks import (
    Errors,
    check_domain_path,
    check_enum,
    check_label_selector,
    check_not_negative,
    check_required_enum,
    selects,
)
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.job_policies import (
    check_failure_policy,
    check_replacement_policy,
    check_success_policy,
)
from kajitori.apis.validation.job_status import check_job_status
from kajitori.apis.validation.pod_templates import check_template
from kajitori.apis.validation.schedules import schedule_problem, time_zone_problems
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_PARALLELISM_MAX = 100_000
_FAILED_INDEXES_MAX = 100_000
_MANY_COMPLETIONS = 100_000
"""From here on, Jobs that count failures per index are held to `_MANY_PARALLELISM_MAX` and the like."""
_MANY_PARALLELISM_MAX = 10_000
_MANY_FAILED_INDEXES_MAX = 10_000
_MANAGER_BYTES_MAX = 63
_CRON_NAME_CHARACTERS_MAX = 52
"""A name of 63 without the eleven characters that say for when a Job was made."""


def _check_job_spec(spec: JsonObject, path: str, errors: Errors) -> None:
    for member in _NUMBERS:
        number = spec.get(member)
        if number is not None and number < 0:
            check_not_negative(number, f"{path}.{member}", errors)
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        told = "when maxFailedIndexes is specified"
        errors.append(FieldError.required(f"{path}.backoffLimitPerIndex", told))
    manager = spec.get("managedBy")
    if manager is not None:
        check_domain_path(manager, f"{path}.managedBy", errors)
        if len(manager.encode()) > _MANAGER_BYTES_MAX:
            errors.append(FieldError.too_long(f"{path}.managedBy", "", _MANAGER_BYTES_MAX))
    mode = spec.get("completionMode", "NonIndexed")
    check_enum(mode, ("NonIndexed", "Indexed"), f"{path}.completionMode", errors)
    if mode == "Indexed":
        _check_indexed(spec, path, errors)
    elif mode == "NonIndexed":
        for member in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if member in spec:
                told = "requires indexed completion mode"
                errors.append(FieldError.invalid(f"{path}.{member}", spec[member], told))
    if "podFailurePolicy" in spec:
        check_failure_policy(spec, f"{path}.podFailurePolicy", errors)
    if "successPolicy" in spec:
        if mode != "Indexed":
            shown = go_struct("batch.v1.SuccessPolicy", spec["successPolicy"])
            told = "requires indexed completion mode"
            errors.append(FieldError.invalid(f"{path}.successPolicy", shown, told))
        else:
            check_success_policy(spec, f"{path}.successPolicy", errors)
    if "podReplacementPolicy" in spec:
        check_replacement_policy(spec, f"{path}.podReplacementPolicy", errors)
    check_template(spec.get("template") or {}, f"{path}.template", errors)
    _check_restart_policy(spec, f"{path}.template.spec.restartPolicy", errors)


def _check_indexed(spec: JsonObject, path: str, errors: Errors) -> None:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    failed_max = spec.get("maxFailedIndexes")
    if completions is None:
        errors.append(FieldError.required(f"{path}.completions", "when completion mode is Indexed"))
    if parallelism is not None and parallelism > _PARALLELISM_MAX:
        told = f"must be less than or equal to {_PARALLELISM_MAX} when completion mode is Indexed"
        errors.append(FieldError.invalid(f"{path}.parallelism", parallelism, told))
    if failed_max is not None:
        if completions is not None and failed_max > completions:
            told = "must be less than or equal to completions"
            errors.append(FieldError.invalid(f"{path}.maxFailedIndexes", failed_max, told))
        if failed_max > _FAILED_INDEXES_MAX:
            told = f"must be less than or equal to {_FAILED_INDEXES_MAX}"
            errors.append(FieldError.invalid(f"{path}.maxFailedIndexes", failed_max, told))
    if (completions or 0) > _MANY_COMPLETIONS and "backoffLimitPerIndex" in spec:
        _check_many(spec, path, errors)


def _check_many(spec: JsonObject, path: str, errors: Errors) -> None:
    if "maxFailedIndexes" not in spec:
        told = f"must be specified when completions is above {_MANY_COMPLETIONS}"
        errors.append(FieldError.required(f"{path}.maxFailedIndexes", told))
    for member, largest in (
        ("parallelism", _MANY_PARALLELISM_MAX),
        ("maxFailedIndexes", _MANY_FAILED_INDEXES_MAX),
    ):
        if (spec.get(member) or 0) > largest:
            told = (
                f"must be less than or equal to {largest} when completions are above {_MANY_COMPLETIONS} "
                "and used with backoff limit per index"
            )
            errors.append(FieldError.invalid(f"{path}.{member}", spec[member], told))


def _check_restart_policy(spec: JsonObject, path: str, errors: Errors) -> None:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy", "")
    if policy in ("Always", ""):
        errors.append(FieldError.required(path, 'valid values: "OnFailure", "Never"'))
    elif policy not in ("OnFailure", "Never"):
        errors.append(FieldError.not_supported(path, policy, ("OnFailure", "Never")))
    elif "podFailurePolicy" in spec and policy != "Never":
        told = 'only "Never" is supported when podFailurePolicy is specified'
        errors.append(FieldError.invalid(path, policy, told))


def _check_selector(spec: JsonObject, errors: Errors) -> None:
    selector = spec.get("selector")
    if selector is None:
        errors.append(FieldError.required("spec.selector"))
    check_label_selector(selector, "spec.selector", errors)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if selects(selector, labels or {}) is False:
        told = "`selector` does not match template `labels`"
        errors.append(FieldError.invalid("spec.template.metadata.labels", labels, told))


def _check_generated(job: JsonObject, errors: Errors) -> None:
    """A Job that did not bring a selector has one that selects its own Pods only."""
    metadata, spec = job["metadata"], job["spec"]
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    if not uid:
        errors.append(FieldError.required("metadata.uid"))
    wanted = {
        "controller-uid": uid,
        "job-name": name,
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
    }
    labels: Mapping[str, str] = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    for key, value in wanted.items():
        path = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            errors.append(FieldError.required(path, f"must be '{value}'"))
        elif labels[key] != value:
            errors.append(FieldError.invalid(path, labels, f"must be '{value}'"))
    if selects(selector, wanted) is False:
        errors.append(FieldError.invalid("spec.selector", selector, "`selector` not auto-generated"))


def _create_job(job: JsonObject, errors: Errors) -> None:
    spec = job["spec"]
    _check_generated(job, errors)
    _check_job_spec(spec, "spec", errors)
    _check_selector(spec, errors)
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        name = job["metadata"].get("name", "")
        hostname = f"{name}-{completions - 1}"
        if is_dns1123_label(hostname):
            told = f"will not able to create pod with invalid DNS label: {hostname}"
            errors.append(FieldError.invalid("metadata.name", name, told))


def _update_job(job: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource:
        check_job_status(job, old, errors)
    else:
        _check_job_spec(job["spec"], "spec", errors)
        _check_selector(job["spec"], errors)


def _check_cron_spec(spec: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    schedule = spec.get("schedule", "")
    if not schedule:
        errors.append(FieldError.required("spec.schedule"))
    else:
        _check_schedule(schedule, spec, old, errors)
    for member in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if member in spec:
            check_not_negative(spec[member], f"spec.{member}", errors)
    zone = spec.get("timeZone")
    if zone is not None and (old is None or old.get("timeZone") != zone):
        errors += [FieldError.invalid("spec.timeZone", zone, told) for told in time_zone_problems(zone)]
    policies = ("Allow", "Forbid", "Replace")
    check_required_enum(spec.get("concurrencyPolicy"), policies, "spec.concurrencyPolicy", errors)
    template: JsonObject = (spec.get("jobTemplate") or {}).get("spec") or {}
    path = "spec.jobTemplate.spec"
    _check_job_spec(template, path, errors)
    if "selector" in template:
        told = "`selector` will be auto-generated"
        errors.append(FieldError.invalid(f"{path}.selector", template["selector"], told))
    if template.get("manualSelector"):
        errors.append(FieldError.not_supported(f"{path}.manualSelector", True, ("nil", "false")))


def _check_schedule(schedule: str, spec: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    if problem := schedule_problem(schedule):
        errors.append(FieldError.invalid("spec.schedule", schedule, problem))
    if "TZ" not in schedule:
        return
    if old is None or "TZ" not in old.get("schedule", ""):
        told = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(FieldError.invalid("spec.schedule", schedule, told))
    elif "timeZone" in spec:
        told = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        errors.append(FieldError.invalid("spec.schedule", schedule, told))


def _create_cron_job(obj: JsonObject, errors: Errors) -> None:
    _check_cron_spec(obj["spec"], None, errors)
    name = obj["metadata"].get("name", "")
    if len(name) > _CRON_NAME_CHARACTERS_MAX:
        told = f"must be no more than {_CRON_NAME_CHARACTERS_MAX} characters"
        errors.append(FieldError.invalid("metadata.name", name, told))


def _update_cron_job(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # Kubernetes checks the status like the whole.
    _check_cron_spec(obj["spec"], old["spec"], errors)


VALIDATORS = {
    "cronjobs": Validator(_create_cron_job, _update_cron_job),
    "jobs": Validator(_create_job, _update_job),
}
