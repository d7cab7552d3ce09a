"""Informers while things go wrong: the last state is never missed, nothing is told twice, in the end all is equal.

The peer of the first tests is a script, so that every byte of a short stream can be cut; that of the others is the real
API server.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import Expired, ServiceUnavailable, TooManyRequests, Unauthorized
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.client.objects import codec_of
from kajitori.ctrl import Cache
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.reflector import ClientSource
from kajitori.testing import (
    Cut,
    Faults,
    Late,
    NoAnswer,
    NoBookmarks,
    Refused,
    Reset,
    Slow,
    Stale,
    TestEnv,
    VirtualClock,
    WatchError,
    run_virtual,
)
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


class Told:
    """What a handler is told, checked at once against what it was told before."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}
        self.changes = 0

    def __call__(self, change: Change) -> None:
        value = change.object
        key, version = (value.namespace, value.name), int(value.resource_version)
        # A list that was made again tells what has not changed as an update of the same version.
        self.changes += self.known.get(key) != version
        if change.type == "create":
            assert key not in self.known, f"{key} is created twice"
        else:
            assert key in self.known, f"{key} was never created"
        if change.type == "delete":
            del self.known[key]
            return
        if change.type == "update":
            assert change.old is not None and int(change.old.resource_version) == self.known[key]
        self.known[key] = version


def informer_of(client: Client, kind: Kind) -> tuple[Informer, Told]:
    informer = Informer(kind, {"": ClientSource(client, codec_of(kind))}, random=SeededRandom(1))
    told = Told()
    # What fails in a handler is logged and counted; here it is counted below.
    informer.add_handler(told)
    return informer, told


def stored(informer: Informer) -> dict[tuple[str, str], int]:
    return {key: int(informer.store.get(*key).resource_version) for key in list(informer.store.keys())}


async def until(holds: Callable[[], Any], seconds: float = 600) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(0.1)


# Every byte of a short stream.

STATE = {"a": pod("a", 3), "b": pod("b", 5), "gone": pod("gone", 7)}
"""What exists at version 8."""

EVENTS: list[tuple[str, JsonObject]] = [
    ("ADDED", pod("c", 9)),
    ("MODIFIED", pod("a", 10, labels={"x": "1"})),
    ("DELETED", pod("gone", 11)),
    ("ADDED", pod("gone", 12)),
    ("MODIFIED", pod("b", 13)),
    ("DELETED", pod("c", 14)),
]
LAST = {("default", "a"): 10, ("default", "b"): 13, ("default", "gone"): 12}


def _respond(asked: Asked) -> Any:
    """A server that is at version 8 when it is first asked, and at 14 a moment later."""
    since = int(asked.query.get("resourceVersion") or 0)
    later = [
        event(type, value) for type, value in EVENTS if int(value["metadata"]["resourceVersion"]) > since
    ]
    if not asked.is_watch:
        return pod_list(8, *STATE.values())
    if asked.query.get("sendInitialEvents"):
        initial = [event("ADDED", each) for each in STATE.values()]
        return [b"".join([*initial, bookmark(8, initial_events_end=True), *later]) if since < 8 else b""]
    return [b"".join([*later, bookmark(15)])]


STREAM = b"".join(
    [*(event("ADDED", each) for each in STATE.values()), bookmark(8, initial_events_end=True)]
    + [event(type, value) for type, value in EVENTS]
)


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "listed"])
def test_a_watch_that_is_cut_at_every_byte(streams: bool) -> None:
    async def scenario() -> None:
        for cut in range(len(STREAM) + 1):
            faults = Faults()
            client = Client(faults.around(Script(_respond)), user_agent="operator")
            if not streams:
                faults.refuse_watch_lists()
            rule = faults.next(
                "watch", PODS, Cut(after_bytes=cut), when=lambda call: streams == call.streams_initial_events
            )
            informer, told = informer_of(client, PODS)
            running = asyncio.ensure_future(informer.run())
            while stored(informer) != LAST:  # noqa: ASYNC110 - in virtual time
                await asyncio.sleep(0.1)
            assert (rule.hits, told.known, informer.handler_errors) == (1, LAST, 0), f"cut at {cut}"
            # Each change once: three creations, then what happened; or what is left of it in a later list.
            assert told.changes <= len(STATE) + len(EVENTS), f"cut at {cut}"
            running.cancel()
            await asyncio.wait([running])

    run_virtual(scenario())


