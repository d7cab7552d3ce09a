"""Watches: every event once, in order, and nothing lost in between."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from tests.apiserver.support import (
    CONFIG_MAPS,
    CORE,
    MERGE,
    PODS,
    Api,
    Watching,
    config_map,
    define,
    definition,
    pod,
    served,
    served_in_virtual_time,
    served_on_disk,
)
from tests.storage.support import rounds

from kajitori.apiserver.registry import watching
from kajitori.client.transport import TransportError

INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def label(api: Api, name: str, **labels: str | None) -> str:
    told = await api.ok("PATCH", f"{CONFIG_MAPS}/{name}", {"metadata": {"labels": labels}}, type=MERGE)
    return told.revision


@served
async def test_events_come_in_order_with_their_revisions(api: Api) -> None:  # W1 W2
    start = api.store.revision
    async with api.watch(f"{CONFIG_MAPS}?resourceVersion={start}") as watch:
        made = await api.ok("POST", CONFIG_MAPS, config_map("a"))
        changed = await label(api, "a", x="1")
        await api.ok("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("other"))
        await api.ok("DELETE", f"{CONFIG_MAPS}/a")
        events = [await watch.next() for _ in range(3)]
    assert [type_ for type_, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
    revisions = [int(obj["metadata"]["resourceVersion"]) for _, obj in events]
    assert revisions == [int(made.revision), int(changed), api.store.revision]
    # The last state, as of the deletion.
    assert events[2][1]["metadata"]["labels"] == {"x": "1"}


@served
async def test_the_past_is_replayed_from_any_revision(api: Api) -> None:  # W2
    revisions = [(await api.ok("POST", CONFIG_MAPS, config_map(f"c{each}"))).revision for each in range(4)]
    for index, revision in enumerate(revisions):
        async with api.watch(f"{CONFIG_MAPS}?resourceVersion={revision}") as watch:
            await label(api, "c0", n=str(index))
            told = await watch.take(4 - index)
            assert [name for type_, name in told if type_ == "ADDED"] == [
                f"c{each}" for each in range(index + 1, 4)
            ]


@served
async def test_what_is_too_old_or_yet_to_come_is_an_error_in_the_stream(api: Api) -> None:  # W2
    old = api.store.revision
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.store.compact(api.store.revision)
    for revision, code, reason in ((old, 410, "Expired"), (10**9, 504, "Timeout")):
        async with api.watch(f"{CONFIG_MAPS}?resourceVersion={revision}") as watch:
            assert watch.status == 200
            events = await watch.rest()
            assert [(type_, obj["code"], obj["reason"]) for type_, obj in events] == [("ERROR", code, reason)]
    async with api.watch(f"{CONFIG_MAPS}?{INITIAL}&resourceVersion=999999999") as watch:
        assert [obj["reason"] for _, obj in await watch.rest()] == ["Timeout"]


@pytest.mark.parametrize("query", ["", "resourceVersion=0", INITIAL, f"{INITIAL}&resourceVersion=5"])
@served
async def test_a_watch_from_nowhere_begins_with_what_there_is(api: Api, query: str) -> None:  # W3
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.ok("POST", CONFIG_MAPS, config_map("b"))
    async with api.watch(f"{CONFIG_MAPS}?{query}") as watch:
        assert await watch.take(2) == [("ADDED", "a"), ("ADDED", "b")]
        if "allowWatchBookmarks" in query:
            type_, bookmark = await watch.next()
            assert type_ == "BOOKMARK" and bookmark["kind"] == "ConfigMap"
            assert bookmark["metadata"] == {
                "resourceVersion": str(api.store.revision),
                "annotations": {"k8s.io/initial-events-end": "true"},
            }
        await api.ok("DELETE", f"{CONFIG_MAPS}/a")
        assert await watch.take(1) == [("DELETED", "a")]


@served
async def test_a_watch_may_leave_out_what_there_is(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    query = INITIAL.replace("sendInitialEvents=true", "sendInitialEvents=false")
    async with api.watch(f"{CONFIG_MAPS}?{query}") as watch:
        await api.ok("POST", CONFIG_MAPS, config_map("b"))
        assert await watch.take(1) == [("ADDED", "b")]


@served_on_disk
async def test_a_watch_that_begins_while_others_write_misses_and_repeats_nothing(api: Api) -> None:  # W1 W3
    done = asyncio.Event()

    async def write(part: int) -> None:
        for number in range(25):
            await api.ok("POST", CONFIG_MAPS, config_map(f"c{part}-{number:02}"))

    async def read(delay: int) -> None:
        for _ in range(delay):
            await asyncio.sleep(0)
        seen: list[str] = []
        async with api.watch(f"{CONFIG_MAPS}?{INITIAL}") as watch:
            while len(seen) < 100:
                type_, obj = await watch.next()
                if type_ == "ADDED":
                    seen.append(obj["metadata"]["name"])
        assert len(set(seen)) == 100

    await asyncio.gather(*map(write, range(4)), *(read(delay * 7) for delay in range(12)))
    done.set()


@served
async def test_one_object_by_its_path_or_its_name(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.ok("POST", CONFIG_MAPS, config_map("ab"))
    paths = (
        f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Da",
        "/api/v1/configmaps?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault",
        "/api/v1/watch/namespaces/default/configmaps/a",
    )
    for round_, path in enumerate(paths):
        async with api.watch(path) as watch:
            assert await watch.take(1) == [("ADDED", "a")]
            await label(api, "ab", round=str(round_))
            await label(api, "a", round=str(round_))
            assert await watch.take(1) == [("MODIFIED", "a")]


@served
async def test_the_name_in_the_path_is_the_one_selected(api: Api) -> None:
    for selector in ("metadata.name%3Db", "metadata.name!%3Da", "metadata.namespace%3Ddefault"):
        path = f"/api/v1/watch/namespaces/default/configmaps/a?fieldSelector={selector}"
        told = await api.refused(400, "GET", path)
        assert told.message == "fieldSelector metadata.name doesn't match requested name"


@served
async def test_what_starts_or_stops_matching_is_told(api: Api) -> None:  # W5
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    start = api.store.revision
    async with api.watch(f"{CONFIG_MAPS}?labelSelector=on%3Dyes&resourceVersion={start}") as watch:
        await label(api, "a", off="1")
        on = await label(api, "a", on="yes")
        changed = await label(api, "a", on="yes", more="1")
        off = await label(api, "a", on="no")
        await label(api, "a", on="never")
        again = await label(api, "a", on="yes")
        await api.ok("DELETE", f"{CONFIG_MAPS}/a")
        events = [await watch.next() for _ in range(5)]
    assert [(type_, obj["metadata"]["resourceVersion"]) for type_, obj in events] == [
        ("ADDED", on),
        ("MODIFIED", changed),
        ("DELETED", off),
        ("ADDED", again),
        ("DELETED", str(api.store.revision)),
    ]
    # What left the selection is shown as it was when it was last in it.
    assert events[2][1]["metadata"]["labels"] == {"off": "1", "on": "yes", "more": "1"}


@served
async def test_fields_are_followed_too(api: Api) -> None:  # W5
    await api.ok("POST", PODS, pod("a"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "a"},
        "target": {"kind": "Node", "name": "n"},
    }
    async with (
        api.watch(f"{PODS}?fieldSelector=spec.nodeName%3Dn") as mine,
        api.watch(f"{PODS}?fieldSelector=spec.nodeName%3D") as unbound,
    ):
        assert await unbound.take(1) == [("ADDED", "a")]
        await api.ok("POST", f"{PODS}/a/binding", binding)
        assert await mine.take(1) == [("ADDED", "a")]
        assert await unbound.take(1) == [("DELETED", "a")]


@served
async def test_shards_share_the_events(api: Api) -> None:
    bounds = ("0x0000000000000000", "0x8000000000000000", "0x10000000000000000")
    told: list[list[tuple[str, str]]] = []
    start = api.store.revision
    for number in range(6):
        await api.ok("POST", CONFIG_MAPS, config_map(f"c{number}"))
    await label(api, "c0", x="1")
    await api.ok("DELETE", f"{CONFIG_MAPS}/c1")
    for low, high in pairwise(bounds):
        shard = quote(f"shardRange(object.metadata.uid, '{low}', '{high}')")
        query = f"resourceVersion={start}&timeoutSeconds=-1&shardSelector={shard}"
        async with api.watch(f"{CONFIG_MAPS}?{query}") as watch:
            told.append([(type_, obj["metadata"]["name"]) for type_, obj in await watch.rest()])
    whole = sorted([*(("ADDED", f"c{each}") for each in range(6)), ("MODIFIED", "c0"), ("DELETED", "c1")])
    assert sorted(told[0] + told[1]) == whole
    assert not {name for _, name in told[0]} & {name for _, name in told[1]}


@served
async def test_a_watch_of_what_there_is_goes_on_from_nowhere(api: Api) -> None:
    for query in ("continue=abc", "continue=abc&resourceVersion=0"):
        told = await api.refused(422, "GET", f"{CONFIG_MAPS}?watch=true&{query}")
        assert "resourceVersionMatch is forbidden when continue is provided" in told.message


@served
async def test_a_deletion_looks_alike_to_everybody(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a", labels={"x": "y"}))
    async with (
        api.watch(f"{CONFIG_MAPS}?labelSelector=x%3Dy") as selecting,
        api.watch(f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Da") as all_of_it,
    ):
        for each in (selecting, all_of_it):
            await each.next()
        await api.ok("DELETE", f"{CONFIG_MAPS}/a")
        assert await selecting.next() == await all_of_it.next()


@served
async def test_forms_do_not_mix(api: Api) -> None:
    await api.ok("POST", PODS, pod("a"))
    forms = {
        "plain": ("", "application/json"),
        "metadata": ("", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
        "rows": ("includeObject=None", TABLE),
        "objects": ("includeObject=Object", TABLE),
        "metadata rows": ("", TABLE),
    }
    seen: dict[str, Any] = {}
    open_: dict[str, Watching] = {}

    @asynccontextmanager
    async def all_open() -> AsyncIterator[None]:
        watches = [
            (name, api.watch(f"{PODS}?{query}", accept=accept)) for name, (query, accept) in forms.items()
        ]
        for name, watch in watches:
            open_[name] = await watch.__aenter__()
        try:
            yield
        finally:
            for _, watch in watches:
                await watch.__aexit__(None, None, None)

    async with all_open():
        firsts = {name: (await watch.next())[1] for name, watch in open_.items()}
        await api.ok("PATCH", f"{PODS}/a", {"metadata": {"labels": {"x": "y"}}}, type=MERGE)
        for name, watch in open_.items():
            seen[name] = (await watch.next())[1]
    assert (seen["plain"]["kind"], seen["metadata"]["kind"]) == ("Pod", "PartialObjectMetadata")
    assert "spec" not in seen["metadata"]
    assert seen["rows"]["rows"][0]["object"] is None
    assert seen["objects"]["rows"][0]["object"]["kind"] == "Pod"
    assert seen["metadata rows"]["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    # Only the first table of a stream tells its columns.
    assert firsts["rows"]["columnDefinitions"] and seen["rows"]["columnDefinitions"] is None


@served
async def test_forms_that_cannot_be_streamed_are_refused(api: Api) -> None:
    for accept in ("application/yaml", f"application/yaml;{TABLE.partition(';')[2]}"):
        async with api.watch(CONFIG_MAPS, accept=accept) as watch:
            assert watch.status == 406
            assert b"application/json;stream=watch" in b"".join([chunk async for chunk in watch.chunks])


@served_in_virtual_time
async def test_bookmarks_come_every_minute_and_before_the_end(api: Api) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    times: list[int] = []
    query = f"resourceVersion={api.store.revision}&allowWatchBookmarks=true&timeoutSeconds=200"
    async with api.watch(f"{CONFIG_MAPS}?{query}") as watch:
        while True:
            try:
                type_, obj = await watch.next()
            except StopAsyncIteration:
                break
            assert type_ == "BOOKMARK" and obj["metadata"] == {"resourceVersion": str(api.store.revision)}
            times.append(round(loop.time() - began))
    assert times == [60, 120, 180, 198] and round(loop.time() - began) == 200


@served_in_virtual_time
async def test_a_bookmark_tells_of_writes_elsewhere(api: Api) -> None:
    query = f"resourceVersion={api.store.revision}&allowWatchBookmarks=true&timeoutSeconds=30"
    async with api.watch(f"{CONFIG_MAPS}?{query}") as watch:
        await api.ok("POST", f"{CORE}/secrets", {"metadata": {"name": "s"}})
        (told,) = await watch.rest()
    assert told[1]["metadata"]["resourceVersion"] == str(api.store.revision)


@served_in_virtual_time
async def test_a_watch_ends_in_its_time_or_after_half_an_hour_to_an_hour(api: Api) -> None:
    loop = asyncio.get_running_loop()
    for query, earliest, latest in (
        ("timeoutSeconds=1&allowWatchBookmarks=true", 1, 1),
        ("timeoutSeconds=-5", 0, 0),
        ("timeoutSeconds=0", 1800, 3600),
        ("", 1800, 3600),
    ):
        began = loop.time()
        async with api.watch(f"{CONFIG_MAPS}?resourceVersion={api.store.revision}&{query}") as watch:
            assert await watch.rest() == []
        assert earliest <= loop.time() - began <= latest + 0.1


class Sink:
    """A reader that takes only what it is told to."""

    def __init__(self) -> None:
        self.data = b""
        self.unread = 0
        self.taking = False
        self.writes = 0
        self.end = ""

    def write(self, data: bytes) -> int:
        assert not self.end
        self.data += data
        self.writes += bool(data)
        self.unread = 0 if self.taking else self.unread + len(data)
        return self.unread

    def close(self) -> None:
        self.end = "closed"

    def abort(self) -> None:
        self.end = "aborted"


@asynccontextmanager
async def opened(api: Api, path: str, sink: Sink) -> AsyncIterator[None]:
    """A watch that writes to `sink`."""
    transport: Any = api.transport
    target = path + ("&" if "?" in path else "?") + "watch=true"
    stream = await transport._answer("GET", target, {}, None)
    stream.on_start(sink)
    try:
        yield
    finally:
        stream.on_close()


def named(name: str) -> Callable[[int], bytes]:
    """What is stored under that name."""
    return lambda revision: b'{"metadata":{"name":"%s","resourceVersion":"%d"}}' % (name.encode(), revision)


async def fill(api: Api, count: int, size: int) -> None:
    for number in range(count):
        await api.ok("POST", CONFIG_MAPS, config_map(f"c{number:03}", k="x" * size))


@served_in_virtual_time
async def test_a_reader_that_falls_behind_is_broken_off_and_others_are_not(api: Api) -> None:  # W4
    slow, quick = Sink(), Sink()
    quick.taking = True
    path = f"{CONFIG_MAPS}?resourceVersion={api.store.revision}"
    async with opened(api, path, slow), opened(api, path, quick):
        await fill(api, 40, 500_000)
        assert slow.end == "aborted" and not quick.end
        assert len(slow.data) <= watching.BUFFER_BYTES_MAX + 600_000
        assert quick.data.count(b"\n") == 40


@served_in_virtual_time
async def test_initial_events_come_as_fast_as_they_are_taken_however_many(api: Api) -> None:  # W3 W4
    await fill(api, 40, 500_000)
    sink = Sink()
    async with opened(api, f"{CONFIG_MAPS}?{INITIAL}", sink):
        assert len(sink.data) < 2 * watching.AHEAD_BYTES_MAX, "the reader has not taken anything yet"
        # What happens meanwhile waits its turn.
        await label(api, "c000", x="1")
        await asyncio.sleep(1)
        assert len(sink.data) < 2 * watching.AHEAD_BYTES_MAX
        sink.taking, sink.unread = True, 0
        await asyncio.sleep(1)
        lines = sink.data.splitlines()
        assert len(lines) == 42 and not sink.end
    assert all(line.startswith(b'{"type":"ADDED"') for line in lines[:40])
    assert b"initial-events-end" in lines[40] and lines[41].startswith(b'{"type":"MODIFIED"')


@served_in_virtual_time
async def test_a_reader_that_never_takes_the_beginning_is_broken_off(api: Api) -> None:  # W4
    await fill(api, 10, 500_000)
    sink = Sink()
    async with opened(api, f"{CONFIG_MAPS}?{INITIAL}&timeoutSeconds=30", sink):
        for number in range(40):
            await label(api, f"c{number % 10:03}", n=str(number))
        assert sink.end == "aborted"
    sink = Sink()
    async with opened(api, f"{CONFIG_MAPS}?{INITIAL}&timeoutSeconds=30", sink):
        await asyncio.sleep(31)
        # A clean end would mean that there is no more.
        assert sink.end == "aborted"


@served_in_virtual_time
async def test_a_long_past_is_replayed_in_portions_too(api: Api) -> None:
    start = api.store.revision
    await fill(api, 10, 500_000)
    sink = Sink()
    async with opened(api, f"{CONFIG_MAPS}?resourceVersion={start}", sink):
        assert len(sink.data) < 2 * watching.AHEAD_BYTES_MAX
        sink.taking, sink.unread = True, 0
        await asyncio.sleep(1)
    assert sink.data.count(b'{"type":"ADDED"') == 10


@served
async def test_small_beginnings_are_one_write(api: Api) -> None:
    await fill(api, 50, 10)
    sink = Sink()
    sink.taking = True
    async with opened(api, f"{CONFIG_MAPS}?{INITIAL}", sink):
        assert sink.data.count(b"\n") == 51 and sink.writes == 1


@served
async def test_many_watchers_share_what_is_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from kajitori.apiserver.registry.render import Renderer

    rendered = 0
    event = Renderer.event

    def counted(self: Renderer, *arguments: Any, **options: Any) -> bytes:
        nonlocal rendered
        rendered += 1
        return event(self, *arguments, **options)

    monkeypatch.setattr(Renderer, "event", counted)
    sinks = [Sink() for _ in range(100)]
    path = f"{CONFIG_MAPS}?resourceVersion={api.store.revision}"
    async with asyncio.timeout(10):
        opened_ = [
            opened(api, path if each % 2 else path + "&labelSelector=!a", sink)
            for each, sink in enumerate(sinks)
        ]
        for each in opened_:
            await each.__aenter__()
        await api.ok("POST", CONFIG_MAPS, config_map("a"))
        await rounds(len(sinks))
        for each in opened_:
            await each.__aexit__(None, None, None)
    assert rendered == 1 and len({sink.data for sink in sinks}) == 1


@served
async def test_many_watchers_are_told_a_few_at_a_time(api: Api) -> None:  # W1 W6
    sinks = [Sink() for _ in range(3 * watching.TOLD_AT_ONCE)]
    async with AsyncExitStack() as stack:
        for sink in sinks:
            await stack.enter_async_context(
                opened(api, f"{CONFIG_MAPS}?resourceVersion={api.store.revision}", sink)
            )
        reads: Any = api.server._verbs["watch"]
        (watches,) = reads.__self__._watches.values()
        write: Any = api.store.put("/configmaps", "default/a", named("a"), expect=0)
        with pytest.raises(StopIteration):
            write.send(None)  # in memory a write is done at once
        told = [bool(sink.data) for sink in sinks]
        assert told == [number < watching.TOLD_AT_ONCE for number in range(len(sinks))]
        last = watches.open[-1]
        assert f'"resourceVersion":"{api.store.revision}"'.encode() in last.bookmark()
        assert all(sink.data.count(b"ADDED") == 1 for sink in sinks)
        # However many writes come in one turn, each watcher has them in their order.
        for number in range(watching.ROUNDS_MAX + 10):
            name = f"n{number:03}"
            await api.store.put("/configmaps", f"default/{name}", named(name), expect=0)
        await rounds(4 * watching.ROUNDS_MAX)
        for sink in sinks:
            found = re.findall(b'"name":"n([0-9]+)"', sink.data)
            assert found == sorted(found) and len(found) == watching.ROUNDS_MAX + 10


@served
async def test_a_watch_ends_with_its_kind(api: Api) -> None:
    path = await define(api, definition())
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    await api.ok("POST", path, widget)
    async with api.watch(path) as watch:
        assert await watch.take(1) == [("ADDED", "w")]
        await api.ok("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")
        assert [type_ for type_, _ in await watch.rest()] == ["DELETED"]


@served
async def test_a_broken_stream_is_an_error_to_its_reader(api: Api) -> None:  # W4
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="x" * 900_000))
    async with api.watch(f"{CONFIG_MAPS}?resourceVersion={api.store.revision}") as watch:
        for number in range(30):
            await label(api, "a", n=str(number))
        with pytest.raises(TransportError, match="broken the stream off"):
            await watch.rest()
