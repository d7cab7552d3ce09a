"""The road of a request before any endpoint: who asks, may they, and is there such a path."""

import asyncio
from typing import Any

import pytest
from tests.apiserver.support import CONFIG_MAPS, PODS, Api, config_map, define, definition, pod, served

from kajitori.storage import StorageError


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("OPTIONS *", 200),
        ("GET *", 404),
        ("CONNECT a:1", 404),
        ("GET /api/v1/nothing", 404),
        ("GET /apis/apps/v1/nothing", 404),
        ("GET /apis/nothing.example.com/v1/x", 404),
        ("GET /api/v1/pods/a", 404),
        ("PUT /api/v1/pods/a", 404),
        ("GET /api/v1/namespaces/default/nodes", 404),
        ("GET /api/v1/namespaces/default/pods/a/nothing", 404),
        ("GET /api/v1/namespaces/default/pods/a/status/x", 404),
        ("GET /api/v1/proxy/namespaces/default/pods/a", 404),
        ("POST /apis/authorization.k8s.io/v1/localsubjectaccessreviews", 404),
        ("GET /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 405),
        ("POST /api/v1/namespaces/default/pods/a", 405),
        ("POST /api/v1/namespaces/default", 405),
        ("POST /api/v1/pods", 405),
        ("DELETE /api/v1/pods", 405),
        ("DELETE /api/v1/namespaces", 405),
        ("PUT /api/v1/namespaces/default/pods", 405),
        ("PATCH /api/v1/nodes", 405),
        ("HEAD /api/v1/nodes", 405),
        ("OPTIONS /api/v1/nodes", 405),
        ("LIST /api/v1/nodes", 405),
        ("POST /api/v1/watch/nodes", 405),
        ("DELETE /api/v1/namespaces/default/pods/a/log", 405),
        ("POST /api/v1", 405),
        ("GET /api/v1/nodes/%2e%2e", 400),
        ("GET /api/v1/nodes/a%25b", 400),
    ],
)
@served
async def test_every_path_is_answered(api: Api, line: str, status: int) -> None:  # H1
    method, _, path = line.partition(" ")
    told = await api.ask(method, path)
    assert told.status == status, told.raw
    if method == "HEAD" or told.headers["content-type"] != "application/json":
        return
    assert (told.body["kind"], told.body["status"], told.body["code"]) == ("Status", "Failure", status)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /apis/example.com/v1/widgets", 200),
        ("GET /apis/example.com/v1/widgets/w", 404),
        ("POST /apis/example.com/v1/widgets", 404),
        ("DELETE /apis/example.com/v1/widgets", 404),
        ("HEAD /apis/example.com/v1/namespaces/default/widgets", 200),
        ("PUT /apis/example.com/v1/namespaces/default/widgets", 400),
        ("OPTIONS /apis/example.com/v1/namespaces/default/widgets", 405),
        ("POST /apis/example.com", 200),
        ("HEAD /apis/example.com/v1", 200),
        ("GET /apis/example.com/v2/namespaces/default/widgets", 404),
        ("GET /apis/example.com/v1/namespaces/default/widgets/w/status", 404),
    ],
)
@served
async def test_paths_of_custom_kinds_are_answered(api: Api, line: str, status: int) -> None:
    await define(api, definition())
    method, _, path = line.partition(" ")
    assert (await api.ask(method, path)).status == status


@served
async def test_errors_come_in_a_form_the_client_accepts(api: Api) -> None:  # H1
    for accept, content_type in (
        ("application/yaml", "application/yaml"),
        ("application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf"),
        ("text/html", "application/json"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io", "application/json"),
    ):
        told = await api.ask("GET", f"{CONFIG_MAPS}/none", accept=accept)
        assert told.status in (404, 406) and told.headers["content-type"] == content_type


@served
async def test_nobody_gets_past_authorization(api: Api) -> None:  # H2 H4
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    for method, path in (
        ("GET", f"{CONFIG_MAPS}/a"),
        ("GET", f"{CONFIG_MAPS}/none"),
        ("GET", "/api/v1/namespaces/default/nothing"),
        ("GET", "/apis/nothing.example.com/v1/namespaces/default/x"),
        ("DELETE", CONFIG_MAPS),
        ("GET", "/metrics"),
    ):
        told = await api.refused(403, method, path, impersonate_user="nobody")
        assert 'User "nobody" cannot' in told.message
    await api.refused(401, "GET", f"{CONFIG_MAPS}/a", authorization="Bearer wrong")
    told = await api.refused(403, "GET", f"{CONFIG_MAPS}/a", authorization="")
    assert 'User "system:anonymous" cannot get resource "configmaps"' in told.message


@served
async def test_a_role_limited_to_a_name_allows_a_list_of_that_name(api: Api) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rule = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["a"],
        "verbs": ["list", "watch"],
    }
    await api.ok("POST", f"{rbac}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}],
    }
    await api.ok("POST", f"{rbac}/rolebindings", binding)
    await api.ok("GET", f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Da", impersonate_user="alice")
    await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="alice")


@served
async def test_a_body_can_be_too_large(api: Api) -> None:
    told = await api.refused(413, "POST", CONFIG_MAPS, b"x" * (3 * 1024 * 1024 + 1))
    assert told.message == "Request entity too large: limit is 3145728"


