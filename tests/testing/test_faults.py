"""Faults on the way to an API server: what a client sees of each, and what the server has done meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kajitori.apimachinery.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    InternalError,
    Invalid,
    NotFound,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
)
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.client.transport import TransportError
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

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")


def named(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def virtual(scenario: "Coroutine[Any, Any, None]") -> None:
    run_virtual(scenario)


def env(**options: Any) -> TestEnv:
    return TestEnv(clock=VirtualClock(), **options)


def now() -> float:
    return asyncio.get_running_loop().time()


async def maps(client: Client) -> list[str]:
    return [each.name for each in (await client.list(CONFIG_MAPS, "default")).items]


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            Conflict,
            409,
            r'Operation cannot be fulfilled on configmaps "a": the object has been modified',
        ),
        (NotFound, 404, r'configmaps "a" not found'),
        (InternalError, 500, r"Internal error occurred"),
        (ServiceUnavailable, 503, r"the server is currently unable to handle the request"),
        (Timeout, 504, r"request did not complete within the allotted timeout"),
        (Unauthorized, 401, r"Unauthorized"),
        (Invalid("of the test"), 422, r"of the test"),
    ],
)
def test_an_answer_that_is_an_error(error: Any, code: int, told: str) -> None:  # F1, T1
    async def scenario() -> None:
        async with env() as there:
            await there.client().create(CONFIG_MAPS, named("a"))
            client = there.client("operator")
            rule = there.faults.next("update", CONFIG_MAPS, error)
            with pytest.raises(ApiError, match=told) as raised:
                await client.update(CONFIG_MAPS, named("a", x="1"))
            assert (raised.value.code, rule.hits) == (code, 1)
            assert not (await client.get(CONFIG_MAPS, "default", "a")).get("data"), "it was not acted on"
            assert (await client.update(CONFIG_MAPS, named("a", x="1")))["data"] == {"x": "1"}
            assert [str(each) for each in there.faults.injected] == [
                f"update configmaps default/a by operator: {code} {raised.value.status_reason}"
            ]

    virtual(scenario())


def test_what_the_server_puts_off_is_sent_again() -> None:  # T1, T2
    async def scenario() -> None:
        async with env() as there:
            busy = TooManyRequests("busy", details={"retryAfterSeconds": 7})
            rule = there.faults.next("create", CONFIG_MAPS, busy, times=3)
            await there.client("operator").create(CONFIG_MAPS, named("a"))
            assert (rule.hits, now()) == (3, 21)

    virtual(scenario())


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize(
    ("fault", "seconds", "told"),
    [(Reset, 0, "the connection broke"), (NoAnswer, 60, "no answer within 60")],
)
def test_an_answer_that_does_not_come(  # T1, T2
    fault: Any, seconds: float, told: str, acted: bool
) -> None:
    async def scenario() -> None:
        async with env() as there:
            there.faults.next("create", CONFIG_MAPS, fault(acted=acted), name="a")
            client = there.client("operator")
            await client.create(CONFIG_MAPS, named("b"))
            with pytest.raises(TransportError, match=told) as raised:
                await client.create(CONFIG_MAPS, named("a"))
            assert raised.value.sent, "it may have been acted on, for all that the client knows"
            assert now() == seconds
            assert await maps(client) == (["a", "b"] if acted else ["b"])

    virtual(scenario())


def test_a_server_that_nobody_reaches() -> None:
    async def scenario() -> None:
        async with env() as there:
            client = there.client("operator")
            with there.faults.outage():
                with pytest.raises(TransportError, match="nobody listens") as raised:
                    await client.create(CONFIG_MAPS, named("a"))
                assert raised.value.refused and not raised.value.sent
                await there.client().create(CONFIG_MAPS, named("b"))
            assert await maps(client) == ["b"]
            with there.faults.outage(silent=True), pytest.raises(TransportError, match="no answer within"):
                await client.create(CONFIG_MAPS, named("a"))

    virtual(scenario())


def test_slow_answers() -> None:
    async def scenario() -> None:
        async with env() as there:
            client = there.client("operator")
            there.faults.next("create", CONFIG_MAPS, Slow(5))
            there.faults.next("create", CONFIG_MAPS, Slow(5, acted=True))
            there.faults.next("create", CONFIG_MAPS, Slow(70))
            there.faults.next("create", CONFIG_MAPS, Slow(70, acted=True))
            async with asyncio.TaskGroup() as tasks:
                for name in ("a", "b"):
                    tasks.create_task(client.create(CONFIG_MAPS, named(name)))
                await asyncio.sleep(1)
                assert await maps(client) == ["b"]
            assert (await maps(client), now()) == (["a", "b"], 5)
            for name in ("c", "d"):
                with pytest.raises(TransportError, match="no answer within 60"):
                    await client.create(CONFIG_MAPS, named(name))
            assert await maps(client) == ["a", "b", "d"]

    virtual(scenario())


def test_which_calls_a_rule_is_about() -> None:  # F1
    async def scenario() -> None:
        async with env() as there:
            faults, client = there.faults, there.client("operator")

            async def hits(**only: Any) -> int:
                verb, model = only.pop("verb", "*"), only.pop("model", None)
                with faults.always(verb, model, Slow(0), **only) as rule:
                    await client.create(CONFIG_MAPS, named("a"))
                    await client.apply(CONFIG_MAPS, named("a"), force=True)
                    await client.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "1"}})
                    await client.list(CONFIG_MAPS)
                    await client.list(SECRETS)
                    await client.delete(CONFIG_MAPS, "default", "a")
                    await there.client("other").list(CONFIG_MAPS)
                    await there.client().list(CONFIG_MAPS)
                return rule.hits

            assert await hits() == 7
            assert await hits(model=CONFIG_MAPS) == 6
            assert await hits(verb="list") == 3
            assert await hits(verb="read") == 3
            assert await hits(verb="write") == 4
            assert await hits(verb="patch") == 2
            assert await hits(verb="apply") == 1
            assert await hits(name="a") == 4
            assert await hits(namespace="default", verb="create") == 1
            assert await hits(namespace="other") == 0
            assert await hits(subresource="status") == 0
            assert await hits(subresource="", verb="write") == 4
            assert await hits(client="other") == 1
            assert await hits(client="test") == 1
            assert await hits(after=5) == 2
            assert await hits(when=lambda call: call.resource == "secrets") == 1

    virtual(scenario())


def test_rules_strike_in_the_order_they_were_made() -> None:
    async def scenario() -> None:
        async with env() as there:
            client, seen = there.client("operator"), list[int]()
            there.faults.always("get", CONFIG_MAPS, NotFound)
            there.faults.next("get", CONFIG_MAPS, InternalError)
            there.faults.next("get", CONFIG_MAPS, Timeout)
            for _ in range(4):
                with pytest.raises(ApiError) as raised:
                    await client.get(CONFIG_MAPS, "default", "a")
                seen.append(raised.value.code)
            assert seen == [500, 504, 404, 404]
            there.faults.clear()
            assert await maps(client) == []

    virtual(scenario())


def test_rules_that_cannot_be() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=r"unknown verb 'upsert'; known are get, list, watch"):
        faults.next("upsert", CONFIG_MAPS, Conflict)
    with pytest.raises(ValueError, match=r"Cut\(.*\) can happen to a watch only; the verb is 'update'"):
        faults.next("update", CONFIG_MAPS, Cut(after_events=1))
    with pytest.raises(ValueError, match="times is 0"):
        faults.next("get", CONFIG_MAPS, Conflict, times=0)
    with pytest.raises(ValueError, match=r"rate is 7; it is a part of all calls, between 0 and 1"):
        Faults.random(1, rate=7)


async def watched(client: Client, **options: Any) -> tuple[list[str], Exception | None]:
    """What a watch of ConfigMaps tells, and what it ends with."""
    seen: list[str] = []
    try:
        async with client.watch(CONFIG_MAPS, "default", **options) as events:
            async for event in events:
                seen.append(event.object.name or event.type)
    except (ApiError, TransportError) as error:
        return seen, error
    return seen, None


@pytest.mark.parametrize(
    ("fault", "seen", "error"),
    [
        (Cut(after_events=2), ["a", "b"], TransportError),
        (Cut(after_events=2, clean=True), ["a", "b"], type(None)),
        (Cut(after_bytes=1), [], TransportError),
        (Cut(after_bytes=0), [], TransportError),
        (WatchError(after_events=1), ["a"], Expired),
        (WatchError(InternalError), [], InternalError),
        (Expired, [], Expired),
        (Reset(), [], TransportError),
    ],
)
def test_how_a_watch_ends(fault: Any, seen: list[str], error: type) -> None:
    async def scenario() -> None:
        async with env() as there:
            version = (await there.client().list(CONFIG_MAPS)).resource_version
            for name in ("a", "b", "c"):
                await there.client().create(CONFIG_MAPS, named(name))
            there.faults.next("watch", CONFIG_MAPS, fault)
            told, ended = await watched(there.client("operator"), resource_version=version)
            assert (told, type(ended)) == (seen, error)

    virtual(scenario())


def test_open_watches_are_cut_and_expired() -> None:
    async def scenario() -> None:
        async with env() as there:
            client = there.client("operator")

            async def ended_by(end: Any) -> Any:
                watching = asyncio.ensure_future(watched(client, timeout_seconds=60))
                await asyncio.sleep(1)
                await there.client().create(CONFIG_MAPS, named(f"at-{now():g}"))
                await asyncio.sleep(1)
                assert end() == 1
                told, error = await watching
                assert told[-1] == f"at-{now() - 1:g}"
                return type(error)

            assert await ended_by(there.faults.cut_watches) is TransportError
            assert await ended_by(lambda: there.faults.cut_watches(CONFIG_MAPS, clean=True)) is type(None)
            assert await ended_by(lambda: there.faults.expire_watches(client="operator")) is Expired
            assert there.faults.cut_watches() == 0
            own = asyncio.ensure_future(watched(there.client(), timeout_seconds=60))
            await asyncio.sleep(1)
            assert there.faults.cut_watches() == 0 and there.faults.cut_watches(client="test") == 1
            await own

    virtual(scenario())


def test_an_error_is_told_between_events_only() -> None:  # W2
    async def scenario() -> None:
        async with env() as there:
            version = (await there.client().list(CONFIG_MAPS)).resource_version
            await there.client().create(CONFIG_MAPS, named("a"))
            transport = there.client("operator").transport
            path = f"/api/v1/configmaps?watch=true&resourceVersion={version}"
            there.faults.next("watch", None, Cut(after_bytes=30))
            async with transport.stream("GET", path, {}, None, None) as stream:
                half = await anext(stream.chunks)
                assert len(half) == 30
                assert there.faults.expire_watches() == 1
                with pytest.raises(TransportError):
                    await anext(stream.chunks)

    virtual(scenario())


def test_a_watch_that_is_held_goes_on_in_order() -> None:  # F2, W1
    async def scenario() -> None:
        async with env() as there:
            watching = asyncio.ensure_future(watched(there.client("operator"), timeout_seconds=60))
            await asyncio.sleep(1)
            with there.faults.hold_watches(CONFIG_MAPS):
                for name in ("a", "b", "c"):
                    await there.client().create(CONFIG_MAPS, named(name))
                await asyncio.sleep(30)
                assert not watching.done()
            assert await watching == (["a", "b", "c"], None)

    virtual(scenario())


def test_kinds_come_in_another_order_when_one_is_late() -> None:  # F2
    async def scenario() -> None:
        async with env() as there:
            client, told = there.client("operator"), list[tuple[str, float]]()
            there.faults.next("watch", CONFIG_MAPS, Late(5))

            async def follow(kind: Kind) -> None:
                async with client.watch(kind, "default", timeout_seconds=20) as events:
                    async for event in events:
                        told.append((event.object.name, now()))

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(follow(CONFIG_MAPS))
                tasks.create_task(follow(SECRETS))
                await asyncio.sleep(1)
                await there.client().create(CONFIG_MAPS, named("first"))
                await there.client().create(SECRETS, {"metadata": {"name": "then", "namespace": "default"}})
            assert told == [("then", 1), ("first", 6)]

    virtual(scenario())


def test_lists_from_a_cache_that_lags() -> None:
    async def scenario() -> None:
        async with env() as there:
            await there.client().create(CONFIG_MAPS, named("a"))
            old = (await there.client().list(CONFIG_MAPS)).resource_version
            await there.client().create(CONFIG_MAPS, named("b"))
            new = (await there.client().list(CONFIG_MAPS)).resource_version
            client = there.client("operator")
            with there.faults.always("list", CONFIG_MAPS, Stale(old)):

                async def listed(**options: Any) -> list[str]:
                    return [
                        each.name for each in (await client.list(CONFIG_MAPS, "default", **options)).items
                    ]

                assert await listed(resource_version="0") == ["a"]
                assert await listed(resource_version=old, resource_version_match="NotOlderThan") == ["a"]
                assert await listed(resource_version="0", limit=1) == ["a"]
                assert await listed() == ["a", "b"], "nothing but the newest will do"
                assert await listed(resource_version=new) == ["a", "b"]

    with pytest.raises(ValueError, match=r"Stale\(.*\) can happen to a list only; the verb is 'watch'"):
        Faults().next("watch", CONFIG_MAPS, Stale("7"))
    virtual(scenario())


def test_watches_without_bookmarks_and_watch_lists() -> None:
    async def scenario() -> None:
        async with env() as there:
            await there.client().create(CONFIG_MAPS, named("a"))
            client = there.client("operator")
            options: Any = {
                "bookmarks": True,
                "timeout_seconds": 200,
                "send_initial_events": True,
                "resource_version_match": "NotOlderThan",
            }
            usual, _ = await watched(client, **options)
            assert usual.count("BOOKMARK") > 1
            there.faults.next("watch", CONFIG_MAPS, NoBookmarks())
            assert await watched(client, **options) == (["a", "BOOKMARK"], None), "the end of what exists"
            with there.faults.refuse_watch_lists():
                _, error = await watched(client, **options)
                assert isinstance(error, Invalid)
                assert await watched(client, timeout_seconds=1) == (["a"], None)

    virtual(scenario())


async def _history(seed: int, names: list[str]) -> dict[str, list[str]]:
    """What goes wrong with each object, when they are written in that order."""
    async with env(faults=Faults.random(seed, rate=0.5)) as there:
        client = there.client("operator")
        for name in names:
            for _ in range(5):
                try:
                    await client.apply(CONFIG_MAPS, named(name, x="1"), force=True)
                except (ApiError, TransportError):
                    continue
        assert there.faults.injected
        there.faults.clear()
        for name in names:
            await client.apply(CONFIG_MAPS, named(name))
        told: dict[str, list[str]] = {}
        for each in there.faults.injected:
            told.setdefault(each.call.name, []).append(str(each))
        return told


def test_the_same_seed_gives_the_same_faults() -> None:  # F3
    one, again, other, turned = (
        run_virtual(_history(seed, names))
        for seed, names in ((1, ["a", "b"]), (1, ["a", "b"]), (2, ["a", "b"]), (1, ["b", "a"]))
    )
    assert one == again == turned != other


def test_a_seed_brings_every_fault() -> None:
    async def scenario() -> None:
        async with env(faults=Faults.random(3, rate=1.0)) as there:
            version = (await there.client().list(CONFIG_MAPS)).resource_version
            client = there.client("operator")
            for number in range(60):
                await watched(client, resource_version=version, timeout_seconds=1, bookmarks=True)
                try:
                    await client.apply(CONFIG_MAPS, named(f"{number}"), force=True)
                except (ApiError, TransportError):
                    continue
            struck = {type(each.fault) for each in there.faults.injected}
            assert struck >= {Conflict, Cut, Late, NoAnswer, NoBookmarks, Refused, Reset, Slow, WatchError}
            assert struck >= {Expired, InternalError, ServiceUnavailable, Timeout, TooManyRequests}

    virtual(scenario())


def test_controllers_and_operators_suffer_too() -> None:  # E4
    async def scenario() -> None:
        accounts = Kind("", "v1", "ServiceAccount", "serviceaccounts")
        async with env(controllers=["serviceaccount-controller"]) as there:
            rule = there.faults.next("create", accounts, InternalError, times=3)
            namespace = await there.namespace()
            await there.wait_for_object(accounts, namespace, "default")
            assert rule.hits == 3

    virtual(scenario())


def test_around_any_transport() -> None:
    async def scenario() -> None:
        async with env() as there:
            faults = Faults()
            client = Client(faults.around(there.client("mine").transport), user_agent="mine")
            faults.next("create", CONFIG_MAPS, AlreadyExists)
            with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
                await client.create(CONFIG_MAPS, named("a"))
            await client.create(CONFIG_MAPS, named("a"))
            await client.close()

    virtual(scenario())


def test_over_a_socket() -> None:
    async def scenario() -> None:
        from kajitori.client.config import load_config
        from kajitori.client.network import NetworkTransport

        async with TestEnv(serve=True) as there:
            import tempfile
            from pathlib import Path

            with tempfile.TemporaryDirectory() as folder:
                config = load_config(there.kubeconfig(Path(folder) / "kubeconfig"))
            faults = Faults()
            async with Client(faults.around(NetworkTransport(config)), user_agent="mine") as client:
                version = (await client.list(CONFIG_MAPS)).resource_version
                faults.next("create", CONFIG_MAPS, Reset(acted=True))
                with pytest.raises(TransportError):
                    await client.create(CONFIG_MAPS, named("a"))
                faults.next("watch", CONFIG_MAPS, Cut(after_events=1))
                told, error = await watched(client, resource_version=version)
                assert (told, type(error)) == (["a"], TransportError)

    asyncio.run(scenario())


def test_options_that_are_none() -> None:
    with pytest.raises(
        TypeError, match=r"TestEnv: unknown: controler; known are controllers, operators, crds"
    ):
        TestEnv(controler=True)  # type: ignore[call-arg]
