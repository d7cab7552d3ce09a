"""How StatefulSets make and take away Pods and claims, against the real API server."""

import asyncio

from tests.controllers.statefulset.support import (
    claim_names,
    claim_template,
    finish,
    get,
    make_ready,
    on_node,
    pod_names,
    pods,
    ready,
    stateful_set,
)
from tests.controllers.support import (
    CLAIMS,
    EVENTS,
    PODS,
    SETTLE_SECONDS,
    STATEFUL_SET,
    STATEFUL_SETS,
    scenario,
)

from kajitori.testing import TestEnv, end_pod


async def settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)


def test_pods_are_made_one_after_the_other() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set())
        for names in (["web-0"], ["web-0", "web-1"], ["web-0", "web-1", "web-2"]):
            await settle()
            assert await pod_names(client) == names
            await ready(client, names[-1])
        await settle()
        status = (await get(client))["status"]
        revision = status["updateRevision"]
        assert status == {
            "observedGeneration": 1,
            "replicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "currentReplicas": 3,
            "updatedReplicas": 3,
            "currentRevision": revision,
            "updateRevision": revision,
            "collisionCount": 0,
        }

    scenario(play, {STATEFUL_SET})


def test_a_pod_has_the_identity_of_its_ordinal() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        set_ = await client.create(STATEFUL_SETS, stateful_set(replicas=1, ordinals={"start": 5}))
        await settle()
        pod = await client.get(PODS, "default", "web-5")
        revision = (await get(client))["status"]["updateRevision"]
        assert pod.labels == {
            "app": "web",
            "apps.kubernetes.io/pod-index": "5",
            "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": "web-5",
        }
        assert pod["metadata"]["generateName"] == "web-"
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-5", "service")
        assert pod.owner_references == [
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "name": "web",
                "uid": set_.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]

    scenario(play, {STATEFUL_SET})


def test_parallel_makes_and_takes_all_at_once() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=4, podManagementPolicy="Parallel"))
        await settle()
        assert await pod_names(client) == ["web-0", "web-1", "web-2", "web-3"]
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        assert await pod_names(client) == ["web-0"]

    scenario(play, {STATEFUL_SET})


def test_a_smaller_set_loses_its_highest_pods_one_after_the_other() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set())
        await make_ready(env, "web-0", "web-1", "web-2")
        for name in await pod_names(client):
            await on_node(client, name)
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        going = {name: each.being_deleted for name, each in (await pods(client)).items()}
        assert going == {"web-0": False, "web-1": False, "web-2": True}
        await finish(client, "web-2")
        await settle()
        going = {name: each.being_deleted for name, each in (await pods(client)).items()}
        assert going == {"web-0": False, "web-1": True}
        await finish(client, "web-1")
        await settle()
        assert await pod_names(client) == ["web-0"]
        assert (await get(client))["status"]["replicas"] == 1

    scenario(play, {STATEFUL_SET})


def test_nothing_is_taken_away_while_a_lower_pod_is_not_ready() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set())
        await make_ready(env, "web-0", "web-1", "web-2")
        await ready(client, "web-0", False)
        await settle()
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        assert await pod_names(client) == ["web-0", "web-1", "web-2"]
        await ready(client, "web-0")
        await settle()
        assert await pod_names(client) == ["web-0"]

    scenario(play, {STATEFUL_SET})


def test_of_those_that_go_the_lowest_that_is_not_ready_goes_before_its_turn() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=4))
        await make_ready(env, "web-0", "web-1", "web-2", "web-3")
        await ready(client, "web-3", False)
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 2}})
        await settle()
        assert await pod_names(client) == ["web-0", "web-1"]

    scenario(play, {STATEFUL_SET})


def test_deleted_and_ended_pods_are_made_again() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=2))
        await make_ready(env, "web-0", "web-1")
        first = (await pods(client))["web-0"]
        await on_node(client, "web-0")
        await client.delete(PODS, "default", "web-0")
        await settle()
        assert (await pods(client))["web-0"].being_deleted  # its node has not let it go
        await finish(client, "web-0")
        second = await env.wait_for_object(PODS, "default", "web-0", lambda pod: pod.uid != first.uid)
        for phase in ("Failed", "Succeeded"):
            await ready(client, "web-0")
            before = (await pods(client))["web-0"]
            await end_pod(client, "default", "web-0", phase)
            await env.wait_for_object(PODS, "default", "web-0", lambda pod, old=before: pod.uid != old.uid)  # type: ignore[misc]
        assert second.uid != first.uid

    scenario(play, {STATEFUL_SET})


