"""How a Python class says that it is a kind of Kubernetes, and what its annotations cannot say alone.

A kind is a frozen `msgspec.Struct`. `@kind(...)` names it; markers inside `Annotated[...]` add what a schema
knows and a Python type does not: `ListMap("name")`, `Nullable`, `Rule("self > 0")`. This module only records;
`crdgen.crd_for` turns the classes into a CustomResourceDefinition, and is imported by nobody who does not
need one.

    @kind(
        group="example.com",
        version="v1",
        plural="widgets",
        status=True,
        columns=(Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),),
    )
    class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
        spec: WidgetSpec
        status: WidgetStatus | None = None

Members whose wire names are `apiVersion`, `kind` and `metadata` may be declared with any type: in the schema
they are always what Kubernetes puts there.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Required, TypedDict, TypeVar, Unpack

import msgspec

from kajitori.apimachinery.kind import JsonObject, Kind

__all__ = [
    "AtLeastOneOf",
    "AtMostOneOf",
    "Atomic",
    "BuiltinSchema",
    "Column",
    "DeclarationError",
    "Default",
    "Duration",
    "EmbeddedResource",
    "ExactlyOneOf",
    "Float32",
    "Float64",
    "Format",
    "Int32",
    "Int64",
    "IntOrString",
    "KindDeclaration",
    "KindOptions",
    "ListMap",
    "ListSet",
    "MicroTime",
    "NoDefault",
    "Nullable",
    "Partial",
    "PreserveUnknown",
    "Quantity",
    "Rule",
    "Scale",
    "Time",
    "declaration_of",
    "kind",
    "kind_of",
    "markers_of",
    "schema_markers",
]

_DECLARATION = "__kubernetes_kind__"
_MARKERS = "__kubernetes_schema__"

StructClass = TypeVar("StructClass", bound=type[msgspec.Struct])


class DeclarationError(TypeError):
    """A class or a field that no definition can be made of; the text says which, why, and what would be right."""


# Markers for `Annotated[...]`. Those without arguments may be written with or without parentheses.


@dataclass(frozen=True, init=False)
class ListMap:
    """A list whose items are told apart by these members: `Annotated[list[Port], ListMap("name")]`."""

    keys: tuple[str, ...]

    def __init__(self, *keys: str) -> None:
        object.__setattr__(self, "keys", keys)


@dataclass(frozen=True)
class ListSet:
    """A list in which no value appears twice, merged as a set."""


@dataclass(frozen=True)
class Atomic:
    """A list, map or struct that is replaced as a whole and has one owner."""


@dataclass(frozen=True)
class Nullable:
    """The value may be `null`. `T | None` with a default alone only means that it may be missing."""


@dataclass(frozen=True)
class PreserveUnknown:
    """Members the schema does not name are kept."""


@dataclass(frozen=True)
class EmbeddedResource:
    """The value is a whole object with `apiVersion`, `kind` and `metadata`."""


@dataclass(frozen=True)
class NoDefault:
    """The Python default stays out of the schema: the API server does not fill it in."""


@dataclass(frozen=True)
class Default:
    """The API server fills this JSON value in when the member is missing, even where it is a zero."""

    value: Any


@dataclass(frozen=True)
class Format:
    """The `format` of a value: `int32`, `int64`, `date-time`, `ipv4`, `cidr`, …"""

    name: str


@dataclass(frozen=True)
class Rule:
    """A CEL rule (`x-kubernetes-validations`), on a member or, through `schema_markers`, on a class."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    optional_old_self: bool = False


@dataclass(frozen=True, init=False)
class _Members:
    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


class ExactlyOneOf(_Members):
    """Of these members of a class one is given: `@schema_markers(ExactlyOneOf("http", "exec"))`."""


class AtMostOneOf(_Members):
    """Of these members of a class none or one is given."""


class AtLeastOneOf(_Members):
    """Of these members of a class one or more are given."""


@dataclass(frozen=True)
class Partial:
    """A struct of a built-in kind of which nothing is required: a part, to be completed or applied."""


