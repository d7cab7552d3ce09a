"""How a server ends, seen by its clients."""

import signal
import threading
from pathlib import Path

import pytest
from tests.support.https import Access, Answer, Api
from tests.support.server import UpProcess

pytestmark = pytest.mark.e2e

WATCH = "/api/v1/namespaces/default/configmaps?watch=1"
FLAGS = ("--shutdown-delay-duration=500ms", "--shutdown-send-retry-after")


def test_readyz_fails_before_anything_else_and_watches_end_whole(tmp_path: Path) -> None:
    with UpProcess(tmp_path, "--api-only", "--memory", *FLAGS) as up:
        access = Access.of(up.kubeconfig)
        ended: list[Answer] = []

        def watch() -> None:
            with Api(access) as api:
                ended.append(api.request("GET", WATCH))

        with Api(access) as api:
            watching = threading.Thread(target=watch)
            watching.start()
            gauge = b'apiserver_longrunning_requests{component="apiserver",group="",resource="configmaps"'
            while not any(
                line.startswith(gauge) and line.endswith(b" 1")
                for line in api.request("GET", "/metrics").body.splitlines()
            ):
                pass
            up.send(signal.SIGTERM)
            while api.request("GET", "/readyz").status == 200:
                pass
            assert api.request("GET", "/livez").status == 200
            created = api.request(
                "POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "a"}}
            )
            assert created.status == 201
        watching.join(10)
        # A body that was broken off would have raised instead.
        assert [each.status for each in ended] == [200]
        assert up.end(signal.SIGTERM).code == 0
