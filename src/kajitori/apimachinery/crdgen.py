"""A CustomResourceDefinition out of Python classes.

    definition = crd_for(WidgetV1, WidgetV2, load=...)

Sits above `declare`, which says what the classes mean. Each class is one version of the kind; one of them is
stored. Nothing here runs in a server: it is for installing and for writing manifests to files.

Promises
    N1  the same classes give the same bytes: members are sorted by name, lists as declared
    N2  the definition passes the validation of an API server
    N3  the paths of columns, scale and selectable fields lead to members that the class has

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

import re
from typing import Any

import msgspec

from kajitori.apimachinery.crd_builtin import DefinitionLoader
from kajitori.apimachinery.crd_schemas import SchemaWriter
from kajitori.apimachinery.declare import Column, DeclarationError, KindDeclaration, declaration_of
from kajitori.apimachinery.kind import JsonObject

__all__ = ["DeclarationError", "DefinitionLoader", "crd_for", "crd_json", "crd_yaml", "schema_for"]


def crd_for(
    *kinds: type[msgspec.Struct], load: DefinitionLoader | None = None, conversion: JsonObject | None = None
) -> JsonObject:
    """The definition of a kind, of which each class is one version.

    `conversion` is `spec.conversion`, where no class says it (`versions.webhook_conversion`). `load` gives the raw
    OpenAPI schema of a built-in definition by name; only members of built-in types need it.

    Raises: DeclarationError when the classes do not fit together or a field cannot be described.
    """
    declared = [(declaration_of(each), each) for each in kinds]
    _check(declared)
    first = next((each for each, _ in declared if each.short_names or each.categories), declared[0][0])
    metadata: JsonObject = {"name": f"{first.plural}.{first.group}"}
    if first.labels:
        metadata["labels"] = dict(first.labels)
    if first.annotations:
        metadata["annotations"] = dict(first.annotations)
    spec: JsonObject = {
        "group": first.group,
        "names": _names(first),
        "scope": "Namespaced" if first.namespaced else "Cluster",
        "versions": [_version(declaration, struct, load) for declaration, struct in declared],
    }
    if conversion := next((each.conversion for each, _ in declared if each.conversion), conversion):
        spec["conversion"] = conversion
    definition = _sorted(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": spec,
        }
    )
    assert isinstance(definition, dict)
    return definition


def schema_for(struct: type[msgspec.Struct], *, load: DefinitionLoader | None = None) -> JsonObject:
    """`openAPIV3Schema` of one declared version.

    Raises: DeclarationError when a field cannot be described.
    """
    schema = _sorted(SchemaWriter(load).root(struct, declaration_of(struct).rules))
    assert isinstance(schema, dict)
    return schema


def crd_json(definition: JsonObject) -> bytes:
    """The definition as indented JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(definition), indent=2) + b"\n"


def crd_yaml(definition: JsonObject) -> str:
    """The definition as one YAML document."""
    import yaml  # only those who write manifests need it

    text: str = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=110)
    return "---\n" + text


def _check(declared: list[tuple[KindDeclaration, type[msgspec.Struct]]]) -> None:
    if not declared:
        raise DeclarationError("a definition needs at least one version")
    identities = {(each.group, each.kind, each.plural, each.namespaced) for each, _ in declared}
    if len(identities) > 1:
        raise DeclarationError(f"versions of one kind differ in group, names or scope: {sorted(identities)}")
    versions = [each.version for each, _ in declared]
    if len(set(versions)) < len(versions):
        raise DeclarationError(f"a version is declared twice: {', '.join(versions)}")
    unlike = {(each.singular, each.list_kind, each.short_names, each.categories) for each, _ in declared}
    unlike.discard(("", "", (), ()))
    if len(unlike) > 1:
        raise DeclarationError(
            f"versions of {declared[0][0].kind} differ in singular, list_kind, short_names or categories, which "
            "belong to all of them; say them once, in one class"
        )
    stored = [each.version for each, _ in declared if each.storage]
    if len(stored) != 1:
        told = ", ".join(stored) or "none"
        raise DeclarationError(
            f"exactly one version has storage=True; here it is {told} of {', '.join(versions)}"
        )


def _names(declared: KindDeclaration) -> JsonObject:
    names: JsonObject = {
        "kind": declared.kind,
        "listKind": declared.list_kind or f"{declared.kind}List",
        "plural": declared.plural,
        "singular": declared.singular or declared.kind.lower(),
    }
    if declared.short_names:
        names["shortNames"] = list(declared.short_names)
    if declared.categories:
        names["categories"] = list(declared.categories)
    return names


def _version(
    declared: KindDeclaration, struct: type[msgspec.Struct], load: DefinitionLoader | None
) -> JsonObject:
    schema = SchemaWriter(load).root(struct, declared.rules)
    _check_paths(declared, struct, schema)
    version: JsonObject = {
        "name": declared.version,
        "served": declared.served,
        "storage": declared.storage,
        "schema": {"openAPIV3Schema": schema},
    }
    if declared.deprecated or declared.deprecation_warning:
        version["deprecated"] = True
    if declared.deprecation_warning:
        version["deprecationWarning"] = declared.deprecation_warning
    subresources: JsonObject = {}
    if declared.status:
        subresources["status"] = {}
    if declared.scale is not None:
        subresources["scale"] = {
            "specReplicasPath": declared.scale.spec_replicas_path,
            "statusReplicasPath": declared.scale.status_replicas_path,
        }
        if declared.scale.label_selector_path:
            subresources["scale"]["labelSelectorPath"] = declared.scale.label_selector_path
    if subresources:
        version["subresources"] = subresources
    if declared.columns:
        version["additionalPrinterColumns"] = [_column(each) for each in declared.columns]
    if declared.selectable_fields:
        version["selectableFields"] = [{"jsonPath": each} for each in declared.selectable_fields]
    return version


_is_plain = re.compile(r"(\.[A-Za-z_$][A-Za-z0-9_$]*)+").match


def _check_paths(declared: KindDeclaration, struct: type, schema: JsonObject) -> None:
    scale = declared.scale
    paths = [(f"column {each.name}", each.json_path) for each in declared.columns if not each.may_be_absent]
    paths += [("selectable field", each) for each in declared.selectable_fields]
    if scale is not None:
        named = (scale.spec_replicas_path, scale.status_replicas_path, scale.label_selector_path)
        paths += [("scale", each) for each in named if each]
    for what, path in paths:
        begin = f"{struct.__qualname__}: {what}"
        found = _is_plain(path)
        if found is None:
            raise DeclarationError(f"{begin}: {path!r} is no path; write it like .spec.size")
        place: JsonObject = schema
        # As far as members go; what stands behind is an index, a filter or a key.
        for name in found[0][1:].split("."):
            members: JsonObject | None = place.get("properties")
            if members is None or name == "metadata":
                break
            if name not in members:
                if not place.get("x-kubernetes-preserve-unknown-fields"):
                    known = ", ".join(members)
                    raise DeclarationError(f"{begin}: {path}: there is no {name}; there is {known}")
                break
            place = members[name]


def _column(column: Column) -> JsonObject:
    shown: JsonObject = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    pairs = (("format", column.format), ("description", column.description), ("priority", column.priority))
    shown.update({name: value for name, value in pairs if value})
    return shown


def _sorted(value: Any) -> Any:
    """The value with the members of every object in the order of their names."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value
