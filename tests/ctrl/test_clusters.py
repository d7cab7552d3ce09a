"""Controllers of several clusters: names, caches and writes of each, clusters that come, go and are away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.ctrl.test_watching import CONFIG_MAPS, SECRETS, Seen, named

from kajitori.apimachinery.kind import Kind
from kajitori.client import Client
from kajitori.ctrl import (
    DONE,
    CacheOptions,
    Channel,
    LeaderElection,
    Manager,
    NotEngaged,
    Request,
    Result,
    Timer,
    Watch,
    all_in,
    as_reconciler,
)
from kajitori.testing import Faults, Late, TestEnv, VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

EVENTS = Kind("", "v1", "Event", "events")


@dataclass
class World:
    manager: Manager
    clients: dict[str, Client]
    """Of the clusters "", "east" and "west", none of them engaged."""
    members: dict[str, Client]
    """The same, where `faults` strike."""
    faults: dict[str, Faults]


def new_manager(client: Client, **options: Any) -> Manager:
    return Manager(client, clock=VirtualClock(), random=SeededRandom(1), **options)


def scenario(body: Callable[[World], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            envs = {
                name: TestEnv(clock=VirtualClock(), random=SeededRandom(0)) for name in ("", "east", "west")
            }
            for env in envs.values():
                await stack.enter_async_context(env)
            members = {name: env.client("me") for name, env in envs.items()}
            world = World(
                new_manager(members[""], **options),
                {name: env.client() for name, env in envs.items()},
                members,
                {name: env.faults for name, env in envs.items()},
            )
            await body(world)

    run_virtual(run())


@asynccontextmanager
async def running(manager: Manager) -> AsyncIterator[None]:
    task = asyncio.create_task(manager.run())
    await asyncio.sleep(1)
    try:
        yield
    finally:
        manager.stop()
        await task


async def create_everywhere(world: World, name: str) -> None:
    for client in world.clients.values():
        await client.create(SECRETS, named(name))


@pytest.mark.parametrize(
    ("scope", "seen_in"),
    [("own", [""]), ("engaged", ["east", "west"]), ("all", ["", "east", "west"])],
)
def test_a_controller_watches_where_it_says(scope: Any, seen_in: list[str]) -> None:  # K1, M6
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()
        await create_everywhere(world, "before")
        manager.engage("east", world.members["east"])
        manager.controller("c", seen, for_=SECRETS, clusters=scope)
        async with running(manager):
            manager.engage("west", world.members["west"])
            await asyncio.sleep(1)
            assert seen.take() == sorted(str(Request("default", "before", name)) for name in seen_in)
            await create_everywhere(world, "after")
            await asyncio.sleep(1)
            assert seen.take() == sorted(str(Request("default", "after", name)) for name in seen_in)
            assert [
                bool(each.cache.informers()) for each in (manager.cluster(), *manager.clusters.engaged())
            ] == [name in seen_in for name in ("", "east", "west")]

    scenario(body)


class Marker:
    """Makes a ConfigMap for every Secret, in the same cluster."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.collisions = 0

    async def reconcile(self, request: Request) -> Result:
        cluster = self.manager.cluster(request.cluster)
        if cluster.cache.get(SECRETS, request.namespace, request.name) is None:
            return DONE
        if cluster.cache.get(CONFIG_MAPS, request.namespace, request.name) is None:
            made = await cluster.client.create(
                CONFIG_MAPS, named(request.name, labels={"in": request.cluster or "own"})
            )
            cluster.events.event(made, "Normal", "Marked", "made a ConfigMap")
            return Result(0.000001)
        return DONE


def test_a_reconcile_reads_and_writes_its_cluster_and_reads_its_writes() -> None:  # K1, P4
    async def body(world: World) -> None:
        manager = world.manager
        controller = manager.controller(
            "c", Marker(manager), for_=SECRETS, owns=[CONFIG_MAPS], clusters="all", workers=4
        )
        for name in ("east", "west"):
            manager.engage(name, world.members[name])
        await create_everywhere(world, "a")
        for name in world.clients:
            world.faults[name].always("watch", CONFIG_MAPS, Late(0.1))
        async with running(manager):
            figures = controller.figures
            assert figures.error == 0 and figures.parked == 3 and figures.parked_in_vain == 0
        for name, client in world.clients.items():
            assert (await client.get(CONFIG_MAPS, "default", "a")).labels == {"in": name or "own"}
            events = await client.list(EVENTS, "default")
            assert [each["reason"] for each in events] == ["Marked"]

    scenario(body)


