"""A subresource whose objects are of another kind than their parent: `scale`, `eviction`, `binding`,
`token`.
"""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar, Unpack, overload

import msgspec

from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.client.objects import codec_of
from kajitori.client.options import PatchType, WriteOptions, write_query
from kajitori.client.transport import RawResponse

__all__ = ["Subresource"]

T = TypeVar("T")
Body = Mapping[str, Any] | msgspec.Struct


class _Send(Protocol):
    def __call__(
        self, method: str, path_and_query: str, body: bytes | None = None, *, content_type: str = ...
    ) -> Awaitable[RawResponse]: ...


class Subresource:
    """Made by `Client.subresource`. Bodies are instances of a class, or JSON objects that say their own `apiVersion`
    and `kind` (`autoscaling/v1 Scale`).
    """

    def __init__(self, send: _Send, path: str, field_manager: str) -> None:
        self._send = send
        self._path = path
        self._field_manager = field_manager

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
        path = self._path + write_query(options, self._field_manager)
        sent = (
            codec_of(type(body)).encode(body)
            if isinstance(body, msgspec.Struct)
            else msgspec.json.encode(body)
        )
        return _object(await self._send(method, path, sent, content_type=content_type))


def _object(response: RawResponse) -> Unstructured:
    return freeze(msgspec.json.decode(response.body))
