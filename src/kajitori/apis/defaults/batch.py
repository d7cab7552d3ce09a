"""Defaults of the batch group.

Source: pkg/apis/batch/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_BATCH = "io.k8s.api.batch.v1."
_INT32_MAX = (1 << 31) - 1


def _job(obj: JsonObject) -> None:
    spec = obj["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _INT32_MAX if "backoffLimitPerIndex" in spec else 6)
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        # One map, as in Kubernetes: the labels that are generated for the template become the job's, too.
        obj["metadata"]["labels"] = labels
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)


def _cron_job(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)


def _pod_condition(obj: JsonObject) -> None:
    obj["status"] = obj.get("status") or "True"


DEFAULTS = {
    f"{_BATCH}CronJob": _cron_job,
    f"{_BATCH}Job": _job,
    f"{_BATCH}PodFailurePolicyOnPodConditionsPattern": _pod_condition,
}
