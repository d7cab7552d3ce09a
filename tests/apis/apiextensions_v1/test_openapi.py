"""What is published of a custom resource for clients."""

from typing import Any

from kajitori.apis.apiextensions_v1.openapi import document, v2_definitions
from kajitori.apis.apiextensions_v1.published import to_v2
from kajitori.apis.apiextensions_v1.serving import ScalePaths, ServedVersion

META = "io.k8s.apimachinery.pkg.apis.meta.v1."


def load(name: str) -> dict[str, Any]:
    if name == META + "ObjectMeta":
        return {"type": "object", "properties": {"when": {"$ref": f"#/components/schemas/{META}Time"}}}
    return {"type": "object", "title": name}


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
        "raw_schema": schema,
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
    spec = document([version(SCHEMA, has_status=True, scale=ScalePaths(".spec.n", ".status.n"))], load)
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
    schemas = document([version(SCHEMA)], load)["components"]["schemas"]
    own = schemas["com.example.stable.v1.CronTab"]
    assert own["properties"]["metadata"] == {"allOf": [{"$ref": f"#/components/schemas/{META}ObjectMeta"}]}
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
    own = v2_definitions(version(schema))["com.example.stable.v1.CronTab"]
    assert own["properties"]["metadata"] == {"$ref": f"#/definitions/{META}ObjectMeta"}
    free = v2_definitions(version({"type": "object", "x-kubernetes-preserve-unknown-fields": True}))
    assert set(free["com.example.stable.v1.CronTab"]) == {"type", "x-kubernetes-group-version-kind"}
