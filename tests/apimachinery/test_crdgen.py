"""Definitions out of classes."""

import datetime
import enum
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from kajitori.apimachinery.crdgen import DeclarationError, crd_for, crd_json, crd_yaml, schema_for
from kajitori.apimachinery.declare import (
    Atomic,
    BuiltinSchema,
    Column,
    Default,
    EmbeddedResource,
    Int32,
    IntOrString,
    ListMap,
    ListSet,
    NoDefault,
    Nullable,
    PreserveUnknown,
    Quantity,
    Rule,
    Scale,
    declaration_of,
    kind,
    kind_of,
    schema_markers,
)
from kajitori.apis.apiextensions_v1 import default_crd, prepare_create, validate_crd


class Level(enum.StrEnum):
    LOW = "low"
    HIGH = "high"


@schema_markers(Rule("self.name != 'x'"))
class Port(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A door."""

    name: str
    host_port: Int32 | None = None
    """Port of the host."""


class Tree(msgspec.Struct, frozen=True):
    children: Annotated[list["Tree"], PreserveUnknown] = []


class Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is wanted."""

    size: Annotated[Int32, msgspec.Meta(ge=1, lt=10)]
    """How large it is,
    in all."""
    ports: Annotated[list[Port], ListMap("name")] = []
    tags: Annotated[tuple[str, ...], ListSet] = ()
    whole: Annotated[dict[str, str], Atomic()] = {}
    level: Level = Level.HIGH
    mode: Literal["a", "b"] | None = None
    ratio: float = 0.5
    quiet: bool = False
    loud: bool = True
    zero: Annotated[int, Default(0)] = 0
    hidden: Annotated[str, NoDefault] = "x"
    maybe: Annotated[str | None, Nullable] = None
    either: str | msgspec.UnsetType | None = msgspec.UNSET
    target: IntOrString = 80
    memory: Quantity = "1Gi"
    when: datetime.datetime | None = None
    data: bytes = b""
    free: dict[str, Any] = {}
    open: Annotated[Port | None, PreserveUnknown] = None
    object: Annotated[dict[str, Any] | None, EmbeddedResource] = None
    anything: Any = None
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    tree: Tree | None = None
    words: Annotated[list[str], msgspec.Meta(max_length=3)] = []


class Status(msgspec.Struct, frozen=True):
    ready: int = 0


@kind(
    group="example.com",
    version="v1",
    plural="widgets",
    short_names=("w",),
    categories=("all",),
    status=True,
    scale=Scale(".spec.size", ".status.ready"),
    columns=(Column("Size", ".spec.size", "integer"),),
    selectable_fields=(".spec.mode",),
    rules=(Rule("self.spec.size > 0", "must be positive"),),
    annotations={"note": "x"},
)
class Widget(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thing."""

    spec: Spec
    metadata: dict[str, Any] = {}
    status: Status | None = None


def spec_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found: dict[str, Any] = schema["properties"]["spec"]
    return found


def test_a_definition_passes_the_api_server() -> None:  # N2
    definition = crd_for(Widget)
    default_crd(definition)
    prepare_create(definition)
    assert [str(each) for each in validate_crd(definition)] == []


def test_the_same_classes_give_the_same_bytes() -> None:  # N1
    assert crd_json(crd_for(Widget)) == crd_json(crd_for(Widget))
    assert crd_yaml(crd_for(Widget)).startswith("---\napiVersion: apiextensions.k8s.io/v1\nkind: Custom")


def test_the_declaration_is_told() -> None:
    definition = crd_for(Widget)
    assert definition["metadata"] == {"annotations": {"note": "x"}, "name": "widgets.example.com"}
    assert definition["spec"]["names"] == {
        "categories": ["all"],
        "kind": "Widget",
        "listKind": "WidgetList",
        "plural": "widgets",
        "shortNames": ["w"],
        "singular": "widget",
    }
    version = definition["spec"]["versions"][0]
    assert version["subresources"] == {
        "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.ready"},
        "status": {},
    }
    assert version["additionalPrinterColumns"] == [
        {"jsonPath": ".spec.size", "name": "Size", "type": "integer"}
    ]
    schema = version["schema"]["openAPIV3Schema"]
    assert schema["description"] == "A thing." and schema["required"] == ["spec"]
    assert schema["x-kubernetes-validations"] == [
        {"message": "must be positive", "rule": "self.spec.size > 0"}
    ]
    assert str(kind_of(Widget)) == "Widget.v1.example.com"


def test_members_are_described() -> None:  # H1 H2
    spec = spec_of(crd_for(Widget))
    assert spec["required"] == ["size"] and spec["description"] == "What is wanted."
    members = spec["properties"]
    expected = {
        "size": {
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": 10,
            "exclusiveMaximum": True,
            "description": "How large it is, in all.",
        },
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "whole": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "x-kubernetes-map-type": "atomic",
        },
        "level": {"type": "string", "enum": ["low", "high"], "default": "high"},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "ratio": {"type": "number", "default": 0.5},
        "quiet": {"type": "boolean"},
        "loud": {"type": "boolean", "default": True},
        "zero": {"type": "integer", "default": 0},
        "hidden": {"type": "string"},
        "maybe": {"type": "string", "nullable": True},
        "either": {"type": "string", "nullable": True},
        "target": {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "default": 80,
        },
        "when": {"type": "string", "format": "date-time"},
        "data": {"type": "string", "format": "byte"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "object": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
        "clusterIP": {"type": "string"},
        "words": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    }
    assert {name: members[name] for name in expected} == expected
    assert members["ports"]["x-kubernetes-list-map-keys"] == ["name"]
    port = members["ports"]["items"]
    assert port["description"] == "A door." and port["x-kubernetes-validations"] == [
        {"rule": "self.name != 'x'"}
    ]
    assert port["properties"]["hostPort"] == {
        "type": "integer",
        "format": "int32",
        "description": "Port of the host.",
    }
    assert members["open"]["x-kubernetes-preserve-unknown-fields"] is True
    assert members["memory"]["pattern"].startswith("^")


def test_what_contains_itself_is_cut_off() -> None:  # H3
    tree = spec_of(crd_for(Widget))["properties"]["tree"]
    assert tree["properties"]["children"]["items"] == {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }


DEFINITIONS: dict[str, dict[str, Any]] = {
    "io.k8s.Pod": {
        "type": "object",
        "required": ["ports", "name"],
        "properties": {
            "name": {"type": "string", "default": ""},
            "ports": {
                "type": "array",
                "items": {"allOf": [{"$ref": "#/components/schemas/io.k8s.Port"}], "default": {}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["port", "protocol"],
                "x-kubernetes-patch-merge-key": "port",
            },
            "cpu": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"},
            "self": {"$ref": "#/definitions/io.k8s.Pod"},
            "raw": {"type": "object"},
        },
    },
    "io.k8s.Port": {
        "type": "object",
        "required": ["port"],
        "properties": {
            "port": {"type": "integer", "default": 0},
            "protocol": {"type": "string", "default": "TCP"},
            "target": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
        },
    },
}


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    whole: Annotated[dict[str, Any], BuiltinSchema("io.k8s.Pod")]
    applied: Annotated[dict[str, Any], BuiltinSchema("io.k8s.Pod", every_field_optional=True)] | None = None


@kind(group="example.com", version="v1", plural="pods")
class Podlike(msgspec.Struct, frozen=True):
    spec: Holder


def test_built_in_definitions_are_written_out() -> None:  # B1 B2
    definition = crd_for(Podlike, load=DEFINITIONS.__getitem__)
    default_crd(definition)
    prepare_create(definition)
    assert validate_crd(definition) == []
    members = spec_of(definition)["properties"]
    whole, applied = members["whole"], members["applied"]
    assert whole["required"] == ["name", "ports"] and "required" not in applied
    assert "default" not in whole["properties"]["name"]
    ports = whole["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert ports["items"]["properties"]["protocol"]["default"] == "TCP"
    assert "x-kubernetes-list-type" not in applied["properties"]["ports"]
    assert "default" not in applied["properties"]["ports"]["items"]["properties"]["protocol"]
    cut_off = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert whole["properties"]["self"] == whole["properties"]["raw"] == cut_off
    assert whole["properties"]["cpu"]["x-kubernetes-int-or-string"] is True


def test_versions_share_one_definition() -> None:
    @kind(group="example.com", version="v2", kind="Widget", plural="widgets", storage=False)
    class WidgetV2(msgspec.Struct, frozen=True):
        size: int = 0

    definition = crd_for(Widget, WidgetV2)
    assert [(each["name"], each["storage"]) for each in definition["spec"]["versions"]] == [
        ("v1", True),
        ("v2", False),
    ]
    with pytest.raises(DeclarationError, match="exactly one version has storage=True"):
        crd_for(WidgetV2)
    with pytest.raises(DeclarationError, match="declared twice"):
        crd_for(Widget, Widget)


class Sum(msgspec.Struct, frozen=True):
    x: int | list[int] = 0


class Keys(msgspec.Struct, frozen=True):
    x: dict[int, str] = {}


class NeedsLoader(msgspec.Struct, frozen=True):
    x: Annotated[dict[str, Any], BuiltinSchema("a.B")] = {}


@pytest.mark.parametrize(
    ("struct", "message"),
    [
        (Sum, r"Sum.x: a field has one type, or int \| str, or .* tags \(tag=...\); not int \| list\[int\]"),
        (Keys, "Keys.x: the keys of a map are strings"),
        (NeedsLoader, "NeedsLoader.x: a.B needs a loader"),
    ],
)
def test_what_cannot_be_described_is_told(struct: type[msgspec.Struct], message: str) -> None:
    declared = kind(group="e.com", version="v1", plural="things")(struct)
    with pytest.raises(DeclarationError, match=message):
        schema_for(declared)


def test_a_class_that_is_no_kind_is_told() -> None:
    with pytest.raises(TypeError, match="Spec is not a kind"):
        declaration_of(Spec)
