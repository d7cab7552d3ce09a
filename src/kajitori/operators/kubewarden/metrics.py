"""How often policies were asked, what they said, and how long it took: figures for Prometheus.

Source: the metrics of Kubewarden's policy server, whose names these are.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kajitori.apis import JsonObject

if TYPE_CHECKING:
    from kajitori.operators.kubewarden.loading import Answering

__all__ = ["PolicyMetrics"]

SERIES_MAX = 2000
"""Policies, kinds and namespaces multiply; what is beyond is counted without a namespace."""

_LABELS = (
    *("policy_name", "policy_mode", "resource_namespace", "resource_kind", "resource_request_operation"),
    *("accepted", "mutated", "request_origin", "error_code"),
)


class PolicyMetrics:
    """A Prometheus collector."""

    def __init__(self) -> None:
        self._evaluations: Counter[tuple[str, ...]] = Counter()
        self._seconds: dict[str, list[float]] = {}

    def count(
        self, policy: "Answering", request: JsonObject, response: JsonObject, origin: str, seconds: float
    ) -> None:
        """Notes one evaluation."""
        status: dict[str, Any] = response.get("status") or {}
        kind: Any = request.get("requestKind") or request.get("kind") or {}
        labels = (
            policy.name,
            policy.mode,
            str(request.get("namespace") or ""),
            str(kind.get("kind") or "") if isinstance(kind, dict) else str(kind),
            str(request.get("operation") or ""),
            str(bool(response.get("allowed"))).lower(),
            str(bool(response.get("patch"))).lower(),
            origin,
            str(status.get("code") or ""),
        )
        if labels not in self._evaluations and len(self._evaluations) >= SERIES_MAX:
            labels = (*labels[:2], "", "", *labels[4:])
        self._evaluations[labels] += 1
        total = self._seconds.setdefault(policy.name, [0.0, 0.0])
        total[0] += 1
        total[1] += seconds

    def forget(self, name: str) -> None:
        """Drops the figures of a policy that is gone."""
        self._seconds.pop(name, None)
        for labels in [each for each in self._evaluations if each[0] == name]:
            del self._evaluations[labels]

    def collect(self) -> Iterator[Any]:
        """What Prometheus asks for."""
        from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

        counts = CounterMetricFamily(
            "kubewarden_policy_evaluations", "Number of policy evaluations", labels=_LABELS
        )
        for labels, number in self._evaluations.items():
            counts.add_metric(labels, number)
        yield counts
        latency = SummaryMetricFamily(
            "kubewarden_policy_evaluation_latency_milliseconds",
            "Time that evaluations took",
            labels=["policy_name"],
        )
        for name, (times, seconds) in self._seconds.items():
            latency.add_metric([name], count_value=int(times), sum_value=seconds * 1000)
        yield latency
