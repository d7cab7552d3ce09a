"""What happens to an object on its way in: defaults, nulls, metadata, unknown fields."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.structural import StructuralSchema, has_rules


def schema(spec: dict[str, Any]) -> StructuralSchema:
    return StructuralSchema({"type": "object", "properties": {"spec": spec}})


def test_unknown_fields_go_and_are_told() -> None:  # X1 X2
    known = schema(
        {
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "list": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                },
                "map": {
                    "type": "object",
                    "additionalProperties": {"type": "object", "properties": {"k": {"type": "string"}}},
                },
                "flag": {"type": "object", "additionalProperties": True},
            },
        }
    )
    value = {
        "apiVersion": "v1",
        "kind": "K",
        "metadata": {"name": "n"},
        "spec": {
            "a": {"not": "a string"},
            "list": [{"k": "1"}, {"z": 1}],
            "map": {"m": {"k": "1", "z": 1}},
            "flag": {"kept": {"inside": 1}},
        },
        "top": 1,
    }
    assert known.prune(value) == [
        "spec.a.not",
        "spec.flag.kept.inside",
        "spec.list[1].z",
        "spec.map.m.z",
        "top",
    ]
    assert value["spec"] == {
        "a": {},
        "list": [{"k": "1"}, {}],
        "map": {"m": {"k": "1"}},
        "flag": {"kept": {}},
    }
    assert value["metadata"] == {"name": "n"}  # X3


def test_a_schema_that_says_nothing_keeps_nothing() -> None:  # X1
    value = {"apiVersion": "v1", "kind": "K", "metadata": {}, "spec": {"a": 1}}
    assert StructuralSchema({}).prune(value) == ["spec"]


def test_preserved_fields_stay_but_known_ones_below_are_pruned() -> None:  # X1
    known = schema(
        {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"typed": {"type": "object", "properties": {"x": {"type": "string"}}}},
        }
    )
    value = {"spec": {"free": {"deep": 1}, "typed": {"x": "1", "y": 2}}}
    assert known.prune(value) == ["spec.typed.y"]
    assert value == {"spec": {"free": {"deep": 1}, "typed": {"x": "1"}}}


def test_defaults_are_copies_and_reach_into_themselves() -> None:  # G1 G3
    raw: dict[str, Any] = {
        "type": "object",
        "properties": {
            "o": {
                "type": "object",
                "default": {"l": []},
                "properties": {
                    "l": {"type": "array", "items": {"type": "string"}},
                    "x": {"type": "integer", "default": 7},
                },
            }
        },
    }
    known = schema(raw)
    first: dict[str, Any] = {"spec": {}}
    second: dict[str, Any] = {"spec": {}}
    known.default(first)
    known.default(second)
    assert first == second == {"spec": {"o": {"l": [], "x": 7}}}
    first["spec"]["o"]["l"].append("mine")
    assert second["spec"]["o"]["l"] == [] and raw["properties"]["o"]["default"] == {"l": []}


def test_nulls_become_defaults_or_go_unless_allowed() -> None:  # G2
    known = schema(
        {
            "type": "object",
            "properties": {
                "d": {"type": "string", "default": "x"},
                "n": {"type": "string", "nullable": True, "default": "x"},
                "p": {"type": "string"},
                "l": {"type": "array", "items": {"type": "string", "default": "i"}},
                "m": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    )
    value = {"spec": {"d": None, "n": None, "p": None, "l": [None, "a"], "m": {"k": None}, "unknown": None}}
    known.default(value)
    assert value == {"spec": {"d": "x", "n": None, "l": ["i", "a"], "m": {}, "unknown": None}}


def test_metadata_has_the_types_of_object_meta() -> None:  # O1 O2
    known = schema({"type": "object"})
    value: dict[str, Any] = {
        "metadata": {
            "name": "n",
            "namespace": "",
            "labels": {"a": "b"},
            "finalizers": [],
            "creationTimestamp": "2006-01-02T15:04:05+09:00",
            "bogus": 1,
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "u", "extra": 1}],
        }
    }
    coerced = known.coerce(value)
    assert coerced.error is None
    assert coerced.unknown == ["metadata.bogus", "metadata.ownerReferences[0].extra"]
    assert value["metadata"] == {
        "name": "n",
        "labels": {"a": "b"},
        "creationTimestamp": "2006-01-02T06:04:05Z",
        "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "u"}],
    }


def test_malformed_metadata_is_an_error_or_dropped() -> None:  # O3
    known = schema({"type": "object"})
    value = {"metadata": {"name": "n", "labels": {"a": 1}, "generation": "x"}}
    error = known.coerce(copy.deepcopy(value)).error
    assert error is not None and str(error).endswith(
        "json: cannot unmarshal string into Go struct field ObjectMeta.generation of type int64"
    )
    assert known.coerce(value, drop_invalid=True).error is None
    assert value == {"metadata": {"name": "n"}}
    other: dict[str, Any] = {"kind": 5, "metadata": "x"}
    assert str(known.coerce(dict(other)).error) == "kind: Invalid value: 5: must be a string"
    assert str(known.coerce({"metadata": "x"}).error) == (
        'metadata: Invalid value: "x": json: cannot unmarshal string into Go value of type v1.ObjectMeta'
    )


def test_embedded_resources_have_metadata_too() -> None:
    known = schema(
        {
            "type": "object",
            "properties": {
                "list": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "x-kubernetes-preserve-unknown-fields": True,
                    },
                }
            },
        }
    )
    value = {"spec": {"list": [{"apiVersion": "a/b/c", "kind": "k_", "metadata": {"name": "x/y", "z": 1}}]}}
    assert known.decode(value).unknown == ["spec.list[0].metadata.z"]
    assert [each.path for each in known.validate(value)] == [
        "spec.list[0].apiVersion",
        "spec.list[0].kind",
        "spec.list[0].metadata.name",
    ]


def test_rules_are_found_at_any_depth() -> None:
    rule = {"x-kubernetes-validations": [{"rule": "true"}]}
    assert has_rules({"properties": {"a": {"items": rule}}})
    assert not has_rules({"properties": {"a": {"items": {"type": "string"}}}})


members = st.dictionaries(
    st.sampled_from("abcd"),
    st.one_of(st.none(), st.integers(), st.fixed_dictionaries({"a": st.integers()})),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(members)
def test_decoding_twice_changes_nothing_more(spec: dict[str, Any]) -> None:  # C1
    known = schema(
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "default": 1},
                "b": {"type": "object", "properties": {"a": {"type": "integer"}}},
                "c": {
                    "type": "object",
                    "default": {},
                    "properties": {"x": {"type": "string", "default": "y"}},
                },
            },
        }
    )
    value = {"spec": spec}
    known.decode(value)
    before = copy.deepcopy(value)
    assert known.decode(value).unknown == []
    assert value == before
