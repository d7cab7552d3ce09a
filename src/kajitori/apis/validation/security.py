"""What Pods and containers may do to their machine: users, groups, profiles, capabilities, Windows' own ways.

Source: ValidateSecurityContext, validatePodSpecSecurityContext and their parts in pkg/apis/core/validation.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_subdomain
from kajitori.apis.validation.capabilities import CAPABILITIES
from kajitori.apis.validation.checks import INT32_MAX, Errors, check_enum
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.paths import check_descending_path

__all__ = [
    "check_host_process",
    "check_pod_security_context",
    "check_security_context",
    "containers_of",
]

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_APP_ARMOR_BYTES_MAX = 4095
"""PATH_MAX without the zero byte at its end."""


def containers_of(spec: JsonObject, path: str) -> Iterator[tuple[str, JsonObject]]:
    """All containers of a Pod with their paths: init containers, containers, ephemeral ones."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(member) or ()):
            yield f"{path}.{member}[{index}]", container


def _check_id(number: int, path: str, errors: Errors) -> None:
    if not 0 <= number <= INT32_MAX:
        errors.append(FieldError.invalid(path, number, f"must be between 0 and {INT32_MAX}, inclusive"))


def check_security_context(context: JsonObject, path: str, errors: Errors, *, host_users: bool) -> None:
    """The security context of a container."""
    if context.get("privileged") and not CAPABILITIES.allow_privileged:
        errors.append(FieldError.forbidden(f"{path}.privileged", "disallowed by cluster policy"))
    for member in ("runAsUser", "runAsGroup"):
        if member in context:
            _check_id(context[member], f"{path}.{member}", errors)
    mount = context.get("procMount")
    if mount is not None:
        check_enum(mount, ("Default", "Unmasked"), f"{path}.procMount", errors)
        if host_users and mount == "Unmasked":
            told = "`hostUsers` must be false to use `Unmasked`"
            errors.append(FieldError.invalid(f"{path}.procMount", mount, told))
    if "seccompProfile" in context:
        _check_seccomp(context["seccompProfile"], f"{path}.seccompProfile", errors)
    if context.get("allowPrivilegeEscalation") is False:
        _check_escalation(context, path, errors)
    if "windowsOptions" in context:
        _check_windows_options(context["windowsOptions"], f"{path}.windowsOptions", errors)
    if "appArmorProfile" in context:
        _check_app_armor(context["appArmorProfile"], f"{path}.appArmorProfile", errors)


def _check_escalation(context: JsonObject, path: str, errors: Errors) -> None:
    shown: Any = None
    if context.get("privileged"):
        shown = go_struct("core.v1.SecurityContext", context)
        told = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(FieldError.invalid(path, shown, told))
    for capability in (context.get("capabilities") or {}).get("add") or ():
        if capability == "CAP_SYS_ADMIN":
            shown = shown or go_struct("core.v1.SecurityContext", context)
            told = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            errors.append(FieldError.invalid(path, shown, told))


def check_pod_security_context(context: JsonObject, spec: JsonObject, path: str, errors: Errors) -> None:
    """The security context of a whole Pod."""
    for member in ("fsGroup", "runAsUser", "runAsGroup"):
        if member in context:
            _check_id(context[member], f"{path}.{member}", errors)
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        _check_id(group, f"{path}.supplementalGroups[{index}]", errors)
    if "sysctls" in context:
        _check_sysctls(context["sysctls"] or (), spec, f"{path}.sysctls", errors)
    if "fsGroupChangePolicy" in context:
        policies = ("Always", "OnRootMismatch")
        check_enum(context["fsGroupChangePolicy"], policies, f"{path}.fsGroupChangePolicy", errors)
    if "seccompProfile" in context:
        _check_seccomp(context["seccompProfile"], f"{path}.seccompProfile", errors)
    if "windowsOptions" in context:
        _check_windows_options(context["windowsOptions"], f"{path}.windowsOptions", errors)
    if "appArmorProfile" in context:
        _check_app_armor(context["appArmorProfile"], f"{path}.appArmorProfile", errors)
    for member, supported in (
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("Recursive",)),
    ):
        if member in context:
            check_enum(context[member], supported, f"{path}.{member}", errors)


def _check_seccomp(profile: JsonObject, path: str, errors: Errors) -> None:
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        errors.append(FieldError.required(f"{path}.type", "type is required when seccompProfile is set"))
    else:
        check_enum(kind, _PROFILES, f"{path}.type", errors)
    if kind == "Localhost":
        if local is None:
            told = "must be set when seccomp type is Localhost"
            errors.append(FieldError.required(f"{path}.localhostProfile", told))
        else:
            check_descending_path(local, f"{path}.localhostProfile", errors)
    elif local is not None:
        told = "can only be set when seccomp type is Localhost"
        shown = {"Type": kind, "LocalhostProfile": local}
        errors.append(FieldError.invalid(f"{path}.localhostProfile", shown, told))


def _check_app_armor(profile: JsonObject, path: str, errors: Errors) -> None:
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    here = f"{path}.localhostProfile"
    if kind == "Localhost":
        wanted = "must be set when AppArmor type is Localhost"
        if local is None:
            errors.append(FieldError.required(here, wanted))
            return
        if local.strip() != local:
            errors.append(FieldError.invalid(here, local, "must not be padded with whitespace"))
        elif not local:
            errors.append(FieldError.required(here, wanted))
        if len(local.encode()) > _APP_ARMOR_BYTES_MAX:
            errors.append(FieldError.too_long(here, "", _APP_ARMOR_BYTES_MAX))
    elif kind in ("RuntimeDefault", "Unconfined"):
        if local is not None:
            told = "can only be set when AppArmor type is Localhost"
            errors.append(FieldError.invalid(here, local, told))
    elif not kind:
        errors.append(FieldError.required(f"{path}.type", "type is required when appArmorProfile is set"))
    else:
        errors.append(FieldError.not_supported(f"{path}.type", kind, _PROFILES))


