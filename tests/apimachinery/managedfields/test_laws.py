"""The laws of field ownership, over random schemas: structs, maps and lists of every kind, inside one another.

With KAJITORI_LONG set, many more cases, and new ones every time.
"""

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.managedfields.collect import added_fields, whole_fields
from kajitori.apimachinery.managedfields.managed import FieldManager, KindVersions
from kajitori.apimachinery.managedfields.sets import FieldSet, difference, leaves, union
from kajitori.apimachinery.managedfields.types import Types
from kajitori.apimachinery.schema import parse_schema

Json = dict[str, Any]
VERSION = "example.com/v1"
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
LONG = bool(os.environ.get("KAJITORI_LONG"))
thorough = settings(max_examples=5000 if LONG else 60, derandomize=not LONG, deadline=None, database=None)

LETTERS = ("a", "b", "c")
TEXT: Json = {"type": "string"}


def structs(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    fields = st.dictionaries(st.sampled_from(LETTERS), inner, min_size=1, max_size=3)
    return fields.map(lambda found: {"type": "object", "properties": found})


def containers(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    struct = structs(inner)
    return st.one_of(
        struct,
        struct.map(lambda found: {**found, "x-kubernetes-map-type": "atomic"}),
        inner.map(lambda found: {"type": "object", "additionalProperties": found}),
        inner.map(lambda found: {"type": "array", "items": found}),
        st.just({"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}),
        struct.map(keyed),
    )


def keyed(struct: Json) -> Json:
    keys = {"k": {"type": "integer"}, "p": {"type": "string", "default": "x"}}
    return {
        "type": "array",
        "items": {**struct, "properties": {**struct["properties"], **keys}, "required": ["k"]},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k", "p"],
    }


schemas = structs(st.recursive(st.sampled_from([TEXT, {"type": "integer"}]), containers, max_leaves=5))


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Values of a schema. Nothing in them is empty: an empty map or list stands for none in some places."""
    if schema["type"] == "string":
        return st.sampled_from(LETTERS)
    if schema["type"] == "integer":
        return st.integers(0, 2)
    if schema["type"] == "object":
        if "properties" not in schema:
            return st.dictionaries(
                st.sampled_from(LETTERS), values(schema["additionalProperties"]), min_size=1, max_size=2
            )
        members = schema["properties"]
        required = {name: values(members[name]) for name in schema.get("required", ())}
        optional = {name: values(each) for name, each in members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional).filter(bool)
    unique: Any = None
    if schema.get("x-kubernetes-list-type") == "set":
        unique = str
    elif schema.get("x-kubernetes-list-type") == "map":

        def unique(item: Json) -> Any:
            return item["k"], item.get("p", "x")

    return st.lists(values(schema["items"]), min_size=1, max_size=2, unique_by=unique)


class Kind:
    """A kind with a random schema for its spec."""

    def __init__(self, schema: Json) -> None:
        parsed = parse_schema({"type": "object", "properties": {"spec": schema}})
        self.root = Types().root(parsed)
        self.manager = FieldManager(KindVersions("Widget", {VERSION: parsed}), VERSION)
        self.specs = values(schema)

    def apply(self, live: Json | None, spec: Any, manager: str, now: str = NOW) -> Json:
        return self.stored(
            self.manager.apply(live, self.config(spec), manager=manager, force=True, now=now).object
        )

    def update(self, live: Json, spec: Any, manager: str) -> Json:
        new = self.config(spec)
        entries = self.manager.update(live, new, manager=manager, now=NOW)
        return self.stored({**new, "metadata": {"name": "a", "managedFields": entries}})

    @staticmethod
    def config(spec: Any) -> Json:
        some = {} if spec is None else {"spec": spec}
        return {"apiVersion": VERSION, "kind": "Widget", "metadata": {"name": "a"}, **some}

    @staticmethod
    def stored(obj: Json) -> Json:
        return {**obj, "metadata": {**obj["metadata"], "uid": "u"}}

    def fields(self, obj: Json) -> FieldSet:
        found = whole_fields(self.root)({"spec": obj["spec"]} if obj.get("spec") else {})
        return found or {}

    def ran(self, data: st.DataObject) -> Json:
        live = self.apply(None, data.draw(self.specs), "m1")
        steps = data.draw(
            st.lists(st.tuples(st.booleans(), st.sampled_from(["m1", "m2", "m3"]), self.specs), max_size=3)
        )
        for applies, manager, spec in steps:
            live = self.apply(live, spec, manager) if applies else self.update(live, spec, manager)
        return live


@given(schemas.map(Kind), st.data())
@thorough
def test_an_apply_is_idempotent(kind: Kind, data: st.DataObject) -> None:  # O1
    spec = data.draw(kind.specs)
    once = kind.apply(kind.ran(data), spec, "m1")
    again = kind.manager.apply(once, kind.config(spec), manager="m1", force=False, now=LATER)
    assert not again.is_changed
    assert kind.stored(again.object) == once


@given(schemas.map(Kind), st.data())
@thorough
def test_ownership_never_names_a_field_that_is_not_there(kind: Kind, data: st.DataObject) -> None:  # O2
    live = kind.ran(data)
    present = {name: below for name, below in added_fields(kind.root)(live).items() if name != "."}
    for entry in live["metadata"].get("managedFields", []):
        assert difference(entry["fieldsV1"], present) == {}, entry


def halved(value: Any, schema: Json, data: st.DataObject) -> tuple[Any, Any]:
    """Two values that own nothing in common and are the value together; None for nothing."""
    if schema["type"] != "object" or schema.get("x-kubernetes-map-type") == "atomic":
        return (value, None) if data.draw(st.booleans()) else (None, value)
    halves: tuple[Json, Json] = ({}, {})
    for name, each in value.items():
        inner = schema["properties"][name] if "properties" in schema else schema["additionalProperties"]
        for half, found in zip(halves, halved(each, inner, data), strict=True):
            if found is not None:
                half[name] = found
    return halves[0] or None, halves[1] or None


@given(schemas, st.data())
@thorough
def test_the_order_of_disjoint_appliers_does_not_matter(schema: Json, data: st.DataObject) -> None:  # O3
    kind = Kind(schema)
    one, other = halved(data.draw(kind.specs), schema, data)
    first = kind.apply(kind.apply(None, one, "m1"), other, "m2")
    second = kind.apply(kind.apply(None, other, "m2"), one, "m1")
    assert first == second


def less(value: Any, schema: Json, data: st.DataObject) -> Any:
    """Some of what a value owns, None for nothing."""
    if not data.draw(st.integers(0, 3)):
        return None
    if schema["type"] == "object" and schema.get("x-kubernetes-map-type") != "atomic":
        result: Json = {}
        for name, each in value.items():
            inner = schema["properties"][name] if "properties" in schema else schema["additionalProperties"]
            kept = each if name in schema.get("required", ()) else less(each, inner, data)
            if kept is not None:
                result[name] = kept
        return result or None
    if schema.get("x-kubernetes-list-type") in ("set", "map") and len(value) > 1:
        return value[:1] if data.draw(st.booleans()) else value[1:]
    return value


@given(schemas, st.data())
@thorough
def test_applying_less_removes_what_nobody_else_owns(schema: Json, data: st.DataObject) -> None:  # O4
    kind = Kind(schema)
    one, other = data.draw(kind.specs), data.draw(kind.specs)
    live = kind.apply(kind.apply(None, one, "m1"), other, "m2")
    smaller = less(one, schema, data)
    result = kind.apply(live, smaller, "m1")
    wanted = union(kind.fields(kind.config(smaller)), kind.fields(kind.config(other)))
    assert leaves(kind.fields(result)) == leaves(wanted)
