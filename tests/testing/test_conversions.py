"""Versions that are checked by sending objects there and back; and objects that are made up for tests."""

import enum
from typing import Annotated, Any, Literal, Self

import msgspec
import pytest
from hypothesis import given, settings
from tests.apimachinery.test_versions import House, OldHouse, Spec, house

from kajitori.apis import JsonObject, ObjectMeta, Versions, kind
from kajitori.testing import check_conversion, objects_of


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Tagged(msgspec.Struct, frozen=True, tag="t"):
    x: int = 0


class Everything(msgspec.Struct, frozen=True, omit_defaults=True):
    number: Annotated[int, msgspec.Meta(ge=3, lt=10, multiple_of=2)]
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    name: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,4}$", max_length=3)] = "ab"
    level: Level | None = None
    word: Literal["a", "b"] = "a"
    items: Annotated[tuple[Tagged, ...], msgspec.Meta(min_length=1)] = (Tagged(),)
    names: frozenset[str] = frozenset()
    texts: dict[str, str] = {}
    data: bytes = b""
    anything: Any = None
    again: "Everything | None" = None


@kind(group="example.com", version="v1", plural="things")
class Thing(msgspec.Struct, frozen=True, omit_defaults=True):
    spec: Everything
    metadata: ObjectMeta = ObjectMeta()


@settings(max_examples=50, deadline=None)
@given(objects_of(Thing))
def test_what_is_made_up_is_read_by_the_class(value: JsonObject) -> None:  # X1, X2
    assert (value["apiVersion"], value["kind"]) == ("example.com/v1", "Thing")
    assert msgspec.json.decode(msgspec.json.encode(value), type=Thing).metadata.name == "example"


@kind(group="example.com", version="v1alpha1", kind="House", plural="houses", storage=False)
class SameHouse(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()

    def convert_to(self) -> House:
        return House(self.metadata, self.spec)

    @classmethod
    def convert_from(cls, hub: House) -> Self:
        return cls(hub.metadata, hub.spec)


class Forgetful(SameHouse, frozen=True):
    def convert_to(self) -> House:
        return House(self.metadata, msgspec.structs.replace(self.spec, width_cm=0))


class Broken(SameHouse, frozen=True):
    def convert_to(self) -> House:
        raise KeyError("width")


class Choosy(SameHouse, frozen=True):
    def convert_to(self) -> House:
        if self.spec.doors:
            raise ValueError("no doors")
        return super().convert_to()


def versions(spoke: type[msgspec.Struct]) -> Versions:
    declared = kind(group="example.com", version="v1alpha1", kind="House", plural="houses", storage=False)
    return Versions(House, declared(spoke))


def test_versions_that_say_the_same_pass() -> None:  # V1
    check_conversion(versions(SameHouse))


def test_what_is_lost_is_shown() -> None:  # V1, V2
    with pytest.raises(
        AssertionError, match=r"v1alpha1 to example.com/v1 and back is another object:\n.*widthCm"
    ):
        check_conversion(versions(Forgetful))


def test_a_method_that_fails_is_told() -> None:  # V3
    with pytest.raises(AssertionError, match="KeyError: 'width'"):
        check_conversion(versions(Broken))


def test_what_a_spoke_refuses_is_no_failure_but_what_cannot_come_back_is() -> None:  # V3
    given = house("example.com/v1alpha1", spec={"doors": [{"name": "front"}]})
    check_conversion(versions(Choosy), [given])
    with pytest.raises(AssertionError, match=r"v1 does not become .*/v1alpha1: .*: no doors"):
        check_conversion(versions(Choosy), [{**given, "apiVersion": "example.com/v1"}])


def test_objects_may_be_given() -> None:
    check_conversion(
        Versions(House, OldHouse),
        [House(spec=Spec(height_cm=3)), house("example.com/v1alpha1", spec={"size": "2x1"})],
    )
