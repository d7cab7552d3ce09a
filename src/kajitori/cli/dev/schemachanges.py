"""What is other in a definition than before, in words, and which of it may hurt objects that exist.

    + spec.color: string
    - spec.size: integer              gone from every object that is written from now on
    ~ spec.replicas: maximum 10 → 5   objects beyond it cannot be written until they fit

Promises
    N1  definitions that differ give at least one change; equal ones give none
    N2  what narrows a schema is said to hurt: fields that go, types that change, values no longer allowed, fields that
        become required

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["SchemaChange", "schema_changes"]

_PRUNED = "gone from every object that is written from now on"
_OUTSIDE = "objects outside of it cannot be changed until they fit"
_OTHER_TYPE = "objects that exist hold the other type"
_MISSING = "objects without it cannot be changed until they have it"

_TIGHTER_WHEN_LOWER = frozenset({"maximum", "maxLength", "maxItems", "maxProperties"})
_TIGHTER_WHEN_HIGHER = frozenset({"minimum", "minLength", "minItems", "minProperties", "multipleOf"})
_TIGHTER_WHEN_OTHER = frozenset({"pattern", "format"})
_TEXTS = frozenset({"description", "title", "example", "externalDocs"})
_PARTS = frozenset({"properties", "items", "additionalProperties", "required", "type"})


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One."""

    sign: str
    """`+`, `-` or `~`."""
    path: str
    what: str
    hurts: str = ""
    """What that means to objects that exist; empty: nothing."""

    def __str__(self) -> str:
        text = f"{self.sign} {self.path}: {self.what}"
        return f"{text}   ({self.hurts})" if self.hurts else text


def schema_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SchemaChange]:
    """From one `spec` of a CustomResourceDefinition to another."""
    before, after = _versions(old), _versions(new)
    found: list[SchemaChange] = []
    for name in [*before, *(each for each in after if each not in before)]:
        mark = f"{name} " if len(before) + len(after) > 2 else ""
        if name not in after:
            found.append(SchemaChange("-", f"version {name}", "no longer declared"))
        elif name not in before:
            found.append(SchemaChange("+", f"version {name}", "new"))
        else:
            found += _of_version(mark, before[name], after[name])
    rest = [{name: each for name, each in spec.items() if name != "versions"} for spec in (old, new)]
    found += _members("", *rest)
    return found


def _versions(spec: Mapping[str, Any]) -> dict[str, JsonObject]:
    return {each["name"]: each for each in spec.get("versions") or ()}


def _of_version(mark: str, old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    schemas = [((each.get("schema") or {}).get("openAPIV3Schema") or {}) for each in (old, new)]
    changes = list(_schema(mark, "", *schemas))
    yield from changes
    if not changes and schemas[0] != schemas[1]:
        yield SchemaChange("~", f"{mark}descriptions", "other words")
    rest = [{name: value for name, value in each.items() if name != "schema"} for each in (old, new)]
    yield from _members(mark, *rest)


def _schema(mark: str, path: str, old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    here = f"{mark}{path or 'the object'}"
    if _type(old) != _type(new):
        yield SchemaChange("~", here, f"{_type(old)} → {_type(new)}", _OTHER_TYPE)
        return
    yield from _properties(mark, path, old, new)
    for name, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        parts = [each[name] if isinstance(each.get(name), dict) else {} for each in (old, new)]
        if any(parts):
            yield from _schema(mark, f"{path}{suffix}", *parts)
    for name in sorted((old.keys() | new.keys()) - _PARTS - _TEXTS):
        was, becomes = old.get(name), new.get(name)
        if was != becomes:
            yield SchemaChange("~", here, _turned(name, was, becomes), _hurt(name, was, becomes))


def _properties(mark: str, path: str, old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    before, after = old.get("properties") or {}, new.get("properties") or {}
    required = set(new.get("required") or ()) - set(old.get("required") or ())
    for name in sorted(before.keys() | after.keys()):
        inner = f"{path}.{name}" if path else name
        if name not in after:
            yield SchemaChange("-", f"{mark}{inner}", _type(before[name]), _PRUNED)
        elif name not in before:
            needed = name in required and "default" not in after[name]
            what = _type(after[name]) + (", required" if needed else "")
            yield SchemaChange("+", f"{mark}{inner}", what, _MISSING if needed else "")
        else:
            yield from _schema(mark, inner, before[name], after[name])
            if name in required:
                yield SchemaChange("~", f"{mark}{inner}", "required now", _MISSING)
            elif name in set(old.get("required") or ()) - set(new.get("required") or ()):
                yield SchemaChange("~", f"{mark}{inner}", "no longer required")


def _members(mark: str, old: JsonObject, new: JsonObject) -> Iterator[SchemaChange]:
    for name in sorted(old.keys() | new.keys()):
        was, becomes = old.get(name), new.get(name)
        if was != becomes:
            yield SchemaChange("~", f"{mark}{name}", _turned("", was, becomes))


def _type(schema: JsonObject) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    return str(schema.get("type") or "any")


def _turned(name: str, was: Any, becomes: Any) -> str:
    words = f"{name} " if name else ""
    if was is None:
        return f"{words}{_short(becomes)}, new"
    return f"{words}{_short(was)}, gone" if becomes is None else f"{words}{_short(was)} → {_short(becomes)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _hurt(name: str, was: Any, becomes: Any) -> str:
    if becomes is None:
        return ""
    tighter = (
        (name in _TIGHTER_WHEN_LOWER and (was is None or becomes < was))
        or (name in _TIGHTER_WHEN_HIGHER and (was is None or becomes > was))
        or name in _TIGHTER_WHEN_OTHER
        or (name == "enum" and (was is None or not set(map(str, was)) <= set(map(str, becomes))))
        or (name == "x-kubernetes-validations" and any(each not in (was or ()) for each in becomes))
    )
    return _OUTSIDE if tighter else ""
