"""What every namespace has, against the real API server."""

import asyncio

from tests.controllers.support import (
    ACCOUNTS,
    CONFIG_MAPS,
    NAMESPACES,
    ROOT_CA,
    SERVICE_ACCOUNTS,
    SETTLE_SECONDS,
    config_map,
    scenario,
)

from kajitori import controllers
from kajitori.ctrl import Manager
from kajitori.testing import TestEnv


def test_every_namespace_has_its_service_account_and_its_certificate() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(NAMESPACES, {"metadata": {"name": "new"}})
        for namespace in ("default", "kube-system", "new"):
            await env.wait_for_object(SERVICE_ACCOUNTS, namespace, "default")
            await env.wait_for_object(CONFIG_MAPS, namespace, "kube-root-ca.crt")

    scenario(play, {ACCOUNTS, ROOT_CA})


def test_both_come_back_when_they_are_deleted() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        for kind, name in ((SERVICE_ACCOUNTS, "default"), (CONFIG_MAPS, "kube-root-ca.crt")):
            first = await env.wait_for_object(kind, "default", name)
            await client.delete(kind, "default", name)
            await env.wait_for_object(kind, "default", name, lambda new, old=first: new.uid != old.uid)  # type: ignore[misc]

    scenario(play, {ACCOUNTS, ROOT_CA})


def test_the_certificate_is_put_right_when_it_is_changed() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        manager = Manager(env.client("publisher"))
        assert controllers.setup(manager, controllers.Means("the authority"), only={ROOT_CA}) == [
            "service accounts"
        ]
        async with env.running(manager):
            right = {"ca.crt": "the authority"}
            await env.wait_for_object(
                CONFIG_MAPS, "default", "kube-root-ca.crt", lambda x: x["data"] == right
            )
            for damage in (
                {"data": {"ca.crt": "another"}},
                {"data": {"more": "x"}},
                {"data": None},
                {"metadata": {"annotations": None}},
            ):
                broken = await client.patch(CONFIG_MAPS, "default", "kube-root-ca.crt", damage)
                assert broken.get("data") != right or not broken.annotations
                await env.wait_for_object(
                    CONFIG_MAPS,
                    "default",
                    "kube-root-ca.crt",
                    lambda x: x.get("data") == right and x.annotations,
                )
            # What somebody else says about it stays.
            said = {"metadata": {"annotations": {"kubernetes.io/description": "ours"}}}
            await client.patch(CONFIG_MAPS, "default", "kube-root-ca.crt", said)
            await asyncio.sleep(SETTLE_SECONDS)
            assert (await client.get(CONFIG_MAPS, "default", "kube-root-ca.crt")).annotations == {
                "kubernetes.io/description": "ours"
            }

    scenario(play, False)


def test_a_namespace_that_goes_is_left_alone() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(NAMESPACES, {"metadata": {"name": "doomed"}})
        await client.create(CONFIG_MAPS, config_map("x", namespace="doomed", finalizers=["example.com/hold"]))
        await env.wait_for_object(SERVICE_ACCOUNTS, "doomed", "default")
        await env.wait_for_object(CONFIG_MAPS, "doomed", "kube-root-ca.crt")
        await client.delete(NAMESPACES, "", "doomed")
        await client.delete(SERVICE_ACCOUNTS, "doomed", "default")
        await client.delete(CONFIG_MAPS, "doomed", "kube-root-ca.crt")
        await asyncio.sleep(60)
        assert not (await client.list(SERVICE_ACCOUNTS, "doomed")).items
        assert [each.name for each in await client.list(CONFIG_MAPS, "doomed")] == ["x"]

    scenario(play, {ACCOUNTS, ROOT_CA})
