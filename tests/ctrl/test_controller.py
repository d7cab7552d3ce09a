"""A controller at work: outcomes, parking, priorities, explanations, shutting down."""

import asyncio
import contextlib
import functools
import logging
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, WIDGETS, Asked, Script, answer, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import Conflict, Invalid, NotFound, TooManyRequests
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client
from kajitori.ctrl import (
    DONE,
    LOW_PRIORITY,
    CacheSyncTimeout,
    Manager,
    RateLimit,
    Request,
    Result,
    TerminalError,
    Watch,
    current_reconcile,
    generation_changed,
)
from kajitori.ctrl.queue_state import QueueFull
from kajitori.ctrl.readback import PARKED_SECONDS_MAX
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

A = Request("default", "a")


class Calls:
    """A reconciler made of a function; remembers when it was called for what."""

    def __init__(self, function: Callable[[Request, int], Awaitable[Any]]) -> None:
        self.function = function
        self.seen = list[tuple[str, float]]()

    async def reconcile(self, request: Request) -> Result:
        self.seen.append((request.name, round(asyncio.get_running_loop().time(), 3)))
        result: Result = await self.function(request, len(self.seen))
        return result


def served(
    *lines: Any, listed: Any = None, others: Callable[[Asked], Any] | None = None
) -> Callable[[Asked], Any]:
    left = list(lines)

    def respond(asked: Asked) -> Any:
        if asked.method != "GET" and others is not None:
            return others(asked)
        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if not asked.is_watch:
            return listed if listed is not None and asked.path.endswith("pods") else pod_list(5, pod("a", 1))
        if not asked.path.endswith("pods"):
            return []
        sent, left[:] = list(left), []
        return sent

    return respond


def run_manager(
    scene: Callable[[Manager], Coroutine[Any, Any, Any]],
    respond: Callable[[Asked], Any],
    set_up: Callable[[Manager], Any],
    **options: Any,
) -> Any:
    async def run() -> Any:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1), **options)
        set_up(manager)
        task = asyncio.create_task(manager.run())
        try:
            return await scene(manager)
        finally:
            manager.stop()
            await task

    return run_virtual(run())


def sleep(seconds: float) -> Callable[[Manager], Coroutine[Any, Any, None]]:
    async def scene(manager: Manager) -> None:
        await asyncio.sleep(seconds)

    return scene


def outcomes(
    function: Callable[[Request, int], Awaitable[Any]], seconds: float, **options: Any
) -> tuple[Any, Any]:
    """When a lone Pod was reconciled within so many seconds, and the controller's figures."""
    calls = Calls(function)

    async def scene(manager: Manager) -> Any:
        await asyncio.sleep(seconds)
        return manager.controllers[0].figures

    figures = run_manager(
        scene, served(), lambda manager: manager.controller("c", calls, for_=PODS, **options)
    )
    start = calls.seen[0][1]
    return [round(at - start, 3) for _, at in calls.seen], figures


async def raise_it(error: BaseException) -> Result:
    raise error


def test_done_means_until_something_changes() -> None:  # P3
    async def done(request: Request, call: int) -> Result:
        return DONE

    times, figures = outcomes(done, 3600)
    assert times == [0] and figures.success == 1


def test_an_error_is_retried_after_a_growing_delay(caplog: pytest.LogCaptureFixture) -> None:  # P2, P3
    async def fail_thrice(request: Request, call: int) -> Result:
        return await raise_it(RuntimeError("no")) if call <= 3 else DONE

    times, figures = outcomes(fail_thrice, 3600)
    assert times == [0, 0.005, 0.015, 0.035]
    assert (figures.error, figures.success, figures.panics) == (3, 1, 0)
    assert [record.levelno for record in caplog.records if record.message == "Reconciler error"] == [
        logging.ERROR
    ] * 3


def test_a_terminal_error_is_not_retried() -> None:  # P3
    times, figures = outcomes(lambda request, call: raise_it(TerminalError("never")), 3600)
    assert times == [0] and (figures.error, figures.terminal_errors) == (1, 1)
    times, figures = outcomes(
        lambda request, call: raise_it(ExceptionGroup("", [TerminalError("never")])), 3600
    )
    assert times == [0] and figures.terminal_errors == 1


