"""Writers, watchers that come and go, and compaction, all at once, against a model: the list of all writes.

A seed decides who does what when. Longer when KAJITORI_LONG is set.
"""

import asyncio
import os
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.apiserver.support import MERGE, Api, served_in_virtual_time, served_on_disk

from kajitori.apimachinery.sharding import fnv1a_64
from kajitori.storage import Event

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = range(40) if LONG else range(4)
WRITES = 400 if LONG else 120
NAMESPACES = ("default", "kube-system")
NAMES = ("a", "b", "c")
BUCKET = "/configmaps"

State = dict[str, str]
"""Keys of objects to their resource versions."""


class Model:
    """What was stored at every revision, noted as the store commits it."""

    def __init__(self, api: Api) -> None:
        self.states: dict[int, dict[str, Any]] = {}
        self._now = {item.name: msgspec.json.decode(item.value) for item in api.store.range(BUCKET)}
        self._last = api.store.revision
        self._unsubscribe = api.store.subscribe(BUCKET, self._note)
        self.states[self._last] = dict(self._now)

    def _note(self, event: Event) -> None:
        assert event.revision > self._last, "revisions rise"
        self._last = event.revision
        if event.deleted:
            del self._now[event.name]
        else:
            self._now[event.name] = msgspec.json.decode(event.item.value)
        self.states[event.revision] = dict(self._now)

    def at(self, revision: int, selects: Callable[[dict[str, Any]], bool]) -> State:
        """What somebody who selects so should know at a revision."""
        latest = max(each for each in self.states if each <= revision)
        return {
            key: obj["metadata"]["resourceVersion"]
            for key, obj in self.states[latest].items()
            if selects(obj)
        }


def key_of(obj: dict[str, Any]) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


class Watcher:
    """Keeps a copy of what it selects, as an informer does."""

    def __init__(self, api: Api, model: Model, seed: int) -> None:
        self.random = random.Random(seed)
        self.namespace = self.random.choice(("", *NAMESPACES))
        self.label = self.random.choice(("", "x", "y"))
        where = f"/namespaces/{self.namespace}" if self.namespace else ""
        self.path = f"/api/v1{where}/configmaps"
        self.selector = f"&labelSelector=color%3D{self.label}" if self.label else ""
        self.unwanted = self.random.choice(("", "b"))
        if self.unwanted:
            self.selector += f"&fieldSelector=metadata.name!%3D{self.unwanted}"
        self.shard = ""
        if self.random.random() < 0.3:  # what is in one namespace
            shown = self.namespace or self.random.choice(NAMESPACES)
            start = f"{fnv1a_64(shown.encode()):016x}"
            end = f"{int(start, 16) + 1:016x}"
            self.shard = f"shardRange(object.metadata.namespace,'0x{start}','0x{end}')"
            self.selector += f"&shardSelector={self.shard}"
        self.api, self.model = api, model
        self.state: State = {}
        self.revision = 0
        self.relists = self.resumes = 0
        self.ended = False

    def selects(self, obj: dict[str, Any]) -> bool:
        metadata = obj["metadata"]
        if self.namespace and metadata["namespace"] != self.namespace:
            return False
        if metadata["name"] == self.unwanted:
            return False
        if self.shard and f"{fnv1a_64(metadata['namespace'].encode()):016x}" not in self.shard:
            return False
        return not self.label or (metadata.get("labels") or {}).get("color") == self.label

    def check(self) -> None:
        """Compares with what there was at the revision that this watcher has come to."""
        wanted = self.model.at(self.revision, self.selects)
        assert self.state == wanted, (self.path, self.selector, self.revision)
        self.ended = any("/end-" in key for key in wanted)

    async def run(self) -> None:
        while not self.ended:
            if self.random.random() < 0.2:
                await asyncio.sleep(self.random.random() * 0.5)  # long enough to miss a compaction
            if not self.revision:
                self.relists += 1
                if self.random.random() < 0.5:
                    await self._stream()
                    continue
                await self._list()
            await self._follow(f"resourceVersion={self.revision}&allowWatchBookmarks=true")

    async def _list(self) -> None:
        self.state.clear()
        token = ""
        while True:
            told = await self.api.ask("GET", f"{self.path}?limit=2{self.selector}{token}")
            if told.status == 410:
                self.state.clear()
                token = ""
                continue
            assert told.status == 200, told.raw
            for obj in told.body["items"]:
                self.state[key_of(obj)] = obj["metadata"]["resourceVersion"]
            token = told.body["metadata"].get("continue", "")
            if not token:
                break
            token = f"&continue={token}"
            await asyncio.sleep(self.random.random() * 0.01)
        self.revision = int(told.revision)
        self.check()

    async def _stream(self) -> None:
        self.state.clear()
        await self._follow(
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        )

    async def _follow(self, query: str) -> None:
        """Reads for a while; at the end it knows where to go on, or that it must begin again."""
        left = self.random.randrange(1, 15)
        self.resumes += 1
        async with self.api.watch(f"{self.path}?{query}{self.selector}") as watch:
            while left and not self.ended:
                type_, obj = await watch.next()
                if type_ == "ERROR":
                    assert obj["code"] == 410, obj
                    self.revision = 0
                    return
                if self.apply(type_, obj):
                    left -= 1

    def apply(self, type_: str, obj: dict[str, Any]) -> bool:
        """Takes one event; False while it is of the beginning."""
        metadata = obj["metadata"]
        version = metadata["resourceVersion"]
        if type_ == "BOOKMARK":
            if "annotations" in metadata:
                assert not self.revision
            assert int(version) >= self.revision
            self.revision = int(version)
            self.check()
            return True
        if self.revision:
            assert int(version) > self.revision, "each revision once, in order"
        key = key_of(obj)
        if type_ == "DELETED":
            del self.state[key]
        else:
            assert (key in self.state) == (type_ == "MODIFIED"), (type_, key)
            self.state[key] = version
        if not self.revision:
            return False  # initial events are of one revision together
        self.revision = int(version)
        self.check()
        return True


