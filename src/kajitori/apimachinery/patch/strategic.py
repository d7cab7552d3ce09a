"""Strategic merge patch: a merge patch that merges lists by the schema of the kind.

Sits under PATCH with `application/strategic-merge-patch+json`, for built-in kinds only.

Promises
    S1  neither original nor patch is changed; what the patch does not name is shared with the result
    S2  no map that holds a `$patch` is left in a member that the patch adds; new items of lists come as they are
    S3  merged lists keep the relative order of the patch's items and of the others; the patch's order wins

Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ and
apimachinery's util/strategicpatch.
"""

from typing import Any

from kajitori.apimachinery.decode import DecodeError, decode_json, json_type
from kajitori.apimachinery.errors import ApiError, BadRequest
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.go_text import go_name, go_text
from kajitori.apimachinery.patch.strategic_lists import (
    DIRECTIVE,
    ORDER_PREFIX,
    bad_argument,
    check_order,
    merge_list,
    one_element_type,
    ordered,
    partition,
    without_directives,
    without_nulls,
)
from kajitori.apimachinery.schema import Schema

__all__ = ["apply_strategic_merge_patch", "parse_strategic_merge_patch"]

_RETAIN_KEYS = "$retainKeys"
_DELETE_PREFIX = "$deleteFromPrimitiveList"
_BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
_BAD_PRIMITIVE_LIST = "invalid patch format of primitive list"
_BAD_ORDER_LIST = "invalid patch format of setElementOrder list"
_ABSENT: Any = object()


def parse_strategic_merge_patch(body: bytes) -> JsonObject:
    """The patch in a request body; `null` is an empty one.

    Raises: BadRequest when it is no JSON object.
    """
    try:
        patch = decode_json(body)
    except DecodeError as error:
        raise BadRequest(str(error)) from None
    if patch is None:
        return {}
    if not isinstance(patch, dict):
        target = "value of type map[string]interface {}"
        raise BadRequest(f"json: cannot unmarshal {json_type(patch)} into Go {target}")
    return patch


def apply_strategic_merge_patch(original: JsonObject, patch: JsonObject, schema: Schema) -> JsonObject:
    """The original with the patch merged into it, as `schema` says.

    Raises: BadRequest or Invalid for malformed directives, a plain ApiError (500) for what does not fit the
    schema: both as Kubernetes answers.
    """
    try:
        return _merge_map(original, patch, schema)
    except RecursionError:
        raise BadRequest("exceeded max depth") from None


def _merge_map(original: JsonObject, patch: JsonObject, schema: Schema) -> JsonObject:
    directive = patch.get(DIRECTIVE, _ABSENT)
    if directive is not _ABSENT:
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        if directive == "delete":
            return {}
        raise ApiError(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")
    merged, patch = _retained(original, patch)
    patch = _merge_ordered_lists(merged, patch, schema)
    for key, value in patch.items():
        deletes = key.startswith(_DELETE_PREFIX)
        if deletes:
            key = _list_name(key, _DELETE_PREFIX, _BAD_PRIMITIVE_LIST)
        if value is None:
            merged.pop(key, None)
            continue
        current = merged.get(key, _ABSENT)
        if isinstance(current, dict) and isinstance(value, dict):
            field = _field(schema, key)
            merged[key] = value if "replace" in field.patch_strategies else _merge_map(current, value, field)
        elif isinstance(current, list) and isinstance(value, list):
            merged[key] = _merge_lists(current, value, _field(schema, key), deletes=deletes)
        elif not deletes or (current is not _ABSENT and go_name(current) == go_name(value)):
            # New, or of another type, or a scalar: the patch's value as it is.
            value, keep = without_directives(without_nulls(value))
            if keep:
                merged[key] = value
            else:
                merged.pop(key, None)
    return merged


def _merge_lists(original: list[Any], patch: list[Any], field: Schema, *, deletes: bool) -> list[Any]:
    if "merge" not in field.patch_strategies and not deletes:
        return patch
    items = field.items or Schema()

    def merge_item(item: JsonObject, change: JsonObject) -> JsonObject:
        return _merge_map(item, change, items)

    return merge_list(original, patch, field.patch_merge_key, deletes=deletes, merge_item=merge_item)


def _retained(original: JsonObject, patch: JsonObject) -> tuple[JsonObject, JsonObject]:
    """A copy of `original` with only what `$retainKeys` keeps, and the patch without that directive."""
    if _RETAIN_KEYS not in patch:
        return dict(original), patch
    keep = patch[_RETAIN_KEYS]
    patch = {key: value for key, value in patch.items() if key != _RETAIN_KEYS}
    if not isinstance(keep, list):
        raise BadRequest(_BAD_RETAIN_KEYS)
    for key, value in patch.items():
        if value is not None and key not in keep and not key.startswith((_DELETE_PREFIX, ORDER_PREFIX)):
            raise BadRequest(_BAD_RETAIN_KEYS)
    return {key: value for key, value in original.items() if key in keep}, patch


def _merge_ordered_lists(merged: JsonObject, patch: JsonObject, schema: Schema) -> JsonObject:
    """Merges the lists that come with `$setElementOrder` into `merged`; gives the rest of the patch."""
    orders = [key for key in patch if key.startswith(ORDER_PREFIX)]
    if not orders:
        return patch
    rest = {key: value for key, value in patch.items() if key not in orders}
    for directive in orders:
        order = _list_or_error(patch[directive])
        key = _list_name(directive, ORDER_PREFIX, _BAD_ORDER_LIST)
        original = _list_or_error(merged[key]) if key in merged else None
        change = _list_or_error(rest[key]) if key in rest else None
        field = _field(schema, key)
        merge_key = field.patch_merge_key
        check_order(change or [], order, merge_key)
        if original is None and change is None:
            continue
        if change is None:
            result = original or []
        elif original is None:
            result, _ = without_directives(change)
        else:
            result = _merge_lists(original, change, field, deletes=False)
        in_patch, server_only = partition(result, order, merge_key)
        kind = one_element_type(original or [], change or [])
        merged[key] = ordered(
            in_patch,
            server_only,
            order,
            original or [],
            merge_key if kind is dict else "",
            keyed=kind is dict,
        )
        rest.pop(key, None)
    return rest


def _list_name(directive: str, prefix: str, complaint: str) -> str:
    """The list a parallel directive is about: `$setElementOrder/ports` is about `ports`."""
    found, slash, name = directive.partition("/")
    if not slash or found != prefix:
        raise BadRequest(complaint)
    return name


def _list_or_error(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise bad_argument([], value)
    return value


def _field(schema: Schema, key: str) -> Schema:
    """The schema of a member, with how changes to it merge.

    Raises: ApiError when the kind has no such member.
    """
    field = schema.properties.get(key)
    if field is not None:
        return field
    if schema.additional is not None:
        return schema.additional
    name = schema.definition.rpartition(".")[2]
    raise ApiError(f'unable to find api field in struct {name} for the json field "{key}"')
