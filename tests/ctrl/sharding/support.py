"""Shards at work against the real API server, under virtual time, judged by who works on what at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.apis.sharding_v1alpha1 import ControllerRing
from kajitori.client import Client, TransportError
from kajitori.ctrl import DONE, LeaderElection, Manager, Predicate, Request, Result
from kajitori.ctrl.sharding import Sharding, sharder
from kajitori.testing import TestEnv, VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
RING = "widgets"
SHARD_LABEL = f"shard.alpha.sharding.timebertt.dev/{RING}"
DRAIN_LABEL = f"drain.alpha.sharding.timebertt.dev/{RING}"


class Line:
    """The way of one process to the API server, which may be cut."""

    def __init__(self, client: Client | None) -> None:
        self._to: Any = None if client is None else client.transport
        self.cut = False

    async def request(self, *arguments: Any) -> Any:
        if self.cut:
            raise TransportError("the line is cut", sent=False)
        return await self._to.request(*arguments)

    def stream(self, *arguments: Any) -> Any:
        return self._to.stream(*arguments)

    async def close(self) -> None:
        pass


class Watcher:
    """Who works on what, in all processes."""

    def __init__(self) -> None:
        self.at_work: dict[Request, str] = {}
        self.seen: dict[Request, list[str]] = {}

    def owner(self, name: str) -> str:
        """Who worked on it last."""
        return self.seen[Request("default", name)][-1]


class Shard:
    """One process."""

    def __init__(
        self,
        client: Client,
        watcher: Watcher,
        seed: int,
        *,
        seconds: float = 0.5,
        controllers: int = 1,
        owns: tuple[Kind, ...] = (),
        predicates: tuple[Predicate, ...] = (),
        **settings: Any,
    ) -> None:
        self.line = Line(client)
        settings = {"shard": f"shard-{seed}", "namespace": "default", **settings}
        self.watcher = watcher
        self.seconds = seconds
        self.manager = Manager(
            Client(self.line),
            clock=VirtualClock(),
            random=SeededRandom(seed),
            sharding=Sharding(RING, **settings),
        )
        for number in range(controllers):
            self.manager.controller(
                f"c{number}", self, for_=CONFIG_MAPS, owns=owns, predicates=predicates, workers=4
            )
        assert self.manager.shard is not None
        self.name = self.manager.shard.identity
        self.task: asyncio.Task[None] | None = None
        self.cut_short = 0

    def start(self) -> "Shard":
        self.task = asyncio.create_task(self.manager.run())
        return self

    async def stop(self) -> None:
        self.manager.stop()
        assert self.task is not None
        await self.task

    async def reconcile(self, request: Request) -> Result:
        at_work = self.watcher.at_work
        assert at_work.setdefault(request, self.name) == self.name, (request, at_work[request], self.name)
        self.watcher.seen.setdefault(request, []).append(self.name)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cut_short += 1
            raise
        finally:
            at_work.pop(request, None)
        return DONE


def sharder_manager(client: Client) -> Manager:
    manager = Manager(
        client,
        clock=VirtualClock(),
        random=SeededRandom(99),
        leader_election=LeaderElection("sharder", "default"),
    )
    sharder(manager)
    return manager


async def config_maps(client: Client, first: int, last: int) -> None:
    for number in range(first, last):
        await client.create(CONFIG_MAPS, {"metadata": {"name": f"c{number}", "namespace": "default"}})


async def touch(client: Client, text: str) -> None:
    """Every ConfigMap changes."""
    for each in (await client.list(CONFIG_MAPS, "default")).items:
        await client.patch(CONFIG_MAPS, "default", each.name, {"data": {"touched": text}})


async def settles(holds: Callable[[], Any], seconds: float = 120.0) -> None:
    """Waits until a condition, plain or a coroutine function, holds."""
    for _ in range(int(seconds * 2)):
        found = holds()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"not within {seconds:g} s")


def scenario(
    body: Callable[[TestEnv, Client, Watcher], Coroutine[Any, Any, None]], *, ring: bool = True
) -> None:
    async def run() -> None:
        async with TestEnv(
            crds=[ControllerRing] if ring else (), clock=VirtualClock(), random=SeededRandom(0)
        ) as env:
            client = env.client()
            if ring:
                resources = [
                    {
                        "group": "",
                        "resource": "configmaps",
                        "controlledResources": [{"group": "", "resource": "secrets"}],
                    }
                ]
                await client.create(
                    ControllerRing, {"metadata": {"name": RING}, "spec": {"resources": resources}}
                )
            await body(env, client, Watcher())

    run_virtual(run())
