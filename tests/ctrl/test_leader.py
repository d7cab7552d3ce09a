"""Leader election against the real API server, under virtual time: faults, slow answers, and one leader at most."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from kajitori.apimachinery.kind import Kind
from kajitori.client import Client, RawResponse, RawStream, TransportError
from kajitori.ctrl import DONE, LeaderElection, LeadershipLost, Manager, Request, Result
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.lease import Decision, View
from kajitori.testing import TestEnv, VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
EVENTS = Kind("", "v1", "Event", "events")


class Line:
    """The way of one candidate to the API server, which may be cut, slow, or lose answers."""

    def __init__(self, client: Client) -> None:
        self._to = client.transport
        self.cut = False
        self.delay: Callable[[], float] = lambda: 0.0
        self.loses: Callable[[], bool] = lambda: False
        self.leases = list[str]()

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        if "/leases" in path_and_query:
            self.leases.append(method)
        await asyncio.sleep(self.delay())
        if self.cut:
            raise TransportError("the line is cut", sent=False)
        answer = await self._to.request(method, path_and_query, headers, body, timeout)
        await asyncio.sleep(self.delay())
        if self.cut or self.loses():
            raise TransportError("the answer was lost")
        return answer

    def stream(self, *arguments: Any) -> AbstractAsyncContextManager[RawStream]:
        return self._to.stream(*arguments)

    async def close(self) -> None:
        pass


class Reconciler:
    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.began = list[str]()
        self.cut_short = list[float]()

    async def reconcile(self, request: Request) -> Result:
        self.began.append(request.name)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cut_short.append(asyncio.get_running_loop().time())
            raise
        return DONE


class Candidate:
    def __init__(self, env: TestEnv, seed: int, **settings: Any) -> None:
        self.line = Line(env.client())
        self.reconciler = Reconciler(settings.pop("seconds", 0.0))
        settings.setdefault("identity", f"candidate-{seed}")
        self.manager = Manager(
            Client(self.line),
            clock=VirtualClock(),
            random=SeededRandom(seed),
            leader_election=LeaderElection("widgets", "default", **settings),
        )
        self.manager.controller("c", self.reconciler, for_=CONFIG_MAPS)
        self.task: asyncio.Task[None] | None = None

    def start(self) -> "Candidate":
        self.task = asyncio.create_task(self.manager.run())
        return self

    async def stop(self) -> None:
        self.manager.stop()
        assert self.task is not None
        await self.task

    def figure(self, name: str) -> float | None:
        return self.manager.metrics_registry().get_sample_value(name, {"name": "widgets"})


async def environment() -> AsyncGenerator[TestEnv, None]:
    async with TestEnv(clock=VirtualClock(), random=SeededRandom(0)) as env:
        await env.client().create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
        yield env


def scenario(body: Callable[[TestEnv], Any]) -> None:
    async def run() -> None:
        async for env in environment():
            await body(env)

    run_virtual(run())


async def spec(env: TestEnv) -> dict[str, Any]:
    return dict((await env.client().get(LEASES, "default", "widgets"))["spec"])


def now() -> float:
    return asyncio.get_running_loop().time()


def test_one_works_and_the_other_takes_over_at_once_after_a_stop() -> None:  # E1, E4, M4, M5
    async def body(env: TestEnv) -> None:
        first, second = Candidate(env, 1).start(), Candidate(env, 2)
        await asyncio.sleep(1)
        second.start()
        await asyncio.sleep(60)
        assert first.manager.is_leader and not second.manager.is_leader
        assert first.reconciler.began == ["a"] and not second.reconciler.began
        assert [
            first.figure("leader_election_master_status"),
            second.figure("leader_election_master_status"),
        ] == [1, 0]
        held = await spec(env)
        assert held["holderIdentity"] == "candidate-1" and held["leaseDurationSeconds"] == 15
        assert held["leaseTransitions"] == 0 and held["acquireTime"] < held["renewTime"]
        # The caches of who stands by are full already.
        assert second.manager.cache.get(CONFIG_MAPS, "default", "a") is not None
        await first.stop()
        free = await spec(env)
        assert not free.get("holderIdentity") and free["leaseDurationSeconds"] == 1
        await asyncio.sleep(5)
        assert second.manager.is_leader and second.reconciler.began == ["a"]
        assert (await spec(env))["leaseTransitions"] == 1
        await second.stop()
        events = [
            (each["reason"], each["message"]) for each in (await env.client().list(EVENTS, "default")).items
        ]
        assert sorted(events) == [
            ("LeaderElection", f"candidate-{number} {what}")
            for number in (1, 2)
            for what in ("became leader", "stopped leading")
        ]

    scenario(body)


def test_a_renewal_costs_one_request() -> None:  # E3
    async def body(env: TestEnv) -> None:
        one = Candidate(env, 1).start()
        await asyncio.sleep(21)
        assert one.line.leases == ["GET", "POST", *["PUT"] * 10]
        assert one.figure("leader_election_slowpath_total") == 0
        # Somebody else writes to the Lease, and it stays ours.
        await env.client().patch(LEASES, "default", "widgets", {"metadata": {"labels": {"a": "b"}}})
        await asyncio.sleep(2)
        assert one.line.leases[-3:] == ["PUT", "GET", "PUT"] and one.manager.is_leader
        assert one.figure("leader_election_slowpath_total") == 1
        assert (await env.client().get(LEASES, "default", "widgets")).labels == {"a": "b"}
        await one.stop()

    scenario(body)


def test_who_cannot_renew_leaves_before_another_may_begin() -> None:  # E1, E2, M5
    async def body(env: TestEnv) -> None:
        first = Candidate(env, 1, seconds=1000.0).start()
        await asyncio.sleep(1)
        second = Candidate(env, 2).start()
        await asyncio.sleep(20)
        first.line.cut = True
        cut_at = now()
        assert first.task is not None
        with pytest.raises(LeadershipLost, match="Lease default/widgets: it could not be renewed in time"):
            await first.task
        (ended,) = first.reconciler.cut_short
        assert 8 <= ended - cut_at <= 10
        assert not second.manager.is_leader and not second.reconciler.began
        await asyncio.sleep(12)
        assert second.manager.is_leader and (await spec(env))["leaseTransitions"] == 1
        await second.stop()

    scenario(body)


def test_a_short_fault_costs_nothing() -> None:  # E2
    async def body(env: TestEnv) -> None:
        one = Candidate(env, 1).start()
        await asyncio.sleep(20)
        for _ in range(3):
            one.line.cut = True
            await asyncio.sleep(5)
            one.line.cut = False
            await asyncio.sleep(7)
        assert one.manager.is_leader and one.reconciler.began == ["a"]
        await one.stop()

    scenario(body)


def test_an_api_server_that_is_away_is_waited_for() -> None:  # E2
    async def body(env: TestEnv) -> None:
        one = Candidate(env, 1)
        one.line.cut = True
        one.start()
        await asyncio.sleep(100)
        assert not one.manager.is_leader
        one.line.cut = False
        await asyncio.sleep(5)
        assert one.manager.is_leader
        await one.stop()

    scenario(body)


def test_who_sees_another_holder_leaves_at_once() -> None:  # L2, M5
    async def body(env: TestEnv) -> None:
        one = Candidate(env, 1).start()
        await asyncio.sleep(20)
        await env.client().patch(LEASES, "default", "widgets", {"spec": {"holderIdentity": "thief"}})
        taken_at = now()
        assert one.task is not None
        with pytest.raises(LeadershipLost, match="thief holds it"):
            await one.task
        assert now() - taken_at <= 2 and (await spec(env))["holderIdentity"] == "thief"

    scenario(body)


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_the_lease_is_kept_until_the_last_reconcile_has_ended(how: str) -> None:  # M5
    async def body(env: TestEnv) -> None:
        one = Candidate(env, 1, seconds=25.0).start()
        await asyncio.sleep(5)
        stopping = asyncio.create_task(one.stop())
        if how == "cancel":
            assert one.task is not None
            one.task.cancel()
        await asyncio.sleep(18)
        assert one.manager.is_leader and (await spec(env))["holderIdentity"] == "candidate-1"
        await asyncio.wait([stopping])
        assert not stopping.cancelled() or how == "cancel"
        assert not one.reconciler.cut_short and not (await spec(env)).get("holderIdentity")

    scenario(body)


def test_what_needs_no_leader_runs_anyway() -> None:  # M4
    async def body(env: TestEnv) -> None:
        await env.client().create(
            LEASES,
            {
                "metadata": {"name": "widgets", "namespace": "default"},
                "spec": {"holderIdentity": "go", "leaseDurationSeconds": 3600},
            },
        )
        one, everywhere, ran = Candidate(env, 1), Reconciler(), list[str]()

        async def runnable(name: str) -> None:
            ran.append(name)

        one.manager.controller("everywhere", everywhere, for_=CONFIG_MAPS, needs_leader=False)
        one.manager.add(lambda: runnable("anyway"), needs_leader=False)
        one.manager.add(lambda: runnable("leader"))
        one.start()
        await asyncio.sleep(100)
        assert everywhere.began == ["a"] and ran == ["anyway"]
        late = Reconciler()
        one.manager.controller("late", late, for_=CONFIG_MAPS)
        await asyncio.sleep(100)
        assert not late.began and not one.reconciler.began
        await one.stop()
        assert (await spec(env))["holderIdentity"] == "go"

    scenario(body)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lease_seconds": 10}, "lease duration is 10 s; it must be longer than the renew deadline, 10 s"),
        ({"lease_seconds": 12.5}, "lease duration is 12.5 s; use whole seconds"),
        (
            {"retry_seconds": 9},
            "renew deadline is 10 s; it must be longer than 1.2 times the retry period, 10.8 s",
        ),
        ({"retry_seconds": 0}, "retry period is 0 s; use more than 0"),
        ({"name": ""}, "name is empty"),
    ],
)
def test_settings_that_could_give_two_leaders_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LeaderElection(**{"name": "a", **settings})


def test_outside_of_a_pod_the_namespace_must_be_said() -> None:
    async def body(env: TestEnv) -> None:
        with pytest.raises(ValueError, match="we run in no Pod, so say the namespace of the Lease"):
            Manager(env.client(), leader_election=LeaderElection("widgets"))

    scenario(body)


async def _two_leaders(env: TestEnv, seed: int) -> tuple[str, set[str]]:
    """Lets candidates come, go and suffer; tells of the first moment with two leaders (empty: none), and who led."""
    random, led = SeededRandom(seed), set[str]()
    running = list[Candidate]()
    for round in range(160):
        if len(running) < 3:
            one = Candidate(env, seed * 1000 + round)
            one.line.delay = lambda: max(0.0, random.uniform(-2, 1.5)) ** 4
            one.line.loses = lambda: random.uniform(0, 1) < 0.1
            running.append(one.start())
        for one in running:
            one.line.cut = random.uniform(0, 1) < (0.9 if one.line.cut else 0.1)
        if random.uniform(0, 1) < 0.05:
            running[0].manager.stop()
        for _ in range(4):
            await asyncio.sleep(random.uniform(0, 1.0))
            leaders = [each.manager for each in running if each.manager.is_leader]
            led |= {str(each) for each in leaders}
            if len(leaders) > 1:
                await _end(running)
                return f"seed {seed}: {len(leaders)} leaders after {now():g} s", led
        gone = [each for each in running if each.task is not None and each.task.done()]
        await _end(gone)
        running = [each for each in running if each not in gone]
    await _end(running)
    return "", led


async def _end(running: list[Candidate]) -> None:
    for each in running:
        assert each.task is not None
        each.task.cancel()
        (ended,) = await asyncio.gather(each.task, return_exceptions=True)
        assert ended is None or isinstance(ended, LeadershipLost | asyncio.CancelledError), ended


@pytest.mark.parametrize("seed", range(1, 5))
def test_at_most_one_leads_whatever_happens(seed: int) -> None:  # E1
    async def body(env: TestEnv) -> None:
        found, led = await _two_leaders(env, seed)
        assert not found and len(led) > 2

    scenario(body)


def test_the_checker_finds_two_leaders_when_the_rule_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = View.decide

    def impatient(view: View, now: float) -> Decision:
        return rule(view, now + 12)

    monkeypatch.setattr(
        View,
        "decide",
        lambda view, now: rule(view, now) if view.leading_until is not None else impatient(view, now),
    )

    async def body(env: TestEnv) -> None:
        found = [(await _two_leaders(env, seed))[0] for seed in range(1, 3)]
        assert any(found)

    scenario(body)