async def write(api: Api, seed: int) -> None:
    """Creates, changes and deletes objects, without caring about others who do the same."""
    chance = random.Random(seed)
    for number in range(WRITES):
        where, name = chance.choice(NAMESPACES), chance.choice(NAMES)
        path = f"/api/v1/namespaces/{where}/configmaps"
        labels = {"color": chance.choice("xyz")}
        choice = chance.random()
        if choice < 0.4:
            body = {"metadata": {"name": name, "labels": labels}, "data": {"n": str(number)}}
            told = await api.ask("POST", path, body)
        elif choice < 0.8:
            told = await api.ask("PATCH", f"{path}/{name}", {"metadata": {"labels": labels}}, type=MERGE)
        else:
            told = await api.ask("DELETE", f"{path}/{name}")
        assert told.status in (200, 201, 404, 409), told.raw
        await asyncio.sleep(chance.random() * 0.01)


async def compact(api: Api, seed: int) -> None:
    chance = random.Random(seed)
    while True:
        await asyncio.sleep(chance.random() * 0.2)
        await api.store.compact(max(api.store.compacted, api.store.revision - chance.randrange(40)))


async def play(api: Api, seed: int) -> None:
    model = Model(api)
    watchers = [Watcher(api, model, seed * 100 + number) for number in range(8)]
    loop = asyncio.get_running_loop()
    compacting = loop.create_task(compact(api, seed))
    async with asyncio.TaskGroup() as tasks:
        for watcher in watchers:
            tasks.create_task(watcher.run())
        async with asyncio.TaskGroup() as writers:
            for number in range(3):
                writers.create_task(write(api, seed * 10 + number))
        compacting.cancel()
        # One more for everybody, by which they know that they have seen all.
        for where in NAMESPACES:
            for color in "xy":
                body = {"metadata": {"name": f"end-{color}", "labels": {"color": color}}}
                await api.ok("POST", f"/api/v1/namespaces/{where}/configmaps", body)
    await asyncio.gather(compacting, return_exceptions=True)
    assert all(watcher.ended for watcher in watchers)
    assert sum(watcher.resumes for watcher in watchers) > sum(watcher.relists for watcher in watchers) > 8


@pytest.mark.parametrize("seed", SEEDS)
@served_in_virtual_time
async def test_every_watcher_knows_what_there_is(api: Api, seed: int) -> None:  # W1 W2 W3 W5 L2
    await play(api, seed)


@pytest.mark.parametrize("seed", SEEDS[:10] if LONG else SEEDS[:1])
@served_on_disk
async def test_every_watcher_knows_what_is_in_the_file(api: Api, seed: int) -> None:
    await play(api, seed)
