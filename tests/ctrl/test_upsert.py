"""create_or_update and create_or_patch against the API server: what is sent, and what becomes of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest

from kajitori.apimachinery.errors import BadRequest, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client
from kajitori.client.transport import RawResponse
from kajitori.ctrl import Cache, NotInCache, create_or_patch, create_or_update
from kajitori.testing import TestEnv, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")
GADGETS = Kind("example.com", "v1", "Gadget", "gadgets")
BOTH = [create_or_update, create_or_patch]
both = pytest.mark.parametrize("upsert", BOTH)
either = pytest.mark.parametrize("kind", [WIDGETS, GADGETS])


def definition(kind: Kind, **version: Any) -> JsonObject:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"kind": kind.kind, "plural": kind.plural}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {"group": kind.group, "names": names, "scope": "Namespaced", "versions": [served]},
    }


CRDS = [definition(WIDGETS, subresources={"status": {}}), definition(GADGETS)]
"""Widgets have their status apart, Gadgets have it like any other member."""


class Counted(Client):
    """A client that remembers what it sent to change something."""

    def __init__(self, client: Client) -> None:
        super().__init__(client.transport, field_manager="me")
        self.sent = list[tuple[str, Any]]()

    async def send(
        self, method: str, path_and_query: str, body: bytes | None = None, **options: Any
    ) -> RawResponse:
        if method != "GET":
            self.sent.append((method, msgspec.json.decode(body or b"null")))
        return await super().send(method, path_and_query, body, **options)

    def changes(self) -> list[tuple[str, Any]]:
        """Since the last time."""
        sent, self.sent = self.sent, []
        return sent


def scene(play: Callable[[Counted], Awaitable[None]], crds: list[JsonObject] | None = None) -> None:
    async def run() -> None:
        async with TestEnv(crds=crds or ()) as env:
            await play(Counted(env.client("me")))

    run_virtual(run())


def wanted(**members: Any) -> Callable[[Unstructured | None], Mapping[str, Any]]:
    return lambda current: {**(current or {"metadata": {"name": "a"}}), **members}


@both
def test_what_is_not_there_is_created_and_what_is_there_is_changed(upsert: Any) -> None:  # U1
    async def play(client: Counted) -> None:
        created, outcome = await upsert(client, CONFIG_MAPS, "default", "a", wanted(data={"x": "1"}))
        assert (outcome, created["data"]) == ("created", {"x": "1"})
        same, outcome = await upsert(client, CONFIG_MAPS, "default", "a", wanted(data={"x": "1"}))
        assert (outcome, same) == ("unchanged", created)
        assert [method for method, _ in client.changes()] == ["POST"]
        changed, outcome = await upsert(client, CONFIG_MAPS, "default", "a", wanted(data={"y": "2"}))
        assert (outcome, changed["data"], len(client.changes())) == ("updated", {"y": "2"}, 1)
        assert changed.uid == created.uid

    scene(play)


@both
def test_cluster_scoped_objects_need_no_namespace(upsert: Any) -> None:
    async def play(client: Counted) -> None:
        _, outcome = await upsert(client, NAMESPACES, "", "a", wanted())
        assert outcome == "created"
        _, outcome = await upsert(client, NAMESPACES, "", "a", wanted())
        assert outcome == "unchanged"

    scene(play)


@both
@either
def test_status_is_kept_whether_or_not_the_kind_has_it_apart(upsert: Any, kind: Kind) -> None:  # U2
    async def play(client: Counted) -> None:
        async def put(**members: Any) -> tuple[str, Any, Any]:
            value, outcome = await upsert(client, kind, "default", "a", wanted(**members))
            stored = await client.get(kind, "default", "a")
            assert value == stored
            return outcome, stored["spec"], stored["status"]

        assert await put(spec={"x": 1}, status={"n": 1}) == ("created", {"x": 1}, {"n": 1})
        assert await put(spec={"x": 1}, status={"n": 2}) == ("updatedStatusOnly", {"x": 1}, {"n": 2})
        assert await put(spec={"x": 2}, status={"n": 3}) == ("updatedStatus", {"x": 2}, {"n": 3})
        assert await put(spec={"x": 3}, status={"n": 3}) == ("updated", {"x": 3}, {"n": 3})
        assert await put(spec={"x": 3}, status={"n": 3}) == ("unchanged", {"x": 3}, {"n": 3})

    scene(play, CRDS)


@both
def test_the_status_of_what_is_gone_is_not_found(upsert: Any) -> None:  # U2
    async def play(client: Counted) -> None:
        await upsert(client, WIDGETS, "default", "a", wanted())
        cache = await cache_of(client, WIDGETS)
        await client.delete(WIDGETS, "default", "a")
        with pytest.raises(NotFound):
            await upsert(client, WIDGETS, "default", "a", wanted(status={"n": 1}), cache=cache)

    scene(play, CRDS)


async def cache_of(client: Client, kind: Kind) -> Cache:
    """A cache that holds what is there now, and learns nothing new."""
    cache = Cache(client, random=SeededRandom(1))
    listed = await client.list(kind)
    cache.use(kind).informer.resume(listed.items, {"": listed.resource_version})
    return cache


def test_an_update_never_overwrites_what_it_has_not_seen() -> None:  # U3
    async def play(client: Counted) -> None:
        await create_or_update(client, CONFIG_MAPS, "default", "a", wanted(data={"x": "1"}))
        cache = await cache_of(client, CONFIG_MAPS)
        await client.patch(CONFIG_MAPS, "default", "a", {"data": {"other": "1"}})

        def anew(current: Unstructured | None) -> JsonObject:
            return {"metadata": {"name": "a"}, "data": {"x": "2"}}

        for change in (anew, wanted(data={"x": "2"})):
            with pytest.raises(Conflict):
                await create_or_update(client, CONFIG_MAPS, "default", "a", change, cache=cache)

    scene(play)


def test_a_patch_leaves_others_changes_alone() -> None:  # U4
    async def play(client: Counted) -> None:
        await create_or_patch(client, CONFIG_MAPS, "default", "a", wanted(data={"x": "1", "y": "1"}))
        cache = await cache_of(client, CONFIG_MAPS)
        await client.patch(CONFIG_MAPS, "default", "a", {"data": {"other": "1"}})
        client.changes()
        changed, _ = await create_or_patch(
            client, CONFIG_MAPS, "default", "a", wanted(data={"x": "2"}), cache=cache
        )
        assert client.changes() == [("PATCH", {"data": {"x": "2", "y": None}})]
        assert changed["data"] == {"x": "2", "other": "1"}

    scene(play)


def test_a_patch_that_replaces_a_list_names_its_version() -> None:  # U4
    async def play(client: Counted) -> None:
        await create_or_patch(client, WIDGETS, "default", "a", wanted(spec={"many": [1]}))
        cache = await cache_of(client, WIDGETS)
        await client.patch(WIDGETS, "default", "a", {"spec": {"many": [1, 2]}})
        with pytest.raises(Conflict):
            await create_or_patch(client, WIDGETS, "default", "a", wanted(spec={"many": [1, 3]}), cache=cache)

    scene(play, CRDS)


class TypedWidget(msgspec.Struct, frozen=True, rename="camel"):
    """Declares less than there is."""

    __kind__ = WIDGETS
    metadata: ObjectMeta = ObjectMeta()
    size: int = 0


def test_a_patch_of_a_class_keeps_what_the_class_does_not_declare() -> None:  # U4
    def sized(current: TypedWidget | None) -> TypedWidget:
        found = current or TypedWidget(ObjectMeta(name="a"))
        return msgspec.structs.replace(found, size=3)

    async def play(client: Counted) -> None:
        await client.create(WIDGETS, {"metadata": {"name": "a"}, "colour": "red"}, namespace="default")
        typed, outcome = await create_or_patch(client, TypedWidget, "default", "a", sized)
        assert (typed.size, outcome) == (3, "updated")
        stored = await client.get(WIDGETS, "default", "a")
        assert (stored["colour"], stored["size"]) == ("red", 3)

    scene(play, CRDS)


@both
def test_a_change_may_not_rename(upsert: Any) -> None:
    async def play(client: Counted) -> None:
        with pytest.raises(ValueError, match="must keep namespace and name"):
            await upsert(client, CONFIG_MAPS, "default", "b", wanted())
        assert client.changes() == []

    scene(play)


@both
def test_a_kind_that_is_not_cached_is_not_taken_for_absent(upsert: Any) -> None:
    async def play(client: Counted) -> None:
        with pytest.raises(NotInCache):
            await upsert(
                client, CONFIG_MAPS, "default", "a", wanted(), cache=Cache(client, random=SeededRandom(1))
            )

    scene(play)


@both
def test_a_dry_run_keeps_nothing_and_strict_validation_refuses_unknown_fields(upsert: Any) -> None:
    async def play(client: Counted) -> None:
        _, outcome = await upsert(client, WIDGETS, "default", "a", wanted(status={"n": 1}), dry_run=True)
        assert outcome == "created"
        with pytest.raises(NotFound):
            await client.get(WIDGETS, "default", "a")
        with pytest.raises(BadRequest, match="unknown field"):
            await upsert(client, CONFIG_MAPS, "default", "a", wanted(datum={}), field_validation="Strict")

    scene(play, CRDS)
