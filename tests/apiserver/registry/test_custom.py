"""Custom objects on the road of every object."""

from typing import Any

import pytest
from tests.apiserver.support import APPLY, MERGE, Api, define, definition, served

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "replicas": {"type": "integer", "default": 1},
                "size": {"type": "string", "enum": ["s", "m"]},
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def strict_definition(**version: Any) -> dict[str, Any]:
    return definition(schema={"openAPIV3Schema": SCHEMA}, subresources={"status": {}}, **version)


def widget(name: str = "w", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


@served
async def test_objects_are_defaulted_pruned_and_judged(api: Api) -> None:
    path = await define(api, strict_definition())
    made = await api.ok("POST", path, widget(size="s", unknown=1))
    assert made.body["spec"] == {"replicas": 1, "size": "s"}
    assert made.headers["warning"] == r'299 - "unknown field \"spec.unknown\""'
    told = await api.refused(422, "POST", path, widget("x", size="xl"))
    assert 'spec.size: Unsupported value: "xl": supported values: "s", "m"' in told.message
    told = await api.refused(400, "POST", f"{path}?fieldValidation=Strict", widget("x", unknown=1))
    assert told.message.endswith('strict decoding error: unknown field "spec.unknown"')


@served
async def test_the_generation_counts_what_is_wanted(api: Api) -> None:
    path = await define(api, strict_definition())
    await api.ok("POST", path, {**widget(), "status": {"x": 1}})

    async def patched(body: Any, below: str = "") -> tuple[int, Any]:
        told = (await api.ok("PATCH", f"{path}/w{below}", body, type=MERGE)).body
        return told["metadata"]["generation"], told.get("status")

    assert await patched({"metadata": {"labels": {"a": "b"}}}) == (1, None)
    assert await patched({"spec": {"replicas": 2}, "status": {"x": 1}}) == (2, None)
    assert await patched({"spec": {"replicas": 3}, "status": {"x": 1}}, "/status") == (2, {"x": 1})
    assert (await api.ok("GET", f"{path}/w")).body["spec"]["replicas"] == 2


@served
async def test_a_new_default_is_shown_of_old_objects(api: Api) -> None:
    crd = strict_definition()
    path = await define(api, crd)
    await api.ok("POST", path, widget())
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "spec": {**spec}}}
    schema["properties"]["spec"]["properties"] = {
        **spec["properties"],
        "color": {"type": "string", "default": "red"},
    }
    crd["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": schema}
    standing = (await api.ok("GET", f"{CRDS}/widgets.example.com")).body
    await api.ok(
        "PUT", f"{CRDS}/widgets.example.com", {**standing, "spec": {**standing["spec"], **crd["spec"]}}
    )
    one = (await api.ok("GET", f"{path}/w")).body
    assert one["spec"] == {"replicas": 1, "color": "red"}
    assert (await api.ok("GET", path)).body["items"][0] == one
    async with api.watch(path) as watch:
        assert (await watch.next())[1] == one


@served
async def test_objects_have_every_served_version(api: Api) -> None:
    crd = strict_definition()
    second = {**crd["spec"]["versions"][0], "name": "v2", "storage": False}
    crd["spec"]["versions"].append(second)
    path = await define(api, crd)
    made = (await api.ok("POST", path, widget(size="s"))).body
    second_path = path.replace("/v1/", "/v2/")
    told = (await api.ok("GET", f"{second_path}/w")).body
    assert told["apiVersion"] == "example.com/v2" and told["spec"] == made["spec"]
    assert told["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert (await api.ok("GET", second_path)).body["items"] == [told]
    body = {"spec": {"size": "m"}}
    await api.ok("PATCH", f"{second_path}/w", body, type=MERGE)
    assert (await api.ok("GET", f"{path}/w")).body["spec"]["size"] == "m"


@served
async def test_nobody_owns_what_a_patch_in_another_version_may_not_set(api: Api) -> None:
    crd = strict_definition()
    (first,) = crd["spec"]["versions"]
    crd["spec"]["versions"].append({**first, "name": "v2", "storage": False})
    path = await define(api, crd)
    await api.ok("POST", path, widget(size="s"))
    patch = {"spec": {"size": "m", "unknown": "x"}}
    told = await api.ok("PATCH", f"{path.replace('v1', 'v2')}/w?fieldManager=p", patch, type=MERGE)
    assert told.body["spec"] == {"replicas": 1, "size": "m"}
    [entry] = [each for each in told.body["metadata"]["managedFields"] if each["manager"] == "p"]
    assert entry["fieldsV1"] == {"f:spec": {"f:size": {}}}


@served
async def test_objects_are_applied_without_a_go_type(api: Api) -> None:
    path = await define(api, strict_definition())
    first = await api.ask("PATCH", f"{path}/w?fieldManager=a", widget(size="s"), type=APPLY)
    assert first.status == 201
    told = await api.refused(409, "PATCH", f"{path}/w?fieldManager=b", widget(size="m"), type=APPLY)
    assert 'conflict with "a"' in told.message and ".spec.size" in told.message
    await api.ok("PATCH", f"{path}/w?fieldManager=b&force=true", widget(size="m"), type=APPLY)


@served
async def test_the_scale_is_where_the_definition_says(api: Api) -> None:
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    crd = strict_definition()
    crd["spec"]["versions"][0]["subresources"]["scale"] = paths
    path = await define(api, crd)
    await api.ok("POST", path, widget(replicas=2))
    scale = (await api.ok("GET", f"{path}/w/scale")).body
    assert (scale["kind"], scale["spec"], scale["status"]) == ("Scale", {"replicas": 2}, {"replicas": 0})
    scale["spec"]["replicas"] = 5
    await api.ok("PUT", f"{path}/w/scale", scale)
    assert (await api.ok("GET", f"{path}/w")).body["spec"]["replicas"] == 5


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"{", b'{"metadata":[]}', b'{"metadata":{"name":1}}', b"\xff"]
)
@served
async def test_what_is_no_object_is_refused(api: Api, body: bytes) -> None:
    path = await define(api, strict_definition())
    await api.refused(400, "POST", path, body)


