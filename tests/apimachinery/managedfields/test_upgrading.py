"""From client-side to server-side apply. `csaupgrade.json` holds what client-go's util/csaupgrade made of its cases."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.managedfields.sets import FieldsError, difference, from_paths, parse, union
from kajitori.apimachinery.managedfields.upgrading import find_owners, patch_of, upgrade

Json = dict[str, Any]
JUDGED: list[Json] = msgspec.json.decode(Path(__file__).with_name("csaupgrade.json").read_bytes())


def entry(manager: str, operation: str, fields: Json, version: str = "v1", subresource: str = "") -> Json:
    made: Json = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return {**made, "subresource": subresource} if subresource else made


DATA: Json = {"f:data": {".": {}, "f:key": {}, "f:legacy": {}}}
KEY: Json = {"f:data": {"f:key": {}}}
STATUS: Json = {"f:status": {"f:phase": {}}}


@pytest.mark.parametrize("case", JUDGED)
def test_entries_are_those_of_client_go_to_the_byte(case: Json) -> None:  # U1, U2, U3
    entries = msgspec.json.decode(case["entries"])
    upgraded = upgrade(entries, case["updaters"], case["applier"], case["subresource"])
    assert msgspec.json.encode(upgraded.entries).decode() == case["upgraded"]
    assert msgspec.json.encode(entries).decode() == case["entries"]
    if case["patched"] is not None:
        assert (patch_of(upgraded, "1") is not None) == case["patched"]
    wanted = parse(msgspec.json.decode(case["find"]))
    assert len(find_owners(entries, "Apply", wanted)) == case["applyOwners"]
    assert len(find_owners(entries, "Update", wanted)) == case["updateOwners"]


def test_an_updater_becomes_the_applier() -> None:  # U1
    upgraded = upgrade([entry("csa", "Update", DATA)], ["csa"], "kubectl")
    assert upgraded.entries == [entry("kubectl", "Apply", DATA)]
    assert [each["manager"] for each in upgraded.taken] == ["csa"]
    assert (upgraded.dropped, upgraded.gained) == ((), DATA)


def test_an_applier_gets_what_it_does_not_have() -> None:  # U1
    upgraded = upgrade([entry("kubectl", "Apply", KEY), entry("csa", "Update", DATA)], ["csa"], "kubectl")
    assert upgraded.entries == [entry("kubectl", "Apply", DATA)]
    assert upgraded.gained == {"f:data": {".": {}, "f:legacy": {}}}


def test_fields_of_another_version_go_with_their_entry() -> None:  # U2
    older = entry("csa", "Update", {"f:spec": {}}, "v1beta1")
    upgraded = upgrade([entry("csa", "Update", DATA), older], ["csa"], "kubectl")
    assert upgraded.entries == [entry("kubectl", "Apply", DATA)]
    assert upgraded.dropped == (older,)


def test_another_subresource_is_another_matter() -> None:  # U2, U3
    entries = [entry("csa", "Update", DATA), entry("csa", "Update", STATUS, subresource="status")]
    assert upgrade(entries, ["csa"], "kubectl").entries[1] == entries[1]
    through = upgrade(entries, ["csa"], "kubectl", "status")
    assert through.entries == [entries[0], entry("kubectl", "Apply", STATUS, subresource="status")]


def test_the_first_named_updater_comes_first() -> None:  # U5
    entries = [entry("b", "Update", DATA, "v2"), entry("a", "Update", KEY)]
    assert upgrade(entries, ["a", "b"], "new").entries == [entry("new", "Apply", KEY)]
    assert upgrade(entries, ["b", "a"], "new").entries == [entry("new", "Apply", DATA, "v2")]


def test_the_patch_says_which_version_it_is_of() -> None:  # U4
    upgraded = upgrade([entry("csa", "Update", DATA)], ["csa"], "kubectl")
    assert patch_of(upgraded, "7") == [
        {"op": "replace", "path": "/metadata/managedFields", "value": [entry("kubectl", "Apply", DATA)]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
    ]


@pytest.mark.parametrize("entries", [None, [], [entry("kubectl", "Apply", DATA), entry("x", "Update", KEY)]])
def test_what_needs_nothing_gets_no_patch(entries: list[Json] | None) -> None:  # U4
    upgraded = upgrade(entries, ["csa"], "kubectl")
    assert not upgraded.is_needed
    assert upgraded.entries == (entries or [])
    assert patch_of(upgraded, "7") is None


def test_frozen_entries_stay_as_they_are() -> None:
    entries = freeze({"all": [entry("csa", "Update", DATA), entry("kubectl", "Apply", KEY)]})["all"]
    assert upgrade(entries, ["csa"], "kubectl").entries == [entry("kubectl", "Apply", DATA)]
    assert entries[0]["manager"] == "csa"


def test_fields_that_mean_no_set_are_refused_and_own_nothing() -> None:
    deep: Json = {}
    for _ in range(20_000):
        deep = {"f:a": deep}
    several: list[Json] = [{"f:a": 3}, {"k:{": {}}, deep]
    for bad in several:
        with pytest.raises(FieldsError):
            upgrade([entry("csa", "Update", bad)], ["csa"], "kubectl")
        assert find_owners([entry("csa", "Update", bad)], "Update", from_paths("a")) == []


managers = st.sampled_from(["csa", "b", "kubectl", "other"])
sets = st.sets(st.sampled_from(["a", "a.b", "c", "c.d", "e"]), min_size=1).map(lambda each: from_paths(*each))
entry_lists = st.lists(
    st.builds(entry, managers, st.sampled_from(["Apply", "Update"]), sets, st.sampled_from(["v1", "v2"])),
    max_size=6,
)


@given(entry_lists)
def test_whatever_there_was(entries: list[Json]) -> None:  # U1, U2, U3, U4
    upgraded = upgrade(entries, ["csa", "b"], "kubectl")
    left = upgraded.entries
    assert not any(each["operation"] == "Update" and each["manager"] in ("csa", "b") for each in left)
    alone = [each for each in entries if each["manager"] == "other" or each["operation"] == "Apply"]
    assert [each for each in left if each["manager"] == "other"] == [
        each for each in alone if each["manager"] == "other"
    ]
    if upgraded.is_needed:
        applier = next(each for each in left if (each["manager"], each["operation"]) == ("kubectl", "Apply"))
        for each in upgraded.taken:
            assert not difference(parse(each["fieldsV1"]), parse(applier["fieldsV1"]))
        assert union(upgraded.gained, parse(applier["fieldsV1"])) == parse(applier["fieldsV1"])
    again = upgrade(left, ["csa", "b"], "kubectl")
    assert not again.is_needed and again.entries == left
