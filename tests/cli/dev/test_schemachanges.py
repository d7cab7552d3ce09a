"""What a save does to a definition, in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.cli.dev.schemachanges import schema_changes

GONE = "gone from every object that is written from now on"
OUTSIDE = "objects outside of it cannot be changed until they fit"


def spec(schema: dict[str, Any], **rest: Any) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {"group": "example.com", "scope": "Namespaced", **rest, "versions": [version]}


def member(name: str = "size", **schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            member(type="integer"),
            member(type="string"),
            ["~ size: integer → string   (objects that exist hold the other type)"],
        ),
        (member(type="integer"), {"type": "object"}, [f"- size: integer   ({GONE})"]),
        ({"type": "object"}, member(type="integer"), ["+ size: integer"]),
        (
            {"type": "object"},
            {**member(type="integer"), "required": ["size"]},
            ["+ size: integer, required   (objects without it cannot be changed until they have it)"],
        ),
        (
            {"type": "object"},
            {**member(type="integer", default=3), "required": ["size"]},
            ["+ size: integer"],
        ),
        (
            member(type="integer"),
            {**member(type="integer"), "required": ["size"]},
            ["~ size: required now   (objects without it cannot be changed until they have it)"],
        ),
        (
            {**member(type="integer"), "required": ["size"]},
            member(type="integer"),
            ["~ size: no longer required"],
        ),
        (member(maximum=10), member(maximum=5), [f"~ size: maximum 10 → 5   ({OUTSIDE})"]),
        (member(maximum=5), member(maximum=10), ["~ size: maximum 5 → 10"]),
        (member(minimum=5), member(minimum=10), [f"~ size: minimum 5 → 10   ({OUTSIDE})"]),
        (member(), member(minLength=1), [f"~ size: minLength 1, new   ({OUTSIDE})"]),
        (member(minLength=1), member(), ["~ size: minLength 1, gone"]),
        (member(enum=["a", "b"]), member(enum=["a"]), [f"~ size: enum ['a', 'b'] → ['a']   ({OUTSIDE})"]),
        (member(enum=["a"]), member(enum=["a", "b"]), ["~ size: enum ['a'] → ['a', 'b']"]),
        (member(default=1), member(default=2), ["~ size: default 1 → 2"]),
        (member(pattern="a"), member(pattern="b"), [f"~ size: pattern a → b   ({OUTSIDE})"]),
        (
            member("ports", type="array", items=member("number", type="integer")),
            member("ports", type="array", items=member("name", type="string")),
            ["+ ports[].name: string", f"- ports[].number: integer   ({GONE})"],
        ),
        (
            member("by", type="object", additionalProperties={"type": "string"}),
            member("by", type="object", additionalProperties={"type": "integer"}),
            ["~ by{}: string → integer   (objects that exist hold the other type)"],
        ),
        (
            member(type="integer"),
            member(type="integer", description="How big."),
            ["~ descriptions: other words"],
        ),
        (
            member(type="integer"),
            {"type": "object", "properties": {"size": {"x-kubernetes-int-or-string": True}}},
            ["~ size: integer → integer or string   (objects that exist hold the other type)"],
        ),
    ],
)
def test_a_change_of_the_schema(old: Any, new: Any, told: list[str]) -> None:  # N2
    found = [str(each) for each in schema_changes(spec(old), spec(new))]
    assert sorted(found) == sorted(told)


def test_versions_that_come_and_go_and_what_stands_beside_the_schema() -> None:
    old, new = spec(member(type="integer")), spec(member(type="integer"), scope="Cluster")
    new["versions"][0]["name"] = "v2"
    told = [str(each) for each in schema_changes(old, new)]
    assert told == ["- version v1: no longer declared", "+ version v2: new", "~ scope: Namespaced → Cluster"]


_SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["integer", "string"]), "maximum": st.integers(0, 3)}
    ),
    lambda inner: (
        st.builds(
            lambda names, required: {
                "type": "object",
                "properties": names,
                "required": sorted(required & names.keys()),
            },
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.sets(st.sampled_from("abc")),
        )
        | inner.map(lambda each: {"type": "array", "items": each})
    ),
    max_leaves=6,
)


@given(_SCHEMAS, _SCHEMAS)
def test_there_are_changes_exactly_when_there_is_a_difference(old: Any, new: Any) -> None:  # N1
    assert bool(schema_changes(spec(old), spec(new))) is (old != new)
