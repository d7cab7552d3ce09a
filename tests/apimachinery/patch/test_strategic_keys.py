"""Strategic merge patch on every list of every built-in kind that merges: each directive on each merge key."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch
from kajitori.apimachinery.schema import Schema
from kajitori.apis.definitions import built_in_definitions
from kajitori.apis.resources import resources

Json = dict[str, Any]


class Merging(NamedTuple):
    """A field of a built-in type that merges."""

    schema: Schema
    """Of the type that has it."""
    name: str
    key: str

    def __str__(self) -> str:
        return f"{self.schema.definition.rpartition('.')[2]}.{self.name}"

    def item(self, number: int, **more: Any) -> Any:
        if not self.key:
            return f"i{number}"
        items = self.schema.properties[self.name].items
        assert items is not None
        value: Any = number if items.properties[self.key].type == "integer" else f"i{number}"
        return {self.key: value, **more}

    def patched(self, patch: Any, live: tuple[int, ...] = (1, 2), **directives: Any) -> Any:
        """The numbers of the items after a patch of a list of these items."""
        whole = {f"${name}/{self.name}": value for name, value in directives.items()}
        if patch is not None:
            whole[self.name] = patch
        before = {self.name: [self.item(each) for each in live]}
        found = apply_strategic_merge_patch(before, whole, self.schema)[self.name]
        return [next(number for number in range(1, 9) if self.item(number) == each) for each in found]


def fields() -> Iterator[tuple[Schema, str, Schema]]:
    """Every field of every type that built-in kinds are made of."""
    seen: set[str] = set()
    waiting: list[Schema] = []
    for each in resources():
        found = built_in_definitions().get(each.definition)
        if found is not None:
            waiting.append(found)
    while waiting:
        schema = waiting.pop()
        if schema.definition:
            if schema.definition in seen:
                continue
            seen.add(schema.definition)
        for name, field in schema.properties.items():
            if schema.definition:
                yield schema, name, field
            waiting.append(field)
        waiting += [each for each in (schema.items, schema.additional) if each is not None]


ALL = sorted(fields(), key=lambda each: (each[0].definition, each[1]))
MERGING = [
    Merging(schema, name, field.patch_merge_key)
    for schema, name, field in ALL
    if field.type == "array" and "merge" in field.patch_strategies
]
KEYED = [each for each in MERGING if each.key]
PRIMITIVE = [each for each in MERGING if not each.key and each.schema.properties[each.name].items]
keyed = pytest.mark.parametrize("of", KEYED, ids=str)


def test_all_of_them_are_found() -> None:
    assert len(KEYED) >= 40
    assert {each.key for each in KEYED} >= {
        "containerPort",
        "devicePath",
        "ip",
        "mountPath",
        "name",
        "port",
        "topologyKey",
        "type",
        "uid",
    }
    assert {each.name for each in PRIMITIVE} >= {"finalizers"}


@keyed
def test_items_are_added_merged_and_deleted(of: Merging) -> None:
    assert of.patched([of.item(3)]) == [3, 1, 2]
    assert of.patched([of.item(2)]) == [1, 2]
    assert of.patched([of.item(1, **{"$patch": "delete"})]) == [2]
    assert of.patched([of.item(7, **{"$patch": "delete"})]) == [1, 2]
    assert of.patched([of.item(1, **{"$patch": "delete"}), of.item(3)]) == [3, 2]


@keyed
def test_lists_are_replaced(of: Merging) -> None:
    assert of.patched([{"$patch": "replace"}, of.item(3)]) == [3]
    assert of.patched([of.item(3), {"$patch": "replace"}]) == [3]
    assert of.patched([{"$patch": "replace"}]) == []


@keyed
def test_the_order_is_as_set(of: Merging) -> None:
    assert of.patched(None, setElementOrder=[of.item(2), of.item(1)]) == [2, 1]
    assert of.patched([of.item(3)], setElementOrder=[of.item(2), of.item(3), of.item(1)]) == [2, 3, 1]
    assert of.patched([of.item(4)], (1, 2, 3), setElementOrder=[of.item(3), of.item(4)]) == [1, 2, 3, 4]
    with pytest.raises(ApiError, match="doesn't match"):
        of.patched([of.item(3)], setElementOrder=[of.item(1)])


@keyed
def test_items_can_be_replaced_whole_or_kept_in_part(of: Merging) -> None:
    live = {of.name: [of.item(1, other="x"), of.item(2, other="y")]}
    for directive, expected in (({"$patch": "replace"}, None), ({"$retainKeys": [of.key]}, of.item(1))):
        found = apply_strategic_merge_patch(live, {of.name: [of.item(1, **directive)]}, of.schema)[of.name]
        if expected is None:
            assert found == [], "an item that says replace stands for the list"
        else:
            assert found == [expected, of.item(2, other="y")]


@keyed
def test_what_is_malformed_is_refused(of: Merging) -> None:
    for patch, message in (
        ([of.item(1, **{"$patch": "merge"})], "merging lists cannot yet be specified in the patch"),
        ([of.item(1, **{"$patch": "bogus"})], "unknown patch type: bogus in map"),
        ([{"other": 1}], f"does not contain declared merge key: {of.key}"),
        (["text"], "list element types are not identical"),
    ):
        with pytest.raises(ApiError, match=message):
            of.patched(patch)


@pytest.mark.parametrize("of", PRIMITIVE, ids=str)
def test_primitives_are_added_deleted_and_ordered(of: Merging) -> None:
    items = of.schema.properties[of.name].items
    assert items is not None
    if items.type != "string":
        pytest.skip("a list of structs without a key: Kubernetes cannot merge it")
    assert of.patched(["i3"]) == [3, 1, 2]
    assert of.patched(None, deleteFromPrimitiveList=["i1", "i7"]) == [2]
    assert of.patched(["i3"], setElementOrder=["i2", "i3", "i1"]) == [2, 3, 1]


RETAINING = [
    (schema, name, field)
    for schema, name, field in ALL
    if field.type == "object" and "retainKeys" in field.patch_strategies
]


@pytest.mark.parametrize(
    ("schema", "name", "field"), RETAINING, ids=[f"{each[0].definition}.{each[1]}" for each in RETAINING]
)
def test_retain_keys_clears_the_other_members(schema: Schema, name: str, field: Schema) -> None:
    one, other = sorted(field.properties)[:2]
    live = {name: {one: "x", other: "y"}}
    patch = {name: {other: "z", "$retainKeys": [other]}}
    assert apply_strategic_merge_patch(live, patch, schema) == {name: {other: "z"}}


STRUCTS = [
    (schema, name)
    for schema, name, field in ALL
    if field.type == "object" and field.properties and "replace" not in field.patch_strategies
]


def test_structs_are_replaced_and_deleted() -> None:
    assert len(STRUCTS) > 200
    for schema, name in STRUCTS:
        live = {name: {"x": 1, "y": 2}}
        for patch, expected in (
            ({"$patch": "replace", "z": 3}, {"z": 3}),
            ({"$patch": "delete"}, {}),
        ):
            assert apply_strategic_merge_patch(live, {name: patch}, schema) == {name: expected}
        with pytest.raises(ApiError, match="unknown patch type"):
            apply_strategic_merge_patch(live, {name: {"$patch": "merge"}}, schema)
