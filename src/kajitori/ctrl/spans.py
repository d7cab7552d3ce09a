"""Traces in OpenTelemetry's terms: from the event that made a name be queued to the requests of its reconcile.

    reconcile widgets            from when the name was ready; links to the reconciles whose writes were the events
    ├─ queue                     until a worker took it
    └─ run                       the reconciler at work; what it logs has the ids of this span
       └─ PATCH /apis/…/{name}   each try of a request; the API server goes on with the trace (`traceparent`)

Imported by a manager that runs where a provider of tracers is set: by `opentelemetry-instrument kajitori run …`, by the
operator's own module, or given as `manager.tracer_provider`. Where none is, nothing of this costs anything.

Promises
    X1  every reconcile that ends, fails or is cut short ends its spans, whose times are the runtime's own
    X2  a reconcile is linked to the one that wrote the version it was queued for, while that is among the last
        WRITES_REMEMBERED_MAX
    X3  requests outside of a trace begin none: neither watches nor renewals of leases make spans

Source: OpenTelemetry's semantic conventions for HTTP clients; https://www.w3.org/TR/trace-context/
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextvars import Token

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TracerProvider

from kajitori import __version__
from kajitori.client.tracing import TracedRequest, url_template
from kajitori.client.writes import WriteLog
from kajitori.ctrl.explain import Cause, Outcome
from kajitori.ctrl.tracing import Traced
from kajitori.world.clock import Clock

__all__ = ["ReconcileSpan", "ReconcileSpans", "provider_of_process"]

WRITES_REMEMBERED_MAX = 10_000
"""Objects written whose events may still come: about two megabytes."""

_Written = tuple[str, str, str]
"""Kind, `namespace/name`, version."""


def provider_of_process() -> TracerProvider | None:
    """The one that somebody has set; None: nobody has."""
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)) else provider


class ReconcileSpans:
    """Makes the spans of one manager, of its reconciles and of its client's requests."""

    def __init__(self, provider: TracerProvider, clock: Clock, host: str = "") -> None:
        """`host` is the API server's, `host:port`."""
        self._tracer = provider.get_tracer("kajitori", __version__)
        self._clock = clock
        self._address, _, port = host.rpartition(":")
        self._port = int(port) if port.isdecimal() else 0
        self._writers: OrderedDict[_Written, SpanContext] = OrderedDict()
        self._open: dict[int, ReconcileSpan] = {}

    def begin(self, traced: Traced) -> "ReconcileSpan":
        """A worker has taken a name; ended in the same task."""
        now = self.now()
        ready = now - int(traced.waited_seconds * 1e9)
        root = self._tracer.start_span(
            f"reconcile {traced.controller}",
            context=Context(),
            kind=SpanKind.CONSUMER,
            attributes=dict(_attributes(traced)),
            links=list(self._links(traced.causes)),
            start_time=ready,
        )
        self._note_causes(root, traced.causes, now)
        inside = trace.set_span_in_context(root, Context())
        self._tracer.start_span("queue", context=inside, start_time=ready).end(now)
        run = self._tracer.start_span("run", context=inside, start_time=now)
        span = ReconcileSpan(self, root, run, traced.log)
        self._open[id(span)] = span
        return span

    def closed(self, span: "ReconcileSpan") -> None:
        """Remembers what it wrote."""
        del self._open[id(span)]
        context = span.context
        for written in _written(span.log):
            self._writers.pop(written, None)
            self._writers[written] = context
        while len(self._writers) > WRITES_REMEMBERED_MAX:
            self._writers.popitem(last=False)

    def now(self) -> int:
        """Nanoseconds since 1970, on the manager's clock."""
        return int(self._clock.now().timestamp() * 1e6) * 1000

    def _note_causes(self, root: Span, causes: Sequence[Cause], now: int) -> None:
        time = asyncio.get_running_loop().time()
        for cause in causes:
            about = {"object.kind": cause.kind, "object.name": cause.object.lstrip("/")}
            about |= {"resource_version": cause.new_version, "resource_version.old": cause.old_version}
            root.add_event(
                cause.type,
                {f"kajitori.{key}": value for key, value in about.items() if value},
                timestamp=now - int((time - cause.at) * 1e9),
            )

    def _links(self, causes: Sequence[Cause]) -> Iterator[Link]:
        for cause in causes:
            if cause.new_version:
                key = (cause.kind, cause.object, cause.new_version)
                context = self._writers.get(key) or self._still_writing(key)
                if context is not None:
                    yield Link(context, {"kajitori.resource_version": cause.new_version})

    def _still_writing(self, key: _Written) -> SpanContext | None:
        """Events come while the reconcile that caused them still goes on."""
        return next((span.context for span in self._open.values() if key in _written(span.log)), None)

    # The client's requests: RequestTracing.

    def request(self, method: str, path_and_query: str, headers: Mapping[str, str]) -> TracedRequest | None:
        """A try begins. None: it belongs to no trace."""
        if not trace.get_current_span().get_span_context().is_valid:
            return None
        template = url_template(path_and_query)
        path, _, query = path_and_query.partition("?")
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "url.template": template,
            "url.path": path,
        }
        if query:
            attributes["url.query"] = query
        if self._address:
            attributes |= {"server.address": self._address, "server.port": self._port}
        span = self._tracer.start_span(
            f"{method} {template}", kind=SpanKind.CLIENT, attributes=attributes, start_time=self.now()
        )
        sent = dict(headers)
        propagate.inject(sent, trace.set_span_in_context(span))
        return _Request(self, span, sent)


