"""Strategic merge patch on Deployments and ConfigMaps, as Kubernetes 1.36 answered, and its laws."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.errors import ApiError, BadRequest
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apimachinery.schema import Schema, parse_schema

KEYED = {"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"}
TEXT = {"type": "string"}
VARIABLE = {"type": "object", "properties": {"name": TEXT, "value": TEXT}}
CONTAINER = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "image": TEXT,
        "args": {"type": "array", "items": TEXT},
        "env": {"type": "array", "items": VARIABLE, **KEYED},
    },
}
SCHEMA: Schema = parse_schema(
    {
        "type": "object",
        "properties": {
            "finalizers": {"type": "array", "items": TEXT, "x-kubernetes-patch-strategy": "merge"},
            "containers": {"type": "array", "items": CONTAINER, **KEYED},
            "tolerations": {"type": "array", "items": {"type": "object"}},
            "nodeSelector": {"type": "object", "additionalProperties": TEXT},
            "strategy": {
                "type": "object",
                "properties": {
                    "type": TEXT,
                    "rollingUpdate": {"type": "object", "additionalProperties": TEXT},
                },
                "x-kubernetes-patch-strategy": "retainKeys",
            },
            "replaced": {
                "type": "object",
                "additionalProperties": TEXT,
                "x-kubernetes-patch-strategy": "replace",
            },
        },
    }
)
LIVE = {
    "finalizers": ["a", "b"],
    "containers": [
        {
            "name": "c",
            "image": "img:1",
            "args": ["x", "y"],
            "env": [{"name": "A"}, {"name": "B", "value": "2"}],
        },
        {"name": "d", "image": "side:1"},
    ],
    "tolerations": [{"key": "k1"}],
    "nodeSelector": {"a": "b"},
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "1"}},
    "replaced": {"x": "1"},
}


def patched(patch: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy((LIVE, patch))
    result = apply_strategic_merge_patch(LIVE, patch, SCHEMA)
    assert (LIVE, patch) == before  # S1
    return result


def names(result: dict[str, Any]) -> list[str]:
    return [each["name"] for each in result["containers"]]


def test_lists_merge_by_key_and_new_items_come_first() -> None:  # S3
    assert names(patched({"containers": [{"name": "e", "image": "third:1"}]})) == ["e", "c", "d"]
    merged = patched({"containers": [{"name": "c", "env": [{"name": "B", "value": "9"}, {"name": "C"}]}]})
    assert merged["containers"][0]["env"] == [{"name": "A"}, {"name": "B", "value": "9"}, {"name": "C"}]
    assert merged["containers"][0]["image"] == "img:1"


def test_other_lists_are_replaced() -> None:
    result = patched({"tolerations": [{"key": "k2"}], "containers": [{"name": "c", "args": ["only"]}]})
    assert result["tolerations"] == [{"key": "k2"}]
    assert result["containers"][0]["args"] == ["only"]


def test_null_removes() -> None:
    assert "finalizers" not in patched({"finalizers": None, "absent": None})
    assert "args" not in patched({"containers": [{"name": "c", "args": None}]})["containers"][0]


def test_items_can_be_deleted_and_lists_replaced() -> None:
    assert names(patched({"containers": [{"name": "d", "$patch": "delete"}]})) == ["c"]
    replaced = patched({"containers": [{"$patch": "replace"}, {"name": "z"}]})
    assert replaced["containers"] == [{"name": "z"}]


def test_maps_can_be_deleted_and_replaced() -> None:
    assert patched({"nodeSelector": {"$patch": "replace", "q": "r"}})["nodeSelector"] == {"q": "r"}
    assert patched({"nodeSelector": {"$patch": "delete"}})["nodeSelector"] == {}
    assert patched({"replaced": {"y": "2"}})["replaced"] == {"y": "2"}


def test_primitives_are_a_set() -> None:
    assert patched({"finalizers": ["c"]})["finalizers"] == ["c", "a", "b"]
    assert patched({"finalizers": ["b", "c"]})["finalizers"] == ["a", "b", "c"]
    assert patched({"$deleteFromPrimitiveList/finalizers": ["a"]})["finalizers"] == ["b"]
    order = {"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["b"]}
    assert patched(order)["finalizers"] == ["b", "a"]


def test_the_order_can_be_set() -> None:
    order = {"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}]}
    assert names(patched(order)) == ["d", "c"]
    assert names(patched({**order, "containers": [{"name": "c", "image": "x:9"}]})) == ["d", "c"]
    added = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "n"}, {"name": "d"}],
        "containers": [{"name": "n"}],
    }
    assert names(patched(added)) == ["c", "n", "d"]


def test_retain_keys_clears_the_others() -> None:
    result = patched({"strategy": {"$retainKeys": ["type"], "type": "Recreate"}})
    assert result["strategy"] == {"type": "Recreate"}
    both = {"$retainKeys": ["type", "rollingUpdate"], "type": "Recreate", "rollingUpdate": None}
    assert patched({"strategy": both})["strategy"] == {"type": "Recreate"}


def test_no_directive_is_left_in_what_is_added() -> None:  # S2
    live = {"containers": [{"name": "c"}]}
    env = [{"name": "A"}, {"name": "B", "$patch": "delete"}, {"name": "C", "value": None}]
    patch = {"containers": [{"name": "c", "env": env}], "nodeSelector": {"$patch": "delete"}}
    assert apply_strategic_merge_patch(live, patch, SCHEMA) == {
        "containers": [{"name": "c", "env": [{"name": "A"}, {"name": "C"}]}]
    }


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            {"containers": [{"image": "nokey"}]},
            "map: map[image:nokey] does not contain declared merge key: name",
        ),
        (
            {"nodeSelector": {"$patch": "bogus", "x": "y"}},
            "unknown patch type: bogus in map: map[$patch:bogus x:y]",
        ),
        (
            {"$setElementOrder/containers": [{"name": "d"}], "containers": [{"name": "zz", "image": "z"}]},
            "The order in patch list:\n[map[image:z name:zz]]\n doesn't match $setElementOrder list:\n"
            "[map[name:d]]\n",
        ),
        (
            {"containers": [{"name": "c", "$patch": "merge"}]},
            "merging lists cannot yet be specified in the patch",
        ),
        ({"finalizers": ["a", 1]}, "list element types are not identical: [[a b] [a 1]]"),
    ],
)
def test_what_does_not_fit_is_an_unnamed_server_error(patch: Any, message: str) -> None:
    with pytest.raises(ApiError) as raised:
        patched(patch)
    status = raised.value.to_status()
    assert status["message"] == message
    assert status["code"] == 500
    assert "reason" not in status


@pytest.mark.parametrize(
    "patch",
    [
        {"strategy": {"$retainKeys": "type", "type": "Recreate"}},
        {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}},
        {"$deleteFromPrimitiveListfinalizers": ["a"]},
    ],
)
def test_malformed_directives_are_bad_requests(patch: Any) -> None:
    with pytest.raises(BadRequest):
        patched(patch)


def test_lists_of_lists_are_invalid() -> None:
    with pytest.raises(ApiError) as raised:
        patched({"finalizers": [["a"]], "containers": []})
    assert raised.value.code in (422, 500)


@pytest.mark.parametrize("body", [b"[]", b"data:\n  q: 2\n", b""])
def test_a_body_that_is_no_object_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_strategic_merge_patch(body)


key_lists = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(key_lists, key_lists)
def test_merged_lists_keep_both_orders(live: list[str], wanted: list[str]) -> None:  # S3
    original = {"containers": [{"name": name} for name in live]}
    patch = {"containers": [{"name": name, "image": "new"} for name in wanted]}
    result = apply_strategic_merge_patch(original, patch, SCHEMA)["containers"]
    merged = [each["name"] for each in result]
    assert sorted(merged) == sorted({*live, *wanted})
    assert [name for name in merged if name in wanted] == wanted
    assert [name for name in merged if name not in wanted] == [name for name in live if name not in wanted]
    assert all((each.get("image") == "new") == (each["name"] in wanted) for each in result)


@given(key_lists, key_lists)
def test_twice_is_once(live: list[str], wanted: list[str]) -> None:
    patch = {"finalizers": wanted, "containers": [{"name": name} for name in wanted]}
    original = {"finalizers": live, "containers": [{"name": name} for name in live]}
    once = apply_strategic_merge_patch(original, patch, SCHEMA)
    assert apply_strategic_merge_patch(once, patch, SCHEMA) == once
