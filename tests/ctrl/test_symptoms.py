"""Reconcilers that are ill: which show it, and how a healthy one is left alone."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.ctrl.test_watching import CONFIG_MAPS, Seen, named, running, scenario

from kajitori.apimachinery.kind import Kind
from kajitori.client import Client
from kajitori.client.writes import Write, current_writes
from kajitori.ctrl import DONE, Channel, Controller, Manager, Request, Result
from kajitori.ctrl.symptoms import (
    RESTLESS_NAMES_MAX,
    RESTLESS_SECONDS,
    RESTLESS_WRITES,
    Restless,
    noting_steps,
)
from kajitori.testing import TestEnv, VirtualClock, run_virtual

A = Request("default", "a")
PODS = Kind("", "v1", "Pod", "pods")


class Jumping(VirtualClock):
    """A clock that also moves while nobody waits."""

    jumped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.jumped


class Function:
    def __init__(self, function: Any) -> None:
        self.reconcile = function


def reconciled(function: Any, clock: VirtualClock, times: int = 1, pause: float = 1.0) -> Controller[Any]:
    """A controller that has reconciled one name so often."""

    async def run() -> Controller[Any]:
        manager = Manager(Client(None), clock=clock)  # type: ignore[arg-type]
        channel: Channel = Channel()
        controller = manager.controller("c", Function(function), sources=[channel])
        task = asyncio.create_task(manager.run())
        for _ in range(times):
            channel.put(A)
            await asyncio.sleep(pause)
        manager.stop()
        await task
        return controller

    return run_virtual(run())


def test_a_reconcile_that_keeps_the_loop_to_itself_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:  # P8, S1, H3
    clock = Jumping()

    async def blocks(request: Request) -> Result:
        await asyncio.sleep(0.1)
        clock.jumped += 3
        await asyncio.sleep(0.1)
        return DONE

    figures = reconciled(blocks, clock).figures
    assert figures.blocked == 1 and figures.blocked_seconds == pytest.approx(3) and figures.success == 1
    (told,) = caplog.records
    assert "kept the event loop to itself for 3.00 s" in told.message
    assert (told.__dict__["controller"], told.__dict__["object_name"]) == ("c", "a")


def test_who_waits_long_does_not_block() -> None:  # S1
    figures = reconciled(lambda request: asyncio.sleep(0.9, DONE), Jumping()).figures
    assert not figures.blocked and figures.success == 1


@pytest.mark.parametrize("given", [DONE, None, "coroutine", "future"])
def test_reconcilers_that_are_not_declared_with_async_def(
    given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def reconcile(request: Request) -> Any:
        if given == "coroutine":
            return asyncio.sleep(0, DONE)
        if given == "future":
            return asyncio.ensure_future(asyncio.sleep(0.1, DONE))
        return given

    figures = reconciled(reconcile, VirtualClock(), pause=0.11).figures
    if isinstance(given, str):
        assert figures.success == 1
    else:
        assert figures.panics and "declare it with async def" in caplog.text


def test_what_is_driven_step_by_step_behaves_as_if_it_were_awaited() -> None:
    async def answers(say: list[str]) -> str:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            say.append("cancelled")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(100)
        say.append("late")
        await asyncio.sleep(0)
        return "done"

    async def run() -> None:
        said = list[str]()
        task = asyncio.ensure_future(_awaited(noting_steps(answers(said), lambda: 0.0, lambda _: None)))
        await asyncio.sleep(1)
        task.cancel()
        assert await task == "done" and said == ["cancelled", "late"]
        closing = _awaited(noting_steps(answers(said), lambda: 0.0, lambda _: None))
        closing.send(None)
        closing.close()
        with pytest.raises(ZeroDivisionError):
            await noting_steps(_failing(), lambda: 0.0, lambda _: None)

    run_virtual(run())


async def _failing() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def write() -> None:
    log = current_writes.get()
    assert log is not None
    log.note(Write(PODS, "default", "a", "1"))


def test_who_writes_every_time_is_told(caplog: pytest.LogCaptureFixture) -> None:  # P8, S2
    async def writes(request: Request) -> Result:
        write()
        return DONE

    figures = reconciled(
        writes, VirtualClock(), times=4 * RESTLESS_WRITES, pause=RESTLESS_SECONDS / 2
    ).figures
    assert figures.restless == 3
    assert [record.message.split()[0] for record in caplog.records] == ["50", "100", "200"]
    assert "does another controller undo it" in caplog.text


def test_who_is_done_at_last_and_who_writes_now_and_then_is_left_alone() -> None:  # S2
    restless: Restless[str] = Restless()
    now = 0.0
    for number in range(10 * RESTLESS_WRITES):
        now += RESTLESS_SECONDS if number % (RESTLESS_WRITES - 1) else 2 * RESTLESS_SECONDS
        assert not restless.note("done at last", True, now)
        assert not restless.note("now and then", True, number * (RESTLESS_SECONDS + 0.1))
        assert not restless.note("never", False, now)


def test_many_names_that_are_written_for_take_no_memory_for_ever() -> None:
    restless: Restless[int] = Restless()
    told = 0
    for number in range(20 * RESTLESS_NAMES_MAX):
        restless.note(number, True, number * RESTLESS_SECONDS / 100)
        told += bool(restless.note(-1, True, number * RESTLESS_SECONDS / 100))
        assert len(restless._rows) <= RESTLESS_NAMES_MAX
    assert told >= 5, "those who fight are known among them"


class Insists:
    """Wants a ConfigMap to say what it says."""

    def __init__(self, manager: Manager, says: str) -> None:
        self._manager, self._says = manager, says

    async def reconcile(self, request: Request) -> Result:
        value = self._manager.cache.get(CONFIG_MAPS, request.namespace, request.name)
        if value is not None and value["data"]["says"] != self._says:
            change = {"data": {"says": self._says}}
            await self._manager.client.patch(CONFIG_MAPS, request.namespace, request.name, change)
        return DONE


def test_two_controllers_that_undo_each_other_are_told_of(caplog: pytest.LogCaptureFixture) -> None:  # P8
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        controllers = [
            manager.controller(says, Insists(manager, says), for_=CONFIG_MAPS) for says in ("yes", "no")
        ]
        async with running(manager):
            await env.client().create(CONFIG_MAPS, {**named("a"), "data": {"says": "?"}})
            while not all(each.figures.restless for each in controllers):  # noqa: ASYNC110 - no time passes
                await asyncio.sleep(0)
        told = [
            each.__dict__["controller"] for each in caplog.records if "in quick succession" in each.message
        ]
        assert {*told} == {"yes", "no"}

    scenario(body)
