"""What policies ask their host for, got from the cluster and the network: asked in a policy's thread, done on the loop.

Promises
    V1  every call ends within SECONDS_MAX, with an answer or with a HostCallError that the policy can read
"""

import asyncio
import socket
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

import msgspec

from kajitori.apis import JsonObject, Kind
from kajitori.client import ApiError, Client, RawResponse, RawStream, Transport, TransportError
from kajitori.ctrl import Clock
from kajitori.operators.kubewarden.fetching.sources import FetchError, Sources, parse_reference
from kajitori.wire.wasm.wapc import HostCallError

__all__ = ["ClusterServices", "KnownKinds", "acting_as"]

SECONDS_MAX = 5.0
"""A policy's own time is shorter by default; this is for those that have more."""
KINDS_KNOWN_SECONDS = 30.0
"""For how long it is believed which kinds are served."""
CONFIG_BYTES_MAX = 4 << 20

_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def acting_as(client: Client, user: str) -> Client:
    """A client with the rights of somebody else; who they are is for the API server to say."""
    return Client(_Impersonating(client.transport, user), user_agent="kajitori-policies")


class _Impersonating:
    """A Transport whose requests are made as somebody else."""

    def __init__(self, transport: Transport, user: str) -> None:
        self._transport = transport
        self._headers = {"impersonate-user": user}

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        as_them = {**headers, **self._headers}
        return await self._transport.request(method, path_and_query, as_them, body, timeout)

    def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AbstractAsyncContextManager[RawStream]:
        as_them = {**headers, **self._headers}
        return self._transport.stream(method, path_and_query, as_them, body, timeout)

    async def close(self) -> None:
        """What is beneath belongs to somebody else."""


class KnownKinds:
    """Which kinds the cluster serves, by `apiVersion`; asked for once in a while. For all policies together."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._known: dict[str, tuple[float, dict[str, Kind]]] = {}

    async def find(self, api_version: str, kind: str) -> Kind:
        """Raises: ApiError, TransportError; HostCallError for a kind that is not served."""
        now = asyncio.get_running_loop().time()
        read_at, kinds = self._known.get(api_version, (-KINDS_KNOWN_SECONDS, dict[str, Kind]()))
        if kind not in kinds or now - read_at > KINDS_KNOWN_SECONDS:
            kinds = await self._read(api_version)
            self._known[api_version] = (now, kinds)
        found = kinds.get(kind)
        if found is None:
            raise HostCallError(f"Cannot find resource {api_version}/{kind}")
        return found

    async def _read(self, api_version: str) -> dict[str, Kind]:
        group, slash, version = api_version.rpartition("/")
        path = f"/apis/{api_version}" if slash else f"/api/{api_version}"
        document: Any = msgspec.json.decode((await self.client.send("GET", path)).body)
        return {
            each["kind"]: Kind(group, version, each["kind"], each["name"], each["namespaced"])
            for each in document.get("resources") or ()
            if "/" not in each["name"]
        }


class ClusterServices:
    """Services for the policies of one policy server."""

    def __init__(
        self,
        client: Client,
        kinds: KnownKinds,
        sources: Sources,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._sources = sources
        self._clock = clock
        self._loop = loop

    def list_objects(
        self, api_version: str, kind: str, namespace: str, labels: str, fields: str
    ) -> JsonObject:
        found: JsonObject = self._wait(self._list(api_version, kind, namespace, labels, fields))
        return found

    def get_object(self, api_version: str, kind: str, namespace: str, name: str) -> JsonObject:
        found: JsonObject = self._wait(self._get(api_version, kind, namespace, name))
        return found

    def plural(self, api_version: str, kind: str) -> str:
        found: Kind = self._wait(self._kinds.find(api_version, kind))
        return found.plural

    def access_review(self, spec: JsonObject) -> JsonObject:
        status: JsonObject = self._wait(self._review(spec))
        return status

    def addresses(self, host: str) -> list[str]:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise HostCallError(f"{host} cannot be looked up: {error.strerror or error}") from None
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def image(self, reference: str) -> tuple[str, JsonObject, JsonObject | None]:
        from kajitori.operators.kubewarden.fetching.http import Web
        from kajitori.operators.kubewarden.fetching.registry import Registry

        try:
            parsed, registry = parse_reference(reference), Registry(Web(self._sources))
            manifest = registry.manifest(parsed)
            described = manifest.content.get("config") or {}
            config = None
            if described.get("digest"):
                blob = registry.blob(parsed, described["digest"], bytes_max=CONFIG_BYTES_MAX)
                config = msgspec.json.decode(blob)
        except (FetchError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HostCallError(str(error)) from None
        return manifest.digest, manifest.content, config

    def certificate(self, request: JsonObject) -> JsonObject:
        # Loaded by the first policy that asks: it takes ten megabytes.
        from kajitori.operators.kubewarden.certificates import is_trusted

        return is_trusted(request, self._clock.now())

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result(SECONDS_MAX)
        except (ApiError, TransportError) as error:
            raise HostCallError(str(error)) from None
        except TimeoutError:
            asked.cancel()
            raise HostCallError(f"the cluster did not answer within {SECONDS_MAX:g} s") from None

    async def _list(
        self, api_version: str, kind: str, namespace: str, labels: str, fields: str
    ) -> JsonObject:
        found = await self._kinds.find(api_version, kind)
        if namespace and not found.namespaced:
            what = f"resource {api_version}/{kind} is cluster wide"
            raise HostCallError(f"{what}. Cannot search for it inside of a namespace")
        query = urlencode(
            {name: each for name, each in (("labelSelector", labels), ("fieldSelector", fields)) if each}
        )
        path = found.path(namespace) + (f"?{query}" if query else "")
        listed: JsonObject = msgspec.json.decode((await self._client.send("GET", path)).body)
        # Items of lists do not say what they are; policies read them one by one.
        for each in listed["items"]:
            each.setdefault("apiVersion", api_version)
            each.setdefault("kind", kind)
        return listed

    async def _get(self, api_version: str, kind: str, namespace: str, name: str) -> JsonObject:
        found = await self._kinds.find(api_version, kind)
        if found.namespaced and not namespace:
            raise HostCallError(f"Resource {api_version}/{kind} is namespaced, but no namespace was provided")
        answer = await self._client.send("GET", found.path(namespace, name))
        value: JsonObject = msgspec.json.decode(answer.body)
        return value

    async def _review(self, spec: JsonObject) -> JsonObject:
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": _review_spec(spec),
        }
        answer = await self._client.send("POST", _REVIEWS, msgspec.json.encode(body))
        reviewed: JsonObject = msgspec.json.decode(answer.body)
        status: JsonObject = reviewed.get("status") or {}
        return status


def _review_spec(asked: JsonObject) -> JsonObject:
    """A SubjectAccessReview's spec, of what policies call the same things."""
    attributes = asked.get("resource_attributes") or asked.get("resourceAttributes") or {}
    spec: JsonObject = {
        "resourceAttributes": {name: each for name, each in attributes.items() if each is not None}
    }
    for member in ("user", "groups", "uid", "extra"):
        if asked.get(member):
            spec[member] = asked[member]
    return spec
