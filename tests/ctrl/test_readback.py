"""Own writes are read back: whatever was written, its name is parked until the caches show it, and no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import ApiError, Client, TransportError
from kajitori.client.writes import WriteLog, current_writes
from kajitori.ctrl import Cache, CacheOptions
from kajitori.ctrl.readback import PARKED_SECONDS_MAX, park
from kajitori.testing import NoAnswer, Reset, TestEnv, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
PODS = Kind("", "v1", "Pod", "pods")
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments")
ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")

POD = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
LABELS = {"app": "a"}
DEPLOYMENT = {
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": POD["spec"]},
    }
}


def named(name: str, value: JsonObject | None = None, **metadata: Any) -> JsonObject:
    return {**(value or {}), "metadata": {"name": name, "namespace": "default", **metadata}}


class World:
    """A server, its cache of some kinds, and one who writes."""

    def __init__(self, env: TestEnv, cache: Cache) -> None:
        self.env = env
        self.cache = cache
        self.client = env.client("me")
        self.test = env.client()

    async def after(self, *writes: Callable[[Client], Awaitable[Any]], shown: Callable[[], object]) -> float:
        """How long a name is parked when the watches lag by a second; what was written is shown then, not before."""
        log = WriteLog()
        token = current_writes.set(log)
        loop = asyncio.get_running_loop()
        let_go: asyncio.Future[bool] = loop.create_future()
        with self.env.faults.hold_watches(client="me"):
            try:
                for write in writes:
                    await write(self.client)
            except (ApiError, TransportError):
                pass
            finally:
                current_writes.reset(token)
            began = loop.time()
            parking = park(self.cache, log, let_go.set_result)
            if parking is not None:
                assert not shown()
                await asyncio.sleep(1)
                assert not let_go.done()
        if parking is None:
            return 0.0
        caught_up = await let_go
        waited = loop.time() - began
        assert caught_up == (waited < PARKED_SECONDS_MAX)
        if caught_up:
            assert shown()
        return waited


def world(play: Callable[[World], Awaitable[None]], *kinds: Kind, **options: CacheOptions) -> None:
    async def run() -> None:
        async with TestEnv(random=SeededRandom(0)) as env:
            cache = Cache(env.client("me"), random=SeededRandom(1))
            for kind in kinds:
                cache.configure(kind, options.get(kind.plural, CacheOptions()))
            task = asyncio.create_task(cache.run())
            try:
                for kind in kinds:
                    await cache.synced(kind)
                await play(World(env, cache))
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    run_virtual(run())


async def stored(world: World, kind: Kind, value: JsonObject) -> None:
    """Puts an object there that the cache knows."""
    made = await world.test.create(kind, value)
    async with asyncio.timeout(10):
        while world.cache.get(kind, made.namespace, made.name) is None:  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(0.1)


SEEN = pytest.approx(1.0, abs=0.5)
"""Let go as soon as the watches tell."""


def test_creations_and_changes() -> None:  # B1
    async def play(world: World) -> None:
        def get(name: str) -> Any:
            return world.cache.get(CONFIG_MAPS, "default", name)

        def has(name: str, text: str) -> Callable[[], object]:
            return lambda: (get(name) or {}).get("data") == {"x": text}

        def create(client: Client) -> Any:
            return client.create(CONFIG_MAPS, named("a", {"data": {"x": "1"}}))

        assert await world.after(create, shown=has("a", "1")) == SEEN
        whole = named("a", {"data": {"x": "2"}})
        assert await world.after(lambda c: c.update(CONFIG_MAPS, whole), shown=has("a", "2")) == SEEN
        patch = {"data": {"x": "3"}}
        assert (
            await world.after(lambda c: c.patch(CONFIG_MAPS, "default", "a", patch), shown=has("a", "3"))
            == SEEN
        )
        whole = named("b", {"data": {"x": "4"}})
        assert await world.after(lambda c: c.apply(CONFIG_MAPS, whole), shown=has("b", "4")) == SEEN
        anonymous = {"metadata": {"generateName": "made-", "namespace": "default"}}
        assert (
            await world.after(
                lambda c: c.create(CONFIG_MAPS, anonymous),
                shown=lambda: any(each.name.startswith("made-") for each in world.cache.list(CONFIG_MAPS)),
            )
            == SEEN
        )

    world(play, CONFIG_MAPS)


def test_deletions() -> None:  # B1
    async def play(world: World) -> None:
        def gone(name: str) -> Callable[[], object]:
            return lambda: world.cache.get(CONFIG_MAPS, "default", name) is None

        def going(name: str) -> Callable[[], object]:
            return lambda: getattr(world.cache.get(CONFIG_MAPS, "default", name), "being_deleted", False)

        await stored(world, CONFIG_MAPS, named("plain"))
        await stored(world, CONFIG_MAPS, named("held", finalizers=["example.com/x"]))
        assert (
            await world.after(lambda c: c.delete(CONFIG_MAPS, "default", "plain"), shown=gone("plain"))
            == SEEN
        )
        assert (
            await world.after(lambda c: c.delete(CONFIG_MAPS, "default", "held"), shown=going("held")) == SEEN
        )

    world(play, CONFIG_MAPS)


def test_deletions_of_collections() -> None:  # B1
    async def play(world: World) -> None:
        await stored(world, CONFIG_MAPS, named("plain"))
        await stored(world, CONFIG_MAPS, named("held", finalizers=["example.com/x"]))

        def shown() -> bool:
            held = world.cache.get(CONFIG_MAPS, "default", "held")
            return world.cache.get(CONFIG_MAPS, "default", "plain") is None and bool(
                held and held.being_deleted
            )

        assert await world.after(lambda c: c.delete_collection(CONFIG_MAPS, "default"), shown=shown) == SEEN
        assert await world.after(lambda c: c.delete_collection(CONFIG_MAPS, "default"), shown=shown) == 0

    world(play, CONFIG_MAPS)


def test_subresources_write_their_parents() -> None:  # B1
    async def play(world: World) -> None:
        for name in ("bound", "evicted"):
            await stored(world, PODS, named(name, POD))
        await stored(world, DEPLOYMENTS, named("d", DEPLOYMENT))

        def pod(name: str) -> Any:
            return world.cache.get(PODS, "default", name)

        scale = {"spec": {"replicas": 3}}
        assert (
            await world.after(
                lambda c: c.subresource(DEPLOYMENTS, "default", "d", "scale").patch(scale),
                shown=lambda: world.cache.list(DEPLOYMENTS)[0]["spec"]["replicas"] == 3,
            )
            == SEEN
        )
        binding = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "n1"}}
        assert (
            await world.after(
                lambda c: c.subresource(PODS, "default", "bound", "binding").create(named("bound", binding)),
                shown=lambda: pod("bound")["spec"].get("nodeName") == "n1",
            )
            == SEEN
        )
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction"}
        assert (
            await world.after(
                lambda c: c.subresource(PODS, "default", "evicted", "eviction").create(
                    named("evicted", eviction)
                ),
                shown=lambda: pod("evicted") is None,
            )
            == SEEN
        )
        status = {"status": {"replicas": 3}}
        assert (
            await world.after(
                lambda c: c.patch(DEPLOYMENTS, "default", "d", status, subresource="status"),
                shown=lambda: world.cache.list(DEPLOYMENTS)[0].get("status", {}).get("replicas") == 3,
            )
            == SEEN
        )

    world(play, PODS, DEPLOYMENTS)


def test_what_changes_nothing_or_nothing_that_is_cached_parks_nothing() -> None:  # B3
    async def play(world: World) -> None:
        async def token(client: Client) -> None:
            await world.test.create(ACCOUNTS, named("robot"))
            request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            await client.subresource(ACCOUNTS, "default", "robot", "token").create(request)

        await stored(world, CONFIG_MAPS, named("a"))
        dry = world.client.with_options(dry_run=True)
        for write in (
            lambda c: c.create(SECRETS, named("s")),
            lambda c: c.create(CONFIG_MAPS, named("dry"), dry_run=True),
            lambda c: c.delete(CONFIG_MAPS, "default", "a", dry_run=True),
            lambda c: dry.delete_collection(CONFIG_MAPS, "default"),
            lambda c: c.patch(CONFIG_MAPS, "default", "absent", {}),
            token,
        ):
            assert await world.after(write, shown=lambda: False) == 0

    world(play, CONFIG_MAPS)


def test_writes_of_several_tasks_and_kinds_are_waited_for_together() -> None:  # B1
    async def play(world: World) -> None:
        async def write(client: Client) -> None:
            async with asyncio.TaskGroup() as group:
                for kind in (CONFIG_MAPS, SECRETS, ACCOUNTS):
                    group.create_task(client.create(kind, named("a")))

        def shown() -> bool:
            return all(world.cache.get(kind, "default", "a") for kind in (CONFIG_MAPS, SECRETS))

        assert await world.after(write, shown=shown) == SEEN

    world(play, CONFIG_MAPS, SECRETS)


def test_what_leaves_a_selection_by_being_written_is_waited_for() -> None:  # B3
    async def play(world: World) -> None:
        def get(name: str) -> Any:
            return world.cache.get(CONFIG_MAPS, "default", name)

        await stored(world, CONFIG_MAPS, named("in", labels={"color": "red"}))
        await world.test.create(CONFIG_MAPS, named("out"))
        blue = {"metadata": {"labels": {"color": "blue"}}}
        assert (
            await world.after(
                lambda c: c.patch(CONFIG_MAPS, "default", "in", blue), shown=lambda: get("in") is None
            )
            == SEEN
        )
        assert (
            await world.after(lambda c: c.patch(CONFIG_MAPS, "default", "out", blue), shown=lambda: False)
            == 0
        )
        red = {"metadata": {"labels": {"color": "red"}}}
        assert (
            await world.after(lambda c: c.patch(CONFIG_MAPS, "default", "out", red), shown=lambda: get("out"))
            == SEEN
        )

    world(play, CONFIG_MAPS, configmaps=CacheOptions(labels="color=red"))


def test_other_namespaces_are_not_waited_for_and_those_watched_each_by_itself() -> None:  # B3
    async def play(world: World) -> None:
        namespaces = Kind("", "v1", "Namespace", "namespaces", False)
        await world.test.create(namespaces, {"metadata": {"name": "other"}})
        assert (
            await world.after(
                lambda c: c.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, namespace="other"),
                shown=lambda: False,
            )
            == 0
        )
        assert (
            await world.after(
                lambda c: c.create(CONFIG_MAPS, named("a")),
                shown=lambda: world.cache.get(CONFIG_MAPS, "default", "a"),
            )
            == SEEN
        )

    world(play, CONFIG_MAPS, configmaps=CacheOptions(["default", "kube-system"]))


def test_what_other_shards_see_is_not_waited_for() -> None:  # B3
    async def play(world: World) -> None:
        waited = list[float]()
        for number in range(12):
            name = f"a{number}"
            waited.append(
                await world.after(
                    lambda c, name=name: c.create(CONFIG_MAPS, named(name)),  # type: ignore[misc]
                    shown=lambda name=name: world.cache.get(CONFIG_MAPS, "default", name),  # type: ignore[misc]
                )
            )
        assert all(each == 0 or each == SEEN for each in waited)
        assert 2 < sum(each == 0 for each in waited) < 10

    lower = "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')"
    world(play, CONFIG_MAPS, configmaps=CacheOptions(shards=lower))


@pytest.mark.parametrize("fault", [Reset(acted=True), NoAnswer(acted=True)])
def test_a_write_whose_answer_is_lost_is_seen_with_the_next_news(fault: Any) -> None:  # B4
    async def play(world: World) -> None:
        await stored(world, CONFIG_MAPS, named("a"))

        def get(name: str) -> Any:
            return world.cache.get(CONFIG_MAPS, "default", name)

        patch = {"data": {"x": "1"}}
        world.env.faults.next("patch", CONFIG_MAPS, fault, client="me")
        assert (
            await world.after(
                lambda c: c.patch(CONFIG_MAPS, "default", "a", patch), shown=lambda: get("a").get("data")
            )
            == SEEN
        )
        world.env.faults.next("create", CONFIG_MAPS, fault, client="me")
        assert await world.after(lambda c: c.create(CONFIG_MAPS, named("b")), shown=lambda: get("b")) == SEEN
        world.env.faults.next("delete", CONFIG_MAPS, fault, client="me")
        assert (
            await world.after(lambda c: c.delete(CONFIG_MAPS, "default", "b"), shown=lambda: get("b") is None)
            == SEEN
        )

    world(play, CONFIG_MAPS)


def test_a_write_that_nobody_acted_on_is_waited_for_in_vain_and_no_longer() -> None:  # B2, B4
    async def play(world: World) -> None:
        world.env.faults.next("create", CONFIG_MAPS, Reset(acted=False), client="me")
        waited = await world.after(lambda c: c.create(CONFIG_MAPS, named("b")), shown=lambda: False)
        assert waited == pytest.approx(PARKED_SECONDS_MAX)

    world(play, CONFIG_MAPS)
