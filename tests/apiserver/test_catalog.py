"""What is served, and how it is discovered."""

from typing import Any

from tests.apiserver.support import Api, define, definition, served

from kajitori.apiserver.catalog import version_priority

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_versions_come_in_the_order_of_trust() -> None:  # K3
    wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
    assert sorted(sorted(wanted), key=version_priority) == wanted


@served
async def test_what_may_hold_anything_is_published_as_a_bare_object(api: Api) -> None:
    # Clients that validate take any property told here as the only ones allowed.
    crd = definition()
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    await define(api, crd)
    published = (await api.ok("GET", "/openapi/v2")).body["definitions"]["com.example.v1.Widget"]
    kind = {"group": "example.com", "version": "v1", "kind": "Widget"}
    assert published == {"type": "object", "x-kubernetes-group-version-kind": [kind]}


@served
async def test_a_kind_is_discovered_while_it_is_served(api: Api) -> None:  # K1
    async def groups() -> list[str]:
        return [each["name"] for each in (await api.ok("GET", "/apis")).body["groups"]]

    before = await groups()
    crd = definition(subresources={"status": {}})
    crd["spec"]["names"] |= {"shortNames": ["wd"], "categories": ["all"]}
    await define(api, crd)
    assert await groups() == [*before, "example.com"]
    group = (await api.ok("GET", "/apis/example.com")).body
    assert group["preferredVersion"] == {"groupVersion": "example.com/v1", "version": "v1"}
    listed = (await api.ok("GET", "/apis/example.com/v1")).body["resources"]
    assert [each["name"] for each in listed] == ["widgets", "widgets/status"]
    assert listed[0]["shortNames"] == ["wd"] and listed[0]["storageVersionHash"]
    aggregated = (await api.ok("GET", "/apis", accept=AGGREGATED)).body
    (mine,) = [each for each in aggregated["items"] if each["metadata"]["name"] == "example.com"]
    (resource,) = mine["versions"][0]["resources"]
    assert resource["scope"] == "Namespaced" and resource["subresources"][0]["subresource"] == "status"
    assert "/apis/example.com/v1" in (await api.ok("GET", "/")).body["paths"]
    await api.ok("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")
    while "example.com" in await groups():
        pass
    assert (await api.ask("GET", "/apis/example.com")).status == 404


@served
async def test_a_document_that_is_known_is_not_sent_again(api: Api) -> None:
    for path, accept in (("/apis", AGGREGATED), ("/api", AGGREGATED), ("/apis/apps/v1", "")):
        first = await api.ask("GET", path, accept=accept)
        again = await api.ask("GET", path, accept=accept, if_none_match=first.headers["etag"])
        assert (first.status, again.status, again.raw) == (200, 304, b"")


@served
async def test_built_in_documents_have_every_media_type(api: Api) -> None:
    plain: dict[str, Any] = (await api.ok("GET", "/api/v1")).body
    assert plain["kind"] == "APIResourceList" and len(plain["resources"]) > 20
    told = await api.ok("GET", "/api/v1", accept="application/vnd.kubernetes.protobuf")
    assert told.raw.startswith(b"k8s\x00")