# Everything else that Kubernetes allows, and the real server.


@asynccontextmanager
async def informed(env: TestEnv, kind: Kind = CONFIG_MAPS) -> AsyncIterator[tuple[Informer, Told]]:
    informer, told = informer_of(env.client("operator"), kind)
    running = asyncio.ensure_future(informer.run())
    try:
        yield informer, told
    finally:
        running.cancel()
        await asyncio.wait([running])


async def as_the_server(env: TestEnv, informer: Informer, told: Told, kind: Kind = CONFIG_MAPS) -> None:
    """Waits until the store is what the server has, and the handler was told so."""
    there = {
        (each.namespace, each.name): int(each.resource_version)
        for each in (await env.client().list(kind)).items
    }
    await until(lambda: stored(informer) == there)
    assert (told.known, informer.handler_errors) == (there, 0)


async def busy(env: TestEnv, rounds: int = 10) -> None:
    """Objects that come, change and go, for as many seconds."""
    client = env.client()
    for number in range(rounds):
        await client.apply(CONFIG_MAPS, named(f"m{number}", x="1"))
        await client.apply(CONFIG_MAPS, named(f"m{number // 2}", x=str(number)))
        if number % 3 == 0:
            await client.delete(CONFIG_MAPS, "default", f"m{number}")
        await asyncio.sleep(1)


def named(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def scenario(play: Callable[[TestEnv], Awaitable[None]]) -> None:
    async def main() -> None:
        async with TestEnv(clock=VirtualClock(), random=SeededRandom(1)) as env:
            await play(env)

    run_virtual(main())


ANY = [
    *(Expired, ServiceUnavailable, TooManyRequests, Unauthorized),
    *(
        Refused(),
        Reset(),
        NoAnswer(),
        Slow(3),
        Late(3),
        NoBookmarks(),
        Cut(after_events=0),
        Cut(after_events=0, clean=True),
    ),
    *(
        Cut(after_bytes=200),
        Cut(after_events=2),
        Cut(after_events=3, clean=True),
        WatchError(),
        WatchError(after_events=2),
    ),
    WatchError(ServiceUnavailable),
]


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "listed"])
@pytest.mark.parametrize("fault", ANY, ids=str)
def test_whatever_happens_to_a_watch(fault: Any, streams: bool) -> None:
    async def play(env: TestEnv) -> None:
        await busy(env, 2)
        if not streams:
            env.faults.refuse_watch_lists()
        for after in (0, 1, 2, 5):
            env.faults.next("watch", CONFIG_MAPS, fault, after=after)
        async with informed(env) as (informer, told):
            await busy(env)
            await as_the_server(env, informer, told)
            env.faults.clear()
            env.faults.cut_watches()
            await busy(env, 3)
            await as_the_server(env, informer, told)

    scenario(play)


@pytest.mark.parametrize(
    "fault", [Expired, ServiceUnavailable, TooManyRequests, Reset(), NoAnswer(), Slow(5)], ids=str
)
def test_whatever_happens_to_a_page(fault: Any) -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        for number in range(1_100):
            await client.create(CONFIG_MAPS, named(f"m{number}"))
        env.faults.refuse_watch_lists()
        # A list of what is newest comes in pages; one of anything that is cached comes whole.
        env.faults.next("list", CONFIG_MAPS, Expired)
        rule = env.faults.next("list", CONFIG_MAPS, fault, when=lambda call: "continue" in call.query)
        async with informed(env) as (informer, told):
            await busy(env, 3)
            await as_the_server(env, informer, told)
            assert rule.hits == 1

    scenario(play)


def test_a_cache_that_lags_never_goes_back() -> None:
    async def play(env: TestEnv) -> None:
        async with informed(env) as (informer, told):
            await busy(env, 2)
            await until(lambda: informer.has_synced)
            before = stored(informer)
            with env.faults.hold_watches():
                await busy(env, 2)
                assert stored(informer) == before
            await as_the_server(env, informer, told)

    scenario(play)


