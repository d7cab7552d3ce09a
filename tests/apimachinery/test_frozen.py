"""Frozen JSON: reads like a dict, encodes like a dict, and cannot be changed."""

import copy
import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.frozen import FrozenDict, FrozenList, Unstructured, freeze, thaw

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
objects = st.dictionaries(st.text(max_size=3), values, max_size=4)


def every_container(value: Any) -> list[Any]:
    found = [value] if isinstance(value, (dict, list)) else []
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [each for member in members for each in every_container(member)]


@given(objects)
def test_everything_inside_is_frozen_and_equal(value: dict[str, Any]) -> None:  # F1, F2
    frozen = freeze(copy.deepcopy(value))
    assert all(isinstance(each, (FrozenDict, FrozenList)) for each in every_container(frozen))
    assert frozen == value and list(frozen) == list(value)
    assert msgspec.json.encode(frozen) == msgspec.json.encode(value)
    assert json.dumps(frozen) == json.dumps(value)


@given(objects)
def test_thawed_is_plain_and_shares_nothing(value: dict[str, Any]) -> None:  # F3
    frozen = freeze(copy.deepcopy(value))
    for thawed in (thaw(frozen), copy.deepcopy(frozen)):
        assert thawed == value
        assert all(type(each) in (dict, list) for each in every_container(thawed))


MUTATIONS = {
    "set": lambda d: d.__setitem__("a", 1),
    "delete": lambda d: d.__delitem__("a"),
    "update": lambda d: d.update(a=1),
    "clear": lambda d: d.clear(),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("b", 1),
    "merge": lambda d: d.__ior__({"b": 1}),
    "item": lambda d: d["a"].__setitem__(0, 1),
    "append": lambda d: d["a"].append(1),
    "extend": lambda d: d["a"].extend([1]),
    "insert": lambda d: d["a"].insert(0, 1),
    "remove": lambda d: d["a"].remove(1),
    "list pop": lambda d: d["a"].pop(),
    "sort": lambda d: d["a"].sort(),
    "reverse": lambda d: d["a"].reverse(),
    "list clear": lambda d: d["a"].clear(),
    "add": lambda d: d["a"].__iadd__([1]),
    "multiply": lambda d: d["a"].__imul__(2),
    "delete item": lambda d: d["a"].__delitem__(0),
    "deep": lambda d: d["a"][1]["b"].__setitem__("c", 1),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_no_mutation_gets_through(name: str) -> None:  # F1
    frozen = freeze({"a": [1, {"b": {}}]})
    with pytest.raises(TypeError, match="thaw"):
        MUTATIONS[name](frozen)
    assert frozen == {"a": [1, {"b": {}}]}


def test_shallow_copies_are_plain_and_their_members_stay_frozen() -> None:  # F1
    frozen = freeze({"spec": {"replicas": 1}})
    changed = {**frozen, "spec": {**frozen["spec"], "replicas": 2}}
    assert changed == {"spec": {"replicas": 2}} and frozen["spec"]["replicas"] == 1
    assert type(frozen.copy()) is dict and isinstance(frozen.copy()["spec"], FrozenDict)


def test_an_object_knows_its_names() -> None:
    pod = freeze(
        {"metadata": {"name": "a", "namespace": "b", "uid": "u", "resourceVersion": "7", "finalizers": ["x"]}}
    )
    assert isinstance(pod, Unstructured)
    assert (str(pod.key), pod.uid, pod.resource_version, pod.finalizers) == ("b/a", "u", "7", ["x"])
    assert (pod.generation, dict(pod.labels), pod.being_deleted) == (0, {}, False)


def test_pickles_as_itself() -> None:
    frozen = freeze({"a": [{}]})
    restored = pickle.loads(pickle.dumps(frozen))
    assert restored == frozen and isinstance(restored, Unstructured) and isinstance(restored["a"], FrozenList)
