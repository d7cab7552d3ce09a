"""Metadata that the server owns: names, times, identities, and their order on the wire.

Source: apiserver/pkg/registry/rest BeforeCreate, BeforeUpdate and meta.go.
"""

from typing import Any

from kajitori.apimachinery.errors import ApiError, Conflict, FieldError, qualified
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import (
    name_is_path_segment,
    validate_object_meta,
    validate_object_meta_update,
)
from kajitori.apis.validation import changed_metadata, judges_new, new_metadata
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.resource import Resource

__all__ = [
    "GENERATED_BASE_BYTES_MAX",
    "conflict",
    "deduplicate_owners",
    "in_order",
    "invalid_metadata",
    "invalid_metadata_update",
    "keep_system_fields",
    "no_resource_version",
]

GENERATED_BASE_BYTES_MAX = 58
"""What is kept of a generateName, so that five random letters fit a DNS label of 63."""

_FIRST = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
_DUPLICATE_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may "
    "reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {uids}"
)


def in_order(obj: JsonObject, api_version: str, kind: str) -> JsonObject:
    """The object with kind, apiVersion and metadata first and metadata in Go's order, ready to be serialised.

    The resourceVersion gets its place even where there is none yet: whoever serialises sets it there.
    """
    metadata = obj["metadata"]
    ordered: dict[str, Any] = {}
    for name in _FIRST:
        if name in metadata:
            ordered[name] = metadata[name]
        elif name == "resourceVersion":
            ordered[name] = ""
    result: JsonObject = {"kind": kind, "apiVersion": api_version, "metadata": ordered}
    for name, value in obj.items():
        if name not in result:
            result[name] = value
    return result


def invalid_metadata(resource: Resource, metadata: JsonObject) -> list[FieldError]:
    """Complaints about the metadata of a new object."""
    strategy, kind = resource.strategy, resource.kind
    if strategy.validates_metadata:
        return []
    if resource.custom:
        return validate_object_meta(metadata, namespaced=kind.namespaced, name=strategy.name_errors)
    if judges_new(kind):
        return new_metadata(kind, metadata, strategy.name_errors)
    return validate_object_meta(metadata, namespaced=kind.namespaced, name=_any_segment)


def invalid_metadata_update(
    resource: Resource, new: JsonObject, old: JsonObject, subresource: str
) -> list[FieldError]:
    """Complaints about changed metadata.

    Kubernetes checks twice, once for all kinds and once in the kind's own validation, and tells both causes.
    """
    strategy, kind = resource.strategy, resource.kind
    errors = validate_object_meta(new, namespaced=kind.namespaced, name=_any_name)
    errors += validate_object_meta_update(new, old, is_sound=not errors)
    if strategy.validates_metadata:
        return errors
    if resource.custom:
        return errors + validate_object_meta_update(new, old) if errors else []
    return errors + changed_metadata(
        kind, new, old, subresource, name=strategy.name_errors, is_sound=not errors
    )


def _any_segment(name: str, prefix: bool = False) -> list[str]:
    """A name that is not judged by its kind must still fit into a path; a prefix may be anything."""
    return [] if prefix else name_is_path_segment(name)


def _any_name(name: str, prefix: bool = False) -> list[str]:
    """An existing name is not judged again."""
    return []


def deduplicate_owners(metadata: JsonObject, call: Call, *, admitted: bool) -> None:
    """Names each owner once, and warns who named one twice; `admitted`: after mutating admission."""
    references = metadata.get("ownerReferences")
    if not references or len(references) < 2:
        return
    kept: list[JsonObject] = []
    repeated: list[str] = []
    for each in references:
        if each in kept:
            repeated.append(each["uid"])
        else:
            kept.append(each)
    if repeated:
        metadata["ownerReferences"] = kept
        when = " after mutating admission happens" if admitted else ""
        call.warn(_DUPLICATE_OWNERS.format(when=when, uids=", ".join(repeated)))


def keep_system_fields(new: JsonObject, old: JsonObject) -> None:
    """What an update cannot change, whatever it says; both are `metadata`, `new` is changed."""
    if "generation" in old:
        new["generation"] = old["generation"]
    else:
        new.pop("generation", None)
    if not new.get("uid"):
        new["uid"] = old["uid"]
    new["creationTimestamp"] = old.get("creationTimestamp")
    if "deletionTimestamp" in old:
        new["deletionTimestamp"] = old["deletionTimestamp"]
        if "deletionGracePeriodSeconds" in old:
            new.setdefault("deletionGracePeriodSeconds", old["deletionGracePeriodSeconds"])


def conflict(resource: Resource, name: str, why: str, *, kind: bool = False) -> Conflict:
    """`Operation cannot be fulfilled on deployments.apps "a": why`; some places name the kind instead."""
    group = resource.kind.group
    subject = resource.kind.kind if kind else resource.kind.plural
    details: dict[str, Any] = {"name": name}
    if group:
        details["group"] = group
    details["kind"] = subject
    return Conflict(
        f'Operation cannot be fulfilled on {qualified(subject, group)} "{name}": {why}', details=details
    )


def no_resource_version() -> ApiError:
    """What a create with a resourceVersion gets: Kubernetes answers 500 without a reason here."""
    return ApiError("resourceVersion should not be set on objects to be created", code=500)
