"""Patches: from what a client sent to a function that changes the stored object.

The four kinds differ in how they make the next object; what follows is one: it is decoded as a client's object is,
with the same complaints about unknown fields.

Source: apiserver/pkg/endpoints/handlers/patch.go;
https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from typing import Any

import msgspec

from kajitori.apimachinery.decode import (
    DecodeError,
    decode_json,
    duplicate_fields,
    go_quote,
    has_duplicates,
    type_meta,
    untyped_numbers,
)
from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    FieldError,
    InternalError,
    Invalid,
    UnsupportedMediaType,
    invalid,
    not_found,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.managed import Applied, type_text
from kajitori.apimachinery.patch.go_text import go_text
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch, strict_complaints
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.yaml import decode_yaml, warnings_of
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.creating import ensure_namespace
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import Change, Transform, named, undeterminable
from kajitori.apiserver.scope import Scope

__all__ = [
    "APPLY",
    "JSON_PATCH",
    "MERGE",
    "STRATEGIC",
    "bad_outcome",
    "check_media",
    "patch_transform",
    "read_configuration",
    "told",
]

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


def patch_transform(registry: Registry, scope: Scope, media: str, call: Call) -> Transform:
    """The change that the request's patch makes.

    Raises: BadRequest; the change itself may raise more when it is made.
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
    if media == STRATEGIC:
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
    return _applied(registry, scope, call)


def check_media(resource: Resource, media: str) -> None:
    """Raises: UnsupportedMediaType for a patch of a kind that the resource does not take."""
    if media in (JSON_PATCH, MERGE, APPLY[0]) or (media == STRATEGIC and not resource.custom):
        return
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
            _check_kind(scope, patched)
        try:
            obj = resource.decode(patched, problems)
        except DecodeError as error:
            raise bad_outcome(patched, shown, told(error, shown)) from None
        resource.default(obj)
        if problems:
            _report(problems, call, patched, shown)
        ensure_namespace(resource, scope.info.namespace, obj["metadata"])
        named(obj, scope.info.name, url_name=scope.info.name)
        return Change(obj)

    return transform


def told(error: DecodeError, shown: str | None) -> str:
    """What is wrong with the outcome, as Go tells it: of strategic patches in other words than of the rest."""
    from kajitori.apis.scalars import WrongType

    return error.of_patch() if shown is not None and isinstance(error, WrongType) else str(error)


_SCHEME = "pkg/runtime/scheme.go:111"
"""Where Kubernetes' messages say that kinds are registered."""


def _check_kind(scope: Scope, patched: JsonObject) -> None:
    """Raises: Invalid, or as Kubernetes does another error, when a patch would make another kind of the object."""
    kind, custom = scope.resource.kind, scope.resource.custom
    try:
        version, name = type_meta(patched)
    except DecodeError as error:
        raise bad_outcome(patched, None, str(error)) from None
    if custom and not name:
        shown = msgspec.json.encode(patched, order="sorted").decode()
        raise bad_outcome(patched, None, f"Object 'Kind' is missing in '{shown}'")
    if custom and not version:
        raise InternalError(
            "Internal error occurred: Object 'apiVersion' is missing in 'object has no apiVersion field'"
        )
    if not version:
        # Without a version Kubernetes takes the object for its own form of it, in which no name has a meaning.
        raise undeterminable(scope.info.name)
    if (version, name or kind.kind) == (kind.api_version, kind.kind):
        return
    if custom:
        said = ((version, "apiVersion", kind.api_version), (name, "kind", kind.kind))
        wrong = [
            FieldError.invalid(field, each, f"must be {must}") for each, field, must in said if each != must
        ]
        raise invalid(kind.kind, kind.group, scope.info.name, wrong)
    detail = f"no kind {go_quote(name or kind.kind)} is registered for version {go_quote(version)}"
    detail += f' in scheme "{_SCHEME}"'
    raise bad_outcome(patched, None, detail)


def bad_outcome(patched: JsonObject, shown: str | None, detail: str) -> Invalid:
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
    raise bad_outcome(patched, shown, f"strict decoding error: {', '.join(problems)}")


def _applied(registry: Registry, scope: Scope, call: Call) -> Transform:
    resource = scope.resource
    config = read_configuration(scope.request.body, call)
    if resource.custom:
        config = untyped_numbers(config)

    def apply(current: JsonObject | None) -> Applied:
        return registry.ownership.apply(
            resource, config, current, call, subresource=scope.info.subresource, now=registry.now()
        )

    def finished(current: JsonObject | None, applied: Applied) -> Change:
        named(applied.object, scope.info.name, url_name=scope.info.name)
        if current is None:
            # There is nothing whose version could be meant.
            applied.object["metadata"].pop("resourceVersion", None)
        return Change(_as_struct(resource, applied.object), owned=True)

    def transform(current: JsonObject | None) -> Change:
        return finished(current, apply(current))

    async def converted(current: JsonObject | None) -> Change:
        assert resource.conversion is not None, resource.kind
        return finished(current, await resource.conversion.during(lambda: apply(copy_json(current))))

    return transform if resource.conversion is None else converted


def _as_struct(resource: Resource, applied: JsonObject) -> JsonObject:
    """What an apply leaves, as an object of its kind.

    Raises: ApiError where a value fits the schema and not the type, such as a quantity that is none.
    """
    try:
        obj = resource.decode_applied(applied)
    except DecodeError as error:
        about = type_text(resource.kind.api_version, resource.kind.kind)
        metadata = applied["metadata"]
        where = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {about}"
        raise ApiError(
            f"failed to convert new object ({where}) to proper version: "
            f"unable to convert unstructured object to {about}: {told(error, about)}"
        ) from None
    resource.default(obj)
    return obj


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
