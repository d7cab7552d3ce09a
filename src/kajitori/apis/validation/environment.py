"""The environment of a container: variables, and where their values come from.

Source: ValidateEnv and ValidateEnvFrom in pkg/apis/core/validation.
"""

import re
from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_config_map_key, name_is_dns_subdomain
from kajitori.apis.validation.checks import Errors, check_label, check_subdomain, is_subdomain
from kajitori.apis.validation.paths import check_no_backsteps
from kajitori.apis.validation.projections import (
    ENVIRONMENT_FIELDS,
    check_field_reference,
    check_resource_reference,
)

__all__ = ["check_environment", "check_environment_from"]

_is_name = re.compile("[ -<>-~]+").fullmatch
"""All printable ASCII but the equals sign."""
_NO_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_NO_SOURCE = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
)
_SEVERAL = "may not have more than one field specified at a time"


def _check_name(name: str, path: str, errors: Errors) -> None:
    if not name:
        told = "environment variable name must be non-empty"
        errors.append(FieldError.invalid(path, name, told))
    elif not _is_name(name):
        errors.append(FieldError.invalid(path, name, _NO_NAME))


def check_environment(variables: Sequence[JsonObject], path: str, errors: Errors) -> None:
    for index, variable in enumerate(variables):
        name = variable.get("name", "")
        if not _is_name(name):
            here = f"{path}.env[{index}].name"
            if not name:
                errors.append(FieldError.required(here))
            else:
                _check_name(name, here, errors)
        source = variable.get("valueFrom")
        if source is not None:
            value = variable.get("value", "")
            _check_source(source, value, f"{path}.env[{index}].valueFrom", errors)


def _check_source(source: JsonObject, value: str, path: str, errors: Errors) -> None:
    if "fieldRef" in source:
        check_field_reference(source["fieldRef"], ENVIRONMENT_FIELDS, f"{path}.fieldRef", errors)
    if "resourceFieldRef" in source:
        here = f"{path}.resourceFieldRef"
        check_resource_reference(source["resourceFieldRef"], here, errors, in_volume=False)
    for member in ("configMapKeyRef", "secretKeyRef"):
        if member in source:
            _check_key(source[member], f"{path}.{member}", errors)
    if "fileKeyRef" in source:
        _check_file_key(source["fileKeyRef"], f"{path}.fileKeyRef", errors)
    if not source:
        errors.append(FieldError.invalid(path, "", _NO_SOURCE))
    elif value:
        errors.append(FieldError.invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(source) > 1:
        errors.append(FieldError.invalid(path, "", _SEVERAL))


def _check_key(reference: JsonObject, path: str, errors: Errors) -> None:
    name, key = reference.get("name", ""), reference.get("key", "")
    if not is_subdomain(name):
        check_subdomain(name, f"{path}.name", errors)
    if not key:
        errors.append(FieldError.required(f"{path}.key"))
    else:
        errors += [FieldError.invalid(f"{path}.key", key, told) for told in is_config_map_key(key)]


def _check_file_key(reference: JsonObject, path: str, errors: Errors) -> None:
    key, volume, file = (reference.get(each, "") for each in ("key", "volumeName", "path"))
    if not key:
        errors.append(FieldError.required(f"{path}.key"))
    else:
        _check_name(key, f"{path}.key", errors)
    if not volume:
        errors.append(FieldError.required(f"{path}.volumeName"))
    else:
        check_label(volume, f"{path}.volumeName", errors)
    if not file:
        errors.append(FieldError.required(f"{path}.path"))
    else:
        check_no_backsteps(file, f"{path}.path", errors)


def check_environment_from(sources: Sequence[JsonObject], path: str, errors: Errors) -> None:
    """Whole ConfigMaps and Secrets as variables."""
    for index, source in enumerate(sources):
        prefix = source.get("prefix", "")
        if prefix:
            _check_name(prefix, f"{path}[{index}].prefix", errors)
        count = 0
        for member in ("configMapRef", "secretRef"):
            if member not in source:
                continue
            count += 1
            name = source[member].get("name", "")
            if is_subdomain(name):
                continue
            here = f"{path}[{index}]"
            if not name:
                errors.append(FieldError.required(f"{here}.{member}.name"))
            else:
                problems = name_is_dns_subdomain(name, True)
                errors += [FieldError.invalid(f"{here}.{member}.name", name, told) for told in problems]
        # Kubernetes does not say which source it means.
        if not count:
            errors.append(FieldError.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif count > 1:
            errors.append(FieldError.invalid(path, "", _SEVERAL))
