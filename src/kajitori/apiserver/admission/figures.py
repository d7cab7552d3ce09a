"""What is counted of admission: how long plugins, webhooks and policies take, and what they refuse.

Names, labels and buckets are kube-apiserver's. A plugin that has nothing to do with a write is not counted there: it is
not asked at all.

Promises
    F1  a write costs a reading of the clock and an addition for each plugin that it concerns
    F2  of webhooks and policies, which come and go, no more than LABELS_MAX are remembered; the oldest are forgotten

Source: apiserver's pkg/admission/metrics and pkg/admission/plugin/policy/{validating,mutating}/metrics.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TypeVar

from kajitori.apiserver.operating.exposition import Histogram, family, labelled
from kajitori.world.clock import Clock

__all__ = ["QUICK_SECONDS", "AdmissionFigures", "Timed"]

LABELS_MAX = 5000

_PREFIX = "apiserver_admission_"
_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
QUICK_SECONDS = _BOUNDS[0]
_WEBHOOK_BOUNDS = (*_BOUNDS, 10.0, 25.0)
_CONDITION_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25)
_POLICY_BOUNDS = (0.0000005, 0.001, 0.01, 0.1, 1.0)
_CODE_MAX = 600
"""Codes above are counted as this one, so that no webhook makes labels."""

_OUT_OF_BUDGET = "validation failed due to running out of cost budget"

Key = TypeVar("Key")
Counter = TypeVar("Counter", int, Histogram)
_Check = tuple[str, ...]
"""Policy, binding, sort of error, and of validating policies the action."""


class Timed:
    """How long the plugins took that one sort of writes concerns, where none refused.

    Nearly all are quicker than the first bound. Of those only the seconds are written down, by the chain itself; how
    many they were is known from the rounds.
    """

    __slots__ = (
        "half",
        "names",
        "operation",
        "quick",
        "quick_seconds",
        "quick_times",
        "rounds",
        "seconds",
        "slow",
        "whole",
    )

    def __init__(self, names: Sequence[str], half: str, operation: str) -> None:
        self.names, self.half, self.operation = names, half, operation
        self.rounds = 0
        """In which each plugin was quick, but for what `quick` says."""
        self.seconds = [0.0] * len(names)
        self.quick = [0] * len(names)
        """By how many a plugin was quick more or less often."""
        self.slow = [Histogram(_BOUNDS) for _ in names]
        self.whole = Histogram(_BOUNDS)
        """Of all together, where that was not quick."""
        self.quick_seconds = 0.0
        self.quick_times = 0

    def part(self, first: int, end: int) -> None:
        """These were quick, in a round that others were no part of."""
        for position in range(first, end):
            self.quick[position] += 1

    def slowly(self, position: int, seconds: float) -> None:
        """One took its time, and is not to be counted as quick in this round."""
        self.quick[position] -= 1
        self.slow[position].add(seconds)

    def together(self) -> Histogram:
        """How long all took, with those that were quick."""
        found = Histogram(_BOUNDS)
        found.merge(self.whole)
        found.counts[0] += self.quick_times
        found.sum += self.quick_seconds
        return found

    def plugins(self) -> Iterator[tuple[str, Histogram]]:
        """What was written down, by plugin."""
        for position, name in enumerate(self.names):
            found = Histogram(_BOUNDS)
            found.merge(self.slow[position])
            found.counts[0] += self.rounds + self.quick[position]
            found.sum += self.seconds[position]
            yield name, found


class AdmissionFigures:
    """All counters of one server's admission."""

    def __init__(self, clock: Clock) -> None:
        self.monotonic: Callable[[], float] = clock.monotonic
        self._timed: list[Timed] = []
        self._steps: dict[str, Histogram] = {}
        self._plugins: dict[str, Histogram] = {}
        self._webhooks: dict[str, Histogram] = {}
        self._webhook_requests: dict[str, int] = {}
        self._webhook_rejections: dict[str, int] = {}
        self._failed_open: dict[str, int] = {}
        self._conditions: dict[str, Histogram] = {}
        self._condition_errors: dict[str, int] = {}
        self._exclusions: dict[str, int] = {}
        self._validating: dict[_Check, Histogram] = {}
        self._mutating: dict[_Check, Histogram] = {}

    # What is told.

    def timed(self, names: Sequence[str], half: str, operation: str) -> Timed:
        """Where to write how long plugins of these names take; `half` is `admit` or `validate`."""
        made = Timed(names, half, operation)
        self._timed.append(made)
        return made

    def refused(self, names: Sequence[str], half: str, operation: str, seconds: float) -> None:
        """A plugin has refused a write; or, without a name, all of them together."""
        for name in names:
            labels = _labels(half, operation, rejected=True, name=name)
            _kept(self._plugins, labels, _BOUNDS).add(seconds)
        if not names:
            _kept(self._steps, _labels(half, operation, rejected=True), _BOUNDS).add(seconds)

    def webhook(
        self, name: str, half: str, operation: str, *, seconds: float, code: int, rejected: bool, error: str
    ) -> None:
        """A webhook was called. `half` is `admit` or `validating`; `error` says why the write is rejected."""
        labels = {"name": name, "type": half, "operation": operation}
        whether = {"rejected": str(rejected).lower()}
        shown = str(min(code, _CODE_MAX))
        _kept(self._webhooks, labelled(labels | whether), _WEBHOOK_BOUNDS).add(seconds)
        _count(self._webhook_requests, labelled(labels | whether | {"code": shown}))
        if rejected:
            _count(
                self._webhook_rejections, labelled(labels | {"error_type": error, "rejection_code": shown})
            )

    def failed_open(self, name: str, half: str) -> None:
        """A webhook could not be called, and the write went on without it."""
        _count(self._failed_open, labelled({"name": name, "type": half}))

    def conditions(
        self, name: str, kind: str, half: str, operation: str, *, seconds: float, errors: int
    ) -> None:
        """Match conditions of a `webhook` or `policy` were evaluated; so many had no value."""
        labels = labelled({"name": name, "kind": kind, "type": half, "operation": operation})
        _kept(self._conditions, labels, _CONDITION_BOUNDS).add(seconds)
        if errors:
            _count(self._condition_errors, labels, errors)

    def excluded(self, name: str, half: str, operation: str) -> None:
        """A webhook was not called because of its match conditions."""
        labels = {"name": name, "kind": "webhook", "type": half, "operation": operation}
        _count(self._exclusions, labelled(labels))

    def judged(self, policy: str, binding: str, *, seconds: float, action: str, error: str | None) -> None:
        """A validating policy refused, warned, audited, or could not say; `error` says why."""
        _kept(self._validating, (policy, binding, _error_type(error), action), _POLICY_BOUNDS).add(seconds)

    def mutated(self, policy: str, binding: str, *, seconds: float, error: str | None) -> None:
        """A mutation was made, or could not be: `error` says why."""
        _kept(self._mutating, (policy, binding, _error_type(error)), _POLICY_BOUNDS).add(seconds)

    # What is asked.

    def lines(self) -> Iterator[str]:
        """Every family."""
        yield from self._plugin_lines()
        yield from self._condition_lines()
        yield from self._webhook_lines()
        for sort, table in (("validating", self._validating), ("mutating", self._mutating)):
            checks = f"apiserver_{sort}_admission_policy_check_"
            found = sorted(((_check_labels(check), each) for check, each in table.items()), key=itemgetter(0))
            told = f"How long expressions of {sort} policies took."
            yield from family(f"{checks}duration_seconds", "histogram", told, found)
            totals = ((labels, sum(each.counts)) for labels, each in found)
            yield from family(f"{checks}total", "counter", f"Checks of {sort} policies.", totals)

    def _plugin_lines(self) -> Iterator[str]:
        plugins, all_steps = dict(self._plugins), dict(self._steps)
        for each in self._timed:
            for name, took in each.plugins():
                labels = _labels(each.half, each.operation, rejected=False, name=name)
                plugins.setdefault(labels, Histogram(_BOUNDS)).merge(took)
            labels = _labels(each.half, each.operation, rejected=False)
            all_steps.setdefault(labels, Histogram(_BOUNDS)).merge(each.together())
        told = "How long each admission plugin took."
        name = f"{_PREFIX}controller_admission_duration_seconds"
        yield from family(name, "histogram", told, _used(plugins))
        name = f"{_PREFIX}step_admission_duration_seconds"
        steps = _used(all_steps)
        yield from family(name, "histogram", "How long all admission plugins took together.", steps)
        if steps:
            yield f"# HELP {name}_summary How long all admission plugins took together."
            yield f"# TYPE {name}_summary summary"
        for labels, took in steps:
            yield f"{name}_summary_sum{{{labels}}} {took.sum!r}"
            yield f"{name}_summary_count{{{labels}}} {sum(took.counts)}"

    def _condition_lines(self) -> Iterator[str]:
        prefix = f"{_PREFIX}match_condition_"
        yield from family(
            f"{prefix}evaluation_errors_total",
            "counter",
            "Match conditions that had no value.",
            sorted(self._condition_errors.items()),
        )
        yield from family(
            f"{prefix}evaluation_seconds",
            "histogram",
            "How long match conditions took.",
            sorted(self._conditions.items()),
        )
        yield from family(
            f"{prefix}exclusions_total",
            "counter",
            "Writes that a webhook was not asked about because of its match conditions.",
            sorted(self._exclusions.items()),
        )

    def _webhook_lines(self) -> Iterator[str]:
        prefix = f"{_PREFIX}webhook_"
        told = "How long admission webhooks took."
        calls = sorted(self._webhooks.items())
        yield from family(f"{prefix}admission_duration_seconds", "histogram", told, calls)
        for name, told, table in (
            ("fail_open_count", "Calls of webhooks that failed, where writes went on.", self._failed_open),
            (
                "rejection_count",
                "Writes that webhooks, or their failures, rejected.",
                self._webhook_rejections,
            ),
            ("request_total", "Calls of admission webhooks.", self._webhook_requests),
        ):
            yield from family(f"{prefix}{name}", "counter", told, sorted(table.items()))


