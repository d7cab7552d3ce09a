"""Which Pods, revisions and claims belong to a StatefulSet, against the real API server."""

import asyncio
from typing import Any

import pytest
from tests.controllers.statefulset.support import (
    claim_names,
    claim_template,
    get,
    images,
    make_ready,
    pod_names,
    pods,
    ready,
    stateful_set,
)
from tests.controllers.support import (
    CLAIMS,
    EVENTS,
    GARBAGE,
    PODS,
    REVISIONS,
    SETTLE_SECONDS,
    STATEFUL_SET,
    STATEFUL_SETS,
    scenario,
)

from kajitori.apimachinery.kind import JsonObject
from kajitori.client import Client
from kajitori.testing import TestEnv


async def settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)


def a_pod(name: str, **labels: str) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "one"}]},
    }


async def uids(client: Client) -> dict[str, str]:
    return {name: each.uid for name, each in (await pods(client)).items()}


def test_a_pod_that_belongs_to_nobody_is_adopted_by_name_and_labels() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        orphan = await client.create(PODS, a_pod("web-0", app="web"))
        await client.create(PODS, a_pod("web-x", app="web"))
        await client.create(PODS, a_pod("web-01", app="web"))
        await client.create(PODS, a_pod("web-1", app="other"))
        set_ = await client.create(STATEFUL_SETS, stateful_set(replicas=1))
        await make_ready(env, "web-0")
        await settle()
        owners = {
            name: [each["uid"] for each in pod.owner_references] for name, pod in (await pods(client)).items()
        }
        # Adopted, and then replaced: it has no revision.
        assert (await pods(client))["web-0"].uid != orphan.uid
        assert owners == {"web-0": [set_.uid], "web-x": [], "web-01": [], "web-1": []}

    scenario(play, {STATEFUL_SET})


def test_a_pod_with_the_name_but_of_another_owner_is_not_touched() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        other = await client.create(STATEFUL_SETS, stateful_set("other", replicas=0))
        reference = {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "name": "other",
            "uid": other.uid,
            "controller": True,
        }
        body = a_pod("web-0", app="web")
        body["metadata"]["ownerReferences"] = [reference]
        await client.create(STATEFUL_SETS, stateful_set(replicas=1))
        standing = await client.get(STATEFUL_SETS, "default", "web")
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 0}})
        await settle()
        taken = await client.create(
            PODS, {**body, "metadata": {**body["metadata"], "finalizers": ["example.com/x"]}}
        )
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        assert standing.uid
        assert (await pods(client))["web-0"].uid == taken.uid

    # The other set lets it go, since its name is none of its, and then it is adopted; either way it is not replaced
    # by force, and what is in the way is an error that somebody can read.
    scenario(play, {STATEFUL_SET}, complains=True)


def test_a_pod_whose_labels_no_longer_match_is_let_go_and_replaced() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=1))
        await make_ready(env, "web-0")
        await client.patch(PODS, "default", "web-0", {"metadata": {"labels": {"app": "debug"}}})
        await settle()
        assert (await client.get(PODS, "default", "web-0")).owner_references == []
        await client.delete(PODS, "default", "web-0")
        await env.wait_for_object(PODS, "default", "web-0", lambda pod: pod.labels["app"] == "web")

    scenario(play, {STATEFUL_SET}, complains=True)


def test_a_set_made_again_adopts_running_pods_as_they_are() -> None:
    """How a volume is grown: the set is deleted with its Pods left, and made again with other claim templates."""

    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(
            STATEFUL_SETS, stateful_set(replicas=2, volumeClaimTemplates=[claim_template(size="1Gi")])
        )
        await make_ready(env, "web-0", "web-1")
        await settle()
        before, revision = await uids(client), (await get(client))["status"]["updateRevision"]
        (kept,) = await client.list(REVISIONS, "default")
        claims = {each.name: each.uid for each in await client.list(CLAIMS, "default")}
        await client.delete(STATEFUL_SETS, "default", "web", propagation="Orphan")
        await env.wait_until_gone(STATEFUL_SETS, "default", "web")
        assert await uids(client) == before
        assert all(not each.owner_references for each in (await pods(client)).values())
        again = await client.create(
            STATEFUL_SETS, stateful_set(replicas=2, volumeClaimTemplates=[claim_template(size="2Gi")])
        )
        await settle()
        assert await uids(client) == before
        for each in (await pods(client)).values():
            assert [owner["uid"] for owner in each.owner_references] == [again.uid]
            assert each.labels["controller-revision-hash"] == revision
        status = (await get(client))["status"]
        assert status["currentRevision"] == status["updateRevision"] == revision
        assert status["readyReplicas"] == status["updatedReplicas"] == 2
        (adopted,) = await client.list(REVISIONS, "default")
        assert adopted.uid == kept.uid and adopted.owner_references[0]["uid"] == again.uid
        assert {each.name: each.uid for each in await client.list(CLAIMS, "default")} == claims
        # The next Pods get claims as they are now.
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 3}})
        await settle()
        new = await client.get(CLAIMS, "default", "data-web-2")
        assert new["spec"]["resources"]["requests"] == {"storage": "2Gi"}

    scenario(play, {STATEFUL_SET, GARBAGE})


def test_deleting_a_set_takes_its_pods_and_history_and_leaves_its_claims() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=2, volumeClaimTemplates=[claim_template()]))
        await make_ready(env, "web-0", "web-1")
        await client.delete(STATEFUL_SETS, "default", "web", propagation="Foreground")
        await env.wait_until_gone(STATEFUL_SETS, "default", "web")
        assert await pod_names(client) == [] and not (await client.list(REVISIONS, "default")).items
        assert await claim_names(client) == ["data-web-0", "data-web-1"]

    scenario(play, {STATEFUL_SET, GARBAGE})


