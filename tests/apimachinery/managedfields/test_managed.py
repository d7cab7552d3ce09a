"""The field manager: who owns what after creates, updates and applies."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.errors import ApiError, BadRequest, Conflict
from kajitori.apimachinery.managedfields.collect import added_fields, whole_fields
from kajitori.apimachinery.managedfields.last_applied import LAST_APPLIED
from kajitori.apimachinery.managedfields.managed import Applied, FieldManager, KindVersions, timestamps_kept
from kajitori.apimachinery.managedfields.sets import FieldSet, difference, from_paths, leaves, union
from kajitori.apimachinery.managedfields.types import Types
from kajitori.apimachinery.schema import parse_schema

TEXT = {"type": "string"}
LABELS = {"type": "object", "additionalProperties": TEXT}
PORT = {
    "type": "object",
    "properties": {
        "port": {"type": "integer"},
        "protocol": {"type": "string", "default": "TCP"},
        "name": TEXT,
        "host": TEXT,
    },
}
SPEC = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer"},
        "image": TEXT,
        "tags": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "ports": {
            "type": "array",
            "items": PORT,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
        },
        "args": {"type": "array", "items": TEXT},
        "labels": LABELS,
        "selector": {**LABELS, "x-kubernetes-map-type": "atomic"},
        "nested": {"type": "object", "properties": {"a": {"type": "integer"}, "b": TEXT}},
    },
}
SCHEMA = parse_schema({"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}})
VERSION = "example.com/v1"
VERSIONS = KindVersions("Widget", {VERSION: SCHEMA})
MAIN = FieldManager(VERSIONS, VERSION, reset={VERSION: from_paths("status")})
STATUS = FieldManager(
    VERSIONS, VERSION, subresource="status", reset={VERSION: from_paths("spec", "metadata")}
)
ROOT = Types().root(SCHEMA)
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"

Json = dict[str, Any]


def widget(spec: Json | None = None, **more: Any) -> Json:
    result: Json = {"apiVersion": VERSION, "kind": "Widget", "metadata": {"name": "a"}}
    return {**result, **({} if spec is None else {"spec": spec}), **more}


def stored(value: Json, entries: Any) -> Json:
    metadata = {**value["metadata"], "uid": "u", "namespace": "n"}
    metadata.pop("managedFields", None)
    if entries:
        metadata["managedFields"] = entries
    return {**value, "metadata": metadata}


def created(value: Json, manager: str = "creator") -> Json:
    return stored(value, MAIN.update(None, value, manager=manager, now=NOW))


def updated(live: Json, new: Json, manager: str = "updater", now: str = LATER) -> Json:
    return stored(new, MAIN.update(live, new, manager=manager, now=now))


def applied(
    live: Json | None, spec: Json | None, manager: str, *, force: bool = False, now: str = NOW
) -> Applied:
    return MAIN.apply(live, widget(spec), manager=manager, force=force, now=now)


def apply(live: Json | None, spec: Json | None, manager: str, *, force: bool = False, now: str = NOW) -> Json:
    result = applied(live, spec, manager, force=force, now=now).object
    return stored(result, result["metadata"].get("managedFields"))


def owners(value: Json) -> dict[str, FieldSet]:
    entries = value["metadata"].get("managedFields", [])
    return {each["manager"]: each["fieldsV1"] for each in entries}


# Create and update


def test_a_creator_owns_what_it_wrote() -> None:  # W1, W3
    value = widget({"replicas": 1, "labels": {"b": "1", "a": "1"}}, status={"x": 1})
    value["metadata"] |= {"labels": {"l": "1"}, "generation": 1, "resourceVersion": "5"}
    assert MAIN.update(None, value, manager="m", now=NOW) == [
        {
            "manager": "m",
            "operation": "Update",
            "apiVersion": VERSION,
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
                "f:spec": {".": {}, "f:labels": {".": {}, "f:a": {}, "f:b": {}}, "f:replicas": {}},
            },
        }
    ]


def test_an_object_without_fields_has_no_managers() -> None:
    assert MAIN.update(None, widget(), manager="m", now=NOW) == []


def test_who_gives_no_name_is_unknown() -> None:
    assert MAIN.update(None, widget({"image": "i"}), manager="", now=NOW)[0]["manager"] == "unknown"


def test_what_go_always_writes_belongs_to_nobody() -> None:
    schema = parse_schema({"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}})
    schema.emitted = {"metadata": {}, "spec": {"ports": None, "replicas": 0, "nested": {}}, "status": {}}
    manager = FieldManager(KindVersions("Widget", {VERSION: schema}), VERSION)
    value = widget({"ports": [{"port": 1}], "replicas": 0, "nested": {"b": "x"}, "image": "i"}, status={})
    assert manager.update(None, value, manager="m", now=NOW)[0]["fieldsV1"] == {
        "f:spec": {
            "f:image": {},
            "f:nested": {"f:b": {}},
            "f:ports": {'k:{"port":1,"protocol":"TCP"}': {".": {}, "f:port": {}}},
        }
    }


def test_who_changes_a_field_takes_it() -> None:  # W1, W2
    live = created(widget({"replicas": 1, "image": "i", "labels": {"a": "1"}}))
    new = updated(live, widget({"replicas": 2, "image": "i"}))
    assert owners(new) == {
        "creator": {"f:spec": {".": {}, "f:image": {}}},
        "updater": {"f:spec": {"f:replicas": {}}},
    }
    times = {each["manager"]: each["time"] for each in new["metadata"]["managedFields"]}
    assert times == {"creator": NOW, "updater": LATER}


def test_who_changes_more_owns_more() -> None:
    live = updated(created(widget({"replicas": 1})), widget({"replicas": 2}), "updater", NOW)
    new = updated(live, widget({"replicas": 2, "image": "i"}))
    assert owners(new)["updater"] == {"f:spec": {"f:image": {}, "f:replicas": {}}}


def test_an_update_without_effect_changes_nothing() -> None:  # W2
    live = created(widget({"replicas": 1}))
    assert updated(live, copy.deepcopy(live)) == live
    without = copy.deepcopy(live)
    del without["metadata"]["managedFields"]
    assert updated(live, without) == live


def test_each_endpoint_owns_its_part() -> None:  # W3
    live = created(widget({"replicas": 1}))
    new = {**live, "spec": {"replicas": 5}, "status": {"ready": 1}}
    entries = STATUS.update(live, new, manager="controller", now=LATER)
    assert entries[1] == {
        "manager": "controller",
        "operation": "Update",
        "apiVersion": VERSION,
        "time": LATER,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {".": {}, "f:ready": {}}},
        "subresource": "status",
    }
    assert entries[0] == live["metadata"]["managedFields"][0]
    # The main endpoint keeps the status out of sight, even when a client sends it.
    assert MAIN.update(live, {**live, "status": {"ready": 2}}, manager="x", now=LATER) == entries[:1]


@pytest.mark.parametrize("reset", [[], [{}]])
def test_managed_fields_can_be_cleared(reset: Any) -> None:  # W4
    live = created(widget({"replicas": 1}))
    cleared = copy.deepcopy(live)
    cleared["metadata"]["managedFields"] = reset
    assert MAIN.update(live, cleared, manager="m", now=LATER) == []
    unowned = stored(widget({"replicas": 1}), None)
    assert MAIN.update(unowned, widget({"replicas": 2}), manager="m", now=LATER) == []
    assert STATUS.update(live, cleared, manager="m", now=LATER) == live["metadata"]["managedFields"]
    assert owners(stored(cleared, MAIN.update(None, cleared, manager="m", now=NOW))).keys() == {"m"}


def test_managed_fields_can_be_written() -> None:  # W4
    live = created(widget({"replicas": 1}))
    sent = copy.deepcopy(live)
    entry = {**live["metadata"]["managedFields"][0], "manager": "other"}
    sent["metadata"]["managedFields"] = [entry]
    assert MAIN.update(live, sent, manager="m", now=LATER) == [entry]
    assert STATUS.update(live, sent, manager="m", now=LATER) == live["metadata"]["managedFields"]


def test_what_cannot_be_decoded_is_ignored() -> None:  # W4
    live = created(widget({"replicas": 1}))
    sent = copy.deepcopy(live)
    sent["metadata"]["managedFields"] = [{"manager": "m", "operation": "Bogus"}]
    assert MAIN.update(live, sent, manager="m", now=LATER) == live["metadata"]["managedFields"]
    assert [each["manager"] for each in MAIN.update(None, sent, manager="m", now=NOW)] == ["m"]


def test_updaters_beyond_the_limit_are_merged() -> None:
    live = created(widget({"labels": {"m": "0"}}), "m00")
    for number in range(1, 12):
        labels = {**live["spec"]["labels"], f"k{number}": "1"}
        live = updated(live, widget({"labels": labels}), f"m{number:02d}", f"2026-01-01T00:00:{number:02d}Z")
    assert len(owners(live)) == 10
    assert owners(live)["ancient-changes"]["f:spec"]["f:labels"] == {
        ".": {},
        "f:k1": {},
        "f:k2": {},
        "f:m": {},
    }


def test_an_object_that_does_not_fit_loses_its_ownership() -> None:
    live = created(widget({"replicas": 1}))
    assert MAIN.update(live, widget({"ports": [None]}), manager="m", now=LATER) == []
    assert MAIN.update(None, widget({"ports": [None]}), manager="m", now=LATER) == []


# Apply


def test_apply_creates() -> None:  # W5
    result = applied(None, {"replicas": 1, "ports": [{"port": 80}]}, "m1")
    assert result.is_changed
    assert result.object["metadata"]["managedFields"] == [
        {
            "manager": "m1",
            "operation": "Apply",
            "apiVersion": VERSION,
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:spec": {
                    "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
                    "f:replicas": {},
                }
            },
        }
    ]


def test_what_is_no_longer_applied_goes() -> None:  # W5
    live = apply(None, {"replicas": 1, "labels": {"a": "1", "b": "1"}, "nested": {"a": 1}}, "m1")
    live = apply(live, {"labels": {"a": "1"}}, "m1")
    assert live["spec"] == {"labels": {"a": "1"}}
    live = apply(live, None, "m1")
    assert "spec" not in live
    assert owners(live) == {}


def test_what_others_own_stays() -> None:  # W5
    live = apply(None, {"replicas": 1, "tags": ["x", "y"]}, "m1")
    live = apply(live, {"replicas": 1, "tags": ["y", "z"]}, "m2")
    live = apply(live, {"tags": ["x"]}, "m1")
    assert live["spec"] == {"replicas": 1, "tags": ["x", "y", "z"]}
    live = apply(live, None, "m2")
    assert live["spec"] == {"tags": ["x"]}


def test_what_nobody_owns_stays() -> None:  # W5
    live = apply(None, {"ports": [{"port": 80, "name": "a"}], "image": "i"}, "m1")
    live["spec"]["ports"][0]["host"] = "default"
    live = apply(live, {"ports": [{"port": 80}]}, "m1")
    assert live["spec"]["ports"] == [{"port": 80, "host": "default"}]


def test_a_conflict_names_fields_and_managers() -> None:  # W5
    live = apply(None, {"replicas": 1, "image": "i"}, "m1")
    live = apply(live, {"labels": {"a": "1"}}, "m2")
    live = updated(live, {**live, "spec": {**live["spec"], "args": ["x"]}}, "up")
    with pytest.raises(Conflict) as raised:
        apply(live, {"replicas": 2}, "m3")
    assert raised.value.message == 'Apply failed with 1 conflict: conflict with "m1": .spec.replicas'
    with pytest.raises(Conflict) as raised:
        apply(live, {"replicas": 2, "image": "j", "labels": {"a": "2"}, "args": ["y"]}, "m3")
    assert raised.value.message == (
        'Apply failed with 4 conflicts: conflicts with "m1":\n- .spec.image\n- .spec.replicas\n'
        'conflicts with "m2":\n- .spec.labels.a\nconflicts with "up" using example.com/v1:\n- .spec.args'
    )
    assert raised.value.to_status()["details"]["causes"][3] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "up" using example.com/v1',
        "field": ".spec.args",
    }


def test_force_takes_over() -> None:  # W5
    live = apply(None, {"replicas": 1, "image": "i"}, "m1")
    live = apply(live, {"replicas": 2}, "m2", force=True)
    assert live["spec"]["replicas"] == 2
    assert owners(live) == {"m1": {"f:spec": {"f:image": {}}}, "m2": {"f:spec": {"f:replicas": {}}}}


def test_a_time_is_set_by_those_who_change_something() -> None:  # W2
    live = apply(None, {"replicas": 1}, "m1")
    shared = applied(live, {"replicas": 1}, "m2", now=LATER)
    assert not shared.is_changed
    entries = shared.object["metadata"]["managedFields"]
    assert [each.get("time") for each in entries] == [None, NOW]
    again = applied(live, {"replicas": 1}, "m1", now=LATER)
    assert again.object["metadata"]["managedFields"] == live["metadata"]["managedFields"]
    changed = applied(live, {"replicas": 2}, "m1", now=LATER)
    assert changed.object["metadata"]["managedFields"][0]["time"] == LATER


def test_what_was_there_before_the_first_apply_has_an_owner() -> None:
    live = stored(widget({"replicas": 1}), None)
    with pytest.raises(Conflict) as raised:
        apply(live, {"replicas": 2}, "m1")
    assert 'conflict with "before-first-apply" using example.com/v1: .spec.replicas' in raised.value.message
    assert owners(apply(live, {"image": "i"}, "m1")) == {
        "before-first-apply": {"f:spec": {".": {}, "f:replicas": {}}},
        "m1": {"f:spec": {"f:image": {}}},
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "invalid object type: /, Kind="),
        ({"apiVersion": "v1", "kind": "Secret"}, "invalid object type: /v1, Kind=Secret"),
        ({"apiVersion": 1, "kind": []}, "invalid object type: /, Kind="),
        ({"apiVersion": "a/b/c", "kind": "Widget"}, "invalid object type: /, Kind="),
        ({**widget(), "metadata": {"name": "a", "managedFields": []}}, "metadata.managedFields must be nil"),
    ],
)
def test_some_configurations_are_bad_requests(config: Any, message: str) -> None:
    with pytest.raises(BadRequest) as raised:
        MAIN.apply(None, config, manager="m", force=False, now=NOW)
    assert raised.value.message == message


def test_what_the_schema_does_not_know_is_an_unnamed_server_error() -> None:
    with pytest.raises(ApiError) as raised:
        apply(None, {"nope": 1}, "m")
    assert raised.value.to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "failed to create typed patch object (/a; example.com/v1, Kind=Widget):"
        " .spec.nope: field not declared in schema",
        "code": 500,
    }
    with pytest.raises(ApiError) as raised:
        apply(stored(widget({"gone": 1}), None), {"image": "i"}, "m")
    assert raised.value.message.startswith(
        "failed to create typed live object (n/a; example.com/v1, Kind=Widget)"
    )


def nested(depth: int) -> Json:
    value: Json = {}
    for _ in range(depth):
        value = {"x": value}
    return value


def test_nesting_without_end_is_a_bad_request() -> None:
    free = FieldManager(KindVersions("Widget", {VERSION: None}), VERSION)
    deep = widget(nested(5000))
    with pytest.raises(BadRequest):
        free.apply(None, deep, manager="m", force=False, now=NOW)
    assert free.update(None, deep, manager="m", now=NOW) == []


def test_broken_managed_fields_are_told() -> None:
    live = stored(widget({"replicas": 1}), [{"operation": "Bogus"}])
    with pytest.raises(ApiError, match="failed to decode managed fields: operation must be"):
        apply(live, {"replicas": 1}, "m")


# kubectl


def client_side(spec: Json, last: Json) -> Json:
    value = widget(spec)
    value["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(last)}
    return created(value, "kubectl-client-side-apply")


def test_kubectl_may_change_what_it_applied_from_the_client() -> None:
    spec = {"replicas": 1, "image": "<i>", "args": ["old"]}
    live = client_side(spec, widget(spec))
    with pytest.raises(Conflict):
        apply(live, {"replicas": 2}, "other")
    new = apply(live, {"replicas": 2, "image": "<i>"}, "kubectl")
    assert new["spec"] == {"replicas": 2, "image": "<i>", "args": ["old"]}
    assert new["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"},'
        '"spec":{"image":"\\u003ci\\u003e","replicas":2}}\n'
    )


def test_kubectl_may_not_change_what_others_changed_since() -> None:
    live = client_side({"replicas": 1, "image": "i"}, widget({"replicas": 1, "image": "i"}))
    live = updated(live, {**live, "spec": {**live["spec"], "replicas": 3}}, "other")
    with pytest.raises(Conflict) as raised:
        apply(live, {"replicas": 2, "image": "j"}, "kubectl")
    assert raised.value.message == (
        'Apply failed with 1 conflict: conflict with "other" using example.com/v1: .spec.replicas'
    )


@pytest.mark.parametrize("last", ["", "no json", "{}", '{"apiVersion":"v1","kind":"Widget"}'])
def test_an_annotation_that_says_nothing_helps_nobody(last: str) -> None:
    value = widget({"replicas": 1})
    value["metadata"]["annotations"] = {LAST_APPLIED: last}
    with pytest.raises(Conflict):
        apply(created(value), {"replicas": 2}, "kubectl")


def test_an_annotation_that_grows_too_large_is_dropped() -> None:
    live = client_side({"replicas": 1}, widget({"replicas": 1}))
    new = apply(live, {"replicas": 1, "image": "x" * 300_000}, "kubectl")
    assert new["metadata"]["annotations"] == {}


# Versions

V2 = "example.com/v2"
SCHEMA_V2 = parse_schema(
    {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"count": {"type": "integer"}, "image": TEXT}},
        },
    }
)


def convert(value: Json, version: str) -> Json:
    if version not in (VERSION, V2):
        raise LookupError(version)
    names = {"replicas": "count"} if version == V2 else {"count": "replicas"}
    spec = {names.get(name, name): each for name, each in (value.get("spec") or {}).items()}
    rest = {name: each for name, each in value.items() if name != "spec"}
    return {**rest, "apiVersion": version, **({"spec": spec} if "spec" in value else {})}


BOTH = KindVersions("Widget", {VERSION: SCHEMA, V2: SCHEMA_V2}, convert)
SECOND = FieldManager(BOTH, V2)


def test_managers_of_other_versions_are_seen_in_their_own() -> None:
    live = convert(apply(None, {"replicas": 1, "image": "i"}, "m1"), V2)
    config = {**widget({"count": 2}), "apiVersion": V2}
    with pytest.raises(Conflict) as raised:
        SECOND.apply(live, config, manager="m2", force=False, now=NOW)
    assert raised.value.message == 'Apply failed with 1 conflict: conflict with "m1": .spec.replicas'
    taken = SECOND.apply(live, config, manager="m2", force=True, now=NOW).object
    assert owners(taken) == {"m1": {"f:spec": {"f:image": {}}}, "m2": {"f:spec": {"f:count": {}}}}
    moved = SECOND.apply(live, config, manager="m1", force=False, now=NOW).object
    assert moved["spec"] == {"count": 2}
    assert [each["apiVersion"] for each in moved["metadata"]["managedFields"]] == [V2]


def test_managers_of_versions_no_longer_served_are_dropped() -> None:
    entry = {
        **created(widget({"image": "i"}))["metadata"]["managedFields"][0],
        "apiVersion": "example.com/v0",
    }
    live = stored(widget({"image": "i"}), [entry])
    assert owners(updated(live, widget({"image": "j"}))) == {"updater": {"f:spec": {"f:image": {}}}}


# Timestamps


def test_times_alone_are_no_change() -> None:
    live = created(widget({"replicas": 1}))
    entry = {**live["metadata"]["managedFields"][0], "time": LATER}
    touched = stored(live, [entry])
    assert timestamps_kept(live, touched) == live
    changed = {**touched, "spec": {"replicas": 2}}
    assert timestamps_kept(live, changed) is changed
    renamed = stored(live, [{**entry, "manager": "other"}])
    assert timestamps_kept(live, renamed) is renamed


# Laws

small = st.sampled_from("xyz")


def configurations(labels: str, numbers: tuple[int, ...], scalars: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Specs made of these label keys and tags, ports and other members; nothing in them is empty."""
    letters = st.sampled_from(labels)
    port = st.fixed_dictionaries(
        {"port": st.sampled_from(numbers)}, optional={"protocol": st.just("UDP"), "name": small}
    )
    ports = st.lists(
        port, min_size=1, max_size=2, unique_by=lambda item: (item["port"], item.get("protocol"))
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "labels": st.dictionaries(letters, small, min_size=1, max_size=2),
            "tags": st.lists(letters, min_size=1, max_size=2, unique=True),
            "ports": ports,
            **scalars,
        },
    )


