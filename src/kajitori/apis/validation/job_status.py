"""The status of a Job: counts go up, ends are final, and what it says must fit together.

Most rules ask only about what has changed, so that a status from before a rule can be kept.

Source: ValidateJobStatusUpdate in pkg/apis/batch/validation, and the options that pkg/registry/batch/job gives it.
"""

from typing import Any

from kajitori.apimachinery.errors import OMITTED, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_not_negative
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.job_indexes import index_problem, overlap_problem

__all__ = ["check_job_status"]

_CONDITIONS = "status.conditions"


class _Seen:
    """A status and what its conditions say."""

    def __init__(self, job: JsonObject) -> None:
        self.status: JsonObject = job["status"]
        self.true = {
            each.get("type", "")
            for each in self.status.get("conditions") or ()
            if each.get("status") == "True"
        }
        self.complete = "Complete" in self.true
        self.failed = "Failed" in self.true
        self.finished = self.complete or self.failed
        self.succeeds = "SuccessCriteriaMet" in self.true
        self.fails = "FailureTarget" in self.true

    def get(self, member: str) -> Any:
        return self.status.get(member)


def _refuse(told: str, errors: Errors) -> None:
    errors.append(FieldError.invalid(_CONDITIONS, OMITTED, told))


def check_job_status(job: JsonObject, old: JsonObject, errors: Errors) -> None:
    new, before = _Seen(job), _Seen(old)
    changed = {
        member
        for member in {*new.status, *before.status}
        if (new.get(member) or 0) != (before.get(member) or 0)
    }
    changed |= {
        member
        for member in ("complete", "failed", "finished", "succeeds", "fails")
        if getattr(new, member) != getattr(before, member)
    }
    _check_counts(new.status, errors)
    _check_ends(new, changed, errors)
    _check_times(job, new, before, changed, errors)
    _check_finished(new, changed, errors)
    _check_indexes(job, new.status, changed, errors)
    _check_success(job, new, before, errors)
    _check_progress(job, new, before, errors)


def _check_counts(status: JsonObject, errors: Errors) -> None:
    for member in ("active", "succeeded", "failed", "ready", "terminating"):
        check_not_negative(status.get(member) or 0, f"status.{member}", errors)
    seen: set[str] = set()
    for member in ("succeeded", "failed"):
        uids = (status.get("uncountedTerminatedPods") or {}).get(member) or ()
        for index, uid in enumerate(uids):
            path = f"status.uncountedTerminatedPods.{member}[{index}]"
            if not uid:
                errors.append(FieldError.invalid(path, uid, "must not be empty"))
            elif uid in seen:
                errors.append(FieldError.duplicate(path, uid))
            seen.add(uid)


def _check_ends(new: _Seen, changed: set[str], errors: Errors) -> None:
    if changed & {"complete", "failed"} and new.complete and new.failed:
        _refuse("cannot set Complete=True and Failed=true conditions", errors)
    if changed & {"complete", "fails"} and new.complete and new.fails:
        _refuse("cannot set Complete=True and FailureTarget=true conditions", errors)
    if changed & {"failed", "fails"} and new.failed and not new.fails:
        _refuse("cannot set Failed=True condition without the FailureTarget=true condition", errors)
    if changed & {"complete", "succeeds"} and new.complete and not new.succeeds:
        _refuse("cannot set Complete=True condition without the SuccessCriteriaMet=true condition", errors)


def _check_times(job: JsonObject, new: _Seen, before: _Seen, changed: set[str], errors: Errors) -> None:
    started, ended = new.get("startTime"), new.get("completionTime")
    path = "status.completionTime"
    if changed & {"complete", "completionTime"}:
        if ended and not new.complete:
            told = "cannot set completionTime when there is no Complete=True condition"
            errors.append(FieldError.invalid(path, ended, told))
        if not ended and new.complete:
            errors.append(FieldError.required(path, "completionTime is required for Complete jobs"))
    if changed & {"startTime", "completionTime"} and started and ended and ended < started:
        errors.append(FieldError.invalid(path, ended, "must be equal to or after `startTime`"))
    was_ended, was_started = before.get("completionTime"), before.get("startTime")
    if ended and was_ended and ended != was_ended:
        errors.append(FieldError.invalid(path, ended, "field is immutable"))
    if "startTime" in changed and was_started and not job["spec"].get("suspend"):
        told = "field is immutable for unsuspended job once set"
        errors.append(FieldError.invalid("status.startTime", started, told))


