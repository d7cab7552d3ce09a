"""What is published of a custom resource for clients."""

from typing import Any

from kajitori.apis.apiextensions_v1.openapi import document, v2_definitions
from kajitori.apis.apiextensions_v1.openapi_shared import Shared
from kajitori.apis.apiextensions_v1.published import to_v2
from kajitori.apis.apiextensions_v1.serving import ScalePaths, ServedVersion

META = "io.k8s.apimachinery.pkg.apis.meta.v1."


SHARED = Shared()


def version(schema: dict[str, Any], **fields: Any) -> ServedVersion:
    base: dict[str, Any] = {
        "group": "stable.example.com",
        "version": "v1",
        "plural": "crontabs",
        "singular": "crontab",
        "kind": "CronTab",
        "list_kind": "CronTabList",
        "namespaced": True,
        "served": True,
        "storage": True,
        "storage_version": "v1",
        "load": lambda: schema,
    }
    return ServedVersion(**{**base, **fields})


SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "port": {"x-kubernetes-int-or-string": True},
                "object": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
            },
        }
    },
}


def test_the_document_names_kinds_and_parameters() -> None:  # O1
    spec = document([version(SCHEMA, has_status=True, scale=ScalePaths(".spec.n", ".status.n"))], SHARED)
    collection = "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs"
    assert list(spec["paths"]) == [
        "/apis/stable.example.com/v1/crontabs",
        collection,
        collection + "/{name}",
        collection + "/{name}/scale",
        collection + "/{name}/status",
    ]
    patch = spec["paths"][collection + "/{name}"]["patch"]
    assert patch["operationId"] == "patchStableExampleComV1NamespacedCronTab"
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "stable.example.com",
        "version": "v1",
        "kind": "CronTab",
    }
    assert {each["name"] for each in patch["parameters"]} >= {"fieldValidation", "dryRun", "force"}
    # Field validation by the server is what kubectl looks for before it trusts a server with it.
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]


def test_the_document_has_all_it_refers_to() -> None:  # O2
    schemas = document([version(SCHEMA)], SHARED)["components"]["schemas"]
    own = schemas["com.example.stable.v1.CronTab"]
    metadata = own["properties"]["metadata"]
    assert metadata["allOf"] == [{"$ref": f"#/components/schemas/{META}ObjectMeta"}]
    assert own["x-kubernetes-group-version-kind"][0]["kind"] == "CronTab"
    inner = own["properties"]["spec"]["properties"]
    assert inner["port"]["anyOf"] == [{"type": "integer"}, {"type": "string"}]
    assert inner["object"]["required"] == ["kind", "apiVersion"]
    listed = schemas["com.example.stable.v1.CronTabList"]
    assert listed["properties"]["items"]["items"] == {
        "$ref": "#/components/schemas/com.example.stable.v1.CronTab"
    }
    assert {META + "Time", META + "ListMeta", META + "Status", META + "DeleteOptions"} <= set(schemas)


def test_the_second_version_of_openapi_says_less() -> None:
    schema = {
        "type": "object",
        "required": ["n", "s"],
        "properties": {
            "n": {"type": "string", "nullable": True},
            "s": {"type": "string", "anyOf": [{"minLength": 1}], "not": {"enum": ["x"]}},
            "open": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {"a": {"type": "string"}},
            },
            "l": {"type": "array", "items": {"type": "string"}, "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    assert to_v2(schema) == {
        "type": "object",
        "required": ["s"],
        "properties": {
            "n": {},
            "s": {"type": "string"},
            "open": {"x-kubernetes-preserve-unknown-fields": True},
            "l": {"x-kubernetes-preserve-unknown-fields": True},
        },
    }
    own = v2_definitions(version(schema), SHARED)["com.example.stable.v1.CronTab"]
    assert own["properties"]["metadata"]["$ref"] == f"#/definitions/{META}ObjectMeta"
    free = v2_definitions(version({"type": "object", "x-kubernetes-preserve-unknown-fields": True}), SHARED)
    assert set(free["com.example.stable.v1.CronTab"]) == {"type", "x-kubernetes-group-version-kind"}


def test_everything_is_described() -> None:
    described = {"type": "object", "description": "A table of times.", "properties": {"spec": SCHEMA}}
    spec = document([version(described, scale=ScalePaths(".spec.n", ".status.n"))], SHARED)
    schemas = spec["components"]["schemas"]
    own, listed = schemas["com.example.stable.v1.CronTab"], schemas["com.example.stable.v1.CronTabList"]
    assert own["description"] == "A table of times."
    assert own["properties"]["metadata"]["description"].startswith("Standard object's metadata.")
    assert own["properties"]["kind"]["description"].startswith("Kind is a string value")
    assert own["properties"]["spec"]["properties"]["spec"]["properties"]["object"]["properties"][
        "apiVersion"
    ]["description"].startswith("APIVersion defines")
    assert listed["description"] == "CronTabList is a list of CronTab"
    assert listed["properties"]["items"]["description"].startswith("List of crontabs.")
    assert listed["properties"]["metadata"]["description"].startswith("Standard list metadata.")
    item = spec["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"]
    assert item["patch"]["description"] == "partially update the specified CronTab"
    assert [each["name"] for each in item["get"]["parameters"]] == ["resourceVersion"]
    assert [each["description"] for each in item["parameters"] if each["name"] == "name"] == [
        "name of the CronTab"
    ]
    scale = spec["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/scale"]
    assert scale["get"]["description"] == "read scale of the specified CronTab"
    v2 = v2_definitions(version(described), SHARED)["com.example.stable.v1.CronTab"]["properties"]
    assert v2["metadata"]["description"] == own["properties"]["metadata"]["description"]


def test_a_default_is_no_part_of_the_second_version() -> None:
    assert to_v2({"type": "object", "properties": {"n": {"type": "integer", "default": 3}}}) == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
    }