# Kernel parameters.

_SYSCTL_FORMAT = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_sysctl_matches = re.compile(_SYSCTL_FORMAT).fullmatch
_SYSCTL_CHARACTERS_MAX = 253
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "fs.mqueue.")


def _check_sysctls(sysctls: Sequence[JsonObject], spec: JsonObject, path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        here, name = f"{path}[{index}].name", sysctl.get("name", "")
        if not name:
            errors.append(FieldError.required(here))
        elif len(name) > _SYSCTL_CHARACTERS_MAX or not _sysctl_matches(name):
            told = f"must have at most {_SYSCTL_CHARACTERS_MAX} characters and match regex ^{_SYSCTL_FORMAT}$"
            errors.append(FieldError.invalid(here, name, told))
        elif name in seen:
            errors.append(FieldError.duplicate(here, name))
        dotted = _dotted(name)
        if spec.get("hostNetwork") and dotted.startswith("net."):
            told = "may not be specified when 'hostNetwork' is true"
            errors.append(FieldError.invalid(here, name, told))
        elif spec.get("hostIPC") and (dotted == "kernel.sem" or dotted.startswith(_IPC_SYSCTLS)):
            told = "may not be specified when 'hostIPC' is true"
            errors.append(FieldError.invalid(here, name, told))
        seen.add(name)


def _dotted(name: str) -> str:
    """The name with dots between its parts: slashes are separators where the first of both is one."""
    separator = next((each for each in name if each in "./"), ".")
    return name if separator == "." else name.translate(str.maketrans("./", "/."))


# Windows.

_GMSA_KIB_MAX = 64
_DOMAIN_CHARACTERS_MAX = 256
_USER_CHARACTERS_MAX = 104
_control = re.compile(r"[\x00-\x1f\x7f]").search
_net_bios_matches = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}').fullmatch
_dns_matches = re.compile(
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
).fullmatch
_dots_and_spaces = re.compile(r"[. ]+").fullmatch
_forbidden = re.compile(r'["/\\:;|=,+*?<>@\[\]]').search


def _check_windows_options(options: JsonObject, path: str, errors: Errors) -> None:
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        here = f"{path}.gmsaCredentialSpecName"
        errors += [FieldError.invalid(here, name, told) for told in is_dns1123_subdomain(name)]
    spec = options.get("gmsaCredentialSpec")
    if spec is not None:
        here = f"{path}.gmsaCredentialSpec"
        if not spec:
            errors.append(FieldError.invalid(here, spec, "gmsaCredentialSpec cannot be an empty string"))
        elif len(spec.encode()) > _GMSA_KIB_MAX * 1024:
            told = f"gmsaCredentialSpec size must be under {_GMSA_KIB_MAX} KiB"
            errors.append(FieldError.invalid(here, spec, told))
    user = options.get("runAsUserName")
    if user is not None:
        here = f"{path}.runAsUserName"
        errors += [FieldError.invalid(here, user, told) for told in _windows_user_problems(user)]


def _windows_user_problems(text: str) -> list[str]:
    if not text:
        return ["runAsUserName cannot be an empty string"]
    if _control(text):
        return ["runAsUserName cannot contain control characters"]
    if text.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = text.rpartition("\\")
    told: list[str] = []
    if len(domain.encode()) >= _DOMAIN_CHARACTERS_MAX:
        told.append(f"runAsUserName's Domain length must be under {_DOMAIN_CHARACTERS_MAX} characters")
    if backslash and not (_net_bios_matches(domain) or _dns_matches(domain)):
        told.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    if not user:
        told.append("runAsUserName's User cannot be empty")
    elif len(user.encode()) > _USER_CHARACTERS_MAX:
        told.append(f"runAsUserName's User length must not be longer than {_USER_CHARACTERS_MAX} characters")
    if _dots_and_spaces(user):
        told.append("runAsUserName's User cannot contain only periods or spaces")
    if _forbidden(user):
        told.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return told


def _host_process(context: JsonObject | None) -> bool | None:
    options: JsonObject = (context or {}).get("windowsOptions") or {}
    return options.get("hostProcess")


def check_host_process(spec: JsonObject, path: str, errors: Errors) -> None:
    """Processes of a Windows host in a Pod: all of its containers or none."""
    whole = _host_process(spec.get("securityContext"))
    count = total = 0
    for here, container in containers_of(spec, path):
        total += 1
        own = _host_process(container.get("securityContext"))
        if whole is not None and own is not None and whole != own:
            told = f"pod hostProcess value must be identical if both are specified, was {str(whole).lower()}"
            place = f"{here}.securityContext.windowsOptions.hostProcess"
            errors.append(FieldError.invalid(place, own, told))
        if own or (own is None and whole):
            count += 1
    if not count:
        return
    if count != total:
        told = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        errors.append(FieldError.invalid(path, "", told))
    if not spec.get("hostNetwork"):
        told = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.append(FieldError.invalid(f"{path}.hostNetwork", False, told))
    if not CAPABILITIES.allow_privileged:
        told = "hostProcess containers are disallowed by cluster policy"
        errors.append(FieldError.forbidden(path, told))
