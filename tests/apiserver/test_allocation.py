"""Cluster IPs and node ports: each is held by one Service at most."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.support import CORE, MERGE, OPTIONS, Api, Told, served, served_on_disk, serving

from kajitori.apiserver.allocation import RangeError, service_networks
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


@served
async def test_a_dry_run_may_wish_for_what_is_taken(api: Api) -> None:
    mine = await address(api, "s")
    told = await api.ok("POST", f"{SERVICES}?dryRun=All", service("dry", clusterIP=mine))
    assert told.body["spec"]["clusterIP"] == mine
    await api.refused(422, "POST", SERVICES, service("dry", clusterIP=mine))


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


IP_ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
DUAL = replace(OPTIONS, service_cluster_ip_range="10.97.0.0/24,fd00::/112")


async def parents(api: Api) -> dict[str, str]:
    """The Service of every IPAddress."""
    items = (await api.ok("GET", IP_ADDRESSES)).body["items"]
    return {each["metadata"]["name"]: each["spec"]["parentRef"]["name"] for each in items}


async def gone(api: Api, name: str) -> None:
    async with api.watch(f"{IP_ADDRESSES}?fieldSelector=metadata.name={name}") as watching:
        while name in await parents(api):
            await watching.next()


def test_the_network_of_services_is_an_object() -> None:
    async def main() -> None:
        async with serving(DUAL) as api:
            told = (await api.ok("GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes")).body
            assert told["spec"]["cidrs"] == ["10.97.0.0/24", "fd00::/112"]
            (ready,) = told["status"]["conditions"]
            assert (ready["type"], ready["status"]) == ("Ready", "True")
            assert ready["message"] == "Kubernetes default Service CIDR is ready"
            assert await parents(api) == {"10.97.0.1": "kubernetes"}
            told = (await api.ok("GET", f"{SERVICES}/kubernetes")).body
            assert told["spec"]["clusterIPs"] == ["10.97.0.1"]

    asyncio.run(main())


@served_on_disk
async def test_addresses_of_services_are_objects(api: Api) -> None:  # P1, P2
    mine = await address(api, "a")
    told = (await api.ok("GET", f"{IP_ADDRESSES}/{mine}")).body
    assert told["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "a"}
    assert told["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    await api.ok("POST", f"{SERVICES}?dryRun=All", service("dry"))
    await api.ok("POST", SERVICES, service("headless", clusterIP="None"))
    assert set((await parents(api)).values()) == {"kubernetes", "a"}
    # Whoever gets the address next has its object, whatever is still under way.
    await api.ok("DELETE", f"{SERVICES}/a")
    assert await address(api, "b", clusterIP=mine) == mine
    assert (await parents(api))[mine] == "b"
    outside = {"type": "ExternalName", "externalName": "x.y", "clusterIP": None, "clusterIPs": None}
    await api.ok("PATCH", f"{SERVICES}/b", {"spec": outside}, type=MERGE)
    await gone(api, mine)


def test_a_service_may_have_addresses_of_both_families() -> None:
    async def main() -> None:
        async with serving(DUAL) as api:
            both = {"ipFamilyPolicy": "PreferDualStack"}
            told = (await api.ok("POST", SERVICES, service("both", **both))).body["spec"]
            assert told["ipFamilies"] == ["IPv4", "IPv6"] and told["clusterIP"] == told["clusterIPs"][0]
            four, six = told["clusterIPs"]
            assert four.startswith("10.97.0.") and six.startswith("fd00::")
            assert set(await parents(api)) == {"10.97.0.1", four, six}
            told = (await api.ok("POST", SERVICES, service("six", ipFamilies=["IPv6"]))).body["spec"]
            assert told["clusterIP"].startswith("fd00::") and told["ipFamilyPolicy"] == "SingleStack"
            # A Service may get its second address later, and give it back.
            one = await address(api, "later")
            told = (await api.ok("PATCH", f"{SERVICES}/later", {"spec": both}, type=MERGE)).body["spec"]
            assert told["clusterIPs"][0] == one and told["clusterIPs"][1].startswith("fd00::")
            second = told["clusterIPs"][1]
            assert (await parents(api))[second] == "later"
            single = {"ipFamilyPolicy": "SingleStack"}
            told = (await api.ok("PATCH", f"{SERVICES}/later", {"spec": single}, type=MERGE)).body["spec"]
            assert told["clusterIPs"] == [one] and told["ipFamilies"] == ["IPv4"]
            await gone(api, second)

    asyncio.run(main())


def test_what_is_amiss_with_addresses_is_mended_at_the_next_start(tmp_path: Path) -> None:  # P3
    options = replace(OPTIONS, data_dir=tmp_path)

    async def main() -> None:
        async with serving(options) as api:
            mine = await address(api, "a")
            await api.ok("DELETE", f"{IP_ADDRESSES}/{mine}")
            stray = (await api.ok("GET", f"{IP_ADDRESSES}/10.96.0.1")).body
            stray["metadata"] = {"name": "10.96.3.3", "labels": stray["metadata"]["labels"]}
            stray["spec"]["parentRef"]["name"] = "nothing"
            await api.ok("POST", IP_ADDRESSES, stray)
            foreign = {**stray, "metadata": {"name": "10.96.4.4"}}
            await api.ok("POST", IP_ADDRESSES, foreign)
        async with serving(options) as api:
            await gone(api, "10.96.3.3")
            assert await parents(api) == {"10.96.0.1": "kubernetes", mine: "a", "10.96.4.4": "nothing"}

    asyncio.run(main())


@pytest.mark.parametrize("text", ["10.96.0.0/16,10.97.0.0/16", "10.96.0.0/16,", "10.96.0.0/16,fd00::/126"])
def test_two_networks_are_one_of_each_family(text: str) -> None:
    with pytest.raises(RangeError, match="service range"):
        service_networks(text)
