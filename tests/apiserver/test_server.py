"""The road of a request before any endpoint: who asks, may they, and is there such a path."""

import asyncio
from typing import Any

import pytest
from tests.apiserver.support import CONFIG_MAPS, Api, config_map, define, definition, served

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
        ("PUT /apis/example.com/v1/namespaces/default/widgets", 405),
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
