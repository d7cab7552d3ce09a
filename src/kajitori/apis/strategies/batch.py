"""Jobs and CronJobs.

Source: pkg/registry/batch, pkg/api/job and the update rules of pkg/apis/batch/validation.
"""

from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.base import IMMUTABLE, NOBODY, Occasion, Strategy
from kajitori.apis.strategies.disabled import drop_pod_fields
from kajitori.apis.strategies.pod_templates import template_warnings
from kajitori.apis.strategies.workloads import hostname_warnings
from kajitori.apis.validation.go_values import go_struct

__all__ = ["STRATEGIES", "condition_is_true"]

_COMPLETIONS_SOFT_MAX = 100_000
_PARALLELISM_SOFT_MAX = 10_000
_STRUCTS = {"podFailurePolicy": "batch.v1.PodFailurePolicy", "successPolicy": "batch.v1.SuccessPolicy"}
_NAME_LABELS = ("job-name", "batch.kubernetes.io/job-name")
_UID_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")


def condition_is_true(status: JsonObject, kind: str) -> bool:
    """Whether a condition of this type is True."""
    return any(each["type"] == kind and each["status"] == "True" for each in status.get("conditions") or ())


def _job_warnings(path: str, spec: JsonObject, old: JsonObject | None) -> list[str]:
    told: list[str] = []
    if (
        spec.get("completionMode") == "Indexed"
        and (spec.get("completions") or 0) > _COMPLETIONS_SOFT_MAX
        and (spec.get("parallelism") or 0) > _PARALLELISM_SOFT_MAX
    ):
        told.append(
            f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher "
            "than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    return told + template_warnings(f"{path}.template", spec.get("template"), old and old.get("template"))


class Job(Strategy):
    default_propagation = "Orphan"
    counts_generations = True
    field_labels = frozenset({"status.successful"})

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        template = obj["spec"]["template"]["metadata"]
        shared = obj["metadata"].get("labels") is template.get("labels")
        if not obj["spec"].get("manualSelector"):
            self._generate_selector(obj)
        if shared and template.get("labels"):
            # What is stored is defaulted when it is read: the generated labels are the job's own, too.
            obj["metadata"]["labels"] = dict(template["labels"])
        super().prepare_for_create(obj, occasion)
        drop_pod_fields(obj["spec"]["template"]["spec"], None)

    def _generate_selector(self, obj: JsonObject) -> None:
        """Makes the job's Pods its own: nothing else has its uid among its labels."""
        metadata, spec = obj["metadata"], obj["spec"]
        labels: dict[str, str] = spec["template"]["metadata"].setdefault("labels", {})
        for names, value in (
            (_NAME_LABELS, metadata.get("name", "")),
            (_UID_LABELS, metadata.get("uid", "")),
        ):
            for name in names:
                labels.setdefault(name, value)
        spec["template"]["metadata"]["labels"] = dict(sorted(labels.items()))
        selector = spec.setdefault("selector", {}).setdefault("matchLabels", {})
        selector.setdefault(_UID_LABELS[1], metadata.get("uid", ""))

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not subresource:
            drop_pod_fields(obj["spec"]["template"]["spec"], old["spec"]["template"]["spec"])
        super().prepare_for_update(obj, old, subresource, occasion)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        errors = self._completions_errors(spec, before)
        errors += self.unchanged(spec.get("selector"), before.get("selector"), "spec.selector")
        errors += self._template_errors(obj, old)
        for member in (
            "completionMode",
            "podFailurePolicy",
            "backoffLimitPerIndex",
            "managedBy",
            "successPolicy",
        ):
            if spec.get(member) != before.get(member):
                shown = spec.get(member)
                if shown is not None and member in _STRUCTS:
                    shown = go_struct(_STRUCTS[member], shown)
                errors.append(FieldError.invalid(f"spec.{member}", shown, IMMUTABLE))
        return errors

    def _completions_errors(self, spec: JsonObject, old: JsonObject) -> list[FieldError]:
        wanted, before = spec.get("completions"), old.get("completions")
        if wanted == before:
            return []
        if spec.get("completionMode") != "Indexed":
            return [FieldError.invalid("spec.completions", wanted, IMMUTABLE)]
        if wanted is None or wanted == spec.get("parallelism"):
            return []
        told = "can only be modified in tandem with spec.parallelism"
        return [FieldError.invalid("spec.completions", wanted, told)]

    def _template_errors(self, obj: JsonObject, old: JsonObject) -> list[FieldError]:
        """The template is fixed, but while the job is suspended its Pods may be sized and placed anew."""
        template, before = obj["spec"]["template"], old["spec"]["template"]
        suspended = bool(old["spec"].get("suspend"))
        status = old["status"]
        started = "startTime" in status and not condition_is_true(status, "Suspended")
        free = suspended and not started and not status.get("active")
        if free:
            before = _placed_as(before, template)
            if _sized_as(before["spec"], template["spec"]) == template["spec"]:
                return []
            return [
                FieldError.invalid(
                    "spec.template.spec", go_struct("core.v1.PodSpec", template["spec"]), IMMUTABLE
                )
            ]
        return self.unchanged(template, before, "spec.template", "core.v1.PodTemplateSpec")

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        if old is None:
            told = hostname_warnings(obj["metadata"].get("name", ""))
            return told + _job_warnings("spec", obj["spec"], None)
        if obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return _job_warnings("spec", obj["spec"], old["spec"])

    def unknown_field_label(self, label: str) -> str:
        return f'field label "{label}" not supported for Job'

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"status.successful": str(obj["status"].get("succeeded", 0))}


