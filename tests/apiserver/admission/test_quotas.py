"""Quotas in the API server: nothing exceeds them, and what fails has used nothing."""

import asyncio
import sys
from typing import Any

import pytest
from tests.apiserver.support import (
    CONFIG_MAPS,
    CORE,
    MERGE,
    OPTIONS,
    PODS,
    Api,
    config_map,
    define,
    definition,
    pod,
    served,
    served_on_disk,
    served_with,
)

from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.storage import StorageError

QUOTAS = f"{CORE}/resourcequotas"
CLAIMS = f"{CORE}/persistentvolumeclaims"
CREATORS = 32


async def allow(api: Api, name: str = "q", **hard: str) -> None:
    """A quota whose status has been set, as its controller does."""
    hard = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
    await api.ok("POST", QUOTAS, {"metadata": {"name": name}, "spec": {"hard": hard}})
    status = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
    await api.ok("PATCH", f"{QUOTAS}/{name}/status", status, type=MERGE)


async def used(api: Api, name: str = "q") -> Any:
    return (await api.ok("GET", f"{QUOTAS}/{name}")).body["status"]["used"]


@served
async def test_what_is_created_is_charged_until_nothing_is_left(api: Api) -> None:
    await allow(api, configmaps="2", count__configmaps="9")
    for name in ("a", "b"):
        await api.ok("POST", CONFIG_MAPS, config_map(name))
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("c"))
    why = "exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2"
    assert told.message == f'configmaps "c" is forbidden: {why}'
    assert await used(api) == {"configmaps": "2", "count/configmaps": "2"}
    managers = (await api.ok("GET", f"{QUOTAS}/q")).body["metadata"]["managedFields"]
    assert ("kube-apiserver", "status") in [(each["manager"], each.get("subresource")) for each in managers]


@served
async def test_every_quota_of_the_namespace_counts(api: Api) -> None:
    await allow(api, "wide", pods="9")
    await allow(api, "narrow", pods="1", requests_cpu="1")
    asking = pod(containers=[{"name": "c", "image": "i", "resources": {"requests": {"cpu": "600m"}}}])
    await api.ok("POST", PODS, asking)
    assert (await used(api, "wide"), await used(api, "narrow")) == (
        {"pods": "1"},
        {"pods": "1", "requests.cpu": "600m"},
    )
    asking["metadata"]["name"] = "b"
    told = await api.refused(403, "POST", PODS, asking)
    assert "exceeded quota: narrow, requested: pods=1,requests.cpu=600m, used:" in told.message
    assert await used(api, "wide") == {"pods": "1"}
    told = await api.refused(403, "POST", PODS, pod("c"))
    assert "failed quota: narrow: must specify requests.cpu for: c" in told.message


@served
async def test_custom_objects_are_counted(api: Api) -> None:
    path = await define(api, definition())
    await allow(api, count__widgets_example_com="1")
    await api.ok("POST", path, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}})
    second = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "b"}}
    told = await api.refused(403, "POST", path, second)
    assert told.message.startswith(
        'widgets.example.com "b" is forbidden: exceeded quota: q, requested: count/widgets'
    )


