"""Talking to an API server: get, list, watch, create, update, patch, apply, delete.

Sits on a Transport, below the runtime. Reads are never cached; what comes back is frozen. Kinds are given as
a `Kind` or as a class (`objects.Model`).

Promises
    C1  an answer that is an error raises the ApiError of its reason, with the server's message
    C2  a request is sent again only when the server cannot have acted on it or when acting twice changes
        nothing
    C3  the server's warnings reach `on_warning`, each distinct text once when that is the default logger
    C4  every acknowledged write is noted in the running reconcile's `WriteLog`, and none is sent that this forbids

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ and client-go's rest package.
"""

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

import msgspec

from kajitori.apimachinery.errors import error_from_status
from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import key_of, key_pair_of, labels_of, resource_version_of, uid_of
from kajitori.client.answers import WarningLog, error_of, warnings_of
from kajitori.client.figures import FAILED, RequestFigures
from kajitori.client.objects import METADATA, Codec, Model, ObjectList, WatchEvent, codec_of, kind_of
from kajitori.client.options import (
    DeleteOptions,
    FieldValidation,
    ListOptions,
    PatchType,
    WatchOptions,
    WriteDefaults,
    WriteOptions,
    delete_body,
    list_query,
    watch_query,
    write_query,
)
from kajitori.client.retry import Attempts
from kajitori.client.subresource import Parent, Subresource
from kajitori.client.tracing import RequestTracing
from kajitori.client.transport import RawResponse, Transport, TransportError
from kajitori.client.watchlines import WatchLines
from kajitori.client.writes import NotedWrite, Write, current_log, current_writes

__all__ = ["PAGE_SIZE", "Client"]

PAGE_SIZE = 500
"""Objects a page, as in client-go: about a megabyte of Pods."""

ERROR_BYTES_MAX = 1 << 20
"""How much of an error's body is read from a stream."""

_JSON = "application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

T = TypeVar("T")


def _ignore(warning: str) -> None:
    """Nobody wants to know."""


