"""The definition as the API server sees it inside, which decides what its complaints say.

Inside, what all versions have in common (schema, subresources, columns, selectable fields) stands once at
the top: a complaint about the schema of a definition with one version is about `spec.validation`, whatever
the user wrote. And a complaint that shows versions shows them with Go's field names.

Source: apiextensions' v1 conversion and its internal types.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.constraints import in_go_order

__all__ = ["SCHEMA_FIELDS", "InternalSpec", "internal_rule", "internal_schema", "internal_versions"]

_HOISTED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")

# Go's field names in their order, with what a field is when it was not given.
SCHEMA_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("ID", "id", ""),
    ("Schema", "$schema", ""),
    ("Ref", "$ref", None),
    ("Description", "description", ""),
    ("Type", "type", ""),
    ("Nullable", "nullable", False),
    ("Format", "format", ""),
    ("Title", "title", ""),
    ("Default", "default", None),
    ("Maximum", "maximum", None),
    ("ExclusiveMaximum", "exclusiveMaximum", False),
    ("Minimum", "minimum", None),
    ("ExclusiveMinimum", "exclusiveMinimum", False),
    ("MaxLength", "maxLength", None),
    ("MinLength", "minLength", None),
    ("Pattern", "pattern", ""),
    ("MaxItems", "maxItems", None),
    ("MinItems", "minItems", None),
    ("UniqueItems", "uniqueItems", False),
    ("MultipleOf", "multipleOf", None),
    ("Enum", "enum", None),
    ("MaxProperties", "maxProperties", None),
    ("MinProperties", "minProperties", None),
    ("Required", "required", None),
    ("Items", "items", None),
    ("AllOf", "allOf", None),
    ("OneOf", "oneOf", None),
    ("AnyOf", "anyOf", None),
    ("Not", "not", None),
    ("Properties", "properties", None),
    ("AdditionalProperties", "additionalProperties", None),
    ("PatternProperties", "patternProperties", None),
    ("Dependencies", "dependencies", None),
    ("AdditionalItems", "additionalItems", None),
    ("Definitions", "definitions", None),
    ("ExternalDocs", "externalDocs", None),
    ("Example", "example", None),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", None),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", False),
    ("XIntOrString", "x-kubernetes-int-or-string", False),
    ("XListMapKeys", "x-kubernetes-list-map-keys", None),
    ("XListType", "x-kubernetes-list-type", None),
    ("XMapType", "x-kubernetes-map-type", None),
    ("XValidations", "x-kubernetes-validations", None),
)
_RULE_FIELDS = (
    ("Rule", "rule", ""),
    ("Message", "message", ""),
    ("MessageExpression", "messageExpression", ""),
    ("Reason", "reason", None),
    ("FieldPath", "fieldPath", ""),
    ("OptionalOldSelf", "optionalOldSelf", None),
)
_COLUMN_FIELDS = (
    ("Name", "name", ""),
    ("Type", "type", ""),
    ("Format", "format", ""),
    ("Description", "description", ""),
    ("Priority", "priority", 0),
    ("JSONPath", "jsonPath", ""),
)
_SCALE_FIELDS = (
    ("SpecReplicasPath", "specReplicasPath", ""),
    ("StatusReplicasPath", "statusReplicasPath", ""),
    ("LabelSelectorPath", "labelSelectorPath", None),
)
_DOCS_FIELDS = (("Description", "description", ""), ("URL", "url", ""))


class InternalSpec:
    """`spec` with what all versions share taken out of them."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        given = spec.get("versions")
        self.versions: list[JsonObject] | None = None if given is None else [dict(each) for each in given]
        self.version: str = self.versions[0].get("name", "") if self.versions else ""
        self.shared: dict[str, Any] = {}
        for name in _HOISTED:
            # An empty list is as good as none; an empty struct is not.
            values = [None if each.get(name) == [] else each.get(name) for each in self.versions or ()]
            if values and all(each == values[0] for each in values):
                self.shared[name] = values[0]
                for each in self.versions or ():
                    each.pop(name, None)

    def parts(self, name: str) -> list[tuple[str, Any]]:
        """Every value of a version's field with the path that complaints about it get."""
        if self.shared.get(name) is not None:
            return [(f"spec.{'validation' if name == 'schema' else name}", self.shared[name])]
        return [
            (f"spec.versions[{index}].{name}", each[name])
            for index, each in enumerate(self.versions or ())
            if each.get(name) is not None
        ]


