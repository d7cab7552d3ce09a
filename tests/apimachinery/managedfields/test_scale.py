"""Ownership of replicas, through the scale subresource and back."""

from typing import Any

from kajitori.apimachinery.managedfields.scale import to_parent, to_scale

REPLICAS = ("f:spec", "f:replicas")
PATHS = {"apps/v1": REPLICAS}


def entry(manager: str, operation: str, version: str, fields: Any, **more: Any) -> dict[str, Any]:
    time = {"time": "2026-01-01T00:00:00Z"}
    head = {"manager": manager, "operation": operation, "apiVersion": version}
    return {**head, **time, "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


PARENT = [
    entry("m1", "Apply", "apps/v1", {"f:spec": {"f:paused": {}, "f:replicas": {}}}),
    entry("m2", "Apply", "apps/v1", {"f:spec": {"f:paused": {}}}),
]
SEEN = [entry("m1", "Apply", "autoscaling/v1", {"f:spec": {"f:replicas": {}}})]


def test_only_owners_of_replicas_are_seen() -> None:  # C1
    assert to_scale(PARENT, PATHS) == SEEN
    assert to_scale(PARENT, {}) == []
    assert to_scale(None, PATHS) == []


def test_who_keeps_replicas_keeps_its_entry() -> None:  # C2
    assert to_parent(PARENT, SEEN, PATHS, api_version="apps/v1") == PARENT


def test_who_takes_replicas_gets_them_in_the_parent() -> None:  # C2
    taken = [entry("hpa", "Update", "autoscaling/v1", {"f:spec": {"f:replicas": {}}}, subresource="scale")]
    hpa = entry("hpa", "Update", "apps/v1", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    # Kubernetes forgets the time on this way.
    del hpa["time"]
    m1 = entry("m1", "Apply", "apps/v1", {"f:spec": {"f:paused": {}}})
    assert to_parent(PARENT, taken, PATHS, api_version="apps/v1") == [m1, PARENT[1], hpa]


def test_entries_of_unknown_versions_are_dropped_and_nothing_else() -> None:
    old = entry("old", "Update", "apps/v0", {"f:spec": {"f:x": {}}})
    assert to_parent([*PARENT, old], SEEN, PATHS, api_version="apps/v1") == PARENT
    paths = {**PATHS, "apps/v0": None}
    assert to_parent([*PARENT, old], SEEN, paths, api_version="apps/v1") == [*PARENT, old]
