"""Mode `labels`: a sharder that assigns, shards that work and give back."""

import asyncio
from typing import Any

import pytest
from tests.ctrl.sharding.support import (
    CONFIG_MAPS,
    DRAIN_LABEL,
    RING,
    SECRETS,
    SHARD_LABEL,
    Line,
    Shard,
    Watcher,
    config_maps,
    scenario,
    settles,
    sharder_manager,
    touch,
)

from kajitori.apis.sharding_v1alpha1 import ControllerRing
from kajitori.client import Client
from kajitori.ctrl import DONE, LeaderElection, Manager, Request, Result, generation_changed
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.sharding import Sharding, ShardLost
from kajitori.ctrl.sharding.labels import LABEL_RING, LABEL_STATE
from kajitori.testing import TestEnv, VirtualClock
from kajitori.world.random import SeededRandom


async def shards_of(client: Client) -> dict[str, str]:
    found = await client.list(CONFIG_MAPS, "default")
    return {each.name: each.labels.get(SHARD_LABEL, "") for each in found.items if each.name.startswith("c")}


async def leases(client: Client) -> dict[str, str]:
    """The states by the labels."""
    found = await client.list(LEASES, "default", labels=LABEL_RING)
    return {each.name: each.labels.get(LABEL_STATE, "") for each in found.items}


async def assign(client: Client, name: str, shard: Shard) -> None:
    await client.patch(CONFIG_MAPS, "default", name, {"metadata": {"labels": {SHARD_LABEL: shard.name}}})


async def drain(client: Client, name: str) -> None:
    await client.patch(CONFIG_MAPS, "default", name, {"metadata": {"labels": {DRAIN_LABEL: "true"}}})


def done(manager: Manager, what: str) -> float:
    """What the sharder counts of ConfigMaps."""
    labels = {"ringName": RING, "group": "", "resource": "configmaps"}
    return manager.metrics_registry().get_sample_value(f"controller_sharding_{what}_total", labels) or 0


def test_objects_are_shared_out_moved_and_taken_over() -> None:  # A1, A3, M1, M3
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        manager = sharder_manager(env.client())
        sharder = asyncio.create_task(manager.run())
        await config_maps(client, 0, 30)
        first, second = (Shard(env.client(), watcher, seed).start() for seed in (1, 2))
        await settles(lambda: len(watcher.seen) == 30)
        await asyncio.sleep(20)
        shards = await shards_of(client)
        assert set(shards.values()) == {first.name, second.name}
        assert {name: watcher.owner(name) for name in shards} == shards
        # What is new is assigned at once, and what a third gets is given back by the others first.
        await config_maps(client, 30, 40)
        await settles(lambda: len(watcher.seen) == 40, 5)
        third = Shard(env.client(), watcher, 3).start()
        await settles(lambda: any(third.name in each for each in watcher.seen.values()))
        await asyncio.sleep(10)
        shards = await shards_of(client)
        assert set(shards.values()) == {first.name, second.name, third.name}
        assert {name: watcher.owner(name) for name in shards} == shards
        assert not (await client.list(CONFIG_MAPS, "default", labels=DRAIN_LABEL)).items
        status = (await client.get(ControllerRing, "", RING)).status
        assert status is not None and (status.shards, status.available_shards) == (3, 3)
        assert [(each.type, each.status) for each in status.conditions] == [("Ready", "True")]
        drained, moved = done(manager, "drains"), list(shards.values()).count(second.name)
        assert drained == list(shards.values()).count(third.name)
        assert done(manager, "assignments") == 40 + drained and done(manager, "movements") == 0
        # One that leaves in peace is replaced at once.
        await second.stop()
        await asyncio.sleep(5)
        shards = await shards_of(client)
        assert set(shards.values()) == {first.name, third.name}
        moved += list(shards.values()).count(first.name)
        # One that cannot be reached is waited for, and stops before that.
        first.line.cut = True
        assert first.task is not None
        with pytest.raises(ShardLost, match="could not be renewed in time"):
            await first.task
        assert (await leases(client))[first.name] == "ready"
        await asyncio.sleep(20)
        assert (await leases(client))[first.name] == "expired"
        await settles(lambda: _all_are(client, third.name), 30)
        assert (await leases(client))[first.name] == "dead"
        await touch(client, "twice")
        await asyncio.sleep(10)
        assert all(watcher.owner(name) == third.name for name in await shards_of(client))
        # What is dead for a minute is forgotten.
        await asyncio.sleep(70)
        assert set(await leases(client)) == {third.name}
        assert done(manager, "movements") == moved and done(manager, "drains") == drained
        assert manager.metrics_registry().get_sample_value(
            "controller_sharding_ring_calculations_total", {"name": RING}
        )
        await third.stop()
        manager.stop()
        await sharder

    scenario(body)


async def _all_are(client: Client, shard: str) -> bool:
    return set((await shards_of(client)).values()) == {shard}


