"""Configurations of policies, laid over objects."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.managedfields.overlaying import OverlayError, overlay
from kajitori.apimachinery.managedfields.types import Types
from kajitori.apimachinery.schema import parse_schema

NAMED = {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}
SPEC = {
    "type": "object",
    "properties": {
        "free": {"type": "object", "additionalProperties": {"type": "string"}},
        "keyed": {
            "type": "array",
            "items": NAMED,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "plain": {"type": "array", "items": {"type": "string"}},
        "whole": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {"a": {"type": "string"}},
        },
        "number": {"type": "integer"},
    },
}
OF = Types().root(parse_schema({"type": "object", "properties": {"spec": SPEC}}))

names = st.sampled_from("abc")
texts = st.dictionaries(names, names)
items = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"n": st.integers(0, 9)}),
    unique_by=lambda item: item["name"],
)
specs = st.fixed_dictionaries({}, optional={"free": texts, "keyed": items, "number": st.integers(0, 9)})


def obj(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "K", "spec": spec}


@given(specs, specs)
def test_the_configuration_wins_and_the_rest_stays(live: Any, config: Any) -> None:  # V1
    before = copy.deepcopy((live, config))
    merged = overlay(obj(live), obj(config), OF)["spec"]
    assert (live, config) == before
    assert merged.get("number") == config.get("number", live.get("number"))
    assert (merged.get("free") or {}) == {**live.get("free", {}), **config.get("free", {})}
    by_name = {item["name"]: item for item in merged.get("keyed") or ()}
    for item in live.get("keyed", []):
        assert item.items() <= {**by_name[item["name"]], **item}.items()
    for item in config.get("keyed", []):
        assert item.items() <= by_name[item["name"]].items()
    assert len(by_name) == len({item["name"] for item in [*live.get("keyed", []), *config.get("keyed", [])]})
    assert overlay(obj(merged), obj(config), OF)["spec"] == merged


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"nope": 1}, "failed to convert patch object to typed object: .spec.nope: field not declared in schema"),
        ({"number": "1"}, "failed to convert patch object to typed object: .spec.number: "
         "expected numeric (int or float), got string"),
        ({"whole": {"a": "x"}, "plain": []},
         "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.whole, .spec.plain"),
        ({"keyed": [{"n": 1}]}, "failed to convert patch object to typed object: .spec.keyed: element 0: associative "
         'list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for '
         "any key fields)"),
        ({"keyed": [{"name": "a"}, {"name": "a"}]},
         'failed to convert patch object to typed object: .spec.keyed: duplicate entries for key [name="a"]'),
    ],
)  # fmt: skip
def test_what_is_refused(spec: Any, said: str) -> None:  # V2
    with pytest.raises(OverlayError) as raised:
        overlay(obj({}), obj(spec), OF)
    assert str(raised.value) == said
