"""Cluster IPs and node ports: each is held by one Service at most."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.apiserver.support import CORE, MERGE, OPTIONS, Api, Told, served, served_on_disk, serving

from kajitori.cluster.cluster import Cluster, ClusterError

SERVICES = f"{CORE}/services"
SMALL = replace(OPTIONS, service_cluster_ip_range="10.96.0.0/29", service_node_port_range=(30000, 30001))


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def address(api: Api, name: str, **spec: Any) -> str:
    return str((await api.ok("POST", SERVICES, service(name, **spec))).body["spec"]["clusterIP"])


@served_on_disk
async def test_no_two_services_get_the_same(api: Api) -> None:  # A1
    told = await asyncio.gather(
        *(api.ok("POST", SERVICES, service(f"s{each}", type="NodePort")) for each in range(60))
    )
    assert len({each.body["spec"]["clusterIP"] for each in told}) == 60
    assert len({each.body["spec"]["ports"][0]["nodePort"] for each in told}) == 60


@served_on_disk
async def test_one_of_many_who_wish_for_the_same_gets_it(api: Api) -> None:  # A1
    wish = {"clusterIP": "10.96.7.7"}
    told = await asyncio.gather(
        *(api.ask("POST", SERVICES, service(f"s{each}", **wish)) for each in range(10))
    )
    assert Counter(each.status for each in told) == {201: 1, 422: 9}
    refused = next(each for each in told if each.status == 422)
    assert "provided IP is already allocated" in refused.message


def test_what_is_given_back_is_free_again() -> None:  # A2
    async def main() -> None:
        async with serving(SMALL) as api:
            mine = [await address(api, f"s{each}") for each in range(5)]
            told = await api.ask("POST", SERVICES, service("more"))
            assert told.status == 500 and "range is full" in told.message
            await api.ok("DELETE", f"{SERVICES}/s3")
            assert await address(api, "more") == mine[3]
            # What a dry run or a refused write was given was never taken.
            await api.ok("DELETE", f"{SERVICES}/more")
            for _ in range(3):
                await api.ok("POST", f"{SERVICES}?dryRun=All", service("dry"))
                await api.refused(422, "POST", SERVICES, service("Bad_Name"))
                await api.refused(409, "POST", SERVICES, service("s0"))
            assert await address(api, "again") == mine[3]

    asyncio.run(main())


def test_ports_that_a_service_no_longer_uses_are_free_again() -> None:  # A2
    async def main() -> None:
        async with serving(SMALL) as api:
            two = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
            await api.ok("POST", SERVICES, service("s", type="NodePort", ports=two))
            told = await api.ask("POST", SERVICES, service("t", type="NodePort"))
            assert told.status == 500 and "range is full" in told.message
            await api.ok("PATCH", f"{SERVICES}/s", {"spec": {"type": "ClusterIP", "ports": two}}, type=MERGE)
            await api.ok("POST", SERVICES, service("t", type="NodePort"))

    asyncio.run(main())


@served_on_disk
async def test_what_is_being_written_is_held_though_nobody_waits(api: Api) -> None:  # A1
    loop = asyncio.get_running_loop()
    wish = {"clusterIP": "10.96.7.7"}
    for number in range(10):
        asking = loop.create_task(api.ask("POST", SERVICES, service(f"a{number}", **wish)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        told: Told = await api.ask("POST", SERVICES, service(f"b{number}", **wish))
        await asyncio.gather(asking, return_exceptions=True)
        holders: list[str] = []
        while not holders:  # the write that nobody waits for may still be under way
            await asyncio.sleep(0)
            listed = (await api.ok("GET", SERVICES)).body["items"]
            holders = [
                each["metadata"]["name"] for each in listed if each["spec"]["clusterIP"] == "10.96.7.7"
            ]
        assert len(holders) == 1, (holders, told.status)
        await api.ok("DELETE", f"{SERVICES}/{holders[0]}")


@served
async def test_a_change_that_is_refused_keeps_what_there_was(api: Api) -> None:
    mine = await address(api, "s")
    await api.refused(422, "PATCH", f"{SERVICES}/s", {"spec": {"clusterIP": "10.96.9.9"}}, type=MERGE)
    told = await api.refused(422, "POST", SERVICES, service("t", clusterIP=mine))
    assert "already allocated" in told.message
    assert await address(api, "u", clusterIP="10.96.9.9") == "10.96.9.9"


@pytest.mark.parametrize("told", ["nonsense", "10.96.0.1/16"])
def test_a_range_that_is_none_is_refused_at_the_start(told: str) -> None:
    async def main() -> None:
        with pytest.raises(ClusterError, match="service range"):
            async with Cluster(replace(OPTIONS, service_cluster_ip_range=told)):
                pass

    asyncio.run(main())
