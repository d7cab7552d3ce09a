"""Reads that fill the cache."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.labels import parse_label_selector
from kajitori.ctrl import Cache, CachedReader, NotInCache
from kajitori.testing import TestEnv, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")


def world(play: Callable[[TestEnv, Cache], Awaitable[None]]) -> None:
    async def run() -> None:
        async with TestEnv(random=SeededRandom(0)) as env:
            cache = Cache(env.client("me"), random=SeededRandom(1))
            task = asyncio.create_task(cache.run())
            try:
                await play(env, cache)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    run_virtual(run())


def named(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", **metadata}}


def test_the_first_read_of_a_kind_fills_the_cache() -> None:  # C1, C3
    async def play(env: TestEnv, cache: Cache) -> None:
        await env.client().create(CONFIG_MAPS, named("a", labels={"app": "x"}))
        await env.client().create(CONFIG_MAPS, named("b"))
        reader = CachedReader(cache)
        found, missing, listed = await asyncio.gather(
            reader.get(CONFIG_MAPS, "default", "a"),
            reader.get(CONFIG_MAPS, "default", "z"),
            reader.list(
                CONFIG_MAPS, "default", labels=parse_label_selector("app=x"), fields="metadata.name=a"
            ),
        )
        assert found is not None and missing is None and listed == [found]
        assert len(cache.informers()) == 1
        cache.remove(CONFIG_MAPS)
        assert len(await reader.list(CONFIG_MAPS, "default")) >= 2
        reader.close()
        reader.close()
        assert not cache.informers()

    world(play)


def test_a_kind_that_cannot_be_listed_is_told_and_tried_again() -> None:  # C2
    async def play(env: TestEnv, cache: Cache) -> None:
        reader = CachedReader(cache, timeout_seconds=5)
        for _ in range(2):
            with pytest.raises(NotInCache, match=r"Widget.*within 5 s; does the kind exist"):
                await reader.get(WIDGETS, "default", "a")
            assert not cache.informers()

    world(play)
