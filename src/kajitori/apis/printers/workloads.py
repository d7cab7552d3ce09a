"""The cells of what runs pods: deployments and their like, jobs, autoscalers.

Source: kubernetes/pkg/printers/internalversion.
"""

from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.time import age, human_duration, parse_time

from .texts import (
    age_of,
    condition,
    container_texts,
    labels_text,
    member,
    name_of,
    quantity_text,
    selector_text,
    with_more,
)

__all__ = [
    "controller_revision_cells",
    "cron_job_cells",
    "daemon_set_cells",
    "deployment_cells",
    "horizontal_pod_autoscaler_cells",
    "horizontal_pod_autoscaler_v1_cells",
    "job_cells",
    "pod_disruption_budget_cells",
    "pod_template_cells",
    "replica_set_cells",
    "replication_controller_cells",
    "stateful_set_cells",
]

METRICS_SHOWN_MAX = 2
"""How many metrics of an autoscaler fit into its cell."""
CPU_UTILIZATION_DEFAULT = 80
"""What version 1 aims at, in percent, when it names no metric."""
_METRICS_ANNOTATION = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT_METRICS_ANNOTATION = "autoscaling.alpha.kubernetes.io/current-metrics"


def _counts(value: JsonObject, *names: str) -> list[int]:
    """Numbers of the status, 0 for those that are not there."""
    status = value.get("status") or {}
    return [status.get(each) or 0 for each in names]


def _replicas(value: JsonObject) -> int:
    return member(value, "spec", "replicas") or 0


def _template(value: JsonObject) -> Any:
    return member(value, "spec", "template", "spec")


def deployment_cells(deployment: JsonObject, now: float) -> list[Any]:
    ready, updated, available = _counts(deployment, "readyReplicas", "updatedReplicas", "availableReplicas")
    try:
        selector = str(selector_from_object(member(deployment, "spec", "selector")))
    except ValueError:
        selector = "<invalid>"
    return [
        name_of(deployment),
        f"{ready}/{_replicas(deployment)}",
        updated,
        available,
        age_of(deployment, now),
        *container_texts(_template(deployment)),
        selector,
    ]


def replica_set_cells(replica_set: JsonObject, now: float) -> list[Any]:
    return [
        name_of(replica_set),
        _replicas(replica_set),
        *_counts(replica_set, "replicas", "readyReplicas"),
        age_of(replica_set, now),
        *container_texts(_template(replica_set)),
        selector_text(member(replica_set, "spec", "selector")),
    ]


def replication_controller_cells(controller: JsonObject, now: float) -> list[Any]:
    return [
        name_of(controller),
        _replicas(controller),
        *_counts(controller, "replicas", "readyReplicas"),
        age_of(controller, now),
        *container_texts(_template(controller)),
        labels_text(member(controller, "spec", "selector")),
    ]


def stateful_set_cells(stateful_set: JsonObject, now: float) -> list[Any]:
    (ready,) = _counts(stateful_set, "readyReplicas")
    return [
        name_of(stateful_set),
        f"{ready}/{_replicas(stateful_set)}",
        age_of(stateful_set, now),
        *container_texts(_template(stateful_set)),
    ]


def daemon_set_cells(daemon_set: JsonObject, now: float) -> list[Any]:
    scheduled = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    return [
        name_of(daemon_set),
        *_counts(daemon_set, *scheduled, "updatedNumberScheduled", "numberAvailable"),
        labels_text(member(_template(daemon_set), "nodeSelector")),
        age_of(daemon_set, now),
        *container_texts(_template(daemon_set)),
        selector_text(member(daemon_set, "spec", "selector")),
    ]


_JOB_STATES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("", "Terminating"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)
"""Which condition makes which status, the first that holds; the empty one stands for being deleted."""


def job_cells(job: JsonObject, now: float) -> list[Any]:
    return [
        name_of(job),
        _job_status(job),
        _completions(job),
        _job_duration(job, now),
        age_of(job, now),
        *container_texts(_template(job)),
        selector_text(member(job, "spec", "selector")),
    ]


def _job_status(job: JsonObject) -> str:
    for kind, shown in _JOB_STATES:
        if not kind:
            if (job.get("metadata") or {}).get("deletionTimestamp"):
                return shown
        elif (found := condition(job, kind)) is not None and found.get("status") == "True":
            return shown
    return "Running"


