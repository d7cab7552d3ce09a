"""The garbage collector against the real API server."""

import asyncio
from typing import Any

import pytest
from tests.controllers.support import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRDS,
    EVENTS,
    GARBAGE,
    NAMESPACES,
    SECRETS,
    SETTLE_SECONDS,
    WIDGETS,
    config_map,
    owned_by,
    scenario,
    widgets_crd,
)

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, PatchType
from kajitori.testing import TestEnv


async def names(client: Client, kind: Kind = CONFIG_MAPS, namespace: str = "default") -> set[str]:
    return {each.name for each in await client.list(kind, namespace)}


async def owners(client: Client, name: str, kind: Kind = CONFIG_MAPS) -> list[str]:
    return [each["name"] for each in (await client.get(kind, "default", name)).owner_references]


async def settle() -> None:
    await asyncio.sleep(SETTLE_SECONDS)


def test_dependents_go_in_the_background_after_their_owner() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        child = await client.create(SECRETS, config_map("child", owned_by(owner, blocks=True)))
        await client.create(CONFIG_MAPS, config_map("grandchild", owned_by(child)))
        await client.create(CONFIG_MAPS, config_map("stranger"))
        await settle()
        assert await names(client) == {"owner", "grandchild", "stranger"}
        await client.delete(CONFIG_MAPS, "default", "owner", propagation="Background")
        assert "owner" not in await names(client)
        await settle()
        assert await names(client) == {"stranger"}
        assert await names(client, SECRETS) == set()

    scenario(play, {GARBAGE})


def test_an_owner_in_the_foreground_waits_for_the_dependents_that_block_it() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        await client.create(
            CONFIG_MAPS, config_map("held", owned_by(owner, blocks=True), finalizers=["example.com/hold"])
        )
        await client.create(
            CONFIG_MAPS, config_map("loose", owned_by(owner), finalizers=["example.com/hold"])
        )
        await client.delete(CONFIG_MAPS, "default", "owner", propagation="Foreground")
        await settle()
        standing = await client.get(CONFIG_MAPS, "default", "owner")
        assert standing.being_deleted and standing.finalizers == ["foregroundDeletion"]
        held = await client.get(CONFIG_MAPS, "default", "held")
        assert held.being_deleted
        assert (await client.get(CONFIG_MAPS, "default", "loose")).being_deleted
        await client.patch(CONFIG_MAPS, "default", "held", {"metadata": {"finalizers": None}})
        await settle()
        assert await names(client) == {"loose"}  # it blocks nobody

    scenario(play, {GARBAGE})


def test_a_chain_in_the_foreground_goes_from_its_end() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        previous = await client.create(CONFIG_MAPS, config_map("c0"))
        for number in range(1, 5):
            previous = await client.create(
                CONFIG_MAPS, config_map(f"c{number}", owned_by(previous, blocks=True))
            )
        gone: list[str] = []

        async def watch() -> None:
            async with client.watch(CONFIG_MAPS, "default") as events:
                async for event in events:
                    if event.type == "DELETED":
                        gone.append(event.object.name)

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        await client.delete(CONFIG_MAPS, "default", "c0", propagation="Foreground")
        await settle()
        watching.cancel()
        assert gone == ["c4", "c3", "c2", "c1", "c0"]

    scenario(play, {GARBAGE})


def test_orphaned_dependents_stay_and_lose_their_owner_only() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        other = await client.create(CONFIG_MAPS, config_map("other"))
        await client.create(CONFIG_MAPS, config_map("one", owned_by(owner, blocks=True)))
        await client.create(SECRETS, config_map("two", owned_by(other), owned_by(owner)))
        await client.create(WIDGETS, config_map("three", owned_by(owner)))
        await settle()
        await client.delete(CONFIG_MAPS, "default", "owner", propagation="Orphan")
        await settle()
        assert await names(client) == {"other", "one"}
        assert await owners(client, "one") == []
        assert await owners(client, "two", SECRETS) == ["other"]
        assert await owners(client, "three", WIDGETS) == []

    scenario(play, {GARBAGE}, crds=[widgets_crd()])