def test_requeue_after_comes_back_and_forgets_failures() -> None:  # P3
    async def now_and_then(request: Request, call: int) -> Result:
        return await raise_it(RuntimeError("no")) if call in (1, 3) else Result(60)

    times, figures = outcomes(now_and_then, 150)
    assert times == [0, 0.005, 60.005, 60.01, 120.01] and figures.requeue_after == 3


def test_a_server_that_names_a_delay_is_not_asked_sooner() -> None:  # P3
    busy = TooManyRequests("busy", details={"retryAfterSeconds": 90})
    times, figures = outcomes(
        lambda request, call: raise_it(busy if call == 1 else ExceptionGroup("", [busy, RuntimeError("no")])),
        200,
    )
    assert times == [0, 90, 180] and figures.error == 3


@pytest.mark.parametrize("error", [KeyError("x"), AssertionError(), ExceptionGroup("", [TypeError("x")])])
def test_mistakes_are_contained_and_counted_as_panics(error: Exception) -> None:  # P2
    times, figures = outcomes(lambda request, call: raise_it(error), 0.05)
    assert len(times) > 2 and figures.panics == len(times)


def test_a_reconciler_that_cancels_itself_has_failed() -> None:  # P2
    times, figures = outcomes(lambda request, call: raise_it(asyncio.CancelledError()), 0.02)
    assert times[:2] == [0, 0.005] and figures.error == len(times)


async def cancel_itself(request: Request, call: int) -> Result:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)
    return DONE


async def swallow_its_own_cancellation(request: Request, call: int) -> Result:
    with contextlib.suppress(asyncio.CancelledError):
        await cancel_itself(request, call)
    return await raise_it(RuntimeError("went on"))


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


OUTRAGEOUS: list[Callable[[Request, int], Awaitable[Any]]] = [
    cancel_itself,
    swallow_its_own_cancellation,
    *(
        functools.partial(lambda error, request, call: raise_it(error), error)
        for error in (
            SystemExit(3),
            GeneratorExit(),
            Unprintable(),
            BaseExceptionGroup("", [SystemExit(1), KeyError("a")]),
            ExceptionGroup("", [ExceptionGroup("", [TerminalError("never")]), RuntimeError("no")]),
        )
    ),
]


@pytest.mark.parametrize("outrageous", OUTRAGEOUS)
@pytest.mark.parametrize("workers", [1, 3])
def test_whatever_a_reconciler_raises_ends_only_that_reconcile(
    outrageous: Callable[[Request, int], Awaitable[Any]], workers: int
) -> None:  # P2
    async def three_times(request: Request, call: int) -> Result:
        if call <= 3:
            result: Result = await outrageous(request, call)
            return result
        return DONE

    times, figures = outcomes(three_times, 3600, workers=workers, timeout_seconds=60)
    assert len(times) == 4 and (figures.error, figures.success) == (3, 1)
    # Nobody has gone: as many as before work.
    assert figures.active_workers == 0


INTERRUPTED = """
import asyncio
from kajitori.ctrl import Channel, Manager, Request
from kajitori.client import Client

class Interrupted:
    async def reconcile(self, request):
        raise KeyboardInterrupt

channel = Channel()
channel.put(Request("", "a"))
manager = Manager(Client(None))
manager.controller("c", Interrupted(), sources=[channel])
asyncio.run(manager.run())
"""


def test_who_presses_ctrl_c_ends_the_process() -> None:  # P2
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30)
    assert ended.returncode in (-signal.SIGINT, 130) and "KeyboardInterrupt" in ended.stderr


