"""A way to the server that breaks as networks do, for whoever is in another process."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, TransportError
from kajitori.client.network import connect
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.testing import Link, TestEnv

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")


def named(name: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}}


@asynccontextmanager
async def linked(folder: Path) -> AsyncIterator[tuple[TestEnv, Link, Client]]:
    async with (
        TestEnv(serve=True) as env,
        Link(env.url) as link,
        connect(env.kubeconfig(folder / "kubeconfig", server=link.url)) as client,
    ):
        yield env, link, client


def play(folder: Path, scene: Callable[[TestEnv, Link, Client], Awaitable[None]]) -> None:
    async def main() -> None:
        async with linked(folder) as (env, link, client):
            await scene(env, link, client)

    asyncio.run(main())


def test_connections_are_cut_and_refused(tmp_path: Path) -> None:  # L1, L2
    async def scene(env: TestEnv, link: Link, client: Client) -> None:
        await client.create(CONFIG_MAPS, named("a"))
        async with client.watch(CONFIG_MAPS, "default") as events:
            assert (await anext(events)).object.name == "a"
            assert link.cut() >= 1
            with pytest.raises(TransportError, match="broke"):
                await anext(events)
        async with link.down():
            with pytest.raises(TransportError) as raised:
                await client.list(CONFIG_MAPS)
            assert raised.value.refused
        assert len((await client.list(CONFIG_MAPS, "default")).items) == 1

    play(tmp_path, scene)


def test_connections_are_cut_at_a_byte(tmp_path: Path) -> None:  # L1
    async def scene(env: TestEnv, link: Link, client: Client) -> None:
        for answer_bytes in (0, 1, 100, 1_500):
            link.cut_after(answer_bytes)
            with pytest.raises(TransportError):
                await client.create(CONFIG_MAPS, named("a"))
            link.cut()
        link.cut_after(None)
        await client.create(CONFIG_MAPS, named("b"))

    play(tmp_path, scene)


def test_a_silent_network(tmp_path: Path) -> None:
    async def scene(env: TestEnv, link: Link, client: Client) -> None:
        await client.list(CONFIG_MAPS)
        async with link.silent():
            asked = asyncio.ensure_future(client.create(CONFIG_MAPS, named("a")))
            await env.wait_quiet()
            assert not asked.done()
        assert (await asked).name == "a"

    play(tmp_path, scene)


def test_an_operator_behind_it_goes_on(tmp_path: Path) -> None:
    class Labels:
        def __init__(self, client: Client) -> None:
            self.client = client

        async def reconcile(self, request: Request) -> Result:
            labels = {"metadata": {"labels": {"seen": "yes"}}}
            await self.client.patch(CONFIG_MAPS, request.namespace, request.name, labels)
            return DONE

    async def scene(env: TestEnv, link: Link, client: Client) -> None:
        manager = Manager(client)
        manager.controller("labels", Labels(client), for_=CONFIG_MAPS)

        def seen(value: Any) -> bool:
            return bool(value.labels.get("seen"))

        async with env.running(manager):
            await env.client().create(CONFIG_MAPS, named("a"))
            await env.wait_for_object(CONFIG_MAPS, "default", "a", seen)
            link.cut()
            await env.client().create(CONFIG_MAPS, named("b"))
            await env.wait_for_object(CONFIG_MAPS, "default", "b", seen)

    play(tmp_path, scene)


@pytest.mark.e2e
def test_kubectl_behind_it(kubectl_path: Path, tmp_path: Path) -> None:
    async def scene(env: TestEnv, link: Link, client: Client) -> None:
        def kubectl(*arguments: str) -> "subprocess.CompletedProcess[str]":
            command = [str(kubectl_path), "--kubeconfig", str(tmp_path / "kubeconfig"), *arguments]
            return subprocess.run(command, check=False, capture_output=True, text=True)

        assert (await asyncio.to_thread(kubectl, "get", "namespaces")).returncode == 0
        async with link.down():
            refused = await asyncio.to_thread(kubectl, "get", "namespaces")
        assert refused.returncode == 1 and "refused" in refused.stderr

    play(tmp_path, scene)
