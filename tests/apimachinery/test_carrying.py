"""Changes to what a class knows, made to the whole."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.carrying import carried
from kajitori.apimachinery.patch.json_diff import json_diff
from kajitori.apis import apply_json_patch

known = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "a", "b", "c"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def with_more(value: Any) -> Any:
    """The same with members in every object that a class does not know."""
    if isinstance(value, dict):
        return {**{name: with_more(each) for name, each in value.items()}, "unknown": [{"kept": 1}]}
    return [with_more(each) for each in value] if isinstance(value, list) else value


def without_more(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_more(each) for name, each in value.items() if name != "unknown"}
    return [without_more(each) for each in value] if isinstance(value, list) else value


def unknown_paths(actual: Any, before: Any, after: Any) -> bool:
    """Whether objects that are in both, by the names of their members, keep what is unknown of them."""
    if isinstance(before, dict) and isinstance(after, dict):
        return "unknown" in actual and all(
            unknown_paths(actual[name], before[name], after[name]) for name in before.keys() & after.keys()
        )
    return True


@given(known, known)
def test_the_result_is_the_changed_object_and_what_nobody_knew(before: Any, after: Any) -> None:  # K1, K2
    actual = with_more(before)
    result = carried(actual, before, after)
    assert without_more(result) == after
    assert unknown_paths(result, before, after)


@given(known)
def test_without_a_change_nothing_is_touched(value: Any) -> None:  # K3
    actual = with_more(value)
    assert carried(actual, value, value) is actual


@given(known, known)
def test_the_patch_makes_the_result(before: Any, after: Any) -> None:
    actual = with_more({"spec": before})
    result = carried(actual, {"spec": before}, {"spec": after})
    assert apply_json_patch(actual, json_diff(actual, result)) == result


def test_items_that_moved_keep_what_nobody_knew() -> None:  # K1
    actual = [{"name": "a", "x": 1}, {"name": "b", "x": 2}, {"name": "c", "x": 3}]
    before = [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    after = [{"name": "new"}, {"name": "c"}, {"name": "a", "size": 1}]
    assert carried(actual, before, after) == [
        {"name": "new"},
        {"name": "c", "x": 3},
        {"name": "a", "x": 1, "size": 1},
    ]


def test_a_default_of_the_class_that_was_changed_is_written() -> None:  # K2
    assert carried({"x": 1}, {"size": 1}, {"size": 2}) == {"x": 1, "size": 2}
    assert carried({"x": 1}, {"size": 1, "color": "a"}, {"size": 1, "color": "b"}) == {"x": 1, "color": "b"}
    assert carried({"size": 1, "x": 1}, {}, {"size": 2}) == {"x": 1, "size": 2}
    assert carried({"size": 5, "x": 1}, {"size": 5}, {}) == {"x": 1}


def test_true_is_not_one() -> None:
    assert carried({"a": 1}, {"a": 1}, {"a": True}) == {"a": True}
    assert carried({"a": [True]}, {"a": [True]}, {"a": [1]})["a"][0] is not True
