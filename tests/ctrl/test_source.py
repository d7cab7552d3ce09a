"""Event sources: channels, timers, whatever else has a `run`."""

import asyncio
from dataclasses import dataclass

import pytest
from tests.ctrl.test_watching import CONFIG_MAPS, SECRETS, Seen, named, running, scenario

from kajitori.ctrl import (
    DONE,
    LOW_PRIORITY,
    CacheSyncTimeout,
    Channel,
    ChannelFull,
    Enqueue,
    LeaderElection,
    Manager,
    NotInCache,
    Request,
    Result,
    SourceFailed,
    Timer,
    all_in,
    owner_reference,
    owner_requests,
)
from kajitori.testing import TestEnv, VirtualClock
from kajitori.world.random import SeededRandom

A = Request("default", "a")


class Failing:
    """Fails after a while, or returns, or tells too late what there was."""

    def __init__(self, seconds: float, error: BaseException | None) -> None:
        self.seconds, self.error = seconds, error

    async def run(self, enqueue: Enqueue, /) -> None:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        enqueue(A)


class Syncing(Failing):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds, None)
        self.told = asyncio.Event()

    async def run(self, enqueue: Enqueue, /) -> None:
        enqueue(Request("default", "early"))
        await super().run(enqueue)
        self.told.set()

    async def wait_synced(self) -> None:
        await self.told.wait()


async def error_of(manager: Manager) -> BaseException:
    """What stops a manager."""
    with pytest.raises(BaseExceptionGroup) as caught:
        await manager.run()
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


def test_what_is_put_into_a_channel_is_reconciled() -> None:  # U3
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        channel: Channel = Channel()
        channel.put(Request("default", "before"))
        manager.controller("c", seen, for_=SECRETS, sources=[channel])
        async with running(manager):
            await asyncio.sleep(1)
            assert seen.take() == ["default/before"]
            channel.put(A, priority=7)
            secret = await env.client().create(CONFIG_MAPS, named("an-object"))
            channel.put_object(secret)
            await asyncio.sleep(1)
            assert seen.take() == ["default/a", "default/an-object"]
            trace = manager.explain("c", A).traces[0]
            assert trace.priority == 7 and (trace.causes[0].type, trace.causes[0].kind) == (
                "source",
                "Channel",
            )

    scenario(body)


def test_a_channel_maps_objects_and_tells_every_controller() -> None:  # U4
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        owner = await env.client().create(CONFIG_MAPS, named("owner"))
        channel = Channel(map=owner_requests(CONFIG_MAPS, any_owner=True))
        other = Seen()
        manager.controller("c", seen, sources=[channel])
        manager.controller("other", other, sources=[channel])
        async with running(manager):
            await asyncio.sleep(1)
            channel.put_object(named("child", ownerReferences=[owner_reference(owner)]))
            await asyncio.sleep(1)
            assert seen.take() == other.take() == ["default/owner"]

    scenario(body)


def test_a_channel_that_nobody_reads_says_so_when_it_is_full() -> None:  # U3
    channel: Channel = Channel(names_max=2)
    for _ in range(3):
        channel.put(A)
        channel.put(Request("default", "b"))
    with pytest.raises(ChannelFull, match="2 names wait in a channel already"):
        channel.put(Request("default", "c"))


def test_sources_run_where_the_leader_is_and_a_channel_waits_for_that() -> None:  # U1
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        def candidate(number: int) -> Manager:
            return Manager(
                env.client(),
                clock=VirtualClock(),
                random=SeededRandom(number),
                leader_election=LeaderElection("w", "default", identity=str(number)),
            )

        first, second = candidate(1), candidate(2)
        channel: Channel = Channel()
        second.controller("c", seen, sources=[channel, Timer(5, [Request("", "tick")])])
        leading = asyncio.create_task(first.run())
        await asyncio.sleep(1)
        async with running(second):
            channel.put(A)
            await asyncio.sleep(60)
            assert not seen.names
            first.stop()
            await leading
            await asyncio.sleep(10)
            names = seen.take()
            assert names[0] == "default/a" and set(names[1:]) == {"tick"}

    scenario(body)


