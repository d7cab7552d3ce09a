"""What is wrong with a CustomResourceDefinition, or with a change of one.

Sits in the road of a write, after defaulting and after the strategy has prepared the status. Complaints name
fields as the internal type has them (see `internal`).

Promises
    V1  messages, paths, reasons are those of kube-apiserver, for creation, update and status update
    V2  an update demands nothing new of what the old definition already got away with
    V3  scope and kind are fixed once established; group and plural always were, by the object's name

Source: apiextensions' pkg/apis/apiextensions/validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural import has_rules
from kajitori.apimachinery.validation import (
    is_dns1035_label,
    is_dns1123_subdomain,
    name_is_dns_subdomain,
    validate_immutable_field,
    validate_object_meta,
    validate_object_meta_update,
)
from kajitori.apis.apiextensions_v1.approval import approval_state, is_protected_group
from kajitori.apis.apiextensions_v1.default_rules import default_errors, has_unpruned_defaults
from kajitori.apis.apiextensions_v1.internal import (
    SCHEMA_FIELDS,
    InternalSpec,
    internal_schema,
    internal_versions,
)
from kajitori.apis.apiextensions_v1.parts import (
    column_errors,
    conversion_errors,
    deprecation_errors,
    enumeration_errors,
    is_ca_bundle_valid,
    is_recognized_review,
    name_errors,
    selectable_field_errors,
    subresource_errors,
)
from kajitori.apis.apiextensions_v1.schema_rules import (
    NESTING_MAX,
    SchemaDemands,
    any_schema,
    is_non_atomic_set,
    is_too_deep,
    map_key_errors,
    schema_errors,
    unknown_types,
)
from kajitori.apis.apiextensions_v1.structure import structural_errors, unsupported_keyword

__all__ = ["validate_crd", "validate_crd_status_update", "validate_crd_update"]

_ALLOWED_AT_ROOT = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example "
    "XPreserveUnknownFields XValidations"
)


@dataclass(frozen=True)
class _Demands:
    """What is demanded; an update demands no more than the old definition kept."""

    schema: bool = True
    structural: bool = True
    pruned_defaults: bool = True
    recognized_review: bool = True
    allows_invalid_ca: bool = True
    keywords: SchemaDemands = field(default_factory=SchemaDemands)
    old_spec: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The spec of the old definition: its rules are known, and may go on being what they are."""


def validate_crd(crd: JsonObject) -> list[FieldError]:
    """What is wrong with a definition to be created."""
    spec, status = crd.get("spec") or {}, crd.get("status") or {}

    def name_is_right(name: str, prefix: bool) -> list[str]:
        told = name_is_dns_subdomain(name, prefix)
        names = spec.get("names") or {}
        if name != f"{names.get('plural') or ''}.{spec.get('group') or ''}":
            told.append('must be spec.names.plural+"."+spec.group')
        return told

    errors = validate_object_meta(crd.get("metadata") or {}, False, name=name_is_right)
    errors += _spec_errors(spec, _Demands())
    errors += name_errors(status.get("acceptedNames") or {}, "status.acceptedNames")
    errors += _stored_version_errors(status.get("storedVersions"), spec.get("versions") or [])
    errors += _approval_errors(crd, None)
    return errors + _preserve_errors(spec, {})


def validate_crd_update(new: JsonObject, old: JsonObject) -> list[FieldError]:
    """What is wrong with a change of a definition."""
    spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
    status = new.get("status") or {}
    errors = validate_object_meta_update(new.get("metadata") or {}, old.get("metadata") or {})
    errors += _spec_errors(spec, _demands_of(old))
    names, old_names = spec.get("names") or {}, old_spec.get("names") or {}
    if _is_established(old):
        errors += _immutable(spec.get("scope"), old_spec.get("scope"), "spec.scope")
        errors += _immutable(names.get("kind"), old_names.get("kind"), "spec.names.kind")
    errors += _immutable(spec.get("group"), old_spec.get("group"), "spec.group")
    errors += _immutable(names.get("plural"), old_names.get("plural"), "spec.names.plural")
    errors += name_errors(status.get("acceptedNames") or {}, "status.acceptedNames")
    errors += _stored_version_errors(status.get("storedVersions"), spec.get("versions") or [])
    errors += _approval_errors(new, old)
    return errors + _preserve_errors(spec, old_spec)