@pytest.mark.parametrize(
    ("nonsense", "told"),
    [
        (7, "return a Result"),
        (Result, "return a Result"),
        (Result("soon"), "requeue_after_seconds is 'soon'"),  # type: ignore[arg-type]
        (Result(-1), "requeue_after_seconds is -1"),
        (Result(float("nan")), "requeue_after_seconds is nan"),
        (Result(float("inf")), "requeue_after_seconds is inf"),
        (Result(5, priority="high"), "priority is 'high'"),  # type: ignore[arg-type]
    ],
)
def test_a_result_that_is_nonsense_is_a_mistake(
    nonsense: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:  # P2, H4
    _, figures = outcomes(lambda request, call: asyncio.sleep(0, nonsense), 0.001)
    assert (figures.error, figures.panics) == (1, 1) and told in caplog.text


def test_conflicts_are_counted() -> None:
    conflict = Conflict("the object has been modified")
    _, figures = outcomes(
        lambda request, call: (
            raise_it(ExceptionGroup("", [conflict]) if call == 1 else conflict)
            if call <= 2
            else asyncio.sleep(0, DONE)
        ),
        10,
    )
    assert (figures.conflicts, figures.error, figures.panics) == (2, 2, 0)


def test_a_queue_that_is_full_stops_the_manager() -> None:  # Q5
    async def run() -> None:
        listed = pod_list(5, *(pod(f"p{number}", 1) for number in range(5)))
        manager = Manager(Client(Script(served(listed=listed))), clock=VirtualClock(), random=SeededRandom(1))
        manager.controller("c", Calls(lambda request, call: asyncio.sleep(0, DONE)), for_=PODS, names_max=3)
        with pytest.raises(ExceptionGroup) as caught:
            await manager.run()
        assert caught.value.subgroup(QueueFull) is not None

    run_virtual(run())


def test_a_controller_may_have_a_rate_limit_of_its_own() -> None:
    limit = RateLimit(base_seconds=1, max_seconds=4)
    times, _ = outcomes(lambda request, call: raise_it(OSError("no")), 14, rate_limit=limit)
    assert times == [0, 1, 3, 7, 11]


def test_workers_are_those_of_the_controller_then_of_the_kind_then_of_the_manager() -> None:
    async def run() -> list[int]:
        manager = Manager(
            Client(Script(served())),
            kind_workers={"Pod": 4, "Widget.example.com": 5},
            workers=2,
            needs_leader=False,
        )
        calls = Calls(lambda request, call: asyncio.sleep(0, DONE))
        made = [
            manager.controller("own", calls, for_=PODS, workers=3),
            manager.controller("core", calls, for_=PODS),
            manager.controller("group", calls, for_=WIDGETS),
            manager.controller("other", calls, for_=Kind("apps", "v1", "Widget", "widgets")),
            manager.controller("none", calls),
        ]
        assert not any(each.needs_leader for each in made)
        return [each.workers for each in made]

    assert run_virtual(run()) == [3, 4, 5, 2, 2]


def test_what_is_owned_needs_an_owner() -> None:
    async def run() -> None:
        manager = Manager(Client(Script(served())))
        with pytest.raises(ValueError, match="say for_"):
            manager.controller("c", Calls(lambda request, call: asyncio.sleep(0, DONE)), owns=[PODS])

    run_virtual(run())


def test_forgetting_to_return_a_result_is_told(caplog: pytest.LogCaptureFixture) -> None:  # P2
    async def forgetful(request: Request, call: int) -> Any:
        return None

    _, figures = outcomes(forgetful, 0.001)
    assert figures.error == 1 and "return a Result" in caplog.text


def test_a_reconcile_that_takes_too_long_is_cancelled_and_fails() -> None:  # P6, H1
    async def stuck(request: Request, call: int) -> Result:
        if call == 1:
            await asyncio.sleep(1000)
        return DONE

    times, figures = outcomes(stuck, 2000, timeout_seconds=30)
    assert times == [0, 30.005] and (figures.timeouts, figures.error) == (1, 1)


def test_a_name_changed_while_reconciled_is_reconciled_once_more() -> None:  # P1
    calls = Calls(lambda request, call: asyncio.sleep(10, DONE))
    lines = [3, *(event("MODIFIED", pod("a", 6 + number)) for number in range(4))]
    run_manager(sleep(100), served(*lines), lambda manager: manager.controller("c", calls, for_=PODS))
    assert len(calls.seen) == 2 and calls.seen[1][1] - calls.seen[0][1] == 10


def test_changes_overtake_the_first_list() -> None:  # P5
    calls = Calls(lambda request, call: asyncio.sleep(1, DONE))
    listed = pod_list(5, *(pod(f"p{number}", 1) for number in range(5)))
    lines = [1.5, event("MODIFIED", pod("p4", 6))]
    run_manager(
        sleep(100), served(*lines, listed=listed), lambda manager: manager.controller("c", calls, for_=PODS)
    )
    order = [name for name, _ in calls.seen]
    assert order.index("p4") < order.index("p3") and sorted(order) == [f"p{number}" for number in range(5)]


def test_predicates_leave_changes_out() -> None:
    calls = Calls(lambda request, call: asyncio.sleep(0, DONE))
    lines = [5, event("MODIFIED", pod("a", 6, generation=1)), 5, event("MODIFIED", pod("a", 7, generation=2))]
    run_manager(
        sleep(100),
        served(*lines, listed=pod_list(5, pod("a", 1, generation=1))),
        lambda manager: manager.controller("c", calls, for_=PODS, predicates=[generation_changed]),
    )
    assert len(calls.seen) == 2


def owned(name: str, version: int, owner: str) -> dict[str, Any]:
    reference = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "name": owner,
        "uid": "u",
        "controller": True,
    }
    return pod(name, version, ownerReferences=[reference])