def of_versions(**versions: dict[str, Any]) -> dict[str, Any]:
    """A definition with these versions and the properties that their specs have; the last is stored."""
    crd = definition()
    crd["spec"]["versions"] = [
        {
            "name": name,
            "served": True,
            "storage": name == list(versions)[-1],
            "schema": {
                "openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {"type": "object", "properties": properties}},
                }
            },
        }
        for name, properties in versions.items()
    ]
    return crd


@served
async def test_each_version_judges_by_its_own_schema(api: Api) -> None:
    text = {"type": "string"}
    crd = of_versions(
        v1={"a": {**text, "maxLength": 3}, "d": {**text, "default": "one"}},
        v2={"a": text, "b": text, "e": {**text, "default": "two"}},
    )
    old = await define(api, crd)
    new = old.replace("/v1/", "/v2/")
    await api.refused(422, "POST", old, widget(a="1234"))
    made = await api.ok("POST", old, widget(a="123"))
    assert made.body["spec"] == {"a": "123"}  # v2, in which it is stored, knows no d
    assert (await api.ok("GET", f"{new}/w")).body["spec"] == {"a": "123", "e": "two"}
    second = {**widget("x", a="1234", b="b"), "apiVersion": "example.com/v2"}
    await api.ok("POST", new, second)
    assert (await api.ok("GET", f"{old}/x")).body["spec"] == {"a": "1234"}
    patched = await api.ok("PATCH", f"{old}/x", {"metadata": {"labels": {"a": "b"}}}, type=MERGE)
    assert patched.body["metadata"]["generation"] == 2  # what v1 does not know is gone
    assert (await api.ok("GET", f"{new}/x")).body["spec"] == {"a": "1234", "e": "two"}


@served
async def test_an_applied_null_is_judged(api: Api) -> None:
    text = {"type": "string"}
    path = await define(api, of_versions(v1={"a": text, "d": {**text, "default": "one"}}))
    told = await api.refused(422, "PATCH", f"{path}/w?fieldManager=m", widget(a=None), type=APPLY)
    assert 'spec.a in body must be of type string: "null"' in told.message
    made = await api.ok("PATCH", f"{path}/w?fieldManager=m", widget(d=None), type=APPLY)
    assert made.body["spec"] == {"d": "one"}
    assert (await api.ok("POST", path, widget("x", a=None))).body["spec"] == {"d": "one"}


@served
async def test_a_subresource_that_another_version_has_is_not_found(api: Api) -> None:
    crd = of_versions(v1={}, v2={})
    crd["spec"]["versions"][0]["subresources"] = {"status": {}}
    path = await define(api, crd)
    told = await api.refused(404, "GET", f"{path.replace('/v1/', '/v2/')}/w/status")
    assert told.message == 'widgets.example.com "w" not found'


@served
async def test_what_a_custom_group_does_not_have_is_a_page(api: Api) -> None:
    path = await define(api, definition())
    for missing in (path.replace("widgets", "gadgets"), path.replace("/v1/", "/v9/")):
        told = await api.ask("GET", missing)
        assert (told.status, told.raw) == (404, b"404 page not found\n")


@served
async def test_the_metadata_of_embedded_resources_has_no_free_fields(api: Api) -> None:
    free = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    }
    path = await define(api, of_versions(v1={"pod": free}))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "more": 1}
    await api.ok("PATCH", f"{path}/w?fieldManager=m", widget(pod=pod), type=APPLY)
    wrong = widget(pod={**pod, "metadata": {"foo": 1}})
    told = await api.refused(500, "PATCH", f"{path}/w?fieldManager=m", wrong, type=APPLY)
    assert told.message.endswith(".spec.pod.metadata.foo: field not declared in schema")
