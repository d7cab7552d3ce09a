"""managedFields to sets and back, and the cap on updaters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.managedfields.entries import (
    UPDATE,
    UPDATE_MANAGERS_MAX,
    Entry,
    Managed,
    ManagerKey,
    cap_updaters,
    decode,
    encode,
    is_reset,
)
from kajitori.apimachinery.managedfields.sets import FieldsError, from_paths


def entry(**members: Any) -> dict[str, Any]:
    return {
        "manager": "m",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:k": {}}},
        **members,
    }


def test_entries_come_in_kubernetes_order() -> None:  # M1
    first = [
        entry(operation="Apply", manager="b", time="2026-01-01T00:00:00Z"),
        entry(operation="Apply", manager="a", time="2026-01-01T00:00:01Z"),
        entry(manager="z", time="2025-12-31T00:00:00Z"),
        entry(manager="m"),
        entry(manager="m", apiVersion="v2"),
        entry(manager="m", apiVersion="v2", subresource="status"),
    ]
    without_time = {name: value for name, value in entry(manager="y").items() if name != "time"}
    expected = [*first[:2], without_time, *first[2:]]
    assert encode(decode(list(reversed(expected)))) == expected
    assert list(encode(decode(expected))[0]) == list(expected[0])


def test_who_applies_is_the_same_in_every_version() -> None:
    assert len(decode([entry(operation="Apply"), entry(operation="Apply", apiVersion="v2")])) == 1
    assert len(decode([entry(), entry(apiVersion="v2")])) == 2


def test_times_are_written_in_utc() -> None:
    assert encode(decode([entry(time="2026-01-01T01:00:00.5+01:00")])) == [entry()]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"operation": "Bogus"}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"fieldsType": ""}, "missing fieldsType in managed fields entry 0"),
        ({"fieldsType": "Other"}, 'invalid fieldsType "Other" in managed fields entry 0'),
        ({"fieldsV1": {"x": {}}}, "key must be 2 characters long:"),
        ({"time": "yesterday"}, 'invalid time "yesterday"'),
        ({"manager": 5}, "managed fields entry 0 is malformed"),
        ({"fieldsV1": "x"}, "expected a JSON object, found 'x'"),
    ],
)
def test_what_cannot_be_decoded_is_told(wrong: Any, message: str) -> None:  # M2
    with pytest.raises(FieldsError) as raised:
        decode([entry(**wrong)])
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("entries", "reset"),
    [
        ([], True),
        ([{}], True),
        ([{"manager": ""}], True),
        (None, False),
        ([{}, {}], False),
        ([None], False),
        ([entry()], False),
    ],
)
def test_what_asks_for_a_reset(entries: Any, reset: bool) -> None:
    assert is_reset(entries) is reset


def updater(name: str, second: int, version: str = "v1") -> tuple[ManagerKey, Entry]:
    time = f"2026-01-01T00:00:{second:02d}Z"
    return ManagerKey.of(name, UPDATE, version, ""), Entry(from_paths(name), version, time)


def test_the_oldest_updaters_are_merged() -> None:  # M3
    managed: Managed = dict(updater(f"m{number:02d}", number) for number in range(13))
    capped = cap_updaters(managed)
    assert len(managed) == 13
    assert sorted(key.manager for key in capped) == [
        "ancient-changes",
        *(f"m{number:02d}" for number in range(4, 13)),
    ]
    ancient = capped[ManagerKey.of("ancient-changes", UPDATE, "v1", "")]
    assert ancient.fields == from_paths("m00", "m01", "m02", "m03")
    assert ancient.time == "2026-01-01T00:00:03Z"
    again = cap_updaters({**capped, **dict([updater("new", 20)])})
    assert again[ManagerKey.of("ancient-changes", UPDATE, "v1", "")].fields == from_paths(
        "m00", "m01", "m02", "m03", "m04"
    )


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 59), st.sampled_from(["v1", "v2"])), max_size=20)
)
def test_the_cap_loses_no_field(updaters: Any) -> None:  # M3
    managed: Managed = dict(updater(f"m{name:02d}", second, version) for name, second, version in updaters)
    capped = cap_updaters(managed)
    assert len(capped) <= max(UPDATE_MANAGERS_MAX, 2)
    for key, each in managed.items():
        assert any(
            other.api_version == key.api_version and each.fields.keys() <= other.fields.keys()
            for other in capped.values()
        )


def test_managers_read_as_in_conflicts() -> None:
    assert str(ManagerKey.of("m1", "Apply", "v1", "")) == '"m1"'
    assert str(ManagerKey.of("up", "Update", "v1", "")) == '"up" using v1'
    scale = ManagerKey.of("hpa", "Update", "apps/v1", "scale")
    assert str(scale) == '"hpa" with subresource "scale" using apps/v1'
