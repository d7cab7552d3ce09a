"""What labels, annotations and the metadata of an object may be, in Kubernetes' words.

Sits under the validation of every kind, of label selectors and of custom resources. The checkers of single
texts are in `names` and given out here too.

Promises
    V1  `validate_object_meta` is what a create checks, `validate_object_meta_update` what an update adds
    V2  every complaint names the field, type and message that Kubernetes names

Source: apimachinery's pkg/api/validation and pkg/apis/meta/v1/validation.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from .errors import FieldError
from .names import (
    NameValidator,
    is_config_map_key,
    is_dns1035_label,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_env_var_name,
    is_http_header_name,
    is_label_value,
    is_port_name,
    is_port_number,
    is_qualified_name,
    is_wildcard_dns1123_subdomain,
    name_is_dns1035_label,
    name_is_dns_label,
    name_is_dns_subdomain,
    name_is_path_segment,
    regex_error,
    too_long,
)

__all__ = [
    "ANNOTATIONS_BYTES_MAX",
    "FIELD_MANAGER_BYTES_MAX",
    "NameValidator",
    "is_config_map_key",
    "is_dns1035_label",
    "is_dns1123_label",
    "is_dns1123_subdomain",
    "is_env_var_name",
    "is_http_header_name",
    "is_label_value",
    "is_port_name",
    "is_port_number",
    "is_qualified_name",
    "is_wildcard_dns1123_subdomain",
    "name_is_dns1035_label",
    "name_is_dns_label",
    "name_is_dns_subdomain",
    "name_is_path_segment",
    "regex_error",
    "validate_annotations",
    "validate_field_manager",
    "validate_finalizers",
    "validate_immutable_field",
    "validate_label_selector",
    "validate_labels",
    "validate_managed_fields",
    "validate_names",
    "validate_object_meta",
    "validate_object_meta_update",
    "validate_owner_references",
]

ANNOTATIONS_BYTES_MAX = 256 * 1024
"""All keys and values of an object's annotations together: annotations are no file system."""
FIELD_MANAGER_BYTES_MAX = 128
REMEMBERED_MAX = 1024
"""Texts whose soundness is remembered: what many objects share."""
SUBRESOURCE_BYTES_MAX = 256