def internal_versions(versions: list[JsonObject] | None) -> Any:
    """Versions as Go writes its own structs."""
    if versions is None:
        return None
    return [
        {
            "Name": each.get("name", ""),
            "Served": each.get("served", False),
            "Storage": each.get("storage", False),
            "Deprecated": each.get("deprecated", False),
            "DeprecationWarning": each.get("deprecationWarning"),
            "Schema": _validation(each.get("schema")),
            "Subresources": _subresources(each.get("subresources")),
            "AdditionalPrinterColumns": _structs(each.get("additionalPrinterColumns"), _COLUMN_FIELDS),
            "SelectableFields": _structs(each.get("selectableFields"), (("JSONPath", "jsonPath", ""),)),
        }
        for each in versions
    ]


def _validation(value: Any) -> Any:
    if value is None:
        return None
    schema = value.get("openAPIV3Schema")
    return {"OpenAPIV3Schema": None if schema is None else internal_schema(schema)}


def _subresources(value: Any) -> Any:
    if value is None:
        return None
    scale = value.get("scale")
    return {
        "Status": None if value.get("status") is None else {},
        "Scale": None if scale is None else _struct(scale, _SCALE_FIELDS),
    }


def _struct(value: Mapping[str, Any], fields: tuple[tuple[str, str, Any], ...]) -> JsonObject:
    return {go_name: value.get(name, zero) for go_name, name, zero in fields}


def _structs(values: Any, fields: tuple[tuple[str, str, Any], ...]) -> Any:
    return None if values is None else [_struct(each, fields) for each in values]


def internal_rule(raw: Mapping[str, Any]) -> JsonObject:
    """A ValidationRule as Go writes its own struct."""
    return _struct(raw, _RULE_FIELDS)


def internal_schema(raw: Mapping[str, Any]) -> JsonObject:
    """A JSONSchemaProps as Go writes its own struct."""
    shown: JsonObject = {}
    for go_name, name, zero in SCHEMA_FIELDS:
        value = raw.get(name, zero)
        if value is not None and name in _SHOWN:
            value = _SHOWN[name](value)
        shown[go_name] = value
    return shown


def _schema_or_bool(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"Allows": True, "Schema": internal_schema(value)}
    return {"Allows": bool(value), "Schema": None}


def _schema_or_array(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"Schema": internal_schema(value), "JSONSchemas": None}
    return {"Schema": None, "JSONSchemas": [internal_schema(each) for each in value]}


def _schema_or_names(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"Schema": internal_schema(value), "Property": None}
    return {"Schema": None, "Property": value}


def _by_name(value: Mapping[str, Any]) -> Any:
    return {name: internal_schema(value[name]) for name in sorted(value)}


_SHOWN: dict[str, Any] = {
    "items": _schema_or_array,
    "additionalProperties": _schema_or_bool,
    "additionalItems": _schema_or_bool,
    "not": internal_schema,
    "allOf": lambda value: [internal_schema(each) for each in value],
    "oneOf": lambda value: [internal_schema(each) for each in value],
    "anyOf": lambda value: [internal_schema(each) for each in value],
    "properties": _by_name,
    "patternProperties": _by_name,
    "definitions": _by_name,
    "dependencies": lambda value: {name: _schema_or_names(value[name]) for name in sorted(value)},
    "default": lambda value: in_go_order([value])[0],
    "example": lambda value: in_go_order([value])[0],
    "enum": in_go_order,
    "externalDocs": lambda value: _struct(value, _DOCS_FIELDS),
    "x-kubernetes-validations": lambda value: _structs(value, _RULE_FIELDS),
}