def _placed_as(template: JsonObject, other: JsonObject) -> JsonObject:
    """The template with the other one's labels, annotations, and wishes about nodes."""
    metadata, spec = dict(template["metadata"]), dict(template["spec"])
    for member in ("annotations", "labels"):
        _take(metadata, other["metadata"], member)
    for member in ("nodeSelector", "tolerations", "schedulingGates"):
        _take(spec, other["spec"], member)
    wanted: JsonObject | None = other["spec"].get("affinity")
    affinity = dict(spec.get("affinity") or {})
    _take(affinity, wanted or {}, "nodeAffinity")
    if affinity or wanted is not None:
        spec["affinity"] = affinity
    else:
        spec.pop("affinity", None)
    return {**template, "metadata": metadata, "spec": spec}


def _sized_as(spec: JsonObject, other: JsonObject) -> JsonObject:
    """The spec with the resources that the containers of the other one ask for."""
    sized = dict(spec)
    for member in ("containers", "initContainers"):
        mine, theirs = sized.get(member) or [], other.get(member) or []
        if mine and len(mine) == len(theirs):
            sized[member] = [
                _with_resources(one, two) if one.get("name") == two.get("name") else one
                for one, two in zip(mine, theirs, strict=True)
            ]
    return sized


def _with_resources(container: JsonObject, other: JsonObject) -> JsonObject:
    sized = dict(container)
    _take(sized, other, "resources")
    return sized


def _take(target: dict[str, Any], source: dict[str, Any], name: str) -> None:
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)


class CronJob(Strategy):
    counts_generations = True

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        drop_pod_fields(obj["spec"]["jobTemplate"]["spec"]["template"]["spec"], None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not subresource:
            before = old["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            drop_pod_fields(obj["spec"]["jobTemplate"]["spec"]["template"]["spec"], before)
        super().prepare_for_update(obj, old, subresource, occasion)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        path, spec = "spec.jobTemplate.spec", obj["spec"]["jobTemplate"]["spec"]
        if old is None:
            return hostname_warnings(obj["metadata"].get("name", "")) + _job_warnings(path, spec, None)
        told: list[str] = []
        if obj["metadata"].get("generation") != old["metadata"].get("generation"):
            told += _job_warnings(path, spec, old["spec"]["jobTemplate"]["spec"])
        if "TZ" in obj["spec"].get("schedule", ""):
            told.append(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
                "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
            )
        return told


STRATEGIES: dict[str, type[Strategy]] = {"batch/cronjobs": CronJob, "batch/jobs": Job}
