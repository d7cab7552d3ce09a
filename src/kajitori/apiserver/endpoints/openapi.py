"""/openapi/v3 and /openapi/v2: the shapes of everything served, for kubectl explain, validation and client-go.

Built-in documents are sent as they were compiled into the package, compressed where the client takes that. Documents
of custom groups are made when somebody asks.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

import gzip
import hashlib
from collections.abc import Callable
from typing import Protocol

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apiserver.endpoints.answers import NOT_FOUND_PAGE, plain
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.negotiation import JSON

__all__ = ["OpenApi"]

_encode = msgspec.json.Encoder().encode
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Clients still ask for `v2@v1.0`, but no media type may hold an `@`: Go's parser refuses an answer that says so."""


class CustomDocuments(Protocol):
    """What makes the documents of custom groups, by path (`apis/example.com/v1`)."""

    def openapi_digests(self) -> dict[str, str]:
        """What changes whenever a document does."""
        ...

    def openapi(self, path: str) -> JsonObject | None:
        """The OpenAPI v3 document at a path."""
        ...

    def openapi_v2(self) -> JsonObject:
        """The definitions of custom kinds by name."""
        ...


class OpenApi:
    """The documents. `custom` gives those who make the ones of custom groups."""

    def __init__(self, custom: "Callable[[], CustomDocuments]") -> None:
        self._custom = custom
        self._digests: dict[str, str] | None = None
        self._v2: dict[str, tuple[bytes, str]] = {}

    def changed(self) -> None:
        """Forgets what was made: custom resources came, went or changed."""
        self._digests = None
        self._v2.clear()

    def answer(self, request: Request, parts: list[str]) -> Response:
        if parts[1:] == ["v2"]:
            return self._version_2(request)
        if parts[1:2] != ["v3"]:
            return plain(404, NOT_FOUND_PAGE)
        if len(parts) == 2:
            return self._index()
        return self._version_3(request, "/".join(parts[2:]))

    def _custom_digests(self) -> dict[str, str]:
        if self._digests is None:
            self._digests = self._custom().openapi_digests()
        return self._digests

    def _index(self) -> Response:
        hashes = {**facts.openapi_v3_hashes(), **self._custom_digests()}
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
            for path, digest in sorted(hashes.items())
        }
        return Response(200, _encode({"paths": paths}), "text/plain; charset=utf-8")

    def _version_3(self, request: Request, path: str) -> Response:
        digest = self._custom_digests().get(path)
        if digest is not None:
            return _cacheable(request, lambda: _encode(self._custom().openapi(path)), digest, JSON)
        try:
            document = facts.openapi_v3(path)
        except KeyError:
            return plain(404, NOT_FOUND_PAGE)
        if "gzip" in request.headers.get("accept-encoding", ""):
            response = _cacheable(request, document.gzipped, document.hash, JSON)
            if response.status == 200:
                response.headers = [*response.headers, ("Content-Encoding", "gzip")]
            return response
        return _cacheable(request, gzip.decompress(document.gzipped), document.hash, JSON)

    def _version_2(self, request: Request) -> Response:
        from kajitori.apis import openapi_v2

        accept = request.headers.get("accept", "")
        protobuf = "proto-openapi" in accept and "openapi.spec.v2" in accept
        media = _V2_PROTOBUF if protobuf else JSON
        known = self._v2.get(media)
        if known is None:
            custom = self._custom()
            made = filter(None, map(custom.openapi, self._custom_digests()))
            document = openapi_v2.document(made, custom.openapi_v2())
            body = openapi_v2.to_protobuf(document) if protobuf else _encode(document)
            known = self._v2[media] = (body, hashlib.sha512(body).hexdigest().upper())
        return _cacheable(request, *known, media)


def _cacheable(request: Request, body: bytes | Callable[[], bytes], digest: str, media: str) -> Response:
    headers = [("ETag", f'"{digest}"'), ("Vary", "Accept")]
    if request.headers.get("if-none-match", "").strip('"') == digest:
        return Response(304, b"", media, headers)
    return Response(200, body if isinstance(body, bytes) else body(), media, headers)