def test_owned_objects_wake_their_owner_the_old_and_the_new_one() -> None:  # V7
    calls = Calls(lambda request, call: asyncio.sleep(0, DONE))
    lines = [5, event("ADDED", owned("child", 6, "w1")), 5, event("MODIFIED", owned("child", 7, "w2"))]
    respond = served(*lines, listed=pod_list(5))
    run_manager(
        sleep(100), respond, lambda manager: manager.controller("c", calls, for_=WIDGETS, owns=[PODS])
    )
    # The script's list of Widgets holds "a", which is reconciled first.
    assert [name for name, _ in calls.seen] == ["a", "w1", "w1", "w2"]


def test_watches_map_objects_to_names() -> None:
    calls = Calls(lambda request, call: asyncio.sleep(0, DONE))
    watch = Watch(PODS, lambda value: [Request("", f"for-{value.name}"), Request("", "all")])
    run_manager(
        sleep(100),
        served(5, event("DELETED", pod("a", 7))),
        lambda manager: manager.controller("c", calls, for_=WIDGETS, watches=[watch]),
    )
    assert sorted(name for name, _ in calls.seen) == ["a", "all", "all", "for-a", "for-a"]


def test_a_kind_that_cannot_be_listed_stops_the_manager_with_a_reason() -> None:
    async def run() -> None:
        manager = Manager(
            Client(Script(lambda asked: NotFound("no such kind"))),
            clock=VirtualClock(),
            random=SeededRandom(1),
        )
        manager.controller("c", Calls(lambda request, call: asyncio.sleep(0, DONE)), for_=PODS)
        with pytest.raises(ExceptionGroup) as caught:
            await manager.run()
        error = caught.value
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        assert isinstance(error, CacheSyncTimeout) and "Pod.v1 could not be listed" in str(error)

    run_virtual(run())


# Reading one's own writes.


def write_once(seconds_until_seen: Any, written: Any, **kind: Any) -> tuple[list[float], Any, Any]:
    """A reconciler that writes at its first call and asks for another call at once; the watch lags behind."""

    async def scene(manager: Manager) -> Any:
        await asyncio.sleep(2)
        during = manager.explain("c", A).state
        await asyncio.sleep(100)
        return during, manager.controllers[0].figures

    def set_up(manager: Manager) -> None:
        async def write(request: Request, call: int) -> Result:
            if call == 1:
                await (
                    manager.client.delete(PODS, "default", "a")
                    if written is None
                    else manager.client.patch(PODS, "default", "a", {})
                )
                return Result(0.001)
            return DONE

        manager.controller("c", calls, for_=PODS)
        calls.function = write

    calls = Calls(lambda request, call: asyncio.sleep(0, DONE))
    gone = answer({"kind": "Status", "metadata": {}, "status": "Success", "details": {"uid": "uid-a"}})
    said = gone if written is None else answer(written)
    during, figures = run_manager(scene, served(*seconds_until_seen, others=lambda asked: said), set_up)
    return [round(at - calls.seen[0][1], 2) for _, at in calls.seen], during, figures


def test_a_name_is_parked_until_the_cache_has_seen_its_write() -> None:  # P4, B1
    times, during, figures = write_once([3, event("MODIFIED", pod("a", 9))], pod("a", 9))
    assert during == "parked" and (figures.parked, figures.parked_in_vain) == (1, 0)
    assert len(times) == 2 and 1 < times[1] < 4


def test_a_later_bookmark_is_as_good() -> None:  # B1
    times, during, figures = write_once([3, bookmark(10)], pod("a", 9))
    assert during == "parked" and figures.parked_in_vain == 0 and len(times) == 2


def test_a_deletion_is_waited_for_too() -> None:  # B1
    times, during, _ = write_once([3, event("DELETED", pod("a", 9))], None)
    assert during == "parked" and 1 < times[1] < 4


