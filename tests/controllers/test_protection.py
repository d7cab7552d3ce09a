"""Claims and volumes in use, against the real API server; and who uses a claim, alone."""

import asyncio
from typing import Any

import pytest
from tests.controllers.support import (
    CLAIM_PROTECTION,
    CLAIMS,
    CLASS_PROTECTION,
    CLASSES,
    PODS,
    SETTLE_SECONDS,
    VOLUME_PROTECTION,
    VOLUMES,
    scenario,
)

from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.kind import JsonObject
from kajitori.controllers.protection import is_claim_in_use
from kajitori.testing import TestEnv, bind_pod, end_pod

FINALIZER = "kubernetes.io/pvc-protection"


def a_claim(name: str = "data") -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


def a_pod(name: str, claim: str = "data") -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }


def a_volume(name: str = "disk") -> JsonObject:
    return {
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/tmp/x"},
        },
    }


async def settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)


def test_a_claim_that_nobody_uses_goes_at_once() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        assert (await client.create(CLAIMS, a_claim())).finalizers == [FINALIZER]
        await client.delete(CLAIMS, "default", "data")
        await env.wait_until_gone(CLAIMS, "default", "data")

    scenario(play, {CLAIM_PROTECTION})


def test_a_claim_stays_until_the_last_pod_that_uses_it_is_gone() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(CLAIMS, a_claim())
        for name in ("one", "two"):
            await bind_pod(client, await client.create(PODS, a_pod(name)))
        await client.delete(CLAIMS, "default", "data")
        await settle()
        assert (await client.get(CLAIMS, "default", "data")).being_deleted
        await client.delete(PODS, "default", "one", grace_seconds=0)
        await end_pod(client, "default", "two", "Succeeded")  # it has ended, but it is still there
        await settle()
        assert (await client.get(CLAIMS, "default", "data")).being_deleted
        await client.delete(PODS, "default", "two", grace_seconds=0)
        await env.wait_until_gone(CLAIMS, "default", "data")

    scenario(play, {CLAIM_PROTECTION})


def test_a_pod_that_is_on_no_node_holds_no_claim() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(CLAIMS, a_claim())
        await client.create(PODS, a_pod("waiting"))
        await client.delete(CLAIMS, "default", "data")
        await env.wait_until_gone(CLAIMS, "default", "data")

    scenario(play, {CLAIM_PROTECTION})


def test_what_admission_did_not_protect_is_protected_all_the_same() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        created = await client.create(CLAIMS, a_claim())
        volume = await client.create(VOLUMES, a_volume())
        assert created.finalizers == [] and volume.finalizers == []
        await env.wait_for_object(CLAIMS, "default", "data", lambda x: x.finalizers == [FINALIZER])
        await env.wait_for_object(
            VOLUMES, "", "disk", lambda x: x.finalizers == ["kubernetes.io/pv-protection"]
        )

    scenario(
        play,
        {CLAIM_PROTECTION, VOLUME_PROTECTION},
        without_admission=["StorageObjectInUseProtection"],
    )


def test_a_volume_stays_while_a_claim_is_bound_to_it() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(VOLUMES, a_volume())
        await client.patch(VOLUMES, "", "disk", {"status": {"phase": "Bound"}}, subresource="status")
        await client.delete(VOLUMES, "", "disk")
        await settle()
        assert (await client.get(VOLUMES, "", "disk")).being_deleted
        await client.patch(VOLUMES, "", "disk", {"status": {"phase": "Released"}}, subresource="status")
        await env.wait_until_gone(VOLUMES, "", "disk")

    scenario(play, {VOLUME_PROTECTION})


@pytest.mark.parametrize(
    ("pod", "owner", "used"),
    [
        ({}, "pod-uid", True),
        ({}, "another", False),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}, "pod-uid", True),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}, "pod-uid", False),
    ],
)
def test_the_claim_of_an_ephemeral_volume_is_used_by_the_pod_it_was_made_for(
    pod: dict[str, Any], owner: str, used: bool
) -> None:
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": owner, "controller": True}
    claim = freeze({"metadata": {"name": "p-v", "namespace": "default", "ownerReferences": [reference]}})
    spec = {"nodeName": "n", "volumes": [{"name": "v", "ephemeral": {}}]}
    value = freeze({"metadata": {"name": "p", "namespace": "default", "uid": "pod-uid", **pod}, "spec": spec})
    assert is_claim_in_use(claim, [value]) is used


def test_an_attributes_class_stays_while_a_claim_names_it() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        gold = {"metadata": {"name": "gold"}, "driverName": "csi.example.com", "parameters": {"iops": "5000"}}
        made = await client.create(CLASSES, gold)
        assert made.finalizers == ["kubernetes.io/vac-protection"]
        claim = a_claim()
        claim["spec"]["volumeAttributesClassName"] = "gold"
        await client.create(CLAIMS, claim)
        await client.delete(CLASSES, "", "gold")
        await settle()
        assert (await client.get(CLASSES, "", "gold")).being_deleted
        await client.patch(CLAIMS, "default", "data", {"metadata": {"finalizers": None}})
        await client.delete(CLAIMS, "default", "data")
        await env.wait_until_gone(CLASSES, "", "gold")

    scenario(play, {CLASS_PROTECTION})
