"""EventRateLimit: who floods the server with events is told to wait.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#eventratelimit
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import FieldError, TooManyRequests
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.configuration import typed, without_errors
from kajitori.apiserver.registry.call import Attributes
from kajitori.world.clock import Clock

__all__ = ["BUCKETS_MAX", "EventRateLimit"]

BUCKETS_MAX = 4096
"""How many namespaces, users or sources are known to each limit that says no number."""

_WHERE = "EventRateLimit"


class _Limit(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    qps: int = 0
    burst: int = 0
    cache_size: int = 0


class _Configuration(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""
    limits: list[_Limit] = []


def _source(attributes: Attributes) -> str:
    event: JsonObject = attributes.obj or {}
    source: JsonObject = event.get("source") or {}
    about: JsonObject = event.get("involvedObject") or {}
    members = ("kind", "namespace", "name", "uid", "apiVersion")
    parts = [source.get("component"), source.get("host"), *(about.get(each) for each in members)]
    return "".join(each or "" for each in parts)


_KEYS: Mapping[str, Callable[[Attributes], str]] = {
    "Namespace": lambda attributes: attributes.namespace,
    "Server": lambda attributes: "",
    "SourceAndObject": _source,
    "User": lambda attributes: attributes.user.name,
}


def _limits(configuration: Any) -> list[_Limit]:
    """Raises: ConfigurationError."""
    if configuration is None:
        return []
    group = "eventratelimit.admission.k8s.io"
    found = typed(
        configuration,
        _Configuration,
        kinds=("Configuration",),
        group=group,
        where=_WHERE,
        versions=("v1alpha1",),
    )
    errors: list[FieldError] = []
    if not found.limits:
        errors.append(FieldError.invalid("limits", [], "must not be empty"))
    for index, limit in enumerate(found.limits):
        path = f"limits[{index}]"
        if limit.type not in _KEYS:
            errors.append(FieldError.not_supported(f"{path}.type", limit.type, _KEYS))
        for member, value in (("burst", limit.burst), ("qps", limit.qps)):
            if value <= 0:
                errors.append(FieldError.invalid(f"{path}.{member}", value, "must be positive"))
        if limit.type != "Server" and limit.cache_size < 0:
            told = "must not be negative"
            errors.append(FieldError.invalid(f"{path}.cacheSize", limit.cache_size, told))
    without_errors(errors, _WHERE)
    return found.limits


class _Enforcer:
    """One limit: for each key a bucket of tokens, which fills up again over time."""

    def __init__(self, limit: _Limit, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._key = _KEYS[limit.type]
        self._max = limit.cache_size or BUCKETS_MAX
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted; the one that was not used for longest first."""

    def problem(self, attributes: Attributes) -> str:
        """What is told when there is no token left; empty where one was taken."""
        key, now = self._key(attributes), self._clock.monotonic()
        tokens, then = self._buckets.get(key, (float(self._limit.burst), now))
        tokens = min(float(self._limit.burst), tokens + (now - then) * self._limit.qps)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens), now
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max:
            self._buckets.popitem(last=False)
        return "" if allowed else f"limit reached on type {self._limit.type} for key {key}"


class EventRateLimit:
    """The plugin."""

    name = "EventRateLimit"
    mutate = None

    def __init__(self, clock: Clock, configuration: Any = None) -> None:
        """Raises: ConfigurationError."""
        self._enforcers = [_Enforcer(each, clock) for each in _limits(configuration)]

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket.endswith("/events")

    def validate(self, attributes: Attributes) -> None:
        """Raises: TooManyRequests. Events of the group events.k8s.io are not counted, as in Kubernetes."""
        if attributes.dry_run or attributes.resource.kind.group:
            return
        problems = [each.problem(attributes) for each in self._enforcers]
        told = list(dict.fromkeys(each for each in problems if each))
        if told:
            why = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
            raise TooManyRequests(f"Too many requests: {why}")
