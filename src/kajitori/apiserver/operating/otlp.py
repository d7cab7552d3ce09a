"""Spans on their way to a collector: OTLP over HTTP, in JSON.

A few lines instead of OpenTelemetry's SDK: the format is one JSON document, and nothing else of the SDK is needed.

Promises
    E1  spans are sent in batches, at the latest SECONDS_MAX after they ended, and what is left when the server ends
    E2  at most SPANS_MAX wait; further ones are dropped, and so are those that a collector does not take: both
        are told of. No request ever waits for a collector

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import msgspec

from kajitori.apiserver.operating.exposition import family

__all__ = ["SpanExporter"]

_log = logging.getLogger(__name__)

SPANS_MAX = 8192
BATCH_MAX = 512
SECONDS_MAX = 5.0
"""What OpenTelemetry's SDKs wait by default."""
ANSWER_SECONDS_MAX = 10.0


class SpanExporter:
    """Sends spans to one URL."""

    def __init__(self, url: str, *, service: str = "apiserver") -> None:
        self._url = url
        self._resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        self._waiting: list[dict[str, Any]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._dropped = 0

    def export(self, span: dict[str, Any]) -> None:
        """Takes one span; it is sent soon."""
        if len(self._waiting) >= SPANS_MAX:
            self._dropped += 1
            return
        self._waiting.append(span)
        if self._sending is not None:
            return
        if len(self._waiting) >= BATCH_MAX:
            self._send()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS_MAX, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None and self._waiting:
            self._sending = asyncio.get_running_loop().create_task(self._send_all(), name="spans")

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                try:
                    await asyncio.to_thread(_post, self._url, self._document(batch))
                except OSError as error:
                    self._dropped += len(batch)
                    _log.warning(
                        "spans were lost", extra={"url": self._url, "spans": len(batch), "why": error}
                    )
        finally:
            self._sending = None

    def _document(self, batch: list[dict[str, Any]]) -> bytes:
        scope = {"scope": {"name": "kajitori"}, "spans": batch}
        return msgspec.json.encode({"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]})

    def lines(self) -> Iterator[str]:
        """The family of spans that nobody has seen."""
        yield from family(
            "kajitori_spans_dropped_total",
            "counter",
            "Spans that no collector took.",
            (("", self._dropped),),
        )

    async def close(self) -> None:
        """Sends what is left."""
        self._send()
        if self._sending is not None:
            await self._sending


def _post(url: str, body: bytes) -> None:
    """Runs in a thread. Raises: OSError."""
    import urllib.request
    from http.client import HTTPException

    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
            answer.read()
    except HTTPException as error:
        raise OSError(f"no answer in HTTP: {error!r}") from error
