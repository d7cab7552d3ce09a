"""Definitions read without their schemas."""

from typing import Any

import msgspec
import pytest

from kajitori.apis.apiextensions_v1.serving import served_resources
from kajitori.apis.apiextensions_v1.stored import StoredDefinition

SCHEMA = {"type": "object", "properties": {"spec": {"type": "object"}}}
CRD: dict[str, Any] = {
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com", "generation": 2},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}},
            {"name": "v2", "served": False, "storage": False, "subresources": {"status": {}}},
        ],
    },
    "status": {
        "conditions": [{"type": "Established", "status": "True"}],
        "acceptedNames": {"plural": "widgets", "kind": "Widget"},
    },
}


def stored(crd: dict[str, Any] = CRD) -> StoredDefinition:
    return StoredDefinition(msgspec.json.encode(crd))


def test_schemas_are_read_when_they_are_asked_for() -> None:  # L1
    read = stored()
    assert "schema" not in read.crd["spec"]["versions"][0]
    second, first = served_resources(read.crd, read.schema)  # v2 is preferred
    assert first.raw_schema == SCHEMA and first.raw_schema is first.raw_schema
    assert second.raw_schema == {} and second.has_status


def test_a_schema_that_is_no_json_is_told_when_it_is_read() -> None:  # L1
    value = msgspec.json.encode(CRD).replace(b'"openAPIV3Schema":{', b'"openAPIV3Schema":7,"x":{')
    with pytest.raises(msgspec.ValidationError):
        StoredDefinition(value).schema("v1")


def test_what_is_asked_for_has_a_digest() -> None:  # L2
    assert stored().digest == stored({**CRD, "status": {}}).digest
    other = {**CRD, "spec": {**CRD["spec"], "scope": "Cluster"}}
    assert stored().digest != stored(other).digest
