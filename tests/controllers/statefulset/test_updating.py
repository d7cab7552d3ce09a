"""How StatefulSets replace Pods whose template changed, against the real API server."""

import asyncio
from typing import Any

from tests.controllers.statefulset.support import (
    finish,
    get,
    image_patch,
    images,
    make_ready,
    on_node,
    pod_names,
    pods,
    ready,
    stateful_set,
)
from tests.controllers.support import (
    PODS,
    REVISIONS,
    SETTLE_SECONDS,
    STATEFUL_SET,
    STATEFUL_SETS,
    scenario,
)

from kajitori.client import Client
from kajitori.testing import TestEnv


async def settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)


async def started(env: TestEnv, **spec: Any) -> Client:
    """A set of three Pods that are ready."""
    client = env.client()
    await client.create(STATEFUL_SETS, stateful_set(**spec))
    await make_ready(env, *(f"web-{number}" for number in range(spec.get("replicas", 3))))
    await settle()
    return client


async def change_image(client: Client, image: str) -> None:
    await client.patch(STATEFUL_SETS, "default", "web", image_patch(image))


async def revisions(client: Client) -> dict[str, int]:
    """The images of the revisions there are, with their numbers."""
    return {
        each["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: each["revision"]
        for each in await client.list(REVISIONS, "default")
    }


def test_pods_are_replaced_one_by_one_from_the_highest() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env)
        before = (await get(client))["status"]
        await change_image(client, "two")
        seen = []
        for name in ("web-2", "web-1", "web-0"):
            await settle()
            seen.append(sorted(name for name, image in (await images(client)).items() if image == "two"))
            status = (await get(client))["status"]
            assert status["currentRevision"] == before["currentRevision"] != status["updateRevision"]
            assert (status["updatedReplicas"], status["readyReplicas"]) == (len(seen), 2)
            await ready(client, name)
        await settle()
        assert seen == [["web-2"], ["web-1", "web-2"], ["web-0", "web-1", "web-2"]]
        status = (await get(client))["status"]
        assert status["currentRevision"] == status["updateRevision"] != before["currentRevision"]
        assert status["currentReplicas"] == status["updatedReplicas"] == 3
        assert status["observedGeneration"] == 2

    scenario(play, {STATEFUL_SET})


def test_a_pod_that_takes_its_time_to_end_is_waited_for() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env)
        for name in await pod_names(client):
            await on_node(client, name)
        await change_image(client, "two")
        await settle()
        standing = await pods(client)
        assert {name: each.being_deleted for name, each in standing.items()} == {
            "web-0": False,
            "web-1": False,
            "web-2": True,
        }
        status = (await get(client))["status"]
        assert (status["replicas"], status["currentReplicas"]) == (3, 2)
        await finish(client, "web-2")
        await settle()
        assert await images(client) == {"web-0": "one", "web-1": "one", "web-2": "two"}

    scenario(play, {STATEFUL_SET})


def test_nothing_below_the_partition_is_replaced_and_what_is_made_anew_there_is_as_it_was() -> None:
    async def play(env: TestEnv) -> None:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
        client = await started(env, updateStrategy=strategy)
        await change_image(client, "two")
        await settle()
        await ready(client, "web-2")
        await settle()
        assert await images(client) == {"web-0": "one", "web-1": "one", "web-2": "two"}
        await client.delete(PODS, "default", "web-1")
        await settle()
        assert await images(client) == {"web-0": "one", "web-1": "one", "web-2": "two"}
        await ready(client, "web-1")
        status = (await get(client))["status"]
        assert status["currentRevision"] != status["updateRevision"]
        await client.patch(
            STATEFUL_SETS, "default", "web", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}
        )
        for name in ("web-1", "web-0"):
            await settle()
            await ready(client, name)
        await settle()
        assert set((await images(client)).values()) == {"two"}
        status = (await get(client))["status"]
        assert status["currentRevision"] == status["updateRevision"]

    scenario(play, {STATEFUL_SET})


