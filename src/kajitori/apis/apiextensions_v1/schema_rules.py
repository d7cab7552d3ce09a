"""What a schema in a definition may say, keyword by keyword, beside being structural.

Sits under the validation of definitions. The CEL rules of a schema are only looked at from outside here (there
is one, its message has no line breaks, its field path exists); whether they compile, `rule_errors` says.

Promises
    K1  messages and paths are those of kube-apiserver
    K2  what is demanded only of new definitions can be switched off for old ones (`SchemaDemands`)

Source: apiextensions' pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.field_path import FieldPathError, resolve_field_path
from kajitori.apimachinery.structural.prune import META_FIELDS
from kajitori.apis.apiextensions_v1.structure import unsupported_keyword

__all__ = [
    "NESTING_MAX",
    "SchemaDemands",
    "any_schema",
    "is_non_atomic_set",
    "is_too_deep",
    "map_key_errors",
    "schema_errors",
    "unknown_types",
]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_LINE_BREAK = re.compile(r"[\n\r]")


@dataclass(frozen=True)
class SchemaDemands:
    """What is demanded of a schema; an update of an old definition demands no more than the old one kept."""

    known_types: bool = True
    atomic_sets: bool = True
    sound_map_keys: bool = True


@dataclass(frozen=True)
class _Place:
    """Where in the schema we are, as far as it changes what is allowed."""

    demands: SchemaDemands
    no_defaults: str = ""
    """Why defaults are forbidden here; empty when they are not."""
    inside_meta: bool = False


def schema_errors(raw: Mapping[str, Any], path: str, demands: SchemaDemands) -> list[FieldError]:
    """What is wrong with a whole schema."""
    return _visit(raw, path, _Place(demands), is_root=True)


NESTING_MAX = 300
"""How deep a schema may go, counting every object and list: five times the deepest in use. Kubernetes' only bound is
its size; whoever follows a schema here does so by recursion."""


def is_too_deep(schema: Any) -> bool:
    """Whether a schema is nested deeper than NESTING_MAX."""
    level = [schema]
    for _ in range(NESTING_MAX):
        below: list[Any] = []
        for each in level:
            if isinstance(each, Mapping):
                below += each.values()
            elif isinstance(each, list):
                below += each
        level = [each for each in below if isinstance(each, Mapping | list)]
        if not level:
            return False
    return True


def any_schema(raw: Any, holds: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether something holds for a schema or for any schema below it."""
    return isinstance(raw, Mapping) and (holds(raw) or any(any_schema(each, holds) for each in _below(raw)))


def _below(raw: Mapping[str, Any]) -> Iterator[Any]:
    items = raw.get("items")
    yield from items if isinstance(items, list) else (items,)
    for name in ("allOf", "anyOf", "oneOf"):
        yield from raw.get(name) or ()
    yield raw.get("not")
    yield raw.get("additionalProperties")
    yield raw.get("additionalItems")
    for name in ("properties", "patternProperties", "definitions", "dependencies"):
        yield from (raw.get(name) or {}).values()


def unknown_types(raw: Any) -> bool:
    """Whether a schema names a type that OpenAPI does not have."""
    return any_schema(raw, lambda each: bool(each.get("type")) and each["type"] not in _TYPES)


def _visit(raw: Any, path: str, place: _Place, *, is_root: bool = False) -> list[FieldError]:
    if not isinstance(raw, Mapping):
        return []
    errors = _keyword_errors(raw, path, place)
    if raw.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        errors.append(FieldError.forbidden(f"{path}.uniqueItems", detail))
    errors += _member_errors(raw, path, place, is_root)
    errors += _visit(raw.get("not"), f"{path}.not", place)
    for junctor in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(raw.get(junctor) or ()):
            errors += _visit(each, f"{path}.{junctor}[{index}]", place)
    for name, each in sorted((raw.get("definitions") or {}).items()):
        errors += _visit(each, f"{path}.definitions[{name}]", place)
    items = raw.get("items")
    if isinstance(items, list):
        for index, each in enumerate(items):
            errors += _visit(each, f"{path}.items[{index}]", place)
    else:
        errors += _visit(items, f"{path}.items", place)
    for name, each in sorted((raw.get("dependencies") or {}).items()):
        errors += _visit(each, f"{path}.dependencies[{name}]", place)
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        where = f"{path}.x-kubernetes-preserve-unknown-fields"
        errors.append(FieldError.invalid(where, False, "must be true or undefined"))
    errors += _merge_errors(raw, path, place.demands)
    return errors + _rule_errors(raw, path)


