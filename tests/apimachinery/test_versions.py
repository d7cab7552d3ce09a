"""Versions of a kind: converted by the methods of their classes, whole."""

import copy
from typing import Any, Self

import msgspec
import pytest

from kajitori.apimachinery.versions import ConversionFailed, Versions, webhook_conversion
from kajitori.apis import DeclarationError, JsonObject, ObjectMeta, kind


class Door(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    color: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    height_cm: int = 0
    width_cm: int = 0
    doors: tuple[Door, ...] = ()


@kind(group="example.com", version="v1", plural="houses", status=True)
class House(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()
    status: dict[str, int] = {}


class OldSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    size: str = "0x0"
    doors: tuple[str, ...] = ()


@kind(group="example.com", version="v1alpha1", kind="House", plural="houses", storage=False)
class OldHouse(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: OldSpec = OldSpec()

    def convert_to(self) -> House:
        height, by, width = self.spec.size.partition("x")
        if not by:
            raise ValueError(f"spec.size is {self.spec.size!r}; write HEIGHTxWIDTH")
        doors = tuple(Door(each) for each in self.spec.doors)
        return House(self.metadata, Spec(int(height), int(width), doors))

    @classmethod
    def convert_from(cls, hub: House) -> Self:
        size = f"{hub.spec.height_cm}x{hub.spec.width_cm}"
        return cls(spec=OldSpec(size, tuple(each.name for each in hub.spec.doors)))


@kind(group="example.com", version="v1beta1", kind="House", plural="houses", storage=False)
class MiddleHouse(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()
    status: dict[str, int] = {}

    def convert_to(self) -> House:
        return House(self.metadata, self.spec, self.status)

    @classmethod
    def convert_from(cls, hub: House) -> Self:
        labels = {**hub.metadata.labels, "from": "hub"}
        return cls(msgspec.structs.replace(hub.metadata, labels=labels, name="other"), hub.spec, hub.status)


HOUSES = Versions(House, OldHouse, MiddleHouse)
V1, OLD, MIDDLE = "example.com/v1", "example.com/v1alpha1", "example.com/v1beta1"
METADATA = {
    "name": "a",
    "namespace": "default",
    "uid": "u",
    "labels": {"x": "y"},
    "managedFields": [{"manager": "me"}],
}


def house(api_version: str, **body: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": "House", "metadata": copy.deepcopy(METADATA), **body}


def convert(value: JsonObject, api_version: str) -> JsonObject:
    before = copy.deepcopy(value)
    [converted] = HOUSES.convert([value], api_version)
    assert value == before
    return converted


def test_a_spoke_becomes_the_hub_and_the_hub_a_spoke() -> None:
    new = house(V1, spec={"heightCm": 200, "widthCm": 90, "doors": [{"name": "front"}]})
    old = house(OLD, spec={"size": "200x90", "doors": ["front"]})
    assert convert(old, V1) == new and convert(new, OLD) == old


def test_objects_come_in_order_and_spokes_become_one_another() -> None:  # V1
    old, middle = house(OLD, spec={"size": "1x2"}), house(MIDDLE, spec={"heightCm": 3})
    converted = HOUSES.convert([middle, old, middle], MIDDLE)
    assert converted[0] is middle and converted[2] is middle
    assert converted[1]["apiVersion"] == MIDDLE and converted[1]["spec"] == {"heightCm": 1, "widthCm": 2}


def test_metadata_survives_and_labels_may_change() -> None:  # V2
    assert convert(house(V1), OLD)["metadata"] == METADATA
    assert convert(house(V1), MIDDLE)["metadata"] == {**METADATA, "labels": {"x": "y", "from": "hub"}}


def test_what_a_spoke_cannot_say_comes_back() -> None:  # V3
    spec = {"heightCm": 2, "widthCm": 1, "doors": [{"name": "front", "color": "red"}, {"name": "back"}]}
    new = house(V1, spec=spec, status={"ready": 1})
    old = convert(new, OLD)
    assert old["spec"] == {"size": "2x1", "doors": ["front", "back"]}
    assert HOUSES.annotation in old["metadata"]["annotations"]
    assert convert(old, V1) == new
    # By way of another spoke too.
    assert convert(convert(old, MIDDLE), V1)["spec"] == spec


def test_what_is_changed_meanwhile_is_merged_in() -> None:  # V3
    doors = [{"name": "front", "color": "red"}, {"name": "back", "color": "blue"}]
    old = convert(house(V1, spec={"heightCm": 2, "doors": doors}, status={"ready": 1}), OLD)
    changed = {**old, "spec": {"size": "5x7", "doors": ["back", "side"]}}
    back = convert(changed, V1)
    wanted = [{"name": "back", "color": "blue"}, {"name": "side"}]
    assert back["spec"] == {"heightCm": 5, "widthCm": 7, "doors": wanted}
    assert back["status"] == {"ready": 1} and "annotations" not in back["metadata"]


@pytest.mark.parametrize("text", ["{", "7", '{"spec":3}', '{"spec":{"doors":[{}]}}'])
def test_an_annotation_that_was_tampered_with_is_dropped(text: str) -> None:  # V3
    old = house(OLD, spec={"size": "1x2"})
    old["metadata"]["annotations"] = {HOUSES.annotation: text, "mine": "kept"}
    new = convert(old, V1)
    assert new["spec"] == {"heightCm": 1, "widthCm": 2}
    assert new["metadata"]["annotations"] == {"mine": "kept"}


def test_undeclared_members_stay_where_there_is_a_place() -> None:  # V4
    old = house(OLD, spec={"size": "1x2", "free": {"a": 1}, "widthCm": "text"}, extra=[1], status={"old": 1})
    new = convert(old, V1)
    assert new["spec"] == {"heightCm": 1, "widthCm": 2, "free": {"a": 1}} and new["extra"] == [1]
    assert "status" not in new  # which the hub declares, so that it is not anything


def test_what_cannot_be_converted_says_why() -> None:  # V5
    with pytest.raises(
        ConversionFailed, match=r"House default/a, from v1alpha1 to v1: spec.size is 'big'; write"
    ):
        convert(house(OLD, spec={"size": "big"}), V1)
    with pytest.raises(ConversionFailed, match=r"Expected `str`, got `int` - at `\$.spec.size`"):
        convert(house(OLD, spec={"size": 3}), V1)
    with pytest.raises(
        ConversionFailed, match=r"v2: not a version that is declared; House has .*/v1, .*/v1alpha1"
    ):
        convert(house(OLD), "example.com/v2")
    with pytest.raises(ConversionFailed, match=r"Shed of example.com/v1alpha1: not a version"):
        HOUSES.convert([{**house(OLD), "kind": "Shed"}], V1)


def test_nonsense_from_a_method_is_a_failure() -> None:  # V5
    @kind(group="example.com", version="v1alpha1", kind="House", plural="houses", storage=False)
    class Bad(msgspec.Struct, frozen=True):
        metadata: ObjectMeta = ObjectMeta()

        def convert_to(self) -> House:
            return None  # type: ignore[return-value]

        @classmethod
        def convert_from(cls, hub: House) -> Self:
            raise KeyError("x")

    bad = Versions(House, Bad)
    with pytest.raises(ConversionFailed, match="gave NoneType, not House"):
        bad.convert([house(OLD)], V1)
    with pytest.raises(ConversionFailed, match="KeyError: 'x'"):
        bad.convert([house(V1)], OLD)


def test_functions_are_the_pairs_with_the_hub() -> None:
    functions = HOUSES.functions
    assert functions.keys() == {("v1alpha1", "v1"), ("v1beta1", "v1"), ("v1", "v1alpha1"), ("v1", "v1beta1")}
    assert functions["v1alpha1", "v1"](house(OLD, spec={"size": "1x2"}))["spec"] == {
        "heightCm": 1,
        "widthCm": 2,
    }


def test_classes_that_are_no_versions_are_refused_with_the_remedy() -> None:
    @kind(group="example.com", version="v2", plural="houses", storage=False)
    class Shed(OldHouse, frozen=True):
        pass

    with pytest.raises(
        DeclarationError, match=r'is Shed of example.com, and its hub House .*give it kind="House"'
    ):
        Versions(House, Shed)

    @kind(group="example.com", version="v2", kind="House", plural="houses", storage=False)
    class Mute(msgspec.Struct, frozen=True):
        metadata: ObjectMeta = ObjectMeta()

    with pytest.raises(
        DeclarationError, match=r"Mute has no convert_to .*write `def convert_to\(self\) -> House`"
    ):
        Versions(House, Mute)
    with pytest.raises(DeclarationError, match="version v1alpha1 is declared twice"):
        Versions(House, OldHouse, OldHouse)


def test_the_definition_says_who_converts() -> None:
    service = {"service": {"namespace": "a", "name": "b", "path": "/convert"}}
    assert webhook_conversion(service) == {
        "strategy": "Webhook",
        "webhook": {"clientConfig": service, "conversionReviewVersions": ["v1"]},
    }


def test_a_class_without_its_defaults_left_out_is_no_loss() -> None:  # V3
    assert "annotations" not in convert(house(V1, spec={}), OLD)["metadata"]
    assert "annotations" not in convert(house(V1, spec={"heightCm": 0}), OLD)["metadata"]
