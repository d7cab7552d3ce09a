"""What the runtime counts, under the names that controller-runtime and Kubernetes gave it.

Counting is adding to plain numbers; prometheus_client is imported when somebody first reads. Register a
`RuntimeCollector` with any `CollectorRegistry`, or let `Manager.metrics_registry` make one.

Source: controller-runtime's pkg/internal/controller/metrics and pkg/internal/metrics (workqueue).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kajitori.apimachinery.kind import Kind
from kajitori.client.figures import FAILED, Histogram, RequestFigures
from kajitori.ctrl.workqueue import WorkQueue

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["QUEUE_SECONDS", "InformerCollector", "ReconcileFigures", "RequestCollector", "RuntimeCollector"]

RECONCILE_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)
QUEUE_SECONDS = tuple(1e-8 * 10**power for power in range(12))


@dataclass(slots=True)
class ReconcileFigures:
    """Of one controller, so far."""

    success: int = 0
    error: int = 0
    requeue_after: int = 0
    terminal_errors: int = 0
    panics: int = 0
    """Errors that are mistakes in the reconciler: TypeError, KeyError, AssertionError …"""
    timeouts: int = 0
    conflicts: int = 0
    """Errors that say that somebody else had written an object meanwhile."""
    handler_errors: int = 0
    """What predicates and map functions have raised."""
    restless: int = 0
    """Times that one reconcile after another wrote for the same name (see `symptoms`)."""
    blocked: int = 0
    """Times that a reconcile kept the event loop to itself, and how long together."""
    blocked_seconds: float = 0.0
    parked: int = 0
    """Reconciles whose writes the caches had not seen when they ended."""
    parked_in_vain: int = 0
    """Of these, those whose writes did not show up in time."""
    active_workers: int = 0
    reconcile_seconds: Histogram = field(default_factory=lambda: Histogram(RECONCILE_SECONDS))
    queue_seconds: Histogram = field(default_factory=lambda: Histogram(QUEUE_SECONDS))
    work_seconds: Histogram = field(default_factory=lambda: Histogram(QUEUE_SECONDS))


class Measured(Protocol):
    """What is read of a controller."""

    @property
    def name(self) -> str: ...
    @property
    def workers(self) -> int: ...
    @property
    def figures(self) -> ReconcileFigures: ...
    @property
    def queue(self) -> WorkQueue[Any]: ...


class RequestCollector:
    """A prometheus_client collector over the requests of clients, under client-go's names."""

    def __init__(self, figures: Callable[[], Iterable[RequestFigures]]) -> None:
        self._figures = figures

    def describe(self) -> Iterable["Metric"]:
        return ()

    def collect(self) -> Iterable["Metric"]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        # Clients of one server are one to who looks on.
        requests: Counter[tuple[str, str, str]] = Counter()
        durations: dict[tuple[str, str], Histogram] = {}
        for figures in self._figures():
            for (method, status), many in figures.requests.items():
                requests["<error>" if status == FAILED else str(status), method, figures.host] += many
            for method, histogram in figures.seconds.items():
                durations.setdefault((method, figures.host), Histogram(histogram.bounds)).add(histogram)
        total = CounterMetricFamily(
            "rest_client_requests",
            "Requests by status code, method and host",
            labels=["code", "method", "host"],
        )
        for labels, many in sorted(requests.items()):
            total.add_metric(labels, many)
        seconds = HistogramMetricFamily(
            "rest_client_request_duration_seconds",
            "How long requests took, by method and host",
            labels=["verb", "host"],
        )
        for key, histogram in sorted(durations.items(), key=lambda item: item[0]):
            seconds.add_metric(key, histogram.buckets(), histogram.sum)
        yield from (total, seconds)


class MeasuredInformer(Protocol):
    """What is read of an informer."""

    @property
    def kind(self) -> Kind: ...
    @property
    def store(self) -> Sized: ...
    @property
    def has_synced(self) -> bool: ...
    @property
    def resource_version(self) -> str: ...
    @property
    def failures(self) -> int: ...
    @property
    def handler_errors(self) -> int: ...
    @property
    def index_errors(self) -> int: ...
    @property
    def unreadable(self) -> Sized: ...
    @property
    def told_at(self) -> float | None: ...


