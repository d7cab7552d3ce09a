"""Ownership migrated on a real API server, with others writing in between."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from tests.apiserver.support import Api, served

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client, RawResponse, Transport
from kajitori.client.ownership import CONFLICTS_MAX, Owners, migrate_ownership

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CSA = "kubectl-client-side-apply"
KEY = ("default", "a")


class Meddler:
    """A transport on which somebody else writes before a JSON patch arrives, so many times."""

    def __init__(self, transport: Transport, times: int = 0) -> None:
        self._transport = transport
        self._times = times
        self.asked: list[str] = []
        self.stream = transport.stream
        self.close = transport.close

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> RawResponse:
        self.asked.append(method)
        if "json-patch" in headers.get("content-type", "") and self._times:
            self._times -= 1
            other = Client(self._transport, field_manager="other")
            await other.patch(CONFIG_MAPS, *KEY, {"data": {"other": str(self._times)}})
        return await self._transport.request(method, path, headers, body, timeout)


async def applied(api: Api, *, manager: str = CSA, annotated: bool = False) -> Client:
    """A client, and an object that was applied from the client."""
    client = Client(api.transport)
    metadata: dict[str, Any] = {"name": "a"}
    if annotated:
        metadata["annotations"] = {LAST_APPLIED: "{}\n"}
    await client.create(
        CONFIG_MAPS,
        {"metadata": metadata, "data": {"one": "1", "two": "2"}},
        namespace="default",
        field_manager=manager,
    )
    return client


async def owners(client: Client) -> dict[str, Any]:
    found = await client.get(CONFIG_MAPS, *KEY)
    return {
        f"{each['manager']} {each['operation']}": each["fieldsV1"]
        for each in found["metadata"]["managedFields"]
    }


async def apply_one(client: Client, manager: str = "kubectl") -> Mapping[str, Any]:
    one = {"metadata": {"name": "a", "namespace": "default"}, "data": {"one": "1"}}
    found: Mapping[str, Any] = await client.apply(CONFIG_MAPS, one, field_manager=manager)
    return found


@served
async def test_what_is_no_longer_applied_goes(api: Api) -> None:
    client = await applied(api)
    assert (await apply_one(client, "before"))["data"] == {"one": "1", "two": "2"}
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY)
    assert migration.is_needed
    assert (await apply_one(client))["data"] == {"one": "1"}


@served
async def test_nothing_but_ownership_changes(api: Api) -> None:  # M1
    client = await applied(api)
    before = await client.get(CONFIG_MAPS, *KEY)
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY)
    after = await client.get(CONFIG_MAPS, *KEY)
    assert after.resource_version == migration.resource_version != before.resource_version
    assert after["data"] == before["data"]
    differing = {
        name
        for name in {*before["metadata"], *after["metadata"]}
        if before["metadata"].get(name) != after["metadata"].get(name)
    }
    assert differing == {"managedFields", "resourceVersion"}
    assert await owners(client) == {"kubectl Apply": {"f:data": {".": {}, "f:one": {}, "f:two": {}}}}


@served
async def test_who_is_faster_keeps_what_it_wrote(api: Api) -> None:  # M2
    await applied(api)
    meddler = Meddler(api.transport, CONFLICTS_MAX - 1)
    client = Client(meddler)
    await migrate_ownership(client, CONFIG_MAPS, *KEY)
    assert list(await owners(client)) == ["kubectl Apply", "other Update"]
    assert (await client.get(CONFIG_MAPS, *KEY))["data"] == {"one": "1", "two": "2", "other": "0"}


@served
async def test_who_is_always_faster_wins(api: Api) -> None:  # M2
    await applied(api)
    with pytest.raises(Conflict, match="the object has been modified"):
        await migrate_ownership(Client(Meddler(api.transport, CONFLICTS_MAX)), CONFIG_MAPS, *KEY)
    assert f"{CSA} Update" in await owners(Client(api.transport))


@served
async def test_kubectl_keeps_its_annotation(api: Api) -> None:  # M3
    client = await applied(api, annotated=True)
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY)
    assert migration.keeps_last_applied
    assert (await owners(client))["kubectl-last-applied Apply"] == {
        "f:metadata": {"f:annotations": {f"f:{LAST_APPLIED}": {}}}
    }
    assert LAST_APPLIED in (await apply_one(client))["metadata"]["annotations"]


@served
async def test_another_applier_drops_the_annotation(api: Api) -> None:  # M3
    client = await applied(api, annotated=True)
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY, Owners(applier="argo"))
    assert not migration.keeps_last_applied
    found = await apply_one(client, "argo")
    assert (found["data"], found["metadata"].get("annotations")) == ({"one": "1"}, None)


@served
async def test_a_dry_run_leaves_everything(api: Api) -> None:
    client = await applied(api, annotated=True)
    before = await client.get(CONFIG_MAPS, *KEY)
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY, dry_run=True)
    assert migration.is_needed and migration.keeps_last_applied
    assert msgspec.json.encode(await client.get(CONFIG_MAPS, *KEY)) == msgspec.json.encode(before)


@served
async def test_what_is_migrated_asks_for_no_write(api: Api) -> None:  # M4
    client = await applied(api)
    await migrate_ownership(client, CONFIG_MAPS, *KEY)
    meddler = Meddler(api.transport)
    assert not (await migrate_ownership(Client(meddler), CONFIG_MAPS, *KEY)).is_needed
    assert meddler.asked == ["GET"]
    seen = await client.get(CONFIG_MAPS, *KEY, metadata_only=True)
    await migrate_ownership(Client(meddler), CONFIG_MAPS, *KEY, seen=seen)
    assert meddler.asked == ["GET"]


@served
async def test_what_was_seen_long_ago_is_looked_at_again(api: Api) -> None:  # M2
    client = await applied(api)
    seen = await client.get(CONFIG_MAPS, *KEY)
    await client.patch(CONFIG_MAPS, *KEY, {"data": {"two": "3"}}, field_manager="other")
    await migrate_ownership(client, CONFIG_MAPS, *KEY, seen=seen)
    assert (await owners(client))["other Update"] == {"f:data": {"f:two": {}}}


@served
async def test_who_else_applied_from_the_client_is_told(api: Api) -> None:
    client = await applied(api, manager="ci-tool", annotated=True)
    migration = await migrate_ownership(client, CONFIG_MAPS, *KEY)
    assert (migration.is_needed, migration.others) == (False, ("ci-tool",))


@served
async def test_what_is_not_there_cannot_be_migrated(api: Api) -> None:
    with pytest.raises(NotFound):
        await migrate_ownership(Client(api.transport), CONFIG_MAPS, *KEY)