def _check_finished(new: _Seen, changed: set[str], errors: Errors) -> None:
    active, ready = new.get("active") or 0, new.get("ready") or 0
    if changed & {"ready", "active"} and ready > active:
        errors.append(FieldError.invalid("status.ready", ready, "cannot set more ready pods than active"))
    if not new.finished:
        return
    if changed & {"finished", "active"} and active:
        told = "active>0 is invalid for finished job"
        errors.append(FieldError.invalid("status.active", active, told))
    terminating = new.get("terminating") or 0
    if changed & {"finished", "terminating"} and terminating:
        told = "terminating>0 is invalid for finished job"
        errors.append(FieldError.invalid("status.terminating", terminating, told))
    uncounted = new.get("uncountedTerminatedPods") or {}
    if changed & {"finished", "uncountedTerminatedPods"} and any(uncounted.values()):
        shown = go_struct("batch.v1.UncountedTerminatedPods", uncounted)
        told = "must be empty for finished job"
        errors.append(FieldError.invalid("status.uncountedTerminatedPods", shown, told))


def _check_indexes(job: JsonObject, status: JsonObject, changed: set[str], errors: Errors) -> None:
    spec = job["spec"]
    completions = spec.get("completions")
    completed, failed = status.get("completedIndexes", ""), status.get("failedIndexes")
    if "completedIndexes" in changed:
        path = "status.completedIndexes"
        if completions is not None and (problem := index_problem(completed, completions)[1]):
            told = f"error parsing completedIndexes: {problem}"
            errors.append(FieldError.invalid(path, completed, told))
        if completed and spec.get("completionMode") != "Indexed":
            told = "cannot set non-empty completedIndexes when non-indexed completion mode"
            errors.append(FieldError.invalid(path, completed, told))
    if failed is None:
        return
    path = "status.failedIndexes"
    per_index = "backoffLimitPerIndex" in spec
    if "failedIndexes" in changed:
        if completions is not None and per_index and (problem := index_problem(failed, completions)[1]):
            told = f"error parsing failedIndexes: {problem}"
            errors.append(FieldError.invalid(path, failed, told))
        if not per_index:
            told = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            errors.append(FieldError.invalid(path, failed, told))
    if not changed & {"failedIndexes", "completedIndexes"} or completions is None:
        return
    if problem := overlap_problem(completed, failed, completions):
        errors.append(FieldError.invalid(path, failed, problem))


def _check_success(job: JsonObject, new: _Seen, before: _Seen, errors: Errors) -> None:
    if new.succeeds and new.failed:
        _refuse("cannot set SuccessCriteriaMet=True and Failed=true conditions", errors)
    if new.succeeds and new.fails:
        _refuse("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions", errors)
    if "successPolicy" in job["spec"] and not new.succeeds and new.complete:
        told = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        _refuse(told, errors)
    if before.succeeds and not new.succeeds:
        _refuse("cannot disable the SuccessCriteriaMet=True condition", errors)
    if before.complete and not before.succeeds and new.succeeds:
        told = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        _refuse(told, errors)


def _check_progress(job: JsonObject, new: _Seen, before: _Seen, errors: Errors) -> None:
    for kind in ("Failed", "Complete", "FailureTarget"):
        if kind in before.true and kind not in new.true:
            _refuse(f"cannot disable the terminal {kind}=True condition", errors)
    spec = job["spec"]
    shrinks = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    for member in ("failed", "succeeded"):
        count = new.get(member) or 0
        # A Job whose size may change may lose successes with it.
        if count < (before.get(member) or 0) and not (member == "succeeded" and shrinks):
            told = f"cannot decrease the {member} counter"
            errors.append(FieldError.invalid(f"status.{member}", count, told))
    needs_start = not (spec.get("suspend") and spec.get("completions") == 0)
    differs = new.finished != before.finished or new.get("startTime") != before.get("startTime")
    if new.finished and not new.get("startTime") and needs_start and differs:
        told = "startTime is required for finished job"
        errors.append(FieldError.required("status.startTime", told))
