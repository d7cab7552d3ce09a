"""Pods that say which operating system they are for, or that users in them are not the machine's.

Source: validateLinux, validateWindows and validateHostUsers in pkg/apis/core/validation.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors
from kajitori.apis.validation.security import containers_of

__all__ = ["check_host_users", "check_system"]

_NOT_ON_WINDOWS = "cannot be set for a windows pod"
_POD_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_CONTAINER_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def check_system(spec: JsonObject, path: str, errors: Errors) -> None:
    """`spec.os`, and what may not stand beside it."""
    name = (spec["os"] or {}).get("name", "")
    if not name:
        errors.append(FieldError.required(f"{path}.os.name"))
    elif name == "linux":
        _check_linux(spec, path, errors)
    elif name == "windows":
        _check_windows(spec, path, errors)
    else:
        errors.append(FieldError.not_supported(f"{path}.os", name, ("linux", "windows")))


def _check_linux(spec: JsonObject, path: str, errors: Errors) -> None:
    told = "windows options cannot be set for a linux pod"
    if "windowsOptions" in (spec.get("securityContext") or {}):
        errors.append(FieldError.forbidden(f"{path}.securityContext.windowsOptions", told))
    for here, container in containers_of(spec, path):
        if "windowsOptions" in (container.get("securityContext") or {}):
            errors.append(FieldError.forbidden(f"{here}.securityContext.windowsOptions", told))


def _check_windows(spec: JsonObject, path: str, errors: Errors) -> None:
    def refuse(context: JsonObject | None, members: tuple[str, ...], where: str) -> None:
        errors.extend(
            FieldError.forbidden(f"{where}.{member}", _NOT_ON_WINDOWS)
            for member in members
            if member in (context or {})
        )

    refuse(spec.get("securityContext"), _POD_CONTEXT, f"{path}.securityContext")
    refuse(spec, ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"), path)
    for here, container in containers_of(spec, path):
        refuse(container.get("securityContext"), _CONTAINER_CONTEXT, f"{here}.securityContext")


def check_host_users(spec: JsonObject, path: str, errors: Errors) -> None:
    """Users of their own do not go with namespaces of the machine."""
    told = "when `hostUsers` is false"
    for member, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(member):
            errors.append(FieldError.forbidden(f"{path}.{shown}", told))
    for here, container in containers_of(spec, path):
        if container.get("volumeDevices"):
            errors.append(FieldError.forbidden(f"{here}.volumeDevices", told))
