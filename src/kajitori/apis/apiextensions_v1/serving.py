"""What the API server serves for a definition: one description per version.

Sits between the stored definition and the registry of resources. Only an established definition serves anything,
under the names that it was given, not those it asked for.

Promises
    R1  schemas are compiled when first used, one `StructuralSchema` per version
    R2  versions come in the order in which clients prefer them: v2, v1, v1beta2, v1beta1, v1alpha1, others

Source: apiextensions' customresource_handler.go and customresource_discovery_controller.go.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.patch.go_text import go_name, go_text
from kajitori.apimachinery.schema import Definitions, Schema, parse_schema
from kajitori.apimachinery.structural import StructuralSchema, has_rules
from kajitori.apis.apiextensions_v1.naming import condition_is_true
from kajitori.apis.apiextensions_v1.published import published_schema

__all__ = [
    "AccessError",
    "PrinterColumn",
    "ScalePaths",
    "ServedVersion",
    "nested",
    "preferred_order",
    "served_resources",
    "storage_version",
    "validate_scale",
    "value_at",
]

REPLICAS_MAX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """A column of the table that `kubectl get` shows."""

    name: str
    type: str
    json_path: str
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the `scale` subresource finds its numbers."""

    spec_replicas: str
    status_replicas: str
    label_selector: str = ""


