"""Validation of values: messages, ratcheting, and the agreement of the fast road with the slow one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural import StructuralSchema
from kajitori.apimachinery.structural.constraints import Constraints
from kajitori.apimachinery.structural.explain import explain
from kajitori.apimachinery.structural.predicate import predicate


def complaints(schema: dict[str, Any], value: Any) -> list[FieldError]:
    whole = StructuralSchema({"type": "object", "properties": {"x": schema}})
    return whole.validate({"x": value})


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (
            {"type": "integer", "maximum": 10, "exclusiveMaximum": True},
            10,
            ["x in body should be less than 10"],
        ),
        ({"type": "number", "minimum": 0.5}, 0.25, ["x in body should be greater than or equal to 0.5"]),
        ({"type": "number", "multipleOf": 0.1}, 0.3, []),
        ({"type": "integer", "multipleOf": 3}, 7, ["x in body should be a multiple of 3"]),
        ({"type": "integer"}, 5.0, []),
        (
            {"type": "integer", "format": "int32"},
            3_000_000_000,
            ["Checked value must be of type integer with format int32 in x"],
        ),
        ({"type": "array", "uniqueItems": True}, [1, 1], ["x in body shouldn't contain duplicates"]),
        (
            {"type": "object", "additionalProperties": False},
            {"a": 1},
            ["x.a in body is a forbidden property"],
        ),
        (
            {"allOf": [{"minLength": 2}, {"maxLength": 1}], "type": "string"},
            "",
            [
                "x in body should be at least 2 chars long",
                '"x" must validate all the schemas (allOf)',
            ],
        ),
        (
            {"anyOf": [{"minimum": 5}, {"maximum": 1}], "type": "integer"},
            3,
            [
                '"x" must validate at least one schema (anyOf)',
                "x in body should be greater than or equal to 5",
            ],
        ),
    ],
)
def test_keywords_are_told_in_kubernetes_words(
    schema: dict[str, Any], value: Any, expected: list[str]
) -> None:  # E1
    assert [each.detail for each in complaints(schema, value)] == expected


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (
            {"type": "string", "format": "ipv4"},
            "x",
            ['x: Invalid value: "x": x in body must be of type ipv4: "x"'],
        ),
        # A formatted string takes a list for its type, and tells a number the format.
        ({"type": "string", "format": "ipv4"}, [], []),
        (
            {"type": "string", "format": "ipv4"},
            5,
            ['x: Invalid value: "int64": x in body must be of type ipv4: "int64"'],
        ),
        ({"type": "string", "format": "unheard-of"}, "x", []),
        ({"type": "string", "nullable": True}, None, []),
        ({"type": "string", "enum": ["a"]}, "b", ['x: Unsupported value: "b": supported values: "a"']),
        ({"enum": [1, 2], "type": "integer"}, 3, ['x: Unsupported value: 3: supported values: "1", "2"']),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            None,
            ['x: Unsupported value: null: supported values: "a"'],
        ),
        ({"x-kubernetes-preserve-unknown-fields": True}, [{"a": 1}], []),
    ],
)
def test_types_formats_and_enumerations(
    schema: dict[str, Any], value: Any, expected: list[str]
) -> None:  # E1
    assert [str(each) for each in complaints(schema, value)] == expected


SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["must"],
            "properties": {
                "a": {"type": "string", "maxLength": 3},
                "b": {"type": "string"},
                "by_key": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {
                        "type": "object",
                        "properties": {"k": {"type": "string"}, "v": {"type": "integer", "maximum": 5}},
                    },
                },
                "plain": {"type": "array", "items": {"type": "integer", "maximum": 5}},
                "names": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            },
        },
        "status": {"type": "object", "properties": {"phase": {"type": "string", "maxLength": 3}}},
    },
}


def paths(new: dict[str, Any], old: dict[str, Any] | None) -> list[str]:
    schema = StructuralSchema(SCHEMA)
    before = None if old is None else {"spec": {"must": 1, **old}}
    return [each.path for each in schema.validate({"spec": {"must": 1, **new}}, before)]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({"a": "long"}, None, ["spec.a"]),
        ({"a": "long", "b": "2"}, {"a": "long", "b": "1"}, []),
        ({"a": "other"}, {"a": "long"}, ["spec.a"]),
        # Items are matched by their keys, wherever they stand.
        (
            {"by_key": [{"k": "2", "v": 1}, {"k": "1", "v": 9}]},
            {"by_key": [{"k": "1", "v": 9}]},
            [],
        ),
        ({"by_key": [{"k": "2", "v": 9}]}, {"by_key": [{"k": "1", "v": 9}]}, ["spec.by_key[0].v"]),
        # Items of other lists are not; the list as a whole is.
        ({"plain": [9]}, {"plain": [9]}, []),
        ({"plain": [9, 1]}, {"plain": [9]}, ["spec.plain[0]"]),
        # Sets may keep the duplicates that they were stored with.
        ({"names": ["a", "a"], "b": "2"}, {"names": ["a", "a"]}, []),
        ({"names": ["a", "a"]}, {"names": ["a"]}, ["spec.names[1]"]),
    ],
)
def test_what_an_update_leaves_alone_is_tolerated(
    new: dict[str, Any], old: dict[str, Any] | None, expected: list[str]
) -> None:  # E2
    assert paths(new, old) == expected


def test_what_occurs_often_is_told_once() -> None:  # L1
    assert paths({"names": ["a", "b", "a", "a", "b"]}, None) == ["spec.names[2]", "spec.names[4]"]
    items: list[dict[str, Any]] = [{"k": "1"}, {"k": "2"}, {"k": "1"}, {"v": 1}, {"v": 2}]
    whole = StructuralSchema(SCHEMA).validate({"spec": {"must": 1, "by_key": items}})
    assert [str(each) for each in whole] == [
        'spec.by_key[2]: Duplicate value: {"k":"1"}',
        "spec.by_key[4]: Duplicate value: {}",
    ]


def test_status_is_validated_alone() -> None:
    schema = StructuralSchema(SCHEMA)
    found = schema.validate_status({"spec": {}, "status": {"phase": "long"}}, {"spec": {}})
    assert [str(each) for each in found] == ["status.phase: Too long: may not be more than 3 bytes"]
    assert not schema.validate_status({"status": {"phase": "long"}}, {"status": {"phase": "long"}})


def test_rules_are_asked_last_and_not_about_broken_objects() -> None:  # C2
    asked: list[Any] = []

    def rules(value: dict[str, Any], old: dict[str, Any] | None, warnings: list[str]) -> list[FieldError]:
        asked.append((value, old))
        warnings.append("tolerated")
        return [FieldError.invalid("spec", "object", "rule")]

    schema = StructuralSchema(SCHEMA, rules=rules)
    warnings: list[str] = []
    good = {"spec": {"must": 1}}
    assert [str(each) for each in schema.validate(good, warnings=warnings)] == [
        'spec: Invalid value: "object": rule'
    ]
    assert asked == [(good, None)] and warnings == ["tolerated"]
    broken = schema.validate({"spec": {"must": 1, "a": "long"}})
    assert len(asked) == 1
    assert str(broken[-1]).startswith("<nil>: Invalid value: null: some validation rules were not checked")


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([2**63, -(2**70), 1.0, 2.5, 1e300]),
    st.sampled_from(["", "a", "abc", "zzzz", "10.0.0.1", "2006-01-02T15:04:05Z"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
keywords = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "object", "array"]),
        "format": st.sampled_from(["int32", "ipv4", "date-time", "float"]),
        "nullable": st.booleans(),
        "enum": st.lists(scalars, min_size=1, max_size=3),
        "minimum": st.sampled_from([0, 1, 2.5]),
        "maximum": st.sampled_from([1, 3, 2.5]),
        "exclusiveMinimum": st.booleans(),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^[a-z]+$", "("]),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 2),
        "maxProperties": st.integers(0, 2),
        "required": st.lists(st.sampled_from("abc"), max_size=2),
        "x-kubernetes-int-or-string": st.booleans(),
    },
)
schemas = st.recursive(
    keywords,
    lambda inner: st.builds(
        lambda base, extra: {**base, **extra},
        keywords,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
                "additionalProperties": st.one_of(inner, st.booleans()),
                "items": inner,
                "allOf": st.lists(inner, max_size=2),
                "anyOf": st.one_of(
                    st.lists(inner, max_size=2), st.just([{"type": "integer"}, {"type": "string"}])
                ),
                "oneOf": st.lists(inner, max_size=2),
                "not": inner,
            },
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=120, deadline=None)
@given(schemas, values)
def test_the_fast_road_and_the_slow_one_agree(schema: dict[str, Any], value: Any) -> None:  # P1
    node = Constraints(schema)
    assert predicate(node)(value) is (explain(node, value) == [])


def has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(has_objects, value)))


@settings(max_examples=100, deadline=None)
@given(schemas, values)
def test_an_unchanged_value_is_tolerated(schema: dict[str, Any], value: Any) -> None:  # E2
    # Of members that a schema does not know nobody can tell whether they changed.
    assert has_objects(value) or explain(Constraints(schema), value, value) == []


def test_what_the_schema_does_not_know_may_have_changed() -> None:  # E2
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "maxProperties": 1}
    node = Constraints({"type": "object", "properties": {"spec": free}})
    value = {"spec": {"a": 1, "b": 2}}
    assert [each.path for each in explain(node, value, value)] == ["spec"]
    known = {**free, "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    assert explain(Constraints({"type": "object", "properties": {"spec": known}}), value, value) == []
    assert (
        explain(Constraints({"type": "object", "required": ["x"]}), {"metadata": {}}, {"metadata": {}}) != []
    )


def test_too_many_members_are_not_the_end_of_complaints() -> None:
    schema = {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}}
    told = explain(Constraints(schema), {"a": 1, "b": "x"})
    assert [each.path for each in told] == ["<nil>", "a"], told


def test_what_two_parts_of_a_schema_say_alike_is_told_once() -> None:
    # controller-gen writes such schemas when a type and its field have the same list of values.
    twice = {"type": "string", "allOf": [{"enum": ["A"]}, {"enum": ["A"]}]}
    assert [str(each) for each in complaints(twice, "B")] == [
        'x: Unsupported value: "B": supported values: "A"',
        '<nil>: Invalid value: "": "x" must validate all the schemas (allOf). None validated',
    ]
