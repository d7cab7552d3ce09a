"""JSON merge patch (RFC 7386) as the API server applies it.

Sits under PATCH with `application/merge-patch+json`.

Promises
    M1  neither document nor patch is changed; what the patch does not name is shared with the result
    M2  a null removes; members that are new never bring nulls; the elements of lists that are null stay

Source: RFC 7386; gopkg.in/evanphx/json-patch.v4; apiserver's endpoints/handlers/patch.go.
"""

from typing import Any

from kajitori.apimachinery.decode import DecodeError, decode_json, json_type
from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.kind import JsonObject

__all__ = ["apply_merge_patch", "parse_merge_patch"]


def parse_merge_patch(body: bytes) -> JsonObject:
    """The patch in a request body.

    Raises: BadRequest when it is no JSON object.
    """
    try:
        patch = decode_json(body)
    except DecodeError as error:
        raise BadRequest(f"error decoding patch: {error}") from None
    if patch is None:
        raise BadRequest("Invalid JSON Patch")
    if not isinstance(patch, dict):
        target = "value of type map[string]interface {}"
        raise BadRequest(f"error decoding patch: json: cannot unmarshal {json_type(patch)} into Go {target}")
    return patch


def apply_merge_patch(document: JsonObject, patch: JsonObject) -> JsonObject:
    """The document with the patch merged into it.

    Raises: BadRequest when they are nested too deep.
    """
    try:
        return _merge(document, patch)
    except RecursionError:
        raise BadRequest("exceeded max depth") from None


def _merge(document: JsonObject, patch: JsonObject) -> JsonObject:
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
            continue
        current = merged.get(key)
        if isinstance(current, dict):
            merged[key] = _merge(current, value) if isinstance(value, dict) else value
        else:
            merged[key] = _without_nulls(value)
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