def test_what_is_written_elsewhere_is_waited_for_too() -> None:  # P4
    async def body(world: World) -> None:
        manager = world.manager
        states = list[str]()

        class Spreads:
            async def reconcile(self, request: Request) -> Result:
                for each in manager.clusters.engaged():
                    if each.cache.get(CONFIG_MAPS, "default", request.name) is None:
                        await each.client.create(CONFIG_MAPS, named(request.name))
                states.append("reconciled")
                return DONE

        watch = Watch(
            CONFIG_MAPS,
            lambda value: [Request("default", value.name)],
            clusters="engaged",
            to_own_cluster=True,
        )
        controller = manager.controller("c", Spreads(), for_=SECRETS, watches=[watch])
        for name in ("east", "west"):
            manager.engage(name, world.members[name])
        for name, seconds in (("east", 0.1), ("west", 0.2)):
            world.faults[name].always("watch", CONFIG_MAPS, Late(seconds))
        async with running(manager):
            del states[:]
            await world.clients[""].create(SECRETS, named("a"))
            await asyncio.sleep(1)
            # Once for the Secret, once when both ConfigMaps have been seen.
            assert (
                len(states) == 2 and controller.figures.parked == 1 and not controller.figures.parked_in_vain
            )
            trace = controller.explain(Request("default", "a")).traces[0]
            assert {cause.object for cause in trace.causes} == {"default/a in east", "default/a in west"}

    scenario(body)


def test_a_cluster_that_is_away_delays_no_other_and_comes_later(
    caplog: pytest.LogCaptureFixture,
) -> None:  # K2, V6
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()
        await create_everywhere(world, "a")
        outage = contextlib.ExitStack()
        outage.enter_context(world.faults["west"].outage())
        manager.engage("west", world.members["west"])
        manager.engage("east", world.members["east"])
        manager.controller("c", seen, for_=SECRETS, clusters="all")
        async with running(manager):
            assert seen.take() == ["default/a", "default/a in east"]
            await asyncio.sleep(200)
            (warning,) = [each for each in caplog.records if "could not be listed in time" in each.message]
            assert warning.__dict__["cluster"] == "west" and warning.__dict__["kinds"] == "Secret.v1"
            outage.close()
            await asyncio.sleep(120)
            assert seen.take() == ["default/a in west"]

    scenario(body)


def test_what_is_reconciled_in_a_cluster_is_cut_short_when_it_is_disengaged() -> None:  # K3, H2
    async def body(world: World) -> None:
        manager = world.manager
        ended = list[str]()

        class Slow:
            async def reconcile(self, request: Request) -> Result:
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    ended.append(f"{request} cut short")
                    raise
                ended.append(str(request))
                return DONE

        manager.engage("east", world.members["east"])
        for name in ("", "east"):
            await world.clients[name].create(SECRETS, named("a"))
            await world.clients[name].create(SECRETS, named("b"))
        controller = manager.controller("c", Slow(), for_=SECRETS, clusters="all", workers=3)
        async with running(manager):
            east = manager.cluster("east")
            manager.disengage("east")
            manager.disengage("east")
            await asyncio.sleep(1)
            assert len(ended) == 1 and "in east cut short" in ended[0]
            assert not east.cache.informers() and not manager.clusters.engaged()
            await asyncio.sleep(300)
            assert sorted(ended[1:]) == ["default/a", "default/b"]
            for name in ("a", "b"):
                (trace,) = controller.explain(Request("default", name, "east")).traces
                assert trace.outcome == "cluster gone" and not trace.requeue_seconds
            assert controller.figures.error == 0
            with pytest.raises(NotEngaged, match="cluster 'east' is not engaged; engaged are none"):
                manager.cluster("east")

    scenario(body)


def test_a_cluster_may_come_again_under_its_name() -> None:  # K3
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()
        manager.controller("c", seen, for_=SECRETS, clusters="engaged")
        await create_everywhere(world, "a")
        async with running(manager):
            for which in ("east", "west", "east"):
                manager.engage("spare", world.members[which])
                await asyncio.sleep(1)
                assert seen.take() == ["default/a in spare"]
                manager.disengage("spare")

    scenario(body)


def test_a_failure_of_a_cluster_that_is_gone_is_not_tried_again() -> None:  # K3
    async def body(world: World) -> None:
        manager = world.manager

        class Fails:
            async def reconcile(self, request: Request) -> Result:
                manager.disengage("east")
                raise OSError("no route to host")

        await world.clients["east"].create(SECRETS, named("a"))
        manager.engage("east", world.members["east"])
        controller = manager.controller("c", Fails(), for_=SECRETS, clusters="engaged")
        async with running(manager):
            await asyncio.sleep(100)
            assert controller.figures.error == 0 and not len(controller.queue)

    scenario(body)


