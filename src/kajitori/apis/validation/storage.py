"""The storage group: classes, drivers, what they offer and what is attached.

Source: pkg/apis/storage/validation.
"""

from collections.abc import Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import is_qualified_name
from kajitori.apis.validation.checks import (
    INT32_MAX,
    Errors,
    check_enum,
    check_label_selector,
    check_not_negative,
    check_qualified_name,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.node_selection import check_topology_term
from kajitori.apis.validation.persistent_volumes import check_volume_spec
from kajitori.apis.validation.validator import Validator, same_rules
from kajitori.apis.validation.volume_sources import check_csi_driver_name

__all__ = ["VALIDATORS"]

_PARAMETERS_MAX = 512
_PARAMETERS_BYTES_MAX = 256 * 1024
_ATTACHMENT_BYTES_MAX = 256 * 1024
_ERROR_BYTES_MAX = 1024
_NODE_ID_BYTES_MAX = 256
_TOKEN_SECONDS_MIN = 600
_TOKEN_SECONDS_MAX = 1 << 32
_UPDATE_PERIOD_SECONDS_MIN = 10
_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_LIFECYCLE_MODES = ("Persistent", "Ephemeral")


def _bytes_of(texts: Mapping[str, str] | None) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in (texts or {}).items())


# Classes.


def _check_provisioner(name: str, path: str, errors: Errors) -> None:
    if not name:
        errors.append(FieldError.required(path))
        return
    # The lower case of it is what must be a name, and what is shown.
    lowered = name.lower()
    errors += [FieldError.invalid(path, lowered, told) for told in is_qualified_name(lowered)]


def _check_parameters(parameters: Mapping[str, str], errors: Errors) -> None:
    path = "parameters"
    if len(parameters) > _PARAMETERS_MAX:
        errors.append(FieldError.too_long(path, "", _PARAMETERS_MAX))
        return
    if "" in parameters:
        errors.append(FieldError.invalid(path, "", "field can not be empty."))
    if _bytes_of(parameters) > _PARAMETERS_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _PARAMETERS_BYTES_MAX))


