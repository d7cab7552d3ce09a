"""Classes beside definitions that somebody else made, or that are of another time."""

import copy
from typing import Annotated, Any

import msgspec
import pytest

from kajitori.apimachinery.crd_match import MISMATCHES_MAX, mismatches
from kajitori.apis import JsonObject, ListMap, ObjectMeta, Quantity, Scale, crd_for, kind
from kajitori.apis.core_v1 import PodTemplateSpec


class Port(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    name: str
    host_port: int | None = None


class Flat(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    size: int = 1
    memory: Quantity = "1Gi"
    ports: Annotated[tuple[Port, ...], ListMap("name")] = ()
    limits: dict[str, int] = {}
    free: dict[str, Any] = {}
    template: PodTemplateSpec = PodTemplateSpec()


@kind(
    group="example.com",
    version="v1",
    plural="widgets",
    status=True,
    scale=Scale(".spec.size", ".status.ready"),
)
class Widget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Flat = Flat()
    status: dict[str, int] | None = None


RIGHT = crd_for(Widget)
BEGIN = "CustomResourceDefinition widgets.example.com: "


def told(change: Any) -> list[tuple[str, str]]:
    definition: JsonObject = copy.deepcopy(RIGHT)
    change(definition["spec"], definition["spec"]["versions"][0])
    found = mismatches(Widget, definition)
    assert all(each.text.startswith(BEGIN) for each in found)
    return [(each.level, each.text.removeprefix(BEGIN)) for each in found]


def spec_of(version: JsonObject) -> JsonObject:
    found: JsonObject = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return found


def test_a_class_fits_its_own_definition() -> None:
    assert told(lambda spec, version: None) == []


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        (
            lambda s, v: s.update(scope="Cluster"),
            "error",
            "its scope is Cluster, that of Widget is Namespaced",
        ),
        (lambda s, v: s["names"].update(kind="Gear"), "error", "its kind is Gear, that of Widget is Widget"),
        (lambda s, v: v.update(name="v2"), "error", "version v1 of Widget is not served; served: v2"),
        (lambda s, v: v.update(served=False), "error", "version v1 of Widget is not served; served: none"),
        (
            lambda s, v: v["subresources"].pop("status"),
            "error",
            "version v1 has no status subresource, which Widget declares: status is written with everything else, and "
            "not at /status",
        ),
        (
            lambda s, v: v["subresources"].pop("scale"),
            "warning",
            "version v1 has no scale subresource, which Widget declares",
        ),
    ],
)
def test_what_keeps_a_kind_from_working(change: Any, level: str, text: str) -> None:  # X1, X3
    assert told(change) == [(level, text)]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: m.pop("size"), "spec.size of Flat is not known: what is written there is dropped"),
        (
            lambda m: m["ports"]["items"]["properties"].pop("hostPort"),
            "spec.ports[*].hostPort of Port is not known: what is written there is dropped",
        ),
        (
            lambda m: m["size"].update(type="string"),
            "spec.size is of type string, and read as integer or number: objects that have it cannot be read",
        ),
        (
            lambda m: m["limits"]["additionalProperties"].update(type="boolean"),
            "spec.limits.* is of type boolean, and read as integer or number: objects that have it cannot be read",
        ),
    ],
)
def test_what_would_be_lost_or_refused(change: Any, text: str) -> None:  # X2, X3
    assert told(lambda spec, version: change(spec_of(version))) == [("warning", text)]


def test_what_is_required_and_unknown() -> None:  # X2
    def change(spec: JsonObject, version: JsonObject) -> None:
        version["schema"]["openAPIV3Schema"]["properties"]["spec"]["required"] = ["color", "size"]

    text = "spec.color is required, and Flat has no such member: nothing can be created"
    assert told(change) == [("warning", text)]


def test_what_is_open_drops_nothing_and_types_of_kubernetes_are_their_own() -> None:
    def change(spec: JsonObject, version: JsonObject) -> None:
        schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        del schema["properties"]["template"]["properties"]["spec"], schema["properties"]["memory"]
        schema["x-kubernetes-preserve-unknown-fields"] = True

    assert told(change) == []


def test_a_status_that_is_apart_and_not_declared_so() -> None:
    @kind(group="example.com", version="v1", plural="widgets", kind="Widget")
    class Plain(msgspec.Struct, frozen=True, omit_defaults=True):
        metadata: ObjectMeta = ObjectMeta()
        status: dict[str, int] | None = None

    [found] = mismatches(Plain, RIGHT)
    assert found.level == "warning" and "status is written at /status only" in found.text


def test_no_definition_says_what_to_do() -> None:  # X1
    [found] = mismatches(Widget, None)
    assert found.level == "error" and found.text == (
        "there is no CustomResourceDefinition widgets.example.com; "
        "install it (kajitori crds MODULE | kubectl apply -f -)"
    )


def test_not_everything_is_said() -> None:  # X3
    struct = msgspec.defstruct("Many", [(f"f{number}", int, 0) for number in range(30)], frozen=True)
    many = kind(group="example.com", version="v1", plural="widgets", kind="Widget")(struct)
    found = mismatches(many, RIGHT)
    assert len(found) == MISMATCHES_MAX + 1 and "and 20 more" in found[-1].text