@dataclass(frozen=True)
class ServedVersion:
    """One version of a custom resource, as it is mounted."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    list_kind: str
    namespaced: bool
    served: bool
    """False: the version is only there for what is stored in it."""
    storage: bool
    """Whether new objects are stored in this version."""
    storage_version: str
    load: Callable[[], Mapping[str, Any]] = field(repr=False, compare=False)
    """Reads `openAPIV3Schema`, which is not kept: most kinds of a cluster are never asked for."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    scale: ScalePaths | None = None
    columns: tuple[PrinterColumn, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    """Field names for selectors, such as `spec.color`."""
    deprecation_warning: str = ""
    """What to warn of on every request; empty when the version is not deprecated."""
    conversion: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`spec.conversion` of the definition."""
    terminating: bool = False
    """The definition is being deleted: no new objects."""

    @cached_property
    def raw_schema(self) -> Mapping[str, Any]:
        """The schema, kept from now on."""
        return self.load()

    @cached_property
    def structural(self) -> StructuralSchema:
        if not has_rules(self.raw_schema):
            return StructuralSchema(self.raw_schema)
        # Most definitions have no rules, and a server without any needs nothing of CEL.
        from kajitori.apimachinery.rules import SchemaRules

        return StructuralSchema(self.raw_schema, rules=SchemaRules(self.raw_schema))

    def as_kind(self) -> Kind:
        return Kind(self.group, self.version, self.kind, self.plural, self.namespaced)

    def shape(self, definitions: Definitions) -> Schema:
        """The tree that patches and field ownership work on, with the metadata of built-in kinds."""
        return parse_schema(published_schema(self.raw_schema), definitions)


def served_resources(
    crd: JsonObject, schema_of: Callable[[str], Mapping[str, Any]] | None = None
) -> list[ServedVersion]:
    """The versions of a definition in order of preference; empty until it is established.

    `schema_of` reads the schema of a version, where the definition comes without schemas.
    """
    if not condition_is_true(crd, "Established"):
        return []
    spec, status = crd.get("spec") or {}, crd.get("status") or {}
    names: JsonObject = status.get("acceptedNames") or {}
    versions = sorted(spec.get("versions") or (), key=lambda each: preferred_order(each["name"]))
    return [
        _served_version(
            crd,
            names,
            version,
            partial(_schema_in, version) if schema_of is None else partial(schema_of, version["name"]),
        )
        for version in versions
    ]


def _schema_in(version: JsonObject) -> Mapping[str, Any]:
    return (version.get("schema") or {}).get("openAPIV3Schema") or {}


def _served_version(
    crd: JsonObject, names: JsonObject, version: JsonObject, load: Callable[[], Mapping[str, Any]]
) -> ServedVersion:
    spec: JsonObject = crd["spec"]
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale")
    kind = names.get("kind") or ""
    return ServedVersion(
        group=spec["group"],
        version=version["name"],
        plural=names.get("plural") or "",
        singular=names.get("singular") or "",
        kind=kind,
        list_kind=names.get("listKind") or f"{kind}List",
        namespaced=spec.get("scope") == "Namespaced",
        served=bool(version.get("served")),
        storage=bool(version.get("storage")),
        storage_version=storage_version(crd),
        load=load,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        has_status=subresources.get("status") is not None,
        scale=None if scale is None else _scale_paths(scale),
        columns=tuple(_column(each) for each in version.get("additionalPrinterColumns") or ()),
        selectable_fields=tuple(
            each["jsonPath"].removeprefix(".") for each in version.get("selectableFields") or ()
        ),
        deprecation_warning=_deprecation_warning(spec, version),
        conversion=spec.get("conversion") or {},
        terminating=condition_is_true(crd, "Terminating"),
    )


def _scale_paths(scale: JsonObject) -> ScalePaths:
    return ScalePaths(
        scale.get("specReplicasPath") or "",
        scale.get("statusReplicasPath") or "",
        scale.get("labelSelectorPath") or "",
    )


def _column(column: JsonObject) -> PrinterColumn:
    return PrinterColumn(
        column.get("name") or "",
        column.get("type") or "",
        column.get("jsonPath") or "",
        column.get("format") or "",
        column.get("description") or "",
        column.get("priority") or 0,
    )


def storage_version(crd: JsonObject) -> str:
    """The version that objects are stored in; empty when the definition names none."""
    for version in (crd.get("spec") or {}).get("versions") or ():
        if version.get("storage"):
            name: str = version.get("name") or ""
            return name
    return ""


_KUBE_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?", re.ASCII)
_STABILITY = {"": 0, "beta": 1, "alpha": 2}


def preferred_order(version: str) -> tuple[int, int, int, str]:
    """A sort key that puts the version a client should prefer first."""
    found = _KUBE_VERSION.fullmatch(version)
    if found is None:
        return 3, 0, 0, version
    major, stability, minor = found.groups()
    return _STABILITY[stability or ""], -int(major), -int(minor or 0), version


def _deprecation_warning(spec: JsonObject, version: JsonObject) -> str:
    if not version.get("deprecated"):
        return ""
    own: str | None = version.get("deprecationWarning")
    if own is not None:
        return own
    group, kind = spec["group"], (spec.get("names") or {}).get("kind") or ""
    here = preferred_order(version["name"])
    better = sorted(
        (preferred_order(each["name"]), each["name"])
        for each in spec.get("versions") or ()
        if each.get("served") and not each.get("deprecated") and preferred_order(each["name"]) < here
    )
    use = f"; use {group}/{better[0][1]} {kind}" if better else ""
    return f"{group}/{version['name']} {kind} is deprecated{use}"


def value_at(value: Any, json_path: str) -> Any:
    """What a simple path such as `.spec.replicas` leads to; None when there is nothing."""
    try:
        return nested(value, json_path)
    except AccessError:
        return None


class AccessError(ValueError):
    """A path that leads through something other than an object, or to a value of another type; Go's words."""


def nested(value: Any, json_path: str, kind: str = "") -> Any:
    """What a simple path leads to; None when there is nothing. `kind` is Go's name of the type it must have.

    Raises: AccessError.
    """
    names = json_path.removeprefix(".").split(".")
    for at, name in enumerate(names):
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise _wrong_type(names[: at + 1], value, "map[string]interface{}")
        if name not in value:
            return None
        value = value[name]
    if kind and (go_name(value) != kind):
        raise _wrong_type(names, value, kind)
    return value


def _wrong_type(names: Sequence[str], value: Any, expected: str) -> AccessError:
    path = f".{'.'.join(names)}"
    told = f"{go_text(value)} is of the type {go_name(value)}, expected {expected}"
    return AccessError(f"{path} accessor error: {told}")


def validate_scale(value: JsonObject, scale: ScalePaths) -> list[FieldError]:
    """What is wrong with the numbers of replicas of an object that can be scaled."""
    errors: list[FieldError] = []
    for path in (scale.spec_replicas, scale.status_replicas):
        try:
            found = nested(value, path, "int64") or 0
        except AccessError as problem:
            errors.append(FieldError.invalid(path, 0, str(problem)))
            continue
        if found < 0:
            errors.append(FieldError.invalid(path, found, "should be a non-negative integer"))
        elif found > REPLICAS_MAX:
            errors.append(FieldError.invalid(path, found, f"should be less than or equal to {REPLICAS_MAX}"))
    try:
        nested(value, scale.label_selector, "string" if scale.label_selector else "")
    except AccessError as problem:
        errors.append(FieldError.invalid(scale.label_selector, "", str(problem)))
    return errors
