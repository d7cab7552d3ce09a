"""Custom objects whose versions a webhook converts."""

from typing import Any

import pytest
from tests.apiserver.support import APPLY, MERGE, Api, define, definition, served
from tests.apiserver.webhooks.support import Hook, listening

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OLD = "/apis/example.com/v1/namespaces/default/widgets"
NEW = "/apis/example.com/v2/namespaces/default/widgets"


def converted(review: dict[str, Any]) -> dict[str, Any]:
    """v1 has `spec.a`, v2 has `spec.b`, with who made it."""
    request = review["request"]
    version = request["desiredAPIVersion"]
    objects: list[dict[str, Any]] = []
    for each in request["objects"]:
        spec = dict(each.get("spec") or {})
        if version.endswith("v2") and "a" in spec:
            spec["b"] = "to2-" + spec.pop("a")
        elif version.endswith("v1") and "b" in spec:
            spec["a"] = "to1-" + spec.pop("b")
        objects.append({**each, "apiVersion": version, "spec": spec})
    response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects}
    return {"apiVersion": review["apiVersion"], "kind": "ConversionReview", "response": response}


def two_versions(hook: Hook, **conversion: Any) -> dict[str, Any]:
    crd = definition()
    text = {"type": "string"}
    spec = {"a": text, "b": text, "n": {"type": "integer", "default": 3}}
    schema = {
        "openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": spec}},
        }
    }
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    crd["spec"]["versions"] = [
        {
            "name": name,
            "served": True,
            "storage": name == "v2",
            "schema": schema,
            "subresources": {"status": {}, "scale": scale},
        }
        for name in ("v2", "v1")
    ]
    webhook = {"clientConfig": hook.config(), "conversionReviewVersions": ["v1"], **conversion}
    crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
    return crd


def widget(version: str, name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name}
    return {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": metadata, "spec": spec}


@served
async def test_objects_are_converted_on_the_way_in_and_out(api: Api) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook))
        made = await api.ok("POST", OLD, widget("v1", "w", a="x"))
        assert made.body["apiVersion"] == "example.com/v1"
        assert made.body["spec"] == {"a": "to1-to2-x", "n": 3}
        assert (await api.ok("GET", f"{NEW}/w")).body["spec"] == {"b": "to2-x", "n": 3}
        assert (await api.ok("GET", f"{OLD}/w")).body["spec"]["a"] == "to1-to2-x"
        assert "/convert?timeout=30s" in hook.heads[0]
        patched = await api.ok("PATCH", f"{OLD}/w", {"spec": {"a": "z"}}, type=MERGE)
        assert patched.body["spec"]["a"] == "to1-to2-z" and patched.body["metadata"]["generation"] == 2
        applied = await api.ok(
            "PATCH", f"{OLD}/w?fieldManager=m&force=true", widget("v1", "w", a="q"), type=APPLY
        )
        assert applied.body["spec"]["a"] == "to1-to2-q"
        assert (await api.ok("GET", f"{OLD}/w/scale")).body["spec"] == {"replicas": 3}
        dry = await api.ok("POST", f"{OLD}?dryRun=All", widget("v1", "dry", a="x"))
        assert dry.body["spec"]["a"] == "to1-to2-x"
        await api.ok("DELETE", f"{OLD}/w")
        await api.refused(404, "GET", f"{NEW}/w")


@served
async def test_a_list_is_one_review(api: Api) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook))
        for number in range(5):
            await api.ok("POST", NEW, widget("v2", f"w{number}", b="x"))
        assert hook.reviews == []
        listed = (await api.ok("GET", OLD)).body
        assert [each["spec"]["a"] for each in listed["items"]] == ["to1-x"] * 5
        assert len(hook.reviews) == 1 and len(hook.reviews[0]["request"]["objects"]) == 5
        assert (await api.ok("GET", f"{OLD}?labelSelector=x%3Dy")).body["items"] == []
        assert len((await api.ok("GET", f"{OLD}?limit=2")).body["items"]) == 2


@served
async def test_a_watch_tells_converted_objects_in_order(api: Api) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook))
        await api.ok("POST", NEW, widget("v2", "a", b="x"))
        async with api.watch(f"{OLD}?resourceVersion=0") as watch:
            type_, first = await watch.next()
            assert (type_, first["spec"]["a"]) == ("ADDED", "to1-x")
            await api.ok("POST", NEW, widget("v2", "b", b="y"))
            await api.ok("PATCH", f"{NEW}/a", {"spec": {"b": "z"}}, type=MERGE)
            await api.ok("DELETE", f"{NEW}/b")
            assert await watch.take(3) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
            assert [obj["apiVersion"] for _, obj in watch.seen] == ["example.com/v1"] * 4


@served
async def test_a_watch_ends_with_the_failure_of_its_webhook(api: Api) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook))
        await api.ok("POST", NEW, widget("v2", "a", b="x"))
        async with api.watch(f"{OLD}?resourceVersion=0&allowWatchBookmarks=true") as watch:
            await watch.take(1)
            hook.answer = lambda review: b""
            await api.ok("POST", NEW, widget("v2", "b", b="y"))
            [*_, (type_, status)] = await watch.rest()
            assert type_ == "ERROR" and status["message"].endswith(": EOF")


