"""Real controllers against a real API server under a seed: changes, faults on the way, reconcilers that misbehave in
every way, watches that come and go, a server that restarts.

`make test` plays some seeds, `make sim` a thousand. A failure names its seed. What is checked is the contract:

    C1  one name is reconciled once at a time (S3 of the simulation)
    C2  no last state is missed: when everything has settled, the last reconcile of every name that ended well has begun
        with what the server has now
    C3  nothing that a reconciler does ends the controller: all of its workers work at the end

The last tests break the runtime on purpose: the checker tells each of these breaks.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import TransportError
from kajitori.ctrl import DONE, Channel, Controller, Manager, Request, Result, Watch
from kajitori.testing import History, NotSafe, Simulation, simulate

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 1_000 if LONG else 10
NAMES = "abcdef"
CHANGES = 40

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")


class Missed(AssertionError):
    """What the checker has found."""


def named(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


class Unruly:
    """Does whatever a reconciler should not, and remembers what it saw when it ended well."""

    def __init__(self, sim: Simulation, manager: Manager) -> None:
        self.sim, self.cache = sim, manager.cache
        self.seen = dict[str, str | None]()
        self.is_calm = False

    async def reconcile(self, request: Request) -> Result:
        value = self.cache.get(CONFIG_MAPS, request.namespace, request.name)
        state = None if value is None else value["data"]["x"]
        await self.sim.sleep(self.sim.choice((0.0, 0.1, 5.0)))
        if not self.is_calm and self.sim.chance(0.4):
            result: Result = await self.misbehave()
            return result
        self.seen[request.name] = state
        return self.sim.choice((DONE, DONE, Result(self.sim.choice((1, 60)))))

    async def misbehave(self) -> Any:
        task = asyncio.current_task()
        assert task is not None
        match self.sim.choice(range(8)):
            case 0:
                raise OSError("no route to host")
            case 1:
                raise ExceptionGroup("", [KeyError("a"), ExceptionGroup("", [ValueError("b")])])
            case 2:
                raise SystemExit(1)
            case 3:
                return await asyncio.sleep(10_000)
            case 4:
                task.cancel()
                return await asyncio.sleep(1)
            case 5:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(1)
                raise RuntimeError("went on")
            case 6:
                return Result(-1)
            case _:
                return None


async def play(sim: Simulation, break_it: Callable[[Controller[Any]], None] | None = None) -> None:
    manager = sim.manager("unruly")
    reconciler = Unruly(sim, manager)
    workers = sim.choice((1, 2, 5))
    channel: Channel = Channel()
    controller = manager.controller(
        "unruly", reconciler, for_=CONFIG_MAPS, sources=[channel], workers=workers, timeout_seconds=30
    )
    if break_it is not None:
        break_it(controller)
    async with sim.running(manager):
        await disturb(sim, controller, channel)
        reconciler.is_calm = True
        await sim.calm()
        await sim.assert_settles()
        await asyncio.sleep(100)
        items = (await sim.client().list(CONFIG_MAPS, "default")).items
        now = {each.name: each["data"]["x"] for each in items if each.name in NAMES}
        for name in NAMES:
            if reconciler.seen.get(name) != now.get(name):
                raise Missed(
                    f"{name} is {now.get(name)!r}, and was last reconciled at {reconciler.seen.get(name)!r}"
                )
        working = [each for each in asyncio.all_tasks() if each.get_name().startswith("unruly worker")]
        if len(working) != workers:
            raise Missed(f"{len(working)} of {workers} workers are left")


async def disturb(sim: Simulation, controller: Controller[Any], channel: Channel) -> None:
    client, handles = sim.client(), []
    for number in range(CHANGES):
        name = sim.choice(NAMES)
        with suppress(ApiError, TransportError):
            if sim.chance(0.7):
                await client.apply(CONFIG_MAPS, named(name, x=str(number)), force=True)
            elif sim.chance(0.7):
                await client.delete(CONFIG_MAPS, "default", name)
            else:
                await client.apply(SECRETS, named(name), force=True)
        if sim.chance(0.1):
            channel.put(Request("default", sim.choice(NAMES)))
        if sim.chance(0.1):
            handles.append(controller.watch(Watch(SECRETS, lambda value: [Request("default", value.name)])))
        if handles and sim.chance(0.1):
            handles.pop(0).remove()
        if sim.chance(0.03):
            await sim.restart()
        await sim.sleep(sim.choice((0.0, 1.0, 20.0)))


def played(seed: int, break_it: Callable[[Controller[Any]], None] | None = None) -> History:
    return simulate(seed, lambda sim: play(sim, break_it), rate=0.1)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_controller_reconciles_one_at_a_time_and_misses_no_last_state(seed: int) -> None:  # C1-C3
    played(seed)


def test_what_is_played_is_worth_judging() -> None:
    """Names are reconciled more often than once each."""
    assert sum(played(seed).reconciles for seed in range(5)) > 5 * CHANGES / 2


# The checker at work on controllers that are broken on purpose.


def forgets_what_changes_while_held(controller: Controller[Any]) -> None:
    state = controller.queue._state
    give_back = state.give_back

    def forgetful(name: Any) -> bool:
        give_back(name)
        state._entries.pop(name, None)
        return False

    state.give_back = forgetful  # type: ignore[method-assign]


def hands_out_what_is_held(controller: Controller[Any]) -> None:
    class Never(set[Any]):
        def __contains__(self, name: object) -> bool:
            return False

    class Patient(dict[Any, float]):
        def pop(self, name: Any, *default: Any) -> float:
            return super().pop(name, 0.0)

    controller.workers = 5
    controller.queue._state._held = Never()
    controller.queue._held_since = Patient()


def hears_of_no_deletions(controller: Controller[Any]) -> None:
    tell = controller._watches._tell

    def deaf(request: Any, priority: int, cause: Any) -> None:
        if cause.type != "delete":
            tell(request, priority, cause)

    controller._watches._tell = deaf


def loses_a_worker(controller: Controller[Any]) -> None:
    controller._is_cut_short = lambda: True  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (forgets_what_changes_while_held, "was last reconciled at"),
        (hands_out_what_is_held, "twice at once"),
        (hears_of_no_deletions, "was last reconciled at"),
        (loses_a_worker, "workers are left"),
    ],
)
def test_the_checker_tells_a_controller_that_is_broken(
    break_it: Callable[[Controller[Any]], None], told: str
) -> None:
    found = list[str]()
    for seed in range(5):
        try:
            played(seed, break_it)
        except (Missed, NotSafe, AssertionError) as error:
            found.append(str(error))
        except BaseExceptionGroup as errors:
            found.append(repr(errors.exceptions))
        if any(told in each for each in found):
            return
    raise AssertionError(found)
