"""Watches of a controller: when they tell what, added and removed while it runs, functions that fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.ctrl import (
    DONE,
    LOW_PRIORITY,
    CacheSyncTimeout,
    Change,
    Manager,
    Request,
    Result,
    Watch,
    controller_reference,
    owner_reference,
    owner_requests,
)
from kajitori.testing import TestEnv, VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")


class Seen:
    """A reconciler that remembers what it was called for."""

    def __init__(self) -> None:
        self.names = list[str]()

    async def reconcile(self, request: Any) -> Result:
        self.names.append(str(request))
        return DONE

    def take(self) -> list[str]:
        """What was seen since the last time."""
        names, self.names = sorted(self.names), []
        return names


def named(name: str, **metadata: Any) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default", **metadata}}


@asynccontextmanager
async def running(manager: Manager) -> AsyncIterator[None]:
    task = asyncio.create_task(manager.run())
    try:
        yield
    finally:
        manager.stop()
        await task


def scenario(body: Callable[[TestEnv, Manager, Seen], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(clock=clock, random=SeededRandom(0)) as env:
            manager = Manager(env.client("me"), clock=clock, random=SeededRandom(1))
            await body(env, manager, Seen())

    run_virtual(run())


def to(name: str) -> Callable[[Any], list[Request]]:
    return lambda value: [Request("to", f"{name}-{value['metadata']['name']}")]


def test_a_watch_is_added_to_a_controller_that_runs_and_removed() -> None:  # V2, V3
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        client = env.client()
        await client.create(SECRETS, named("before"))
        controller = manager.controller("c", seen)
        async with running(manager):
            await asyncio.sleep(1)
            assert not manager.cache.find(SECRETS)
            handle = controller.watch(Watch(SECRETS, to("s")))
            await handle.wait_synced()
            assert handle.has_synced and manager.cache.get(SECRETS, "default", "before") is not None
            await asyncio.sleep(1)
            assert seen.take() == ["to/s-before"]
            assert manager.explain("c", Request("to", "s-before")).traces[0].priority == LOW_PRIORITY
            await client.create(SECRETS, named("after"))
            await asyncio.sleep(1)
            assert seen.take() == ["to/s-after"]
            assert [each.watch.kind for each in controller.watches] == [SECRETS]
            handle.remove()
            handle.remove()
            assert not manager.cache.find(SECRETS) and not controller.watches and not handle.has_synced
            await client.create(SECRETS, named("late"))
            await asyncio.sleep(1)
            assert not seen.take()

    scenario(body)


def test_a_watch_removed_leaves_the_informer_to_those_who_use_it_too() -> None:  # V2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        other = Seen()
        first = manager.controller("c", seen).watch(Watch(SECRETS, to("s")))
        manager.controller("other", other, watches=[Watch(SECRETS, to("o"))])
        async with running(manager):
            await first.wait_synced()
            first.remove()
            await env.client().create(SECRETS, named("a"))
            await asyncio.sleep(1)
            assert not seen.take() and other.take() == ["to/o-a"]

    scenario(body)


def test_watches_may_be_added_and_removed_before_the_start_and_while_it_begins() -> None:  # V2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        await env.client().create(SECRETS, named("a"))
        controller = manager.controller("c", seen)
        kept, gone = (
            controller.watch(Watch(SECRETS, to("kept"))),
            controller.watch(Watch(SECRETS, to("gone"))),
        )
        gone.remove()
        # A kind that does not exist would keep the controller from beginning.
        missing = controller.watch(Watch(WIDGETS, to("missing")))
        waiting = asyncio.create_task(kept.wait_synced())
        async with running(manager):
            await asyncio.sleep(60)
            assert not seen.names and not waiting.done()
            late = controller.watch(Watch(SECRETS, to("late")))
            missing.remove()
            await waiting
            await late.wait_synced()
            await missing.wait_synced()
            await asyncio.sleep(1)
            assert seen.take() == ["to/kept-a", "to/late-a"]

    scenario(body)


def test_a_watch_that_cannot_be_listed_does_not_stop_a_controller_that_runs() -> None:  # V3
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        controller = manager.controller("c", seen)
        async with running(manager):
            await asyncio.sleep(1)
            handle = controller.watch(Watch(WIDGETS, to("w")))
            with pytest.raises(
                CacheSyncTimeout,
                match=r"controller c: Widget\.v1\.example\.com could not be listed within 9 s",
            ):
                await handle.wait_synced(9)
            await env.install(WIDGET_DEFINITION)
            await env.client().create(WIDGETS, named("a"))
            await handle.wait_synced()
            await asyncio.sleep(1)
            assert "to/w-a" in seen.take()

    scenario(body)


WIDGET_DEFINITION: JsonObject = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def test_a_map_function_may_read_what_its_controller_watches() -> None:  # V1
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        for number in range(3):
            await env.client().create(SECRETS, named(f"s{number}"))
            await env.client().create(CONFIG_MAPS, named(f"c{number}"))

        def all_secrets(value: Any) -> list[Request]:
            return [Request("all", each.name) for each in manager.cache.list(SECRETS)]

        controller = manager.controller(
            "c", seen, watches=[Watch(CONFIG_MAPS, all_secrets), Watch(SECRETS, to("s"))]
        )
        async with running(manager):
            await asyncio.sleep(1)
            assert set(seen.take()) == {
                f"{where}{number}" for where in ("all/s", "to/s-s") for number in range(3)
            }
            assert not controller.figures.handler_errors

    scenario(body)


def test_a_map_function_that_fails_is_asked_about_the_others(caplog: pytest.LogCaptureFixture) -> None:  # V4
    def fails_for_odd(value: Any) -> Any:
        yield Request("to", f"first-{value.name}")
        if int(value.name[1:]) % 2:
            raise KeyError("spec")
        yield Request("to", f"second-{value.name}")

    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        for number in range(10):
            await env.client().create(SECRETS, named(f"s{number}"))
        controller = manager.controller("c", seen, watches=[Watch(SECRETS, fails_for_odd)])
        async with running(manager):
            await asyncio.sleep(1)
            assert len(seen.take()) == 15
            assert controller.figures.handler_errors == 5
            told = [each for each in caplog.records if "map function failed" in each.message]
            assert [each.__dict__["errors"] for each in told] == [1, 2, 4] and "fails_for_odd" in told[
                0
            ].message
            assert told[0].__dict__["controller"] == "c" and told[0].__dict__["object"].startswith(
                "default/s"
            )
            assert (
                manager.metrics_registry().get_sample_value(
                    "controller_runtime_handler_errors_total", {"controller": "c"}
                )
                == 5
            )

    scenario(body)


@pytest.mark.parametrize("nonsense", [None, Request("a", "b"), 7, [["a list is no key"]]])
def test_a_map_function_that_gives_nonsense_has_failed(nonsense: Any) -> None:  # V4
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        await env.client().create(SECRETS, named("a"))
        controller = manager.controller("c", seen, watches=[Watch(SECRETS, lambda value: nonsense)])
        async with running(manager):
            await asyncio.sleep(1)
            assert not seen.names and controller.figures.handler_errors == 1

    scenario(body)


def test_a_predicate_that_fails_lets_the_change_through() -> None:  # V4
    def broken(change: Change) -> bool:
        raise AttributeError("generation")

    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        await env.client().create(SECRETS, named("a"))
        watch = Watch(SECRETS, to("s"), [broken, lambda change: change.object.name == "a"])
        controller = manager.controller("c", seen, watches=[watch])
        async with running(manager):
            await env.client().create(SECRETS, named("b"))
            await asyncio.sleep(1)
            assert seen.take() == ["to/s-a"] and controller.figures.handler_errors == 2

    scenario(body)


def test_an_asynchronous_map_function_is_refused_where_it_is_declared() -> None:
    async def later(value: Any) -> list[Request]:
        return []

    with pytest.raises(TypeError, match=r"a watch of Secret\.v1: .*later is asynchronous"):
        Watch(SECRETS, later)  # type: ignore[arg-type]


def test_what_is_no_kind_is_refused_and_leaves_nothing_behind() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        controller = manager.controller("c", seen)
        async with running(manager):
            await asyncio.sleep(1)
            with pytest.raises(TypeError):
                controller.watch(Watch(int, to("x")))
            assert not controller.watches and not manager.cache.informers()

    scenario(body)


def test_an_index_function_that_fails_is_told_and_the_informer_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        def by_owner(value: Any) -> list[str]:
            return [value["metadata"]["annotations"]["owner"]]

        manager.cache.add_index(SECRETS, "owner", by_owner)
        manager.controller("c", seen, watches=[Watch(SECRETS, to("s"))])
        async with running(manager):
            await env.client().create(SECRETS, named("a"))
            await asyncio.sleep(10)
            assert "an index function failed" in caplog.text and "by_owner" in caplog.text
            assert "to/s-a" in seen.take()

    scenario(body)


def test_owners_wake_by_every_reference_where_that_is_asked_for() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        client = env.client()
        mine, other = [await client.create(CONFIG_MAPS, named(name)) for name in ("controls", "owns")]
        references = [controller_reference(mine), owner_reference(other)]
        every = Seen()
        manager.controller("controllers", seen, watches=[Watch(SECRETS, owner_requests(CONFIG_MAPS))])
        manager.controller(
            "owners", every, watches=[Watch(SECRETS, owner_requests(CONFIG_MAPS, any_owner=True))]
        )
        async with running(manager):
            await client.create(SECRETS, named("child", ownerReferences=references))
            await asyncio.sleep(1)
            assert seen.take() == ["default/controls"]
            assert every.take() == ["default/controls", "default/owns"]

    scenario(body)


def test_what_is_there_at_the_beginning_and_resyncs_come_last() -> None:  # V5
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        await env.client().create(SECRETS, named("a"))
        manager.controller("c", seen, watches=[Watch(SECRETS, to("s"))])
        async with running(manager):
            await asyncio.sleep(40_000)
            resync, first = manager.explain("c", Request("to", "s-a")).traces
            assert (first.causes[0].type, first.priority) == ("create", LOW_PRIORITY)
            assert (resync.causes[0].type, resync.priority) == ("resync", LOW_PRIORITY)

    scenario(body)


def test_who_stands_by_has_the_caches_of_watches_that_came_later() -> None:  # M4
    from kajitori.ctrl import LeaderElection

    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        clock = VirtualClock()

        def candidate(number: int) -> Manager:
            return Manager(
                env.client(),
                clock=clock,
                random=SeededRandom(number),
                leader_election=LeaderElection("w", "default", identity=str(number)),
            )

        first, second = candidate(1), candidate(2)
        async with running(first):
            await asyncio.sleep(1)
            async with running(second):
                await asyncio.sleep(1)
                controller = second.controller("late", seen, for_=CONFIG_MAPS)
                handle = controller.watch(Watch(SECRETS, to("s")))
                await asyncio.sleep(1)
                assert all(informer.has_synced for informer in second.cache.informers())
                assert {informer.kind for informer in second.cache.informers()} == {CONFIG_MAPS, SECRETS}
                assert not handle.has_synced and not seen.names
                handle.remove()
                assert not second.cache.find(SECRETS)
            assert not second.cache.informers()

    scenario(body)