def test_on_delete_replaces_only_what_somebody_deletes() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env, updateStrategy={"type": "OnDelete"})
        await change_image(client, "two")
        await settle()
        assert set((await images(client)).values()) == {"one"}
        await client.delete(PODS, "default", "web-1")
        await settle()
        assert await images(client) == {"web-0": "one", "web-1": "two", "web-2": "one"}

    scenario(play, {STATEFUL_SET})


def test_a_broken_template_is_left_behind_by_the_next_one() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env, podManagementPolicy="Parallel")
        await change_image(client, "broken")
        await settle()
        assert await images(client) == {"web-0": "one", "web-1": "one", "web-2": "broken"}
        await change_image(client, "three")
        await settle()
        # The broken Pod goes although it never became ready, and nothing below it while it is not.
        assert await images(client) == {"web-0": "one", "web-1": "one", "web-2": "three"}

    scenario(play, {STATEFUL_SET})


def test_with_ordered_pods_a_broken_one_must_be_deleted_by_hand() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env)
        await change_image(client, "broken")
        await settle()
        await change_image(client, "one")
        await settle()
        # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
        assert (await images(client))["web-2"] == "broken"
        await client.delete(PODS, "default", "web-2")
        await settle()
        assert set((await images(client)).values()) == {"one"}

    scenario(play, {STATEFUL_SET})


def test_other_changes_of_the_set_make_no_revision() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env)
        before = {name: each.uid for name, each in (await pods(client)).items()}
        patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"minReadySeconds": 1}}
        await client.patch(STATEFUL_SETS, "default", "web", patch)
        await settle()
        assert await revisions(client) == {"one": 1}
        assert {name: each.uid for name, each in (await pods(client)).items()} == before
        assert (await get(client))["status"]["observedGeneration"] == 2

    scenario(play, {STATEFUL_SET})


def test_going_back_to_an_earlier_template_uses_its_revision_again() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env, replicas=1)
        first = (await get(client))["status"]["updateRevision"]
        await change_image(client, "two")
        await settle()
        await ready(client, "web-0")
        await settle()
        assert await revisions(client) == {"one": 1, "two": 2}
        await change_image(client, "one")
        await settle()
        await ready(client, "web-0")
        await settle()
        assert await revisions(client) == {"one": 3, "two": 2}
        status = (await get(client))["status"]
        assert status["currentRevision"] == status["updateRevision"] == first

    scenario(play, {STATEFUL_SET})


def test_history_is_kept_up_to_its_limit() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env, replicas=1, revisionHistoryLimit=2)
        for image in ("two", "three", "four", "five"):
            await change_image(client, image)
            await settle()
            await ready(client, "web-0")
            await settle()
        assert await revisions(client) == {"three": 3, "four": 4, "five": 5}

    scenario(play, {STATEFUL_SET})


def test_two_templates_with_the_same_letters_get_different_revisions() -> None:
    async def play(env: TestEnv) -> None:
        client = await started(env, replicas=1)
        # Somebody has the name that the next revision would get.
        first = (await client.list(REVISIONS, "default")).items[0]
        probe = stateful_set("probe", replicas=0, image="two")
        probe["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
        probe["spec"]["selector"] = {"matchLabels": {"app": "web"}}
        probe["metadata"]["namespace"] = "kube-public"
        await client.create(STATEFUL_SETS, probe)
        await settle()
        taken = (await client.get(STATEFUL_SETS, "kube-public", "probe"))["status"]["updateRevision"]
        body: dict[str, Any] = {
            "metadata": {"name": taken.replace("probe", "web"), "namespace": "default"},
            "data": {"x": 1},
            "revision": 1,
        }
        await client.create(REVISIONS, body)
        await change_image(client, "two")
        await settle()
        status = (await get(client))["status"]
        assert status["collisionCount"] == 1
        assert status["updateRevision"] not in (first.name, body["metadata"]["name"])
        assert await images(client) == {"web-0": "two"}

    scenario(play, {STATEFUL_SET})
