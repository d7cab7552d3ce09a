"""A manager with controllers under a seed: objects come, change and go, servers start again, everything goes wrong.

`make test` plays some seeds, `make sim` a thousand. A failure names its seed. What is checked is what docs/explanation
promises of every program on the runtime, and no more:

    R1  one name is reconciled once at a time (the simulation sees to that by itself)
    R2  no last state is missed: when nothing changes any more, everything is as the reconcilers want it
    R3  who wants nothing writes nothing: then it stays so
    R4  caches are equal to what the server has
    R5  each copy is made once, lost answers or not

The last tests break the operator on purpose: the checker tells each of these breaks.
"""

import logging
import os
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import TransportError
from kajitori.ctrl import DONE, Manager, Request, Result, controller_reference
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.store import Store
from kajitori.testing import Simulation, simulate

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 1_000 if LONG else 12
BROKEN_SEEDS = 20
NAMES = "abcdef"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What goes wrong is logged, and there is much of it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


class Copies:
    """Every ConfigMap owns a Secret with its value, and says in a label that it is there."""

    def __init__(self, manager: Manager) -> None:
        self.client, self.cache = manager.client, manager.cache

    async def reconcile(self, request: Request) -> Result:
        source = self.cache.get(CONFIG_MAPS, request.namespace, request.name)
        copy = self.cache.get(SECRETS, request.namespace, request.name)
        if source is None or "x" not in (source.get("data") or {}):
            if copy is not None:
                await self.client.delete(SECRETS, request.namespace, request.name, uid=copy.uid)
            return DONE
        wanted = {"of": source["data"]["x"]}
        await self.make(request, source, copy, wanted)
        if source.labels != wanted:
            patch = {"metadata": {"labels": wanted}}
            await self.client.patch(CONFIG_MAPS, request.namespace, request.name, patch)
        return DONE

    async def make(self, request: Request, source: Any, copy: Any, wanted: JsonObject) -> None:
        if copy is None:
            place: JsonObject = {"name": request.name, "namespace": request.namespace}
            metadata = {**place, "annotations": wanted, "ownerReferences": [controller_reference(source)]}
            await self.client.create(SECRETS, {"metadata": metadata})
        elif copy.annotations != wanted or copy.metadata["ownerReferences"][0]["uid"] != source.uid:
            metadata = {
                **copy.metadata,
                "annotations": wanted,
                "ownerReferences": [controller_reference(source)],
            }
            await self.client.update(SECRETS, {**copy, "metadata": metadata})


def setup(
    sim: Simulation, reconciler: Callable[[Manager], Any], name: str = "copies", **options: Any
) -> Manager:
    manager = sim.manager(name, **options)
    manager.controller(
        "copies", reconciler(manager), for_=CONFIG_MAPS, owns=[SECRETS], workers=sim.choice([1, 2, 5])
    )
    return manager


async def change(sim: Simulation) -> None:
    """Somebody does something."""
    client, name = sim.client(), sim.choice(NAMES)
    if sim.chance(0.7):
        value: JsonObject = {"metadata": {"name": name, "namespace": "default"}}
        await client.apply(CONFIG_MAPS, {**value, "data": {"x": str(sim.choice(range(100)))}}, force=True)
    else:
        kind = sim.choice([CONFIG_MAPS, CONFIG_MAPS, SECRETS])
        try:
            await client.delete(kind, "default", name)
        except NotFound:
            return


async def trouble(sim: Simulation) -> None:
    """Something happens that is no fault of a single call."""
    match sim.choice(["restart", "outage", "silence", "lag", "cut", "expire", "nothing", "nothing"]):
        case "restart":
            await sim.restart()
        case "outage":
            with sim.faults.outage():
                await change(sim)
                await sim.sleep(60)
        case "silence":
            with sim.faults.outage(silent=True):
                await change(sim)
                await sim.sleep(200)
        case "lag":
            with sim.faults.hold_watches(sim.choice([CONFIG_MAPS, SECRETS])):
                await change(sim)
                await sim.sleep(20)
        case "cut":
            sim.faults.cut_watches(clean=sim.chance(0.5))
        case "expire":
            sim.faults.expire_watches()
        case _:
            await sim.sleep(100)


