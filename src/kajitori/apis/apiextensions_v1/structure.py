"""Whether a schema is structural: whether it says what an object looks like, not only what it must not be.

Sits under the validation of definitions, which refuses schemas that are not, and under the condition
NonStructuralSchema, which tells of those that were accepted long ago.

Promises
    T1  the complaints are Kubernetes', sorted by their text

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.regex import PatternError, compile_regex

__all__ = ["structural_errors", "unsupported_keyword"]

_ROOT, _ITEM, _FIELD = "at the root", "for specified array items", "for specified object fields"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_JUNCTORS = ("anyOf", "allOf", "oneOf")

_UNSUPPORTED = (
    ("id", "id"),
    ("$schema", "schema"),
    ("$ref", "$ref"),
    ("patternProperties", "patternProperties"),
    ("dependencies", "dependencies"),
    ("additionalItems", "additionalItems"),
    ("definitions", "definitions"),
)
# Keywords that may not stand inside a junctor, with what is demanded of them.
_FORBIDDEN_INSIDE = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_UNDEFINED = ("additionalProperties", "default", "x-kubernetes-list-type", "x-kubernetes-map-type")
_METADATA_MAY_HAVE = frozenset(("type", "default", "properties"))


def unsupported_keyword(raw: Mapping[str, Any]) -> str:
    """Why no structural schema can be made of this at all; empty when one can."""
    for keyword, shown in _UNSUPPORTED:
        if raw.get(keyword) or (keyword == "additionalItems" and raw.get(keyword) is not None):
            return f"OpenAPIV3Schema '{shown}' is not supported"
    if raw.get("x-kubernetes-preserve-unknown-fields") is False:
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
    if isinstance(raw.get("items"), list) and raw["items"]:
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    below = [*(raw.get("properties") or {}).values(), raw.get("items"), raw.get("additionalProperties")]
    below += [raw.get("not"), *(each for junctor in _JUNCTORS for each in raw.get(junctor) or ())]
    for each in below:
        if isinstance(each, Mapping) and (problem := unsupported_keyword(each)):
            return problem
    return ""


def structural_errors(raw: Mapping[str, Any], path: str) -> list[FieldError]:
    """Why the schema is not structural; empty when it is."""
    errors = _invariants(raw, _ROOT, path) + _completeness(raw, raw, path, path)
    return sorted(errors, key=str)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _invariants(raw: Mapping[str, Any], level: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    items = raw.get("items")
    if raw.get("type") == "array" and items is None:
        errors.append(FieldError.required(f"{path}.items", "must be specified"))
    if isinstance(items, Mapping):
        errors += _invariants(items, _ITEM, f"{path}.items")
    for name, each in _mapping(raw.get("properties")).items():
        errors += _invariants(each, _FIELD, f"{path}.properties[{name}]")
    additional = raw.get("additionalProperties")
    if additional is not None:
        if level == _ROOT:
            errors.append(
                FieldError.forbidden(f"{path}.additionalProperties", "must not be used at the root")
            )
        if isinstance(additional, Mapping):
            errors += _invariants(additional, _FIELD, f"{path}.additionalProperties")
    errors += _extension_errors(raw, path)
    errors += _value_errors(
        raw,
        path,
        skips_any_of=raw.get("anyOf") == _INT_OR_STRING,
        skips_first_all_of=_mapping((raw.get("allOf") or [None])[0]).get("anyOf") == _INT_OR_STRING,
    )
    errors += _type_errors(raw, level, path)
    return errors + _metadata_errors(raw, level, path)


def _extension_errors(raw: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if raw.get("x-kubernetes-int-or-string"):
        for name in ("preserve-unknown-fields", "embedded-resource"):
            if raw.get(f"x-kubernetes-{name}"):
                detail = "must be false if x-kubernetes-int-or-string is true"
                errors.append(FieldError.invalid(f"{path}.x-kubernetes-{name}", True, detail))
    return errors


def _type_errors(raw: Mapping[str, Any], level: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    own = raw.get("type") or ""
    embedded = bool(raw.get("x-kubernetes-embedded-resource"))
    free = raw.get("x-kubernetes-int-or-string") or raw.get("x-kubernetes-preserve-unknown-fields")
    if embedded and own != "object":
        detail = "must be object if x-kubernetes-embedded-resource is true"
        problem = FieldError.invalid(f"{path}.type", own, detail)
        errors.append(problem if own else FieldError.required(f"{path}.type", detail))
    elif not own and not free:
        errors.append(FieldError.required(f"{path}.type", f"must not be empty {level}"))
    if embedded and raw.get("additionalProperties") is not None:
        detail = "must not be used if x-kubernetes-embedded-resource is set"
        errors.append(FieldError.forbidden(f"{path}.additionalProperties", detail))
    if level == _ROOT and own and own != "object":
        errors.append(FieldError.invalid(f"{path}.type", own, "must be object at the root"))
    if embedded and not raw.get("x-kubernetes-preserve-unknown-fields") and not raw.get("properties"):
        detail = (
            "must not be empty if x-kubernetes-embedded-resource is true "
            "without x-kubernetes-preserve-unknown-fields"
        )
        errors.append(FieldError.required(f"{path}.properties", detail))
    return errors


def _metadata_errors(raw: Mapping[str, Any], level: str, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    properties = _mapping(raw.get("properties"))
    if level != _ROOT and not raw.get("x-kubernetes-embedded-resource"):
        return errors
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            own = properties[name].get("type") or ""
            errors.append(FieldError.invalid(f"{path}.properties[{name}].type", own, "must be string"))
    metadata = properties.get("metadata")
    if metadata is None:
        return errors
    if metadata.get("type") != "object":
        own = metadata.get("type") or ""
        errors.append(FieldError.invalid(f"{path}.properties[metadata].type", own, "must be object"))
    if level == _ROOT:
        restricted = set(_mapping(metadata.get("properties")))
        given = {name for name, value in metadata.items() if value not in (None, "", False, [], {})}
        given |= {"additionalProperties"} & metadata.keys()  # even where none are allowed
        if not given <= _METADATA_MAY_HAVE or not restricted <= {"name", "generateName"}:
            detail = (
                "must not specify anything other than name and generateName, "
                "but metadata is implicitly specified"
            )
            errors.append(FieldError.forbidden(f"{path}.properties[metadata]", detail))
    return errors


def _value_errors(
    raw: Mapping[str, Any], path: str, *, skips_any_of: bool = False, skips_first_all_of: bool = False
) -> list[FieldError]:
    """What is wrong with the keywords that judge values, and with the junctors of them."""
    errors: list[FieldError] = []
    if not skips_any_of:
        for index, each in enumerate(raw.get("anyOf") or ()):
            errors += _nested_errors(each, f"{path}.anyOf[{index}]")
    for index, each in enumerate(raw.get("allOf") or ()):
        skips = skips_first_all_of and index == 0
        errors += _nested_errors(each, f"{path}.allOf[{index}]", skips_any_of=skips)
    for index, each in enumerate(raw.get("oneOf") or ()):
        errors += _nested_errors(each, f"{path}.oneOf[{index}]")
    if isinstance(raw.get("not"), Mapping):
        errors += _nested_errors(raw["not"], f"{path}.not")
    if raw.get("pattern"):
        try:
            compile_regex(raw["pattern"])
        except PatternError as problem:
            detail = f"must be a valid regular expression, but isn't: {problem}"
            errors.append(FieldError.invalid(f"{path}.pattern", raw["pattern"], detail))
    return errors


def _nested_errors(raw: Mapping[str, Any], path: str, *, skips_any_of: bool = False) -> list[FieldError]:
    """What is wrong with a schema inside a junctor, where only values may be judged."""
    errors = _value_errors(raw, path, skips_any_of=skips_any_of)
    if isinstance(raw.get("items"), Mapping):
        errors += _nested_errors(raw["items"], f"{path}.items")
    properties = _mapping(raw.get("properties"))
    for name, each in properties.items():
        errors += _nested_errors(each, f"{path}.properties[{name}]")
    for keyword, detail in _FORBIDDEN_INSIDE:
        value = raw.get(keyword)
        if value or (value is not None and keyword in _UNDEFINED):
            errors.append(FieldError.forbidden(f"{path}.{keyword}", detail))
    if "metadata" in properties:
        detail = "must not be specified in a nested context"
        errors.append(FieldError.forbidden(f"{path}.properties[metadata]", detail))
    return errors


def _completeness(
    judge: Mapping[str, Any], schema: Mapping[str, Any] | None, path: str, judge_path: str
) -> list[FieldError]:
    """Whether every field that a junctor judges is also specified outside of junctors."""
    errors: list[FieldError] = []
    nested = [(f"{judge_path}.not", judge["not"])] if isinstance(judge.get("not"), Mapping) else []
    for junctor in ("allOf", "anyOf", "oneOf"):
        nested += [
            (f"{judge_path}.{junctor}[{index}]", each) for index, each in enumerate(judge.get(junctor) or ())
        ]
    for inner_path, inner in nested:
        errors += _nested_completeness(inner, schema, path, inner_path)
    return errors


def _nested_completeness(
    judge: Mapping[str, Any], schema: Mapping[str, Any] | None, path: str, judge_path: str
) -> list[FieldError]:
    if schema is None:
        return [FieldError.required(path, f"because it is defined in {judge_path}")]
    errors = _completeness(judge, schema, path, judge_path)
    if isinstance(judge.get("items"), Mapping):
        items = schema.get("items")
        known = items if isinstance(items, Mapping) else None
        errors += _nested_completeness(judge["items"], known, f"{path}.items", f"{judge_path}.items")
    known_properties = _mapping(schema.get("properties"))
    for name, each in _mapping(judge.get("properties")).items():
        inner_path = f"{judge_path}.properties[{name}]"
        own_path = f"{path}.properties[{name}]"
        errors += _nested_completeness(each, known_properties.get(name), own_path, inner_path)
    return errors
