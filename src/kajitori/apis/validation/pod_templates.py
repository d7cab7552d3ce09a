"""What Pods are made from, and the kinds that are little more than that.

Source: ValidatePodTemplateSpec, ValidatePodTemplate and ValidateReplicationController in pkg/apis/core/validation.
"""

from collections.abc import Mapping

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import (
    Errors,
    check_labels,
    check_not_negative,
    check_template_annotations,
    selects,
)
from kajitori.apis.validation.pod_annotations import check_annotated_profiles, check_pod_annotations
from kajitori.apis.validation.pod_specs import check_pod_spec
from kajitori.apis.validation.validator import Validator, same_rules

__all__ = [
    "REPLICA_BOUNDS",
    "REPLICA_COUNTS",
    "VALIDATORS",
    "check_restarted_template",
    "check_status_counts",
    "check_template",
    "check_template_matches",
]

_NOT_SELECTED = "`selector` does not match template `labels`"


def check_template(template: JsonObject, path: str, errors: Errors) -> None:
    metadata: JsonObject = template.get("metadata") or {}
    spec: JsonObject = template.get("spec") or {}
    labels = metadata.get("labels")
    if labels:
        check_labels(labels, f"{path}.labels", errors)
    annotations: Mapping[str, str] | None = metadata.get("annotations")
    if annotations:
        check_template_annotations(annotations, f"{path}.annotations", errors)
        check_pod_annotations(annotations, spec, f"{path}.annotations", errors)
    check_pod_spec(spec, f"{path}.spec", errors)
    if annotations:
        check_annotated_profiles(annotations, spec, f"{path}.spec", errors)
    if spec.get("ephemeralContainers"):
        told = "ephemeral containers not allowed in pod template"
        errors.append(FieldError.forbidden(f"{path}.spec.ephemeralContainers", told))


def check_template_matches(
    template: JsonObject, selector: JsonObject | None, path: str, errors: Errors
) -> None:
    """Pods made from the template must be selected; an empty selector asks for nothing here."""
    labels: Mapping[str, str] | None = (template.get("metadata") or {}).get("labels")
    if selects(selector, labels or {}) is False:
        errors.append(FieldError.invalid(f"{path}.metadata.labels", labels, _NOT_SELECTED))


def check_restarted_template(template: JsonObject, kind: str, path: str, errors: Errors) -> None:
    """Pods of kinds that keep them running restart their containers, and have no deadline."""
    spec: JsonObject = template.get("spec") or {}
    policy = spec.get("restartPolicy", "")
    if policy != "Always":
        errors.append(FieldError.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",)))
    if "activeDeadlineSeconds" in spec:
        told = f"activeDeadlineSeconds in {kind} is not Supported"
        errors.append(FieldError.forbidden(f"{path}.spec.activeDeadlineSeconds", told))


def check_status_counts(
    status: JsonObject, bounds: Mapping[str, tuple[str, str]], members: tuple[str, ...], errors: Errors
) -> None:
    """Counts in a status: none negative, and none beyond what it is a part of.

    `bounds` maps a member to the one it is a part of and to what to say of it.
    """
    for member in members:
        check_not_negative(status.get(member) or 0, f"status.{member}", errors)
    for key, (whole, told) in bounds.items():
        member = key.partition(" ")[0]
        count = status.get(member) or 0
        if count > (status.get(whole) or 0):
            errors.append(FieldError.invalid(f"status.{member}", count, told))


def _check_pod_template(obj: JsonObject, errors: Errors) -> None:
    check_template(obj.get("template") or {}, "template", errors)


def _check_controller(obj: JsonObject, errors: Errors) -> None:
    spec = obj["spec"]
    replicas = spec.get("replicas")
    if replicas is None:
        errors.append(FieldError.required("spec.replicas"))
    else:
        check_not_negative(replicas, "spec.replicas", errors)
    check_not_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds", errors)
    labels: Mapping[str, str] = spec.get("selector") or {}
    if not labels:
        errors.append(FieldError.required("spec.selector"))
    template = spec.get("template")
    if template is None:
        errors.append(FieldError.required("spec.template"))
        return
    own: Mapping[str, str] | None = (template.get("metadata") or {}).get("labels")
    if not labels.items() <= (own or {}).items():
        errors.append(FieldError.invalid("spec.template.metadata.labels", own, _NOT_SELECTED))
    check_template(template, "spec.template", errors)
    check_restarted_template(template, "ReplicationController", "spec.template", errors)


REPLICA_COUNTS = (
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
)
_BEYOND = "cannot be greater than status.replicas"
REPLICA_BOUNDS = {
    # A member may be a part of two: what stands after the blank tells the entries apart.
    "fullyLabeledReplicas": ("replicas", _BEYOND),
    "readyReplicas": ("replicas", _BEYOND),
    "availableReplicas": ("replicas", _BEYOND),
    "availableReplicas ready": ("readyReplicas", "cannot be greater than readyReplicas"),
}


def _update_controller(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource:
        check_status_counts(obj["status"], REPLICA_BOUNDS, REPLICA_COUNTS, errors)
    else:
        _check_controller(obj, errors)


VALIDATORS = {
    "podtemplates": same_rules(_check_pod_template),
    "replicationcontrollers": Validator(_check_controller, _update_controller),
}