@dataclass(frozen=True)
class BuiltinSchema:
    """The value has the schema of a built-in definition, such as `io.k8s.api.core.v1.PodSpec`.

    `every_field_optional` is the apply form of it: nothing is required, nothing is defaulted, and lists are
    atomic, since without required keys they cannot be maps.
    """

    definition: str
    every_field_optional: bool = False


Int32 = Annotated[int, Format("int32")]
Int64 = Annotated[int, Format("int64")]
Float32 = Annotated[float, Format("float")]
Float64 = Annotated[float, Format("double")]
IntOrString = int | str
Quantity = Annotated[
    int | str,
    msgspec.Meta(
        # Said to the API server, which keeps it; what is read has been checked.
        extra_json_schema={
            "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
            r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
        }
    ),
]
"""An amount such as `500m` or `10Gi`; a bare number is one too."""
Time = Annotated[str, Format("date-time")]
"""A moment, RFC 3339 with whole seconds: `2026-01-02T15:04:05Z`."""
MicroTime = Annotated[str, Format("date-time")]
"""A moment with microseconds: `2026-01-02T15:04:05.000000Z`."""
Duration = Annotated[str, Format("duration")]
"""A length of time as Go writes it: `1h30m`, `250ms`."""


# The kind itself.


@dataclass(frozen=True)
class Column:
    """A column that `kubectl get` prints; one with a `priority` above 0 only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    may_be_absent: bool = False
    """The class need not have the member: for definitions that stay as others made them known."""


@dataclass(frozen=True)
class Scale:
    """The paths behind the `scale` subresource."""

    spec_replicas_path: str = ".spec.replicas"
    status_replicas_path: str = ".status.replicas"
    label_selector_path: str = ""


class KindOptions(TypedDict, total=False):
    """What `@kind` takes; the defaults are those of `KindDeclaration`."""

    group: Required[str]
    version: Required[str]
    plural: Required[str]
    kind: str
    singular: str
    list_kind: str
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    namespaced: bool
    storage: bool
    served: bool
    deprecated: bool
    deprecation_warning: str
    status: bool
    scale: Scale | None
    columns: tuple[Column, ...]
    selectable_fields: tuple[str, ...]
    rules: tuple[Rule, ...]
    conversion: JsonObject | None
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class KindDeclaration:
    """One version of a kind, as declared. Names left out follow from `kind` as Kubernetes derives them."""

    group: str
    """The API group: a DNS name of yours, such as `example.com`."""
    version: str
    """`v1`, `v1beta1`, `v1alpha1`."""
    plural: str
    """The name in paths and for kubectl: `widgets`."""
    kind: str = ""
    """What objects say they are; by default the name of the class."""
    singular: str = ""
    """By default the kind in lower case."""
    list_kind: str = ""
    """By default the kind with `List`."""
    short_names: tuple[str, ...] = ()
    """For kubectl: `("w",)`."""
    categories: tuple[str, ...] = ()
    """Words that kubectl takes for several kinds, such as `all`."""
    namespaced: bool = True
    """Whether objects belong to namespaces, or to the cluster."""
    storage: bool = True
    """Exactly one version of a kind is the one that is stored."""
    served: bool = True
    """False: the version is there only for what is stored in it."""
    deprecated: bool = False
    """Clients that use the version are warned."""
    deprecation_warning: str = ""
    """What they are told; a text of Kubernetes' when it is empty."""
    status: bool = False
    """The kind has the `status` subresource: status is written at `/status`, everything else elsewhere."""
    scale: Scale | None = None
    """The paths of the `scale` subresource, which `kubectl scale` and autoscalers use."""
    columns: tuple[Column, ...] = ()
    """What `kubectl get` prints beside the name; without any, the age."""
    selectable_fields: tuple[str, ...] = ()
    """JSON paths such as `.spec.color` that field selectors may name."""
    rules: tuple[Rule, ...] = ()
    """CEL rules about the whole object, with `self.metadata.name`."""
    conversion: JsonObject | None = None
    """`spec.conversion` of the definition; None: versions differ in their `apiVersion` only."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Of the CustomResourceDefinition object itself."""
    annotations: dict[str, str] = field(default_factory=dict[str, str])
    """Of the CustomResourceDefinition object itself."""