def _check_class(obj: JsonObject, errors: Errors) -> None:
    _check_provisioner(obj.get("provisioner", ""), "provisioner", errors)
    _check_parameters(obj.get("parameters") or {}, errors)
    if obj.get("reclaimPolicy"):
        check_enum(obj["reclaimPolicy"], _RECLAIM_POLICIES, "reclaimPolicy", errors)
    check_required_enum(obj.get("volumeBindingMode"), _BINDING_MODES, "volumeBindingMode", errors)
    terms: Sequence[JsonObject] = obj.get("allowedTopologies") or ()
    # Kubernetes begins with as many empty terms as there are terms, so that each empty one is told so often.
    seen: list[dict[str, set[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        path = f"allowedTopologies[{index}]"
        found = check_topology_term(term, path, errors)
        told = FieldError.duplicate(f"{path}.matchLabelExpressions", "")
        errors += [told] * seen.count(found)
        seen.append(found)


def _check_attributes_class(obj: JsonObject, errors: Errors) -> None:
    _check_provisioner(obj.get("driverName", ""), "driverName", errors)
    parameters: Mapping[str, str] = obj.get("parameters") or {}
    _check_parameters(parameters, errors)
    if not parameters:
        told = "must contain at least one key/value pair"
        errors.append(FieldError.required("parameters", told))


# Drivers.


def _check_driver(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    for member, shown in (
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
    ):
        if spec.get(member) is None:
            errors.append(FieldError.required(f"spec.{shown}"))
    if "fsGroupPolicy" in spec:
        check_enum(spec["fsGroupPolicy"], _GROUP_POLICIES, "spec.fsGroupPolicy", errors)
    _check_token_requests(spec.get("tokenRequests") or (), errors)
    for mode in spec.get("volumeLifecycleModes") or ():
        check_enum(mode, _LIFECYCLE_MODES, "spec.volumeLifecycleModes", errors)
    if spec.get("seLinuxMount") is None:
        errors.append(FieldError.required("spec.seLinuxMount"))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < _UPDATE_PERIOD_SECONDS_MIN:
        told = f"must be greater than or equal to {_UPDATE_PERIOD_SECONDS_MIN} seconds"
        errors.append(FieldError.invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, told))
    in_secrets = spec.get("serviceAccountTokenInSecrets")
    if in_secrets is not None and not spec.get("tokenRequests"):
        told = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        errors.append(FieldError.invalid("spec.serviceAccountTokenInSecrets", in_secrets, told))


def _check_token_requests(requests: Sequence[JsonObject], errors: Errors) -> None:
    audiences: set[str] = set()
    for index, request in enumerate(requests):
        path, audience = f"spec.tokenRequests[{index}]", request.get("audience", "")
        if audience in audiences:
            errors.append(FieldError.duplicate(f"{path}.audience", audience))
            continue
        audiences.add(audience)
        seconds, here = request.get("expirationSeconds"), f"{path}.expirationSeconds"
        if seconds is None:
            continue
        if seconds < _TOKEN_SECONDS_MIN:
            told = "may not specify a duration less than 10 minutes"
            errors.append(FieldError.invalid(here, seconds, told))
        if seconds > _TOKEN_SECONDS_MAX:
            told = "may not specify a duration larger than 2^32 seconds"
            errors.append(FieldError.invalid(here, seconds, told))


def _check_node(obj: JsonObject, errors: Errors) -> None:
    names: set[str] = set()
    for index, driver in enumerate(obj["spec"].get("drivers") or ()):
        path, name, node = f"spec.drivers[{index}]", driver.get("name", ""), driver.get("nodeID", "")
        check_csi_driver_name(name, f"{path}.name", errors)
        if not node:
            errors.append(FieldError.required(f"{path}.nodeID"))
        if len(node.encode()) > _NODE_ID_BYTES_MAX:
            told = f"must be {_NODE_ID_BYTES_MAX} characters or less"
            errors.append(FieldError.invalid(f"{path}.nodeID", node, told))
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None:
            check_not_negative(count, f"{path}.allocatable.count", errors)
        if name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)
        _check_topology_keys(driver.get("topologyKeys") or (), path, errors)


def _check_topology_keys(keys: Sequence[str], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for key in keys:
        if not key:
            errors.append(FieldError.required(path))
        if key in seen:
            errors.append(FieldError.duplicate(path, key))
        seen.add(key)
        check_qualified_name(key, path, errors)


def _check_capacity(obj: JsonObject, errors: Errors) -> None:
    check_label_selector(obj.get("nodeTopology"), "nodeTopology", errors)
    check_subdomain(obj.get("storageClassName", ""), "storageClassName", errors)
    capacity = obj.get("capacity")
    if capacity is not None and parse_quantity(capacity).unscaled < 0:
        errors.append(FieldError.invalid("capacity", capacity, "must be greater than or equal to 0"))


# Attachments.


def _check_attachment(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    check_csi_driver_name(spec.get("attacher", ""), "spec.attacher", errors)
    _check_attached(spec.get("source") or {}, "spec.source", errors)
    check_subdomain(spec.get("nodeName", ""), "spec.nodeName", errors)
    status: JsonObject = obj.get("status") or {}
    if _bytes_of(status.get("attachmentMetadata")) > _ATTACHMENT_BYTES_MAX:
        errors.append(FieldError.too_long("status.attachmentMetadata", "", _ATTACHMENT_BYTES_MAX))
    for member in ("attachError", "detachError"):
        if member in status:
            _check_error(status[member], f"status.{member}", errors)
    name = (spec.get("source") or {}).get("persistentVolumeName")
    if name is not None:
        check_subdomain(name, "spec.source.persistentVolumeName", errors)


def _check_attached(source: JsonObject, path: str, errors: Errors) -> None:
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    told = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if name is None and inline is None:
        errors.append(FieldError.required(path, told))
    elif name is not None and inline is not None:
        errors.append(FieldError.forbidden(path, told))
    elif inline is not None:
        check_volume_spec(inline, "", f"{path}.inlineVolumeSpec", errors, inline=True)
    elif not name:
        told = "must specify non empty persistentVolumeName"
        errors.append(FieldError.required(f"{path}.persistentVolumeName", told))


def _check_error(error: JsonObject, path: str, errors: Errors) -> None:
    if len(error.get("message", "").encode()) > _ERROR_BYTES_MAX:
        # Kubernetes tells another limit than the one it checks.
        errors.append(FieldError.too_long(f"{path}.message", "", _ATTACHMENT_BYTES_MAX))
    code = error.get("errorCode")
    if code is not None and code < 0:
        told = f"must be between 0 and {INT32_MAX}, inclusive"
        errors.append(FieldError.invalid(f"{path}.errorCode", code, told))


def _update_attachment(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # Whatever of it changes, all of it is checked.
    _check_attachment(obj, errors)


VALIDATORS = {
    "csidrivers": same_rules(_check_driver),
    "csinodes": same_rules(_check_node),
    "csistoragecapacities": same_rules(_check_capacity),
    "storageclasses": same_rules(_check_class),
    "volumeattachments": Validator(_check_attachment, _update_attachment),
    "volumeattributesclasses": same_rules(_check_attributes_class),
}
