"""What webhooks count, under controller-runtime's names.

Source: controller-runtime's pkg/webhook/internal/metrics and pkg/webhook/{admission,conversion}/metrics.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kajitori.client.figures import Histogram
from kajitori.ctrl.metrics import QUEUE_SECONDS

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["WebhookFigures"]

_PREFIX = "controller_runtime_"


class WebhookFigures:
    """Of the webhooks of one manager, by path. A prometheus_client collector."""

    def __init__(self) -> None:
        self.requests = Counter[tuple[str, int]]()
        self.in_flight = Counter[str]()
        self.seconds: dict[str, Histogram] = {}
        self.panics = 0
        """Functions that raised what is no refusal, or gave what is no answer."""
        self.conversion_panics = 0

    def add(self, path: str) -> None:
        """Shows a webhook before it is asked for the first time."""
        self.requests[path, 200] += 0
        self.requests[path, 500] += 0
        self.seconds[path] = Histogram(QUEUE_SECONDS)

    def begin(self, path: str) -> None:
        self.in_flight[path] += 1

    def end(self, path: str, code: int, seconds: float) -> None:
        self.in_flight[path] -= 1
        self.requests[path, code] += 1
        self.seconds[path].observe(seconds)

    def describe(self) -> "Iterable[Metric]":
        return ()

    def collect(self) -> "Iterable[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        labels = ["webhook"]
        requests = CounterMetricFamily(
            _PREFIX + "webhook_requests", "Requests of webhooks by HTTP status", labels=[*labels, "code"]
        )
        for (path, code), many in self.requests.items():
            requests.add_metric([path, str(code)], many)
        latency = HistogramMetricFamily(
            _PREFIX + "webhook_latency_seconds", "Length of a request of a webhook", labels=labels
        )
        in_flight = GaugeMetricFamily(
            _PREFIX + "webhook_requests_in_flight", "Requests of webhooks under way", labels=labels
        )
        for path, histogram in self.seconds.items():
            latency.add_metric([path], histogram.buckets(), histogram.sum)
            in_flight.add_metric([path], self.in_flight[path])
        yield from (requests, latency, in_flight)
        for name, help_text, many in (
            ("webhook_panics", "Webhooks that failed by a mistake of their own", self.panics),
            (
                "conversion_webhook_panics",
                "Conversions that failed by a mistake of their own",
                self.conversion_panics,
            ),
        ):
            counter = CounterMetricFamily(_PREFIX + name, help_text)
            counter.add_metric([], many)
            yield counter