@served
async def test_changes_are_charged_the_difference(api: Api) -> None:
    await allow(api, services="1", services_nodeports="1", services_loadbalancers="0")
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    await api.ok("POST", f"{CORE}/services", service)
    path = f"{CORE}/services/s"
    await api.refused(403, "PATCH", path, {"spec": {"type": "LoadBalancer"}}, type=MERGE)
    await api.ok("PATCH", path, {"spec": {"type": "NodePort"}}, type=MERGE)
    expected = {"services": "1", "services.nodeports": "1", "services.loadbalancers": "0"}
    assert await used(api) == expected
    await api.ok("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, type=MERGE)
    assert await used(api) == expected


@served
async def test_what_fails_or_is_only_tried_has_used_nothing(api: Api) -> None:  # Q2 B2
    await allow(api, configmaps="2")
    before = (await api.ok("GET", f"{QUOTAS}/q")).revision
    await api.ok("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
    versioned = config_map("a")
    versioned["metadata"]["resourceVersion"] = "7"
    assert (await api.ask("POST", CONFIG_MAPS, versioned)).status >= 400
    await api.refused(422, "POST", CONFIG_MAPS, config_map("A"))
    assert (await api.ok("GET", f"{QUOTAS}/q")).revision == before
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    for _ in range(3):
        await api.refused(409, "POST", CONFIG_MAPS, config_map("a"))
    assert await used(api) == {"configmaps": "1"}
    await api.ok("POST", CONFIG_MAPS, config_map("b"))
    told = await api.refused(403, "POST", f"{CONFIG_MAPS}?dryRun=All", config_map("c"))
    assert "exceeded quota" in told.message


async def race(api: Api, most: int) -> None:
    """As many creators as there may be, for some of the same names; and somebody who writes the status besides."""
    await allow(api, configmaps=str(most), count__configmaps="99")

    async def create(number: int) -> int:
        return (await api.ask("POST", CONFIG_MAPS, config_map(f"c{number % (CREATORS - 4)}"))).status

    async def write() -> None:
        for number in range(10):
            label = {"metadata": {"labels": {"n": str(number)}}}
            await api.ok(
                "PATCH",
                f"{QUOTAS}/q/status",
                {"status": {"hard": {"count/configmaps": "99"}}, **label},
                type=MERGE,
            )

    tasks = [asyncio.create_task(create(number)) for number in range(CREATORS)]
    answers, _ = await asyncio.gather(asyncio.gather(*tasks), write())
    there = len((await api.ok("GET", CONFIG_MAPS)).body["items"])
    assert there <= most and there == answers.count(201)
    assert set(answers) <= {201, 403, 409}
    assert await used(api) == {"configmaps": str(there), "count/configmaps": str(there)}
    left = most - there
    # Who comes too late with a name has reserved for a moment what another could have had.
    assert left == 0 or answers.count(403) <= answers.count(409)


@pytest.mark.parametrize("most", [0, 1, 7, 31, 64])
@served
async def test_many_creators_never_exceed_a_quota(api: Api, most: int) -> None:  # Q1 B1 B3
    await race(api, most)


@pytest.mark.parametrize("most", [5, 40])
@served_on_disk
async def test_many_creators_never_exceed_a_quota_on_disk(api: Api, most: int) -> None:  # Q1 B1 B3
    await race(api, most)


@served_on_disk
async def test_a_client_that_goes_away_leaves_no_reservation(api: Api) -> None:  # B2
    await allow(api, configmaps="3")
    for name in ("a", "b", "a"):
        task = asyncio.create_task(api.ask("POST", CONFIG_MAPS, config_map(name)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    while (await used(api))["configmaps"] != "2":  # noqa: ASYNC110
        await asyncio.sleep(0)
    answers = [(await api.ask("POST", CONFIG_MAPS, config_map(name))).status for name in ("c", "d")]
    assert answers == [201, 403] and await used(api) == {"configmaps": "3"}


@served_on_disk
async def test_a_disk_that_fails_has_used_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # B2
    await allow(api, configmaps="1")
    log: Any = api.store._log  # type: ignore[attr-defined]

    def full(events: Any) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(log, "append", full)
    await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))
    monkeypatch.undo()
    assert await used(api) == {"configmaps": "0"}
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    assert await used(api) == {"configmaps": "1"}


@served
async def test_where_there_is_no_quota_nothing_of_quotas_is_imported(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:  # Q3
    monkeypatch.delitem(sys.modules, "kajitori.apis.quota", raising=False)
    await api.ok("POST", PODS, pod())
    await api.ok("POST", CONFIG_MAPS, config_map())
    assert "kajitori.apis.quota" not in sys.modules


@served
async def test_a_quota_that_goes_takes_its_count_along(api: Api) -> None:
    await allow(api, configmaps="1")
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.ok("DELETE", f"{QUOTAS}/q")
    await api.ok("POST", CONFIG_MAPS, config_map("b"))
    await allow(api, configmaps="1")
    await api.ok("POST", CONFIG_MAPS, config_map("c"))
    await api.refused(403, "POST", CONFIG_MAPS, config_map("d"))


LIMITED = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ResourceQuota
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ResourceQuotaConfiguration
    limitedResources:
    - {resource: persistentvolumeclaims, matchContains: [.storageclass.storage.k8s.io/requests.storage]}
"""


@served_with(LIMITED)
async def test_what_is_limited_can_only_be_used_where_a_quota_allows_it(api: Api) -> None:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"metadata": {"name": "a"}, "spec": {**asked, "storageClassName": "gold"}}
    of_gold = "gold.storageclass.storage.k8s.io/requests.storage"
    told = await api.refused(403, "POST", CLAIMS, claim)
    assert told.message.endswith(f"insufficient quota to consume: {of_gold}")
    await allow(api, **{of_gold.replace("/", "__"): "2Gi"})
    await api.ok("POST", CLAIMS, claim)
    assert await used(api) == {of_gold: "1Gi"}


def test_a_limit_without_a_resource_is_refused_at_the_start(tmp_path: Any) -> None:
    from dataclasses import replace

    path = tmp_path / "admission.yaml"
    path.write_text(LIMITED.replace("resource: persistentvolumeclaims, ", ""))

    async def start() -> None:
        async with Cluster(replace(OPTIONS, admission_control_config_file=path)):
            pass

    with pytest.raises(ClusterError, match=r"limitedResources\[0\].resource: Required value"):
        asyncio.run(start())