def test_parking_ends_when_the_cache_never_catches_up(caplog: pytest.LogCaptureFixture) -> None:  # B2
    times, _, figures = write_once([], pod("a", 9))
    assert times[1] == pytest.approx(PARKED_SECONDS_MAX, abs=0.01) and figures.parked_in_vain == 1
    assert "did not see the writes" in caplog.text


def test_a_write_that_changed_nothing_parks_nothing() -> None:  # B1
    times, during, figures = write_once([], pod("a", 5))
    assert during == "absent" and figures.parked == 0 and len(times) == 2


def test_objects_that_no_cache_holds_are_not_waited_for() -> None:  # B3
    times, _, figures = write_once([], {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})
    assert figures.parked == 0 and len(times) == 2


# Explanations, metrics.


def test_an_explanation_tells_why_and_what_came_of_it() -> None:
    async def fail_once(request: Request, call: int) -> Result:
        assert current_reconcile.get() is not None
        return await raise_it(RuntimeError("broken")) if call == 2 else Result(1000)

    async def scene(manager: Manager) -> Any:
        await asyncio.sleep(50)
        return manager.explain("c", A)

    found = run_manager(
        scene,
        served(5, event("MODIFIED", pod("a", 6))),
        lambda manager: manager.controller("c", Calls(fail_once), for_=PODS),
    )
    assert found.state == "queued" and [cause.type for cause in found.causes] == ["requeue after"]
    lines = str(found).splitlines()
    assert lines[0] == "default/a in controller c: queued"
    assert lines[1] == "  because of what the reconcile before asked for, 45 s ago"
    assert lines[2] == "45 s ago requeue after: waited 0.000 s, took 0.000 s, wrote 0, again after 1000 s"
    assert lines[3] == "  because of the failure before, 45 s ago"
    assert lines[4].endswith("error: waited 0.000 s, took 0.000 s, wrote 0, again after 0.005 s")
    assert lines[5:7] == [
        "  RuntimeError: broken",
        "  because of what the reconcile before asked for, 50 s ago",
    ]
    assert lines[7] == "  because of a change of Pod default/a (1 → 6), 45 s ago"
    assert lines[-1] == "  because of a new Pod default/a (1), 50 s ago"
    retry, failed, first = found.traces
    assert [cause.type for cause in retry.causes] == ["retry"] and retry.outcome == "requeue after"
    assert failed.outcome == "error" and failed.error == "RuntimeError: broken"
    cause = failed.causes[-1]
    assert (cause.type, cause.kind, cause.object) == ("update", "Pod", "default/a")
    assert (cause.old_version, cause.new_version) == ("1", "6")
    assert (
        first.priority == LOW_PRIORITY
        and len({retry.reconcile_id, failed.reconcile_id, first.reconcile_id}) == 3
    )


def test_metrics_have_the_names_everybody_knows() -> None:
    from prometheus_client import generate_latest

    async def scene(manager: Manager) -> str:
        await asyncio.sleep(50)
        return generate_latest(manager.metrics_registry()).decode()

    text = run_manager(
        scene,
        served(),
        lambda manager: manager.controller("c", Calls(lambda r, c: asyncio.sleep(1, DONE)), for_=PODS),
    )
    assert 'controller_runtime_reconcile_total{controller="c",result="success"} 1.0' in text
    assert 'controller_runtime_max_concurrent_reconciles{controller="c"} 1.0' in text
    assert 'controller_runtime_reconcile_time_seconds_bucket{controller="c",le="1.0"} 1.0' in text
    assert 'workqueue_adds_total{controller="c",name="c"} 1.0' in text
    assert 'workqueue_depth{controller="c",name="c",priority="0"} 0.0' in text
    assert 'workqueue_work_duration_seconds_count{controller="c",name="c"} 1.0' in text


def test_an_operators_own_figures_are_told_with_the_rest() -> None:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import GaugeMetricFamily

    class Figures:
        def collect(self) -> list[GaugeMetricFamily]:
            return [GaugeMetricFamily("answer", "Of everything.", value=42)]

    async def scene(manager: Manager) -> str:
        manager.measure(Figures())
        text = generate_latest(manager.metrics_registry()).decode()
        given = CollectorRegistry(auto_describe=False)
        Manager(manager.client, metrics=given).measure(Figures())
        assert generate_latest(given).decode().count("answer 42.0") == 1
        return text

    text = run_manager(scene, served(), lambda manager: None)
    assert "answer 42.0" in text and "workqueue" in text
