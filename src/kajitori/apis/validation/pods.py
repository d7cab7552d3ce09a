"""Pods: new ones, changed ones, and what their status may say.

What may change in a Pod is told by its strategy.

Source: ValidatePodCreate, ValidatePodUpdate, ValidatePodStatusUpdate in pkg/apis/core/validation.
"""

from collections.abc import Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import check_address, family_of
from kajitori.apis.validation.checks import (
    INT32_MAX,
    Errors,
    check_enum,
    check_label,
    check_not_negative,
    check_qualified_name,
    check_subdomain,
)
from kajitori.apis.validation.containers import check_image_padding
from kajitori.apis.validation.pod_annotations import check_annotated_profiles, check_pod_annotations
from kajitori.apis.validation.pod_specs import check_pod_spec
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_NO_ANNOTATIONS: Mapping[str, str] = {}
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def _check_pod(pod: JsonObject, errors: Errors) -> None:
    """What holds for new and for changed Pods."""
    metadata, spec = pod["metadata"], pod["spec"]
    annotations = metadata.get("annotations")
    if annotations:
        check_pod_annotations(annotations, spec, "metadata.annotations", errors)
    check_pod_spec(spec, "spec", errors, pod_name=metadata.get("name", ""), is_pod=True)
    if not spec.get("serviceAccountName"):
        _check_no_tokens(spec, errors)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        seconds = spec["terminationGracePeriodSeconds"]
        check_not_negative(seconds, "spec.terminationGracePeriodSeconds", errors)
    for member in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(member) or ()):
            check_image_padding(container, f"spec.{member}[{index}]", errors)


def _check_no_tokens(spec: JsonObject, errors: Errors) -> None:
    """Without an account there is nobody that a token could be for."""
    for index, volume in enumerate(spec.get("volumes") or ()):
        for place, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if "serviceAccountToken" in source:
                here = f"spec.volumes[{index}].projected.sources[{place}].serviceAccountToken"
                told = "must not be specified when serviceAccountName is not set"
                errors.append(FieldError.forbidden(here, told))


