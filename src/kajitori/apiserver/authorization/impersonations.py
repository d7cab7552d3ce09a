"""What is known of those who act as others: by which mode each was last let through, and how often.

Source: apiserver's pkg/endpoints/filters/impersonation (cache.go, metrics), whose names these have.
"""

from collections.abc import Iterator

from kajitori.apiserver.operating.exposition import Histogram, family, labelled

__all__ = ["Impersonations"]

_USERS_MAX = 10_000
"""Users whose mode is remembered, as many as in Kubernetes."""

_BOUNDS = tuple(0.001 * 2**power for power in range(15))

_PREFIX = "apiserver_impersonation_"


class Impersonations:
    """Of one server. A mode is `user-info` and the like, and empty for the plain verb."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._attempts: dict[str, Histogram] = {}
        self._checks: dict[str, Histogram] = {}

    def last(self, name: str) -> str | None:
        """The mode by which a user was last let become another."""
        return self._last.get(name)

    def allowed(self, name: str, mode: str, seconds: float) -> None:
        """A user was let become another."""
        if self._last.get(name) != mode:
            if len(self._last) >= _USERS_MAX:
                self._last.clear()
            self._last[name] = mode
        _add(self._attempts, "allowed", mode or "legacy", seconds)

    def denied(self, seconds: float) -> None:
        """Somebody was not, by any mode."""
        _add(self._attempts, "denied", "", seconds)

    def checked(self, mode: str, seconds: float, *, allowed: bool) -> None:
        """One part of it was asked for."""
        _add(self._checks, "allowed" if allowed else "denied", mode or "legacy", seconds)

    def lines(self) -> Iterator[str]:
        """Every family."""
        for name, told, found in (
            ("attempts", "attempts to act as somebody else", self._attempts),
            ("authorization_attempts", "questions whether somebody may act as another", self._checks),
        ):
            each = sorted(found.items())
            yield from family(
                f"{_PREFIX}{name}_duration_seconds", "histogram", f"How long {told} took.", each
            )
            totals = ((labels, sum(one.counts)) for labels, one in each)
            yield from family(f"{_PREFIX}{name}_total", "counter", f"{told.capitalize()}.", totals)


def _add(into: dict[str, Histogram], decision: str, mode: str, seconds: float) -> None:
    labels = labelled({"decision": decision, "mode": mode})
    into.setdefault(labels, Histogram(_BOUNDS)).add(seconds)