def test_caches_of_clusters_are_configured_like_the_managers_own() -> None:  # K1
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()
        manager.cache.configure(SECRETS, CacheOptions(labels="app=x"))
        manager.engage("east", world.members["east"])
        await world.clients["east"].create(SECRETS, named("a", labels={"app": "x"}))
        await world.clients["east"].create(SECRETS, named("b"))
        manager.controller("c", seen, for_=SECRETS, clusters="engaged")
        manager.cache.add_index(SECRETS, "app", lambda value: [value.labels["app"]])
        async with running(manager):
            assert seen.take() == ["default/a in east"]
            manager.cache.add_index(SECRETS, "name", lambda value: [value.name])
            for index in (("app", "x"), ("name", "a")):
                assert [each.name for each in manager.cluster("east").cache.list(SECRETS, index=index)] == [
                    "a"
                ]

    scenario(body)


def test_names_of_clusters() -> None:  # K4
    async def body(world: World) -> None:
        manager = world.manager
        with pytest.raises(ValueError, match="give it one"):
            manager.engage("", world.members["east"])
        manager.engage("east", world.members["east"])
        with pytest.raises(ValueError, match="'east' is engaged already"):
            manager.engage("east", world.members["east"])
        assert manager.cluster().client is manager.client and manager.cluster("east").name == "east"
        with pytest.raises(NotEngaged, match="engaged are east"):
            manager.cluster("nowhere")

    scenario(body)


def test_a_provider_says_which_clusters_there_are() -> None:
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()

        class Provider:
            async def run(self, manager: Manager, /) -> None:
                await asyncio.sleep(5)
                manager.engage("east", world.members["east"])
                await asyncio.sleep(5)
                manager.disengage("east")

        await create_everywhere(world, "a")
        manager.discover(Provider())
        manager.controller("c", seen, for_=SECRETS, clusters="engaged")
        async with running(manager):
            assert not seen.take()
            await asyncio.sleep(5)
            assert seen.take() == ["default/a in east"]
            await asyncio.sleep(5)
            assert not manager.clusters.engaged()

    scenario(body)


def test_reconcilers_of_objects_get_them_from_the_cluster_of_the_request() -> None:  # J1, J3
    async def body(world: World) -> None:
        manager = world.manager
        got = list[str]()

        class Objects:
            async def reconcile(self, value: Any, /) -> Result:
                got.append(value.labels["at"])
                try:
                    await asyncio.sleep(100)
                finally:
                    got.append(f"{value.labels['at']} ended")
                return DONE

        for name, client in world.clients.items():
            await client.create(SECRETS, named("a", labels={"at": name or "own"}))
        manager.engage("east", world.members["east"])
        manager.controller(
            "c", as_reconciler(manager.clusters, SECRETS, Objects()), for_=SECRETS, clusters="all", workers=2
        )
        async with running(manager):
            assert sorted(got) == ["east", "own"]
            await world.clients["east"].delete(SECRETS, "default", "a")
            await asyncio.sleep(1)
            assert got[2:] == ["east ended"]

    scenario(body)


def test_timers_over_all_clusters_and_channels_to_one() -> None:
    async def body(world: World) -> None:
        manager, seen = world.manager, Seen()
        await create_everywhere(world, "a")
        channel: Channel = Channel()
        manager.engage("east", world.members["east"])
        manager.controller(
            "c",
            seen,
            for_=SECRETS,
            clusters="engaged",
            sources=[channel, Timer(60, all_in(manager.clusters, SECRETS), jitter=0)],
        )
        async with running(manager):
            assert seen.take() == ["default/a in east"]
            channel.put(Request("default", "other", "east"))
            channel.put(Request("default", "other", "nowhere"))
            await asyncio.sleep(1)
            assert seen.take() == ["default/other in east"]
            await asyncio.sleep(60)
            assert seen.take() == ["default/a in east"]

    scenario(body)


def test_who_stands_by_fills_the_caches_of_all_clusters() -> None:  # M4
    async def body(world: World) -> None:
        def candidate(number: int) -> Manager:
            return new_manager(
                world.clients[""], leader_election=LeaderElection("w", "default", identity=str(number))
            )

        first, second, seen = candidate(1), candidate(2), Seen()
        await create_everywhere(world, "a")
        second.engage("east", world.clients["east"])
        second.controller("c", seen, for_=SECRETS, clusters="all")
        leading = asyncio.create_task(first.run())
        await asyncio.sleep(1)
        async with running(second):
            second.engage("west", world.clients["west"])
            await asyncio.sleep(1)
            for name in ("", "east", "west"):
                assert second.cluster(name).cache.get(SECRETS, "default", "a") is not None
            assert not seen.names
            first.stop()
            await leading
            await asyncio.sleep(10)
            assert seen.take() == ["default/a", "default/a in east", "default/a in west"]

    scenario(body)
