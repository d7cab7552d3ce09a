"""PersistentVolumeClaims, and the claims inside Pods and StatefulSets that become some.

What may change in a claim is told by its strategy; here is what it may say at all.

Source: ValidatePersistentVolumeClaimSpec and ValidatePersistentVolumeClaimStatusUpdate in pkg/apis/core/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_qualified_name
from kajitori.apis.validation.amounts import (
    check_basic_amount,
    check_positive_amount,
    is_native_resource,
)
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label_selector,
    check_labels,
    check_namespace,
    check_subdomain,
    check_template_annotations,
)
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS", "VOLUME_MODES", "check_access_modes", "check_claim_spec", "check_claim_template"]

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_RESIZE_STATES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)
_TEMPLATE_METADATA = frozenset({"annotations", "labels", "creationTimestamp"})


def check_access_modes(modes: Sequence[str], path: str, errors: Errors) -> None:
    for mode in modes:
        check_enum(mode, _ACCESS_MODES, path, errors)
    if "ReadWriteOncePod" in modes and any(
        each in _ACCESS_MODES and each != "ReadWriteOncePod" for each in modes
    ):
        errors.append(FieldError.forbidden(path, "may not use ReadWriteOncePod with other access modes"))


def check_claim_spec(spec: JsonObject, path: str, errors: Errors, *, any_group: bool = False) -> None:
    """What a claim asks for; `any_group` where a group that is no domain was let through before."""
    modes: Sequence[str] = spec.get("accessModes") or ()
    if not modes:
        told = "at least 1 access mode is required"
        errors.append(FieldError.required(f"{path}.accessModes", told))
    check_label_selector(spec.get("selector"), f"{path}.selector", errors)
    check_access_modes(modes, f"{path}.accessModes", errors)
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if size is None:
        errors.append(FieldError.required(f"{path}.resources[storage]"))
    else:
        check_positive_amount(size, f"{path}.resources[storage]", errors)
    if spec.get("storageClassName"):
        check_subdomain(spec["storageClassName"], f"{path}.storageClassName", errors)
    if "volumeMode" in spec:
        check_enum(spec["volumeMode"], VOLUME_MODES, f"{path}.volumeMode", errors)
    _check_sources(spec, path, errors, any_group)
    if spec.get("volumeAttributesClassName"):
        check_subdomain(spec["volumeAttributesClassName"], f"{path}.volumeAttributesClassName", errors)


def _check_sources(spec: JsonObject, path: str, errors: Errors, any_group: bool) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        _check_source(source, f"{path}.dataSource", errors, any_group)
    if reference is not None:
        _check_source(reference, f"{path}.dataSourceRef", errors, any_group)
        if reference.get("namespace"):
            check_namespace(reference["namespace"], f"{path}.dataSourceRef.namespace", errors)
    if source is None or reference is None:
        return
    if reference.get("namespace"):
        told = "may not be specified when dataSourceRef.namespace is specified"
        errors.append(FieldError.invalid(path, {}, told))  # Kubernetes shows a path here, as JSON
    elif any(source.get(each) != reference.get(each) for each in ("apiGroup", "kind", "name")):
        errors.append(FieldError.invalid(path, {}, "must match dataSourceRef"))


def _check_source(source: JsonObject, path: str, errors: Errors, any_group: bool) -> None:
    kind, group = source.get("kind", ""), source.get("apiGroup") or ""
    for member in ("name", "kind"):
        if not source.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
    if not group and kind != "PersistentVolumeClaim":
        told = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        errors.append(FieldError.invalid(path, kind, told))
    if group and not any_group:
        check_subdomain(group, f"{path}.apiGroup", errors)


def check_claim_template(template: JsonObject, path: str, errors: Errors) -> None:
    """What a claim is made from; of its metadata only labels and annotations are taken over."""
    metadata: JsonObject = template.get("metadata") or {}
    check_template_annotations(metadata.get("annotations") or {}, f"{path}.metadata.annotations", errors)
    check_labels(metadata.get("labels") or {}, f"{path}.metadata.labels", errors)
    for member in metadata:
        if member not in _TEMPLATE_METADATA:
            errors.append(FieldError.forbidden(f"{path}.metadata.{member}", "cannot be set"))
    if metadata.get("creationTimestamp"):
        errors.append(FieldError.forbidden(f"{path}.metadata.creationTimestamp", "cannot be set"))
    check_claim_spec(template.get("spec") or {}, f"{path}.spec", errors)


def _create(claim: JsonObject, errors: Errors) -> None:
    check_claim_spec(claim["spec"], "spec", errors)


def _update(claim: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource == "status":
        _check_status(claim, errors)
        return
    had_group = any(
        (old["spec"].get(each) or {}).get("apiGroup") is not None for each in ("dataSource", "dataSourceRef")
    )
    check_claim_spec(claim["spec"], "spec", errors, any_group=had_group)


def _check_status(claim: JsonObject, errors: Errors) -> None:
    status: JsonObject = claim.get("status") or {}
    for name, amount in (status.get("capacity") or {}).items():
        check_basic_amount(amount, f"status.capacity[{name}]", errors)
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        _check_resource_key(name, "status.allocatedResourceStatuses", errors)
        if state not in _RESIZE_STATES:
            errors.append(FieldError.not_supported("status.allocatedResourceStatuses", name, _RESIZE_STATES))
    for name, amount in (status.get("allocatedResources") or {}).items():
        before = len(errors)
        _check_resource_key(name, "status.allocatedResources", errors)
        if len(errors) == before:
            check_basic_amount(amount, f"status.allocatedResources[{name}]", errors)


def _check_resource_key(name: str, path: str, errors: Errors) -> None:
    problems = is_qualified_name(name)
    errors += [FieldError.invalid(path, name, told) for told in problems]
    if not problems and is_native_resource(name) and name != "storage":
        errors.append(FieldError.not_supported(path, name, ("storage",)))


VALIDATORS = {"persistentvolumeclaims": Validator(_create, _update)}