def validate_crd_status_update(new: JsonObject, old: JsonObject) -> list[FieldError]:
    """What is wrong with a change through the status subresource."""
    errors = validate_object_meta_update(new.get("metadata") or {}, old.get("metadata") or {})
    return errors + name_errors((new.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames")


def _immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    return validate_immutable_field(new or "", old or "", path)


def _is_established(crd: JsonObject) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)


def _schemas(spec: Mapping[str, Any]) -> list[JsonObject]:
    found = [(each.get("schema") or {}).get("openAPIV3Schema") for each in spec.get("versions") or ()]
    return [each for each in found if each is not None]


def _demands_of(old: JsonObject) -> _Demands:
    spec = old.get("spec") or {}
    schemas = _schemas(spec)
    conversion = spec.get("conversion") or {}
    webhook = conversion.get("webhook") or {}
    reviews = webhook.get("conversionReviewVersions") or ()
    bundle = (webhook.get("clientConfig") or {}).get("caBundle") or ""
    return _Demands(
        schema=len(schemas) == len(spec.get("versions") or ()),
        structural=not any(unsupported_keyword(each) or structural_errors(each, "") for each in schemas),
        pruned_defaults=not any(map(has_unpruned_defaults, schemas)),
        recognized_review=not reviews or is_recognized_review(reviews),
        allows_invalid_ca=not _is_established(old) or bool(bundle and not is_ca_bundle_valid(bundle)),
        keywords=SchemaDemands(
            known_types=not any(map(unknown_types, schemas)),
            atomic_sets=not any(any_schema(each, is_non_atomic_set) for each in schemas),
            sound_map_keys=not any(
                any_schema(each, lambda inner: bool(map_key_errors(inner, ""))) for each in schemas
            ),
        ),
        old_spec=spec,
    )


def _spec_errors(spec: Mapping[str, Any], demands: _Demands) -> list[FieldError]:
    errors = _group_errors(spec.get("group") or "")
    errors += enumeration_errors("spec.scope", spec.get("scope") or "", ("Cluster", "Namespaced"))
    preserves = bool(spec.get("preserveUnknownFields"))
    internal = InternalSpec(spec)
    errors += _missing_schema_errors(internal, demands, preserves)
    has_defaults = any(
        any_schema(each, lambda inner: inner.get("default") is not None) for each in _schemas(spec)
    )
    if has_defaults and preserves:
        detail = "must be false in order to use defaults in the schema"
        errors.append(FieldError.invalid("spec.preserveUnknownFields", True, detail))
    requires_structure = demands.structural or not preserves or has_defaults
    errors += _version_errors(internal)
    for path, validation in internal.parts("schema"):
        schema = validation.get("openAPIV3Schema")
        if schema is not None:
            has_status = _has_status(spec, path)
            standing = _standing_schema(internal, demands.old_spec, path)
            place = _SchemaPlace(path, has_status, requires_structure, is_unchanged=schema == standing)
            errors += _schema_errors(schema, place, demands)
    for path, subresources in internal.parts("subresources"):
        errors += subresource_errors(subresources, path)
    for path, columns in internal.parts("additionalPrinterColumns"):
        for index, column in enumerate(columns):
            errors += column_errors(column, f"{path}[{index}]")
    errors += _selectable_errors(internal)
    errors += _required_name_errors(spec.get("names") or {})
    errors += name_errors(spec.get("names") or {}, "spec.names")
    conversion = spec.get("conversion")
    if conversion is not None:
        if preserves and conversion.get("strategy") != "None":
            detail = "must be None if spec.preserveUnknownFields is true"
            errors.append(FieldError.invalid("spec.conversion.strategy", conversion.get("strategy"), detail))
        errors += conversion_errors(
            conversion,
            "spec.conversion",
            requires_recognized=demands.recognized_review,
            allows_invalid_ca=demands.allows_invalid_ca,
        )
    return errors


def _group_errors(group: str) -> list[FieldError]:
    if not group:
        return [FieldError.required("spec.group")]
    told = is_dns1123_subdomain(group)
    if told:
        return [FieldError.invalid("spec.group", group, ",".join(told))]
    if "." not in group:
        return [FieldError.invalid("spec.group", group, "should be a domain with at least one dot")]
    return []


def _missing_schema_errors(internal: InternalSpec, demands: _Demands, preserves: bool) -> list[FieldError]:
    if (internal.shared.get("schema") or {}).get("openAPIV3Schema") is not None:
        return []
    errors: list[FieldError] = []
    for index, version in enumerate(internal.versions or ()):
        if (version.get("schema") or {}).get("openAPIV3Schema") is not None:
            continue
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        if demands.schema:
            errors.append(FieldError.required(path))
        elif not preserves and version.get("served"):
            errors.append(FieldError.required(path, "because otherwise all fields are pruned"))
    return errors


def _version_errors(internal: InternalSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    versions = internal.versions or []
    for index, version in enumerate(versions):
        name, path = version.get("name") or "", f"spec.versions[{index}]"
        told = is_dns1035_label(name)
        if told:
            errors.append(FieldError.invalid(f"{path}.name", name, ",".join(told)))
        errors += deprecation_errors(version, path)
    names = [each.get("name") for each in versions]
    if len(set(names)) < len(names):
        shown = internal_versions(internal.versions)
        errors.append(FieldError.invalid("spec.versions", shown, "must contain unique version names"))
    if sum(bool(each.get("storage")) for each in versions) != 1:
        shown = internal_versions(internal.versions)
        detail = "must have exactly one version marked as storage version"
        errors.append(FieldError.invalid("spec.versions", shown, detail))
    if internal.version and (told := is_dns1035_label(internal.version)):
        errors.append(FieldError.invalid("spec.version", internal.version, ",".join(told)))
    return errors


def _has_status(spec: Mapping[str, Any], path: str) -> bool:
    """Whether the schema at `path` is also used, in part, for a status subresource."""
    flags = [
        (each.get("subresources") or {}).get("status") is not None for each in spec.get("versions") or ()
    ]
    if path == "spec.validation":
        return any(flags)
    return flags[int(path.partition("[")[2].partition("]")[0])]


@dataclass(frozen=True)
class _SchemaPlace:
    """Where a schema stands in a definition, and what that means for it."""

    path: str
    has_status: bool
    requires_structure: bool
    is_unchanged: bool
    """Whether the version had the very same schema in the old definition."""


def _standing_schema(internal: InternalSpec, old_spec: Mapping[str, Any], path: str) -> Any:
    """What the old definition had for the version whose schema stands at `path`; a shared one is the first's."""
    index = path.partition("[")[2].partition("]")[0]
    name = (internal.versions or [])[int(index)].get("name") if index else internal.version
    for each in old_spec.get("versions") or ():
        if each.get("name") == name:
            return (each.get("schema") or {}).get("openAPIV3Schema")
    return None


def _schema_errors(schema: JsonObject, place: _SchemaPlace, demands: _Demands) -> list[FieldError]:
    path = f"{place.path}.openAPIV3Schema"
    if is_too_deep(schema):
        detail = f"must not be nested more than {NESTING_MAX} levels deep"
        return [FieldError.invalid(path, "", detail)]
    errors = _status_root_errors(schema, path) if place.has_status else []
    if schema.get("nullable"):
        errors.append(FieldError.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    unsupported, is_structural = "", False
    if place.requires_structure:
        unsupported = unsupported_keyword(schema)
        if not unsupported:
            found = structural_errors(schema, path)
            found = found or default_errors(schema, path, requires_pruned=demands.pruned_defaults)
            errors += found
            is_structural = not found
    bad = schema_errors(schema, path, demands.keywords)
    errors += bad
    if unsupported and not errors:
        errors.append(FieldError.invalid(path, "", unsupported))
    if is_structural and has_rules(schema):
        # Most definitions have no rules, and a server without any needs nothing of CEL.
        from kajitori.apis.apiextensions_v1.rule_errors import known_rules, rule_errors

        known = known_rules(_schemas(demands.old_spec))
        errors += rule_errors(schema, path, bad, known=known, is_unchanged=place.is_unchanged)
    return errors


def _status_root_errors(schema: JsonObject, path: str) -> list[FieldError]:
    """With a status subresource, `properties.status` is used alone: what stands beside it would be lost."""
    for go_name, name, zero in SCHEMA_FIELDS:
        value = schema.get(name, zero)
        if value == zero:
            continue
        if name == "type":
            if value != "object":
                detail = (
                    'only "object" is allowed as the type at the root of the schema '
                    "if the status subresource is enabled"
                )
                return [FieldError.invalid(f"{path}.type", value, detail)]
        elif go_name not in _ALLOWED_AT_ROOT.split():
            detail = (
                f"only [{_ALLOWED_AT_ROOT}] fields are allowed at the root of the schema "
                "if the status subresource is enabled"
            )
            return [FieldError.invalid(path, internal_schema(schema), detail)]
    return []


def _selectable_errors(internal: InternalSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    for path, fields in internal.parts("selectableFields"):
        if not fields:
            continue
        index = path.partition("[")[2].partition("]")[0]
        own = (internal.versions or [])[int(index)] if index else internal.shared
        schema = ((own.get("schema") or internal.shared.get("schema")) or {}).get("openAPIV3Schema")
        if schema is None:
            told = "version.schema.openAPIV3Schema is not" if index else "validations.schema is"
            detail = f"selectableFields may only be set when {told} included"
            errors.append(FieldError.invalid(path, "", detail))
        else:
            errors += selectable_field_errors(fields, schema, path)
    return errors


def _required_name_errors(names: Mapping[str, Any]) -> list[FieldError]:
    wanted = ("plural", "singular", "kind", "listKind")
    return [FieldError.required(f"spec.names.{name}") for name in wanted if not names.get(name)]


def _stored_version_errors(stored: list[str] | None, versions: list[JsonObject]) -> list[FieldError]:
    path = "status.storedVersions"
    if not stored:
        return [FieldError.invalid(path, stored, "must have at least one stored version")]
    errors: list[FieldError] = []
    names = {each.get("name") for each in versions}
    left = set(stored)
    for version in versions:
        known = version.get("name") in left
        left.discard(version.get("name", ""))  # Kubernetes looks for each only once
        if version.get("storage") and not known:
            detail = f"must have the storage version {version.get('name')}"
            errors.append(FieldError.invalid(path, stored, detail))
    for index, name in enumerate(stored):
        if name not in names:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                f"removes {name} from status.storedVersions"
            )
            errors.append(FieldError.invalid(f"{path}[{index}]", name, detail))
    return errors


def _approval_errors(new: JsonObject, old: JsonObject | None) -> list[FieldError]:
    if not is_protected_group((new.get("spec") or {}).get("group") or ""):
        return []
    state = approval_state(new)
    if old is not None and approval_state(old).name == state.name:
        return []
    path = "metadata.annotations[api-approved.kubernetes.io]"
    if state.name == "missing":
        return [FieldError.required(path, state.message)]
    if state.name == "invalid":
        return [FieldError.invalid(path, state.annotation, state.message)]
    return []


def _preserve_errors(spec: Mapping[str, Any], old_spec: Mapping[str, Any]) -> list[FieldError]:
    if old_spec.get("preserveUnknownFields") or not spec.get("preserveUnknownFields"):
        return []
    detail = (
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        "spec.versions[*].schema instead"
    )
    return [FieldError.invalid("spec.preserveUnknownFields", True, detail)]
