"""What a sharder has done, for Prometheus, under the Go sharder's names.

Source: timebertt/kubernetes-controller-sharding, pkg/metrics.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["SharderFigures"]

_Resource = tuple[str, str, str]
"""Ring, group, resource."""


class SharderFigures:
    """Counts, and a prometheus_client collector over them."""

    def __init__(self) -> None:
        self.assignments: Counter[_Resource] = Counter()
        """Objects that had no shard."""
        self.movements: Counter[_Resource] = Counter()
        """Objects whose shard was dead."""
        self.drains: Counter[_Resource] = Counter()
        """Objects that a shard was asked to give back."""
        self.calculations: Counter[str] = Counter()
        """By ring."""

    def describe(self) -> Iterable["Metric"]:
        return ()

    def collect(self) -> Iterable["Metric"]:
        from prometheus_client.core import CounterMetricFamily

        for name, counted, what in (
            ("assignments", self.assignments, "Objects without a shard that were given one"),
            ("movements", self.movements, "Objects that were taken from a dead shard and given to another"),
            ("drains", self.drains, "Objects that a shard was asked to give back"),
        ):
            family = CounterMetricFamily(
                f"controller_sharding_{name}", what, labels=["ringName", "group", "resource"]
            )
            for resource, count in sorted(counted.items()):
                family.add_metric(resource, count)
            yield family
        rings = CounterMetricFamily(
            "controller_sharding_ring_calculations",
            "Times that the ring changed, because shards came or went",
            labels=["name"],
        )
        for ring, count in sorted(self.calculations.items()):
            rings.add_metric([ring], count)
        yield rings
