"""Requests in Kubernetes' terms: verbs and resources, whatever the URL looks like."""

import pytest

from kajitori.apiserver.options import parse_query
from kajitori.apiserver.requestinfo import RequestInfo, parse_request


def parsed(line: str) -> RequestInfo:
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return parse_request(method, path, parse_query(query))


def told(info: RequestInfo) -> tuple[str, str, str, str, str, str, str]:
    return (
        info.verb,
        info.group,
        info.version,
        info.namespace,
        info.resource,
        info.subresource,
        info.name,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /api/v1/pods", ("list", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/namespaces/a/pods", ("list", "", "v1", "a", "pods", "", "")),
        ("GET /api/v1/namespaces/a/pods/p", ("get", "", "v1", "a", "pods", "", "p")),
        ("HEAD /api/v1/namespaces/a/pods/p", ("get", "", "v1", "a", "pods", "", "p")),
        ("PUT /api/v1/namespaces/a/pods/p/status", ("update", "", "v1", "a", "pods", "status", "p")),
        ("GET /apis/apps/v1/deployments", ("list", "apps", "v1", "", "deployments", "", "")),
        ("POST /apis/apps/v1/namespaces/a/deployments", ("create", "apps", "v1", "a", "deployments", "", "")),
        ("DELETE /api/v1/namespaces/a/pods", ("deletecollection", "", "v1", "a", "pods", "", "")),
        ("DELETE /api/v1/namespaces/a/pods/p", ("delete", "", "v1", "a", "pods", "", "p")),
        ("GET /api/v1/namespaces", ("list", "", "v1", "", "namespaces", "", "")),
        ("GET /api/v1/namespaces/a", ("get", "", "v1", "a", "namespaces", "", "a")),
        ("PUT /api/v1/namespaces/a/finalize", ("update", "", "v1", "a", "namespaces", "finalize", "a")),
        ("PATCH /api/v1/namespaces/a/status", ("patch", "", "v1", "a", "namespaces", "status", "a")),
        ("GET /api/v1/pods?watch=true", ("watch", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/pods?watch=1", ("watch", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/pods?watch", ("watch", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/pods?watch=0", ("list", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/pods?watch=False", ("list", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/namespaces/a/pods/p?watch=true", ("get", "", "v1", "a", "pods", "", "p")),
        ("GET /api/v1/watch/pods", ("watch", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/watch/namespaces/a/pods/p", ("watch", "", "v1", "a", "pods", "", "p")),
        ("GET /api/v1/proxy/namespaces/a/pods/p", ("proxy", "", "v1", "a", "pods", "", "p")),
        ("LIST /api/v1/pods", ("", "", "v1", "", "pods", "", "")),
        ("GET /api/v1/namespaces/a/pods/p/proxy/x/y", ("get", "", "v1", "a", "pods", "proxy", "p")),
        # A path is decoded first: an encoded slash divides it too.
        ("GET /api/v1/namespaces/a%2Fpods/p%2Fstatus", ("get", "", "v1", "a", "pods", "status", "p")),
        ("GET /api/v1/namespaces/a/pods/%C3%BC", ("get", "", "v1", "a", "pods", "", "ü")),
        ("GET /api/v1/pods/", ("list", "", "v1", "", "pods", "", "")),
    ],
)
def test_a_path_is_about_a_resource(line: str, expected: tuple[str, ...]) -> None:
    info = parsed(line)
    assert info.is_resource
    assert told(info) == expected
    assert info.collection == (not info.name)


@pytest.mark.parametrize(
    "path", ["/", "/api", "/apis/apps", "/apis/apps/v1", "/api/v1", "/version", "/api//v1/x"]
)
def test_other_paths_are_no_resources(path: str) -> None:
    info = parsed(f"POST {path}")
    assert (info.is_resource, info.verb, info.path) == (False, "post", path)


def test_what_follows_a_subresource_is_kept() -> None:
    assert parsed("GET /api/v1/namespaces/a/pods/p/proxy/x/y").parts == ("x", "y")
