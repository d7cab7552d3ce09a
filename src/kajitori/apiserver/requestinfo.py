"""What a request asks for, read from its method, path and query.

First step of the road of a request: everything after it (authorization, audit, metrics, the endpoints) speaks of
verbs and resources, never of URLs.

Source: apiserver/pkg/endpoints/request RequestInfoFactory; https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import msgspec

__all__ = ["RequestInfo", "parse_request"]

_VERBS = {
    # Any other method is no verb at all, and nobody but a master may even ask.
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}

_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


class RequestInfo(msgspec.Struct):
    """One request in Kubernetes' terms. `verb` is lower-case HTTP for non-resource paths.

    `proxy` is the verb of paths that Kubernetes served once and still knows.
    """

    verb: str
    path: str
    is_resource: bool = False
    prefix: str = ""
    """`api` or `apis`."""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    """What follows the subresource (`pods/x/proxy/a/b` has `a`, `b`)."""
    collection: bool = False
    """The path names a collection, whatever the method makes of it."""
    verb_in_path: bool = False
    """`/api/v1/watch/pods`: an older form, which knows no selectors."""


def parse_request(method: str, path: str, query: Mapping[str, Sequence[str]]) -> RequestInfo:
    """The request that `method` on `path` is; `query` tells a watch from a list.

    Paths that are no resource's come back with `is_resource` false; they are not errors here.
    """
    if "%" in path:
        # As in Go a path is decoded before it is taken apart: no name can hold a slash.
        path = unquote(path)
    segments = path.strip("/").split("/")
    info = RequestInfo(verb=method.lower(), path=path)
    if len(segments) < 3 or segments[0] not in ("api", "apis") or "" in segments or path.startswith("//"):
        return info
    if segments[0] == "apis":
        if len(segments) < 4:
            return info
        info.prefix, info.group, info.version = "apis", segments[1], segments[2]
        rest = segments[3:]
    else:
        info.prefix, info.version = "api", segments[1]
        rest = segments[2:]
    info.is_resource = True
    prefixed = ""
    if rest[0] in ("watch", "proxy") and len(rest) > 1:
        prefixed, *rest = rest
    if rest[0] == "namespaces" and len(rest) > 1:
        info.namespace = rest[1]
        # /namespaces/x/pods is about pods; /namespaces/x/status is about the namespace itself.
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    if len(rest) > 2:
        info.subresource = rest[2]
        info.parts = tuple(rest[3:])
    if len(rest) > 1:
        info.name = rest[1]
    info.resource = rest[0]
    info.collection = not info.name
    info.verb_in_path = prefixed != ""
    info.verb = prefixed or _verb(method, info.name, query)
    return info


def _verb(method: str, name: str, query: Mapping[str, Sequence[str]]) -> str:
    verb = _VERBS.get(method, "")
    if name:
        return verb
    if verb == "get":
        return "watch" if _truthy(query.get("watch")) else "list"
    if verb == "delete":
        return "deletecollection"
    return verb


def _truthy(values: Sequence[str] | None) -> bool:
    """A query's boolean as Kubernetes' conversion reads it: anything but "0" and "false" is true."""
    return values is not None and values[0].lower() not in ("0", "false")
