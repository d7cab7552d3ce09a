"""A subresource whose objects are of another kind than their parent: `scale`, `eviction`, `binding`,
`token`.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, Unpack, overload

import msgspec

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.apimachinery.kind import Kind
from kajitori.client.objects import METADATA, codec_of
from kajitori.client.options import PatchType, WriteDefaults, WriteOptions, write_query
from kajitori.client.transport import RawResponse, TransportError
from kajitori.client.writes import NotedWrite, Write, WriteLog, current_log

__all__ = ["Parent", "Subresource"]

T = TypeVar("T")
Body = Mapping[str, Any] | msgspec.Struct


class _Send(Protocol):
    def __call__(
        self,
        method: str,
        path_and_query: str,
        body: bytes | None = None,
        *,
        content_type: str = ...,
        accept: str = ...,
    ) -> Awaitable[RawResponse]: ...


class Parent(NamedTuple):
    """The object that a subresource is of."""

    kind: Kind
    namespace: str
    """Empty for cluster-scoped kinds."""
    name: str


class Subresource:
    """Made by `Client.subresource`. Bodies are instances of a class, or JSON objects that say their own `apiVersion`
    and `kind` (`autoscaling/v1 Scale`).
    """

    def __init__(
        self, send: _Send, parent: Parent, subresource: str, defaults: WriteDefaults, *, cluster: str
    ) -> None:
        """`cluster` is which of a manager's it is in, for what notes writes."""
        self._send = send
        self._cluster = cluster
        self._parent = parent
        self._path = parent.kind.path(parent.namespace, parent.name, subresource)
        self._defaults = defaults

    @overload
    async def get(self) -> Unstructured: ...
    @overload
    async def get(self, model: type[T]) -> T: ...
    async def get(self, model: type[Any] | None = None) -> Any:
        """As an instance of a class when one is given, such as `autoscaling_v1.Scale`.

        Raises: NotFound, any other ApiError; TransportError.
        """
        response = await self._send("GET", self._path)
        return _object(response) if model is None else codec_of(model).decode(response.body)

    async def create(self, body: Body, **options: Unpack[WriteOptions]) -> Unstructured:
        """`eviction`, `binding`, `token`. Raises: TooManyRequests when a disruption budget forbids an
        eviction.
        """
        return await self._write("POST", body, "application/json", options)

    async def update(self, body: Body, **options: Unpack[WriteOptions]) -> Unstructured:
        """Raises: Conflict, any other ApiError."""
        return await self._write("PUT", body, "application/json", options)

    async def patch(
        self, patch: Any, type: PatchType = PatchType.MERGE, **options: Unpack[WriteOptions]
    ) -> Unstructured:
        """Raises: any ApiError."""
        return await self._write("PATCH", patch, type.value, options)

    async def _write(self, method: str, body: Any, content_type: str, options: WriteOptions) -> Unstructured:
        path = self._path + write_query(options, self._defaults)
        sent = (
            codec_of(type(body)).encode(body)
            if isinstance(body, msgspec.Struct)
            else msgspec.json.encode(body)
        )
        log = None if self._defaults.is_dry(options) else current_log(self._cluster)
        with NotedWrite(log, *self._parent):
            answer = _object(await self._send(method, path, sent, content_type=content_type))
        if log is not None:
            await self._note(log, answer)
        return answer

    async def _note(self, log: WriteLog, answer: Unstructured) -> None:
        """What was written is the parent; the answer may be of another kind, but has the parent's version."""
        version = answer.resource_version
        if not version and answer.get("kind") == "Status":
            # An eviction, a binding: the answer says that it was done, not to what version that led.
            try:
                seen = await self._send("GET", self._parent.kind.path(*self._parent[1:]), accept=METADATA)
            except NotFound:
                log.note(Write(*self._parent, ""))
                return
            except (ApiError, TransportError):
                log.note_uncertain(*self._parent)
                return
            version = _object(seen).resource_version
        if version:  # Tokens and reviews have none: they change nothing.
            log.note(Write(*self._parent, version))


def _object(response: RawResponse) -> Unstructured:
    return freeze(msgspec.json.decode(response.body))
