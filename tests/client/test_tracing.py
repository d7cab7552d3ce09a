"""What the path of a request is called."""

import pytest

from kajitori.client.tracing import url_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/pods?watch=true", "/api/v1/pods"),
        ("/api/v1/nodes/n1", "/api/v1/nodes/{name}"),
        ("/api/v1/namespaces", "/api/v1/namespaces"),
        ("/api/v1/namespaces/shop", "/api/v1/namespaces/{name}"),
        ("/api/v1/namespaces/shop/status", "/api/v1/namespaces/{name}/status"),
        ("/api/v1/namespaces/shop/finalize", "/api/v1/namespaces/{name}/finalize"),
        ("/api/v1/namespaces/shop/pods", "/api/v1/namespaces/{namespace}/pods"),
        ("/api/v1/namespaces/shop/pods/a/log?x=/y", "/api/v1/namespaces/{namespace}/pods/{name}/log"),
        (
            "/apis/apps/v1/namespaces/shop/deployments/a/scale",
            "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
        ),
        ("/apis/example.com/v1/widgets/a", "/apis/example.com/v1/widgets/{name}"),
        ("/apis", "/apis"),
        ("/version", "/version"),
    ],
)
def test_names_are_left_out(path: str, template: str) -> None:
    assert url_template(path) == template
