"""The status of quotas, against the real API server."""

import asyncio
from typing import Any

import pytest
from tests.controllers.support import (
    CONFIG_MAPS,
    CRDS,
    PODS,
    SETTLE_SECONDS,
    WIDGETS,
    config_map,
    scenario,
    widgets_crd,
)

from kajitori.apimachinery.errors import Forbidden
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.controllers.quotas.reconciler import RESYNC_SECONDS
from kajitori.testing import TestEnv

QUOTAS = Kind("", "v1", "ResourceQuota", "resourcequotas")
CLAIMS = Kind("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims")
CLASSES = Kind("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", namespaced=False)
QUOTA = "resourcequota-controller"


def a_quota(**spec: Any) -> JsonObject:
    return {"metadata": {"name": "q", "namespace": "default"}, "spec": spec}


def a_pod(name: str, cpu: str = "100m", **spec: Any) -> JsonObject:
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }


async def status_of(client: Client) -> Any:
    await asyncio.sleep(SETTLE_SECONDS)
    return (await client.get(QUOTAS, "default", "q"))["status"]


def test_a_quota_counts_what_there_is_and_allows_what_it_says() -> None:  # R1
    async def play(env: TestEnv) -> None:
        client = env.client()
        for name in ("a", "b"):
            await client.create(PODS, a_pod(name))
        await client.create(
            QUOTAS, a_quota(hard={"pods": "3", "requests.cpu": "1", "count/nothing.example.com": "1"})
        )
        status = await status_of(client)
        assert status["hard"] == {"pods": "3", "requests.cpu": "1", "count/nothing.example.com": "1"}
        assert status["used"] == {"pods": "2", "requests.cpu": "200m"}
        await client.patch(QUOTAS, "default", "q", {"spec": {"hard": {"pods": "2"}}})
        assert (await status_of(client))["hard"]["pods"] == "2"
        told = "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
        with pytest.raises(Forbidden, match=told):
            await client.create(PODS, a_pod("c"))

    scenario(play, [QUOTA])


def test_what_goes_or_is_over_is_given_back() -> None:  # R1 W1
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(QUOTAS, a_quota(hard={"pods": "3", "count/pods": "9", "requests.cpu": "1"}))
        await status_of(client)
        for name in ("a", "b", "c"):
            await client.create(PODS, a_pod(name))
        assert (await status_of(client))["used"] == {"pods": "3", "count/pods": "3", "requests.cpu": "300m"}
        await client.delete(PODS, "default", "a")
        assert (await status_of(client))["used"] == {"pods": "2", "count/pods": "2", "requests.cpu": "200m"}
        await client.patch(PODS, "default", "b", {"status": {"phase": "Succeeded"}}, subresource="status")
        assert (await status_of(client))["used"] == {"pods": "1", "count/pods": "2", "requests.cpu": "100m"}

    scenario(play, [QUOTA])


def test_scopes_choose_what_is_counted() -> None:  # R1
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(PODS, a_pod("a"))
        await client.create(PODS, a_pod("b", activeDeadlineSeconds=10))
        await client.create(QUOTAS, a_quota(hard={"pods": "3"}, scopes=["NotTerminating"]))
        assert (await status_of(client))["used"] == {"pods": "1"}
        await client.patch(PODS, "default", "a", {"spec": {"activeDeadlineSeconds": 10}})
        assert (await status_of(client))["used"] == {"pods": "0"}

    scenario(play, [QUOTA])


def test_objects_of_any_kind_are_counted_of_kinds_that_come_later_too() -> None:  # R1 W1
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(QUOTAS, a_quota(hard={"count/widgets.example.com": "2", "configmaps": "9"}))
        await client.create(CONFIG_MAPS, config_map("m"))
        assert (await status_of(client))["used"] == {"configmaps": "1"}
        await client.create(CRDS, widgets_crd())
        await asyncio.sleep(RESYNC_SECONDS)  # R3
        assert (await status_of(client))["used"] == {"configmaps": "1", "count/widgets.example.com": "0"}
        await client.create(WIDGETS, {"metadata": {"name": "w", "namespace": "default"}})
        assert (await status_of(client))["used"]["count/widgets.example.com"] == "1"
        await client.delete(WIDGETS, "default", "w")
        assert (await status_of(client))["used"]["count/widgets.example.com"] == "0"

    scenario(play, [QUOTA])


def test_devices_are_counted_by_class_and_by_the_resource_that_stands_for_them() -> None:  # R1
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(
            CLASSES, {"metadata": {"name": "gpu"}, "spec": {"extendedResourceName": "example.com/gpu"}}
        )
        exactly = {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2}
        spec = {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}
        await client.create(CLAIMS, {"metadata": {"name": "c", "namespace": "default"}, "spec": spec})
        hard = {"gpu.deviceclass.resource.k8s.io/devices": "4", "requests.example.com/gpu": "4"}
        await client.create(QUOTAS, a_quota(hard=hard))
        assert (await status_of(client))["used"] == dict.fromkeys(hard, "2")

    scenario(play, [QUOTA])


def test_what_was_missed_is_found_by_counting_anew() -> None:  # R3
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(QUOTAS, a_quota(hard={"configmaps": "3"}))
        await status_of(client)
        wrong = {"status": {"used": {"configmaps": "2"}}}
        await client.patch(QUOTAS, "default", "q", wrong, subresource="status")
        assert (await status_of(client))["used"] == {"configmaps": "2"}
        await asyncio.sleep(RESYNC_SECONDS)
        assert (await status_of(client))["used"] == {"configmaps": "0"}

    scenario(play, [QUOTA])
