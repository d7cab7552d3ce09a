"""What is measured, under the names that controller-runtime gave it."""

import asyncio
from typing import Any

import pytest
from prometheus_client.core import Metric
from tests.ctrl.scripted import PODS, Asked, Script, pod, pod_list

from kajitori.apimachinery.errors import Invalid
from kajitori.client import Client, TransportError
from kajitori.ctrl import DONE, LeaderElection, Manager, Request, Result
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

OF_CONTROLLER_RUNTIME = """
controller_runtime_active_workers gauge controller
controller_runtime_max_concurrent_reconciles gauge controller
controller_runtime_reconcile_errors_total counter controller
controller_runtime_reconcile_panics_total counter controller
controller_runtime_reconcile_time_seconds histogram controller
controller_runtime_reconcile_timeouts_total counter controller
controller_runtime_reconcile_total counter controller,result
controller_runtime_terminal_reconcile_errors_total counter controller
leader_election_master_status gauge name
rest_client_requests_total counter code,host,method
workqueue_adds_total counter controller,name
workqueue_depth gauge controller,name,priority
workqueue_longest_running_processor_seconds gauge controller,name
workqueue_queue_duration_seconds histogram controller,name
workqueue_retries_total counter controller,name
workqueue_unfinished_work_seconds gauge controller,name
workqueue_work_duration_seconds histogram controller,name
"""
"""What a manager of controller-runtime v0.24.0 with one controller and a leader election serves at /metrics, apart
from what it tells of Go, the process, its webhooks and certificates: name, type, labels."""

BOUNDS = {
    "controller_runtime_reconcile_time_seconds": (
        "0.005 0.01 0.025 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.45 0.5 0.6 0.7 0.8 0.9 1 1.25 1.5 1.75 2 2.5 3 3.5 4 "
        "4.5 5 6 7 8 9 10 15 20 25 30 40 50 60"
    ),
    "workqueue_queue_duration_seconds": "1e-08 1e-07 1e-06 1e-05 0.0001 0.001 0.01 0.1 1 10 100 1000",
    "workqueue_work_duration_seconds": "1e-08 1e-07 1e-06 1e-05 0.0001 0.001 0.01 0.1 1 10 100 1000",
    "rest_client_request_duration_seconds": "0.005 0.025 0.1 0.25 0.5 1 2 4 8 15 30 60",
}
"""Of the same, and of client-go."""


def respond(asked: Asked) -> Any:
    if "leases" in asked.path:
        return TransportError("nobody there")
    if "sendInitialEvents" in asked.query:
        return Invalid("no")
    return [] if asked.is_watch else pod_list(5, pod("a", 1), pod("b", 1))


class Reconciler:
    async def reconcile(self, request: Request) -> Result:
        if request.name == "b":
            raise OSError("no")
        return DONE


def measured(**options: Any) -> dict[str, Metric]:
    async def run() -> list[Metric]:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1), **options)
        manager.controller("pods", Reconciler(), for_=PODS, needs_leader=False)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        found = list(manager.metrics_registry().collect())
        manager.stop()
        await task
        return found

    return {each.name + ("_total" if each.type == "counter" else ""): each for each in run_virtual(run())}


def value(of: dict[str, Metric], sampled: str, /, **labels: str) -> float:
    (sample,) = (
        each
        for metric in of.values()
        for each in metric.samples
        if each.name == sampled and each.labels == labels
    )
    return sample.value


@pytest.mark.parametrize("line", OF_CONTROLLER_RUNTIME.strip().splitlines())
def test_names_types_and_labels_are_those_of_controller_runtime(line: str) -> None:
    name, type, labels = line.split()
    found = measured(leader_election=LeaderElection("shop", "default"))[name]
    assert found.type == type and found.samples
    for sample in found.samples:
        assert sorted(sample.labels.keys() - {"le"}) == labels.split(",")


@pytest.mark.parametrize("name", BOUNDS)
def test_buckets_are_those_of_controller_runtime(name: str) -> None:
    samples = [each for each in measured()[name].samples if each.name.endswith("_bucket")]
    bounds = [float(each.labels["le"]) for each in samples]
    assert bounds == [*map(float, BOUNDS[name].split()), float("inf")]


def test_figures_say_what_has_happened() -> None:
    found = measured()
    assert value(found, "controller_runtime_reconcile_total", controller="pods", result="success") == 1
    errors = value(found, "controller_runtime_reconcile_errors_total", controller="pods")
    assert errors == value(found, "controller_runtime_reconcile_total", controller="pods", result="error") > 5
    assert value(found, "workqueue_retries_total", name="pods", controller="pods") == errors
    assert value(found, "rest_client_requests_total", code="200", method="GET", host="") == 2
    assert value(found, "rest_client_requests_total", code="422", method="GET", host="") == 1
    assert value(found, "rest_client_request_duration_seconds_count", verb="GET", host="") == 3


def test_caches_are_measured_by_kind() -> None:
    found = measured()
    pods = {"name": "", "group": "", "version": "v1", "resource": "pods"}
    assert value(found, "informer_store_resource_version", **pods) == 5
    assert value(found, "kajitori_informer_objects", **pods) == 2
    assert value(found, "kajitori_informer_synced", **pods) == 1
    assert value(found, "kajitori_informer_quiet_seconds", **pods) == pytest.approx(5, abs=0.1)
    assert value(found, "kajitori_informer_failures_total", **pods) == 1, "initial events are not streamed"


def test_several_caches_of_one_kind_are_one() -> None:
    async def run() -> None:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1))
        manager.cache.use(PODS)
        manager.cache.use(PODS, metadata_only=True)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        found = {each.name: each for each in manager.metrics_registry().collect()}
        (objects,) = found["kajitori_informer_objects"].samples
        assert objects.value == 4
        manager.stop()
        await task

    run_virtual(run())


def test_requests_without_an_answer_count_too() -> None:
    found = measured(leader_election=LeaderElection("shop", "default"))
    assert value(found, "rest_client_requests_total", code="<error>", method="GET", host="") > 1


def test_a_priority_that_is_worked_off_stays_with_none() -> None:
    async def run() -> None:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1))
        controller = manager.controller("pods", Reconciler(), for_=PODS)
        controller.enqueue(Request("default", "a"), 7)
        depths = {each.name: each for each in manager.metrics_registry().collect()}["workqueue_depth"].samples
        assert {each.labels["priority"]: each.value for each in depths} == {"0": 0, "7": 1}
        controller.queue.done((await controller.queue.get()).name)
        depths = {each.name: each for each in manager.metrics_registry().collect()}["workqueue_depth"].samples
        assert {each.labels["priority"]: each.value for each in depths} == {"0": 0, "7": 0}

    run_virtual(run())
