"""Traces: a span for every sampled request, in OpenTelemetry's terms.

Who may be trusted (members of system:masters and system:monitoring) has the trace that the request came with
continued, and sampled as its beginning says. Everybody else begins a trace anew, linked to theirs.

Promises
    X1  a request's span continues the W3C trace context of its traceparent header
    X2  of traces that begin here as many are sampled as the configuration says; the same trace always or never

Source: https://kubernetes.io/docs/concepts/cluster-administration/system-traces/, https://www.w3.org/TR/trace-context/
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import ApiError, FieldError
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.authentication.user import MASTERS, User
from kajitori.apiserver.http import Request
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.observer import Told
from kajitori.apiserver.requestinfo import RequestInfo

__all__ = ["Traces", "TracingConfig", "TracingError", "parse_tracing", "read_tracing"]

_VERSIONS = tuple(f"apiserver.config.k8s.io/{each}" for each in ("v1", "v1beta1", "v1alpha1"))
_ENDPOINT = "http://localhost:4318/v1/traces"
_MILLION = 1_000_000
_MONITORING = "system:monitoring"
_SERVER = 2  # SPAN_KIND_SERVER
_ERROR = 2  # STATUS_CODE_ERROR
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

Span = dict[str, Any]


class TracingError(Exception):
    """What is wrong with a configuration, in one sentence."""


class TracingConfig(msgspec.Struct, frozen=True, rename="camel"):
    """Where spans go, and of how many traces."""

    api_version: str = ""
    kind: str = ""
    endpoint: str = ""
    sampling_rate_per_million: int = 0

    @property
    def url(self) -> str:
        """Where an OTLP receiver takes traces over HTTP."""
        if not self.endpoint:
            return _ENDPOINT
        url = self.endpoint if "://" in self.endpoint else f"http://{self.endpoint}"
        return url if url.count("/") > 2 else f"{url}/v1/traces"


def read_tracing(path: Path) -> TracingConfig:
    """The configuration in a file. Raises: TracingError."""
    try:
        return parse_tracing(path.read_bytes())
    except OSError as error:
        raise TracingError(f"cannot read the tracing configuration {path}: {error.strerror}") from None
    except TracingError as error:
        raise TracingError(f"{path}: {error}") from None


def parse_tracing(text: bytes) -> TracingConfig:
    """A TracingConfiguration in YAML or JSON. Raises: TracingError."""
    try:
        value, _ = decode_yaml(text)
    except DecodeError as error:
        raise TracingError(f"this is no YAML: {error}") from None
    try:
        config = msgspec.convert(value, TracingConfig)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise TracingError(f"{where.rstrip('`') or 'the configuration'}: {what}") from None
    if config.api_version not in _VERSIONS or config.kind != "TracingConfiguration":
        raise TracingError(f"write apiVersion: {_VERSIONS[0]}, kind: TracingConfiguration")
    rate = config.sampling_rate_per_million
    if not 0 <= rate <= _MILLION:
        told = "sampling rate per million must be from zero to one million"
        raise TracingError(str(FieldError.invalid("samplingRatePerMillion", rate, told)))
    if not config.url.startswith(("http://", "https://")):
        told = "use HOST:PORT, http:// or https:// of a receiver of OTLP over HTTP"
        raise TracingError(str(FieldError.invalid("endpoint", config.endpoint, told)))
    return config


class _Context(NamedTuple):
    """What a traceparent header says."""

    trace: str
    span: str
    sampled: bool


class Traces:
    """A witness of requests; see `Observer`. Makes the spans and gives them to `export`."""

    def __init__(
        self,
        rate_per_million: int,
        export: Callable[[Span], None],
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._bound = (rate_per_million << 63) // _MILLION
        self._export = export
        self._random_bytes = random_bytes
        self._time_ns = time_ns

    def received(self, request: Request, asked: Asked) -> None:
        """Nothing: a span is made at its end."""

    def unauthenticated(self, request: Request, asked: Asked, error: ApiError) -> None:
        """Nothing: the answer is still to come."""

    def started(self, request: Request, asked: Asked, status: int) -> None:
        """Nothing: a watch has a span when it ends."""

    def ended(self, told: Told) -> None:
        came_with = _context(told.request.headers.get("traceparent", ""))
        if came_with is not None and _trusted(told.asked.user):
            if came_with.sampled:
                self._export(self._span(told, came_with.trace, parent=came_with.span))
            return
        trace = self._random_bytes(16)
        if int.from_bytes(trace[8:]) >> 1 < self._bound:
            self._export(self._span(told, trace.hex(), link=came_with))

    def _span(self, told: Told, trace: str, *, parent: str = "", link: _Context | None = None) -> Span:
        request, asked = told.request, told.asked
        end = self._time_ns()
        span: Span = {
            "traceId": trace,
            "spanId": self._random_bytes(8).hex(),
            "name": _name(request.method, asked.info),
            "kind": _SERVER,
            "startTimeUnixNano": str(end - int(told.seconds * 1e9)),
            "endTimeUnixNano": str(end),
            "attributes": [
                _attribute("http.method", request.method),
                _attribute("http.target", request.target),
                _attribute("http.status_code", told.status),
                _attribute("http.response_content_length", told.size),
                _attribute("http.user_agent", request.headers.get("user-agent", "")),
                _attribute("net.peer.name", request.remote),
                _attribute("audit-id", request.audit_id),
            ],
            "status": {"code": _ERROR} if told.status >= 500 else {},
        }
        if parent:
            span["parentSpanId"] = parent
        if link is not None:
            span["links"] = [{"traceId": link.trace, "spanId": link.span}]
        return span


def _context(header: str) -> _Context | None:
    """The context in a traceparent header; None where there is none that counts."""
    found = _PARENT.fullmatch(header.strip())
    if found is None:
        return None
    version, trace, span, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace, 16) or not int(span, 16):
        return None
    return _Context(trace, span, bool(int(flags, 16) & 1))


def _trusted(user: User | None) -> bool:
    return user is not None and (MASTERS in user.groups or _MONITORING in user.groups)


def _name(method: str, info: RequestInfo) -> str:
    """Which route, names left out."""
    if not info.is_resource:
        return method
    parts = [info.prefix, info.group, info.version]
    if info.namespace:
        parts.append("namespaces/{:namespace}")
    parts += [info.resource, "{:name}" if info.name else "", info.subresource]
    return f"{method} /" + "/".join(each for each in parts if each)


def _attribute(key: str, value: str | int) -> dict[str, Any]:
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"stringValue": value}}
