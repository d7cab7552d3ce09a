"""A manager goes on where another was: nothing listed again, nothing forgotten, nothing missed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import Gone, Invalid
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client
from kajitori.ctrl import DONE, LOW_PRIORITY, CacheOptions, Manager, Request, Result
from kajitori.ctrl.explain import TRACES_MAX
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

Reconcile = Callable[[Request], Awaitable[Result]]


def pod_class(default: int = 0) -> Any:
    """A class for Pods, another each time: as code that is loaded again makes it."""

    class Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
        node_name: str = ""
        priority: int = default

    class Pod(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
        __kind__ = PODS
        metadata: ObjectMeta = ObjectMeta()
        spec: Spec = Spec()

    return Pod


class Reconciler:
    """Notes the names that it is given, then does what `how` does."""

    def __init__(self, how: Reconcile | None = None) -> None:
        self.names: list[str] = []
        self._how = how

    async def reconcile(self, request: Request) -> Result:
        self.names.append(request.name)
        return DONE if self._how is None else await self._how(request)


class World:
    """A server with Pods, and the managers that follow each other there."""

    def __init__(self, *names: str) -> None:
        self.changes: list[Any] = []
        self.is_gone = False
        self.names = names
        self.script = Script(self._respond)
        self._running: tuple[Manager, asyncio.Task[None]] | None = None

    def _respond(self, asked: Asked) -> Any:
        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if not asked.is_watch:
            self.is_gone = False
            return pod_list(5, *(pod(name, 1, spec={}) for name in self.names))
        return Gone("too old") if self.is_gone else self.changes

    @property
    def lists(self) -> int:
        return sum(not each.is_watch for each in self.script.asked)

    def manager(self) -> Manager:
        return Manager(Client(self.script), clock=VirtualClock(), random=SeededRandom(1))

    async def replace(self, new: Manager, *, settle_seconds: float = 0.5, grace_seconds: float = 1.0) -> None:
        """The manager that runs gives way to a new one."""
        if self._running is not None:
            manager, task = self._running
            left = await manager.hand_over(grace_seconds=grace_seconds)
            await task
            new.take_over(left)
        self._running = new, asyncio.create_task(new.run())
        await asyncio.sleep(settle_seconds)

    async def end(self) -> None:
        assert self._running is not None, "nothing runs"
        manager, task = self._running
        manager.stop()
        await task


def play(story: Callable[[World], Awaitable[None]], *names: str) -> None:
    async def run() -> None:
        world = World(*names)
        await story(world)
        await world.end()
        assert world.script.open_streams == 0 and len(asyncio.all_tasks()) == 1

    run_virtual(run())


@pytest.mark.parametrize("model", [lambda: PODS, pod_class])
def test_what_is_read_alike_is_watched_on_and_not_listed(
    model: Callable[[], Any],
) -> None:  # V1, V2, F5, I7, M7
    async def story(world: World) -> None:
        world.changes = [event("ADDED", pod("c", 8)), bookmark(9)]
        await world.replace(_watching(world, model(), Reconciler()))
        assert world.lists == 1
        world.changes = []
        second, third = model(), Reconciler()
        manager = _watching(world, second, third)
        await world.replace(manager)
        assert world.lists == 1 and world.script.asked[-1].query["resourceVersion"] == "9"
        # Everything is looked at again, since the code may think otherwise now.
        assert sorted(third.names) == ["a", "b", "c"]
        found = manager.cache.get(second, "default", "c")
        assert isinstance(found, second if isinstance(second, type) else dict)

    play(story, "a", "b")


def _watching(world: World, model: Any, reconciler: Reconciler) -> Manager:
    manager = world.manager()
    manager.controller("pods", reconciler, for_=model)
    return manager


def test_what_would_be_read_otherwise_is_listed() -> None:  # V2
    async def story(world: World) -> None:
        await world.replace(_watching(world, pod_class(), Reconciler()))
        await world.replace(_watching(world, pod_class(default=7), Reconciler()))
        assert world.lists == 2
        narrower = world.manager()
        narrower.cache.configure(PODS, CacheOptions(["default"]))
        narrower.controller("pods", Reconciler(), for_=PODS)
        await world.replace(narrower)
        assert world.lists == 3, "an untyped cache, of one namespace"

    play(story, "a")


def test_kinds_can_be_left_out_and_are_listed_then() -> None:  # V1
    async def story(world: World) -> None:
        manager = _watching(world, PODS, Reconciler())
        await world.replace(manager)
        left = await manager.hand_over()
        second = _watching(world, PODS, Reconciler())
        second.take_over(left.without(lambda kept: kept.model == PODS))
        world._running = None
        await world.replace(second)
        assert world.lists == 2

    play(story, "a")


def test_a_version_that_the_server_has_forgotten_is_listed_anew() -> None:  # F5
    async def story(world: World) -> None:
        await world.replace(_watching(world, PODS, Reconciler()))
        world.is_gone, world.names = True, ("b",)
        second = Reconciler()
        await world.replace(_watching(world, PODS, second), settle_seconds=5)
        assert world.lists == 2 and second.names == ["a", "b", "a"], "a is gone: told once more"

    play(story, "a")


def test_what_was_queued_comes_first_then_everything_else() -> None:  # V3
    async def story(world: World) -> None:
        async def fail(request: Request) -> Result:
            if request.name == "failing":
                raise ValueError("not yet")
            if request.name == "later":
                return Result(requeue_after_seconds=100)
            return DONE

        first, second = Reconciler(fail), Reconciler()
        old = _watching(world, PODS, first)
        await world.replace(old, settle_seconds=60)
        new = _watching(world, PODS, second)
        old.controllers[0].halt()
        old.controllers[0].enqueue(Request("default", "asked-for"))
        await world.replace(new)
        assert second.names[:2] == ["failing", "asked-for"] or second.names[:2] == ["asked-for", "failing"]
        assert sorted(second.names[2:]) == ["a", "later"], "now, and not in 40 seconds"
        explained = new.explain("pods", Request("default", "failing"))
        assert explained.failures == 0 and len(explained.traces) > 5, "what happened before is remembered"
        assert [each.type for each in explained.traces[0].causes] == ["retry", "create"]
        assert new.explain("pods", Request("default", "a")).traces[0].priority == LOW_PRIORITY

    play(story, "a", "failing", "later")


def test_a_reconcile_under_way_may_end_and_is_cut_short_when_it_does_not() -> None:  # V3, P7
    async def story(world: World) -> None:
        async def slow(request: Request) -> Result:
            await asyncio.sleep({"quick": 0.5, "slow": 100.0}[request.name])
            ended.append(request.name)
            return DONE

        ended = list[str]()
        old, second = world.manager(), Reconciler()
        old.controller("pods", Reconciler(slow), for_=PODS, workers=2)
        await world.replace(old, settle_seconds=0.1)
        new = _watching(world, PODS, second)
        await world.replace(new, grace_seconds=2.0)
        assert ended == ["quick"] and second.names == ["slow", "quick"], "what was cut short comes first"
        assert new.explain("pods", Request("default", "slow")).traces[0].priority == LOW_PRIORITY

    play(story, "quick", "slow")


def test_a_deletion_while_the_old_code_ends_is_told_to_the_new() -> None:  # V4
    async def story(world: World) -> None:
        async def slow(request: Request) -> Result:
            await asyncio.sleep(0.9)
            return DONE

        world.changes = [0.5, event("DELETED", pod("b", 8))]
        old, second = world.manager(), Reconciler()
        old.controller("pods", Reconciler(slow), for_=PODS)
        await world.replace(old, settle_seconds=0.1)
        assert not second.names
        await world.replace(_watching(world, PODS, second), settle_seconds=2)
        assert world.lists == 1 and second.names.count("b") == 2

    play(story, "a", "b")


def test_a_controller_that_still_waits_for_its_first_list_gives_way_at_once() -> None:  # P7
    async def story(world: World) -> None:
        real, blocked = world._respond, asyncio.Event()

        def silent(asked: Asked) -> Any:
            if blocked.is_set():
                return real(asked)
            return [blocked]

        world.script.respond = silent
        await world.replace(_watching(world, PODS, Reconciler()))
        blocked.set()
        second = Reconciler()
        started = asyncio.get_running_loop().time()
        await world.replace(_watching(world, PODS, second))
        assert asyncio.get_running_loop().time() - started < 1 and second.names == ["a"]

    play(story, "a")


def test_controllers_that_are_new_begin_with_everything_and_those_that_are_gone_are_forgotten() -> None:
    async def story(world: World) -> None:
        await world.replace(_watching(world, PODS, Reconciler()))
        new, other = world.manager(), Reconciler()
        new.controller("others", other, for_=PODS)
        await world.replace(new)
        assert other.names == ["a"] and world.lists == 1

    play(story, "a")


def test_kinds_of_the_same_name_in_other_groups_are_others() -> None:  # V1
    async def story(world: World) -> None:
        await world.replace(_watching(world, PODS, Reconciler()))
        await world.replace(_watching(world, Kind("", "v2", "Pod", "pods"), Reconciler()))
        assert world.lists == 2

    play(story, "a")


def test_a_listener_is_told_of_every_reconcile_and_follows_the_controller() -> None:
    async def story(world: World) -> None:
        old = _watching(world, PODS, Reconciler())
        told = list[str]()
        await world.replace(old, settle_seconds=0.1)
        past = old.controllers[0].listen(lambda trace: told.append(trace.request.name))
        assert [trace.request.name for trace in past] == ["a", "b"] and told == []
        for number in range(TRACES_MAX + 10):
            old.controllers[0].enqueue(Request("default", f"n{number}"))
        await asyncio.sleep(1)
        assert len(told) == TRACES_MAX + 10, "more than are remembered"
        new = _watching(world, PODS, Reconciler())
        await world.replace(new)
        assert told[-2:] == ["a", "b"]
        assert new.controllers[0].listen(lambda trace: None) == []

    play(story, "a", "b")
