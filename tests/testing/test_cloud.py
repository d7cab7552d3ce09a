"""Nodes without a node agent: what others see of them, and of the Pods on them."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.testing import (
    Cloud,
    Stages,
    TestEnv,
    VirtualClock,
    condition_match,
    condition_true,
    list_match_n,
    pod_phase_match,
    pod_ready,
    run_virtual,
    simulate,
    stateful_set_ready,
)

PODS = Kind("", "v1", "Pod", "pods")
NODES = Kind("", "v1", "Node", "nodes", namespaced=False)
LEASES = Kind("coordination.k8s.io", "v1", "Lease", "leases")
STATEFUL_SETS = Kind("apps", "v1", "StatefulSet", "statefulsets")


def pod(name: str, *, owner: JsonObject | None = None, **spec: Any) -> JsonObject:
    metadata: JsonObject = {"name": name, "namespace": "default"}
    if owner is not None:
        metadata["ownerReferences"] = [owner]
    return {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "app:1"}], **spec}}


def play(scene: Callable[[TestEnv, Cloud], Awaitable[None]], nodes: int = 1, **options: Any) -> None:
    async def main() -> None:
        async with TestEnv(clock=VirtualClock()) as env:
            await scene(env, await env.nodes(nodes, **options))

    run_virtual(main())


async def ready(env: TestEnv, name: str) -> Unstructured:
    return await env.wait_for_object(PODS, "default", name, pod_ready)


def now() -> float:
    return asyncio.get_running_loop().time()


async def sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_nodes_are_ready_and_renew_their_leases() -> None:  # C1
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        nodes = (await env.client().list(NODES)).items
        assert [each.name for each in nodes] == ["node-1", "node-2", "node-3"]
        assert all(condition_true("Ready")(each) for each in nodes)
        assert nodes[1]["status"]["allocatable"] == {"cpu": "8", "memory": "32Gi", "pods": "110"}
        renewed = set()
        for _ in range(3):
            await sleep(10)
            renewed.add((await env.client().get(LEASES, "kube-node-lease", "node-1"))["spec"]["renewTime"])
        assert len(renewed) == 3

    play(scene, 3)


def test_pods_are_spread_and_have_addresses_of_their_node() -> None:  # C2
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        seen = []
        for number in range(4):
            await env.client().create(PODS, pod(f"p{number}"))
        for number in range(4):
            found = await ready(env, f"p{number}")
            assert found["status"]["hostIP"].startswith("172.18.0.")
            seen.append((found["spec"]["nodeName"], found["status"]["podIP"]))
        assert sorted(node for node, _ in seen) == ["node-1", "node-1", "node-2", "node-2"]
        assert sorted(ip for _, ip in seen) == ["10.244.1.1", "10.244.1.2", "10.244.2.1", "10.244.2.2"]
        await env.client().delete(PODS, "default", "p0")
        await env.wait_until_gone(PODS, "default", "p0")
        await env.client().create(PODS, pod("again"))
        assert (await ready(env, "again"))["status"]["podIP"] == seen[0][1], "an address that is free again"

    play(scene, 2)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "2 node(s) didn't match Pod's node affinity/selector"),
        (
            {"containers": [{"name": "a", "image": "a", "resources": {"requests": {"cpu": "9"}}}]},
            "2 Insufficient cpu",
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "gpus", "operator": "Gt", "values": ["2"]}]}
                            ]
                        }
                    }
                }
            },
            "2 node(s) didn't match Pod's node affinity/selector",
        ),
    ],
)
def test_pods_that_fit_on_no_node_wait_and_say_why(spec: Any, why: str) -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p", **spec))
        waiting = await env.wait_for_object(PODS, "default", "p", condition_match("PodScheduled", "False"))
        (condition,) = waiting["status"]["conditions"]
        assert (condition["reason"], condition["message"]) == (
            "Unschedulable",
            f"0/2 nodes are available: {why}.",
        )
        assert waiting["status"]["phase"] == "Pending"
        labels = {"disk": "ssd", "gpus": "4"}
        await cloud.add_node("large", labels=labels)
        big = {"status": {"allocatable": {"cpu": "64", "pods": "10", "memory": "1Ti"}}}
        await env.client().patch(NODES, "", "large", big, subresource="status")
        assert (await ready(env, "p"))["spec"]["nodeName"] == "large"

    play(scene, 2)


def test_cordons_taints_and_full_nodes() -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        client = env.client()
        await cloud.cordon("node-1")
        taint = {"key": "special", "value": "yes", "effect": "NoSchedule"}
        await client.patch(NODES, "", "node-2", {"spec": {"taints": [taint]}})
        await sleep(1)
        await client.create(PODS, pod("p"))
        waiting = await env.wait_for_object(PODS, "default", "p", condition_match("PodScheduled", "False"))
        assert waiting["status"]["conditions"][0]["message"] == (
            "0/2 nodes are available: 1 node(s) had untolerated taint(s) {special: yes}, 1 node(s) were unschedulable."
        )
        await client.create(PODS, pod("tolerant", tolerations=[{**taint, "operator": "Equal"}]))
        assert (await ready(env, "tolerant"))["spec"]["nodeName"] == "node-2"
        await cloud.cordon("node-1", on=False)
        assert (await ready(env, "p"))["spec"]["nodeName"] == "node-1"
        await client.create(PODS, pod("more"))
        waiting = await env.wait_for_object(PODS, "default", "more", condition_match("PodScheduled", "False"))
        assert "1 Too many pods" in waiting["status"]["conditions"][0]["message"]
        await client.delete(PODS, "default", "p")
        await ready(env, "more")

    play(scene, 2, capacity={"pods": "1"})


def test_things_take_their_time() -> None:  # L1
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p", initContainers=[{"name": "first", "image": "i"}]))
        found = await env.wait_for_object(
            PODS, "default", "p", lambda each: each["status"].get("containerStatuses"), seconds=60
        )
        assert (now(), found["status"]["phase"]) == (2, "Pending")
        assert found["status"]["containerStatuses"][0]["state"] == {
            "waiting": {"reason": "ContainerCreating"}
        }
        found = await env.wait_for_object(PODS, "default", "p", pod_phase_match("Running"), seconds=60)
        assert (now(), pod_ready(found), found["status"]["podIP"]) == (5, False, "10.244.1.1")
        assert found["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
        await env.wait_for_object(PODS, "default", "p", pod_ready, seconds=60)
        assert now() == 12
        await env.client().delete(PODS, "default", "p")
        await env.wait_until_gone(PODS, "default", "p", seconds=60)
        assert now() == 16

    play(scene, stages=Stages(schedule_seconds=2, start_seconds=3, ready_seconds=7, stop_seconds=4))


def test_readiness_gates_are_waited_for() -> None:  # L3
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p", readinessGates=[{"conditionType": "example.com/asked"}]))
        found = await env.wait_for_object(PODS, "default", "p", condition_true("ContainersReady"))
        assert not pod_ready(found)
        asked = {"type": "example.com/asked", "status": "True"}
        conditions = [*found["status"]["conditions"], asked]
        await env.client().patch(
            PODS, "default", "p", {"status": {"conditions": conditions}}, subresource="status"
        )
        found = await ready(env, "p")
        assert condition_true("example.com/asked")(found)

    play(scene)


def test_pods_of_jobs_end_well() -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": True}
        await env.client().create(PODS, pod("p", owner=owner, restartPolicy="Never"))
        await env.wait_for_object(PODS, "default", "p", pod_phase_match("Succeeded"), seconds=60)
        assert now() == 5
        await env.client().create(PODS, pod("mine"))
        await ready(env, "mine")
        await cloud.complete("default", "mine", exit_code=3)
        found = await env.wait_for_object(PODS, "default", "mine", pod_phase_match("Failed"))
        assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3

    play(scene, stages=Stages(complete_seconds=5))


def test_a_container_that_fails_begins_again_after_a_while() -> None:  # L2
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p"))
        await ready(env, "p")

        def restarts(count: int) -> Callable[[Unstructured], bool]:
            return lambda each: (
                pod_ready(each) and each["status"]["containerStatuses"][0]["restartCount"] == count
            )

        took = []
        for count in range(1, 5):
            began = now()
            await cloud.fail("default", "p", exit_code=137, reason="OOMKilled")
            if count > 1:
                found = await env.wait_for_object(PODS, "default", "p", lambda each: not pod_ready(each))
                (told,) = found["status"]["containerStatuses"]
                assert told["state"]["waiting"]["reason"] == "CrashLoopBackOff"
                assert found["status"]["phase"] == "Running"
            found = await env.wait_for_object(PODS, "default", "p", restarts(count), seconds=600)
            last = found["status"]["containerStatuses"][0]["lastState"]["terminated"]
            assert (last["exitCode"], last["reason"]) == (137, "OOMKilled")
            took.append(round(now() - began))
        assert took == [0, 10, 20, 40]
        await env.client().create(PODS, pod("once", restartPolicy="Never"))
        await ready(env, "once")
        await cloud.fail("default", "once")
        await env.wait_for_object(PODS, "default", "once", pod_phase_match("Failed"))

    play(scene)


def test_images_that_cannot_be_had() -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        cloud.lose_image("app:1")
        await env.client().create(PODS, pod("p"))
        found = await env.wait_for_object(PODS, "default", "p", lambda each: each["status"].get("podIP"))
        (told,) = found["status"]["containerStatuses"]
        assert (found["status"]["phase"], told["state"]["waiting"]["reason"]) == (
            "Pending",
            "ImagePullBackOff",
        )
        cloud.provide_image("app:1")
        await ready(env, "p")

    play(scene)


def test_a_node_that_stops_is_missed_after_a_while() -> None:  # C3
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p"))
        daemon = [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}]
        await env.client().create(PODS, pod("daemon", nodeName="node-1", tolerations=daemon))
        assert (await ready(env, "p"))["spec"]["nodeName"] == (await ready(env, "daemon"))["spec"]["nodeName"]
        await cloud.stop_node("node-1")
        await env.wait_for_object(NODES, "", "node-1", condition_match("Ready", "Unknown"), seconds=600)
        assert now() == 50
        node = await env.wait_for_object(NODES, "", "node-1", lambda each: each["spec"].get("taints"))
        assert {(each["key"], each["effect"]) for each in node["spec"]["taints"]} == {
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        }
        for name in ("p", "daemon"):
            await env.wait_for_object(PODS, "default", name, condition_match("Ready", "False"))
        await env.wait_for_object(PODS, "default", "p", lambda each: each.being_deleted, seconds=600)
        assert round(now()) == 350, "300 s are tolerated"
        await sleep(600)
        assert (await env.client().get(PODS, "default", "p")).being_deleted, "nobody there lets it go"
        assert not (await env.client().get(PODS, "default", "daemon")).being_deleted
        await cloud.start_node("node-1")
        await env.wait_until_gone(PODS, "default", "p")
        await ready(env, "daemon")
        node = await env.wait_for_object(NODES, "", "node-1", condition_true("Ready"))
        assert not node["spec"].get("taints")

    play(scene)


def test_a_node_that_is_removed_takes_its_pods_along() -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        await env.client().create(PODS, pod("p"))
        await ready(env, "p")
        await cloud.remove_node("node-1")
        await env.wait_until_gone(NODES, "", "node-1")
        await env.wait_until_gone(PODS, "default", "p")
        with pytest.raises(ValueError, match="no node node-1 is in this cloud; known are there are none"):
            await cloud.stop_node("node-1")

    play(scene)


def test_what_cannot_be_said() -> None:
    async def scene(env: TestEnv, cloud: Cloud) -> None:
        with pytest.raises(ValueError, match="no node nobody is in this cloud; known are node-1"):
            await cloud.stop_node("nobody")
        await env.client().create(PODS, pod("p", schedulingGates=[{"name": "example.com/wait"}]))
        with pytest.raises(ValueError, match="Pod default/p does not run on a node of this cloud"):
            await cloud.fail("default", "p")

    play(scene)


def test_a_stateful_set_survives_a_node() -> None:
    async def main() -> None:
        async with TestEnv(clock=VirtualClock(), controllers=True) as env:
            cloud = await env.nodes(3)
            labels = {"app": "web"}
            spec = {
                "replicas": 3,
                "serviceName": "web",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod("x")["spec"]},
            }
            await env.client().create(
                STATEFUL_SETS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
            )
            await env.wait_for_object(STATEFUL_SETS, "default", "web", stateful_set_ready)
            lost = (await env.client().get(PODS, "default", "web-1"))["spec"]["nodeName"]
            await cloud.stop_node(lost)
            await sleep(400)
            await cloud.remove_node(lost)
            await env.wait_for_list(PODS, "default", list_match_n(3, pod_ready), labels="app=web")

    run_virtual(main())


@pytest.mark.e2e
def test_what_kubectl_shows(kubectl_path: Path, tmp_path: Path) -> None:
    async def main() -> str:
        async with TestEnv(serve=True) as env:
            await env.nodes(2)
            await env.client().create(PODS, pod("p"))
            await ready(env, "p")
            config = env.kubeconfig(tmp_path / "kubeconfig")

            def kubectl(*arguments: str) -> str:
                command = [str(kubectl_path), "--kubeconfig", str(config), *arguments]
                return subprocess.run(command, check=True, capture_output=True, text=True).stdout

            return await asyncio.to_thread(kubectl, "get", "nodes,pods", "-o", "wide")

    shown = asyncio.run(main())
    lines = [each.split() for each in shown.splitlines() if each]
    assert lines[0][:6] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP"]
    assert lines[1][:3] == ["node/node-1", "Ready", "<none>"] and lines[1][4:6] == ["v1.36.2", "172.18.0.2"]
    assert lines[4][0:4] == ["pod/p", "1/1", "Running", "0"] and lines[4][5:7] == ["10.244.1.1", "node-1"]


@pytest.mark.parametrize("seed", range(3))
def test_a_cloud_in_a_simulation(seed: int) -> None:
    async def scenario(sim: Any) -> None:
        cloud = await sim.nodes(3, stages=Stages(start_seconds=1, ready_seconds=1))
        for number in range(5):
            await sim.client().create(PODS, pod(f"p{number}"))
            await sim.sleep(5)
        stopped = sim.choice(["node-1", "node-2"])
        await cloud.stop_node(stopped)
        await sim.sleep(600)
        await sim.calm()
        await cloud.remove_node(stopped)
        await sim.assert_settles()
        left = (await sim.client().list(PODS, "default")).items
        assert {each["spec"]["nodeName"] for each in left} <= {"node-1", "node-2", "node-3"} - {stopped}
        assert all(map(pod_ready, left))

    assert simulate(seed, scenario).lines == simulate(seed, scenario).lines
