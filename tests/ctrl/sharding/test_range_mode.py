"""Mode `ranges`: the shards divide hashes among themselves, and hand over what they must."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from tests.ctrl.sharding.support import (
    CONFIG_MAPS,
    RING,
    Shard,
    Watcher,
    config_maps,
    scenario,
    settles,
    touch,
)

from kajitori.apimachinery.errors import NotFound
from kajitori.client import Client
from kajitori.ctrl import Cache, Change, Request
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.sharding import ShardLost
from kajitori.ctrl.sharding.ranges import TABLE
from kajitori.ctrl.sharding.slots import SLOTS, Table, owners, parse_table, selector_of, slot_of
from kajitori.testing import TestEnv
from kajitori.world.random import SeededRandom


async def table_of(client: Client) -> Table:
    lease = await client.get(LEASES, "default", f"{RING}-ranges")
    return parse_table(lease.annotations[TABLE])


async def owners_of(client: Client, *, field: str = "uid") -> dict[str, str]:
    """Who must work on what."""
    table = await table_of(client)
    return {
        each.name: table[slot_of(each.uid if field == "uid" else each.namespace)].owner
        for each in (await client.list(CONFIG_MAPS, "default")).items
    }


async def is_settled(client: Client, *shards: Shard) -> bool:
    try:
        table = await table_of(client)
    except NotFound:
        return False
    return set(owners(table)) == {each.name for each in shards} and not any(slot.heir for slot in table)


def ranged(client: Client, watcher: Watcher, seed: int, **settings: Any) -> Shard:
    return Shard(client, watcher, seed, mode="ranges", **settings)


def test_hashes_are_shared_out_handed_over_and_taken_over() -> None:  # G2, G4, M1, M3
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 40)
        first = ranged(env.client(), watcher, 1).start()
        await settles(lambda: len(watcher.seen) == 40)
        assert set((await owners_of(client)).values()) == {first.name}
        second, third = (ranged(env.client(), watcher, seed).start() for seed in (2, 3))
        await settles(lambda: is_settled(client, first, second, third), 30)
        assert sorted(owners(await table_of(client)).values()) == [85, 85, 86]
        await asyncio.sleep(10)
        # What has gone to another has been worked on there.
        expected = await owners_of(client)
        assert {name: watcher.owner(name) for name in expected} == expected
        assert all(
            "labels" not in each["metadata"] for each in (await client.list(CONFIG_MAPS, "default")).items
        )
        # One that leaves in peace gives everything.
        await second.stop()
        assert second.name not in owners(await table_of(client))
        await settles(lambda: is_settled(client, first, third), 20)
        # One that cannot be reached is waited for, and stops before that.
        first.line.cut = True
        assert first.task is not None
        with pytest.raises(ShardLost, match="could not be renewed in time"):
            await first.task
        assert first.name in owners(await table_of(client))
        await settles(lambda: is_settled(client, third), 60)
        await asyncio.sleep(5)
        await touch(client, "twice")
        await asyncio.sleep(15)
        assert {watcher.owner(name) for name in expected} == {third.name}
        await third.stop()
        assert not owners(await table_of(client))

    scenario(body, ring=False)


def test_a_slot_is_handed_over_when_the_last_work_in_it_has_ended() -> None:  # R1, G2
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 12)
        first = ranged(env.client(), watcher, 1, seconds=30.0, controllers=3).start()
        await settles(lambda: watcher.at_work)
        second = ranged(env.client(), watcher, 2).start()
        await asyncio.sleep(20)
        table = await table_of(client)
        # Idle slots have gone already; those at work have not.
        assert owners(table)[second.name] > 100 and any(slot.heir == second.name for slot in table)
        for request in watcher.at_work:
            value = await client.get(CONFIG_MAPS, request.namespace, request.name)
            assert table[slot_of(value.uid)].owner == first.name
        await settles(lambda: is_settled(client, first, second), 90)
        await first.stop()
        await second.stop()

    scenario(body, ring=False)


def test_namespaces_can_be_shared_out() -> None:
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 5)
        shards = [ranged(env.client(), watcher, seed, field="namespace").start() for seed in (1, 2)]
        await settles(lambda: len(watcher.seen) == 5)
        await settles(lambda: is_settled(client, *shards), 30)
        await touch(client, "now")
        await asyncio.sleep(10)
        (owner,) = set((await owners_of(client, field="namespace")).values())
        assert {watcher.owner(f"c{number}") for number in range(5)} == {owner}
        for each in shards:
            await each.stop()

    scenario(body, ring=False)


@pytest.mark.parametrize("how", ["deleted", "spoilt"])
def test_without_a_table_nobody_works_on(how: str) -> None:  # G3
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 1)
        shard = ranged(env.client(), watcher, 1, seconds=1000.0).start()
        await settles(lambda: watcher.at_work)
        told = "the table of slots, Lease widgets-ranges, was deleted"
        if how == "deleted":
            await client.delete(LEASES, "default", f"{RING}-ranges")
        else:
            told = f"the annotation {TABLE} of Lease widgets-ranges is no table of slots: there are 1"
            metadata = {"annotations": {TABLE: json.dumps([[0, 0, "a", ""]])}}
            await client.patch(LEASES, "default", f"{RING}-ranges", {"metadata": metadata})
        assert shard.task is not None
        with pytest.raises(ShardLost, match=told):
            await shard.task
        assert not watcher.at_work

    scenario(body, ring=False)


def test_a_cache_is_narrowed_and_widened_at_any_time() -> None:  # G5
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 1200)
        uids = {each.name: each.uid for each in (await client.list(CONFIG_MAPS, "default")).items}
        cache, random = Cache(env.client(), random=SeededRandom(1)), Random(1)
        told = dict[str, str]()

        def on_change(change: Change) -> None:
            told[change.object.name] = change.type

        async with asyncio.TaskGroup() as group:
            running = group.create_task(cache.run())
            use = await cache.synced(CONFIG_MAPS)
            use.informer.add_handler(on_change)
            for _ in range(20):
                slots = set(random.sample(range(SLOTS), random.choice((0, 10, 128, 250))))
                cache.narrow(CONFIG_MAPS, selector_of(slots, "uid"))
                # Mostly the next one comes before all has been told.
                for _ in range(random.choice((0, 1, 5, 300))):
                    await asyncio.sleep(0)
            await asyncio.sleep(5)
            expected = {name for name, uid in uids.items() if slot_of(uid) in slots}
            assert {each.name for each in cache.list(CONFIG_MAPS)} == expected
            assert {name for name, what in told.items() if what != "delete"} == expected
            await client.patch(CONFIG_MAPS, "default", "c7", {"data": {"a": "b"}})
            cache.narrow(CONFIG_MAPS, "")
            await asyncio.sleep(5)
            assert len(cache.list(CONFIG_MAPS)) == 1200 and told["c7"] != "delete"
            running.cancel()

    scenario(body, ring=False)


def test_what_is_not_ours_is_left_alone() -> None:  # P1
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shards = [ranged(env.client(), watcher, seed).start() for seed in (1, 2)]
        await settles(lambda: is_settled(client, *shards), 30)
        await config_maps(client, 0, 20)
        await asyncio.sleep(20)
        expected = await owners_of(client)
        for name, owner in expected.items():
            assert watcher.seen[Request("default", name)] == [owner]
        for shard in shards:  # G5
            cached = {each.name for each in shard.manager.cache.list(CONFIG_MAPS)}
            assert cached == {name for name, owner in expected.items() if owner == shard.name}
        for each in shards:
            await each.stop()

    scenario(body, ring=False)