def test_a_list_from_a_cache_that_lags() -> None:
    """What it leaves out is told by the watch that begins there; what is asked to be newer is not left out."""

    async def play(env: TestEnv) -> None:
        await busy(env, 4)
        old = (await env.client().list(CONFIG_MAPS)).resource_version
        await busy(env, 4)
        env.faults.refuse_watch_lists()
        rule = env.faults.always("list", CONFIG_MAPS, Stale(old))
        async with informed(env) as (informer, told):
            await until(lambda: informer.has_synced)
            assert told.changes >= 3
            await as_the_server(env, informer, told)
            env.faults.expire_watches()
            await busy(env, 4)
            await as_the_server(env, informer, told)
            assert rule.hits >= 2

    scenario(play)


@pytest.mark.parametrize("silent", [False, True])
def test_an_outage(silent: bool) -> None:
    async def play(env: TestEnv) -> None:
        async with informed(env) as (informer, told):
            await busy(env, 2)
            with env.faults.outage(silent=silent):
                await busy(env, 60)
            await as_the_server(env, informer, told)

    scenario(play)


def test_a_server_that_starts_again() -> None:
    async def play(env: TestEnv) -> None:
        async with informed(env) as (informer, told):
            await busy(env, 3)
            await env.restart()
            await busy(env, 3)
            await as_the_server(env, informer, told)

    scenario(play)


def test_a_server_that_has_lost_its_state() -> None:
    async def play(env: TestEnv) -> None:
        await busy(env, 8)
        async with informed(env) as (informer, told):
            await busy(env, 8)
            await as_the_server(env, informer, told)
            seen, passed = int(informer.resource_version), list[int]()
            await env.restart(lose_state=True)
            version = int((await env.client().list(CONFIG_MAPS)).resource_version)
            assert version < seen, "the versions begin anew"
            await as_the_server(env, informer, told)
            await busy(env, 2)
            await as_the_server(env, informer, told)
            version = int(informer.resource_version)
            informer.when_passed(version, lambda: passed.append(version))
            assert passed == [version], "a version of now is not compared with those of before"

    scenario(play)


def _widgets(*served: str) -> JsonObject:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {"name": each, "served": each in served, "storage": each == "v1", "schema": schema}
                for each in ("v1", "v2")
            ],
        },
    }


def test_one_view_of_a_kind_does_not_wait_for_the_other() -> None:
    """A cache may hold a kind whole and as metadata only: who waited for the one can read, whoever began the other."""

    async def play(env: TestEnv) -> None:
        await env.client().create(CONFIG_MAPS, named("a"))
        cache = Cache(env.client("operator"), random=SeededRandom(1))
        running = asyncio.ensure_future(cache.run())
        await cache.synced(CONFIG_MAPS, metadata_only=True)
        with env.faults.outage():
            cache.use(CONFIG_MAPS)
            await asyncio.sleep(10)
            assert cache.get(CONFIG_MAPS, "default", "a") is not None
        running.cancel()
        await asyncio.wait([running])

    scenario(play)


def test_versions_that_go_and_come() -> None:
    one, two = (Kind("example.com", version, "Widget", "widgets") for version in ("v1", "v2"))

    async def play(env: TestEnv) -> None:
        client = env.client()
        await env.install(_widgets("v1"))
        await client.create(one, {"metadata": {"name": "a", "namespace": "default"}})
        async with informed(env, one) as (old, old_told), informed(env, two) as (new, new_told):
            await as_the_server(env, old, old_told, one)
            await asyncio.sleep(60)
            assert not new.has_synced, "nobody serves it yet"

            await client.apply(CRDS, _widgets("v2"), force=True)
            await client.create(two, {"metadata": {"name": "b", "namespace": "default"}})
            await as_the_server(env, new, new_told, two)
            await asyncio.sleep(60)
            assert list(stored(old)) == [("default", "a")], "what was last seen, while nobody serves it"

            await client.apply(CRDS, _widgets("v1", "v2"), force=True)
            await as_the_server(env, old, old_told, one)
            assert len(stored(old)) == 2

    scenario(play)


@pytest.mark.parametrize("seed", range(15))
def test_whatever_a_seed_brings(seed: int) -> None:
    async def main() -> None:
        async with (
            TestEnv(
                clock=VirtualClock(), random=SeededRandom(seed), faults=Faults.random(seed, rate=0.2)
            ) as env,
            informed(env) as (informer, told),
        ):
            for _ in range(3):
                await busy(env, 10)
                await asyncio.sleep(120)
            env.faults.clear()
            await as_the_server(env, informer, told)

    run_virtual(main())