def test_a_set_that_is_being_deleted_makes_no_pods() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        body = stateful_set(replicas=1)
        body["metadata"]["finalizers"] = ["example.com/hold"]
        await client.create(STATEFUL_SETS, body)
        await make_ready(env, "web-0")
        await client.delete(STATEFUL_SETS, "default", "web")
        await client.delete(PODS, "default", "web-0")
        await settle()
        assert await pod_names(client) == []
        assert (await get(client))["status"]["replicas"] == 0

    scenario(play, {STATEFUL_SET})


@pytest.mark.parametrize("scaled", ["Retain", "Delete"])
@pytest.mark.parametrize("deleted", ["Retain", "Delete"])
def test_claims_go_as_the_retention_policy_says(scaled: str, deleted: str) -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        body = stateful_set(
            replicas=2,
            volumeClaimTemplates=[claim_template()],
            persistentVolumeClaimRetentionPolicy={"whenScaled": scaled, "whenDeleted": deleted},
        )
        await client.create(STATEFUL_SETS, body)
        await make_ready(env, "web-0", "web-1")
        await settle()
        for each in await client.list(CLAIMS, "default"):
            await client.patch(CLAIMS, "default", each.name, {"metadata": {"finalizers": None}})
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        kept = ["data-web-0"] if scaled == "Delete" else ["data-web-0", "data-web-1"]
        assert await claim_names(client) == kept
        await client.delete(STATEFUL_SETS, "default", "web")
        await settle()
        # A claim that outlived its Pod belongs to the set, unless that Pod was to take it along.
        assert await claim_names(client) == ([] if deleted == "Delete" else kept)

    scenario(play, {STATEFUL_SET, GARBAGE})


def test_a_changed_retention_policy_holds_for_claims_that_are_there() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()

        async def owners() -> list[list[tuple[str, bool]]]:
            claims = await client.list(CLAIMS, "default")
            return [
                [(each["kind"], each["controller"]) for each in claim.owner_references] for claim in claims
            ]

        async def policy(scaled: str, deleted: str) -> None:
            patch = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": scaled, "whenDeleted": deleted}}
            await client.patch(STATEFUL_SETS, "default", "web", {"spec": patch})
            await settle()

        await client.create(STATEFUL_SETS, stateful_set(replicas=2, volumeClaimTemplates=[claim_template()]))
        await make_ready(env, "web-0", "web-1")
        await settle()
        assert await owners() == [[], []]
        await policy("Retain", "Delete")
        assert await owners() == [[("StatefulSet", True)]] * 2
        await policy("Delete", "Delete")
        assert await owners() == [[("StatefulSet", True)]] * 2
        await policy("Delete", "Retain")
        assert await owners() == [[], []]

    scenario(play, {STATEFUL_SET})


def test_scaling_up_again_waits_for_the_claim_that_goes_with_the_last_pod() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        body = stateful_set(
            replicas=2,
            volumeClaimTemplates=[claim_template()],
            persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete", "whenDeleted": "Retain"},
        )
        await client.create(STATEFUL_SETS, body)
        await make_ready(env, "web-0", "web-1")
        first = await client.get(CLAIMS, "default", "data-web-1")
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 2}})
        await settle()
        assert (await client.get(CLAIMS, "default", "data-web-1")).being_deleted  # its finalizer keeps it
        assert await pod_names(client) == ["web-0"]
        await client.patch(CLAIMS, "default", "data-web-1", {"metadata": {"finalizers": None}})
        await settle()
        assert await pod_names(client) == ["web-0", "web-1"]
        assert (await client.get(CLAIMS, "default", "data-web-1")).uid != first.uid

    scenario(play, {STATEFUL_SET, GARBAGE})


def test_a_pod_that_lost_its_identity_gets_it_back() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(STATEFUL_SETS, stateful_set(replicas=1))
        await make_ready(env, "web-0")
        await settle()
        before = (await pods(client))["web-0"]
        patch: dict[str, Any] = {"metadata": {"labels": {"statefulset.kubernetes.io/pod-name": "wrong"}}}
        await client.patch(PODS, "default", "web-0", patch)
        await settle()
        after = (await pods(client))["web-0"]
        assert (after.uid, after.labels) == (before.uid, before.labels)
        reasons = [each["reason"] for each in await client.list(EVENTS, "default")]
        assert "SuccessfulUpdate" in reasons

    scenario(play, {STATEFUL_SET})


def test_two_sets_side_by_side_do_not_disturb_one_another() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        for name in ("web", "web-0"):
            body = stateful_set(name, replicas=2, podManagementPolicy="Parallel")
            body["spec"]["selector"] = {"matchLabels": {"app": "same"}}
            body["spec"]["template"]["metadata"]["labels"] = {"app": "same"}
            await client.create(STATEFUL_SETS, body)
        await settle()
        assert await pod_names(client) == ["web-0", "web-0-0", "web-0-1", "web-1"]
        for name in await pod_names(client):
            await ready(client, name)
        await settle()
        before = await uids(client)
        await client.patch(STATEFUL_SETS, "default", "web", {"spec": {"replicas": 1}})
        await settle()
        del before["web-1"]
        assert await uids(client) == before and set((await images(client)).values()) == {"one"}

    scenario(play, {STATEFUL_SET})
