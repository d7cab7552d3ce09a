"""One server for all tests that leave each other alone, each test in a namespace of its own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.https import Access, Api
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    """`kajitori up` with everything, its state in a file. At the end it stops well, and has complained of nothing."""
    with UpProcess(tmp_path_factory.mktemp("server")) as up:
        yield up
        ended = up.end()
    assert (ended.code, ended.err) == (0, "")


@pytest.fixture(scope="session")
def access(server: UpProcess) -> Access:
    return Access.of(server.kubeconfig)


@pytest.fixture
def api(access: Access) -> Iterator[Api]:
    with Api(access) as api:
        yield api


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder, so that kubectl caches discovery between the tests and touches nobody's own cache."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def namespace(request: pytest.FixtureRequest, api: Api) -> str:
    """A new namespace, named after the test, with its default ServiceAccount in place."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    created = api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert created.status == 201, created
    watch = f"/api/v1/namespaces/{name}/serviceaccounts?watch=1&fieldSelector=metadata.name%3Ddefault&timeoutSeconds=10"
    told = _first_line(api, watch)
    assert b'"ADDED"' in told, told
    return name


def _first_line(api: Api, path: str) -> bytes:
    """The first event of a watch, on a connection of its own."""
    from tests.support.https import RawConnection

    with RawConnection(api.access) as raw:
        raw.send(raw.head(f"GET {path} HTTP/1.1"))
        return raw.receive_until(b"}\n")


@pytest.fixture
def kubectl(kubectl_path: Path, server: UpProcess, home: Path, namespace: str) -> Kubectl:
    """kubectl in the test's namespace."""
    return Kubectl(kubectl_path, server.kubeconfig, home, namespace)


@pytest.fixture
def root_kubectl(kubectl_path: Path, server: UpProcess, home: Path) -> Kubectl:
    """kubectl without a namespace."""
    return Kubectl(kubectl_path, server.kubeconfig, home)
