"""What a cache keeps of a kind: namespaces, selections, forms, fields; and what it cannot read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import Invalid
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client, key_of
from kajitori.ctrl import ALL_NAMESPACES, Cache, CacheOptions, Change, NotInCache, Selection, UnreadableObject
from kajitori.ctrl.informer import InformerStopped
from kajitori.testing import run_virtual
from kajitori.world.random import SeededRandom

NODES = Kind("", "v1", "Node", "nodes", namespaced=False)


class PodSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    node_name: str = ""
    priority: int = 0


class Pod(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    __kind__ = PODS

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()


class RedPod(Pod, frozen=True):
    """The same kind once more, to be cached otherwise."""


@asynccontextmanager
async def running(respond: Callable[[Asked], Any], **options: Any) -> AsyncIterator[tuple[Cache, Script]]:
    script = Script(respond)
    cache = Cache(Client(script), random=SeededRandom(1), **options)
    task = asyncio.create_task(cache.run())
    try:
        yield cache, script
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listing(*pods: dict[str, Any], then: dict[str, list[Any]] | None = None) -> Callable[[Asked], Any]:
    """Refuses to stream; lists what is in the namespace asked for; then sends lines, by path, once."""
    left = dict(then or {})

    def respond(asked: Asked) -> Any:
        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if asked.is_watch:
            return left.pop(asked.path, [])
        parts = asked.path.split("/")
        namespace = parts[4] if "namespaces" in parts else None
        return pod_list(5, *(each for each in pods if namespace in (None, each["metadata"]["namespace"])))

    return respond


def path(namespace: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"


def names(found: Any) -> list[str]:
    return sorted(key_of(each).name for each in found)


def test_several_namespaces_make_one_informer() -> None:  # I9
    async def run() -> None:
        lines = {path("n"): [1, event("ADDED", pod("d", 6, "n"))], path("m"): [2, bookmark(9)]}
        pods = [pod("a", 1, "n"), pod("b", 2, "m"), pod("c", 3, "other")]
        async with running(listing(*pods, then=lines), defaults=CacheOptions(["n", "m"])) as (cache, script):
            heard = list[Change]()
            use = cache.use(PODS)
            registration = use.informer.add_handler(heard.append)
            await use.informer.wait_synced()
            assert registration.has_synced
            assert names(cache.list(PODS)) == ["a", "b"] and names(cache.list(PODS, "m")) == ["b"]
            await asyncio.sleep(10)
            assert [(each.type, each.object.name, each.initial) for each in heard] == [
                ("create", "a", True),
                ("create", "b", True),
                ("create", "d", False),
            ]
            assert use.informer.resource_versions == {"n": "6", "m": "9"}
            assert use.informer.has_passed(9, "m") and not use.informer.has_passed(9, "n")
            assert {each.path for each in script.asked} == {path("n"), path("m")}
            with pytest.raises(NotInCache, match="in m, n only, not in other"):
                cache.get(PODS, "other", "c")

    run_virtual(run())


def test_a_new_list_of_one_namespace_leaves_the_others_alone() -> None:  # I9
    async def run() -> None:
        def respond(asked: Asked) -> Any:
            if asked.path == path("n") and not asked.is_watch and asked.query.get("resourceVersion") == "5":
                return pod_list(8)
            return before(asked)

        gone = Invalid("broken").to_status()
        before = listing(pod("a", 1, "n"), pod("b", 2, "m"), then={path("n"): [1, event("ERROR", gone)]})
        async with running(respond) as (cache, _):
            cache.configure(PODS, CacheOptions({"n": Selection(), "m": Selection()}))
            use = await cache.synced(PODS)
            heard = list[Change]()
            use.informer.add_handler(heard.append)
            await asyncio.sleep(10)
            assert names(cache.list(PODS)) == ["b"]
            assert [(each.type, each.missed) for each in heard[2:]] == [("delete", True)]

    run_virtual(run())


def test_namespaces_have_selections_of_their_own() -> None:
    async def run() -> None:
        async with running(listing(), defaults=CacheOptions(labels="app=x")) as (cache, script):
            chosen = {
                "n": Selection(labels="color=red"),
                "m": Selection(labels=""),
                ALL_NAMESPACES: Selection(),
            }
            cache.configure(PODS, CacheOptions(chosen, fields="spec.nodeName=n1"))
            await cache.synced(PODS)
            asked = {each.path: each.query for each in script.asked if not each.is_watch}
            assert {where: query.get("labelSelector") for where, query in asked.items()} == {
                path("n"): "color=red",
                path("m"): None,
                path(): "app=x",
            }
            rest = "spec.nodeName=n1,metadata.namespace!=n,metadata.namespace!=m"
            assert asked[path()]["fieldSelector"] == rest
            assert asked[path("n")]["fieldSelector"] == "spec.nodeName=n1"

    run_virtual(run())


def test_kinds_without_namespaces_are_cached_everywhere() -> None:
    async def run() -> None:
        async with running(listing(), defaults=CacheOptions(["n"])) as (cache, script):
            await cache.synced(NODES)
            assert script.asked[0].path == "/api/v1/nodes"
            with pytest.raises(ValueError, match="cluster-scoped"):
                cache.configure(NODES, CacheOptions(["n"]))

    run_virtual(run())


def test_one_kind_is_cached_in_as_many_ways_as_there_are_models() -> None:
    async def run() -> None:
        async with running(listing(pod("a", 1))) as (cache, script):
            cache.configure(RedPod, CacheOptions(labels="color=red"))
            for model in (PODS, Pod, RedPod):
                await cache.synced(model)
            assert isinstance(cache.list(Pod)[0], Pod) and isinstance(cache.list(RedPod)[0], RedPod)
            assert cache.list(PODS)[0].name == "a"
            assert len(cache.find(PODS)) == 3
            selectors = [each.query.get("labelSelector") for each in script.asked if not each.is_watch]
            assert selectors == [None, None, "color=red"]

    run_virtual(run())


def test_only_the_metadata_of_a_class_may_be_cached() -> None:
    async def run() -> None:
        async with running(listing(pod("a", 1, labels={"app": "x"}))) as (cache, script):
            use = await cache.synced(Pod, metadata_only=True)
            found = cache.get(Pod, "default", "a", metadata_only=True)
            assert found is not None and found.metadata.labels == {"app": "x"}
            assert not hasattr(found, "spec")
            assert names(cache.list(Pod, metadata_only=True)) == ["a"]
            assert "PartialObjectMetadata" in script.asked[-1].headers["accept"]
            with pytest.raises(NotInCache, match="metadata_only=True"):
                cache.get(Pod, "default", "a")
            use.release()

    run_virtual(run())


def test_managed_fields_are_kept_of_those_who_are_named() -> None:
    entries = [{"manager": "us", "operation": "Apply"}, {"manager": "kubectl", "operation": "Update"}]
    named = CacheOptions(keep_managed_fields=frozenset({"us"}))

    async def run() -> None:
        pods = [pod("a", 1, managedFields=entries), pod("b", 2, managedFields=entries[1:])]
        async with running(listing(*pods), defaults=named) as (cache, _):
            await cache.synced(PODS)
            kept = {each.name: each["metadata"].get("managedFields") for each in cache.list(PODS)}
            assert kept == {"a": entries[:1], "b": None}
            cache.configure(PODS, named)  # It is so already.
            with pytest.raises(RuntimeError, match="cached already"):
                cache.configure(PODS, CacheOptions(keep_managed_fields=True))

    run_virtual(run())


def test_objects_of_a_class_are_prepared_and_transformed() -> None:
    def prepare(value: dict[str, Any]) -> dict[str, Any]:
        value["spec"] = {"priority": value["metadata"]["annotations"].pop("priority")}
        return value

    def transform(value: Pod) -> Pod:
        return msgspec.structs.replace(value, spec=PodSpec(node_name=f"p{value.spec.priority}"))

    async def run() -> None:
        async with running(listing(pod("a", 1, annotations={"priority": 7}))) as (cache, _):
            cache.configure(Pod, CacheOptions(prepare=prepare, transform=transform))
            cache.configure(PODS, CacheOptions(transform=lambda value: {"metadata": value["metadata"]}))
            await cache.synced(Pod)
            await cache.synced(PODS)
            assert cache.list(Pod)[0].spec == PodSpec(node_name="p7")
            untyped = cache.list(PODS)[0]
            assert untyped.name == "a" and "kind" not in untyped
            with pytest.raises(TypeError):
                untyped["kind"] = "Pod"

    run_virtual(run())


def test_nobody_can_change_what_a_class_holds() -> None:  # A4
    async def run() -> None:
        async with running(listing(pod("a", 1, labels={"app": "x"}))) as (cache, _):
            await cache.synced(Pod)
            found = cache.list(Pod)[0]
            mapping: Any
            for mapping in (found.metadata.labels, found.metadata.annotations):
                with pytest.raises(TypeError, match="frozen"):
                    mapping["y"] = "z"

    class Loose(msgspec.Struct):
        __kind__ = PODS
        metadata: ObjectMeta

    run_virtual(run())
    with pytest.raises(TypeError, match=r"Loose is not frozen.*frozen=True"):
        Cache(Client(Script(listing())), random=SeededRandom(1)).use(Loose)


def test_an_object_that_its_class_cannot_hold_hides_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:  # K2, I8
    bad = {**pod("bad", 2), "spec": {"priority": "high"}}
    worse = {**pod("a", 6), "spec": {"nodeName": 7}}
    lines = [
        1,
        event("MODIFIED", worse),
        1,
        event("MODIFIED", pod("a", 7)),
        1,
        event("MODIFIED", pod("bad", 8)),
    ]

    async def run() -> None:
        async with running(listing(pod("a", 1), bad, pod("c", 3), then={path(): lines})) as (cache, _):
            use = await cache.synced(Pod)
            heard = list[Change]()
            use.informer.add_handler(heard.append)
            assert names(cache.list(Pod)) == ["a", "c"]
            with pytest.raises(
                UnreadableObject, match=r"default/bad.*Expected `int`, got `str` - at `\$.spec.priority`"
            ):
                cache.get(Pod, "default", "bad")
            await asyncio.sleep(1.5)
            assert names(cache.list(Pod)) == ["c"] and len(heard) == 2
            assert set(use.informer.store.unreadable) == {("default", "a"), ("default", "bad")}
            await asyncio.sleep(3)
            assert names(cache.list(Pod)) == ["a", "bad", "c"] and not use.informer.store.unreadable
            told = [(each.type, each.object.metadata.name, each.old is not None) for each in heard[2:]]
            assert told == [("update", "a", True), ("create", "bad", False)]
            assert use.informer.replacements == 1

    run_virtual(run())
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == [
        "an object cannot be read; it counts as there, and is told when it can be read"
    ] * 2


def test_what_cannot_be_read_goes_as_anything_else() -> None:  # I8
    bad = {**pod("a", 6), "spec": 1}
    lines = [
        1,
        event("MODIFIED", bad),
        event("DELETED", {**bad, "metadata": {**bad["metadata"], "resourceVersion": "7"}}),
    ]

    async def run() -> None:
        async with running(listing(pod("a", 1), then={path(): lines})) as (cache, _):
            use = await cache.synced(Pod)
            heard = list[Change]()
            use.informer.add_handler(heard.append)
            await asyncio.sleep(10)
            assert cache.get(Pod, "default", "a") is None
            last = heard[-1]
            assert (last.type, last.object.metadata.resource_version, last.missed) == ("delete", "1", True)

    run_virtual(run())


def test_an_index_that_fails_leaves_everything_else(caplog: pytest.LogCaptureFixture) -> None:  # S3
    async def run() -> None:
        async with running(listing(pod("a", 1), pod("b", 2, labels={"app": "x"}))) as (cache, _):
            cache.add_index(PODS, "app", lambda value: [value.labels["app"]])
            use = await cache.synced(PODS)
            assert names(cache.list(PODS)) == ["a", "b"]
            assert names(cache.list(PODS, index=("app", "x"))) == ["b"]
            assert use.informer.store.index_errors == 1

    run_virtual(run())
    assert "index function failed" in caplog.text


@pytest.mark.parametrize("model", [PODS, Pod])
def test_lists_by_fields(model: Any) -> None:  # A6
    def on(name: str, version: int, node: str, priority: int, namespace: str = "default") -> dict[str, Any]:
        return {**pod(name, version, namespace), "spec": {"nodeName": node, "priority": priority}}

    pods = [
        on("a", 1, "n1", 1),
        on("b", 2, "n1", 2),
        on("c", 3, "n2", 1),
        on("a", 4, "n1", 1, "m"),
        pod("d", 5),
    ]

    async def run() -> None:
        async with running(listing(*pods)) as (cache, _):
            cache.index_field(model, "spec.nodeName")
            cache.index_field(model, "spec.nodeName")
            cache.index_field(model, "spec.priority")
            await cache.synced(model)

            def listed(fields: str, namespace: str | None = None) -> list[str]:
                return names(cache.list(model, namespace, fields=fields))

            assert listed("spec.nodeName=n1") == ["a", "a", "b"]
            assert listed("spec.nodeName=n1,spec.priority=1", "default") == ["a"]
            assert listed("metadata.name=a,metadata.namespace=m") == ["a"]
            assert listed("metadata.namespace=m", "default") == []
            assert listed("metadata.name=a") == ["a", "a"]
            assert "d" in listed("spec.nodeName=")
            assert len(cache.list(model, limit=2)) == 2
            with pytest.raises(ValueError, match=r"not indexed by spec\.x; call cache\.index_field"):
                listed("spec.x=1")
            with pytest.raises(ValueError, match="exact values"):
                listed("spec.nodeName!=n1")

    run_virtual(run())


def test_an_informer_may_be_removed_whoever_uses_it() -> None:
    async def run() -> None:
        async with running(listing(pod("a", 1), then={path(): [5, event("ADDED", pod("b", 6))]})) as (
            cache,
            script,
        ):
            use = await cache.synced(PODS)
            heard = list[Change]()
            use.informer.add_handler(heard.append)
            cache.remove(PODS)
            cache.remove(PODS)
            with pytest.raises(InformerStopped):
                use.informer.add_handler(heard.append)
            await asyncio.sleep(10)
            assert len(heard) == 1 and script.open_streams == 0 and use.informer.has_stopped
            again = await cache.synced(PODS)
            use.release()
            assert again.informer is not use.informer and names(cache.list(PODS)) == ["a"]

    run_virtual(run())


def test_what_counts_for_all_kinds_is_said_before_the_first_is_used() -> None:
    async def run() -> None:
        cache = Cache(Client(Script(lambda asked: None)), random=SeededRandom(1))
        cache.configure_all(CacheOptions(namespaces=["shop"]))
        assert list(cache.options(PODS).selections()) == ["shop"]
        cache.use(PODS)
        with pytest.raises(RuntimeError, match="before their first use"):
            cache.configure_all(CacheOptions())

    asyncio.run(run())


def test_one_namespace_is_not_taken_for_several_of_one_letter() -> None:
    with pytest.raises(TypeError, match=r"say namespaces=\['default'\]"):
        CacheOptions(namespaces="default")
    assert list(CacheOptions(namespaces="").selections()) == [ALL_NAMESPACES]
