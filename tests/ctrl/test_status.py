"""What a manager tells of itself."""

import asyncio
from typing import Any

import msgspec
from tests.ctrl.scripted import PODS, WIDGETS, Asked, Script, answer, event, pod, pod_list

from kajitori.apimachinery.errors import Invalid
from kajitori.client import Client
from kajitori.ctrl import DONE, LeaderElection, Manager, Request, Result, TerminalError, Watch
from kajitori.ctrl.sharding import Sharding
from kajitori.ctrl.status import Status, explain_status, snapshot
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom


def respond(asked: Asked) -> Any:
    if "leases" in asked.path:
        return Invalid("no leases here")
    if "sendInitialEvents" in asked.query:
        return Invalid("no")
    if asked.is_watch:
        return [7, event("MODIFIED", pod("good", 9))] if "pods" in asked.path else []
    return pod_list(5, *(pod(name, 1) for name in ("good", "bad", "over", "later", "slow")))


class Mixed:
    async def reconcile(self, request: Request) -> Result:
        match request.name:
            case "bad":
                raise OSError("the disk is <full>")
            case "over":
                raise TerminalError("never again")
            case "later":
                return Result(requeue_after_seconds=100)
            case "slow":
                await asyncio.sleep(1000)
        return DONE


def new_manager(**options: Any) -> Manager:
    client = Client(Script(respond))
    return Manager(
        client, name="shop", clock=VirtualClock(), random=SeededRandom(1), graceful_seconds=1, **options
    )


async def seen_after(manager: Manager, seconds: float) -> Status:
    task = asyncio.create_task(manager.run())
    await asyncio.sleep(seconds)
    status = snapshot(manager)
    manager.stop()
    await asyncio.sleep(0)
    assert snapshot(manager).state == "stopping"
    await task
    return status


def test_a_snapshot_says_what_there_is_and_how_it_fares() -> None:
    async def run() -> None:
        manager = new_manager()
        manager.controller("pods", Mixed(), for_=PODS, watches=[Watch(WIDGETS, lambda _: ())], workers=2)
        assert snapshot(manager).state == "not started"
        status = await seen_after(manager, 10)
        assert (status.name, status.state, status.running_seconds) == ("shop", "running", 10)
        (pods,) = status.controllers
        assert (pods.name, pods.kind, pods.state) == ("pods", "Pod.v1", "working")
        assert pods.watches == ("Pod.v1", "Widget.v1.example.com") and pods.workers == 2
        assert pods.active_workers == 1
        counts = pods.reconciles
        assert counts.success == 2 and counts.requeue_after == 1 and counts.terminal_errors == 1
        assert counts.error > 5
        assert (pods.queue.ready, pods.queue.waiting, pods.queue.held, pods.queue.failing) == (0, 2, 1, 1)
        assert [(each.name, each.state) for each in pods.queue.names] == [
            ("default/slow", "running"),
            ("default/bad", "waiting"),
            ("default/later", "waiting"),
        ]
        later = pods.queue.names[2]
        assert 85 < later.seconds < 100 and str(later.causes[0]) == "requeue after"
        last = next(each for each in pods.last if each.name == "default/bad")
        assert last.error == "OSError: the disk is <full>"
        assert last.outcome == "error" and last.requeue_seconds > 1 and str(last.causes[0]) == "retry"
        changed = next(each for each in pods.last if each.name == "default/good")
        assert str(changed.causes[0]) == "update Pod default/good 1 → 9"
        cached = {each.kind: each for each in status.caches}
        seen = cached["Pod.v1"]
        assert seen.synced and seen.objects == 5 and seen.resource_version == "9"
        assert 1_000 < seen.memory_bytes < 10_000
        assert seen.seconds_since_event is not None and 2 < seen.seconds_since_event < 4
        assert status.leader is None

    run_virtual(run())


def test_a_snapshot_is_json_too() -> None:
    async def run() -> None:
        manager = new_manager()
        manager.controller("pods", Mixed(), for_=PODS)
        status = await seen_after(manager, 10)
        written = msgspec.json.encode(status)
        assert b'"runningSeconds":10.0' in written
        assert msgspec.json.decode(written, type=Status) == status

    run_virtual(run())


def test_who_does_not_lead_stands_by() -> None:
    async def run() -> None:
        manager = new_manager(leader_election=LeaderElection("shop", "default", "me"))
        manager.controller("pods", Mixed(), for_=PODS)
        manager.controller("watchers", Mixed(), for_=PODS, needs_leader=False)
        status = await seen_after(manager, 10)
        assert status.leader is not None and not status.leader.is_leader
        assert (status.leader.lease, status.leader.identity) == ("default/shop", "me")
        assert [each.state for each in status.controllers] == ["standing by", "working"]

    run_virtual(run())


def test_a_shard_names_its_ring() -> None:
    async def run() -> None:
        manager = new_manager(sharding=Sharding("shop", "default", shard="me"))
        manager.controller("pods", Mixed(), for_=PODS)
        status = await seen_after(manager, 10)
        assert status.leader is not None and status.leader.ring == "shop" and not status.leader.is_leader
        assert status.leader.identity.startswith("me-")
        assert [each.state for each in status.controllers] == ["standing by"]

    run_virtual(run())


def test_a_cache_that_is_not_filled_says_so() -> None:
    async def run() -> None:
        manager = Manager(
            Client(Script(lambda asked: Invalid("no such kind"))),
            clock=VirtualClock(),
            random=SeededRandom(1),
        )
        manager.controller("pods", Mixed(), for_=PODS)
        status = await seen_after(manager, 10)
        assert status.controllers[0].state == "filling caches"
        (cache,) = status.caches
        assert not cache.synced and cache.memory_bytes == 0 and cache.seconds_since_event is None

    run_virtual(run())


def test_names_are_shown_in_the_order_in_which_they_come_and_no_more_than_some() -> None:  # T2
    async def run() -> None:
        def many(asked: Asked) -> Any:
            if "sendInitialEvents" in asked.query:
                return Invalid("no")
            if asked.is_watch:
                return []
            return answer(
                {"metadata": {"resourceVersion": "5"}, "items": [pod(f"p{n}", 1) for n in range(90)]}
            )

        manager = Manager(
            Client(Script(many)), clock=VirtualClock(), random=SeededRandom(1), graceful_seconds=0
        )
        hanging = manager.controller("pods", Hanging(), for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(10)
        hanging.enqueue(Request("default", "p50"), priority=5)
        await asyncio.sleep(1)
        (pods,) = snapshot(manager).controllers
        shown = [each.name for each in pods.queue.names]
        assert pods.queue.ready == 89 and shown[:4] == [f"default/p{n}" for n in (0, 50, 1, 2)]
        assert len(shown) == 20 and pods.queue.names[1].priority == 5
        manager.stop()
        await task

    run_virtual(run())


class Hanging:
    async def reconcile(self, request: Request) -> Result:
        await asyncio.sleep(1000)
        return DONE


def test_a_name_is_explained() -> None:
    async def run() -> None:
        manager = new_manager()
        manager.controller("pods", Mixed(), for_=PODS, workers=2)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(3)
        told = explain_status(manager, "pods", Request("default", "bad"))
        assert told.state == "queued" and told.failures == len(told.last) > 5
        assert str(told.causes[0]) == "retry" and told.last[0].error == "OSError: the disk is <full>"
        assert explain_status(manager, "pods", Request("", "nobody")).state == "absent"
        manager.stop()
        await task

    run_virtual(run())
