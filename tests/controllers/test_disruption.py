"""Disruption budgets, against the real API server and its evictions; and the numbers alone."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.controllers.support import (
    EVENTS,
    PODS,
    SETTLE_SECONDS,
    STATEFUL_SETS,
    WIDGETS,
    owned_by,
    scenario,
    widgets_crd,
)

from kajitori.apimachinery.errors import TooManyRequests
from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.time import format_time
from kajitori.client import Client
from kajitori.controllers.disruption import counted
from kajitori.testing import TestEnv, bind_pod, set_pod_ready

BUDGETS = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments")
REPLICA_SETS = Kind("apps", "v1", "ReplicaSet", "replicasets")
DISRUPTION = "disruption-controller"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_budget(**spec: Any) -> JsonObject:
    return {
        "metadata": {"name": "pdb", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, **spec},
    }


def a_pod(name: str, *owners: JsonObject) -> JsonObject:
    metadata: JsonObject = {"name": name, "namespace": "default", "labels": {"app": "a"}}
    if owners:
        metadata["ownerReferences"] = list(owners)
    return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def a_workload(**spec: Any) -> JsonObject:
    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    selector = {"matchLabels": {"app": "a"}}
    return {
        "metadata": {"name": "w", "namespace": "default"},
        "spec": {"selector": selector, "template": template, **spec},
    }


async def run_pods(client: Client, count: int, *owners: JsonObject) -> None:
    for number in range(count):
        await bind_pod(client, await client.create(PODS, a_pod(f"p{number}", *owners)))
        await set_pod_ready(client, "default", f"p{number}")


async def status_of(client: Client) -> Any:
    await asyncio.sleep(SETTLE_SECONDS)
    return (await client.get(BUDGETS, "default", "pdb"))["status"]


def numbers(status: Any) -> tuple[int, int, int, int]:
    """Current, desired, expected, allowed."""
    return (
        status["currentHealthy"],
        status["desiredHealthy"],
        status["expectedPods"],
        status["disruptionsAllowed"],
    )


async def evict(client: Client, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await client.subresource(PODS, "default", name, "eviction").create(body)


def pods_of(*states: str) -> list[Unstructured]:
    """Pods by what they are: ready, not ready, or being deleted."""
    found: list[Unstructured] = []
    for number, state in enumerate(states):
        metadata: JsonObject = {"name": f"p{number}"}
        if state == "deleted":
            metadata["deletionTimestamp"] = format_time(NOW.timestamp())
        ready = {"type": "Ready", "status": "True" if state != "unready" else "False"}
        found.append(freeze({"metadata": metadata, "status": {"conditions": [ready]}}))
    return found


@pytest.mark.parametrize(
    ("spec", "scale", "expected"),
    [
        ({"minAvailable": 2}, 0, (3, 2, 5, 1)),
        ({"minAvailable": 5}, 0, (3, 5, 5, 0)),
        ({"minAvailable": "50%"}, 5, (3, 3, 5, 0)),
        ({"minAvailable": "30%"}, 5, (3, 2, 5, 1)),
        ({"maxUnavailable": 3}, 5, (3, 2, 5, 1)),
        ({"maxUnavailable": "10%"}, 5, (3, 4, 5, 0)),
        ({"maxUnavailable": 9}, 5, (3, 0, 5, 3)),
        ({"maxUnavailable": 1}, 0, (3, 0, 0, 0)),
        ({}, 0, (3, 0, 5, 3)),
    ],
)
def test_the_numbers(spec: JsonObject, scale: int, expected: tuple[int, ...]) -> None:  # D1
    budget = freeze({"metadata": {"name": "pdb"}, "spec": spec})
    found = counted(budget, pods_of("ready", "ready", "ready", "unready", "deleted"), scale, NOW)
    assert (found.current, found.desired, found.expected, found.allowed) == expected


def test_who_is_about_to_go_is_not_counted_for_two_minutes() -> None:  # D2
    granted = {
        "p0": format_time(NOW.timestamp() - 30),
        "p1": format_time(NOW.timestamp() - 130),
        "gone": format_time(NOW.timestamp()),
    }
    budget = freeze({"spec": {"minAvailable": 1}, "status": {"disruptedPods": granted}})
    found = counted(budget, pods_of("ready", "ready", "ready"), 0, NOW)
    assert (found.current, found.allowed, found.look_again_seconds) == (2, 1, 90.0)
    assert dict(found.disrupted) == {"p0": granted["p0"]} and [each.name for each in found.overdue] == ["p1"]


def test_evictions_spend_what_is_counted() -> None:  # D1 D2
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(BUDGETS, a_budget(minAvailable=2))
        status = await status_of(client)
        assert numbers(status) == (0, 2, 0, 0)
        (condition,) = status["conditions"]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "DisruptionAllowed",
            "False",
            "InsufficientPods",
        )
        await run_pods(client, 3)
        status = await status_of(client)
        assert numbers(status) == (3, 2, 3, 1) and status["conditions"][0]["reason"] == "SufficientPods"
        await evict(client, "p0")
        with pytest.raises(TooManyRequests):
            await evict(client, "p1")
        status = await status_of(client)
        assert numbers(status)[0] == 2 and numbers(status)[3] == 0
        assert (await client.get(BUDGETS, "default", "pdb"))["status"]["observedGeneration"] == 1

    scenario(play, {DISRUPTION})


def test_the_whole_is_what_controllers_should_have() -> None:  # D1
    async def play(env: TestEnv) -> None:
        client = env.client()
        deployment = await client.create(DEPLOYMENTS, a_workload(replicas=10))
        set_ = a_workload(replicas=3)
        set_["metadata"]["ownerReferences"] = [owned_by(deployment, controller=True)]
        replica_set = await client.create(REPLICA_SETS, set_)
        await run_pods(client, 4, owned_by(replica_set, controller=True))
        await client.create(BUDGETS, a_budget(maxUnavailable="70%"))
        assert numbers(await status_of(client)) == (4, 3, 10, 1)
        await client.delete(DEPLOYMENTS, "default", "w", propagation="Background")
        await set_pod_ready(client, "default", "p0", False)
        # Nobody stands above the ReplicaSet any more: its own size counts.
        assert numbers(await status_of(client)) == (3, 0, 3, 3)

    scenario(play, {DISRUPTION})


def test_stateful_sets_and_custom_kinds_tell_their_scale() -> None:  # D1 D3
    async def play(env: TestEnv) -> None:
        client = env.client()
        made = await client.create(STATEFUL_SETS, a_workload(replicas=5, serviceName="s"))
        await run_pods(client, 5, owned_by(made, controller=True))
        await client.create(BUDGETS, a_budget(maxUnavailable=1))
        assert numbers(await status_of(client)) == (5, 4, 5, 1)
        await env.install(widgets_crd())
        widget = await client.create(WIDGETS, {"metadata": {"name": "w", "namespace": "default"}})
        await client.create(PODS, a_pod("other", owned_by(widget, controller=True)))
        status = await status_of(client)
        assert status["disruptionsAllowed"] == 0
        (condition,) = status["conditions"]
        assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
        assert condition["message"] == "widgets.example.com does not implement the scale subresource"

    scenario(play, {DISRUPTION})


def test_a_controller_that_is_gone_or_unknown_makes_everything_unsafe() -> None:  # D3
    async def play(env: TestEnv) -> None:
        client = env.client()
        ghost = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "w", "uid": "u", "controller": True}
        await run_pods(client, 1, ghost)
        await client.create(BUDGETS, a_budget(maxUnavailable=1))
        status = await status_of(client)
        assert status["conditions"][0]["message"] == 'found no controllers for pod "p0"'
        reasons = {each["reason"] for each in await client.list(EVENTS, "default")}
        assert "CalculateExpectedPodCountFailed" in reasons
        await client.delete(PODS, "default", "p0", grace_seconds=0)
        alien = {"apiVersion": "no.such/v1", "kind": "Thing", "name": "w", "uid": "u", "controller": True}
        await run_pods(client, 1, alien)
        status = await status_of(client)
        assert status["conditions"][0]["message"] == 'no matches for kind "Thing" in version "no.such/v1"'

    scenario(play, {DISRUPTION})


def test_pods_of_nobody_are_told_of() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await run_pods(client, 2)
        await client.create(BUDGETS, a_budget(maxUnavailable=1))
        assert numbers(await status_of(client)) == (2, 0, 0, 0)
        assert "UnmanagedPods" in {each["reason"] for each in await client.list(EVENTS, "default")}

    scenario(play, {DISRUPTION})


def test_a_disruption_that_did_not_come_is_taken_back() -> None:  # D4
    async def play(env: TestEnv) -> None:
        client = env.client()
        await run_pods(client, 1)
        at = (await client.get(PODS, "default", "p0"))["metadata"]["creationTimestamp"]
        target = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        status = {"conditions": [{**target, "lastTransitionTime": at}]}
        await client.patch(PODS, "default", "p0", {"status": status}, subresource="status")
        await asyncio.sleep(110)
        (before,) = (await client.get(PODS, "default", "p0"))["status"]["conditions"]
        await asyncio.sleep(15)
        (after,) = (await client.get(PODS, "default", "p0"))["status"]["conditions"]
        assert (before["status"], after["status"]) == ("True", "False")
        assert after["lastTransitionTime"] > before["lastTransitionTime"]

    scenario(play, {DISRUPTION})