def test_an_object_is_given_back_when_the_last_work_on_it_has_ended() -> None:  # P1, P3, D2
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shard = Shard(env.client(), watcher, 1, seconds=20.0, controllers=2).start()
        await config_maps(client, 0, 2)
        await assign(client, "c0", shard)
        await settles(lambda: len(watcher.seen.get(Request("default", "c0"), ())) == 2)
        await drain(client, "c0")
        await asyncio.sleep(15)
        assert (await shards_of(client))["c0"] == shard.name
        await asyncio.sleep(10)
        found = await client.get(CONFIG_MAPS, "default", "c0")
        assert SHARD_LABEL not in found.labels and DRAIN_LABEL not in found.labels
        # Nobody's, and another's, it is left alone.
        await touch(client, "now")
        await asyncio.sleep(30)
        assert (
            len(watcher.seen[Request("default", "c0")]) == 2 and Request("default", "c1") not in watcher.seen
        )
        await shard.stop()

    scenario(body)


def test_no_predicate_hides_that_an_object_is_asked_for() -> None:  # P4
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shard = Shard(env.client(), watcher, 1, predicates=(generation_changed,)).start()
        await config_maps(client, 0, 1)
        await assign(client, "c0", shard)
        await settles(lambda: watcher.seen)
        await drain(client, "c0")
        await settles(lambda: _is_nobodys(client, "c0"), 5)
        await shard.stop()

    scenario(body)


async def _is_nobodys(client: Client, name: str) -> bool:
    return not (await shards_of(client))[name]


def test_what_is_not_in_the_cache_is_not_reconciled() -> None:  # P2
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shard = Shard(env.client(), watcher, 1).start()
        await config_maps(client, 0, 1)
        await assign(client, "c0", shard)
        await settles(lambda: watcher.seen)
        await client.delete(CONFIG_MAPS, "default", "c0")
        shard.manager.controllers[0].enqueue(Request("default", "c0"))
        await asyncio.sleep(5)
        assert len(watcher.seen[Request("default", "c0")]) == 1
        await shard.stop()

    scenario(body)


@pytest.mark.parametrize("how", ["deleted", "taken over", "let go"])
def test_a_shard_that_has_lost_its_lease_cuts_its_work_short_and_leaves(how: str) -> None:  # M1, M2
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shard = Shard(env.client(), watcher, 1, seconds=1000.0).start()
        await config_maps(client, 0, 1)
        await settles(lambda: shard.manager.is_leader)
        await assign(client, "c0", shard)
        await settles(lambda: watcher.seen)
        if how == "deleted":
            await client.delete(LEASES, "default", shard.name)
        else:
            holder = "another" if how == "taken over" else ""
            await client.patch(LEASES, "default", shard.name, {"spec": {"holderIdentity": holder}})
        assert shard.task is not None
        with pytest.raises(ShardLost, match=f"of the ring widgets must leave: its Lease was {how}"):
            await shard.task
        assert shard.cut_short == 1 and not watcher.at_work
        assert (shard.name in await leases(client)) is (how != "deleted")

    scenario(body)


