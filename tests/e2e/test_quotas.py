"""Quotas of a whole cluster: its admission and its controller together."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.https import Access, Api
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e

CREATORS, MOST, EACH = 32, 20, 2


def wait_for_status(api: Api, path: str, wanted: Any) -> None:
    """Returns when the status of a quota is as it should be."""
    seen: Any = None
    for _ in range(500):
        seen = api.request("GET", path).json().get("status")
        if seen == wanted:
            return
        threading.Event().wait(0.01)
    raise AssertionError(seen)


def test_a_quota_is_never_exceeded_and_what_goes_is_given_back(
    api: Api, access: Access, namespace: str, kubectl: Kubectl
) -> None:
    base = f"/api/v1/namespaces/{namespace}"
    hard = {"count/secrets": str(MOST)}
    quota = {"metadata": {"name": "q"}, "spec": {"hard": hard}}
    assert api.request("POST", f"{base}/resourcequotas", quota).status == 201
    path = f"{base}/resourcequotas/q"
    wait_for_status(api, path, {"hard": hard, "used": {"count/secrets": "0"}})
    together = threading.Barrier(CREATORS)

    def create(number: int) -> list[int]:
        with Api(access) as mine:
            together.wait()
            made = [{"metadata": {"name": f"s{number}-{each}"}} for each in range(EACH)]
            return [mine.request("POST", f"{base}/secrets", each).status for each in made]

    with ThreadPoolExecutor(CREATORS) as pool:
        answers = [status for each in pool.map(create, range(CREATORS)) for status in each]
    there = len(api.request("GET", f"{base}/secrets").json()["items"])
    assert there == MOST == answers.count(201) and answers.count(403) == CREATORS * EACH - MOST
    full = {"hard": hard, "used": {"count/secrets": str(MOST)}}
    assert api.request("GET", path).json()["status"] == full
    assert "count/secrets: 20/20" in kubectl("get", "resourcequota", "q")
    api.request("DELETE", f"{base}/secrets")
    wait_for_status(api, path, {"hard": hard, "used": {"count/secrets": "0"}})
    assert api.request("POST", f"{base}/secrets", {"metadata": {"name": "again"}}).status == 201
