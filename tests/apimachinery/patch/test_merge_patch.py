"""JSON merge patch: the table of RFC 7386's appendix, and its laws."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text("abc", max_size=1), json_values, max_size=3)
objects_without_lists = st.dictionaries(
    st.text("abc", max_size=1),
    st.recursive(
        st.none() | st.integers(-9, 9),
        lambda inner: st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({}, {"a": [1, None, {"b": None, "c": 1}]}, {"a": [1, None, {"c": 1}]}),
    ],
)
def test_each_row_of_the_rfc(document: Any, patch: Any, expected: Any) -> None:  # M2
    assert apply_merge_patch(document, patch) == expected


@pytest.mark.parametrize("body", [b"[]", b"{bad", b"", b"null", b'"text"', b"data:\n  q: 2\n"])
def test_a_body_that_is_no_object_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_merge_patch(body)


@given(objects, objects)
def test_inputs_stay_as_they_are(document: Any, patch: Any) -> None:  # M1
    before = copy.deepcopy((document, patch))
    apply_merge_patch(document, patch)
    assert (document, patch) == before


@given(objects, objects_without_lists)
def test_twice_is_once(document: Any, patch: Any) -> None:
    once = apply_merge_patch(document, patch)
    assert apply_merge_patch(once, patch) == once


@given(objects, objects)
def test_every_member_the_patch_names_is_as_it_says(document: Any, patch: Any) -> None:
    result = apply_merge_patch(document, patch)
    for key, value in patch.items():
        if value is None:
            assert key not in result
        elif not isinstance(value, dict | list):
            assert result[key] == value
    assert all(result[key] is document[key] for key in document.keys() - patch.keys())


def test_nesting_without_end_is_a_bad_request() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"x": deep}
    with pytest.raises(BadRequest):
        apply_merge_patch(deep, deep)
