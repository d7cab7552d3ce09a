"""What the API server itself writes into a definition: defaults, the first status, generation, warnings.

Sits in the road of a write, before validation. Objects are changed in place: they were decoded for it.

Source: apiextensions' v1 defaults and pkg/registry/customresourcedefinition.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.formats import is_known_format
from kajitori.apis.apiextensions_v1.schema_rules import any_schema

__all__ = ["default_crd", "prepare_create", "prepare_update", "warnings_on_create", "warnings_on_update"]

WEBHOOK_PORT = 443


def default_crd(crd: JsonObject) -> None:
    """Fills in the names that follow from the kind, and the conversion strategy."""
    spec = crd.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind") or ""
    if not names.get("singular") and kind:
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    conversion = spec.get("conversion")
    if conversion is None:
        spec["conversion"] = {"strategy": "None"}
    else:
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None and service.get("port") is None:
            service["port"] = WEBHOOK_PORT


def prepare_create(crd: JsonObject) -> None:
    """Puts the status of a definition that no controller has seen yet in place of whatever was sent."""
    crd.setdefault("metadata", {})["generation"] = 1
    crd["status"] = {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": None,
    }
    _remember_storage_version(crd)


def prepare_update(new: JsonObject, old: JsonObject) -> None:
    """Keeps the old status, adds a new storage version to it, and counts the generation."""
    new["status"] = {**(old.get("status") or {})}
    generation = (old.get("metadata") or {}).get("generation") or 0
    if new.get("spec") != old.get("spec"):
        generation += 1
    new.setdefault("metadata", {})["generation"] = generation
    _remember_storage_version(new)


def _remember_storage_version(crd: JsonObject) -> None:
    status = crd["status"]
    for version in (crd.get("spec") or {}).get("versions") or ():
        if version.get("storage"):
            stored = status.get("storedVersions") or []
            if version.get("name") not in stored:
                status["storedVersions"] = [*stored, version.get("name", "")]
            return


def warnings_on_create(crd: JsonObject) -> list[str]:
    """What to warn of: formats that nothing checks."""
    return [f'unrecognized format "{each}"' for each in _unknown_formats(crd)]


def warnings_on_update(new: JsonObject, old: JsonObject) -> list[str]:
    """What to warn of that the old definition did not have already."""
    known = set(_unknown_formats(old))
    return [f'unrecognized format "{each}"' for each in _unknown_formats(new) if each not in known]


def _unknown_formats(crd: JsonObject) -> list[str]:
    found: list[str] = []

    def collect(raw: Mapping[str, Any]) -> bool:
        name = raw.get("format") or ""
        kind = raw.get("type") or ""
        known = is_known_format(kind or "string", name)
        if name and not known:
            found.append(name)
        return False

    schemas: list[Any] = []
    for version in (crd.get("spec") or {}).get("versions") or ():
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema not in schemas:  # the same schema in all versions counts once
            schemas.append(schema)
    for schema in schemas:
        any_schema(schema, collect)
    return found
