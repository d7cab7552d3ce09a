"""Patches: from what a client sent to a function that changes the stored object.

The four kinds differ in how they make the next object; what follows is one: it is decoded as a client's object is,
with the same complaints about unknown fields.

Source: apiserver/pkg/endpoints/handlers/patch.go;
https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError, decode_json, duplicate_fields, has_duplicates
from kajitori.apimachinery.errors import (
    BadRequest,
    FieldError,
    Invalid,
    UnsupportedMediaType,
    invalid,
    not_found,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.go_text import go_text
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch, strict_complaints
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apimachinery.yaml import decode_yaml, warnings_of
from kajitori.apiserver.endpoints.bodies import typed
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import Change, Transform, named
from kajitori.apiserver.scope import Scope

__all__ = ["APPLY", "JSON_PATCH", "MERGE", "STRATEGIC", "patch_transform", "read_configuration"]

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


def patch_transform(registry: Registry, scope: Scope, media: str, call: Call) -> Transform:
    """The change that the request's patch makes.

    Raises: UnsupportedMediaType, BadRequest; the change itself may raise more when it is made.
    """
    resource = scope.resource
    if media == JSON_PATCH:
        operations = parse_json_patch(scope.request.body)
        repeated = strict_complaints(scope.request.body, operations)
        return _patched(scope, call, lambda obj: apply_json_patch(obj, operations), repeated, shown=None)
    if media == MERGE:
        patch = parse_merge_patch(scope.request.body)
        repeated = _repeated(scope.request.body, patch)
        return _patched(scope, call, lambda obj: apply_merge_patch(obj, patch), repeated, shown=None)
    if media == STRATEGIC and not resource.custom:
        patch = parse_strategic_merge_patch(scope.request.body)
        repeated = _repeated(scope.request.body, patch)
        schema = resource.schema
        assert schema is not None, resource.kind
        return _patched(
            scope,
            call,
            lambda obj: apply_strategic_merge_patch(obj, patch, schema),
            repeated,
            shown=go_text(patch),
        )
    if media == APPLY[0]:
        return _applied(registry, scope, call)
    if resource.custom:
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON_PATCH}, {MERGE}, {APPLY[0]}"
        )
    raise UnsupportedMediaType("415: Unsupported Media Type", details={})


def _repeated(body: bytes, value: Any) -> list[str]:
    return duplicate_fields(body) if has_duplicates(body, value) else []


def _patched(scope: Scope, call: Call, change: Any, repeated: list[str], *, shown: str | None) -> Transform:
    resource = scope.resource

    def transform(current: JsonObject | None) -> Change:
        if current is None:
            raise not_found(resource.kind.plural, resource.kind.group, scope.info.name)
        patched = change(current)
        if not isinstance(patched, dict):
            raise BadRequest("the patch does not leave an object")
        problems: list[str] = list(repeated)
        if shown is None:
            _check_kind(resource, patched)
        _same_name(scope, patched)
        try:
            obj = resource.decode_patched(patched, problems)
        except DecodeError as error:
            raise _bad_outcome(patched, shown, _told(error, shown)) from None
        resource.default(obj)
        if problems:
            _report(problems, call, patched, shown)
        return Change(obj)

    return transform


def _told(error: DecodeError, shown: str | None) -> str:
    """What is wrong with the outcome, as Go tells it: of strategic patches in other words than of the rest."""
    from kajitori.apis.scalars import WrongType

    return error.of_patch() if shown is not None and isinstance(error, WrongType) else str(error)


def _same_name(scope: Scope, patched: JsonObject) -> None:
    """A custom object's name is compared with the path's, as a PUT's is; others are found immutable later."""
    metadata = patched.get("metadata")
    said = metadata.get("name", "") if isinstance(metadata, dict) else ""
    if scope.resource.custom and said != scope.info.name:
        raise BadRequest(
            f"the name of the object ({said}) does not match the name on the URL ({scope.info.name})"
        )


def _check_kind(resource: Resource, patched: JsonObject) -> None:
    """Raises: Invalid when a patch would make another kind of the object."""
    kind = resource.kind
    for name, expected in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        said = patched.get(name)
        if said != expected:
            detail = f"the {name} of the object ({said}) does not match the expected {name} ({expected})"
            raise _bad_outcome(patched, None, detail)


def _bad_outcome(patched: JsonObject, shown: str | None, detail: str) -> Invalid:
    """The complaint about an object that a patch leaves; it shows the object, or for strategic ones the patch."""
    if shown is None:
        shown = msgspec.json.encode(patched, order="sorted").decode()
    return invalid("", "", "", [FieldError.invalid("patch", shown, detail)])


def _report(problems: list[str], call: Call, patched: JsonObject, shown: str | None) -> None:
    """Complaints about fields, in the form that patches have for them."""
    if call.options.field_validation == "Ignore":
        return
    if call.options.field_validation == "Warn":
        for each in problems:
            call.warn(each)
        return
    raise _bad_outcome(patched, shown, f"strict decoding error: {', '.join(problems)}")


def _applied(registry: Registry, scope: Scope, call: Call) -> Transform:
    resource = scope.resource
    config = read_configuration(scope.request.body, call)

    def transform(current: JsonObject | None) -> Change:
        applied = registry.ownership.apply(
            resource, config, current, call, subresource=scope.info.subresource, now=registry.now()
        )
        named(applied.object, scope.info.name, url_name=scope.info.name)
        if current is None:
            # There is nothing whose version could be meant.
            applied.object["metadata"].pop("resourceVersion", None)
        return Change(typed(resource, applied.object, [], patched=True), owned=True)

    return transform


def read_configuration(body: bytes, call: Call) -> JsonObject:
    """An apply configuration: YAML, of which JSON is a part.

    Raises: BadRequest; with strict field validation for repeated keys too.
    """
    repeated: list[str] = []
    try:
        value = decode_json(body)
        if has_duplicates(body, value):
            value, repeated = decode_yaml(body)
    except DecodeError:
        try:
            value, repeated = decode_yaml(body)
        except DecodeError as error:
            raise BadRequest(f"error decoding YAML: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest("error decoding YAML: an apply configuration must be an object")
    if repeated and call.options.field_validation == "Strict":
        raise BadRequest(f"error strict decoding YAML: {'; '.join(repeated)}")
    if repeated and call.options.field_validation == "Warn":
        for each in repeated:
            for text in warnings_of(each):
                call.warn(text)
    return value
