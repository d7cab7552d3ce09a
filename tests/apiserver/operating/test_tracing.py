"""Traces, as a receiver of OTLP over HTTP gets them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.apiserver.operating.support import watched
from tests.apiserver.support import CONFIG_MAPS, config_map

from kajitori.apiserver.http import Request, Response, serve
from kajitori.apiserver.operating.otlp import BATCH_MAX, SPANS_MAX, SpanExporter
from kajitori.apiserver.operating.tracing import TracingError, parse_tracing

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Value(msgspec.Struct, forbid_unknown_fields=True):
    """OTLP's AnyValue, as far as strings and integers go; the latter are text in JSON."""

    stringValue: str | None = None
    intValue: str | None = None


class Attribute(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    value: Value


class Link(msgspec.Struct, forbid_unknown_fields=True):
    traceId: str
    spanId: str


class Span(msgspec.Struct, forbid_unknown_fields=True):
    traceId: str
    spanId: str
    name: str
    kind: int
    startTimeUnixNano: str
    endTimeUnixNano: str
    attributes: list[Attribute]
    status: dict[str, int]
    parentSpanId: str = ""
    links: list[Link] = []

    def of(self, key: str) -> Any:
        found = next(each.value for each in self.attributes if each.key == key)
        return found.stringValue if found.intValue is None else int(found.intValue)


class ScopeSpans(msgspec.Struct, forbid_unknown_fields=True):
    scope: dict[str, str]
    spans: list[Span]


class Resource(msgspec.Struct, forbid_unknown_fields=True):
    attributes: list[Attribute]


class ResourceSpans(msgspec.Struct, forbid_unknown_fields=True):
    resource: Resource
    scopeSpans: list[ScopeSpans]


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """ExportTraceServiceRequest."""

    resourceSpans: list[ResourceSpans]


@asynccontextmanager
async def receiver(spans: list[Span]) -> AsyncGenerator[str, None]:
    def take(request: Request) -> Response:
        assert (request.method, request.path) == ("POST", "/v1/traces")
        assert request.headers["content-type"] == "application/json"
        for resource in msgspec.json.decode(request.body, type=Document).resourceSpans:
            assert resource.resource.attributes == [Attribute("service.name", Value("apiserver"))]
            for scope in resource.scopeSpans:
                spans.extend(scope.spans)
        return Response(200, b"{}")

    server = await serve(take)
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.close(0.1)


def traced(tmp_path: Path, rate: int, **headers: str) -> list[Span]:
    """The spans of the creation of a config map."""
    spans: list[Span] = []

    async def main() -> None:
        async with receiver(spans) as endpoint:
            path = tmp_path / "tracing.yaml"
            path.write_text(f"{HEAD}endpoint: {endpoint}\nsamplingRatePerMillion: {rate}\n")
            async with watched(tracing_config_file=path) as api:
                await api.ok("POST", CONFIG_MAPS, config_map(), audit_id="mine", **headers)

    asyncio.run(main())
    return spans


def test_a_request_is_a_span(tmp_path: Path) -> None:  # X2, E1
    (span,) = traced(tmp_path, 1_000_000)
    assert span.name == "POST /api/v1/namespaces/{:namespace}/configmaps"
    assert (span.kind, span.status, span.parentSpanId, span.links) == (2, {}, "", [])
    assert len(span.traceId) == 32 and len(span.spanId) == 16
    assert span.of("http.target") == CONFIG_MAPS and span.of("http.status_code") == 201
    assert span.of("audit-id") == "mine"
    assert 0 < int(span.endTimeUnixNano) - int(span.startTimeUnixNano) < 5e9


def test_no_more_are_sampled_than_asked_for(tmp_path: Path) -> None:  # X2
    assert traced(tmp_path, 0) == []


def test_a_trace_that_is_sampled_goes_on(tmp_path: Path) -> None:  # X1
    (span,) = traced(tmp_path, 0, traceparent=f"00-{TRACE}-{SPAN}-01")
    assert (span.traceId, span.parentSpanId) == (TRACE, SPAN)


def test_a_trace_that_is_not_sampled_stays_so(tmp_path: Path) -> None:  # X1
    assert traced(tmp_path, 1_000_000, traceparent=f"00-{TRACE}-{SPAN}-00") == []


@pytest.mark.parametrize(
    "header",
    ["", "x", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE}-{SPAN}-01-more"],
)  # fmt: skip
def test_a_header_that_is_none_begins_a_trace(tmp_path: Path, header: str) -> None:  # X1
    (span,) = traced(tmp_path, 1_000_000, traceparent=header)
    assert span.traceId != TRACE and not span.parentSpanId


def test_who_is_not_trusted_begins_a_trace_linked_to_theirs(tmp_path: Path) -> None:  # X1
    spans: list[Span] = []

    async def main() -> None:
        async with receiver(spans) as endpoint:
            path = tmp_path / "tracing.yaml"
            path.write_text(f"{HEAD}endpoint: http://{endpoint}\nsamplingRatePerMillion: 1000000\n")
            async with watched(tracing_config_file=path) as api:
                told = {"impersonate_user": "jane", "traceparent": f"00-{TRACE}-{SPAN}-00"}
                await api.ok("GET", "/version", **told)

    asyncio.run(main())
    (span,) = spans
    assert span.traceId != TRACE and span.links == [Link(TRACE, SPAN)] and span.name == "GET"


def test_many_spans_go_in_batches_and_too_many_are_dropped() -> None:  # E1, E2
    batches: list[int] = []

    async def main() -> None:
        def take(request: Request) -> Response:
            batches.append(
                len(msgspec.json.decode(request.body)["resourceSpans"][0]["scopeSpans"][0]["spans"])
            )
            return Response(200, b"{}")

        server = await serve(take)
        exporter = SpanExporter(f"http://127.0.0.1:{server.port}/v1/traces")
        for number in range(SPANS_MAX + 10):
            exporter.export({"name": str(number)})
        await exporter.close()
        assert "kajitori_spans_dropped_total 10" in list(exporter.lines())
        await server.close(0.1)

    asyncio.run(main())
    assert sum(batches) == SPANS_MAX and max(batches) == BATCH_MAX


def test_a_collector_that_is_not_there_is_told_of(caplog: pytest.LogCaptureFixture) -> None:  # E2
    async def main() -> None:
        server = await serve(lambda request: Response(503))
        exporter = SpanExporter(f"http://127.0.0.1:{server.port}")
        exporter.export({"name": "a"})
        await exporter.close()
        await server.close(0.1)
        exporter.export({"name": "b"})
        await exporter.close()
        assert "kajitori_spans_dropped_total 2" in list(exporter.lines())

    asyncio.run(main())
    assert [each.message for each in caplog.records] == ["spans were lost"] * 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Policy", "write apiVersion: apiserver.config.k8s.io/v1, kind: TracingConfiguration"),
        (f"{HEAD}samplingRatePerMillion: -1", "samplingRatePerMillion: Invalid value: -1"),
        (f"{HEAD}samplingRatePerMillion: x", "samplingRatePerMillion: Expected `int`, got `str`"),
        (f"{HEAD}endpoint: unix:///x", 'endpoint: Invalid value: "unix:///x"'),
        ("[]", "the configuration: Expected `object`, got `array`"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_field(text: str, told: str) -> None:
    with pytest.raises(TracingError) as refused:
        parse_tracing(text.encode())
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("", "http://localhost:4318/v1/traces"),
        ("endpoint: collector:4318", "http://collector:4318/v1/traces"),
        ("endpoint: https://collector/otlp/v1/traces", "https://collector/otlp/v1/traces"),
    ],
)
def test_where_spans_go(endpoint: str, url: str) -> None:
    assert parse_tracing(f"{HEAD}{endpoint}".encode()).url == url