scalars = {
    "replicas": st.integers(0, 2),
    "image": small,
    "args": st.lists(small, min_size=1, max_size=2),
    "selector": st.dictionaries(small, small, min_size=1, max_size=1),
    "nested": st.fixed_dictionaries({"a": st.integers(0, 1)}, optional={"b": small}),
}
specs = configurations("abc", (1, 2), scalars)
managers = st.sampled_from(["m1", "m2", "m3"])
steps = st.lists(st.tuples(st.sampled_from(["apply", "update"]), managers, specs), min_size=1, max_size=4)


def ran(sequence: Any) -> Json:
    live = created(widget({"image": "start"}))
    for operation, manager, spec in sequence:
        live = (
            apply(live, spec, manager, force=True)
            if operation == "apply"
            else updated(live, widget(spec), manager)
        )
    return live


@given(steps)
@settings(max_examples=60)
def test_nobody_owns_a_field_that_is_not_there(sequence: Any) -> None:  # O2, W1
    live = ran(sequence)
    present = {name: below for name, below in added_fields(ROOT)(live).items() if name != "."}
    for entry in live["metadata"].get("managedFields", []):
        assert difference(entry["fieldsV1"], present) == {}


@given(steps, specs.filter(bool))
@settings(max_examples=60)
def test_applying_again_changes_nothing(sequence: Any, spec: Any) -> None:  # O1, A3
    once = apply(ran(sequence), spec, "m1", force=True)
    again = applied(once, spec, "m1", now=LATER)
    assert not again.is_changed
    assert stored(again.object, again.object["metadata"].get("managedFields")) == once


