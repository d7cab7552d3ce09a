"""Paths that are no resources: discovery, version, health, OpenAPI."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, MethodNotAllowed, NotFound
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.answers import NOT_FOUND_PAGE, plain
from kajitori.apiserver.endpoints.health import Health
from kajitori.apiserver.endpoints.openapi import OpenApi
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.negotiation import JSON, YAML, negotiate, only_json
from kajitori.apiserver.registry.render import write_any

__all__ = ["Discovery", "no_such_resource"]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

_HEALTH = ("healthz", "livez", "readyz")
_ANY_METHOD = frozenset(("/metrics",))
"""Beside discovery and health these are handled by what asks for no method; but figures are never reset."""


class Discovery:
    """Answers about the server itself."""

    def __init__(
        self,
        catalog: Catalog,
        openapi: OpenApi,
        health: Health,
        further: Mapping[str, Callable[[], Response]],
    ) -> None:
        """`further` documents are made when somebody asks for their paths."""
        self._catalog = catalog
        self._openapi = openapi
        self._health = health
        self._further = further

    def answer(self, request: Request) -> Response:
        """The document at a path that names no resource."""
        path = request.path.rstrip("/") or "/"
        parts = path.split("/")[1:]
        root = parts[0] if parts else path  # such as `*`, or the authority that CONNECT names
        if root in ("api", "apis"):
            return self._discovery(request, path, parts)
        if root == "openapi":
            return self._openapi.answer(request, parts)
        if root in _HEALTH:
            return self._health.answer(request, parts)
        if path == "/":
            return _indented({"paths": self._paths()})
        further = self._further.get(path)
        if further is None and path != "/version":
            return plain(404, NOT_FOUND_PAGE)
        if request.method != "GET" and (path not in _ANY_METHOD or request.method == "DELETE"):
            raise _method_not_allowed()
        if further is not None:
            return further()
        only_json(request.headers.get("accept", ""))
        return _indented(facts.VERSION)

    def _paths(self) -> list[str]:
        """Every path that is answered and names no resource."""
        openapi = ("/openapi/v2", "/openapi/v3", "/openapi/v3/")
        return sorted({*self._catalog.paths(), *self._health.paths(), *self._further, *openapi, "/version"})

    def _discovery(self, request: Request, path: str, parts: list[str]) -> Response:
        accept = request.headers.get("accept", "")
        if len(parts) == 1 and _wants_aggregated(accept):
            _only_get(request, parts)
            found = self._catalog.document(path, aggregated=True)
            assert found is not None, path
            return _document(request, *found, AGGREGATED)
        found = self._catalog.document(path)
        if found is None:
            if (parts[0] == "apis" and len(parts) == 2) or (
                parts[0] == "apis" and not self._catalog.has_group(parts[1])
            ):
                return plain(404, NOT_FOUND_PAGE)
            raise no_such_resource()
        custom = self._catalog.is_custom(path)
        if not custom:
            _only_get(request, parts)
        # The lists of groups and of a group's versions have no routes in Kubernetes, nor has what is custom.
        routed = not custom and (parts[0] == "api" or len(parts) == 3)
        form = negotiate(accept, custom=False, streaming=False, transforms=False, routed=routed)
        if form.media != JSON:
            return Response(200, write_any(_decoded(found[0]), form.media), form.media)
        return _document(request, *found, JSON)


def _only_get(request: Request, parts: list[str]) -> None:
    """Raises: MethodNotAllowed. The lists of groups and of a group's versions take any method, as in Kubernetes."""
    if request.method != "GET" and (parts[0] == "api" or len(parts) == 3):
        raise _method_not_allowed()


def _indented(value: Any) -> Response:
    """What people read more often than programs."""
    return Response(200, msgspec.json.format(msgspec.json.encode(value), indent=2), JSON)


def _decoded(body: bytes) -> JsonObject:
    value: JsonObject = msgspec.json.decode(body)
    return value


def _wants_aggregated(accept: str) -> bool:
    for entry in accept.split(","):
        parts = {part.strip() for part in entry.split(";")}
        if parts >= {"g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"}:
            return True
        if entry.split(";")[0].strip() in (JSON, "*/*", YAML) and "as=" not in entry:
            return False
    return False


def _document(request: Request, body: bytes, digest: str, content_type: str) -> Response:
    headers = (("ETag", f'"{digest}"'), ("Vary", "Accept"))
    if request.headers.get("if-none-match", "") == f'"{digest}"':
        return Response(304, b"", content_type, headers)
    return Response(200, body, content_type, headers)


def no_such_resource() -> ApiError:
    """What a path gets that has the form of a resource's and is none."""
    return NotFound("the server could not find the requested resource", details={})


def _method_not_allowed() -> MethodNotAllowed:
    return MethodNotAllowed("the server does not allow this method on the requested resource", details={})