class Client:
    """One API server, as one user. Cheap to share; safe for concurrent use."""

    def __init__(
        self,
        transport: Transport,
        *,
        field_manager: str = "",
        user_agent: str = "kajitori",
        on_warning: Callable[[str], None] | None = None,
        timeout_seconds: float | None = 60.0,
        dry_run: bool = False,
        field_validation: FieldValidation | None = None,
    ) -> None:
        """`field_manager` owns what is written (empty: the server derives it from `user_agent`); `on_warning` gets each
        warning of the server instead of the log; `timeout_seconds` bounds every request but watches. `dry_run` and
        `field_validation` count for writes that do not say themselves.
        """
        self.transport = transport
        self.figures = RequestFigures(getattr(transport, "host", ""))
        """What has been asked so far."""
        self.tracing: RequestTracing | None = None
        """Who is told of every try; see `tracing`."""
        self.cluster = ""
        """Which of a manager's clusters this is, for what notes writes; empty: its own."""
        self._defaults = WriteDefaults(field_manager, dry_run, field_validation)
        self._user_agent = user_agent
        self._on_warning = on_warning or WarningLog()
        self._timeout = timeout_seconds
        self._read_headers = {"accept": _JSON, "user-agent": user_agent}

    @property
    def field_manager(self) -> str:
        """Who owns what is written, where a call does not say; empty: the server derives it."""
        return self._defaults.field_manager

    def with_options(
        self,
        *,
        field_manager: str | None = None,
        dry_run: bool | None = None,
        field_validation: FieldValidation | None = None,
        timeout_seconds: float | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> Self:
        """The same client, on the same connections, with other defaults; None: as it is."""
        other, known = copy.copy(self), self._defaults
        other._defaults = WriteDefaults(
            known.field_manager if field_manager is None else field_manager,
            known.dry_run if dry_run is None else dry_run,
            known.field_validation if field_validation is None else field_validation,
        )
        other._timeout = self._timeout if timeout_seconds is None else timeout_seconds
        other._on_warning = on_warning or self._on_warning
        return other

    def without_warnings(self) -> Self:
        """The same client, deaf to the server's warnings: for what asks about every kind, old ones included."""
        return self.with_options(on_warning=_ignore)

    def in_cluster(self, name: str) -> Self:
        """The same client, whose writes are noted as that cluster's."""
        named = copy.copy(self)
        named.cluster = name
        return named

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hangs up. Safe to repeat."""
        await self.transport.close()

    # Reading.

    @overload
    async def get(
        self,
        model: Kind,
        namespace: str,
        name: str,
        *,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> Unstructured: ...
    @overload
    async def get(
        self,
        model: type[T],
        namespace: str,
        name: str,
        *,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> T: ...
    async def get(
        self,
        model: Model,
        namespace: str,
        name: str,
        *,
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> Any:
        """One object; `namespace` is ignored for cluster-scoped kinds. `resource_version` `"0"` allows any
        cached state.

        Raises: NotFound, and any other ApiError; TransportError.
        """
        codec = codec_of(model)
        path = codec.kind.path(namespace, _named(codec.kind, namespace, name))
        if resource_version:
            path += f"?resourceVersion={resource_version}"
        return codec.decode(await self._read(path, METADATA if metadata_only else _JSON))

    @overload
    async def list(
        self, model: Kind, namespace: str = "", **options: Unpack[ListOptions]
    ) -> ObjectList[Unstructured]: ...
    @overload
    async def list(
        self, model: type[T], namespace: str = "", **options: Unpack[ListOptions]
    ) -> ObjectList[T]: ...
    async def list(
        self, model: Model, namespace: str = "", **options: Unpack[ListOptions]
    ) -> ObjectList[Any]:
        """Objects of a kind in a namespace, or in all. One page when `limit` is set, otherwise everything.

        Raises: Expired when a `continue_token` or `resource_version` is too old, and any other ApiError.
        """
        return await self.list_as(codec_of(model), namespace, options)

    @overload
    def list_pages(
        self, model: Kind, namespace: str = "", **options: Unpack[ListOptions]
    ) -> AsyncIterator[ObjectList[Unstructured]]: ...
    @overload
    def list_pages(
        self, model: type[T], namespace: str = "", **options: Unpack[ListOptions]
    ) -> AsyncIterator[ObjectList[T]]: ...
    async def list_pages(
        self, model: Model, namespace: str = "", **options: Unpack[ListOptions]
    ) -> AsyncIterator[ObjectList[Any]]:
        """The same, page by page (`limit` objects each, default `PAGE_SIZE`), all of one version.

        Raises: Expired when reading took so long that the version is gone; begin again.
        """
        codec = codec_of(model)
        options.setdefault("limit", PAGE_SIZE)
        while True:
            page = await self.list_as(codec, namespace, options)
            yield page
            if not page.continue_token:
                return
            options["continue_token"] = page.continue_token
            # The token carries the version; sending one beside it is an error.
            options.pop("resource_version", None)
            options.pop("resource_version_match", None)

    async def list_as(self, codec: Codec[T], namespace: str, options: ListOptions) -> ObjectList[T]:
        """`list` with a codec of the caller's, for those who change objects before they are frozen."""
        path = codec.kind.path(namespace) + list_query(options)
        accept = _METADATA_LIST if options.get("metadata_only") else _JSON
        return codec.decode_list(await self._read(path, accept))

    @overload
    def watch(
        self, model: Kind, namespace: str = "", **options: Unpack[WatchOptions]
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[Unstructured]]]: ...
    @overload
    def watch(
        self, model: type[T], namespace: str = "", **options: Unpack[WatchOptions]
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[T]]]: ...
    def watch(
        self, model: Model, namespace: str = "", **options: Unpack[WatchOptions]
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent[Any]]]:
        """Changes as they happen, until the server ends the watch; not renewed, not retried: see `ctrl` for
        that.

            async with client.watch(PODS, "db", resource_version=seen) as events:
                async for event in events: ...

        Raises: Expired, from entering or from the iteration, when the version is too old; other ApiErrors;
        TransportError when the connection breaks.
        """
        return self.watch_as(codec_of(model), namespace, options)

    @asynccontextmanager
    async def watch_as(
        self, codec: Codec[T], namespace: str, options: WatchOptions
    ) -> AsyncGenerator[AsyncIterator[WatchEvent[T]]]:
        """`watch` with a codec of the caller's."""
        headers = {
            "accept": METADATA if options.get("metadata_only") else _JSON,
            "user-agent": self._user_agent,
        }
        path = codec.kind.path(namespace) + watch_query(options)
        time = asyncio.get_running_loop().time
        status, started = FAILED, time()
        try:
            async with self.transport.stream("GET", path, headers, None, self._timeout) as stream:
                status = stream.status
                self.figures.note("GET", status, time() - started)
                self._warn(stream.headers)
                if status >= 300:
                    body = b""
                    async for chunk in stream.chunks:
                        body += chunk
                        if len(body) > ERROR_BYTES_MAX:
                            break
                    raise error_of(RawResponse(status, stream.headers, body))
                yield _events(codec, stream.chunks)
        finally:
            if status == FAILED:
                self.figures.note("GET", FAILED, time() - started)

    # Writing.

    @overload
    async def create(
        self, model: Kind, value: Mapping[str, Any], *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> Unstructured: ...
    @overload
    async def create(
        self, model: type[T], value: T, *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> T: ...
    async def create(
        self, model: Model, value: Any, *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> Any:
        """A new object, named by its `metadata.name` or `metadata.generateName`, in `namespace` when
        it does not say where itself.

        Raises: AlreadyExists, Invalid, Forbidden, NotFound (no such namespace), any other ApiError.
        """
        codec = codec_of(model)
        namespace, name = _where(value, namespace)
        path = codec.kind.path(namespace, "", options.get("subresource", ""))
        path += write_query(options, self._defaults)
        return await self._write("POST", path, codec, value, _JSON, (namespace, name), options)

    @overload
    async def update(
        self, model: Kind, value: Mapping[str, Any], *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> Unstructured: ...
    @overload
    async def update(
        self, model: type[T], value: T, *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> T: ...
    async def update(
        self, model: Model, value: Any, *, namespace: str = "", **options: Unpack[WriteOptions]
    ) -> Any:
        """Replaces a whole object. Its `resourceVersion`, when set, must be the current one.

        Raises: Conflict when somebody else was faster, NotFound, Invalid, any other ApiError.
        """
        codec = codec_of(model)
        namespace, name = _where(value, namespace)
        path = codec.kind.path(namespace, _named(codec.kind, namespace, name), options.get("subresource", ""))
        path += write_query(options, self._defaults)
        return await self._write("PUT", path, codec, value, _JSON, (namespace, name), options)

    @overload
    async def patch(
        self,
        model: Kind,
        namespace: str,
        name: str,
        patch: Any,
        type: PatchType = PatchType.MERGE,
        **options: Unpack[WriteOptions],
    ) -> Unstructured: ...
    @overload
    async def patch(
        self,
        model: type[T],
        namespace: str,
        name: str,
        patch: Any,
        type: PatchType = PatchType.MERGE,
        **options: Unpack[WriteOptions],
    ) -> T: ...
    async def patch(
        self,
        model: Model,
        namespace: str,
        name: str,
        patch: Any,
        type: PatchType = PatchType.MERGE,
        **options: Unpack[WriteOptions],
    ) -> Any:
        """Changes some members of an object. `patch` is a JSON object, or for `PatchType.JSON` a list of
        operations.

        Raises: NotFound, Invalid, Conflict (only when the patch names a `resourceVersion`), any other
        ApiError.
        """
        codec = codec_of(model)
        path = codec.kind.path(namespace, _named(codec.kind, namespace, name), options.get("subresource", ""))
        path += write_query(options, self._defaults)
        return await self._write("PATCH", path, codec, patch, type.value, (namespace, name), options)

    @overload
    async def apply(
        self,
        model: Kind,
        value: Mapping[str, Any],
        *,
        force: bool = False,
        namespace: str = "",
        **options: Unpack[WriteOptions],
    ) -> Unstructured: ...
    @overload
    async def apply(
        self,
        model: type[T],
        value: T | Mapping[str, Any],
        *,
        force: bool = False,
        namespace: str = "",
        **options: Unpack[WriteOptions],
    ) -> T: ...
    async def apply(
        self,
        model: Model,
        value: Any,
        *,
        force: bool = False,
        namespace: str = "",
        **options: Unpack[WriteOptions],
    ) -> Any:
        """Server-side apply: the object ends up with these fields, owned by the field manager; fields that
        it applied before and leaves out now are removed. `force` takes fields over from other managers.

        Of an instance of a class, what differs from the class's defaults is applied. A JSON object, with wire names,
        can also say that a field has just its default value.

        Raises: Conflict naming the fields and their owners, Invalid, any other ApiError; ValueError without
        a field manager, which apply needs.
        """
        codec = codec_of(model)
        if not (options.get("field_manager") or self.field_manager):
            raise ValueError("apply needs a field manager; give one to this call or to the Client")
        namespace, name = _where(value, namespace)
        path = codec.kind.path(namespace, _named(codec.kind, namespace, name), options.get("subresource", ""))
        path += write_query(options, self._defaults, force=force)
        return await self._write(
            "PATCH", path, codec, value, PatchType.APPLY.value, (namespace, name), options
        )

    async def delete(
        self, model: Model, namespace: str, name: str, **options: Unpack[DeleteOptions]
    ) -> Unstructured:
        """Deletes one object. The answer is the object, when it still waits for finalizers or its grace
        period, or a Status when it is gone.

        Raises: NotFound, Conflict (its uid or version is another), any other ApiError.
        """
        kind = kind_of(model)
        path, body = kind.path(namespace, _named(kind, namespace, name)), self._delete_body(options)
        with self._noted(options, kind, namespace, name) as log:
            answer = freeze(msgspec.json.decode((await self.send("DELETE", path, body)).body))
            if log is not None:
                log.note_deletion(kind, namespace if kind.namespaced else "", name, answer)
        return answer

    async def delete_collection(
        self,
        model: Model,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        **options: Unpack[DeleteOptions],
    ) -> Unstructured:
        """Deletes every object of a kind in a namespace (cluster-scoped kinds: in the cluster) that the
        selectors match.

        Raises: any ApiError; objects before the failing one are deleted.
        """
        kind = kind_of(model)
        path = kind.path(namespace) + list_query({"labels": labels, "fields": fields})
        with self._noted(options, kind, namespace, "") as log:
            response = await self.send("DELETE", path, self._delete_body(options))
            answer = freeze(msgspec.json.decode(response.body))
            if log is not None:
                log.note_collection(kind, answer)
        return answer

    def _noted(
        self, options: WriteOptions | DeleteOptions, kind: Kind, namespace: str, name: str
    ) -> NotedWrite:
        log = None if self._defaults.is_dry(options) else current_log(self.cluster)
        return NotedWrite(log, kind, namespace if kind.namespaced else "", name)

    def _delete_body(self, options: DeleteOptions) -> bytes | None:
        body = delete_body(options, self._defaults)
        return None if body is None else msgspec.json.encode(body)

    def subresource(self, model: Model, namespace: str, name: str, subresource: str) -> Subresource:
        """A subresource whose objects are of another kind: `scale`, `eviction`, `binding`, `token`,
        `ephemeralcontainers`.
        """
        kind = kind_of(model)
        parent = Parent(kind, namespace if kind.namespaced else "", _named(kind, namespace, name))
        return Subresource(self.send, parent, subresource, self._defaults, cluster=self.cluster)

    # The road that everything takes.

    async def send(
        self,
        method: str,
        path_and_query: str,
        body: bytes | None = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
    ) -> RawResponse:
        """One request, any path: the raw answer when it is a success. Waits and repeats as C2 allows.

        Raises: ApiError; TransportError.
        """
        if body is None and accept == _JSON:
            headers = self._read_headers
        else:
            headers = {"accept": accept, "user-agent": self._user_agent}
            if body is not None:
                headers["content-type"] = content_type
        attempts: Attempts | None = None
        log = None if method == "GET" else current_writes.get()
        while True:
            if log is not None and log.may_write is not None:
                log.may_write()
            try:
                response = await self._try(method, path_and_query, headers, body)
            except TransportError as error:
                attempts = attempts or Attempts(method)
                delay = attempts.seconds_after_break(error)
                if delay is None:
                    raise
            else:
                if response.status < 300:
                    if "warning" in response.headers:
                        self._warn(response.headers)
                    return response
                self._warn(response.headers)
                attempts = attempts or Attempts(method)
                delay = attempts.seconds_after_answer(response.status, response.headers)
                if delay is None:
                    raise error_of(response)
            await asyncio.sleep(delay)

    async def _try(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawResponse:
        time = asyncio.get_running_loop().time
        traced = None if self.tracing is None else self.tracing(method, path_and_query, headers)
        status, started = FAILED, time()
        try:
            response = await self.transport.request(
                method, path_and_query, headers if traced is None else traced.headers, body, self._timeout
            )
            status = response.status
        finally:
            self.figures.note(method, status, time() - started)
            if traced is not None:
                traced.end(status)
        return response

    async def _read(self, path: str, accept: str) -> bytes:
        return (await self.send("GET", path, accept=accept)).body

    async def _write(
        self,
        method: str,
        path: str,
        codec: Codec[Any],
        value: Any,
        content_type: str,
        key: tuple[str, str],
        options: WriteOptions,
    ) -> Any:
        whole = content_type == _JSON or content_type == PatchType.APPLY.value
        body = codec.encode(value) if whole else msgspec.json.encode(value)
        with self._noted(options, codec.kind, *key) as log:
            written = codec.decode((await self.send(method, path, body, content_type=content_type)).body)
            if log is not None:
                namespace, name = key_pair_of(written)
                version, labels = resource_version_of(written), labels_of(written)
                log.note(Write(codec.kind, namespace, name, version, "", labels, uid_of(written)))
        return written

    def _warn(self, headers: Mapping[str, str]) -> None:
        value = headers.get("warning")
        if value:
            for text in warnings_of(value):
                self._on_warning(text)


async def _events(codec: Codec[T], chunks: AsyncIterator[bytes]) -> AsyncIterator[WatchEvent[T]]:
    lines = WatchLines()
    async for chunk in chunks:
        for line in lines.feed(chunk):
            event = codec.decode_event(line)
            if isinstance(event, WatchEvent):
                yield event
            else:
                raise error_from_status(event)


def _named(kind: Kind, namespace: str, name: str) -> str:
    # Without a name the path would be that of the collection: a delete would delete everything.
    if not name:
        raise ValueError("an object is asked for by its name, which is empty")
    if kind.namespaced and not namespace:
        # The server knows no such path, and its "not found" would be taken for "there is no such object".
        raise ValueError(f"{kind} {name} is asked for without a namespace; {kind.kind} objects are in one")
    return name


def _where(value: Any, namespace: str) -> tuple[str, str]:
    key = key_of(value)
    return namespace or key.namespace, key.name