class ReconcileSpan:
    """One reconcile."""

    def __init__(self, spans: ReconcileSpans, root: Span, run: Span, log: WriteLog) -> None:
        self._spans = spans
        self._root = root
        self._run = run
        self.log = log
        self._token: Token[Context] = context.attach(trace.set_span_in_context(run))

    @property
    def context(self) -> SpanContext:
        return self._root.get_span_context()

    def end(self, outcome: Outcome, error: BaseException | None = None, requeue_seconds: float = 0.0) -> None:
        """With what came of it; in the task in which it began."""
        context.detach(self._token)
        now = self._spans.now()
        if error is not None:
            self._run.record_exception(error, timestamp=now)
            for span in (self._run, self._root):
                span.set_status(StatusCode.ERROR, type(error).__name__)
        self._root.set_attribute("kajitori.outcome", outcome)
        self._root.set_attribute("kajitori.writes", len(self.log.writes))
        if requeue_seconds:
            self._root.set_attribute("kajitori.requeue_seconds", requeue_seconds)
        self._run.end(now)
        self._root.end(now)
        self._spans.closed(self)


class _Request:
    """One try of a request."""

    def __init__(self, spans: ReconcileSpans, span: Span, headers: Mapping[str, str]) -> None:
        self._spans = spans
        self._span = span
        self.headers = headers

    def end(self, status: int) -> None:
        span = self._span
        if status:
            span.set_attribute("http.response.status_code", status)
        if not status or status >= 400:
            span.set_attribute("error.type", str(status) if status else "no answer")
            span.set_status(StatusCode.ERROR)
        span.end(self._spans.now())


def _attributes(traced: Traced) -> Iterator[tuple[str, str | int]]:
    yield "kajitori.controller", traced.controller
    yield "kajitori.reconcile_id", traced.reconcile_id
    yield "kajitori.priority", traced.priority
    if traced.kind is not None:
        yield "kajitori.object.group", traced.kind.group
        yield "kajitori.object.kind", traced.kind.kind
    name, namespace = getattr(traced.request, "name", None), getattr(traced.request, "namespace", "")
    yield "kajitori.object.name", name if isinstance(name, str) else str(traced.request)
    if namespace:
        yield "k8s.namespace.name", namespace


def _written(log: WriteLog) -> set[_Written]:
    return {
        (each.kind.kind, f"{each.namespace}/{each.name}", each.resource_version)
        for each in log.writes.values()
        if each.resource_version
    }