@served
async def test_a_disk_that_fails_is_told_as_an_error_of_the_server(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*arguments: Any, **options: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(api.store, "put", fails)
    told = await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))
    assert "the disk is full" in told.message
    monkeypatch.undo()
    await api.ok("POST", CONFIG_MAPS, config_map("a"))


@served
async def test_reads_are_answered_at_once(api: Api) -> None:
    """In the turn in which they came in, so that nobody waits behind a slow write."""
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    reading = asyncio.get_running_loop().create_task(api.ask("GET", f"{CONFIG_MAPS}/a"))
    await asyncio.sleep(0)
    assert reading.done() and reading.result().status == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("HEAD /api", 405),
        ("HEAD /api/v1", 405),
        ("POST /apis/apps/v1", 405),
        ("OPTIONS /version", 405),
        ("POST /apis", 200),
        ("OPTIONS /apis/apps", 200),
        ("POST /apis/nothing", 404),
        ("POST /api/v2", 404),
        ("POST /apis/apps/v2", 404),
        ("POST /openapi/v3", 200),
        ("POST /healthz", 200),
        ("DELETE /metrics", 405),
    ],
)
@served
async def test_discovery_takes_the_methods_that_kubernetes_takes(api: Api, line: str, status: int) -> None:
    method, _, path = line.partition(" ")
    assert (await api.ask(method, path)).status == status


@served
async def test_the_root_lists_what_is_served(api: Api) -> None:
    await define(api, definition())
    paths = (await api.ok("GET", "/")).body["paths"]
    assert {"/api/v1", "/apis/apps", "/apis/example.com/v1", "/openapi/v2", "/readyz/ping", "/version"} <= {
        *paths
    }
    for path in paths:
        assert (await api.ask("GET", path)).status == 200, path


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
REVIEWS = {
    "/apis/authorization.k8s.io/v1/subjectaccessreviews": {"user": "a", "nonResourceAttributes": {}},
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {"nonResourceAttributes": {}},
    "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews": {
        "user": "a",
        "resourceAttributes": {"namespace": "default"},
    },
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": {"namespace": "default"},
    "/apis/authentication.k8s.io/v1/selfsubjectreviews": None,
    "/apis/authentication.k8s.io/v1/tokenreviews": {"token": "t"},
}


@pytest.mark.parametrize("path", REVIEWS)
@served
async def test_a_question_is_no_row_of_a_table(api: Api, path: str) -> None:
    body = {"spec": REVIEWS[path]} if REVIEWS[path] else {}
    for accept in (TABLE, TABLE.replace("json", "yaml")):
        told = await api.ask("POST", path, body, accept=accept)
        assert (told.status, told.body["reason"]) == (406, "NotAcceptable")
    either = await api.ask("POST", path, body, accept=f"{TABLE},application/json")
    assert either.status == 201 and either.body["kind"].endswith("Review")
    alone = await api.ask("POST", path, body, accept=METADATA)
    assert (alone.status, alone.body["kind"], "status" in alone.body) == (201, "PartialObjectMetadata", False)


@served
async def test_what_has_no_table_is_refused_before_it_is_done(api: Api) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    await api.ok("POST", PODS, pod)
    binding = {"metadata": {"name": "p"}, "target": {"name": "n"}}
    assert (await api.ask("POST", f"{PODS}/p/binding", binding, accept=TABLE)).status == 406
    assert "nodeName" not in (await api.ok("GET", f"{PODS}/p")).body["spec"]
    eviction = {"metadata": {"name": "p"}}
    assert (await api.ask("POST", f"{PODS}/p/eviction", eviction, accept=TABLE)).status == 406
    assert (await api.ask("GET", f"{PODS}/p")).status == 200
    assert (await api.ask("GET", f"{PODS}/p/resize", accept=TABLE)).status == 406
    assert (await api.ask("GET", f"{PODS}/p/status", accept=TABLE)).body["kind"] == "Table"


@served
async def test_a_scale_is_a_row_of_a_table(api: Api) -> None:
    await define(api, definition())
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    await api.ok("POST", deployments, {"metadata": {"name": "d"}, "spec": spec})
    told = (await api.ok("GET", f"{deployments}/d/scale", accept=TABLE)).body
    assert [each["name"] for each in told["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert told["rows"][0]["cells"][:3] == ["d", 3, 0]
    assert told["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    alone = (await api.ok("GET", f"{deployments}/d/scale", accept=METADATA)).body
    assert (alone["kind"], alone["metadata"]["name"]) == ("PartialObjectMetadata", "d")


@served
async def test_component_statuses_are_deprecated(api: Api) -> None:
    told = await api.ok("GET", "/api/v1/componentstatuses")
    assert told.headers["warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"'


@served
async def test_an_empty_answer_is_made_pretty_for_nobody(api: Api) -> None:
    await api.ok("POST", PODS, pod("a"))
    told = await api.ask("GET", f"{PODS}/a/log", user_agent="curl/8")  # it is on no node, and has no logs
    assert (told.status, told.raw) == (204, b"")
    assert (await api.ask("GET", f"{PODS}/a/log?pretty=true")).status == 204
