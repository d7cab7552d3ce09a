"""A real API server in this process, asked with plain requests."""

import asyncio
import inspect
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from kajitori.client.transport import Transport
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.options import ClusterOptions
from kajitori.testing import run_virtual

CORE = "/api/v1/namespaces/default"
CONFIG_MAPS = f"{CORE}/configmaps"
PODS = f"{CORE}/pods"

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

OPTIONS = ClusterOptions(listen=False, api_only=True)


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw)

    @property
    def message(self) -> str:
        return str(self.body["message"])

    @property
    def revision(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])


@dataclass
class Watching:
    """The events of a watch, as they come."""

    status: int
    chunks: AsyncIterator[bytes]
    held: bytes = b""
    ended: bool = False
    seen: list[tuple[str, Any]] = field(default_factory=list)

    async def next(self) -> tuple[str, Any]:
        """The next event: its type and its object."""
        while b"\n" not in self.held:
            self.held += await anext(self.chunks)
        line, _, self.held = self.held.partition(b"\n")
        event = msgspec.json.decode(line)
        self.seen.append((event["type"], event["object"]))
        return self.seen[-1]

    async def take(self, count: int) -> list[tuple[str, str]]:
        """The types and names of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(type_, obj["metadata"].get("name", "")) for type_, obj in events]

    async def rest(self) -> list[tuple[str, Any]]:
        """Everything until the server ends the watch."""
        events: list[tuple[str, Any]] = []
        try:
            while True:
                events.append(await self.next())
        except StopAsyncIteration:
            self.ended = True
            return events


class Api:
    """The server, and requests to it as the admin."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.transport: Transport = cluster.client("tests").transport
        assert cluster._store is not None and cluster._assembled is not None
        self.store = cluster._store
        self.server = cluster._assembled.server
        self.catalog = cluster._assembled.catalog

    async def ask(self, method: str, path: str, body: Any = None, *, type: str = "", **headers: str) -> Told:
        """One request. `body` is JSON unless it is bytes; headers are given with `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("user-agent", "tests/1.0")
        raw = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        if raw is not None:
            sent["content-type"] = type or "application/json"
        answer = await self.transport.request(method, path, sent, raw, None)
        return Told(answer.status, answer.headers, answer.body)

    async def ok(self, method: str, path: str, body: Any = None, *, type: str = "", **headers: str) -> Told:
        """A request that must succeed."""
        told = await self.ask(method, path, body, type=type, **headers)
        assert told.status < 300, (method, path, told.status, told.raw)
        return told

    async def refused(
        self, status: int, method: str, path: str, body: Any = None, *, type: str = "", **headers: str
    ) -> Told:
        """A request that must be answered with this status, and a Status."""
        told = await self.ask(method, path, body, type=type, **headers)
        assert told.status == status, (method, path, told.status, told.raw)
        assert told.body["kind"] == "Status" and told.body["code"] == status, told.body
        return told

    @asynccontextmanager
    async def watch(self, path: str, **headers: str) -> AsyncIterator[Watching]:
        """A watch; leaving the block ends it."""
        target = path + ("&" if "?" in path else "?") + "watch=true"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.transport.stream("GET", target, sent, None, None) as stream:
            yield Watching(stream.status, stream.chunks)


@asynccontextmanager
async def serving(options: ClusterOptions = OPTIONS) -> AsyncIterator[Api]:
    """A new API server, without controllers, with its state in memory."""
    async with Cluster(options) as cluster:
        yield Api(cluster)


Test = Callable[..., Awaitable[None]]


def served(test: Test) -> Callable[..., None]:
    """A test that gets a server of its own as its first argument."""
    return _given(test, OPTIONS, asyncio.run)


def served_on_disk(test: Test) -> Callable[..., None]:
    """The same with the state in a file: writes take a while, and others come in between."""

    return _given(test, None, asyncio.run)


def served_in_virtual_time(test: Test) -> Callable[..., None]:
    """The same where waiting takes no time."""
    return _given(test, OPTIONS, run_virtual)


def served_with(configuration: str, **options: Any) -> Callable[[Test], Callable[..., None]]:
    """The same with an admission configuration, and further options of the cluster."""

    def decorate(test: Test) -> Callable[..., None]:
        return _given(test, replace(OPTIONS, **options), asyncio.run, configuration)

    return decorate


def _given(
    test: Test, options: ClusterOptions | None, run: Callable[[Any], Any], configuration: str = ""
) -> Callable[..., None]:
    def runs(**arguments: Any) -> None:
        async def main() -> None:
            with tempfile.TemporaryDirectory() as folder:
                chosen = options or replace(OPTIONS, data_dir=Path(folder))
                if configuration:
                    path = Path(folder) / "admission.yaml"
                    path.write_text(configuration)
                    chosen = replace(chosen, admission_control_config_file=path)
                async with serving(chosen) as api:
                    await test(api, **arguments)

        run(main())

    # What pytest shows and fills in.
    signature = inspect.signature(test)
    parameters = list(signature.parameters.values())[1:]
    runs.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    runs.__name__, runs.__doc__, runs.__module__ = test.__name__, test.__doc__, test.__module__
    return runs


def config_map(name: str = "a", *, labels: Mapping[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(name: str = "a", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


def definition(
    plural: str = "widgets", *, kind: str = "Widget", group: str = "example.com", **version: Any
) -> dict[str, Any]:
    """A CustomResourceDefinition with one version, `v1`; `version` adds to it."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    **version,
                }
            ],
        },
    }


async def define(api: Api, crd: dict[str, Any]) -> str:
    """Installs a definition and waits until it is served; gives the path of its objects in `default`."""
    await api.ok("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    spec = crd["spec"]
    base = f"/apis/{spec['group']}/{spec['versions'][0]['name']}"
    where = "/namespaces/default" if spec["scope"] == "Namespaced" else ""
    path = f"{base}{where}/{spec['names']['plural']}"
    while (await api.ask("GET", path)).status != 200:  # noqa: ASYNC110 - it takes a few turns of the loop
        await asyncio.sleep(0)
    return path
