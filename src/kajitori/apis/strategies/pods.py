"""Pods and their templates.

A Pod's own life begins here: what its status says first, which class of service it gets, how the deprecated
annotations of old become fields, and how long it may take to stop. What may change in it is in `pod_updates`.

Source: pkg/registry/core/pod, pkg/registry/core/podtemplate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_label
from kajitori.apis.strategies.address_warnings import ip_warnings
from kajitori.apis.strategies.base import NOBODY, Occasion, Path, Strategy
from kajitori.apis.strategies.disabled import drop_pod_fields, drop_pod_status_fields
from kajitori.apis.strategies.pod_templates import (
    APP_ARMOR_CONTAINER,
    USE_APP_ARMOR,
    app_armor_profile,
    containers_of,
    pod_warnings,
    template_warnings,
)
from kajitori.apis.strategies.pod_updates import pod_update_errors, resize_errors, status_update_errors
from kajitori.apis.strategies.qos import qos_class

__all__ = ["STRATEGIES"]

_RESET_METADATA = (
    "deletionTimestamp",
    "generation",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
)
_SUBRESOURCE_SPECS = ("ephemeralcontainers", "resize")


class Pod(Strategy):
    returns_deleted = True
    field_labels = frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        }
    )

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        spec, metadata = obj["spec"], obj["metadata"]
        metadata["generation"] = 1
        status: JsonObject = {"phase": "Pending"}
        status["qosClass"] = obj["status"].get("qosClass") or qos_class(spec)
        obj["status"] = status
        drop_pod_fields(spec, None)
        if spec.get("schedulingGates"):
            status["conditions"] = [_gated(occasion.now or metadata.get("creationTimestamp"))]
        labels: dict[str, str] = metadata.get("labels") or {}
        _spread_by_labels(spec, labels)
        _apply_app_armor(spec, metadata)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if subresource == "status":
            self._update_status(obj, old)
            return
        if subresource in _SUBRESOURCE_SPECS:
            self._keep_spec_except(obj, old, subresource)
        obj["status"] = old["status"]
        drop_pod_fields(obj["spec"], old["spec"])
        if obj["spec"] != old["spec"]:
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def _update_status(self, obj: JsonObject, old: JsonObject) -> None:
        obj["spec"] = old["spec"]
        metadata, status = obj["metadata"], obj["status"]
        for name in ("deletionTimestamp", "ownerReferences"):
            if name in old["metadata"]:
                metadata[name] = old["metadata"][name]
            else:
                metadata.pop(name, None)
        if not status.get("qosClass") and old["status"].get("qosClass"):
            status["qosClass"] = old["status"]["qosClass"]
        _keep_observed_generations(status, old["status"])
        drop_pod_status_fields(status, old["status"])

    def _keep_spec_except(self, obj: JsonObject, old: JsonObject, subresource: str) -> None:
        """Whoever may only add a container, or only resize, changes nothing else."""
        sent = obj["spec"]
        kept = dict(old["spec"])
        if subresource == "ephemeralcontainers":
            _replace(kept, "ephemeralContainers", sent.get("ephemeralContainers"))
        else:
            for member in ("containers", "initContainers"):
                new, before = sent.get(member) or [], old["spec"].get(member) or []
                if len(new) != len(before):
                    return  # told as an error where resizes are checked
                if before:
                    kept[member] = _resized(new, before)
            _replace(kept, "resources", sent.get("resources"))
        obj["spec"] = kept
        for name in _RESET_METADATA:
            _replace(obj["metadata"], name, old["metadata"].get(name))

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource == "status":
            return status_update_errors(obj, old)
        if subresource == "resize":
            return resize_errors(obj, old)
        return pod_update_errors(obj, old, subresource)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        told: list[str] = []
        if subresource == "status":
            for member in ("podIPs", "hostIPs"):
                for index, each in enumerate(obj["status"].get(member) or ()):
                    told += ip_warnings(f"status.{member}[{index}].ip", each.get("ip", ""))
        elif old is None:
            problems = is_dns1123_label(obj["metadata"].get("name", ""))
            if problems:
                told.append(
                    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
                    f"a DNS label is recommended: [{' '.join(problems)}]"
                )
            told += _app_armor_warnings(obj) + pod_warnings(obj)
        return told

    def field_label(self, label: str) -> str:
        # What the field was called before v1.
        return super().field_label("spec.nodeName" if label == "spec.host" else label)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        spec, status = obj["spec"], obj["status"]
        addresses = status.get("podIPs")
        return {
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.restartPolicy": spec.get("restartPolicy", ""),
            "spec.schedulerName": spec.get("schedulerName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
            "status.phase": status.get("phase", ""),
            "status.podIP": addresses[0].get("ip", "") if addresses else "",
            "status.nominatedNodeName": status.get("nominatedNodeName", ""),
        }

    def grace_period_seconds(self, obj: JsonObject, requested: int | None) -> int | None:
        spec = obj["spec"]
        period = spec.get("terminationGracePeriodSeconds") or 0 if requested is None else requested
        # Nobody runs it, or it has stopped: there is nothing to wait for.
        if not spec.get("nodeName") or obj["status"].get("phase") in ("Failed", "Succeeded"):
            return 0
        return 1 if period < 0 else int(period)

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        if subresource == "status":
            return (("spec",), ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))
        return () if subresource else (("status",),)


def _replace(target: JsonObject, name: str, value: Any) -> None:
    if value is None:
        target.pop(name, None)
    else:
        target[name] = value


def _resized(new: Sequence[JsonObject], old: Sequence[JsonObject]) -> list[JsonObject]:
    """The old containers with the new resources; the new ones where they are not the same containers."""
    kept: list[JsonObject] = []
    for sent, before in zip(new, old, strict=True):
        if sent.get("name") != before.get("name"):
            return list(new)
        container = dict(before)
        _replace(container, "resources", sent.get("resources"))
        _replace(container, "resizePolicy", sent.get("resizePolicy"))
        kept.append(container)
    return kept


def _gated(now: str | None) -> JsonObject:
    return {
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": now,
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }


def _keep_observed_generations(status: JsonObject, old: JsonObject) -> None:
    """A writer that does not know of observed generations does not take them away."""
    if not status.get("observedGeneration") and old.get("observedGeneration"):
        status["observedGeneration"] = old["observedGeneration"]
    seen: dict[str, list[int]] = {}
    for condition in old.get("conditions") or ():
        seen.setdefault(condition["type"], []).append(condition.get("observedGeneration", 0))
    for condition in status.get("conditions") or ():
        generations = seen.get(condition["type"])
        generation = generations.pop(0) if generations else 0
        if generation and not condition.get("observedGeneration"):
            condition["observedGeneration"] = generation


def _spread_by_labels(spec: JsonObject, labels: Mapping[str, str]) -> None:
    """Puts the values of the labels that terms name by key alone into their selectors."""
    affinity = spec.get("affinity") or {}
    for member in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(member) or {}
        preferred = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        required = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for term in [*(each["podAffinityTerm"] for each in preferred), *required]:
            _select(term, "matchLabelKeys", "In", labels)
            _select(term, "mismatchLabelKeys", "NotIn", labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        _select(constraint, "matchLabelKeys", "In", labels)


def _select(term: JsonObject, member: str, operator: str, labels: Mapping[str, str]) -> None:
    selector = term.get("labelSelector")
    if selector is None:
        return
    for key in term.get(member) or ():
        if key in labels:
            expression = {"key": key, "operator": operator, "values": [labels[key]]}
            selector.setdefault("matchExpressions", []).append(expression)


def _apply_app_armor(spec: JsonObject, metadata: JsonObject) -> None:
    """Annotations of old become the field that took their place, except on Windows."""
    annotations: dict[str, str] = metadata.get("annotations") or {}
    if not annotations or (spec.get("os") or {}).get("name") == "windows":
        return
    whole = (spec.get("securityContext") or {}).get("appArmorProfile")
    for _, container in containers_of(spec):
        annotation = annotations.get(APP_ARMOR_CONTAINER + container.get("name", ""))
        if annotation is None or "appArmorProfile" in (container.get("securityContext") or {}):
            continue
        profile = app_armor_profile(annotation)
        if profile is not None and profile != whole:
            container.setdefault("securityContext", {})["appArmorProfile"] = profile


def _app_armor_warnings(obj: JsonObject) -> list[str]:
    """A warning for each annotation of old that the Pod did not already say by its own profile."""
    annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
    if not annotations or (obj["spec"].get("os") or {}).get("name") == "windows":
        return []
    whole = (obj["spec"].get("securityContext") or {}).get("appArmorProfile")
    told: list[str] = []
    for _, container in containers_of(obj["spec"]):
        key = APP_ARMOR_CONTAINER + container.get("name", "")
        if key in annotations:
            profile = app_armor_profile(annotations[key])
            own = (container.get("securityContext") or {}).get("appArmorProfile")
            if profile is None or (profile != whole and own == profile):
                told.append(f"metadata.annotations[{key}]: {USE_APP_ARMOR}")
    return told


class PodTemplate(Strategy):
    returns_deleted = True
    counts_generations = True
    generation_parts = ("template",)

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        drop_pod_fields(obj["template"]["spec"], None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        drop_pod_fields(obj["template"]["spec"], old["template"]["spec"])
        super().prepare_for_update(obj, old, subresource, occasion)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if old is not None and obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return template_warnings("template", obj["template"], old and old["template"])


STRATEGIES: dict[str, type[Strategy]] = {"/pods": Pod, "/podtemplates": PodTemplate}
