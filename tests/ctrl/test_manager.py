"""The life of a manager: starting, stopping, failing."""

import asyncio
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, pod, pod_list

from kajitori.apimachinery.errors import Invalid, NotFound
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom


def respond(asked: Asked) -> Any:
    if "sendInitialEvents" in asked.query:
        return Invalid("no")
    return [] if asked.is_watch else pod_list(5, pod("a", 1), pod("b", 1))


class Slow:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ended = list[str]()
        self.cut_short = list[str]()

    async def reconcile(self, request: Request) -> Result:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cut_short.append(request.name)
            raise
        self.ended.append(request.name)
        return DONE


def new_manager(**options: Any) -> tuple[Manager, Script]:
    script = Script(respond)
    return Manager(Client(script), clock=VirtualClock(), random=SeededRandom(1), **options), script


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_what_is_ready_is_finished_before_the_end(how: str) -> None:  # M1, M2
    async def run() -> tuple[Slow, float]:
        manager, script = new_manager()
        slow = Slow(10)
        manager.controller("c", slow, for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        if how == "stop":
            manager.stop()
            await task
        else:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert script.open_streams == 0 and len(asyncio.all_tasks()) == 1
        return slow, asyncio.get_running_loop().time()

    slow, ended = run_virtual(run())
    assert slow.ended == ["a", "b"] and not slow.cut_short and ended == 20


def test_what_takes_too_long_is_cancelled() -> None:  # M2
    async def run() -> tuple[Slow, float]:
        manager, _ = new_manager(graceful_seconds=3)
        slow = Slow(1000)
        manager.controller("c", slow, for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        manager.stop()
        await task
        return slow, asyncio.get_running_loop().time()

    slow, ended = run_virtual(run())
    assert slow.cut_short == ["a"] and not slow.ended and ended == 8


def test_a_controller_that_has_not_begun_does_not_delay_the_end() -> None:  # M2
    async def run() -> None:
        manager = Manager(
            Client(Script(lambda asked: [] if asked.is_watch else NotFound("no such kind"))),
            clock=VirtualClock(),
            random=SeededRandom(1),
        )
        manager.controller("c", Slow(1), for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        manager.stop()
        await task
        assert asyncio.get_running_loop().time() == 5

    run_virtual(run())


def test_one_part_that_fails_stops_all_and_is_named() -> None:  # M3
    async def run() -> None:
        manager, script = new_manager()
        manager.controller("c", Slow(1), for_=PODS)

        async def fail() -> None:
            await asyncio.sleep(5)
            raise OSError("the disk is gone")

        manager.add(fail)
        with pytest.raises(ExceptionGroup) as caught:
            await manager.run()
        matched, rest = caught.value.split(OSError)
        assert matched is not None and rest is None
        assert script.open_streams == 0 and len(asyncio.all_tasks()) == 1

    run_virtual(run())


def test_parts_added_while_running_start_at_once() -> None:
    async def run() -> list[str]:
        manager, _ = new_manager()
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        slow, ran = Slow(1), list[str]()

        async def once() -> None:
            ran.append("ran")

        manager.controller("late", slow, for_=PODS)
        manager.add(once)
        await asyncio.sleep(5)
        manager.stop()
        await task
        return slow.ended + ran

    assert run_virtual(run()) == ["a", "b", "ran"]


def test_runnables_end_with_the_manager() -> None:  # M1
    async def run() -> None:
        manager, _ = new_manager()
        manager.add(lambda: asyncio.sleep(10**6))
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        manager.stop()
        await task
        assert asyncio.get_running_loop().time() == 5

    run_virtual(run())


def test_two_controllers_cannot_share_a_name() -> None:
    async def run() -> None:
        manager, _ = new_manager()
        manager.controller("c", Slow(1), for_=PODS)
        with pytest.raises(ValueError, match="'c'"):
            manager.controller("c", Slow(1), for_=PODS)

    run_virtual(run())


def test_what_a_controller_cannot_be_made_of_is_named() -> None:
    async def run() -> None:
        manager, _ = new_manager()
        loose: Any = manager
        with pytest.raises(
            TypeError, match=r"controller 'c': there is no option max_workers; there are .*workers"
        ):
            loose.controller("c", Slow(1), for_=PODS, max_workers=3)
        with pytest.raises(
            TypeError, match=r"controller 'c': .*Slow.* is no reconciler; give an object with"
        ):
            loose.controller("c", Slow, for_=PODS)
        with pytest.raises(TypeError, match=r"controller 'c': .*print.* is no reconciler"):
            loose.controller("c", print, for_=PODS)
        with pytest.raises(ValueError, match="controller 'c': workers=0; use 1 or more"):
            manager.controller("c", Slow(1), for_=PODS, workers=0)
        assert not manager.controllers
        with pytest.raises(TypeError, match="Manager: there is no option retries"):
            new_manager(retries=3)

    run_virtual(run())