def test_an_object_stays_while_one_of_its_owners_does() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        one, two = [await client.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
        await client.create(CONFIG_MAPS, config_map("child", owned_by(one), owned_by(two)))
        await client.delete(CONFIG_MAPS, "default", "one", propagation="Background")
        await settle()
        assert await owners(client, "child") == ["two"]
        await client.delete(CONFIG_MAPS, "default", "two", propagation="Background")
        await settle()
        assert await names(client) == set()

    scenario(play, {GARBAGE})


def test_an_owner_going_in_the_foreground_does_not_take_what_another_owns() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        one, two = [await client.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
        await client.create(CONFIG_MAPS, config_map("child", owned_by(one, blocks=True), owned_by(two)))
        await client.delete(CONFIG_MAPS, "default", "one", propagation="Foreground")
        await settle()
        assert await names(client) == {"two", "child"}
        assert await owners(client, "child") == ["two"]

    scenario(play, {GARBAGE})


def test_owners_that_wait_for_one_another_in_a_circle_all_go() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        one, two = [await client.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
        for value, owner in ((one, two), (two, one)):
            patch = {"metadata": {"ownerReferences": [owned_by(owner, blocks=True)]}}
            await client.patch(CONFIG_MAPS, "default", value.name, patch)
        await settle()
        assert await names(client) == {"one", "two"}
        await client.delete(CONFIG_MAPS, "default", "one", propagation="Foreground")
        await settle()
        assert await names(client) == set()

    scenario(play, {GARBAGE})


def test_a_circle_that_somebody_deletes_as_a_whole_goes_too() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        one, two = [
            await client.create(CONFIG_MAPS, config_map(name, finalizers=["example.com/hold"]))
            for name in ("one", "two")
        ]
        for value, owner in ((one, two), (two, one)):
            patch = {"metadata": {"ownerReferences": [owned_by(owner, blocks=True)]}}
            await client.patch(CONFIG_MAPS, "default", value.name, patch)
        for name in ("one", "two"):
            await client.delete(CONFIG_MAPS, "default", name, propagation="Foreground")
        for name in ("one", "two"):
            let_go = [{"op": "remove", "path": "/metadata/finalizers/0"}]
            await client.patch(CONFIG_MAPS, "default", name, let_go, PatchType.JSON)
        await settle()
        assert await names(client) == set()

    scenario(play, {GARBAGE})


@pytest.mark.parametrize(
    "wrong",
    [{"name": "someone-else"}, {"uid": "00000000-0000-0000-0000-000000000000"}, {"kind": "Secret"}],
)
def test_an_owner_that_is_not_there_as_it_is_named_counts_as_gone(wrong: JsonObject) -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        await client.create(CONFIG_MAPS, config_map("good", owned_by(owner)))
        await client.create(CONFIG_MAPS, config_map("bad", {**owned_by(owner), **wrong}))
        await settle()
        assert await names(client) == {"owner", "good"}
        await client.create(CONFIG_MAPS, config_map("later", {**owned_by(owner), **wrong}))
        await client.create(CONFIG_MAPS, config_map("good-later", owned_by(owner)))
        await settle()
        assert await names(client) == {"owner", "good", "good-later"}

    scenario(play, {GARBAGE})


def test_an_owner_of_another_version_than_preferred_is_found() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        scaler = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
        spec = {
            "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"},
            "maxReplicas": 2,
        }
        body = {"metadata": {"name": "owner", "namespace": "default"}, "spec": spec}
        owner = await client.create(scaler, body)
        await client.create(
            CONFIG_MAPS, config_map("child", {**owned_by(owner), "apiVersion": "autoscaling/v1"})
        )
        await client.create(
            CONFIG_MAPS, config_map("odd", {**owned_by(owner), "apiVersion": "autoscaling/v9"})
        )
        await settle()
        assert await names(client) == {"child", "odd"}
        await client.delete(scaler, "default", "owner", propagation="Background")
        await asyncio.sleep(60)
        # Nobody serves autoscaling/v9: its owner can never be judged.
        assert await names(client) == {"odd"}

    scenario(play, {GARBAGE})


def test_an_owner_in_another_namespace_counts_as_gone_and_people_hear_of_it() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(NAMESPACES, {"metadata": {"name": "other"}})
        owner = await client.create(CONFIG_MAPS, config_map("owner", namespace="other"))
        await client.create(CONFIG_MAPS, config_map("good", owned_by(owner), namespace="other"))
        bad = await client.create(
            CONFIG_MAPS, config_map("bad", owned_by(owner), finalizers=["example.com/hold"])
        )
        await settle()
        assert (await client.get(CONFIG_MAPS, "default", "bad")).being_deleted
        assert await names(client, namespace="other") == {"owner", "good"}
        events = [
            each for each in await client.list(EVENTS, "default") if each["involvedObject"]["uid"] == bad.uid
        ]
        assert [(each["type"], each["reason"], each["message"]) for each in events] == [
            (
                "Warning",
                "OwnerRefInvalidNamespace",
                f"ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: {owner.uid}] "
                'does not exist in namespace "default"',
            )
        ]

    scenario(play, {GARBAGE})


def test_cluster_scoped_owners_may_be_named_from_any_namespace() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(NAMESPACES, {"metadata": {"name": "other"}})
        owner = await client.create(CLUSTER_ROLES, {"metadata": {"name": "owner"}, "rules": []})
        for namespace in ("default", "other"):
            await client.create(CONFIG_MAPS, config_map("child", owned_by(owner), namespace=namespace))
        await settle()
        assert await names(client) == {"child"} and await names(client, namespace="other") == {"child"}
        await client.delete(CLUSTER_ROLES, "", "owner")
        await settle()
        assert await names(client) == set() and await names(client, namespace="other") == set()

    scenario(play, {GARBAGE})


def test_a_cluster_scoped_object_with_an_owner_in_some_namespace_is_left_alone() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        body = {"metadata": {"name": "child", "ownerReferences": [owned_by(owner)]}, "rules": []}
        await client.create(CLUSTER_ROLES, body)
        await settle()
        await client.delete(CONFIG_MAPS, "default", "owner")
        await asyncio.sleep(30)
        assert (await client.get(CLUSTER_ROLES, "", "child")).owner_references

    scenario(play, {GARBAGE})


def test_an_object_adopted_while_its_last_owner_goes_is_kept() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        one, two = [await client.create(CONFIG_MAPS, config_map(name)) for name in ("one", "two")]
        for number in range(30):
            await client.create(CONFIG_MAPS, config_map(f"child-{number}", owned_by(one)))
        await settle()
        await client.delete(CONFIG_MAPS, "default", "one", propagation="Background")
        # Adoption and collection run at once: whoever is adopted in time stays, with the new owner alone.
        adopted: list[str] = []
        for number in range(30):
            name = f"child-{number}"
            patch = {"metadata": {"ownerReferences": [owned_by(two)]}}
            try:
                await client.patch(CONFIG_MAPS, "default", name, patch)
            except NotFound:
                continue
            adopted.append(name)
        await settle()
        assert await names(client) == {"two", *adopted}

    scenario(play, {GARBAGE})


def test_custom_kinds_come_and_go() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await env.install(widgets_crd())
        owner = await client.create(WIDGETS, config_map("owner"))
        other = await client.create(WIDGETS, config_map("other"))
        await client.create(CONFIG_MAPS, config_map("child", owned_by(owner)))
        await client.create(WIDGETS, config_map("widget-child", owned_by(owner)))
        await client.create(CONFIG_MAPS, config_map("kept", owned_by(other)))
        await settle()
        assert await names(client) == {"child", "kept"}
        await client.delete(WIDGETS, "default", "owner")
        await settle()
        assert await names(client) == {"kept"} and await names(client, WIDGETS) == {"other"}
        # The kind goes, its objects with it: then their dependents too.
        await client.delete(CRDS, "", "widgets.example.com")
        await settle()
        assert await names(client) == set()
        # And comes again.
        await env.install(widgets_crd())
        owner = await client.create(WIDGETS, config_map("owner"))
        await client.create(CONFIG_MAPS, config_map("child", owned_by(owner)))
        await settle()
        assert await names(client) == {"child"}
        await client.delete(WIDGETS, "default", "owner")
        await settle()
        assert await names(client) == set()

    scenario(play, {GARBAGE})


def test_what_a_kind_that_nobody_serves_owns_is_left_alone() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        reference = {"apiVersion": "example.org/v1", "kind": "Thing", "name": "x", "uid": "some-uid"}
        await client.create(CONFIG_MAPS, config_map("child", reference))
        await asyncio.sleep(3600)
        assert await names(client) == {"child"}

    scenario(play, {GARBAGE})


def test_a_thousand_dependents() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        reference = owned_by(owner, blocks=True)
        await asyncio.gather(
            *(client.create(SECRETS, config_map(f"child-{number}", reference)) for number in range(1000))
        )
        await client.delete(CONFIG_MAPS, "default", "owner", propagation="Foreground")
        await env.wait_until_gone(CONFIG_MAPS, "default", "owner")
        assert await names(client, SECRETS) == set()

    scenario(play, {GARBAGE})


def test_an_object_that_owns_nothing_and_belongs_to_nobody_costs_no_request() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        owner = await client.create(CONFIG_MAPS, config_map("owner"))
        await settle()
        asked: list[str] = []
        transport: Any = client.transport
        real = transport.request

        async def counting(method: str, path: str, *rest: Any) -> Any:
            asked.append(f"{method} {path}")
            return await real(method, path, *rest)

        transport.request = counting  # the collector's way to the server is the same
        await client.create(SECRETS, config_map("child", owned_by(owner)))
        await client.patch(SECRETS, "default", "child", {"metadata": {"labels": {"a": "b"}}})
        await client.create(SECRETS, config_map("alone"))
        asked.clear()
        await settle()
        assert [each for each in asked if not each.startswith("GET /api")] == []
        assert [each for each in asked if "child" in each or "owner" in each or "alone" in each] == []

    scenario(play, {GARBAGE})