@given(steps, specs)
@settings(max_examples=60)
def test_inputs_stay_as_they_are(sequence: Any, spec: Any) -> None:  # W6
    live = ran(sequence)
    before = copy.deepcopy((live, spec))
    apply(live, spec, "m1", force=True)
    updated(live, widget(spec))
    assert (live, spec) == before


@given(
    configurations("abc", (1, 2), {name: scalars[name] for name in ("replicas", "args")}),
    configurations("xyz", (3, 4), {name: scalars[name] for name in ("image", "nested")}),
)
@settings(max_examples=60)
def test_the_order_of_appliers_of_disjoint_fields_does_not_matter(one: Any, other: Any) -> None:  # O3
    first = apply(apply(None, one, "m1"), other, "m2")
    second = apply(apply(None, other, "m2"), one, "m1")
    assert owners(first) == owners(second)
    for value in (first, second):
        for name in ("tags", "ports"):
            if name in value.get("spec", {}):
                value["spec"][name].sort(key=str)
    assert first.get("spec") == second.get("spec")


def part(draw: st.DrawFn, value: Any) -> Any:
    """Some of the members and items of a configuration."""
    result: Json = {}
    for name, each in value.items():
        if draw(st.booleans()):
            result[name] = each
        elif name in ("labels", "tags", "ports") and len(each) > 1:
            result[name] = dict([next(iter(each.items()))]) if isinstance(each, dict) else each[:1]
    return result


@given(st.data(), specs, specs)
@settings(max_examples=80)
def test_applying_less_removes_what_nobody_else_owns(data: Any, one: Any, other: Any) -> None:  # O4, A1
    live = apply(None, one, "m1")
    live = apply(live, other, "m2", force=True)
    less = data.draw(st.composite(part)(one))
    result = apply(live, less, "m1", force=True)
    wanted = union(whole_fields(ROOT)(widget(less)) or {}, whole_fields(ROOT)(widget(other)) or {})
    found = {
        name: below for name, below in (whole_fields(ROOT)(result) or {}).items() if name != "f:metadata"
    }
    wanted = {name: below for name, below in wanted.items() if name != "f:metadata"}
    assert leaves(found) == leaves(wanted)