def response(**changes: Any) -> Any:
    def answer(review: dict[str, Any]) -> dict[str, Any]:
        good = converted(review)
        return {**good, "response": {**good["response"], **changes}}

    return answer


def metadata(**changes: Any) -> Any:
    def answer(review: dict[str, Any]) -> dict[str, Any]:
        good = converted(review)
        for each in good["response"]["convertedObjects"]:
            each["metadata"] = {**each["metadata"], **changes}
        return good

    return answer


def http(status: str, body: bytes = b"", content_type: str = "application/json") -> Any:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return lambda review: head.encode() + body


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda review: b"", 'failed: Post "URL": EOF'),
        (
            lambda review: b"SSH-2.0-x\r\n",
            'failed: Post "URL": net/http: HTTP/1.x transport connection broken',
        ),
        (http("500 Oops", b"boom"), 'failed: an error on the server ("unknown") has prevented the request'),
        (http("500 Oops", b"boom", "text/plain"), 'failed: an error on the server ("boom") has prevented'),
        (http("404 Nothing"), "failed: the server could not find the requested resource"),
        (http("403 No", b'{"kind":"Status","status":"Failure","message":"not you"}'), "failed: not you"),
        (
            http("200 OK"),
            "failed: 0-length response with status code: 200 and content type: application/json",
        ),
        (
            http("200 OK", b"hello"),
            "failed: couldn't get version/kind; json parse error: json: cannot unmarsh",
        ),
        (
            lambda review: {},
            "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionRev",
        ),
        (response(uid="x"), "failed: expected response.uid="),
        (response(result={"status": "Failure", "message": "no way"}), "failed: no way"),
        (response(convertedObjects=[]), "returned 0 objects, expected 1"),
        (response(convertedObjects=["x"]), None),
        (metadata(name="other"), "returned invalid object: must have the same name: w != other"),
        (metadata(uid="other"), "returned invalid object: must have the same UID: "),
        (
            metadata(labels={"a": 1}),
            "returned invalid metadata: metadata.labels[a] must be a string, but is int",
        ),
    ],
)
@served
async def test_what_a_webhook_may_do_wrong(api: Api, answer: Any, told: str | None) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook))
        await api.ok("POST", NEW, widget("v2", "w", b="x"))
        hook.answer = answer
        url = hook.config()["url"] + "?timeout=30s"
        begin = "conversion webhook for example.com/v2, Kind=Widget "
        if told is None:
            begin = told = "json: cannot unmarshal string into Go value of type map[string]interface {}"
        else:
            told = begin + told.replace("URL", url)
        for method, path in (("GET", f"{OLD}/w"), ("GET", OLD), ("DELETE", f"{OLD}/w")):
            refused = await api.refused(500, method, path)
            assert refused.message.startswith(told), (method, path, refused.message)
            assert "reason" not in refused.body
        patch = await api.refused(500, "PATCH", f"{OLD}/w", {"spec": {}}, type=MERGE)
        assert patch.message.startswith(begin)
        assert (await api.ok("GET", f"{NEW}/w")).body["spec"] == {"b": "x", "n": 3}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"url": "https://127.0.0.1:1/x"}, "dial tcp 127.0.0.1:1: connect: connection refused"),
        (None, "tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        ({"service": {"namespace": "default", "name": "none"}}, 'service "none" not found'),
    ],
)
@served
async def test_webhooks_that_cannot_be_asked(api: Api, config: dict[str, Any] | None, told: str) -> None:
    async with listening(converted) as hook:
        await define(api, two_versions(hook, clientConfig=config or {"url": hook.config()["url"]}))
        await api.ok("POST", NEW, widget("v2", "w", b="x"))
        assert (await api.refused(500, "GET", f"{OLD}/w")).message.endswith(f": {told}")


@served
async def test_a_webhook_behind_a_service_is_reached_through_its_endpoints(api: Api) -> None:
    async with listening(converted) as hook:
        service = {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": "hook"},
            "spec": {"ports": [{"port": 443}]},
        }
        await api.ok("POST", "/api/v1/namespaces/default/services", service)
        endpoints = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {"name": "hook-1", "labels": {"kubernetes.io/service-name": "hook"}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": hook.port}],
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
        }
        slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        made = await api.ask("POST", slices, endpoints)
        if made.status != 201:
            # A loopback address is refused there; the store holds what a cluster may hold.
            assert "may not be in the loopback range" in made.message
            endpoints["endpoints"] = [{"addresses": ["10.1.2.3"]}]
            await api.ok("POST", slices, endpoints)
            item = api.store.get("discovery.k8s.io/endpointslices", "default/hook-1")
            assert item is not None
            value = item.value.replace(b"10.1.2.3", b"127.0.0.1")
            await api.store.put(
                "discovery.k8s.io/endpointslices", "default/hook-1", lambda _: value, expect=item.revision
            )
        config = {**hook.config(), "service": {"namespace": "default", "name": "hook", "path": "/convert"}}
        del config["url"]
        await define(api, two_versions(hook, clientConfig=config))
        await api.ok("POST", NEW, widget("v2", "w", b="x"))
        assert (await api.ok("GET", f"{OLD}/w")).body["spec"]["a"] == "to1-x"
        assert "host: hook.default.svc:443" in hook.heads[0]
