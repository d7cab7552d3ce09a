"""Typed values: the fields of one, the difference of two, merging, removing, checking, changed schemas."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.managedfields.checking import check
from kajitori.apimachinery.managedfields.collect import added_fields, created_fields, whole_fields
from kajitori.apimachinery.managedfields.compare import compare
from kajitori.apimachinery.managedfields.merging import merge
from kajitori.apimachinery.managedfields.reconcile import reconcile, with_named_fields
from kajitori.apimachinery.managedfields.removing import extract_items, remove_items
from kajitori.apimachinery.managedfields.sets import (
    FieldSet,
    difference,
    from_paths,
    intersection,
    leaves,
    ordered,
    paths,
    recursive_difference,
    union,
)
from kajitori.apimachinery.managedfields.types import Type, TypeProblem, Types
from kajitori.apimachinery.schema import parse_schema

TEXT = {"type": "string"}
PORT = {
    "type": "object",
    "properties": {
        "port": {"type": "integer"},
        "protocol": {"type": "string", "default": "TCP"},
        "name": TEXT,
    },
}
SPEC = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer"},
        "tags": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "ports": {
            "type": "array",
            "items": PORT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        "args": {"type": "array", "items": TEXT},
        "labels": {"type": "object", "additionalProperties": TEXT},
        "selector": {"type": "object", "additionalProperties": TEXT, "x-kubernetes-map-type": "atomic"},
        "nested": {"type": "object", "properties": {"a": {"type": "boolean"}, "b": TEXT}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "size": {"x-kubernetes-int-or-string": True},
    },
}
OBJECT = parse_schema({"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}})
ROOT = Types().root(OBJECT)
DEDUCED = Types().root(None)

small = st.sampled_from("xyz")
texts = st.dictionaries(small, small, max_size=2)
ports = st.lists(
    st.fixed_dictionaries({"port": st.integers(1, 3)}, optional={"protocol": st.just("UDP"), "name": small}),
    max_size=3,
    unique_by=lambda item: (item["port"], item.get("protocol")),
)
free = st.recursive(
    st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(small, inner, max_size=2),
    max_leaves=4,
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(0, 2),
        "tags": st.lists(small, unique=True, max_size=3),
        "ports": ports,
        "args": st.lists(small, max_size=2),
        "labels": texts,
        "selector": texts,
        "nested": st.fixed_dictionaries({}, optional={"a": st.booleans(), "b": small}),
        "free": st.dictionaries(small, free, max_size=2),
        "size": st.integers(0, 1) | st.just("50%"),
    },
)
objects = st.fixed_dictionaries({"kind": st.just("Widget")}, optional={"spec": specs, "status": texts})


def test_a_configuration_names_leaves_items_and_members_of_maps() -> None:
    config = {
        "spec": {
            "replicas": 1,
            "ports": [{"port": 443}, {"port": 80, "name": "http"}],
            "tags": ["b", "a"],
            "args": [],
            "labels": {"x/y": "1"},
            "selector": {"a": "b"},
            "nested": {},
            "free": {"deep": {"x": 1}, "list": [1]},
            "size": None,
        }
    }
    assert whole_fields(ROOT)(config) == {
        "f:spec": {
            "f:args": {},
            "f:free": {"f:deep": {".": {}, "f:x": {}}, "f:list": {}},
            "f:labels": {"f:x/y": {}},
            "f:nested": {},
            "f:ports": {
                'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}, "f:port": {}},
                'k:{"port":443,"protocol":"TCP"}': {".": {}, "f:port": {}},
            },
            "f:replicas": {},
            "f:selector": {},
            "f:size": {},
            "f:tags": {'v:"a"': {}, 'v:"b"': {}},
        }
    }


def test_empty_and_null_lists_that_merge_are_not_owned_but_for_null() -> None:
    assert whole_fields(ROOT)({"spec": {"tags": [], "ports": []}}) is None
    assert whole_fields(ROOT)({"spec": {"tags": None}}) == {"f:spec": {"f:tags": {}}}


def test_without_a_schema_lists_are_atomic_and_maps_are_not() -> None:
    value = {"spec": {"list": [{"name": "x"}], "map": {"a": 1}}, "metadata": {"finalizers": ["f"]}}
    assert whole_fields(DEDUCED)(value) == {
        "f:metadata": {"f:finalizers": {'v:"f"': {}}},
        "f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:a": {}}},
    }


@given(objects, objects)
def test_a_difference_is_disjoint_and_turns_around(old: Any, new: Any) -> None:  # D1, D2
    there, back = compare(old, new, ROOT), compare(new, old, ROOT)
    assert (there.added, there.modified, there.removed) == (back.removed, back.modified, back.added)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert intersection(there[one], there[other]) == {}
    assert (old == new) == (there == ({}, {}, {}))


@given(objects, objects)
def test_what_is_added_is_what_only_the_new_value_has(old: Any, new: Any) -> None:  # C1
    everything = {element: below for element, below in added_fields(ROOT)(new).items() if element != "."}
    before = added_fields(ROOT)(old)
    found = compare(old, new, ROOT)
    assert difference(found.changed, everything) == {}
    assert difference(everything, union(before, found.changed)) == {}
    assert list(paths(ordered(everything))) == list(paths(everything))
    assert ordered(everything) == everything


@given(objects, st.sampled_from([{}, {"spec": {}}, {"spec": {"replicas": 0, "tags": None, "nested": {}}}]))
def test_a_creator_owns_what_differs_from_the_zero_object(value: Any, zero: Any) -> None:  # C2
    assert ROOT.map is not None
    zero = {"kind": "Widget", **zero}
    created = created_fields(ROOT.map, zero, ["status"], [])(value)
    assert created == recursive_difference(compare(zero, value, ROOT).changed, from_paths("status"))
    assert list(created) == sorted(created)  # C3


@given(objects, objects)
def test_merging_keeps_what_the_configuration_leaves_out(live: Any, config: Any) -> None:  # G1, G2
    before = copy.deepcopy((live, config))
    merged = merge(live, config, ROOT)
    assert (live, config) == before
    # In free form a map may become a number; of everything else nothing is lost.
    removed = compare(live, merged, ROOT).removed
    assert recursive_difference(removed, from_paths("spec.free")) == {}
    assert merge(merged, config, ROOT) == merged
    fields = whole_fields(ROOT)(config) or {}
    assert intersection(fields, compare(config, merged, ROOT).modified) == {}


@pytest.mark.parametrize(
    ("live", "config", "expected"),
    [
        (["a", "b"], ["b", "c"], ["a", "b", "c"]),
        (["a", "b", "c"], ["c", "x", "a"], ["b", "c", "x", "a"]),
        (["a", "b", "c"], ["x", "b"], ["a", "x", "b", "c"]),
        (["a"], ["x"], ["a", "x"]),
        (["a", "b"], ["b", "a"], ["b", "a"]),
        (["a", "a", "b"], ["c"], ["a", "a", "b", "c"]),
        (["a", "a", "b"], ["a"], ["a", "b"]),
        (None, ["a"], ["a"]),
        (["a"], None, ["a"]),
        ([], None, None),
    ],
)
def test_the_order_of_merged_lists(live: Any, config: Any, expected: Any) -> None:  # G3
    assert merge({"spec": {"tags": live}}, {"spec": {"tags": config}}, ROOT) == {"spec": {"tags": expected}}


def test_null_replaces_what_is_no_map_or_list_that_merges() -> None:
    live = {"spec": {"replicas": 3, "args": ["x"], "nested": {"b": "x"}, "labels": {}}}
    config = {"spec": {"replicas": None, "args": None, "nested": None, "labels": None}}
    assert merge(live, config, ROOT) == {
        "spec": {"replicas": None, "args": None, "nested": {"b": "x"}, "labels": None}
    }


@given(objects, objects)
def test_removing_takes_exactly_the_members(value: Any, other: Any) -> None:  # R1, R2
    before = copy.deepcopy(value)
    fields = intersection(whole_fields(ROOT)(other) or {}, whole_fields(ROOT)(value) or {})
    rest = remove_items(value, fields, ROOT)
    kept = added_fields(ROOT)(rest or {})
    assert value == before
    assert intersection(kept, fields) == {}
    assert difference(recursive_difference(leaves(added_fields(ROOT)(value)), fields), kept) == {}


def test_what_loses_everything_stays_empty() -> None:  # R3
    value = {"spec": {"labels": {"a": "1"}, "tags": ["x"]}}
    fields: FieldSet = {"f:spec": {"f:labels": {"f:a": {}}, "f:tags": {'v:"x"': {}}}}
    assert remove_items(value, fields, ROOT) == {"spec": {"labels": {}, "tags": []}}


def test_extracting_keeps_only_what_is_named() -> None:
    value = {"spec": {"replicas": 1, "ports": [{"port": 80, "name": "x"}, {"port": 81}], "args": ["a"]}}
    fields: FieldSet = {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:name": {}}}, "f:args": {}}
    }
    assert extract_items(value, fields, ROOT) == {"spec": {"ports": [{"name": "x"}], "args": ["a"]}}
    assert extract_items(value, from_paths("status"), ROOT) is None


def test_repeated_items_are_owned_as_one() -> None:
    once, twice = {"spec": {"tags": ["a"]}}, {"spec": {"tags": ["a", "a"]}}
    assert compare(once, twice, ROOT).added == {"f:spec": {"f:tags": {'v:"a"': {}}}}
    ports = {"spec": {"ports": [{"port": 1, "name": "x"}, {"port": 1, "name": "y"}]}}
    assert added_fields(ROOT)(ports)["f:spec"]["f:ports"] == {".": {}, 'k:{"port":1,"protocol":"TCP"}': {}}
    assert whole_fields(ROOT)(ports) == {"f:spec": {"f:ports": {'k:{"port":1,"protocol":"TCP"}': {}}}}
    other = {"spec": {"ports": [{"port": 1, "name": "x"}, {"port": 1, "name": "z"}]}}
    assert compare(ports, other, ROOT).modified == whole_fields(ROOT)(ports)


def test_a_value_of_another_form_takes_its_fields_along() -> None:
    found = compare({"spec": {"free": {"x": {"y": 1}}}}, {"spec": {"free": {"x": 5}}}, ROOT)
    assert found.modified == {"f:spec": {"f:free": {"f:x": {}}}}
    assert found.removed == {"f:spec": {"f:free": {"f:x": {"f:y": {}}}}}
    assert found.added == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"nope": 1}, ".nope: field not declared in schema"),
        ({"spec": {"nested": {"c": 1}}}, ".spec.nested.c: field not declared in schema"),
        ({"spec": {"tags": ["x", "x"]}}, '.spec.tags: duplicate entries for key [="x"]'),
        (
            {"spec": {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]}},
            '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]',
        ),
        (
            {"spec": {"ports": [None]}},
            ".spec.ports: element 0: associative list with keys may not have a null element",
        ),
        (
            {"spec": {"tags": [{}]}},
            ".spec.tags: element 0: associative list without keys has an element that's a map type",
        ),
        ({"spec": []}, ".spec: expected map, got &{[]}"),
        ({"spec": {"tags": "x"}}, ".spec.tags: expected list, got &{x}"),
        ({"spec": {"replicas": "x"}}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"spec": {"replicas": True}}, ".spec.replicas: expected numeric (int or float), got bool"),
        (
            {"spec": {"labels": {"a": 5}}},
            ".spec.labels.a: expected string, got &value.valueUnstructured{Value:5}",
        ),
        (
            {"spec": {"args": ["a", 5]}},
            ".spec.args[1]: expected string, got &value.valueUnstructured{Value:5}",
        ),
        ({"spec": {"nested": {"a": 1}}}, ".spec.nested.a: expected boolean, got &{1}"),
        ({"spec": {"size": [1]}}, ".spec.size: expected any scalar, got &{[1]}"),
        (
            {"spec": {"nested": {"a": 1, "b": 2}, "tags": 1}},
            "errors:\n  .spec.nested.a: expected boolean, got &{1}\n  .spec.nested.b: expected string, "
            "got &value.valueUnstructured{Value:2}\n  .spec.tags: expected list, got &{1}",
        ),
    ],
)
def test_misfits_are_told_as_kubernetes_tells_them(value: Any, message: str) -> None:  # K1, K2
    with pytest.raises(TypeProblem) as raised:
        check(value, ROOT)
    assert str(raised.value) == message


@given(objects)
def test_what_fits_passes(value: Any) -> None:  # K1
    check(value, ROOT)
    check(value, DEDUCED)


def test_repeated_items_pass_where_they_are_allowed() -> None:  # K1
    check({"spec": {"tags": ["x", "x"]}}, ROOT, repeated_items_allowed=True)


def keyed(*keys: str) -> Type:
    schema = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(keys),
        "items": {"type": "object", "properties": {"a": TEXT, "b": {"type": "string", "default": "B"}}},
    }
    return Types().of(parse_schema(schema))


def test_missing_keys_take_their_default() -> None:  # T3
    kind = keyed("b", "a").list
    assert kind is not None
    assert kind.element({"a": "x"}) == 'k:{"a":"x","b":"B"}'
    assert kind.element({}) == 'k:{"b":"B"}'
    only = keyed("a").list
    assert only is not None
    with pytest.raises(TypeProblem) as raised:
        only.element({"b": "x"})
    assert raised.value.message == (
        'associative list with keys has an element that omits all key fields ["a"]'
        " (and doesn't have default values for any key fields)"
    )


def test_metadata_merges_as_metadata_whatever_the_schema_says() -> None:  # T2
    value = {"metadata": {"ownerReferences": [{"uid": "u", "name": "x"}], "labels": {"a": "b"}}}
    expected: FieldSet = {"f:metadata": {"f:labels": {"f:a": {}}, "f:ownerReferences": {'k:{"uid":"u"}': {}}}}
    bare = Types().root(parse_schema({"type": "object", "properties": {"metadata": {"type": "object"}}}))
    assert whole_fields(bare)(value) == whole_fields(DEDUCED)(value) == expected


def test_embedded_objects_have_metadata_too() -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"x": TEXT}}
    root = Types().root(parse_schema({"type": "object", "properties": {"template": embedded}}))
    value = {"template": {"kind": "Pod", "metadata": {"finalizers": ["f"]}, "x": "1"}}
    check(value, root)
    fields = whole_fields(root)(value)
    assert fields is not None
    assert fields["f:template"]["f:metadata"] == {"f:finalizers": {'v:"f"': {}}}


def test_fields_below_what_became_atomic_become_the_whole() -> None:  # N1, N2
    fields: FieldSet = {
        "f:spec": {
            "f:selector": {"f:a": {}},
            "f:args": {'v:"x"': {}},
            "f:labels": {"f:a": {}},
            "f:gone": {"f:a": {}},
        }
    }
    assert reconcile(fields, ROOT) == {
        "f:spec": {"f:selector": {}, "f:args": {}, "f:labels": {"f:a": {}}, "f:gone": {"f:a": {}}}
    }
    present = whole_fields(ROOT)({"spec": {"selector": {"a": "b"}, "labels": {"a": "b"}}}) or {}
    assert reconcile(present, ROOT) is present


def test_named_fields_become_members() -> None:
    fields: FieldSet = {"f:spec": {"f:labels": {"f:a": {}}, "f:free": {"f:x": {"f:y": {}}}}}
    assert with_named_fields(fields, ROOT) == {
        "f:spec": {
            ".": {},
            "f:labels": {".": {}, "f:a": {}},
            "f:free": {".": {}, "f:x": {"f:y": {}}},
        }
    }
