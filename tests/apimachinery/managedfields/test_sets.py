"""Field sets: the laws of sets, and fieldsV1 there and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.managedfields.sets import (
    FieldsError,
    FieldSet,
    difference,
    from_elements,
    from_paths,
    has,
    intersection,
    leaves,
    ordered,
    parse,
    path_text,
    paths,
    recursive_difference,
    union,
)

elements = st.sampled_from(["f:a", "f:b", 'k:{"n":"x"}', 'k:{"n":10}', 'k:{"n":9}', 'v:"x"', "v:1"])
element_paths = st.lists(elements, min_size=1, max_size=3).map(tuple)
path_sets = st.frozensets(element_paths, max_size=6)


def members(fields: FieldSet) -> set[tuple[str, ...]]:
    return set(paths(fields))


@given(path_sets, path_sets)
def test_the_algebra_is_that_of_the_members(one: Any, other: Any) -> None:  # S1
    ours, theirs = from_elements(one), from_elements(other)
    assert members(ours) == one
    assert members(union(ours, theirs)) == one | other
    assert members(intersection(ours, theirs)) == one & other
    assert members(difference(ours, theirs)) == one - other
    below = {path for path in one if any(path[: len(top)] == top for top in other)}
    assert members(recursive_difference(ours, theirs)) == one - below
    assert members(leaves(ours)) == {
        path for path in one if not any(each != path and each[: len(path)] == path for each in one)
    }


@given(path_sets, path_sets)
def test_one_set_is_one_dict(one: Any, other: Any) -> None:  # S2
    ours, theirs = from_elements(one), from_elements(other)
    assert union(ours, theirs) == from_elements(one | other) == union(theirs, ours)
    assert difference(union(ours, theirs), theirs) == from_elements(one - other)
    assert intersection(ours, theirs) == from_elements(one & other)
    assert union(ours, ours) == intersection(ours, ours) == ours
    assert difference(ours, ours) == recursive_difference(ours, ours) == {}


@given(path_sets)
def test_fields_v1_there_and_back(wanted: Any) -> None:  # S2, S3
    fields = from_elements(wanted)
    written = json.loads(json.dumps(ordered(fields)))
    assert parse(written) == fields
    assert parse(written) is written
    assert list(paths(parse(written))) == list(paths(fields))
    assert all(has(fields, path) for path in wanted)


def test_the_order_written_is_kubernetes_order() -> None:  # S3
    fields: FieldSet = {"f:b": {}, "f:a": {'k:{"p":443}': {}, 'k:{"p":80}': {"f:x": {}, ".": {}}, ".": {}}}
    assert json.dumps(ordered(fields)) == json.dumps(
        {"f:a": {".": {}, 'k:{"p":80}': {".": {}, "f:x": {}}, 'k:{"p":443}': {}}, "f:b": {}}
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, {}),
        ({".": {}}, {}),
        ({"f:a": None}, {"f:a": {}}),
        ({"f:a": {".": {}}}, {"f:a": {}}),
        ({"f:a": {"x:new": {}}}, {"f:a": {}}),
        ({"x:new": {"f:a": {}}}, {}),
        ({'k:{"b":1,"a":2}': {}, 'k:{"a":2,"b":1}': {"f:x": {}}}, {'k:{"a":2,"b":1}': {".": {}, "f:x": {}}}),
    ],
)
def test_what_can_be_understood_is(written: Any, expected: FieldSet) -> None:
    assert parse(written) == expected


@pytest.mark.parametrize("written", [[], "text", {"name": {}}, {"f:a": []}, {"f:a": 1}, {"k:x": {}}])
def test_what_cannot_is_refused(written: Any) -> None:
    with pytest.raises(FieldsError):
        parse(written)


def test_paths_read_as_in_messages() -> None:
    path = ("f:spec", 'k:{"name":"c"}', "f:image")
    assert path_text(path) == '.spec[name="c"].image'
    assert from_paths("a", "a.b", "c.d") == {"f:a": {".": {}, "f:b": {}}, "f:c": {"f:d": {}}}
    assert not has(from_paths("a.b"), ("f:a",))
    assert not has(from_paths("a"), ())