def _member_errors(raw: Mapping[str, Any], path: str, place: _Place, is_root: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    additional = raw.get("additionalProperties")
    if additional is not None:
        if raw.get("properties") and additional is not True:
            detail = "additionalProperties and properties are mutual exclusive"
            errors.append(FieldError.forbidden(f"{path}.additionalProperties", detail))
        inner = place
        if place.inside_meta:
            inner = replace(place, no_defaults="inside additionalProperties applying to object metadata")
        errors += _visit(additional, f"{path}.additionalProperties", inner)
    for name, each in sorted((raw.get("properties") or {}).items()):
        inner = place
        if (is_root or raw.get("x-kubernetes-embedded-resource")) and name in META_FIELDS:
            inner = replace(place, inside_meta=True)
            if is_root:
                inner = replace(inner, no_defaults=f"in top-level {name}")
        errors += _visit(each, f"{path}.properties[{name}]", inner)
    return errors


def _keyword_errors(raw: Mapping[str, Any], path: str, place: _Place) -> list[FieldError]:
    """Keywords of JSON Schema that definitions do not have."""
    errors: list[FieldError] = []
    own = raw.get("type") or ""
    if place.demands.known_types and own and own not in _TYPES:
        errors.append(FieldError.not_supported(f"{path}.type", own, _TYPES))
    if raw.get("default") is not None and place.no_defaults:
        errors.append(FieldError.forbidden(f"{path}.default", f"must not be set {place.no_defaults}"))
    if raw.get("id"):
        errors.append(FieldError.forbidden(f"{path}.id", "id is not supported"))
    if raw.get("additionalItems") is not None:
        errors.append(FieldError.forbidden(f"{path}.additionalItems", "additionalItems is not supported"))
    for name in ("patternProperties", "definitions"):
        if raw.get(name):
            errors.append(FieldError.forbidden(f"{path}.{name}", f"{name} is not supported"))
    for name in ("dependencies", "$ref"):
        if raw.get(name) is not None:
            errors.append(FieldError.forbidden(f"{path}.{name}", f"{name} is not supported"))
    if own == "null":
        detail = "type cannot be set to null, use nullable as an alternative"
        errors.append(FieldError.forbidden(f"{path}.type", detail))
    if isinstance(raw.get("items"), list) and raw["items"]:
        detail = "items must be a schema object and not an array"
        errors.append(FieldError.forbidden(f"{path}.items", detail))
    if place.inside_meta and raw.get("x-kubernetes-embedded-resource"):
        where = f"{path}.x-kubernetes-embedded-resource"
        errors.append(FieldError.forbidden(where, "must not be used inside of resource meta"))
    return errors


def _merge_errors(raw: Mapping[str, Any], path: str, demands: SchemaDemands) -> list[FieldError]:
    """`x-kubernetes-map-type`, `x-kubernetes-list-type` and its keys."""
    errors: list[FieldError] = []
    map_type, list_type = raw.get("x-kubernetes-map-type"), raw.get("x-kubernetes-list-type")
    keys: list[str] = raw.get("x-kubernetes-list-map-keys") or []
    if map_type is not None:
        errors += _wants_type(raw, path, "object", "x-kubernetes-map-type")
        if map_type not in ("atomic", "granular"):
            where = f"{path}.x-kubernetes-map-type"
            errors.append(FieldError.not_supported(where, map_type, ("atomic", "granular")))
    if list_type is not None:
        wrong = _wants_type(raw, path, "array", "x-kubernetes-list-type")
        errors += wrong
        if not wrong and demands.atomic_sets and list_type == "set":
            errors += _set_errors(raw, path)
        if list_type not in ("atomic", "set", "map"):
            where = f"{path}.x-kubernetes-list-type"
            errors.append(FieldError.not_supported(where, list_type, ("atomic", "set", "map")))
    if keys and list_type != "map":
        where, detail = (
            f"{path}.x-kubernetes-list-type",
            "must be map if x-kubernetes-list-map-keys is non-empty",
        )
        missing = list_type is None
        problem = (
            FieldError.required(where, detail) if missing else FieldError.invalid(where, list_type, detail)
        )
        errors.append(problem)
    if list_type == "map":
        errors += _map_errors(raw, path, keys)
    if demands.sound_map_keys:
        errors += map_key_errors(raw, path)
    return errors


def _wants_type(raw: Mapping[str, Any], path: str, wanted: str, keyword: str) -> list[FieldError]:
    own = raw.get("type") or ""
    if own == wanted:
        return []
    detail = f"must be {wanted} if {keyword} is specified"
    if not own:
        return [FieldError.required(f"{path}.type", detail)]
    return [FieldError.invalid(f"{path}.type", own, detail)]


def _set_errors(raw: Mapping[str, Any], path: str) -> list[FieldError]:
    if not is_non_atomic_set(raw):
        return []
    items = raw["items"]
    kind = "list" if items.get("type") == "array" else "map"
    # Kubernetes shows the list type of the items in both cases.
    shown = items.get("x-kubernetes-list-type")
    detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
    return [FieldError.invalid(f"{path}.items.x-kubernetes-{kind}-type", shown, detail)]


def is_non_atomic_set(raw: Mapping[str, Any]) -> bool:
    """Whether a list is a set of things that are merged in parts, which cannot be told apart then."""
    items = raw.get("items")
    if raw.get("x-kubernetes-list-type") != "set" or not isinstance(items, Mapping):
        return False
    if items.get("type") == "array":
        return items.get("x-kubernetes-list-type") not in (None, "atomic")
    return items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic"


def _map_errors(raw: Mapping[str, Any], path: str, keys: list[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    where = f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        errors.append(FieldError.required(where, "must not be empty if x-kubernetes-list-type is map"))
    items = raw.get("items")
    if items is None:
        detail = "must have a schema if x-kubernetes-list-type is map"
        errors.append(FieldError.required(f"{path}.items", detail))
    elif not isinstance(items, Mapping):
        detail = "must only have a single schema if x-kubernetes-list-type is map"
        errors.append(FieldError.invalid(f"{path}.items", items, detail))
    elif items.get("type") != "object":
        detail = "must be object if parent array's x-kubernetes-list-type is map"
        errors.append(FieldError.invalid(f"{path}.items.type", items.get("type") or "", detail))
    else:
        properties = items.get("properties") or {}
        for index, key in enumerate(keys):
            if key not in properties:
                errors.append(FieldError.invalid(where, keys, "entries must all be names of item properties"))
            elif properties[key].get("type") in ("array", "object"):
                detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
                errors.append(FieldError.invalid(f"{path}.items.properties[{key}].type", "object", detail))
            if key in keys[:index]:
                errors.append(FieldError.invalid(where, keys, "must not contain duplicate entries"))
    return errors


def map_key_errors(raw: Mapping[str, Any], path: str) -> list[FieldError]:
    """Whether items of sets and maps can always be told apart: they and their keys must be there."""
    items, kind = raw.get("items"), raw.get("x-kubernetes-list-type")
    if not isinstance(items, Mapping) or kind not in ("set", "map"):
        return []
    errors: list[FieldError] = []
    if items.get("nullable"):
        detail = f"cannot be nullable when x-kubernetes-list-type is {kind}"
        errors.append(FieldError.forbidden(f"{path}.items.nullable", detail))
    if kind == "set":
        return errors
    properties, required = items.get("properties") or {}, items.get("required") or ()
    for key in raw.get("x-kubernetes-list-map-keys") or ():
        if key not in properties:
            continue
        where = f"{path}.items.properties[{key}]"
        why = "this property is in x-kubernetes-list-map-keys, so it"
        if key not in required and properties[key].get("default") is None:
            detail = f"{why} must have a default or be a required property"
            errors.append(FieldError.required(f"{where}.default", detail))
        if properties[key].get("nullable"):
            errors.append(FieldError.forbidden(f"{where}.nullable", f"{why} cannot be nullable"))
    return errors


def _rule_errors(raw: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, rule in enumerate(raw.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{index}]"
        errors += _rule_text_errors(rule, where)
        reason = rule.get("reason")
        if reason is not None and reason not in _REASONS:
            errors.append(FieldError.not_supported(f"{where}.reason", reason, _REASONS))
        errors += _rule_path_errors(raw, rule.get("fieldPath") or "", f"{where}.fieldPath")
    return errors


def _rule_text_errors(rule: Mapping[str, Any], where: str) -> list[FieldError]:
    errors: list[FieldError] = []
    expression, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not expression:
        errors.append(FieldError.required(f"{where}.rule", "rule is not specified"))
    elif message and not message.strip():
        detail = "must be non-empty if specified"
        errors.append(FieldError.invalid(f"{where}.message", message, detail))
    elif _LINE_BREAK.search(message.strip()):
        detail = "must not contain line breaks"
        errors.append(FieldError.invalid(f"{where}.message", message, detail))
    elif _LINE_BREAK.search(expression) and not message:
        detail = "message must be specified if rule contains line breaks"
        errors.append(FieldError.required(f"{where}.message", detail))
    computed = rule.get("messageExpression") or ""
    if computed and not computed.strip():
        detail = "messageExpression must be non-empty if specified"
        errors.append(FieldError.required(f"{where}.messageExpression", detail))
    return errors


def _rule_path_errors(raw: Mapping[str, Any], path: str, where: str) -> list[FieldError]:
    if not path:
        return []
    errors: list[FieldError] = []
    if not path.strip():
        errors.append(FieldError.invalid(where, path, "must be non-empty if specified"))
    if _LINE_BREAK.search(path):
        errors.append(FieldError.invalid(where, path, "must not contain line breaks"))
    if unsupported_keyword(raw):
        return errors  # nobody can say where paths lead, and that is told elsewhere
    try:
        resolve_field_path(path, raw)
    except FieldPathError:
        errors.append(FieldError.invalid(where, path, "must be a valid path"))
    return errors