def test_who_slept_through_the_end_of_its_lease_writes_no_more() -> None:  # W3
    class Clock(VirtualClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        clock, told = Clock(), list[str]()

        class Sleeper:
            async def reconcile(self, request: Request) -> Result:
                clock.ahead = 60.0  # the process stood still, and nothing of it has noticed yet
                try:
                    await manager.client.patch(CONFIG_MAPS, "default", "c0", {"data": {"late": "yes"}})
                except ShardLost as lost:
                    told.append(str(lost))
                return DONE

        manager = Manager(
            env.client(),
            clock=clock,
            random=SeededRandom(1),
            sharding=Sharding(RING, namespace="default", shard="sleeper"),
        )
        manager.controller("c", Sleeper(), for_=CONFIG_MAPS)
        assert manager.shard is not None
        await config_maps(client, 0, 1)
        labels = {SHARD_LABEL: manager.shard.identity}
        await client.patch(CONFIG_MAPS, "default", "c0", {"metadata": {"labels": labels}})
        with pytest.raises(ShardLost):
            await manager.run()
        assert told == [f"shard {manager.shard.identity} of the ring widgets may not write any more"]
        assert "data" not in await client.get(CONFIG_MAPS, "default", "c0")

    scenario(body)


def test_what_an_object_controls_goes_where_it_goes() -> None:  # H3, D4
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        manager = sharder_manager(env.client())
        sharder = asyncio.create_task(manager.run())
        shards = [Shard(env.client(), watcher, seed, owns=(SECRETS,)).start() for seed in (1, 2)]
        await config_maps(client, 0, 10)
        for each in (
            await client.list(CONFIG_MAPS, "default", fields="metadata.name!=kube-root-ca.crt")
        ).items:
            owner = {
                **{"apiVersion": "v1", "kind": "ConfigMap", "name": each.name, "uid": each.uid},
                "controller": True,
            }
            metadata = {"name": f"s-{each.name}", "namespace": "default", "ownerReferences": [owner]}
            await client.create(SECRETS, {"metadata": metadata})
        await client.create(SECRETS, {"metadata": {"name": "alone", "namespace": "default"}})
        await settles(lambda: len(watcher.seen) == 10)
        await asyncio.sleep(20)
        objects = await shards_of(client)
        found = (await client.list(SECRETS, "default")).items
        assert {each.name: each.labels.get(SHARD_LABEL) for each in found} == {
            "alone": None,
            **{f"s-{name}": shard for name, shard in objects.items()},
        }
        # A shard sees no others.
        for shard in shards:
            seen = {each.name for each in shard.manager.cache.list(SECRETS)}
            assert seen == {f"s-{name}" for name, owner in objects.items() if owner == shard.name}
            await shard.stop()
        manager.stop()
        await sharder

    scenario(body)


def test_a_ring_says_why_it_is_not_ready_and_leaves_namespaces_out() -> None:  # A4
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        manager = sharder_manager(env.client())
        sharder = asyncio.create_task(manager.run())
        shard = Shard(env.client(), watcher, 1).start()
        await config_maps(client, 0, 1)
        await client.create(CONFIG_MAPS, {"metadata": {"name": "system", "namespace": "kube-system"}})
        await settles(lambda: watcher.seen)
        assert not (await client.get(CONFIG_MAPS, "kube-system", "system")).labels
        resources = [{"group": "", "resource": "configmaps"}, {"group": "", "resource": "gadgets"}]
        spec: dict[str, Any] = {"resources": resources}
        await client.patch(ControllerRing, "", RING, {"spec": spec})
        await config_maps(client, 5, 6)
        await settles(lambda: Request("default", "c5") in watcher.seen, 10)
        status = (await client.get(ControllerRing, "", RING)).status
        assert status is not None
        assert [(each.status, each.message) for each in status.conditions] == [
            (
                "False",
                "no resource gadgets in /api/v1; name one in spec.resources as `kubectl api-resources` does",
            )
        ]
        selector = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
        spec = {"resources": resources[:1], "namespaceSelector": selector}
        await client.patch(ControllerRing, "", RING, {"spec": spec})
        await settles(lambda: Request("kube-system", "system") in watcher.seen, 60)
        await config_maps(client, 1, 2)
        await asyncio.sleep(10)
        assert not (await shards_of(client))["c1"]
        await shard.stop()
        manager.stop()
        await sharder

    scenario(body)


def test_what_names_a_shard_that_nobody_knows_is_given_to_another_after_a_while() -> None:  # O2, T1
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        await config_maps(client, 0, 3)
        for number in range(3):
            labels = {SHARD_LABEL: "long-gone"}
            await client.patch(CONFIG_MAPS, "default", f"c{number}", {"metadata": {"labels": labels}})
        shard = Shard(env.client(), watcher, 1).start()
        manager = sharder_manager(env.client())
        sharder = asyncio.create_task(manager.run())
        await asyncio.sleep(29)
        assert set((await shards_of(client)).values()) == {"long-gone"} and not watcher.seen
        await settles(lambda: len(watcher.seen) == 3, 30)
        await shard.stop()
        manager.stop()
        await sharder

    scenario(body)


def test_without_a_ring_a_shard_says_so_and_waits(caplog: pytest.LogCaptureFixture) -> None:
    async def body(env: TestEnv, client: Client, watcher: Watcher) -> None:
        shard = Shard(env.client(), watcher, 1).start()
        await settles(lambda: shard.manager.is_leader)
        await shard.stop()
        assert await leases(client) == {shard.name: ""}

    scenario(body, ring=False)
    assert "the ring cannot be read; objects that others own are watched too" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ring": "Widgets"}, "sharding: ring is 'Widgets'; use at most 63 lower-case letters"),
        ({"ring": "w" * 64}, "use at most 63 lower-case letters, digits, '-' and '.', e.g. widgets"),
        ({"mode": "label"}, "sharding widgets: mode is 'label'; use 'labels' or 'ranges'"),
        ({"field": "name"}, "sharding widgets: field is 'name'; use 'uid' or 'namespace'"),
        (
            {"lease_seconds": 10},
            "sharding widgets: lease duration is 10 s; it must be longer than the renew deadline, 10 s",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^sharding") as raised:
        Sharding(**{"ring": RING, **settings})
    assert message in str(raised.value)


def test_a_shard_is_no_candidate(env_client: Client) -> None:
    with pytest.raises(ValueError, match="sharding and leader election exclude one another"):
        Manager(env_client, sharding=Sharding(RING, "a"), leader_election=LeaderElection("a", "a"))
    with pytest.raises(ValueError, match="sharding widgets: we run in no Pod, so say the namespace"):
        Manager(env_client, sharding=Sharding(RING))


def test_a_shard_never_has_the_name_of_another() -> None:  # M2
    random = SeededRandom(1)
    names = [Sharding(RING, shard="My_Host.example").new_name(random) for _ in range(50)]
    assert len(set(names)) == 50 and all(each.startswith("my-host-example-") for each in names)
    assert all(len(Sharding(RING, shard="x" * 80).new_name(random)) == 63 for _ in range(3))


@pytest.fixture
def env_client() -> Client:
    return Client(Line(None))