def validate_labels(labels: Mapping[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, value in labels.items():
        for wrong, told in _label_problems(key, value):
            errors.append(FieldError.invalid(path, wrong, told))
    return errors


@lru_cache(maxsize=REMEMBERED_MAX)
def _label_problems(key: str, value: str) -> tuple[tuple[str, str], ...]:
    """What is wrong, and why; the same few labels are on nearly all objects."""
    return (
        *((key, told) for told in is_qualified_name(key)),
        *((value, told) for told in is_label_value(value)),
    )


def validate_annotations(annotations: Mapping[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    size_bytes = 0
    for key, value in annotations.items():
        errors += [FieldError.invalid(path, key, each) for each in is_qualified_name(key.lower())]
        size_bytes += len(key) + (len(value) if value.isascii() else len(value.encode("utf-8", "replace")))
    if size_bytes > ANNOTATIONS_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", ANNOTATIONS_BYTES_MAX))
    return errors


def validate_label_selector(selector: Mapping[str, Any] | None, path: str) -> list[FieldError]:
    """A LabelSelector object inside a spec."""
    if not selector:
        return []
    errors = validate_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        errors += _validate_requirement(expression, f"{path}.matchExpressions[{index}]")
    return errors


def _validate_requirement(expression: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    operator, values = expression.get("operator", ""), expression.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            told = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(FieldError.required(f"{path}.values", told))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            told = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(FieldError.forbidden(f"{path}.values", told))
    else:
        errors.append(FieldError.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    key = expression.get("key", "")
    errors += [FieldError.invalid(f"{path}.key", key, each) for each in is_qualified_name(key)]
    for index, value in enumerate(values):
        errors += [
            FieldError.invalid(f"{path}.values[{index}]", value, each) for each in is_label_value(value)
        ]
    return errors


def validate_owner_references(references: Sequence[Mapping[str, Any]], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    controller = ""
    for reference in references:
        errors += _validate_owner_reference(reference, path)
        if reference.get("controller"):
            name = f"{reference.get('kind', '')}/{reference.get('name', '')}"
            if controller:
                told = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {name}'
                )
                errors.append(FieldError.invalid(path, list(references), told))
            else:
                controller = name
    return errors


def _validate_owner_reference(reference: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    api_version = reference.get("apiVersion", "")
    # A version with more than one slash has no group and no version in Go's eyes.
    group, _, version = api_version.rpartition("/")
    if not version or "/" in group:
        errors.append(FieldError.invalid(f"{path}.apiVersion", api_version, "version must not be empty"))
    for name in ("kind", "name", "uid"):
        if not reference.get(name):
            errors.append(FieldError.invalid(f"{path}.{name}", "", "must not be empty"))
    if api_version == "v1" and reference.get("kind") == "Event":
        told = "/v1, Kind=Event is disallowed from being an owner"
        errors.append(FieldError.invalid(path, dict(reference), told))
    return errors


def validate_finalizers(finalizers: Sequence[str], path: str) -> list[FieldError]:
    errors = [FieldError.invalid(path, each, told) for each in finalizers for told in is_qualified_name(each)]
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        told = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(FieldError.invalid(path, list(finalizers), told))
    return errors


def validate_field_manager(manager: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if too_long(manager, FIELD_MANAGER_BYTES_MAX, "bytes"):
        # Kubernetes goes on, and repeats the text for each of its characters that is wrong.
        return [FieldError.too_long(path, "", FIELD_MANAGER_BYTES_MAX)]
    if not manager.isprintable():
        position = 0
        for character in manager:
            if not character.isprintable():
                told = f"invalid character U+{ord(character):04X} (at position {position})"
                errors.append(FieldError.invalid(path, manager, told))
            position += len(character.encode("utf-8", "replace"))
    return errors


def validate_managed_fields(entries: Sequence[Mapping[str, Any]], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, entry in enumerate(entries):
        operation, fields_type = entry.get("operation", ""), entry.get("fieldsType", "")
        manager, subresource = entry.get("manager", ""), entry.get("subresource", "")
        if _is_sound_entry(operation, fields_type, manager, subresource):
            continue
        here = f"{path}[{index}]"
        if operation not in ("Apply", "Update"):
            errors.append(FieldError.invalid(f"{here}.operation", operation, "must be `Apply` or `Update`"))
        if fields_type not in ("", "FieldsV1"):
            errors.append(FieldError.invalid(f"{here}.fieldsType", fields_type, "must be `FieldsV1`"))
        errors += validate_field_manager(manager, f"{here}.manager")
        if too_long(subresource, SUBRESOURCE_BYTES_MAX, "bytes"):
            errors.append(FieldError.too_long(f"{here}.subresource", "", SUBRESOURCE_BYTES_MAX))
    return errors


@lru_cache(maxsize=REMEMBERED_MAX)
def _is_sound_entry(operation: str, fields_type: str, manager: str, subresource: str) -> bool:
    return (
        operation in ("Apply", "Update")
        and fields_type in ("", "FieldsV1")
        and not validate_field_manager(manager, "")
        and not too_long(subresource, SUBRESOURCE_BYTES_MAX, "bytes")
    )


def validate_immutable_field(new: Any, old: Any, path: str) -> list[FieldError]:
    return [] if new == old else [FieldError.invalid(path, new, "field is immutable")]


def validate_names(meta: Mapping[str, Any], name: NameValidator, path: str = "metadata") -> list[FieldError]:
    """What is wrong with `name` and `generateName`."""
    errors: list[FieldError] = []
    if generate_name := meta.get("generateName"):
        errors += [
            FieldError.invalid(f"{path}.generateName", generate_name, told)
            for told in name(generate_name, True)
        ]
    own = meta.get("name")
    if not own:
        errors.append(FieldError.required(f"{path}.name", "name or generateName is required"))
    else:
        errors += [FieldError.invalid(f"{path}.name", own, told) for told in name(own, False)]
    return errors


def validate_object_meta(
    meta: Mapping[str, Any],
    namespaced: bool,
    *,
    name: NameValidator = name_is_dns_subdomain,
    path: str = "metadata",
) -> list[FieldError]:
    """What is wrong with the metadata of an object to be created; `name` judges its name."""
    errors = validate_names(meta, name, path)
    namespace = meta.get("namespace")
    if namespaced:
        if not namespace:
            errors.append(FieldError.required(f"{path}.namespace"))
        else:
            told_all = name_is_dns_label(namespace)
            errors += [FieldError.invalid(f"{path}.namespace", namespace, told) for told in told_all]
    elif namespace:
        errors.append(FieldError.forbidden(f"{path}.namespace", "not allowed on this type"))
    if (generation := meta.get("generation") or 0) < 0:
        errors.append(
            FieldError.invalid(f"{path}.generation", generation, "must be greater than or equal to 0")
        )
    return errors + _validate_members(meta, path, finalizers=True)


def _validate_members(meta: Mapping[str, Any], path: str, *, finalizers: bool) -> list[FieldError]:
    """The members that a create and an update check alike; an update leaves the names of finalizers alone."""
    errors: list[FieldError] = []
    if labels := meta.get("labels"):
        errors += validate_labels(labels, f"{path}.labels")
    if annotations := meta.get("annotations"):
        errors += validate_annotations(annotations, f"{path}.annotations")
    if references := meta.get("ownerReferences"):
        errors += validate_owner_references(references, f"{path}.ownerReferences")
    if finalizers and (names := meta.get("finalizers")):
        errors += validate_finalizers(names, f"{path}.finalizers")
    if entries := meta.get("managedFields"):
        errors += validate_managed_fields(entries, f"{path}.managedFields")
    return errors


_IMMUTABLE_TEXTS = ("name", "namespace", "uid")
_IMMUTABLE_VALUES = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def validate_object_meta_update(
    new: Mapping[str, Any], old: Mapping[str, Any], *, path: str = "metadata", is_sound: bool = False
) -> list[FieldError]:
    """What is wrong with a change of metadata: what may not change, and what may not be added any more.

    `is_sound` says that `validate_object_meta` found nothing wrong with `new`; only the change is looked at then.
    """
    errors: list[FieldError] = []
    if old.get("deletionTimestamp") and (finalizers := new.get("finalizers")):
        extra = sorted(set(finalizers) - set(old.get("finalizers") or ()))
        if extra:
            shown = "[]string{" + ", ".join(msgspec.json.encode(each).decode() for each in extra) + "}"
            told = "no new finalizers can be added if the object is being deleted, found new finalizers "
            errors.append(FieldError.forbidden(f"{path}.finalizers", told + shown))
    if not new.get("resourceVersion"):
        errors.append(FieldError.invalid(f"{path}.resourceVersion", "", "must be specified for an update"))
    if (generation := new.get("generation") or 0) < (old.get("generation") or 0):
        errors.append(FieldError.invalid(f"{path}.generation", generation, "must not be decremented"))
    for name in _IMMUTABLE_TEXTS:
        if (value := new.get(name) or "") != (old.get(name) or ""):
            errors += validate_immutable_field(value, old.get(name) or "", f"{path}.{name}")
    for name in _IMMUTABLE_VALUES:
        if (value := new.get(name)) != old.get(name):
            errors += validate_immutable_field(value, old.get(name), f"{path}.{name}")
    return errors if is_sound else errors + _validate_members(new, path, finalizers=False)
