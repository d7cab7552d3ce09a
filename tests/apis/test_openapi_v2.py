"""The OpenAPI v2 document and its protobuf form."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from kajitori.apis import facts, openapi_v2
from kajitori.wire.protobuf.scalars import read_varint

WIDGETS = {
    "paths": {
        "/apis/example.com/v1/widgets": {"get": {"responses": {"200": {}}, "x-kubernetes-action": "list"}}
    },
    "components": {
        "schemas": {
            "com.example.v1.Widget": {
                "type": "object",
                "properties": {"a": {"type": "string", "nullable": True, "description": "d"}},
                "x-kubernetes-group-version-kind": [
                    {"group": "example.com", "version": "v1", "kind": "Widget"}
                ],
            }
        }
    },
}


WIDGETS_V2 = {"com.example.v1.Widget": {"type": "object", "properties": {"a": {"description": "d"}}}}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_v2.document([WIDGETS], WIDGETS_V2)


def schemas_in(schemas: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for schema in schemas:
        yield schema
        yield from schemas_in(schema.get("properties", {}).values())
        inner = (schema.get("items"), schema.get("additionalProperties"))
        yield from schemas_in(each for each in inner if isinstance(each, dict))


def test_every_definition_is_there(document: dict[str, Any]) -> None:  # O1
    names = set(document["definitions"])
    assert {each for each in facts.definition_names() if facts.definition(each).schema} <= names
    assert "com.example.v1.Widget" in names
    assert document["swagger"] == "2.0" and document["info"]["version"] == "1.36"


def test_operations_say_their_kind_and_action(document: dict[str, Any]) -> None:  # O1
    item = document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]
    patch = item["patch"]
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert "application/apply-patch+yaml" in patch["consumes"]
    dry_run = next(each for each in patch["parameters"] if each.get("name") == "dryRun")
    assert dry_run.pop("description")
    assert dry_run == {"name": "dryRun", "in": "query", "type": "string", "uniqueItems": True}
    assert item["get"]["responses"]["200"] == {
        "description": "OK",
        "schema": {"$ref": "#/definitions/io.k8s.api.core.v1.ConfigMap"},
    }


def test_references_and_leftovers(document: dict[str, Any]) -> None:  # O2
    assert "#/components/" not in json.dumps(document)
    left_over = {"oneOf", "anyOf", "nullable", "default"}
    assert not any(left_over & set(schema) for schema in schemas_in(document["definitions"].values()))
    pod = document["definitions"]["io.k8s.api.core.v1.Pod"]
    assert pod["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.core.v1.PodSpec"
    containers = document["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    either = document["definitions"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert (either["type"], either["format"]) == ("string", "int-or-string")


def test_custom_kinds_have_the_schemas_made_for_v2(document: dict[str, Any]) -> None:  # O3
    assert document["definitions"]["com.example.v1.Widget"] == WIDGETS_V2["com.example.v1.Widget"]
    assert "/apis/example.com/v1/widgets" in document["paths"]


def test_parameters_that_are_shared_stand_once_under_kubernetes_names(document: dict[str, Any]) -> None:  # O4
    shared = document["parameters"]
    assert {"pretty-tJGM1-ng", "body-78PwaGsr", "namespace-vgWSWtn3", "limit-1NfNmdNH"} <= set(shared)
    assert shared["body-78PwaGsr"] == {
        "name": "body",
        "in": "body",
        "required": True,
        "schema": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch"},
    }
    item = document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]
    assert item["patch"]["parameters"][0] == {"$ref": "#/parameters/body-78PwaGsr"}
    assert [each.get("$ref", each.get("name")) for each in item["parameters"]] == [
        "name",
        "#/parameters/namespace-vgWSWtn3",
        "#/parameters/pretty-tJGM1-ng",
    ]


def test_media_are_told_in_kubernetes_order(document: dict[str, Any]) -> None:
    item = document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]
    assert item["patch"]["consumes"][0] == "application/json-patch+json"
    assert item["get"]["consumes"] == ["*/*"]
    assert item["get"]["produces"][:2] == ["application/json", "application/yaml"]
    root = document["paths"]["/apis/apps/"]["get"]
    assert root["consumes"] == root["produces"]


def fields(message: bytes) -> list[tuple[int, Any]]:
    """The fields of a protobuf message: numbers as they are, the rest as bytes."""
    found: list[tuple[int, Any]] = []
    position = 0
    while position < len(message):
        tag, position = read_varint(message, position)
        if tag & 7 == 0:
            value, position = read_varint(message, position)
            found.append((tag >> 3, value))
        else:
            size, position = (8, position) if tag & 7 == 1 else read_varint(message, position)
            found.append((tag >> 3, message[position : position + size]))
            position += size
    return found


def only(message: bytes, number: int) -> Any:
    return next(value for found, value in fields(message) if found == number)


def test_the_protobuf_form_is_gnostics(document: dict[str, Any]) -> None:
    message = openapi_v2.to_protobuf(document)
    assert only(message, 1) == b"2.0" and only(only(message, 2), 2) == b"1.36"
    named = [value for _, value in fields(only(message, 9))]
    assert len(named) == len(document["definitions"])
    by_name = {only(each, 1).decode(): only(each, 2) for each in named}
    pod = by_name["io.k8s.api.core.v1.Pod"]
    assert only(only(pod, 22), 1) == b"object"
    extension = only(pod, 31)
    assert only(extension, 1) == b"x-kubernetes-group-version-kind"
    assert json.loads(only(only(extension, 2), 2)) == [{"group": "", "kind": "Pod", "version": "v1"}]
    paths = fields(only(message, 8))
    shared = {only(each, 1).decode(): only(each, 2) for _, each in fields(only(message, 10))}
    assert set(shared) == set(document["parameters"])
    query = only(only(shared["pretty-tJGM1-ng"], 2), 3)
    assert (only(query, 2), only(query, 4)) == (b"query", b"pretty")
    assert only(only(only(shared["body-78PwaGsr"], 1), 5), 1).endswith(b".Patch")
    assert len(paths) == len(document["paths"]) and {number for number, _ in paths} == {2}