async def check(sim: Simulation, *managers: Manager) -> None:
    await sim.assert_settles()  # R3
    client = sim.client()
    sources = {each.name: each for each in await client.list(CONFIG_MAPS, "default") if "data" in each}
    copies = {each.name: each for each in await client.list(SECRETS, "default")}
    assert {name: each["data"]["x"] for name, each in sources.items()} == {
        name: each.annotations.get("of") for name, each in copies.items()
    }, "R2"
    assert all(each.labels.get("of") == each["data"]["x"] for each in sources.values()), "R2"
    for manager in managers:
        for kind in (CONFIG_MAPS, SECRETS):
            cached = {(each.name, each.resource_version) for each in manager.cache.list(kind, "default")}
            there = {(each.name, each.resource_version) for each in await client.list(kind, "default")}
            assert cached == there, "R4"


def scenario(reconciler: Callable[[Manager], Any]) -> Callable[[Simulation], Any]:
    async def play(sim: Simulation) -> None:
        manager = setup(sim, reconciler)
        async with sim.running(manager):
            # Before its caches have been filled once a manager gives up after two minutes, as it should.
            await sim.wait_for(lambda: manager.controllers[0].is_working, seconds=120)
            for _ in range(25):
                await change(sim)
                await sim.sleep(sim.choice([0.01, 0.1, 3]))
                if sim.chance(0.15):
                    await trouble(sim)
            await sim.calm()
            await check(sim, manager)

    return play


@pytest.mark.parametrize("seeds", range(0, SEEDS, 4 if not LONG else 50), ids=lambda first: f"from{first}")
def test_all_is_well_in_the_end(seeds: int) -> None:
    for seed in range(seeds, seeds + (4 if not LONG else 50)):
        simulate(seed, scenario(Copies), rate=0.1)


# Broken on purpose.


class Content(Copies):
    """Takes every failure for success."""

    async def reconcile(self, request: Request) -> Result:
        try:
            return await super().reconcile(request)
        except (ApiError, TransportError):
            return DONE


class Restless(Copies):
    """Always finds something to write."""

    async def make(self, request: Request, source: Any, copy: Any, wanted: JsonObject) -> None:
        await super().make(request, source, copy, wanted)
        number = str(int((copy.annotations if copy is not None else {}).get("number", "0")) + 1)
        patch = {"metadata": {"annotations": {"number": number}}}
        await self.client.patch(SECRETS, request.namespace, request.name, patch)


class Incurious(Copies):
    """Looks at nothing but whether a copy is there."""

    async def make(self, request: Request, source: Any, copy: Any, wanted: JsonObject) -> None:
        if copy is None:
            await super().make(request, source, copy, wanted)


@pytest.mark.parametrize(
    ("reconciler", "told"),
    [(Content, "R2"), (Restless, "something changed at least every"), (Incurious, "R2")],
)
def test_an_operator_that_is_broken_is_told(reconciler: Callable[[Manager], Any], told: str) -> None:
    assert any(told in _failure(seed, reconciler) for seed in range(BROKEN_SEEDS))


def test_a_cache_that_forgets_deletions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(self: Store, key: tuple[str, str]) -> Any:
        return self.get(*key)

    monkeypatch.setattr(Store, "remove", keep)
    assert any("R" in _failure(seed, Copies) for seed in range(BROKEN_SEEDS))


def test_a_cache_that_loses_an_event_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    apply, heard = Informer.apply, count(1)

    def losing(self: Informer, event: Any) -> None:
        if next(heard) % 15:
            apply(self, event)

    monkeypatch.setattr(Informer, "apply", losing)
    assert any("R" in _failure(seed, Copies) for seed in range(BROKEN_SEEDS))


def _failure(seed: int, reconciler: Callable[[Manager], Any]) -> str:
    try:
        simulate(seed, scenario(reconciler), rate=0.1)
    except AssertionError as error:
        return str(error)
    return ""
