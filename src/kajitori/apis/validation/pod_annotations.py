"""Annotations that mean something to Pods: profiles from before there were fields for them, and the cost of deletion.

Source: ValidatePodSpecificAnnotations and its parts in pkg/apis/core/validation.
"""

import json
import re
from collections.abc import Mapping

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import INT32_MAX, Errors
from kajitori.apis.validation.node_selection import check_tolerations
from kajitori.apis.validation.paths import check_descending_path
from kajitori.apis.validation.security import containers_of

__all__ = ["check_annotated_profiles", "check_pod_annotations"]

_MIRROR = "kubernetes.io/config.mirror"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_LOCALHOST = "localhost/"
_cost_matches = re.compile("[+-]?[0-9]{1,11}").fullmatch


def check_pod_annotations(
    annotations: Mapping[str, str], spec: JsonObject, path: str, errors: Errors
) -> None:
    if _MIRROR in annotations and not spec.get("nodeName"):
        told = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(FieldError.invalid(f"{path}[{_MIRROR}]", annotations[_MIRROR], told))
    if annotations.get(_TOLERATIONS):
        _check_annotated_tolerations(annotations[_TOLERATIONS], path, errors)
    cost = annotations.get(_DELETION_COST)
    if cost is not None and not _is_cost(cost):
        errors.append(FieldError.invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer"))
    for key, value in annotations.items():
        if key == _SECCOMP_POD or key.startswith(_SECCOMP_CONTAINER):
            _check_seccomp(value, f"{path}.{key}", errors)
        elif key.startswith(_APP_ARMOR):
            _check_app_armor(key, value, spec, f"{path}[{key}]", errors)


def _is_cost(text: str) -> bool:
    # Go's parser would take them, but Kubernetes refuses a plus sign and zeros in front.
    if not _cost_matches(text) or text[0] == "+" or (text[0] == "0" and text != "0"):
        return False
    return -INT32_MAX - 1 <= int(text) <= INT32_MAX


def _check_annotated_tolerations(text: str, path: str, errors: Errors) -> None:
    try:
        tolerations = json.loads(text)
    except ValueError:
        tolerations = None
    if not isinstance(tolerations, list):
        told = "json: cannot unmarshal into Go value of type []core.Toleration"
        errors.append(FieldError.invalid(path, _TOLERATIONS, told))
        return
    check_tolerations(
        [each for each in tolerations if isinstance(each, dict)], f"{path}.{_TOLERATIONS}", errors
    )


def _check_seccomp(profile: str, path: str, errors: Errors) -> None:
    if profile in ("runtime/default", "docker/default", "unconfined"):
        return
    if profile.startswith(_LOCALHOST):
        check_descending_path(profile.removeprefix(_LOCALHOST), path, errors)
    else:
        errors.append(FieldError.invalid(path, profile, "must be a valid seccomp profile"))


def _check_app_armor(key: str, profile: str, spec: JsonObject, path: str, errors: Errors) -> None:
    name = key.removeprefix(_APP_ARMOR)
    if not any(each.get("name", "") == name for _, each in containers_of(spec, "")):
        errors.append(FieldError.invalid(path, name, "container not found"))
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(_LOCALHOST):
        told = f"invalid AppArmor profile name: {go_quote(profile)}"
        errors.append(FieldError.invalid(path, profile, told))


def check_annotated_profiles(
    annotations: Mapping[str, str], spec: JsonObject, path: str, errors: Errors
) -> None:
    """Whoever says a profile twice must say the same."""
    if not any("security." in key for key in annotations):
        return
    context: JsonObject = spec.get("securityContext") or {}
    if "seccompProfile" in context and _SECCOMP_POD in annotations:
        here = f"{path}.securityContext.seccompProfile"
        _check_same(annotations[_SECCOMP_POD], context["seccompProfile"], "seccomp", here, errors)
    on_windows = (spec.get("os") or {}).get("name") == "windows"
    for here, container in containers_of(spec, path):
        own: JsonObject = container.get("securityContext") or {}
        name = container.get("name", "")
        seccomp = annotations.get(_SECCOMP_CONTAINER + name)
        if seccomp is not None and "seccompProfile" in own:
            at = f"{here}.securityContext.seccompProfile"
            _check_same(seccomp, own["seccompProfile"], "seccomp", at, errors)
    for here, container in () if on_windows else containers_of(spec, path):
        own = container.get("securityContext") or {}
        annotation = annotations.get(_APP_ARMOR + container.get("name", ""))
        profile = own.get("appArmorProfile") or context.get("appArmorProfile")
        if annotation is not None and profile is not None:
            at = f"{here}.securityContext.appArmorProfile"
            _check_same(annotation, profile, "apparmor", at, errors)


def _check_same(annotation: str, profile: JsonObject, what: str, path: str, errors: Errors) -> None:
    kind = profile.get("type", "")
    wanted: dict[str, tuple[str, ...]] = {
        "Unconfined": ("unconfined",),
        "RuntimeDefault": ("runtime/default",),
    }
    if what == "seccomp":
        wanted["RuntimeDefault"] = ("runtime/default", "docker/default")
    if kind in wanted:
        same_type = annotation in wanted[kind]
    elif kind == "Localhost":
        same_type = annotation.startswith(_LOCALHOST)
    else:
        return
    if not same_type:
        told = f"{what} type in annotation and field must match"
        errors.append(FieldError.forbidden(f"{path}.type", told))
    elif kind == "Localhost" and annotation.removeprefix(_LOCALHOST) != profile.get("localhostProfile"):
        told = f"{what} profile in annotation and field must match"
        errors.append(FieldError.forbidden(f"{path}.localhostProfile", told))
