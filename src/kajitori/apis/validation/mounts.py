"""Where a container sees the volumes of its Pod: as directories, or as raw devices.

Source: ValidateVolumeMounts and ValidateVolumeDevices in pkg/apis/core/validation.
"""

from collections.abc import Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_enum
from kajitori.apis.validation.paths import check_descending_path

__all__ = ["check_devices", "check_mounts"]

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")
_PLAIN = frozenset({"name", "mountPath", "readOnly"})


def check_mounts(
    mounts: Sequence[JsonObject],
    devices: Sequence[JsonObject],
    volumes: Mapping[str, JsonObject],
    container: JsonObject,
    path: str,
    errors: Errors,
) -> None:
    """`path` is the container's."""
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        name, place = mount.get("name", ""), mount.get("mountPath", "")
        if name not in volumes or not place or place in places or not name:
            _check_place(name, place, places, volumes, f"{path}.volumeMounts[{index}]", errors)
        places.add(place)
        if devices:
            here = f"{path}.volumeMounts[{index}]"
            if any(name == each.get("name", "") for each in devices):
                told = "must not already exist in volumeDevices"
                errors.append(FieldError.invalid(f"{here}.name", name, told))
            if any(place == each.get("devicePath", "") for each in devices):
                told = "must not already exist as a path in volumeDevices"
                errors.append(FieldError.invalid(f"{here}.mountPath", place, told))
        if not mount.keys() <= _PLAIN:
            _check_details(mount, container, path, index, errors)


def _check_place(
    name: str, place: str, places: set[str], volumes: Mapping[str, JsonObject], path: str, errors: Errors
) -> None:
    if not name:
        errors.append(FieldError.required(f"{path}.name"))
    if name not in volumes:
        errors.append(FieldError.not_found(f"{path}.name", name))
    if not place:
        errors.append(FieldError.required(f"{path}.mountPath"))
    if place in places:
        errors.append(FieldError.invalid(f"{path}.mountPath", place, "must be unique"))


def _check_details(
    mount: JsonObject, container: JsonObject, container_path: str, index: int, errors: Errors
) -> None:
    # Some complaints of Kubernetes name the list, others the mount.
    path = f"{container_path}.volumeMounts"
    inner, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if inner:
        check_descending_path(inner, f"{path}.subPath", errors)
    if expression:
        if inner:
            told = "subPathExpr and subPath are mutually exclusive"
            errors.append(FieldError.invalid(f"{path}[{index}].subPathExpr", expression, told))
        check_descending_path(expression, f"{path}.subPathExpr", errors)
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        check_enum(propagation, _PROPAGATIONS, f"{path}.mountPropagation", errors)
        is_privileged = (container.get("securityContext") or {}).get("privileged")
        if propagation == "Bidirectional" and not is_privileged:
            told = "Bidirectional mount propagation is available only to privileged containers"
            errors.append(FieldError.forbidden(f"{path}.mountPropagation", told))
    recursive = mount.get("recursiveReadOnly")
    if recursive in ("Enabled", "IfPossible"):
        if not mount.get("readOnly"):
            told = "may only be specified when readOnly is true"
            errors.append(FieldError.forbidden(f"{path}.recursiveReadOnly", told))
        if propagation not in (None, "None"):
            told = "may only be specified when mountPropagation is None or not specified"
            errors.append(FieldError.forbidden(f"{path}.recursiveReadOnly", told))
    elif recursive is not None:
        check_enum(recursive, _RECURSIVE, f"{path}.recursiveReadOnly", errors)


def check_devices(
    devices: Sequence[JsonObject],
    mounts: Sequence[JsonObject],
    volumes: Mapping[str, JsonObject],
    path: str,
    errors: Errors,
) -> None:
    names: set[str] = set()
    places: set[str] = set()
    for index, device in enumerate(devices):
        here = f"{path}[{index}]"
        name, place = device.get("name", ""), device.get("devicePath", "")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        if name in names:
            errors.append(FieldError.invalid(f"{here}.name", name, "must be unique"))
        volume = volumes.get(name)
        if volume is None:
            errors.append(FieldError.not_found(f"{here}.name", name))
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            told = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            errors.append(FieldError.invalid(f"{here}.name", name, told))
        if not place:
            errors.append(FieldError.required(f"{here}.devicePath"))
        if place in places:
            errors.append(FieldError.invalid(f"{here}.devicePath", place, "must be unique"))
        if ".." in place.split("/"):
            told = "can not contain backsteps ('..')"
            errors.append(FieldError.invalid(f"{here}.devicePath", place, told))
        else:
            places.add(place)
        if any(name == each.get("name", "") for each in mounts):
            told = "must not already exist in volumeMounts"
            errors.append(FieldError.invalid(f"{here}.name", name, told))
        if any(place == each.get("mountPath", "") for each in mounts):
            told = "must not already exist as a path in volumeMounts"
            errors.append(FieldError.invalid(f"{here}.devicePath", place, told))
        if name:
            names.add(name)
