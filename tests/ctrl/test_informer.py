"""Informers and the cache: what handlers hear, what readers see, when informers live."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ctrl.scripted import PODS, WIDGETS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.labels import parse_label_selector
from kajitori.client import Client
from kajitori.client.objects import WatchEvent
from kajitori.ctrl import Cache, CacheOptions, Change, NotInCache
from kajitori.ctrl.informer import TURN_CHANGES, Informer, InformerStopped
from kajitori.ctrl.store import Store
from kajitori.testing import run_virtual
from kajitori.world.random import SeededRandom


@asynccontextmanager
async def running_cache(respond: Callable[[Asked], Any]) -> AsyncIterator[tuple[Cache, Script]]:
    script = Script(respond)
    cache = Cache(Client(script), random=SeededRandom(1))
    task = asyncio.create_task(cache.run())
    try:
        yield cache, script
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def server(*lines: Any, listed: Any = None) -> Callable[[Asked], Any]:
    """Refuses to stream; lists; then sends lines once."""
    left = list(lines)

    def respond(asked: Asked) -> Any:
        from kajitori.apimachinery.errors import Invalid

        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if not asked.is_watch:
            return listed or pod_list(5, pod("a", 1), pod("b", 2, labels={"app": "x"}))
        sent, left[:] = list(left), []
        return sent

    return respond


def shown(change: Change) -> tuple[str, str, bool]:
    return (change.type, change.object.name, change.initial)


def observe(
    scene: Callable[[Cache, Informer], Coroutine[Any, Any, Any]], respond: Callable[[Asked], Any]
) -> Any:
    async def run() -> Any:
        async with running_cache(respond) as (cache, _):
            use = await cache.synced(PODS)
            return await scene(cache, use.informer)

    return run_virtual(run())


def test_a_handler_of_many_objects_hears_each_first_as_it_was_and_lets_others_have_their_turn() -> None:  # I1
    many = 2 * TURN_CHANGES + 10

    async def scene(cache: Cache, informer: Informer) -> None:
        heard, removed = list[Change](), list[Change]()
        registration = informer.add_handler(heard.append)
        gone = informer.add_handler(removed.append)
        assert len(heard) == TURN_CHANGES and not registration.has_synced
        gone.remove()
        last, before = pod(f"p{many - 1}", 9), pod(f"p{many - 2}", 9)
        informer.apply(WatchEvent("MODIFIED", freeze(last), "9"))
        informer.apply(WatchEvent("DELETED", freeze(before), "10"))
        assert [shown(each) for each in heard[TURN_CHANGES:]] == [
            ("create", f"p{many - 1}", True),
            ("update", f"p{many - 1}", False),
            ("create", f"p{many - 2}", True),
            ("delete", f"p{many - 2}", False),
        ]
        await registration.synced.wait()
        names = [each.object.name for each in heard if each.type == "create"]
        assert len(names) == len(set(names)) == many and len(removed) == TURN_CHANGES

    observe(scene, server(listed=pod_list(5, *(pod(f"p{number}", 1) for number in range(many)))))


def test_a_handler_hears_what_exists_and_then_every_change() -> None:  # I1
    async def scene(cache: Cache, informer: Informer) -> list[Any]:
        heard = list[Change]()
        registration = informer.add_handler(heard.append)
        assert registration.has_synced
        await asyncio.sleep(10)
        late = list[Change]()
        informer.add_handler(late.append)
        return [[shown(each) for each in heard], [shown(each) for each in late]]

    heard, late = observe(
        scene,
        server(5, event("ADDED", pod("c", 6)), event("MODIFIED", pod("c", 7)), event("DELETED", pod("a", 8))),
    )
    assert heard == [
        ("create", "a", True),
        ("create", "b", True),
        ("create", "c", False),
        ("update", "c", False),
        ("delete", "a", False),
    ]
    assert late == [("create", "b", True), ("create", "c", True)]


def test_what_a_list_lacks_is_told_as_missed() -> None:  # I4
    lists = [pod_list(5, pod("a", 1), pod("b", 2)), pod_list(9, pod("b", 8))]

    def respond(asked: Asked) -> Any:
        from kajitori.apimachinery.errors import Expired, Invalid

        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if not asked.is_watch:
            return lists.pop(0)
        return [event("ERROR", Expired("old").to_status())] if lists else []

    async def scene(cache: Cache, informer: Informer) -> list[Any]:
        heard = list[Change]()
        informer.add_handler(heard.append)
        await asyncio.sleep(10)
        return [
            (each.type, each.object.name, each.object.resource_version, each.missed) for each in heard[2:]
        ]

    assert observe(scene, respond) == [("update", "b", "8", False), ("delete", "a", "1", True)]


def test_a_handler_that_raises_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:  # I2
    async def scene(cache: Cache, informer: Informer) -> tuple[int, int]:
        def fail(change: Change) -> None:
            raise KeyError("oops")

        heard = list[Change]()
        informer.add_handler(fail)
        informer.add_handler(heard.append)
        await asyncio.sleep(10)
        return len(heard), informer.handler_errors

    assert observe(scene, server(5, event("ADDED", pod("c", 6)))) == (3, 3)
    assert "handler failed" in caplog.text


def test_a_handler_may_remove_itself_and_hears_nothing_more() -> None:  # I3
    async def scene(cache: Cache, informer: Informer) -> list[str]:
        heard = list[str]()

        def once(change: Change) -> None:
            if not change.initial:
                heard.append(change.object.name)
                registration.remove()
                registration.remove()

        registration = informer.add_handler(once)
        await asyncio.sleep(10)
        return heard

    assert observe(scene, server(5, event("ADDED", pod("c", 6)) + event("ADDED", pod("d", 7)))) == ["c"]


def test_a_handler_added_by_a_handler_hears_everything_once() -> None:  # I1
    async def scene(cache: Cache, informer: Informer) -> list[str]:
        heard = list[str]()

        def add_another(change: Change) -> None:
            if not change.initial and change.object.name == "c":
                informer.add_handler(lambda inner: heard.append(inner.object.name))

        informer.add_handler(add_another)
        await asyncio.sleep(10)
        return heard

    assert observe(scene, server(5, event("ADDED", pod("c", 6)), event("ADDED", pod("d", 7)))) == [*"abcd"]


def test_versions_passed_are_told_once_and_in_time() -> None:  # I5
    async def scene(cache: Cache, informer: Informer) -> list[Any]:
        passed = list[Any]()
        now = asyncio.get_running_loop().time

        def note(name: str) -> Callable[[], None]:
            return lambda: passed.append((name, round(now())))

        informer.when_passed(5, note("known"))
        informer.when_passed(7, note("by event"))
        informer.when_passed(20, note("by bookmark"))
        informer.when_passed(8, note("cancelled"))()
        informer.when_gone(("default", "a"), "uid-a", note("gone"))
        await asyncio.sleep(60)
        return passed

    lines = (5, event("ADDED", pod("c", 7)), 5, bookmark(30), 5, event("DELETED", pod("a", 31)))
    got = observe(scene, server(*lines))
    assert [name for name, _ in got] == ["known", "by event", "by bookmark", "gone"]
    assert got[2][1] - got[1][1] == 5 and got[3][1] - got[2][1] == 5


def test_resyncs_tell_everything_again_without_a_request() -> None:  # I6
    async def run() -> tuple[list[Any], int]:
        async with running_cache(server()) as (cache, script):
            use = await cache.synced(PODS)
            heard, others = list[Change](), list[Change]()
            registration = use.informer.add_handler(heard.append, resync_seconds=60)
            use.informer.add_handler(others.append)
            asked = len(script.asked)
            await asyncio.sleep(100)
            registration.remove()
            await asyncio.sleep(180)
            assert len(others) == 2
            return [(each.type, each.object is each.old) for each in heard[2:]], len(script.asked) - asked

    assert run_virtual(run()) == ([("update", True)] * 2, 0)


def test_nobody_can_be_added_to_what_has_stopped() -> None:
    async def run() -> None:
        async with running_cache(server()) as (cache, script):
            use = await cache.synced(PODS)
            use.release()
            await asyncio.sleep(1)
            with pytest.raises(InformerStopped):
                use.informer.add_handler(lambda change: None)
            assert script.open_streams == 0

    run_virtual(run())


def test_one_informer_a_kind_until_the_last_use_is_released() -> None:  # A1, A2
    async def run() -> None:
        async with running_cache(server()) as (cache, script):
            first, second = await cache.synced(PODS), await cache.synced(PODS)
            assert first.informer is second.informer
            assert len([each for each in script.asked if not each.is_watch]) == 1
            first.release()
            first.release()
            assert cache.get(PODS, "default", "a") is not None
            second.release()
            await asyncio.sleep(1)
            with pytest.raises(NotInCache, match="is not cached"):
                cache.get(PODS, "default", "a")
            assert (await cache.synced(PODS)).informer is not first.informer

    run_virtual(run())


def test_reading_what_is_not_there_yet_is_an_error() -> None:  # A3
    async def run() -> None:
        async with running_cache(server()) as (cache, _):
            with pytest.raises(NotInCache):
                cache.list(WIDGETS)
            cache.use(WIDGETS)
            with pytest.raises(NotInCache, match="not been listed"):
                cache.get(WIDGETS, "n", "a")

    run_virtual(run())


def test_reading_by_name_labels_and_index() -> None:
    async def scene(cache: Cache, informer: Informer) -> list[Any]:
        cache.add_index(PODS, "version", lambda value: [value.resource_version])

        def names(found: list[Any]) -> list[str]:
            return [each.name for each in found]

        first = [
            cache.get(PODS, "default", "zzz"),
            names(cache.list(PODS)),
            names(cache.list(PODS, "other")),
            names(cache.list(PODS, labels=parse_label_selector("app=x"))),
            names(cache.list(PODS, index=("version", "2"))),
        ]
        await asyncio.sleep(10)
        return [*first, names(cache.list(PODS, index=("version", "2"))), names(cache.list(PODS, "other"))]

    lines = (event("MODIFIED", pod("b", 6)), event("ADDED", pod("c", 7, "other")))
    assert observe(scene, server(5, *lines)) == [None, ["a", "b"], [], ["b"], ["b"], [], ["c"]]


def test_managed_fields_are_left_out_and_the_rest_is_frozen() -> None:  # A4
    listed = pod_list(5, pod("a", 1, managedFields=[{"manager": "x"}]))

    async def scene(cache: Cache, informer: Informer) -> None:
        found = cache.get(PODS, "default", "a")
        assert found is not None and "managedFields" not in found.metadata
        with pytest.raises(TypeError):
            found["metadata"]["name"] = "b"

    observe(scene, server(listed=listed))


def test_what_many_objects_say_is_kept_once() -> None:  # A5
    listed = pod_list(5, *(pod(name, 1, labels={"app": "the same"}) for name in "ab"))

    async def scene(cache: Cache, informer: Informer) -> None:
        one, other = cache.list(PODS)
        assert one["kind"] is other["kind"] and one["apiVersion"] is other["apiVersion"]
        assert one.namespace is other.namespace == "default"
        assert one.labels["app"] is other.labels["app"] == "the same"

    observe(scene, server(listed=listed))


def test_options_narrow_and_prepare() -> None:
    def drop_spec(value: dict[str, Any]) -> dict[str, Any]:
        value.pop("spec", None)
        return value

    async def run() -> None:
        async with running_cache(server(listed=pod_list(5, {**pod("a", 1), "spec": {}}))) as (cache, script):
            cache.configure(PODS, CacheOptions(["n"], labels="a=b", fields="c=d", prepare=drop_spec))
            await cache.synced(PODS)
            assert "spec" not in cache.list(PODS)[0]
            assert script.asked[0].path == "/api/v1/namespaces/n/pods"
            assert script.asked[0].query["labelSelector"] == "a=b"
            assert script.asked[0].query["fieldSelector"] == "c=d"
            with pytest.raises(RuntimeError, match="before its first use"):
                cache.configure(PODS, CacheOptions())

    run_virtual(run())


pods = st.builds(
    lambda name, namespace, color: pod(name, 1, namespace, labels={"color": color}),
    st.sampled_from("abc"),
    st.sampled_from(["n", "m"]),
    st.sampled_from(["red", "blue"]),
)


@given(st.lists(st.tuples(st.booleans(), pods)))
def test_every_way_of_listing_agrees_with_a_scan(steps: list[tuple[bool, dict[str, Any]]]) -> None:  # S1, S2
    store, plain = Store(), dict[Any, Any]()
    store.add_index("color", lambda value: [value["metadata"]["labels"]["color"]])
    for is_put, value in steps:
        key = (value["metadata"]["namespace"], value["metadata"]["name"])
        if is_put:
            assert store.put(value) == plain.get(key)
            plain[key] = value
        else:
            assert store.remove(key) == plain.pop(key, None)

    def by_key(values: Any) -> list[Any]:
        return sorted(values, key=str)

    for namespace in (None, "n", "m"):
        for color in ("red", "blue"):
            wanted = [
                value
                for key, value in plain.items()
                if namespace in (None, key[0]) and value["metadata"]["labels"]["color"] == color
            ]
            assert by_key(store.list(namespace, None, [("color", color)])) == by_key(wanted)
            assert by_key(store.list(namespace, parse_label_selector(f"color={color}"))) == by_key(wanted)