_VERSION_DIGITS = 15
"""Of a resource version a figure has the last ones: more would not be exact. As client-go."""


class InformerCollector:
    """A prometheus_client collector over caches. Several informers of one kind (typed, untyped, metadata) are one."""

    def __init__(
        self, informers: Callable[[], Iterable[tuple[str, MeasuredInformer]]], now: Callable[[], float]
    ) -> None:
        """`informers` gives each with the name of its cluster."""
        self._informers = informers
        self._now = now

    def describe(self) -> Iterable["Metric"]:
        return ()

    def collect(self) -> Iterable["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        grouped: dict[tuple[str, str, str, str], list[MeasuredInformer]] = {}
        for cluster, each in self._informers():
            grouped.setdefault((cluster, each.kind.group, each.kind.version, each.kind.plural), []).append(
                each
            )
        labels, now = ["name", "group", "version", "resource"], self._now()
        version = GaugeMetricFamily(
            "informer_store_resource_version",
            f"The last {_VERSION_DIGITS} digits of the version up to which a cache is; name: of an engaged cluster",
            labels=labels,
        )
        objects = GaugeMetricFamily("kajitori_informer_objects", "Objects in a cache", labels=labels)
        synced = GaugeMetricFamily(
            "kajitori_informer_synced", "1 once everything has been listed", labels=labels
        )
        quiet = GaugeMetricFamily(
            "kajitori_informer_quiet_seconds",
            "Since the server has last told anything, bookmarks too",
            labels=labels,
        )
        failures = CounterMetricFamily(
            "kajitori_informer_failures", "Lists and watches that failed, or ended early", labels=labels
        )
        errors = CounterMetricFamily(
            "kajitori_informer_handler_errors", "What handlers of changes have raised", labels=labels
        )
        index_errors = CounterMetricFamily(
            "kajitori_informer_index_errors", "What index functions have raised", labels=labels
        )
        unreadable = GaugeMetricFamily(
            "kajitori_informer_unreadable_objects",
            "Objects that are there, and cannot be read as their class",
            labels=labels,
        )
        for key, informers in grouped.items():
            digits = [each.resource_version for each in informers if each.resource_version.isdecimal()]
            if digits:
                version.add_metric(key, min(int(each[-_VERSION_DIGITS:]) for each in digits))
            told = [each.told_at for each in informers if each.told_at is not None]
            if told:
                quiet.add_metric(key, now - min(told))
            objects.add_metric(key, sum(len(each.store) for each in informers))
            synced.add_metric(key, int(all(each.has_synced for each in informers)))
            failures.add_metric(key, sum(each.failures for each in informers))
            errors.add_metric(key, sum(each.handler_errors for each in informers))
            index_errors.add_metric(key, sum(each.index_errors for each in informers))
            unreadable.add_metric(key, sum(len(each.unreadable) for each in informers))
        yield from (version, objects, synced, quiet, failures, errors, index_errors, unreadable)


class RuntimeCollector:
    """A prometheus_client collector over the controllers of a manager."""

    def __init__(self, controllers: Callable[[], Iterable[Measured]], now: Callable[[], float]) -> None:
        self._controllers = controllers
        self._now = now
        self._priorities: dict[str, set[int]] = {}
        """Those of a queue that have been told of: a figure that is gone would stay as it was in graphs."""

    def describe(self) -> Iterable["Metric"]:
        return ()

    def collect(self) -> Iterable["Metric"]:
        controllers = list(self._controllers())
        yield from _reconcile_metrics(controllers)
        for each in controllers:
            self._priorities.setdefault(each.name, {0}).update(each.queue.depths())
        yield from _queue_metrics(controllers, self._now(), self._priorities)


def _reconcile_metrics(controllers: Sequence[Measured]) -> "Iterable[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    prefix = "controller_runtime_"
    total = CounterMetricFamily(
        prefix + "reconcile", "Reconciliations per controller and result", labels=["controller", "result"]
    )
    for each in controllers:
        figures = each.figures
        for result in ("success", "error", "requeue_after"):
            total.add_metric([each.name, result], getattr(figures, result))
    yield total
    for name, help_text, attribute in (
        ("reconcile_errors", "Reconciliation errors per controller", "error"),
        ("terminal_reconcile_errors", "Errors that are not retried, per controller", "terminal_errors"),
        ("reconcile_panics", "Errors that are mistakes in the reconciler, per controller", "panics"),
        ("reconcile_timeouts", "Reconciliations cut short, per controller", "timeouts"),
        ("reconcile_conflicts", "Errors because somebody else had written an object meanwhile", "conflicts"),
        ("handler_errors", "Errors of predicates and map functions", "handler_errors"),
        ("reconcile_restless", "Times that reconciles wrote for the same object again and again", "restless"),
        ("reconcile_blocked", "Times that a reconcile kept the event loop to itself", "blocked"),
        (
            "reconcile_blocked_seconds",
            "How long reconciles kept the event loop to themselves",
            "blocked_seconds",
        ),
        ("reconcile_parked", "Reconciliations held until caches saw their writes", "parked"),
        (
            "reconcile_parked_in_vain",
            "Of these, those whose writes did not show up in time",
            "parked_in_vain",
        ),
    ):
        counter = CounterMetricFamily(prefix + name, help_text, labels=["controller"])
        for each in controllers:
            counter.add_metric([each.name], getattr(each.figures, attribute))
        yield counter
    seconds = HistogramMetricFamily(
        prefix + "reconcile_time_seconds", "Length of a reconciliation", labels=["controller"]
    )
    most = GaugeMetricFamily(prefix + "max_concurrent_reconciles", "Workers", labels=["controller"])
    active = GaugeMetricFamily(prefix + "active_workers", "Workers at work", labels=["controller"])
    for each in controllers:
        histogram = each.figures.reconcile_seconds
        seconds.add_metric([each.name], histogram.buckets(), histogram.sum)
        most.add_metric([each.name], each.workers)
        active.add_metric([each.name], each.figures.active_workers)
    yield from (seconds, most, active)


def _queue_metrics(
    controllers: Sequence[Measured], now: float, priorities: Mapping[str, set[int]]
) -> "Iterable[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    labels = ["name", "controller"]
    depth = GaugeMetricFamily("workqueue_depth", "Names that are ready", labels=[*labels, "priority"])
    adds = CounterMetricFamily("workqueue_adds", "Names added", labels=labels)
    retries = CounterMetricFamily(
        "workqueue_retries", "Names added to be ready later: after a failure, or on request", labels=labels
    )
    unfinished = GaugeMetricFamily(
        "workqueue_unfinished_work_seconds", "Work in progress, all workers together", labels=labels
    )
    longest = GaugeMetricFamily(
        "workqueue_longest_running_processor_seconds", "Work in progress, the longest", labels=labels
    )
    queued = HistogramMetricFamily("workqueue_queue_duration_seconds", "Ready before taken", labels=labels)
    worked = HistogramMetricFamily("workqueue_work_duration_seconds", "Taken before done", labels=labels)
    for each in controllers:
        names = [each.name, each.name]
        held = each.queue.held_seconds(now)
        depths = each.queue.depths()
        for priority in sorted(priorities[each.name]):
            depth.add_metric([*names, str(priority)], depths.get(priority, 0))
        adds.add_metric(names, each.queue.figures.adds)
        retries.add_metric(names, each.queue.figures.retries)
        unfinished.add_metric(names, sum(held))
        longest.add_metric(names, max(held, default=0.0))
        _add_histogram(queued, names, each.figures.queue_seconds)
        _add_histogram(worked, names, each.figures.work_seconds)
    yield from (depth, adds, retries, unfinished, longest, queued, worked)


def _add_histogram(family: Any, labels: Sequence[str], histogram: Histogram) -> None:
    family.add_metric(labels, histogram.buckets(), histogram.sum)
