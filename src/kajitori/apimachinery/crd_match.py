"""Whether a class and the CustomResourceDefinition that a cluster has of its kind go together.

Sits under the runtime, which asks when it starts. Pure. A class may know less than the definition; what it knows must
be there, or what is written is dropped by the API server without a word.

Promises
    X1  an error keeps the kind from being watched or its status from being written: no definition, another scope or
        plural, a version that is not served, no status subresource
    X2  a warning loses or refuses something: members that would be dropped, of another type, or required and unknown
        to the class
    X3  each says what it is about, and what would be right; at most `MISMATCHES_MAX` are said
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import inspect

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import KindDeclaration, declaration_of
from kajitori.apimachinery.struct_decoder import choices_of

__all__ = ["MISMATCHES_MAX", "Mismatch", "mismatches"]

MISMATCHES_MAX = 10
"""Of one class: a definition that is far behind is told by a few as well."""

_TYPES: dict[type, tuple[str, ...]] = {
    inspect.BoolType: ("boolean",),
    inspect.IntType: ("integer", "number"),
    inspect.FloatType: ("number", "integer"),
    inspect.StrType: ("string",),
    inspect.BytesType: ("string",),
    inspect.StructType: ("object",),
    inspect.DictType: ("object",),
    inspect.ListType: ("array",),
    inspect.VarTupleType: ("array",),
    inspect.SetType: ("array",),
    inspect.FrozenSetType: ("array",),
}
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_META = ("apiVersion", "kind", "metadata")


class Mismatch(NamedTuple):
    """One thing in which a class and a definition differ."""

    level: Literal["error", "warning"]
    text: str


def mismatches(struct: type[msgspec.Struct], definition: Mapping[str, Any] | None) -> list[Mismatch]:
    """What is wrong; `definition` is what the cluster has, None when it has none.

    Raises: TypeError when the class is no kind.
    """
    declared = declaration_of(struct)
    name = f"{declared.plural}.{declared.group}"
    if definition is None:
        text = f"there is no CustomResourceDefinition {name}; install it (kajitori crds MODULE | kubectl apply -f -)"
        return [Mismatch("error", text)]
    found = list(_found(struct, declared, definition))
    if len(found) > MISMATCHES_MAX:
        more = f"and {len(found) - MISMATCHES_MAX} more; compare with kajitori crds MODULE"
        found = [*found[:MISMATCHES_MAX], Mismatch("warning", more)]
    return [Mismatch(each.level, f"CustomResourceDefinition {name}: {each.text}") for each in found]


def _found(struct: type, declared: KindDeclaration, definition: Mapping[str, Any]) -> Iterator[Mismatch]:
    spec: Mapping[str, Any] = definition["spec"]
    names = spec["names"]
    scope = "Namespaced" if declared.namespaced else "Cluster"
    if spec["scope"] != scope:
        yield Mismatch("error", f"its scope is {spec['scope']}, that of {struct.__name__} is {scope}")
    if names["kind"] != declared.kind:
        yield Mismatch("error", f"its kind is {names['kind']}, that of {struct.__name__} is {declared.kind}")
    versions = {each["name"]: each for each in spec["versions"]}
    version = versions.get(declared.version)
    if version is None or not version.get("served"):
        served = ", ".join(name for name, each in versions.items() if each.get("served")) or "none"
        yield Mismatch(
            "error", f"version {declared.version} of {struct.__name__} is not served; served: {served}"
        )
        return
    subresources = version.get("subresources") or {}
    if declared.status and "status" not in subresources:
        text = f"version {declared.version} has no status subresource, which {struct.__name__} declares"
        yield Mismatch("error", f"{text}: status is written with everything else, and not at /status")
    elif "status" in subresources and not declared.status and _has_member(struct, "status"):
        text = (
            f"version {declared.version} has a status subresource, which {struct.__name__} does not declare"
        )
        yield Mismatch("warning", f"{text}: status is written at /status only")
    if declared.scale is not None and "scale" not in subresources:
        yield Mismatch(
            "warning",
            f"version {declared.version} has no scale subresource, which {struct.__name__} declares",
        )
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    info = _type_info(struct)
    yield from _differences(schema, info, "", frozenset())


def _has_member(struct: type, name: str) -> bool:
    return any(each.encode_name == name for each in msgspec.structs.fields(struct))


@lru_cache(maxsize=64)
def _type_info(struct: type) -> inspect.Type:
    return inspect.type_info(struct)


def _differences(
    schema: Mapping[str, Any], info: inspect.Type, path: str, above: frozenset[type]
) -> Iterator[Mismatch]:
    choices = [each for each in choices_of(info) if not isinstance(each, inspect.NoneType)]
    expected = {name for each in choices for name in _TYPES.get(type(each), ())}
    given = schema.get("type")
    if given and expected and given not in expected:
        wanted = " or ".join(sorted(expected))
        yield Mismatch(
            "warning", f"{path} is of type {given}, and read as {wanted}: objects that have it cannot be read"
        )
        return
    for choice in choices:
        if isinstance(choice, inspect.StructType) and len(choices) == 1:
            yield from _members(schema, choice, path, above)
        elif isinstance(choice, inspect.DictType) and isinstance(schema.get("additionalProperties"), dict):
            yield from _differences(schema["additionalProperties"], choice.value_type, f"{path}.*", above)
        elif isinstance(choice, _LISTS) and isinstance(schema.get("items"), dict):
            yield from _differences(schema["items"], choice.item_type, f"{path}[*]", above)


def _members(
    schema: Mapping[str, Any], info: inspect.StructType, path: str, above: frozenset[type]
) -> Iterator[Mismatch]:
    if info.cls in above or issubclass(info.cls, BuiltIn):
        return  # Types of Kubernetes come in versions of their own.
    properties: Mapping[str, Any] = schema.get("properties") or {}
    known = {field.encode_name: field.type for field in info.fields}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties")
    for name, member in known.items():
        if not path and name in _META:
            continue
        where = f"{path}.{name}".lstrip(".")
        if name in properties:
            yield from _differences(properties[name], member, where, above | {info.cls})
        elif not is_open:
            yield Mismatch(
                "warning", f"{where} of {info.cls.__name__} is not known: what is written there is dropped"
            )
    for name in schema.get("required") or ():
        if name not in known and name != info.tag_field and name not in _META:
            where = f"{path}.{name}".lstrip(".")
            yield Mismatch(
                "warning",
                f"{where} is required, and {info.cls.__name__} has no such member: nothing can be created",
            )
