"""JSON patch: the examples of RFC 6902, Kubernetes' deviations, and that inputs stay as they are."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from kajitori.apimachinery.patch.json_patch import (
    OPERATIONS_MAX,
    PatchError,
    TestFailed,
    apply_json_patch,
    parse_json_patch,
    patched,
    strict_complaints,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
pointers = st.lists(st.text("ab01-~/", min_size=1, max_size=2), max_size=3).map(
    lambda steps: "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
)
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": pointers,
        "from": pointers,
        "value": json_values,
    }
)


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"foo": "bar", "baz": "qux"}),
        ({"foo": ["a", "b"]}, {"op": "add", "path": "/foo/1", "value": "x"}, {"foo": ["a", "x", "b"]}),
        ({"foo": ["a"]}, {"op": "add", "path": "/foo/-", "value": ["b"]}, {"foo": ["a", ["b"]]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"foo": ["a", "b", "c"]}, {"op": "remove", "path": "/foo/1"}, {"foo": ["a", "c"]}),
        ({"a": 1}, {"op": "replace", "path": "/a", "value": None}, {"a": None}),
        ({"a": {"b": 1}, "c": {}}, {"op": "move", "from": "/a/b", "path": "/c/d"}, {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2, 3]}, {"op": "move", "from": "/a/0", "path": "/a/2"}, {"a": [2, 3, 1]}),
        ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": 1, "m~n": 2}, {"op": "remove", "path": "/a~1b"}, {"m~n": 2}),
        ({"~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"~1": 10}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
        ({"a": 1}, {"op": "test", "path": "", "value": {"a": 1}}, {"a": 1}),
    ],
)
def test_each_operation_of_the_rfc(document: Any, operation: Any, expected: Any) -> None:
    assert apply_json_patch(document, [operation]) == expected


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({}, {"op": "replace", "path": "/new", "value": 1}, {"new": 1}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/-1"}, {"a": [1]}),
        ({"a": [1, 2]}, {"op": "add", "path": "/a/-1", "value": 3}, {"a": [1, 2, 3]}),
        ({}, {"op": "test", "path": "/absent", "value": None}, {}),
        ({}, {"op": "test", "path": "/absent"}, {}),
        ({}, {"op": "copy", "from": "/absent", "path": "/b"}, {"b": None}),
        ({}, {"op": "add", "path": "/a"}, {"a": None}),
        ({"a": {"b": 1}}, {"op": "remove", "path": "ignored/a/b"}, {"a": {}}),
    ],
)
def test_kubernetes_deviates_from_the_rfc(document: Any, operation: Any, expected: Any) -> None:  # J3
    assert apply_json_patch(document, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/x", "value": "nope"},
        {"op": "test", "path": "/one", "value": True},
        {"op": "test", "path": "/one", "value": 1.0},
        {"op": "test", "path": "/one"},
        {"op": "remove", "path": "/data/absent"},
        {"op": "remove", "path": ""},
        {"op": "add", "path": "/no/such/parent", "value": 1},
        {"op": "add", "path": "/list/2", "value": 1},
        {"op": "add", "path": "/list/1_0", "value": 1},
        {"op": "replace", "path": "/list/1", "value": 1},
        {"op": "replace", "path": "", "value": "text"},
        {"op": "move", "from": "/absent", "path": "/b"},
        {"op": "move", "from": "/data", "path": "/data/x"},
        {"op": "frobnicate", "path": "/data/x"},
        {"op": "add"},
        {"path": "/data/x"},
        None,
    ],
)
def test_what_does_not_apply_is_invalid_without_a_reason(operation: Any) -> None:  # J2
    document = {"data": {"x": "1"}, "one": 1, "list": [1]}
    with pytest.raises(Invalid) as raised:
        apply_json_patch(document, [{"op": "add", "path": "/data/y", "value": 1}, operation])
    assert raised.value.to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the server rejected our request due to an error in our request",
        "reason": "Invalid",
        "details": {},
        "code": 422,
    }
    assert document == {"data": {"x": "1"}, "one": 1, "list": [1]}


@pytest.mark.parametrize(
    "body", [b'{"op": "add"}', b"not json", b"", b"[1]", b'[{"op": 1}]', b'[{"path": []}]']
)
def test_a_body_that_is_no_patch_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_json_patch(body)


def test_strict_validation_finds_unknown_and_repeated_members() -> None:
    body = b'[{"op": "remove", "path": "/a", "path": "/b"}, {"op": "test", "path": "/a", "values": 1}, null]'
    assert strict_complaints(body, parse_json_patch(body)) == [
        'json patch duplicate field "[0].path"',
        'json patch unknown field "[1].values"',
    ]


def test_null_is_an_empty_patch() -> None:
    assert parse_json_patch(b"null") == []


def test_more_operations_than_allowed_are_refused() -> None:
    body = b"[" + b",".join([b"{}"] * (OPERATIONS_MAX + 1)) + b"]"
    with pytest.raises(RequestEntityTooLarge) as raised:
        parse_json_patch(body)
    assert raised.value.message == "The allowed maximum operations in a JSON patch is 10000, got 10001"


def test_copies_that_double_again_and_again_are_refused() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": "/a/b"}, {"op": "copy", "from": "/a", "path": "/a/c"}]
    with pytest.raises(Invalid):
        apply_json_patch({"a": {"x": "y"}}, doubling * 30)


def test_a_copy_is_another_value() -> None:
    patch = [
        {"op": "add", "path": "/a/b", "value": {}},
        {"op": "copy", "from": "/a", "path": "/c"},
        {"op": "add", "path": "/a/b/x", "value": 1},
        {"op": "add", "path": "/c/b/y", "value": 2},
    ]
    assert apply_json_patch({"a": {}}, patch) == {"a": {"b": {"x": 1}}, "c": {"b": {"y": 2}}}


@given(json_values, st.lists(operations, max_size=6))
def test_inputs_stay_as_they_are(document: Any, patch: Any) -> None:  # J1
    before = copy.deepcopy((document, patch))
    try:
        result = apply_json_patch(document, patch)
    except Invalid:
        pass
    else:
        assert result == apply_json_patch(copy.deepcopy(document), copy.deepcopy(patch))
    assert (document, patch) == before


@given(st.dictionaries(st.text("ab/~", max_size=3), json_values), st.text("ab/~", max_size=3), json_values)
def test_what_was_added_tests_true_and_can_be_removed(document: Any, key: str, value: Any) -> None:
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    add, check = {"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}
    rest = {name: each for name, each in document.items() if name != key}
    assert apply_json_patch(document, [add, check, {"op": "remove", "path": path}]) == rest


def test_what_is_copied_into_itself_does_not_hold_itself() -> None:
    patch = [
        {"op": "copy", "from": "/a", "path": "/a/b/c"},
        {"op": "add", "path": "/a/b/c/x", "value": 1},
    ]
    assert patched({"a": {"b": {}}}, patch) == {"a": {"b": {"c": {"b": {}, "x": 1}}}}


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"op": "add", "path": "/a/b/c"}, 'add operation does not apply: doc is missing path: "/a/b/c": missing value'),
        ({"op": "add", "path": "/l/x"}, "error in add for path: '/l/x': value was not a proper array index: 'x': "
         'strconv.Atoi: parsing "x": invalid syntax'),
        ({"op": "add", "path": "/l/9"},
         "error in add for path: '/l/9': Unable to access invalid index: 9: invalid index referenced"),
        ({"op": "add"}, "add operation failed to decode path: missing value"),
        ({"op": "remove", "path": "/x"},
         "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"),
        ({"op": "replace", "path": "/l/9"},
         "replace operation does not apply: doc is missing key: /l/9: missing value"),
        ({"op": "replace", "path": "", "value": 1}, "replace operation value must be object or array: %!w(<nil>)"),
        ({"op": "move", "from": "/x", "path": "/y"},
         "error in move for path: 'x': Unable to remove nonexistent key: x: missing value"),
        ({"op": "move", "path": "/y"},
         "move operation failed to decode from: operation, missing from field: missing value"),
        ({"op": "copy", "from": "/x/y", "path": "/y"},
         "copy operation does not apply: doc is missing from path: /x/y: missing value"),
        ({"op": "test", "path": "/l/x"}, "error in test for path: '/l/x': strconv.Atoi: parsing \"x\": invalid syntax"),
        ({"op": "test", "path": "/a", "value": 2}, "testing value /a failed: test failed"),
        ({"op": "what"}, "Unexpected kind: what"),
        ({}, "Unexpected kind: unknown"),
    ],
)  # fmt: skip
def test_why_an_operation_does_not_apply(operation: dict[str, Any], said: str) -> None:  # J2
    with pytest.raises(PatchError) as raised:
        patched({"a": 1, "l": [0]}, [operation])
    assert str(raised.value) == said
    assert isinstance(raised.value, TestFailed) == said.startswith("testing")