def _create(pod: JsonObject, errors: Errors) -> None:
    spec = pod["spec"]
    _check_pod(pod, errors)
    if spec.get("ephemeralContainers"):
        errors.append(FieldError.forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        told = "cannot be set until all schedulingGates have been cleared"
        errors.append(FieldError.forbidden("spec.nodeName", told))
    annotations = pod["metadata"].get("annotations")
    if annotations:
        check_annotated_profiles(annotations, spec, "spec", errors)


def _update(pod: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource == "status":
        annotations = pod["metadata"].get("annotations") or _NO_ANNOTATIONS
        check_pod_annotations(annotations, pod["spec"], "metadata.annotations", errors)
        _check_status(pod, old, errors)
    else:
        _check_pod(pod, errors)


# The status.


def _check_status(pod: JsonObject, old: JsonObject, errors: Errors) -> None:
    status, before = pod["status"], old["status"]
    for index, condition in enumerate(status.get("conditions") or ()):
        _check_condition(condition, f"status.conditions[{index}]", errors)
    if pod["spec"].get("nodeName") != old["spec"].get("nodeName"):
        errors.append(FieldError.forbidden("status.nodeName", "may not be changed directly"))
    nominated = status.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        check_subdomain(nominated, "status.nominatedNodeName", errors)
    _check_generation(status, "status", errors)
    claims = {each.get("name") for each in pod["spec"].get("resourceClaims") or ()}
    if "resourceClaimStatuses" in status:
        _check_claim_statuses(status["resourceClaimStatuses"] or (), claims, errors)
    if "extendedResourceClaimStatus" in status:
        _check_extended_claim(status["extendedResourceClaimStatus"] or {}, pod["spec"], errors)
    _check_addresses(status, before, "podIP", errors)
    if status.get("hostIPs"):
        _check_addresses(status, before, "hostIP", errors)
    system = (pod["spec"].get("os") or {}).get("name", "linux")
    for member in _STATUSES:
        for index, each in enumerate(status.get(member) or ()):
            _check_container_status(each, pod["spec"], system, f"status.{member}[{index}]", errors)


def _check_generation(holder: JsonObject, path: str, errors: Errors) -> None:
    generation = holder.get("observedGeneration", 0)
    if generation < 0:
        told = "must be a non-negative integer"
        errors.append(FieldError.invalid(f"{path}.observedGeneration", generation, told))


def _check_condition(condition: JsonObject, path: str, errors: Errors) -> None:
    _check_generation(condition, path, errors)
    kind = condition.get("type", "")
    if kind not in _SYSTEM_CONDITIONS:
        check_qualified_name(kind, f"{path}.Type", errors)


def _check_claim_statuses(statuses: Sequence[JsonObject], claims: set[str | None], errors: Errors) -> None:
    seen: set[str] = set()
    for index, each in enumerate(statuses):
        here = f"status.resourceClaimStatuses[{index}]"
        name: str = each.get("name", "")
        if name not in claims:
            told = "must match the name of an entry in `spec.resourceClaims`"
            errors.append(FieldError.invalid(f"{here}.name", name, told))
        if name in seen:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        seen.add(name)
        if "resourceClaimName" in each:
            check_subdomain(each["resourceClaimName"], f"{here}.resourceClaimName", errors)


def _check_extended_claim(status: JsonObject, spec: JsonObject, errors: Errors) -> None:
    path = "status.extendedResourceClaimStatus"
    containers = {
        each.get("name", ""): each
        for member in ("initContainers", "containers")
        for each in spec.get(member) or ()
    }
    mappings: Sequence[JsonObject] = status.get("requestMappings") or ()
    if not mappings:
        told = "at least one request mapping is required"
        errors.append(FieldError.required(f"{path}.requestMappings", told))
    seen: set[tuple[str, ...]] = set()
    for index, mapping in enumerate(mappings):
        here = f"{path}.requestMappings[{index}]"
        key = tuple(mapping.get(each, "") for each in ("containerName", "resourceName", "requestName"))
        container = containers.get(key[0])
        if container is None:
            told = "must match the name of an entry in spec.initContainers.name or spec.containers.name"
            errors.append(FieldError.invalid(f"{here}.containerName", key[0], told))
        elif key[1] not in ((container.get("resources") or {}).get("requests") or {}):
            told = (
                "must match the extended resource name of an entry in spec.initContainers.resources.requests "
                "or spec.containers.resources.requests"
            )
            errors.append(FieldError.invalid(f"{here}.resourceName", key[1], told))
        check_label(key[2], f"{path}.requestName", errors)
        if key in seen:
            for member, value in zip(("containerName", "resourceName", "requestName"), key, strict=True):
                errors.append(FieldError.duplicate(f"{here}.{member}", value))
        seen.add(key)
    if not status.get("resourceClaimName"):
        errors.append(FieldError.required(f"{path}.resourceClaimName"))
    else:
        check_subdomain(status["resourceClaimName"], f"{path}.resourceClaimName", errors)


def _check_addresses(status: JsonObject, old: JsonObject, member: str, errors: Errors) -> None:
    """The addresses of a Pod or of its host: one of each family, the first told twice."""
    path = f"status.{member}s"
    listed: list[JsonObject] = status.get(f"{member}s") or []
    addresses = [each.get("ip", "") for each in listed]
    kept = [each.get("ip", "") for each in old.get(f"{member}s") or ()]
    for index, address in enumerate(addresses):
        check_address(address, f"{path}[{index}]", errors, kept)
    if len(addresses) > 1:
        families = [family_of(each) for each in addresses]
        if len(addresses) > 2 or len(set(families)) < 2 or 0 in families:
            shown = [{"IP": each} for each in addresses]
            told = "may specify no more than one IP for each IP family"
            errors.append(FieldError.invalid(path, shown, told))
    single = status.get(member, "")
    if member == "podIP" and bool(single) != bool(addresses):
        told = "podIP and podIPs must either both be set or both be unset"
        shown_or_none = [{"IP": each} for each in addresses] or None
        errors.append(FieldError.invalid(path, shown_or_none, told))
    elif addresses and single != addresses[0]:
        told = f"must be equal to `{member}`"
        errors.append(FieldError.invalid(f"{path}[0].ip", addresses[0], told))


_UID_MAX = (1 << 32) - 1


def _check_container_status(
    status: JsonObject, spec: JsonObject, system: str, path: str, errors: Errors
) -> None:
    linux = (status.get("user") or {}).get("linux")
    if linux is not None:
        if system == "windows":
            told = "cannot be set for a windows pod"
            errors.append(FieldError.forbidden(f"{path}.user.linux", told))
        else:
            _check_user(linux, f"{path}.user.linux", errors)
    if "allocatedResourcesStatus" not in status:
        return
    if ".ephemeralContainerStatuses[" in path or path.startswith("status.ephemeral"):
        told = "must not be specified in container status"
        errors.append(FieldError.forbidden(f"{path}.allocatedResourcesStatus", told))
        return
    member = "initContainers" if path.startswith("status.init") else "containers"
    named = [each for each in spec.get(member) or () if each.get("name") == status.get("name")]
    for index, allocated in enumerate(status["allocatedResourcesStatus"] or ()):
        here = f"{path}.allocatedResourcesStatus[{index}]"
        _check_allocated(allocated, named[0] if named else None, here, errors)


def _check_user(user: JsonObject, path: str, errors: Errors) -> None:
    numbers = [("uid", user.get("uid", 0)), ("gid", user.get("gid", 0))]
    numbers += [
        (f"supplementalGroups[{index}]", each)
        for index, each in enumerate(user.get("supplementalGroups") or ())
    ]
    for member, number in numbers:
        if not 0 <= number <= INT32_MAX:
            told = f"must be between 0 and {INT32_MAX}, inclusive"
            errors.append(FieldError.invalid(f"{path}.{member}", number, told))


def _check_allocated(allocated: JsonObject, container: JsonObject | None, path: str, errors: Errors) -> None:
    name = allocated.get("name", "")
    resources: JsonObject = (container or {}).get("resources") or {}
    if container is not None:
        if name.startswith("claim:"):
            known = {
                f"claim:{each.get('name', '')}" + (f"/{each['request']}" if each.get("request") else "")
                for each in resources.get("claims") or ()
            }
            told = (
                "must match one of the container's resource claims in a format "
                "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
            )
        else:
            known = set(resources.get("requests") or ())
            told = "must match one of the container's resource requests"
        if name not in known:
            errors.append(FieldError.invalid(f"{path}.name", name, told))
    seen: set[str] = set()
    for index, resource in enumerate(allocated.get("resources") or ()):
        here, identity = f"{path}.resources[{index}]", resource.get("resourceID", "")
        healths = ("Healthy", "Unhealthy", "Unknown")
        check_enum(resource.get("health", ""), healths, f"{here}.health", errors)
        if identity in seen:
            errors.append(FieldError.duplicate(f"{here}.resourceID", identity))
        seen.add(identity)


VALIDATORS = {"pods": Validator(_create, _update)}