def test_a_timer_tells_the_same_names_again_and_again() -> None:  # U5
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        timer = Timer(60, [A], random=SeededRandom(1), jitter=0.5)
        times = list[float]()

        class Timed:
            async def reconcile(self, request: Request) -> Result:
                times.append(asyncio.get_running_loop().time())
                return DONE

        manager.controller("c", Timed(), sources=[timer])
        async with running(manager):
            started = asyncio.get_running_loop().time()
            await asyncio.sleep(3600)
            between = [after - before for before, after in zip([started, *times], times, strict=False)]
            assert 40 <= len(times) <= 60 and all(59.9 <= each <= 90.1 for each in between)
            assert len({round(each) for each in between}) > 5
            trace = manager.explain("c", A).traces[0]
            assert trace.priority == LOW_PRIORITY and trace.causes[0].kind == "Timer of 60 s"

    scenario(body)


def test_a_timer_over_all_objects_of_a_kind() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        for number in range(3):
            await env.client().create(SECRETS, named(f"s{number}"))
        manager.controller(
            "c", seen, for_=SECRETS, sources=[Timer(60, all_in(manager.cache, SECRETS), jitter=0)]
        )
        async with running(manager):
            await asyncio.sleep(1)
            assert len(seen.take()) == 3
            await env.client().delete(SECRETS, "default", "s1")
            await asyncio.sleep(60)
            assert seen.take() == ["default/s0", "default/s1", "default/s2"]
            await asyncio.sleep(60)
            assert seen.take() == ["default/s0", "default/s2"]

    scenario(body)


def test_a_timer_over_a_kind_that_nobody_watches_stops_the_controller_and_says_why() -> None:  # U2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, sources=[Timer(60, all_in(manager.cache, SECRETS))])
        error = await error_of(manager)
        assert isinstance(error, SourceFailed) and isinstance(error.__cause__, NotInCache)
        assert (
            "controller c: its event source Timer of 60 s failed: NotInCache: Secret.v1 is not cached"
            in str(error)
        )

    scenario(body)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_timer_needs_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="use more than 0"):
        Timer(seconds, [A])


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError("the queue is gone"), "its event source Failing failed: OSError: the queue is gone"),
        (asyncio.CancelledError(), "its event source Failing cancelled itself"),
        (ExceptionGroup("", [KeyError("a"), OSError("b")]), "failed: KeyError: 'a'; OSError: b"),
    ],
)
@pytest.mark.parametrize("seconds", [0, 5])
def test_a_source_that_fails_stops_the_controller_and_names_both(
    raised: BaseException, told: str, seconds: float
) -> None:  # U2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, for_=SECRETS, sources=[Channel(), Failing(seconds, raised)])
        error = await error_of(manager)
        assert isinstance(error, SourceFailed) and "controller c: " in str(error) and told in str(error)

    scenario(body)


def test_a_source_that_returns_has_told_everything() -> None:  # U2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, sources=[Failing(5, None)])
        async with running(manager):
            await asyncio.sleep(10)
            assert seen.take() == ["default/a"] and manager.controllers[0].is_working

    scenario(body)


def test_workers_wait_until_a_source_has_told_its_beginning() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, sources=[Syncing(30)])
        async with running(manager):
            await asyncio.sleep(29)
            assert not seen.names
            await asyncio.sleep(2)
            assert seen.take() == ["default/a", "default/early"]

    scenario(body)


def test_a_source_that_does_not_come_to_its_beginning_is_named() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, sources=[Syncing(1000)], cache_sync_timeout_seconds=30)
        error = await error_of(manager)
        assert isinstance(error, CacheSyncTimeout) and "its event source Syncing" in str(error)
        assert asyncio.get_running_loop().time() < 40

    scenario(body)


@dataclass(frozen=True)
class Repository:
    """A request of another type."""

    host: str
    path: str


def test_a_controller_may_have_requests_of_its_own_type() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        class Mirrors:
            def __init__(self) -> None:
                self.seen = list[Repository]()

            async def reconcile(self, request: Repository) -> Result:
                self.seen.append(request)
                if len(self.seen) == 1:
                    raise OSError("not reachable")
                return DONE

        mirrors = Mirrors()
        pushes: Channel[Repository] = Channel()
        controller = manager.controller("mirrors", mirrors, sources=[pushes])
        repository = Repository("git.example.com", "a/b")
        async with running(manager):
            pushes.put(repository)
            await asyncio.sleep(1)
            assert mirrors.seen == [repository, repository]
            assert [trace.outcome for trace in controller.explain(repository).traces] == ["success", "error"]

    scenario(body)