def _labels(half: str, operation: str, *, rejected: bool, **more: str) -> str:
    return labelled({"type": half, "operation": operation, "rejected": str(rejected).lower(), **more})


def _error_type(error: str | None) -> str:
    if error is None:
        return "no_error"
    if error.startswith("compilation"):
        return "compile_error"
    return "out_of_budget" if error.startswith(_OUT_OF_BUDGET) else "invalid_error"


def _check_labels(check: _Check) -> str:
    names = ("policy", "policy_binding", "error_type", "enforcement_action")
    return labelled(dict(zip(names, check, strict=False)))


def _kept(table: dict[Key, Histogram], labels: Key, bounds: tuple[float, ...]) -> Histogram:
    found = table.get(labels)
    if found is None:
        _make_room(table)
        found = table[labels] = Histogram(bounds)
    return found


def _count(table: dict[str, int], labels: str, times: int = 1) -> None:
    known = table.get(labels)
    if known is None:
        _make_room(table)
        known = 0
    table[labels] = known + times


def _make_room(table: dict[Key, Counter]) -> None:
    if len(table) >= LABELS_MAX:
        del table[next(iter(table))]


def _used(table: dict[str, Histogram]) -> list[tuple[str, Histogram]]:
    return [(labels, each) for labels, each in sorted(table.items()) if any(each.counts)]