def test_what_happens_to_pods_and_claims_is_told() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=1, volumeClaimTemplates=[claim_template()]))
        await make_ready(env, "web-0")
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 0}})
        await settle()
        told = [
            (each["type"], each["reason"], each["message"]) for each in await client.list(EVENTS, "default")
        ]
        sources = {each["source"]["component"] for each in await client.list(EVENTS, "default")}
        assert sources == {"statefulset-controller"}
        assert sorted(told) == [
            ("Normal", "SuccessfulCreate", "create Claim data-web-0 Pod web-0 in StatefulSet web success"),
            ("Normal", "SuccessfulCreate", "create Pod web-0 in StatefulSet web successful"),
            ("Normal", "SuccessfulDelete", "delete Pod web-0 in StatefulSet web successful"),
        ]

    scenario(play, {STATEFUL_SET})


def test_each_pod_gets_its_claims_and_keeps_them() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        templates = [
            claim_template("data", labels={"a": "b"}, annotations={"c": "d"}),
            claim_template("logs"),
        ]
        body = stateful_set(replicas=2, podManagementPolicy="Parallel", volumeClaimTemplates=templates)
        body["spec"]["template"]["spec"]["volumes"] = [
            {"name": "logs", "emptyDir": {}},
            {"name": "own", "emptyDir": {}},
        ]
        await client.create(STATEFUL_SETS, body)
        await settle()
        names = ["data-web-0", "data-web-1", "logs-web-0", "logs-web-1"]
        assert await claim_names(client) == names
        claim = await client.get(CLAIMS, "default", "data-web-1")
        assert claim.labels == {"app": "web", "a": "b"} and claim.annotations == {"c": "d"}
        assert claim.owner_references == []
        pod = (await pods(client))["web-1"]
        claimed = {each["name"]: each.get("persistentVolumeClaim") for each in pod["spec"]["volumes"]}
        assert claimed == {
            "data": {"claimName": "data-web-1"},
            "logs": {"claimName": "logs-web-1"},
            "own": None,
        }
        before = {each.name: each.uid for each in await client.list(CLAIMS, "default")}
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 0}})
        await settle()
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 2}})
        await settle()
        await client.delete(STATEFUL_SETS, "default", "web")
        await settle()
        assert {each.name: each.uid for each in await client.list(CLAIMS, "default")} == before

    scenario(play, {STATEFUL_SET})


def test_a_claim_deleted_under_a_pending_pod_is_made_again() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=1, volumeClaimTemplates=[claim_template()]))
        first = await env.wait_for_object(CLAIMS, "default", "data-web-0")
        await client.patch(CLAIMS, "default", "data-web-0", {"metadata": {"finalizers": None}})
        await client.delete(CLAIMS, "default", "data-web-0")
        await env.wait_for_object(CLAIMS, "default", "data-web-0", lambda claim: claim.uid != first.uid)

    scenario(play, {STATEFUL_SET})


def test_a_pod_is_not_made_with_a_claim_that_is_being_deleted() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=1, volumeClaimTemplates=[claim_template()]))
        await make_ready(env, "web-0")
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 0}})
        await settle()
        await client.delete(CLAIMS, "default", "data-web-0")  # its finalizer keeps it
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        assert await pod_names(client) == []
        messages = {
            each["message"] for each in await client.list(EVENTS, "default") if each["type"] == "Warning"
        }
        assert messages == {
            "create Pod web-0 in StatefulSet web failed error: pvc data-web-0 is being deleted"
        }
        await client.patch(CLAIMS, "default", "data-web-0", {"metadata": {"finalizers": None}})
        await settle()
        assert await pod_names(client) == ["web-0"] and await claim_names(client) == ["data-web-0"]

    scenario(play, {STATEFUL_SET})


def test_a_pod_is_available_after_min_ready_seconds() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=2, minReadySeconds=30))
        await make_ready(env, "web-0")
        await asyncio.sleep(20)
        assert await pod_names(client) == ["web-0"]
        status = (await get(client))["status"]
        assert (status["readyReplicas"], status["availableReplicas"]) == (1, 0)
        await asyncio.sleep(12)
        assert await pod_names(client) == ["web-0", "web-1"]
        assert (await get(client))["status"]["availableReplicas"] == 1

    scenario(play, {STATEFUL_SET})


def test_what_a_pod_lacks_is_told_and_tried_again() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        body = stateful_set(replicas=1)
        body["spec"]["template"]["spec"]["priorityClassName"] = "missing"
        await client.create(STATEFUL_SETS, body)
        await settle()
        assert await pod_names(client) == []
        events = (await client.list(EVENTS, "default")).items
        assert [(each["reason"], each["message"]) for each in events] == [
            (
                "FailedCreate",
                'create Pod web-0 in StatefulSet web failed error: pods "web-0" is forbidden: '
                "no PriorityClass with name missing was found",
            )
        ]
        assert events[0]["count"] > 1
        assert (await get(client))["status"]["observedGeneration"] == 1

    scenario(play, {STATEFUL_SET}, complains=True)
