"""Patches: from what a client sent to a function that changes the stored object.

The four kinds differ in how they make the next object; what follows is one: it is decoded as a client's object is,
with the same complaints about unknown fields.

Source: apiserver/pkg/endpoints/handlers/patch.go;
https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from typing import Any

from kajitori.apimachinery.decode import DecodeError, decode_json, duplicate_fields, has_duplicates
from kajitori.apimachinery.errors import (
    BadRequest,
    FieldError,
    UnsupportedMediaType,
    invalid,
    not_found,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.go_text import go_text
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apiserver.endpoints.bodies import typed
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource, encode
from kajitori.apiserver.registry.updating import Change, Transform
from kajitori.apiserver.scope import Scope

__all__ = ["patch_transform"]

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
        return _patched(scope, call, lambda obj: apply_json_patch(obj, operations), [], shown=None)
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
        _same_kind(resource, patched)
        obj = typed(resource, patched, problems)
        _report(resource, problems, call, shown if shown is not None else encode(patched).decode())
        return Change(obj)

    return transform


def _same_kind(resource: Resource, patched: JsonObject) -> None:
    kind = resource.kind
    said = (patched.get("apiVersion"), patched.get("kind"))
    if said != (kind.api_version, kind.kind):
        if said[0] != kind.api_version and isinstance(said[0], str):
            raise BadRequest(
                f"the API version in the data ({said[0]}) does not match the expected API version "
                f"({kind.api_version})"
            )
        raise BadRequest(f"the kind in the data ({said[1]}) does not match the expected kind ({kind.kind})")


def _report(resource: Resource, problems: list[str], call: Call, shown: str) -> None:
    """Complaints about fields, in the form that patches have for them."""
    if not problems or call.options.field_validation == "Ignore":
        return
    if call.options.field_validation == "Warn":
        for each in problems:
            call.warn(each)
        return
    detail = f"strict decoding error: {', '.join(problems)}"
    raise invalid("", "", "", [FieldError.invalid("patch", shown, detail)])


def _applied(registry: Registry, scope: Scope, call: Call) -> Transform:
    resource, body = scope.resource, scope.request.body
    config = _configuration(body)

    def transform(current: JsonObject | None) -> Change:
        applied = registry.ownership.apply(
            resource, config, current, call, subresource=scope.info.subresource, now=registry.now()
        )
        said = applied.object["metadata"].get("name", "")
        if said != scope.info.name:
            raise BadRequest(
                f"the name of the object ({said}) does not match the name on the URL ({scope.info.name})"
            )
        return Change(typed(resource, applied.object, []), owned=True)

    return transform


def _configuration(body: bytes) -> JsonObject:
    """An apply configuration: YAML, of which JSON is a part.

    Raises: BadRequest.
    """
    try:
        value = decode_json(body) if body[:1] == b"{" else _yaml(body)
    except DecodeError:
        value = _yaml(body)
    if not isinstance(value, dict):
        raise BadRequest("error decoding YAML: an apply configuration must be an object")
    return value


def _yaml(body: bytes) -> Any:
    from kajitori.apimachinery.yaml import decode_yaml

    try:
        return decode_yaml(body)[0]
    except DecodeError as error:
        raise BadRequest(f"error decoding YAML: {error}") from None