def _completions(job: JsonObject) -> str:
    (succeeded,) = _counts(job, "succeeded")
    wanted = member(job, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = member(job, "spec", "parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(job: JsonObject, now: float) -> str:
    started, completed = member(job, "status", "startTime"), member(job, "status", "completionTime")
    if not started:
        return ""
    try:
        return human_duration((parse_time(completed) if completed else now) - parse_time(started))
    except ValueError:
        return "<invalid>"


def cron_job_cells(cron_job: JsonObject, now: float) -> list[Any]:
    suspended = member(cron_job, "spec", "suspend")
    last = member(cron_job, "status", "lastScheduleTime")
    zone = member(cron_job, "spec", "timeZone")
    job_spec = member(cron_job, "spec", "jobTemplate", "spec")
    return [
        name_of(cron_job),
        member(cron_job, "spec", "schedule") or "",
        "<none>" if zone is None else zone,
        "<unset>" if suspended is None else str(suspended),
        len(member(cron_job, "status", "active") or ()),
        age(last, now) if last else "<none>",
        age_of(cron_job, now),
        *container_texts(member(job_spec, "template", "spec")),
        selector_text(member(job_spec, "selector")),
    ]


def pod_template_cells(template: JsonObject, now: float) -> list[Any]:
    return [
        name_of(template),
        *container_texts(member(template, "template", "spec")),
        labels_text(member(template, "template", "metadata", "labels")),
    ]


def pod_disruption_budget_cells(budget: JsonObject, now: float) -> list[Any]:
    bounds = [member(budget, "spec", each) for each in ("minAvailable", "maxUnavailable")]
    return [
        name_of(budget),
        *("N/A" if each is None else str(each) for each in bounds),
        *_counts(budget, "disruptionsAllowed"),
        age_of(budget, now),
    ]


def controller_revision_cells(revision: JsonObject, now: float) -> list[Any]:
    owner = "<none>"
    for reference in (revision.get("metadata") or {}).get("ownerReferences") or ():
        if reference.get("controller"):
            group = (reference.get("apiVersion") or "").rpartition("/")[0]
            kind = reference.get("kind", "")
            owner = f"{f'{kind}.{group}' if group else kind}".lower() + "/" + reference.get("name", "")
            break
    return [
        name_of(revision),
        owner,
        revision.get("revision") or 0,
        age_of(revision, now),
    ]


def horizontal_pod_autoscaler_cells(autoscaler: JsonObject, now: float) -> list[Any]:
    metrics = member(autoscaler, "spec", "metrics") or []
    current = member(autoscaler, "status", "currentMetrics") or []
    return _autoscaler_cells(autoscaler, _metrics_text(metrics, current), now)


def horizontal_pod_autoscaler_v1_cells(autoscaler: JsonObject, now: float) -> list[Any]:
    """Version 1 has a field for one metric and hides the others in annotations."""
    annotations = (autoscaler.get("metadata") or {}).get("annotations") or {}
    metrics = _hidden_metrics(annotations.get(_METRICS_ANNOTATION), "target") or []
    target = member(autoscaler, "spec", "targetCPUUtilizationPercentage")
    if target is not None or not metrics:
        metrics.append(_cpu_metric("target", CPU_UTILIZATION_DEFAULT if target is None else target))
    current = _hidden_metrics(annotations.get(_CURRENT_METRICS_ANNOTATION), "current")
    if current is None:
        used = member(autoscaler, "status", "currentCPUUtilizationPercentage")
        current = [] if used is None else [_cpu_metric("current", used)]
    return _autoscaler_cells(autoscaler, _metrics_text(metrics, current), now)


def _autoscaler_cells(autoscaler: JsonObject, metrics: str, now: float) -> list[Any]:
    target = member(autoscaler, "spec", "scaleTargetRef") or {}
    least = member(autoscaler, "spec", "minReplicas")
    return [
        name_of(autoscaler),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        metrics,
        "<unset>" if least is None else str(least),
        member(autoscaler, "spec", "maxReplicas") or 0,
        *_counts(autoscaler, "currentReplicas"),
        age_of(autoscaler, now),
    ]


def _cpu_metric(side: str, utilization: int) -> JsonObject:
    return {"type": "Resource", "resource": {"name": "cpu", side: {"averageUtilization": utilization}}}


def _hidden_metrics(text: str | None, side: str) -> list[JsonObject] | None:
    """The metrics of an annotation, rewritten as version 2 has them; None when there are no readable ones."""
    if not text:
        return None
    try:
        hidden = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (ValueError, RecursionError):
        return None
    found: list[JsonObject] = []
    for metric in hidden:
        kind = str(metric.get("type") or "")
        member_name = kind[:1].lower() + kind[1:]
        source = metric.get(member_name)
        if isinstance(source, dict):
            value = source.get(f"{side}Value")
            average = source.get(f"{side}AverageValue", source.get("averageValue"))
            utilization = source.get(f"{side}AverageUtilization")
            told = {"value": value, "averageValue": average, "averageUtilization": utilization}
            source = {**source, side: {key: each for key, each in told.items() if each is not None}}
            metric = {**metric, member_name: source}
        found.append(metric)
    return found


def _metrics_text(metrics: list[JsonObject], current: list[JsonObject]) -> str:
    if not metrics:
        return "<none>"
    texts = [
        _metric_text(metric, current[index] if index < len(current) else {})
        for index, metric in enumerate(metrics)
    ]
    return with_more(texts, len(texts), METRICS_SHOWN_MAX, separator=", ")


_METRIC_MEMBERS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _metric_text(metric: JsonObject, status: JsonObject) -> str:
    """`cpu: 12%/80%`, `100m/200m (avg)`: what is, and what is aimed at."""
    name = _METRIC_MEMBERS.get(metric.get("type", ""))
    if name is None:
        return "<unknown type>"
    source, seen = metric.get(name) or {}, status.get(name)
    target = source.get("target") or {}
    current = None if seen is None else seen.get("current") or {}
    average = target.get("averageValue")
    if name == "pods":
        shown = "<unknown>" if current is None else quantity_text(current.get("averageValue"))
        return f"{shown}/{quantity_text(average)}"
    if name in ("external", "object"):
        if average is not None:
            known = current is not None and current.get("averageValue") is not None
            shown = quantity_text(current.get("averageValue")) if known and current else "<unknown>"
            return f"{shown}/{quantity_text(average)} (avg)"
        shown = "<unknown>" if current is None else quantity_text(current.get("value"))
        return f"{shown}/{quantity_text(target.get('value'))}"
    resource = source.get("name", "")
    if average is not None:
        shown = "<unknown>" if current is None else quantity_text(current.get("averageValue"))
        return f"{resource}: {shown}/{quantity_text(average)}"
    used = None if current is None else current.get("averageUtilization")
    wanted = target.get("averageUtilization")
    shown = "<unknown>" if used is None else f"{used}%"
    return f"{resource}: {shown}/{'<auto>' if wanted is None else f'{wanted}%'}"
