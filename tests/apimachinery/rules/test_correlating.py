"""What an update left as it was, by the schema."""

from typing import Any

import pytest

from kajitori.apimachinery.rules.correlating import Correlated, is_unchanged, old_items

ITEM = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "port": {"type": "integer"}, "text": {"type": "string"}},
}
KEYED = {
    "type": "array",
    "items": ITEM,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name", "port"],
}
PLAIN = {"type": "array", "items": ITEM}
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"keyed": KEYED, "plain": PLAIN, "labels": LABELS, "n": {"type": "integer"}},
        }
    },
}


def unchanged(new: Any, old: Any, *steps: str | int) -> bool:
    return is_unchanged(Correlated({"spec": new}, {"spec": old}, SCHEMA), ("spec", *steps))


def item(name: str, port: int = 1, text: str = "") -> dict[str, Any]:
    return {"name": name, "port": port, "text": text}


def test_members_are_matched_by_name() -> None:  # U1
    new, old = {"n": 1, "labels": {"a": "b"}}, {"n": 2, "labels": {"a": "b"}}
    assert not unchanged(new, old)
    assert not unchanged(new, old, "n")
    assert unchanged(new, old, "labels")
    assert unchanged(new, old, "labels", "a")


def test_keyed_items_are_matched_by_their_keys() -> None:  # U1
    old = {"keyed": [item("a"), item("b", text="x")]}
    new = {"keyed": [item("b", text="x"), item("a", text="new")]}
    assert unchanged(new, old, "keyed", 0)
    assert unchanged(new, old, "keyed", 0, "text")
    assert not unchanged(new, old, "keyed", 1)
    assert not unchanged(new, old, "keyed")
    assert unchanged({"keyed": old["keyed"][::-1]}, old, "keyed")


def test_a_new_item_stands_in_a_list_that_changed() -> None:  # U1
    old = {"keyed": [item("a")]}
    new = {"keyed": [item("a"), item("b")]}
    assert not unchanged(new, old, "keyed", 1)
    assert not unchanged(new, old, "keyed", 1, "text")


def test_items_of_other_lists_are_only_the_same_as_a_whole() -> None:  # U1
    old = {"plain": [item("a"), item("b")]}
    assert unchanged({"plain": [item("a"), item("b")]}, old, "plain", 0, "text")
    assert not unchanged({"plain": [item("a"), item("c")]}, old, "plain", 0, "text")


@pytest.mark.parametrize(("new", "old"), [(1, 1.0), (1, True), ({}, []), (None, {}), ("1", 1)])
def test_values_of_different_types_are_different(new: Any, old: Any) -> None:
    assert not unchanged({"n": new}, {"n": old}, "n")


def test_nothing_is_the_same_as_nothing() -> None:
    assert unchanged({"n": None}, {"n": None}, "n")


def test_what_the_schema_does_not_know_counts_as_changed() -> None:  # U2
    assert not unchanged({"n": 1, "more": 1}, {"n": 1, "more": 1})
    assert unchanged({"n": 1, "more": 1}, {"n": 1, "more": 1}, "n")


def test_versions_and_kinds_are_never_known_to_be_the_same() -> None:
    schema = {"type": "object", "properties": {"kind": {"type": "string"}}}
    both = Correlated({"kind": "A"}, {"kind": "A"}, schema)
    assert is_unchanged(both, ())
    assert not is_unchanged(both, ("kind",))


def test_old_items_need_every_key_and_of_the_same_type() -> None:
    old = [item("a", 1), item("a", 2, "second"), "no object", {"name": "b"}]
    new = [item("a", 2), {"name": "a"}, {"name": "a", "port": 1.0}, {"name": "b"}, 7, item("a", 1)]
    assert old_items(new, old, KEYED) == [old[1], None, None, None, None, old[0]]
    assert old_items(new, old, PLAIN) == [None] * 6
    assert old_items(new, None, KEYED) == [None] * 6


def test_the_first_of_two_items_with_the_same_keys_is_the_old_one() -> None:
    old = [item("a", text="first"), item("a", text="second")]
    assert old_items([item("a")], old, KEYED) == [old[0]]
