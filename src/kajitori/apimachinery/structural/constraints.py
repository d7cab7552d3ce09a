"""One node of a schema, read when first needed: what a value must be, as validation can use it directly.

Sits between the raw JSONSchemaProps and the two readers of it: `predicate` (is this valid?, fast) and
`explain` (what exactly is wrong?). Keywords that Kubernetes ignores are not there.

Source: apiextensions.k8s.io/v1 JSONSchemaProps and its conversion to an OpenAPI schema.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.regex import PatternError, Regex, compile_regex
from kajitori.apimachinery.structural.formats import Check, format_check, is_known_format

__all__ = [
    "ABSENT",
    "INT64_MAX",
    "INT64_MIN",
    "Constraints",
    "in_go_order",
    "is_integral",
    "json_type",
    "same_json",
]

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1

SAFE_INTEGER_MAX = (1 << 53) - 1
"""Above it a float skips integers."""

GO_EXPONENT_FROM = 1e21
"""From here on Go writes numbers with an exponent."""

ABSENT: Any = object()
"""No old value to compare with."""


class Constraints:
    """What the value of one schema node must satisfy."""

    __slots__ = (
        "_additional",
        "_items",
        "_members",
        "_raw",
        "additional_allowed",
        "all_of",
        "any_of",
        "check",
        "enum",
        "exclusive_maximum",
        "exclusive_minimum",
        "format",
        "list_map_keys",
        "list_type",
        "maximum",
        "maximum_items",
        "maximum_length",
        "maximum_properties",
        "minimum",
        "minimum_items",
        "minimum_length",
        "minimum_properties",
        "multiple_of",
        "negated",
        "nullable",
        "one_of",
        "pattern",
        "pattern_problem",
        "property_names",
        "required",
        "types",
        "unique_items",
    )

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        declared = raw.get("type") or ""
        self.types: tuple[str, ...] = (declared,) if declared else ()
        if raw.get("x-kubernetes-int-or-string"):
            self.types = ("integer", "string")
        self.nullable = bool(raw.get("nullable"))
        named = raw.get("format") or ""
        only = self.types[0] if len(self.types) == 1 else ""
        self.format: str = named if named and is_known_format(only, named) else ""
        self.check: Check | None = format_check(self.format) if self.format else None
        self.enum: list[Any] = list(raw.get("enum") or ())
        self._read_bounds(raw)
        self.pattern: Regex | None = None
        self.pattern_problem = ""
        if raw.get("pattern"):
            try:
                self.pattern = compile_regex(raw["pattern"])
            except PatternError as problem:
                self.pattern_problem = f"{raw['pattern']}, but pattern is invalid: {problem}"
        self._read_members(raw)
        self.all_of = [Constraints(each) for each in raw.get("allOf") or ()]
        self.any_of = [Constraints(each) for each in raw.get("anyOf") or ()]
        self.one_of = [Constraints(each) for each in raw.get("oneOf") or ()]
        self.negated = Constraints(raw["not"]) if isinstance(raw.get("not"), Mapping) else None

    def _read_bounds(self, raw: Mapping[str, Any]) -> None:
        self.minimum: int | float | None = raw.get("minimum")
        self.maximum: int | float | None = raw.get("maximum")
        self.exclusive_minimum = bool(raw.get("exclusiveMinimum"))
        self.exclusive_maximum = bool(raw.get("exclusiveMaximum"))
        self.multiple_of: int | float | None = raw.get("multipleOf")
        self.minimum_length: int | None = raw.get("minLength")
        self.maximum_length: int | None = raw.get("maxLength")
        self.minimum_items: int | None = raw.get("minItems")
        self.maximum_items: int | None = raw.get("maxItems")
        self.minimum_properties: int | None = raw.get("minProperties")
        self.maximum_properties: int | None = raw.get("maxProperties")
        self.unique_items = bool(raw.get("uniqueItems"))

    def _read_members(self, raw: Mapping[str, Any]) -> None:
        # A Pod spec has a thousand fields below it, of which an object uses ten: members are read on demand.
        self.property_names: tuple[str, ...] = tuple(sorted(raw.get("properties") or ()))
        self._members: dict[str, Constraints] = {}
        self._additional: Constraints | None = None
        self._items: Constraints | None = None
        self.required: tuple[str, ...] = tuple(raw.get("required") or ())
        self.additional_allowed = raw.get("additionalProperties") is not False
        self.list_type: str = raw.get("x-kubernetes-list-type") or ""
        self.list_map_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys") or ())

    def member(self, name: str) -> "Constraints":
        """What the value of a property must be."""
        found = self._members.get(name)
        if found is None:
            found = self._members[name] = Constraints(self._raw["properties"][name])
        return found

    def plain_members(self) -> dict[str, type]:
        """The properties for which any value of one Python type is valid, with that type."""
        properties: Mapping[str, Mapping[str, Any]] = self._raw.get("properties") or {}
        return {
            name: _PLAIN_TYPES[raw["type"]]
            for name, raw in properties.items()
            if raw.get("type") in _PLAIN_TYPES and not _RESTRICTIONS & raw.keys()
        }

    @property
    def additional(self) -> "Constraints | None":
        """What values without a property of their own must be; None when nothing is said."""
        raw = self._raw.get("additionalProperties")
        if self._additional is None and isinstance(raw, Mapping):
            self._additional = Constraints(raw)
        return self._additional

    @property
    def items(self) -> "Constraints | None":
        """What the items of a list must be; None when nothing is said."""
        raw = self._raw.get("items")
        if self._items is None and isinstance(raw, Mapping):
            self._items = Constraints(raw)
        return self._items


_PLAIN_TYPES = {"string": str, "boolean": bool}
_RESTRICTIONS = {
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "x-kubernetes-int-or-string",
}


def json_type(value: Any) -> str:
    """The JSON type of a value as Kubernetes' validation names it; integers beyond 64 bits are numbers."""
    kind = type(value)
    if kind is str:
        return "string"
    if kind is bool:
        return "boolean"
    if kind is int:
        return "integer" if INT64_MIN <= value <= INT64_MAX else "number"
    if kind is float:
        return "number"
    if kind is dict:
        return "object"
    if kind is list:
        return "array"
    return "null"


def is_integral(value: int | float) -> bool:
    """Whether a JSON number may stand for an integer: 1.0 may, 1.5 may not, nor what floats cannot count."""
    if isinstance(value, int):
        return True
    return value.is_integer() and abs(value) <= SAFE_INTEGER_MAX


def in_go_order(value: Any) -> Any:
    """The value as Go shows it in messages: members of objects sorted, whole numbers in it without a fraction."""
    if isinstance(value, dict):
        return {name: _member_in_go_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_member_in_go_order(each) for each in value]
    return value


def _member_in_go_order(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < GO_EXPONENT_FROM:
        return int(value)
    return in_go_order(value)


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; unlike `==`, true is not 1 and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            name in other and same_json(member, other[name]) for name, member in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)
