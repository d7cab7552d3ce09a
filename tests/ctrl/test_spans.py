"""Traces of what controllers do, as a provider of OpenTelemetry's SDK gets them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tests.ctrl.scripted import PODS, WIDGETS, Asked, Script, answer, event, pod, pod_list

from kajitori.apimachinery.errors import Conflict, Invalid
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.ctrl.logs import reconcile_keys
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom


def widget(name: str, version: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": str(version)}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}


class Server:
    """Has one Pod; what is written of a Widget comes back as an event a second later."""

    def __init__(self) -> None:
        self.written = asyncio.Event()

    def __call__(self, asked: Asked) -> Any:
        if asked.method == "POST":
            self.written.set()
            return answer(widget("a", 9))
        if asked.method == "PUT":
            return Conflict("somebody was faster")
        if "sendInitialEvents" in asked.query:
            return Invalid("no")
        if "widgets" in asked.path:
            return [self.written, event("ADDED", widget("a", 9))] if asked.is_watch else pod_list(5)
        return [] if asked.is_watch else pod_list(5, pod("p", 1))


class Pods:
    """Writes a Widget."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.keys: dict[str, Any] = {}

    async def reconcile(self, request: Request) -> Result:
        await asyncio.sleep(0.25)
        await self.client.create(WIDGETS, {"metadata": {"name": "a", "namespace": "default"}})
        self.keys = reconcile_keys()
        return DONE


class Widgets:
    """Fails."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def reconcile(self, request: Request) -> Result:
        await self.client.update(WIDGETS, widget("a", 9))
        return DONE


def traced(seconds: float = 1.0) -> tuple[Sequence[ReadableSpan], Script, Pods]:
    exporter = InMemorySpanExporter()

    async def run() -> tuple[Script, Pods]:
        script = Script(Server())
        manager = Manager(Client(script), clock=VirtualClock(), random=SeededRandom(1), graceful_seconds=0)
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        manager.tracer_provider = provider
        pods = Pods(manager.client)
        manager.controller("pods", pods, for_=PODS)
        manager.controller("widgets", Widgets(manager.client), for_=WIDGETS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(seconds)
        manager.stop()
        await task
        assert manager.client.tracing is None
        return script, pods

    script, pods = run_virtual(run())
    return exporter.get_finished_spans(), script, pods


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    return next(each for each in spans if each.name == name)


def test_a_reconcile_is_a_trace_from_its_event_to_its_requests() -> None:
    spans, _, pods = traced()
    root = named(spans, "reconcile pods")
    assert root.parent is None and root.kind is SpanKind.CONSUMER
    queue, run = (
        next(each for each in spans if each.name == name and each.parent == root.context)
        for name in ("queue", "run")
    )
    create = named(spans, "POST /apis/example.com/v1/namespaces/{namespace}/widgets")
    assert create.parent == run.context and create.kind is SpanKind.CLIENT
    assert root.start_time == queue.start_time and root.end_time == run.end_time
    assert run.start_time is not None and run.end_time is not None
    assert run.end_time - run.start_time == 250_000_000, "times are the runtime's"
    of_reconcile = dict(root.attributes or {})
    assert of_reconcile.pop("kajitori.reconcile_id") == pods.keys["reconcileID"]
    assert of_reconcile == {
        "kajitori.controller": "pods",
        "kajitori.priority": -100,
        "kajitori.object.group": "",
        "kajitori.object.kind": "Pod",
        "kajitori.object.name": "p",
        "k8s.namespace.name": "default",
        "kajitori.outcome": "success",
        "kajitori.writes": 1,
    }
    (cause,) = root.events
    assert cause.name == "create" and dict(cause.attributes or {}) == {
        "kajitori.object.kind": "Pod",
        "kajitori.object.name": "default/p",
        "kajitori.resource_version": "1",
    }
    assert dict(create.attributes or {}) == {
        "http.request.method": "POST",
        "url.template": "/apis/example.com/v1/namespaces/{namespace}/widgets",
        "url.path": "/apis/example.com/v1/namespaces/default/widgets",
        "http.response.status_code": 200,
    }


def test_the_server_and_the_log_learn_of_the_trace() -> None:
    spans, script, pods = traced()
    run = next(each for each in spans if each.name == "run")
    create = named(spans, "POST /apis/example.com/v1/namespaces/{namespace}/widgets")
    assert run.context is not None and create.context is not None
    (asked,) = (each for each in script.asked if each.method == "POST")
    version, trace_id, span_id, flags = asked.headers["traceparent"].split("-")
    assert (version, trace_id) == ("00", f"{create.context.trace_id:032x}")
    assert span_id == f"{create.context.span_id:016x}" and int(flags, 16) & 1, "sampled"
    assert pods.keys["trace_id"] == f"{run.context.trace_id:032x}"
    assert pods.keys["span_id"] == f"{run.context.span_id:016x}"


def test_requests_outside_of_a_reconcile_make_no_spans() -> None:  # X3
    spans, script, _ = traced()
    assert not [each for each in spans if each.name.startswith("GET")]
    assert all("traceparent" not in each.headers for each in script.asked if each.method == "GET")


def test_a_reconcile_is_linked_to_the_one_that_wrote_what_it_is_for() -> None:  # X2
    spans, _, _ = traced()
    writer, reader = named(spans, "reconcile pods"), named(spans, "reconcile widgets")
    (link,) = reader.links
    assert link.context == writer.context and reader.context is not None
    assert reader.context.trace_id != link.context.trace_id


def test_failures_are_told() -> None:  # X1
    spans, _, _ = traced()
    failed = named(spans, "reconcile widgets")
    assert not failed.status.is_ok and failed.status.description == "Conflict"
    assert (failed.attributes or {})["kajitori.outcome"] == "error"
    assert (failed.attributes or {})["kajitori.requeue_seconds"] == 0.005
    run = next(each for each in spans if each.name == "run" and each.parent == failed.context)
    assert [each.name for each in run.events] == ["exception"]
    update = named(spans, "PUT /apis/example.com/v1/namespaces/{namespace}/widgets/{name}")
    assert (update.attributes or {})["error.type"] == "409" and not update.status.is_ok


def test_what_is_cut_short_ends_its_spans() -> None:  # X1
    spans, _, _ = traced(0.1)
    root = named(spans, "reconcile pods")
    assert (root.attributes or {})["kajitori.outcome"] == "cancelled" and root.end_time is not None


def test_without_a_provider_nothing_is_traced() -> None:
    async def run() -> None:
        manager = Manager(Client(Script(Server())), clock=VirtualClock(), random=SeededRandom(1))
        controller = manager.controller("pods", Pods(manager.client), for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(0.1)
        assert controller.tracing is None and manager.client.tracing is None
        manager.stop()
        await task

    run_virtual(run())