def kind(**options: Unpack[KindOptions]) -> Callable[[StructClass], StructClass]:
    """Declares the decorated struct to be one version of a kind.

    Raises: DeclarationError when that cannot be.
    """

    def declare(struct: StructClass) -> StructClass:
        where = f"{struct.__module__}.{struct.__qualname__}"
        unknown = sorted(options.keys() - KindOptions.__annotations__.keys())
        if unknown:
            known = ", ".join(sorted(KindOptions.__annotations__))
            raise DeclarationError(f"{where}: @kind does not know {', '.join(unknown)}; it knows {known}")
        missing = sorted(KindOptions.__required_keys__ - options.keys())
        if missing:
            raise DeclarationError(f"{where}: @kind needs {', '.join(missing)}")
        named: KindOptions = {**options, "kind": options.get("kind") or struct.__name__}
        declared = KindDeclaration(**named)
        _check(struct, declared, where)
        setattr(struct, _DECLARATION, declared)
        return struct

    return declare


_is_label = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?").fullmatch
_is_group = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+").fullmatch
_is_kind = re.compile("[A-Z][A-Za-z0-9]*").fullmatch


def _check(struct: type, declared: KindDeclaration, where: str) -> None:
    if not isinstance(struct, type(msgspec.Struct)):
        raise DeclarationError(
            f"{where}: a kind is a msgspec.Struct; write `class {struct.__name__}(msgspec.Struct)`"
        )
    config = struct.__struct_config__
    if not config.frozen:
        raise DeclarationError(
            f"{where}: instances are shared by all who read a cache, so nobody may change them; declare it frozen=True"
        )
    if config.forbid_unknown_fields:
        raise DeclarationError(
            f"{where}: forbid_unknown_fields would refuse apiVersion, and what other versions of the definition know; "
            "leave it out"
        )
    names = (
        ("group", declared.group, _is_group, "a DNS name with a dot in lower case, such as example.com"),
        ("version", declared.version, _is_label, "a word such as v1, v1beta2 or v1alpha1"),
        ("plural", declared.plural, _is_label, f"in lower case, such as {declared.kind.lower()}s"),
        ("kind", declared.kind, _is_kind, "CamelCase, such as Widget"),
    )
    for option, value, is_right, wanted in names:
        if not is_right(value):
            raise DeclarationError(f"{where}: {option} is {value!r}; write it {wanted}")


def schema_markers(*markers: Any) -> Callable[[StructClass], StructClass]:
    """Puts markers (`Rule`, `PreserveUnknown`, `Atomic`, …) on a struct, wherever it is used."""

    def mark(struct: StructClass) -> StructClass:
        setattr(struct, _MARKERS, markers)
        return struct

    return mark


def declaration_of(struct: type) -> KindDeclaration:
    """What `@kind` said about exactly this class.

    Raises: TypeError when the class (not merely a parent of it) was not declared.
    """
    found = getattr(struct, "__dict__", {}).get(_DECLARATION)
    if not isinstance(found, KindDeclaration):
        named = getattr(struct, "__qualname__", None)
        name = f"{struct.__module__}.{named}" if named else repr(struct)
        raise TypeError(f"{name} is not a kind; decorate it with @kind(...)")
    return found


def markers_of(struct: type) -> tuple[Any, ...]:
    """What `schema_markers` put on exactly this class."""
    found: tuple[Any, ...] = vars(struct).get(_MARKERS, ())
    return found


def kind_of(struct: type) -> Kind:
    """The name and paths of a declared kind.

    Raises: TypeError when the class was not declared.
    """
    declared = declaration_of(struct)
    return Kind(declared.group, declared.version, declared.kind, declared.plural, declared.namespaced)
