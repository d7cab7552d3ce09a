"""D1 and D2 of `json_diff`."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.patch.json_diff import json_diff
from kajitori.apimachinery.patch.json_patch import apply_json_patch

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="a/~1", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(alphabet="ab/~0", max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values, values)
def test_the_patch_leads_from_the_one_to_the_other(before: Any, after: Any) -> None:  # D1, D2
    document = {"it": copy.deepcopy(before)}
    operations = json_diff({"it": before}, {"it": after})
    patched = apply_json_patch(document, operations)
    assert repr(patched) == repr({"it": after}) or patched == {"it": after}
    assert json_diff(patched, {"it": after}) == []


@pytest.mark.parametrize(
    ("before", "after", "operations"),
    [
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a/b": 1}, {}, [{"op": "remove", "path": "/a~1b"}]),
        ([1, 2, 3], [1], [{"op": "remove", "path": "/2"}, {"op": "remove", "path": "/1"}]),
    ],
)
def test_operations(before: Any, after: Any, operations: list[dict[str, Any]]) -> None:
    assert json_diff(before, after) == operations
