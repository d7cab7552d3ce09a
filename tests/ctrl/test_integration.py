"""The runtime and the client against the real API server, in process and over TLS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajitori.apimachinery.errors import AlreadyExists, Conflict, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, PatchType
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl import (
    DONE,
    Manager,
    Request,
    Result,
    add_finalizer,
    controller_reference,
    remove_finalizer,
)

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
EVENTS = Kind("", "v1", "Event", "events")


def run(main: Awaitable[None], seconds: float = 20) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await main

    asyncio.run(bounded())


@asynccontextmanager
async def api() -> AsyncIterator[Cluster]:
    async with Cluster(ClusterOptions(port=0, api_only=True)) as cluster:
        yield cluster


@asynccontextmanager
async def running(manager: Manager) -> AsyncIterator[Manager]:
    task = asyncio.create_task(manager.run())
    try:
        yield manager
    finally:
        manager.stop()
        await task


async def until(holds: Callable[[], Any]) -> None:
    while not holds():  # noqa: ASYNC110 - what we wait for happens in a real server
        await asyncio.sleep(0.002)


def config_map(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


class Copier:
    """Keeps a Secret for every ConfigMap; creates without looking twice, so that stale reads would show."""

    def __init__(self, manager: Manager) -> None:
        self.client, self.cache, self.events = manager.client, manager.cache, manager.events
        self.collisions = 0
        self.reconciled = 0

    async def reconcile(self, request: Request) -> Result:
        self.reconciled += 1
        source = self.cache.get(CONFIG_MAPS, request.namespace, request.name)
        if source is None or request.name == "kube-root-ca.crt":
            return DONE
        if source.being_deleted:
            await remove_finalizer(self.client, CONFIG_MAPS, source, "example.com/copy")
            return DONE
        await add_finalizer(self.client, CONFIG_MAPS, source, "example.com/copy")
        data = {"copy": source["data"]["a"]}
        copy = self.cache.get(SECRETS, request.namespace, request.name)
        try:
            if copy is None:
                metadata = {"name": request.name, "namespace": request.namespace}
                owned = {**metadata, "ownerReferences": [controller_reference(source)]}
                await self.client.create(SECRETS, {"metadata": owned, "stringData": data})
                self.events.event(source, "Normal", "Copied", "made a Secret")
            elif copy["metadata"].get("annotations") != data:
                change = {"metadata": {"annotations": data}}
                await self.client.patch(SECRETS, request.namespace, request.name, change)
        except AlreadyExists:
            self.collisions += 1
            raise
        return DONE


def copying(client: Client) -> tuple[Manager, Copier]:
    manager = Manager(client, name="copier")
    copier = Copier(manager)
    manager.controller("copier", copier, for_=CONFIG_MAPS, owns=[SECRETS], workers=4)
    return manager, copier


def test_a_controller_follows_creations_changes_and_deletions() -> None:
    async def main() -> None:
        async with api() as cluster:
            client = cluster.client("test")
            await client.create(CONFIG_MAPS, config_map("before", a="1"))
            manager, copier = copying(cluster.client("copier"))
            async with running(manager):
                names = [f"c{number}" for number in range(30)]
                for name in names:
                    await client.create(CONFIG_MAPS, config_map(name, a="1"))

                def copied(value: str) -> bool:
                    found = {
                        each.name: each.annotations.get("copy")
                        for each in manager.cache.list(SECRETS, "default")
                    }
                    return all(found.get(name) == value for name in [*names, "before"])

                await asyncio.sleep(0.05)
                await until(lambda: copied("1"))
                await client.patch(CONFIG_MAPS, "default", "c7", {"data": {"a": "2"}})
                await until(lambda: manager.cache.get(SECRETS, "default", "c7").annotations["copy"] == "2")  # type: ignore[union-attr]
                await client.delete(CONFIG_MAPS, "default", "c7")
                await until(lambda: manager.cache.get(CONFIG_MAPS, "default", "c7") is None)
                with pytest.raises(NotFound):
                    await client.get(CONFIG_MAPS, "default", "c7")
                await manager.events.flush()
                reasons = [each["reason"] for each in await client.list(EVENTS, "default")]
                assert reasons.count("Copied") == 31
            assert copier.collisions == 0
            assert manager.controllers[0].figures.parked_in_vain == 0

    run(main())


def test_the_same_over_the_network(tmp_path: Any) -> None:
    async def main() -> None:
        async with api() as cluster:
            cluster.write_kubeconfig(tmp_path / "config")
            async with Client(
                NetworkTransport(load_config(tmp_path / "config")), field_manager="copier"
            ) as client:
                manager, _ = copying(client)
                async with running(manager):
                    await cluster.client("test").create(CONFIG_MAPS, config_map("a", a="1"))
                    use = await manager.cache.synced(SECRETS)
                    await until(lambda: manager.cache.get(SECRETS, "default", "a"))
                    use.release()

    run(main())


def test_every_verb_against_the_real_server() -> None:
    async def main() -> None:
        async with api() as cluster:
            client = cluster.client("me")
            created = await client.create(CONFIG_MAPS, config_map("a", x="1"))
            assert created["apiVersion"] == "v1" and created.uid
            with pytest.raises(AlreadyExists):
                await client.create(CONFIG_MAPS, config_map("a"))
            stale = created
            updated = await client.update(CONFIG_MAPS, {**created, "data": {"x": "2"}})
            with pytest.raises(Conflict):
                await client.update(CONFIG_MAPS, {**stale, "data": {"x": "3"}})
            await client.patch(
                CONFIG_MAPS, "default", "a", [{"op": "add", "path": "/data/y", "value": "1"}], PatchType.JSON
            )
            await client.patch(
                CONFIG_MAPS, "default", "a", {"data": {"y": None, "z": "1"}}, PatchType.STRATEGIC
            )
            assert (await client.get(CONFIG_MAPS, "default", "a"))["data"] == {"x": "2", "z": "1"}
            with pytest.raises(Conflict, match="me"):
                await client.apply(CONFIG_MAPS, config_map("a", x="9"), field_manager="other")
            applied = await client.apply(
                CONFIG_MAPS, config_map("a", x="9"), field_manager="other", force=True
            )
            assert applied["data"]["x"] == "9"
            dry = await client.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "0"}}, dry_run=True)
            assert dry["data"]["x"] == "0"
            assert (await client.get(CONFIG_MAPS, "default", "a"))["data"]["x"] == "9"
            metadata = await client.get(CONFIG_MAPS, "default", "a", metadata_only=True)
            assert metadata["kind"] == "PartialObjectMetadata" and "data" not in metadata
            with pytest.raises(Conflict):
                await client.delete(CONFIG_MAPS, "default", "a", resource_version=updated.resource_version)
            await client.delete(CONFIG_MAPS, "default", "a", uid=created.uid)
            await client.create(
                CONFIG_MAPS,
                {**config_map("b"), "metadata": {"name": "b", "labels": {"x": "y"}}},
                namespace="default",
            )
            await client.delete_collection(CONFIG_MAPS, "default", labels="x=y")
            assert not list(await client.list(CONFIG_MAPS, "default", labels="x=y"))

    run(main())


def test_pages_hold_every_object_once() -> None:
    async def main() -> None:
        async with api() as cluster:
            client = cluster.client("me")
            for number in range(25):
                await client.create(CONFIG_MAPS, config_map(f"c{number:02}"))
            pages = [
                [each.name for each in page if each.name.startswith("c")]
                async for page in client.list_pages(CONFIG_MAPS, "default", limit=10)
            ]
            assert [name for page in pages for name in page] == [f"c{number:02}" for number in range(25)]

    run(main())
