"""A peer that follows a script: the outside world, as far as a client sees it. Bytes in, bytes out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.transport import RawResponse, RawStream, TransportError

__all__ = ["PODS", "WIDGETS", "Asked", "Script", "answer", "bookmark", "event", "pod", "pod_list"]

PODS = Kind("", "v1", "Pod", "pods")
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")

Answer = RawResponse | Exception | list[Any]
"""Of a stream: bytes to send, seconds to wait, exceptions to break with, an Event to wait for."""


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query


@dataclass
class Script:
    """A `Transport` that asks `respond` what to answer. A stream that is out of lines stays open, silent."""

    respond: Callable[[Asked], Any]
    asked: list[Asked] = field(default_factory=list)
    open_streams: int = 0

    def _answer(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None
    ) -> Any:
        parts = urlsplit(path_and_query)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        asked = Asked(method, parts.path, query, headers, msgspec.json.decode(body) if body else None)
        self.asked.append(asked)
        return self.respond(asked)

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        said = self._answer(method, path_and_query, headers, body)
        await asyncio.sleep(0)
        if isinstance(said, ApiError):
            return answer(said.to_status(), said.code)
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, RawResponse), said
        return said

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AsyncGenerator[RawStream]:
        said = self._answer(method, path_and_query, headers, body)
        await asyncio.sleep(0)
        if isinstance(said, TransportError):
            raise said
        self.open_streams += 1
        try:
            if isinstance(said, ApiError):
                yield RawStream(said.code, {}, _chunks([msgspec.json.encode(said.to_status()), "end"]))
            else:
                yield RawStream(200, {}, _chunks(said))
        finally:
            self.open_streams -= 1

    async def close(self) -> None:
        pass


async def _chunks(lines: list[Any]) -> AsyncIterator[bytes]:
    for line in lines:
        if isinstance(line, bytes):
            yield line
        elif isinstance(line, Exception):
            raise line
        elif isinstance(line, (int, float)):
            await asyncio.sleep(line)
        elif isinstance(line, asyncio.Event):
            await line.wait()
        else:
            assert line == "end", line
            return
    await asyncio.sleep(10**9)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> RawResponse:
    return RawResponse(status, headers or {"content-type": "application/json"}, msgspec.json.encode(value))


def pod(name: str, version: int, namespace: str = "default", **metadata: Any) -> JsonObject:
    named = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**named, **metadata}}


def pod_list(version: int, *pods: JsonObject, token: str = "") -> RawResponse:
    metadata = {"resourceVersion": str(version), **({"continue": token} if token else {})}
    return answer({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": list(pods)})


def event(type: str, value: JsonObject) -> bytes:
    return msgspec.json.encode({"type": type, "object": value}) + b"\n"


def bookmark(version: int, *, initial_events_end: bool = False) -> bytes:
    metadata: JsonObject = {"resourceVersion": str(version)}
    if initial_events_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return event("BOOKMARK", {"kind": "Pod", "apiVersion": "v1", "metadata": metadata})
