"""What is counted of authorization webhooks, by their names.

Source: apiserver's plugin/pkg/authorizer/webhook/metrics and pkg/authorization/cel/metrics.go, whose names these have.
"""

from collections.abc import Iterator

from kajitori.apiserver.operating.exposition import Histogram, family, labelled

__all__ = ["WebhookFigures"]

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CONDITION_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25)

_PREFIX = "apiserver_authorization_"


class WebhookFigures:
    """All counters of the webhooks that authorize."""

    def __init__(self) -> None:
        self._asked: dict[str, Histogram] = {}
        self._failed_open: dict[str, int] = {}
        self._conditions: dict[str, Histogram] = {}
        self._condition_errors: dict[str, int] = {}
        self._exclusions: dict[str, int] = {}

    def asked(self, name: str, result: str, seconds: float) -> None:
        """A webhook was called: `success`, `error`, `timeout` or `canceled`."""
        labels = labelled({"name": name, "result": result})
        self._asked.setdefault(labels, Histogram(_BOUNDS)).add(seconds)

    def failed_open(self, name: str, result: str) -> None:
        """A webhook did not answer, and others were asked."""
        _count(self._failed_open, labelled({"name": name, "result": result}))

    def conditions_evaluated(self, name: str, seconds: float) -> None:
        """Its match conditions were looked at."""
        self._conditions.setdefault(_typed(name), Histogram(_CONDITION_BOUNDS)).add(seconds)

    def condition_failed(self, name: str) -> None:
        """One of them has no value."""
        _count(self._condition_errors, _typed(name))

    def excluded(self, name: str) -> None:
        """One of them is false."""
        _count(self._exclusions, _typed(name))

    def lines(self) -> Iterator[str]:
        """Every family."""
        asked = sorted(self._asked.items())
        yield from family(
            f"{_PREFIX}match_condition_evaluation_errors_total",
            "counter",
            "Questions for which a match condition of a webhook had no value.",
            sorted(self._condition_errors.items()),
        )
        yield from family(
            f"{_PREFIX}match_condition_evaluation_seconds",
            "histogram",
            "How long the match conditions of a webhook took.",
            sorted(self._conditions.items()),
        )
        yield from family(
            f"{_PREFIX}match_condition_exclusions_total",
            "counter",
            "Questions that a webhook was not asked because of a match condition.",
            sorted(self._exclusions.items()),
        )
        yield from family(
            f"{_PREFIX}webhook_duration_seconds", "histogram", "How long calls of webhooks took.", asked
        )
        yield from family(
            f"{_PREFIX}webhook_evaluations_fail_open_total",
            "counter",
            "Questions that a webhook did not answer, so that others were asked.",
            sorted(self._failed_open.items()),
        )
        yield from family(
            f"{_PREFIX}webhook_evaluations_total",
            "counter",
            "Calls of webhooks, by what came of them.",
            ((labels, sum(each.counts)) for labels, each in asked),
        )


def _typed(name: str) -> str:
    return labelled({"name": name, "type": "Webhook"})


def _count(into: dict[str, int], labels: str) -> None:
    into[labels] = into.get(labels, 0) + 1
